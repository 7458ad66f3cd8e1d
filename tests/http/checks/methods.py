"""Methods beside GET, and connections that go on after answers without content."""

from __future__ import annotations

from tests.http.checks.model import ETAG, advice, get, rule
from tests.http.expect import either, empty, has, lacks, sized, status, whole

__all__ = ["METHODS"]

_ALLOWED = r"(?=.*\bGET\b)(?=.*\bHEAD\b).*"

METHODS = (
    rule(
        "HEAD has no content, and no length but that of GET",
        "RFC 9110 §9.3.2",
        get(status(200), either(lacks("content-length"), sized()), method="HEAD"),
        get(whole("")),
    ),
    rule(
        "HEAD negotiates as GET does",
        "RFC 9110 §9.3.2",
        get(status(200), has("content-encoding", "gzip"), sized("gzip"), method="HEAD", accept_encoding="gzip"),
        get(whole("gzip"), accept_encoding="gzip"),
        needs="gzip",
    ),
    rule(
        "HEAD with the tag gives 304",
        "RFC 9110 §13.1.2",
        get(status(304), method="HEAD", if_none_match=ETAG),
        needs="etag",
    ),
    rule(
        "POST gives 405 and says what is allowed",
        "RFC 9110 §15.5.6",
        get(status(405), has("allow", _ALLOWED), method="POST", content_length="0"),
    ),
    rule(
        "an unknown method gives 405 or 501",
        "RFC 9110 §9.1",
        get(status(405, 501), method="PROPFIND"),
    ),
    advice(
        "OPTIONS says what is allowed",
        "RFC 9110 §9.3.7",
        get(status(200, 204), has("allow", _ALLOWED), method="OPTIONS"),
    ),
    rule(
        "the connection goes on after 304",
        "RFC 9112 §6.3",
        get(status(304), if_none_match=ETAG),
        get(whole("")),
        needs="etag",
    ),
    rule(
        "the connection goes on after 416",
        "RFC 9112 §6.3",
        get(status(416), range="bytes=9999999-"),
        get(whole("")),
        needs="ranges",
    ),
    rule(
        "the connection goes on after 404 and 405",
        "RFC 9112 §6.3",
        get(status(404), target="/static/none.css"),
        get(status(404), empty, target="/static/none.css", method="HEAD"),
        get(method="DELETE"),
        get(whole("")),
    ),
    rule(
        "a 304 has no length but that of the file",
        "RFC 9110 §8.6",
        get(status(304), empty, either(lacks("content-length"), sized()), if_none_match=ETAG),
        needs="etag",
    ),
)
