"""SVG files as they may stand in a page: only what an HTML parser reads as XML does.

Pure functions from text to text; a `ValueError` says why there is none. XML is judged by expat. What is added are the
places where HTML makes another tree of well-formed XML: an element that ends the drawing would let the rest of the file
out into the page, and one that HTML does not close would take the rest of the page in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.parsers import expat

__all__ = ["svg_rest", "svg_text"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ASCII_SPACE = " \t\n\f\r"
_SVG = "http://www.w3.org/2000/svg"
# HTML §13.2.6.1, "adjust foreign attributes": these prefixes have a namespace, whatever was declared, and no other has.
_SPACES = {"xlink": "http://www.w3.org/1999/xlink", "xml": "http://www.w3.org/XML/1998/namespace"}
_SEPARATOR = "\f"  # no character of XML

# HTML §13.2.6.5, "The rules for parsing tokens in foreign content": start tags that end it. `font` does with some
# attributes only.
_BREAKOUTS = _words(
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta "
    "nobr ol p pre ruby s small span strong strike sub sup table tt u ul var"
)
_FONT_BREAKOUTS = _words("color face size")
# HTML §13.2.4.2, "HTML integration point": an element in one of these is an HTML element.
_INTEGRATION_POINTS = _words("desc foreignObject title")
# HTML §13.2.6.5, "Any other start tag", and §13.2.6.1, "adjust SVG attributes": every other name is in lower case.
_ELEMENT_NAMES = {
    name.lower(): name
    for name in _words(
        "altGlyph altGlyphDef altGlyphItem animateColor animateMotion animateTransform clipPath feBlend feColorMatrix "
        "feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting feDisplacementMap feDistantLight "
        "feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feImage feMerge feMergeNode feMorphology "
        "feOffset fePointLight feSpecularLighting feSpotLight feTile feTurbulence foreignObject glyphRef "
        "linearGradient radialGradient textPath"
    )
}
_ATTRIBUTE_NAMES = {
    name.lower(): name
    for name in _words(
        "attributeName attributeType baseFrequency baseProfile calcMode clipPathUnits diffuseConstant edgeMode "
        "filterUnits glyphRef gradientTransform gradientUnits kernelMatrix kernelUnitLength keyPoints keySplines "
        "keyTimes lengthAdjust limitingConeAngle markerHeight markerUnits markerWidth maskContentUnits maskUnits "
        "numOctaves pathLength patternContentUnits patternTransform patternUnits pointsAtX pointsAtY pointsAtZ "
        "preserveAlpha preserveAspectRatio primitiveUnits refX refY repeatCount repeatDur requiredExtensions "
        "requiredFeatures specularConstant specularExponent spreadMethod startOffset stdDeviation stitchTiles "
        "surfaceScale systemLanguage tableValues targetX targetY textLength viewBox viewTarget xChannelSelector "
        "yChannelSelector zoomAndPan"
    )
}
# Of SVG 1.1: editors write them, no browser reads them, and HTML may call them what it likes.
_UNREAD = _words("contentScriptType contentStyleType externalResourcesRequired filterRes")


def svg_text(text: str) -> str:
    """Return the root element of an SVG file: HTML has no XML declaration and one doctype (HTML, "SVG")."""
    at = 0
    while True:
        at += len(text) - at - len(text[at:].lstrip(_ASCII_SPACE))
        for start, end in (("<?", "?>"), ("<!--", "-->"), ("<!DOCTYPE", ">")):
            if text.startswith(start, at):
                at = _after(text, at, start, end)
                break
        else:
            break
    if not text.startswith("<svg", at) or text[at + 4 : at + 5] not in {*_ASCII_SPACE, ">", "/"}:
        raise ValueError("its root element is not `<svg>`")
    root = text[at:].rstrip(_ASCII_SPACE)
    _Reader().read(root)
    return root


def svg_rest(text: str, given: Iterable[str]) -> str:
    """Return what follows `<svg` in `svg_text`, without the attributes of the root that are `given`.

    Names are compared as an HTML parser does, which folds the case of ASCII and knows no prefix. Source of the form of
    an attribute, which includes that of XML: HTML, "Before attribute name state" and those that follow it.
    """
    replaced = {name.lower() for name in given}
    kept, at = [], len("<svg")
    while found := _ATTRIBUTE.match(text, at):
        if found["name"].lower() not in replaced:
            kept.append(found[0])
        at = found.end()
    return "".join(kept) + text[at:]


# An unquoted value is HTML's alone; in XML, a slash before `>` belongs to no attribute.
_ATTRIBUTE = re.compile(
    r"""[ \t\n\f\r/]*(?P<name>=?[^ \t\n\f\r/>=]+)(?:[ \t\n\f\r]*=[ \t\n\f\r]*("[^"]*"|'[^']*'|[^ \t\n\f\r>]*))?"""
)


