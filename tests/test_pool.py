from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetbuild.compiler.errors import DiagnosticsError, EngineUnavailable
from assetbuild.compiler.pool import JobFailed, Workers, parallel
from assetbuild.diagnostic import Diagnostic, Span
from tests.worker_jobs import FINDING

JOBS = "tests.worker_jobs"


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(1) as one:
        yield one


@pytest.fixture(scope="module")
def shared() -> Iterator[Workers]:
    with Workers(1) as one:
        yield one


def finding(workers: Workers, function: str, **options: Any) -> Diagnostic:
    with pytest.raises(DiagnosticsError) as caught:
        workers.call(f"{JOBS}:{function}", {}, subject="css/a.css", **options)
    (only,) = caught.value.diagnostics
    return only


def is_running(pid: int) -> bool:
    """Return whether the process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children() -> set[str]:
    """Return the process ids of all children of this process."""
    return {pid for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()}


def pids_from(fifo: Path) -> list[int]:
    """Return the process ids that a job tells through `fifo`, none if it tells nothing for ten seconds."""
    descriptor = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        select.select([descriptor], [], [], 10)
        return [int(pid) for pid in os.read(descriptor, 100).split()]
    finally:
        os.close(descriptor)


def wait_for_end(pid: int) -> bool:
    """Return whether the process ends within ten seconds, told by the kernel."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)


def test_a_request_comes_back_as_the_function_made_it(shared: Workers) -> None:
    made = shared.call(f"{JOBS}:echo", {"text": 'ä\ud800\0"', "list": [1, None, True]}, subject="a")

    assert {key: made[key] for key in ("text", "list")} == {"text": 'ä\ud800\0"', "list": [1, None, True]}
    assert made["pid"] != os.getpid()


