"""System checks: what would be wrong with every page is said before the first one.

They run with `manage.py check` and before commands such as `runserver`, never in a server's process. They look at the
settings, the manifest and the `static` folders of the installed apps; they change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.apps import apps
from django.conf import STATICFILES_STORAGE_ALIAS, settings
from django.contrib.staticfiles.finders import AppDirectoriesFinder
from django.contrib.staticfiles.utils import get_files
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from django.core.files.storage import InvalidStorageError, storages
from django.utils.module_loading import import_string

from assetbuild.manifest import ManifestError, is_base
from assetbuild.web.assets import Assets
from assetbuild.web.django.base import static_base, static_url
from assetbuild.web.django.finders import PublishedFinder
from assetbuild.web.django.packages import is_own
from assetbuild.web.django.storage import ManifestStorage, StubStorage

__all__ = ["CHECKS"]

_SHOWN = 5

# Sources that a compile turns into files of other names, so that their absence from the manifest says nothing.
_SOURCES = (".scss", ".sass", ".ts", ".tsx", ".jsx", ".mts")


def check_manifest(**options: object) -> list[CheckMessage]:  # noqa: ARG001
    """Check that STATIC_URL is there and a base, and that the manifest vouches for itself."""
    storage = _storage()
    if storage is None:
        return []
    if not static_url():
        return [Error("STATIC_URL is not set", hint='write `STATIC_URL = "/static/"`', id="assetbuild.E002")]
    if not is_base(static_base()):
        message = f"STATIC_URL is `{static_url()}`, which is not a URL base that ends with a slash"
        return [Error(message, hint='write `"/static/"` or `"https://host/path/"`', id="assetbuild.E002")]
    try:
        assets = storage.opened
    except ManifestError as error:
        return [Error(str(error), id="assetbuild.E001")]
    return [*_base_differs(assets), *_apps_missing(assets)]


def check_servers(**options: object) -> list[CheckMessage]:  # noqa: ARG001
    """Check that what serves static files beside us knows what a published path is."""
    return [] if _storage() is None else [*_whitenoise_guesses(), *_runserver_finds_nothing()]


CHECKS: Sequence[Callable[..., list[CheckMessage]]] = (check_manifest, check_servers)


def _storage() -> ManifestStorage | None:
    """Return the configured storage if it reads a manifest; what else may be configured is nobody's fault."""
    try:
        storage = storages[STATICFILES_STORAGE_ALIAS]
    except InvalidStorageError:  # a site without static files
        return None
    return storage if isinstance(storage, ManifestStorage) and not isinstance(storage, StubStorage) else None


def _base_differs(assets: Assets) -> Iterator[CheckMessage]:
    compiled, used = assets.manifest.base, static_base()
    if used.startswith("/") and not used.startswith("//") and used != compiled:
        yield Caution(
            f"the assets were compiled for the base `{compiled}`, and STATIC_URL is `{static_url()}`",
            hint=f'write `base = "{used}"` into `assetbuild.toml`: sources that begin a URL with it are rewritten then',
            id="assetbuild.W003",
        )


def _apps_missing(assets: Assets) -> Iterator[CheckMessage]:
    finder = AppDirectoriesFinder()
    missing = [name for name in finder.apps if not _is_published(finder.storages[name], assets)]
    own = [name for name in missing if is_own(name)]
    others = [name for name in missing if name not in own]
    if others:
        yield _none_published(others, "run `manage.py assetbuild sync`, then `assetbuild compile`")
    if own:
        yield _none_published(own, "name their `static` folders under `roots` in `assetbuild.toml`, and compile again")


def _none_published(names: Sequence[str], hint: str) -> CheckMessage:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return Caution(f"the manifest has none of the static files of {shown}{more}", hint=hint, id="assetbuild.W004")


def _is_published(folder: Any, assets: Assets) -> bool:
    """Return whether one static file of an app is in the manifest, or it has none that would be."""
    files = [file.replace("\\", "/") for file in get_files(folder, ignore_patterns=[".*"])]
    plain = [file for file in files if not file.endswith(_SOURCES)]
    return not plain or any(file in assets for file in plain)


def _whitenoise_guesses() -> Iterator[CheckMessage]:
    if any(path.startswith("whitenoise.") for path in settings.MIDDLEWARE) and not hasattr(
        settings, "WHITENOISE_IMMUTABLE_FILE_TEST"
    ):
        yield Caution(
            "WhiteNoise does not know which file names are hashes, and has browsers ask for the files again and again",
            hint=(
                "write into the settings: `from assetbuild.web.django.whitenoise import is_immutable`, "
                "`WHITENOISE_IMMUTABLE_FILE_TEST = is_immutable`"
            ),
            id="assetbuild.W005",
        )


def _runserver_finds_nothing() -> Iterator[CheckMessage]:
    if not settings.DEBUG or not apps.is_installed("django.contrib.staticfiles"):
        return
    if not any(issubclass(import_string(path), PublishedFinder) for path in settings.STATICFILES_FINDERS):
        yield Caution(
            "`runserver` answers below STATIC_URL from STATICFILES_FINDERS, and none of them knows the manifest",
            hint=f'write `STATICFILES_FINDERS = ["{PublishedFinder.__module__}.{PublishedFinder.__qualname__}"]`',
            id="assetbuild.W006",
        )
