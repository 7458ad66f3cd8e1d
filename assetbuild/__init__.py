"""assetbuild: assets compiled in the build stage, read from one immutable manifest at run time.

This is the reading face: it imports `manifest` and `web` and no compiler, so it costs a web process next to nothing.
"""

from __future__ import annotations

from assetbuild.diagnostic import AssetbuildError
from assetbuild.manifest import AssetNotFound, ManifestError
from assetbuild.version import __version__
from assetbuild.web.assets import Assets
from assetbuild.web.files import FileFault
from assetbuild.web.html import Asset
from assetbuild.web.inline import InlineError

__all__ = [
    "Asset",
    "AssetNotFound",
    "AssetbuildError",
    "Assets",
    "FileFault",
    "InlineError",
    "ManifestError",
    "__version__",
]
