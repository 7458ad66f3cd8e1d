"""What descriptions make of a specifier: other paths and other packages, in which esbuild looks instead.

Receives the text of a `package.json` or of a TypeScript configuration; hands on targets and patterns. Conditions and
order are left out: whoever wants to know where a look-up may lead wants all of them.
Source: Node, "Packages", `exports` and `imports`; package-browser-field-spec; TypeScript's TSConfig reference, `paths`
and `baseUrl`; esbuild 0.28, internal/resolver/package_json.go and tsconfig_json.go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

__all__ = ["Configuration", "Pattern", "configuration_of", "patterns_of"]

_CONFIG_DIR = "${configDir}"


class Pattern(NamedTuple):
    """`key` may stand for `target`; one `*` in the key, and each in the target, for any text. "*" alone fits all."""

    key: str
    target: str

    def applied(self, specifier: str) -> str | None:
        """Return what the pattern makes of a specifier, None if it does not fit."""
        head, star, tail = self.key.partition("*")
        if not star:
            return self.target if specifier == self.key else None
        if len(specifier) < len(head) + len(tail) or not (specifier.startswith(head) and specifier.endswith(tail)):
            return None
        return self.target.replace("*", specifier[len(head) : len(specifier) - len(tail)])


class Configuration(NamedTuple):
    """What a TypeScript configuration says of look-ups. extends, base_urls: as written."""

    extends: tuple[str, ...] = ()
    base_urls: tuple[str, ...] = ()
    paths: tuple[Pattern, ...] = ()


def patterns_of(text: str) -> list[Pattern]:
    """Return the targets of a `package.json`; raise `ValueError` if it is none that we can read.

    What may stand for any specifier, or for the package itself, has the key "*".
    """
    fields = json.loads(text)
    if not isinstance(fields, dict):
        raise ValueError("no object")
    mains = (fields.get(field) for field in ("main", "module", "browser"))
    # A main file needs no dot to be a file of the package.
    found = [Pattern("*", f"./{value}") for value in mains if isinstance(value, str)]
    found += [Pattern("*", value) for value in _strings(fields.get("browser")) if isinstance(fields["browser"], dict)]
    found += _mapped(fields.get("imports"), "")
    name = fields.get("name")
    found += _mapped(fields.get("exports"), name if isinstance(name, str) else "")
    return found


def _mapped(described: object, name: str) -> Iterator[Pattern]:
    """Yield the patterns of `imports` or `exports`. name: of the package, which is what `.` stands for in its own."""
    keys = described.items() if isinstance(described, Mapping) else [("*", described)]
    for key, targets in keys:
        spelled = name + key[1:] if key.startswith(".") else key if key.startswith("#") else "*"
        for target in _strings(targets):
            # Node's own folder mappings, now gone, that esbuild still reads.
            yield Pattern(spelled + "*", target + "*") if key.endswith("/") else Pattern(spelled, target)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


# TypeScript reads its configuration as JSON with comments and trailing commas.
_LOOSE = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*[\s\S]*?\*/|,(?=\s*[}\]])')


def configuration_of(text: str) -> Configuration:
    """Return what a TypeScript configuration says; raise `ValueError` if it cannot be read."""
    described = json.loads(_LOOSE.sub(lambda found: found[1] or "", text))
    if not isinstance(described, dict):
        return Configuration()
    options = described.get("compilerOptions")
    options = options if isinstance(options, dict) else {}
    paths = options.get("paths")
    paths = paths if isinstance(paths, dict) else {}
    return Configuration(
        tuple(_strings(described.get("extends"))),
        tuple(_without_folder(url) for url in _strings(options.get("baseUrl"))),
        tuple(Pattern(key, _without_folder(value)) for key, values in paths.items() for value in _strings(values)),
    )


def _without_folder(written: str) -> str:
    """Return a path without the variable that stands for a configuration's own folder (TypeScript 5.5)."""
    return "." + written.removeprefix(_CONFIG_DIR) if written.startswith(_CONFIG_DIR) else written
