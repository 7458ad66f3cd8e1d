"""`--from sprockets`: the manifests of a Rails application as entries.

Receives the files below the load path; hands on an `Adopted`. Directives stand in the comments at the top of a file.
Source of each rule: the README of Sprockets ("Directives", "Load path"), and its DirectiveProcessor.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from assetbuild.adopt.adopted import CSS_MINIFIER, STYLES, Adopted, Folder, Made, compiled_elsewhere, left, style
from assetbuild.adopt.code import Code
from assetbuild.adopt.files import below
from assetbuild.compiler.errors import ConfigError
from assetbuild.compiler.refs.css.tokens import tokens as css_tokens
from assetbuild.compiler.refs.js.lexer import lex
from assetbuild.compiler.refs.js.tokens import TRIVIA
from assetbuild.diagnostic import Diagnostic, Span, span_at
from assetbuild.disk import Disk

__all__ = ["adopted"]

_ABOVE = ("app/assets", "lib/assets", "vendor/assets")
_LINKS = "app/assets/config/manifest.js"
_RUBY = ("config/initializers/assets.rb", "config/application.rb", "config/environments/production.rb")
_DEFAULT = {"application.js", "application.css"}
_SCRIPT, _SHEET = (".js",), STYLES
_OTHERS = (".erb", ".coffee", ".es6", ".less", ".ejs", ".jst")
_DIRECTIVE = re.compile(r"^[ \t]*(?:\*=|//=|#=)[ \t]*(\w+)[ \t]*([^\n]*?)[ \t]*(?:\*/)?[ \t]*$", re.MULTILINE)
_HEADER = re.compile(r"\A(?:\s+|/\*.*?\*/|//[^\n]*|#[^\n]*)+", re.DOTALL)
# Functions that sassc-rails and Sprockets add to Sass.
_HELPER = re.compile(r"(?<![\w-])((?:asset|image|font|video|audio)-(?:url|path|data-url))\(")


class _Directive(NamedTuple):
    name: str
    argument: str
    place: Span


class _Asset(NamedTuple):
    """One file of the load path. body: whether it holds more than directives and comments."""

    logical: str
    shown: str
    text: str
    directives: tuple[_Directive, ...]
    body: bool


class _Listed(Exception):
    """An entry cannot be written: what is said about it."""

    def __init__(self, found: Diagnostic) -> None:
        self.found = found


def adopted(code: Code, disk: Disk) -> Adopted:
    """Return the configuration whose entries are what the application links."""
    tree = _Tree(code.folder, disk)
    if not tree.folders:
        message = f"there is no load path: looked for folders in {', '.join(f'`{above}`' for above in _ABOVE)}"
        hint = "name the folder of the Rails application"
        raise ConfigError([Diagnostic("no-sprockets", "error", message, hint=hint)])
    entries: list[Made] = []
    findings = list(_precompiled(code.folder, disk))
    for logical in sorted(tree.linked(findings)):
        try:
            entries.append(tree.entry(logical, findings))
        except _Listed as error:
            findings.append(error.found)
    findings += tree.helpers()
    return Adopted(
        f"Read from {', '.join(tree.manifests) or 'the load path'}.",
        tuple(Folder(folder) for folder in tree.folders),
        tuple(entries),
        base="/assets/",
        exclude=tuple(f"**/{name}" for name in tree.of_other_compilers()),
        sections={"sass": {"auto": False}},
        findings=tuple(findings),
    )


class _Tree:
    """The load path: folders in their order, and every file by its logical path."""

    def __init__(self, folder: str, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        self.folders: list[str] = []
        for above in _ABOVE:
            file = os.path.join(folder, above)
            for entry in disk.scan(file) if disk.is_folder(file) else ():
                if entry.kind == "folder" and f"{above}/{entry.name}" != posixpath.dirname(_LINKS):
                    self.folders.append(f"{above}/{entry.name}")
        self._files: dict[str, str] = {}
        for top in self.folders:
            for inner in sorted(below(os.path.join(folder, top), disk)):
                self._files.setdefault(inner, f"{top}/{inner}")
        self._made: dict[str, str] = {}
        for logical in self._files:
            self._made.setdefault(_published(logical), logical)
        self._assets: dict[str, _Asset] = {}
        self.manifests: list[str] = []

    def of_other_compilers(self) -> list[str]:
        """Return the sources that somebody else compiles, and that nobody publishes as they are."""
        return sorted(logical for logical in self._files if logical.endswith(_OTHERS))

    def linked(self, findings: list[Diagnostic]) -> set[str]:
        """Return the logical paths of the scripts and sheets that are compiled on their own: `.js` and `.css`."""
        links = os.path.join(self._folder, _LINKS)
        if not self._disk.is_file(links):
            # Before Sprockets 4: `application.js`, `application.css`, and all that is neither script nor sheet.
            found = {_published(name) for name in self._files}
            self.manifests = sorted(self._files[name] for name in self._files if _published(name) in _DEFAULT)
            return found & _DEFAULT
        self.manifests = [_LINKS]
        text = self._disk.read(links).decode(errors="replace")
        found = set()
        for directive in _directives(_LINKS, text):
            found |= set(self._links(directive, findings))
        return found

    def _links(self, directive: _Directive, findings: list[Diagnostic]) -> Iterator[str]:
        path, _, wanted = directive.argument.strip("\"'").partition(" ")
        if directive.name == "link":
            if path in self._made:
                yield from [path] if path.endswith((".js", ".css")) else []  # any other file is published anyway
            else:
                message = f"`{path}` is in no folder of the load path"
                findings.append(left(message, directive.place, "a gem brings it: copy it into `vendor/assets`"))
        elif directive.name in {"link_tree", "link_directory"}:
            top = posixpath.normpath(posixpath.join(posixpath.dirname(_LINKS), path))
            for logical, shown in self._files.items():
                inside = shown.startswith(f"{top}/")
                is_direct = posixpath.dirname(shown) == top
                published = _published(logical)
                is_wanted = not wanted or published.endswith(wanted.strip())
                is_text = published.endswith((".js", ".css")) and not posixpath.basename(logical).startswith("_")
                if inside and is_wanted and is_text and (is_direct or directive.name == "link_tree"):
                    yield published
        else:
            message = f"the directive `{directive.name}` of `{_LINKS}` is not known"
            findings.append(left(message, directive.place, "name what it links under `[entries]`"))

    def entry(self, logical: str, findings: list[Diagnostic]) -> Made:
        """Return the entry of a linked file; raise `_Listed`."""
        extension = posixpath.splitext(logical)[1]
        asset = self._asset(self._made[logical])
        place = asset.directives[0].place if asset.directives else Span(asset.shown)
        sources = tuple(dict.fromkeys(self._required(asset, extension, findings, ())))
        foreign = next((s for s in sources if not s.endswith(_SHEET if extension == ".css" else _SCRIPT)), None)
        if foreign:
            message = f"`{logical}` holds `{foreign}`, which another compiler reads"
            raise _Listed(compiled_elsewhere(message, foreign, place))
        if not sources:
            raise _Listed(left(f"`{logical}` is empty", place, "nothing is to be done, if nothing names it"))
        if extension == ".js":
            return Made(logical, "classic", sources, place=place)
        if len(sources) == 1 and not sources[0].endswith(".css"):
            return style(logical, sources[0], place)
        if any(not source.endswith(".css") for source in sources):
            message = f"`{logical}` joins Sass with other sheets"
            hint = f"write one stylesheet that loads them in this order, and name it for `{logical}`"
            raise _Listed(left(message, place, hint))
        return Made(logical, "filters", sources, ((CSS_MINIFIER, {}),), place=place)

    def _required(
        self, asset: _Asset, extension: str, findings: list[Diagnostic], above: Sequence[str]
    ) -> Iterator[str]:
        """Yield the files of an asset in the order in which Sprockets joins them, its own text where it asks for it."""
        if asset.logical in above:
            return
        inner = (*above, asset.logical)
        stubbed = {each.argument for each in asset.directives if each.name == "stub"}
        is_done = False
        for directive in asset.directives:
            if directive.name == "require_self":
                is_done = True
                yield from [asset.logical] if asset.body else []
            elif directive.name in {"require", "require_tree", "require_directory"}:
                for logical in self._named(directive, asset, extension, findings):
                    if posixpath.splitext(logical)[0] not in stubbed:
                        yield from self._required(self._asset(logical), extension, findings, inner)
            elif directive.name not in {"depend_on", "depend_on_asset", "stub", "link"}:
                message = f"the directive `{directive.name}` is not known"
                findings.append(left(message, directive.place, "name its files in the entry"))
        if not is_done and asset.body:
            yield asset.logical

    def _named(self, directive: _Directive, asset: _Asset, extension: str, findings: list[Diagnostic]) -> Iterator[str]:
        path = directive.argument.strip("\"'")
        here = posixpath.dirname(asset.logical)
        if directive.name == "require":
            name = posixpath.normpath(posixpath.join(here, path)) if path.startswith(".") else path
            found = self._find(name.removesuffix(extension), extension)
            if found:
                yield found
            else:
                message = f"`{path}` is in no folder of the load path"
                hint = "a gem brings it: copy it into `vendor/assets`, or take it from npm, and name it in the entry"
                findings.append(left(message, directive.place, hint))
            return
        top = posixpath.normpath(posixpath.join(here, path))
        above = "" if top == "." else f"{top}/"
        for logical in self._in_order(above, extension, is_deep=directive.name == "require_tree"):
            if logical != asset.logical and self._files[logical].startswith(self._top_of(asset)):
                yield logical

    def _top_of(self, asset: _Asset) -> str:
        return asset.shown.removesuffix(asset.logical)

    def _in_order(self, above: str, extension: str, *, is_deep: bool) -> Iterator[str]:
        """Yield what `require_tree` finds, by the bytes of the whole path (Sprockets, `stat_sorted_tree`)."""
        inside = [name for name in self._files if name.startswith(above)]
        for logical in sorted(inside, key=str.encode):
            rest = logical[len(above) :]
            if _published(logical).endswith(extension) and (is_deep or "/" not in rest):
                yield logical

    def _find(self, name: str, extension: str) -> str | None:
        """Return the logical path of the file that is published as `name` with `extension`, or that of its index."""
        return self._made.get(name + extension) or self._made.get(f"{name}/index{extension}")

    def _asset(self, logical: str) -> _Asset:
        if logical not in self._assets:
            shown = self._files[logical]
            text = self._disk.read(os.path.join(self._folder, shown)).decode(errors="replace")
            directives = tuple(_directives(shown, text))
            self._assets[logical] = _Asset(logical, shown, text, directives, _has_body(shown, text))
        return self._assets[logical]

    def helpers(self) -> Iterator[Diagnostic]:
        """Yield a finding for each function in Sass that Sprockets alone knows."""
        for shown in sorted(self._files.values()):
            if shown.endswith((".scss", ".sass")):
                text = self._disk.read(os.path.join(self._folder, shown)).decode(errors="replace")
                for found in _HELPER.finditer(text):
                    place = span_at(shown, text, found.start(1), found.end(1))
                    hint = "write `url(…)` with the logical path behind it"
                    yield left(f"`{found[1]}` is a function of Sprockets", place, hint)


def _published(logical: str) -> str:
    """Return what a file is published as: `.scss`, `.coffee`, `.js.erb` end in `.css` and `.js`."""
    stem, extension = posixpath.splitext(logical)
    while extension in {*_OTHERS, ".scss", ".sass"}:
        inner = posixpath.splitext(stem)[1]
        if inner in {".js", ".css", *_OTHERS, ".scss", ".sass"}:
            stem, extension = posixpath.splitext(stem)
        else:
            return stem + (".css" if extension in {".scss", ".sass", ".less"} else ".js")
    return stem + extension


def _directives(shown: str, text: str) -> Iterator[_Directive]:
    header = _HEADER.match(text)
    for found in _DIRECTIVE.finditer(text, 0, header.end() if header else 0):
        place = span_at(shown, text, found.start(), found.end())
        yield _Directive(found[1], found[2].strip(), place)


def _has_body(shown: str, text: str) -> bool:
    """Return whether a file holds anything but comments."""
    if shown.endswith(".js"):
        return any(kind > TRIVIA for kind in lex(text).kinds)
    if shown.endswith(".css"):
        return any(token.kind not in {"comment", "space"} for token in css_tokens(text))
    header = _HEADER.match(text)
    return bool(text[header.end() if header else 0 :].strip())


def _precompiled(folder: str, disk: Disk) -> Iterator[Diagnostic]:
    """Yield a finding for each line of Ruby that adds to what is compiled."""
    for shown in _RUBY:
        file = os.path.join(folder, shown)
        text = disk.read(file).decode(errors="replace") if disk.is_file(file) else ""
        for number, line in enumerate(text.splitlines(), 1):
            place = Span(shown, number, 1, len(line), line)
            code = line.partition("#")[0]
            if "assets.precompile" in code:
                yield left("Ruby code adds more entries", place, "name them under `[entries]`")
            elif "assets.paths" in code:
                yield left("Ruby code adds a folder to the load path", place, "name it under `roots`")
