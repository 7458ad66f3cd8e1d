"""tdewolff-minify, inside a worker process: native code that may die, and nothing of ours that is slow to import.

Receives a script, hands back one that is smaller, or what its parser refuses.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["minify"]


def minify(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return `text` minified, or `why` and `line`, `column` (from 1, 0 if unknown) if it cannot be read.

    `text` is "" where the result could not be read again. Options: the result needs no newer syntax than the script
    (`js-version`; but for shorthand properties, which are ES2015), numbers keep their digits.
    """
    import minify as tdewolff

    text = request["text"]
    tdewolff.config({"js-version": 5, "js-precision": 0, "js-keep-var-names": False})

    def made(text: str) -> str:
        # The binding gives the result a buffer of the size of the text, and `</script` grows to `<\/script`.
        return str(tdewolff.string("application/javascript", text + "\n" * (len(text) // 4 + 64)))

    try:
        smaller = made(text)
        with contextlib.suppress(tdewolff.MinifyError):
            made(smaller)
            return {"text": smaller}
        return {"text": ""}
    except tdewolff.MinifyError as error:
        # The place is in the text alone: "<what> on line <n> and column <n>", then the source line.
        found = re.match(r"(?P<what>.*) on line (?P<line>\d+) and column (?P<column>\d+)\n", str(error))
        if found is None:
            return {"why": str(error).partition("\n")[0], "line": 0, "column": 0}
        return {"why": found["what"], "line": int(found["line"]), "column": int(found["column"])}
