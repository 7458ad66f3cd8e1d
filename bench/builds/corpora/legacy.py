"""Classic files: what a team without a bundler joins, 20 to a bundle. `bundles.json` lists them.

The rules of Bootstrap and Font Awesome are dealt out over the stylesheets, each of which has a picture; the scripts are
five libraries as they are shipped and pairs of lodash's functions.
"""

from __future__ import annotations

import json
from pathlib import Path

import tinycss2

from builds.corpora.pieces import icon_texts, plain_script, put, single_modules

__all__ = ["write"]

_PICTURES = 60
_TO_A_BUNDLE = 20
_SHEETS = ("bootstrap/dist/css/bootstrap.css", "@fortawesome/fontawesome-free/css/all.css")
_LIBRARIES = (
    "jquery/dist/jquery.js",
    "bootstrap/dist/js/bootstrap.bundle.js",
    "htmx.org/dist/htmx.js",
    "alpinejs/dist/cdn.js",
    "react/cjs/react.development.js",
)


def write(modules: Path, folder: Path, scale: float) -> None:
    """Write as many stylesheets as scripts below `static`."""
    count = max(2, int(300 * scale) // _TO_A_BUNDLE) * _TO_A_BUNDLE
    static = folder / "static"
    icons = icon_texts(modules)
    for number in range(_PICTURES):
        put(static / f"img/i{number:02}.svg", icons[number * 7])
    rules = _rules(modules)
    for number in range(count):
        own = rules[number * len(rules) // count : (number + 1) * len(rules) // count]
        picture = f".l{number} {{\n  background-image: url('../img/i{number % _PICTURES:02}.svg');\n}}"
        put(static / f"css/f{number:03}.css", "\n\n".join([f"/* sheet {number}\n */", picture, *own, ""]))
    functions = [plain_script(*each) for each in single_modules(modules)]
    for number in range(count):
        turn, rest = divmod(number, count // len(_LIBRARIES))
        pair = "".join(functions[each % len(functions)] for each in (2 * number, 2 * number + 1))
        put(static / f"js/f{number:03}.js", pair if rest else _without_map(modules / _LIBRARIES[turn]))
    bundles = {
        kind: {
            f"b{number:02}": [
                f"{kind}/f{each:03}.{kind}" for each in range(number * _TO_A_BUNDLE, (number + 1) * _TO_A_BUNDLE)
            ]
            for number in range(count // _TO_A_BUNDLE)
        }
        for kind in ("css", "js")
    }
    put(folder / "bundles.json", json.dumps(bundles, indent=1))


def _rules(modules: Path) -> list[str]:
    """Return the rules of the sheets; of at-rules those that may stand anywhere and name no file."""
    text = "\n".join((modules / sheet).read_text(encoding="utf-8") for sheet in _SHEETS)
    parsed = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    kept = [rule for rule in parsed if rule.type == "qualified-rule" or rule.lower_at_keyword in ("media", "keyframes")]
    return [rule.serialize() for rule in kept]


def _without_map(file: Path) -> str:
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("//# sourceMappingURL="))
