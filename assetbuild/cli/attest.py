"""`compile --attest` and `--sbom`: what is said of a build becomes files beside the output."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from assetbuild.cli.last import outputs_of
from assetbuild.cli.parser import UsageError
from assetbuild.cli.render import place
from assetbuild.release.places import is_below

if TYPE_CHECKING:
    from assetbuild.compiler import Outcome
    from assetbuild.disk import Disk

__all__ = ["Attested"]


class Attested(NamedTuple):
    """Which files are wanted of a build, absolute, "" for one that is not."""

    provenance: str
    sbom: str

    @classmethod
    def of(cls, args: argparse.Namespace, output: str) -> Attested | None:
        """Return what the arguments ask for, None if nothing.

        Raises `UsageError` for a file in the output itself, `NotRegular` for what is no file.
        """
        if not (args.attest or args.sbom):
            return None
        from assetbuild.disk import place_of_file

        for file in filter(None, (args.attest, args.sbom)):
            if is_below(file, output):
                message = f"`{place(file)}` would lie in the output, whose files it is about"
                raise UsageError(message, "name one beside it")
        return cls(*(file and place_of_file(file) for file in (args.attest, args.sbom)))

    def write(self, outcome: Outcome, started_s: float) -> None:
        """Write what was asked for. started_s: when the build began, as `time.time` counts."""
        from assetbuild.attest.provenance import statement
        from assetbuild.attest.sbom import bill
        from assetbuild.disk import RealDisk

        disk, build = RealDisk(), json.loads(outcome.manifest)["build"]
        if self.provenance:
            times = {"started": _moment(started_s), "finished": _moment(time.time())}
            outputs = dict(outputs_of(outcome))
            _write(disk, self.provenance, statement(outcome, outputs, build["tools"], os.environ, disk, **times))
        if self.sbom:
            _write(disk, self.sbom, bill(outcome, build["id"], build["tools"], disk))


def _moment(at_s: float) -> str:
    """Return a time as RFC 3339 writes it, in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


def _write(disk: Disk, file: str, document: Mapping[str, object]) -> None:
    from assetbuild.disk import MODE

    folder, name = os.path.split(file)
    disk.make_folder(folder)
    disk.install(folder, name, [json.dumps(document, indent=1).encode(), b"\n"], MODE)
