"""Starlette and FastAPI: a manifest's files under a mount, and the `url_for("static", path=…)` that names them.

Receives assets, and an application's mounts and templates. The base of the assets is what the browser asks, the mount
where the application answers; neither is made from the other, but one that cannot lead to the other is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from starlette.datastructures import URL, URLPath
from starlette.requests import Request
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from assetbuild.web import asgi
from assetbuild.web.assets import Assets
from assetbuild.web.place import folder_url, has_host, leads_to
from assetbuild.web.serve import MEMORY_BYTES, MountError

if TYPE_CHECKING:
    from starlette.templating import Jinja2Templates

__all__ = ["AssetFiles", "AssetMount", "install"]


class AssetFiles(asgi.AssetFiles):
    """The files of a manifest, to be mounted: `app.mount("/static", AssetFiles(assets), name="static")`.

    A request raises `MountError` if the mount is not where the base leads, and so does a page (`install`). Where that
    is to be known when the process starts: `AssetMount`.
    """

    def __init__(self, assets: Assets, *, memory_bytes: int = MEMORY_BYTES) -> None:
        super().__init__(assets, memory_bytes=memory_bytes)
        self.base = assets.base
        self._mount = ""  # the one that was compared last: a process has one

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request below the mount."""
        mount = scope.get("root_path", "") + "/"
        if mount != self._mount:
            _refuse_other_place(self.base, mount)
            self._mount = mount
        if not scope.get("path", mount).startswith(mount):
            # A proxy has stripped what FastAPI's root_path names. ASGI's path has it, and Starlette's mounts add to it.
            scope = {**scope, "path": scope.get("app_root_path", "") + scope["path"]}
        await super().__call__(scope, receive, send)


class AssetMount(Mount):
    """The same as a route: `Starlette(routes=[AssetMount("/static", assets)])`, `app.routes.append(…)` in FastAPI.

    `request.url_for("static", path=…)` gives the published name here, too, and a path that the base cannot lead to
    raises `MountError` at once.
    """

    def __init__(self, path: str, assets: Assets, *, name: str = "static", memory_bytes: int = MEMORY_BYTES) -> None:
        super().__init__(path, AssetFiles(assets, memory_bytes=memory_bytes), name=name)
        self._assets = assets
        _refuse_other_place(assets.base, f"{self.path}/")

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Return the path of an asset, inside the application; `path` is the logical path, or that of a folder.

        `request.url_for` makes it a URL under the base. Raises `AssetNotFound`.
        """
        logical = str(path_params.get("path", "")).lstrip("/")
        place = super().url_path_for(name, **path_params | ({"path": ""} if "path" in path_params else {}))
        return _AssetPath(place, self._assets, logical)


class _AssetPath(URLPath):
    """The path of an asset below its mount, which knows what the browser asks instead."""

    def __new__(cls, place: URLPath, assets: Assets, logical: str) -> Self:
        url = _url_of(assets, logical)
        return str.__new__(cls, place + url.removeprefix(assets.base) if url.startswith(assets.base) else url)

    def __init__(self, place: URLPath, assets: Assets, logical: str) -> None:
        super().__init__(str(self))
        self._place, self._assets, self._logical = place, assets, logical

    def make_absolute_url(self, base_url: str | URL) -> URL:
        """Return the URL under the base of the assets, with the request's scheme and host if the base has none."""
        return _url(self._assets, self._logical, self._place.make_absolute_url(base_url))


def install(templates: Jinja2Templates, assets: Assets, *, name: str = "static") -> None:
    """Give templates the functions of `assets`, and a `url_for(name, path=…)` that names published files.

    name: of the mount. The URL raises `AssetNotFound`. A page raises `MountError`, whatever functions it calls, if the
    application mounts the files, and nowhere where the base leads; files that it does not mount are somebody else's.
    """
    from jinja2 import pass_context

    from assetbuild.web import jinja

    jinja.install(templates.env, assets)
    others: Callable[..., URL] = templates.env.globals["url_for"]  # type: ignore[assignment]

    @pass_context
    def url_for(context: Mapping[str, Any], route: str, /, **path_params: Any) -> URL:
        logical = str(path_params.get("path", "")).lstrip("/")
        if route != name or "path" not in path_params:
            return others(context, route, **path_params)
        return _url(assets, logical, context["request"].url_for(route, **path_params | {"path": ""}))

    templates.env.globals["url_for"] = url_for
    templates.context_processors = [_Comparing(assets), *templates.context_processors]


class _Comparing:
    """A context processor that adds nothing, and refuses a page whose URLs would be dead.

    It is the first to see both sides: a mount does not know its path, and a folded URL is asked for by nobody.
    """

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._compared: tuple[object, str] | None = None  # the last alone: a process has one application at one path

    def __call__(self, request: Request) -> dict[str, Any]:
        # What request.url_for asks, too: the outermost router, and the path that it is told to be at.
        router, scope = request.scope.get("router"), request.scope
        root = scope.get("app_root_path", scope.get("root_path", ""))
        if self._compared != (router, root):
            base = self._assets.base
            mounts = [*_mounts_of(base, router, root)]
            if mounts and not any(leads_to(base, mount.rpartition("}")[2]) for mount in mounts):
                _refuse_other_place(base, mounts[0])
            self._compared = router, root
        return {}


def _mounts_of(base: str, routed: object, path: str) -> Iterator[str]:
    """Yield where below `path` files of `base` are mounted, as routes write it: with parameters, and a slash behind."""
    for route in getattr(routed, "routes", ()):
        if isinstance(route, Mount):
            if isinstance(route.app, AssetFiles) and route.app.base == base:
                yield f"{path}{route.path}/"
            yield from _mounts_of(base, route, path + route.path)


def _url(assets: Assets, logical: str, place: URL) -> URL:
    """Return the URL of an asset. place: of the mount, as this request sees it."""
    url = _url_of(assets, logical)
    if url.startswith(assets.base):
        _refuse_other_place(assets.base, place.path)
    if has_host(url):
        return URL(url if urlsplit(url).scheme else f"{place.scheme}:{url}")
    return place.replace(path=url)


def _url_of(assets: Assets, logical: str) -> str:
    return folder_url(assets.base, logical) or assets.url(logical)


def _refuse_other_place(base: str, mount: str) -> None:
    if not leads_to(base, mount):
        raise MountError(
            f"the base of the assets is `{base}` and they are mounted at `{mount}`; "
            f"mount them where `{base}` leads, or set ASSETBUILD_BASE to what leads to `{mount}`"
        )
