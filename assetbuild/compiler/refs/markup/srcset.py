"""Image candidates, as WHATWG HTML §4.8.4.3.10 ("parse a srcset attribute") divides them."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["candidates"]

_CANDIDATE = re.compile(r"[\t\n\f\r ,]*+([^\t\n\f\r ]++)")
# Commas in parentheses divide nothing.
_DESCRIPTORS = re.compile(r"(?>(?:[^(,]++|\([^)]*+(?:\)|\Z))*)")


def candidates(text: str) -> Iterator[tuple[int, int]]:
    """Return the start and end of the URL of each candidate. Never raises; bad descriptors are no concern of ours."""
    match = _CANDIDATE.match(text)
    while match:
        start, end = match.span(1)
        url = match[1].rstrip(",")
        if url:
            yield start, start + len(url)
        if len(url) == end - start:
            descriptors = _DESCRIPTORS.match(text, end)
            end = descriptors.end() if descriptors else end
        match = _CANDIDATE.match(text, end)
