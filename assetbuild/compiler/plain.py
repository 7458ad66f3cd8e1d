"""Plain: the short way of a small file that refers to nothing. It is published to the byte, whatever its language.

Receives jobs that publish a file as itself; hands on results for those that no engine has to see, which are most. What
a file must hold to refer to anything is said where its language is read (`plain_facts` of its engine). Whatever its
job says, it counts as a copy.
"""

from __future__ import annotations

from assetbuild.compiler import engines
from assetbuild.compiler.cache import Cache
from assetbuild.compiler.engines import copy
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.files import Library
from assetbuild.compiler.media import media_type
from assetbuild.compiler.model import Draft, Input, Job, Result
from assetbuild.compiler.secrets import holds_secret, is_allowed
from assetbuild.disk import Small

__all__ = ["ShortWay"]


class ShortWay:
    """The short way of the files of one build. cache: knows what earlier builds saw in the bytes."""

    def __init__(self, library: Library, shop: Shop, cache: Cache | None) -> None:
        self._library = library
        self._shop = shop
        self._known = cache.plain if cache is not None else None

    def made(self, job: Job, content: Small) -> Result | None:
        """Return the result of a file that has been read, None if its engine has to see it."""
        recalled = self.recalled(job, content.sha256_hex, content.body)
        if recalled is not None:
            return recalled
        facts = engines.plain_engine(job.engine).plain_facts(job, content.body)
        if facts is None or holds_secret(content.body, media_type(job.logicals[0])):
            return None
        draft = copy.copied(job.sources[0], content, self._library, self._shop, facts)
        return self._kept(job, content.sha256_hex, draft, is_recalled=False)

    def recalled(self, job: Job, sha256_hex: str, body: bytes | None = None) -> Result | None:
        """Return the result of a file with that digest, None if it is not known. body: its bytes, where it was read."""
        held = body if body is not None and self._library.room_for(len(body)) else None
        draft = self._known.recalled(job, sha256_hex, held) if self._known is not None else None
        return self._kept(job, sha256_hex, draft, is_recalled=True) if draft is not None else None

    def keep(self, job: Job, result: Result) -> None:
        """Keep the result of a file that was published to the byte for later builds, if nothing is to be said of it.

        Of a file that may publish a secret, it is not said; of a copy under another name it would be.
        """
        (source,) = job.sources
        is_silent = not result.diagnostics and not is_allowed(self._shop.project, source.logical, source.shown)
        if self._known is not None and result.drafts and is_silent:
            self._known.keep(job, result.inputs[0].digest_hex, result.drafts[0])

    def _kept(self, job: Job, sha256_hex: str, draft: Draft, *, is_recalled: bool) -> Result:
        inputs = (Input(job.sources[0].file, sha256_hex),)
        result = Result((draft,), inputs=inputs, engine="copy", is_recalled=is_recalled)
        if self._known is not None:
            self._known.keep(job, sha256_hex, draft)
        return result
