"""The pytest plugin: while tests run, `Assets.open` needs no manifest, so an application starts without a build.

Receives the session's configuration; puts a stub, or the names that the sources promise, in the place of the manifest,
whatever path is asked for. It writes nothing, so that any number of workers may run side by side, and it is cheap to
load: a project that opens no assets does not notice it. The compiler is imported only where `strict` asks for it.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Generator, Iterator, Mapping
from typing import Any, Literal, cast

import pytest

from assetbuild.diagnostic import nearest
from assetbuild.web.assets import Assets, chosen_base
from assetbuild.web.stub import STUB_BASE, StubEdition, StubManifest

__all__: list[str] = []

Mode = Literal["stub", "strict", "off"]

# Not what a session finds: that of a session around it may have replaced it.
_REAL_OPEN = Assets.__dict__["open"]

_MODES = ("stub", "strict", "off")
_MARK = "assetbuild(mode): open assets as `stub`, `strict` or `off` says while this test runs, its fixtures included"


class _Session:
    """One run of pytest. One may run inside another: at its end, `Assets.open` is what it was before."""

    def __init__(self, config: pytest.Config) -> None:
        self.mode = _mode(config.getini("assetbuild"), f"`assetbuild` ({config.inipath or 'default'})")
        self._folder = str(config.rootpath)
        self._base: str = config.getini("assetbuild_base")

    @contextlib.contextmanager
    def opening(self, mode: Mode) -> Iterator[None]:
        """Let `Assets.open` give what `mode` says; at the end it gives what it gave at first."""
        at_first = Assets.__dict__["open"]
        replaced: Any = _REAL_OPEN if mode == "off" else classmethod(self._opener(mode))
        Assets.open = replaced  # type: ignore[method-assign]
        try:
            yield
        finally:
            Assets.open = at_first  # type: ignore[method-assign]

    def _opener(self, mode: Mode) -> Any:
        # The whole signature: a call that the real one would refuse must not pass a test.
        def open(  # noqa: A001
            cls: type[Assets],
            path: str | os.PathLike[str] | None = None,  # noqa: ARG001
            *,
            base: str | None = None,
            verify: bool = True,  # noqa: ARG001
            reload: bool = False,
            environ: Mapping[str, str] = os.environ,
        ) -> Assets:
            manifest = self._sources if mode == "strict" else StubManifest(self._base)
            return cls._of(StubEdition(manifest, chosen_base(base, environ), reload))

        return open

    @functools.cached_property
    def _sources(self) -> StubManifest:
        from assetbuild.testing.strict import promised

        return promised(self._folder)


_session = pytest.StashKey[_Session]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the two settings."""
    about = "what Assets.open gives to tests: `stub` (every name), `strict` (names that the sources promise), `off`"
    parser.addini("assetbuild", about, default="stub")
    parser.addini("assetbuild_base", "URL base of a stub that is opened without one", default=STUB_BASE)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Begin before the first conftest.py and before other plugins: they may import an application that opens assets."""
    _begin(early_config)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Begin where the plugin was named by a conftest.py, too late for the hook above."""
    config.addinivalue_line("markers", _MARK)
    _begin(config)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Refuse a mark that says nothing before any test runs."""
    _mark_of(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Open assets as the mark of the test says, from its first fixture to its last."""
    mode = _mark_of(item)
    with item.config.stash[_session].opening(mode) if mode else contextlib.nullcontext():
        return (yield)


def _begin(config: pytest.Config) -> None:
    if _session not in config.stash:
        session = config.stash[_session] = _Session(config)
        opened = contextlib.ExitStack()
        opened.enter_context(session.opening(session.mode))
        config.add_cleanup(opened.close)


def _mark_of(item: pytest.Item) -> Mode | None:
    mark = item.get_closest_marker("assetbuild")
    if mark is None:
        return None
    if len(mark.args) != 1 or mark.kwargs:
        raise pytest.UsageError(f'`assetbuild` takes one mode at `{item.nodeid}`; write `mark.assetbuild("strict")`')
    return _mode(mark.args[0], f"`{item.nodeid}`")


def _mode(found: object, place: str) -> Mode:
    if found in _MODES:
        return cast("Mode", found)
    meant = nearest(found, _MODES) if isinstance(found, str) else None
    hint = f"; did you mean `{meant}`?" if meant else ""
    raise pytest.UsageError(f"expected `stub`, `strict` or `off`, got `{found}` at {place}{hint}")
