"""Minifying CSS by rcssmin, held to the meaning of the text.

rcssmin 1.3 looks at characters, not at contexts: inside `@layer`, `@container` and nested rules it takes `.a :hover`
for a declaration and closes the gap, it closes it behind an escaped colon too, it drops spaces from quoted URLs
(ndparker/rcssmin#7) and from the values of custom properties, which scripts can read. Such places are shielded from it
by characters that it passes over, and its result counts only if it equals the text but for white space and comments
that mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

from assetbuild.compiler.errors import EngineUnavailable
from assetbuild.diagnostic import Diagnostic

__all__ = ["minified", "versions"]

_WS = r"[ \t\n\r\f]"
_COMMENT = r"/\*[^*]*+(?>(?:\*(?!/)[^*]*+)*)\*/"
_ESCAPE = rf"\\(?:[0-9a-fA-F]{{1,6}}+(?>(?:\r\n|{_WS})?)|[^0-9a-fA-F])"
_STRING = r"""(?:"(?>(?:[^"\\\n\r\f]++|\\\r\n|\\[\s\S])*)"|'(?>(?:[^'\\\n\r\f]++|\\\r\n|\\[\s\S])*)')"""
# Said by what does not belong to names, as in refs/css/tokens.py: a quick class to compile.
_NAME = r"[^\x00-,./:-@\[-^`{-\x7f]"
_URL = rf"(?<!{_NAME})[uU][rR][lL]\({_WS}*+"
_BARE = rf"""(?>(?:[^"'()\\ \t\n\r\f]++|{_ESCAPE})*)"""
_GAP = rf"(?>(?:{_WS}++|{_COMMENT})*)"
# The first alternative of each passes over what needs no look.
_SHIELDED = re.compile(
    rf"""(?>(?:[^ \t\n\r\f"'/\\uU;]++|[uU](?![rR][lL]\()|/(?!\*)|{_WS}++(?!:|/\*)|{_ESCAPE}(?!{_WS})|;(?!{_GAP};))+)
    |(?P<empty>;{_GAP})(?=;)
    |(?P<run>(?>(?:{_WS}++|{_COMMENT})+))
    |(?P<string>{_STRING})
    |(?P<url>{_URL})(?P<quoted>{_STRING}){_WS}*+
    |{_URL}(?P<bare>{_BARE}){_WS}*+\)
    |(?P<escape>\\[{{}};,(\[:>=!]){_WS}++
    |(?P<rest>[\s\S])""",
    re.VERBOSE,
)
# What must stay as it is, and comments. The first alternative passes over the rest.
_ENTITY = re.compile(
    rf"""(?>(?:[^"'/\\uU]++|[uU](?![rR][lL]\()|/(?!\*))+)
    |(?P<comment>{_COMMENT})
    |(?P<kept>{_STRING}|{_URL}{_BARE}{_WS}*+\)|{_ESCAPE})
    |[uU"'/\\]""",
    re.VERBOSE,
)
_COMMENTS = re.compile(_COMMENT)
_BLANKS = " \t\n\r\f"


def minified(text: str, exact: Sequence[tuple[int, int]]) -> str | None:
    """Return `text` made smaller, None if rcssmin's result does not mean the same.

    text: closed at its end, without bad strings; references are tokens. exact: `(start, end)` of the values of custom
    properties, in order, which keep every character but outer white space (css-variables-1 §2).
    """
    cssmin = _cssmin()
    shield = _Shield(text)
    shielded = shield.over(text, exact)
    # As bytes: what is not UTF-8 crashes the extension, and encoding refuses it.
    result = cssmin(shielded.encode(), keep_bang_comments=True).decode()
    return shield.lifted(result) if _meaning(result) == _meaning(shielded) else None


def versions() -> dict[str, str]:
    """Return the minifier's name and version, for the record of what decided the bytes."""
    import rcssmin

    return {"rcssmin": rcssmin.__version__}


class _Cssmin(Protocol):
    def __call__(self, style: bytes, keep_bang_comments: bool) -> bytes: ...


def _cssmin() -> _Cssmin:
    try:
        import rcssmin
    except ModuleNotFoundError:
        message = "minifying CSS needs the package `rcssmin`, which is not installed"
        fault = Diagnostic("missing-extra", "error", message, hint="pip install 'assetbuild[compile]'")
        raise EngineUnavailable([fault]) from None
    found: _Cssmin = rcssmin.cssmin
    return found


