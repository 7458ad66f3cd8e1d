"""The format: canonical bytes, faults, look-up, hash names; the schema and the table of fields agree."""

from __future__ import annotations

import base64
import copy
import functools
import hashlib
import json
import multiprocessing
import os
import pickle
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetbuild import Assets
from assetbuild.manifest import (
    AssetEntry,
    AssetNotFound,
    FileEntry,
    Manifest,
    ManifestError,
    build_id,
    check,
    dump,
    hash_name,
    is_base,
    is_path,
    name_of_digest,
    quote,
    reader,
)
from assetbuild.manifest.names import is_published, is_text, nearest_base
from assetbuild.manifest.shape import document_faults
from tests.manifests import DIGEST, HEX, INTEGRITY, Document, document, documents, file_entry

CSS = document({"css/a.css": {"file": "css/a-abcdefghij.css"}}, {"css/a-abcdefghij.css": file_entry()})


@functools.cache
def schema() -> Any:
    from jsonschema import Draft202012Validator

    text = (Path(__file__).parents[1] / "manifest.schema.json").read_text(encoding="utf-8")
    Draft202012Validator.check_schema(json.loads(text))
    return Draft202012Validator(json.loads(text))


def resigned(content: bytes) -> bytes:
    """Return the bytes with the id that they would have had if they had been written so."""
    at = content.index(b'"id":"sha256:') + 13
    zeroed = content[:at] + b"0" * 64 + content[at + 64 :]
    return zeroed[:at] + hashlib.sha256(zeroed).hexdigest().encode() + zeroed[at + 64 :]


def test_a_manifest_has_one_entry_per_line_and_no_other_white_space() -> None:
    made = document(
        {"b.css": {"file": "b-2.css", "refs": []}, "a.css": {"file": "a-1.css", "kind": "style", "refs": ["é.png"]}},
        {"a-1.css": file_entry(b"x", enc={"gzip": 2, "br": 1})},
        bundles={"all": {"assets": ["a.css", "b.css"], "extra": {}}},
    )

    content = dump(made).decode()

    build_id = json.loads(content)["build"]["id"]
    expected = (
        '{\n"assets":{\n'
        '"a.css":{"file":"a-1.css","kind":"style","refs":["é.png"]},\n'
        '"b.css":{"file":"b-2.css"}\n'
        '},\n"base":"/static/",\n'
        f'"build":{{"config":"{DIGEST}","id":"{build_id}","inputs":"{DIGEST}","salt":"",'
        '"tools":{"assetbuild":"0.1.0"}},\n'
        '"bundles":{\n"all":{"assets":["a.css","b.css"]}\n},\n'
        '"files":{\n"a-1.css":{"enc":{"br":1,"gzip":2},'
        f'"integrity":"{file_entry(b"x")["integrity"]}","sha256":"{hashlib.sha256(b"x").hexdigest()}",'
        '"size":1,"type":"text/css; charset=utf-8"}\n},\n'
        '"minReader":1,\n"version":1\n}\n'
    )
    assert expected == content


def test_an_empty_section_is_two_lines() -> None:
    assert b'{\n"assets":{\n},\n"base":' == dump(document())[:23]


def test_any_language_can_check_the_build_id_without_parsing() -> None:
    content = dump(CSS)

    at = content.index(b'"id":"sha256:') + len(b'"id":"sha256:')

    zeroed = content[:at] + b"0" * 64 + content[at + 64 :]
    assert hashlib.sha256(zeroed).hexdigest().encode() == content[at : at + 64]


@pytest.mark.many
@settings(max_examples=60, deadline=None)
@given(documents)
def test_what_is_dumped_is_whole_canonical_and_valid_by_the_schema(made: Document) -> None:
    content = dump(made)

    assert [] == check(content)
    assert [] == [error.message for error in schema().iter_errors(json.loads(content))]
    assert content == dump(json.loads(content))


@pytest.mark.many
@settings(max_examples=60, deadline=None)
@given(documents)
def test_every_name_is_found_and_reads_as_the_full_parse_says(made: Document) -> None:
    content = dump(made)

    manifest = Manifest(content)

    parsed = json.loads(content)
    assert list(parsed["assets"]) == list(manifest.assets())
    assert list(parsed["files"]) == list(manifest.files())
    for logical, entry in parsed["assets"].items():
        found = manifest.asset(logical)
        assert found is not None
        assert {k: v for k, v in entry.items() if not k.startswith("x-")} == plain(found)
    for path, entry in parsed["files"].items():
        read = manifest.published(path)
        assert read is not None
        assert {k: v for k, v in entry.items() if not k.startswith("x-")} == plain(read)
    assert parsed["base"] == manifest.base
    assert parsed["build"] == manifest.build
    assert set(parsed["bundles"]) == set(manifest.bundles)


def plain(entry: AssetEntry | FileEntry) -> Document:
    fields = entry._asdict()
    required = {"file", "type", "size", "sha256", "integrity"}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in fields.items() if v or k in required}


