"""Ways out of the declared roots, through the imports and references of each language, and through links.

In each project, `../outside` holds one file of every language, and a word that must not be shown or published.
"""

from __future__ import annotations

import html
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePath

from tests.hostile.case import CARRIERS, PUBLISHED, Case, carried

__all__ = ["cases"]

_MISSING = "missing-reference"
_OUTSIDE = "outside-roots"

# Rule → the texts that end so.
_TEXTS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "css": {
        _MISSING: (
            '@import "../../outside/o.css";',
            'a{b:url("../../outside/o.txt")}',
            "a{b:url(%2e%2e/%2e%2e/outside/o.txt)}",
            'a{b:image-set("../../outside/o.png" 1x)}',
            r"a{b:url(\2e\2e/\2e\2e/outside/o.txt)}",
        ),
        PUBLISHED: (
            '@import "/etc/passwd";',
            'a{b:url("file:///etc/passwd")}',
            "a{b:c}/*# sourceMappingURL=../../outside/o.map */",
        ),
    },
    "css, bundled": {
        _MISSING: ('@import "../../outside/o.css";', '@import "~/../../../outside/o.css";'),
        PUBLISHED: ('@import "/etc/passwd";', '@import "/../../outside/o.css";'),
    },
    "rcssmin": {_MISSING: ('a{b:url("../../outside/o.txt")}', '@import "../../outside/o.css";')},
    "dart-sass": {
        _OUTSIDE: (
            '@use "../../outside/o";',
            '@import "../../outside/o";',
            '@use "%2e%2e/%2e%2e/outside/o";',
            '@use "sass:meta"; a { @include meta.load-css("../../outside/o"); }',
        ),
        "missing-stylesheet": ('@import "/etc/passwd";', '@use "pkg:../../../outside/o";'),
        "sass-error": (
            '@use "file:///etc/passwd";',
            '@import "file:///etc/passwd";',
            '@use "data:text/x-scss,a%7Bb%3Ac%7D";',
        ),
    },
    "libsass": {
        _OUTSIDE: ('@import "../../outside/o";',),
        _MISSING: ('@import "../../outside/o.css";',),
        "missing-stylesheet": (
            '@import "/etc/passwd";',
            '@import "file:///etc/passwd";',
            '@import "~/../../../outside/o";',
        ),
    },
    "script": {
        _MISSING: ('import "../../outside/o.js"', 'new URL("../../outside/o.txt", import.meta.url)'),
        PUBLISHED: ("a=1\n//# sourceMappingURL=../../outside/o.map",),
    },
    "script, minified": {PUBLISHED: ("a=1\n//# sourceMappingURL=../../outside/o.map",)},
    "classic": {PUBLISHED: ("a=1\n//# sourceMappingURL=../../outside/o.map",)},
    "module": {
        _OUTSIDE: (
            'import "../../outside/o.js"',
            'import "../../outside/o.json"',
            'import "../../outside/o.css"',
            'import a from "../../outside/o.txt"; a()',
            'import a from "../../outside/o.txt?raw"; a()',
            'import "/etc/passwd"',
            'require("../../outside/o.js")',
            'import("../../outside/o.js")',
        ),
        _MISSING: (
            'import a from "../../outside/o.png"; a()',
            'new URL("../../outside/o.txt", import.meta.url)',
            'new Worker(new URL("../../outside/o.js", import.meta.url))',
            'import "../../outside"',
            'import "..%2f..%2foutside/o.js"',
        ),
        "esbuild": ('import "file:///etc/passwd"',),
    },
    "typescript": {
        _OUTSIDE: (
            'import "../../outside/o"',
            'import a = require("../../outside/o"); a()',
            '/// <reference path="../../outside/o.ts" />\nimport "../../outside/o.ts"',
        )
    },
    "jsx": {"esbuild": ("/** @jsxImportSource ../../outside */ <a/>",)},
    "svg": {
        _MISSING: (
            '<svg xmlns="http://www.w3.org/2000/svg"><image href="../../outside/o.png"/></svg>',
            '<svg xmlns="http://www.w3.org/2000/svg"><use href="../../outside/o.svg#a"/></svg>',
            '<svg xmlns="http://www.w3.org/2000/svg"><style>@import "../../outside/o.css"</style></svg>',
            '<?xml-stylesheet href="../../outside/o.css"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        ),
        PUBLISHED: (
            '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
        ),
    },
    "html": {_MISSING: ('<img src="../../outside/o.png">',), PUBLISHED: ('<script src="/etc/passwd"></script>',)},
    "web manifest": {_MISSING: ('{"icons":[{"src":"../../outside/o.png"}]}',)},
    "tsconfig": {
        _OUTSIDE: (
            '{"extends": "../../outside/o.json"}',
            '{"extends": "/etc/passwd"}',
            '{"extends": "/dev/zero"}',
        ),
        PUBLISHED: (  # nothing is imported that they would lead out
            '{"compilerOptions": {"paths": {"*": ["../../outside/*"]}}}',
            '{"compilerOptions": {"baseUrl": "../../outside"}}',
            '{"compilerOptions": {"jsx": "react-jsx", "jsxImportSource": "../../outside"}}',
        ),
    },
    "package.json": {
        _OUTSIDE: (
            '{"main": "../../../outside/o.js"}',
            '{"main": "../../../../../../../dev/zero"}',
            '{"browser": {"./index.js": "../../../outside/o.js"}}',
            '{"module": "../../../outside/o.json"}',
        ),
        "missing-package": ('{"exports": "./../../../outside/o.js"}',),
        PUBLISHED: ('{"main": "/etc/passwd"}',),  # below the package's folder, where nothing is: so `index.js`
    },
    "source map": {
        PUBLISHED: (
            '{"version":3,"sources":["../../outside/o.js"],"names":[],"mappings":"AAAA"}',
            '{"version":3,"sources":["/etc/passwd"],"names":[],"mappings":"AAAA"}',
        )
    },
    "configuration": {
        "bad-value": (
            'roots = ["../outside"]',
            'roots = ["/etc"]',
            '[entries]\n"css/e.css" = "../outside/o.css"',
            '[entries]\n"css/e.css" = "/etc/passwd"',
            '[entries]\n"css/e.css" = { sources = ["../outside/*.css"], filters = [] }',
            '[sass]\nload_paths = ["../outside"]',
            '[urls]\naliases = { "@" = "../outside" }',
            '[templates]\npaths = ["../outside"]',
        )
    },
    "bundles.yaml": {
        "missing-source": ("bundles:\n  a:\n    contents: [../outside/o.css]\n    output: a.css\n",),
        _OUTSIDE: (
            "bundles:\n  a:\n    contents: [/etc/passwd]\n    output: a.css\n",
            "directory: /etc\nbundles:\n  a:\n    contents: [passwd]\n    output: a.css\n",
        ),
        "empty-bundle": ("bundles:\n  a:\n    contents: ['../outside/*.css']\n    output: a.css\n",),
        "invalid-yaml": ("!!python/object/apply:os.system ['cat ../outside/o.txt']\n",),
    },
    "jinja": {PUBLISHED: ('{% include "../../outside/o.txt" %}', '{% extends "/etc/passwd" %}')},
}

