"""HTML tokens, as WHATWG HTML §13.2.5 defines them, over the original text.

The few things that the tree decides for the tokeniser are followed by the names of the tags alone: which elements hold
raw text (§13.2.6.2), and where `<svg>` and `<math>` change the rules (§13.2.6.5). CR counts as white space, because
the stream that browsers read has LF in its place (§13.2.3.5).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from assetbuild.compiler.refs.markup.token import Attribute, Kind, Token, folded

__all__ = ["attributes", "tokens"]

# Possessive quantifiers throughout: what is matched is never given back, so every scan is linear.
_WS = r"[\t\n\f\r ]"
_ATTRIBUTE = rf"""[^\t\n\f\r />][^\t\n\f\r />=]*+
    (?:{_WS}*+={_WS}*+(?:"[^"]*+"|'[^']*+'|[^\t\n\f\r >"'][^\t\n\f\r >]*+|(?=>))|(?!{_WS}*+=))"""
_MARK = re.compile(
    rf"""(?P<comment><!--(?:-?>|[^-]*+(?>(?:-(?!-!?>)[^-]*+)*)(?:--!?>|\Z)))
    |(?P<tag><(?P<slash>/)?(?P<name>[a-zA-Z][^\t\n\f\r />]*+)(?>(?:{_WS}++|/(?!>)|{_ATTRIBUTE})*)(?>(?P<solidus>/)?)>)
    |(?P<cut></?[a-zA-Z][\s\S]*+)
    |(?P<doctype><!(?i:doctype)[^>]*+(?:>|\Z))
    |(?P<bogus><[!?/][^>]*+(?:>|\Z))""",
    re.VERBOSE,
)
_ONE_ATTRIBUTE = re.compile(
    rf"""(?P<name>[^\t\n\f\r />][^\t\n\f\r />=]*+)
    (?>(?:{_WS}*+={_WS}*+(?:"(?P<double>[^"]*+)"|'(?P<single>[^']*+)'|(?P<bare>[^\t\n\f\r >]*+)))?)
    |[\t\n\f\r /]++|>""",
    re.VERBOSE,
)
_SCRIPT_MARK = re.compile(r"<!(?=--)|-->|<(/?)script(?=[\t\n\f\r />])", re.IGNORECASE | re.ASCII)

# What a scripting browser takes for text; `noscript` is left out, because its markup is for those who do not script.
_RAW = frozenset(("iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp"))
_RAW_END = {name: re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE | re.ASCII) for name in _RAW}
_FOREIGN = frozenset(("math", "svg"))
_INTEGRATION = frozenset(("annotation-xml", "desc", "foreignobject", "mi", "mn", "mo", "ms", "mtext", "title"))
# Start tags that end `<svg>` and `<math>` (§13.2.6.5); `font` only with an attribute that no SVG has.
_BREAKOUT = frozenset(
    (
        *("b", "big", "blockquote", "body", "br", "center", "code", "dd", "div", "dl", "dt", "em", "embed", "h1", "h2"),
        *("h3", "h4", "h5", "h6", "head", "hr", "i", "img", "li", "listing", "menu", "meta", "nobr", "ol", "p", "pre"),
        *("ruby", "s", "small", "span", "strong", "strike", "sub", "sup", "table", "tt", "u", "ul", "var"),
    )
)


def tokens(text: str) -> Iterator[Token]:
    """Return the tokens of `text`, one beside the other; the names of tags are in lower case. Never raises."""
    at = 0
    places = _Places()
    start = text.find("<")
    while start >= 0:
        token = _cdata(text, start) if places.is_foreign and text.startswith("<![CDATA[", start) else None
        if token is None:
            match = _MARK.match(text, start)
            if match is None:  # a `<` before anything else is text
                start = text.find("<", start + 1)
                continue
            token = _token(match)
        if at < start:
            yield Token("text", at, start)
        at = token.end
        token = places.followed(token)
        yield token
        if token.name:
            raw_end = at if places.holds_markup(token) else _raw_end(text, token)
            if at < raw_end:
                yield Token("raw", at, raw_end)
                at = raw_end
        start = text.find("<", at)
    if at < len(text):
        yield Token("text", at, len(text))


def attributes(text: str, token: Token) -> Iterator[Attribute]:
    """Return the attributes of a tag, their names in lower case; without a value the place is an empty one."""
    for match in _ONE_ATTRIBUTE.finditer(text, token.start + 1 + len(token.name), token.end):
        if match["name"] is not None:
            written = next((group for group in ("double", "single", "bare") if match[group] is not None), None)
            place = match.span(written) if written else (match.end(), match.end())
            yield Attribute(folded(match["name"]), *place)


def _token(match: re.Match[str]) -> Token:
    if match.lastgroup != "tag":
        kind: Kind = "cut" if match.lastgroup == "cut" else "doctype" if match.lastgroup == "doctype" else "comment"
        return Token(kind, *match.span())
    kind = "end" if match["slash"] else "empty" if match["solidus"] else "start"
    return Token(kind, *match.span(), folded(match["name"]))


def _cdata(text: str, start: int) -> Token:
    end = text.find("]]>", start)
    return Token("cdata", start, len(text) if end < 0 else end + 3)


class _Places:
    """Where the reading is: in HTML, or in `<svg>` and `<math>`, whose rules are those of XML in some ways."""

    def __init__(self) -> None:
        self._stack: list[str] = []
        # Beside the stack, so that end tags of what is not open cost the same however deep it is.
        self._open: Counter[str] = Counter()

    @property
    def is_foreign(self) -> bool:
        return bool(self._stack) and self._stack[-1] in _FOREIGN

    def followed(self, token: Token) -> Token:
        """Enter and leave `<svg>`, `<math>` and what in them holds HTML again; return what the token is there."""
        name = token.name
        if token.kind == "end":
            while self._open[name]:
                if self._pop() == name:
                    break
        elif self.is_foreign and name in _BREAKOUT:
            while self.is_foreign:
                self._pop()
        elif token.kind == "start" and (name in _FOREIGN or (self.is_foreign and name in _INTEGRATION)):
            self._stack.append(name)
            self._open[name] += 1
        elif token.kind == "empty" and not self.is_foreign and name not in _FOREIGN:
            return token._replace(kind="start")  # a solidus ends no HTML element
        return token

    def holds_markup(self, token: Token) -> bool:
        """Return whether the content of the element is read by the rules of `<svg>`, whatever its name is in HTML."""
        return self.is_foreign or (token.name in _INTEGRATION and self._open[token.name] > 0)

    def _pop(self) -> str:
        name = self._stack.pop()
        self._open[name] -= 1
        return name


def _raw_end(text: str, token: Token) -> int:
    """Return where the raw text ends that begins behind the tag; where the tag ends, if none does."""
    if token.kind != "start":
        return token.end
    if token.name == "plaintext":
        return len(text)
    if token.name == "script":
        return _script_end(text, token.end)
    if token.name not in _RAW:
        return token.end
    match = _RAW_END[token.name].search(text, token.end)
    return match.start() if match else len(text)


def _script_end(text: str, start: int) -> int:
    """Return where the `</script>` stands that ends the script: none between `<!--`, `<script` and `-->`."""
    is_escaped = is_doubly_escaped = False
    for match in _SCRIPT_MARK.finditer(text, start):
        if match[0] == "<!":
            is_escaped = True
        elif match[0] == "-->":
            is_escaped = is_doubly_escaped = False
        elif not match[1]:
            is_doubly_escaped = is_escaped
        elif is_doubly_escaped:
            is_doubly_escaped = False
        else:
            return match.start()
    return len(text)
