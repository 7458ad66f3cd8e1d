"""What esbuild's bundler makes of cases: `python esbuild_bundle.py WORK ESBUILD css|js`, run by bench/conformance.py.

The form of WORK is that of django_storage.py; `inlined` names the files whose text the bundle holds.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

_TEXTS = (".css", ".js", ".mjs", ".json")


def compile_case(folder: Path, esbuild: str, main: str) -> dict[str, Any]:
    """Return what `esbuild --bundle` makes, every extension that is no text's a file of its own."""
    source, out = folder / "source", folder / "out"
    extensions = {os.path.splitext(file.name)[1] for file in source.rglob("*") if file.is_file()}
    # esbuild takes lower and upper case as two extensions, and refuses one that it knows as a text.
    loaders = [f"--loader:{each}=file" for each in sorted(extensions - {*_TEXTS, ""})]
    command = [
        esbuild,
        str(source / main),
        "--bundle",
        "--format=esm",
        "--splitting",
        "--external:/media/*",  # the application's own paths; "/*" would take every file for one of them
        "--external:/staticky/*",
        "--entry-names=[dir]/[name]-[hash]",
        "--asset-names=[dir]/[name]-[hash]",
        f"--outbase={source}",
        f"--outdir={out}",
        f"--metafile={folder / 'meta.json'}",
        "--log-level=error",
        *loaders,
    ]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": done.stderr.strip().partition("\n")[0]}
    meta = json.loads((folder / "meta.json").read_text())
    inlined = {_file(each, source) for each in meta["inputs"] if _file(each, source).endswith(_TEXTS)} - {main}
    paths = {}
    for output, facts in meta["outputs"].items():
        path, inputs = os.path.relpath(source / output, out), [_file(each, source) for each in facts["inputs"]]
        if facts.get("entryPoint") == main:
            paths[main] = path
        elif len(inputs) == 1 and not inputs[0].endswith(_TEXTS):
            paths[inputs[0]] = path
    return {"paths": paths, "inlined": sorted(inlined)}


def _file(written: str, source: Path) -> str:
    """Return the file that an input is: esbuild keeps the query and the fragment in its name."""
    return written if (source / written).exists() else re.split("[?#]", written)[0]


def main() -> None:
    """Compile every case."""
    work, esbuild, language = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    for folder in sorted(each for each in work.iterdir() if each.is_dir()):
        result = compile_case(folder, esbuild, "css/app.css" if language == "css" else "js/app.js")
        (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
