"""Seal: drafts become assets. Names come from final bytes, cycles from the digest of their component.

Receives every draft of the build, references resolved; hands on assets with their bytes. Pure: opens no file, keeps
no order of arrival. One pass over the strongly connected components, dependencies first, so that a reference is
written only when the name it needs exists.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.graph import components
from assetbuild.compiler.model import Asset, Blob, Draft, Ref
from assetbuild.diagnostic import Diagnostic
from assetbuild.manifest import MANIFEST_NAME, SUFFIXES, hash_name, name_of_digest

__all__ = ["folder_of", "published", "seal", "written"]

STEM_LIMIT_BYTES = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def seal(drafts: Iterable[Draft], *, names: str, salt: str, base: str) -> tuple[Asset, ...]:
    """Return the assets, sorted by logical path.

    names: form of a published name, with `{stem}`, `{hash}`, `{ext}`. base: URL base, which references inside a file
    need that answers in another folder than its neighbours.
    Raises `CompileFailed` if two drafts share a logical path or two different files one published name.
    """
    by_logical = _unique(drafts)
    # Most files refer to nothing; the others are named after them.
    targets = {logical: _targets(draft) for logical, draft in by_logical.items() if not isinstance(draft.body, Blob)}
    sealed = {logical: _copied(draft, names) for logical, draft in by_logical.items() if logical not in targets}
    graph = {logical: [need for need in needs if need in targets] for logical, needs in targets.items()}
    for members in components(graph):
        is_cyclic = len(members) > 1 or members[0] in graph[members[0]]
        component = _component_digest(members, by_logical, sealed, base) if is_cyclic else b""
        # In a cycle every member needs the others' names before its bytes are final.
        paths = {m: _path_in_cycle(m, names, salt, component) for m in members} if is_cyclic else {}
        for member in members:
            sealed[member] = _asset(by_logical[member], paths, sealed, component, (names, salt, base))
    _refuse_clashes(sealed.values())
    return tuple(sealed[logical] for logical in sorted(sealed))


def published(logical: str, hash_text: str, names: str) -> str:
    """Return the published path of `logical`: ASCII letters, digits, `.`, `_`, `-` and slashes only."""
    stem, ext = posixpath.splitext(posixpath.basename(logical))
    ext = "." + _UNSAFE.sub("-", ext[1:]) if ext[1:] else ""
    stem = _slug(stem)[:STEM_LIMIT_BYTES]
    return folder_of(logical) + names.format(stem=stem, hash=hash_text, ext=ext)


@functools.cache
def _published_folder(folder: str) -> str:
    return "".join(_slug(segment) + "/" for segment in folder.split("/")) if folder else ""


def folder_of(logical: str) -> str:
    """Return the published folder of `logical` with its final slash, "" at the top."""
    return _published_folder(posixpath.dirname(logical))


def _slug(text: str) -> str:
    # A leading dot hides a file from servers, a leading dash is read as an option.
    return _UNSAFE.sub("-", text).lstrip(".-").rstrip("-") or "asset"


def _unique(drafts: Iterable[Draft]) -> dict[str, Draft]:
    by_logical: dict[str, Draft] = {}
    problems = []
    for draft in drafts:
        other = by_logical.setdefault(draft.logical, draft)
        if other is not draft:
            origins = sorted(f"`{d.facts.source or d.logical}`" for d in (other, draft))
            message = f"two sources make `{draft.logical}`: {' and '.join(origins)}"
            problems.append(Diagnostic("two-sources", "error", message))
    if problems:
        raise CompileFailed(problems)
    return by_logical


def _targets(draft: Draft) -> tuple[str, ...]:
    return tuple(dict.fromkeys(piece.target for piece in draft.body if isinstance(piece, Ref)))


def _path_in_cycle(logical: str, names: str, salt: str, component: bytes) -> str:
    return published(logical, hash_name(salt, component + logical.encode()), names)


def _copied(draft: Draft, names: str) -> Asset:
    """Return the asset of a file that is published to the byte."""
    blob = draft.body
    assert isinstance(blob, Blob)
    return Asset(
        draft.logical,
        published(draft.logical, name_of_digest(bytes.fromhex(blob.named_hex)), names),
        draft.media_type,
        blob,
        blob.sha256_hex,
        blob.integrity,
        blob.size,
        facts=draft.facts,
        stable=draft.stable,
        width=draft.width,
        height=draft.height,
    )


def _asset(
    draft: Draft,
    cycle_paths: Mapping[str, str],
    sealed: Mapping[str, Asset],
    component: bytes,
    form: tuple[str, str, str],
) -> Asset:
    names, salt, base = form
    assert not isinstance(draft.body, Blob)
    targets = _targets(draft)
    paths = {target: cycle_paths.get(target) or sealed[target].path for target in targets}
    body = b"".join(
        written(piece, draft, paths[piece.target], base).encode() if isinstance(piece, Ref) else piece
        for piece in draft.body
    )
    return Asset(
        logical=draft.logical,
        path=cycle_paths.get(draft.logical) or published(draft.logical, hash_name(salt, body), names),
        media_type=draft.media_type,
        body=body,
        sha256_hex=hashlib.sha256(body).hexdigest(),
        integrity="sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode(),
        size=len(body),
        refs=tuple(sorted(targets)),
        cycle_hex=component.hex(),
        facts=draft.facts,
        stable=draft.stable,
        width=draft.width,
        height=draft.height,
    )


def written(ref: Ref, draft: Draft, target_path: str, base: str) -> str:
    """Return `ref` as a URL that is right where the file of `draft` is served from."""
    if _is_rooted(ref, draft):
        return base + target_path
    folder, _, name = target_path.rpartition("/")
    relative = _way(folder_of(draft.logical).rstrip("/"), folder) + name
    return relative if ref.style == "url" or relative.startswith("../") else "./" + relative


def _is_rooted(ref: Ref, draft: Draft) -> bool:
    """Return whether the reference is written from the base on."""
    return ref.style == "rooted" or _answers_elsewhere(draft)


def _answers_elsewhere(draft: Draft) -> bool:
    """Return whether the file also answers in another folder than the one that it is published in."""
    if draft.stable is None:
        return False
    return bool(draft.stable.at) or folder_of(draft.logical).rstrip("/") != posixpath.dirname(draft.logical)


@functools.cache
def _way(own_folder: str, folder: str) -> str:
    """Return the steps from one published folder to another, with a slash at the end; "" for none."""
    steps = posixpath.relpath(folder or ".", own_folder or ".")
    return "" if steps == "." else f"{steps}/"


def _component_digest(
    members: Sequence[str], by_logical: Mapping[str, Draft], sealed: Mapping[str, Asset], base: str
) -> bytes:
    """Return sha256 over the members' texts, with logical paths where final names do not exist yet."""
    digest = hashlib.sha256()

    def add(kind: bytes, part: bytes) -> None:
        # Length before bytes: without it "ab"+"c" and "a"+"bc" would share a digest.
        digest.update(kind + len(part).to_bytes(8, "big") + part)

    for member in members:
        draft = by_logical[member]
        add(b"p", member.encode())
        text = bytearray()
        for piece in draft.body if not isinstance(draft.body, Blob) else ():
            if isinstance(piece, bytes):
                text += piece
            elif piece.target in sealed:
                text += written(piece, draft, sealed[piece.target].path, base).encode()
            else:
                add(b"t", bytes(text))
                before = f"{base} " if _is_rooted(piece, draft) else ""  # it is among the bytes, too
                add(b"r", f"{before}{piece.style} {piece.target}".encode())
                text.clear()
        add(b"t", bytes(text))
    return digest.digest()


