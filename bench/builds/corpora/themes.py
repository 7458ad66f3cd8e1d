"""Themes of tenants: a stylesheet each, which configures the shared modules and has a picture of its own."""

from __future__ import annotations

import colorsys
from pathlib import Path

from builds.corpora.pieces import icon_texts, put

__all__ = ["write"]

_PARTS = ("button", "card", "form", "menu", "modal", "notice", "page", "table")
_RULES = 12


def write(modules: Path, folder: Path, scale: float) -> None:
    """Write 500 themes below `assets`."""
    icons = icon_texts(modules)
    put(
        folder / "assets/shared/_brand.scss",
        "$colour: #336699 !default;\n$gap: 4px !default;\n$radius: 2px !default;\n"
        "@function tint($share) { @return mix(white, $colour, $share); }\n",
    )
    for part in _PARTS:
        rules = "".join(
            f"  .{part}-{each} {{ padding: brand.$gap * {each + 1}; border-radius: brand.$radius;"
            f" color: brand.tint({each * 5}%); &:hover {{ background: brand.tint({100 - each * 5}%); }} }}\n"
            for each in range(_RULES)
        )
        put(folder / f"assets/shared/_{part}.scss", f'@use "brand";\n@mixin {part} {{\n{rules}}}\n')
    for number in range(max(10, int(500 * scale))):
        put(folder / f"assets/logos/t{number:03}.svg", f"{icons[number % len(icons)]}<!-- {number} -->\n")
        put(folder / f"assets/themes/t{number:03}.scss", _theme(number))


def _theme(number: int) -> str:
    red, green, blue = (round(each * 255) for each in colorsys.hls_to_rgb(number * 7 % 360 / 360, 0.4, 0.6))
    colour = f"#{red:02x}{green:02x}{blue:02x}"
    lines = [f'@use "../shared/brand" with ($colour: {colour}, $gap: {3 + number % 4}px);']
    lines += [f'@use "../shared/{part}";' for part in _PARTS]
    lines += [f"@include {part}.{part};" for part in _PARTS]
    lines.append(f'.logo {{ background: url("../logos/t{number:03}.svg"); }}')
    return "\n".join([*lines, ""])
