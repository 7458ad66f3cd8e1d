"""Copies: what an output takes from earlier releases, each file held against its manifest before any is taken.

Receives a lineage and the releases that it draws on; hands on what to copy. A variant that cannot be held against
anything is left behind: clients get the file itself.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import Disk
from assetbuild.exchange import Parts, without_variants
from assetbuild.manifest import SUFFIXES, Manifest
from assetbuild.release.decode import DecodeError, Undecodable, decoded
from assetbuild.release.errors import ReleaseError
from assetbuild.release.lineage import Lineage
from assetbuild.release.previous import Previous
from assetbuild.release.verify import verify_files

__all__ = ["Copies", "Copy", "copies_of"]


class Copy(NamedTuple):
    """A file or variant to be copied. source: of an earlier release; digest_hex: sha256 of what was verified."""

    source: Previous
    size: int
    digest_hex: str
    is_variant: bool = False

    def put(self, folder: str, path: str, disk: Disk) -> bool:
        """Put it at `folder/path`; return False if those bytes stood there already."""
        parts = self.source.tree.parts(posixpath.join(self.source.folder, path))
        is_new, digest_hex = disk.fill(folder, path, parts, self.size, self.digest_hex)
        if digest_hex != self.digest_hex:
            raise OSError(0, "the earlier release changed while it was read", self.source.shown_path(path))
        return is_new


class Copies(NamedTuple):
    """What is to be copied, by its path. lost: variant that is left behind → why, as a clause."""

    by_path: Mapping[str, Copy]
    lost: Mapping[str, str]

    def document(self, line: Lineage) -> dict[str, Any]:
        """Return the document of a lineage without the variants that are left behind."""
        return without_variants(line.document, self.lost)

    def parts(self, folder: str, disk: Disk) -> Parts:
        """Return what is to be put at its path in `folder`."""

        def expected(path: str) -> tuple[int, str]:
            return self.by_path[path].size, self.by_path[path].digest_hex

        copies = sorted(self.by_path.items())
        files = [path for path, copy in copies if not copy.is_variant]
        variants = [path for path, copy in copies if copy.is_variant]
        return Parts(files, variants, lambda path: self.by_path[path].put(folder, path, disk), expected)

    def warnings(self) -> list[Diagnostic]:
        """Return what to say of the variants that are left behind."""
        hint = "files are there in any case; clients get them without that compression"
        return [
            Diagnostic("lost-variants", "warning", f"{count:,} variants are not carried: {reason}", hint=hint)
            for reason, count in sorted(Counter(self.lost.values()).items())
        ]


def copies_of(line: Lineage, earlier: Sequence[Previous], disk: Disk, until: ExitStack) -> Copies:
    """Return what the lineage takes from each release; raise `ReleaseError` with all that is not what it should be.

    until: what was fetched stays so long.
    """
    by_path: dict[str, Copy] = {}
    lost: dict[str, str] = {}
    findings: list[Diagnostic] = []
    for number, release in enumerate(earlier):
        entries = {path: each.files[path] for each in line.ancestors for path in each.paths_of(number)}
        source = release.having(entries, disk, until)
        report = verify_files(source.folder, source.tree, Manifest(source.content), entries)
        unread = {coding for entry in entries.values() for coding in entry.get("enc", ()) if not _can_decode(coding)}
        for path, entry in entries.items():
            by_path[path] = Copy(source, entry["size"], report.digests.get(path, ""))
            for coding, size in entry.get("enc", {}).items():
                variant = path + SUFFIXES[coding]
                if variant in source.lost:
                    lost[variant] = f"`{release.shown}` has no URL for them"
                elif coding in unread:
                    lost[variant] = f"no decoder of {coding} is installed, such as `assetbuild[compile]` brings"
                else:
                    by_path[variant] = Copy(source, size, report.digests.get(variant, ""), is_variant=True)
        findings += _told(release, [each for each in report.diagnostics if _path(each) not in source.lost])
    if findings:
        raise ReleaseError(findings)
    return Copies(by_path, lost)


def _told(release: Previous, found: Sequence[Diagnostic]) -> Iterator[Diagnostic]:
    """Yield the findings in a release with the place where people find it."""
    for each in found:
        span = Span(release.shown_path(_path(each)))
        yield each._replace(span=span, hint=f"carry without `{release.shown}`, or mend it")


def _path(found: Diagnostic) -> str:
    return found.span.path if found.span else ""


def _can_decode(coding: str) -> bool:
    try:
        decoded(coding, b"", 0)
    except Undecodable:
        return False
    except DecodeError:
        pass  # nothing is not a stream
    return True
