"""Our CSS tokeniser beside tinycss2 over the CSS of real packages, and the time that both lexers take up to 10 MB.

Tokens are compared one by one: kind, value and place. A difference counts as explained if it is one of the places where
tinycss2 follows another draft, or a defect of it, as named in `EXPLAINED`; every other one is printed and fails.

    python bench/differential.py [--bytes-per-package 2000000] [--megabytes 10]
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import tinycss2
from packages import installed, stylesheets

from assetbuild.compiler.refs.css import survey
from assetbuild.compiler.refs.css.tokens import CLOSERS, marks, tokens, unescaped
from assetbuild.compiler.refs.js.lexer import lex

SOURCES = ("bench/npm-css", "tests/npm-styles")
EXPLAINED = {
    "unicode-range": "a token of its own in tinycss2, as in CSS Syntax before 2021; names, numbers and `+` since then",
}


class Read(NamedTuple):
    """A token as both see it. start: offset in the text after the preprocessing of CSS Syntax §3.3."""

    start: int
    kind: str
    value: str


def preprocessed(text: str) -> str:
    """Return `text` with one kind of newline and without NUL (CSS Syntax §3.3)."""
    return re.sub("\r\n|[\r\f]", "\n", text).replace("\0", "\ufffd")


def ours(text: str) -> Iterator[Read]:
    """Yield our tokens; a bracket that ends a block, and white space inside one token, say nothing of their own."""
    closers: list[str] = []
    for kind, start, end in tokens(text):
        written = text[start:end]
        if kind in CLOSERS or kind == "function":
            closers.append(CLOSERS[written[-1]])
            yield Read(start, "open", unescaped(written[:-1]) if kind == "function" else written)
        elif closers and kind == closers[-1]:
            closers.pop()
        elif kind in {"at-keyword", "hash", "ident"}:
            yield Read(start, kind, unescaped(written.removeprefix("@").removeprefix("#")))
        elif kind == "url":
            yield Read(start, "url", unescaped(next(marks(written))["body"]))
        elif kind == "string":
            is_closed = len(written) > 1 and next(marks(written)).lastgroup == "string"
            yield Read(start, "string", unescaped(written[1 : -1 if is_closed else None], is_string=True))
        elif kind == "comment":
            yield Read(start, kind, written[2:].removesuffix("*/") if len(written) > 3 else written[2:])
        elif kind in {"}", ")", "]"}:
            yield Read(start, "error", written)
        elif kind in {"bad-string", "bad-url"}:
            yield Read(start, "error", kind)
        elif kind == "dimension":
            number = re.match(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?", written)
            assert number
            yield Read(start, kind, f"{number[0]} {unescaped(written[number.end() :])}")
        else:
            yield Read(start, "literal" if kind in {"cdo", "cdc", "delim", ":", ";", ","} else kind, written)


def theirs(text: str) -> Iterator[Read]:
    """Yield the tokens of tinycss2, flat."""
    lines = [0, *(found.end() for found in re.finditer("\n", text))]

    def flat(nodes: Sequence[Any]) -> Iterator[Read]:
        for node in nodes:
            start = lines[node.source_line - 1] + node.source_column - 1
            match node.type:
                case "function":
                    yield Read(start, "open", node.name)
                    yield from flat(node.arguments)
                case "{} block" | "() block" | "[] block":
                    yield Read(start, "open", node.type[0])
                    yield from flat(node.content)
                case "literal" if node.value not in {"<!--", "-->"}:
                    # `~=` and `||` were tokens in older drafts.
                    yield from (Read(start + at, "literal", char) for at, char in enumerate(node.value))
                case "ident" | "hash" | "at-keyword" | "url" | "string" | "comment" | "literal" | "whitespace":
                    yield Read(start, node.type, node.value)
                case "number":
                    yield Read(start, node.type, node.representation)
                case "percentage":
                    yield Read(start, node.type, f"{node.representation}%")
                case "dimension":
                    yield Read(start, node.type, f"{node.representation} {node.unit}")
                case "error" if node.kind in {"eof-in-string", "eof-in-url"}:
                    pass  # said in addition to the token
                case "error":
                    yield Read(start, "error", node.kind)
                case _:
                    yield Read(start, node.type, "")

    return flat(tinycss2.parse_component_value_list(text))


class Compared(NamedTuple):
    """Two readings of one text. explained: differences by reason; first: the first pair that nothing explains."""

    tokens: int
    explained: Counter[str]
    first: tuple[Read | None, Read | None] | None


def compared(text: str) -> Compared:
    """Return how far both agree on a preprocessed text."""
    explained: Counter[str] = Counter()
    left, right = [*ours(text), None], [*theirs(text), None]
    at = 0
    for index, read in enumerate(right):
        mine = left[at]
        if read is not None and mine is not None and read.kind == "unicode-range" and mine.start == read.start:
            after = right[index + 1]
            end = after.start if after else len(text)
            if re.fullmatch(r"[uU]\+[0-9a-fA-F?-]+[)}\]]*", text[read.start : end]):
                explained["unicode-range"] += 1
                while (mine := left[at]) is not None and mine.start < end:
                    at += 1
                continue
        if mine != read:
            return Compared(index, explained, (mine, read))
        at += 1
    return Compared(len(right) - 1, explained, None)


def differential(limit_bytes: int) -> bool:
    """Compare all sheets, at most `limit_bytes` of each package; print, and return whether nothing is unexplained."""
    seen: set[bytes] = set()
    sizes: Counter[str] = Counter()
    explained: Counter[str] = Counter()
    read = sheets = unexplained = 0
    for source in SOURCES:
        for package, file in stylesheets(installed(source)):
            body = file.read_bytes()
            digest = hashlib.sha256(body).digest()
            if digest in seen or sizes[package] + len(body) > limit_bytes:
                continue
            seen.add(digest)
            sizes[package] += len(body)
            found = compared(preprocessed(body.decode("utf-8-sig", "replace")))
            read, sheets, explained = read + found.tokens, sheets + 1, explained + found.explained
            if found.first is not None:
                unexplained += 1
                print(f"{file}: ours {found.first[0]}, tinycss2 {found.first[1]}")
    names = f"{len(sizes)} packages, {sheets:,} sheets, {sizes.total() / 1e6:.1f} MB"
    print(f"differential   {names}, {read:,} tokens; tinycss2 {version('tinycss2')}")
    for name, count in sorted(explained.items()):
        print(f"explained      {count:,} {name}: {EXPLAINED[name]}")
    print(f"unexplained    {unexplained}")
    return not unexplained


# Texts that a lexer may read again and again: what never ends, and what looks like a beginning.
AWKWARD_CSS = ("a{b:c}", "/*", '"', "'\n", "url(", "url(a\\", "\\", "(", "{", "--x:", "a/**/", "@", "1e", "<!--", "u+?")
AWKWARD_JS = ("a=b/c;", "/*", "//", '"', "`", "`${", "/", "/[", "\\u{", "(", "{", "<!--", "=>", "import(", "1_", "#")


def css_work(text: str) -> None:
    """Read a sheet as a compile does."""
    survey(text)


def css_tokens_work(text: str) -> None:
    """Read every token of a sheet."""
    for _ in tokens(text):
        pass


def js_work(text: str) -> None:
    """Read a script as a compile does."""
    lex(text)


def linear(name: str, piece: str, work: Callable[[str], None], sizes: Sequence[int]) -> float:
    """Print nanoseconds per character at each size; return how much the last costs over the first."""
    costs = []
    for size in sizes:
        text = (piece * (size // len(piece) + 1))[:size]
        started = time.process_time()
        work(text)
        costs.append((time.process_time() - started) * 1e9 / size)
    growth = costs[-1] / max(costs[0], 0.1)
    print(f"linear         {name:27}" + "".join(f"{cost:9.1f}" for cost in costs) + f"   x{growth:.2f}")
    return growth


def times(megabytes: float) -> bool:
    """Measure both lexers; return whether no text costs more than twice as much per character when it is long."""
    sizes = [int(megabytes * 1e6 * part) for part in (0.1, 0.5, 1)]
    print("linear         ns per character at " + ", ".join(f"{size / 1e6:g} MB" for size in sizes))
    modules = installed(SOURCES[0])
    real_css = (modules / "bootstrap/dist/css/bootstrap.css").read_text()
    real_js = (modules / "video.js/dist/video.js").read_text()
    works = [("css bootstrap", real_css, css_work), ("css bootstrap, all tokens", real_css, css_tokens_work)]
    works += [("js video.js", real_js, js_work)]
    works += [(f"css {piece!r}", piece, css_work) for piece in AWKWARD_CSS]
    works += [(f"js {piece!r}", piece, js_work) for piece in AWKWARD_JS]
    return max(linear(*each, sizes) for each in works) < 2


def main() -> int:
    """Run both parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes-per-package", type=int, default=2_000_000)
    parser.add_argument("--megabytes", type=float, default=10)
    args = parser.parse_args()
    agrees = differential(args.bytes_per_package)
    is_linear = times(args.megabytes)
    return 0 if agrees and is_linear else 1


if __name__ == "__main__":
    sys.exit(main())
