"""What webassets' cssrewrite makes of cases: `python webassets_cssrewrite.py WORK`, run by bench/conformance.py.

The form of WORK is that of django_storage.py. The sheet itself gets a name with its version; nothing else does.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from webassets import Bundle, Environment


def compile_case(folder: Path) -> dict[str, Any]:
    """Return what a bundle of the one sheet becomes, in a folder beside it."""
    out = folder / "out"
    shutil.copytree(folder / "source", out)
    environment = Environment(directory=str(out), url="/static", cache=False, manifest="json:manifest.json")
    bundle = Bundle("css/app.css", filters="cssrewrite", output="made/app-%(version)s.css")
    environment.register("app", bundle)
    (url,) = bundle.urls()
    return {"paths": {"css/app.css": url.partition("?")[0].removeprefix("/static/")}}


def main() -> None:
    """Compile every case; what the tool raises is its result."""
    for folder in sorted(each for each in Path(sys.argv[1]).iterdir() if each.is_dir()):
        try:
            result = compile_case(folder)
        except Exception as error:  # noqa: BLE001 - whatever it is, the tool did not compile the case
            result = {"error": f"{type(error).__name__}: {error}"}
        (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