def _refuse_clashes(assets: Iterable[Asset]) -> None:
    """Two assets may share a published file only if they share its bytes; nothing else shares a place."""
    by_path: dict[str, Asset] = {}
    problems = []
    ordered = sorted(assets, key=lambda a: a.logical)
    for asset in ordered:
        # Case folded: the output must survive a file system that folds case.
        other = by_path.setdefault(asset.path.casefold(), asset)
        if other.sha256_hex != asset.sha256_hex or other.path != asset.path:
            message = f"`{other.logical}` and `{asset.logical}` would both be published as `{asset.path}`"
            problems.append(Diagnostic("name-clash", "error", message, hint="change `salt`, or rename one of them"))
    if problems := problems + _place_clashes(ordered):
        raise CompileFailed(problems)


def _place_clashes(assets: Sequence[Asset]) -> list[Diagnostic]:
    """Return an error for each asset that would be written over the manifest, over another file, or below a file."""
    copied = [asset.logical.casefold() for asset in assets if asset.stable is not None]
    folders = {posixpath.dirname(asset.path) for asset in assets} | {posixpath.dirname(place) for place in copied}
    places = {*copied, *folders, *(above for folder in folders for above in _above(folder))}
    # Most builds have nothing in one of the few places that could be taken: not all names need to be compared.
    bare = {place.casefold().removesuffix(suffix) for place in places for suffix in ("", *SUFFIXES.values())}
    if not copied and bare.isdisjoint(asset.path.casefold() for asset in assets) and MANIFEST_NAME not in bare:
        return []
    paths = [asset.path + suffix for asset in assets for suffix in ("", *SUFFIXES.values())]
    published_files = {path.casefold(): path for path in (MANIFEST_NAME, *paths)}
    copies = {asset.logical.casefold(): asset.logical for asset in assets if asset.stable is not None}
    problems = []
    for asset in assets:
        wanted = [(asset.path, False)] + ([(asset.logical, True)] if asset.stable is not None else [])
        for place, is_copy in wanted:
            taken = [published_files.get(place.casefold()) if is_copy else None]
            taken += [copies.get(above) or published_files.get(above) for above in _above(place.casefold())]
            for other in filter(None, taken):
                message = f"`{asset.logical}` would be written over `{other}`, which is a file of the output too"
                hint = "rename it, or take it out of `keep_names` and `site_root`" if is_copy else "rename its folder"
                problems.append(Diagnostic("name-clash", "error", message, hint=hint))
    return problems


def _above(path: str) -> Iterator[str]:
    """Yield the folders that `path` lies in."""
    while path := posixpath.dirname(path):
        yield path
