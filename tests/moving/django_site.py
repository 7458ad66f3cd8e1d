"""A Django site with templates, for the bundlers that live in Django."""

from __future__ import annotations

from pathlib import Path

from tests.moving import python

__all__ = ["HEAD", "SITE", "collected"]

SITE = {
    "manage.py": """\
import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conf.settings")
execute_from_command_line(sys.argv)
""",
    "conf/__init__.py": "",
    "pages/.keep": "",
    "static/css/reset.css": "/* reset */ * { margin: 0 }\n",
    "static/css/site.css": "a { background: url('../img/dot.svg') }\n.b{ color : red }",
    "static/css/print.css": "@page { margin: 1cm }",
    "static/img/dot.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
    "static/js/first.js": "var first = 1; // one\n",
    "static/js/second.js": "function second(x) {\n  return x + first;\n}\n",
    "static/scss/theme.scss": "$ink: #123; a { b { color: $ink } }",
}

HEAD = """\
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "x"
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "collected"
STATICFILES_DIRS = [BASE_DIR / "static"]
TEMPLATES = [
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [BASE_DIR / "pages"], "APP_DIRS": True},
]
"""


def collected(folder: Path, *commands: str) -> Path:
    """Run `collectstatic` and other commands of the site, and return what was collected."""
    python(folder, "manage.py", "collectstatic", "--noinput", "--verbosity=0")
    for command in commands:
        python(folder, "manage.py", *command.split())
    return folder / "collected"
