"""What a compile made of a case: whether exactly the marked places changed, and whether a browser finds everything.

Two judges that know nothing of our tokenisers: the marks of the data, and tinycss2.
"""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

from tests.conformance.cases import Case, Mark
from tests.conformance.site import BASE, Seen, Site

__all__ = [
    "Made",
    "changed_tokens",
    "compiled",
    "expected_text",
    "marked_targets",
    "seen_problems",
    "source_problems",
    "target_of",
]

_ENTRY = {"css": "css/entry.css", "js": "js/entry.js"}


class Made(NamedTuple):
    """What our compile made. paths: logical path → published path. bodies: published path → bytes."""

    case: Case
    paths: Mapping[str, str]
    bodies: Mapping[str, bytes]

    def text(self, logical: str) -> str:
        """Return the published form of a text."""
        return self.bodies[self.paths[logical]].decode()

    def site(self, main: str = "") -> Site:
        """Return the published tree; `main` is the logical path that the page uses."""
        files = {BASE + path: body for path, body in self.bodies.items()}
        return Site(self.case, BASE + self.paths[main or self.case.main], files, self.case.is_classic)

    def logical(self, url_path: str) -> str:
        """Return what lies at a URL path of the site; the path itself if nothing does."""
        by_path = {path: logical for logical, path in self.paths.items()}
        return by_path.get(url_path.removeprefix(BASE), url_path)


def compiled(case: Case, folder: Path, settings: str = "") -> Made:
    """Compile the tree of `case` in `folder` as the command does, and return what lies in the output.

    Raises what a compile raises. settings: more lines of the configuration.
    """
    from assetbuild.compiler import compile, config
    from assetbuild.disk import RealDisk

    for logical, body in case.files().items():
        file = folder / "assets" / logical
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    text = f"{settings}\n[compress]\ngzip = false\nbr = false\n"
    (folder / "assetbuild.toml").write_text(text, encoding="utf-8")
    compile(config.read(str(folder), dict(os.environ), RealDisk(), config.Flags()))
    output = folder / "build/assets"
    manifest = json.loads((output / "manifest.json").read_text(encoding="utf-8"))
    paths = {logical: asset["file"] for logical, asset in manifest["assets"].items()}
    return Made(case, paths, {path: (output / path).read_bytes() for path in manifest["files"]})


def expected_text(made: Made, logical: str) -> str:
    """Return a text of the case with the published name of its target in the place of each mark, and nothing else."""
    case = made.case
    plain, parts, at = case.plain(logical), [], 0
    for start, end, target in case.marks(logical):
        published = posixpath.relpath(made.paths[target], posixpath.dirname(logical))
        is_specifier = case.language == "js" and not published.startswith("../") and not _is_url(plain[:start])
        parts += [plain[at:start], "./" * is_specifier + published]
        at = end
    return "".join([*parts, plain[at:]])


def _is_url(before: str) -> bool:
    """Return whether the literal behind `before` is no module specifier: an argument of `URL` or `importScripts`."""
    call = max(before.rfind("URL"), before.rfind("importScripts"))
    return call >= 0 and call >= max(before.rfind("import"), before.rfind("from"))


def source_problems(case: Case, seen: Seen) -> list[str]:
    """Return where the expectation of a case is not what a browser asked the uncompiled tree for."""
    asked = {path.removeprefix(BASE) for path in seen.found}
    problems = [f"{case.name}: not requested: {path}" for path in sorted(case.requests - asked)]
    problems += [f"{case.name}: requested too: {path}" for path in sorted(asked - case.requests)]
    problems += [f"{case.name}: the page was never done"] if seen.ran is None else []
    return problems + _foreign_problems(case, seen) + [f"{case.name}: {wrong}" for wrong in seen.wrong]


def seen_problems(made: Made, source: Seen, seen: Seen, inlined: frozenset[str] = frozenset()) -> list[str]:
    """Return where a browser found something else in the published tree than in the uncompiled one.

    inlined: logical paths whose text another file holds now.
    """
    case = made.case
    wanted = {path.removeprefix(BASE) for path in source.found} - inlined
    asked = {made.logical(path) for path in seen.found} - {_ENTRY[case.language]}
    problems = [f"{case.name}: not requested: {path}" for path in sorted(wanted - asked)]
    problems += [f"{case.name}: requested too: {path}" for path in sorted(asked - wanted)]
    if _in_any_order(seen.ran) != _in_any_order(source.ran):
        problems.append(f"{case.name}: ran {seen.ran}, not {source.ran}")
    return problems + _foreign_problems(case, seen) + [f"{case.name}: {wrong}" for wrong in seen.wrong]


def _in_any_order(ran: list[object] | None) -> list[str] | None:
    """Return what scripts said; modules that do not wait for each other run in the order that they arrive in."""
    return None if ran is None else sorted(map(str, ran))


def _foreign_problems(case: Case, seen: Seen) -> list[str]:
    wrong = sorted(set(seen.lost) ^ set(case.foreign))
    return [f"{case.name}: lost: {wrong}"] if wrong else []


def _url_tokens(text: str) -> list[tuple[str, str]]:
    """Return the tokens of a stylesheet as tinycss2 reads them, in a flat row, as (kind, value).

    Comments, white space and the way a URL is quoted are left out; the argument of a function with one string is a
    string.
    """
    import tinycss2

    return list(_flat(tinycss2.parse_component_value_list(text)))


def _flat(nodes: Any) -> Any:
    for node in nodes:
        if node.type in {"whitespace", "comment"}:
            continue
        inner = [each for each in getattr(node, "arguments", []) if each.type not in {"whitespace", "comment"}]
        if node.type == "url" or (node.type == "function" and node.lower_name == "url" and len(inner) == 1):
            yield "url", node.value if node.type == "url" else inner[0].value
        elif node.type == "function":
            yield "function", node.lower_name
            yield from _flat(node.arguments)
            yield "end", ""
        elif node.type.endswith("block"):
            yield "block", node.type
            yield from _flat(node.content)
            yield "end", ""
        elif node.type == "string":
            yield "string", node.value
        else:
            yield node.type, node.serialize()


def changed_tokens(before: str, after: str) -> list[tuple[str, str]] | None:
    """Return what each changed URL or string was and is; None if anything else changed.

    A string may have become a URL: in `@import` the one stands for the other (css-cascade-5 §2).
    """
    old, new = _url_tokens(before), _url_tokens(after)
    if len(old) != len(new):
        return None
    pairs = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    kinds = {"url", "string"}
    return [(a[1], b[1]) for a, b in pairs] if all(a[0] in kinds and b[0] in kinds for a, b in pairs) else None


def target_of(written: str, sheet: str) -> str:
    """Return the path under the base that a URL in the sheet at the path `sheet` means."""
    return unquote(urlsplit(urljoin("http://x" + BASE + sheet, written.strip())).path).removeprefix(BASE)


def marked_targets(case: Case) -> list[str]:
    """Return the targets of the marks of the text under test, in order."""
    marks: tuple[Mark, ...] = case.marks(case.main)
    return [mark.target for mark in marks]
