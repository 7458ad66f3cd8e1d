"""What a path, a URL base and a published name may be: the rules that writer, reader and server share.

Pure functions over strings and bytes. `manifest.schema.json` says the same in patterns, to other languages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

__all__ = ["SUFFIXES", "hash_name", "is_base", "is_path", "is_published", "is_text", "name_of_digest", "quote"]

SUFFIXES = {"br": ".br", "gzip": ".gz", "zstd": ".zst"}
HIDDEN_SUFFIX = "-maps"
"""What follows the output's name in the name of the folder of hidden maps: no server of the output can serve it."""

"""Content coding (RFC 9110 §8.4.1, RFC 7932, RFC 8878) → what follows the path of a file to name its variant."""

_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


def hash_name(salt: str, *parts: bytes) -> str:
    """Return the ten characters that stand in a published name: lower-case base32 (RFC 4648 §6) of a sha256.

    parts: the final bytes; of an asset in a cycle the 32 bytes of its component digest and its logical path in UTF-8.
    """
    digest = hashlib.sha256(salt.encode())
    for part in parts:
        digest.update(part)
    return name_of_digest(digest.digest())


def name_of_digest(digest: bytes) -> str:
    """Return the ten characters that stand for a sha256 that was made elsewhere, such as while a file was copied."""
    number = int.from_bytes(digest[:7], "big") >> 6  # ten characters hold 50 of these 56 bits
    return "".join([_BASE32[number >> shift & 31] for shift in range(45, -1, -5)])


_PUBLISHED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/"
# RFC 3986 §3.3: what a path segment may hold as it is, without the four that would need care in HTML or CSS: &'()
_URL_BYTES = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$*+,;=:@/")


def quote(path: str) -> str:
    """Return `path` as it stands in a URL: UTF-8, percent-encoded where RFC 3986 §2.1 asks for it."""
    encoded = path.encode()
    if _URL_BYTES.issuperset(encoded):
        return path
    return "".join(chr(byte) if byte in _URL_BYTES else f"%{byte:02X}" for byte in encoded)


def is_path(value: object) -> bool:
    """Return whether `value` can be a logical or published path: relative, POSIX, no step up, on every system.

    A colon or a backslash would be a drive or a separator on Windows; control characters break headers and lines.
    """
    if not isinstance(value, str) or not is_text(value) or ":" in value or "\\" in value:
        return False
    between = f"/{value}/"
    return "//" not in between and "/./" not in between and "/../" not in between


def is_published(value: object) -> bool:
    """Return whether `value` can be a published path: one that needs no escape in any URL, header or shell."""
    return is_path(value) and not str(value).strip(_PUBLISHED)


def is_base(value: object) -> bool:
    """Return whether `value` can be a URL base: `/…/`, `//host/…/`, `https://host/…/`, `http://host/…/`.

    No query, no fragment, no dot segment (RFC 3986 §5.2.4 would remove it), nothing that HTML would have to escape.
    """
    if not isinstance(value, str) or not value.isascii() or not value.endswith("/"):
        return False
    scheme = "https:" if value.startswith("https:") else "http:" if value.startswith("http:") else ""
    value = value.removeprefix(scheme)
    host, _, path = value[2:].partition("/") if value.startswith("//") else ("-", "", value[1:])
    is_rooted = value.startswith("//") or (value.startswith("/") and not scheme)
    is_clean = _URL_BYTES.issuperset(value.replace("%", "").replace("[", "").replace("]", "").encode())
    return is_rooted and is_clean and not {"", ".", ".."} & {host, *path.split("/")[:-1]}


def nearest_base(text: str, fits: Callable[[str], bool] = is_base) -> str:
    """Return the URL base that was clearly meant by `text`, which is none: it lacks slashes, or a scheme; "" if unsure.

    A name with a dot may be a host or a folder, so it says nothing.
    """
    near = [f"{text}/", f"https:{text}", f"https:{text}/"]
    if "." not in text.partition("/")[0]:
        near += [f"/{text}", f"/{text}/"]
    return next((base for base in near if text and fits(base)), "")


def is_text(value: object) -> bool:
    """Return whether `value` is a string with something in it, that UTF-8 can write, without control characters."""
    if not isinstance(value, str) or value == "":
        return False
    # Cc is U+0000–001F and U+007F–009F; a lone surrogate is what Python makes of a file name that is not UTF-8.
    return value.isprintable() or not any(c < " " or "\x7f" <= c <= "\x9f" or "\ud800" <= c <= "\udfff" for c in value)
