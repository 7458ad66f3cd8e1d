"""Pyramid: `config.include("assetbuild.web.pyramid")`, and every renderer and `static_url` names published files.

Receives a configurator and its settings; registers a static view with a cache buster, gives Jinja's environments the
functions, and answers for the files before a request is made of the environ. `registry["assetbuild"]` are the assets.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from pyramid.config import Configurator
from pyramid.events import ApplicationCreated
from pyramid.interfaces import ICacheBuster
from pyramid.path import AssetResolver
from pyramid.request import Request
from pyramid.settings import falsey, truthy
from pyramid.threadlocal import get_current_request
from zope.interface import implementer

from assetbuild.web.assets import Assets, is_told_to_reload
from assetbuild.web.edition import checked_base
from assetbuild.web.place import folder_url, has_host, leads_to, root_before
from assetbuild.web.serve import MountError, mount_of
from assetbuild.web.settings import Settings
from assetbuild.web.wsgi import AssetMiddleware

__all__ = ["AssetCacheBuster", "includeme"]

_PREFIX = "assetbuild."
_WORDS = {word: words is truthy for words in (truthy, falsey) for word in words}
_SETTINGS = ("manifest", "base", "mount", "static", "serve", "reload", "follow_script_name")

# After the environments are made and extended (pyramid_jinja2 asks for its own 999 in such a place).
_LAST = 999


def includeme(config: Configurator) -> None:
    """Set up assets as the settings say that begin with `assetbuild.`; all may be absent.

    Raises `ManifestError` for a manifest that cannot be vouched for, `MountError` if its URLs would not lead to the
    application, `SettingError` for a setting that there is not, or a switch that is no boolean.
    """
    settings = Settings(config.get_settings(), _PREFIX, _SETTINGS, _WORDS)
    follows, is_served = settings.switch("follow_script_name", False), settings.switch("serve", True)
    assets = _opened(config, settings)
    mount = "/"
    if is_served or not has_host(assets.base):
        mount = mount_of(assets.base, settings.text("mount"), settings.name("mount"))
    if not leads_to(assets.base, mount):
        raise MountError(
            f"the base of the assets is `{assets.base}` and the application answers under `{mount}`; "
            f"set `assetbuild.mount` to where `{assets.base}` leads, or `assetbuild.base` to what leads to `{mount}`"
        )
    config.registry["assetbuild"] = assets
    if is_served:
        config.add_subscriber(_serving(assets, mount), ApplicationCreated)
    if static := settings.text("static"):
        name = assets.base if has_host(assets.base) else mount.strip("/")
        config.add_static_view(name, static)
        root = None if follows else root_before(assets.base, mount)
        config.add_cache_buster(static, AssetCacheBuster(assets, root))
    prefix = _script_name if follows else None
    config.action(("assetbuild", "jinja"), lambda: _install(config, assets, prefix), order=_LAST)


@implementer(ICacheBuster)
class AssetCacheBuster:
    """Gives `request.static_url` and `static_path` the published name; raises `AssetNotFound` for one that is nowhere.

    root: decoded SCRIPT_NAME that the base was made for, None if any will do.
    """

    def __init__(self, assets: Assets, root: str | None = None) -> None:
        self._assets, self._root = assets, root

    def __call__(self, request: Request, subpath: str, kw: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Return the path below the static view, and the keywords as they are."""
        assets = self._assets
        is_folder = folder_url(assets.base, subpath) is not None
        asset = None if is_folder else assets[subpath]
        if self._root is not None and request.script_name != self._root:
            raise MountError(
                f"the request came under `{request.script_name}/` and the base of the assets is `{assets.base}`; set "
                f"`assetbuild.base` to what it leads to, or `assetbuild.follow_script_name` if it differs"
            )
        if asset is None:
            return subpath, kw
        # A `site_root` file has its place outside of any static view; its bytes lie under a hashed path as well.
        is_below = not asset.is_immutable and asset.url.startswith(assets.base)
        return unquote(asset.url.removeprefix(assets.base)) if is_below else asset.file, kw


def _opened(config: Configurator, settings: Settings) -> Assets:
    file, base = settings.text("manifest"), settings.text("base")
    if file and ":" in file:
        file = AssetResolver(config.root_package).resolve(file).abspath()
    if base:
        checked_base(base, settings.name("base"))
    return Assets.open(file, base=base, reload=settings.switch("reload", is_told_to_reload(os.environ)))


def _serving(assets: Assets, mount: str) -> Callable[[ApplicationCreated], None]:
    def serve(event: ApplicationCreated) -> None:
        """Let the files answer before the application's own execution policy, which would make a request first.

        A tween stands behind the request, the registry's threadlocals and all other tweens. Source: Pyramid,
        "IExecutionPolicy": what it returns is called as a WSGI application.
        """
        router, policy = event.app, event.app.execution_policy
        files = AssetMiddleware(lambda environ, start: policy(environ, router)(environ, start), assets, mount=mount)
        router.execution_policy = lambda environ, router: files  # noqa: ARG005

    return serve


def _install(config: Configurator, assets: Assets, prefix: Callable[[], str] | None) -> None:
    """Give the functions to each Jinja environment that pyramid_jinja2 has made."""
    if not hasattr(config, "get_jinja2_environment"):
        return
    from pyramid_jinja2 import IJinja2Environment

    from assetbuild.web.jinja import install

    for _, env in config.registry.getUtilitiesFor(IJinja2Environment):
        install(env, assets, prefix=prefix)


def _script_name() -> str:
    request = get_current_request()
    return request.script_name if request is not None else ""
