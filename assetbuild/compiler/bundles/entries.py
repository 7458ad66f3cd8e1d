"""What bundles mean for the plan: entries with their sources found, and the names that stand for them.

Receives bundles and the survey; hands on entries, what old builds of webassets left in the roots and gives way, and
the `bundles` of the manifest.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from assetbuild.compiler.bundles import VERSION, VERSIONS, Bundle, Bundles, Output
from assetbuild.compiler.model import Source
from assetbuild.compiler.project import Project
from assetbuild.compiler.survey import Survey
from assetbuild.diagnostic import Diagnostic, Span, nearest

__all__ = ["BundleEntry", "Planned", "planned", "without_version"]


class BundleEntry(NamedTuple):
    """An entry for the engine `filters`. options: what decides it, with `target`, where webassets would write it."""

    logical: str
    sources: tuple[Source, ...]
    options: Mapping[str, Any]
    place: str


class Planned(NamedTuple):
    """What the plan takes over. old: logical path of a published file that gives way → why."""

    entries: tuple[BundleEntry, ...] = ()
    named: Mapping[str, Mapping[str, Any]] = {}
    old: Mapping[str, str] = {}
    diagnostics: tuple[Diagnostic, ...] = ()


def planned(bundles: Bundles, project: Project, survey: Survey) -> Planned:
    """Return the entries of `bundles` in the order of their logical paths."""
    made = _Planning(bundles, project, survey)
    entries: dict[str, BundleEntry] = {}
    logicals = [made.logical(output) for output in bundles.outputs]
    for logical, output in zip(logicals, bundles.outputs, strict=True):
        entry = made.entry(logical, output)
        other = entries.setdefault(logical, entry)
        if logical and (other.sources, other.options) != (entry.sources, entry.options):
            message = f"`{other.place}` and `{entry.place}` both make `{logical}`"
            made.fault("two-sources", message, "give one of them another `output`")
    ready = {logical: entry for logical, entry in entries.items() if logical and entry.sources}
    named = {name: made.named(name, bundle, logicals, ready) for name, bundle in sorted(bundles.named.items())}
    return Planned(
        tuple(ready[logical] for logical in sorted(ready)),
        # A bundle that exists inside others only: a page that asks for it learns that there is no such name.
        {name: found for name, found in named.items() if found["assets"]},
        made.old(bundles.outputs),
        (*bundles.diagnostics, *made.problems),
    )


class _Planning:
    """Finds sources; collects what goes wrong instead of stopping at the first."""

    def __init__(self, bundles: Bundles, project: Project, survey: Survey) -> None:
        self.problems: list[Diagnostic] = []
        self._project = project
        self._survey = survey
        self._by_file = {os.path.realpath(one.file): one for one in survey.sources.values()} if bundles.named else {}
        self._makers = {name: output.bundle for output in bundles.outputs for name in (output.file, output.written)}
        self._name, self._place = "", Span("")

    def logical(self, output: Output) -> str:
        """Return the logical path of an output without its version, "" if it cannot have one."""
        self._name, self._place = output.bundle, output.place
        written = without_version(output.written)
        file = without_version(output.file)
        for root in self._project.roots:
            if file.startswith(os.path.join(root.folder, "")):
                written = posixpath.join(root.mount, *os.path.relpath(file, root.folder).split(os.sep))
                break
        written = posixpath.normpath(written)
        if posixpath.basename(written).startswith("."):
            message = f"output `{output.written}` is nothing but a version"
            return self.fault("bad-output", message, "give it a name, such as `gen/app.%(version)s.css`")
        if written.startswith(("/", "../")):
            message = f"output `{output.written}` lies outside the project's roots"
            return self.fault("bad-output", message, "write a path that is relative to the environment's directory")
        if not written.endswith((".css", ".js")):
            return self.fault("bad-output", f"output `{output.written}` must end in `.css` or `.js`")
        return written

    def entry(self, logical: str, output: Output) -> BundleEntry:
        """Return the entry of an output; what is missing in it is reported."""
        self._name, self._place = output.bundle, output.place
        sources: dict[str, Source] = {}
        place = f"{output.place.path}:{output.place.line}" if output.place.line else output.place.path
        target = self._relative(without_version(output.file))
        options = {**self._options(output.tree, sources), "target": target}
        return BundleEntry(logical, tuple(sources.values()), options, place)

    def named(
        self, name: str, bundle: Bundle, logicals: list[str], ready: Mapping[str, BundleEntry]
    ) -> Mapping[str, Any]:
        """Return what the manifest says of a name."""
        self._name, self._place = name, bundle.place
        assets = []
        for part in bundle.parts:
            if isinstance(part, int):
                assets.append(logicals[part])
                continue
            if isinstance(part, tuple):
                self._missing(part[0])
                continue
            source = self._source(part)
            if source.logical in self._survey.published or source.logical in ready:
                assets.append(source.logical)
            elif bundle.is_merged:
                return {"assets": []}
            else:
                why = self._survey.withheld.get(source.logical, "lies in no root")
                message = f"`{source.shown}` is used as it is and not published: it {why}"
                self.problems.append(
                    Diagnostic("unpublished", "error", message, bundle.place, "give the bundle an output")
                )
        return {"assets": list(dict.fromkeys(filter(None, assets))), "extra": dict(bundle.extra)}

    def old(self, outputs: tuple[Output, ...]) -> dict[str, str]:
        """Return the published files that an earlier build of webassets left where the outputs go."""
        patterns = [re.compile(VERSIONS.join(map(re.escape, output.file.split(VERSION)))) for output in outputs]
        return {
            logical: "is an old build of a bundle"
            for logical in sorted(self._survey.published)
            if any(pattern.fullmatch(self._survey.sources[logical].file) for pattern in patterns)
        }

    def fault(self, rule: str, message: str, hint: str = "") -> str:
        """Add an error about the bundle at hand; return no name."""
        self.problems.append(Diagnostic(rule, "error", message, self._place, hint))
        return ""

    def _options(self, tree: Mapping[str, Any], sources: dict[str, Source]) -> dict[str, Any]:
        contents: list[Any] = []
        for item in tree["contents"]:
            if "contents" in item:
                contents.append(self._options(item, sources))
            elif "file" in item and item["file"] not in self._makers:
                sources.setdefault(item["file"], self._source(item["file"]))
                contents.append(list(sources).index(item["file"]))
            else:
                self._missing(item.get("file") or item["missing"])
        kept = {"filters": tree["filters"], "inherited": tree["inherited"], "config": tree["config"]}
        return {**kept, "contents": contents, "depends": [self._relative(file) for file in tree["depends"]]}

    def _source(self, file: str) -> Source:
        known = self._by_file.get(os.path.realpath(file))
        if known:
            return known
        shown = self._relative(file)
        is_inside = not os.path.isabs(shown)
        is_own = is_inside and not {"node_modules", "site-packages"} & set(shown.split("/"))
        if not is_inside:  # an installed package: no place of this machine may reach the manifest
            _, is_installed, inside = file.replace(os.sep, "/").rpartition("/site-packages/")
            shown = inside if is_installed else posixpath.basename(inside)
        return Source(shown, file, shown, is_own)

    def _relative(self, file: str) -> str:
        inside = os.path.relpath(file, self._project.folder).replace(os.sep, "/")
        return file if inside.startswith("../") else inside

    def _missing(self, written: str) -> None:
        maker = self._makers.get(written)
        if maker:
            message = f"`{self._relative(written)}` of bundle `{self._name}` is built by bundle `{maker}`"
            self.fault("built-source", message, "put that bundle itself in its place")
            return
        near = nearest(written, self._survey.sources)
        message = f"`{written}` of bundle `{self._name}` is not there"
        self.fault("missing-source", message, f"did you mean `{near}`?" if near else "")


def without_version(path: str) -> str:
    """Return an output without its placeholder and the separator that goes with it."""
    kept = []
    for segment in path.split("/"):
        if VERSION in segment:
            stem, ext = posixpath.splitext(segment)
            bare = re.sub(r"[-._]?%\(version\)s", "", stem)
            bare = bare[1:] if stem.startswith(VERSION) and bare[:1] in {"-", ".", "_"} else bare
            kept += [bare + ext] if bare or ext else []
        else:
            kept.append(segment)
    return "/".join(kept)
