"""What esbuild says of files that the project may not read: that they were read, and nothing of what they hold.

Receives a finding and the message that it was made of; hands on the finding, or one without foreign text. Sources are
refused before they are read (`sources`); descriptions (`package.json`, `tsconfig.json`) esbuild reads by itself, in
every folder that an import names and in all folders above.
"""

from __future__ import annotations

import os

from assetbuild.compiler.engines.esbuild.messages import Message
from assetbuild.compiler.engines.modules.inputs import may_describe
from assetbuild.compiler.engines.modules.sources import OUTSIDE_HINT
from assetbuild.compiler.files import Outside, Reading
from assetbuild.diagnostic import Diagnostic, Span

__all__ = ["confined"]


def confined(finding: Diagnostic, message: Message, reading: Reading) -> Diagnostic:
    """Return `finding`, made of `message`, without text of files outside the declared folders and the project."""
    folder = reading.library.folder
    if message.file and not _may_be_quoted(os.path.join(folder, message.file), reading):
        shown = reading.shown(os.path.normpath(os.path.join(folder, message.file)))
        said = f"esbuild cannot read `{shown}`, which lies outside the declared roots"
        return Diagnostic("outside-roots", finding.severity, said, Span(shown), OUTSIDE_HINT)
    if all(_may_be_quoted(os.path.join(folder, note.file), reading) for note in message.notes if note.file):
        return finding
    # A note may quote in its text too, and its neighbour lead up to it.
    return finding._replace(notes=(), hint="")


def _may_be_quoted(file: str, reading: Reading) -> bool:
    """Return whether the project may read `file`; descriptions may lie anywhere in its folder."""
    try:
        reading.library.confine(file)
    except Outside:
        return file.endswith(".json") and may_describe(file, reading)
    return True
