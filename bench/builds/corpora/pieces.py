"""What the corpora are put together from: icons, pictures, plain scripts, files."""

from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path

__all__ = ["icon_texts", "plain_script", "png", "put", "single_modules"]


def put(file: Path, content: str | bytes) -> None:
    """Write a file, and the folders above it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)


def icon_texts(modules: Path) -> list[str]:
    """Return the text of every icon of Font Awesome."""
    folder = modules / "@fortawesome/fontawesome-free/svgs"
    return [file.read_text(encoding="utf-8") for file in sorted(folder.rglob("*.svg"))]


def png(chance: random.Random, side: int) -> bytes:
    """Return a square picture of noise, 24 bits per pixel, as the PNG specification (W3C, §5 and §11) has it."""
    rows = b"".join(b"\0" + bytes(each & 0xF0 for each in chance.randbytes(side * 3)) for _ in range(side))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b"")


def single_modules(modules: Path) -> list[tuple[str, str]]:
    """Return name and text of the modules of lodash-es that export one function, and import such ones."""
    found = []
    for file in sorted((modules / "lodash-es").glob("*.js")):
        text = file.read_text(encoding="utf-8")
        outward = [line for line in text.splitlines() if line.startswith(("import ", "export "))]
        if outward and all(line.endswith(";") and "{" not in line and "*" not in line for line in outward):
            found.append((file.stem, text))
    return found


def plain_script(name: str, text: str) -> str:
    """Return a module of `single_modules` as a classic script over the object `ns`."""
    lines = []
    for line in text.splitlines():
        words = line.removesuffix(";").split()
        if line.startswith("import "):  # import eq from './eq.js';
            lines.append(f"  var {words[1]} = ns.{words[1]};")
        elif line.startswith("export default "):
            lines.append(f"  ns.{name} = {words[-1]};")
        elif not line.startswith("export "):
            lines.append(line)
    return "(function (ns) {\n" + "\n".join(lines) + "\n}(window.L = window.L || {}));\n"
