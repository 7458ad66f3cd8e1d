"""A command run as nobody where nothing can be written: a mount namespace in which every file system is read-only."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["as_nobody", "has_namespaces"]

# Devices and what the kernel shows stay as they are: servers ask for /dev/shm, where nothing outlives the machine.
_REMOUNT = """
while read -r _ place _; do
  case $place in /proc|/proc/*|/sys|/sys/*|/dev|/dev/*) ;; *) mount -o remount,bind,ro "$place" || exit 4 ;; esac
done < /proc/self/mounts
"""
# Proof before the command: neither of these folders takes a file.
_BECOME = """
exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs sh -c '
  for folder in /tmp /var/tmp . "$SITE"; do touch "$folder/probe" 2>&- && exit 5; done
  exec "$0" "$@"' "$@"
"""


def has_namespaces() -> bool:
    """Return whether the kernel gives this process mount namespaces."""
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0


def as_nobody(words: Sequence[str], needed: Iterable[str], scratch: Path) -> list[str]:
    """Return the command that runs `words` so; the variable SITE names a folder that it may read.

    needed: folders that nobody must be able to read. Those below a closed folder, such as a home, are shown alone in
    its place. scratch: an empty folder.
    """
    lines = ["set -e", "mount --make-rprivate /", f"mount -t tmpfs tmpfs {shlex.quote(str(scratch))}"]
    shown = [(folder, closed) for folder in needed if (closed := _closed_above(folder))]
    for number, (folder, _) in enumerate(shown):
        lines += [f"mkdir {scratch}/{number}", f"mount --bind {shlex.quote(folder)} {scratch}/{number}"]
    lines += [f"mount -t tmpfs -o mode=755 tmpfs {shlex.quote(closed)}" for closed in {closed for _, closed in shown}]
    for number, (folder, _) in enumerate(shown):
        lines += [f"mkdir -p {shlex.quote(folder)}", f"mount --bind {scratch}/{number} {shlex.quote(folder)}"]
    return ["unshare", "--mount", "sh", "-c", "\n".join(lines) + _REMOUNT + _BECOME, "sh", *words]


def _closed_above(folder: str) -> str:
    """Return the highest folder above that not everybody may enter, "" if there is none."""
    above = [str(each) for each in reversed(Path(folder).parents)]
    return next((each for each in above if not os.stat(each).st_mode & 0o001), "")
