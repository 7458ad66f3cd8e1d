"""The build half. Its spine is imported when it is first asked for: a worker process needs rooms, and no spine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assetbuild.compiler.spine import Outcome, Services, Watcher, compile

__all__ = ["Outcome", "Services", "Watcher", "compile"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module `{__name__}` has no attribute `{name}`")
    from assetbuild.compiler import spine

    return getattr(spine, name)
