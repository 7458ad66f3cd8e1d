"""Litestar: a plugin that answers for published files and gives templates the functions of the assets.

Receives the application's configuration while it is made; hands it on with the handlers of the files, which are routes
of the application's own router, and so behind its middleware and guards.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from litestar.config.app import AppConfig
from litestar.exceptions import NotFoundException
from litestar.handlers import ASGIRouteHandler
from litestar.plugins import InitPlugin
from litestar.types import Receive, Scope, Send

from assetbuild.web.asgi import AssetMiddleware
from assetbuild.web.assets import Assets
from assetbuild.web.place import leads_to
from assetbuild.web.serve import MountError, mount_of

__all__ = ["AssetBuildPlugin"]

# What Litestar's own middleware looks for in `opt`: whoever may not log in may still see the styles of the login page.
_PUBLIC = {"exclude_from_auth": True, "skip_session": True}
_UNCOMPRESSED = "exclude_from_compression"


class AssetBuildPlugin(InitPlugin):
    """The plugin: `Litestar(plugins=[AssetBuildPlugin(Assets.open())])`.

    mount: URL path below which published files answer; by default the path of the assets' base. `site_root` files
    answer at their own. Raises `MountError` for a mount that the base does not lead to.
    """

    def __init__(self, assets: Assets, *, mount: str | None = None) -> None:
        self._assets = assets
        self._mount = mount_of(assets.base, mount)
        if not leads_to(assets.base, self._mount):
            raise MountError(
                f"the base of the assets is `{assets.base}` and they are mounted at `{self._mount}`; "
                f"mount them where `{assets.base}` leads, or set ASSETBUILD_BASE to what leads to `{self._mount}`"
            )

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Add the handlers, and the functions to the Jinja engine if there is one."""
        opt: dict[str, object] = {**_PUBLIC}
        if app_config.compression_config:
            # Litestar compresses whatever passes, and would take a body for plain that is compressed already.
            key = app_config.compression_config.exclude_opt_key or _UNCOMPRESSED
            app_config.compression_config = replace(app_config.compression_config, exclude_opt_key=key)
            opt[key] = True
        app_config.route_handlers.extend(self._handlers(app_config.path, opt))
        if app_config.template_config:
            self._install(app_config.template_config.engine_instance)
        return app_config

    def _handlers(self, prefix: str, opt: dict[str, object]) -> Iterator[ASGIRouteHandler]:
        """Yield what answers for the mount and for `site_root` files. prefix: the path of the application."""
        outer = f"/{prefix.strip('/')}".rstrip("/")
        if not self._mount.startswith(f"{outer}/"):
            raise MountError(
                f"the assets are mounted at `{self._mount}`, and the application has only what is below `{outer}/`; "
                f'compile them with `base = "{outer}{self._mount}"`, or give its path to a router'
            )
        answer: Any = AssetMiddleware(_nothing, self._assets, mount=self._mount)  # Any: Litestar's types of ASGI differ

        async def published_files(scope: Scope, receive: Receive, send: Send) -> None:
            # The path below a mount. One begins with no slash if Litestar (2.25) took `/static-pages` for `/static`.
            path = self._mount.rstrip("/") + scope["path"]
            await answer({**scope, "path": path if _is_asked(path, scope) else self._mount}, receive, send)

        async def site_root_files(scope: Scope, receive: Receive, send: Send) -> None:
            await (answer if _is_asked(scope["path"], scope) else _nothing)(scope, receive, send)

        # is_static: Litestar's rate limit counts them apart from pages.
        mount = ASGIRouteHandler(self._mount.removeprefix(outer), is_static=True, copy_scope=False, opt=opt)
        yield mount(published_files)
        places = [
            path.removeprefix(outer) for path in self._assets.manifest.site_paths() if path.startswith(f"{outer}/")
        ]
        if places:
            yield ASGIRouteHandler(places, copy_scope=False, opt=opt)(site_root_files)

    def _install(self, engine: object) -> None:
        # Whoever has an engine of that kind has loaded its module; others may have no Jinja at all.
        jinja = sys.modules.get("litestar.plugins.jinja")
        if jinja is not None and isinstance(engine, jinja.JinjaTemplateEngine):
            from assetbuild.web.jinja import install

            install(engine.engine, self._assets)


def _is_asked(path: str, scope: Scope) -> bool:
    """Return whether a request asked for `path` as it is: Litestar drops slashes at its end and doubled ones.

    What stands before the path is the work of proxies. Without ASGI's optional `raw_path` nobody can tell.
    """
    raw = unquote(scope.get("raw_path", b"").partition(b"?")[0].decode("latin-1"))  # some servers leave the query in
    return not raw or (raw.endswith(path) and not raw.removesuffix(path).endswith("/"))


async def _nothing(scope: object, receive: object, send: object) -> None:  # noqa: ARG001
    raise NotFoundException
