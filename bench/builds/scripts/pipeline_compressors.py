"""django-pipeline runs programs to minify; this lets it call the two libraries that webassets calls."""

from pipeline.compressors import CompressorBase
from rcssmin import cssmin
from rjsmin import jsmin


class Compressors(CompressorBase):  # type: ignore[misc]
    """Both in one, as the base class has it."""

    def compress_css(self, css: str) -> str:
        """Return the sheet, smaller."""
        return str(cssmin(css))

    def compress_js(self, js: str) -> str:
        """Return the script, smaller."""
        return str(jsmin(js))
