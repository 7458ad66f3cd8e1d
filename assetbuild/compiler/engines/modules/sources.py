"""The sources of a module graph, as esbuild asks for them: through the door, recorded, references marked.

Receives esbuild's questions where an import leads and what a file holds; hands on texts in which every reference to an
asset is a mark. esbuild decides the graph itself. What is wrong is kept as our own diagnostic and refused to esbuild.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import cast
from urllib.parse import quote, unquote

from assetbuild.compiler import door
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.esbuild import Again
from assetbuild.compiler.engines.esbuild.messages import Message
from assetbuild.compiler.engines.esbuild.packets import Value
from assetbuild.compiler.engines.js.link import Edit, edited
from assetbuild.compiler.engines.judge import Judge
from assetbuild.compiler.engines.modules.marks import Marks
from assetbuild.compiler.engines.modules.places import Named, loader_of, map_comments_of, named, too_deep_at
from assetbuild.compiler.engines.modules.refusals import SCRIPT_KINDS, SHEETS, sheet_refusal, unresolved
from assetbuild.compiler.errors import DiagnosticsError
from assetbuild.compiler.files import Outside, Reading
from assetbuild.compiler.model import Ref, RefStyle, Source
from assetbuild.compiler.resolve import NPM_FOLDER, Found
from assetbuild.compiler.tokens import SCHEME, NonceClash
from assetbuild.diagnostic import Diagnostic, Severity, Span, reason_of, span_at

__all__ = ["HERE", "HERE_NAME", "OUTSIDE_HINT", "ModuleSources"]

HERE = "assetbuild-here"
"""Path that `--inject` names in a classic script: the module that knows the script's own URL."""

RAW = "raw"
"""Namespace of files that are imported as the text they hold, whatever their language."""

HERE_NAME = "assetbuildScriptUrl"
"""What `import.meta.url` becomes there. The name is global to the graph, so it is one that nobody writes."""

OUTSIDE_HINT = "copy it into a folder of `roots`"
"""What to do about a file that the project may not read."""

# HTML §4.12.1.1: `currentScript` is the script while it runs, and null later and in workers.
_HERE_TEXT = (
    f"const script = globalThis.document && document.currentScript;"
    f"export const {HERE_NAME} = script ? script.src : location.href;"
)

# What an answer of esbuild keeps when it becomes ours.
_ANSWERED = ("path", "namespace", "suffix", "sideEffects")
_COMPILED = (".jsx", ".ts", ".mts", ".cts", ".tsx")
_ASSETS = (
    "apng|avif|bmp|cur|gif|ico|jpeg|jpg|jxl|png|svg|tiff|webp|eot|otf|ttf|woff|woff2"
    "|aac|flac|m4a|mp3|mp4|ogg|ogv|opus|wav|webm|pdf|wasm|webmanifest|glb|gltf"
)


