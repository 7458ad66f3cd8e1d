"""Seal: every name is that of its bytes, every reference leads to its file, and no order of arrival matters."""

from __future__ import annotations

import posixpath
from urllib.parse import urljoin

from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.model import Asset, Blob, Draft, Piece, Ref, RefStyle, Stable
from assetbuild.compiler.seal import seal
from assetbuild.manifest import hash_name, quote
from assetbuild.manifest.names import is_published
from tests.fuzz.grain import Grain

__all__ = ["graphs"]

_NAMES = [
    *(
        "a.css",
        "b.js",
        "css/a.css",
        "css/sub/a.css",
        "js/b.js",
        "B.js",
        "é.css",
        "e.css",
        "-.css",
        "a b.css",
        "a-b.css",
    ),
    *(
        "a.css/x",
        "manifest.json/x",
        ".hidden",
        "x",
        "x" * 120 + ".css",
        "a.css.gz",
        "c++/d.js",
        "c++/e.css",
        "css./a.css",
    ),
]
_STYLES: list[RefStyle] = ["url", "module", "rooted"]
_BYTES = [b"", b"1", b"url(", b")", b"\xff\0", "é".encode()]
_FORM = "{stem}-{hash}{ext}"


def graphs(content: bytes) -> None:
    """Seal a graph of files, twice in another order, and once with one file edited."""
    grain = Grain(content)
    salt = grain.pick(["", "salt", "é"])
    names = list(dict.fromkeys(grain.pick(_NAMES) for _ in range(1 + grain.below(8))))
    drafts = [_draft(name, names, grain) for name in names]
    rules = set()
    try:
        assets = seal(drafts, names=_FORM, salt=salt, base="/static/")
    except CompileFailed as failed:
        rules = {found.rule for found in failed.diagnostics}
    if rules:
        assert rules == {"name-clash"}
        return
    assert assets == seal(drafts[::-1], names=_FORM, salt=salt, base="/static/")
    by_logical = {asset.logical: asset for asset in assets}
    assert sorted(names) == [asset.logical for asset in assets]
    for draft in drafts:
        _judge(draft, by_logical, salt)
    places = [asset.path for asset in assets] + [asset.logical for asset in assets if asset.stable]
    for place in places:
        assert not any(f"{place}/".startswith(f"{asset.path}/") for asset in assets if asset.path != place)
    edited = grain.pick(names)
    again = seal([_edited(d) if d.logical == edited else d for d in drafts], names=_FORM, salt=salt, base="/static/")
    renamed = {one.logical for one, other in zip(assets, again, strict=True) if one.path != other.path}
    assert renamed == _dependents(edited, drafts), edited


def _draft(name: str, names: list[str], grain: Grain) -> Draft:
    pieces: list[Piece] = [name.encode()]
    for _ in range(grain.below(5)):
        pieces += [grain.pick(_BYTES), Ref(grain.pick(names), grain.pick(_STYLES))]
    stable = grain.pick([None, None, None, Stable(), Stable(at="/at/" + name)])
    return Draft(name, "text/css", tuple(pieces), stable=stable)


def _judge(draft: Draft, assets: dict[str, Asset], salt: str) -> None:
    asset = assets[draft.logical]
    body = asset.body
    assert isinstance(body, bytes)
    assert not isinstance(draft.body, Blob)
    parts = (bytes.fromhex(asset.cycle_hex), asset.logical.encode()) if asset.cycle_hex else (body,)
    name = posixpath.basename(asset.path)
    assert is_published(asset.path)
    assert hash_name(salt, *parts) in name
    assert draft.logical.count("/") == asset.path.count("/")
    at = 0
    served = [f"/static/{asset.path}"]
    if draft.stable:
        served = [draft.stable.at] if draft.stable.at else [*served, f"/static/{quote(draft.logical)}"]
    for piece in draft.body:
        if isinstance(piece, bytes):
            assert body.startswith(piece, at)
            at += len(piece)
            continue
        target = f"/static/{assets[piece.target].path}"
        last = posixpath.basename(target).encode()
        written = body[at : body.index(last, at) + len(last)].decode()
        assert [target] * len(served) == [urljoin(place, written) for place in served], (served, written)
        assert piece.style != "module" or written.startswith(("./", "../", "/"))
        at += len(written)
    assert at == len(body)
    assert tuple(sorted(_targets(draft))) == asset.refs


def _targets(draft: Draft) -> set[str]:
    assert not isinstance(draft.body, Blob)
    return {piece.target for piece in draft.body if isinstance(piece, Ref)}


def _edited(draft: Draft) -> Draft:
    assert not isinstance(draft.body, Blob)
    return Draft(draft.logical, draft.media_type, (*draft.body, b"!"), stable=draft.stable)


def _dependents(edited: str, drafts: list[Draft]) -> set[str]:
    """Return the edited file and all that leads to it."""
    found, size = {edited}, 0
    while size < len(found):
        size = len(found)
        found |= {draft.logical for draft in drafts if found & _targets(draft)}
    return found
