"""The client of esbuild's service protocol, against the real process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler.engines.esbuild import PROTOCOL_VERSION, Again, Esbuild, EsbuildFault
from assetbuild.compiler.engines.esbuild.messages import Message, diagnostic
from assetbuild.compiler.engines.esbuild.packets import Value, decode, encode
from assetbuild.compiler.errors import EngineUnavailable
from assetbuild.diagnostic import Diagnostic, Span
from tests import esbuild_shop
from tests.conftest import Tree

VALUES: st.SearchStrategy[Value] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def service() -> Iterator[Esbuild]:
    with Esbuild(esbuild_shop.argv()) as opened:
        yield opened


def program(folder: Path, body: str) -> list[str]:
    """Return how to start a program of ours that stands in for a broken esbuild."""
    file = folder / "program.py"
    file.write_text("import os, struct, sys, time\n" + body)
    return [sys.executable, str(file)]


GREETS = f"sys.stdout.buffer.write(struct.pack('<I', 6) + b'{PROTOCOL_VERSION}'); sys.stdout.flush()\n"


@given(st.integers(0, 2**30), st.booleans(), VALUES)
def test_a_packet_comes_back_as_it_went(number: int, is_request: bool, value: Value) -> None:
    packet = encode(number, is_request, value)

    assert (number, is_request, value) == decode(packet[4:])
    assert len(packet) - 4 == int.from_bytes(packet[:4], "little")


@given(VALUES, st.data())
def test_a_packet_that_is_cut_short_is_refused(value: Value, data: st.DataObject) -> None:
    packet = encode(1, True, value)[4:]
    kept = data.draw(st.integers(0, len(packet) - 1))

    with pytest.raises(ValueError, match="packet"):
        decode(packet[:kept])


def test_packets_are_laid_out_as_the_npm_package_lays_them_out() -> None:
    """Source: esbuild 0.28.2, lib/main.js, `encodePacket`."""
    packet = encode(3, False, {"a": [None, True, -1, "é", b"\0"]})

    assert packet.hex(" ", 1) == (
        "2c 00 00 00 07 00 00 00 06 01 00 00 00 01 00 00 00 61 05 05 00 00 00 "
        "00 01 01 02 ff ff ff ff 03 02 00 00 00 c3 a9 04 01 00 00 00 00"
    ).replace("2c 00 00 00", f"{len(packet) - 4:02x} 00 00 00", 1)


def test_the_protocol_is_the_one_that_the_pinned_version_speaks(service: Esbuild, tree: Tree) -> None:
    """The contract: greeting, transform, build with every callback, nested resolve, metafile, messages."""
    source = 'import "./b"; import "virtual"; import "nope"; let x: number = 1; x === -0'
    folder = tree({"a.ts": source, "b.ts": "export {}"})
    asked: list[tuple[str, str]] = []

    class Hooks:
        resolve_filter, load_filter, namespaces = "^[^/]", r"b\.ts$", ("own",)

        def resolve(self, request: Mapping[str, Value], again: Again) -> Mapping[str, Value] | None:
            asked.append(("resolve", str(request["path"])))
            if request["path"] == "virtual":
                return {"path": "virtual", "namespace": "own"}
            answer = again(request)
            if answer["errors"]:
                own: dict[str, Value] = {
                    "id": "",
                    "pluginName": "",
                    "text": "ours",
                    "location": None,
                    "notes": [],
                    "detail": 7,
                }
                return {"errors": [own]}
            return None

        def load(self, request: Mapping[str, Value]) -> Mapping[str, Value] | None:
            asked.append((str(request["namespace"]), Path(str(request["path"])).name))
            return {"contents": b"console.log('loaded')", "loader": "js"}

    flags = ["--bundle", "--metafile", "--log-level=silent", f"--outdir={folder}/out"]
    request: Mapping[str, Value] = {
        "entries": [["named", f"{folder}/a.ts"]],
        "flags": flags,
        "absWorkingDir": str(folder),
    }
    failed = service.build(request, Hooks())
    made = service.build({**request, "flags": [*flags, "--external:nope"]}, Hooks())
    transformed = service.transform("let x: boolean = y === -0", ["--loader=ts", "--log-level=silent"])

    assert PROTOCOL_VERSION == service.version
    resolved = {("resolve", "./b"), ("resolve", "virtual"), ("resolve", "nope")}
    assert {*resolved, ("file", "b.ts"), ("own", "virtual")} == set(asked)
    assert [("ours", 7)] == [(message.text, message.detail) for message in failed.errors]
    assert [("a.ts", 1, 39, 6)] == [(said.file, said.line, said.column, said.length) for said in failed.errors]
    assert () == failed.outputs
    assert () == made.errors
    assert ["equals-negative-zero"] == [message.id for message in made.warnings]
    assert ["out/named.js"] == [output.path for output in made.outputs]
    assert b"loaded" in made.outputs[0].content
    assert {"inputs", "outputs"} == made.metafile.keys()
    assert "let x = y === -0;\n" == transformed.code
    assert ["equals-negative-zero"] == [message.id for message in transformed.warnings]
    assert ["a.ts", "b.ts"] == sorted(os.listdir(folder)), "a build writes nothing"


def test_many_transforms_run_at_once_and_each_gets_its_own_answer(service: Esbuild) -> None:
    answers: dict[int, str] = {}

    def work(number: int) -> None:
        for _ in range(20):
            answers[number] = service.transform(f"let a = {number}", ["--minify"]).code

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {number: f"let a={number};\n" for number in range(8)} == answers


def test_another_version_is_refused_and_both_are_named(tmp_path: Path) -> None:
    argv = program(tmp_path, "if sys.argv[1] == '--version': print('0.19.0')\nsys.exit(1)\n")

    with pytest.raises(EngineUnavailable, match=f"esbuild is version `0.19.0`, expected `{PROTOCOL_VERSION}`"):
        Esbuild(argv)


def test_a_program_that_does_not_exist_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="esbuild does not start: No such file or directory"):
        Esbuild([str(tmp_path / "esbuild")])


def test_a_killed_process_is_an_error_and_no_hang() -> None:
    with Esbuild(esbuild_shop.argv()) as service:
        os.killpg(service.pid, signal.SIGKILL)

        with pytest.raises(EsbuildFault, match="esbuild ended before its work was done"):
            service.transform("a", [])
        with pytest.raises(EsbuildFault):
            service.transform("a", [])


def test_the_last_words_of_a_process_that_dies_are_kept(tmp_path: Path) -> None:
    dies = GREETS + "sys.stdin.buffer.read(1); sys.stderr.write('panic: broken\\nmore'); sys.exit(2)\n"

    with Esbuild(program(tmp_path, dies)) as service, pytest.raises(EsbuildFault) as caught:
        service.transform("a", [])

    assert ["panic: broken"] == [note.message for note in caught.value.diagnostics[0].notes]


def test_a_process_that_floods_stderr_does_not_block(tmp_path: Path) -> None:
    flood = GREETS + "sys.stderr.write('x' * 1_000_000 + '\\n'); sys.stderr.flush(); sys.exit(0)\n"

    with Esbuild(program(tmp_path, flood)) as service, pytest.raises(EsbuildFault):
        service.transform("a", [])


def test_a_process_that_hangs_is_stopped_and_named(tmp_path: Path) -> None:
    argv = program(tmp_path, GREETS + "time.sleep(600)\n")

    with Esbuild(argv, timeout_s=0.3) as service, pytest.raises(EsbuildFault, match=r"took longer than 0\.3 s"):
        service.transform("a", [])


def test_a_process_that_takes_too_much_memory_is_stopped_and_named(tmp_path: Path) -> None:
    argv = program(tmp_path, GREETS + "held = bytearray(200_000_000); time.sleep(600)\n")

    with Esbuild(argv, memory_bytes=100_000_000) as service, pytest.raises(EsbuildFault) as caught:
        service.transform("a", [])

    (found,) = caught.value.diagnostics
    assert ("engine-memory", "esbuild needed more than 100 MB and was stopped") == (found.rule, found.message)


def test_bytes_that_are_no_packet_are_a_broken_protocol(tmp_path: Path) -> None:
    junk = GREETS + r"sys.stdout.buffer.write(b'\5\0\0\0\0\0\0\0\x09'); sys.stdout.flush(); time.sleep(600)" + "\n"

    with Esbuild(program(tmp_path, junk), timeout_s=20) as service, pytest.raises(EsbuildFault, match="unknown kind 9"):
        service.transform("a", [])


def test_closing_ends_the_process_and_its_children(tmp_path: Path) -> None:
    argv = program(tmp_path, "os.fork()\n" + GREETS + "time.sleep(600)\n")
    service = Esbuild(argv, farewell_s=0.1)

    service.close()
    service.close()

    assert [] == [pid for pid in living() if os.getpgid(pid) == service.pid]


def living() -> Iterator[int]:
    """Yield the processes that run; a zombie waits for nobody but its parent."""
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and Path("/proc", name, "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                yield int(name)
        except (FileNotFoundError, ProcessLookupError):
            continue


def test_a_message_becomes_a_diagnostic_in_our_words_with_characters_counted() -> None:
    note = Message("", 'The original key "a" is here:', "x/é.js", 1, 0, 2, "é = 1", "", ())
    advice = Message("", "Did you mean that instead?", "", 0, 0, 0, "", "", ())
    message = Message("some-id", 'Duplicate key "é".', "x/é.js", 3, 3, 2, "é é()", "", (note, advice))

    found = diagnostic(message, "warning", shown=lambda file: f"shown/{file}")

    first = found.notes[0]
    assert (
        Diagnostic(
            "some-id",
            "warning",
            "duplicate key `é`",
            Span("shown/x/é.js", 3, 3, 1, "é é()"),
            "did you mean that instead?",
            found.notes,
        )
        == found
    )
    assert ("the original key `a` is here", Span("shown/x/é.js", 1, 1, 1, "é = 1")) == (first.message, first.span)
