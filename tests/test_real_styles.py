"""Real stylesheets from npm, configured as their own documentation asks, against npm's `sass` and a real browser."""

from __future__ import annotations

import contextlib
import json
import posixpath
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from assetbuild.compiler import Outcome
from assetbuild.compiler.refs.css import references
from assetbuild.disk import RealDisk
from assetbuild.release.verify import verify
from tests.browser import Visit, chromium_browser
from tests.conftest import Tree
from tests.serving import serving

Project = Callable[[Mapping[str, str | bytes]], Path]

# What each package's documentation has its user write. Between them: `pkg:`, `~`, load paths, package paths, references
# in partials, and references that Sass puts together.
SHEETS = {
    "govuk": '@use "pkg:govuk-frontend" as *;\n.own { color: govuk-colour("blue"); }\n',
    "gov": '@use "uswds-core" with ($theme-show-notifications: false);\n@forward "uswds";\n',
    "awesome": "".join(
        f'@use "@fortawesome/fontawesome-free/scss/{name}";\n' for name in ("fontawesome", "solid", "regular", "brands")
    ),
    "zurb": '@import "foundation";\n@include foundation-everything;\n',
    "material": '$primary-color: #c45434;\n@import "~materialize-css/sass/materialize";\n',
    "icons": '@import "bootstrap-icons/font/bootstrap-icons";\n',
    "math": '@use "katex/src/styles/katex" with ($font-folder: "~katex/dist/fonts", $use-ttf: false);\n',
    "own": '@use "parts/badge" with ($images: "img");\n',
    "parts/_badge": """$images: "" !default;
.icon { background: url(icon.png); }
.badge { background: url("../../#{$images}/badge one.png"); }
""",
}
PLAIN = """@import "~leaflet/dist/leaflet.css";
@import "jquery-ui/themes/base/all.css";
@import "katex/dist/katex.css";
"""
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c020000000b4944415478da6364f80f00010501012718e3660000"
    "000049454e44ae426082"
)
LOAD_PATHS = ("node_modules/@uswds/uswds/packages", "node_modules/foundation-sites/scss")
PLACES = """
roots = [
  "assets",
  { path = "node_modules/govuk-frontend/dist/govuk/assets", as = "govuk" },
  { path = "node_modules/@uswds/uswds/dist", as = "uswds", include = ["fonts/**", "img/*", "img/usa-icons*/*"] },
]
[urls]
mounts = { "assets" = "govuk", "fonts" = "uswds/fonts", "img" = "uswds/img" }
[compress]
gzip = false
br = false
"""
CONFIG = f"""{PLACES}
[entries]
"css/all.css" = "css/plain.css"
[sass]
load_paths = {json.dumps(LOAD_PATHS)}
"""
REFERENCE = """
const sass = require(process.cwd() + "/node_modules/sass");
const { pathToFileURL } = require("url");
const [loadPaths, files] = process.argv.slice(2).map((list) => list.split(","));
const tilde = { findFileUrl: (url) => (url[0] === "~" ? pathToFileURL("node_modules/" + url.slice(1)) : null) };
const importers = [new sass.NodePackageImporter(process.cwd()), tilde];
const compiled = (file) =>
  sass.compile(file, { loadPaths, importers, charset: false, logger: sass.Logger.silent }).css;
console.log(JSON.stringify(Object.fromEntries(files.map((file) => [file, compiled(file)]))));
"""


@pytest.fixture
def project(tree: Tree, installed_packages: Callable[[str], Path]) -> Project:
    """Return a function that writes a project whose `node_modules` is a link to the packages, as in a workspace."""

    def build(files: Mapping[str, str | bytes]) -> Path:
        folder = tree(files)
        (folder / "node_modules").symlink_to(installed_packages("npm-styles"))
        return folder

    return build


def everything(config: str) -> dict[str, str | bytes]:
    sheets = {f"assets/css/{name}.scss": text for name, text in SHEETS.items()}
    images = {"assets/css/parts/icon.png": PIXEL, "assets/img/badge one.png": PIXEL}
    return {"assetbuild.toml": config, "assets/css/plain.css": PLAIN, **sheets, **images}


def texts(outcome: Outcome) -> dict[str, str]:
    """Return every published sheet by its published path."""
    sheets = [asset for asset in outcome.assets if asset.media_type.startswith("text/css")]
    return {asset.path: asset.body.decode() for asset in sheets if isinstance(asset.body, bytes)}


def path_of(outcome: Outcome, logical: str) -> str:
    return next(asset.path for asset in outcome.assets if asset.logical == logical)


def split(css: str) -> tuple[str, list[str]]:
    """Return a sheet with a mark in the place of each reference that is ours to resolve, and what they were."""
    parts, found, at = [], [], 0
    for reference in references(css):
        if reference.value and not reference.value.startswith(("data:", "#")):
            parts.append(css[at : reference.start])
            found.append(reference.value)
            at = reference.end
    return "\0".join([*parts, css[at:]]).strip(), found


