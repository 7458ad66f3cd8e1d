"""npm as a deliverer: where no setting that we read names a registry, npm may still know one.

Receives the name of a package and a folder; leaves its tarball there. npm works by its own settings, those included
that only npm finds: its built-in registry, a workspace's `.npmrc` above the project, a distributor's defaults. Nothing
that it delivers is believed here, and it runs no script of a package.
Source: npm's documentation of `pack` and `config`; tried with npm 9.2, 10.8 and 11.19.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping

from assetbuild.diagnostic import reason_of
from assetbuild.ending import GROUPS, starting

__all__ = ["PackFailed", "installed", "pack"]

_LIMIT_S = 300.0
_WORDS = 300

# Flags come before every .npmrc and variable. One attempt, and half a minute for its answer: by itself npm would try a
# closed network for many minutes, and what fails here has another source behind it. Slow bytes are not cut off.
_FLAGS = (
    "--silent",
    "--json",
    "--ignore-scripts",
    "--fetch-retries=0",
    "--fetch-timeout=30000",
    "--no-update-notifier",
    "--no-dry-run",
    "--logs-max=0",
)


class PackFailed(Exception):
    """npm delivered nothing; its text says why."""


def installed(environ: Mapping[str, str]) -> str:
    """Return the file of npm on PATH, "" if there is none."""
    return shutil.which("npm", path=environ.get("PATH", "")) or ""


def pack(
    npm: str, package: str, into: str, *, folder: str, environ: Mapping[str, str], limit_s: float = _LIMIT_S
) -> None:
    """Let npm put the tarball of `package` (`name@version`) into the folder `into`, an absolute path.

    folder: where npm starts to look for its .npmrc. Raises `PackFailed` in npm's own words.
    """
    command = [npm, "pack", *_FLAGS, "--pack-destination", into, "--", package]
    try:
        with starting():
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # its own group, so that whatever it starts ends with it; no terminal to ask at
            )
            GROUPS.add(process.pid)
    except OSError as error:
        raise PackFailed(f"`{npm}` does not start: {reason_of(error)}") from error
    with process:
        try:
            stdout, stderr = process.communicate(timeout=limit_s)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise PackFailed(f"npm was not done after {limit_s:g} seconds") from None
            raise
        finally:
            GROUPS.discard(process.pid)
    if process.returncode:
        raise PackFailed(_quoted(stdout, stderr) or f"npm ended with {process.returncode}")


def _quoted(stdout: bytes, stderr: bytes) -> str:
    """Return what npm says went wrong, "" if it says nothing.

    npm keeps passwords out of its summary. Without one it was not npm that spoke: a version manager in its place, or
    a system that lacks Node.
    """
    try:
        summary = str(json.loads(stdout)["error"]["summary"])
    except (ValueError, KeyError, TypeError):
        summary = stderr.decode("utf-8", "replace")
    words = next((line.strip() for line in summary.splitlines() if line.strip()), "")
    shortened = f"{words[:_WORDS]}…" if len(words) > _WORDS else words
    return f"npm says `{shortened}`" if words else ""
