"""Changes: what happens in the watched folders while others work.

Receives folders; hands on the paths in which something happened, gathered until a moment of quiet. The library
`watchfiles` listens, in a thread of its own, so that a signal finds the main thread waiting in Python.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping, Sequence
from typing import Self

from assetbuild.diagnostic import AssetbuildError
from assetbuild.watch.folders import Standing

__all__ = ["Changes", "Unwatchable"]

_QUIET_MS = 50
_LONGEST_MS = 500


class Unwatchable(AssetbuildError):
    """The system does not tell of changes."""

    hint = "raise the system's limits (`fs.inotify.max_user_*`), or set `WATCHFILES_FORCE_POLLING=1`"


class Changes:
    """What happened since the last question. A context manager: at its end nobody listens any more."""

    def __init__(self) -> None:
        self._news: queue.SimpleQueue[frozenset[str] | Exception] = queue.SimpleQueue()
        self._folders: Mapping[str, Standing] = {}
        self._ours: tuple[str, ...] = ()
        self._is_stale = True
        self._listening: list[tuple[threading.Thread, threading.Event]] = []

    def __enter__(self) -> Self:
        import watchfiles  # noqa: F401  here, where a missing package is told, and not in the thread

        return self

    def __exit__(self, *_: object) -> None:
        for each in self._listening:
            each[1].set()
        for each in self._listening:
            each[0].join()

    def watch(self, folders: Mapping[str, Standing], ours: tuple[str, ...]) -> None:
        """Watch these folders from now on, and no others. ours: where our own writing goes on, with a slash at the end.

        As soon as they are watched, `next` gives an empty set: what happened before that, nobody has told.
        """
        if folders == self._folders and ours == self._ours and not self._is_stale:
            return
        self._folders, self._ours, self._is_stale = folders, ours, False
        self._listening = [(thread, stop) for thread, stop in self._listening if thread.is_alive()]
        stop, others = threading.Event(), [stop for _, stop in self._listening]
        arguments = (tuple(folders), ours, stop, others)
        thread = threading.Thread(target=self._listen, args=arguments, name="watch", daemon=True)
        self._listening.append((thread, stop))
        thread.start()

    def next(self) -> frozenset[str]:
        """Return the paths in which something happened, waiting for the first; raise `Unwatchable`."""
        news = self._news.get()
        if isinstance(news, (OSError, RuntimeError)):  # of the library; its own error is a RuntimeError
            raise Unwatchable(f"changes cannot be watched: {news}") from news
        if isinstance(news, Exception):
            raise news
        # A folder that came or went may have been watched as another one of its name.
        self._is_stale = self._is_stale or not news.isdisjoint(self._folders)
        return news

    def interrupt(self, error: Exception) -> None:
        """Have `next` raise an error of the caller's, from any thread."""
        self._news.put(error)

    def _listen(
        self, folders: tuple[str, ...], ours: tuple[str, ...], stop: threading.Event, others: Sequence[threading.Event]
    ) -> None:
        """Put what happens into the news until `stop` is set. others: of those that listened before."""
        from watchfiles import Change, watch

        def is_others(_: Change, path: str) -> bool:
            return not f"{path}/".startswith(ours)

        is_listening = False
        try:
            for found in watch(
                *folders,
                watch_filter=is_others,
                debounce=_LONGEST_MS,
                step=_QUIET_MS,
                rust_timeout=_QUIET_MS,
                yield_on_timeout=True,  # the first time says that the folders are watched
                stop_event=stop,
                recursive=False,
                ignore_permission_denied=True,  # what we may not list, no build has listed
            ):
                if found or not is_listening:
                    self._news.put(frozenset(path for _, path in found))
                if not is_listening:
                    is_listening = True
                    for other in others:
                        other.set()  # only now: nothing is missed between the two
        except FileNotFoundError:  # a folder went away meanwhile: who asks next names others
            self._is_stale = True
            self._news.put(frozenset())
        except Exception as error:  # noqa: BLE001  raised again by `next`, in the main thread
            self._news.put(error)