@pytest.mark.many
@settings(max_examples=60, deadline=None)
@given(documents, st.text(max_size=8) | st.sampled_from(["\ud800", "", "}", '"', "zzz", "files"]))
def test_a_name_that_is_not_there_is_none(made: Document, name: str) -> None:
    manifest = Manifest(dump(made))

    if name not in made["assets"]:
        assert manifest.asset(name) is None
    if name not in made["files"]:
        assert manifest.published(name) is None


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**53 + 1),
    st.text(max_size=3),
    st.sampled_from(
        [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            "../x",
            "a/../b",
            "a/.",
            "..",
            "a\\b",
            "c:/x",
            "a\n",
            "a\x7f",
            "//evil/x.js",
            "\x85",
            "text/css",
            "text",
            "text/css\r\n",
            "sha256:" + HEX,
            HEX,
            HEX.upper(),
            HEX + "\n",
            INTEGRITY,
            INTEGRITY + "=",
            "https://h/",
            "https://h",
            "//h/",
            "/a/../",
            "//../",
            "/static",
            "a\u2028b",
            "module",
            "é.css",
            "a b.css",
        ]
    ),
    st.lists(st.sampled_from(["a", "a", "../b", "", 1]), max_size=3),
    st.dictionaries(
        st.sampled_from(["br", "gzip", "zip", "a", "x-1", ""]), st.integers(-1, 3) | st.text(max_size=2), max_size=2
    ),
)


@st.composite
def broken(draw: st.DrawFn) -> Document:
    """A valid document with one value, field or name changed to something, which may still be valid."""
    made: Document = json.loads(dump(draw(documents)))
    made["assets"].setdefault("a.css", {"file": "a-1.css", "kind": "style", "width": 2, "at": "/a", "refs": ["b"]})
    made["files"].setdefault("a-1.css", file_entry(enc={"br": 2}))
    made["bundles"].setdefault("all", {"assets": ["a.css"], "extra": {"rel": "x"}})
    places = [(made, key) for key in made if key not in {"version", "minReader"}] + [*inner(made)]
    owner, key = draw(st.sampled_from(places))
    action = draw(st.sampled_from(["replace", "replace", "replace", "drop", "rename", "add"]))
    if action == "replace":
        owner[key] = draw(LEAVES)
    elif action == "drop":
        del owner[key]
    elif action == "rename":
        owner[draw(st.text(max_size=3) | st.sampled_from(["../x", "/x", "a:b", "x-y", "keep", "a\n"]))] = owner.pop(key)
    else:
        owner[draw(st.sampled_from(["x-a", "type", "mtime", "keep", "integrity"]))] = draw(LEAVES)
    return made


def inner(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        for item in value.values():
            if isinstance(item, dict):
                yield from ((item, inside) for inside in item)
                yield from inner(item)


@pytest.mark.many
@settings(max_examples=400, deadline=None)
@given(broken())
def test_the_schema_and_the_table_of_fields_agree_on_what_is_broken(made: Document) -> None:
    faults = list(document_faults(made, with_entries=True))

    assert [error.message for error in schema().iter_errors(made)] == [] or faults
    assert faults == [] or not schema().is_valid(made), faults


@pytest.fixture(scope="module")
def sample() -> bytes:
    names = [f"css/{number:03}.css" for number in range(30)]
    return dump(
        document(
            {name: {"file": name.replace(".css", "-abcdefghij.css"), "refs": ["img/é.png"]} for name in names},
            {name.replace(".css", "-abcdefghij.css"): file_entry(name.encode(), enc={"br": 3}) for name in names},
        )
    )


@pytest.mark.many
def test_ten_thousand_random_mutations_are_all_refused(sample: bytes) -> None:
    chance = random.Random(19)
    other = dump(document({"css/003.css": {"file": "css/x.css"}}, {"css/x.css": file_entry(b"x")}, base="/other/"))

    accepted = []
    for _ in range(10_000):
        mutated = mutation(chance, sample, other)
        try:
            Manifest(mutated, "out/manifest.json")
        except ManifestError as error:
            if not re.fullmatch(r"`out/manifest\.json` [^\n]+; [^\n]+", str(error)):
                accepted.append(mutated)
        else:
            accepted.append(mutated)

    assert [] == accepted


@pytest.mark.many
def test_every_mutation_is_a_fault_for_verify_too(sample: bytes) -> None:
    chance = random.Random(21)

    assert all(check(mutation(chance, sample, dump(CSS))) for _ in range(300))


@pytest.mark.many
def test_a_mutation_that_nothing_checks_gives_what_its_text_says_or_is_refused(sample: bytes) -> None:
    """Nothing vouches for the bytes: the reader still tells no lie about them."""
    chance = random.Random(20)
    names = [*Manifest(sample).assets(), "no"]

    for _ in range(1_000):
        mutated = mutation(chance, sample, dump(CSS))
        written = {line.partition(b":")[0]: line for line in mutated.split(b"\n")}
        try:
            assets = Assets(Manifest(mutated, verify=False))
        except ManifestError:
            continue
        for name in names:
            line = written.get(f'"{name}"'.encode(), b"")
            try:
                assert f'"file":"{assets[name].file}"'.encode() in line
            except AssetNotFound:
                assert line == b""
            except ManifestError:
                continue


BROKEN_LINES = {
    "a number": b"5",
    "brackets": b"[" * 100_000,
    "null": b'"css/015.css":null',
    "a list": b'"css/015.css":[]',
    "a name alone": b'"css/015.css"',
    "no UTF-8": b'"\xff":{}',
    "deep": b'"css/015.css":' + b"[" * 100_000,
    "no name": b"{}",
    "empty": b"",
}


@pytest.mark.parametrize("line", BROKEN_LINES.values(), ids=BROKEN_LINES)
def test_a_broken_line_is_met_as_a_fault_of_the_manifest(sample: bytes, line: bytes) -> None:
    whole = next(each for each in sample.split(b"\n") if each.startswith(b'"css/015.css":'))

    with pytest.raises(ManifestError, match="run `assetbuild compile` again"):
        read_everything(sample.replace(whole, line + b","))


def read_everything(content: bytes) -> None:
    manifest = Manifest(content, verify=False)
    for name in ("css/015.css", *manifest.assets()):
        manifest.asset(name)


def mutation(chance: random.Random, content: bytes, other: bytes) -> bytes:
    """Return `content` with a bit turned, a part cut, doubled or moved, or one in the place of which `other` stands."""
    while True:
        at, to = sorted(chance.randrange(len(content)) for _ in range(2))
        foreign = other[chance.randrange(len(other)) :][: to - at]
        half = (at + to) // 2
        mutated = chance.choice(
            [
                content[:at],
                content[:at] + content[to:],
                content[:at] + bytes([chance.randrange(256)]) + content[at:],
                content[:at] + content[at:to] * 2 + content[to:],
                content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :],
                content[:at] + content[half:to] + content[at:half] + content[to:],
                content[:at] + foreign + content[to:],
                content[:at] + other[-chance.randrange(1, len(other)) :],
                content.replace(b"css/0", chance.choice([b"css/1", b"../x/", b"//evil"]), chance.randrange(1, 9)),
            ]
        )
        if mutated not in (content, other):
            return mutated


