"""What one search over a script shows, so that the lexer need not read it: it is slow beside a search.

Each answer errs on one side only. A no is certain, a yes is for the lexer to judge; where a script begins is known for
certain or not at all. Source: ECMA-262 §12; keywords cannot be written with escapes (§12.7.2), and whoever writes
`importScripts`, `eval` or `require` with one does not mean us.
"""

from __future__ import annotations

import re

from assetbuild.compiler.refs.js.tokens import ANY_SPACE, HASHBANG_LINE, STRING_LITERAL

__all__ = ["after_directives", "first_token", "is_legal", "legal_comments", "may_refer", "may_reveal_names"]

_COMMENT = r"//[^\n\r\u2028\u2029]*+|/\*[^*]*+(?>(?:\*(?!/)[^*]*+)*)\*/"
_TRIVIA = rf"(?>(?:[{ANY_SPACE}]++|{_COMMENT})*)"
_HASHBANG = "(?:#![^\n\r\u2028\u2029]*+)?"

# What may stand before the next token, beside space.
_ANY_COMMENT = "/[/*]|<!--|-->"
# A specifier, a clause or its first name, `.meta`, an argument: prose has `import/no-cycle` and "the import() call".
_IMPORTED = rf"""["'`{{*.\w$\\]|[^\x00-\x7f]|\((?![{ANY_SPACE}]*+\))|{_ANY_COMMENT}"""
# §12.9.3: no name stands right behind a number, so that a word begins wherever one is to be seen.
_REFERRING = re.compile(rf"\b(?:(?:importScripts|export)\b|import\b[{ANY_SPACE}]*+(?:{_IMPORTED}))")
_REVEALING = re.compile(rf"\b(?:eval|with)[{ANY_SPACE}]*+(?:\(|{_ANY_COMMENT})")
_MARKED = re.compile(r"/[*/]!|@license|@preserve")
_ONE_COMMENT = re.compile(_COMMENT)
_LEADING = re.compile(_HASHBANG + _TRIVIA)
_PROLOGUE = re.compile(rf"{_HASHBANG}(?>(?:[{ANY_SPACE};]++|{_COMMENT}|{STRING_LITERAL})*)")
# What neither pattern can judge: the comments of Annex B.1.1, and one that is never closed.
_DOUBTFUL = ("<!--", "-->", "/*")


def may_refer(text: str) -> bool:
    """Return whether `text` may hold a reference or be a module."""
    return _REFERRING.search(text) is not None


def may_reveal_names(text: str) -> bool:
    """Return whether `text` may call `eval` or have a `with` statement."""
    return _REVEALING.search(text) is not None


def is_legal(comment: str) -> bool:
    """Return whether a licence asks for the comment to be kept. The marks are those of esbuild and terser."""
    return comment.startswith(("/*!", "//!")) or "@license" in comment or "@preserve" in comment


def legal_comments(text: str) -> list[str] | None:
    """Return the comments that are to be kept, in order; None if only the lexer can tell."""
    if _MARKED.search(text) is None:
        return []
    first = first_token(text)
    if first is None or _MARKED.search(text, first):
        return None
    hashbang = HASHBANG_LINE.match(text)
    comments = _ONE_COMMENT.findall(text, hashbang.end() if hashbang else 0, first)
    return [comment for comment in comments if is_legal(comment)]


def first_token(text: str) -> int | None:
    """Return where the first token of `text` begins that is no space or comment, its length if there is none.

    None if only the lexer can tell.
    """
    return _certain(_LEADING, text)


def after_directives(text: str) -> int | None:
    """Return where `text` goes on behind all that may be a directive prologue; None if only the lexer can tell."""
    return _certain(_PROLOGUE, text)


def _certain(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.match(text)
    assert found is not None  # it matches nothing too
    return None if text.startswith(_DOUBTFUL, found.end()) else found.end()
