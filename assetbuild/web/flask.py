"""Flask: a manifest's files under `static_url_path`, and the `url_for('static', …)` that names them.

Receives an application. Wraps its `wsgi_app`, gives its templates the functions, and puts published names into the URLs
of static files. Everything is decided once, in `init_app`; nothing is kept here of any application.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, before_render_template, has_request_context, request

from assetbuild.manifest import quote
from assetbuild.web import jinja
from assetbuild.web.assets import DEFAULT_MANIFEST, Assets, is_told_to_reload
from assetbuild.web.edition import checked_base
from assetbuild.web.jinja.mounted import Mounted
from assetbuild.web.place import folder_url, leads_to, root_before
from assetbuild.web.serve import MountError, mount_of
from assetbuild.web.settings import Settings
from assetbuild.web.wsgi import AssetMiddleware

__all__ = ["AssetBuild"]

_PREFIX = "ASSETBUILD_"
_SETTINGS = ("MANIFEST", "BASE", "MOUNT", "SERVE", "RELOAD", "FOLLOW_SCRIPT_NAME")


class AssetBuild:
    """The extension: `AssetBuild(app)`, or `AssetBuild().init_app(app)`, for any number of applications."""

    def __init__(self, app: Flask | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Serve the assets of the manifest in `app`; they are `app.extensions["assetbuild"]` then.

        Reads `app.config` once: `ASSETBUILD_MANIFEST`, `ASSETBUILD_BASE`, `ASSETBUILD_MOUNT`, `ASSETBUILD_SERVE`,
        `ASSETBUILD_RELOAD`, `ASSETBUILD_FOLLOW_SCRIPT_NAME`, `APPLICATION_ROOT`. Raises `ManifestError` for a manifest
        that cannot be vouched for, `MountError` if its URLs would not lead to the application, `SettingError` for a
        setting that there is not, or a switch that is no boolean.
        """
        settings = Settings(app.config, _PREFIX, _SETTINGS)
        follows, is_served = settings.switch("FOLLOW_SCRIPT_NAME", False), settings.switch("SERVE", True)
        base = _base(app, settings, follows)
        reload = settings.switch("RELOAD", is_told_to_reload(os.environ))
        assets = Assets.open(_manifest_file(app, settings), base=base, reload=reload)
        place, setting = settings.text("MOUNT") or app.static_url_path, settings.name("MOUNT")
        mount = mount_of(assets.base, place, setting) if place else None
        if is_served:
            _refuse_other_place(app, assets.base, mount)
            mount_served = mount or mount_of(assets.base, None, setting)
            app.wsgi_app = AssetMiddleware(app.wsgi_app, assets, mount=mount_served)  # type: ignore[method-assign]
        links = _Links(app, assets, root_before(assets.base, mount) if mount and not follows else None, follows)
        # flask.url_for asks the application's own (Flask 2.2), so that one function is the answer in views, too.
        app.url_for = links.url_for  # type: ignore[method-assign]
        jinja.install(app.jinja_env, assets, prefix=links.prefix if follows else None)
        app.jinja_env.globals["url_for"] = links.url_for  # the environment may be older than this line
        before_render_template.connect(links.expect_script_root, app)
        app.extensions["assetbuild"] = assets


def _manifest_file(app: Flask, settings: Settings) -> str | None:
    """Return the manifest that was named, or the one that a compile of the project writes; None to ask the environment.

    The project is the folder of the application or, of a package, the one that it is imported from, where Flask looks
    for `instance`, too.
    """
    named = settings.text("MANIFEST")
    if named:
        return os.path.join(app.root_path, named)
    if os.environ.get("ASSETBUILD_MANIFEST"):
        return None
    is_package = hasattr(sys.modules.get(app.import_name), "__path__")
    project = app.root_path
    for _ in range(app.import_name.count(".") + is_package):
        project = os.path.dirname(project)
    places = [os.path.join(folder, DEFAULT_MANIFEST) for folder in (app.root_path, project)]
    return next(filter(os.path.isfile, places), places[-1])


