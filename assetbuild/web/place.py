"""Where URLs under a base lead: the comparison that every framework with mounts has to make.

Pure functions over strings. A base is what the browser asks; a mount is where the application answers, and what stands
before it in the base is the work of proxies and of outer applications.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from assetbuild.manifest import quote

__all__ = ["folder_url", "has_host", "leads_to", "root_before"]


def folder_url(base: str, name: str) -> str | None:
    """Return the URL of a folder, which has no hash: a prefix for names that a script makes. None for a file's name.

    name: of a folder if it ends with a slash; "" is the folder of all.
    """
    return base + quote(name) if not name or name.endswith("/") else None


def has_host(url: str) -> bool:
    """Return whether a URL or base names its host, which asks this application or some other for the files."""
    return urlsplit(url).netloc != ""


def leads_to(base: str, mount: str) -> bool:
    """Return whether a URL under `base` can reach a mount, decoded and with a slash at its end.

    A base with a host always can.
    """
    return has_host(base) or unquote(base).endswith(mount)


def root_before(base: str, mount: str) -> str | None:
    """Return the decoded path of the application whose mount `base` leads to, None if no path is asked for."""
    return unquote(base).removesuffix(mount) if leads_to(base, mount) and not has_host(base) else None
