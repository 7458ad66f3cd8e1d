"""From configuration and flags to a `Project`: the only reader of `assetbuild.toml` and `[tool.assetbuild]`.

Receives a folder; hands on plain values. Every fault is collected and shown at once, with its place. Of the
environment only `ASSETBUILD_REVISION` is read here (docs/reference/configuration.md lists what the tools read).
Defaults stand in `project.py`, the shape of strings in `checks.py`, the same keys in `config.schema.json`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from assetbuild.compiler import door
from assetbuild.compiler.config import checks, sections
from assetbuild.compiler.config.commands import read_commands
from assetbuild.compiler.config.entries import read_entries
from assetbuild.compiler.config.locate import locate, written
from assetbuild.compiler.config.roots import LOOKED_FOR, Folders, detect, read_roots
from assetbuild.compiler.config.schema import Document, Table
from assetbuild.compiler.errors import ConfigError
from assetbuild.compiler.project import Profile, Project, Root, Tools
from assetbuild.diagnostic import Diagnostic, Span, reason_of, span_at
from assetbuild.disk import Disk
from assetbuild.manifest.names import is_text
from assetbuild.toml import fault_in

__all__ = [
    "CONFIG_FILE",
    "OUTPUT",
    "Flags",
    "configured_in",
    "configured_output",
    "configured_tools",
    "place_of",
    "read",
]

CONFIG_FILE = "assetbuild.toml"
_PYPROJECT = "pyproject.toml"
OUTPUT = "build/assets"
"""Where the output goes if nothing else is said; the reader looks there too."""
# Named in the design, and not there yet: silence would look like support.
_LATER = ("npm", "workers", "release")
# Where, how fast, and what is said: none of it reaches a byte of the output. Tools count by their recorded version.
_NEUTRAL = (
    *("folder", "output", "config_shown", "config_text", "budgets", "tools", "templates", "detected"),
    *("config_digest_hex", "revision", "cache_folder", "jobs", "is_offline", "is_frozen", "is_strict", "warnings"),
)


# Two hundred parts: `tomllib` takes quadratic time for a key, minutes for a hundred thousand parts (3.11).
_LONG_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){200}""")


class Flags(NamedTuple):
    """What the command line says beside the configuration.

    output: absolute folder, "" for the configured one. jobs: 0 for one per processor that this process may use.
    revision: "" for ASSETBUILD_REVISION. is_cached: results of earlier builds are used, and kept for later ones.
    """

    output: str = ""
    jobs: int = 0
    revision: str = ""
    profile: Profile = "production"
    is_offline: bool = False
    is_frozen: bool = False
    is_strict: bool = False
    is_cached: bool = True


def read(folder: str, environ: Mapping[str, str], disk: Disk, flags: Flags) -> Project:
    """Return the project in `folder`; raise `ConfigError` with every fault of its configuration."""
    folder = _existing(folder, disk)
    document, values = _document(folder, disk)
    table = Table(document, values)
    project = _project(table, folder, environ, disk, flags)
    if any(finding.severity == "error" for finding in document.findings):
        raise ConfigError(document.findings)
    return project


def configured_in(folder: str, disk: Disk) -> str:
    """Return the file that configures the project in `folder`, "" if none does; raise `ConfigError` as `read` does."""
    return _document(_existing(folder, disk), disk)[0].shown


def configured_output(folder: str, disk: Disk) -> str:
    """Return the absolute output folder of the project in `folder`. No root is needed: its sources may be gone."""
    document, values = _document(os.path.realpath(folder), disk)
    output = Table(document, values).text("output", OUTPUT, checks.folder)
    if document.findings:
        raise ConfigError(document.findings)
    return os.path.normpath(os.path.join(os.path.realpath(folder), output))


def configured_tools(folder: str, disk: Disk) -> Tools:
    """Return `[tools]` of the project in `folder`; looks at nothing else: an image layer may have no sources yet."""
    document, values = _document(os.path.realpath(folder), disk)
    tools = sections.tools(Table(document, values).table("tools"), os.path.realpath(folder))
    if document.findings:
        raise ConfigError(document.findings)
    return tools


def place_of(project: Project, place: str) -> Span | None:
    """Return where `place`, such as `entries."js/app.js".classic[1]`, stands; the whole file where that is unsure."""
    if not project.config_shown:
        return None
    prefix = "tool.assetbuild." if project.config_shown == _PYPROJECT else ""
    places = locate(project.config_text, tomllib.loads(project.config_text))
    found = next((each for path, each in places.items() if written(path) == prefix + place), None)
    if found is None:
        return Span(project.config_shown)
    return span_at(project.config_shown, project.config_text, *found.value)


