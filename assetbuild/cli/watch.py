"""`assetbuild watch`: the same compile whenever something changes, kept warm, and pages that follow it."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from assetbuild.cli.compile import add_options, last_build, project_of, say, summary_of
from assetbuild.cli.last import ours_of
from assetbuild.cli.parser import Parser
from assetbuild.cli.render import Look, Terminal, report
from assetbuild.cli.signals import Ended
from assetbuild.diagnostic import AssetbuildError, Diagnostic
from assetbuild.manifest.reader import MANIFEST_NAME

if TYPE_CHECKING:
    from assetbuild.compiler import Services
    from assetbuild.compiler.project import Project
    from assetbuild.noting import Watched
    from assetbuild.unchanged import Record
    from assetbuild.watch.folders import Standing
    from assetbuild.watch.live import Live
    from assetbuild.watch.server import LiveServer

__all__ = ["PORT", "add_parser", "run"]

PORT = 27380
"""Fixed, since pages name it, and below the ports that systems hand out by themselves."""

_EXAMPLE = f"""\
example: assetbuild watch -- flask run --debug
A page follows each build that holds this:
  <script async src="http://127.0.0.1:{PORT}/assetbuild/live.js"></script>
"""


def add_parser(commands: argparse._SubParsersAction[Parser]) -> None:
    """Add the command to the command line."""
    about = "compile the assets of a project whenever something changes"
    parser = commands.add_parser("watch", help=about, description=f"{about.capitalize()}.", epilog=_EXAMPLE)
    parser.tail = "server"
    add_options(parser)
    takes = f"of 127.0.0.1, for live reload (default: {PORT}; 0: any)"
    parser.add_argument("--port", metavar="N", type=_port, default=PORT, help=takes)


def run(args: argparse.Namespace) -> int:
    """Compile and watch until a signal ends it, or the command that runs beside it; return that one's exit code."""
    from assetbuild.compiler import Services
    from assetbuild.watch.changes import Changes
    from assetbuild.watch.child import Child
    from assetbuild.watch.live import Live
    from assetbuild.watch.server import LiveServer

    terminal, live = Terminal.of_process(), Live()
    with ExitStack() as stack:
        changes = stack.enter_context(Changes())
        server = LiveServer(live, args.port)
        session = _Session(args, terminal, live, server, stack.enter_context(Services()))
        terminal.say(f"live reload: {server.script_url}")
        session.build()
        if args.server and not session.output:
            terminal.say(f"`{args.server[0]}` starts as soon as a compile succeeds")
        stack.enter_context(server)  # a page that comes back waits for the first build instead of loading twice
        child = stack.enter_context(Child(args.server, lambda code: changes.interrupt(_ChildEnded(code))))
        try:
            while True:
                if args.server and session.output and not child.has_begun:
                    child.begin(_environ_of(session, server))
                changes.watch(session.folders(), session.ours)
                session.follow(changes.next())
        except _ChildEnded as ended:
            return ended.code
        except Ended as ended:
            if not child.has_begun:
                raise
            return child.end(ended.signum)


class _ChildEnded(Exception):
    """The command that runs beside us has ended by itself."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


def _environ_of(session: _Session, server: LiveServer) -> dict[str, str]:
    """Return the environment of the command: it follows our builds, and its pages follow us."""
    follows = {"ASSETBUILD_RELOAD": "1", "ASSETBUILD_LIVE": server.script_url}
    return {"ASSETBUILD_MANIFEST": os.path.join(session.output, MANIFEST_NAME), **os.environ, **follows}


class Updated(AssetbuildError):
    """The code that compiles is no longer the code that runs: what it made would be kept as the other's."""

    hint = "start `assetbuild watch` again"


