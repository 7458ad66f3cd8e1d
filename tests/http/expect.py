"""What an answer should be: small claims about it, each of which gives "" or says what is wrong in one clause."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.http.client import Answer
from tests.http.site import CODINGS, Place

__all__ = ["Claim", "either", "empty", "has", "lacks", "not_coded", "part", "sized", "status", "unsatisfied", "whole"]

Claim = Callable[[Answer, Place], str]


def status(*codes: int) -> Claim:
    """Claim that the status is one of these."""
    return lambda answer, _: "" if answer.status in codes else f"status {answer.status}"


def whole(*codings: str) -> Claim:
    """Claim a 200 whose content is the file, undamaged, in one of the codings; in any that was asked for if none."""

    def fault(answer: Answer, place: Place) -> str:
        coding = answer.field("content-encoding") or ""
        if answer.status != 200:
            return f"status {answer.status}"
        if coding not in (codings or CODINGS):
            return f"Content-Encoding `{coding}`"
        if _undone(coding, answer.body) != place.bodies[""]:
            return f"{len(answer.body)} bytes that are not the file"
        return ""

    return fault


def part(first: int, last: int) -> Claim:
    """Claim a 206 with these bytes of the representation, counted from the end where negative (RFC 9110 §15.3.7)."""

    def fault(answer: Answer, place: Place) -> str:
        if answer.status != 206:
            return f"status {answer.status}"
        body = place.bodies.get(answer.field("content-encoding") or "", b"")
        start, end = (at + len(body) if at < 0 else at for at in (first, last))
        wanted = f"bytes {start}-{end}/{len(body)}"
        if answer.field("content-range") != wanted:
            return f"Content-Range `{answer.field('content-range')}`, not `{wanted}`"
        return "" if answer.body == body[start : end + 1] else f"{len(answer.body)} wrong bytes"

    return fault


def unsatisfied(answer: Answer, place: Place) -> str:
    """Claim a 416 that says how long the representation is (RFC 9110 §15.5.17)."""
    if answer.status != 416:
        return f"status {answer.status}"
    sizes = {f"bytes */{len(body)}" for body in place.bodies.values()}
    return "" if answer.field("content-range") in sizes else f"Content-Range `{answer.field('content-range')}`"


def has(name: str, pattern: str) -> Claim:
    """Claim that a field is there and its value matches, in any case of letters."""

    def fault(answer: Answer, _: Place) -> str:
        value = answer.field(name)
        if value is None:
            return f"no {name}"
        return "" if re.fullmatch(pattern, value, re.IGNORECASE) else f"{name} `{value}`"

    return fault


def lacks(name: str, pattern: str = ".*") -> Claim:
    """Claim that there is no such field, or none whose value matches."""

    def fault(answer: Answer, _: Place) -> str:
        value = answer.field(name)
        return f"{name} `{value}`" if value is not None and re.fullmatch(pattern, value, re.IGNORECASE) else ""

    return fault


def not_coded(coding: str) -> Claim:
    """Claim the whole file, not in this coding; or 406, where nothing else was left."""
    others = [each for each in CODINGS if each != coding]
    return either(whole(*others), status(406))


def sized(coding: str = "") -> Claim:
    """Claim a Content-Length that a GET in this coding would have (RFC 9110 §8.6)."""
    return lambda answer, place: has("content-length", str(len(place.bodies[coding])))(answer, place)


def empty(answer: Answer, _: Place) -> str:
    """Claim that there is no content."""
    return f"{len(answer.body)} bytes" if answer.body else ""


def either(one: Claim, other: Claim) -> Claim:
    """Claim one of two; what is said to be wrong is what is against the first."""
    return lambda answer, place: "" if other(answer, place) == "" else one(answer, place)


def _undone(coding: str, body: bytes) -> bytes | None:
    """Return what the content stands for, None if it is not in that coding."""
    import brotli

    try:
        return CODINGS[coding](body)
    except (OSError, EOFError, brotli.error):  # gzip's own error is an OSError
        return None
