"""A realistic application: Sass of both kinds, plain CSS, modules, TSX, pictures, fonts, npm packages."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

from builds.corpora.pieces import icon_texts, png, put

__all__ = ["ENTRIES", "SILENCED", "write"]

ENTRIES = {
    "css/main.css": "styles/main.scss",
    "css/bulma-site.css": "styles/bulma-site.scss",
    "css/site.css": "styles/site.css",
    "js/main.js": "js/main.js",
    "js/widget.js": "js/widget.tsx",
}
"""What is built of it, relative to `src`."""

SILENCED = ("import", "global-builtin", "color-functions", "if-function")
"""Deprecations of Sass that Bootstrap 5 cannot do without."""

_PARTIALS = 20
_COMPONENTS = 25
_LIBRARY = 40
_CHAIN = 10
_ROW = 8  # modules of the library that import one another
_PACKAGES = {
    "bootstrap": ("scss",),
    "bulma": ("sass", "bulma.scss"),
    "three": ("build",),
    "lodash-es": (),
    "alpinejs": ("dist",),
    "@vue/reactivity": ("dist",),
    "@vue/shared": ("dist",),
    "htmx.org": ("dist",),
    "@hotwired/stimulus": ("dist",),
    "react": (),
    "react-dom": (),
    "scheduler": (),
}
"""Packages of it, and the parts that a build may need (none named: everything)."""


def write(modules: Path, folder: Path, scale: float) -> None:
    """Write `src`, `node_modules`, package.json and tsconfig.json."""
    for name, parts in _PACKAGES.items():
        _take(modules / name, folder / "node_modules" / name, parts)
    pictures = _pictures(modules, folder / "src/images", max(20, int(300 * scale)))
    fonts = sorted((modules / "@fortawesome/fontawesome-free/webfonts").glob("*.woff2"))
    for font in fonts:
        put(folder / "src/fonts" / font.name, font.read_bytes())
    _sass(folder / "src/styles")
    _sheets(folder / "src/styles", pictures, [font.name for font in fonts])
    _scripts(folder / "src/js")
    _components(folder / "src/js")
    options = {"jsx": "react-jsx", "target": "es2020", "module": "esnext", "moduleResolution": "bundler"}
    put(folder / "tsconfig.json", json.dumps({"compilerOptions": options}))
    versions = {name: json.loads((modules / name / "package.json").read_text())["version"] for name in _PACKAGES}
    browsers = "chrome >= 107, firefox >= 104, safari >= 16"
    package = {"name": "bench-app", "private": True, "type": "module", "browserslist": browsers}
    put(folder / "package.json", json.dumps({**package, "dependencies": versions}, indent=1))


def _take(package: Path, folder: Path, parts: tuple[str, ...]) -> None:
    if not parts:
        shutil.copytree(package, folder)
    for part in ("package.json", *parts) if parts else ():
        if (package / part).is_dir():
            shutil.copytree(package / part, folder / part)
        else:
            put(folder / part, (package / part).read_bytes())


def _pictures(modules: Path, folder: Path, count: int) -> list[str]:
    """Return the names of what was written: three icons to one picture of noise."""
    chance, icons, names = random.Random(1), icon_texts(modules), []
    for number in range(count):
        if number % 4 == 3:
            names.append(f"photo{number:03}.png")
            put(folder / names[-1], png(chance, chance.choice((16, 32, 48, 96))))
        else:
            names.append(f"icon{number:03}.svg")
            put(folder / names[-1], f"{icons[number * 5 % len(icons)]}<!-- {number} -->\n")
    return names


def _sass(styles: Path) -> None:
    for number in range(_PARTIALS):
        rules = "".join(
            f".p{number:02}-{each} {{ padding: $gap{number} * {each + 1};"
            f" &:hover {{ color: mix(black, $primary, {each + 1}%); }}"
            f" .inner {{ @include media-breakpoint-up(md) {{ margin: $spacer * {each}; }} }} }}\n"
            for each in range(25)
        )
        put(styles / f"partials/_part{number:02}.scss", f"$gap{number}: {number + 1}px;\n{rules}")
    imports = "".join(f'@import "partials/part{number:02}";\n' for number in range(_PARTIALS))
    put(styles / "main.scss", f'$primary: #3355aa;\n@import "bootstrap/scss/bootstrap";\n{imports}')
    put(
        styles / "bulma-site.scss",
        '@use "bulma/sass" with ($primary: #663399);\n@use "extra";\n.mine { @include extra.box(4); }\n',
    )
    put(styles / "_extra.scss", '@use "sass:math";\n@mixin box($n) { padding: math.div($n, 2) * 1rem; }\n')


def _sheets(styles: Path, pictures: list[str], fonts: list[str]) -> None:
    """Write a chain of plain sheets, which refers to two thirds of the pictures, and the fonts at its head."""
    share = max(1, len(pictures) * 2 // 3 // _CHAIN)
    for number in range(_CHAIN):
        rules = f'@import "./chain{number + 1}.css";\n' if number < _CHAIN - 1 else ""
        for each in range(share):
            quote, picture = '"' * (each % 2), pictures[(number * share + each) % len(pictures)]
            url = f"{quote}../../images/{picture}{quote}"
            rules += f".c{number}-{each} {{ background: url({url}) no-repeat; margin: 0px 0px 0px 0px }}\n"
        put(styles / f"css/chain{number}.css", rules)
    faces = "".join(
        f'@font-face {{ font-family: "F{number}"; src: url("../fonts/{font}") format("woff2"); }}\n'
        for number, font in enumerate(fonts)
    )
    put(styles / "site.css", f'@import "./css/chain0.css";\n{faces}.fa {{ font-family: F0; }}\n')


def _scripts(js: Path) -> None:
    for number in range(_LIBRARY):
        is_last = number % _ROW == _ROW - 1
        onward = "" if is_last else f"import {{ run{number + 1} }} from './mod{number + 1:02}.js';\n"
        following = "" if is_last else f", next: run{number + 1}(list)"
        put(
            js / f"lib/mod{number:02}.js",
            f"import {{ chunk, debounce, groupBy }} from 'lodash-es';\n{onward}/** module {number} */\n"
            f"export function run{number}(list) {{\n"
            f"  const parts = groupBy(chunk(list, {number + 2}), (each) => each.length);\n"
            f"  return {{ parts, later: debounce(() => parts, {number}){following} }};\n}}\n"
            f"export const unused{number} = 'nobody asks for {number}';\n",
        )
    heads = range(0, _LIBRARY, _ROW)
    put(
        js / "main.js",
        "import * as THREE from 'three';\nimport Alpine from 'alpinejs';\nimport htmx from 'htmx.org';\n"
        "import { Application, Controller } from '@hotwired/stimulus';\n"
        "import { cloneDeep, merge } from 'lodash-es';\n"
        + "".join(f"import {{ run{each} }} from './lib/mod{each:02}.js';\n" for each in heads)
        + "Application.start().register('x', class extends Controller {});\nwindow.Alpine = Alpine;\nAlpine.start();\n"
        "const scene = new THREE.Scene();\n"
        "scene.add(new THREE.Mesh(new THREE.BoxGeometry(), new THREE.MeshBasicMaterial()));\n"
        "new THREE.WebGLRenderer().render(scene, new THREE.PerspectiveCamera());\n"
        f"console.log(merge(cloneDeep({{ a: 1 }}), {{ htmx }}), {', '.join(f'run{each}([1])' for each in heads)});\n",
    )


def _components(js: Path) -> None:
    for number in range(_COMPONENTS):
        put(
            js / f"components/C{number:02}.tsx",
            "import { useState } from 'react';\n"
            f"interface Props{number} {{ label: string; count?: number; items: {{ id: number; name: string }}[] }}\n"
            f"export function C{number:02}({{ label, count = {number}, items }}: Props{number}) {{\n"
            "  const [n, setN] = useState<number>(count);\n"
            "  return (<section className='card'><h2 onClick={() => setN(n + 1)}>{label} {n}</h2>\n"
            "    <ul>{items.map((it) => <li key={it.id}>{it.name as string}</li>)}</ul></section>);\n}\n",
        )
    numbers = range(_COMPONENTS)
    put(
        js / "widget.tsx",
        "import { StrictMode } from 'react';\nimport { createRoot } from 'react-dom/client';\n"
        + "".join(f"import {{ C{each:02} }} from './components/C{each:02}';\n" for each in numbers)
        + "const items = [{ id: 1, name: 'one' }];\n"
        "const root: HTMLElement | null = document.getElementById('root');\n"
        "if (root) createRoot(root).render(<StrictMode>"
        + "".join(f"<C{each:02} label='c{each}' items={{items}} />" for each in numbers)
        + "</StrictMode>);\n",
    )
