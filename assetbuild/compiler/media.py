"""Media types by extension: one table, so that no answer depends on the machine's `mime.types`.

Source: the IANA registry of media types; text/javascript by RFC 9239; fonts by RFC 8081; manifest by the W3C note.
"""

from __future__ import annotations

__all__ = ["extension_of", "is_compressible", "is_text", "media_type"]

_UTF8 = "; charset=utf-8"
_TYPES = {
    ".aac": "audio/aac",
    ".apng": "image/apng",
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".css": "text/css" + _UTF8,
    ".csv": "text/csv" + _UTF8,
    ".cur": "image/x-icon",
    ".eot": "application/vnd.ms-fontobject",
    ".flac": "audio/flac",
    ".geojson": "application/geo+json",
    ".gif": "image/gif",
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".gz": "application/gzip",
    ".htm": "text/html" + _UTF8,
    ".html": "text/html" + _UTF8,
    ".ico": "image/x-icon",
    ".ics": "text/calendar" + _UTF8,
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript" + _UTF8,
    ".json": "application/json",
    ".jxl": "image/jxl",
    ".m4a": "audio/mp4",
    ".map": "application/json",
    ".md": "text/markdown" + _UTF8,
    ".mjs": "text/javascript" + _UTF8,
    ".mov": "video/quicktime",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".otf": "font/otf",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".rss": "application/rss+xml",
    ".svg": "image/svg+xml",
    ".tar": "application/x-tar",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".ttf": "font/ttf",
    ".txt": "text/plain" + _UTF8,
    ".vtt": "text/vtt" + _UTF8,
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xhtml": "application/xhtml+xml",
    ".xml": "application/xml",
    ".xsl": "application/xslt+xml",
    ".zip": "application/zip",
}

# Formats that are not compressed inside, beside everything that is text, JSON or XML.
_COMPRESSIBLE = {
    "application/vnd.ms-fontobject",
    "application/wasm",
    "application/x-tar",
    "font/otf",
    "font/ttf",
    "image/bmp",
    "image/x-icon",
    "model/gltf-binary",
}


def extension_of(logical: str) -> str:
    """Return the extension in lower case with its dot, "" if there is none: a name that only begins with dots has none.

    `posixpath.splitext` says the same; here it is asked of every file, and paths are plain texts.
    """
    stem, _, extension = logical[logical.rfind("/") + 1 :].rpartition(".")
    return f".{extension.lower()}" if stem.strip(".") else ""


def media_type(logical: str) -> str:
    """Return the Content-Type of the asset at `logical`, `application/octet-stream` if the extension is unknown."""
    return _TYPES.get(extension_of(logical), "application/octet-stream")


def is_compressible(content_type: str) -> bool:
    """Return whether bytes of this type are worth an encoder's time; images and video are compressed inside."""
    return is_text(content_type) or content_type in _COMPRESSIBLE


def is_text(content_type: str) -> bool:
    """Return whether bytes of this type are for people to read: text, JSON or XML."""
    essence = content_type.partition(";")[0]
    return essence.startswith("text/") or essence.endswith(("json", "+xml", "/xml"))