class _Session:
    """The builds of one `watch`. ours: as `ours_of` gives it. output: folder of the last build, "" before the first."""

    def __init__(
        self, args: argparse.Namespace, terminal: Terminal, live: Live, server: LiveServer, services: Services
    ) -> None:
        from assetbuild.watch.folders import Templates

        self._args = args
        self._terminal = terminal
        self._live = live
        self._server = server
        self._services = services
        self._last = last_build(args, goes_on=True)
        self._project: Project | None = None
        self._templates = Templates()
        self._manifest: Mapping[str, Any] = {}
        self._build = ""
        self._failed: Record | None = None
        self._trouble = ""
        self.ours: tuple[str, ...] = ()
        self.output = ""

    def follow(self, paths: frozenset[str]) -> None:
        """Do what a change asks for. paths: where it happened; empty if that is not known."""
        before = self._templates
        if self._failed is None or self._concerns(paths):
            self.build()
        if not paths or any(os.path.dirname(path) in before.folders for path in paths):
            self._look_for_templates()
            # Where nobody was listening yet, what stands there tells.
            is_turned = before.standing != self._templates.standing if not paths else False
            if is_turned or not paths.isdisjoint(before.files | self._templates.files):
                self._live.turned()

    def folders(self) -> Mapping[str, Standing]:
        """Return the folders to watch: where the last builds read and looked, and where templates lie."""
        from assetbuild.watch.folders import folders_of, sources_of, standing_of

        found = {os.path.realpath(self._args.project)}
        for record in filter(None, (self._last.record, self._failed)):
            found |= folders_of(record.files, record.folders, record.absent)
        if self._project is not None:
            found |= sources_of(self._project)
        return standing_of(sorted(found | self._templates.folders), self.ours)

    def build(self) -> None:
        """Compile unless the last build still stands; tell people and pages what became of it. Raises `Updated`."""
        from assetbuild.compiler.errors import SourceChanged

        if not self._last.is_code_as_it_was():
            raise Updated("`assetbuild`, or a package that it compiles with, was exchanged")
        started_s, disk = time.monotonic(), self._last.disk()
        try:
            summary = self._last.standing() if self._project is not None else None
            if summary is not None and self._failed is None:
                return
            summary = summary or self._compiled(disk)
            self._succeed(summary, time.monotonic() - started_s)
        except SourceChanged:
            self._failed = self._last.asked(disk, self.ours)  # the change itself is on its way to us
        except (AssetbuildError, OSError) as error:  # a folder may go while it is listed
            if not os.path.isdir(self._args.project):
                raise  # there is nothing to watch
            self._failed = self._last.asked(disk, self.ours)
            self._fail(error)

    def _compiled(self, disk: Watched) -> Mapping[str, Any]:
        from assetbuild.cli.progress import Progress
        from assetbuild.compiler import compile

        is_first = self._project is None
        self._project = project = project_of(self._args, disk)
        self.ours = ours_of(project)
        self._look_for_templates()
        summary = self._last.summary(project.cache_folder) if is_first else None
        if summary is None:
            with Progress(self._terminal) as progress:
                outcome = compile(project, disk=disk, environ=os.environ, watcher=progress, services=self._services)
            summary = summary_of(outcome, disk.hashed_bytes)
            self._last.keep(outcome, disk, summary)
        return summary

    def _succeed(self, summary: Mapping[str, Any], duration_s: float) -> None:
        from assetbuild.watch.difference import exchanged

        self._failed = None
        if summary["build"] == self._build and not self._trouble:
            return  # an editor's own files come and go without a word
        file = os.path.join(summary["output"], MANIFEST_NAME)
        with open(file, "rb") as stream:
            manifest = json.load(stream)
        styles = exchanged(self._manifest, manifest) if self._manifest else None
        detected = summary["detected"] if not self._manifest else ()
        if self._trouble:
            self._terminal.say("the error is gone")
        self._trouble, self._manifest, self._build = "", manifest, summary["build"]
        self.output = summary["output"]
        self._server.site.publish(file)
        self._live.built(self._build, styles)
        say({**summary, "detected": detected}, duration_s, self._terminal, is_explained=self._args.explain)

    def _fail(self, error: AssetbuildError | OSError) -> None:
        text = f"`{error.filename}`: {error.strerror}" if isinstance(error, OSError) else str(error)
        sentence = Diagnostic("", "error", text, hint=getattr(error, "hint", ""))
        findings = getattr(error, "diagnostics", None) or [sentence]
        trouble = report(findings, Look())
        if trouble != self._trouble:
            self._trouble = trouble
            self._terminal.report(findings)
            self._live.failed(trouble)

    def _concerns(self, paths: frozenset[str]) -> bool:
        """Return whether a change may have mended a build that failed; one that nobody has seen may, too.

        What a worker process has read of the sources is not known of a build that failed, so any change there counts.
        """
        from assetbuild.watch.folders import sources_of

        sources = sources_of(self._project) if self._project is not None else ()
        is_asked = self._failed is not None and not self._last.is_as_asked(self._failed)
        return is_asked or not paths or any(os.path.dirname(path) in sources for path in paths)

    def _look_for_templates(self) -> None:
        from assetbuild.watch.folders import templates_of

        if self._project is not None:
            self._templates = templates_of(self._project, self.ours)


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got `{text}`")
