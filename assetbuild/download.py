"""One download: streamed and bounded, through proxies and redirects.

Receives a URL, its credential and the sizes that will do; hands on the bytes in parts. What they hold is for the caller
to believe or not: who writes them must not show them before the stream has ended. Standard library only.
Source: RFC 9110 §15.4 (redirects), RFC 9112 §3.2 (absolute form for a proxy); libcurl's rule for credentials.
"""

from __future__ import annotations

import base64
import http.client
import os
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

__all__ = ["DIRECT", "FetchFailed", "Refused", "Route", "download", "goes_direct", "route", "shown_url"]

_PART_BYTES = 1 << 16
_REDIRECTS = 5
_ANSWER_S = 30.0
_WHOLE_S = 900.0
# The errors behind it quote a whole header or URL, credential and all: they go no further.
_UNSENDABLE = "its URL or its credential holds characters that cannot be sent"
_CA_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


class FetchFailed(Exception):
    """A download came to nothing. Its text is the reason in lower case; it holds no credential."""


class Refused(FetchFailed):
    """The server answered, and not with the file."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server answered {status}")
        self.status = status


class Route(NamedTuple):
    """How to reach a host. proxies: scheme → proxy URL. no_proxy: as in the environment. ca: its name → file or folder.

    answer_s: how long a silent peer is waited for; whole_s: how long one download may take.
    """

    proxies: Mapping[str, str]
    no_proxy: str
    ca: Mapping[str, str]
    answer_s: float = _ANSWER_S
    whole_s: float = _WHOLE_S


DIRECT = Route({}, "", {})
"""The route without a proxy."""


def route(environ: Mapping[str, str], npm: Mapping[str, str]) -> Route:
    """Return the route that the environment and npm's settings describe; npm's word comes first, as it does for npm."""

    def variable(name: str) -> str:
        return environ.get(name) or environ.get(name.upper(), "")

    everything = variable("all_proxy")
    proxies = {
        "https": npm.get("https-proxy") or npm.get("proxy") or variable("https_proxy") or everything,
        "http": npm.get("proxy") or variable("http_proxy") or everything,
    }
    ca = {name: environ[name] for name in _CA_VARIABLES if environ.get(name)}
    if npm.get("cafile"):
        home = environ.get("HOME") or environ.get("USERPROFILE", "")
        ca["cafile"] = os.path.join(home, file[2:]) if (file := npm["cafile"]).startswith("~/") else file
    return Route(proxies, npm.get("noproxy") or variable("no_proxy"), ca)


def download(url: str, authorization: str, by: Route, sizes: range) -> Iterator[bytes]:
    """Yield the bytes behind `url`; raise `FetchFailed` unless there are as many as one of `sizes`.

    authorization: sent to the origin of `url` only, and to nobody once a redirect has left it.
    """
    received, until = 0, time.monotonic() + by.whole_s
    expected = f"{'' if len(sizes) == 1 else 'at most '}{sizes[-1]}"
    try:
        with closing(_opened(url, authorization, by)) as connection:
            answer = connection.answer
            if answer.length is not None and answer.length not in sizes:
                raise FetchFailed(f"it has {answer.length} bytes, expected {expected}")
            while part := answer.read1(_PART_BYTES):
                received += len(part)
                if received > sizes[-1]:
                    raise FetchFailed(f"it has more than the expected {sizes[-1]} bytes")
                if time.monotonic() > until:
                    raise FetchFailed(f"it took longer than {by.whole_s:.0f} seconds")
                yield part
    except http.client.InvalidURL:
        raise FetchFailed(_UNSENDABLE) from None
    except (OSError, http.client.HTTPException) as error:
        raise FetchFailed(_reason(error)) from error
    except ValueError:
        raise FetchFailed(_UNSENDABLE) from None
    if received not in sizes:
        raise FetchFailed(f"it ended after {received} of {sizes[-1]} bytes")


def shown_url(url: str) -> str:
    """Return `url` as messages may show it: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(unreadable)"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def goes_direct(host: str, port: int, no_proxy: str) -> bool:
    """Return whether NO_PROXY names the host: itself, with its port, or as a domain that it lies in; `*` is all.

    Source: curl(1), NO_PROXY; no standard exists.
    """
    host = host.lower()
    for word in no_proxy.lower().replace(",", " ").split():
        domain = word.removeprefix("*").removeprefix(".")
        if word == "*" or domain in (host, f"{host}:{port}", f"[{host}]") or host.endswith(f".{domain}"):
            return True
    return False


