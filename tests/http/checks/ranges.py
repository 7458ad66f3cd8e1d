"""A part of a file, and only of the right one."""

from __future__ import annotations

from tests.http.checks.model import ETAG, advice, get, rule
from tests.http.checks.negotiation import VARIES
from tests.http.client import Answer
from tests.http.expect import either, has, lacks, part, status, unsatisfied, whole
from tests.http.site import Place

__all__ = ["RANGES"]

_FAR_AHEAD = "Fri, 01 Jan 2100 00:00:00 GMT"


def _several_parts(answer: Answer, _: Place) -> str:
    """Claim that several ranges are answered as such (RFC 9110 §15.3.7.2)."""
    fault = has("content-type", "multipart/byteranges;.*")(answer, _)
    return f"status {answer.status}" if answer.status != 206 else fault


_no_part = either(whole(""), status(416, 400))

RANGES = (
    advice(
        "Accept-Ranges says that parts can be asked for",
        "RFC 9110 §14.3",
        get(has("accept-ranges", "bytes")),
        needs="ranges",
    ),
    rule("`bytes=0-0` is the first byte", "RFC 9110 §14.1.2", get(part(0, 0), range="bytes=0-0"), needs="ranges"),
    rule("`bytes=10-19` is ten bytes", "RFC 9110 §14.1.2", get(part(10, 19), range="bytes=10-19"), needs="ranges"),
    rule("`bytes=10-` goes to the end", "RFC 9110 §14.1.2", get(part(10, -1), range="bytes=10-"), needs="ranges"),
    rule("`bytes=-1` is the last byte", "RFC 9110 §14.1.2", get(part(-1, -1), range="bytes=-1"), needs="ranges"),
    rule(
        "a range that ends behind the file ends with it",
        "RFC 9110 §14.1.2",
        get(part(5, -1), range="bytes=5-9999999"),
        needs="ranges",
    ),
    rule(
        "a last part longer than the file is the file",
        "RFC 9110 §14.1.2",
        get(part(0, -1), range="bytes=-9999999"),
        needs="ranges",
    ),
    rule(
        "a range that begins behind the file gives 416 and the length",
        "RFC 9110 §15.5.17",
        get(unsatisfied, range="bytes=9999999-"),
        needs="ranges",
    ),
    rule("`bytes=-0` is no part", "RFC 9110 §14.1.2", get(_no_part, range="bytes=-0"), needs="ranges"),
    rule("`bytes=5-2` is no part", "RFC 9110 §14.1.1", get(_no_part, range="bytes=5-2"), needs="ranges"),
    rule("`bytes=--1` is no part", "RFC 9110 §14.1.1", get(_no_part, range="bytes=--1"), needs="ranges"),
    rule("`bytes=1_0-2_0` is no part", "RFC 9110 §14.1.1", get(_no_part, range="bytes=1_0-2_0"), needs="ranges"),
    rule("another unit is ignored", "RFC 9110 §14.2", get(whole(""), range="blocks=0-1"), needs="ranges"),
    rule(
        "two ranges give the whole file or both",
        "RFC 9110 §14.2",
        get(either(whole(""), _several_parts), range="bytes=0-1,5-6"),
        needs="ranges",
    ),
    rule(
        "HEAD knows no ranges",
        "RFC 9110 §14.2",
        get(status(200), lacks("content-range"), method="HEAD", range="bytes=0-0"),
        needs="ranges",
    ),
    rule(
        "a part of a variant is of the variant, or the whole",
        "RFC 9110 §14.2",
        get(either(part(1, 9), whole()), accept_encoding="gzip", range="bytes=1-9"),
        needs="ranges gzip",
    ),
    rule(
        "a part repeats ETag",
        "RFC 9110 §15.3.7",
        get(part(1, 9), has("etag", ".+"), range="bytes=1-9"),
        needs="ranges etag",
    ),
    rule(
        "a part repeats Cache-Control",
        "RFC 9110 §15.3.7",
        get(part(1, 9), has("cache-control", ".+"), range="bytes=1-9"),
        needs="ranges lifetime",
    ),
    rule(
        "a part repeats Vary",
        "RFC 9110 §15.3.7",
        get(status(206, 200), has("vary", VARIES), accept_encoding="gzip", range="bytes=1-9"),
        needs="ranges gzip",
    ),
    rule(
        "If-Range with the tag gets the part",
        "RFC 9110 §13.1.5",
        get(part(0, 9), range="bytes=0-9", if_range=ETAG),
        needs="ranges etag",
    ),
    rule(
        "If-Range with another tag gets the whole file",
        "RFC 9110 §13.1.5",
        get(whole(""), range="bytes=0-9", if_range='"of-another-file"'),
        needs="ranges etag",
    ),
    rule(
        "so does the weak form of the tag",
        "RFC 9110 §13.1.5",
        get(whole(""), range="bytes=0-9", if_range=f"W/{ETAG}"),
        needs="ranges etag",
    ),
    rule(
        "so does the tag of another variant",
        "RFC 9110 §13.1.5",
        get(whole("gzip"), accept_encoding="gzip", range="bytes=0-9", if_range=ETAG),
        needs="ranges etag gzip",
    ),
    rule(
        "so does a date that is not the file's",
        "RFC 9110 §13.1.5",
        get(whole(""), range="bytes=0-9", if_range=_FAR_AHEAD),
        needs="ranges",
    ),
    rule(
        "a range that begins behind the file is ignored where If-Range does not match",
        "RFC 9110 §13.2.2",
        get(whole(""), range="bytes=9999999-", if_range='"of-another-file"'),
        needs="ranges etag",
    ),
    rule(
        "If-None-Match comes before Range",
        "RFC 9110 §13.2.2",
        get(status(304), lacks("content-range"), range="bytes=0-9", if_none_match=ETAG),
        needs="ranges etag",
    ),
)
