"""Preload: what a browser should begin to load before it meets the tag, as elements and as `Link` header values.

Receives an asset and a way to look others up; hands on links. A preload is used only if its request is the one that the
tag will make: the same mode, credentials and integrity (HTML, "consume a preloaded resource").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from assetbuild.web.html import Asset, Html, attributes_html, checked, essence, named, role

__all__ = ["link_elements", "link_value", "links_of"]

Link = Mapping[str, object]
"""The attributes of one link element."""


def links_of(asset: Asset, look_up: Callable[[str], Asset]) -> Iterator[Link]:
    """Yield the links of an asset: of a module those of its stylesheets, its own, and of all that it imports at once.

    Imports come in the order in which they are met, breadth first, each once. Raises `ValueError` for what no tag
    loads.
    """
    if role(asset) != "module" and not asset.imports:
        yield _preload(asset)
        return
    for name in asset.css:
        yield _preload(look_up(name))
    found = {asset.name: asset}
    queue = [asset]
    for module in queue:
        yield {"rel": "modulepreload", "href": module.url, **checked(module)}
        fresh = {name: look_up(name) for name in module.imports if name not in found}
        found |= fresh
        queue += [each for each in fresh.values() if role(each) in ("module", "classic")]


def link_elements(links: Iterable[Link], attributes: Mapping[str, object]) -> Html:
    """Return link elements, one on each line. attributes: for every one of them, as keyword arguments."""
    given = named(attributes)
    return Html("\n".join(f"<link{attributes_html({**link, **given})}>" for link in links))


def link_value(link: Link) -> str:
    """Return the value of a `Link` header field (RFC 8288 §3) that asks for the same as the element.

    Source of the parameters that browsers read: HTML, "process link headers".
    """
    parameters = [f"{name}={_parameter(str(value))}" for name, value in link.items() if name != "href"]
    return "; ".join([f"<{link['href']}>", *parameters])


def _parameter(value: str) -> str:
    """Return a token, or a quoted string where there is more in it than letters (RFC 9110 §5.6)."""
    return value if value.isalpha() else f'"{value}"'


def _preload(asset: Asset) -> Link:
    """Return the link of one asset (HTML, "Link type preload")."""
    link: dict[str, object] = {"rel": "preload", "href": asset.url}
    match role(asset):
        case "classic":
            return link | {"as": "script"} | checked(asset)
        case "style":
            return link | {"as": "style"} | checked(asset)
        case "font":
            # A stylesheet asks for a font in CORS mode, whatever the origin (CSS Fonts 4 §4.8.2), and without a digest.
            return link | {"as": "font", "type": essence(asset), "crossorigin": "anonymous"}
        case "image":
            return link | {"as": "image", "type": essence(asset)}
    raise ValueError(f"`{asset.name}` ({essence(asset)}) is nothing that a page preloads; write a link with its URL")
