"""Which variant of a file is sent, and how a cache is told."""

from __future__ import annotations

from tests.http.checks.model import Step, advice, get, rule
from tests.http.expect import either, has, lacks, not_coded, sized, status, whole

__all__ = ["NEGOTIATION", "VARIES"]

VARIES = r"(.*,\s*)?accept-encoding(\s*,.*)?"
"""A value of Vary that names the field, wherever in the list."""

_TWO_LINES = (("Accept-Encoding", "gzip"), ("Accept-Encoding", "br;q=0"))

NEGOTIATION = (
    advice(
        "the smaller of br and gzip is chosen",
        "RFC 9110 §12.5.3",
        get(whole("br"), accept_encoding="gzip, deflate, br"),
        needs="br",
    ),
    advice(
        "gzip is sent where only gzip is accepted",
        "RFC 9110 §12.5.3",
        get(whole("gzip"), accept_encoding="gzip"),
        needs="gzip",
    ),
    advice("`GZIP` is gzip", "RFC 9110 §8.4.1", get(whole("gzip"), accept_encoding="GZIP"), needs="gzip"),
    advice("without Accept-Encoding the file is sent plain", "RFC 9110 §12.5.3", get(whole(""))),
    rule("an empty Accept-Encoding wants no coding", "RFC 9110 §12.5.3", get(whole(""), accept_encoding="")),
    rule(
        "`gzip;q=0` is not answered with gzip",
        "RFC 9110 §12.4.2",
        get(not_coded("gzip"), accept_encoding="gzip;q=0"),
        needs="gzip",
    ),
    rule(
        "`gzip ; Q=0.000` is not answered with gzip",
        "RFC 9110 §12.4.2, RFC 5234 §2.3",
        get(not_coded("gzip"), accept_encoding="gzip ; Q=0.000"),
        needs="gzip",
    ),
    rule(
        "`*;q=0` is not answered with a coding",
        "RFC 9110 §12.5.3",
        get(either(whole(""), status(406)), accept_encoding="*;q=0"),
        needs="gzip",
    ),
    rule(
        "`br;q=0, *` is not answered with br",
        "RFC 9110 §12.5.3",
        get(not_coded("br"), accept_encoding="br;q=0, *"),
        needs="br",
    ),
    rule(
        "`identity;q=0, gzip` is answered with gzip",
        "RFC 9110 §12.5.3",
        get(whole("gzip"), accept_encoding="identity;q=0, gzip"),
        needs="gzip",
    ),
    rule(
        "`identity;q=0` alone gets the plain file or 406",
        "RFC 9110 §12.4.1",
        get(either(whole(""), status(406)), accept_encoding="identity;q=0"),
        needs="gzip",
    ),
    rule(
        "`not-gzip` is not answered with gzip",
        "RFC 9110 §8.4.1",
        get(whole(""), accept_encoding="not-gzip"),
        needs="gzip",
    ),
    rule(
        "two lines of Accept-Encoding are one list",
        "RFC 9110 §5.3",
        Step((not_coded("br"),), _TWO_LINES),
        needs="br",
    ),
    rule(
        "an unreadable Accept-Encoding is no error",
        "RFC 9110 §12.5.3",
        get(whole(), accept_encoding=';;,=gz"ip;q=x,;q=,\t'),
    ),
    rule(
        "each variant has its own length and unpacks to the file",
        "RFC 9110 §8.6",
        get(whole(""), sized(), accept_encoding="identity"),
        get(whole("gzip"), sized("gzip"), accept_encoding="gzip"),
        needs="gzip",
    ),
    rule(
        "a variant has the media type of the file",
        "RFC 9110 §8.4",
        get(whole("gzip"), has("content-type", "text/css(;.*)?"), accept_encoding="gzip"),
        needs="gzip",
    ),
    rule(
        "a variant says `Vary: Accept-Encoding`",
        "RFC 9110 §12.5.5",
        get(has("vary", VARIES), accept_encoding="gzip"),
        needs="gzip",
    ),
    rule("the plain file says so, too, where it has variants", "RFC 9111 §4.1", get(has("vary", VARIES)), needs="gzip"),
    advice(
        "a file without variants does not",
        "RFC 9110 §12.5.5",
        get(whole(""), lacks("vary", VARIES), place="image", accept_encoding="gzip, br"),
    ),
    rule(
        "a file without variants has no Content-Encoding",
        "RFC 9110 §8.4",
        get(whole(""), lacks("content-encoding"), place="image", accept_encoding="gzip, br"),
    ),
)