def _existing(folder: str, disk: Disk) -> str:
    folder = os.path.realpath(folder)
    if not disk.is_folder(folder):
        _fail("no-project", f"`{folder}` is not a folder", "name the folder that holds the project")
    return folder


def _fail(rule: str, message: str, hint: str = "", shown: str = "") -> NoReturn:
    raise ConfigError([Diagnostic(rule, "error", message, Span(shown) if shown else None, hint)])


def _document(folder: str, disk: Disk) -> tuple[Document, Mapping[str, object]]:
    """Return the one configuration of the project, an empty one if there is none."""
    text, own = _toml(folder, CONFIG_FILE, disk)
    shared_text, shared = _toml(folder, _PYPROJECT, disk)
    tool = shared.get("tool") if shared else None
    inner = tool.get("assetbuild") if isinstance(tool, Mapping) else None
    if own is not None and inner is not None:
        message = f"`{CONFIG_FILE}` and `[tool.assetbuild]` in `{_PYPROJECT}` both configure this project"
        _fail("two-configurations", message, "keep one of them", CONFIG_FILE)
    if own is not None:
        return Document(CONFIG_FILE, text, own), own
    if shared is None or inner is None:
        return Document("", "", {}), {}
    document = Document(_PYPROJECT, shared_text, shared, ("tool", "assetbuild"))
    if not isinstance(inner, Mapping):
        Table(document, {}).mistyped("a table", inner)
        raise ConfigError(document.findings)
    return document, inner


def _toml(folder: str, name: str, disk: Disk) -> tuple[str, Mapping[str, object] | None]:
    file = os.path.join(folder, name)
    if not disk.is_file(file):
        if os.path.lexists(file):  # somebody meant to configure something
            _fail("irregular-file", f"`{name}` is no regular file", "put a file in its place, or remove it", name)
        return "", None
    if not os.path.realpath(file).startswith(os.path.join(os.path.realpath(folder), "")):
        # Its errors would quote what lies there, and a project comes from whoever may send a change.
        _fail("outside-project", f"`{name}` is a link that leads out of the project", "put the file in its place", name)
    try:
        text = door.admit(disk.read(file), name)
        if _LONG_KEY.search(text):
            raise RecursionError
        return text, tomllib.loads(text)
    except door.Refused as error:
        raise ConfigError(error.diagnostics) from None
    except tomllib.TOMLDecodeError as error:
        fault = fault_in(text, error)
        message, place = f"the file is not TOML: {fault.sentence}", span_at(name, text, fault.offset)
        raise ConfigError([Diagnostic("invalid-toml", "error", message, place, fault.hint)]) from None
    except ValueError:  # Python's own refusal: its limit on the digits of an integer guards against quadratic time
        _fail("invalid-toml", "the file holds a number of too many digits", shown=name)
    except RecursionError:
        _fail("invalid-toml", "the file is nested too deeply", shown=name)
    except OSError as error:
        _fail("unreadable", f"the file cannot be read: {reason_of(error)}", "let this user read it", name)


def _project(table: Table, folder: str, environ: Mapping[str, str], disk: Disk, flags: Flags) -> Project:
    defaults = Project(folder, "", ())
    configured = table.text("output", OUTPUT, checks.folder)
    output = flags.output or os.path.normpath(os.path.join(folder, configured))
    roots, detected = _roots(table, folder, output, disk)
    project = Project(
        folder=folder,
        output=output,
        roots=roots,
        config_shown=table.document.shown,
        config_text=table.document.text,
        base=table.text("base", defaults.base, checks.base, checks.meant_base),
        exclude=table.texts("exclude", checks.glob),
        keep_names=table.texts("keep_names", checks.glob),
        site_root=table.texts("site_root", checks.glob),
        names=table.text("names", defaults.names, checks.names),
        salt=table.text("salt", defaults.salt, checks.printable),
        entries=read_entries(table.table("entries")),
        commands=read_commands(table),
        sass=sections.sass(table.table("sass"), folder, is_auto=not table.has("webassets")),
        css=sections.css(table.table("css")),
        js=sections.js(table.table("js")),
        urls=sections.urls(table.table("urls")),
        missing_allow=sections.missing(table.table("missing")),
        secrets_allow=sections.secrets(table.table("secrets")),
        svg=sections.svg(table.table("svg")),
        sourcemaps=sections.sourcemaps(table.table("sourcemaps")),
        compress=sections.compress(table.table("compress")),
        budgets=sections.budgets(table.table("budgets")),
        tools=sections.tools(table.table("tools"), folder),
        webassets=sections.webassets(table.table("webassets")),
        templates=sections.templates(table.table("templates"), folder),
        cache_folder=sections.cache(table.table("cache"), folder, environ) if flags.is_cached else "",
        detected=detected,
        revision=_revision(table, flags.revision or environ.get("ASSETBUILD_REVISION", "")),
        profile=flags.profile,
        jobs=flags.jobs or _processors(),
        is_offline=flags.is_offline,
        is_frozen=flags.is_frozen,
        is_strict=flags.is_strict,
    )
    table.close(_LATER)
    _check_output(table, project, is_told=bool(flags.output))
    _check_cache(table, project, environ)
    return project._replace(config_digest_hex=_digest(project))


