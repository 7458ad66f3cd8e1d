"""Record: the manifest's document, from what the other rooms made. No clock, host, user or absolute path enters it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assetbuild.compiler.model import Asset, Input, Variant
from assetbuild.compiler.project import Project
from assetbuild.manifest import Mapped, dump

__all__ = ["inputs_digest", "record"]


def record(
    project: Project,
    assets: Sequence[Asset],
    variants: Sequence[Variant],
    tools: Mapping[str, str],
    inputs_digest_hex: str,
    *,
    imports: Mapping[str, str],
    bundles: Mapping[str, Mapping[str, object]],
) -> bytes:
    """Return the bytes of the manifest. imports: specifier → logical path, empty without an import map.

    bundles: name of a webassets bundle → its `assets` and `extra`.
    """
    sizes: dict[str, dict[str, int]] = {}
    for variant in variants:
        sizes.setdefault(variant.path, {})[variant.coding] = len(variant.body)
    kept = {asset.path for asset in assets if asset.stable is not None}

    def file(asset: Asset) -> dict[str, Any]:
        return {
            "type": asset.media_type,
            "size": asset.size,
            "sha256": asset.sha256_hex,
            "integrity": asset.integrity,
            "enc": sizes.get(asset.path, {}),
            "keep": asset.path in kept,
        }

    return dump(
        {
            "base": project.base,
            "build": {
                "tools": dict(tools),
                "config": f"sha256:{project.config_digest_hex}",
                "inputs": f"sha256:{inputs_digest_hex}",
                "salt": project.salt,
                "revision": project.revision,
            },
            "assets": Mapped({asset.logical: asset for asset in assets}, _asset),
            "bundles": dict(bundles),
            "importmap": dict(imports),
            "files": Mapped({asset.path: asset for asset in assets}, file),
        }
    )


def inputs_digest(inputs: Iterable[Input], shown: Mapping[str, str]) -> str:
    """Return one digest over every file that was read: its path in the project and the digest of its bytes.

    shown: absolute file → its path relative to the project, so that the folder of the checkout does not matter.
    """
    digest = hashlib.sha256()
    for line in sorted({f"{shown[each.file]}\0{each.digest_hex}\n" for each in inputs}):
        digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _asset(asset: Asset) -> dict[str, Any]:
    facts, stable = asset.facts, asset.stable
    return {
        "file": asset.path,
        "kind": facts.kind,
        "entry": facts.is_entry,
        "source": facts.source,
        "refs": list(asset.refs),
        "imports": list(facts.imports),
        "dynamic": list(facts.dynamic),
        "css": list(facts.css),
        "map": facts.map,
        "width": asset.width,
        "height": asset.height,
        "keep": stable is not None and not stable.at,
        "at": stable.at if stable is not None else "",
        "cycle": asset.cycle_hex,
    }
