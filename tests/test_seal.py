"""Seal: names from final bytes; an edit renames what depends on it and nothing else."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.model import Asset, Draft, Piece, Ref, Stable
from assetbuild.compiler.seal import published, seal
from assetbuild.manifest.names import hash_name


def drafts_of(files: Mapping[str, tuple[Piece, ...]]) -> list[Draft]:
    return [Draft(logical, "text/css", body) for logical, body in files.items()]


def sealed(files: Mapping[str, tuple[Piece, ...]], salt: str = "") -> dict[str, Asset]:
    assets = seal(drafts_of(files), names="{stem}-{hash}{ext}", salt=salt, base="/static/")
    return {asset.logical: asset for asset in assets}


def test_an_asset_is_named_by_its_final_bytes() -> None:
    files: dict[str, tuple[Piece, ...]] = {
        "css/a.css": (b"a{b:url(", Ref("img/x.png"), b")}"),
        "img/x.png": (b"picture",),
    }

    assets = sealed(files)

    picture = f"img/x-{hash_name('', b'picture')}.png"
    assert f"a{{b:url(../{picture})}}".encode() == assets["css/a.css"].body
    assert isinstance(assets["css/a.css"].body, bytes)
    assert f"css/a-{hash_name('', assets['css/a.css'].body)}.css" == assets["css/a.css"].path
    assert ("img/x.png",) == assets["css/a.css"].refs


def test_editing_a_font_renames_the_css_that_uses_it() -> None:
    files: dict[str, tuple[Piece, ...]] = {"a.css": (Ref("f.woff2"),), "b.css": (b"b",), "f.woff2": (b"one",)}

    before, after = sealed(files), sealed(files | {"f.woff2": (b"two",)})

    assert before["a.css"].path != after["a.css"].path
    assert before["b.css"].path == after["b.css"].path


def test_a_module_reference_begins_with_a_dot() -> None:
    assets = sealed({"js/a.js": (Ref("js/b.js", "module"), Ref("c.js", "module")), "js/b.js": (), "c.js": ()})

    assert f"./{assets['js/b.js'].path[3:]}../{assets['c.js'].path}".encode() == assets["js/a.js"].body


def test_a_rooted_reference_begins_with_the_base() -> None:
    assets = sealed({"p/a.html": (Ref("p/b.png", "rooted"),), "p/b.png": ()})

    assert f"/static/{assets['p/b.png'].path}".encode() == assets["p/a.html"].body


def test_members_of_a_cycle_are_named_by_the_component_and_their_logical_path() -> None:
    assets = sealed({"a.js": (b"1", Ref("b.js", "module")), "b.js": (b"2", Ref("a.js", "module"))})

    component = assets["a.js"].cycle_hex
    assert 64 == len(component)
    assert component == assets["b.js"].cycle_hex
    assert f"a-{hash_name('', bytes.fromhex(component), b'a.js')}.js" == assets["a.js"].path
    assert f"1./{assets['b.js'].path}".encode() == assets["a.js"].body


def test_another_base_renames_a_cycle_that_is_written_with_it() -> None:
    files: dict[str, tuple[Piece, ...]] = {"a.html": (Ref("b.js", "rooted"),), "b.js": (b"2", Ref("a.html", "module"))}

    one, other = (
        {asset.path: asset.body for asset in seal(drafts_of(files), names="{stem}-{hash}{ext}", salt="", base=base)}
        for base in ("/static/", "/s/")
    )

    assert set() == one.keys() & other.keys()


def test_a_file_of_a_cycle_that_answers_elsewhere_is_renamed() -> None:
    """Then it is written with the base, in the place of the way between folders."""
    files: dict[str, tuple[Piece, ...]] = {"p/a.js": (Ref("b.js", "module"),), "b.js": (b"2", Ref("p/a.js", "module"))}
    drafts = drafts_of(files)
    kept = [draft._replace(stable=Stable(at="/a.js") if draft.logical == "p/a.js" else None) for draft in drafts]

    one, other = (
        {asset.path: asset.body for asset in seal(each, names="{stem}-{hash}{ext}", salt="", base="/static/")}
        for each in (drafts, kept)
    )

    assert set() == one.keys() & other.keys()


def test_a_file_that_names_itself_is_a_cycle_of_one() -> None:
    asset = sealed({"a.css": (b"x", Ref("a.css"))})["a.css"]

    assert f"x{asset.path}".encode() == asset.body
    assert asset.cycle_hex


def test_salt_rotates_every_name() -> None:
    files: dict[str, tuple[Piece, ...]] = {"a.css": (b"x", Ref("b.css")), "b.css": (b"y",), "c.js": (Ref("c.js"),)}

    assert not {a.path for a in sealed(files).values()} & {a.path for a in sealed(files, salt="2").values()}


def test_a_site_root_file_refers_by_the_base_because_it_is_served_from_another_folder() -> None:
    worker = Draft("sw.js", "text/javascript", (b"'", Ref("css/a.css"), b"'"), stable=Stable(at="/sw.js"))
    style = Draft("css/a.css", "text/css", (b"x",))

    assets = seal([worker, style], names="{stem}-{hash}{ext}", salt="", base="/static/")

    assert f"'/static/{assets[0].path}'".encode() == assets[1].body


def test_a_file_that_keeps_its_name_in_a_folder_that_cannot_refers_by_the_base() -> None:
    """It answers in both folders, `c++/` and `c-/`; its neighbour in one of them only."""
    kept = Draft("c++/a.css", "text/css", (Ref("c++/b.png"),), stable=Stable())
    other = Draft("c/a.css", "text/css", (Ref("c/b.png"),), stable=Stable())
    drafts = [kept, other, Draft("c++/b.png", "image/png", (b"1",)), Draft("c/b.png", "image/png", (b"2",))]

    assets = {a.logical: a for a in seal(drafts, names="{stem}-{hash}{ext}", salt="", base="/static/")}

    assert f"/static/{assets['c++/b.png'].path}".encode() == assets["c++/a.css"].body
    assert assets["c/b.png"].path.removeprefix("c/").encode() == assets["c/a.css"].body


def test_two_drafts_with_one_logical_path_are_an_error_that_names_both() -> None:
    with pytest.raises(CompileFailed, match=r"two sources make `a\.css`"):
        seal(
            drafts_of({"a.css": (b"1",)}) + drafts_of({"a.css": (b"2",)}), names="{stem}-{hash}{ext}", salt="", base="/"
        )


@pytest.mark.parametrize(
    ("logical", "path"),
    [
        ("img/my photo (1).png", "img/my-photo-1-HASH.png"),
        ("img/Größe.svg", "img/Gr-e-HASH.svg"),
        ("日本/語.css", "asset/asset-HASH.css"),
        (".well-known/x", "well-known/x-HASH"),
        ("-rf.js", "rf-HASH.js"),
        ("a#b?c%d.js", "a-b-c-d-HASH.js"),
        ("x" * 240 + ".css", "x" * 100 + "-HASH.css"),
        ("app.min.js", "app.min-HASH.js"),
        (".htaccess", "htaccess-HASH"),
    ],
)
def test_a_published_name_is_plain_ascii(logical: str, path: str) -> None:
    assert path == published(logical, "HASH", "{stem}-{hash}{ext}")


@given(st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_no_name_escapes_the_published_alphabet(name: str) -> None:
    path = published(f"css/{name.replace('/', '')}" if name.strip("/") else "css/x", "abcdefghij", "{stem}-{hash}{ext}")

    assert re.fullmatch(r"css/[A-Za-z0-9_][A-Za-z0-9._-]*", path)


def random_graph(rng: random.Random, count: int) -> dict[str, tuple[Piece, ...]]:
    logicals = [f"{rng.choice('abc')}/{n}.css" for n in range(count)]
    return {
        logical: tuple(
            piece
            for target in rng.sample(logicals, rng.randint(0, 3))
            for piece in (f"/*{logical}{rng.random()}*/".encode(), Ref(target))
        )
        or (logical.encode(),)
        for logical in logicals
    }


def dependents(files: Mapping[str, tuple[Piece, ...]], edited: str) -> set[str]:
    """Return the edited file and everything that reaches it; a cycle that holds it is among them."""
    seen = {edited}
    while True:
        more = {
            a
            for a, body in files.items()
            if a not in seen and any(isinstance(p, Ref) and p.target in seen for p in body)
        }
        if not more:
            return seen
        seen |= more


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_in_300_random_cyclic_graphs_an_edit_renames_only_what_depends_on_it(seed: int) -> None:
    rng = random.Random(seed)
    files = random_graph(rng, 40)
    before = sealed(files)
    shuffled = list(files)
    rng.shuffle(shuffled)

    assert before == sealed({logical: files[logical] for logical in shuffled})
    assert len(files) == len({asset.path for asset in before.values()})
    for asset in before.values():
        assert isinstance(asset.body, bytes)
        assert hashlib.sha256(asset.body).hexdigest() == asset.sha256_hex
        if not asset.cycle_hex:
            assert hash_name("", asset.body) in asset.path

    edited = rng.choice(shuffled)
    after = sealed(files | {edited: (*files[edited], b"edited")})

    assert dependents(files, edited) == {name for name in files if before[name].path != after[name].path}
