"""`--from vite`: the inputs of a Vite build as entries, with its aliases, definitions and public folder.

Receives the configuration as it is written; hands on an `Adopted`. Source of each rule: Vite's documentation (8), pages
"Configuring Vite", "Static Asset Handling", "Env Variables and Modes".
"""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Iterator
from importlib.util import find_spec

from assetbuild.adopt.adopted import STYLES, Adopted, Folder, Made, compiled_elsewhere, left, style, to_change
from assetbuild.adopt.code import Code
from assetbuild.adopt.django_templates import pages
from assetbuild.adopt.frozen import template_section
from assetbuild.adopt.objects import Node, Unknown, exported
from assetbuild.compiler.config import checks
from assetbuild.compiler.errors import ConfigError
from assetbuild.compiler.project import Project
from assetbuild.compiler.refs.js.lexer import lex
from assetbuild.compiler.refs.markup import html
from assetbuild.compiler.refs.markup.token import Tag
from assetbuild.compiler.templates import likely_folders
from assetbuild.diagnostic import Diagnostic, Span, span_at
from assetbuild.disk import Disk

__all__ = ["adopted"]

_NAMES = tuple(f"vite.config.{ext}" for ext in ("js", "mjs", "ts", "cjs", "mts", "cts"))
_SCRIPTS = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".tsx")
_COMPONENTS = (".vue", ".svelte", ".astro")
# vitejs/vite, `KNOWN_ASSET_TYPES`: what an import of makes a URL.
_ASSETS = (
    "apng,bmp,png,jpg,jpeg,jfif,gif,svg,ico,webp,avif,mp4,webm,ogg,mp3,wav,flac,aac,opus,mov,woff,woff2,eot,ttf,otf"
)
# What decides nothing about the output, or what we decide ourselves.
_QUIET = {
    *("appType", "base", "cacheDir", "clearScreen", "customLogger", "define", "envDir", "logLevel", "mode"),
    *("optimizeDeps", "plugins", "preview", "publicDir", "resolve", "root", "server", "test", "build", "css"),
}
_QUIET_BUILD = {
    *("assetsDir", "assetsInlineLimit", "chunkSizeWarningLimit", "copyPublicDir", "cssCodeSplit", "cssMinify"),
    *("emptyOutDir", "manifest", "minify", "modulePreload", "outDir", "reportCompressedSize", "rolldownOptions"),
    *("rollupOptions", "sourcemap", "target", "write"),
}
_OWN_PLUGINS = {"react", "reactRefresh"}
_TARGETS_OF_VITE = {"baseline-widely-available", "modules"}


def adopted(code: Code, disk: Disk) -> Adopted:
    """Return the configuration whose entries are the inputs."""
    return _Vite(code, disk).adopted()


