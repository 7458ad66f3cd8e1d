"""Private folders: where a run keeps what has to be a file for a while, outside of every output.

A folder is its owner's as long as that lives: it is locked (flock(2)), and the lock ends with the process, however that
ends. So the next run can tell what a killed one has left, and removes it. A process id would not do: another process
may have it by now, or have the same one in a container that shares the disk. Standard library only.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import re
import tempfile
from collections.abc import Iterator

from assetbuild.ending import FOLDERS, remove_folder

__all__ = ["private_folder", "private_prefix"]

_NAME = "assetbuild-private-"
_OURS = re.compile(re.escape(_NAME) + "[a-z0-9_]{8}")  # as `tempfile` ends a name
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS)


def private_prefix() -> str:
    """Return what the paths of all private folders begin with, links followed."""
    return os.path.join(os.path.realpath(tempfile.gettempdir()), _NAME)


@contextlib.contextmanager
def private_folder() -> Iterator[str]:
    """Give a new folder, which is gone afterwards.

    The first of a process sweeps what owners that are dead have left in the same place.
    """
    temporary = os.path.dirname(private_prefix())
    _sweep(temporary)
    with contextlib.ExitStack() as until:
        folder = None
        while folder is None:
            folder = _claimed(temporary, until)
        yield folder


def _claimed(temporary: str, until: contextlib.ExitStack) -> str | None:
    """Return a folder that is ours until then, None if another run took it for a dead one's before it was locked."""
    folder = tempfile.mkdtemp(prefix=_NAME, dir=temporary)
    FOLDERS.add(folder)
    until.callback(FOLDERS.discard, folder)
    until.callback(remove_folder, folder)
    try:
        _lock(folder, until)
    except (FileNotFoundError, BlockingIOError):
        return None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return folder  # where there are no locks, nobody sweeps
    return folder if os.path.isdir(folder) else None


@functools.cache
def _sweep(temporary: str) -> None:
    """Remove the private folders of this user whose owners are dead."""
    with contextlib.suppress(OSError), os.scandir(temporary) as entries:
        left = [entry.path for entry in entries if _OURS.fullmatch(entry.name)]
        for folder in left:
            # Somebody works in it, somebody else owns it, or it has gone meanwhile: nothing to be swept.
            with contextlib.suppress(OSError), contextlib.ExitStack() as until:
                if os.lstat(folder).st_uid == os.geteuid():
                    _lock(folder, until)
                    remove_folder(folder)


def _lock(folder: str, until: contextlib.ExitStack) -> None:
    """Lock a folder that is no link until then; raise `BlockingIOError` if somebody has."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    until.callback(os.close, descriptor)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
