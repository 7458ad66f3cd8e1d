"""Caches: compiled templates from another build or base are never used.

Receives what Jinja keeps outside the process (a bytecode cache, a folder of `compile_templates`); hands on only what
was compiled for the assets at hand. What is kept carries the fingerprint of what was folded into it.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, TypeVar

from jinja2 import BytecodeCache, Environment, Template
from jinja2.bccache import Bucket

from assetbuild.diagnostic import AssetbuildError
from assetbuild.web.jinja.fold import MARK
from assetbuild.web.jinja.functions import fingerprint

__all__ = ["FittingTemplate", "SealedCache", "SealingEnvironment", "StaleTemplate", "mixed"]

_Kind = TypeVar("_Kind")


class StaleTemplate(AssetbuildError):
    """A folder of `compile_templates` was compiled with other assets than those of the environment that loads it."""


def mixed(mixin: type[_Kind], kind: type[_Kind]) -> type[_Kind]:
    """Return `kind` with `mixin` before it, under its own name; `kind` itself if it is there already."""
    if issubclass(kind, mixin):
        return kind
    return type(kind.__name__, (mixin, kind), {"__module__": kind.__module__, "__doc__": kind.__doc__})


class SealedCache(BytecodeCache):
    """A bytecode cache in which the fingerprint counts as a part of every source."""

    def __init__(self, cache: BytecodeCache) -> None:
        self._cache = cache

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        """Return the bucket of a template, empty if its code is of other assets."""
        return self._cache.get_bucket(environment, name, filename, f"{fingerprint(environment)}\n{source}")

    def set_bucket(self, bucket: Bucket) -> None:
        """Put a bucket into the cache."""
        self._cache.set_bucket(bucket)

    def clear(self) -> None:
        """Empty the cache."""
        self._cache.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)


class SealingEnvironment(Environment):
    """An environment that seals its bytecode cache, whenever it is given one."""

    @property
    def bytecode_cache(self) -> BytecodeCache | None:
        """The cache in use."""
        cache: BytecodeCache | None = self.__dict__["bytecode_cache"]
        return cache

    @bytecode_cache.setter
    def bytecode_cache(self, cache: BytecodeCache | None) -> None:
        sealed = cache if cache is None or isinstance(cache, SealedCache) else SealedCache(cache)
        self.__dict__["bytecode_cache"] = sealed


class FittingTemplate(Template):
    """A template that is not made of a module into which other assets were folded."""

    @classmethod
    def from_module_dict(
        cls,
        environment: Environment,
        module_dict: MutableMapping[str, Any],
        globals: MutableMapping[str, Any],  # noqa: A002
    ) -> Template:
        """Return the template of a compiled module; raise `StaleTemplate` if its URLs are not those of today."""
        made, wanted = module_dict.get(MARK), fingerprint(environment)
        if made is not None and made != wanted:
            raise StaleTemplate(
                f"template `{module_dict['name']}` was compiled by `compile_templates` with other assets ({made}) than "
                f"those in use ({wanted}); run `compile_templates` again"
            )
        return super().from_module_dict(environment, module_dict, globals)
