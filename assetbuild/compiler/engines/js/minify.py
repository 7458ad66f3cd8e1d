"""Minifying classic and plain scripts, and holding other minifiers to what a script says.

tdewolff-minify parses, shortens local names and keeps those at the top. It is native code and runs in a worker process.
It drops parameters at the end of a list that its function does not name: so a function's `length` may change, and where
a direct `eval` or `with` may name them unseen, its result is not used. It would join a hashbang line to the next one.
The minifiers of webassets that take JavaScript for characters are believed only if the tokens of their result are
those of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from assetbuild.compiler import door
from assetbuild.compiler.engines.js.link import Edit, edited, faults, original_offset
from assetbuild.compiler.errors import DiagnosticsError
from assetbuild.compiler.pool import Workers
from assetbuild.compiler.refs.js import Script
from assetbuild.compiler.refs.js import tokens as kinds
from assetbuild.compiler.refs.js.lexed import Lexed
from assetbuild.compiler.refs.js.lexer import lex
from assetbuild.compiler.refs.js.tokens import HASHBANG_LINE, NEXT_TOKEN, REGEX_LITERAL
from assetbuild.diagnostic import Diagnostic, Severity, Span, span_at

__all__ = [
    "Minified",
    "Unreadable",
    "minified",
    "pairs",
    "rjsmin_checked",
    "smaller",
    "smaller_with_places",
    "squeezed",
    "versions",
]

_PACKAGE = "tdewolff-minify"
_WORKER = "assetbuild.compiler.engines.js.minify_worker:minify"


class Minified(NamedTuple):
    """A script made smaller. reason: why only white space and comments went, in words for a message."""

    text: str
    reason: str = ""


class Unreadable(Exception):
    """The minifier's parser refuses the script. offset: where in the text that it was given, None if unknown."""

    def __init__(self, why: str, offset: int | None) -> None:
        super().__init__(why)
        self.why = why
        self.offset = offset

    def diagnostic(self, severity: Severity, span: Span, hint: str) -> Diagnostic:
        """Return the finding at `span`."""
        return Diagnostic("unreadable-script", severity, f"cannot read the script: {self.why}", span, hint)


def versions() -> dict[str, str]:
    """Return the minifier's name and version, for the record of what decided the bytes."""
    from importlib.metadata import version

    return {_PACKAGE: version(_PACKAGE)}


def minified(script: Script, shown: str, workers: Workers) -> Minified:
    """Return the text of `script` without what a browser does not need; names at the top of a script stay.

    Comments that are to be kept (`/*!`, `//!`, `@license`, `@preserve`) stay, first in the text if the minifier would
    drop them. Raises `Unreadable`. The parser has read the text, and its result again, before our lexer is asked: for
    most scripts there is nothing left to ask.
    """
    made = _parsed(script.text, shown, workers)
    after = Script(made)
    if script.reveals_names:
        reason = "its `eval` or `with` may use any name in it"
    elif after.has_code and (after.strict_directive is None) == (script.strict_directive is None):
        return Minified(_lines(comment for comment in script.legal_comments if comment not in made) + made)
    elif not any(script.tokens[index] != ";" for index in script.tokens.significant()):
        return Minified(_lines(script.legal_comments))
    else:
        reason = "more would change what it means"
    return Minified(_lines(script.legal_comments) + squeezed(script.tokens), reason)


def smaller(
    script: Script, edits: Sequence[Edit], shown: str, workers: Workers, *, unreadable: Severity
) -> tuple[str, list[Diagnostic]]:
    """Return the text of `script` after `edits` and minified, and what there is to say.

    A text that cannot be minified stays as it is. unreadable: how bad it is if the parser refuses the script; what is
    left open, or closes nothing, is an error in any case.
    """
    linked = _linked(script, edits)
    try:
        _admit(script)
        made = minified(linked, shown, workers)
    except Unreadable as error:
        return linked.text, _refused(error, script, edits, shown, unreadable)
    if made.reason:
        message = f"only white space and comments were taken out: {made.reason}"
        return made.text, [Diagnostic("names-kept", "note", message, Span(shown))]
    return made.text, []


def smaller_with_places(
    script: Script, edits: Sequence[Edit], shown: str, workers: Workers, *, unreadable: Severity
) -> tuple[str, list[tuple[int, int]] | None, list[Diagnostic]]:
    """Return what `smaller` returns where a map is asked for, and pairs of offsets of its tokens.

    The parser gives no map and renames, so only white space and comments go: each token is followed exactly. The pairs
    lead from the result to the text after `edits`; None if it is that text.
    """
    linked = _linked(script, edits)
    try:
        _admit(script)
        _parsed(linked.text, shown, workers)
    except Unreadable as error:
        return linked.text, None, _refused(error, script, edits, shown, unreadable)
    parts = [_lines(linked.legal_comments)]
    pairs: list[tuple[int, int]] = []
    length = len(parts[0])
    for part, start in _squeezed(linked.tokens):
        if start >= 0:
            pairs.append((length, start))
        parts.append(part)
        length += len(part)
    return "".join(parts), pairs, []


def _linked(script: Script, edits: Sequence[Edit]) -> Script:
    return Script(edited(script.text, edits)) if edits else script


def _admit(script: Script) -> None:
    """Raise `Unreadable` if brackets nest deeper than the door allows a native parser."""
    if door.seems_too_deep(script.text) and script.tokens.too_deep is not None:
        raise Unreadable("its brackets nest too deep", script.tokens.too_deep)