class _Shield:
    """Characters that stand in a text for what rcssmin must not see; none of them occurs in the text itself."""

    def __init__(self, text: str) -> None:
        # Private use: no stylesheet gives these a meaning, and to rcssmin they are part of names.
        free = (chr(code) for code in range(0xE000, 0x110000) if chr(code) not in text)
        self._space, self._mark = next(free), next(free)
        self._kept: list[str] = []

    def over(self, text: str, exact: Iterable[tuple[int, int]]) -> str:
        """Return `text` with the shield in its places."""
        parts, at = [], 0
        for start, end in exact:
            value = text[start:end]
            # `--x: ;` is the empty value to every browser, `--x:;` only to newer ones. A space may end an escape.
            trimmed = value.lstrip(_BLANKS) if "\\" in value else value.strip(_BLANKS)
            parts += [text[at:start], self._keep(trimmed or value[:1])]
            at = end
        return self._loose("".join(parts) + text[at:])

    def lifted(self, text: str) -> str:
        """Return `text` without the shield."""
        kept = self._kept
        text = re.sub(f"{self._mark}([0-9]+){self._mark}", lambda match: kept[int(match[1])], text)
        return text.replace(self._space, " ")

    def _keep(self, value: str) -> str:
        if not value:
            return ""
        self._kept.append(value)
        return f"{self._mark}{len(self._kept) - 1}{self._mark}"

    def _loose(self, text: str) -> str:
        parts = (self._replacement(match) if match.lastgroup else match[0] for match in _SHIELDED.finditer(text))
        return "".join(parts)

    def _replacement(self, match: re.Match[str]) -> str:
        written, kind = match[0], match.lastgroup
        if kind == "run":
            text = match.string
            return self._run(written, text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1])
        if kind == "quoted":
            return match["url"].rstrip(_BLANKS) + self._keep(match["quoted"])
        if kind == "bare":
            return f"url({match['bare']})"
        if kind == "empty":
            return self._keep(";")  # at the top of a sheet it makes the next rule invalid (CSS Syntax §5.4.3)
        if kind == "string":
            return self._keep(written) if "\\" in written else written
        return match["escape"] + self._space if kind == "escape" else written

    def _run(self, written: str, before: str, after: str) -> str:
        """Return what stands for white space and comments between two characters."""
        if before in _OPENERS or "/*!" in written:
            return written
        has_space = bool(_COMMENTS.sub("", written))
        if after == ":":
            return self._space if has_space else ""
        if has_space or after in _ENDERS:
            return written
        # rcssmin would leave a space. Nothing can be lengthened by what follows a bracket; other tokens can.
        return "" if before in {")", "]"} else self._keep("/**/")


# Behind and before these, white space is rcssmin's business. The empty string is an end of the text.
_OPENERS = frozenset({"", *"{};,([:>=!"})
_ENDERS = frozenset({"", *"{};,)]!>="})


def _meaning(text: str) -> tuple[bytes, list[str]]:
    """Return `text` without the white space and comments that mean nothing, nor the last semicolons of a block.

    The strings, bare URLs and escapes in it stand apart, in order.
    """
    parts, kept, at = [], [], 0
    for match in _ENTITY.finditer(text):
        if match.lastgroup:
            parts += [text[at : match.start()].encode(), _SPACE if match["comment"] else _KEPT]
            kept += [match[0]] if match["kept"] else []
            at = match.end()
    parts.append(text[at:].encode())
    # Whole-text steps of `bytes` cost a tenth of what a pattern costs that stops at each gap.
    rest = _SPACE.join(b"".join(parts).replace(b"\x0b", _TAB).split())
    for mark in _GAPLESS_BEHIND:
        rest = rest.replace(mark + _SPACE, mark)
    for mark in _GAPLESS_BEFORE:
        rest = rest.replace(_SPACE + mark, mark)
    return b"}".join([part.rstrip(b";") for part in rest.split(b"}")]), kept


# Where white space means nothing outside custom properties. Not before `:` (`.a :hover`).
_GAPLESS_BEHIND = [b"{", b"}", b";", b",", b"(", b"[", b":", b">", b"=", b"!"]
_GAPLESS_BEFORE = [b"{", b"}", b";", b",", b")", b"]", b"!", b">", b"="]
# In the place of an entity, and of the vertical tab, which is no white space in CSS: no bytes of UTF-8.
_SPACE, _KEPT, _TAB = b" ", b"\xfe", b"\xff"
