"""Configuration: what is read, what zero-configuration finds, and how every fault is named at its place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import assetbuild.compiler
from assetbuild.compiler.config import Flags, configured_output, read
from assetbuild.compiler.errors import ConfigError
from assetbuild.compiler.project import Command, Compress, Css, Entry, Js, Project, Root, Sass, Templates, Tools, Urls
from assetbuild.diagnostic import Diagnostic
from assetbuild.disk import RealDisk
from tests.conftest import Tree

SCHEMA = json.loads((Path(assetbuild.compiler.__file__).parent / "config/config.schema.json").read_text())

EVERY_KEY = """\
output = "out/web"
base = "https://cdn.example/s/"
roots = [
  "assets",
  { path = "vendor/fa", as = "fa", include = ["webfonts/*"], exclude = ["*.txt"], missing = "warn", minify = true },
]
python_packages = []
exclude = ["**/*.psd"]
keep_names = ["downloads/**"]
site_root = ["robots.txt", ".well-known/**"]
names = "{hash}.{stem}{ext}"
salt = "2"

[entries]
"css/app.css" = "scss/app.scss"
"js/app.js" = { module = "js/app.ts", minify = false }
"js/plain.js" = "js/plain.js"
"js/classic.js" = { classic = ["vendor/jquery.js", "js/legacy/*.js"] }
"css/{name}.css" = "themes/{name}.scss"
"css/legacy.css" = { sources = ["legacy/*.scss"], filters = ["libsass", { rcssmin = { keep_bang_comments = true } }] }
"css/old.css" = { sources = ["old.scss"], engine = "libsass", minify = false }

[[commands]]
run = ["tailwindcss", "--output", "{output}/css/tw.css"]
inputs = ["templates/**/*.html", "pkg:crispy_tailwind/templates/**"]
outputs = ["css/tw.css"]
environment = { NODE_ENV = "production" }
program_sha256 = "abababababababababababababababababababababababababababababababab"
time_limit = 90

[sass]
engine = "libsass"
auto = false
load_paths = ["scss"]
silence = ["import"]
fatal = ["slash-div"]

[css]
engine = "esbuild"
minify = false
targets = ["chrome109", "safari16.4"]

[js]
minify = false
targets = ["es2022"]
define = { "process.env.MODE" = '"live"' }
external = ["react"]
splitting = false
format = "iife"
jsx = "transform"
jsx_import_source = "preact"
importmap = true

[urls]
aliases = { "~" = "node_modules" }
public = "/static/"
mounts = { "fonts" = "fa/webfonts" }

[missing]
allow = ["vendor/**"]

[sourcemaps]
mode = "public"

[compress]
gzip = false
br = false
zstd = true
min_gain = 0.2

[budgets]
"css/app.css" = "40 kB"
"js/app.js" = "1.5KiB"

[tools]
esbuild = "bin/esbuild"
dart-sass = "/opt/dart-sass/sass"
registry = "https://packages.example/npm/"

[cache]
local = "off"

[webassets]
environment = "shop.assets:environment"

