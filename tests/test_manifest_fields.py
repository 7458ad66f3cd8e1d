"""The table of fields, value by value: what each may hold, what it may not, and how the fault is worded."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from assetbuild.manifest import dump
from assetbuild.manifest.shape import document_faults
from tests.manifests import DIGEST, HEX, INTEGRITY, Document, document, file_entry

GREATEST = 2**53 - 1
OTHER_HEX = "0123456789abcdef" * 4
OTHER = f"sha256:{OTHER_HEX}"

COUNTS = [1, GREATEST], [0, -1, GREATEST + 1, True, 1.5, "1", None]
SIZES = [0, 1, GREATEST], [-1, GREATEST + 1, True, False, 1.5, "1", None]
HEXES = [HEX, OTHER_HEX], ["", HEX[1:], HEX + "0", HEX[1:] + "g", HEX.upper(), HEX[1:] + "\n", 1, None, [*HEX]]
DIGESTS = [DIGEST, OTHER], ["", HEX, DIGEST[1:], f"{DIGEST}0", f"sha512:{HEX}", DIGEST.upper(), 1, None]
PATHS = (
    ["a", "css/a.css", "é/ü b.css", "..."],
    ["", "/a", "a/", "a//b", "../a", "a/..", ".", "a\\b", "c:a", "a\n", 1, None],
)
PUBLISHED = ["a", "css/app-k3v7xam2qd.css", "A_b"], ["", "/a", "../a", "é", "a b", "a@b", "a\n", 1, None]
LISTS = [["a"], ["b", "a"]], [["a", "a"], ["../a"], ["a", 1], [None], "a", {"a": "b"}, 1, None]
TRUE = [True], [1, "true", None]
TEXTS = ["a", "é b"], ["a\n", "\x7f", 1, None]
OBJECTS: tuple[list[Any], list[Any]] = [], [1, "a", [], None]

FIELDS: dict[str, tuple[list[Any], list[Any]]] = {
    "version": ([1], [0, -1, True, 1.5, "1", None]),
    "minReader": ([1], [0, -1, True, 1.5, "1", None]),
    "base": (["/", "/static/", "https://h/"], ["", "/static", "static/", "https://h", "/a b/", 1, None]),
    "build": OBJECTS,
    "assets": OBJECTS,
    "bundles": OBJECTS,
    "files": OBJECTS,
    "importmap": ([{"a": "b.js"}], [{"a": "../b"}, {"a\n": "b"}, {"": "b"}, {"a": 1}, [], "a", 1, None]),
    "build.id": DIGESTS,
    "build.tools": ([{"a": "1"}], [{}, {"a": ""}, {"": "1"}, {"a": 1}, {"a": "\n"}, [], "a", 1, None]),
    "build.config": DIGESTS,
    "build.inputs": DIGESTS,
    "build.salt": (["", "a"], ["a\n", 1, None, False]),
    "build.revision": TEXTS,
    "build.previous": ([[DIGEST], [OTHER, DIGEST]], [[DIGEST, DIGEST], [HEX], [1], DIGEST, {DIGEST: 1}, 1, None]),
    "build.superseded": (
        [{DIGEST: 0, OTHER: GREATEST}],
        [{DIGEST: -1}, {DIGEST: True}, {HEX: 1}, {"": 1}, [], 1, None],
    ),
    "assets.a.css.file": PUBLISHED,
    "assets.a.css.kind": (["module", "classic", "style"], ["script", "Module", 1, None]),
    "assets.a.css.entry": TRUE,
    "assets.a.css.source": PATHS,
    "assets.a.css.refs": LISTS,
    "assets.a.css.imports": LISTS,
    "assets.a.css.dynamic": LISTS,
    "assets.a.css.css": LISTS,
    "assets.a.css.map": PATHS,
    "assets.a.css.width": COUNTS,
    "assets.a.css.height": COUNTS,
    "assets.a.css.keep": TRUE,
    "assets.a.css.at": (["/a", "/css/é b"], ["a", "//a", "/", "/../a", "/a/", 1, None, ["/a"]]),
    "assets.a.css.cycle": HEXES,
    "files.a-1.css.type": (
        ["text/css", "text/css; charset=utf-8", "a/b", "Image/svg+xml", "a!#$&^_.+-1/x"],
        [
            "",
            "text",
            "text/",
            "/css",
            "text/;a",
            "te xt/css",
            "text/c@s",
            "text/css\r\nX: y",
            "text/é",
            "text/css; é",
            1,
            None,
        ],
    ),
    "files.a-1.css.size": SIZES,
    "files.a-1.css.sha256": HEXES,
    "files.a-1.css.integrity": (
        [INTEGRITY, "sha384-" + "Aa0+/zZ9" * 8],
        [
            "",
            INTEGRITY[:-1],
            INTEGRITY + "A",
            INTEGRITY[:-1] + "=",
            "sha256-" + INTEGRITY[7:],
            INTEGRITY[:-1] + "-",
            "sha384-" + "-" + INTEGRITY[8:],
            1,
            None,
        ],
    ),
    "files.a-1.css.keep": TRUE,
    "files.a-1.css.enc": (
        [{"br": 0}, {"gzip": 1, "zstd": GREATEST}],
        [{"br": -1}, {"br": True}, {"zip": 1}, {"br": "1"}, {"": 1}, [], ["br"], "br", 1, None],
    ),
    "files.a-1.css.build": DIGESTS,
    "bundles.all.assets": LISTS,
    "bundles.all.extra": (
        [{"a": None, "b": True, "c": False, "d": "", "e": "x\n", "f": -GREATEST, "g": GREATEST}],
        [
            {"a": 1.5},
            {"a": []},
            {"a": {}},
            {"a": GREATEST + 1},
            {"a": -GREATEST - 1},
            {"": 1},
            {"\n": 1},
            [],
            "a",
            1,
            None,
        ],
    ),
    "x-a": ([None, True, "a", -1, [1, ["a"]], {"a": {"b": [None]}}], [1.5, [1.5], {"a": 1.5}, {"a": [{"b": 1.5}]}]),
}
"""A field → what it may hold, and what it may not. A place is told by the keys that lead to it."""


@functools.cache
def schema() -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(json.loads((Path(__file__).parents[1] / "manifest.schema.json").read_text("utf-8")))


def complete() -> Document:
    """Return a manifest that has one entry in each section."""
    made = document({"a.css": {"file": "a-1.css"}}, {"a-1.css": file_entry()}, bundles={"all": {"assets": ["a.css"]}})
    return dict(json.loads(dump(made)))


def holding(field: str, value: object) -> Document:
    """Return a manifest that holds a value at a place, as JSON gives it."""
    made = owner = complete()
    *keys, last = field.replace("a.css", "a/css").replace("1.css", "1/css").split(".")
    for key in keys:
        owner = owner[key.replace("/", ".")]
    owner[last] = value
    return made


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_may_hold_what_it_is_for(field: str) -> None:
    for made in (holding(field, value) for value in FIELDS[field][0]):
        assert [] == [*document_faults(made, with_entries=True)]
        assert schema().is_valid(made)


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_may_hold_nothing_else(field: str) -> None:
    place = field.replace("a.css", '"a.css"').replace("a-1.css", '"a-1.css"').replace("all", '"all"')

    for made in (holding(field, value) for value in FIELDS[field][1]):
        (fault,) = document_faults(made, with_entries=True)
        assert f" at `{place}" in fault
        assert not schema().is_valid(made)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a" * 56 + "\n", '"' + "a" * 56 + '\\n"'),
        ("a" * 57 + "\n", '"' + "a" * 56 + "…"),
        ({1: {2}}, '{"1": "{2}"}'),
    ],
    ids=["sixty characters", "sixty-one", "no JSON"],
)
def test_a_fault_shows_up_to_sixty_characters_of_what_it_found(value: object, shown: str) -> None:
    (fault,) = document_faults(holding("build.revision", value), with_entries=True)

    assert f"should hold a text without control characters at `build.revision`, and holds {shown}" == fault


def test_every_fault_of_a_manifest_is_named_once_and_in_the_order_of_its_text() -> None:
    made = holding("files.a-1.css.keep", 1) | {"base": "x", "y": 1}
    del made["assets"]["a.css"]["file"]
    del made["bundles"]["all"]["assets"]

    assert [
        'should hold a URL base that begins and ends with `/`, or `https://` and a host at `base`, and holds "x"',
        "has a field of no meaning, `y`",
        'has no `file` in `assets."a.css"`',
        'has no `assets` in `bundles."all"`',
        'should hold true at `files."a-1.css".keep`, and holds 1',
    ] == [*document_faults(made, with_entries=True)]


def test_an_entry_that_is_no_object_is_one_fault() -> None:
    made = complete()
    made["bundles"]["all"] = 5

    assert ['should hold an object at `bundles."all"`, and holds 5'] == [*document_faults(made, with_entries=True)]


def test_each_field_that_must_be_there_is_missed() -> None:
    fields = ["version", "minReader", "base", "build", "assets", "bundles", "files"]

    assert [f"has no `{field}`" for field in fields] == [*document_faults({}, with_entries=True)]
