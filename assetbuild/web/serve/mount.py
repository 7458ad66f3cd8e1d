"""Where in the URL space the published files answer.

Pure functions over paths, decoded once by the server. Knows no transport.
"""

from __future__ import annotations

from assetbuild.diagnostic import AssetbuildError

__all__ = ["MountError", "mount_of"]


class MountError(AssetbuildError, ValueError):
    """The files cannot answer under that path."""


def mount_of(base: str, mount: str | None, setting: str = "mount=") -> str:
    """Return the URL path, decoded and with a slash at both ends, below which published files answer.

    base: of the assets; its path is the mount unless one is given. setting: where a user gives one. Raises `MountError`
    for `/`, below which every page of the application would be a miss of ours.
    """
    if mount is None:
        _, slashes, host_and_path = base.partition("//")
        mount = _decoded(f"/{host_and_path.partition('/')[2]}" if slashes else base)
        if mount == "/":
            raise MountError(
                f"the base `{base}` leaves the application no page of its own; "
                f"give the path of the files as `{setting}`"
            )
    if not mount.startswith("/") or mount.startswith("//") or mount.strip("/") == "":
        raise MountError(
            f"`{mount}` of `{setting}` is no path that files can answer under; write one such as `/static/`"
        )
    return mount if mount.endswith("/") else f"{mount}/"


def _decoded(path: str) -> str:
    if "%" not in path:
        return path
    from urllib.parse import unquote  # imported late: hardly a base needs it

    return unquote(path)
