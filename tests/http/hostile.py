"""Requests that no good client sends, as data: paths that step out, fields and methods that cost much.

The classes of faults are those of published advisories: CVE-2018-3760 (decoded twice), CVE-2014-7819, CVE-2023-29159
(prefix without a separator), CVE-2024-23334 (links), CVE-2026-48818 (UNC), CVE-2025-62727 (ranges).
"""

from __future__ import annotations

from typing import NamedTuple

from tests.http.client import Fields, request

__all__ = ["SECRET", "Attack", "attacks"]

SECRET = "the-canary-in-the-mine"
"""Stands in every file that must not be served."""

_STEPS = (
    "..",
    "%2e%2e",
    ".%2E",
    "%252e%252e",
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "%ef%bc%8e%ef%bc%8e",
    "..%00",
    "..;",
)
_SLASHES = ("/", "%2f", "%252F", "%5c", "\\", "//", "/./", "%c0%af")

_PATHS = (
    "/../secret.txt",
    "/..",
    "//static/../secret.txt",
    "/static",
    "/static/",
    "/static/.",
    "/static/./",
    "/static//",
    "/static/%00",
    "/static/css/app.css",
    "/static/css/unlisted.css",
    "/static/css/unlisted-aaaaaaaaaa.css",
    "/static/.env",
    "/static/.git/config",
    "/static/.well-known/security.txt",
    "/static/manifest.json",
    "/static/manifest.json.gz",
    "/static//manifest.json",
    "/static/./manifest.json",
    "/static/css/../manifest.json",
    "/static/css/%2e%2e/manifest.json",
    "/static/MANIFEST.JSON",
    "/static/manifest.json%00.css",
    "/static/manifest.json;.css",
    "/static/manifest.json/",
    "/static/../assets.maps/app.css.map",
    "/assets.maps/app.css.map",
    "/static-private/secret.txt",
    "/staticsecret.txt",
    "/static%2fsecret.txt",
    "/static\\secret.txt",
    "/static/C:/secret.txt",
    "/static/C:%5csecret.txt",
    "/static/%5c%5chost%5cshare%5csecret.txt",
    "/static//host/share/secret.txt",
    "/static/file:///{folder}/secret.txt",
    "/static/file:%2f%2f{folder}/secret.txt",
    "/static/{folder}/secret.txt",
    "/static/%2f{folder}/secret.txt",
    "/static//{folder}/secret.txt",
    "{folder}/secret.txt",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static//proc/self/environ",
    "/static/@fs{folder}/secret.txt?import&raw??",
    "/static/css?file=../../secret.txt",
    "{css}.br",
    "{css}.gz",
    "{css}.zst",
    "{css}.map",
    "{css}%00",
    "{css}%00.png",
    "{css}/",
    "{css}/../../../secret.txt",
    "{css};a=b",
    "{css}%20",
    "{css}.",
    "{css}~",
    "{css}::$DATA",
    "{css}#../secret.txt",
    "{css}?../secret.txt",
    "/static/" + "a/" * 4000,
    "/static/" + "%2e%2e%2f" * 800 + "secret.txt",
    "/static/" + "a" * 60_000,
    "/static/%",
    "/static/%2",
    "/static/%zz",
    "/static/%u002e%u002e/secret.txt",
    "/static/%ff%fe",
    "/static/\xff\xfe",
    "/static/%ed%b2%80",
    "/static/%0d%0aSet-Cookie:%20a=b",
    "/robots.txt/",
    "/robots.txt%00",
    "//robots.txt",
    "/./robots.txt",
    "/ROBOTS.TXT",
    "/robots.txt.gz",
)

_TARGETS = (
    "http://localhost/static/../secret.txt",
    "http://localhost{css}",
    "http://elsewhere.example{css}",
    "http://localhost:x/static/",
    "file://{folder}/secret.txt",
    "*",
    "localhost:80",
    "static/../secret.txt",
    "?",
    "",
)

_METHODS = (
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "get",
    "G",
    "X" * 3000,
    "GET\tGET",
    "\x00",
)

