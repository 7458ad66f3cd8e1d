"""Live: what the pages that look on are told, as server-sent events.

Receives what happened to the build; hands on a stream to each page. A state is a text that changes whenever a page has
to: a page that has missed something sees it by its own state, whatever it missed. Knows no HTTP.
Source of the stream's form: WHATWG HTML, "Server-sent events".
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

from assetbuild.watch.difference import Styles

__all__ = ["Live"]

_HEARTBEAT_S = 15.0


class _State(NamedTuple):
    """build: its id, "" before the first. pages: how many times something else has changed what pages show."""

    build: str = ""
    pages: int = 0

    def __str__(self) -> str:
        return f"{self.build}+{self.pages}"


class Live:
    """The state that pages should be in. Safe in threads; `close` ends every stream."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: set[queue.SimpleQueue[bytes]] = set()
        self._state = _State()
        self._trouble = ""
        self._is_closed = False

    @property
    def state(self) -> str:
        """The state that a page is in which is made now."""
        return str(self._state)

    def built(self, build: str, styles: Styles | None = None) -> None:
        """Tell of a build, and so that there is no trouble any more.

        styles: all that has to be exchanged in a page, None to load it anew.
        """
        self._change(self._state._replace(build=build), styles)

    def turned(self) -> None:
        """Tell that pages are made in another way: from other templates."""
        self._change(self._state._replace(pages=self._state.pages + 1), None)

    def failed(self, trouble: str) -> None:
        """Tell why there is no new build."""
        with self._lock:
            self._trouble = trouble
            self._send({"state": self.state, "trouble": trouble})

    def stream(self) -> Iterator[bytes]:
        """Yield what one page hears: the state at once, then each change; something at least every fifteen seconds."""
        mine: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        with self._lock:
            self._listeners.add(mine)
            hello = _event({"state": self.state, "trouble": self._trouble})
        try:
            yield hello
            while not self._is_closed:
                said = b":\n\n"  # a comment, by which a page that went away is noticed
                with contextlib.suppress(queue.Empty):
                    said = mine.get(timeout=_HEARTBEAT_S)
                yield said
        finally:
            with self._lock:
                self._listeners.discard(mine)

    def close(self) -> None:
        """End every stream; pages come back when somebody serves them again."""
        with self._lock:
            self._is_closed = True
            for listener in self._listeners:
                listener.put(b"")

    def _change(self, state: _State, styles: Styles | None) -> None:
        with self._lock:
            before, trouble = self.state, self._trouble
            self._state, self._trouble = state, ""
            if self.state != before or trouble:
                self._send({"after": before, "state": self.state, "styles": styles, "trouble": ""})

    def _send(self, message: dict[str, Any]) -> None:
        for listener in self._listeners:
            listener.put(_event(message))


def _event(message: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(message, separators=(",", ":")).encode() + b"\n\n"
