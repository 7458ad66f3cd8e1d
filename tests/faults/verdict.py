"""Verdict: what a fault did to a build, and what a plain re-run made of it; many of them are one line of a table."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from tests.faults.builds import files_in, leftovers, reader, standing
from tests.faults.forge import Ended, Run
from tests.faults.stage import Stage

__all__ = ["Fate", "Tally", "fate_of", "tally"]


class Fate(NamedTuple):
    """What came of one fault.

    standing: of the output afterwards, as `builds.standing` says it. wrongs: promises that were broken, in words.
    """

    fault: str
    has_fired: bool
    standing: str
    ended: Ended
    wrongs: tuple[str, ...]


class Tally(NamedTuple):
    """Many fates. wrongs: `fault: promise` of each that was broken."""

    points: int = 0
    fired: int = 0
    old: int = 0
    new: int = 0
    thin: int = 0
    mixed: int = 0
    torn: int = 0
    traceback: int = 0
    unhealed: int = 0
    left: int = 0
    wrongs: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "  ".join(f"{name} {count}" for name, count in zip(self._fields[:-1], self[:-1], strict=True))


def fate_of(
    stage: Stage,
    fault: str,
    ended: Ended,
    *,
    has_fired: bool,
    reason: str = "",
    is_mute: bool = False,
    again: Callable[[Run], Ended] | None = None,
) -> Fate:
    """Judge the output that a run left behind, then run again, plainly, and judge that.

    reason: the system's word for the error, which the message must hold if the run failed of it.
    is_mute: what is printed may have met the fault as well, and then nobody can be told.
    again: what runs the command once more, in a process of its own unless given.
    """
    found = standing(reader(stage.output), stage.old, stage.new)
    healed = (again or stage.forge.run)(stage.run())
    wrongs = [*_wrongs_now(found, ended), *_untold(ended, reason, is_mute=is_mute), *_wrongs_after(stage, healed)]
    return Fate(fault, has_fired, found, ended, tuple(wrongs))


def tally(fates: Iterable[Fate]) -> Tally:
    """Return what many fates come to."""
    total = Tally()
    for fate in fates:
        total = total._replace(
            points=total.points + 1,
            fired=total.fired + fate.has_fired,
            **{fate.standing: getattr(total, fate.standing) + 1},
            traceback=total.traceback + ("traceback" in fate.wrongs),
            unhealed=total.unhealed + any(wrong.startswith("not healed") for wrong in fate.wrongs),
            left=total.left + any(wrong.startswith("left") for wrong in fate.wrongs),
            wrongs=(*total.wrongs, *(f"{fate.fault}: {wrong}" for wrong in fate.wrongs)),
        )
    return total


def _wrongs_now(found: str, ended: Ended) -> Iterator[str]:
    if found in ("mixed", "torn"):
        yield found
    if ended.code == 0 and found != "new":
        yield f"exit 0 and the output is {found}"
    if ended.is_hung:
        yield "does not end"
    if "Traceback" in ended.text or "internal-error" in ended.text:
        yield "traceback"


def _untold(ended: Ended, reason: str, *, is_mute: bool) -> Iterator[str]:
    """Yield what is wrong with the words of a run that failed: one error, its reason, and what it happened to."""
    errors = [line for line in ended.text.splitlines() if line.startswith("error:")]
    rest = ended.text.lower().replace(reason.lower(), "")
    if ended.code <= 0 or "internal-error" in ended.text or (is_mute and not errors):
        return
    if not errors or (len(errors) > 1 and f"{len(errors)} errors" not in ended.text):
        yield f"told in {len(errors)} lines: {ended.text!r}"
    elif reason and rest == ended.text.lower():
        yield f"does not say `{reason}`: {ended.text!r}"
    elif reason and not any(name in rest for name in (os.sep, "assetbuild.toml", "the output cannot be written")):
        yield f"names no file: {ended.text!r}"


def _wrongs_after(stage: Stage, again: Ended) -> Iterator[str]:
    files, known = files_in(stage.output), {**stage.old.files, **stage.new.files}
    if again.code != 0:
        yield f"not healed: {again.text!r}"
    wrong = [path for path, body in stage.new.files.items() if files.get(path) != body]
    strange = [path for path, body in files.items() if stage.new.files.get(path, known.get(path)) != body]
    if wrong or strange:
        yield f"not healed: {sorted({*wrong, *strange})}"
    left = [file for folder in (stage.output, stage.hidden, stage.cache) for file in leftovers(folder)]
    if left:
        yield f"left: {left}"
