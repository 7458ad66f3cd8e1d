"""Web app manifests: icons, screenshots and shortcuts' icons are rewritten; all other text stays as it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler import Outcome
from assetbuild.compiler.door import NESTING_LIMIT
from assetbuild.compiler.engines import webmanifest
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.model import Blob, Job, Result
from assetbuild.compiler.refs.webmanifest import NotJson, references
from tests.conftest import Tree
from tests.script_shop import Files, Yard, draft_of, rules, written

Build = Callable[..., Result]
NAME = "app/site.webmanifest"
BAD_STRING = "string is never closed, or holds an escape or a control character that JSON has not"


@pytest.fixture
def build(tree: Tree) -> Build:
    def run(text: str, files: Files, **options: object) -> Result:
        everything = {NAME: text, **files}
        yard = Yard(tree({f"assets/{path}": content for path, content in everything.items()}), **options)  # type: ignore[arg-type]
        return webmanifest.build(Job("webmanifest", (NAME,), (yard.sources[NAME],), {}), yard.reading(), yard.shop)

    return run


def values(text: str) -> list[str]:
    return [ref.value for ref in references(text)]


def test_icons_become_refs_and_the_rest_stays_as_it_is(build: Build) -> None:
    text = """{ "name": "icons", "icons": [ {"src" : "a.png", "sizes": "a.png"},
\t{"src":"..\\/b\\u002epng?v\\u003d1"} ],\r
  "screenshots": [{"src": "https://e.org/a.png"}, {"src": "a.png#x", "label": "é"}],
  "shortcuts": [{"url": "a.png", "icons": [{"src": "%61.png"}]}],
  "file_handlers": [{"action": "a.png", "icons": [{"src": "./a.png"}]}],
  "start_url": "a.png", "scope": "./", "id": "a.png", "src": "a.png", "related_applications": [{"url": "a.png"}] }
