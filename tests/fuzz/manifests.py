"""The manifest reader: nothing that was changed is accepted, and nothing that is read is not in the text."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from assetbuild.manifest import Manifest, ManifestError, check, dump
from tests.fuzz.grain import Grain
from tests.manifests import document, file_entry

__all__ = ["changed"]

_PIECES = [
    *(
        b'"',
        b"\n",
        b"{",
        b"}",
        b",",
        b":",
        b"\\",
        b"\0",
        b"\xff",
        b"[",
        b"]",
        b" ",
        b"1",
        b"true",
        b"null",
        b"\xc3\xa9",
    ),
    *(
        b'"a.css":',
        b'"file":"a-1.css"',
        b'"files":{\n',
        b'"assets":{\n',
        b"},\n",
        b"\n}\n",
        b'"id":"sha256:',
        b"../",
        b"//",
    ),
    *(b'"x-a":1.5', b'"size":-1', b'"minReader":2', b'"sha256":', b"NaN", b"\\u0000", b"[" * 40, b'"at":"/a"', b"1e9"),
]


@functools.cache
def _originals() -> tuple[bytes, ...]:
    assets: dict[str, Any] = {
        f"{name}.css": {"file": f"{name}-1.css", "kind": "style", "refs": ["é.png"], "source": f"{name}.scss"}
        for name in "abcdefg"
    }
    assets |= {"é.png": {"file": "e-1.png", "width": 3, "at": "/é.png"}, 'q"q.txt': {"file": "q-1.txt", "keep": True}}
    files = {entry["file"]: file_entry(b"x", enc={"br": 2, "gzip": 3}) for entry in assets.values()}
    full = document(
        assets, files, bundles={"all": {"assets": ["a.css"], "extra": {"rel": 1}}}, importmap={"a": "a.css"}
    )
    return dump(document()), dump(full)


def changed(content: bytes) -> None:
    """Change a manifest here and there, and sometimes its id so that it fits; then read all of it."""
    grain = Grain(content)
    original = grain.pick(_originals())
    signs, verify, layout = grain.below(2) == 0, grain.below(4) > 0, grain.below(16)
    text = bytearray(original)
    while grain:
        at = grain.below(len(text) + 1) if len(text) <= 256 else grain.below(65_536) % (len(text) + 1)
        size, piece = grain.below(24), grain.pick([b"", *_PIECES, grain.taken(3)])
        text[at : at + size] = piece
    if layout == 0:
        text = bytearray(_laid_out_anew(bytes(text)))
    found = _signed(bytes(text)) if signs else bytes(text)
    faults = check(found)
    try:
        manifest = Manifest(found, verify=verify)
    except ManifestError:
        assert faults
        return
    if verify:
        assert found == _signed(found), "accepted, and its digest is wrong"
    assert not verify or signs or found == original
    if faults:
        _read_what_can_be_read(manifest)
    else:
        _read_all(manifest, json.loads(found))


def _read_all(manifest: Manifest, said: dict[str, Any]) -> None:
    """Read all of a manifest that is whole: it says what its text says."""
    assert [*said["assets"]] == [*manifest.assets()]
    assert [*said["files"]] == [*manifest.files()]
    for entries, entry_of in ((said["assets"], manifest.asset), (said["files"], manifest.published)):
        assert entry_of("no such name") is None
        for name, fields in entries.items():
            entry = entry_of(name)
            assert entry is not None
            had = {key: [*value] if isinstance(value, tuple) else value for key, value in entry._asdict().items()}
            assert {key: value for key, value in fields.items() if not key.startswith("x-")}.items() <= had.items()
    assert {entry["at"]: name for name, entry in said["assets"].items() if "at" in entry} == manifest.site_paths()
    for path in said["files"]:
        assert [n for n, entry in said["assets"].items() if entry["file"] == path] == [*manifest.names_of(path)]


def _read_what_can_be_read(manifest: Manifest) -> None:
    """Read a manifest that nobody vouches for: each part is read or refused in a sentence."""
    readings: list[Callable[[], object]] = [
        lambda: [*manifest.assets()],
        lambda: [*manifest.files()],
        manifest.site_paths,
        lambda: [*manifest.names_of("a-1.css")],
        *(partial(manifest.asset, name) for name in ("a.css", "é.png", 'q"q.txt', "z", "\ud800", "")),
        *(partial(manifest.published, name) for name in ("a-1.css", "q-1.txt", "z", "\ud800")),
    ]
    for reading in readings:
        with suppress(ManifestError):
            reading()


def _signed(text: bytes) -> bytes:
    """Return the bytes with the id that they should have, as docs/reference/manifest.md has it."""
    mark = b'"id":"sha256:'
    at = text.find(mark) + len(mark)
    if at < len(mark) or len(text) < at + 64:
        return text
    zeroed = text[:at] + b"0" * 64 + text[at + 64 :]
    return text[:at] + hashlib.sha256(zeroed).hexdigest().encode() + text[at + 64 :]


def _laid_out_anew(text: bytes) -> bytes:
    try:
        return json.dumps(json.loads(text), indent=2).encode()
    except ValueError:
        return text