class ModuleSources:
    """The hooks of one build; see `esbuild.Hooks`.

    flags: what esbuild has been told, beside the options of the project.
    is_thorough: ask for every import, so that each one that leads nowhere is explained.
    diagnostics: what was refused or warned of, in the order of their numbers in esbuild's messages.
    found: files that references name and that no root holds. has_clash: a text holds the nonce of the marks.
    workers: logical path → source of each worker that must be compiled and that no entry names.
    texts: file → its text as it stands on disk. edits: what was changed in it before esbuild got it.
    spellings: specifier with an alias or `~` → what was looked for in its place, in order.
    named_maps: file → the maps that it names, with their places, if maps are to be made.
    """

    load_filter = ".*"
    namespaces = ("asset", RAW, HERE)

    def __init__(self, reading: Reading, shop: Shop, marks: Marks, flags: Sequence[str], *, is_thorough: bool) -> None:
        # Bare and absolute specifiers, and whatever looks like an asset: a relative import of code is esbuild's own,
        # and a large graph has thousands.
        told_apart = _ASSETS + "|scss|sass|less"
        self.resolve_filter = ".*" if is_thorough else r"^[^.]|\?|\.(?i:" + told_apart + r")(?:#.*)?$"
        self._reading = reading
        self._shop = shop
        self._marks = marks
        self._flags = flags
        self._roots = [(os.path.join(os.path.realpath(root.folder), ""), root) for root in shop.project.roots]
        self._alias_flags: dict[str, str] = {}
        self._by_asset: dict[str, str] = {}
        self._explanations: dict[tuple[str, str], Diagnostic] = {}
        self.diagnostics: list[Diagnostic] = []
        self.found: dict[str, Source] = {}
        self.workers: dict[str, Source] = {}
        self.texts: dict[str, str] = {}
        self.edits: dict[str, list[Edit]] = {}
        self.named_maps: dict[str, list[tuple[str, Span]]] = {}
        self.spellings: dict[str, tuple[str, ...]] = {}
        self.has_clash = False

    def resolve(self, request: Mapping[str, Value], again: Again) -> Mapping[str, Value] | None:
        """Return where an import leads, None where esbuild knows best."""
        path, kind = cast(str, request["path"]), cast(str, request["kind"])
        if path == HERE and not request["importer"]:
            return {"path": HERE, "namespace": HERE}
        if kind == "url-token":
            # Our tokeniser has seen them all: what is left is not ours, and not esbuild's either.
            return {"path": path, "external": True}
        if path.startswith(SCHEME):
            message = f"`{path}` has the scheme of assetbuild's own placeholders"
            return self._refused([Diagnostic("reserved-scheme", "error", message, None, "give it another name")])
        spellings = self._spellings(path)
        is_elsewhere = path.startswith(("/", "#")) or ":" in path.removeprefix("node:")
        if kind == "entry-point" or (is_elsewhere and not spellings):
            return None
        answer = again(request)
        if answer.get("external"):
            return None
        others = (again({**request, "path": spelling}) for spelling in spellings)
        other = next((found for found in others if found.get("path")), None)
        answer = other or answer
        if answer.get("external"):
            return {"path": answer["path"], "external": True}
        if not answer.get("path"):
            # Kept and not refused: esbuild knows whether it matters, as it does not for a `require` inside a `try`.
            importer = cast(str, request["importer"])
            self._explanations[importer, path] = unresolved(path, kind, importer, self._reading, self._shop)
            return None
        return self._given(path, kind, answer) or (self._behind(path, other) if other else None)

    def _given(self, path: str, kind: str, answer: Mapping[str, Value]) -> Mapping[str, Value] | None:
        """Return what stands for a file that is no module, None for one that esbuild reads."""
        file, suffix = cast(str, answer["path"]), cast(str, answer.get("suffix") or "")
        if suffix.startswith("?") and kind in SCRIPT_KINDS:
            return self._queried(path, file, suffix)
        if _extension(file).removeprefix(".") in _ASSETS.split("|"):
            return self._asset(path, file, suffix)
        if _extension(file) in SHEETS:
            return self._refused([sheet_refusal(self.source_of(file), kind)])
        return None

    def _behind(self, path: str, answer: Mapping[str, Value]) -> Mapping[str, Value] | None:
        """Return the module that an alias leads to, None if esbuild has been told of it."""
        file = cast(str, answer["path"])
        flag = f"--alias:{path}={file}"
        if not answer.get("suffix") and not self._shop.resolver.is_packaged(file):
            self._alias_flags[path] = flag
        return None if flag in self._flags else {name: answer[name] for name in _ANSWERED if name in answer}

    def load(self, request: Mapping[str, Value]) -> Mapping[str, Value] | None:
        """Return what a path holds, None where esbuild may say that it cannot read such a file."""
        path = cast(str, request["path"])
        if request["namespace"] == HERE:
            return {"contents": _HERE_TEXT.encode(), "loader": "js"}
        if request["namespace"] == "asset":
            code = f'export default new URL("{self._by_asset[path]}", import.meta.url).href'
            return {"contents": code.encode(), "loader": "js"}
        attributes = request.get("with")
        if isinstance(attributes, Mapping) and attributes.get("type") == "css":
            # esbuild would put the sheet beside the script and leave the import without a value.
            message = 'a bundle cannot give a stylesheet as a value (`with { type: "css" }`)'
            hint = "import it without the attribute, or publish the script as itself, without an entry"
            return self._refused([Diagnostic("css-module-script", "error", message, None, hint)])
        try:
            # First, whatever the language: esbuild quotes what it reads.
            self._reading.library.confine(path)
            is_raw = request["namespace"] == RAW
            if not is_raw and not loader_of(path):
                return None
            text = self._reading.text(path)
            self._marks.check(text)
            if is_raw:
                return {"contents": text.encode(), "loader": "text"}
            if (offset := too_deep_at(path, text)) is not None:
                what = "elements" if text[offset] == "<" else "brackets"
                return self._refused([door.too_deep(span_at(self._reading.shown(path), text, offset), what)])
            self.texts[path] = text
            return {"contents": self._marked(path, text).encode(), "loader": "default"}
        except DiagnosticsError as error:
            return self._refused(error.diagnostics)
        except Outside as error:
            return self._refused([Diagnostic("outside-roots", "error", str(error), None, OUTSIDE_HINT)])
        except OSError as error:
            message = f"cannot read `{self._reading.shown(path)}`: {reason_of(error)}"
            return self._refused([Diagnostic("unreadable", "error", message)])
        except NonceClash:
            self.has_clash = True
            return self._refused([Diagnostic("nonce-clash", "error", "text holds a mark of ours")])

    def aliases(self) -> tuple[str, ...]:
        """Return flags by which esbuild itself finds the files of the project that are imported behind an alias.

        It reads no `tsconfig.json` for a file that a hook has found (0.28.2), and so must find it by itself where
        several of them count. Its aliases stand for all that begins with them: one that would do so wrongly is left
        out.
        """
        others = self.spellings.keys() - self._alias_flags.keys()
        return tuple(
            flag
            for path, flag in sorted(self._alias_flags.items())
            if not re.search(r"[=\\]|^[./]", path) and not any(other.startswith(path + "/") for other in others)
        )

    def _spellings(self, path: str) -> tuple[str, ...]:
        """Return what esbuild is to look for instead of `path`, if an alias or `~` begins it."""
        spellings = tuple(filter(None, self._shop.resolver.behind_prefix(path)))
        if spellings:
            self.spellings[path] = (*spellings, path)
        return spellings

    def source_of(self, file: str) -> Source:
        """Return the source of a file of the graph, so that references are relative to where it would be published."""
        resolver = self._shop.resolver
        known = resolver.inventory.by_file.get(file)
        if known is not None:
            return known
        shown = self._reading.shown(file)
        for folder, root in self._roots:
            if file.startswith(folder):
                inside = file.removeprefix(folder).replace(os.sep, "/")
                return Source(posixpath.join(root.mount, inside), file, shown, root.missing == "error")
        if resolver.is_packaged(file):
            return resolver.npm_source(file, self._reading)
        # In no root: nothing is published beside it, so its logical path must not name a folder of any root.
        return Source("../" + shown.lstrip("/"), file, shown)

    def contexts(self) -> Iterator[Diagnostic]:
        """Yield what is wrong with each `require.context()`, a call that webpack alone understands."""
        from assetbuild.compiler.refs import js

        for file, text in sorted(self.texts.items()):
            if "require.context" not in text or loader_of(file) in ("css", "json", "text"):
                continue
            source = self.source_of(file)
            severity: Severity = "error" if source.is_first_party else "warning"
            for ref in js.requires(text):
                if ref.kind == "require-context":
                    span = span_at(source.shown, text, ref.statement_start, ref.statement_end)
                    message = "`require.context` is webpack's own and does not exist in a browser"
                    yield Diagnostic("require-context", severity, message, span, "write one `import` for each file")

    def span_of(self, path: str, written: str) -> Span:
        """Return where the file `path` of esbuild's description says `written`; the whole file if that is not found."""
        text = self.texts.get(os.path.join(self._shop.project.folder, path), "")
        at = min((at for quote in "'\"`" if (at := text.find(quote + written + quote)) >= 0), default=-1)
        shown = self._reading.shown(os.path.join(self._shop.project.folder, path))
        return span_at(shown, text, at + 1, at + 1 + len(written)) if at >= 0 else Span(shown)

    def explanation(self, message: Message) -> Diagnostic | None:
        """Return what is wrong with the import that `message` underlines, None if it is about something else."""
        if message.detail >= 0:
            return self.diagnostics[message.detail]
        importer = os.path.join(self._shop.project.folder, message.file)
        marked = message.line_text.encode()[message.column : message.column + message.length].decode(errors="replace")
        return self._explanations.get((importer, marked.strip("'\"`")))

    def _asset(self, written: str, file: str, suffix: str) -> Mapping[str, Value]:
        resolver = self._shop.resolver
        source = self.source_of(file)
        known = resolver.inventory.by_logical.get(source.logical)
        if source.logical.startswith(NPM_FOLDER):
            self.found[source.logical] = source
        elif known is None or os.path.realpath(known.file) != file:
            why = resolver.inventory.withheld.get(source.logical, "lies in no asset root")
            return self._refused([Diagnostic("missing-reference", "error", f"`{written}` {why}")])
        name = source.logical + suffix
        self._by_asset[name] = self._marks.mark(Ref(source.logical), written) + _suffix(suffix)
        return {"namespace": "asset", "path": name, "sideEffects": False}

    def _queried(self, written: str, file: str, suffix: str) -> Mapping[str, Value]:
        """Return what an import with a query gives.

        Source: Vite's guide, "Static Asset Handling", for `?url` and `?raw`.
        """
        query, mark, fragment = suffix.partition("#")
        if query == "?url":
            return self._asset(written, file, mark + fragment)
        if query == "?raw":
            return {"namespace": RAW, "path": file, "sideEffects": False}
        message = f"an import cannot have the query `{query}`"
        hint = "`?url` gives the URL of a file, `?raw` its text"
        return self._refused([Diagnostic("unsupported-query", "error", message, None, hint)])

    def _marked(self, file: str, text: str) -> str:
        """Return `text` with marks in the place of its references; what is wrong with them is kept."""
        edits = self._without_maps(file, text)
        places = named(file, text, self._shop.esbuild())
        if not places and not edits:
            return text
        source = self.source_of(file)
        judge = Judge("error", self._reading, self._shop)
        for place in places:
            mark = self._mark_of(place, source, text, judge)
            if mark is not None:
                edits.append(Edit(place.start, place.end, mark))
        # Kept and not raised: esbuild goes on with the rest of the file, so that its errors are shown in the same run.
        self.diagnostics += judge.diagnostics
        self.edits[file] = edits
        return edited(text, edits)

    def _without_maps(self, file: str, text: str) -> list[Edit]:
        """Return the edits that take out the comments which name maps: followed by esbuild, they would be no inputs."""
        if self._shop.project.sourcemaps == "none" or "sourceMappingURL=" not in text:
            return []
        comments = list(map_comments_of(file, text))
        shown = self._reading.shown(file)
        self.named_maps[file] = [(url, span_at(shown, text, edit.start, edit.end)) for url, edit in comments]
        return [edit for _, edit in comments]

    def _mark_of(self, place: Named, source: Source, text: str, judge: Judge) -> str | None:
        style: RefStyle = "module" if place.is_module else "url"
        written = text[place.start : place.end]
        if place.is_worker and (worker := self._worker(place.value, source)):
            return self._marks.mark(Ref(worker, style), written)
        span = partial(span_at, source.shown, text, place.start, place.end)
        outcome = judge.outcome(place.value, (source,), span)
        if not isinstance(outcome, Found):
            return None
        if outcome.source.logical not in self._shop.resolver.inventory.by_logical:
            self.found[outcome.source.logical] = outcome.source
        return self._marks.mark(Ref(outcome.source.logical, style), written) + _suffix(outcome.suffix)

    def _worker(self, written: str, source: Source) -> str | None:
        """Return the logical path of a worker that must be compiled: its entry's, or that of one made for it."""
        file = os.path.normpath(os.path.join(os.path.dirname(source.file), unquote(written)))
        if not file.endswith(_COMPILED) or not self._reading.exists(file):
            return None
        entries = self._shop.resolver.inventory.by_logical
        known = next((logical for logical, entry in entries.items() if entry.file == file), None)
        if known is not None:
            return known
        worker = self.source_of(file)
        logical = posixpath.splitext(worker.logical)[0] + ".js"
        self.workers[logical] = worker
        return logical

    def _refused(self, findings: Sequence[Diagnostic]) -> Mapping[str, Value]:
        """Return an answer with errors that stand for `findings`; esbuild adds the place of the import."""
        numbers = range(len(self.diagnostics), len(self.diagnostics) + len(findings))
        self.diagnostics += findings
        return {"errors": [_stand_in(number, found) for number, found in zip(numbers, findings, strict=True)]}


def _stand_in(number: int, found: Diagnostic) -> Mapping[str, Value]:
    return {"id": "", "pluginName": "", "text": found.message, "location": None, "notes": [], "detail": number}


def _extension(path: str) -> str:
    return posixpath.splitext(path)[1].lower()


def _suffix(suffix: str) -> str:
    """Return query and fragment such that no engine reads more into them: a quote, `)` or space would end the URL."""
    return quote(suffix, safe="?#&=%+,;:@/!$*-._~[]")
