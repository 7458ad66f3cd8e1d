"""From a value to the text of `assetbuild.toml`: each key with what it means, each entry with where it comes from.

Defaults that people look for stand as comments. Pure: who writes the file is `cli/init.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from assetbuild.adopt.adopted import Adopted, Command, Folder, Made
from assetbuild.compiler.config import OUTPUT
from assetbuild.compiler.project import Project
from assetbuild.diagnostic import Span

__all__ = ["written"]

_WIDTH = 110
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_DEFAULT_BASE = Project("", "", ()).base
_HEAD = "What `assetbuild compile` makes, and from what. `docs/reference/configuration.md` explains every key."
_SAYS = {
    "output": "hashed files and manifest.json go here",
    "base": "URL base; the reader may override it at start",
    "roots": "the load path, in order: the first root that has a file wins",
    "python_packages": "their static folders are roots too, after these",
    "exclude": "not published; entries may use them",
    "keep_names": "also published under their own names",
    "entries": "logical path = what it is compiled from",
    "commands": "a cached job, which sees its inputs and nothing else of the project",
    "sass.auto": "compile every Sass stylesheet that is no partial, named here or not",
    "templates.paths": "`assetbuild check` reads them",
}


def written(adopted: Adopted) -> str:
    """Return the text of the configuration."""
    lines = [f"# {_HEAD}", f"# {_one_line(adopted.origin)}", ""]
    lines += [*_key("output", OUTPUT, is_default=True)]
    lines += _key("base", adopted.base or _DEFAULT_BASE, is_default=adopted.base in {"", _DEFAULT_BASE})
    lines += _key("roots", [_folder(root) for root in adopted.roots])
    lists = {
        "python_packages": adopted.python_packages,
        "exclude": adopted.exclude,
        "keep_names": adopted.keep_names,
    }
    for name, items in lists.items():
        lines += _key(name, list(items)) if items else []
    if adopted.entries:
        lines += ["", f"[entries]  # {_SAYS['entries']}", *map(_entry, adopted.entries)]
    for command in adopted.commands:
        lines += _command(command)
    for section, keys in adopted.sections.items():
        lines += _section(section, keys)
    return "\n".join(lines) + "\n"


def _section(name: str, keys: Mapping[str, object]) -> list[str]:
    """Return the lines of a table, then those of the tables inside it."""
    inner = {key: value for key, value in keys.items() if isinstance(value, Mapping)}
    lines = ["", f"[{name}]"] if len(inner) < len(keys) else []
    for key, value in keys.items():
        lines += [] if key in inner else _key(_name(key), value, _SAYS.get(f"{name}.{key}", ""))
    for key, table in inner.items():
        lines += _section(f"{name}.{_name(key)}", table)
    return lines


def _key(name: str, value: object, says: str = "", *, is_default: bool = False) -> list[str]:
    """Return the lines of a key with its comment. is_default: it is written as a comment, to be found."""
    says = says or _SAYS.get(name, "")
    line = f"{'# ' if is_default else ''}{name} = {_value(value)}"
    if isinstance(value, list) and len(line) > _WIDTH:
        inner = [f"    {_value(item)}," for item in value]
        return [*([f"# {says}"] if says else []), f"{name} = [", *inner, "]"]
    comment = f"  # {says}" if says else ""
    if len(line + comment) > _WIDTH and says:
        return [f"# {says}", line]
    return [line + comment]


def _command(command: Command) -> list[str]:
    lines = ["", f"[[commands]]  # {_where(command.place)}: {_SAYS['commands']}"]
    for name in ("run", "inputs", "outputs"):
        lines += _key(name, list(getattr(command, name)))
    return lines


def _entry(made: Made) -> str:
    line = f"{_text(made.logical)} = {_sources(made)}"
    if made.place is None:
        return line
    comment = f"# {_where(made.place)}"
    return f"{comment}\n{line}" if len(line) + len(comment) + 2 > _WIDTH else f"{line}  {comment}"


def _sources(made: Made) -> str:
    if made.form == "module":
        return f"{{ module = {_text(made.sources[0])} }}"
    if made.form == "classic":
        return f"{{ classic = {_list(made.sources)} }}"
    if made.form == "filters":
        filters = [{name: options} if options else name for name, options in made.filters]
        return f"{{ sources = {_list(made.sources)}, filters = {_value(filters)} }}"
    if made.engine:
        return f"{{ sources = {_list(made.sources)}, engine = {_text(made.engine)} }}"
    return _text(made.sources[0])


def _list(items: Sequence[str]) -> str:
    """Return a list, one item in a line if it is long: TOML 1.0 lets an array break, and no inline table."""
    short = _value(list(items))
    if len(short) <= _WIDTH - 20:
        return short
    return "[\n" + "".join(f"    {_text(item)},\n" for item in items) + "]"


def _folder(root: Folder) -> object:
    more: dict[str, object] = {}
    if root.mount:
        more["as"] = root.mount
    if root.include:
        more["include"] = list(root.include)
    if root.exclude:
        more["exclude"] = list(root.exclude)
    return {"path": root.path, **more} if more else root.path


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_name(str(key))} = {_value(inner)}" for key, inner in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Iterable):
        return f"[{', '.join(map(_value, value))}]"
    return str(value)


def _name(key: str) -> str:
    return key if _BARE.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    """Return a basic string. TOML forbids one character that JSON leaves as it is: U+007F (TOML 1.0.0, String)."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _where(place: Span) -> str:
    return _one_line(place.path + (f":{place.line}" if place.line else ""))


def _one_line(text: str) -> str:
    """Return what may stand in a comment: no control character ends it early (TOML 1.0.0, Comment)."""
    return "".join(char if char.isprintable() else "?" for char in text)
