"""Jinja: `asset_url`, `asset_tag` and their sisters, and the tag `assets`, in templates.

Receives an environment and the assets; adds functions and a tag. The rooms, low to high: `mounted` and `functions`
(what a name means), `names` (which calls are ours), `literals` (what a decided call becomes), `bundles` (the tag),
`fold` (constants while a template is compiled), `caches` (compiled templates that outlive the process), `contexts`
(what a render begins with).
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable
from typing import Any, cast

from jinja2 import Environment, Template, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from assetbuild.web.assets import Assets
from assetbuild.web.jinja.bundles import Tag, parse, sources
from assetbuild.web.jinja.caches import FittingTemplate, SealingEnvironment, StaleTemplate, mixed
from assetbuild.web.jinja.contexts import CopyingTemplate
from assetbuild.web.jinja.fold import Folding, UnknownAsset
from assetbuild.web.jinja.functions import FUNCTIONS, Installed, installed
from assetbuild.web.jinja.names import asset_calls

__all__ = ["AssetExtension", "StaleTemplate", "UnknownAsset", "asset_calls", "install"]


def install(env: Environment, assets: Assets, *, prefix: Callable[[], str] | None = None) -> None:
    """Give the templates of `env` the assets; constant names become text when a template is compiled.

    prefix: gives the text that goes before the base in the request at hand, such as SCRIPT_NAME. With it, and with
    assets that reload, names are looked up at each call. Overlays of `env` that are made later have the
    same assets, unless they are given others.
    """
    env.assetbuild = Installed(assets, prefix)  # type: ignore[attr-defined]
    env.add_extension(AssetExtension)
    if env.cache is not None:
        env.cache.clear()  # templates that were folded with other assets


class AssetExtension(Extension):
    """The extension form, for an environment that is configured by names; it opens the assets by `Assets.open()`.

    Its tag `assets` goes before that of webassets' own extension, if both are there.
    """

    tags = {"assets"}  # noqa: RUF012
    priority = 1000  # of two extensions with one tag the higher number parses it, as Jinja's parser asks them in order

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if not hasattr(environment, "assetbuild"):
            environment.assetbuild = Installed(Assets.open())  # type: ignore[attr-defined]
        if not environment.overlayed:
            environment.globals.update(FUNCTIONS)
        elif not FUNCTIONS.items() <= environment.globals.items():
            # The dictionary is that of its original, which may have no assets.
            environment.globals = cast("dict[str, Any]", ChainMap({**FUNCTIONS}, environment.globals))
        environment.code_generator_class = mixed(Folding, environment.code_generator_class)
        template = mixed(FittingTemplate, environment.template_class)
        # A class that makes contexts in a way of its own goes on to.
        is_plain = template.new_context is Template.new_context
        environment.template_class = mixed(CopyingTemplate, template) if is_plain else template
        # An attribute of an instance cannot be watched, and a cache may be set at any time.
        environment.__class__ = mixed(SealingEnvironment, type(environment))
        environment.bytecode_cache = environment.bytecode_cache

    def parse(self, parser: Parser) -> nodes.Node:
        """Return the nodes of an `assets` tag."""
        return parse(parser, self)

    def _render_from_manifest(  # noqa: PLR0917
        self,
        filters: object,
        output: str | None,
        debug: object,  # noqa: ARG002
        depends: object,
        files: Iterable[str],
        caller: Callable[..., Any],
    ) -> Any:
        is_inline = any(option is not None for option in (filters, output, depends))
        links, extra = sources(installed(self.environment), Tag(tuple(files), output, is_inline))
        contents = (caller(*link, dict(extra)) for link in links)
        return _joined(contents) if self.environment.is_async else "".join(map(str, contents))


async def _joined(contents: Iterable[Any]) -> str:
    return "".join([str(await content) for content in contents])
