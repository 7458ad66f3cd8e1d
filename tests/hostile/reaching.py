"""Ways out of the declared roots, through the imports and references of each language, and through links.

In each project, `../outside` holds one file of every language, and a word that must not be shown or published.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.hostile.case import ANY, CARRIERS, Case, Files

__all__ = ["cases"]

_TEXTS = {
    "css": (
        '@import "../../outside/o.css";',
        '@import "/etc/passwd";',
        'a{b:url("../../outside/o.txt")}',
        "a{b:url(%2e%2e/%2e%2e/outside/o.txt)}",
        'a{b:url("file:///etc/passwd")}',
        'a{b:image-set("../../outside/o.png" 1x)}',
        "a{b:c}/*# sourceMappingURL=../../outside/o.map */",
    ),
    "css, bundled": (
        '@import "../../outside/o.css";',
        '@import "/etc/passwd";',
        '@import "/../../outside/o.css";',
        '@import "~/../../../outside/o.css";',
    ),
    "rcssmin": ('a{b:url("../../outside/o.txt")}', '@import "../../outside/o.css";'),
    "dart-sass": (
        '@use "../../outside/o";',
        '@import "../../outside/o";',
        '@import "/etc/passwd";',
        '@use "file:///etc/passwd";',
        '@import "file:///etc/passwd";',
        '@use "%2e%2e/%2e%2e/outside/o";',
        '@use "pkg:../../../outside/o";',
        '@use "sass:meta"; a { @include meta.load-css("../../outside/o"); }',
        '@use "data:text/x-scss,a%7Bb%3Ac%7D";',
    ),
    "libsass": (
        '@import "../../outside/o";',
        '@import "../../outside/o.css";',
        '@import "/etc/passwd";',
        '@import "file:///etc/passwd";',
        '@import "~/../../../outside/o";',
    ),
    "script": (
        'import "../../outside/o.js"',
        'new URL("../../outside/o.txt", import.meta.url)',
        "a=1\n//# sourceMappingURL=../../outside/o.map",
    ),
    "script, minified": ("a=1\n//# sourceMappingURL=../../outside/o.map",),
    "classic": ("a=1\n//# sourceMappingURL=../../outside/o.map",),
    "module": (
        'import "../../outside/o.js"',
        'import "../../outside/o.json"',
        'import "../../outside/o.css"',
        'import a from "../../outside/o.txt"; a()',
        'import a from "../../outside/o.txt?raw"; a()',
        'import a from "../../outside/o.png"; a()',
        'import "/etc/passwd"',
        'import "file:///etc/passwd"',
        'require("../../outside/o.js")',
        'import("../../outside/o.js")',
        'new URL("../../outside/o.txt", import.meta.url)',
        'new Worker(new URL("../../outside/o.js", import.meta.url))',
        'import "../../outside"',
        'import "..%2f..%2foutside/o.js"',
    ),
    "typescript": (
        'import "../../outside/o"',
        'import a = require("../../outside/o"); a()',
        '/// <reference path="../../outside/o.ts" />\nimport "../../outside/o.ts"',
    ),
    "jsx": ("/** @jsxImportSource ../../outside */ <a/>",),
    "svg": (
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="../../outside/o.png"/></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg"><use href="../../outside/o.svg#a"/></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg"><style>@import "../../outside/o.css"</style></svg>',
        '<?xml-stylesheet href="../../outside/o.css"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
    ),
    "html": ('<img src="../../outside/o.png">', '<script src="/etc/passwd"></script>'),
    "web manifest": ('{"icons":[{"src":"../../outside/o.png"}]}',),
    "tsconfig": (
        '{"extends": "../../outside/o.json"}',
        '{"extends": "/etc/passwd"}',
        '{"extends": "/dev/zero"}',
        '{"compilerOptions": {"paths": {"*": ["../../outside/*"]}}}',
        '{"compilerOptions": {"baseUrl": "../../outside"}}',
        '{"compilerOptions": {"jsx": "react-jsx", "jsxImportSource": "../../outside"}}',
    ),
    "package.json": (
        '{"main": "../../../outside/o.js"}',
        '{"main": "/etc/passwd"}',
        '{"main": "../../../../../../../dev/zero"}',
        '{"exports": "./../../../outside/o.js"}',
        '{"browser": {"./index.js": "../../../outside/o.js"}}',
        '{"module": "../../../outside/o.json"}',
    ),
    "source map": (
        '{"version":3,"sources":["../../outside/o.js"],"names":[],"mappings":"AAAA"}',
        '{"version":3,"sources":["/etc/passwd"],"names":[],"mappings":"AAAA"}',
    ),
    "configuration": (
        'roots = ["../outside"]',
        'roots = ["/etc"]',
        '[entries]\n"css/e.css" = "../outside/o.css"',
        '[entries]\n"css/e.css" = "/etc/passwd"',
        '[entries]\n"css/e.css" = { sources = ["../outside/*.css"], filters = [] }',
        '[sass]\nload_paths = ["../outside"]',
        '[urls]\naliases = { "@" = "../outside" }',
        '[templates]\npaths = ["../outside"]',
    ),
    "bundles.yaml": (
        "bundles:\n  a:\n    contents: [../outside/o.css]\n    output: a.css\n",
        "bundles:\n  a:\n    contents: [/etc/passwd]\n    output: a.css\n",
        "directory: /etc\nbundles:\n  a:\n    contents: [passwd]\n    output: a.css\n",
        "bundles:\n  a:\n    contents: ['../outside/*.css']\n    output: a.css\n",
        "!!python/object/apply:os.system ['cat ../outside/o.txt']\n",
    ),
    "jinja": ('{% include "../../outside/o.txt" %}', '{% extends "/etc/passwd" %}'),
}

_SHORT = ("extends", "/passwd", "python/object")
"""What a text of the short form holds."""

_LINKED = {
    "css, bundled": ("src/l.css", '@import "l.css";', "o.css"),
    "dart-sass": ("assets/_l.scss", '@use "l";', "o.scss"),
    "libsass": ("assets/_l.scss", '@import "l";', "o.scss"),
    "module": ("src/l.js", 'import "./l.js"', "o.js"),
    "module json": ("src/a.json", "", "o.json"),
    "tsconfig": ("src/tsconfig.json", "", "o.json"),
    "package.json": ("node_modules/p/package.json", "", "o.json"),
    "source map": ("assets/a.js.map", "", "o.map"),
    "css": ("assets/l.css", "", "o.css"),
    "configuration": ("assetbuild.toml", "", "o.json"),
    "bundles.yaml": ("bundles.yaml", "", "o.txt"),
    "jinja": ("templates/a.html", "", "o.txt"),
}


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
    for engine, texts in _TEXTS.items():
        carrier = CARRIERS[engine]
        for text in texts:
            name = text if len(text) < 60 else text[:28] + " … " + text[-28:]
            yield Case(
                engine,
                name.replace("\n", " "),
                partial(carrier.around, text),
                ANY,
                command=carrier.command,
                is_short=any(word in text for word in _SHORT),
            )
    for engine, (file, text, target) in _LINKED.items():
        carrier = CARRIERS[engine]
        files: Files = carrier.around(text)
        yield Case(
            engine,
            "a link to a file outside",
            partial(dict, files),
            ANY,
            "",
            carrier.command,
            partial(_linked, file, target),
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
