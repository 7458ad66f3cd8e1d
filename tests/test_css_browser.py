"""Bundled and minified sheets against the sheets that they were made of, in a real browser."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from assetbuild.compiler.engines.css.bundle import bundle
from assetbuild.compiler.engines.css.minify import minified
from assetbuild.compiler.engines.css.parts import Sheet
from assetbuild.compiler.model import Source
from assetbuild.compiler.refs.css import survey
from assetbuild.compiler.refs.css.imports import Import
from assetbuild.compiler.refs.css.shape import shape
from tests.browser import chromium_browser

GRAPHS = 40
PROPERTIES = ["color", "background-color", "border-top-color", "outline-color", "border-left-color"]
CONDITIONS = [
    *("", "", "layer", "layer(x)", "layer(y)", "layer(x.z)", "LAYER(y)", "layer(x y)", "not all", "print", "screen"),
    *("supports(color: red)", "supports(color: nope)", "supports(selector(a > b)) screen", "(min-width: 1px), print"),
    *(
        "supports((color: red) and (not (display: nope)))",
        "layer(y) supports(color: red) screen",
        "supports(a:b) layer(x)",
    ),
]
BETWEEN = [
    "@layer z;",
    "@charset 'utf-8';",
    "@foo {}",
    "@layer;",
    ";",
    "<!--",
    "@layer x {}",
    "@page {}",
    "@import 'a.css' {}",
]
ENDS = [".u{color:red", "/* open", ".v", ".t{outline-color:#123;x:url('", "}", "@media screen {.t{color:#124}"]
WRAPPERS = [
    "@layer {} {{ {} }}",
    "@layer {{ {} }}",
    "@media screen {{ @layer {} {{ {} }} }}",
    "body {{ & {} }}",
    "}} {}",
    "{};",
]
MEASURE = """
(async () => {
  const found = [];
  for (const page of %s) {
    const frame = document.createElement("iframe");
    const loaded = new Promise((done) => { frame.onload = done });
    frame.src = page;
    document.body.append(frame);
    await loaded;
    const style = frame.contentWindow.getComputedStyle(frame.contentDocument.querySelector(".t"));
    found.push(%s.map((name) => style.getPropertyValue(name)).join());
    frame.remove();
  }
  return found;
})()
"""


class Author:
    """Writes sheets that nobody would: every declaration has a colour of its own, so that the winner shows."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.colours = 0

    def sheet(self) -> str:
        chance, choice = self.random.random, self.random.choice
        lines = ["@layer " + ", ".join(self.random.sample("xyzw", 2)) + ";"] if chance() < 0.3 else []
        for _ in range(self.random.randrange(4)):
            lines += [choice(BETWEEN)] if chance() < 0.1 else []
            lines.append(f"@import '{choice('abcd')}.css' {choice(CONDITIONS)};")
        lines += [self._rule() for _ in range(self.random.randrange(4))]
        return "\n".join([*lines, choice(ENDS) if chance() < 0.25 else ""])

    def _rule(self) -> str:
        names = self.random.sample(PROPERTIES, self.random.randint(1, 3))
        selector = self.random.choice([".t", "p.t", "body .t", ":root :is(.t)", "p"])
        rule = f"{selector} {{ {' ; '.join(self._declaration(name) for name in names)} }}"
        if self.random.random() < 0.6:
            return rule
        wrapper = self.random.choice(WRAPPERS)
        return wrapper.format(*[self.random.choice("xyw"), rule][2 - wrapper.replace("{{", "").count("{}") :])

    def _declaration(self, name: str) -> str:
        self.colours += 1
        return (
            f"{name} : rgb({self.colours % 251} {self.colours // 251} 0){self.random.choice(['', '', ' !important'])}"
        )


@contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def bundled(files: Mapping[str, str]) -> str:
    def load(source: Source) -> Sheet:
        return Sheet(source, files[source.file], (source,))

    def find(sheet: Sheet, rule: Import) -> Source:
        name = rule.ref.value
        return Source(name, name, name)

    text = bundle(load(Source("main.css", "main.css", "main.css")), find, load).text
    return text + shape(text).closing


def test_a_browser_shows_the_bundle_as_it_shows_the_sheets(tmp_path: Path, chromium: str) -> None:
    author = Author(seed=1)
    kinds = ["main", "bundle", "small"]
    for number in range(GRAPHS):
        files = {f"{name}.css": author.sheet() for name in ("a", "b", "c", "d", "main")}
        text = bundled(files)
        small = minified(text, survey(text).customs)
        assert small is not None
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, content in {**files, "bundle.css": text, "small.css": small}.items():
            (folder / name).write_text(content)
        for kind in kinds:
            (folder / f"{kind}.html").write_text(f"<!doctype html><link rel=stylesheet href={kind}.css><p class=t>x")
    (tmp_path / "index.html").write_text("<!doctype html><body>")
    pages = [f"{number}/{kind}.html" for number in range(GRAPHS) for kind in kinds]

    with served(tmp_path) as url, chromium_browser(chromium) as browser:
        (found,) = browser.look(url, MEASURE % (pages, PROPERTIES)).values

    shown = [found[at : at + len(kinds)] for at in range(0, len(found), len(kinds))]
    assert GRAPHS == len(shown)
    assert [] == [(number, seen) for number, seen in enumerate(shown) if len(set(seen)) > 1]
    # The graphs differ, so the proof is not one of nothing.
    assert len({seen[0] for seen in shown}) > GRAPHS / 2
