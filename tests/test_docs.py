"""The documentation's links: every file and every heading that one names is there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

REPOSITORY = Path(__file__).parent.parent
PAGES = sorted([REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *REPOSITORY.glob("docs/**/*.md")])

_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_CODE = re.compile(r"(`+).+?\1")
_LINK = re.compile(r"\]\(<?([^()\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_LINKED = re.compile(r"\[([^]]*)\]\([^)]*\)")


def prose(text: str) -> Iterator[str]:
    """Yield the lines that stand outside fenced code."""
    fence = ""
    for line in text.splitlines():
        found = _FENCE.match(line)
        if fence:
            fence = "" if found and found[1].startswith(fence) else fence
        elif found:
            fence = found[1]
        else:
            yield line


def links(text: str) -> list[str]:
    """Return the targets of inline links, those in code left out."""
    return [target for line in prose(text) for target in _LINK.findall(_CODE.sub("", line))]


def anchors(text: str) -> set[str]:
    """Return the fragments that lead to the headings of a page.

    Source: the rule of GitHub ("Section links" in its page on basic writing and formatting syntax): the text in lower
    case, spaces as hyphens, all else but letters, digits, `-` and `_` taken away; a second heading of a name is `-1`.
    """
    seen: Counter[str] = Counter()
    found = set()
    for heading in filter(None, map(_HEADING.fullmatch, prose(text))):
        words = _LINKED.sub(r"\1", heading[1]).lower().replace(" ", "-")
        name = "".join(c for c in words if c.isalnum() or c in "-_")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target in links(page.read_text()):
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            continue
        file = page.parent / unquote(parts.path) if parts.path else page
        leads = file.exists() and file.resolve().is_relative_to(REPOSITORY)
        if not leads or (parts.fragment and unquote(parts.fragment) not in anchors(file.read_text())):
            broken.append(target)

    assert [] == broken


def test_headings_have_the_anchors_that_github_gives_them() -> None:
    text = "# `{% assets %}` of webassets\n## Two\n## Two\n```sh\n# no heading\n```\n### [A link](b.md), and Ü_x! ###\n"

    assert {"-assets--of-webassets", "two", "two-1", "a-link-and-ü_x"} == anchors(text)


def test_links_are_found_in_prose_alone() -> None:
    text = '[a](a.md#b) ![c](c.png "title") `[no](no.md)`\n~~~\n[no](no.md)\n```\n[no](no.md)\n~~~\n[d](<d.md>)\n'

    assert ["a.md#b", "c.png", "d.md"] == links(text)