def _base(app: Flask, settings: Settings, follows: bool) -> str | None:
    """Return the URL base: as configured, else what Flask's own `url_for` would put before a static file."""
    name = settings.name("BASE")  # that of the variable, too
    named = settings.text("BASE") or os.environ.get(name)
    if named:
        return checked_base(named, name)
    if app.static_url_path is None:
        return None
    root = "" if follows else app.config["APPLICATION_ROOT"].rstrip("/")
    return checked_base(quote(f"{root}{app.static_url_path}/"), "APPLICATION_ROOT")


def _refuse_other_place(app: Flask, base: str, mount: str | None) -> None:
    """Raise `MountError` if pages would ask this host for files at a place where the application has none."""
    if base in {"/", quote(app.config["APPLICATION_ROOT"].rstrip("/") + "/")}:
        raise MountError(
            f"the base `{base}` leaves the application no page of its own; "
            "set static_url_path or ASSETBUILD_BASE to a path such as `/static/`"
        )
    if mount is not None and not leads_to(base, mount):
        raise MountError(
            f"the base of the assets is `{base}` and the application answers under `{mount}`; "
            f"set static_url_path or ASSETBUILD_MOUNT to where `{base}` leads, or ASSETBUILD_SERVE to False"
        )


class _Links:
    """The URLs of one application's static files. script_root: that of every request, None if any will do."""

    def __init__(self, app: Flask, assets: Assets, script_root: str | None, follows: bool) -> None:
        self._app, self._assets, self._script_root, self._follows = app, assets, script_root, follows
        self._flask_url_for: Callable[..., str] = app.url_for
        self._compiled: dict[tuple[str, str], bool] = {}

    def prefix(self) -> str:
        """Return what stands before a root-relative URL in this request."""
        root: str = request.script_root if has_request_context() else self._app.config["APPLICATION_ROOT"]
        return root.rstrip("/")

    def expect_script_root(self, _: object = None, **__: object) -> None:
        """Raise `MountError` if URLs that were made at the start do not lead here in this request."""
        if self._script_root is None or not has_request_context() or request.script_root == self._script_root:
            return
        raise MountError(
            f"the request came under `{request.script_root}/` and the base of the assets is `{self._assets.base}`; "
            f'set APPLICATION_ROOT = "{request.script_root or "/"}", '
            "or ASSETBUILD_FOLLOW_SCRIPT_NAME = True if it differs from request to request"
        )

    def url_for(self, /, endpoint: str, **values: Any) -> str:
        """Return what `Flask.url_for` does; of a static file the published name, under the base of the assets.

        Query, `_anchor`, `_scheme` and `_external` stay Flask's. A slash at the start of a name means nothing, as in
        Flask, which redirects; "" and a name with a slash at its end are folders. Raises `AssetNotFound`, which names
        the near miss.
        """
        built = self._flask_url_for(endpoint, **values)
        name = self._logical(endpoint, values.get("filename"))
        if name is None:
            return built
        self.expect_script_root()
        seen = Mounted(self._assets, self.prefix()) if self._follows else self._assets
        url, around = urlsplit(folder_url(seen.base, name) or seen.url(name)), urlsplit(built)
        return around._replace(
            scheme=url.scheme or around.scheme, netloc=url.netloc or around.netloc, path=url.path
        ).geturl()

    def _logical(self, endpoint: str, filename: object) -> str | None:
        """Return the logical path of a static file, None for any other endpoint."""
        if endpoint.startswith(".") and has_request_context():
            endpoint = f"{request.blueprint or ''}{endpoint}".removeprefix(".")
        owner, _, last = endpoint.rpartition(".")
        if last != "static" or not isinstance(filename, str):
            return None
        filename = filename.lstrip("/")
        if not owner:
            return filename if self._app.has_static_folder else None
        blueprint = self._app.blueprints.get(owner)
        folder = owner.replace(".", "/") + "/"
        if blueprint is None or not blueprint.has_static_folder or not self._is_compiled(folder):
            return None
        return folder + filename

    def _is_compiled(self, folder: str) -> bool:
        """Return whether the manifest has names in `folder`: the files of a blueprint that the project compiles."""
        asked = (self._assets.build_id, folder)
        if asked not in self._compiled:
            self._compiled[asked] = any(name.startswith(folder) for name in self._assets)
        return self._compiled[asked]