def _after(text: str, at: int, start: str, end: str) -> int:
    """Return where what begins with `start` is over."""
    found = text.find(end, at + len(start))
    if found < 0:
        raise ValueError(f"its `{start}` has no end")
    if "[" in text[at:found] and start == "<!DOCTYPE":
        raise ValueError("its doctype declares entities, which HTML does not know")
    return found + len(end)


class _Reader:
    """Reads a text as XML, and refuses what HTML would read otherwise."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._root_space = ""

    def read(self, text: str) -> None:
        """Raise `ValueError` for what is no XML or another tree in HTML."""
        parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
        parser.namespace_prefixes = True
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CommentHandler = self._comment
        parser.ProcessingInstructionHandler = self._instruction
        try:
            parser.Parse(text, True)
        except expat.ExpatError as error:
            raise ValueError(f"it is not well-formed XML: {expat.ErrorString(error.code)}") from None

    def _start(self, name: str, attributes: list[str]) -> None:
        space, local, prefix = _expanded(name)
        if not self._open:
            self._root_space = space
        elif self._open[-1] in _INTEGRATION_POINTS:
            raise ValueError(f"it holds an element in `<{self._open[-1]}>`, which HTML takes for its own")
        names = [_expanded(each) for each in attributes[::2]]
        if not prefix:
            self._refuse_other_element(space, local, {each.lower() for _, each, other in names if not other})
        elif space == _SVG:
            raise ValueError(f"its `<{prefix}:{local}>` is no SVG to HTML, which knows no namespace prefixes")
        for each in names:
            _refuse_other_attribute(*each)
        self._open.append(local if not prefix else "")

    def _refuse_other_element(self, space: str, local: str, attributes: set[str]) -> None:
        folded = local.lower()
        if folded in _BREAKOUTS or (folded == "font" and attributes & _FONT_BREAKOUTS):
            raise ValueError(f"it holds `<{local}>`, where HTML takes the drawing to be over")
        if space != self._root_space or space not in {"", _SVG}:
            found = f"the namespace `{space}`" if space else "no namespace"
            raise ValueError(f"its `<{local}>` is in {found}, and SVG to HTML")
        if (read := _ELEMENT_NAMES.get(folded, folded)) != local:
            raise ValueError(f"its `<{local}>` is `<{read}>` to HTML")

    def _end(self, name: str) -> None:
        del name
        self._open.pop()

    def _comment(self, text: str) -> None:
        # HTML §13.2.5.43, "Comment start state": `<!-->` and `<!--->` are whole. XML itself allows no `--` inside.
        if text.startswith((">", "->")):
            raise ValueError("it holds a comment that begins with `>`, where HTML takes it to be over")

    def _instruction(self, target: str, text: str) -> None:
        # HTML §13.2.5.41, "Bogus comment state": the first `>` ends it.
        if ">" in text:
            raise ValueError(f"its `<?{target}` holds `>`, where HTML takes it to be over")


def _expanded(name: str) -> tuple[str, str, str]:
    """Return namespace, local name and prefix; "" for what there is none of (Python, `pyexpat.ParserCreate`)."""
    if _SEPARATOR not in name:
        return "", name, ""
    space, local, *prefix = name.split(_SEPARATOR)
    return space, local, "".join(prefix)


def _refuse_other_attribute(space: str, local: str, prefix: str) -> None:
    written = f"{prefix}:{local}" if prefix else local
    folded = written.lower()
    if not prefix:
        read = _ATTRIBUTE_NAMES.get(folded, folded)
        if written != read and written not in _UNREAD:
            raise ValueError(f"its attribute `{written}` is `{read}` to HTML")
        return
    read_space = _SPACES.get(folded.partition(":")[0], "")
    if read_space != (space if space in _SPACES.values() else "") or (read_space and written != folded):
        raise ValueError(f"its attribute `{written}` has another namespace to HTML")