NO_MANIFESTS = {
    "empty": b"",
    "a list": b"[]",
    "null": b"null",
    "an empty object": b"{}",
    "no UTF-8": b"\xff\xfe",
    "no number": b"NaN",
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "assets alone": b'{\n"assets":{\n},\n',
    "cut behind its begin": b'{\n"assets":{\n',
    "cut behind a section": b'{\n"assets":{\n},\n"x":{\n},\n',
    "wrong types": b'{"version":1,"minReader":1,"assets":[],"files":null,"bundles":3,"build":[],"base":"/"}',
    "too many digits": b"9" * 5_000,
}


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("content", NO_MANIFESTS.values(), ids=NO_MANIFESTS)
def test_what_is_no_manifest_is_refused_in_one_sentence(content: bytes, verify: bool) -> None:
    with pytest.raises(ManifestError, match=r"^`out/manifest\.json` [^\n]+; run `assetbuild compile` again"):
        Manifest(content, "out/manifest.json", verify=verify)


class Counting(bytes):
    """Bytes that count how often they are searched."""

    searches = 0

    def find(self, *arguments: Any) -> int:
        self.searches += 1
        return super().find(*arguments)

    def rfind(self, *arguments: Any) -> int:
        self.searches += 1
        return super().rfind(*arguments)


HAND_MADE: dict[str, Callable[[Document], object]] = {
    "step-up": lambda d: d["assets"]["css/a.css"].update(file="../x"),
    "other-host": lambda d: d["assets"]["css/a.css"].update(file="//evil/x.js"),
    "line-end-in-a-type": lambda d: d["files"]["css/a-abcdefghij.css"].update(type="text/css\r\nX: y"),
    "negative-size": lambda d: d["files"]["css/a-abcdefghij.css"].update(size=-1),
    "fraction": lambda d: d["files"]["css/a-abcdefghij.css"].update(size=1.0),
    "truth-as-size": lambda d: d["files"]["css/a-abcdefghij.css"].update(size=True),
    "unknown-field": lambda d: d["assets"]["css/a.css"].update(mtime=1),
}


@pytest.mark.parametrize("change", HAND_MADE.values(), ids=HAND_MADE)
def test_an_entry_with_a_false_value_is_refused_when_it_is_read(change: Callable[[Document], object]) -> None:
    """The digest is right: somebody else wrote the manifest."""
    made = json.loads(dump(CSS))
    change(made)
    assets, files = "".join(lines(made["assets"])), "".join(lines(made["files"]))
    middle = f'"base":"/static/",\n"build":{compact(made["build"])},\n"bundles":{{\n}},\n'
    text = f'{{\n"assets":{{\n{assets}}},\n{middle}"files":{{\n{files}}},\n"minReader":1,\n"version":1\n}}\n'
    content = resigned(text.encode())

    with pytest.raises(ManifestError, match=r"^`manifest\.json` [^\n]+; run `assetbuild compile` again"):
        open_and_read(content)

    assert check(content) != []


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def lines(entries: Document) -> list[str]:
    return [f'"{name}":{compact(entry)}\n' for name, entry in entries.items()]


