"""One compile by libsass, inside a worker process: what the sheet loads, what libsass says, what comes out.

Receives a request of `libsass.compile`; hands back the text, its map, and what was read and looked for. Every load is
asked from us, found by the rules that Dart Sass gets too, and passes the door and the scan before libsass sees it.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import pickle
from collections.abc import Mapping
from typing import Any

from assetbuild.compiler.engines import sass_scan
from assetbuild.compiler.engines.libsass_api import FUNCTION, IMPORTER, Library, library
from assetbuild.compiler.engines.sass.find import Finder, Refusal
from assetbuild.compiler.engines.sass.places import url_of
from assetbuild.compiler.errors import DiagnosticsError, EngineUnavailable
from assetbuild.compiler.files import Library as Files
from assetbuild.compiler.files import Reading
from assetbuild.compiler.tools.depot import here
from assetbuild.diagnostic import Diagnostic, Severity, Span, reason_of, span_at
from assetbuild.disk import RealDisk

__all__ = ["compile_sheet"]

_STYLES = {"nested": 0, "expanded": 1, "compact": 2, "compressed": 3}

# sass2scss.h: SASS2SCSS_PRETTIFY_1 keeps each line where it is, so that lines in messages are those of the file.
_SASS2SCSS = 1 | 32

_NO_PLACE = ctypes.c_size_t(-1).value
"""`(size_t) -1`: libsass then puts the error at the import itself."""

_WARN, _DEBUG = b"@warn($message)", b"@debug($message)"


def compile_sheet(request: dict[str, Any]) -> dict[str, Any]:
    """Return what became of a sheet: `css`, `map`, `version` (or `findings`), `inputs`, `absent`, `warnings`.

    request: `project` (base64 of a pickle, which our own parent made), `confines`, `file`, `shown`, `text` (None: what
    the file holds), `is_indented`, `style`, `precision`.
    """
    project = pickle.loads(base64.b64decode(request["project"]))  # noqa: S301
    reading = Reading(Files(RealDisk(), project.folder, tuple(request["confines"])))
    made = _Compile(request, reading, Finder(project, reading))
    outcome: dict[str, Any]
    try:
        outcome = {**made.run(library()), "version": library().libsass_version().decode()}
    except ImportError:
        place, hint = Span(request["shown"]), to_install(here().platform)
        raise EngineUnavailable(
            [Diagnostic("missing-extra", "error", "libsass is not installed", place, hint)]
        ) from None
    except DiagnosticsError as error:
        outcome = {"findings": error.diagnostics}
    return {**outcome, "warnings": made.warnings, "inputs": reading.inputs(), "absent": reading.absent()}


def to_install(platform: str) -> str:
    """Return what to do without libsass, which has wheels for Linux on x86-64 with glibc, for macOS and Windows."""
    build = "pip install 'assetbuild[libsass]'"
    if not platform.startswith("linux-") or platform == "linux-x64":
        return build
    return f'take `engine = "dart-sass"`: libsass has no wheel for `{platform}`, and `{build}` has to compile it'


class _Compile:
    """The state of one compile, which the callbacks of libsass share."""

    def __init__(self, request: Mapping[str, Any], reading: Reading, finder: Finder) -> None:
        self._request = request
        self._reading = reading
        self._finder = finder
        self._texts: dict[str, str] = {}
        self._plain_imports: dict[str, frozenset[str]] = {}
        self._findings: list[Diagnostic] = []
        self._refused: Refusal | None = None
        self._unforeseen: Exception | None = None
        self.warnings: list[Diagnostic] = []

    def run(self, api: Library) -> dict[str, Any]:
        """Return `css` and `map`; raise `DiagnosticsError`."""
        file: str = self._request["file"]
        given: str | None = self._request["text"]
        text = self._admitted(file, self._reading.text(file) if given is None else given, self._request["is_indented"])
        if not sass_scan.has_statements(text, self._request["is_indented"]):
            return {"css": "", "map": ""}  # libsass calls an empty text an internal error
        context = api.sass_make_data_context(api.sass_copy_c_string(text.encode()))
        # Named until the context is gone: libsass holds no reference that Python counts.
        callbacks = self._set_options(api, api.sass_context_get_options(api.sass_data_context_get_context(context)))
        try:
            failed = api.sass_compile_data_context(context)
            if self._unforeseen is not None:
                raise self._unforeseen
            ended = api.sass_data_context_get_context(context)
            if failed:
                raise DiagnosticsError(self._findings or [self._error(api, ended)])
            return {
                "css": api.sass_context_get_output_string(ended).decode(),
                "map": _with_urls(api.sass_context_get_source_map_string(ended), os.path.dirname(file)),
            }
        finally:
            api.sass_delete_data_context(context)
            del callbacks

    def _set_options(self, api: Library, options: int) -> list[object]:
        file: str = self._request["file"]
        api.sass_option_set_input_path(options, os.fsencode(file))
        api.sass_option_set_output_path(options, os.fsencode(file) + b".css")
        api.sass_option_set_source_map_file(options, os.fsencode(file) + b".css.map")
        api.sass_option_set_omit_source_map_url(options, True)
        api.sass_option_set_is_indented_syntax_src(options, self._request["is_indented"])
        api.sass_option_set_output_style(options, _STYLES[self._request["style"]])
        api.sass_option_set_precision(options, self._request["precision"])
        importer = IMPORTER(lambda url, _, compiler: self._imported(api, url, compiler))
        importers = api.sass_make_importer_list(1)
        api.sass_importer_set_list_entry(importers, 0, api.sass_make_importer(importer, 0.0, None))
        api.sass_option_set_c_importers(options, importers)
        warn = FUNCTION(lambda values, _, compiler: self._said(api, values, compiler, "warning"))
        debug = FUNCTION(lambda values, _, compiler: self._said(api, values, compiler, "note"))
        functions = api.sass_make_function_list(2)
        for number, (signature, function) in enumerate(((_WARN, warn), (_DEBUG, debug))):
            api.sass_function_set_list_entry(functions, number, api.sass_make_function(signature, function, None))
        api.sass_option_set_c_functions(options, functions)
        return [importer, warn, debug]

    def _admitted(self, file: str, text: str, is_indented: bool) -> str:
        """Return `text`, a newline for nothing, if libsass may see it; raise `DiagnosticsError`."""
        shown = self._reading.shown(file)
        found = sass_scan.unsupported(text, shown, is_indented) or sass_scan.too_deep(text, shown, is_indented)
        if found is not None:
            raise DiagnosticsError([found])
        with_query, without = sass_scan.conditional_imports(text, is_indented)
        for name in sorted(with_query & without):
            message = f"libsass cannot import `{name}` once as Sass and once as CSS in one file"
            hint = "write the plain CSS import as `@import url(…)`"
            raise DiagnosticsError([Diagnostic("unsupported-syntax", "error", message, Span(shown), hint)])
        self._plain_imports[file] = with_query
        self._texts[file] = text
        return text or "\n"

    def _imported(self, api: Library, url: bytes, compiler: int) -> int | None:
        """Return libsass' list of what an `@import` loads; None if the import stays as plain CSS."""
        loader = os.fsdecode(api.sass_import_get_abs_path(api.sass_compiler_get_last_import(compiler)))
        written = url.decode()
        if _is_plain_css(written) or written in self._plain_imports.get(loader, ()):
            return None
        try:
            file, text = self._load(written, loader)
        except Exception as error:  # noqa: BLE001  raised again after the compile: ctypes would drop it
            # And libsass would take the NULL for a refusal, and look for the file by itself, where it likes.
            self._unforeseen = error
            file, text = "", ""
        if self._refused or self._unforeseen:
            # The finding needs the place of the import, which libsass adds; its text is not used.
            entry = api.sass_make_import(url, url, None, None)
            entry = api.sass_import_set_error(entry, b"refused", _NO_PLACE, _NO_PLACE)
        else:
            convert = file.endswith(".sass")
            source = api.sass2scss(text.encode(), _SASS2SCSS) if convert else api.sass_copy_c_string(text.encode())
            entry = api.sass_make_import(url, os.fsencode(file), source, None)
        imports: int = api.sass_make_import_list(1)
        api.sass_import_set_list_entry(imports, 0, entry)
        return imports

    def _load(self, written: str, loader: str) -> tuple[str, str]:
        """Return the file that `written` means in the sheet `loader`, and its text; else note why there is none."""
        found = self._finder.load(written, loader, from_import=True)
        if isinstance(found, Refusal):
            self._refused = found
            return "", ""
        try:
            return found, self._admitted(found, self._reading.text(found), found.endswith(".sass"))
        except DiagnosticsError as error:
            self._findings.extend(error.diagnostics)
            self._refused = Refusal(error.diagnostics[0].rule, error.diagnostics[0].message)
        except OSError as error:
            self._refused = Refusal(
                "unreadable-file", f"`{self._reading.shown(found)}` cannot be read: {reason_of(error)}"
            )
        return "", ""

    def _said(self, api: Library, values: int, compiler: int, severity: Severity) -> int:
        """Keep what `@warn` or `@debug` says as a finding; return Sass' null."""
        value = api.sass_list_get_value(values, 0)
        if api.sass_value_is_string(value):
            text = api.sass_string_get_value(value).decode()
        else:
            written = api.sass_value_stringify(value, False, self._request["precision"])
            text = api.sass_string_get_value(written).decode()
            api.sass_delete_value(written)
        callee = api.sass_compiler_get_last_callee(compiler)
        file = os.fsdecode(api.sass_callee_get_path(callee))
        line, column = api.sass_callee_get_line(callee), api.sass_callee_get_column(callee)
        rule = "sass-warn" if severity == "warning" else "sass-debug"
        self.warnings.append(Diagnostic(rule, severity, text, self._span(file, line, column)))
        nothing: int = api.sass_make_null()
        return nothing

    def _error(self, api: Library, context: int) -> Diagnostic:
        """Return libsass' error as a finding, or why we refused the import that it stumbled over."""
        file = os.fsdecode(api.sass_context_get_error_file(context) or os.fsencode(self._request["file"]))
        span = self._span(file, api.sass_context_get_error_line(context), api.sass_context_get_error_column(context))
        if self._refused:
            return Diagnostic(self._refused.rule, "error", self._refused.message, span, self._refused.hint)
        text = (api.sass_context_get_error_text(context) or b"libsass gave no reason").decode(errors="replace")
        return Diagnostic("sass-error", "error", text[:1].lower() + text[1:].rstrip(".\n"), span)

    def _span(self, file: str, line: int, column: int) -> Span:
        """Return the span at a line and a column from 1; the whole line's begin in the indented syntax.

        libsass sees that syntax converted: its lines are those of the file, its columns are not.
        """
        shown = self._reading.shown(file)
        lines = self._texts.get(file, "").splitlines(keepends=True)
        if not 0 < line <= len(lines):
            return Span(shown, *((line, column) if 0 < line < _NO_PLACE else ()))
        text = lines[line - 1]
        if file.endswith(".sass") or (self._request["is_indented"] and file == self._request["file"]):
            column = len(text) - len(text.lstrip()) + 1
        start = sum(map(len, lines[: line - 1])) + min(column, len(text.rstrip("\r\n")) + 1) - 1
        return span_at(shown, self._texts[file], start)


def _with_urls(source_map: bytes, folder: str) -> str:
    """Return the map with `file:` URLs for its sources, which libsass writes as paths relative to `folder`.

    Its own option for such URLs takes what stands in the `@import` for the path.
    """
    fields = json.loads(source_map)
    fields["sources"] = [url_of(os.path.normpath(os.path.join(folder, source))) for source in fields["sources"]]
    return json.dumps(fields)


def _is_plain_css(written: str) -> bool:
    """Return whether `@import` of this name is one of CSS. Source: Sass specification, "Plain CSS @imports"."""
    return written.endswith(".css") or written.startswith(("http://", "https://", "//"))