"""

    result = build(text, {"app/a.png": b"a", "b.png": b"b"})

    expected = text
    for old, new in [
        ('{"src" : "a.png"', '{"src" : "<app/a.png>"'),
        ("..\\/b\\u002epng?", "<b.png>?"),
        ('"a.png#x"', '"<app/a.png>#x"'),
        ("%61.png", "<app/a.png>"),
        ("./a.png", "<app/a.png>"),
    ]:
        expected = expected.replace(old, new)
    assert expected == written(result)
    assert () == result.diagnostics
    assert "application/manifest+json" == draft_of(result).media_type


@pytest.mark.parametrize(
    "text", ["{}", '\ufeff{"icons":[]}\r\n', "[]", '"icons"', '{"icons":{"src":"x"}}', '{"icons":[{"src":""}]}']
)
def test_a_manifest_without_icons_stays_on_the_disk_to_the_byte(build: Build, text: str) -> None:
    result = build(text, {"app/x": ""} if "x" in text and '{"src":"x"}' not in text else {}, missing_allow=("x",))

    body = draft_of(result).body
    assert isinstance(body, Blob)
    assert text.encode() == Path(body.file).read_bytes()


def test_of_two_members_with_one_name_the_last_counts(build: Build) -> None:
    result = build(
        '{"icons":[{"src":"none.png"}],"\\u0069cons":[{"src":"none.png","src":"a.png"}]}', {"app/a.png": b""}
    )

    assert '{"icons":[{"src":"none.png"}],"\\u0069cons":[{"src":"none.png","src":"<app/a.png>"}]}' == written(result)
    assert () == result.diagnostics


def test_a_missing_icon_names_its_place_and_the_nearest_file(build: Build) -> None:
    result = build('{"icons": [\n  {"src": "icon-129.png"}\n]}', {"app/icon-192.png": b""})

    (found,) = result.diagnostics
    assert ("missing-reference", "error", "did you mean `icon-192.png`?") == (found.rule, found.severity, found.hint)
    assert found.span is not None
    assert ("assets/app/site.webmanifest", 2, 12, 12) == found.span[:4]
    assert [("missing-reference", "warning")] == rules(build('{"icons":[{"src":"none.png"}]}', {}, vendored=(NAME,)))


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", (1, 1), "expected a value, found the end of the file"),
        ('{"icons": [],}', (1, 14), "expected a name in double quotes, found `}`"),
        ('{"icons": [{"src": "a.png"},]}', (1, 29), "expected a value, found `]`"),
        ('{"a": 1\n "b": 2}', (2, 2), 'expected `,` or `}`, found `"`'),
        ('{"a": [1 2]}', (1, 10), "expected `,` or `]`, found `2`"),
        ('{"a" 1}', (1, 6), "expected `:`, found `1`"),
        ("{'a': 1}", (1, 2), "expected a name in double quotes, found `'`"),
        ("{true: 1}", (1, 2), "expected a name in double quotes, found `t`"),
        ('{"a": 01}', (1, 8), "expected `,` or `}`, found `1`"),
        ('{"a": NaN}', (1, 7), "expected a value, found `N`"),
        ('{"a": "\\x"}', (1, 7), BAD_STRING),
        ('{"a": "b', (1, 7), BAD_STRING),
        ('{"a\nb": 1}', (1, 2), BAD_STRING),
        ("{} // end", (1, 4), "expected the end of the file, found `/`"),
        ("[" * (NESTING_LIMIT + 2), (1, NESTING_LIMIT + 2), f"brackets nest deeper than {NESTING_LIMIT}"),
    ],
)
def test_what_is_no_json_is_an_error_with_its_place(
    build: Build, text: str, place: tuple[int, int], message: str
) -> None:
    with pytest.raises(CompileFailed) as caught:
        build(text, {})

    (found,) = caught.value.diagnostics
    assert found.span is not None
    assert ("invalid-json", "error", message, place) == (found.rule, found.severity, found.message, found.span[1:3])


def test_a_comma_too_many_is_named(build: Build) -> None:
    for text in ('{"icons": [],}', '{"icons": [ {} ,\n ]}'):
        with pytest.raises(CompileFailed) as caught:
            build(text, {})

        assert "remove the comma before it" == caught.value.diagnostics[0].hint


def test_half_a_surrogate_pair_is_no_more_than_a_name_that_does_not_exist(build: Build) -> None:
    assert ["\ufffd.png", "\U0001f600.png"] == values('{"icons":[{"src":"\\ud83d.png"},{"src":"\\uD83D\\uDE00.png"}]}')
    assert [("missing-reference", "error")] == rules(build('{"icons":[{"src":"\\ud83d.png"}]}', {}))


names = st.sampled_from(["icons", "screenshots", "shortcuts", "src", "a"])
json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=20,
)
manifests = st.dictionaries(names, json_values, max_size=4)


def listed(manifest: Any, *path: str) -> list[str]:
    """Return what stands at `path`, as a browser that has parsed the manifest sees it."""
    if isinstance(manifest, list):
        return [found for item in manifest for found in listed(item, *path)]
    if not path:
        return [manifest] if isinstance(manifest, str) else []
    return listed(manifest.get(path[0]), *path[1:]) if isinstance(manifest, dict) else []


@given(manifest=manifests, is_ascii=st.booleans(), indent=st.none() | st.integers(0, 2))
def test_what_is_found_is_what_a_parser_sees(manifest: dict[str, Any], is_ascii: bool, indent: int | None) -> None:
    text = json.dumps(manifest, ensure_ascii=is_ascii, indent=indent)

    expected = listed(manifest, "icons", "src") + listed(manifest, "screenshots", "src")
    expected += listed(manifest, "shortcuts", "icons", "src")
    assert sorted(filter(None, (each.strip(" \t\n\r\f") for each in expected))) == sorted(values(text))


@given(text=st.text(alphabet='{}[]",:\\ u0dasrcin1e-+.\n', max_size=30))
def test_the_reader_accepts_what_the_standard_library_accepts(text: str) -> None:
    def constant(name: str) -> None:
        raise ValueError(name)

    try:
        json.loads(text, parse_constant=constant)
    except ValueError:
        with pytest.raises(NotJson):
            references(text)
    else:
        references(text)


def test_a_manifest_that_is_served_from_the_root_names_its_icons_from_there(
    compiled: Callable[..., Outcome], tree: Tree
) -> None:
    text = '{"icons":[{"src":"icons/a.png"}]}'
    project = tree({"assets/site.webmanifest": text, "assets/icons/a.png": b"a"})

    def made(setting: str) -> tuple[bytes, str]:
        (project / "assetbuild.toml").write_text(setting)
        assets = {asset.logical: asset for asset in compiled(project).assets}
        body = assets["site.webmanifest"].body
        assert isinstance(body, bytes)
        return body, assets["icons/a.png"].path

    beside, picture = made('keep_names = ["*.webmanifest"]\n')
    assert text.replace("icons/a.png", picture).encode() == beside
    rooted, picture = made('site_root = ["site.webmanifest"]\n')
    assert text.replace("icons/a.png", f"/static/{picture}").encode() == rooted