def open_and_read(content: bytes) -> None:
    manifest = Manifest(content)
    manifest.asset("css/a.css")
    manifest.published("css/a-abcdefghij.css")


def test_the_fault_names_the_place_what_was_expected_and_what_was_found() -> None:
    made = copy.deepcopy(CSS)
    made["files"]["css/a-abcdefghij.css"]["size"] = "12"

    with pytest.raises(ManifestError) as caught:
        dump(made)

    assert (
        "the manifest cannot be written: it should hold a size in bytes at "
        '`files."css/a-abcdefghij.css".size`, and holds "12"' == str(caught.value)
    )


@pytest.mark.parametrize("field", ["base", "build", "assets", "bundles", "files"])
def test_a_document_that_lacks_a_field_is_not_written(field: str) -> None:
    with pytest.raises(ManifestError, match=f"the manifest cannot be written: it has no `{field}`"):
        dump({name: value for name, value in CSS.items() if name != field})
    with pytest.raises(ManifestError, match="the manifest cannot be written: it should hold"):
        dump({**CSS, field: 5})


def test_a_manifest_for_a_newer_reader_says_so() -> None:
    content = resigned(dump(CSS).replace(b'"minReader":1', b'"minReader":2').replace(b'"version":1', b'"version":2'))

    with pytest.raises(ManifestError) as caught:
        Manifest(content, "m.json")

    assert "`m.json` needs a reader of version 2, and this assetbuild reads 1: upgrade it where the site runs" == str(
        caught.value
    )


def test_a_manifest_for_a_newer_reader_has_that_fault_alone() -> None:
    content = resigned(dump(CSS).replace(b'"minReader":1', b'"minReader":2').replace(b'"version":1', b'"version":2'))
    formatted = json.dumps(json.loads(content), indent=1, sort_keys=True).encode()

    newer = "needs a reader of version 2, and this assetbuild reads 1: upgrade it where the site runs"
    assert [newer] == check(content)
    assert ["is not a manifest of assetbuild, or was cut: it has no build id"] == check(formatted)


def test_a_manifest_for_a_newer_reader_may_have_another_layout() -> None:
    newer = json.loads(dump(CSS)) | {"minReader": 2, "version": 2}
    content = resigned(compact(newer).encode())

    with pytest.raises(ManifestError, match="needs a reader of version 2, and this assetbuild reads 1"):
        Manifest(content)


def test_site_paths_are_found_by_one_search_and_by_a_full_parse_alike() -> None:
    assets: dict[str, Document] = {
        "a.css": {"file": "a.css", "x-a": {"at": "/no"}},
        'b"c.txt': {"file": "a.css", "at": '/b"c.txt'},
        "robots.txt": {"file": "a.css", "at": "/robots.txt"},
        "z.css": {"file": "a.css", "source": "at"},
    }
    content = dump(document(assets, {"a.css": file_entry()}))
    anew = json.dumps(json.loads(content), indent=1).encode()

    expected = {'/b"c.txt': 'b"c.txt', "/robots.txt": "robots.txt"}
    assert expected == Manifest(content).site_paths()
    assert expected == Manifest(anew, verify=False).site_paths()
    assert {} == Manifest(dump(CSS)).site_paths()


def test_a_bundle_that_says_what_an_asset_says_is_no_asset() -> None:
    extra = {"file": "a-1.css", "at": "/a.css"}
    made = document({"a.css": {"file": "a-1.css", "at": "/a.css"}}, {"a-1.css": file_entry()})
    made["bundles"] = {"a.css": {"assets": ["a.css"], "extra": extra}}

    manifest = Manifest(dump(made))

    assert ["a.css"] == [*manifest.names_of("a-1.css")]
    assert {"/a.css": "a.css"} == manifest.site_paths()


def test_the_names_of_a_published_path_are_found_by_one_search_and_by_a_full_parse_alike() -> None:
    path = "css/a-abcdefghij.css"
    made = document(
        {
            "css/a.css": {"file": path},
            "css/b.css": {"file": "css/b-abcdefghij.css", "x-before": {"file": path}},
            "css/ä.css": {"file": path, "refs": ["css/b.css"]},
        },
        {path: file_entry()},
    )
    lines, whole = Manifest(dump(made)), Manifest(json.dumps(json.loads(dump(made)), indent=1).encode(), verify=False)

    assert ["css/a.css", "css/ä.css"] == list(lines.names_of(path)) == list(whole.names_of(path))
    assert [] == list(lines.names_of("css/c.css")) == list(whole.names_of("css/c.css"))


def test_the_folder_is_where_the_file_lay_when_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/manifest.json").write_bytes(dump(CSS))
    (tmp_path / "current").symlink_to("one")
    monkeypatch.chdir(tmp_path)

    manifest = Manifest.open("current/manifest.json")
    monkeypatch.chdir("/")

    assert os.path.realpath(tmp_path / "one") == manifest.folder
    assert manifest.folder == pickle.loads(pickle.dumps(manifest)).folder
    assert "" == Manifest(dump(CSS)).folder