class _Vite:
    """One configuration. Paths of it are relative to its root, ours to the project."""

    def __init__(self, code: Code, disk: Disk) -> None:
        self._code = code
        self._disk = disk
        self._shown = _config_file(code, disk)
        folder = os.path.join(code.folder, posixpath.dirname(self._shown))
        self._text = disk.read(os.path.join(code.folder, self._shown)).decode(errors="replace")
        self._config = exported(self._text, os.path.normpath(folder)) or Node({}, 0, 0)
        self.findings: list[Diagnostic] = []
        if not isinstance(self._config.value, dict):
            message = "what the configuration exports is known only when it runs"
            self._left(message, self._config, "write entries of your own for its inputs")
            self._config = Node({}, 0, 0)
        self._root = self._inside(os.path.join(folder, self._literal("root") or "."))

    def adopted(self) -> Adopted:
        """Return the configuration."""
        entries = list(dict.fromkeys(self._entries()))
        public = self._public()
        tops = sorted({entry.logical.partition("/")[0] for entry in entries if "/" in entry.logical})
        include = (f"**/*.{{{_ASSETS}}}",)
        roots = [Folder(self._below(top), top, include) for top in tops]
        for entry in entries:
            if "/" not in entry.logical:
                message = f"`{entry.sources[0]}` lies at the top of Vite's root, so that what it refers to has no root"
                hint = "if it imports pictures or fonts, name their folder under `roots`"
                self.findings.append(left(message, entry.place, hint))
        base = self._literal("base", "base")
        base = base if base != "/" and checks.base(base) is None else ""
        self._rest()
        paths = likely_folders(Project(self._code.folder, "", ()), self._disk)
        self._tags(paths, {self._key(entry): entry for entry in entries})
        return Adopted(
            f"Read from {self._shown}.",
            (*roots, *([Folder(public)] if public else [])),
            tuple(entries),
            base,
            keep_names=self._kept(public) if public else (),
            sections={**self._sections(bool(public), base), **template_section(paths, is_django=self._has_django())},
            findings=tuple(self.findings),
        )

    def _has_django(self) -> bool:
        return any(os.path.basename(file) == "manage.py" for file in self._code.files)

    def _literal(self, key: str, *said: str) -> str:
        """Return a text of the configuration. said: the key as our configuration has it, if it should be known."""
        node = self._config.get(*key.split("."))
        if node is not None and not isinstance(node.value, str) and said:
            self._left(f"`{key}` is known only when the configuration runs", node, f"write it as `{said[0]}`")
        return node.text() if node else ""

    def _left(self, message: str, node: Node, hint: str) -> None:
        self.findings.append(left(message, span_at(self._shown, self._text, node.start, node.end), hint))

    def _inside(self, file: str) -> str:
        shown = os.path.relpath(file, self._code.folder).replace(os.sep, "/")
        return "" if shown == "." else shown

    def _below(self, path: str) -> str:
        """Return a path of Vite's root, relative to the project."""
        root = os.path.join(self._code.folder, self._root)
        return self._inside(os.path.join(root, path if path.startswith(f"{self._code.folder}/") else path.lstrip("/")))

    def _key(self, entry: Made) -> str:
        """Return an entry as Vite's manifest names it."""
        return entry.sources[0].removeprefix(f"{self._root}/" if self._root else "")

    def _entries(self) -> Iterator[Made]:
        options = self._config.get("build", "rollupOptions") or self._config.get("build", "rolldownOptions")
        node = options.get("input") if options else None
        if node is None:
            yield from self._of_page(self._below("index.html"), Span(self._shown))
            return
        inputs = list(node.value.values()) if isinstance(node.value, dict) else node.value
        for one in inputs if isinstance(inputs, list) else [node]:
            place = span_at(self._shown, self._text, one.start, one.end)
            if not one.text():
                self._left(
                    "an input is known only when the configuration runs", one, "write an entry of your own for it"
                )
            elif one.text().endswith((".html", ".htm")):
                yield from self._of_page(self._below(one.text()), place)
            else:
                yield from self._entry(self._below(one.text()), place)

    def _entry(self, source: str, place: Span) -> Iterator[Made]:
        file = os.path.join(self._code.folder, source)
        if source.startswith("../"):
            message = f"`{source}` lies outside the project"
            self.findings.append(left(message, place, "copy it into the project, or move up the configuration"))
            return
        if not self._disk.is_file(file):
            found = next((ext for ext in _SCRIPTS if self._disk.is_file(file + ext)), "")
            if not found:
                self.findings.append(left(f"`{source}` is not there", place, "write an entry of your own for it"))
                return
            source += found
        logical, extension = posixpath.splitext(source.removeprefix(f"{self._root}/" if self._root else ""))
        if extension in STYLES:
            yield style(f"{logical}.css", source, place)
        elif extension in _SCRIPTS:
            yield Made(f"{logical}.js", "module", (source,), place=place)
        else:
            message = f"`{source}` is read by another compiler"
            self.findings.append(compiled_elsewhere(message, source, place))

    def _of_page(self, page: str, place: Span) -> Iterator[Made]:
        """Yield what an HTML page loads: its module scripts and stylesheets."""
        file = os.path.join(self._code.folder, page)
        if not self._disk.is_file(file):
            self.findings.append(left(f"`{page}` is not there", place, "write entries for what it loads"))
            return
        text = self._disk.read(file).decode(errors="replace")
        for token in html.tokens(text):
            if token.kind in {"start", "empty"} and token.name in {"script", "link"}:
                tag = Tag.of(token.name, html.attributes(text, token))
                given = {name: text[each.start : each.end] for name, each in tag.attributes.items()}
                is_module = given.get("type") == "module"
                url = given.get("src", "") if is_module else given.get("href", "")
                if (is_module or given.get("rel") == "stylesheet") and url and "//" not in url:
                    at = span_at(page, text, token.start, token.end)
                    yield from self._entry(self._below(url.removeprefix("./")), at)

    def _public(self) -> str:
        node = self._config.get("publicDir")
        if node is not None and node.value is False:
            return ""
        public = self._below(node.text() if node and node.text() else "public")
        return public if self._disk.is_folder(os.path.join(self._code.folder, public)) else ""

    def _kept(self, public: str) -> tuple[str, ...]:
        """Return globs for the public folder: its files are published under their own names, and so are they by us."""
        entries = self._disk.scan(os.path.join(self._code.folder, public))
        return tuple(f"{one.name}/**" if one.kind == "folder" else one.name for one in entries)

    def _sections(self, has_public: bool, base: str) -> dict[str, dict[str, object]]:
        sections: dict[str, dict[str, object]] = {"sass": {"auto": False}}
        urls: dict[str, object] = {}
        if aliases := self._aliases():
            urls["aliases"] = aliases
        if has_public:
            urls["public"] = "/"
        if urls:
            sections["urls"] = urls
        sections["js"] = {"define": self._definitions(base or Project("", "", ()).base)}
        if targets := self._targets():
            sections["js"]["targets"] = targets
        maps = self._config.get("build", "sourcemap")
        if maps is not None and maps.value is not False:
            mode = {"True": "public", "hidden": "hidden"}.get(str(maps.value))
            if mode:
                sections["sourcemaps"] = {"mode": mode}
            else:
                self._left("`build.sourcemap` is not translated", maps, "write `mode` under `[sourcemaps]`")
        return sections

    def _aliases(self) -> dict[str, str]:
        node = self._config.get("resolve", "alias")
        pairs: list[tuple[str, Node]] = []
        if node and isinstance(node.value, dict):
            pairs = list(node.value.items())
        elif node and isinstance(node.value, list):
            pairs = [
                (find.text() if (find := one.get("find")) else "", one.get("replacement") or one) for one in node.value
            ]
        found = {}
        for name, value in pairs:
            prefix = name.rstrip("/")
            target = value.text()
            if not target or checks.alias(prefix):
                message = f"the alias `{name or '…'}` is no prefix of a folder or package that is written out"
                self._left(message, value, "write it under `[urls] aliases` if it is one")
            else:
                found[prefix] = self._below(target) if os.path.isabs(target) else target
        return found

    def _definitions(self, base: str) -> dict[str, str]:
        """Return what stands for `import.meta.env` and for the names of `define`, as JavaScript."""
        known = {"BASE_URL": json.dumps(base), "DEV": "false", "MODE": '"production"', "PROD": "true", "SSR": "false"}
        for name in (".env", ".env.production"):
            folder = self._literal("envDir") or "."
            known |= dict(self._environment(self._below(posixpath.join(folder, name))))
        found = {f"import.meta.env.{name}": value for name, value in known.items()}
        node = self._config.get("define")
        for name, value in (node.value if node and isinstance(node.value, dict) else {}).items():
            if isinstance(value.value, str | int | float | None) and checks.identifier(name) is None:
                found[name] = value.value if isinstance(value.value, str) else json.dumps(value.value)
            else:
                self._left(f"`{name}` is known only when the configuration runs", value, "write it under `[js] define`")
        return found

    def _environment(self, shown: str) -> Iterator[tuple[str, str]]:
        file = os.path.join(self._code.folder, shown)
        text = self._disk.read(file).decode(errors="replace") if self._disk.is_file(file) else ""
        for number, line in enumerate(text.splitlines(), 1):
            name, equals, value = line.strip().partition("=")
            if not (equals and name.startswith("VITE_")):
                continue
            if "$" in value:
                place = Span(shown, number, 1, len(line), line)
                self.findings.append(
                    left(f"`{name}` is made of other variables", place, "write it under `[js] define`")
                )
                continue
            is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            yield name, json.dumps(value[1:-1] if is_quoted else value.partition(" #")[0].strip())

    def _targets(self) -> list[str]:
        node = self._config.get("build", "target")
        named = node.value if node and isinstance(node.value, list) else [node] if node else []
        found = []
        for one in named:
            if one.text() and checks.target(one.text()) is None:
                found.append(one.text())
            elif one.text() not in _TARGETS_OF_VITE:
                self._left("a target is known only when the configuration runs", one, "write it under `[js] targets`")
        return found

    def _rest(self) -> None:
        """Add a finding for each key that means something for the output and has no meaning here."""
        plugins = self._config.get("plugins")
        for one in plugins.value if plugins and isinstance(plugins.value, list) else []:
            name = one.value.function if isinstance(one.value, Unknown) else ""
            if name not in _OWN_PLUGINS:
                shown = f"`{name}`" if name else "what is written here"
                self._left(f"the plugin {shown} is not run", one, "see whether the output needs what it does")
        for path, quiet in (((), _QUIET), (("build",), _QUIET_BUILD), (("css",), {"devSourcemap"})):
            table = self._config.get(*path)
            for key, value in (table.value if table and isinstance(table.value, dict) else {}).items():
                if key not in quiet:
                    shown = ".".join((*path, "…" if key.startswith("...") else key))
                    self._left(f"`{shown}` is not translated", value, "see whether the output needs it")
        for shown in self._sources(self._root):
            self._source(shown)

    def _sources(self, above: str) -> Iterator[str]:
        for entry in self._disk.scan(os.path.join(self._code.folder, above)):
            shown = f"{above}/{entry.name}" if above else entry.name
            is_hidden = entry.name.startswith(".") or entry.name in {"node_modules", "dist", "build"}
            if entry.kind == "folder" and not is_hidden:
                yield from self._sources(shown)
            elif entry.kind == "file" and entry.name.endswith((*_SCRIPTS, *_COMPONENTS)):
                yield shown

    def _source(self, shown: str) -> None:
        if shown.endswith(_COMPONENTS):
            message = f"`{shown}` is compiled by a plugin"
            self.findings.append(left(message, Span(shown), "what imports it cannot be compiled here"))
            return
        text = self._disk.read(os.path.join(self._code.folder, shown)).decode(errors="replace")
        if "import.meta.glob" not in text:
            return
        lexed = lex(text, "module")
        words = list(lexed.significant())
        for number, index in enumerate(words[:-4]):
            if [lexed[each] for each in words[number : number + 5]] == ["import", ".", "meta", ".", "glob"]:
                place = span_at(shown, text, lexed.starts[index], lexed.starts[words[number + 4] + 1])
                self.findings.append(left("`import.meta.glob` is Vite's own", place, "write the imports out"))

    def _tags(self, paths: list[str], made: dict[str, Made]) -> None:
        """Add a note for each tag of django-vite."""
        if find_spec("django") is None:
            return
        for page in pages(self._code, paths, self._disk):
            for token in page.tokens:
                bits = token.contents.split()
                if token.token_type.name != "BLOCK" or not bits or not bits[0].startswith("vite_"):
                    continue
                entry = made.get(bits[1].strip("\"'")) if len(bits) > 1 else None
                place = page.place(token)
                if entry:
                    tag = "asset_url" if bits[0].endswith("_url") else "asset_tag"
                    hint = f'write {{% {tag} "{entry.logical}" %}}, after {{% load assetbuild %}}'
                else:
                    hint = "take it away: there is no development server" if len(bits) == 1 else "name an entry"
                self.findings.append(to_change(f"`{bits[0]}` is a tag of django-vite", place, hint))


def _config_file(code: Code, disk: Disk) -> str:
    """Return Vite's configuration, at the top of the project or in a folder of it; raise `ConfigError`."""
    folders = ["", *(one.name for one in disk.scan(code.folder) if one.kind == "folder" and one.name != "node_modules")]
    for folder in folders:
        for name in _NAMES:
            shown = f"{folder}/{name}" if folder else name
            if disk.is_file(os.path.join(code.folder, shown)):
                return shown
    message = "there is no `vite.config.js` or `.ts`, neither here nor in a folder below"
    raise ConfigError([Diagnostic("no-vite", "error", message, hint="name the folder that holds it")])
