from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler.engines.sass.dart import DartSass
from assetbuild.compiler.engines.sass.process import LoadRefused
from assetbuild.compiler.engines.sass.protobuf import Malformed, Message, Packets, field, packet, read_varint, varint
from assetbuild.compiler.engines.sass.wire import Compilation, Event, Place, Sheet, Syntax
from assetbuild.compiler.errors import CompileFailed, DiagnosticsError, EngineUnavailable
from assetbuild.compiler.tools import Program
from assetbuild.diagnostic import Diagnostic, Span
from tests.sass_shop import dart_program, project_at

WAIT_S = 30


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return dart_program(project_at(tmp_path))


@pytest.fixture
def dart(program: Program, tmp_path: Path) -> Iterator[DartSass]:
    with DartSass(program, str(tmp_path), timeout_s=WAIT_S) as one:
        yield one


class Sheets:
    """An importer over a few texts; `on_load` is called with each URL before its sheet is given out."""

    def __init__(self, sheets: dict[str, str] | None = None, on_load: Callable[[str], None] = lambda _: None) -> None:
        self.sheets = sheets or {}
        self.on_load = on_load
        self.threads: set[int] = set()

    def canonical(self, url: str, containing_url: str, from_import: bool) -> str | None:
        self.threads.add(threading.get_ident())
        return url if url.removeprefix("file:///") in self.sheets else None

    def sheet(self, url: str) -> Sheet:
        self.on_load(url)
        return Sheet(self.sheets[url.removeprefix("file:///")], Syntax.SCSS)


def compiled(dart: DartSass, text: str, importer: Sheets | None = None, subject: str = "a.scss") -> Compilation:
    return dart.compile(f"file:///{subject}", Sheet(text, Syntax.SCSS), importer or Sheets(), subject)


def finding(attempt: Callable[[], object] | Future[Compilation], kind: type[DiagnosticsError]) -> Diagnostic:
    with pytest.raises(kind) as caught:
        attempt.result(WAIT_S) if isinstance(attempt, Future) else attempt()
    (only,) = caught.value.diagnostics
    return only


def telling(program: Program, folder: Path) -> Program:
    """Return the program started by a shell that first writes its process id, which it keeps, to the file `pid`."""
    script = f'echo $$ > "{folder}/pid"; exec "$@"'
    return program._replace(argv=("/bin/sh", "-c", script, "sh", *program.argv))


def kill(folder: Path) -> None:
    os.kill(int((folder / "pid").read_text()), signal.SIGKILL)


@given(st.integers(0, 2**64 - 1), st.binary())
def test_a_varint_is_read_as_it_was_written(number: int, rest: bytes) -> None:
    assert read_varint(varint(number) + rest) == (number, len(varint(number)))


@given(st.integers(0, 2**64 - 1))
def test_a_varint_without_its_end_is_not_read_yet(number: int) -> None:
    assert read_varint(varint(number)[:-1]) is None


def test_a_varint_that_never_ends_is_refused() -> None:
    with pytest.raises(Malformed):
        read_varint(b"\xff" * 11)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=300))), st.lists(st.integers(1, 400)))
def test_packets_come_out_whole_however_the_stream_is_cut(sent: list[tuple[int, bytes]], sizes: list[int]) -> None:
    stream = b"".join(packet(channel, message) for channel, message in sent)
    packets = Packets()

    received = []
    for size in [*sizes, len(stream)]:
        received += packets.feed(stream[:size])
        stream = stream[size:]

    assert received == sent


@given(st.binary(max_size=200))
def test_any_bytes_are_packets_or_malformed(stream: bytes) -> None:
    with suppress(Malformed):
        fed = Packets().feed(stream)
        assert sum(len(message) for _, message in fed) <= len(stream)
        for _, message in fed:
            Message(message)


@given(st.integers(0, 2**32), st.text(), st.text())
def test_a_field_reads_as_it_was_written_last(number: int, first: str, last: str) -> None:
    message = Message(field(1, number) + field(2, first) + field(3, field(1, "inner")) + field(2, last))

    assert (message.number(1), message.text(2), message.message(3).text(1)) == (number, last, "inner")
    assert (message.number(9), message.text(9), 9 in message) == (0, "", False)