def test_a_name_costs_as_many_steps_as_its_section_can_be_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{number:05}.css" for number in range(10_000)]
    made = document({name: {"file": "a.css"} for name in names}, {"a.css": file_entry()})
    text = Counting(dump(made))
    manifest = Manifest(text)

    text.searches = 0
    for name in names[::100]:
        assert manifest.asset(name)

    assert text.searches / 100 < 3 * 15  # 14 halvings, each of at most three searches, and the end of the line


def test_a_newer_version_that_this_reader_can_read_is_read() -> None:
    content = resigned(dump(CSS).replace(b'"version":1', b'"version":2'))

    assert Manifest(content).asset("css/a.css") is not None


def test_two_entries_of_one_name_are_a_fault() -> None:
    content = dump(CSS)
    line = content.split(b"\n")[2]

    twice = resigned(content.replace(line, line + b",\n" + line))

    assert ["is not JSON as a manifest has it: a key stands twice in one object"] == check(twice)


def test_a_second_build_id_anywhere_is_refused() -> None:
    content = dump(CSS).replace(b'"version":1', b'"version":1,\n"x-a":{"id":"sha256:' + HEX.encode() + b'"}')

    assert ["holds more than one build id"] == check(content)
    with pytest.raises(ManifestError, match=r"^the manifest cannot be written: an `x-` field holds a second build id$"):
        dump({**CSS, "x-a": {"id": f"sha256:{HEX}"}})


def test_a_name_that_utf8_cannot_write_is_refused() -> None:
    with pytest.raises(ManifestError, match="logical path"):
        dump(document({"a\udcff.css": {"file": "a.css"}}))
    with pytest.raises(
        ManifestError, match=r"^the manifest cannot be written: a text in it is not Unicode that UTF-8 can hold$"
    ):
        dump({**CSS, "x-a": "\udcff"})
    escaped = resigned(dump(CSS).replace(b'"version":1', b'"version":1,\n"x-a":"\\udcff"'))
    assert ["is not in canonical form"] == check(escaped)


def test_a_manifest_that_was_laid_out_anew_is_read_only_where_something_else_vouches_for_it(tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(json.loads(dump(CSS)), indent=2), encoding="utf-8")

    manifest = Manifest.open(str(file), verify=False)

    entry = manifest.asset("css/a.css")
    assert entry is not None
    assert "css/a-abcdefghij.css" == entry.file
    assert manifest.asset("css/b.css") is None
    with pytest.raises(ManifestError):
        Manifest.open(str(file))


@pytest.mark.parametrize("indent", [None, 2], ids=["wider", "indented"])
def test_a_manifest_that_a_formatter_wrote_anew_is_told_from_one_that_was_cut(
    tmp_path: Path, sample: bytes, indent: int | None
) -> None:
    file = tmp_path / "manifest.json"
    formatted = json.dumps(json.loads(sample), indent=indent).encode()
    file.write_bytes(formatted)

    with pytest.raises(ManifestError) as caught:
        Manifest.open(str(file))

    hint = "copy it as `assetbuild compile` wrote it, or open it with `verify=False`"
    assert f"`{file}` was laid out anew after it was written, as by a formatter; {hint}" == str(caught.value)
    assert ["was laid out anew after it was written, as by a formatter"] == check(formatted)
    file.write_bytes(formatted.replace(b"/static/", b"/statik/"))
    with pytest.raises(ManifestError, match="it has no build id; run `assetbuild compile` again"):
        Manifest.open(str(file))


def test_a_manifest_in_lines_of_another_form_is_read_by_a_full_parse(sample: bytes) -> None:
    wider = Manifest(sample.replace(b'":{', b'": {'), verify=False)

    assert Manifest(sample).asset("css/017.css") == wider.asset("css/017.css")
    assert [*Manifest(sample).assets()] == [*wider.assets()]


def test_a_foreign_layout_with_a_true_digest_is_not_canonical() -> None:
    content = resigned(dump(CSS).replace(b'"version":1', b'"version": 1'))

    assert ["is not in canonical form"] == check(content)


def test_a_layout_without_lines_is_not_canonical_whatever_its_digest() -> None:
    content = resigned(json.dumps(json.loads(dump(CSS)), separators=(",", ":")).encode())

    with pytest.raises(ManifestError, match=r"^`manifest\.json` is not in canonical form; run `assetbuild"):
        Manifest(content)
    assert ["css/a.css"] == [*Manifest(content, verify=False).assets()]


def test_a_broken_manifest_says_why(sample: bytes) -> None:
    lines = sample.split(b"\n")
    readings: list[tuple[bytes, Callable[[Manifest], object]]] = [
        (sample.replace(b'"css/015.css":{', b'"css/015.css":' + b"[" * 100_000), lambda m: m.asset("css/015.css")),
        (b"\n".join([*lines[:2], lines[3], lines[2], *lines[4:]]), lambda m: [*m.assets()]),
        (sample.replace(b'"css/015.css":{', b'"css/015.css":5 {'), lambda m: m.asset("css/015.css")),
        (sample.replace(lines[17], b'"css/015.css":[],'), lambda m: m.asset("css/015.css")),
    ]

    said = []
    for text, read in readings:
        with pytest.raises(ManifestError) as caught:
            read(Manifest(text, verify=False))
        said.append(str(caught.value).partition(";")[0].rpartition(": ")[2])

    assert [
        "it is nested too deeply",
        "its names are not in order",
        "something follows its value",
        "an entry is no object",
    ] == said


