"""Start of a web process: CPU until the assets are known, CPU of the first look-up, and memory of a forked worker.

Every figure comes from a fresh process, the subjects take turns, and the median is printed. Imports and a framework's
own setup are not counted. `begin` is what a process does before it can answer; `first` and `second` are look-ups of two
names that lie far apart; `worker` is how much memory a forked process writes for itself in 500 look-ups, beyond what
500 look-ups in an empty dict cost; `clean` is what it alone has mapped of files by then: page cache, which counts as
shared as soon as a second worker reads it. WhiteNoise and ServeStatic read the folder instead of a manifest (one file
and two variants per asset), up to 10,000 assets here.

    python bench/start.py [--counts 10000 100000] [--rounds 7] [--json FILE]
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import itertools
import json
import mmap
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from assetbuild.manifest import SUFFIXES, dump, hash_name

_SCANNED = 10_000
_LOOK_UPS = 500
_VARIANTS = ("br", "gzip")

LookUp = Callable[[str, str], object]
"""From a logical path and the published one, of which a subject takes what it knows, to something true."""


def ours(folder: Path, *, verify: bool) -> Callable[[], LookUp]:
    """assetbuild: the manifest is opened."""
    from assetbuild import Assets

    def begin() -> LookUp:
        assets = Assets.open(folder / "manifest.json", verify=verify, environ={})
        return lambda logical, _: assets.url(logical)

    return begin


def digest(folder: Path) -> Callable[[], LookUp]:
    """One pass of sha256 over the manifest: what a checked opening cannot cost less than."""

    def begin() -> LookUp:
        with (
            open(folder / "manifest.json", "rb") as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as m,
        ):
            found = hashlib.sha256(m).hexdigest()
        return lambda *_: found

    return begin


def full_parse(folder: Path) -> Callable[[], LookUp]:
    """The same manifest by `json.loads`, which is what a reader without lines would do."""

    def begin() -> LookUp:
        document = json.loads((folder / "manifest.json").read_bytes())
        return lambda logical, _: document["base"] + document["assets"][logical]["file"]

    return begin


def django(folder: Path, storage: str, *apps: str, **settings: Any) -> None:
    """Set Django up with the folder as its STATIC_ROOT."""
    import django
    from django.conf import settings as configured

    configured.configure(
        STATIC_URL="/static/",
        STATIC_ROOT=str(folder),
        INSTALLED_APPS=["django.contrib.staticfiles", *apps],
        STORAGES={"staticfiles": {"BACKEND": f"django.contrib.staticfiles.storage.{storage}"}},
        **settings,
    )
    django.setup()


def django_storage(folder: Path) -> Callable[[], LookUp]:
    """Django's manifest storage reads staticfiles.json, which holds names and nothing else."""
    django(folder, "ManifestStaticFilesStorage")

    def begin() -> LookUp:
        from django.contrib.staticfiles.storage import staticfiles_storage

        staticfiles_storage.stored_name  # noqa: B018  the storage is made at its first use
        return lambda logical, _: staticfiles_storage.url(logical)

    return begin


def django_vite(folder: Path) -> Callable[[], LookUp]:
    """The loader of django-vite reads Vite's manifest."""
    options = {"dev_mode": False, "manifest_path": str(folder / "vite.json")}
    django(folder, "StaticFilesStorage", "django_vite", DJANGO_VITE={"default": {"dev_mode": True}})
    from django_vite.core.asset_loader import DjangoViteAppClient, DjangoViteConfig

    def begin() -> LookUp:
        client = DjangoViteAppClient(DjangoViteConfig(**options))
        return lambda logical, _: client.generate_vite_asset_url(logical)

    return begin


def scanner(folder: Path, module: str, name: str) -> Callable[[], LookUp]:
    """WhiteNoise or ServeStatic walks the folder and makes the headers of each file."""
    middleware = getattr(__import__(module), name)

    def begin() -> LookUp:
        files = middleware(None, root=str(folder / "files"), prefix="/static/").files
        return lambda _, path: files[f"/static/{path}"]

    return begin


class Subject(NamedTuple):
    """One row. prepare: imports, and gives what is counted. limit: up to how many assets it is asked."""

    prepare: Callable[[Path], Callable[[], LookUp]]
    limit: int = sys.maxsize


OURS = "assetbuild"
SUBJECTS: Mapping[str, Subject] = {
    OURS: Subject(lambda folder: ours(folder, verify=True)),
    "assetbuild, verify=False": Subject(lambda folder: ours(folder, verify=False)),
    "sha256 of its manifest": Subject(digest),
    "json.loads of its manifest": Subject(full_parse),
    "Django ManifestStaticFilesStorage": Subject(django_storage),
    "django-vite": Subject(django_vite),
    "WhiteNoise": Subject(lambda folder: scanner(folder, "whitenoise", "WhiteNoise"), _SCANNED),
    "ServeStatic": Subject(lambda folder: scanner(folder, "servestatic", "ServeStatic"), _SCANNED),
}
PACKAGES = ("assetbuild", "django", "django-vite", "whitenoise", "servestatic")


