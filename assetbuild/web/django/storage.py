"""Storages for STORAGES["staticfiles"]: names from `{% static %}`, form media and the admin, answered by the manifest.

Receives names as Django and third-party apps write them; hands on URLs. It opens the manifest at the first use and
writes nothing, whatever `collectstatic` asks of it.
"""

from __future__ import annotations

import logging
import os
import posixpath
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal
from urllib.parse import unquote

from django.conf import STATICFILES_STORAGE_ALIAS, settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from assetbuild.diagnostic import nearest
from assetbuild.manifest import AssetNotFound, Manifest, quote
from assetbuild.web.assets import DEFAULT_MANIFEST, Assets, is_told_to_reload
from assetbuild.web.django.base import has_own_prefix, script_prefix, static_base
from assetbuild.web.edition import checked_base
from assetbuild.web.files import read_published
from assetbuild.web.place import folder_url
from assetbuild.web.stub import StubManifest, stub_assets

__all__ = ["ManifestStorage", "MissingStaticFile", "StubStorage", "configured_storage", "split_name"]

_OPTIONS = ("manifest", "missing", "reload")
_PREFIXES_LIMIT = 16  # a server has one prefix or a few; a proxy that passes on a client's header may have any number
_LOGGED_LIMIT = 1000  # a template may put what a client sent into a name


class MissingStaticFile(AssetNotFound, ValueError):
    """A name is not in the manifest. A `ValueError`, too: what ManifestStaticFilesStorage raises and others catch."""


class _MissingFile(MissingStaticFile, FileNotFoundError):
    """The same where a file is opened: what FileSystemStorage raises and others catch."""


