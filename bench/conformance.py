"""The cases of tests/conformance through other tools and ours: who makes of each what a browser needs.

    python bench/conformance.py [--write docs/conformance.md] [--peers build/peers]

Each case is compiled alone. Its output is opened in headless Chromium like its sources were, and its stylesheet is read
by tinycss2. OK: the browser gets the same files, all by fingerprinted names, and no other token changed. STALE: it gets
them, one by a name without a fingerprint. BROKEN: something else: a 404, a file too many or too few, a changed
token, a script that does something else. ERROR: the tool ends without output. Needs `chromium` and a package index.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from tests.conformance.cases import Case, Language, all_cases  # noqa: E402
from tests.conformance.judge import Made, changed_tokens, compiled, marked_targets, target_of  # noqa: E402
from tests.conformance.site import BASE, Seen, Site, visited  # noqa: E402
from tests.conftest import pinned  # noqa: E402

PEERS = REPOSITORY / "bench/peers"
VERDICTS = ("OK", "STALE", "BROKEN", "ERROR")


class Output(NamedTuple):
    """What a tool made of a case. error: "" if it made anything. paths: logical path → published path.

    files: published path → bytes. inlined: files whose text another one holds. is_bundle: the text is written anew.
    """

    case: Case
    error: str
    paths: Mapping[str, str] = {}
    files: Mapping[str, bytes] = {}
    inlined: frozenset[str] = frozenset()
    is_bundle: bool = False

    def site(self) -> Site:
        """Return the page that uses the output; an empty one after an error."""
        main = self.paths.get(self.case.main, "")
        files = {BASE + path: body for path, body in self.files.items()}
        return Site(self.case, BASE + main, files, self.case.is_classic and not self.is_bundle)


class Tool(NamedTuple):
    """A column. make: the outputs of cases in a folder."""

    name: str
    languages: tuple[Language, ...]
    make: Callable[[Sequence[Case], Path], list[Output]]


def main() -> None:
    """Print the table, or write it to a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="write the table to this file")
    parser.add_argument("--peers", type=Path, default=REPOSITORY / "build/peers", help="environment of the other tools")
    parser.add_argument("--only", default="", help="only tools whose name holds this")
    args = parser.parse_args()
    chromium = shutil.which("chromium") or sys.exit("needs chromium")
    tools = [tool for tool in columns(environment(args.peers)) if args.only.lower() in tool.name.lower()]
    parts = [HEAD]
    titles: dict[Language, str] = {"css": "Stylesheets", "js": "Scripts"}
    for language, title in titles.items():
        cases = all_cases(language)
        sources = visited(chromium, [Site.of_source(case) for case in cases])
        found = {tool.name: verdicts(tool, cases, sources, chromium) for tool in tools if language in tool.languages}
        parts += [f"## {title}: {len(cases)} cases", counts(found), failures(cases, found)]
    text = "\n\n".join(parts) + "\n"
    if args.write:
        args.write.write_text(text, encoding="utf-8")
    else:
        print(text)


def environment(folder: Path) -> Path:
    """Return the Python of an environment with the other tools, made if it is not there."""
    python = folder / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", PEERS / "requirements.txt"], check=True)
    return python


def columns(python: Path) -> list[Tool]:
    """Return the tools, ours last, with their versions."""
    versions = json.loads(
        subprocess.run([python, "-m", "pip", "list", "--format=json"], capture_output=True, check=True).stdout
    )
    number = {each["name"].lower(): each["version"] for each in versions}
    django, enhanced = f"Django {number['django']}", number["django-manifeststaticfiles-enhanced"]
    program = pinned("esbuild") or sys.exit("needs esbuild")
    both: tuple[Language, ...] = ("css", "js")

    def storage(kind: str) -> Callable[[Sequence[Case], Path], list[Output]]:
        return lambda cases, work: adapted([python, PEERS / "django_storage.py", work, kind], cases, work)

    def esbuild(cases: Sequence[Case], work: Path) -> list[Output]:
        command = [python, PEERS / "esbuild_bundle.py", work, program.argv[0], cases[0].language]
        return adapted(command, cases, work)

    def rewrite(cases: Sequence[Case], work: Path) -> list[Output]:
        return adapted([python, PEERS / "webassets_cssrewrite.py", work], cases, work)

    return [
        Tool(f"{django} ManifestStaticFilesStorage", ("css",), storage("plain")),
        Tool(f"{django} with JS module imports", both, storage("modules")),
        Tool(f"django-manifeststaticfiles-enhanced {enhanced}", both, storage("enhanced")),
        Tool(f"django-manifeststaticfiles-enhanced {enhanced} with its lexer", both, storage("lexer")),
        Tool(f"webassets {number['webassets']} cssrewrite", ("css",), rewrite),
        Tool(f"esbuild {program.version} --bundle", both, esbuild),
        Tool("assetbuild, published as itself", both, ours),
    ]


def adapted(command: Sequence[object], cases: Sequence[Case], work: Path) -> list[Output]:
    """Return what an adapter made of the cases, which it finds in `work`."""
    for index, case in enumerate(cases):
        for logical, body in case.files().items():
            file = work / f"{index:03}" / "source" / logical
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
    subprocess.run([str(word) for word in command], check=True)
    return [_output(case, work / f"{index:03}") for index, case in enumerate(cases)]