@settings(max_examples=30, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_value_survives_both_ways(shared: Workers, value: object) -> None:
    assert value == shared.call(f"{JOBS}:echo", {"value": value}, subject="a")["value"]


def test_a_request_and_a_reply_of_megabytes_pass(shared: Workers) -> None:
    text = "0123456789" * 500_000

    assert text == shared.call(f"{JOBS}:echo", {"text": text}, subject="a")["text"]


def test_one_worker_serves_job_after_job(shared: Workers) -> None:
    pids = {shared.call(f"{JOBS}:echo", {}, subject="a")["pid"] for _ in range(5)}

    assert len(pids) == 1


def test_a_worker_imports_what_its_job_needs_and_no_spine(workers: Workers) -> None:
    loaded = workers.call("tests.worker_jobs:modules", {}, subject="a.js")["modules"]

    rooms = {name.split(".")[2] for name in loaded if name.startswith("assetbuild.compiler.")}
    assert {"errors", "worker"} == rooms


def test_findings_come_back_equal(shared: Workers) -> None:
    with pytest.raises(DiagnosticsError) as caught:
        shared.call(f"{JOBS}:refuse", {}, subject="a")

    assert caught.value.diagnostics == (FINDING,)
    assert not isinstance(caught.value, EngineUnavailable)


def test_a_missing_engine_comes_back_as_one(shared: Workers) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        shared.call(f"{JOBS}:refuse", {"is_unavailable": True}, subject="a")

    assert caught.value.diagnostics == (FINDING,)


def test_an_unexpected_exception_surfaces_with_its_traceback(shared: Workers) -> None:
    with pytest.raises(JobFailed, match=r"failed on css/a\.css(?s:.*)ZeroDivisionError: not foreseen"):
        shared.call(f"{JOBS}:fail", {}, subject="css/a.css")


def test_a_crash_names_the_signal_and_the_file_and_the_next_job_runs(workers: Workers) -> None:
    found = finding(workers, "crash", engine="libsass")

    assert found == Diagnostic(
        "engine-crashed",
        "error",
        "engine `libsass` crashed (SIGSEGV) on `css/a.css`",
        Span("css/a.css"),
        "leave parts of the file out until it passes, or choose another engine",
    )
    assert workers.call(f"{JOBS}:echo", {"a": 1}, subject="b")["a"] == 1


def test_a_worker_that_leaves_by_itself_is_named_by_its_exit_code(workers: Workers) -> None:
    assert finding(workers, "leave").message == "engine `worker_jobs` crashed (exit code 7) on `css/a.css`"


def test_an_endless_loop_ends_at_its_limit(workers: Workers) -> None:
    pid = workers.call(f"{JOBS}:echo", {}, subject="b")["pid"]

    found = finding(workers, "loop", timeout_s=0.2, engine="libsass")

    assert found == Diagnostic(
        "engine-timeout",
        "error",
        "engine `libsass` was still busy with `css/a.css` after 0.2 s",
        Span("css/a.css"),
        "look for a loop or a recursion without an end",
    )
    assert not is_running(pid)


def test_a_flood_of_memory_ends_at_its_limit() -> None:
    with Workers(1, memory_bytes=100_000_000) as workers:
        found = finding(workers, "fill_memory", engine="libsass")

    assert (found.rule, found.message) == (
        "engine-memory",
        "engine `libsass` needed more than 100 MB for `css/a.css`",
    )


def test_what_an_engine_prints_cannot_get_between_the_frames(shared: Workers) -> None:
    assert shared.call(f"{JOBS}:shout", {}, subject="a") == {"heard": ""}


def test_a_worker_has_its_own_group_a_known_stack_and_no_environment_of_ours(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SASS_PATH", "/elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")

    around = workers.call(f"{JOBS}:surroundings", {}, subject="a")

    assert (around["stack"], around["core"], around["is_leader"]) == (8 << 20, 0, True)
    assert {"SASS_PATH", "PYTHONPATH"}.isdisjoint(around["variables"])


def test_nothing_is_started_before_the_first_job() -> None:
    before = children()

    with Workers(4) as workers:
        unused = children()
        workers.call(f"{JOBS}:echo", {}, subject="a")
        used = children()

    assert unused == before
    assert len(used - before) == 1


def test_two_jobs_overlap(tmp_path: Path) -> None:
    """Each job waits until the other has begun; in turn they could not end."""
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    for fifo in (first, second):
        os.mkfifo(fifo)

    with Workers(2) as workers:
        pairs = [{"write": first, "read": second}, {"read": first, "write": second}]
        made = parallel(lambda pair: workers.call(f"{JOBS}:meet", pair, subject="a"), pairs, 2)

    assert len({one["pid"] for one in made}) == 2


def test_other_jobs_go_on_while_one_worker_dies() -> None:
    with Workers(2) as workers:

        def run(name: str) -> str:
            try:
                return str(workers.call(f"{JOBS}:{name}", {"a": 1}, subject=name)["a"])
            except DiagnosticsError as error:
                return error.diagnostics[0].rule

        made = parallel(run, ["echo", "crash", "echo", "crash", "echo"], 2)

    assert made == ["1", "engine-crashed", "1", "engine-crashed", "1"]


def test_a_worker_that_died_between_two_jobs_is_replaced(workers: Workers) -> None:
    pid = workers.call(f"{JOBS}:echo", {}, subject="a")["pid"]
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    assert workers.call(f"{JOBS}:echo", {}, subject="a")["pid"] != pid


def test_closing_ends_idle_workers_and_refuses_new_jobs() -> None:
    with Workers(1) as workers:
        pid = workers.call(f"{JOBS}:echo", {}, subject="a")["pid"]

    assert not is_running(pid)
    with pytest.raises(JobFailed, match="closed"):
        workers.call(f"{JOBS}:echo", {}, subject="a")


def test_closing_ends_a_busy_worker_with_all_that_it_started(tmp_path: Path) -> None:
    told = tmp_path / "pids"
    os.mkfifo(told)
    workers = Workers(1)
    ended: list[BaseException] = []

    def run() -> None:
        try:
            workers.call(f"{JOBS}:loop_beside_a_child", {"file": str(told)}, subject="a")
        except JobFailed as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    pids = pids_from(told)
    workers.close()
    thread.join(10)

    assert [wait_for_end(pid) for pid in pids] == [True, True]
    assert len(ended) == 1


def test_a_killed_parent_leaves_no_orphan_even_of_a_busy_worker(tmp_path: Path) -> None:
    told = tmp_path / "pids"
    os.mkfifo(told)
    program = (
        "import sys; sys.path[0] = sys.argv[1]; from assetbuild.compiler.pool import Workers; "
        f"Workers(1).call({JOBS + ':loop_beside_a_child'!r}, {{'file': sys.argv[2]}}, subject='a')"
    )
    folder = str(Path(__file__).resolve().parent.parent)
    with subprocess.Popen([sys.executable, "-c", program, folder, str(told)]) as parent:
        pids = pids_from(told)
        parent.kill()

    assert [wait_for_end(pid) for pid in pids] == [True, True]


def test_parallel_gives_results_in_the_order_of_the_items() -> None:
    begun: list[int] = []

    def take(item: int) -> int:
        begun.append(item)
        return item * 10

    assert parallel(take, [1, 3, 2], 1, weight=float) == [10, 30, 20]
    assert begun == [3, 2, 1]


def test_parallel_truly_overlaps() -> None:
    barrier = threading.Barrier(3, timeout=10)

    assert sorted(parallel(lambda _: barrier.wait(), range(3), 3)) == [0, 1, 2]


def test_an_error_in_parallel_surfaces_and_nothing_more_begins() -> None:
    begun: list[int] = []

    def take(item: int) -> None:
        begun.append(item)
        if item == 2:
            raise KeyError("two")

    with pytest.raises(KeyError, match="two"):
        parallel(take, [1, 2, 3, 4, 5], 1)

    assert begun == [1, 2]


def test_parallel_takes_no_items() -> None:
    assert parallel(str, [], 4) == []


def test_the_first_failing_item_is_the_one_that_surfaces() -> None:
    barrier = threading.Barrier(2, timeout=10)

    def take(item: str) -> None:
        barrier.wait()
        raise KeyError(item)

    with pytest.raises(KeyError, match="first"):
        parallel(take, ["first", "second"], 2, weight=len)


def test_the_caller_works_while_the_threads_do() -> None:
    met = threading.Barrier(2, timeout=30)
    done: list[int] = []

    made = parallel(lambda item: item + 0 * met.wait(), [7], jobs=1, meanwhile=lambda: done.append(met.wait()))

    assert [7] == made
    assert 1 == len(done)


def test_what_the_caller_raises_begins_nothing_more() -> None:
    begun: list[int] = []
    is_raised = threading.Event()

    def wait_for_the_fault(item: int) -> None:
        begun.append(item)
        is_raised.wait(30)

    def fail() -> None:
        raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        parallel(wait_for_the_fault, range(9), jobs=2, meanwhile=fail)
    is_raised.set()

    assert len(begun) <= 2