class _HashedFiles(Mapping[str, str]):
    """Published paths by logical path; each is looked up in the manifest when it is asked for."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    def __getitem__(self, name: str) -> str:
        entry = self._manifest.asset(name)
        if entry is None:
            raise KeyError(name)
        return entry.file

    def __iter__(self) -> Iterator[str]:
        return self._manifest.assets()

    def __len__(self) -> int:
        return sum(1 for _ in self)


class ManifestStorage(Storage):  # type: ignore[misc]
    """Answers for static files from the manifest.

    manifest: the file; a relative one is in BASE_DIR. Else ASSETBUILD_MANIFEST of the environment, else
    `build/assets/manifest.json` in BASE_DIR. missing: what a name that is not there is, an exception or a line in the
    log and the URL without a hash. reload: read the manifest again after each compile, for development; by
    default as ASSETBUILD_RELOAD of the environment says, which `assetbuild watch` sets.
    """

    def __init__(
        self,
        manifest: str | os.PathLike[str] | None = None,
        missing: Literal["raise", "log"] = "raise",
        reload: bool | None = None,
        **unknown: object,
    ) -> None:
        for option in unknown:
            meant = nearest(option, _OPTIONS)
            hint = f"did you mean `{meant}`?" if meant else "it has `manifest`, `missing` and `reload`"
            raise ImproperlyConfigured(f"`{option}` is not an option of the static files storage; {hint}")
        if missing not in {"raise", "log"}:
            raise ImproperlyConfigured(f'`missing` of the static files storage is "raise" or "log", not {missing!r}')
        self._manifest = manifest
        self._missing = missing
        self._reload = is_told_to_reload(os.environ) if reload is None else reload
        self._by_prefix: dict[str, Assets] = {}
        self._logged: set[str] = set()

    @property
    def assets(self) -> Assets:
        """The assets under the base of the request that is being answered."""
        prefix = script_prefix()
        if not prefix:
            return self.opened
        found = self._by_prefix.get(prefix)
        if found is None:
            if len(self._by_prefix) >= _PREFIXES_LIMIT:
                self._by_prefix.clear()
            found = self._by_prefix[prefix] = self.opened.at(prefix + self.opened.base)
        return found

    @property
    def is_constant(self) -> bool:
        """Whether a URL stays what it is for as long as the process lives, so that a template may hold it as text."""
        return not self._reload and not has_own_prefix()

    def url(self, name: str | None) -> str:
        """Return the URL of a name as templates and apps write it; raise `MissingStaticFile` for one that is nowhere.

        A slash at the start, dot segments, backslashes and percent-encoding mean what they mean to Django's storages;
        `?…` and `#…` stay; a name that ends with a slash is a folder, and its URL has no hash.
        """
        path, suffix = split_name(name or "")
        assets = self.assets
        folder = folder_url(assets.base, path)
        if folder is not None:
            return folder + suffix
        try:
            return assets.url(path) + suffix
        except AssetNotFound as error:
            self._miss(path, error)
            return assets.base + quote(path) + suffix

    def stored_name(self, name: str) -> str:
        """Return the published path of a name as `url` takes it, query and fragment included."""
        path, suffix = split_name(name)
        try:
            return self.opened[path].file + suffix
        except AssetNotFound as error:
            self._miss(path, error)
            return path + suffix

    @property
    def hashed_files(self) -> Mapping[str, str]:
        """The published path of every logical path, to be read."""
        return _HashedFiles(self.opened.manifest)

    @property
    def base_url(self) -> str:
        """The URL that published paths follow, for the request that is being answered."""
        return self.assets.base

    def exists(self, name: str) -> bool:
        """Return whether there is an asset of that name, written as for `url`, or a file of that published path."""
        path, _ = split_name(name)
        return path in self.opened or self.opened.manifest.published(path) is not None

    def _open(self, name: str, mode: str = "rb") -> ContentFile:
        """Return published bytes, for apps that read static files. name: as for `exists`."""
        if mode != "rb":
            raise NotImplementedError("static files are compiled; they are open for reading alone, with the mode `rb`")
        path, _ = split_name(name)
        assets = self.opened
        try:
            asset = assets[path]
        except AssetNotFound as error:
            file = assets.manifest.published(path)
            if file is None:
                raise _MissingFile(str(error)) from None
            return ContentFile(read_published(assets.folder, path, file.size), name)
        return ContentFile(read_published(assets.folder, asset.file, asset.size), name)

    def get_modified_time(self, name: str) -> datetime:  # noqa: ARG002
        """Return the end of time: `collectstatic` replaces what is older than its source, and nothing here is."""
        return datetime.max.replace(tzinfo=UTC if settings.USE_TZ else None)

    def save(self, name: str, content: object, max_length: int | None = None) -> str:  # noqa: ARG002
        """Return the name and write nothing: `collectstatic` of an old build must do no harm."""
        return name

    def post_process(self, paths: Mapping[str, Any], **options: object) -> Iterator[tuple[str, str, bool]]:  # noqa: ARG002
        """Say once, at the end of `collectstatic`, that it has done nothing."""
        _logger().warning("`collectstatic` writes nothing: `assetbuild compile` has published the files; leave it out")
        return iter(())

    @cached_property
    def opened(self) -> Assets:
        """The assets under STATIC_URL, without the prefix of a request."""
        return Assets.open(self._file(), base=checked_base(static_base(), "STATIC_URL"), reload=self._reload)

    def _file(self) -> str | os.PathLike[str] | None:
        project = getattr(settings, "BASE_DIR", "")
        if self._manifest is not None:
            return os.path.join(project, self._manifest)
        return None if os.environ.get("ASSETBUILD_MANIFEST") else os.path.join(project, DEFAULT_MANIFEST)

    def _miss(self, path: str, error: AssetNotFound) -> None:
        """Raise what a missing name raises, or log it once."""
        if self._missing == "raise":
            raise MissingStaticFile(str(error)) from None
        if path not in self._logged and len(self._logged) < _LOGGED_LIMIT:
            self._logged.add(path)
            _logger().warning("%s", error)


class StubStorage(ManifestStorage):
    """A storage for tests that are not about assets: it needs no build, and every name has a URL without a hash."""

    def __init__(self) -> None:
        super().__init__()

    @property
    def is_constant(self) -> bool:
        """False: a template that was loaded in a test must not keep the URLs of a stub."""
        return False

    @cached_property
    def opened(self) -> Assets:
        """The assets of no build under STATIC_URL."""
        return stub_assets(StubManifest(static_base()))


def configured_storage() -> ManifestStorage:
    """Return the storage of STORAGES["staticfiles"]; raise `ImproperlyConfigured` if it is none of ours."""
    storage = storages[STATICFILES_STORAGE_ALIAS]
    if not isinstance(storage, ManifestStorage):
        name = f"{type(storage).__module__}.{type(storage).__qualname__}"
        ours = f"{ManifestStorage.__module__}.{ManifestStorage.__qualname__}"
        raise ImproperlyConfigured(
            f'the storage of static files is `{name}`, which has no manifest; set STORAGES["staticfiles"] to `{ours}`'
        )
    return storage


def split_name(name: str) -> tuple[str, str]:
    """Return the logical path that a name means, and its query and fragment as they are written.

    Source: ManifestFilesMixin.stored_name and FileSystemStorage.url of Django, which apps are written for.
    """
    end = min((at for at in (name.find("?"), name.find("#")) if at >= 0), default=len(name))
    path = unquote(name[:end]).strip().replace("\\", "/").lstrip("/")
    if path:
        path = posixpath.normpath(path).removeprefix("./") + ("/" if path.endswith("/") else "")
    return path, name[end:]


def _logger() -> logging.Logger:
    return logging.getLogger("assetbuild")
