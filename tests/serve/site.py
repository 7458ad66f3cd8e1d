"""The output that is served: one asset of each sort, as a compile would write it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.manifests import Document, published, write

CSS = b"a { color: red }\n" * 20
PHOTO = os.urandom(500)
TERMS = b"the terms\n" * 9
ROBOTS = b"User-agent: *\n"
IMMUTABLE = "public, max-age=31536000, immutable"


def release(output: Path) -> Document:
    """Write an output with one asset of each sort, and return its document."""
    output.mkdir(exist_ok=True)
    bodies = {
        "css/app.css": CSS,
        "img/photo.png": PHOTO,
        "robots.txt": ROBOTS,
        "terms.txt": TERMS,
        "street.txt": b"a street\n" * 9,
        "empty.txt": b"",
    }
    made = published(output, bodies, robots_txt={"at": "/robots.txt"}, terms_txt={"keep": True})
    made["assets"]["straße.txt"] = {"file": made["assets"].pop("street.txt")["file"], "keep": True}
    del made["files"][made["assets"]["img/photo.png"]["file"]]["enc"]  # noise does not compress
    write(output, made)
    return made


def url(made: Document, logical: str) -> str:
    return str(made["base"] + made["assets"][logical]["file"])