[templates]
paths = ["templates"]
engine = "django"
extensions = ["shop.jinja.Money"]
"""


def project_of(folder: Path, flags: Flags | None = None, environ: dict[str, str] | None = None) -> Project:
    return read(str(folder), environ or {}, RealDisk(), flags or Flags(jobs=1))


def faults(folder: Path) -> list[str]:
    """Return each finding as `place rule: message | hint`."""
    with pytest.raises(ConfigError) as caught:
        project_of(folder)
    return [shown(found) for found in caught.value.diagnostics]


def shown(found: Diagnostic) -> str:
    span = found.span
    place = f"{span.path}:{span.line}:{span.column}+{span.length}" if span else "-"
    return f"{place} {found.rule}: {found.message}" + (f" | {found.hint}" if found.hint else "")


@pytest.fixture
def fault(tree: Tree) -> Callable[[str], str]:
    """Return a function that writes one configuration beside a root and gives its only fault without its place."""

    def only(config: str) -> str:
        (found,) = faults(tree({"assets/a.css": "", "assetbuild.toml": config}))
        return found.partition(" ")[2]

    return only


def test_every_key_of_the_configuration_reaches_the_project(tree: Tree) -> None:
    folder = tree({"assets/a.css": "", "vendor/fa/x": "", "assetbuild.toml": EVERY_KEY})

    project = project_of(folder)

    root = str(folder)
    assert project._replace(config_digest_hex="") == Project(
        folder=root,
        output=f"{root}/out/web",
        roots=(
            Root(f"{root}/assets", "assets"),
            Root(f"{root}/vendor/fa", "vendor/fa", "fa", ("webfonts/*",), ("*.txt",), "warn", True),
        ),
        config_shown="assetbuild.toml",
        base="https://cdn.example/s/",
        exclude=("**/*.psd",),
        keep_names=("downloads/**",),
        site_root=("robots.txt", ".well-known/**"),
        names="{hash}.{stem}{ext}",
        salt="2",
        entries=(
            Entry("css/app.css", "style", ("scss/app.scss",), place='entries."css/app.css"'),
            Entry("js/app.js", "module", ("js/app.ts",), minify=False, place='entries."js/app.js"'),
            Entry("js/plain.js", "script", ("js/plain.js",), place='entries."js/plain.js"'),
            Entry("js/classic.js", "classic", ("vendor/jquery.js", "js/legacy/*.js"), place='entries."js/classic.js"'),
            Entry("css/{name}.css", "style", ("themes/{name}.scss",), place='entries."css/{name}.css"'),
            Entry(
                "css/legacy.css",
                "filters",
                ("legacy/*.scss",),
                (("libsass", {}), ("rcssmin", {"keep_bang_comments": True})),
                place='entries."css/legacy.css"',
            ),
            Entry("css/old.css", "style", ("old.scss",), (), "libsass", False, 'entries."css/old.css"'),
        ),
        commands=(
            Command(
                ("tailwindcss", "--output", "{output}/css/tw.css"),
                ("templates/**/*.html", "pkg:crispy_tailwind/templates/**"),
                ("css/tw.css",),
                {"NODE_ENV": "production"},
                ("ab" * 32,),
                90,
                "commands[0]",
            ),
        ),
        sass=Sass("libsass", False, (f"{root}/scss",), ("import",), ("slash-div",)),
        css=Css("esbuild", False, ("chrome109", "safari16.4")),
        js=Js(
            minify=False,
            targets=("es2022",),
            define={"process.env.MODE": '"live"'},
            external=("react",),
            splitting=False,
            format="iife",
            jsx="transform",
            jsx_import_source="preact",
            importmap=True,
        ),
        urls=Urls({"~": "node_modules"}, "/static/", {"fonts": "fa/webfonts"}),
        missing_allow=("vendor/**",),
        sourcemaps="public",
        compress=Compress(False, False, True, 0.2),
        budgets={"css/app.css": 40_000, "js/app.js": 1536},
        tools=Tools(
            {"esbuild": f"{root}/bin/esbuild", "dart-sass": "/opt/dart-sass/sass"}, "https://packages.example/npm/"
        ),
        webassets="shop.assets:environment",
        templates=Templates((f"{root}/templates",), "django", ("shop.jinja.Money",), is_set=True),
        config_text=(folder / "assetbuild.toml").read_text(),
        jobs=1,
    )


def test_the_same_keys_are_read_from_pyproject(tree: Tree) -> None:
    config = '[tool.assetbuild]\nbase = "/s/"\n[tool.assetbuild.css]\nminify = false\n'
    folder = tree({"assets/a.css": "", "pyproject.toml": config})

    project = project_of(folder)

    assert (project.config_shown, project.base, project.css) == ("pyproject.toml", "/s/", Css(minify=False))


def test_a_pyproject_without_our_table_is_no_configuration(tree: Tree) -> None:
    folder = tree({"assets/a.css": "", "pyproject.toml": "[tool.other]\nx = 1\n"})

    assert project_of(folder).config_shown == ""


def test_two_configurations_are_an_error_that_names_both(tree: Tree) -> None:
    folder = tree({"assets/a.css": "", "assetbuild.toml": "", "pyproject.toml": "[tool.assetbuild]\n"})

    assert faults(folder) == [
        "assetbuild.toml:0:0+0 two-configurations: `assetbuild.toml` and `[tool.assetbuild]` in `pyproject.toml` "
        "both configure this project | keep one of them"
    ]


@pytest.mark.parametrize(
    ("files", "roots"),
    [
        (["assets/a", "static/b"], ["assets"]),
        (["static/b", "app/static/c"], ["static"]),
        (["app/static/c", "src/site/static/d"], ["app/static"]),
        (["src/site/static/d", "src/other/static/e"], ["src/other/static", "src/site/static"]),
        (["shop/static/a", "blog/static/b", ".venv/static/c", "node_modules/static/d"], ["blog/static", "shop/static"]),
    ],
)
def test_without_configuration_the_first_usual_folder_is_the_root(
    tree: Tree, files: list[str], roots: list[str]
) -> None:
    project = project_of(tree(dict.fromkeys(files, "")))

    assert [root.shown for root in project.roots] == roots
    assert project.detected == (f"roots = [{', '.join(json.dumps(root) for root in roots)}]",)


def test_a_project_without_any_root_is_told_what_was_looked_for(tree: Tree) -> None:
    assert faults(tree({})) == [
        "- no-roots: there is no folder of assets: looked for `assets`, `static`, `app/static`, `src/*/static`, "
        '`*/static` | make one of them, or say in `assetbuild.toml` where the assets are: `roots = ["some/folder"]`'
    ]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"

    assert faults(missing) == [f"- no-project: `{missing}` is not a folder | name the folder that holds the project"]


def test_all_faults_are_shown_at_once_each_at_its_place(tree: Tree) -> None:
    config = """\
