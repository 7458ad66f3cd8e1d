"""Asks npm's `source-map` where a place in a compiled file was written."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.conftest import need

_SCRIPT = """
const { SourceMapConsumer } = require("source-map");
const { map, places } = JSON.parse(require("fs").readFileSync(0, "utf8"));
SourceMapConsumer.with(map, null, (found) => {
  console.log(JSON.stringify(places.map((place) => found.originalPositionFor(place))));
});
"""


class Built(NamedTuple):
    """An output folder. packages: `node_modules` that holds `source-map`. rules: of what the compile found."""

    output: Path
    packages: Path
    rules: tuple[str, ...] = ()

    def manifest(self) -> dict[str, Any]:
        """Return the manifest."""
        found: dict[str, Any] = json.loads((self.output / "manifest.json").read_text())
        return found

    def text(self, logical: str) -> str:
        """Return the published text of an asset."""
        path: str = self.manifest()["assets"][logical]["file"]
        return (self.output / path).read_bytes().decode()

    def map(self, logical: str) -> Any:
        """Return the map of an asset, wherever it lies."""
        entry = self.manifest()["assets"][logical]
        if "map" in entry:
            return json.loads(self.text(entry["map"]))
        return json.loads(Path(f"{self.output}-maps", entry["file"] + ".map").read_text())

    def origins(self, logical: str, *needles: str) -> list[str]:
        """Return where each needle of an asset's text was written, as `written` names a place."""
        text, source_map = self.text(logical), self.map(logical)
        places = [{"line": line, "column": column} for line, column in (_place(text, needle) for needle in needles)]
        given = json.dumps({"map": source_map, "places": places})
        node = shutil.which("node")
        need("node", node is not None)
        command, folder = [node or "", "-e", _SCRIPT], self.packages.parent
        done = subprocess.run(command, input=given, cwd=folder, capture_output=True, text=True, check=True)
        return [f"{at['source']}:{at['line']}:{at['column']}" for at in json.loads(done.stdout)]


def written(files: Mapping[str, str], *places: tuple[str, str]) -> list[str]:
    """Return `file:line:column` for each file and a needle in it; columns from 0, in UTF-16 code units."""
    return [":".join(map(str, (file, *_place(files[file], needle)))) for file, needle in places]


def _place(text: str, needle: str) -> tuple[int, int]:
    assert text.count(needle) == 1, f"{text.count(needle)} times {needle!r} in:\n{text}"
    before = text[: text.index(needle)]
    return before.count("\n") + 1, len(before[before.rfind("\n") + 1 :].encode("utf-16-le")) // 2
