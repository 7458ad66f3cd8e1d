"""Which variant of a file a client gets: the smallest that it accepts.

Receives the value of a header, hands on one of the variants. Knows nothing of files, methods or transports.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from assetbuild.manifest import SUFFIXES
from assetbuild.web.serve.resources import Variant

__all__ = ["pick"]

# A browser's value has some twenty characters: what is longer is read each time, so that nobody fills the memo.
_MEMO_LIMIT = 256
_MEMO_CHARACTERS = 200

_IDENTITY = frozenset({""})
_KNOWN = {"": "identity", **{coding: coding for coding in SUFFIXES}}
# RFC 9110 §12.5.3 and §12.4.2: codings [ OWS ";" OWS "q=" qvalue ]; the names are tokens (§5.6.2).
_ELEMENT = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?", re.ASCII
)


def pick(variants: Sequence[Variant], accept: str) -> Variant:
    """Return the smallest variant the client accepts, identity if none.

    variants: smallest first, identity among them. accept: value of Accept-Encoding; "" when the header is absent. A
    coding with q=0 is refused. Never raises: an unreadable header counts as absent.
    Source: RFC 9110, section 12.5.3, which lets a server send identity where nothing else is left.
    """
    accepted = _memoised(accept) if len(accept) <= _MEMO_CHARACTERS else _accepted(accept)
    for variant in variants:
        if variant.coding in accepted:
            return variant
    return next(variant for variant in variants if not variant.coding)


def _accepted(accept: str) -> frozenset[str]:
    """Return the codings of ours that the client accepts, "" for identity."""
    wanted: dict[str, bool] = {}
    for element in accept.split(","):
        if not element.strip(" \t"):
            continue  # an empty element of a list counts as nothing (RFC 9110 §5.6.1.2)
        found = _ELEMENT.fullmatch(element.strip(" \t"))
        if found is None:
            return _IDENTITY
        name = found[1].lower()
        name = "gzip" if name == "x-gzip" else name  # RFC 9110 §8.4.1.3
        is_wanted = found[2] is None or found[2].strip("0.") != ""
        wanted[name] = is_wanted and wanted.get(name, True)
    others = wanted.get("*")
    return frozenset(
        coding for coding, name in _KNOWN.items() if wanted.get(name, not coding if others is None else others)
    )


_memoised = functools.lru_cache(maxsize=_MEMO_LIMIT)(_accepted)
