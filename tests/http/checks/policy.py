"""What browsers and caches are told about a file beside its content."""

from __future__ import annotations

from tests.http.checks.model import advice, get
from tests.http.expect import has, lacks, status

__all__ = ["POLICY"]

_YEAR = r".*\bmax-age=(31536\d{3}|3[2-9]\d{6}|[4-9]\d{7}|\d{9,})\b.*"  # or more
_IMMUTABLE = r".*\bimmutable\b.*"
# RFC 9111 §5.2.2.4 and §5.2.2.5; a lifetime of no seconds comes to the same.
_ASKED_AGAIN = r".*\b(no-cache|no-store|max-age=0)\b.*"
_UTF_8 = '; ?charset="?utf-8"?'
_UNKNOWN = "/static/css/app-aaaaaaaaaa.css"

POLICY = (
    advice("CSS is `text/css` and says its charset", "RFC 2318", get(has("content-type", f"text/css{_UTF_8}"))),
    advice(
        "a script is `text/javascript` and says its charset",
        "RFC 9239 §6",
        get(has("content-type", f"text/javascript{_UTF_8}"), place="js"),
    ),
    advice("a font is `font/woff2`", "RFC 8081 §4.4.6", get(has("content-type", "font/woff2"), place="font")),
    advice(
        "nobody may guess another type",
        "Fetch, `X-Content-Type-Options` header",
        get(has("x-content-type-options", "nosniff")),
    ),
    advice(
        "any page may use a font",
        "CSS Fonts 4, font fetching requirements",
        get(has("access-control-allow-origin", r"\*"), place="font", origin="https://shop.example"),
    ),
    advice(
        "any page may use a module script",
        "HTML, fetch a single module script",
        get(has("access-control-allow-origin", r"\*"), place="js", origin="https://shop.example"),
    ),
    advice(
        "a page that asks to be isolated may use an image",
        "Fetch, `Cross-Origin-Resource-Policy` header",
        get(has("cross-origin-resource-policy", "cross-origin"), place="image"),
    ),
    advice(
        "a preflight is answered",
        "Fetch, CORS-preflight fetch",
        get(
            status(200, 204),
            has("access-control-allow-origin", r"\*"),
            has("access-control-allow-methods", r".*\bGET\b.*"),
            place="font",
            method="OPTIONS",
            origin="https://shop.example",
            access_control_request_method="GET",
        ),
    ),
    advice(
        "a hashed name is immutable for a year",
        "RFC 8246 §2",
        get(has("cache-control", _YEAR), has("cache-control", _IMMUTABLE)),
    ),
    advice(
        "a file that keeps its name is asked for again",
        "RFC 9111 §5.2.2.4",
        get(
            status(200),
            has("cache-control", _ASKED_AGAIN),
            lacks("cache-control", _IMMUTABLE),
            place="kept",
        ),
        needs="stable",
    ),
    advice(
        "a file at the root of the site is asked for again",
        "RFC 9111 §5.2.2.4",
        get(status(200), has("cache-control", _ASKED_AGAIN), lacks("cache-control", _IMMUTABLE), place="root"),
        needs="root",
    ),
    advice(
        "a name that is not there is a 404 that no cache keeps",
        "RFC 9111 §5.2.2.5",
        get(status(404), has("cache-control", r".*\bno-store\b.*"), target=_UNKNOWN),
    ),
    advice(
        "a name that is not there is never the application's page",
        "RFC 9110 §15.5.5",
        get(status(404), lacks("content-type", "text/html.*"), lacks("x-from-app"), target=_UNKNOWN),
        needs="app",
    ),
)
