"""A client that sends exactly the bytes it is given and believes only framing: no library repairs what goes either way.

Source: RFC 9112 §6 (message body), §9 (connection management).
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from types import TracebackType
from typing import NamedTuple, Self

__all__ = ["Answer", "BadAnswer", "Connection", "Fields", "get", "request"]

Fields = tuple[tuple[str, str], ...]

_PATIENCE_S = 15
_PIECE_BYTES = 65536


class BadAnswer(Exception):
    """What came is no HTTP/1.1 response, or ended before it was complete."""


class Answer(NamedTuple):
    """A response. fields: names in lower case, in the order sent. is_last: the connection ends with it."""

    status: int
    fields: Fields
    body: bytes
    is_last: bool

    def field(self, name: str) -> str | None:
        """Return the value of a field, its lines joined as RFC 9110 §5.3 does; None if it is absent."""
        values = [value for key, value in self.fields if key == name.lower()]
        return ", ".join(values) if values else None


def request(method: str, target: str, fields: Iterable[tuple[str, str]] = (), version: str = "HTTP/1.1") -> bytes:
    """Return the head of a request, `Host` first; text is Latin-1, so any byte can be sent."""
    lines = [f"{method} {target} {version}", "Host: localhost", *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode("latin-1")


class Connection:
    """A connection to loopback, kept for as many requests as the server likes."""

    def __init__(self, port: int, *, receive_bytes: int = 0, patience_s: float = _PATIENCE_S) -> None:
        """Connect. receive_bytes: size of the kernel's buffer, for a reader that holds the server up; 0: as it is."""
        self._socket = socket.socket()
        self._socket.settimeout(patience_s)
        if receive_bytes:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self._socket.connect(("127.0.0.1", port))
        self._rest = b""
        self.is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def ask(self, content: bytes) -> Answer:
        """Return the final answer to a request; a HEAD is known by its first word."""
        self.send(content)
        return self.answer(is_head=content.startswith(b"HEAD "))

    def send(self, content: bytes) -> None:
        """Send bytes as they are. A server that hangs up while it is sent to may have answered already."""
        try:
            self._socket.sendall(content)
        except (BrokenPipeError, ConnectionResetError):
            self.is_over = True

    def begin(self) -> None:
        """Wait for the first bytes of an answer, and leave them to be read."""
        if not self._rest:
            self._more("before it began")

    def answer(self, *, is_head: bool = False) -> Answer:
        """Return the next final answer; interim ones (1xx) are read and dropped. Raises `BadAnswer`."""
        while (head := self._head())[0] < 200:
            pass
        status, fields = head
        names = dict(fields)
        is_last = names.get("connection", "").lower() == "close"
        if is_head or status in {204, 304}:
            body = b""
        elif names.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunks()
        elif "content-length" in names:
            body = self._exactly(_number(names["content-length"]))
        else:
            body, is_last = self._all(), True
        self.is_over = is_last
        return Answer(status, fields, body, is_last)

    def _head(self) -> tuple[int, Fields]:
        while b"\r\n\r\n" not in self._rest:
            self._more("before the end of its head")
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        if version not in {"HTTP/1.1", "HTTP/1.0"} or not rest[:3].isdigit():
            raise BadAnswer(f"no status line: `{first[:80]}`")
        pairs = [line.partition(":") for line in lines]
        if not all(colon and name and name == name.strip() for name, colon, _ in pairs):
            raise BadAnswer(f"no header field in `{head[:200]!r}`")
        return int(rest[:3]), tuple((name.lower(), value.strip()) for name, _, value in pairs)

    def _more(self, where: str) -> None:
        try:
            piece = self._socket.recv(_PIECE_BYTES)
        except OSError as error:
            raise BadAnswer(f"the connection broke {where}: {error}") from None
        if not piece:
            raise BadAnswer(f"the connection ended {where}")
        self._rest += piece

    def _exactly(self, size_bytes: int) -> bytes:
        pieces, missing = [self._rest], size_bytes - len(self._rest)
        while missing > 0:
            self._rest = b""
            self._more(f"{missing} bytes before the end of its body")
            pieces.append(self._rest)
            missing -= len(self._rest)
        whole = b"".join(pieces)
        self._rest = whole[size_bytes:]
        return whole[:size_bytes]

    def _chunks(self) -> bytes:
        pieces: list[bytes] = []
        while True:
            size_bytes = int(self._line().partition(b";")[0], 16)
            if size_bytes == 0:
                while self._line():
                    pass
                return b"".join(pieces)
            pieces.append(self._exactly(size_bytes + 2)[:-2])

    def _line(self) -> bytes:
        while b"\r\n" not in self._rest:
            self._more("inside a chunked body")
        line, _, self._rest = self._rest.partition(b"\r\n")
        return line

    def _all(self) -> bytes:
        pieces = [self._rest]
        self._rest = b""
        while piece := self._socket.recv(_PIECE_BYTES):
            pieces.append(piece)
        return b"".join(pieces)


def get(port: int, path: str, fields: Iterable[tuple[str, str]] = ()) -> Answer:
    """Return the answer to a GET on a connection of its own."""
    with Connection(port) as connection:
        return connection.ask(request("GET", path, fields))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise BadAnswer(f"`Content-Length: {text}`")
    return int(text)
