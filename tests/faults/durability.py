"""Durability: what it costs to publish so that a power cut cannot take it back."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path
from unittest import mock

from assetbuild import disk
from assetbuild.compiler.model import Asset
from assetbuild.compiler.publish import publish

__all__ = ["cost"]


def cost(folder: Path, *, files: int = 500, size: int = 8192, rounds: int = 15) -> tuple[float, float]:
    """Return the median seconds of publishing `files` new files with every sync, and with none; in turn."""
    spent: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * rounds):
        is_durable = number % 2 == 0
        assets = [_asset(f"{number}-{each}.bin", os.urandom(size)) for each in range(files)]
        output = str(folder / str(number))
        os.sync()  # what others wrote is not for us to wait for
        began_s = time.perf_counter()
        if is_durable:
            publish(assets, [], b"{}", output, disk.RealDisk())
        else:
            with mock.patch.object(disk, "_syncfs", return_value=lambda _: 0), mock.patch("os.fsync"):
                publish(assets, [], b"{}", output, disk.RealDisk())
        spent[is_durable].append(time.perf_counter() - began_s)
    return statistics.median(spent[True]), statistics.median(spent[False])


def _asset(path: str, body: bytes) -> Asset:
    return Asset(path, path, "application/octet-stream", body, "", "", len(body))
