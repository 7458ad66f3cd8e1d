"""What a case is, and in which project a text of each language reaches its engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["CARRIERS", "JOINED", "PUBLISHED", "SECRET", "Carrier", "Case", "Files", "carried"]

Files = Mapping[str, str | bytes]

SECRET = "the-word-that-no-project-may-read"
"""Stands in every file that lies outside the declared roots."""

JOINED = "js/e.js"
"""What a finding names where an engine has read a text that was joined."""

PUBLISHED = "published"
"""What a case comes to if there is nothing to refuse."""

LIMIT_S = 150.0
"""Longer than any limit of an engine that a case may reach, times the loops that it has."""


class Case(NamedTuple):
    """One project and what the command has to make of it.

    write: makes what `files` cannot say (links, FIFOs) in the folder of the project. rule: what the error must be
    called, `PUBLISHED` if there must be none; where the machine decides which limit is met first, all that it may be
    (`engine-memory | engine-timeout`). named: what the error, or the warning, must name. exit_code: of an error.
    while_it_runs: called again and again. wrong: what is wrong with the output, beyond what holds for all.
    """

    engine: str
    name: str
    files: Callable[[], Files]
    rule: str = PUBLISHED
    named: str = ""
    command: str = "compile"
    write: Callable[[Path], None] | None = None
    while_it_runs: Callable[[Path], None] | None = None
    wrong: Callable[[Path], Iterator[str]] | None = None
    exit_code: int = 1
    is_short: bool = False
    limit_s: float = LIMIT_S

    @property
    def rules(self) -> frozenset[str]:
        """What the errors may be called."""
        return frozenset(self.rule.split(" | ")) - {PUBLISHED}

    @property
    def may_publish(self) -> bool:
        """Whether there may be no error."""
        return PUBLISHED in self.rule.split(" | ")

    @property
    def title(self) -> str:
        """What a table and a test call the case."""
        return f"{self.engine}: {self.name}"


class Carrier(NamedTuple):
    """A project in which `file` is what the engine reads. files: the others."""

    file: str
    files: Files
    command: str = "compile"

    def around(self, text: str | bytes) -> Files:
        """Return the project in which `text` stands in the file."""
        return {**self.files, self.file: text}


def _entry(made: str, rest: str = "") -> Files:
    return {"assetbuild.toml": f"[entries]\n{made}\n{rest}\n"}


CARRIERS = {
    "css": Carrier("assets/a.css", {}),
    "css, bundled": Carrier("src/a.css", _entry('"css/e.css" = "src/a.css"')),
    "css, lowered": Carrier(
        "src/a.css", _entry('"css/e.css" = "src/a.css"', '[css]\nengine = "esbuild"\ntargets = ["chrome80"]')
    ),
    "rcssmin": Carrier("src/a.css", _entry('"css/e.css" = { sources = ["src/a.css"], filters = ["rcssmin"] }')),
    "cssmin": Carrier("src/a.css", _entry('"css/e.css" = { sources = ["src/a.css"], filters = ["cssrewrite"] }')),
    "dart-sass": Carrier("assets/a.scss", {}),
    "sass, indented": Carrier("assets/a.sass", {}),
    "libsass": Carrier("assets/a.scss", {"assetbuild.toml": '[sass]\nengine = "libsass"\n'}),
    "script": Carrier("assets/a.js", {}),
    "script, minified": Carrier("assets/a.js", {"assetbuild.toml": 'roots = [{ path = "assets", minify = true }]\n'}),
    "classic": Carrier("src/a.js", _entry('"js/e.js" = { classic = ["src/a.js"] }')),
    "jsmin": Carrier("src/a.js", _entry('"js/e.js" = { sources = ["src/a.js"], filters = ["rjsmin"] }')),
    "module": Carrier("src/a.mjs", _entry('"js/e.js" = { module = "src/a.mjs" }')),
    "typescript": Carrier("src/a.ts", _entry('"js/e.js" = { module = "src/a.ts" }')),
    "jsx": Carrier("src/a.jsx", _entry('"js/e.js" = { module = "src/a.jsx" }')),
    "tsx": Carrier("src/a.tsx", _entry('"js/e.js" = { module = "src/a.tsx" }')),
    "module json": Carrier(
        "src/a.json", {**_entry('"js/e.js" = { module = "src/e.mjs" }'), "src/e.mjs": 'import a from "./a.json"; a()'}
    ),
    "module css": Carrier(
        "src/a.css", {**_entry('"js/e.js" = { module = "src/e.mjs" }'), "src/e.mjs": 'import "./a.css"'}
    ),
    "tsconfig": Carrier(
        "src/tsconfig.json", {**_entry('"js/e.js" = { module = "src/e.ts" }'), "src/e.ts": "export const a = 1"}
    ),
    "package.json": Carrier(
        "node_modules/p/package.json",
        {
            **_entry('"js/e.js" = { module = "src/e.mjs" }'),
            "src/e.mjs": 'import "p"',
            "node_modules/p/index.js": "export const a = 1",
        },
    ),
    "source map": Carrier(
        "assets/a.js.map",
        {
            "assetbuild.toml": 'roots = [{ path = "assets", minify = true }]\n[sourcemaps]\nmode = "public"\n',
            "assets/a.js": "var a = 1;\n//# sourceMappingURL=a.js.map\n",
        },
    ),
    "svg": Carrier("assets/a.svg", {}),
    "html": Carrier("assets/a.html", {}),
    "web manifest": Carrier("assets/a.webmanifest", {}),
    "png": Carrier("assets/a.png", {}),
    "configuration": Carrier("assetbuild.toml", {}),
    "bundles.yaml": Carrier("bundles.yaml", {"assetbuild.toml": '[webassets]\nenvironment = "bundles.yaml"\n'}),
    "jinja": Carrier("templates/a.html", {"assetbuild.toml": '[templates]\npaths = ["templates"]\n'}, "check"),
    "django": Carrier(
        "templates/a.html",
        {"assetbuild.toml": '[templates]\npaths = ["templates"]\nengine = "django"\n'},
        "check",
    ),
}
"""For each engine, the least project in which a text reaches it."""


def carried(engine: str, name: str, text: Callable[[], str | bytes], rule: str = PUBLISHED, **more: object) -> Case:
    """Return the case of one text in the file of its engine's project, which the error must name."""
    carrier = CARRIERS[engine]
    settings = {"named": "" if rule == PUBLISHED else carrier.file, "command": carrier.command, **more}
    return Case(engine, name, lambda: carrier.around(text()), rule, **settings)  # type: ignore[arg-type]