def test_a_manifest_that_was_changed_says_so_and_where_it_is_wrong(sample: bytes) -> None:
    changed = sample.replace(b"/static/", b"/statik/")
    based = resigned(sample.replace(b"/static/", b"/static"))

    assert ["was changed or cut after it was written"] == check(changed)
    with pytest.raises(ManifestError) as caught:
        Manifest(based)
    assert (
        "`manifest.json` should hold a URL base that begins and ends with `/`, or `https://` and a host at `base`, "
        'and holds "/static"; run `assetbuild compile` again and copy its whole output' == str(caught.value)
    )


def test_a_text_whose_rest_is_no_json_is_not_in_lines(sample: bytes) -> None:
    with pytest.raises(ManifestError, match="is not JSON as a manifest has it"):
        Manifest(sample.replace(b'"base":"/static/"', b'"base":'), verify=False)


def test_bundles_and_the_import_map_are_read_whole() -> None:
    bundles = {"all": {"assets": ["a.css"], "extra": {"rel": "x", "n": 1}}, "few": {"assets": ["b.css", "a.css"]}}

    manifest = Manifest(dump(document(bundles=bundles, importmap={"lib": "js/lib.js"})))

    assert {"all": (("a.css",), {"n": 1, "rel": "x"}), "few": (("b.css", "a.css"), {})} == manifest.bundles
    assert {"lib": "js/lib.js"} == manifest.importmap
    assert ({}, {}) == (Manifest(dump(CSS)).bundles, Manifest(dump(CSS)).importmap)


def test_a_text_may_hold_all_but_control_characters_and_halves_of_pairs() -> None:
    assert all(map(is_text, ["a", " ", "é", "\xa0", "a\u2028b", "😀"]))
    assert not any(map(is_text, ["", "\n", "a\x1f", "\x7f", "\x80", "\x9f", "\ud800", "\udfff", 1, None]))


def test_a_name_that_stands_twice_is_a_fault(sample: bytes) -> None:
    lines = sample.split(b"\n")
    twice = Manifest(b"\n".join([*lines[:3], lines[2], *lines[3:]]), verify=False)

    with pytest.raises(ManifestError, match="its names are not in order"):
        [*twice.assets()]


@pytest.mark.parametrize("number", ["1.5", "1e3", "NaN", "-Infinity"])
def test_a_number_that_is_no_integer_is_no_json_of_ours(number: str) -> None:
    content = resigned(dump({**CSS, "x-a": "?"}).replace(b'"?"', number.encode()))

    assert [f"is not JSON as a manifest has it: `{number}` is not an integer"] == check(content)


def test_what_users_add_to_an_entry_is_not_for_the_application() -> None:
    asset, file = {"file": "a-1.css", "x-note": "ours"}, file_entry() | {"x-note": [1]}

    manifest = Manifest(dump(document({"a.css": asset}, {"a-1.css": file})))

    assert AssetEntry("a-1.css") == manifest.asset("a.css")
    entry = file_entry()
    assert FileEntry(entry["type"], 0, entry["sha256"], entry["integrity"], {}) == manifest.published("a-1.css")


def test_what_is_laid_out_anew_is_told_only_of_what_could_be_written() -> None:
    broken = resigned(dump(CSS).replace(b'"file":"css/a-abcdefghij.css"', b'"file":"../a"'))

    with pytest.raises(ManifestError, match="it has no build id"):
        Manifest(json.dumps(json.loads(broken), indent=1).encode())


def test_files_of_a_manifest_without_lines_are_found() -> None:
    content = dump(CSS)
    anew = Manifest(json.dumps(json.loads(content), indent=1).encode(), verify=False)

    assert [*Manifest(content).files()] == [*anew.files()] != []
    assert [Manifest(content).published(path) for path in anew.files()] == [
        anew.published(path) for path in anew.files()
    ]


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}], ids=["lists", "objects"])
def test_what_users_add_is_nested_as_deep_as_any_reader_reads(wrap: Callable[[Any], Any]) -> None:
    deep: Any = 1
    for _ in range(32):
        deep = wrap(deep)

    assert [] == check(dump({**CSS, "x-a": deep}))
    with pytest.raises(ManifestError, match="should hold JSON without fractions at `x-a`"):
        dump({**CSS, "x-a": wrap(deep)})


def test_half_a_surrogate_pair_names_nothing() -> None:
    manifest = Manifest(dump(CSS))

    assert (None, None) == (manifest.asset("\ud800"), manifest.published("\ud800"))
    assert [] == [*manifest.names_of("\ud800")]


def test_what_is_no_object_has_no_other_fault() -> None:
    assert ["is not a JSON object"] == [*document_faults([], with_entries=True)]


