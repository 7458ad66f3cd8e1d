"""Dart Sass and the bundlers of the JavaScript world: production builds with hashed names."""

from __future__ import annotations

import json
from typing import Any

from builds.corpora import app
from builds.peers.base import SCRIPTS, Peer, Place, Plan

__all__ = ["BY_HAND", "ESBUILD", "PEERS"]

ESBUILD = "esbuild"
BY_HAND = "Dart Sass, then esbuild"

_APP = frozenset({"app"})
_BUNDLED = frozenset({"app", "three10x"})
_SASS = ("npm:sass-embedded",)


def _sass(place: Place, target: str) -> list[str]:
    """Return the command that compiles both sheets into the folder `target`."""
    pairs = [f"src/{source}:{target}/{logical}" for logical, source in app.ENTRIES.items() if source.endswith(".scss")]
    return [*place.box.sass, "--no-source-map", "--style=compressed", "--quiet", "--load-path=node_modules", *pairs]


def _entries(target: str) -> dict[str, str]:
    """Return what is left to a tool that gets the sheets of `_sass`: logical path → file."""
    return {
        logical: f"{target}/{logical}" if source.endswith(".scss") else f"src/{source}"
        for logical, source in app.ENTRIES.items()
    }


def _by_hand(place: Place) -> Plan:
    sheets = str(place.scratch)
    esbuild = [
        place.box.esbuild,
        *_entries(sheets).values(),
        "--bundle",
        "--minify",
        "--format=esm",
        "--splitting",
        "--target=es2020",
        "--jsx=automatic",
        "--log-level=error",
        "--entry-names=[name]-[hash]",
        "--asset-names=a/[name]-[hash]",
        *(f"--loader:.{each}=file" for each in ("svg", "png", "woff2")),
        f"--outdir={place.output}",
        f"--metafile={place.scratch / 'meta.json'}",
    ]
    return Plan([_sass(place, sheets), esbuild], place.source)


def _esbuild_three(place: Place) -> Plan:
    options = [
        "--bundle",
        "--minify",
        "--sourcemap",
        "--format=esm",
        "--entry-names=[name]-[hash]",
        "--log-level=error",
    ]
    command = [place.box.esbuild, "src/entry.js", *options, f"--outdir={place.output}"]
    return Plan([command], place.source)


def _esbuild_copy(place: Place) -> Plan:
    globs = ("./css/**/*.css", "./js/**/*.js", "./img/**/*.svg", "./img/**/*.png")
    command = [
        place.box.esbuild,
        *globs,
        "--bundle",
        "--outbase=.",
        "--entry-names=[dir]/[name]-[hash]",
        "--asset-names=[dir]/[name]-[hash]",
        *(f"--loader:.{each}=copy" for each in ("svg", "png", "js")),
        "--log-level=error",
        f"--outdir={place.output}",
        f"--metafile={place.scratch / 'meta.json'}",
    ]
    return Plan([command], place.source / "static")


def _esbuild(place: Place) -> Plan:
    return _esbuild_three(place) if place.corpus == "three10x" else _esbuild_copy(place)


def _configured(place: Place, entries: object, **more: Any) -> dict[str, str]:
    """Return what the configuration files beside the scripts read."""
    facts = {
        "folder": str(place.source),
        "output": str(place.output),
        "scratch": str(place.scratch),
        "modules": str(place.box.modules),
        "entries": entries,
        "maps": place.corpus == "three10x",
        "silenced": app.SILENCED,
        **more,
    }
    return {"BENCH_PLAN": json.dumps(facts), "NODE_ENV": "production"}


def _vite(place: Place) -> Plan:
    entries = [f"src/{source}" for source in app.ENTRIES.values()] if place.corpus == "app" else ["src/entry.js"]
    program = str(place.box.modules / "vite/bin/vite.js")
    command = ["node", program, "build", "--config", str(SCRIPTS / "vite.config.mjs"), "--configLoader", "native"]
    return Plan([command], place.source, _configured(place, entries))


