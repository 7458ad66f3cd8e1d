"""Which URL is which file."""

from __future__ import annotations

from tests.http.checks.model import advice, get, rule
from tests.http.expect import has, status, whole

__all__ = ["PATHS"]

PATHS = (
    advice("a query changes nothing", "RFC 3986 §3.4", get(whole(""), target="{path}?v=1&x=%2e%2e")),
    rule("`%63` is `c`", "RFC 3986 §6.2.2.2", get(whole(""), target="{path:%63}")),
    rule("`%2563` is not `c`", "RFC 3986 §2.4", get(status(404), target="{path:%2563}")),
    rule("a name with spaces and letters beyond ASCII is found", "RFC 3986 §2.5", get(whole(), place="odd")),
    rule("names differ by case", "RFC 3986 §6.2.2.1", get(status(404), target="/static/CSS/app.css")),
    advice("a folder is not listed", "RFC 9110 §17.3", get(status(403, 404), target="/static/css/")),
    advice(
        "a variant has no URL of its own",
        "RFC 9110 §8.4",
        get(status(404), target="{path}.gz"),
        get(status(404), target="{path}.gz", accept_encoding="gzip"),
    ),
    advice("a file at the root of the site is found there", "RFC 8615", get(whole(), place="root"), needs="root"),
    advice(
        "every other path is the application's",
        "RFC 9110 §3.3",
        get(status(200), has("x-from-app", "yes"), target="/about"),
        needs="app",
    ),
)
