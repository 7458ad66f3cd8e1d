"""Render the example's page from the manifest alone, as a web process would: `python page.py > index.html`."""

import sys
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from assetbuild import Assets
from assetbuild.web.jinja import install

HERE = Path(__file__).parent


def render(manifest: Path = HERE / "build/assets/manifest.json") -> str:
    """Return the page as HTML."""
    env = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True)
    install(env, Assets.open(manifest))
    return env.get_template("index.html").render(motto="Bricks & mortar")


if __name__ == "__main__":
    sys.stdout.write(render())