def _packed(place: Place, tool: str, program: str, *words: str) -> Plan:
    if place.corpus == "app":
        entries = {logical.replace("/", "-"): f"./src/{source}" for logical, source in app.ENTRIES.items()}
    else:
        entries = {"entry": "./src/entry.js"}
    command = ["node", str(place.box.modules / program), *words, "--config", str(SCRIPTS / "pack.config.mjs")]
    return Plan([command], place.source, _configured(place, entries, tool=tool))


def _parcel(place: Place) -> Plan:
    """Parcel finds no Sass outside the project, so Dart Sass goes first; it wants a page to begin with."""
    commands = []
    if place.corpus == "app":
        sheets = f"sheets-{place.output.parent.name}"  # inside the project, beside the page
        commands.append(_sass(place, sheets))
        files = list(_entries(sheets).values())
    else:
        # A name that is used: an entry of a page exports nothing, and nothing would be left of it.
        (place.source / "page.js").write_text('import * as T from "./src/entry.js";\nwindow.T = T;\n')
        files = ["page.js"]
    tags = [
        f'<link rel="stylesheet" href="{file}">'
        if file.endswith("css")
        else f'<script type="module" src="{file}"></script>'
        for file in files
    ]
    (place.source / "index.html").write_text("\n".join(["<!doctype html><title>bench</title>", *tags]))
    options = ["--public-url", "/static/", "--no-autoinstall", "--log-level", "error", "--dist-dir", str(place.output)]
    options += ["--cache-dir", str(place.scratch / "cache")]
    options += [] if place.corpus == "three10x" else ["--no-source-maps"]
    commands.append(["node", str(place.box.modules / "parcel/lib/bin.js"), "build", "index.html", *options])
    return Plan(commands, place.source, {"NODE_ENV": "production"})


def _bun(place: Place) -> Plan:
    names = ["--entry-naming=[name]-[hash].[ext]", "--asset-naming=[name]-[hash].[ext]"]
    if place.corpus == "three10x":
        command = [place.box.bun, "build", "src/entry.js", "--minify", "--sourcemap=linked", *names]
        return Plan([[*command, f"--outdir={place.output}"]], place.source)
    sheets = str(place.scratch)
    command = [place.box.bun, "build", *_entries(sheets).values(), "--minify", "--production", *names]
    return Plan([_sass(place, sheets), [*command, f"--outdir={place.output}"]], place.source)


def _themes(place: Place) -> Plan:
    options = ["--no-source-map", "--style=compressed", "--quiet"]
    sass = [*place.box.sass, *options, f"assets/themes:{place.scratch / 'themes'}"]
    return Plan([sass], place.source, output=place.scratch / "themes")


PEERS = (
    Peer(BY_HAND, _APP, ("npm:esbuild", *_SASS), _by_hand, "two commands, one after the other"),
    Peer(
        ESBUILD,
        frozenset({"three10x", "static-1k", "static-10k"}),
        ("npm:esbuild",),
        _esbuild,
        "small files: every one an entry, copied, CSS bundled",
    ),
    Peer("Vite", _BUNDLED, ("npm:vite", *_SASS), _vite, "with a manifest, nothing inlined"),
    Peer(
        "rspack",
        _BUNDLED,
        ("npm:@rspack/core", "npm:@rspack/cli", *_SASS),
        lambda place: _packed(place, "rspack", "@rspack/cli/bin/rspack.js", "build"),
        "SWC and lightningcss minify; no cache configured",
    ),
    Peer(
        "webpack",
        _APP,
        ("npm:webpack", "npm:webpack-cli", *_SASS),
        lambda place: _packed(place, "webpack", "webpack-cli/bin/cli.js"),
        "SWC and lightningcss minify; its cache of files",
    ),
    Peer("Parcel", _BUNDLED, ("npm:parcel", *_SASS), _parcel, "Dart Sass first; its own cache"),
    Peer("bun", _BUNDLED, ("npm:bun", *_SASS), _bun, "Dart Sass first; pictures of CSS are inlined"),
    Peer(
        "Dart Sass",
        frozenset({"themes"}),
        _SASS,
        _themes,
        "one command for the folder; names and references as they are",
    ),
)
