"""The bundles of Flask-Assets."""

from flask_assets import Bundle, Environment

environment = Environment()

environment.register(
    "site-css",
    Bundle("css/reset.css", filters="rcssmin"),
    Bundle("scss/site.scss", filters="libsass,rcssmin", depends="scss/*.scss"),
    output="gen/site.css",
)
environment.register(
    "site-js",
    "js/dom.js",
    "js/filter.js",
    "js/lamp.js",
    filters="rjsmin",
    output="gen/site.js",
)