_FIELDS: tuple[Fields, ...] = (
    (("Range", "bytes=" + ",".join(["0-"] * 1000)),),
    (("Range", "bytes=" + ",".join(f"{n}-{n + 1}" for n in range(900))),),
    (("Range", "bytes=" + "9" * 4000 + "-"),),
    (("Range", "bytes=0-" + "9" * 90),),
    (("Range", "bytes=-" + "9" * 90),),
    (("Range", "bytes=" + "1" * 99 + "-"),),
    (("Range", "bytes=\xd9\xa1-\xd9\xa2"),),
    (("Range", "bytes=0x0-0x1"),),
    (("Range", "bytes=+0-+1"),),
    (("Range", "bytes= 0-1"),),
    (("Range", "bytes=-"),),
    (("Range", "bytes="),),
    (("Range", "="),),
    (("Range", ""),),
    (("Range", "bytes=0-1"), ("Range", "bytes=2-3")),
    (("Range", "bytes=0-1"), ("If-Range", '"' * 3000)),
    (("If-Range", "W/"),),
    (("If-None-Match", '"' * 7001),),
    (("If-None-Match", '"a",' * 1700),),
    (("If-None-Match", "W/" * 3000),),
    (("If-None-Match", ", " * 3000 + "x"),),
    (("If-None-Match", "*, *"),),
    (("If-None-Match", '"\xff\x80"'),),
    (("If-Match", '"'), ("If-None-Match", "*"), ("Range", "bytes=0-0")),
    (("If-Modified-Since", "yesterday"), ("If-Unmodified-Since", "\xff")),
    (("Accept-Encoding", "gzip;q=0.001," * 600),),
    (("Accept-Encoding", "," * 7000),),
    (("Accept-Encoding", ";" * 7000),),
    (("Accept-Encoding", "br;q=" + "1" * 7000),),
    (("Accept-Encoding", "br;q=1e400, gzip;q=nan"),),
    (("Accept-Encoding", "../../secret.txt"),),
    (("Accept-Encoding", "\xffbr\xfe"),),
    (("Accept-Encoding", "br"),) * 60,
    (("X-Original-URL", "/../secret.txt"), ("X-Rewrite-URL", "/../secret.txt"), ("X-Forwarded-Prefix", "/../..")),
    (("X-Sendfile", "{folder}/secret.txt"), ("X-Accel-Redirect", "{folder}/secret.txt")),
    (("Content-Length", "5"), ("Content-Length", "6")),
    (("Content-Length", "-1"),),
    (("Content-Length", "99999999999999999999999"),),
    (("Transfer-Encoding", "chunked"), ("Content-Length", "4")),
    (("Expect", "100-continue"), ("Content-Length", "0")),
    (("Expect", "nothing"),),
    (("Upgrade", "h2c"), ("Connection", "Upgrade, HTTP2-Settings"), ("HTTP2-Settings", "AAMAAABk")),
    (
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "eA=="),
    ),
    tuple((f"X-Flood-{n}", "x" * 40) for n in range(99)),
    tuple((f"X-Flood-{n}", "x") for n in range(3000)),
    (("X-Long", "x" * 100_000),),
    (("Cookie", "a=" + "b" * 7000),),
    (("Host", "elsewhere.example"),),
    (("Host", "../../secret.txt"),),
    (("X-Nul", "\x00"),),
    (("X-Folded", "a\r\n b"),),
    (("No Name", "x"),),
)

_RAW = (
    b"\r\n\r\n",
    b"\x00" * 100,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /static/../secret.txt\r\n\r\n",
    b"GET /static/../secret.txt HTTP/0.9\r\n\r\n",
    b"GET /static/../secret.txt HTTP/9.9\r\nHost: a\r\n\r\n",
    b"GET  /static/../secret.txt  HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /static/ HTTP/1.1\r\n\r\n",
    b"GET /static/\r\nX: HTTP/1.1\r\nHost: a\r\n\r\n",
)


class Attack(NamedTuple):
    """A request. path: what it asks for, where a callable can be asked the same without a server; else ""."""

    name: str
    content: bytes
    method: str = "GET"
    path: str = ""
    fields: Fields = ()


def attacks(folder: str, css: str) -> list[Attack]:
    """Return all of them. folder: absolute path of the one with `secret.txt`; css: URL path of a file."""

    def filled(text: str) -> str:
        return text.replace("{folder}", folder).replace("{css}", css)

    climbs = [f"/static/css{(slash + step) * 3}{slash}secret.txt" for step in _STEPS for slash in _SLASHES]
    fields = [tuple((name, filled(value)) for name, value in pairs) for pairs in _FIELDS]
    return [
        *(Attack(path[:60], request("GET", path), path=path) for path in (*climbs, *map(filled, _PATHS))),
        *(Attack(target[:60], request("GET", target)) for target in map(filled, _TARGETS)),
        *(Attack(repr(each[:20]), request(each, css, [("Content-Length", "0")]), each, css) for each in _METHODS),
        *(Attack(f"{each[0][0]}: {each[0][1][:40]}", request("GET", css, each), "GET", css, each) for each in fields),
        *(Attack(repr(content[:40]), content) for content in _RAW),
    ]
