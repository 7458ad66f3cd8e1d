"""The cases: what stands in the data files, as values. The README here describes the form of a case."""

from __future__ import annotations

import json
import posixpath
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

__all__ = ["Case", "Language", "Mark", "all_cases"]

Language = Literal["css", "js"]

_FOLDER = Path(__file__).parent
_MAIN = {"css": "css/app.css", "js": "js/app.js"}
_BODY = '<p class="a">a</p><p class="b">b</p>'
_MARK = re.compile("«([^»]*)»")
_KEYS = {
    "name",
    "spec",
    "text",
    "targets",
    "files",
    "decoys",
    "unrequested",
    "foreign",
    "body",
    "script",
    "encoding",
    "unbundled",
}
# One pixel; what follows the last chunk of a PNG is not looked at, so every image can have bytes of its own.
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082"
)


class Mark(NamedTuple):
    """A place in the plain text that names `target` (a logical path): `text[start:end]`."""

    start: int
    end: int
    target: str


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    main: logical path of the text under test. texts: logical path → text with marks. targets: what a mark's text means
    where that is not plain. decoys: files that are there and that nothing names. unrequested: target → why no browser
    asks for it here. foreign: URL paths that are requested and that no asset stands for. unbundled: why the text is
    not made an entry as well, "" if it may be one.
    """

    name: str
    language: Language
    main: str
    texts: Mapping[str, str]
    targets: Mapping[str, str]
    decoys: tuple[str, ...]
    unrequested: Mapping[str, str]
    foreign: tuple[str, ...]
    body: str
    is_classic: bool
    unbundled: str

    def plain(self, logical: str) -> str:
        """Return a text without its marks."""
        return _MARK.sub(r"\1", self.texts[logical])

    def marks(self, logical: str) -> tuple[Mark, ...]:
        """Return the marks of a text, in order, with offsets in the plain text."""
        found = []
        for number, match in enumerate(_MARK.finditer(self.texts[logical])):
            start = match.start() - 2 * number
            plain = posixpath.normpath(posixpath.join(posixpath.dirname(logical), match[1]))
            found.append(Mark(start, start + len(match[1]), self.targets.get(match[1], plain)))
        return tuple(found)

    @property
    def named(self) -> frozenset[str]:
        """Every file that a mark names."""
        return frozenset(mark.target for logical in self.texts for mark in self.marks(logical))

    @property
    def requests(self) -> frozenset[str]:
        """The logical paths that a browser asks for."""
        return (self.named | {self.main}) - self.unrequested.keys()

    def files(self) -> dict[str, bytes]:
        """Return the whole tree: logical path → bytes."""
        tree = {logical: _content(logical) for logical in (*sorted(self.named), *self.decoys)}
        return tree | {logical: self.plain(logical).encode() for logical in self.texts}


def all_cases(language: Language) -> tuple[Case, ...]:
    """Return the cases of a language in the order of the data files."""
    return tuple(case for file in sorted((_FOLDER / language).glob("*.toml")) for case in _read(file, language))


def _read(file: Path, language: Language) -> Iterator[Case]:
    for raw in tomllib.loads(file.read_text(encoding="utf-8"))["case"]:
        unknown = raw.keys() - _KEYS
        assert not unknown, f"{file.name}: {raw.get('name')}: unknown {unknown}"
        assert raw["spec"], raw["name"]
        yield _case(raw, language, file.stem)


def _case(raw: Mapping[str, Any], language: Language, group: str) -> Case:
    main = _MAIN[language]
    return Case(
        name=f"{group}: {raw['name']}",
        language=language,
        main=main,
        texts={main: raw["text"], **raw.get("files", {})},
        targets=raw.get("targets", {}),
        decoys=tuple(raw.get("decoys", ())),
        unrequested=raw.get("unrequested", {}),
        foreign=tuple(raw.get("foreign", ())),
        body=raw.get("body", _BODY if language == "css" else ""),
        is_classic=raw.get("script") == "classic",
        unbundled=raw.get("unbundled", ""),
    )


def _content(logical: str) -> bytes:
    """Return bytes that no other file of the tree has; a script tells the page that it ran."""
    match posixpath.splitext(logical)[1].lower():
        case ".js" | ".mjs":
            told = json.dumps(logical)
            text = f"(globalThis.ran ??= []).push({told});\nexport default {told};\nexport const name = {told};\n"
        case ".css":
            text = f".of {{ --name: {json.dumps(logical)} }}\n"
        case ".json":
            text = json.dumps({"name": logical})
        case ".svg":
            text = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><title>{logical}</title></svg>'
        case _:
            return _PNG + logical.encode()
    return text.encode()
