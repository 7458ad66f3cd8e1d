"""Manifests for tests: one small hand-made document, and hypothesis strategies for all of them."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from assetbuild.manifest import SUFFIXES, dump, hash_name

Document = dict[str, Any]

HEX = hashlib.sha256(b"").hexdigest()
DIGEST = f"sha256:{HEX}"
INTEGRITY = "sha384-" + base64.b64encode(hashlib.sha384(b"").digest()).decode()


def file_entry(body: bytes = b"", media_type: str = "text/css; charset=utf-8", **more: object) -> Document:
    """Return what `files` says of a file that holds `body`."""
    integrity = "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode()
    sha256 = hashlib.sha256(body).hexdigest()
    return {"type": media_type, "size": len(body), "sha256": sha256, "integrity": integrity, **more}


def document(assets: Mapping[str, Document] = {}, files: Mapping[str, Document] = {}, **more: Any) -> Document:
    """Return a manifest that `dump` accepts."""
    build = {"tools": {"assetbuild": "0.1.0"}, "config": DIGEST, "inputs": DIGEST, "salt": ""}
    top = {"base": "/static/", "build": build, "assets": {**assets}, "bundles": {}, "files": {**files}}
    return top | more


def published(folder: Path, bodies: Mapping[str, bytes], *, salt: str = "", **more: Any) -> Document:
    """Write an output folder as a compile would, one gzip variant for each file, and return its document.

    bodies: logical path → bytes. more: logical path with `/` and `.` as `_` → further fields of the asset.
    """
    assets, files = {}, {}
    for logical, body in bodies.items():
        stem, dot, ext = logical.rpartition(".")
        path = f"{stem}-{hash_name(salt, body)}{dot}{ext}"
        packed = gzip.compress(body, mtime=0)
        for name, content in ((path, body), (path + SUFFIXES["gzip"], packed)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        types = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "png": "image/png"}
        media_type = types.get(ext, "text/plain; charset=utf-8")
        assets[logical] = {"file": path} | more.get(logical.replace("/", "_").replace(".", "_"), {})
        files[path] = file_entry(body, media_type, enc={"gzip": len(packed)})
    made = document(assets, files)
    made["build"]["salt"] = salt
    return made


def write(folder: Path, made: Document) -> Path:
    """Write the manifest of `made` into `folder` and return its file."""
    file = folder / "manifest.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(dump(made))
    return file


_segments = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters=":\\/"), min_size=1, max_size=12
).filter(lambda segment: segment not in {".", ".."})
logical_paths = st.lists(_segments, min_size=1, max_size=3).map("/".join)
published_paths = st.lists(
    st.from_regex(r"[A-Za-z0-9._-]{1,12}", fullmatch=True).filter(lambda s: s not in {".", ".."}),
    min_size=1,
    max_size=3,
).map("/".join)
_texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
_relations = st.lists(logical_paths, max_size=3, unique=True)
_hexes = st.binary(max_size=3).map(lambda body: hashlib.sha256(body).hexdigest())
_digests = _hexes.map("sha256:{}".format)
_sizes = st.integers(0, 2**53 - 1)
_extensions = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=4).map("x-{}".format),
    st.recursive(
        st.none() | st.booleans() | st.integers(-9, 9) | _texts,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_texts, inner, max_size=2),
        max_leaves=3,
    ),
    max_size=1,
)


def _object(required: Mapping[str, Any], optional: Mapping[str, Any]) -> st.SearchStrategy[Document]:
    fields = st.fixed_dictionaries(dict(required), optional=dict(optional))
    return st.builds(lambda known, extension: known | extension, fields, _extensions)


_assets = _object(
    {"file": published_paths},
    {
        "kind": st.sampled_from(["", "module", "classic", "style"]),
        "entry": st.booleans(),
        "source": st.just("") | logical_paths,
        "refs": _relations,
        "imports": _relations,
        "dynamic": _relations,
        "css": _relations,
        "map": st.just("") | logical_paths,
        "width": st.integers(0, 5000),
        "height": st.integers(0, 5000),
        "keep": st.booleans(),
        "at": st.just("") | logical_paths.map("/{}".format),
        "cycle": st.just("") | _hexes,
    },
)
_files = _object(
    {
        "type": st.sampled_from(["text/css; charset=utf-8", "image/svg+xml", "application/octet-stream"]),
        "size": _sizes,
        "sha256": _hexes,
        "integrity": st.binary(max_size=3).map(lambda body: file_entry(body)["integrity"]),
    },
    {
        "keep": st.booleans(),
        "enc": st.dictionaries(st.sampled_from(sorted(SUFFIXES)), _sizes, max_size=3),
        "build": st.just("") | _digests,
    },
)
_bundles = _object(
    {"assets": st.lists(logical_paths, min_size=1, max_size=3, unique=True)},
    {"extra": st.dictionaries(_texts, _texts | st.none() | st.booleans() | st.integers(-9, 9), max_size=2)},
)
_builds = _object(
    {
        "tools": st.dictionaries(_texts, _texts, min_size=1, max_size=3),
        "config": _digests,
        "inputs": _digests,
        "salt": st.just("") | _texts,
    },
    {
        "revision": st.just("") | _texts,
        "previous": st.lists(_digests, max_size=3, unique=True),
        "superseded": st.dictionaries(_digests, _sizes, max_size=2),
    },
)
documents = _object(
    {
        "base": st.sampled_from(
            ["/", "/static/", "/a/b/", "//cdn.example/", "https://cdn.example:8443/x/", "http://[::1]/"]
        ),
        "build": _builds,
        "assets": st.dictionaries(logical_paths, _assets, max_size=5),
        "bundles": st.dictionaries(_texts, _bundles, max_size=2),
        "files": st.dictionaries(published_paths, _files, max_size=5),
    },
    {"importmap": st.dictionaries(_texts, logical_paths, max_size=2)},
)
"""Everything that `dump` accepts."""
