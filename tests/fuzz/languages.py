"""The readers of languages: tokens are the text, references lie in it, and another URL may stand in for each."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NoReturn, Protocol

from assetbuild.compiler.door import NESTING_LIMIT
from assetbuild.compiler.refs import css, js, webmanifest
from assetbuild.compiler.refs.css.shape import enclosed, layer_uses, shape
from assetbuild.compiler.refs.css.tokens import tokens as css_tokens
from assetbuild.compiler.refs.js.lexer import lex
from assetbuild.compiler.refs.markup import HTML, XML, may_refer, survey
from tests.fuzz.grain import LONG_CHARACTERS, Grain
from tests.linear import steps

__all__ = ["scripts", "sheets", "tagged", "web_manifests"]

_URL = "https://h/new.png"

_CSS = [
    *"{}()[]:;,.#@<>!-+*/\\\"'=~|^$%&? \t\n\r\f\0",
    *("/*", "*/", "<!--", "-->", "--", "\r\n", "url(", "URL(", "\\75rl(", "u\\52 L(", "src(", "image-set(", "var("),
    *("@import ", "@import url(a)", "@import 'b' layer(c) supports(d:e) print;", "@media ", "@layer a,b;", "@layer c{"),
    *("@namespace a 'b';", "@charset 'x';", "@supports (a:url(b)){", "@font-face{", "--x:", "a{b:c}", "a", "é", "😀"),
    *("12", ".5e3", "\\41 ", "\\000041", "\\\n", "!ie", "url(a b)", "url('c?d#e')", "/*# sourceMappingURL=a.map */"),
]
_JS = [
    *"/'\"`{}()[];,:?.\\#@*!=+-<>é😀\0",
    *(
        "/*",
        "*/",
        "//",
        "${",
        "?.",
        "=>",
        "++",
        "--",
        "<!--",
        "-->",
        "1.",
        ".5",
        "0x1f",
        "1n",
        "017.a",
        "\\u0061",
        "#p",
    ),
    *(
        "a ",
        "b",
        "async ",
        "await ",
        "yield ",
        "of ",
        "let ",
        "get ",
        "static ",
        "import ",
        "export ",
        " from ",
        "default ",
    ),
    *(
        "class ",
        "function ",
        "return ",
        "if",
        "for",
        "while",
        "case ",
        " in ",
        "typeof ",
        "new ",
        "meta",
        "/x/",
        "/[/]/",
    ),
    *("`t`", "'s'", "import('x')", "import.meta.url"),
    *(" ", "\n", "\r\n", "\u2028", "\ufeff", "import './x'", "export * from './y';", "\\\n", "'use strict'", "#!x\n"),
    *("new URL('./z',import.meta.url)", "new Worker('./w')", "importScripts('a','b')", "require('c')", "eval("),
    *("//# sourceMappingURL=a.map\n", "/*! kept */", "with(", "import.meta.resolve('d')", "import a,{b as c} from"),
]
_MARKUP = [
    *"<>=/\"'& \t\n\f\0;-!?[]{}%aé",
    *("<a", "</a>", "<img src=a>", "<image href='b'/>", '<use xlink:href="c#d"/>', "<style>", "</style>", "<script>"),
    *("</script>", "<!--", "-->", "<![CDATA[", "]]>", "<?xml-stylesheet href='e.css'?>", "<!DOCTYPE x [", "]>"),
    *(" style='f:url(g)'", ' fill="url(#h)"', " srcset='i 1x, j 2x'", "&amp;", "&#x2f;", "&quot", "&e;", "<svg>"),
    *("</svg>", "<template>", "</template>", "<base href=k>", "<link rel=stylesheet href=l>", "<textarea>", "<title>"),
    *("url(m)", "@import 'n';", "<svg xmlns:o='http://www.w3.org/1999/xlink' o:href='p'>", "{{ q }}", "<math>", "/>"),
]
_JSON = [
    *'{}[],:"\\ \t\n\r-0123456789.eE+\0é',
    *('"icons"', '"screenshots"', '"shortcuts"', '"file_handlers"', '"src"', '"a.png"', "true", "false", "null", "NaN"),
    *('{"icons":[{"src":"b?c"}]}', '"\\ud83d\\ude00"', '"\\ud800"', '"\\/"', "Infinity", "\ufeff", '{"src":', "],"),
]


class _Placed(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def value(self) -> str: ...


def _expect_linear(content: bytes, text: str, read: Callable[[str], object]) -> None:
    """Hold the work for a long text against what it costs twice over.

    One text in sixteen, which its input chooses: counting takes longer than everything else that is asked of a text.
    """
    if len(text) > LONG_CHARACTERS and zlib.crc32(content) % 16 == 0:
        once, twice = (steps(lambda part=part: read(part)) for part in (text, text * 2))  # type: ignore[misc]
        # Either may be ruled out by a quick look, so a text may also cost what its length allows.
        assert twice < 3 * once + 100 * len(text), (once, twice)


def _replaced(text: str, references: Sequence[_Placed], new: str) -> str:
    """Return the text with `new` in the place of each reference, which must lie side by side in it."""
    assert all(one.end <= other.start for one, other in pairwise(references)), references
    parts, at = [], 0
    for ref in references:
        assert 0 <= at <= ref.start <= ref.end <= len(text), ref
        parts += [text[at : ref.start], new]
        at = ref.end
    return "".join((*parts, text[at:]))


def sheets(content: bytes) -> None:
    """Read a stylesheet with everything that reads one."""
    text = Grain(content).text(_CSS)
    found = [*css_tokens(text)]
    assert text == "".join(text[token.start : token.end] for token in found)
    assert all(token.start < token.end for token in found)
    surveyed = css.survey(text)
    again = css.references(_replaced(text, surveyed.references, _URL))
    assert [(ref.kind, _URL) for ref in surveyed.references] == [(ref.kind, ref.value) for ref in again]
    assert all(0 <= start <= end <= len(text) for start, end in surveyed.customs)
    assert surveyed.bad is None or 0 <= surveyed.bad < len(text)
    for ref in surveyed.references:
        for suffix in ("", ref.value[-1:], ref.value):
            assert text[ref.start : ref.end].rstrip(" \t\r\n\f").endswith(css.raw_suffix(text, ref, suffix))
    assert all(rule.ref in surveyed.references and text[rule.start] == "@" for rule in css.imports(text))
    for comment in css.map_comments(text):
        assert comment.start < comment.url_start <= comment.url_end < comment.end
    for place, openers in ((css.check_nesting(text), "([{"), (css.left_open(text), "{")):
        assert place is None or text[place] in openers
    shaped = shape(text)
    inside = enclosed(text, shaped.strays)
    assert len(text) == len(inside)
    assert not css.survey(text + shaped.closing).is_open
    layer_uses(text)
    _expect_linear(content, text, css.survey)


def scripts(content: bytes) -> None:
    """Read a script as both goals, and what it names."""
    text = Grain(content).text(_JS)
    for goal in ("script", "module"):
        tokens = lex(text, goal)
        parts = [tokens[at] for at in range(len(tokens))]
        assert text == "".join(parts)
        assert "" not in parts
        assert all(0 <= fault.start < len(text) for fault in tokens.faults)
        assert tokens.too_deep is None or text.startswith(("(", "[", "{", "`", "$", "class"), tokens.too_deep)
    script = js.Script(text)
    named = sorted((*script.references, *script.requires))
    assert all(text[ref.start - 1] == text[ref.end] and text[ref.end] in "'\"`" for ref in named)
    assert all(ref.statement_start < ref.start <= ref.end < ref.statement_end <= len(text) for ref in named)
    if named:
        again = js.Script(_replaced(text, named, _URL))
        for before, after in ((script.references, again.references), (script.requires, again.requires)):
            assert [(ref.kind, _URL) for ref in before] == [(ref.kind, ref.value) for ref in after]
    assert all(text[place.start : place.end].startswith("import") for place in script.non_constant_imports)
    for comment in script.source_maps:
        assert comment.url in text[comment.start : comment.end]
    assert all(comment in text for comment in script.legal_comments)
    assert script.strict_directive is None or "use strict" in text
    for _ in (script.has_code, script.reveals_names, script.provides_require, script.is_module):
        pass
    _expect_linear(content, text, lambda part: js.Script(part).references)


def tagged(content: bytes) -> None:
    """Read a document as HTML and as XML."""
    text = Grain(content).text(_MARKUP)
    for dialect in (HTML, XML):
        tokens = [*dialect.tokens(text)]
        assert [0, *(token.end for token in tokens)] == [*(token.start for token in tokens), len(text)]
        found = survey(text, dialect)
        assert may_refer(text.encode()) or not (found.references or found.problems or found.base)
        assert all(0 <= problem.start <= problem.end <= len(text) for problem in found.problems)
        parts, at, expected = [], 0, []
        for ref in found.references:
            assert at <= ref.start <= ref.suffix_start <= ref.end <= len(text), ref
            parts += [text[at : ref.start], _URL]
            at = ref.suffix_start
            mark = re.search("[?#]", ref.value)
            expected.append(_URL + (ref.value[mark.start() :] if mark else ""))
        if expected:
            again = survey("".join((*parts, text[at:])), dialect).references
            assert expected == [ref.value for ref in again]
        _expect_linear(content, text, lambda part, dialect=dialect: survey(part, dialect))  # type: ignore[misc]


def web_manifests(content: bytes) -> None:
    """Read a web app manifest: JSON for us is JSON for Python, and the new text says the new names."""
    text = Grain(content).text(_JSON)
    wrong = None
    try:
        found = webmanifest.references(text)
    except webmanifest.NotJson as error:
        wrong = error.start
    if wrong is not None:
        assert 0 <= wrong <= len(text)
        assert not _is_json(text) or _depth(json.loads(text)) > NESTING_LIMIT
        return
    assert _is_json(text)
    again = webmanifest.references(_replaced(text, found, _URL))
    assert [_URL] * len(found) == [ref.value for ref in again]
    _expect_linear(content, text, webmanifest.references)


def _is_json(text: str) -> bool:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(constant)

    try:
        json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)
