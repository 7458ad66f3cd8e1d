"""CPU time per request: ours, an application that does nothing, and other servers of static files.

    python bench/http_requests.py [--rounds 3] [--only uvicorn] [--json]

Every server holds one process and gets the same requests from wrk over 24 connections, in rounds that take turns. What
is measured is the CPU time of the server's processes from /proc, so that a busy machine changes little. The application
that does nothing sends the same bytes with two header fields, and once more with all of ours: servers have a price for
each field. Needs wrk and nginx on PATH and the `bench` extra.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[0] = str(REPOSITORY)

from bench.peers.static_servers import PEERS, Deployment, serving, versions  # noqa: E402
from tests.http.client import Answer, Fields, get  # noqa: E402
from tests.http.site import Site, built  # noqa: E402
from tests.servers import Server, running  # noqa: E402

_TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")
_BROWSER: Fields = (("Accept", "*/*"), ("Accept-Encoding", "gzip, deflate, br, zstd"), ("User-Agent", "Mozilla/5.0"))
NOTHING = "does nothing"
CANNED = "does nothing, our fields"


class Scenario(NamedTuple):
    """A request. place: as the site names it; status: of every answer."""

    name: str
    place: str
    status: int = 200


SCENARIOS = (
    Scenario("small css", "css"),
    Scenario("304", "css", 304),
    Scenario("large js", "js"),
    Scenario("image", "image"),
)


class Column(NamedTuple):
    """A server with an application. deployment: how it is started; for the one that does nothing once per scenario."""

    server: str
    app: str
    deployment: Deployment


def columns() -> tuple[Column, ...]:
    """Return what is measured, by server: nothing first, then ours, then the others."""
    by_name = {peer.name: peer for peer in PEERS}
    found: list[Column] = []
    for server, kind, half, others in (
        ("uvicorn", "uvicorn", "asgi", ("ServeStatic, uvicorn", "Starlette, uvicorn")),
        ("granian ASGI", "granian-asgi", "asgi", ("ServeStatic, uvicorn",)),
        ("granian WSGI", "granian-wsgi", "wsgi", ("WhiteNoise, gunicorn", "ServeStatic, gunicorn")),
        ("gunicorn", "gunicorn", "wsgi", ("WhiteNoise, gunicorn",)),
    ):
        bare = f"tests.http.apps:{half}_bytes"
        found += [
            *(Column(server, app, Deployment(app, kind, bare)) for app in (NOTHING, CANNED)),
            Column(server, "assetbuild", Deployment("assetbuild", kind, f"tests.http.{half}:middleware")),
            *(Column(server, name.partition(",")[0], by_name[name]._replace(kind=kind)) for name in others),
        ]
    return (*found, Column("nginx", "nginx", by_name["nginx"]))


class Target(NamedTuple):
    """A running server with the request that it gets. etag: of the variant that a browser would have."""

    column: Column
    scenario: Scenario
    server: Server
    path: str
    fields: Fields


def main() -> None:
    """Print the table or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="only servers whose name holds this")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    args = parser.parse_args()
    for tool in ("wrk", "nginx"):
        shutil.which(tool) or sys.exit(f"needs {tool}")
    chosen = [column for column in columns() if args.only.lower() in column.server.lower()]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        site = built(Path(folder) / "project", script_bytes=660_000, image_bytes=300_000)
        answers = recorded(site)
        targets = [target for column in chosen for target in started(stack, column, site, Path(folder), answers)]
        figures: dict[tuple[Column, Scenario], list[float]] = {}
        for number in range(args.rounds + 1):
            print(f"round {number} of {args.rounds}", file=sys.stderr)
            for target in targets:
                cost_us = cost(target)
                if number:  # the first round warms up
                    figures.setdefault((target.column, target.scenario), []).append(cost_us)
    medians = {key: statistics.median(values) for key, values in figures.items()}
    print(as_json(figures, medians) if args.json else as_table(medians))


def recorded(site: Site) -> Mapping[Scenario, Answer]:
    """Return what ours answers."""
    environ = site.environ()
    with running("uvicorn", "tests.http.asgi:middleware", folder=REPOSITORY, environ=environ) as server:
        found = {}
        for scenario in SCENARIOS:
            path, fields = asked(server, site, scenario)
            found[scenario] = get(server.port, path, fields)
        return found