def _refused(
    error: Unreadable, script: Script, edits: Sequence[Edit], shown: str, severity: Severity
) -> list[Diagnostic]:
    """Return what is wrong with a script that the parser refuses."""
    open_or_stray = faults(script, script.text, shown)
    if open_or_stray:
        return open_or_stray
    span = Span(shown) if error.offset is None else span_at(shown, script.text, original_offset(edits, error.offset))
    return [error.diagnostic(severity, span, "mend it, or set `minify = false` if browsers can read it")]


def rjsmin_checked(text: str, shown: str, run: Callable[[str], str], workers: Workers) -> str:
    """Return what the minifier `run` makes of `text`; raise `DiagnosticsError` if that is not the same script.

    Accepted only if a parser reads it, its tokens are those of `text`, and no line end is gone (or new) where one can
    end a statement. rjsmin 1.3 and jsmin 3 join class fields that no semicolon ends, take a regular expression behind
    `=>` for a division and a template within a template for its end.
    """
    made = run(text)
    before = Script(text)
    broken = _difference(before.tokens, lex(made, "module" if before.is_module else "script"))
    if broken is not None:
        hint = "leave the filter out: a `classic` entry is minified by a parser"
        message = "the minifier changes what the script says from here on"
        raise DiagnosticsError(
            [Diagnostic("minifier-broke-script", "error", message, span_at(shown, text, broken), hint)]
        )
    try:
        _parsed(made, shown, workers)
    except Unreadable as error:
        hint = "mend the script, or leave the filter out"
        raise DiagnosticsError([error.diagnostic("error", Span(shown), hint)]) from None
    return made


def _parsed(text: str, shown: str, workers: Workers) -> str:
    """Return tdewolff's result for `text`; raise `Unreadable`."""
    start = _after_hashbang(text)
    reply = workers.call(_WORKER, {"text": text[start:]}, subject=shown, engine=_PACKAGE)
    if "why" not in reply:
        return str(reply["text"])
    offset = start + _offset(text[start:], reply["line"], reply["column"]) if reply["line"] else None
    raise Unreadable(reply["why"], offset)


def _after_hashbang(text: str) -> int:
    found = HASHBANG_LINE.match(text)
    return found.end() if found else 0


def _offset(text: str, line: int, column: int) -> int:
    """Return the offset of a place that the parser counts in lines and characters from 1."""
    start = 0
    for _ in range(line - 1):
        end = _LINE.search(text, start)
        if end is None:
            break
        start = end.end()
    return min(start + column - 1, len(text))


_LINE = re.compile("\r\n|[\n\r\u2028\u2029]")


def squeezed(tokens: Lexed) -> str:
    """Return the text without comments, and with no more white space than its tokens and its line ends need."""
    return "".join(part for part, _ in _squeezed(tokens))


def pairs(before: str, after: str) -> list[tuple[int, int]]:
    """Return pairs of offsets, from `after` to `before`, of two texts that have the same tokens."""
    words = zip(_words(lex(after)), _words(lex(before)), strict=False)
    return [(new.start, old.start) for new, old in words]


def _squeezed(tokens: Lexed) -> Iterator[tuple[str, int]]:
    """Yield the parts of the squeezed text, each token with its offset in the text before; -1 for what parts them."""
    last_kind, last = kinds.PUNCTUATOR, ""
    for word in _words(tokens):
        if word.ends_line:
            yield "\n", -1
        elif last and _would_join(last_kind, last, word.text):
            yield " ", -1
        yield word.text, word.start
        last_kind, last = word.kind, word.text


def _would_join(kind: int, text: str, following: str) -> bool:
    """Return whether a token of `kind` would be read as another one with `following` right behind it."""
    if text == "<" and following == "!":
        return True  # `<!--` would begin a comment (Annex B.1.1)
    if text == "/" and following.startswith("="):
        return True  # NEXT_TOKEN leaves `/=` to the lexer, which knows whether a regular expression begins there
    if text == "." and following.startswith("."):
        return True  # two are no token, but three are one
    if kind == kinds.NUMBER:
        # §12.9.3: no name right behind a number.
        return not following[0].isascii() or following[0].isalnum() or following[0] in "._$\\"
    if kind not in (kinds.NAME, kinds.KEYWORD, kinds.PRIVATE, kinds.PUNCTUATOR, kinds.REGEX):
        return False
    pattern = REGEX_LITERAL if kind == kinds.REGEX else NEXT_TOKEN
    joined = pattern.match(text + following)
    return joined is not None and joined.end() > len(text)


def _lines(comments: Iterable[str]) -> str:
    return "".join(f"{comment}\n" for comment in comments)


def _difference(before: Lexed, after: Lexed) -> int | None:
    """Return the offset in `before` where the texts begin to say something else, None if they say the same."""
    others = _words(after)
    for word in _words(before):
        other = next(others, None)
        if other is None or (word.kind, word.text) != (other.kind, other.text) or word.ends_line != other.ends_line:
            return word.start
    return None if next(others, None) is None else len(before.text)


class _Word(NamedTuple):
    """A token that is no trivia. ends_line: a line end stands before it that may end a statement or class member."""

    kind: int
    text: str
    start: int
    ends_line: bool


def _words(tokens: Lexed) -> Iterator[_Word]:
    previous = -1
    for index in tokens.significant():
        kind, text = tokens.kinds[index], tokens[index]
        yield _Word(kind, text, tokens.starts[index], previous in tokens.line_ends and _can_begin(kind, text))
        previous = index


def _can_begin(kind: int, text: str) -> bool:
    """Return whether a statement or a class member can begin with the token."""
    return kind != kinds.PUNCTUATOR or text in ("(", "[", "{", "+", "-", "++", "--", "!", "~", "*", "@", "...")
