"""One decision for both transports: method, path and a few header fields in; status, headers and body out.

Receives assets and the form in which a transport wants its headers; hands on replies, which are made at the first hit
and shared from then on. It joins no path with what a request says: that is looked up, and the manifest names the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from assetbuild.manifest import Manifest
from assetbuild.web.assets import Assets
from assetbuild.web.files import FileFault, OpenFile, open_published
from assetbuild.web.serve.conditions import byte_range, precondition
from assetbuild.web.serve.memory import Memory
from assetbuild.web.serve.negotiate import pick
from assetbuild.web.serve.resources import NOWHERE, Resource, Variant, hashed, stable

__all__ = ["FIELDS", "HAND_OVER_BYTES", "MEMORY_BYTES", "Fields", "Reply", "Responder"]

Head = TypeVar("Head")
Fields = tuple[tuple[str, str], ...]

FIELDS = ("accept-encoding", "if-match", "if-none-match", "if-range", "range")
"""The header fields of a request that have a say, in lower case."""

MEMORY_BYTES = 32 * 1024 * 1024
HAND_OVER_BYTES = 4 * 1024 * 1024
"""From this size on a file is handed over to a server that can send it by itself."""

# Nothing here is secret. Fonts, modules and whatever has `integrity` are fetched with CORS (Fetch, "CORS protocol");
# under COEP a page takes from another origin what says so (Fetch, "`Cross-Origin-Resource-Policy` header").
_ALWAYS: Fields = (
    ("X-Content-Type-Options", "nosniff"),
    ("Access-Control-Allow-Origin", "*"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
)
_METHODS = "GET, HEAD, OPTIONS"
_NO_STORE = ("Cache-Control", "no-store")


class Reply(NamedTuple, Generic[Head]):
    """An answer. head: status and headers as the transport wants them, shared. body: an open file must be closed."""

    head: Head
    body: bytes | OpenFile


class _Ready(NamedTuple, Generic[Head]):
    """The replies of a variant that never change. body, whole: None if the bytes stay on the disk."""

    body: bytes | None
    whole: Reply[Head] | None
    bare: Reply[Head]
    unchanged: Reply[Head]


class _Shelf(Generic[Head]):
    """What was found out of one build, by URL path and by variant. Exchanged as a whole when a new build comes."""

    __slots__ = ("known", "manifest", "memory", "ready", "site_paths")

    def __init__(self, manifest: Manifest, site_paths: Mapping[str, str], memory_bytes: int) -> None:
        self.manifest = manifest
        self.site_paths = site_paths
        self.memory = Memory(manifest.folder, memory_bytes)
        self.known: dict[str, Resource] = {}
        self.ready: dict[tuple[str, str], _Ready[Head]] = {}


class Responder(Generic[Head]):
    """The answers of some assets under one path of the site.

    mount: begins and ends with a slash. has_site_root: whether files at absolute paths answer, too. memory_bytes: how
    many bytes of bodies are held. head: turns a status and fields into what the transport sends.

    Safe in threads without a lock: whatever is remembered is a value that any other thread would make just so. Only the
    budget is counted under one, when a file is loaded.
    """

    def __init__(
        self,
        assets: Assets,
        mount: str,
        head: Callable[[int, Fields], Head],
        *,
        memory_bytes: int,
        has_site_root: bool,
    ) -> None:
        self._assets = assets
        self._is_reloading = assets.is_reloading
        self._mount = mount
        self._head = head
        self._memory_bytes = memory_bytes
        self._has_site_root = has_site_root
        self._faults: set[str] = set()
        self._shelf = self._empty(assets.manifest)

    def find(self, path: str) -> Resource | None:
        """Return what answers at a decoded URL path: `NOWHERE` for a miss below the mount, None if it is not ours."""
        shelf = self._shelf
        if self._is_reloading and (manifest := self._assets.manifest) is not shelf.manifest:
            shelf = self._shelf = self._empty(manifest)
        known = shelf.known.get(path)
        if known is not None:
            return known
        found = self._look_up(shelf, path)
        if found is not None:
            shelf.known[path] = found  # only hits are kept: what is asked for in vain has no bound
            return found
        return NOWHERE if path.startswith(self._mount) else None

    def reply(self, resource: Resource, method: str, accept: str, conditions: Mapping[str, str]) -> Reply[Head]:
        """Return the answer to a request for what `find` gave.

        accept: value of Accept-Encoding, "" if absent. conditions: the other `FIELDS` that are there.
        """
        if resource is NOWHERE:
            return self._refusal(404, "not found", method)
        if method not in {"GET", "HEAD"}:
            return self._other_method(method)
        variant = pick(resource.variants, accept)
        try:
            return self._answer(resource, variant, method, conditions)
        except FileFault as fault:
            self._log(variant.path, fault)
            if not variant.coding:
                return self._refusal(500, "the file cannot be served", method)
        # Another build may have put its encoder's bytes there, which this manifest does not describe. The file itself
        # is as good an answer to any client (RFC 9110 §12.5.3), and its name is the hash of its bytes.
        return self.reply(resource, method, "", conditions)

    def _answer(self, resource: Resource, variant: Variant, method: str, conditions: Mapping[str, str]) -> Reply[Head]:
        """Return the answer in the form of a variant; raise `FileFault` if its file is not what it should be."""
        shelf = self._shelf
        ready = shelf.ready.get((resource.cache_control, variant.path)) or self._prepare(shelf, resource, variant)
        if conditions:
            special = self._conditional(resource, variant, ready, method, conditions)
            if special is not None:
                return special
        if method == "HEAD":
            return ready.bare
        return ready.whole or self._from_disk(variant, ready.bare.head)

    def _empty(self, manifest: Manifest) -> _Shelf[Head]:
        return _Shelf(manifest, manifest.site_paths() if self._has_site_root else {}, self._memory_bytes)

    def _look_up(self, shelf: _Shelf[Head], path: str) -> Resource | None:
        logical = shelf.site_paths.get(path)
        asset = None if logical is None else shelf.manifest.asset(logical)
        if asset is not None:
            return stable(shelf.manifest, asset)
        return hashed(shelf.manifest, path[len(self._mount) :]) if path.startswith(self._mount) else None

    def _prepare(self, shelf: _Shelf[Head], resource: Resource, variant: Variant) -> _Ready[Head]:
        """Return the replies of a variant after a first look at its file; raise `FileFault`."""
        body = shelf.memory.body(variant)
        cached = _caching(resource, variant)
        head = self._head(200, (*_describing(resource, variant), _length(variant.size_bytes), *cached))
        ready = _Ready(
            body,
            None if body is None else Reply(head, body),
            Reply(head, b""),
            # RFC 9110 §15.4.5: what a cache needs to go on, and nothing that describes a body.
            Reply(self._head(304, cached), b""),
        )
        shelf.ready[resource.cache_control, variant.path] = ready
        return ready

    def _conditional(
        self, resource: Resource, variant: Variant, ready: _Ready[Head], method: str, conditions: Mapping[str, str]
    ) -> Reply[Head] | None:
        """Return the answer that the conditions or the range ask for, None if it is the plain one."""
        status = precondition(conditions, variant.etag)
        if status == 304:
            return ready.unchanged
        if status == 412:
            return self._refusal(412, "it is another version", method, *_varying(resource))
        part = byte_range(conditions, variant.etag, variant.size_bytes) if method == "GET" else None
        if part is None:
            return None
        size = variant.size_bytes
        if not part:
            return self._refusal(
                416, "there are no such bytes", method, ("Content-Range", f"bytes */{size}"), *_varying(resource)
            )
        fields = (
            *_describing(resource, variant),
            _length(len(part)),
            ("Content-Range", f"bytes {part.start}-{part.stop - 1}/{size}"),
            *_caching(resource, variant),
        )
        head = self._head(206, fields)
        if ready.body is not None:
            return Reply(head, ready.body[part.start : part.stop])
        return self._from_disk(variant, head, part)

    def _from_disk(self, variant: Variant, head: Head, part: range | None = None) -> Reply[Head]:
        folder = self._shelf.manifest.folder
        descriptor = open_published(folder, variant.path, variant.size_bytes)
        wanted = range(variant.size_bytes) if part is None else part
        return Reply(head, OpenFile(descriptor, f"{folder}/{variant.path}", wanted, is_whole=part is None))

    def _other_method(self, method: str) -> Reply[Head]:
        if method != "OPTIONS":
            return self._refusal(405, "only to be read", method, ("Allow", _METHODS))
        # Fetch, "CORS-preflight fetch"; `*` stands for every header of a request without credentials.
        permitted = (
            ("Allow", _METHODS),
            ("Access-Control-Allow-Methods", _METHODS),
            ("Access-Control-Allow-Headers", "*"),
            ("Access-Control-Max-Age", "86400"),
        )
        return Reply(self._head(204, (*permitted, _NO_STORE, *_ALWAYS)), b"")

    def _refusal(self, status: int, reason: str, method: str, *more: tuple[str, str]) -> Reply[Head]:
        """Return an answer that no cache may keep: a deploy may put right what is wrong now."""
        body = f"{reason}\n".encode()
        described = (("Content-Type", "text/plain; charset=utf-8"), _length(len(body)))
        head = self._head(status, (*described, *more, _NO_STORE, *_ALWAYS))
        return Reply(head, b"" if method == "HEAD" else body)

    def _log(self, path: str, fault: FileFault) -> None:
        if path not in self._faults:
            self._faults.add(path)
            import logging  # imported late: a site in order never needs it

            logging.getLogger("assetbuild").error("%s", fault)


def _length(size_bytes: int) -> tuple[str, str]:
    return "Content-Length", str(size_bytes)


def _describing(resource: Resource, variant: Variant) -> Fields:
    encoding = (("Content-Encoding", variant.coding),) if variant.coding else ()
    return (("Content-Type", resource.type), *encoding, ("Accept-Ranges", "bytes"))


def _caching(resource: Resource, variant: Variant) -> Fields:
    return (("ETag", variant.etag), ("Cache-Control", resource.cache_control), *_varying(resource), *_ALWAYS)


def _varying(resource: Resource) -> Fields:
    return (("Vary", "Accept-Encoding"),) if len(resource.variants) > 1 else ()
