"""A small page in FastAPI: templates, a mount for the assets, and a content security policy that inlined CSS fits."""

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.templating import Jinja2Templates

from assetbuild import Assets
from assetbuild.web.starlette import AssetMount, install

HERE = Path(__file__).parent

assets = Assets.open(HERE / "build/assets/manifest.json")
templates = Jinja2Templates(HERE / "templates")
install(templates, assets)

app = FastAPI(openapi_url=None)
app.routes.append(AssetMount("/static", assets))

POLICY = f"default-src 'self'; style-src 'self' {assets.inline('css/critical.css').csp_hash}"


@app.get("/")
def home(request: Request) -> Response:
    """Return the page; the browser believes its <style> by the digest that the policy names."""
    return templates.TemplateResponse(request, "index.html", headers={"Content-Security-Policy": POLICY})


@app.get("/ready")
def ready() -> dict[str, str]:
    """Return which build this process serves."""
    return assets.health()
