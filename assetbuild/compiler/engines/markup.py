"""Markup: an SVG, XHTML or HTML file is published as itself, but for its references."""

from __future__ import annotations

import re
from collections.abc import Iterable

from assetbuild.compiler.door import Refused, admit
from assetbuild.compiler.engines import copy
from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.judge import missing_rule
from assetbuild.compiler.engines.relink import PAGES, relinked
from assetbuild.compiler.engines.svg import tell
from assetbuild.compiler.files import Reading
from assetbuild.compiler.media import extension_of
from assetbuild.compiler.model import Facts, Job, RefStyle, Result, Source
from assetbuild.compiler.refs.markup import HTML, XML, Problem, declared_encoding, may_refer, survey
from assetbuild.compiler.refs.markup.active import Active, may_act
from assetbuild.compiler.refs.written import Written
from assetbuild.diagnostic import Diagnostic, span_at

__all__ = ["build", "plain_facts"]

# With a scheme or a host, from the root, or inside the document: `<base>` changes the meaning of all others.
_FIRM = re.compile(r"[/#]|[A-Za-z][A-Za-z0-9+.-]*:")
_PLAIN = Facts()
_PROBLEMS = {
    "entity": ("holds an entity that the document declares", "write out what the entity stands for"),
    "split": ("is divided by markup", "write it in one piece"),
}


def build(job: Job, reading: Reading, shop: Shop) -> Result:
    """Return the draft of the one source of `job`."""
    (source,) = job.sources
    try:
        text = reading.text(source.file)
    except Refused as refused:
        return _refused(refused, job, reading, shop)
    extension = extension_of(source.logical)
    found = survey(text, HTML if extension in {".html", ".htm"} else XML)
    findings = [_problem(problem, text, source) for problem in found.problems]
    removed: tuple[Active, ...] = ()
    if extension == ".svg":
        activity = tell(text, source, shop.project)
        findings += activity.diagnostics
        removed = activity.removed
    references: Iterable[Written] = found.references
    if found.base is not None:
        references = [ref for ref in found.references if _FIRM.match(ref.value)]
        if any(ref.kind == "url" for ref in {*found.references} - {*references}):
            message = "`<base>` changes what relative references mean: they are left as they are"
            place = span_at(source.shown, text, *found.base)
            findings.append(Diagnostic("base-element", "warning", message, place, "write them from the root"))

    def style_of(written: str) -> RefStyle:
        is_rooted = written.startswith(("/", shop.project.urls.public or shop.project.base))
        return "rooted" if is_rooted and extension in PAGES else "url"

    return relinked(
        job,
        text,
        tuple(references),
        reading=reading,
        shop=shop,
        style_of=style_of,
        findings=findings,
        removed=[(part.start, part.end) for part in removed],
    )


def plain_facts(job: Job, content: bytes) -> Facts | None:
    """Return the facts of a document that can refer to nothing and of which nothing is to be said, None for others."""
    if may_refer(content) or (extension_of(job.logicals[0]) == ".svg" and may_act(content)):
        return None
    try:
        admit(content, "")
    except Refused:
        return None
    return _PLAIN


def _refused(refused: Refused, job: Job, reading: Reading, shop: Shop) -> Result:
    """Return the file as it is with a warning, if it is not ours to mend; raise what to do if it is."""
    (source,) = job.sources
    encoding = declared_encoding(reading.read(source.file))
    hint = f"save the file as UTF-8, and write that in the place of `{encoding}` in its first line" if encoding else ""
    findings = [found._replace(hint=hint or found.hint) for found in refused.diagnostics]
    if missing_rule(source, shop.project) == "error":
        raise Refused(findings)
    copied = copy.build(job, reading, shop)
    return copied._replace(diagnostics=tuple(found._replace(severity="warning") for found in findings))


def _problem(problem: Problem, text: str, source: Source) -> Diagnostic:
    what, hint = _PROBLEMS[problem.kind]
    place = span_at(source.shown, text, problem.start, problem.end)
    return Diagnostic("unreadable-reference", "warning", f"reference {what} and is left as it is", place, hint)
