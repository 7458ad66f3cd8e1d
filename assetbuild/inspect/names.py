"""Names: what is wrong with one name in a template, in the light of the assets that were made.

Receives a use and the assets as a running process would open them, so that its sentences are the ones said here.
"""

from __future__ import annotations

from collections.abc import Callable

from assetbuild.diagnostic import AssetbuildError, Diagnostic
from assetbuild.inspect.uses import Use
from assetbuild.manifest import AssetNotFound
from assetbuild.web.assets import Assets
from assetbuild.web.files import FileFault
from assetbuild.web.place import folder_url

__all__ = ["fault_of"]


def fault_of(use: Use, assets: Assets) -> Diagnostic | None:
    """Return what is wrong with a name, a note if it cannot be known, None if all is well."""
    if use.name is None:
        message = f"`{use.function}` gets this name when the template is rendered: it is not checked"
        return Diagnostic("dynamic-name", "note", message, use.place, group="dynamic-name")
    judge: Callable[[Use, str, Assets], Diagnostic | None] = {
        "assets": _bundle,
        "static": _static,
        "url_for": _static,
    }.get(use.function, _asset)
    return judge(use, use.name, assets)


def _asset(use: Use, name: str, assets: Assets) -> Diagnostic | None:
    """Judge the name of one of our functions by calling it, as far as it needs no file."""
    try:
        match use.function:
            case "asset_tag":
                assets.tag(name)
            case "asset_preload":
                assets.preload(name)
            case "asset_inline":
                assets.inline(name, **({} if use.limit_bytes is None else {"limit_bytes": use.limit_bytes}))
            case _:
                assets[name]
    except AssetNotFound as error:
        return Diagnostic("unknown-asset", "error", str(error), use.place)
    except FileFault:
        return None  # all that is known without its text speaks for inlining it; nothing was published to read it from
    except (AssetbuildError, ValueError) as error:
        return Diagnostic("unfit-asset", "error", str(error), use.place)
    return None


def _bundle(use: Use, name: str, assets: Assets) -> Diagnostic | None:
    """Judge what the tag of webassets lists: a bundle, or a file as it is."""
    if name in assets.manifest.bundles or "://" in name:
        return None
    try:
        assets[name]
    except AssetNotFound as error:
        from assetbuild.web.jinja.bundles import unknown  # Jinja is there where a template with this tag was read

        return Diagnostic("unknown-bundle", "error", str(unknown(name, assets, error)), use.place)
    return None


def _static(use: Use, name: str, assets: Assets) -> Diagnostic | None:
    """Judge the name of a static file.

    A folder is a prefix for names that a script makes. Django's tag fails for another name; the `static` route of Flask
    and Starlette may serve a folder that has nothing to do with us.
    """
    found = _asset(use, name, assets) if folder_url(assets.base, name) is None else None
    if found and use.function == "url_for":
        hint = "if the route serves another folder, all is well"
        return found._replace(rule="unknown-static", severity="warning", hint=hint)
    return found