@contextlib.contextmanager
def by_npm(folder: Path, files: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Give npm's `sass` at work over `files`; it prints their CSS as one JSON object."""
    script = folder / "reference.cjs"
    script.write_text(REFERENCE)
    command = ["node", str(script), ",".join(("assets", "node_modules", *LOAD_PATHS)), ",".join(files)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        yield process


def lost(outcome: Outcome) -> list[str]:
    """Return every reference of a published sheet that names no published file."""
    published = {asset.path for asset in outcome.assets}
    return [
        f"{path}: {reference}"
        for path, css in texts(outcome).items()
        for reference in split(css)[1]
        if posixpath.normpath(posixpath.join(posixpath.dirname(path), urlsplit(reference).path)) not in published
    ]


def named(referenced: list[str]) -> list[str]:
    """Return what each reference calls its file, as published names have it, without their hash."""
    files = (posixpath.basename(unquote(urlsplit(reference).path)) for reference in referenced)
    return [re.sub(r"-[a-z2-7]{10}(?=\.)", "", file).replace(" ", "-") for file in files]


def test_real_sheets_compile_to_what_npms_sass_prints_and_every_reference_is_published(
    project: Project, compiled: Callable[..., Outcome]
) -> None:
    folder = project(everything(CONFIG + "[css]\nminify = false\n"))
    files = [f"assets/css/{name}.scss" for name in SHEETS if "/" not in name]

    with by_npm(folder, files) as reference:
        outcome = compiled(folder)
        expected: dict[str, str] = json.loads(reference.communicate()[0])

    sheets = texts(outcome)
    for file in files:
        logical = file.removeprefix("assets/").replace(".scss", ".css")
        wanted, written = split(expected[file])
        got, resolved = split(sheets[path_of(outcome, logical)])
        assert wanted == got, logical
        assert named(written) == named(resolved), logical
    assert [] == lost(outcome)
    assert {"sass-deprecation"} == {each.rule for each in outcome.diagnostics}
    assert () == verify(outcome.project.output, RealDisk()).diagnostics


# Loads every face and every image that the sheets of the page name; gives how many there were, and what failed.
LOAD_ALL = """(async () => {
  const failed = [], urls = new Set();
  const faces = [...document.fonts];
  await Promise.all(faces.map((face) => face.load().catch(() => failed.push(face.family + " " + face.weight))));
  const walk = (rules, base) => [...rules].forEach((rule) => {
    if (rule instanceof CSSStyleRule)
      for (const [, url] of rule.style.cssText.matchAll(/url\\("([^"#]+)"\\)/g)) urls.add(new URL(url, base).href);
    if (rule.cssRules) walk(rule.cssRules, base);
  });
  for (const sheet of document.styleSheets) walk(sheet.cssRules, sheet.href);
  const load = (url) => new Promise((done) => {
    const image = new Image();
    image.onload = done;
    image.onerror = () => done(failed.push(url));
    image.src = url;
  });
  await Promise.all([...urls].map(load));
  const families = [...new Set(faces.map((face) => face.family.replaceAll('"', "")))].sort();
  return { failed, faces: faces.length, families, images: [...urls].filter((url) => url.startsWith("http")).length };
})()"""
# An element that has an image by way of its class, and what the image is called.
ELEMENTS = {
    "leaflet-control-layers-toggle": "layers",
    "ui-widget-content ui-icon ui-icon-check": "ui-icons_444444_256x240",
    "icon": "icon",
    "badge": "badge-one",
}
FAMILIES = {
    "bootstrap-icons",
    "Font Awesome 7 Brands",
    "Font Awesome 7 Free",
    "GDS Transport",
    "KaTeX_Main",
    "Merriweather Web",
    "Roboto Mono Web",
    "Source Sans Pro Web",
}


def test_a_page_with_all_real_sheets_opens_clean_with_every_font_and_image(
    project: Project, compiled: Callable[..., Outcome], chromium: str
) -> None:
    outcome = compiled(project(everything(CONFIG)))

    sheets = [path_of(outcome, f"css/{name}.css") for name in [*SHEETS, "all"] if "/" not in name]
    links = "".join(f'<link rel="stylesheet" href="/static/{path}">' for path in sheets)
    body = "".join(f'<div class="{name}">x</div>' for name in ELEMENTS)
    page = f'<!doctype html><link rel="icon" href="data:,">{links}{body}'
    with serving(Path(outcome.project.output), page) as url, chromium_browser(chromium) as browser:
        unasked: Visit = browser.look(url)
        asked: Visit = browser.look(url, LOAD_ALL)
    loaded: dict[str, Any] = asked.values[0]
    assert [] == unasked.problems + asked.problems
    assert set(ELEMENTS.values()) <= {name.rpartition(".")[0] for name in named([*unasked.requests])}
    assert [] == loaded["failed"]
    assert set(loaded["families"]) >= FAMILIES
    assert loaded["faces"] >= 60
    assert loaded["images"] >= 40
    assert [] == lost(outcome)


def test_uswds_compiles_to_the_same_sheet_by_each_of_the_load_paths_in_use(
    project: Project, compiled: Callable[..., Outcome]
) -> None:
    package = "node_modules/@uswds/uswds"
    load_paths = [
        f"{package}/dist/scss/stylesheets",
        f"{package}/dist/theme",
        "node_modules/@uswds",
        f"{package}/packages",
    ]
    files: dict[str, str | bytes] = {
        "assets/css/dist.scss": SHEETS["gov"],
        "assets/css/organisation.scss": SHEETS["gov"].replace('"uswds"', '"uswds/packages/uswds"'),
        "assetbuild.toml": f"{PLACES}[sass]\nload_paths = {json.dumps(load_paths)}\n",
    }

    outcome = compiled(project(files), profile="fast")

    sheets = texts(outcome)
    dist, organisation = (sheets[path_of(outcome, f"css/{name}.css")] for name in ("dist", "organisation"))
    assert dist == organisation
    assert len(split(dist)[1]) >= 100
    assert [] == lost(outcome)