def test_a_field_of_another_kind_is_malformed() -> None:
    message = Message(field(1, 7) + field(2, "a"))

    for read in (lambda: message.text(1), lambda: message.number(2)):
        with pytest.raises(Malformed):
            read()


def test_a_sheet_becomes_expanded_css_and_a_map(dart: DartSass) -> None:
    made = compiled(dart, "a { b { c: d } }")

    assert made.css == "a b {\n  c: d;\n}"
    assert '"sources":["file:///a.scss"]' in made.source_map
    assert (made.failure, made.events) == (None, ())


def test_text_beyond_ascii_is_written_without_a_charset(dart: DartSass) -> None:
    assert compiled(dart, 'a { b: "é𝒳" }').css == 'a {\n  b: "é𝒳";\n}'


def test_reports_come_with_their_places(dart: DartSass) -> None:
    made = compiled(dart, '@debug 1;\n@warn "w";\n  a { b: $c }')

    assert made.failure == Event(
        "error", "Undefined variable.", Place("file:///a.scss", 2, 9, "$c"), made.failure.trace if made.failure else ""
    )
    assert [(event.kind, event.message) for event in made.events] == [("debug", "1"), ("warning", "w")]


def test_many_compiles_are_in_flight_at_once(dart: DartSass) -> None:
    """Each importer waits until all compiles have asked theirs, which no client that serves one at a time survives."""
    count = 10
    barrier = threading.Barrier(count)
    importers = [
        Sheets({"b": f"x{number} {{ y: z }}"}, lambda _: void(barrier.wait(WAIT_S))) for number in range(count)
    ]

    with ThreadPoolExecutor(count) as threads:
        jobs = [threads.submit(compiled, dart, '@use "b"', importer) for importer in importers]
        made = [job.result(WAIT_S).css for job in jobs]

    assert made == [f"x{number} {{\n  y: z;\n}}" for number in range(count)]


def void(_: object) -> None:
    """Take a value where none is wanted."""


def test_no_more_compiles_are_in_flight_than_was_said(program: Program, tmp_path: Path) -> None:
    pair, lock = threading.Barrier(2), threading.Lock()
    loading, most = 0, 0

    def on_load(_: str) -> None:
        nonlocal loading, most
        with lock:
            loading += 1
            most = max(most, loading)
        pair.wait(WAIT_S)
        with lock:
            loading -= 1
        pair.wait(WAIT_S)

    sheets = Sheets({"x": "b{c:d}"}, on_load)
    with DartSass(program, str(tmp_path), timeout_s=WAIT_S, at_once=2) as dart, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: compiled(dart, '@use "x"', sheets, f"{number}.scss").css, range(8)))

    assert ["b {\n  c: d;\n}"] * 8 == found
    assert 2 == most


def test_hundreds_of_compiles_by_a_few_threads_each_get_their_own_answer(dart: DartSass) -> None:
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda number: compiled(dart, f"a{{b:{number}}}").css, range(200)))

    assert made == [f"a {{\n  b: {number};\n}}" for number in range(200)]


def test_an_importer_is_asked_on_the_thread_that_compiles(dart: DartSass) -> None:
    importer = Sheets({"b": "x{y:z}"})

    compiled(dart, '@use "b"', importer)

    assert importer.threads == {threading.get_ident()}


def test_a_load_that_the_importer_refuses_is_an_error_at_the_load(dart: DartSass) -> None:
    def refuse(_: str) -> None:
        raise LoadRefused("`b` is not for you")

    failure = compiled(dart, 'a{b:c}\n@import "b";', Sheets({"b": ""}, refuse)).failure

    assert failure is not None
    assert (failure.message, failure.place) == ("`b` is not for you", Place("file:///a.scss", 1, 8, '"b"'))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), TimeoutError("slow disk"), KeyError("bug")])
def test_what_an_importer_raises_comes_out_and_the_next_compile_works(dart: DartSass, error: BaseException) -> None:
    def fail(_: str) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        compiled(dart, '@use "b"', Sheets({"b": ""}, fail))

    assert caught.value is error
    assert compiled(dart, "a{b:c}").css == "a {\n  b: c;\n}"


