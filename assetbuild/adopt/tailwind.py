"""Tailwind's command line in the scripts of package.json, as `[[commands]]` that make the same sheets in a compile.

Receives what else is to be written, and hands it on with the commands. Source of what Tailwind reads: its documentation
(4.1), "Detecting classes in source files": every text of the project but for style sheets and what git ignores.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import NamedTuple

from assetbuild.adopt.adopted import Adopted, Command, Folder, left, to_change
from assetbuild.adopt.code import Code
from assetbuild.compiler.config import checks
from assetbuild.compiler.config.commands import OUTPUT
from assetbuild.compiler.globs import is_glob
from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import Disk

__all__ = ["with_tailwind"]

_FILE = "package.json"
_PACKAGE = "@tailwindcss/cli"
_PROGRAMS = (_PACKAGE, "tailwindcss")
_INPUT = ("-i", "--input")
_OUTPUT = ("-o", "--output")
_WATCH = ("-w", "--watch")
_MINIFY = ("-m", "--minify")
_DESCRIPTOR = re.compile(r"(?<!\S)\d+(?=[<>])")  # before a redirection, and no word (POSIX.1, 2.7)
# Texts in which a web application in Python writes classes, and what configures Tailwind.
_READ = (".html", ".htm", ".jinja", ".jinja2", ".j2", ".py", ".js", ".mjs", ".cjs", ".ts", ".jsx", ".tsx", ".md")


class _Call(NamedTuple):
    """A call in a script. words: without the program and what only watching needs. sheet: "" for Tailwind's own."""

    script: str
    words: tuple[str, ...]
    sheet: str
    made: str
    is_watching: bool


def with_tailwind(adopted: Adopted, code: Code, disk: Disk) -> Adopted:
    """Return what is to be written, with a command for each sheet that a script makes below a root."""
    text = _text(code.folder, disk)
    scripts = _table(text, "scripts")
    calls = [call for name, script in scripts.items() for call in _calls(name, script)]
    commands, findings = [], list(adopted.findings)
    for made in dict.fromkeys(call.made for call in calls):
        # A script for development watches, one for production minifies.
        call = min(
            (call for call in calls if call.made == made),
            key=lambda call: (call.is_watching, not {*_MINIFY} & {*call.words}),
        )
        place = _place(text, scripts[call.script])
        logical = _logical(made, adopted.roots)
        unnamed = next((name for name in (call.sheet, logical) if name and not _can_be_named(name)), "")
        if logical and not unnamed:
            commands.append(_command(call, logical, place, code))
        findings.append(_finding(call, logical, unnamed, place))
    if not calls and _PACKAGE in {**_table(text, "dependencies"), **_table(text, "devDependencies")}:
        message = f"no script says what `{_PACKAGE}` makes"
        findings.append(left(message, _place(text, _PACKAGE), "write its call under `[[commands]]`"))
    return replace(adopted, commands=(*adopted.commands, *commands), findings=tuple(findings))


def _calls(script: str, line: str) -> Iterator[_Call]:
    """Yield the calls that name what they make. Words end as in a shell, and so do commands (POSIX.1, 2.3 and 2.9)."""
    lexer = shlex.shlex(_DESCRIPTOR.sub("", line), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:  # a quotation that does not end: no shell runs it either
        return
    for is_between, command in groupby(words, lambda word: not word.strip("();<>|&")):
        call = list(command)
        at = next((number for number, word in enumerate(call) if word in _PROGRAMS), None)
        if is_between or at is None:
            continue
        given = [part for word in call[at + 1 :] for part in _split(word)]
        sheet, made = _after(_INPUT, given), _after(_OUTPUT, given)
        kept = tuple(word for word in given if word not in _WATCH and not word.startswith("--watch="))
        if made and "-" not in (sheet, made):  # a pipe is no file that may be declared
            yield _Call(script, kept, sheet and posixpath.normpath(sheet), posixpath.normpath(made), kept != (*given,))


def _split(word: str) -> list[str]:
    """Return an option and its value as two words."""
    name, equals, value = word.partition("=")
    return [name, value] if equals and name in {*_INPUT, *_OUTPUT} else [word]


def _after(names: Sequence[str], words: Sequence[str]) -> str:
    return next((value for name, value in pairwise(words) if name in names), "")


def _logical(made: str, roots: Sequence[Folder]) -> str:
    """Return the logical path of a file of the project, "" if it lies below no root."""
    for root in roots:
        if made.startswith(f"{root.path}/"):
            return posixpath.join(root.mount, made.removeprefix(f"{root.path}/"))
    return ""


def _command(call: _Call, logical: str, place: Span, code: Code) -> Command:
    at = next(number for number, word in enumerate(call.words) if word in _OUTPUT) + 1
    run = ("tailwindcss", *call.words[:at], f"{OUTPUT}/{logical}", *call.words[at + 1 :])
    sheets = [posixpath.join(posixpath.dirname(call.sheet), "**/*.css")] if "/" in call.sheet else [call.sheet]
    return Command(run, (*filter(None, sheets), *_texts(code)), (logical,), place)


def _texts(code: Code) -> Iterator[str]:
    """Yield a glob for the top of the project and for each folder there, with the suffixes that are in use."""
    tops: dict[str, set[str]] = {}
    for file in code.ending(*_READ):
        top, slash, _ = file.partition("/")
        tops.setdefault(f"{top}/**/" if slash else "", set()).add(posixpath.splitext(file)[1])
    for top, suffixes in sorted(tops.items()):
        one, *more = (suffix[1:] for suffix in _READ if suffix in suffixes)
        yield f"{top}*.{{{','.join((one, *more))}}}" if more else f"{top}*.{one}"


def _can_be_named(name: str) -> bool:
    """Return whether `[[commands]]` can mean this file and no other: it lies in the project, and is no glob."""
    return not is_glob(name) and checks.file(name) is None


def _finding(call: _Call, logical: str, unnamed: str, place: Span) -> Diagnostic:
    if not logical:
        message = f"script `{call.script}` lets Tailwind make `{call.made}`, which is below no root"
        return left(message, place, "write its call under `[[commands]]`, with a logical path behind `{output}/`")
    if unnamed:
        message = f"script `{call.script}` calls Tailwind with `{unnamed}`, which `[[commands]]` cannot name"
        return left(message, place, "give it a plain name inside the project, and write its call under `[[commands]]`")
    message = f"script `{call.script}` lets Tailwind make `{call.made}` among the sources"
    return to_change(message, place, "take the script out and the file away: a compile makes it")


def _table(text: str, key: str) -> dict[str, str]:
    try:
        document = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    table = document.get(key) if isinstance(document, dict) else None
    return {name: str(value) for name, value in table.items()} if isinstance(table, dict) else {}


def _text(folder: str, disk: Disk) -> str:
    file = os.path.join(folder, _FILE)
    return disk.read(file).decode("utf-8-sig", "replace") if disk.is_file(file) else ""


def _place(text: str, word: str) -> Span:
    """Return the first line that holds `word` as JSON writes it."""
    sought = json.dumps(word, ensure_ascii=False)
    for number, line in enumerate(text.splitlines(), 1):
        if sought in line:
            return Span(_FILE, number, line.index(sought) + 1, len(sought), line)
    return Span(_FILE)
