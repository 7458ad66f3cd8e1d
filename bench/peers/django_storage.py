"""What Django's storages make of cases: `python django_storage.py WORK STORAGE`, run by bench/conformance.py.

WORK holds a folder per case with `source/`; each gets `out/` and `result.json`: the error, or logical → published path.
"""

from __future__ import annotations

import json
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import django
from django.conf import settings

_OURS = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
_ENHANCED = "django_manifeststaticfiles_enhanced.storage.EnhancedManifestStaticFilesStorage"
STORAGES: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": (_OURS, {}),
    "modules": (_OURS, {"support_js_module_import_aggregation": True}),
    "enhanced": (_ENHANCED, {"support_js_module_import_aggregation": True}),
    "lexer": (_ENHANCED, {"support_js_module_import_aggregation": True, "use_lexer": True}),
}


def compile_case(folder: Path, kind: str) -> dict[str, Any]:
    """Return what `collectstatic` makes of one case."""
    from django.core.files.storage import FileSystemStorage
    from django.utils.module_loading import import_string

    name, options = STORAGES[kind]
    base = import_string(name)
    flags = {key: value for key, value in options.items() if kind == "modules"}
    storage_class = type("Storage", (base,), flags)
    out, source = folder / "out", folder / "source"
    shutil.copytree(source, out)
    arguments = {} if flags else options
    storage = storage_class(location=str(out), base_url="/static/", **arguments)
    files = [file.relative_to(source).as_posix() for file in sorted(source.rglob("*")) if file.is_file()]
    found = {file: (FileSystemStorage(location=str(source)), file) for file in files}
    for _, _, processed in storage.post_process(found):
        if isinstance(processed, Exception):
            return {"error": str(processed) or repr(processed)}
    return {"paths": {file: storage.stored_name(file) for file in files}}


def main() -> None:
    """Compile every case; what a tool raises is its result."""
    work, kind = Path(sys.argv[1]), sys.argv[2]
    warnings.simplefilter("ignore")
    settings.configure(STATIC_URL="/static/", STATIC_ROOT=str(work), DEBUG=False)
    django.setup()
    for folder in sorted(each for each in work.iterdir() if each.is_dir()):
        try:
            result = compile_case(folder, kind)
        except Exception as error:  # noqa: BLE001 - whatever it is, the tool did not compile the case
            result = {"error": f"{type(error).__name__}: {error}"}
        (folder / "result.json").write_text(json.dumps(result))


if __name__ == "__main__":
    main()
