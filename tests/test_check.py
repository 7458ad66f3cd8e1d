"""`check`: the real compile in memory, then the names in templates against what it made."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from jinja2 import Environment

from assetbuild.compiler import Outcome, opening
from assetbuild.compiler.config import Flags, read
from assetbuild.compiler.errors import ConfigError, DiagnosticsError, EngineUnavailable
from assetbuild.compiler.tools import Program
from assetbuild.disk import RealDisk
from assetbuild.inspect import check as check_module
from assetbuild.inspect.check import Report, check
from assetbuild.manifest import Manifest
from assetbuild.web.assets import Assets
from assetbuild.web.jinja import UnknownAsset, install
from tests.conftest import Tree

CONFIG = '[templates]\npaths = ["templates"]\n'


class Sealed(RealDisk):
    """A disk on which nothing can be made, changed or removed."""

    def _refuse(self, *_: object) -> NoReturn:
        raise AssertionError("a check writes nothing")

    def make_folder(self, folder: str) -> NoReturn:
        self._refuse()

    def lock(self, folder: str) -> NoReturn:
        self._refuse()

    def sweep(self, folder: str) -> int:
        self._refuse()

    def write(self, folder: str, path: str, body: bytes) -> NoReturn:
        self._refuse()

    def copy(self, file: str, folder: str, path: str, size: int, sha256_hex: str) -> NoReturn:
        self._refuse()

    def commit(self, folder: str, path: str, body: bytes) -> NoReturn:
        self._refuse()

    def install(self, folder: str, path: str, parts: Iterable[bytes], mode: int = 0o755) -> NoReturn:
        self._refuse()

    def sync(self, folder: str) -> NoReturn:
        self._refuse()

    def remove(self, folder: str, path: str) -> NoReturn:
        self._refuse()

    def touch(self, folder: str, path: str, older_s: float) -> NoReturn:
        self._refuse()


def checked(folder: Path, *, jobs: int = 2, is_frozen: bool = False) -> Report:
    disk = Sealed()
    project = read(str(folder), os.environ, disk, Flags(jobs=jobs, is_offline=True, is_frozen=is_frozen))
    return check(project, disk=disk, environ=os.environ)


def said(report: Report) -> list[str]:
    """Return each finding as `path:line:column severity rule: message | hint`."""
    return [
        (f"{each.span.path}:{each.span.line}:{each.span.column} " if each.span else "")
        + f"{each.severity} {each.rule}: {each.message}"
        + (f" | {each.hint}" if each.hint else "")
        for each in report.diagnostics
    ]


def snapshot(folder: Path) -> Iterator[tuple[str, int, int, int]]:
    for file in sorted(folder.rglob("*")):
        status = file.lstat()
        yield str(file), status.st_size, status.st_mtime_ns, status.st_ino


def test_names_that_a_compile_makes_are_right_and_all_others_are_shown_at_once(tree: Tree) -> None:
    folder = tree(
        {
            "assetbuild.toml": CONFIG + '[entries]\n"css/app.css" = "app.scss"\n',
            "assets/app.scss": "a { b: c }",
            "assets/img/dot.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
            "templates/b.html": "{{ asset_tag('css/app.css') }}\n{{ asset_url('/img/dot.svg') }}",
            "templates/a/a.html": "{{ asset_url('css/ap.css') }}{{ asset_url(name) }}\n{% if %}",
            "templates/c.html": "{{ asset_url('app.scss') }}{{ asset_url(x) }}",
        }
    )

    report = checked(folder)

    assert said(report) == [
        "templates/a/a.html:2:7 error unreadable-template: Jinja cannot read the template: Expected an expression, "
        "got 'end of statement block'",
        "templates/b.html:2:15 error unknown-asset: `/img/dot.svg` is not in the manifest; a logical path has no base, "
        "query or fragment: write `img/dot.svg`",
        "templates/c.html:1:15 error unknown-asset: `app.scss` is not in the manifest; did you mean `css/app.css`?",
        "templates/c.html:1:31 note dynamic-name: `asset_url` gets this name when the template is rendered: it is not "
        "checked",
    ]
    assert (1, 2, 3, 3) == (report.exit_code, report.assets, report.templates, report.names)


def test_a_check_writes_nothing(tree: Tree) -> None:
    folder = tree(
        {
            "assetbuild.toml": CONFIG + 'extensions = ["shop.jinja.Nothing"]\n',
            "assets/a.css": "a { b: c }",
            "shop/__init__.py": "",
            "shop/jinja.py": "from jinja2.ext import Extension\nclass Nothing(Extension):\n    tags = {'nothing'}\n",
            "templates/a.html": "{{ asset_url('a.css') }}",
        }
    )
    before = list(snapshot(folder))

    report = checked(folder)

    assert [] == said(report)
    assert 0 == report.exit_code
    assert before == list(snapshot(folder))


def test_the_stylesheet_of_a_module_is_a_name(tree: Tree, esbuild: Program) -> None:
    del esbuild
    folder = tree(
        {
            "assetbuild.toml": CONFIG + '[entries]\n"js/app.js" = { module = "app.ts" }\n',
            "assets/app.ts": 'import "./app.css"\nexport const a: number = 1',
            "assets/app.css": "a { b: c }",
            "templates/a.html": "{{ asset_preload('js/app.js') }}{{ asset_tag('js/app.css') }}",
        }
    )

    assert [] == said(checked(folder))


def test_bundles_of_webassets_are_names_and_a_broken_template_is_said_once(tree: Tree) -> None:
    folder = tree(
        {
            "assetbuild.toml": CONFIG + '[webassets]\nenvironment = "bundles.yaml"\n',
            "bundles.yaml": "base: {contents: a.js, output: gen/base.js}",
            "assets/a.js": "var a = 1 ;",
            "templates/a.html": '{% assets "base" %}{% endassets %}{% assets "bas" %}{% endassets %}\n'
            '{% assets "a.js", filters="rjsmin", output="gen/b.js" %}{% endassets %}{% assets "a.js" %}{% endassets %}',
            "templates/b.js": "assets {# x",
        }
    )

    assert said(checked(folder)) == [
        "templates/a.html:1:46 error unknown-bundle: `bas` is not a bundle in the manifest; did you mean `base`?",
        "templates/b.js:1:0 warning unreadable-template: Jinja cannot read the template: Missing end of comment tag",
    ]


def test_without_an_environment_of_webassets_its_tag_says_what_is_missing(tree: Tree) -> None:
    folder = tree({"assetbuild.toml": CONFIG, "assets/a.js": "", "templates/a.html": "{% assets 'b' %}{% endassets %}"})

    assert said(checked(folder)) == [
        "templates/a.html:1:12 error unknown-bundle: `b` is not a bundle in the manifest; name the environment of the "
        "bundles in `[webassets] environment` and compile again"
    ]


@pytest.mark.parametrize("bundles", ["", "base: {contents: a.js, output: gen/base.js}"])
@pytest.mark.parametrize("name", ["bas", "a.j", "sitecss", "?a.js", ""])
def test_an_unknown_bundle_is_told_as_it_is_when_the_page_is_rendered(
    tree: Tree, compiled: Callable[..., Outcome], bundles: str, name: str
) -> None:
    environment = '[webassets]\nenvironment = "bundles.yaml"\n' if bundles else ""
    page = f"{{% assets '{name}' %}}{{% endassets %}}"
    folder = tree(
        {
            "assetbuild.toml": CONFIG + environment,
            "bundles.yaml": bundles,
            "assets/a.js": "",
            "templates/a.html": page,
        }
    )
    jinja = Environment()
    install(jinja, Assets(Manifest(compiled(folder).manifest)))
    with pytest.raises(UnknownAsset) as raised:
        jinja.from_string(page)

    assert [f"templates/a.html:1:{12 if name else 11} error unknown-bundle: {raised.value.message}"] == said(
        checked(folder)
    )


def test_an_asset_that_a_function_cannot_take_is_an_error(tree: Tree) -> None:
    folder = tree(
        {
            "assetbuild.toml": CONFIG,
            "assets/a.woff2": b"\0",
            "assets/dot.gif": b"GIF89a",
            "assets/a.css": "a { background: url(dot.gif) }",
            "assets/b.css": "/*" + "b" * 20_000 + "*/",
            "templates/a.html": "{{ asset_tag('a.woff2') }}\n{{ asset_inline('a.css') }}\n{{ asset_inline('b.css') }}\n"
            "{{ asset_inline('b.css', limit_bytes=30000) }}",
        }
    )

    report = checked(folder)

    assert [(each.rule, each.span.line) for each in report.diagnostics if each.span] == [
        ("unfit-asset", 1),
        ("unfit-asset", 2),
        ("unfit-asset", 3),
    ]
    assert "`a.woff2` (font/woff2) has no tag of its own; write one with its URL" == report.diagnostics[0].message
    assert "refers to `dot.gif`" in report.diagnostics[1].message


def test_the_static_route_of_a_framework_may_serve_another_folder(tree: Tree) -> None:
    text = "{{ url_for('static', filename='a.css') }}{{ url_for('static', filename='b.cs') }}"
    folder = tree({"assetbuild.toml": CONFIG, "assets/a.css": "", "templates/a.html": text})

    report = checked(folder)

    assert said(report) == [
        "templates/a.html:1:73 warning unknown-static: `b.cs` is not in the manifest | "
        "if the route serves another folder, all is well"
    ]
    assert 0 == report.exit_code


def test_django_templates_are_checked_without_settings(tree: Tree) -> None:
    folder = tree(
        {
            "assetbuild.toml": CONFIG + 'engine = "django"\n',
            "assets/css/a.css": "",
            "templates/a.html": "{% load static assetbuild %}{% static 'css/a.css?v=1' %}{% static '/css/a.css' %}"
            "{% static 'css/' %}{% static '' %}{% static '../csss/a%2ecss' %}\n"
            "{% asset_tag 'css/a.css' %}{% asset_url 'css/b.css' %}{% static x %}",
        }
    )

    assert said(checked(folder)) == [
        "templates/a.html:1:127 error unknown-asset: `../csss/a.css` is not in the manifest; did you mean `css/a.css`?",
        "templates/a.html:2:42 error unknown-asset: `css/b.css` is not in the manifest; did you mean `css/a.css`?",
        "templates/a.html:2:65 note dynamic-name: `static` gets this name when the template is rendered: it is not "
        "checked",
    ]


def test_what_is_wrong_with_sources_and_templates_is_shown_together(tree: Tree) -> None:
    folder = tree(
        {
            "assetbuild.toml": CONFIG,
            "assets/a.css": "a { b: url(no.png) }",
            "templates/a.html": "{{ asset_url('a.css') }}{{ asset_url('b.css') }}",
            "templates/b.html": "{% endif %}",
            "templates/c.html": b"caf\xe9",
        }
    )

    report = checked(folder)

    assert [line.partition(" | ")[0] for line in said(report)] == [
        "note unchecked-names: the names in templates were not checked: the compile failed, so that nobody knows what "
        "there is",
        "assets/a.css:1:12 error missing-reference: `no.png` is not in any asset root",
        "templates/b.html:1:4 error unreadable-template: Jinja cannot read the template: Encountered unknown tag "
        "'endif'",
        "templates/c.html:1:4 error not-utf8: byte 0xe9 is not UTF-8",
    ]
    assert 1 == report.exit_code


def test_a_project_that_cannot_be_compiled_here_keeps_its_exit_code(tree: Tree) -> None:
    folder = tree(
        {
            "assetbuild.toml": CONFIG + '[webassets]\nenvironment = "gone.yaml"\n',
            "assets/a.css": "",
            "templates/a.html": "{% if %}",
        }
    )

    report = checked(folder)

    assert ["unreadable", "unreadable-template"] == [each.rule for each in report.diagnostics]
    assert 2 == report.exit_code


def test_the_findings_are_the_same_for_any_number_of_workers(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_module, "_BATCH_CHARACTERS", 60)
    pages = {f"templates/{n:02}.html": f"{{{{ asset_url('no{n}') }}}}{{% cache %}}" * 2 for n in range(20)}
    folder = tree({"assetbuild.toml": CONFIG, "assets/a.css": "", **pages})

    one, several = checked(folder, jobs=1), checked(folder, jobs=3)

    assert one == several
    assert (20, 40, 80) == (one.templates, one.names, len(one.diagnostics))


def test_frozen_runs_no_extension_but_jinjas_own(tree: Tree) -> None:
    extensions = 'extensions = ["jinja2.ext.do", "shop.jinja.Money"]\n'
    folder = tree({"assetbuild.toml": CONFIG + extensions, "assets/a.css": "", "templates/a.html": "{% do x %}"})

    with pytest.raises(ConfigError) as raised:
        checked(folder, is_frozen=True)

    (found,) = raised.value.diagnostics
    assert "`shop.jinja.Money` is Python code, which `--frozen` does not run" == found.message
    assert found.span
    assert ("assetbuild.toml", 3, 32) == found.span[:3]


def test_an_extension_that_fails_is_named_with_its_place(tree: Tree) -> None:
    folder = tree(
        {
            "assetbuild.toml": CONFIG + 'extensions = ["shop.Bad"]\n',
            "shop.py": "print('to stdout')\nraise SystemExit(3)\n",
            "assets/a.css": "",
            "templates/a.html": "a",
        }
    )

    with pytest.raises(DiagnosticsError) as raised:
        checked(folder)

    assert ["extension `shop.Bad` cannot be loaded: SystemExit: 3"] == [e.message for e in raised.value.diagnostics]
    assert not (folder / "__pycache__").exists()


def test_an_engine_that_is_not_installed_says_what_to_install(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(check_module._ENGINES, "jinja", ("no_such_engine", "pip install it"))
    folder = tree({"assetbuild.toml": CONFIG, "assets/a.css": "", "templates/a.html": "a"})

    with pytest.raises(EngineUnavailable) as raised:
        checked(folder)

    assert [("the templates need the package `no_such_engine`, which is not installed", "pip install it")] == [
        (each.message, each.hint) for each in raised.value.diagnostics
    ]


def test_a_project_without_templates_is_compiled_all_the_same(tree: Tree) -> None:
    report = checked(tree({"assets/a.css": "a{}"}))

    assert Report((), 0, 1, 0, 0, {"css": 1}) == report


def test_where_to_name_the_templates_is_said_for_the_file_that_configures(tree: Tree) -> None:
    folder = tree({"pyproject.toml": "[tool.assetbuild]\n", "assets/a.css": "a{}", "app/templates/a.html": "{% if %}"})

    assert said(checked(folder)) == [
        "warning unset-templates: no template is checked: `[templates] paths` is not set, and there is "
        '`app/templates/` | write `paths = ["app/templates"]` under `[tool.assetbuild.templates]` in `pyproject.toml`'
    ]


def test_a_check_reads_what_a_compile_has_kept_and_keeps_nothing(
    tree: Tree, compiled: Callable[..., Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSETBUILD_CACHE", str(tmp_path / "cache"))
    folder = tree(
        {
            "assetbuild.toml": CONFIG + '[entries]\n"css/app.css" = "app.scss"\n',
            "assets/app.scss": "a { b: c }",
            "assets/b.css": "a { b: c }",
            "templates/a.html": "{{ asset_url('css/app.css') }}",
        }
    )
    compiled(folder)
    monkeypatch.setattr(opening, "RealDisk", Sealed)
    warm = checked(folder)
    (folder / "assets/app.scss").write_text("a { b: d }")
    before = list(snapshot(tmp_path))

    edited, again = checked(folder), checked(folder)

    assert {} == warm.engine_runs
    assert {"style": 1} == edited.engine_runs == again.engine_runs
    assert [] == said(edited)
    assert before == list(snapshot(tmp_path))
