"""A small shop in Flask: a factory, a blueprint, and the bundles of a Flask-Assets project."""

from flask import Flask, render_template

from assetbuild.web.flask import AssetBuild
from shop.blog import blog

assetbuild = AssetBuild()


def create_app() -> Flask:
    """Return the application; its assets must be compiled."""
    app = Flask(__name__)
    app.register_blueprint(blog)
    assetbuild.init_app(app)

    @app.get("/")
    def home() -> str:
        return render_template("base.html")

    return app
