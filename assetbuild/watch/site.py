"""Site: who may ask a developer's machine for what. A WSGI application behind a loopback address.

Serves the script, the event stream and what the manifest names, from closed lists; no path of a request ever reaches
the file system. A page of the network that runs in the same browser gets nothing: not through a name that it lets lead
here (the Host is one of two), not across origins (whoever asks is a page of this machine).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from assetbuild.watch.live import Live
from assetbuild.web.assets import Assets
from assetbuild.web.wsgi import AssetFiles

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ["EVENTS_PATH", "SCRIPT_PATH", "Site"]

SCRIPT_PATH = "/assetbuild/live.js"
EVENTS_PATH = "/assetbuild/events"

_NAMES = ("127.0.0.1", "localhost")
_FIXED = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
]


class _Published(NamedTuple):
    """The files of the last build. mount: path below which they answer, as WSGI writes it."""

    mount: str
    files: AssetFiles


class Site:
    """The application. port: on which it is reached."""

    def __init__(self, live: Live, port: int) -> None:
        self._live = live
        self._hosts = frozenset(f"{name}:{port}" for name in _NAMES)
        self._script = Path(__file__).with_name("live.js").read_text(encoding="utf-8").strip()
        self._published: _Published | None = None

    def publish(self, manifest: str) -> None:
        """Serve what the manifest in that file names, and nothing that an earlier one did."""
        assets = Assets.open(manifest, environ={})
        path = urlsplit(assets.base).path
        self._published = _Published(unquote_to_bytes(path).decode("latin-1"), AssetFiles(assets))

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""
        host = environ.get("HTTP_HOST", "").lower()
        if host not in self._hosts:
            return _refuse("403 Forbidden", "this host is not served here", environ, start_response)
        asker = _asker(environ)
        path = environ.get("PATH_INFO", "")
        if (asker and not _is_loopback(asker)) or (not asker and _is_foreign(path, environ)):
            return _refuse("403 Forbidden", "only pages of this machine are served", environ, start_response)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _refuse("405 Method Not Allowed", "only to be read", environ, start_response, ("Allow", "GET, HEAD"))
        if path == SCRIPT_PATH:
            arguments = ", ".join(map(json.dumps, (f"http://{host}{EVENTS_PATH}", self._live.state)))
            kind = ("Content-Type", "text/javascript; charset=utf-8")
            # For a page of another port that asks for `Cross-Origin-Embedder-Policy: require-corp`.
            policy = ("Cross-Origin-Resource-Policy", "cross-origin")
            return _send(f"({self._script})({arguments});\n", [kind, policy], environ, start_response)
        if path == EVENTS_PATH:
            return self._events(environ, start_response)
        published = self._published
        if published is None or not path.startswith(published.mount):
            return _refuse("404 Not Found", "not found", environ, start_response)
        below = {**environ, "PATH_INFO": path[len(published.mount) - 1 :]}
        return published.files(below, _limited(environ, start_response))

    def _events(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("HTTP_ORIGIN"):  # an EventSource of another origin always says whose it is (Fetch, "CORS")
            return _refuse("403 Forbidden", "only pages of this machine are served", environ, start_response)
        headers = [("Content-Type", "text/event-stream; charset=utf-8"), *_FIXED, *_shared(environ)]
        start_response("200 OK", headers)
        return [b""] if environ["REQUEST_METHOD"] == "HEAD" else self._live.stream()


def _asker(environ: WSGIEnvironment) -> str:
    """Return the URL or origin of the page that asks, "" if the request does not say."""
    origin: str = environ.get("HTTP_ORIGIN") or environ.get("HTTP_REFERER", "")
    return origin


def _is_loopback(url: str) -> bool:
    """Return whether a page is one of this machine. Source: RFC 6761 §6.3 on names in `localhost`."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        is_odd = "@" in parts.netloc or parts.port == 0  # a port that is none raises: two origins in one field
    except ValueError:
        return False
    if is_odd:
        return False
    is_local = host in ("127.0.0.1", "::1", "localhost") or host.endswith(".localhost")
    return is_local and parts.scheme in ("http", "https")


def _is_foreign(path: str, environ: WSGIEnvironment) -> bool:
    """Return whether a page of another site asks, and hides which.

    The script is given even then, as a script and as nothing else: a page of this machine may hide itself so (a
    `Referrer-Policy` of `same-origin`, as Django sends it), and in a page of the network it can do nothing, since the
    stream asks again. Source: Fetch Metadata Request Headers §2.1, §2.3.
    """
    is_script = path == SCRIPT_PATH and environ.get("HTTP_SEC_FETCH_DEST", "script") == "script"
    return not is_script and environ.get("HTTP_SEC_FETCH_SITE") == "cross-site"


def _shared(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    """Return the headers that let the page that asks read the answer, and no other (Fetch, "CORS protocol")."""
    origin = environ.get("HTTP_ORIGIN", "")
    return [("Vary", "Origin"), *([("Access-Control-Allow-Origin", origin)] if origin else [])]


def _limited(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
    """Return a `start_response` for published files that lets no page read them but the one that may ask.

    In production nothing is secret, so they are sent to everybody; here it may be what nobody has seen yet.
    """
    policy = "cross-origin" if _asker(environ) else "same-site"
    replaced = {"access-control-allow-origin", "cross-origin-resource-policy"}

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        kept = [(name, value) for name, value in headers if name.lower() not in replaced]
        return start_response(status, [*kept, ("Cross-Origin-Resource-Policy", policy), *_shared(environ)], *more)

    return start


def _refuse(
    status: str, reason: str, environ: WSGIEnvironment, start_response: StartResponse, *more: tuple[str, str]
) -> Iterable[bytes]:
    headers = [("Content-Type", "text/plain; charset=utf-8"), *more]
    return _send(f"{reason}\n", headers, environ, start_response, status)


def _send(
    text: str,
    headers: list[tuple[str, str]],
    environ: WSGIEnvironment,
    start_response: StartResponse,
    status: str = "200 OK",
) -> Iterable[bytes]:
    body = text.encode()
    start_response(status, [*headers, ("Content-Length", str(len(body))), *_FIXED])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]
