"""What a client that has a file already is told."""

from __future__ import annotations

from tests.http.checks.model import ETAG, advice, get, rule
from tests.http.checks.negotiation import VARIES
from tests.http.expect import empty, has, status, whole

__all__ = ["CONDITIONS"]

_OTHER = '"of-another-file"'
_FAR_AHEAD = "Fri, 01 Jan 2100 00:00:00 GMT"

CONDITIONS = (
    advice("a file has a strong entity tag", "RFC 9110 §8.8.3", get(has("etag", '"[^"]+"'))),
    rule(
        "the tag of the plain file is not that of a variant",
        "RFC 9110 §8.8.3.3",
        get(whole("gzip"), accept_encoding="gzip", if_none_match=ETAG),
        needs="etag gzip",
    ),
    rule(
        "If-None-Match with the tag gives 304", "RFC 9110 §13.1.2", get(status(304), if_none_match=ETAG), needs="etag"
    ),
    rule(
        "so it does for a variant",
        "RFC 9110 §13.1.2",
        get(status(304), accept_encoding="gzip", if_none_match="<etag gzip>"),
        needs="etag gzip",
    ),
    rule(
        "so does a list with the tag in it",
        "RFC 9110 §13.1.2",
        get(status(304), if_none_match=f'{_OTHER},W/"b,c" , {ETAG}'),
        needs="etag",
    ),
    rule(
        "so does its weak form, as a cache may send it",
        "RFC 9110 §13.1.2",
        get(status(304), if_none_match=f"W/{ETAG}"),
        needs="etag",
    ),
    rule("so does `*`", "RFC 9110 §13.1.2", get(status(304), if_none_match="*"), needs="etag"),
    rule(
        "another tag gets the whole file",
        "RFC 9110 §13.1.2",
        get(whole(), if_none_match=_OTHER),
        needs="etag",
    ),
    rule(
        "another tag gets it whatever If-Modified-Since says",
        "RFC 9110 §13.1.3",
        get(whole(), if_none_match=_OTHER, if_modified_since=_FAR_AHEAD),
        needs="etag",
    ),
    rule(
        "a 304 repeats ETag",
        "RFC 9110 §15.4.5",
        get(status(304), empty, has("etag", ".+"), if_none_match=ETAG),
        needs="etag",
    ),
    rule(
        "a 304 repeats Cache-Control",
        "RFC 9110 §15.4.5",
        get(status(304), has("cache-control", ".+"), if_none_match=ETAG),
        needs="etag lifetime",
    ),
    rule(
        "a 304 repeats Vary",
        "RFC 9110 §15.4.5",
        get(status(304), has("vary", VARIES), accept_encoding="gzip", if_none_match="<etag gzip>"),
        needs="etag gzip",
    ),
    rule("If-Match with the tag gets the file", "RFC 9110 §13.1.1", get(whole(), if_match=ETAG), needs="etag"),
    rule("so does `*`, of If-Match", "RFC 9110 §13.1.1", get(whole(), if_match="*"), needs="etag"),
    rule("If-Match with another tag gives 412", "RFC 9110 §13.1.1", get(status(412), if_match=_OTHER), needs="etag"),
    rule(
        "the weak form of the tag does not match there",
        "RFC 9110 §13.1.1",
        get(status(412), if_match=f"W/{ETAG}"),
        needs="etag",
    ),
)
