"""Commands: other tools as jobs. What they make are sources, in a root of its own before all others.

Receives the project; hands on that root, and an account of what ran. Each command runs in a private copy of what it has
declared (`stage`), so that a result depends on nothing else that lies in the project, and nothing that it writes beside
its outputs reaches the user's folders. What its outputs name is taken, and the rest is dropped.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from assetbuild.compiler.cache import Store
from assetbuild.compiler.commands import kept
from assetbuild.compiler.commands.failure import failure
from assetbuild.compiler.commands.inputs import declared
from assetbuild.compiler.commands.kept import Key, Made
from assetbuild.compiler.commands.process import run
from assetbuild.compiler.commands.program import Program, digest_hex, program_of, search_path
from assetbuild.compiler.commands.stage import Stage, staged
from assetbuild.compiler.config import place_of
from assetbuild.compiler.config.commands import OUTPUT
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.globs import matches, matches_any
from assetbuild.compiler.project import Command, Project, Root
from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import Disk, RealDisk, Small

__all__ = ["Generated", "generate"]

_EPOCH = 1
_ROOT = "root"

# The closed list of what a command is given. A time of its own for those who stamp what they make (reproducible-builds
# .org, "SOURCE_DATE_EPOCH"): the first that every archive format can hold.
_PASSED_ON = ("HOME", "TMPDIR", "LD_LIBRARY_PATH")
_FIXED = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "NO_COLOR": "1",
    "SOURCE_DATE_EPOCH": "315532800",
    "TZ": "UTC",
}


class Generated(NamedTuple):
    """What the commands of a build made, and of what.

    root: None if there are none. contents: file in it → what it holds. inputs: file → sha256. shown: file → portable
    name. runs: how many ran, not recalled. reasons: first output → why it ran. tools: as the manifest has them.
    is_repeatable: no input changed meanwhile.
    """

    root: Root | None = None
    contents: Mapping[str, Small] = {}
    inputs: Mapping[str, str] = {}
    shown: Mapping[str, str] = {}
    diagnostics: tuple[Diagnostic, ...] = ()
    jobs: int = 0
    runs: int = 0
    reasons: Mapping[str, str] = {}
    tools: Mapping[str, str] = {}
    is_repeatable: bool = True


def generate(project: Project, folder: str, disk: Disk, environ: Mapping[str, str], store: Store | None) -> Generated:
    """Run the commands, each unless the cache has what it would make; return what there is then.

    folder: a private one. store: of the cache, None for none. Raises `CompileFailed` for the first command that fails,
    since those after it may use its outputs, and `EngineUnavailable` for a program that is not there.
    """
    if not project.commands:
        return Generated()
    path = search_path(project, environ, sys.executable)
    given = {name: environ[name] for name in _PASSED_ON if name in environ}
    work = _Work(project, folder, disk, {**given, **_FIXED, "PATH": path}, store)
    for number, command in enumerate(project.commands):
        work.do(command, number)
    return work.generated()


class _Work:
    """The commands of one build, one after the other: a later one may use what an earlier one made."""

    def __init__(
        self, project: Project, folder: str, disk: Disk, environ: Mapping[str, str], store: Store | None
    ) -> None:
        self._project = project
        self._folder = folder
        self._root = os.path.join(folder, _ROOT)
        self._disk = disk
        self._environ = environ
        self._store = store
        self._made: dict[str, str] = {}
        self._contents: dict[str, Small] = {}
        self._makers: dict[str, Command] = {}
        self._inputs: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self._diagnostics: list[Diagnostic] = []
        self._reasons: dict[str, str] = {}
        self._tools: dict[str, str] = {}
        self._is_repeatable = True
        self._runs = 0
        os.mkdir(self._root)

    def generated(self) -> Generated:
        """Return the account of what was done."""
        return Generated(
            Root(self._root, OUTPUT),
            self._contents,
            self._inputs,
            self._shown,
            tuple(self._diagnostics),
            jobs=len(self._project.commands),
            runs=self._runs,
            reasons=self._reasons,
            tools=self._tools,
            is_repeatable=self._is_repeatable,
        )

    def do(self, command: Command, number: int) -> None:
        """Make the outputs of a command, or recall them, and put them into the root."""
        program = program_of(command, self._project, self._environ["PATH"], self._disk)
        found = declared(command, self._project, self._made, self._disk)
        if found.problems:
            raise CompileFailed(found.problems)
        inputs = self._digests(found.files)
        key = Key(_EPOCH, command.run, command.outputs, command.environment, program.parts, inputs)
        made = kept.recalled(self._store, key) if self._store is not None else None
        if made is None:
            self._explain(command, key)
            stage = staged(found.files, self._project.folder, os.path.join(self._folder, str(number)))
            is_same = self._digests(stage.files, RealDisk()) == inputs  # else somebody has just saved a file
            bodies = self._ran(command, program, stage)
            made = Made(bodies, tuple(self._bound(command, bodies)))
            self._runs += 1
            self._is_repeatable = self._is_repeatable and is_same
            if is_same and self._store is not None:
                kept.keep(self._store, key, made, self._project.folder)
        self._place(command, made)
        self._tools[program.name] = program.version
        for name, file in found.files.items():
            if not name.startswith(f"{OUTPUT}/"):
                self._inputs[file], self._shown[file] = inputs[name], name

    def _digests(self, files: Mapping[str, str], disk: Disk | None = None) -> dict[str, str]:
        return {name: digest_hex(file, disk or self._disk) for name, file in files.items()}

    def _explain(self, command: Command, key: Key) -> None:
        if self._store is not None:
            self._reasons[command.outputs[0]] = kept.why(self._store, key, self._project.folder)

    def _ran(self, command: Command, program: Program, stage: Stage) -> dict[str, bytes]:
        """Return what a command writes; raise `CompileFailed`."""
        for pattern in command.outputs:
            # Most tools expect that the folder which they are to write into is there.
            RealDisk().make_folder(os.path.join(stage.output, _plain_folder(pattern)))
        argv = [program.file, *(word.replace(OUTPUT, stage.output) for word in command.run[1:])]
        try:
            ending = run(argv, stage.folder, {**self._environ, **command.environment}, command.time_limit_s)
        except OSError as error:
            message = f"`{command.run[0]}` does not start: {(error.strerror or str(error)).lower()}"
            place = self._place_of(command, "run")
            raise CompileFailed([Diagnostic("command-failed", "error", message, place)]) from None
        shown = {stage.output: f"{OUTPUT}/", stage.folder: "", self._project.folder: ""}
        wrong = failure(command, self._project, ending, stage.files, folders=shown, disk=self._disk)
        if wrong is not None:
            raise CompileFailed([wrong])
        written = stage.written()
        missing = [
            self._missing(command, number, pattern, written)
            for number, pattern in enumerate(command.outputs)
            if not any(matches(pattern, name) for name in written)
        ]
        if missing:
            raise CompileFailed(missing)
        return {name: RealDisk().read(file) for name, file in written.items() if matches_any(command.outputs, name)}

    def _missing(self, command: Command, number: int, pattern: str, written: Iterable[str]) -> Diagnostic:
        others = ", ".join(f"`{name}`" for name in sorted(written)[:3])
        hint = f"it wrote {others}" if written else f"it wrote nothing into `{OUTPUT}`"
        message = f"`{command.run[0]}` did not write `{pattern}`"
        return Diagnostic("missing-output", "error", message, self._place_of(command, f"outputs[{number}]"), hint)

    def _bound(self, command: Command, bodies: Mapping[str, bytes]) -> Iterator[Diagnostic]:
        """Yield a warning for each output that names a folder of this machine: it would be another on the next one."""
        for name, body in bodies.items():
            # A folder such as `/app` may stand in any URL, and a longer one hardly by chance.
            own = self._project.folder
            for place in (self._folder, *([own] if own.count(os.sep) > 1 else [])):
                if os.fsencode(place) in body:
                    message = f"`{OUTPUT}/{name}` holds an absolute path of this machine, and differs on the next"
                    hint = f"tell `{command.run[0]}` to write none, or relative ones"
                    yield Diagnostic("absolute-path", "warning", message, self._place_of(command, "run"), hint)
                    break

    def _place(self, command: Command, made: Made) -> None:
        for name, body in made.files.items():
            other = self._makers.setdefault(name, command)
            if other is not command:
                message = f"`{other.place}` and `{command.place}` both make `{name}`"
                raise CompileFailed([Diagnostic("two-sources", "error", message, self._place_of(command, "outputs"))])
            self._made[name] = file = os.path.join(self._root, name)
            self._contents[file] = Small(body, hashlib.sha256(body).hexdigest())
            RealDisk().write(self._root, name, body)
        self._diagnostics += made.diagnostics

    def _place_of(self, command: Command, key: str) -> Span | None:
        return place_of(self._project, f"{command.place}.{key}")


def _plain_folder(pattern: str) -> str:
    """Return the folder of a pattern as far as it is no pattern."""
    folder = os.path.dirname(pattern)
    while set(folder) & set("*?[{"):
        folder = os.path.dirname(folder)
    return folder
