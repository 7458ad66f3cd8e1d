"""libsass' own C interface, as far as a compile needs it.

The Python binding gives errors as one formatted text, no warnings, and a source map only for a file on disk. The C
interface, which the same extension module exports, gives each as a value. Loaded in a worker process only.
Source: libsass 3.6, include/sass/context.h, functions.h, values.h and sass2scss.h.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any

__all__ = ["FUNCTION", "IMPORTER", "Library", "library"]

_POINTER = ctypes.c_void_p
_TEXT = ctypes.c_char_p
_SIZE = ctypes.c_size_t
_INT = ctypes.c_int
_BOOL = ctypes.c_bool

IMPORTER = ctypes.CFUNCTYPE(_POINTER, _TEXT, _POINTER, _POINTER)
"""Called with the written URL, the importer's entry and the compiler; returns a list of imports, NULL to decline."""

FUNCTION = ctypes.CFUNCTYPE(_POINTER, _POINTER, _POINTER, _POINTER)
"""Called with a list of values, the function's entry and the compiler; returns a value."""

_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "libsass_version": (_TEXT,),
    "sass2scss": (_POINTER, _TEXT, _INT),
    "sass_compile_data_context": (_INT, _POINTER),
    "sass_compiler_get_last_callee": (_POINTER, _POINTER),
    "sass_compiler_get_last_import": (_POINTER, _POINTER),
    "sass_callee_get_column": (_SIZE, _POINTER),
    "sass_callee_get_line": (_SIZE, _POINTER),
    "sass_callee_get_path": (_TEXT, _POINTER),
    "sass_context_get_error_column": (_SIZE, _POINTER),
    "sass_context_get_error_file": (_TEXT, _POINTER),
    "sass_context_get_error_line": (_SIZE, _POINTER),
    "sass_context_get_error_text": (_TEXT, _POINTER),
    "sass_context_get_options": (_POINTER, _POINTER),
    "sass_context_get_output_string": (_TEXT, _POINTER),
    "sass_context_get_source_map_string": (_TEXT, _POINTER),
    "sass_copy_c_string": (_POINTER, _TEXT),
    "sass_data_context_get_context": (_POINTER, _POINTER),
    "sass_delete_data_context": (None, _POINTER),
    "sass_delete_value": (None, _POINTER),
    "sass_function_set_list_entry": (None, _POINTER, _SIZE, _POINTER),
    "sass_import_get_abs_path": (_TEXT, _POINTER),
    "sass_import_set_error": (_POINTER, _POINTER, _TEXT, _SIZE, _SIZE),
    "sass_import_set_list_entry": (None, _POINTER, _SIZE, _POINTER),
    "sass_importer_set_list_entry": (None, _POINTER, _SIZE, _POINTER),
    "sass_list_get_value": (_POINTER, _POINTER, _SIZE),
    "sass_make_data_context": (_POINTER, _POINTER),
    "sass_make_function": (_POINTER, _TEXT, FUNCTION, _POINTER),
    "sass_make_function_list": (_POINTER, _SIZE),
    "sass_make_import": (_POINTER, _TEXT, _TEXT, _POINTER, _POINTER),
    "sass_make_import_list": (_POINTER, _SIZE),
    "sass_make_importer": (_POINTER, IMPORTER, ctypes.c_double, _POINTER),
    "sass_make_importer_list": (_POINTER, _SIZE),
    "sass_make_null": (_POINTER,),
    "sass_option_set_c_functions": (None, _POINTER, _POINTER),
    "sass_option_set_c_importers": (None, _POINTER, _POINTER),
    "sass_option_set_input_path": (None, _POINTER, _TEXT),
    "sass_option_set_is_indented_syntax_src": (None, _POINTER, _BOOL),
    "sass_option_set_omit_source_map_url": (None, _POINTER, _BOOL),
    "sass_option_set_output_path": (None, _POINTER, _TEXT),
    "sass_option_set_output_style": (None, _POINTER, _INT),
    "sass_option_set_precision": (None, _POINTER, _INT),
    "sass_option_set_source_map_file": (None, _POINTER, _TEXT),
    "sass_string_get_value": (_TEXT, _POINTER),
    "sass_value_is_string": (_BOOL, _POINTER),
    "sass_value_stringify": (_POINTER, _POINTER, _BOOL, _INT),
}


class Library:
    """The functions of the C interface by name, each with its types declared."""

    def __init__(self, file: str) -> None:
        self._loaded = ctypes.CDLL(file)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        result, *arguments = _SIGNATURES[name]
        function = self._loaded[name]
        function.restype, function.argtypes = result, arguments
        setattr(self, name, function)
        return function


@functools.cache
def library() -> Library:
    """Return the loaded interface; raise `ImportError` if libsass is not installed."""
    return Library(str(import_module("_sass").__file__))