ouput = "x"
roots = ["assest", 3, { path = "assets", missng = "warn" }]
[entries]
"js/a.js" = { classic = ["a.js", 1] }
[sass]
engine = "dart-sas"
[js]
minify = "yes"
"""

    assert faults(tree({"assets/a.css": "", "assetbuild.toml": config})) == [
        "assetbuild.toml:1:1+5 unknown-key: `ouput` is not a key of assetbuild.toml | did you mean `output`?",
        "assetbuild.toml:2:10+8 bad-value: `assest` is not a folder, at `roots[0]` (assetbuild.toml) "
        "| did you mean `assets`?",
        "assetbuild.toml:2:20+1 wrong-type: expected a string or a table, got `int` at `roots[1]` (assetbuild.toml)",
        "assetbuild.toml:2:42+6 unknown-key: `missng` is not a key of `roots[2]` (assetbuild.toml) "
        "| did you mean `missing`?",
        "assetbuild.toml:4:34+1 wrong-type: expected a list of strings, got `int` "
        'at `entries."js/a.js".classic[1]` (assetbuild.toml)',
        "assetbuild.toml:6:10+10 unknown-value: `dart-sas` is not a value of `sass.engine` (assetbuild.toml) "
        "| did you mean `dart-sass`?",
        "assetbuild.toml:8:10+5 wrong-type: expected true or false, got `string` at `js.minify` (assetbuild.toml)",
    ]


def test_a_fault_in_pyproject_names_its_table_and_its_line(tree: Tree) -> None:
    config = '[project]\nname = "x"\n\n[tool.assetbuild]\nexclude = [1]\nsaas = {}\n'

    assert faults(tree({"assets/a.css": "", "pyproject.toml": config})) == [
        "pyproject.toml:5:12+1 wrong-type: expected a list of strings, got `int` "
        "at `tool.assetbuild.exclude[0]` (pyproject.toml)",
        "pyproject.toml:6:1+4 unknown-key: `saas` is not a key of `tool.assetbuild` (pyproject.toml) "
        "| did you mean `sass`?",
    ]


def test_a_table_of_ours_that_is_no_table_is_an_error(tree: Tree) -> None:
    assert faults(tree({"assets/a.css": "", "pyproject.toml": "tool.assetbuild = 1\n"})) == [
        "pyproject.toml:1:19+1 wrong-type: expected a table, got `int` at `tool.assetbuild` (pyproject.toml)"
    ]


def test_a_text_that_is_not_toml_is_an_error_of_that_file(tree: Tree) -> None:
    assert ["assetbuild.toml:1:10+1 invalid-toml: the file is not TOML: invalid value"] == faults(
        tree({"assets/a.css": "", "assetbuild.toml": "roots = [\n"})
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_what_is_not_toml_is_shown_at_its_place(tree: Tree, end: str) -> None:
    """Python 3.11 to 3.13 tell the place in the sentence alone."""
    lines = ['salt = "é (at line 9, column 9)"', "[js]", "minify true"]

    assert [
        "assetbuild.toml:3:8+1 invalid-toml: the file is not TOML: expected `=` after a key in a key/value pair"
    ] == (faults(tree({"assets/a.css": "", "assetbuild.toml": end.join(lines)})))


def test_a_configuration_that_is_not_utf8_names_the_byte(tree: Tree) -> None:
    (found,) = faults(tree({"assets/a.css": "", "assetbuild.toml": b'salt = "\xff"\n'}))

    assert found == "assetbuild.toml:1:9+1 not-utf8: byte 0xff is not UTF-8 | save the file as UTF-8"


@pytest.mark.parametrize("key", ["[npm]", "[workers]", "[release]"])
def test_a_section_of_a_later_version_is_refused_by_name(fault: Callable[[str], str], key: str) -> None:
    name = key.strip("[]")

    assert fault(f"{key}\nx = 1\n") == f"not-supported: `{name}` is not supported by this version yet"


def test_single_keys_of_a_later_version_are_refused_by_name(fault: Callable[[str], str]) -> None:
    assert fault("[compress]\ndictionaries = 2\n") == (
        "not-supported: `compress.dictionaries` is not supported by this version yet"
    )


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ('base = "/static"', "`/static` must end with `/`, at `base`"),
        (
            'base = "static/"',
            "`static/` is not a URL base: expected `/static/` or `https://cdn.example/static/`, at `base`",
        ),
        (
            'base = "//cdn.example/"',
            "`//cdn.example/` is not a URL base: expected `/static/` or `https://cdn.example/static/`, at `base`",
        ),
        *(
            (
                f'base = "{base}"',
                f"`{base}` is not a URL base: expected `/static/` or `https://cdn.example/static/`, at `base`",
            )
            for base in ("/https://cdn.example", "/a&b/", "/a(b)/")
        ),
        (
            'base = "/a/../b/"',
            "`/a/../b/` is not a URL base: expected `/static/` or `https://cdn.example/static/`, at `base`",
        ),
        ('names = "{stem}{ext}"', "`{stem}{ext}` must contain `{hash}` once, at `names`"),
        ('names = "{hash}-{hash}{ext}"', "`{hash}-{hash}{ext}` must contain `{hash}` once, at `names`"),
        ('names = "{hash}"', "`{hash}` must end with `{ext}`, and contain it once, at `names`"),
        (
            'names = "{name}-{hash}{ext}"',
            "`{name}-{hash}{ext}` has `{name}`: the parts of a name are `{stem}`, `{hash}` and `{ext}`, at `names`",
        ),
        (
            'names = "a/{hash}{ext}"',
            "`a/{hash}{ext}` may hold letters, digits, `-`, `_` and `.` beside its parts, and must not "
            "begin with `.`, at `names`",
        ),
        (
            'names = ".{hash}{ext}"',
            "`.{hash}{ext}` may hold letters, digits, `-`, `_` and `.` beside its parts, and must not begin "
            "with `.`, at `names`",
        ),
        ('output = "/srv/x"', "`/srv/x` is absolute: it must be relative to the project, at `output`"),
        ('roots = ["../x"]', "`../x` leads out with `..`: it must stay inside the project, at `roots[0]`"),
        (
            'roots = ["**/static"]',
            "`**/static` spans folders: a root is named level by level, as in `*/static`, at `roots[0]`",
        ),
        ('roots = ["*/nothing"]', "`*/nothing` matches no folder, at `roots[0]`"),
        ('exclude = ["a//b"]', "`a//b` has an empty or `.` part, so it matches nothing, at `exclude[0]`"),
        ('exclude = ["[a"]', "`[a` is no glob: `[` is not closed in `[a`, at `exclude[0]`"),
        ('exclude = ["a\\\\b"]', "`a\\b` has a backslash: write `/` between folders, at `exclude[0]`"),
        ('python_packages = ["no-such"]', "`no-such` is not the dotted name of a package, at `python_packages[0]`"),
        ("[compress]\nmin_gain = 2", "`2` is not between 0 and 1, at `compress.min_gain`"),
        (
            '[budgets]\n"a.css" = "many"',
            '`many` is not a size: expected a number and a unit, such as `40 kB`, at `budgets."a.css"`',
        ),
        (
            '[templates]\nextensions = ["Money"]',
            "`Money` is not a class with its module: expected `package.module.Class`, at `templates.extensions[0]`",
        ),
        (
            '[webassets]\nenvironment = "shop.assets"',
            "`shop.assets` is neither a YAML file nor an object: expected `bundles.yaml`, `package.module:env` or "
            "`app:create_app()`, at `webassets.environment`",
        ),
        (
            '[webassets]\nenvironment = "../b.yml"',
            "`../b.yml` leads out with `..`: it must stay inside the project, at `webassets.environment`",
        ),
        (
            '[css]\ntargets = ["chrome1"]',
            '`targets` needs `engine = "esbuild"`: the built-in bundler lowers nothing, at `css.targets`',
        ),
        (
            '[js]\ntargets = ["chrome"]',
            "`chrome` is not a target: expected a browser and its version, such as `chrome109`, or a "
            "language, such as `es2022`, at `js.targets[0]`",
        ),
        (
            '[js.define]\n"a b" = "1"',
            '`a b` is not an identifier or a member expression such as `process.env.MODE`, at `js.define."a b"`',
        ),
        (
            '[urls.mounts]\n"/f" = "x"',
            '`/f` is absolute: it must be relative to the published root, at `urls.mounts."/f"`',
        ),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_in_the_users_words(
    fault: Callable[[str], str], config: str, expected: str
) -> None:
    assert fault(config).partition(" | ")[0] == f"bad-value: {expected} (assetbuild.toml)"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            '"/a.css" = "a.scss"',
            '`/a.css` is absolute: it must be relative to the published root, at `entries."/a.css"`',
        ),
        (
            '"a/../b.css" = "a.scss"',
            '`a/../b.css` leads out with `..`: it must stay inside the published root, at `entries."a/../b.css"`',
        ),
        ('"a\\u0007.css" = "a.scss"', '`a\x07.css` holds a control character, at `entries."a\x07.css"`'),
        ('"{x}.css" = "a.scss"', '`{x}.css` is no name: the only pattern is one `{name}`, at `entries."{x}.css"`'),
        ('"{name}.css" = "a.scss"', '`{name}.css` needs `{name}` once on both sides, at `entries."{name}.css"`'),
        ('"a.css" = "{name}.scss"', '`a.css` needs `{name}` once on both sides, at `entries."a.css"`'),
        ('"a.css" = "a.txt"', '`a.txt` is neither a stylesheet nor a script, at `entries."a.css"`'),
        (
            '"a.css" = "a.ts"',
            '`a.css` is compiled from scripts, so its name must end in `.js` or `.mjs`, at `entries."a.css"`',
        ),
        (
            '"a.js" = "a.scss"',
            '`a.js` is compiled from a stylesheet, so its name must end in `.css`, at `entries."a.js"`',
        ),
        ('"a.js" = {}', '`a.js` must have exactly one of `module`, `classic` and `sources`, at `entries."a.js"`'),
        ('"a.js" = { classic = [] }', '`[]` names no source, at `entries."a.js".classic`'),
        (
            '"a.js" = { module = "a.ts", classic = ["b.js"] }',
            '`a.js` must have exactly one of `module`, `classic` and `sources`, at `entries."a.js"`',
        ),
        (
            '"a.js" = { module = "a.ts", filters = [] }',
            '`filters` goes with `sources` only, at `entries."a.js".filters`',
        ),
        (
            '"a.js" = { module = "a.ts", engine = "esbuild" }',
            '`esbuild` is an engine for stylesheets, and this entry is none, at `entries."a.js".engine`',
        ),
        (
            '"a.css" = { sources = ["a.css"], engine = "libsass" }',
            '`libsass` cannot read `a.css`, at `entries."a.css".engine`',
        ),
        (
            '"a.css" = { sources = ["a.scss", "b.scss"] }',
            '`a.css` has several sources and no `filters`, at `entries."a.css".sources`',
        ),
    ],
)
def test_an_entry_that_cannot_be_meant_is_refused_at_its_place(
    fault: Callable[[str], str], entry: str, expected: str
) -> None:
    assert fault(f"[entries]\n{entry}\n").partition(" | ")[0] == f"bad-value: {expected} (assetbuild.toml)"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ('"a.scss"', "style"),
        ('"a.sass"', "style"),
        ('"a.css"', "style"),
        ('{ sources = ["a.scss"] }', "style"),
        ('{ sources = ["a.css", "b.css"], filters = [] }', "filters"),
    ],
)
def test_a_stylesheet_entry_is_known_by_its_source(tree: Tree, source: str, kind: str) -> None:
    folder = tree({"assets/a.css": "", "assetbuild.toml": f'entries = {{ "x.css" = {source} }}\n'})

    assert [entry.kind for entry in project_of(folder).entries] == [kind]


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ('"a.ts"', "module"),
        ('"a.tsx"', "module"),
        ('"a.jsx"', "module"),
        ('"a.mjs"', "module"),
        ('"a.js"', "script"),
        ('{ module = "a.js" }', "module"),
        ('{ classic = ["a.js"] }', "classic"),
        ('{ sources = ["a.js", "b.js"] }', "classic"),
        ('{ sources = ["a.js"], filters = ["rjsmin"] }', "filters"),
    ],
)
def test_a_script_entry_is_known_by_its_source_or_its_form(tree: Tree, source: str, kind: str) -> None:
    folder = tree({"assets/a.css": "", "assetbuild.toml": f'entries = {{ "x.js" = {source} }}\n'})

    assert [entry.kind for entry in project_of(folder).entries] == [kind]


def test_a_glob_of_roots_is_sorted_and_passes_over_the_output_and_hidden_folders(tree: Tree) -> None:
    files = ["shop/static/a", "blog/static/a", "build/static/a", ".old/static/a", "node_modules/static/a"]
    config = 'output = "build/static"\nroots = ["shop/static", "*/static"]\n'
    folder = tree({**dict.fromkeys(files, ""), "assetbuild.toml": config})

    assert [root.shown for root in project_of(folder).roots] == ["shop/static", "blog/static"]


def test_a_root_in_node_modules_only_warns_of_missing_references(tree: Tree) -> None:
    config = 'roots = ["assets", "node_modules/x", { path = "node_modules/y", missing = "error" }]\n'
    files = dict.fromkeys(["assets/a", "node_modules/x/a", "node_modules/y/a"], "")
    folder = tree({**files, "assetbuild.toml": config})

    assert [root.missing for root in project_of(folder).roots] == ["error", "warn", "error"]


def test_a_python_package_is_found_without_importing_it_or_its_parent(tree: Tree, tmp_path: Path) -> None:
    bomb = "raise SystemExit('imported')\n"
    site = tmp_path / "site"
    for name in ("shopkit/__init__.py", "shopkit/admin/__init__.py", "shopkit/admin/static/shop/a.css"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(bomb)
    folder = tree({"assetbuild.toml": 'python_packages = ["shopkit.admin"]\n'})
    code = (
        "import sys; from assetbuild.compiler.config import *; from assetbuild.disk import RealDisk\n"
        "[root] = read(sys.argv[1], {}, RealDisk(), Flags()).roots\n"
        "print(root.folder, root.shown, root.missing)"
    )
    environ = {**os.environ, "PYTHONPATH": f"{site}{os.pathsep}{Path(__file__).parent.parent}"}

    done = subprocess.run(
        [sys.executable, "-c", code, folder], env=environ, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == (f"{site}/shopkit/admin/static shopkit/admin/static warn\n", "")


def test_python_packages_come_after_the_roots_that_are_found(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site/shopkit/static").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    config = 'python_packages = ["shopkit"]\n'
    folder = tree({"assetbuild.toml": config, "blog/static/a.css": "", "shop/static/a.css": ""})

    assert [root.shown for root in project_of(folder).roots] == ["blog/static", "shop/static", "shopkit/static"]


@pytest.mark.parametrize(
    ("config", "flag", "expected"),
    [
        ('output = "assets/out"', "", "output `assets/out` lies in the root `assets`, and would be compiled again"),
        ('output = "."', "", "output `.` would hold the project itself"),
        ('roots = ["web/assets"]\noutput = "web"', "", "output `web` would hold the root `web/assets`"),
        ("", "assets", "`--output assets` lies in the root `assets`, and would be compiled again"),
    ],
)
def test_an_output_that_meets_its_sources_is_refused(tree: Tree, config: str, flag: str, expected: str) -> None:
    folder = tree({"assets/a.css": "", "web/assets/a.css": "", "assetbuild.toml": config + "\n"})

    with pytest.raises(ConfigError) as caught:
        project_of(folder, Flags(output=str(folder / flag) if flag else "", jobs=1))

    assert [found.message for found in caught.value.diagnostics] == [expected]


def test_flags_win_over_the_configuration_and_the_environment(tree: Tree, tmp_path: Path) -> None:
    folder = tree({"assets/a.css": "", "assetbuild.toml": 'output = "x"\n'})
    outside = str(tmp_path / "elsewhere")
    flags = Flags(outside, 3, "r2", "fast", is_offline=True, is_frozen=True, is_strict=True)

    project = project_of(folder, flags, {"ASSETBUILD_REVISION": "r1"})

    assert (project.output, project.jobs, project.revision, project.profile) == (outside, 3, "r2", "fast")
    assert (project.is_offline, project.is_frozen, project.is_strict) == (True, True, True)
    assert project_of(folder, environ={"ASSETBUILD_REVISION": "r1"}).revision == "r1"


def test_the_output_can_be_asked_for_where_no_root_is_left(tree: Tree) -> None:
    folder = tree({"assetbuild.toml": 'output = "dist"\n'})

    assert configured_output(str(folder), RealDisk()) == f"{folder}/dist"


def test_the_digest_of_the_configuration_is_the_same_in_every_folder(tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "two"):
        folder = tmp_path / name
        (folder / "assets").mkdir(parents=True)
        (folder / "assetbuild.toml").write_text('[sass]\nload_paths = ["scss"]\n[tools]\nesbuild = "x"\n')
        digests.add(project_of(folder, Flags(output=str(tmp_path / "out" / name), jobs=len(name))).config_digest_hex)

    assert len(digests) == 1


@pytest.mark.parametrize(
    "config",
    ['base = "/s/"', 'salt = "x"', 'exclude = ["x"]', "[css]\nminify = false", '[entries]\n"a.css" = "a.scss"'],
)
def test_the_digest_tells_what_decides_the_output(tree: Tree, config: str) -> None:
    folder = tree({"assets/a.css": "", "assetbuild.toml": ""})
    before = project_of(folder).config_digest_hex
    (folder / "assetbuild.toml").write_text(config)

    assert project_of(folder).config_digest_hex != before


def test_where_bundles_say_what_is_compiled_sass_compiles_nothing_by_itself(tree: Tree) -> None:
    folder = tree({"assets/a.css": "", "assetbuild.toml": '[webassets]\nenvironment = "bundles.yaml"'})

    assert not project_of(folder).sass.auto


def test_the_profile_is_part_of_the_digest(tree: Tree) -> None:
    folder = tree({"assets/a.css": ""})

    assert project_of(folder).config_digest_hex != project_of(folder, Flags(profile="fast")).config_digest_hex


def test_the_schema_for_editors_accepts_a_configuration_with_every_key_it_knows() -> None:
    document = tomllib.loads(EVERY_KEY)

    jsonschema.Draft7Validator.check_schema(SCHEMA)
    jsonschema.Draft7Validator(SCHEMA).validate(document)
    assert set(document) == set(SCHEMA["properties"])
    for name, section in SCHEMA["properties"].items():
        if "properties" in section:
            assert set(document[name]) == set(section["properties"])


def test_the_schema_and_the_reader_agree_on_defaults(tree: Tree) -> None:
    project = project_of(tree({"assets/a.css": ""}))
    found = {name: value["default"] for name, value in SCHEMA["properties"].items() if "default" in value}

    expected = {name: getattr(project, name) for name in ("base", "salt", "names")}
    expected |= {"output": os.path.relpath(project.output, project.folder)}
    expected |= {name: list(getattr(project, name)) for name in ("exclude", "keep_names", "site_root")}
    assert found == {**expected, "python_packages": []}
    for name in ("sass", "css", "js", "urls", "compress"):
        values = getattr(project, name)
        for key, value in SCHEMA["properties"][name]["properties"].items():
            default = value.get("default", SCHEMA["definitions"]["targets"]["default"])
            assert getattr(values, key) in (default, tuple(default) if isinstance(default, list) else default), key


def test_the_schema_and_the_reader_refuse_the_same_mistakes(tree: Tree) -> None:
    """One mistake of each kind at every key: another type, and a word that no key is named by."""
    folder = tree({"assets/a.css": "", "vendor/fa/x": ""})
    validator = jsonschema.Draft7Validator(SCHEMA)
    for broken in _mistakes(tomllib.loads(EVERY_KEY)):
        (folder / "assetbuild.toml").write_text(_toml(broken))

        assert not validator.is_valid(broken), broken
        with pytest.raises(ConfigError):
            project_of(folder)


def _mistakes(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {**document, "unheard": 1}
    for key, value in document.items():
        yield {**document, key: 1979}
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield {**document, key: [{**value[0], "unheard": 1}]}
            for name in value[0]:
                yield {
                    **document,
                    key: [{**value[0], name: 1979}] if name != "time_limit" else [{**value[0], name: "1"}],
                }
        elif key in {"entries", "budgets"}:
            for name in value:
                yield {**document, key: {**value, name: 1979}}
        elif isinstance(value, dict):
            for name in value:
                yield {**document, key: {**value, name: [{"x": 1}]}}
            yield {**document, key: {**value, "unheard": 1}}


def _toml(value: Any) -> str:
    """Return a document as TOML; JSON strings, numbers and lists of them are TOML already."""

    def inline(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{json.dumps(k)} = {inline(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(inline, value)) + "]"
        return json.dumps(value)

    return "".join(f"{json.dumps(key)} = {inline(inner)}\n" for key, inner in value.items())


def test_source_maps_are_made_only_when_asked_for(fault: Callable[[str], str], tree: Tree) -> None:
    hidden = '[sourcemaps]\nmode = "hidden"'

    assert project_of(tree({"assets/a.css": ""})).sourcemaps == "none"
    assert project_of(tree({"assets/a.css": "", "assetbuild.toml": hidden})).sourcemaps == "hidden"
    assert fault('[sourcemaps]\nmode = "publik"\n').endswith("did you mean `public`?")


@pytest.mark.parametrize(
    ("config", "where"),
    [
        ('[cache]\nlocal = "assets/cache"', "the root `assets`"),
        ('[cache]\nlocal = "build/assets/cache"', "the output"),
    ],
)
def test_a_cache_that_would_be_published_is_refused(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, config: str, where: str
) -> None:
    monkeypatch.delenv("ASSETBUILD_CACHE", raising=False)

    (found,) = faults(tree({"assets/a.css": "", "assetbuild.toml": config}))

    assert f"lies in {where}, and would be published" in found
    assert found.startswith("assetbuild.toml:2:")


def test_a_cache_in_a_dot_folder_of_a_root_is_not_published(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSETBUILD_CACHE", raising=False)
    folder = tree({"a.css": "", "assetbuild.toml": 'roots = ["."]\noutput = "../out"\n[cache]\nlocal = ".cache"'})

    assert [] == [found for found in faults(folder) if "cache" in found]


@pytest.mark.parametrize("part", ["a", '"a b"', "'a'", "a "])
def test_a_key_of_very_many_parts_is_refused_without_being_read(tree: Tree, part: str) -> None:
    """`tomllib` takes quadratic time for it."""
    folder = tree({"assetbuild.toml": f"{part}." * 100_000 + "a = 1"})

    with pytest.raises(ConfigError) as failed:
        read(str(folder), {}, RealDisk(), Flags())

    assert ["the file is nested too deeply"] == [each.message for each in failed.value.diagnostics]


def test_a_configuration_that_is_no_file_is_an_error_and_not_an_absence(tree: Tree) -> None:
    folder = tree({"assets/a.css": ""})
    (folder / "assetbuild.toml").symlink_to("elsewhere.toml")

    with pytest.raises(ConfigError) as failed:
        read(str(folder), {}, RealDisk(), Flags())

    assert [("irregular-file", "`assetbuild.toml` is no regular file")] == [
        (each.rule, each.message) for each in failed.value.diagnostics
    ]