def _revision(table: Table, text: str) -> str:
    if text and not is_text(text):
        message = f"the revision `{text}` holds a control character, or is not UTF-8"
        table.document.error("bad-revision", message, (), "give one line of text, such as the hash of the commit")
    return text


def _roots(table: Table, folder: str, output: str, disk: Disk) -> tuple[tuple[Root, ...], tuple[str, ...]]:
    """Return the roots, and in TOML what was found where none is configured."""
    folders = Folders(folder, output, disk)
    configured = read_roots(table, folders)
    if table.has("roots"):
        return configured, ()
    roots = detect(folders)
    if not roots and not any(map(table.has, ("python_packages", "entries", "commands", "webassets"))):
        looked_for = ", ".join(f"`{pattern}`" for pattern in LOOKED_FOR)
        hint = f'make one of them, or say in `{CONFIG_FILE}` where the assets are: `roots = ["some/folder"]`'
        table.document.error("no-roots", f"there is no folder of assets: looked for {looked_for}", (), hint)
    found = ", ".join(json.dumps(root.shown, ensure_ascii=False) for root in roots)
    packages = [root for root in configured if root.folder not in {each.folder for each in roots}]
    return (*roots, *packages), (f"roots = [{found}]",) if roots else ()


def _check_output(table: Table, project: Project, *, is_told: bool) -> None:
    """Report an output that would be compiled again, or would swallow its sources. is_told: by `--output`."""
    shown = os.path.relpath(project.output, project.folder).replace(os.sep, "/")
    output = f"`--output {shown}`" if is_told else f"output `{shown}`"
    faults = [f"{output} would hold the project itself"] if _holds(project.output, project.folder) else []
    for root in project.roots:
        if _holds(root.folder, project.output):
            faults.append(f"{output} lies in the root `{root.shown}`, and would be compiled again")
        elif _holds(project.output, root.folder) and not faults:
            faults.append(f"{output} would hold the root `{root.shown}`")
    for message in faults:
        hint = f"a folder of its own, such as `{OUTPUT}`"
        table.document.error("bad-output", message, None if is_told else ("output",), hint)


def _check_cache(table: Table, project: Project, environ: Mapping[str, str]) -> None:
    """Report a cache that would be published, or that the output would be found full of."""
    if not project.cache_folder:
        return
    shown = os.path.relpath(project.cache_folder, project.folder).replace(os.sep, "/")
    is_told = bool(environ.get("ASSETBUILD_CACHE"))
    cache = f"the cache `{shown}`" + (" of `ASSETBUILD_CACHE`" if is_told else "")
    place = ("cache", "local")
    for folder, what in [
        *((root.folder, f"the root `{root.shown}`") for root in project.roots),
        (project.output, "the output"),
    ]:
        inside = os.path.relpath(os.path.realpath(project.cache_folder), os.path.realpath(folder))
        if not any(segment.startswith(".") for segment in inside.split(os.sep) if segment != "."):
            message = f"{cache} lies in {what}, and would be published"
            hint = "a folder of its own, such as `.cache/assetbuild`, or none: it lies in the user's own by default"
            table.document.error("bad-cache", message, None if is_told else place, hint)
            return


def _holds(outer: str, inner: str) -> bool:
    return os.path.join(os.path.realpath(inner), "").startswith(os.path.join(os.path.realpath(outer), ""))


def _processors() -> int:
    """Return how many processors this process may use: a container's share of CPUs, not the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _digest(project: Project) -> str:
    """Return the digest of everything configured that output bytes depend on; the same in every folder."""
    decisive = {name: _by_field(value) for name, value in project._asdict().items() if name not in _NEUTRAL}
    for root in decisive["roots"]:
        del root["folder"]
        del root["package"]  # as it is shown
    for configured in (*decisive["entries"], *decisive["commands"]):
        del configured["place"]
    decisive["sass"]["load_paths"] = [os.path.relpath(path, project.folder) for path in project.sass.load_paths]
    text = json.dumps(decisive, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _by_field(value: Any) -> Any:
    """Return a section, or a list of them, as dictionaries; any other value as it is."""
    if hasattr(value, "_asdict"):
        return value._asdict()
    return [_by_field(each) for each in value] if isinstance(value, tuple) else value
