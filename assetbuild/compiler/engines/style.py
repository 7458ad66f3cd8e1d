"""A stylesheet entry: a Sass source is compiled first, then the CSS room finishes it as it finishes plain CSS.

Receives a job with one source; hands on one draft. Which Sass compiles it is the job's option `sass`, never a guess.
"""

from __future__ import annotations

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.files import Reading
from assetbuild.compiler.media import media_type
from assetbuild.compiler.model import Draft, Facts, Job, Result

__all__ = ["build"]

_SASS_EXTENSIONS = (".scss", ".sass")


def build(job: Job, reading: Reading, shop: Shop) -> Result:
    """Return the draft of the entry. Options: those of the CSS room, and `sass`: "dart-sass" or "libsass"."""
    from assetbuild.compiler.engines import css

    (source,), (logical,) = job.sources, job.logicals
    if not source.file.endswith(_SASS_EXTENSIONS):
        return css.build(job, reading, shop)
    engine = str(job.options["sass"])
    if engine == "libsass":
        from assetbuild.compiler.engines import libsass

        compiled = libsass.compile(source, reading, shop)
    else:
        from assetbuild.compiler.engines import sass

        compiled = sass.compile(source, reading, shop)
    origin = compiled.origin
    finished = css.bundle_and_finish(
        compiled.css, source, logical, reading, shop, job.options, origin, trail=origin.place
    )
    facts = Facts(kind="style", is_entry=True, source=source.shown)
    draft = Draft(logical, media_type(logical), finished.pieces, facts, trace=finished.trace)
    diagnostics = (*compiled.diagnostics, *finished.diagnostics)
    tools = {engine: compiled.version, **finished.tools}
    return Result((draft,), finished.found, reading.inputs(), reading.absent(), diagnostics, tools)
