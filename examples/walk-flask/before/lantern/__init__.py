"""Lantern, a lending library: its shelf, one page for each book, and a search."""

from flask import Flask, abort, render_template, request

from lantern.assets import environment
from lantern.books import BOOKS


def create_app() -> Flask:
    """Return the application."""
    app = Flask(__name__)
    app.config["ASSETS_AUTO_BUILD"] = app.debug
    environment.init_app(app)

    @app.get("/")
    def shelf() -> str:
        wanted = request.args.get("q", "").casefold()
        return render_template("shelf.html", books=[book for book in BOOKS if wanted in book.title.casefold()])

    @app.get("/books/<slug>")
    def book(slug: str) -> str:
        found = next((book for book in BOOKS if book.slug == slug), None)
        return render_template("book.html", book=found or abort(404))

    return app