def main() -> None:
    """Print a table for each number of assets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(measured(SUBJECTS[args.child[0]], Path(args.child[1]))))
        return
    versions = {name: version(name) for name in PACKAGES}
    found = {}
    for count in args.counts:
        with tempfile.TemporaryDirectory(prefix="start-") as folder:
            size_bytes = write(Path(folder), count)
            found[count] = medians(Path(folder), count, args.rounds)
        print(table(count, size_bytes, found[count]))
    print(", ".join(f"{name} {number}" for name, number in versions.items()) + f", Python {sys.version.split()[0]}")
    if args.json:
        args.json.write_text(json.dumps({"versions": versions, "rounds": args.rounds, "starts": found}, indent=1))


def write(folder: Path, count: int) -> int:
    """Write everything that a subject reads, and return the size of our manifest."""
    assets: dict[str, Any] = {}
    files: dict[str, Any] = {}
    for number in range(count):
        body = b"%d" % number
        stem = f"css/part{number % 97:02}/module{number % 13}/sheet{number:06}"
        path = f"{stem}-{hash_name('', body)}.css"
        assets[f"{stem}.css"] = {"file": path, "kind": "style", "entry": True, "source": f"{stem}.scss"}
        integrity = base64.b64encode(hashlib.sha384(body).digest()).decode()
        files[path] = {
            "type": "text/css; charset=utf-8",
            "size": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "integrity": f"sha384-{integrity}",
            "enc": dict.fromkeys(_VARIANTS, 1),
        }
    nothing = "sha256:" + hashlib.sha256().hexdigest()
    build = {"tools": {"assetbuild": "0"}, "config": nothing, "inputs": nothing, "salt": ""}
    text = dump({"base": "/static/", "build": build, "assets": assets, "bundles": {}, "files": files})
    (folder / "manifest.json").write_bytes(text)
    paths = {logical: entry["file"] for logical, entry in assets.items()}
    # No more than are asked for: the garbage collector would walk them during the first look-up.
    (folder / "names.json").write_text(json.dumps(random.Random(7).sample(list(paths.items()), _LOOK_UPS + 2)))
    (folder / "staticfiles.json").write_text(json.dumps({"paths": paths, "version": "1.1", "hash": "0"}))
    vite = {name: {"file": path, "src": name, "isEntry": True} for name, path in paths.items()}
    (folder / "vite.json").write_text(json.dumps(vite))
    if count <= _SCANNED:
        for path in paths.values():
            file = folder / "files" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            for suffix in ("", *(SUFFIXES[coding] for coding in _VARIANTS)):
                Path(f"{file}{suffix}").write_bytes(b"a{}")
    return len(text)


def medians(folder: Path, count: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return the median of each figure by subject, after one round that fills the page cache."""
    asked = [name for name, subject in SUBJECTS.items() if count <= subject.limit]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in asked}
    for number in range(rounds + 1):
        for name in asked:
            command = [sys.executable, __file__, "--child", name, str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            if number:
                runs[name].append(json.loads(done.stdout))
    return {
        name: {figure: statistics.median(run[figure] for run in each) for figure in each[0]}
        for name, each in runs.items()
    }


def measured(subject: Subject, folder: Path) -> dict[str, float]:
    """Return the figures of this process."""
    names = json.loads((folder / "names.json").read_bytes())
    begin = subject.prepare(folder)
    time.process_time()  # the first call of it costs as much as a short look-up
    moments = [time.process_time()]
    look_up = begin()
    moments.append(time.process_time())
    for logical, path in names[:2]:
        look_up(logical, path)
        moments.append(time.process_time())
    begun, first, second = (1e6 * (after - before) for before, after in itertools.pairwise(moments))
    dirty_kib, clean_kib = worker_kib(look_up, names[2:])
    memory = {"worker_dirty_kib": dirty_kib, "worker_clean_kib": clean_kib}
    return {"begin_us": begun, "first_us": first, "second_us": second, **memory}


def worker_kib(look_up: LookUp, names: Sequence[tuple[str, str]]) -> list[float]:
    """Return how much more memory a forked process has for itself after it has looked `names` up: dirty, and clean."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        grown: list[int] = []
        for ask in ({}.get, look_up):
            before = private_kib()
            for logical, path in names:
                ask(logical, path)
            grown = [after - then for after, then in zip(private_kib(), before, strict=True)]
        os.write(writer, json.dumps(grown).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as stream:
        found: list[float] = json.load(stream)
    os.waitpid(child, 0)
    return found


def private_kib() -> list[int]:
    """Return how much of this process's memory nobody shares: what was written, and what is as it is on the disk."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    sizes = {line.partition(":")[0]: int(line.split()[1]) for line in lines if line.startswith("Private_")}
    return [sizes["Private_Dirty"], sizes["Private_Clean"]]


def table(count: int, size_bytes: int, rows: Mapping[str, Mapping[str, float]]) -> str:
    """Return the figures as Markdown; the ratio is that of `begin` and the first look-up together, to ours."""

    def until_first(name: str) -> float:
        return rows[name]["begin_us"] + rows[name]["first_us"]

    lines = [
        f"{count:,} assets, manifest {size_bytes / 1e6:.1f} MB, CPU time, medians",
        "",
        "| | begin | first | second | worker | clean | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        figures = f"{row['begin_us'] / 1e3:.2f} ms | {row['first_us']:.0f} µs | {row['second_us']:.0f} µs"
        memory = f"{row['worker_dirty_kib']:.0f} KiB | {row['worker_clean_kib']:.0f} KiB"
        lines.append(f"| {name} | {figures} | {memory} | {until_first(name) / until_first(OURS):.1f} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
