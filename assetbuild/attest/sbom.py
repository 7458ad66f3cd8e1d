"""The bill of materials: the packages of which bytes are in an output, and no others. The same build, the same bill.

A lock file lists what was installed; a build knows what it has used.
Source: CycloneDX 1.6; RFC 9562 §5.8 (UUID version 8).
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from typing import Any

from assetbuild.attest.packages import Package, sort_by_package
from assetbuild.compiler import Outcome
from assetbuild.disk import Disk

__all__ = ["bill"]

# Files that packages are described in: read to find others, and published by nobody.
_DESCRIPTIONS = frozenset({"package.json", "tsconfig.json", "jsconfig.json"})


def bill(outcome: Outcome, build_id: str, tools: Mapping[str, str], disk: Disk) -> dict[str, Any]:
    """Return the CycloneDX document of a build. build_id: of the manifest. tools: name → version, as there."""
    used = {
        file: digest_hex
        for file, digest_hex in outcome.inputs.items()
        if file not in outcome.unused and os.path.basename(file) not in _DESCRIPTIONS
    }
    packages = sort_by_package(used, disk).packages
    whole = {"type": "application", "bom-ref": "assets", "name": "assets", "version": build_id}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{_serial(build_id)}",
        "version": 1,
        "metadata": {
            "tools": {"components": [_tool(name, tools[name]) for name in sorted(tools)]},
            "component": whole,
        },
        "components": [_component(package) for package in packages],
        "dependencies": [{"ref": "assets", "dependsOn": [package.url for package in packages]}],
    }


def _serial(build_id: str) -> uuid.UUID:
    """Return a UUID that is made of the build's digest alone."""
    number = int.from_bytes(bytes.fromhex(build_id.removeprefix("sha256:"))[:16], "big")
    version, variant = 8 << 76, 2 << 62
    return uuid.UUID(int=number & ~(15 << 76) & ~(3 << 62) | version | variant)


def _tool(name: str, version: str) -> dict[str, Any]:
    return {"type": "application", "name": name, "version": version}


def _component(package: Package) -> dict[str, Any]:
    group, _, name = package.name.rpartition("/")
    found: dict[str, Any] = {"type": "library", "bom-ref": package.url}
    found |= {"group": group} if group else {}
    found |= {"name": name, **({"version": package.version} if package.version else {}), "scope": "required"}
    found |= {"hashes": [{"alg": "SHA-512", "content": package.sha512_hex}]} if package.sha512_hex else {}
    found |= {"licenses": [_licence(package)]} if package.licence else {}
    return found | {
        "purl": package.url,
        "components": [
            {
                "type": "file",
                "bom-ref": package.url_of(path),
                "name": path,
                "hashes": [{"alg": "SHA-256", "content": digest_hex}],
            }
            for path, digest_hex in sorted(package.files.items())
        ],
    }


def _licence(package: Package) -> dict[str, Any]:
    if package.is_expression:
        return {"expression": package.licence, "acknowledgement": "declared"}
    return {"license": {"name": package.licence, "acknowledgement": "declared"}}
