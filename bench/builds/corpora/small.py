"""Many small files: a stylesheet refers to eight of the pictures before it, and every fourth imports another."""

from __future__ import annotations

import random
from pathlib import Path

from builds.corpora.pieces import icon_texts, plain_script, png, put, single_modules

__all__ = ["write"]

_FOLDERS = 40
_REFERENCES = 8
_QUOTES = ("", '"', "'")


def write(modules: Path, folder: Path, count: int) -> None:
    """Write `count` files below `static`."""
    chance, icons, scripts = random.Random(3), icon_texts(modules), single_modules(modules)
    pictures: list[str] = []
    for number in range(count):
        place, kind = f"d{number % _FOLDERS:02}", number % 10
        if kind < 5:
            path, content = f"img/{place}/i{number:05}.svg", f"{icons[number % len(icons)]}<!-- {number} -->\n".encode()
        elif kind < 7:
            path, content = f"img/{place}/p{number:05}.png", png(chance, chance.choice((12, 16, 24)))
        elif kind < 9:
            name, text = scripts[number % len(scripts)]
            path, content = f"js/{place}/m{number:05}.js", f"// {number}\n{plain_script(name, text)}".encode()
        else:
            path, content = f"css/{place}/s{number:05}.css", _sheet(number, chance, pictures).encode()
        if kind < 7:
            pictures.append(path)
        put(folder / "static" / path, content)


def _sheet(number: int, chance: random.Random, pictures: list[str]) -> str:
    lines = []
    if number % 40 == 39:
        lines.append(f'@import "../d{(number - 10) % _FOLDERS:02}/s{number - 10:05}.css";')
    for each in range(_REFERENCES):
        quote = _QUOTES[each % 3]
        url = f"{quote}../../{chance.choice(pictures)}{quote}"
        lines.append(f".s{number}-{each} {{ background: url({url}); padding: {each}px; }}")
    lines.append(f".s{number}-x {{ background: url(data:image/gif;base64,R0lGODlhAQABAAAAACw=); }}")
    return "\n".join([*lines, ""])