_NAMED = {
    **{("package.json", rule): "src/e.mjs" for rule in (_OUTSIDE, "missing-package")},
    **{("bundles.yaml", rule): "bundle `a`" for rule in ("missing-source", "empty-bundle")},
    ("bundles.yaml", _OUTSIDE): "`/etc/passwd`",
}
"""What an error names that is not about the file itself: who imports, the bundle, what lies outside."""

_URLS = {
    "//evil.example/x.png": PUBLISHED,
    "\\\\evil.example\\x.png": _MISSING,  # another host to a browser (WHATWG URL, "relative slash state")
    "/\\evil.example/x.png": PUBLISHED,
    "javascript:alert(1)": PUBLISHED,
    "data:text/css,a{b:url(data:image/svg+xml,<svg onload=alert(1)>)}": PUBLISHED,
    "file:///etc/passwd": PUBLISHED,
    "http:evil.example": PUBLISHED,
    "https://evil.example/x.png": PUBLISHED,
}
"""What is fetched by browsers alone, or by nobody."""
_REFERRING = {
    "css": 'a{{b:url("{}")}}',
    "css, bundled": 'a{{b:url("{}")}}',
    "css, lowered": 'a{{b:url("{}")}}',
    "rcssmin": 'a{{b:url("{}")}}',
    "dart-sass": 'a{{b:url("{}")}}',
    "libsass": 'a{{b:url("{}")}}',
    "module css": 'a{{b:url("{}")}}',
    "script": 'new URL("{}", import.meta.url)',
    "module": 'f(new URL("{}", import.meta.url))',
    "typescript": 'f(new URL("{}", import.meta.url) as URL)',
    "svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{}"/></svg>',
    "html": '<img src="{}">',
    "web manifest": '{{"icons":[{{"src":"{}"}}]}}',
}
_ESCAPING = {"html": html.escape, "svg": html.escape}