def _output(case: Case, folder: Path) -> Output:
    result = json.loads((folder / "result.json").read_text())
    if "error" in result:
        return Output(case, result["error"].replace(str(folder), "") or "no message")
    out = folder / "out"
    files = {file.relative_to(out).as_posix(): file.read_bytes() for file in out.rglob("*") if file.is_file()}
    return Output(case, "", result["paths"], files, frozenset(result.get("inlined", ())), "inlined" in result)


def ours(cases: Sequence[Case], work: Path) -> list[Output]:
    """Return what a compile makes of every case."""
    from assetbuild.compiler.errors import DiagnosticsError

    found = []
    for index, case in enumerate(cases):
        try:
            made: Made = compiled(case, work / str(index))
        except DiagnosticsError as error:
            found.append(Output(case, error.diagnostics[0].message))
        else:
            found.append(Output(case, "", made.paths, made.bodies))
    return found


def verdicts(tool: Tool, cases: Sequence[Case], sources: Sequence[Seen], chromium: str) -> list[str]:
    """Return the verdict on every case."""
    print(tool.name, file=sys.stderr)
    with tempfile.TemporaryDirectory() as work:
        outputs = tool.make(cases, Path(work))
        pages = visited(chromium, [output.site() for output in outputs])
    return [verdict(output, old, new) for output, old, new in zip(outputs, sources, pages, strict=True)]


def verdict(output: Output, before: Seen, after: Seen) -> str:
    """Return what a browser and tinycss2 say about one output."""
    if output.error:
        return "ERROR"
    case = output.case
    by_path = {path: logical for logical, path in output.paths.items() if path != logical}
    asked = [path.removeprefix(BASE) for path in after.found]
    hashed = {by_path[path] for path in asked if path in by_path}
    plain = {path for path in asked if path not in by_path and path in case.files()}
    wanted = {path.removeprefix(BASE) for path in before.found}
    is_same = (hashed | plain) - output.inlined == wanted - output.inlined and set(after.lost) == set(before.lost)
    does_same = sorted(map(str, after.ran or [])) == sorted(map(str, before.ran or [])) and not after.wrong
    text = _text_verdict(output, by_path)
    if not (is_same and does_same) or text == "BROKEN":
        return "BROKEN"
    return "STALE" if plain or text == "STALE" else "OK"


def _text_verdict(output: Output, by_path: Mapping[str, str]) -> str:
    """Return what the text says that a browser does not ask for, or that only a parser sees."""
    case = output.case
    published = output.paths[case.main]
    text = output.files[published].decode("utf-8", "replace").removeprefix("\ufeff")
    if case.language == "js" or output.is_bundle:
        left = {target for target in case.unrequested if target not in output.inlined}
        names = [os.path.basename(output.paths.get(target, "")) for target in left]
        return "OK" if all(name and name in text for name in names) else "STALE"
    changed = changed_tokens(case.plain(case.main).removeprefix("\ufeff"), text)
    if changed is None:
        return "BROKEN"
    places = [target_of(new, published) for _, new in changed]
    got = [by_path.get(place) for place in places]
    if got == marked_targets(case):
        return "OK"
    is_subset = not Counter(each for each in got if each) - Counter(marked_targets(case))
    return "STALE" if is_subset and all(place in output.files for place in places) else "BROKEN"


HEAD = """# Conformance

The reference cases of [tests/conformance](../tests/conformance/README.md) through several tools. Each case is compiled
alone, and its output is opened in headless Chromium like its sources were.

- **OK**: the browser gets the same files, all by fingerprinted names, and nothing else in the text changed.
- **STALE**: it gets them, but one by a name without a fingerprint.
- **BROKEN**: a 404, a file too many or too few, another changed token, or a script that does something else.
- **ERROR**: the tool ends without output.

Tools are judged by what the cases ask for, whether or not they promise it: cssrewrite never fingerprints what a sheet
names, and a bundler is not made for trees that are published as they are.

This page is written by `python bench/conformance.py --write docs/conformance.md`."""


def counts(found: Mapping[str, Sequence[str]]) -> str:
    """Return one row per tool."""
    rows = ["| tool | " + " | ".join(VERDICTS) + " |", "|---|" + "--:|" * len(VERDICTS)]
    for name, verdicts in found.items():
        rows.append(f"| {name} | " + " | ".join(str(verdicts.count(each)) for each in VERDICTS) + " |")
    return "\n".join(rows)


def failures(cases: Sequence[Case], found: Mapping[str, Sequence[str]]) -> str:
    """Return one row per case that not every tool gets right; the columns are the rows of the table above."""
    rows = ["| case | " + " | ".join(str(number) for number in range(1, len(found) + 1)) + " |"]
    rows.append("|---|" + "---|" * len(found))
    for index, case in enumerate(cases):
        row = [verdicts[index] for verdicts in found.values()]
        if set(row) != {"OK"}:
            rows.append(f"| {case.name} | " + " | ".join("" if each == "OK" else each for each in row) + " |")
    intro = f"Cases that not every tool gets right, {len(rows) - 2} of {len(cases)}; columns in the order above."
    return intro + "\n\n" + "\n".join(rows)


if __name__ == "__main__":
    main()
