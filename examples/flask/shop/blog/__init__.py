"""The blog: a blueprint with templates and a static folder of its own."""

from flask import Blueprint, render_template

blog = Blueprint("blog", __name__, url_prefix="/blog", static_folder="static", template_folder="templates")


@blog.get("/")
def post() -> str:
    """Return the one post."""
    return render_template("blog/post.html")