class _Opened(NamedTuple):
    connection: http.client.HTTPConnection
    answer: http.client.HTTPResponse

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def _opened(url: str, authorization: str, by: Route) -> _Opened:
    """Return the first answer that is not a redirect."""
    for _ in range(_REDIRECTS + 1):
        here = _checked(url)
        opened = _asked(here, authorization, by)
        status, location = opened.answer.status, opened.answer.getheader("Location")
        if status == 200:
            return opened
        opened.close()
        if status not in (301, 302, 303, 307, 308) or not location:
            raise Refused(status)
        url = urljoin(url, location)
        there = _checked(url)
        if here.scheme == "https" and there.scheme != "https":
            raise FetchFailed("it redirects from https to http")
        if _origin(here) != _origin(there):
            authorization = ""
    raise FetchFailed(f"it redirects more than {_REDIRECTS} times")


def _asked(url: SplitResult, authorization: str, by: Route) -> _Opened:
    headers = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "assetbuild"}
    if authorization:
        headers["Authorization"] = authorization
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    proxy = _proxy_of(url, by)
    server = proxy or url
    connection: http.client.HTTPConnection
    host, port = server.hostname or "", _port(server)
    if url.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=by.answer_s, context=_trust(by.ca))
        if proxy:
            connection.set_tunnel(url.hostname or "", _port(url), _proxy_credential(proxy))
    else:
        connection = http.client.HTTPConnection(host, port, timeout=by.answer_s)
        if proxy:
            target = f"http://{url.netloc.rpartition('@')[2]}{target}"
            headers |= _proxy_credential(proxy)
    try:
        connection.request("GET", target, headers=headers)
        return _Opened(connection, connection.getresponse())
    except BaseException:
        connection.close()
        raise


def _proxy_of(url: SplitResult, by: Route) -> SplitResult | None:
    written = by.proxies.get(url.scheme, "")
    if not written or goes_direct(url.hostname or "", _port(url), by.no_proxy):
        return None
    proxy = urlsplit(written if "://" in written else f"http://{written}")
    if proxy.scheme != "http" or not proxy.hostname:
        raise FetchFailed(f"the proxy `{shown_url(written)}` is not an http:// URL")
    return proxy


def _proxy_credential(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(pair.encode()).decode("ascii")}


def _trust(ca: Mapping[str, str]) -> ssl.SSLContext:
    """Return the system's trust with the named certificates added; one that cannot be read is named."""
    context = ssl.create_default_context()
    for name, path in ca.items():
        for each in path.split(os.pathsep) if name == "SSL_CERT_DIR" else [path]:
            if not each:
                continue
            is_folder = os.path.isdir(each)
            try:
                context.load_verify_locations(None if is_folder else each, each if is_folder else None)
            except OSError as error:
                raise FetchFailed(f"`{name}` names `{each}`, which holds no readable certificate") from error
    return context


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _port(parts)
    except ValueError as error:
        raise FetchFailed(f"`{shown_url(url)}` is not a URL") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FetchFailed(f"`{shown_url(url)}` is not an http or https URL")
    return parts


def _port(url: SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _origin(url: SplitResult) -> tuple[str, str, int]:
    return url.scheme, (url.hostname or "").lower(), _port(url)


def _reason(error: OSError | http.client.HTTPException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "the server fell silent"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection ended early"
    return str(getattr(error, "strerror", None) or error or type(error).__name__).lower()
