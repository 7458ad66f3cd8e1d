"""Sprockets 3 from Debian (`ruby-sprockets`), with its cache of files."""

from __future__ import annotations

import json

from builds.peers.base import SCRIPTS, Peer, Place, Plan, bundles

__all__ = ["PEERS"]


def _plan(place: Place) -> Plan:
    static, sheets = place.source / "static", place.scratch / "sheets"
    sheets.mkdir(parents=True, exist_ok=True)
    if place.corpus == "legacy":
        named = [(f"{name}.{kind}", files) for kind, each in bundles(place).items() for name, files in each.items()]
        for target, files in named:
            lines = "".join(f" *= require {file}\n" for file in files)
            (sheets / target).write_text(f"/*\n{lines} */\n")
        names = [target for target, _ in named]
    else:
        names = [file.relative_to(static).as_posix() for file in sorted(static.rglob("*")) if file.is_file()]
    (place.scratch / "names.json").write_text(json.dumps(names))
    paths = [str(each) for each in (static, place.output, place.scratch, place.scratch / "names.json")]
    return Plan([["ruby", str(SCRIPTS / "sprockets.rb"), *paths]], place.source)


PEERS = (
    Peer(
        "Sprockets 3",
        frozenset({"legacy", "static-1k"}),
        ("sprockets",),
        _plan,
        "with gzip; nothing minified, references in plain CSS stay as they are",
    ),
)