_SHORT = ("extends", "/passwd", "python/object")
"""What a text of the short form holds."""

_LINKED = {
    "css, bundled": ("src/l.css", '@import "l.css";', "o.css", _MISSING),
    "dart-sass": ("assets/_l.scss", '@use "l";', "o.scss", "irregular-file"),
    "libsass": ("assets/_l.scss", '@import "l";', "o.scss", "irregular-file"),
    "module": ("src/l.js", 'import "./l.js"', "o.js", _OUTSIDE),
    "module json": ("src/a.json", "", "o.json", _OUTSIDE),
    "tsconfig": ("src/tsconfig.json", "", "o.json", PUBLISHED),
    "package.json": ("node_modules/p/package.json", "", "o.json", _OUTSIDE),
    "source map": ("assets/a.js.map", "", "o.map", "irregular-file"),
    "css": ("assets/l.css", "", "o.css", "irregular-file"),
    "configuration": ("assetbuild.toml", "", "o.json", "outside-project"),
    "bundles.yaml": ("bundles.yaml", "", "o.txt", "outside-project"),
    "jinja": ("templates/a.html", "", "o.txt", PUBLISHED),
}
_SETTINGS = ("configuration", "bundles.yaml")


def _linked(file: str, target: str, project: Path) -> None:
    place = project / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(os.path.relpath(project.parent / "outside" / target, place.parent))


def _linked_folder(file: str, project: Path) -> None:
    place = project / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(project.parent / "outside")


def cases() -> Iterator[Case]:
    """Yield the cases of all languages."""
    for engine, by_rule in _TEXTS.items():
        for rule, texts in by_rule.items():
            for text in texts:
                yield _reaching(engine, text, rule)
    for engine, around in _REFERRING.items():
        for url, rule in _URLS.items():
            text = around.format(_ESCAPING.get(engine, _in_quotes)(url))
            yield carried(engine, f"a reference to {url}", partial(str, text), rule)
    for engine, (file, text, target, rule) in _LINKED.items():
        carrier = CARRIERS[engine]
        yield Case(
            engine,
            "a link to a file outside",
            partial(carrier.around, text),
            rule,
            "" if rule == PUBLISHED else PurePath(file).stem.removeprefix("_"),
            carrier.command,
            partial(_linked, file, target),
            exit_code=2 if engine in _SETTINGS else 1,
            is_short=True,
        )
    yield Case(
        "css",
        "a link to a folder outside",
        dict,
        "irregular-file",
        "assets/l",
        write=partial(_linked_folder, "assets/l"),
    )


def _reaching(engine: str, text: str, rule: str) -> Case:
    carrier = CARRIERS[engine]
    name = text if len(text) < 60 else text[:28] + " … " + text[-28:]
    is_setting = engine == "configuration" or rule == "invalid-yaml"
    return Case(
        engine,
        name.replace("\n", " "),
        partial(carrier.around, text),
        rule,
        "" if rule == PUBLISHED else _NAMED.get((engine, rule), carrier.file),
        carrier.command,
        exit_code=2 if is_setting else 1,
        is_short=any(word in text for word in _SHORT),
    )


def _in_quotes(url: str) -> str:
    return url.replace("\\", "\\\\")