def test_an_entry_in_the_wrong_place_is_not_found_by_what_it_holds() -> None:
    assets = {name: {"file": "a.css", "at": f"/{name}"} for name in ("a", "b", "c")}
    content = dump(document(assets, {"a.css": file_entry()}))
    first, second, third = content.split(b"\n")[2:5]

    moved = content.replace(b"\n".join([first, second, third]), b"\n".join([second, third + b",", first[:-1]]))

    assert {"/b": "b", "/c": "c"} == Manifest(moved, verify=False).site_paths()


def test_the_id_of_a_manifest_is_read_without_parsing_it() -> None:
    assert Manifest(dump(CSS)).build_id == build_id(dump(CSS))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"x-a": [1.5]}, "should hold JSON without fractions at `x-a`, and holds [1.5]"),
        ({"x-a": {"b": float("nan")}}, 'should hold JSON without fractions at `x-a`, and holds {"b": NaN}'),
        ({"mtime": 1}, "has a field of no meaning, `mtime`"),
        ({1: 1}, "has a field of no meaning, `1`"),
        ({"assets": {"../a": {"file": "a"}}}, 'should hold a logical path at `assets`, and holds "../a"'),
        ({"assets": {"a": 5}}, 'should hold an object at `assets."a"`, and holds 5'),
        (
            {"assets": {"a": {"file": "a", "y": 1}}},
            'has a field of no meaning, `assets."a".y`',
        ),
        (
            {"assets": {"a": {"file": "a", "x-y": 1.5}}},
            'should hold JSON without fractions at `assets."a".x-y`, and holds 1.5',
        ),
        ({"assets": {"a": {}}}, 'has no `file` in `assets."a"`'),
        ({"bundles": {"": {"assets": ["a"]}}}, 'should hold a name at `bundles`, and holds ""'),
    ],
    ids=["fraction", "no number", "meaning", "key", "path", "entry", "inner", "inner fraction", "field", "name"],
)
def test_what_is_not_written_is_named_with_its_place(change: dict[Any, Any], fault: str) -> None:
    with pytest.raises(ManifestError) as caught:
        dump({**CSS, **change})

    assert f"the manifest cannot be written: it {fault}" == str(caught.value)


def test_a_mapped_manifest_reads_like_one_in_memory(
    tmp_path: Path, sample: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.json").write_bytes(sample)
    monkeypatch.setattr(reader, "_MAP_ABOVE_BYTES", 100)

    mapped = Manifest.open(str(tmp_path / "m.json"))

    memory = Manifest(sample)
    assert "mmap" == type(mapped._text).__name__
    assert [*memory.assets()] == [*mapped.assets()]
    assert [memory.asset(n) for n in memory.assets()] == [mapped.asset(n) for n in mapped.assets()]
    assert memory.build_id == pickle.loads(pickle.dumps(mapped)).build_id


def test_a_pickle_keeps_the_build_that_was_opened(tmp_path: Path, sample: bytes) -> None:
    file = tmp_path / "m.json"
    file.write_bytes(sample)
    manifest = Manifest.open(str(file))

    pickled = pickle.dumps(manifest)
    file.write_bytes(dump(CSS))

    thawed = pickle.loads(pickled)
    assert manifest.build_id == thawed.build_id
    assert manifest.asset("css/007.css") == thawed.asset("css/007.css")
    assert (str(file), str(tmp_path)) == (thawed.file, thawed.folder)


def test_a_pickle_is_not_asked_again_for_what_was_vouched_for() -> None:
    anew = json.dumps(json.loads(dump(CSS)), indent=1).encode()

    thawed = pickle.loads(pickle.dumps(Manifest(anew, verify=False)))

    assert ["css/a.css"] == [*thawed.assets()]


def test_threads_and_forked_processes_read_the_same(
    sample: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.json").write_bytes(sample)
    monkeypatch.setattr(reader, "_MAP_ABOVE_BYTES", 100)
    manifest = Manifest.open(str(tmp_path / "m.json"))
    names = [*manifest.assets()] * 5
    expected = [manifest.asset(name) for name in names]

    with ThreadPoolExecutor(4) as threads:
        assert expected == list(threads.map(manifest.asset, names))

    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=lambda: theirs.send([manifest.asset(name) for name in names]))
    child.start()
    assert expected == ours.recv()
    child.join()


def test_a_missing_manifest_says_what_to_do(tmp_path: Path) -> None:
    file = str(tmp_path / "manifest.json")

    with pytest.raises(ManifestError) as caught:
        Manifest.open(file)

    assert (
        f"`{file}` is not there; run `assetbuild compile` in the build stage and copy its output, "
        "or name it in ASSETBUILD_MANIFEST" == str(caught.value)
    )


def test_a_relative_manifest_that_is_missing_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ManifestError) as caught:
        Manifest.open("out/manifest.json")

    assert (
        f"`{tmp_path}/out/manifest.json` is not there (`out/manifest.json` in the working directory); "
        "run `assetbuild compile` in the build stage and copy its output, or name it in ASSETBUILD_MANIFEST"
        == str(caught.value)
    )


def test_a_relative_manifest_in_a_working_directory_that_is_gone_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    with pytest.raises(ManifestError, match=r"^`manifest\.json` is not there; run `assetbuild compile`"):
        Manifest.open("manifest.json")