def test_an_endless_sheet_is_ended_and_named_and_the_others_go_on(program: Program, tmp_path: Path) -> None:
    innocent_waits, endless_is_over = threading.Event(), threading.Event()

    def hold(_: str) -> None:
        innocent_waits.set()
        assert endless_is_over.wait(WAIT_S)

    with DartSass(program, str(tmp_path), timeout_s=1.5) as dart, ThreadPoolExecutor(2) as threads:
        endless = threads.submit(compiled, dart, "@while true {}", subject="endless.scss")
        innocent = threads.submit(compiled, dart, '@use "b"', Sheets({"b": "x{y:z}"}, hold))
        assert innocent_waits.wait(WAIT_S)
        found = finding(endless, CompileFailed)
        endless_is_over.set()
        made = innocent.result(WAIT_S)

    message = "dart sass did not finish `endless.scss` within 1.5 s"
    assert found == Diagnostic(
        "engine-timeout", "error", message, Span("endless.scss"), "look for a loop that never ends"
    )
    assert made.css == "x {\n  y: z;\n}"


GREEDY = '$s: "aaaaaaaaaaaaaaaa";\n@while true {$s: $s + $s + "x"}'


def test_a_sheet_that_eats_memory_is_ended_and_named(program: Program, tmp_path: Path) -> None:
    with DartSass(program, str(tmp_path), timeout_s=WAIT_S, memory_bytes=300_000_000) as dart:
        found = finding(lambda: compiled(dart, GREEDY, subject="greedy.scss"), CompileFailed)

    message = "dart sass needed more than 300 MB for `greedy.scss`"
    assert found == Diagnostic(
        "engine-memory", "error", message, Span("greedy.scss"), "look for a loop that never ends"
    )


def test_memory_is_blamed_on_the_sheet_that_takes_it_and_not_on_its_neighbour(program: Program, tmp_path: Path) -> None:
    loads: list[str] = []
    neighbour_waits, greedy_is_over = threading.Event(), threading.Event()

    def hold(url: str) -> None:
        loads.append(url)
        neighbour_waits.set()
        assert greedy_is_over.wait(WAIT_S)

    with (
        DartSass(program, str(tmp_path), timeout_s=WAIT_S, memory_bytes=300_000_000) as dart,
        ThreadPoolExecutor(2) as threads,
    ):
        neighbour = threads.submit(compiled, dart, '@use "b"', Sheets({"b": "x{y:z}"}, hold))
        assert neighbour_waits.wait(WAIT_S)
        found = finding(threads.submit(compiled, dart, GREEDY, subject="greedy.scss"), CompileFailed)
        greedy_is_over.set()
        made = neighbour.result(WAIT_S)

    assert ("engine-memory", Span("greedy.scss")) == (found.rule, found.span)
    assert made.css == "x {\n  y: z;\n}"
    assert len(loads) == 2


def test_a_sheet_that_warns_without_end_is_ended_and_named(dart: DartSass) -> None:
    found = finding(lambda: compiled(dart, '@while true {@warn "again"}', subject="loud.scss"), CompileFailed)

    message = "`loud.scss` gave more than 100,000 warnings and messages"
    hint = "look for a loop that never ends"
    assert found == Diagnostic("too-many-messages", "error", message, Span("loud.scss"), hint)


def test_a_sheet_that_breaks_the_compiler_is_named_and_the_others_go_on(dart: DartSass) -> None:
    innocent_waits, broken_is_over = threading.Event(), threading.Event()

    def hold(_: str) -> None:
        innocent_waits.set()
        assert broken_is_over.wait(WAIT_S)

    with ThreadPoolExecutor(2) as threads:
        innocent = threads.submit(compiled, dart, '@use "b"', Sheets({"b": "x{y:z}"}, hold))
        assert innocent_waits.wait(WAIT_S)
        recursion = "@function f($x) {@return f($x + 1)}\na{b:f(1)}"
        found = finding(threads.submit(compiled, dart, recursion, subject="deep.scss"), CompileFailed)
        broken_is_over.set()
        made = innocent.result(WAIT_S)

    message = "dart sass broke down over `deep.scss`: Stack Overflow"
    hint = "look for recursion without end, or for nesting that is too deep"
    assert found == Diagnostic("engine-crashed", "error", message, Span("deep.scss"), hint)
    assert made.css == "x {\n  y: z;\n}"


