"""A tide table in Litestar: a template, a page that Litestar compresses, and assets that were compressed already."""

from pathlib import Path

from litestar import Litestar, get
from litestar.config.compression import CompressionConfig
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Template
from litestar.template import TemplateConfig

from assetbuild import Assets
from assetbuild.web.litestar import AssetBuildPlugin

HERE = Path(__file__).parent
TIDES = [("02:14", 0.6), ("08:31", 4.9), ("14:40", 0.8), ("20:55", 5.1)]

assets = Assets.open(HERE / "build/assets/manifest.json")


@get("/")
async def home() -> Template:
    """Return the page."""
    return Template("index.html", context={"tides": TIDES})


@get("/ready", sync_to_thread=False)
def ready() -> dict[str, str]:
    """Return which build this process serves."""
    return assets.health()


app = Litestar(
    [home, ready],
    plugins=[AssetBuildPlugin(assets)],
    template_config=TemplateConfig(JinjaTemplateEngine, directory=HERE / "templates"),
    compression_config=CompressionConfig("gzip", minimum_size=100),
    openapi_config=None,
)