def started(
    stack: contextlib.ExitStack, column: Column, site: Site, folder: Path, answers: Mapping[Scenario, Answer]
) -> Iterator[Target]:
    """Yield the column's server with each request; every server runs until the stack ends."""
    if column.app not in {NOTHING, CANNED}:
        work = folder / f"{column.server} {column.app}".replace(" ", "-")
        server = stack.enter_context(serving(column.deployment, site, work))
        yield from (Target(column, each, server, *asked(server, site, each)) for each in SCENARIOS)
        return
    for scenario in SCENARIOS:
        body = folder / f"body-{scenario.name}"
        body.write_bytes(answers[scenario].body)
        environ = {"BODY": str(body), "STATUS": str(scenario.status)}
        if column.app == CANNED:
            own = {name: value for name, value in answers[scenario].fields if name not in {"date", "server"}}
            environ["FIELDS"] = json.dumps(own)
        deployment = column.deployment._replace(environ=tuple(environ.items()))
        server = stack.enter_context(serving(deployment, site, folder / "nothing"))
        yield Target(column, scenario, server, site.places[scenario.place].path, _BROWSER)


def asked(server: Server, site: Site, scenario: Scenario) -> tuple[str, Fields]:
    """Return path and fields of a request, after one that shows that it is answered as it should be."""
    path, fields = site.places[scenario.place].path, _BROWSER
    first = get(server.port, path, fields)
    if scenario.status == 304:
        fields = (*fields, ("If-None-Match", first.field("etag") or "none"))
    status = get(server.port, path, fields).status
    assert status == scenario.status, f"{path}: status {status}"
    return path, fields


def cost(target: Target) -> float:
    """Return CPU microseconds per request over one second of requests."""
    fields = [word for name, value in target.fields for word in ("-H", f"{name}: {value}")]
    before = cpu_us(target.server.process.pid)
    command = ["wrk", "-t1", "-c24", "-d1s", *fields, target.server.url + target.path]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    count = re.search(r"(\d+) requests in", said)
    assert count, said
    assert "Non-2xx" not in said, said
    return (cpu_us(target.server.process.pid) - before) / max(1, int(count[1]))


def cpu_us(group: int) -> float:
    """Return the CPU time of a process group. Source: proc(5), `stat`: pgrp, utime and stime."""
    total = 0.0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                total += (int(fields[11]) + int(fields[12])) * _TICK_US
    return total


def as_table(medians: Mapping[tuple[Column, Scenario], float]) -> str:
    """Return microseconds per request, each with its ratio to doing nothing under the same server."""
    rows = ["| server | application | " + " | ".join(each.name for each in SCENARIOS) + " |"]
    rows.append("|---|---|" + "--:|" * len(SCENARIOS))
    for column in dict.fromkeys(column for column, _ in medians):
        cells = []
        for scenario in SCENARIOS:
            ratio = ratio_of(medians, column, scenario)
            cells.append(f"{medians[column, scenario]:.1f}" + (f" ({ratio:.2f})" if ratio else ""))
        rows.append(f"| {column.server} | {column.app} | {' | '.join(cells)} |")
    lines = [f"CPU microseconds per request (ratio to doing nothing). {versions()}.", "", *rows]
    return "\n".join([*lines, "", *(f"- {loss}" for loss in losses(medians))])


def ratio_of(medians: Mapping[tuple[Column, Scenario], float], column: Column, scenario: Scenario) -> float:
    """Return how much it costs beside doing nothing under the same server, 0 where that is not measured."""
    for (other, each), value in medians.items():
        if (other.server, other.app, each) == (column.server, NOTHING, scenario):
            return medians[column, scenario] / value
    return 0.0


def losses(medians: Mapping[tuple[Column, Scenario], float]) -> Sequence[str]:
    """Return where another application under the same server costs less than ours."""
    ours = {
        (column.server, scenario): value for (column, scenario), value in medians.items() if column.app == "assetbuild"
    }
    return [
        f"{column.server}, {scenario.name}: {column.app} costs {value / ours[column.server, scenario]:.2f} of ours"
        for (column, scenario), value in medians.items()
        if column.app not in {NOTHING, CANNED, "assetbuild"} and value < ours.get((column.server, scenario), 0)
    ]


def as_json(
    figures: Mapping[tuple[Column, Scenario], Sequence[float]], medians: Mapping[tuple[Column, Scenario], float]
) -> str:
    """Return the same as one document, with what each round gave."""
    found = [
        {
            "server": column.server,
            "application": column.app,
            "request": scenario.name,
            "cpu_us": round(value, 2),
            "rounds": [round(each, 2) for each in figures[column, scenario]],
            "ratio": round(ratio_of(medians, column, scenario), 3) or None,
        }
        for (column, scenario), value in medians.items()
    ]
    return json.dumps({"versions": versions(), "figures": found}, indent=1)


if __name__ == "__main__":
    main()
