"""The site that is asked for: a real compile of a small tree, with what a client may expect at each URL.

One output serves every server: ours by its manifest, the others as the folder of files that it is. The plain copies of
stable names, which the manifest's reader never touches, are what the others serve for them.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import brotli

from assetbuild import Assets
from assetbuild.compiler import compile, config
from assetbuild.disk import RealDisk
from assetbuild.manifest import SUFFIXES

__all__ = ["BASE", "CODINGS", "PLACES", "Place", "Site", "built", "placed"]

BASE = "/static/"
CODINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "": lambda body: body,
    "br": brotli.decompress,
    "gzip": gzip.decompress,
}
"""Content coding → how it is undone."""

PLACES = {
    "css": "css/app.css",
    "js": "js/app.js",
    "image": "img/photo.png",
    "font": "fonts/text.woff2",
    "kept": "downloads/prices.txt",
    "odd": "downloads/año 1 (neu).txt",
    "root": "robots.txt",
}
"""What a check calls an asset → its logical path."""

_CONFIG = f"""
base = "{BASE}"
roots = ["assets"]
keep_names = ["downloads/**"]
site_root = ["robots.txt"]
[compress]
gzip = true
br = true
"""


class Place(NamedTuple):
    """What lies at a URL path. bodies: coding → bytes on the wire, "" for none."""

    path: str
    type: str
    bodies: Mapping[str, bytes]


class Site(NamedTuple):
    """A compiled output. places: as `PLACES` names them; manifest: its file, in the output folder."""

    output: Path
    manifest: Path
    places: Mapping[str, Place]

    def file(self, place: Place) -> Path:
        """Return where a published file lies."""
        return self.output / place.path.removeprefix(BASE)

    def environ(self, **more: str) -> Mapping[str, str]:
        """Return the environment in which a process finds the manifest."""
        return {"ASSETBUILD_MANIFEST": str(self.manifest), **more}


def built(
    folder: Path, *, more: Mapping[str, bytes] = {}, script_bytes: int = 20_000, image_bytes: int = 5_000
) -> Site:
    """Return the site, compiled into `folder`: small CSS, a script, and a picture that does not compress.

    more: further assets, logical path → bytes.
    """
    text = "".join(f".block-{n:03} > a:hover {{ margin: {n % 7}px; color: #{n % 10:03}; }}\n" for n in range(100))
    files = {
        "assets/css/app.css": text.encode(),
        "assets/js/app.js": _words(script_bytes),
        "assets/img/photo.png": b"\x89PNG\r\n\x1a\n" + _noise(image_bytes),
        "assets/fonts/text.woff2": b"wOF2" + _noise(3000),
        f"assets/{PLACES['kept']}": b"a text that keeps its name\n" * 99,
        f"assets/{PLACES['odd']}": b"so does this one, which is an odd one\n" * 99,
        "assets/robots.txt": b"User-agent: *\nDisallow: /private/\n" + b"# nothing more\n" * 99,
        "assetbuild.toml": _CONFIG.encode(),
        **{f"assets/{name}": body for name, body in more.items()},
    }
    for name, body in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    compile(config.read(str(folder), {}, RealDisk(), config.Flags()))
    output = folder / "build/assets"
    return Site(output, output / "manifest.json", {name: placed(output, PLACES[name]) for name in PLACES})


def placed(output: Path, logical: str) -> Place:
    """Return what lies at an asset's URL."""
    assets = Assets.open(output / "manifest.json")
    asset = assets[logical]
    known = json.loads((output / "manifest.json").read_bytes())["files"][asset.file]
    bodies = {coding: (output / (asset.file + SUFFIXES[coding])).read_bytes() for coding in known.get("enc", {})}
    return Place(asset.url, asset.type, {"": (output / asset.file).read_bytes(), **bodies})


def _noise(size_bytes: int) -> bytes:
    """Return bytes that no coding makes smaller, the same ones always."""
    return hashlib.shake_128(b"noise").digest(size_bytes)


def _words(size_bytes: int) -> bytes:
    """Return a classic script that is about as dense as a minified one."""
    seed = _noise(size_bytes // 12 + 1)
    names = [f"word{n}" for n in range(256)]
    return (
        "".join(f"self.{names[a]}={i % 97};" for i, a in enumerate(seed)).encode()[:size_bytes].rpartition(b";")[0]
        + b";"
    )