def test_a_fifo_in_the_place_of_a_manifest_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "manifest.json")

    file = str(tmp_path / "manifest.json")
    with pytest.raises(ManifestError) as caught:
        Manifest.open(file)
    hint = "make it a regular file that this process may read"
    assert f"`{file}` cannot be read (not a regular file); {hint}" == str(caught.value)


def test_a_folder_in_the_place_of_a_manifest_is_refused(tmp_path: Path) -> None:
    for folder in (str(tmp_path), f"{tmp_path}/"):
        with pytest.raises(ManifestError) as caught:
            Manifest.open(folder)

        assert f"`{folder}` is a folder; name `{tmp_path}/manifest.json`" == str(caught.value)


@given(st.text(st.characters(codec="utf-8"), max_size=4), st.binary(max_size=40), st.binary(max_size=9))
def test_a_hash_name_is_the_first_ten_characters_of_base32(salt: str, head: bytes, tail: bytes) -> None:
    expected = base64.b32encode(hashlib.sha256(salt.encode() + head + tail).digest()).decode().lower()[:10]

    assert expected == hash_name(salt, head, tail)
    assert expected == name_of_digest(hashlib.sha256(salt.encode() + head + tail).digest())


@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_a_quoted_path_means_the_same_path(path: str) -> None:
    from urllib.parse import unquote

    quoted = quote(path)

    assert path == unquote(quoted)
    assert quoted.isascii()
    assert not set("\"'<>&()?#\\ `") & set(quoted)


def test_a_scope_in_a_folder_stays_readable_in_a_url() -> None:
    assert "fa/@fortawesome/a%20b-%C3%A9.css" == quote("fa/@fortawesome/a b-é.css")


@pytest.mark.parametrize(
    "path", ["a", "css/a.css", "é/ü.png", "a b", "a'b\"c", "...", ".hidden", "a..b", "-a", "%2e", "a?b#c"]
)
def test_a_path_may_hold_whatever_a_file_name_may(path: str) -> None:
    assert is_path(path)


@pytest.mark.parametrize(
    "path", ["", "/a", "a/", "a//b", ".", "..", "a/..", "./a", "a\\b", "c:a", "a\0", "a\n", "\x80", "\udc80", 1]
)
def test_a_path_that_leads_elsewhere_is_no_path(path: object) -> None:
    assert not is_path(path)


def test_a_published_path_needs_no_escape() -> None:
    assert is_published("css/app-k3v7xam2qd.css")
    assert not any(map(is_published, ["a b", "é", "a'b", "a@b", "", "../a"]))


@pytest.mark.parametrize(
    "base",
    ["/", "/static/", "/a/b-c/", "//cdn.example/", "https://cdn.example/a/", pytest.param("http://[::1]:80/", id="v6")],
)
def test_a_base_begins_at_a_host_or_at_the_root_and_ends_with_a_slash(base: str) -> None:
    assert is_base(base)


@pytest.mark.parametrize(
    "base",
    [
        "",
        "static/",
        "/static",
        "https:/x/",
        "https://",
        "///",
        "//",
        "/a//b/",
        "/a/../",
        "/a/./",
        "//h//a/",
        "javascript:/",
        "/a b/",
        '/"/',
        "/a?b/",
        "/é/",
        "ftp://h/",
        None,
        "/\n/",
    ],
)
def test_anything_else_is_no_base(base: object) -> None:
    assert not is_base(base)


@given(st.text("/.:a", max_size=6) | st.sampled_from(["https://h", "//h", "http://h/a"]))
def test_what_was_meant_by_a_wrong_base_is_a_base(text: str) -> None:
    near = nearest_base(text)

    assert near == "" or is_base(near)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("static", "/static/"),
        ("static/", "/static/"),
        ("/static", "/static/"),
        ("a/b.c", "/a/b.c/"),
        ("b.c/a", ""),
        ("//h", "//h/"),
        ("https://h/a", "https://h/a/"),
        ("a b", ""),
        ("", ""),
    ],
)
def test_a_base_is_meant_by_what_lacks_slashes(text: str, meant: str) -> None:
    assert meant == nearest_base(text)


def test_a_base_is_meant_only_if_it_fits() -> None:
    assert "https:a" == nearest_base("a", lambda base: base.startswith("https:"))


def test_sixty_four_zeros_elsewhere_are_not_taken_for_the_build_id() -> None:
    made = document({"a.js": {"file": "a.js", "cycle": "0" * 64}}, {"a.js": file_entry()})

    assert [] == check(dump(made))


def test_the_check_in_the_reference_needs_no_assetbuild(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs/reference/manifest.md").read_text(encoding="utf-8")
    code = page.split("```python\n")[1].split("```")[0]
    run = [sys.executable, "-I", "-c", code]

    (tmp_path / "manifest.json").write_bytes(dump(CSS))
    assert 0 == subprocess.run(run, cwd=tmp_path, check=False).returncode

    (tmp_path / "manifest.json").write_bytes(dump(CSS).replace(b"/static/", b"/public/"))
    assert 1 == subprocess.run(run, cwd=tmp_path, check=False, stderr=subprocess.DEVNULL).returncode