def test_a_dead_process_is_an_error_of_every_compile_in_it_and_the_next_one_starts_another(
    program: Program, tmp_path: Path
) -> None:
    both_wait = threading.Barrier(3)
    process_is_dead = threading.Event()

    def hold(_: str) -> None:
        both_wait.wait(WAIT_S)
        assert process_is_dead.wait(WAIT_S)

    with (
        DartSass(telling(program, tmp_path), str(tmp_path), timeout_s=WAIT_S) as dart,
        ThreadPoolExecutor(2) as threads,
    ):
        names = ["a.scss", "b.scss"]
        jobs = [threads.submit(compiled, dart, '@use "b"', Sheets({"b": ""}, hold), name) for name in names]
        both_wait.wait(WAIT_S)
        kill(tmp_path)
        process_is_dead.set()
        found = [finding(job, EngineUnavailable) for job in jobs]
        made = compiled(dart, "a{b:c}")

    rule = "engine-unavailable"
    assert found == [Diagnostic(rule, "error", f"dart sass died while it compiled `{n}`", Span(n)) for n in names]
    assert made.css == "a {\n  b: c;\n}"


def test_closing_ends_the_process_in_good_order(program: Program, tmp_path: Path) -> None:
    with DartSass(telling(program, tmp_path), str(tmp_path)) as dart:
        compiled(dart, "a{b:c}")
        process = os.pidfd_open(int((tmp_path / "pid").read_text()))

    assert select.select([process], [], [], 0)[0] == [process]
    os.close(process)
    assert finding(lambda: compiled(dart, "a{}"), EngineUnavailable).message == (
        "dart sass was closed before its work was done"
    )


def test_a_dart_sass_that_nobody_used_is_never_started(program: Program, tmp_path: Path) -> None:
    with DartSass(telling(program, tmp_path), str(tmp_path)):
        pass

    assert list(tmp_path.iterdir()) == []


def test_another_version_than_the_pinned_one_is_refused_by_both_names(program: Program, tmp_path: Path) -> None:
    with DartSass(program._replace(version="1.2.3"), str(tmp_path)) as dart:
        found = finding(lambda: compiled(dart, "a{}"), EngineUnavailable)

    assert found.message == f"`{' '.join(program.argv)}` is Dart Sass {program.version}, not 1.2.3"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo no such flag >&2; exit 64", "`{}` does not speak the embedded Sass protocol: no such flag"),
        ("cat", "`{}` does not speak the embedded Sass protocol"),
        (
            "printf '\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377\\377'; cat",
            "`{}` does not speak the embedded Sass protocol: a varint is longer than 64 bits",
        ),
    ],
)
def test_a_program_that_is_no_dart_sass_is_named(program: Program, tmp_path: Path, script: str, message: str) -> None:
    argv = ("/bin/sh", "-c", script)
    with DartSass(program._replace(argv=argv), str(tmp_path)) as dart:
        found = finding(lambda: compiled(dart, "a{}"), EngineUnavailable)

    assert found.message.startswith(message.format(" ".join(argv)))


def test_a_program_that_cannot_be_started_is_named(program: Program, tmp_path: Path) -> None:
    with DartSass(program._replace(argv=(f"{tmp_path}/absent",)), str(tmp_path)) as dart:
        found = finding(lambda: compiled(dart, "a{}"), EngineUnavailable)

    assert found.message == f"`{tmp_path}/absent` does not start: no such file or directory"


def test_no_load_path_of_the_environment_is_used(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "_b.scss").write_text("x{y:z}")
    monkeypatch.setenv("SASS_PATH", str(tmp_path))

    with DartSass(program, str(tmp_path)) as dart:
        failure = compiled(dart, '@use "b"').failure

    assert failure is not None
    assert failure.message == "Can't find stylesheet to import."
