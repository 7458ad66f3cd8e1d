"""Carrying the checks out against a server: one verdict for each."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tests.http.checks import CHECKS, ETAG, Check, Step
from tests.http.client import BadAnswer, Connection, request
from tests.http.site import Place, Site

__all__ = ["NOT_OFFERED", "verdicts"]

NOT_OFFERED = "n/a"
"""The verdict on a check that needs what the server leaves out by design."""


def verdicts(port: int, site: Site, offers: Collection[str]) -> Mapping[str, str]:
    """Return what is wrong for each check by its name, "" if nothing is."""
    known = _Tags(port, site)
    return {
        check.name: _verdict(port, site, check, known) if check.needs <= {*offers} else NOT_OFFERED
        for group in CHECKS.values()
        for check in group
    }


class _Tags:
    """The entity tags of a server's files, asked for once."""

    def __init__(self, port: int, site: Site) -> None:
        self._port, self._site = port, site
        self._found: dict[tuple[str, str], str] = {}

    def filled(self, step: Step, value: str) -> str:
        """Return a field's value with tags in the place of their marks. Raises `BadAnswer` if there is none."""
        for coding in ("", *self._site.places[step.place].bodies):
            mark = f"<etag {coding}>" if coding else ETAG
            if mark in value:
                value = value.replace(mark, self._tag(step.place, coding))
        return value

    def _tag(self, name: str, coding: str) -> str:
        if (name, coding) not in self._found:
            path = self._site.places[name].path
            with Connection(self._port) as connection:
                answer = connection.ask(request("GET", path, [("Accept-Encoding", coding)] if coding else []))
            tag = answer.field("etag")
            if tag is None or (answer.field("content-encoding") or "") != coding:
                raise BadAnswer(f"no ETag of {coding or 'the plain file'}")
            self._found[name, coding] = tag.removeprefix("W/")
        return self._found[name, coding]


def _verdict(port: int, site: Site, check: Check, known: _Tags) -> str:
    connection = Connection(port)
    try:
        for step in check.steps:
            if connection.is_over:
                connection.close()
                connection = Connection(port)
            place = site.places[step.place]
            fields = [(name, known.filled(step, value)) for name, value in step.fields]
            answer = connection.ask(request(step.method, _target(step, place), fields))
            for claim in step.claims:
                if fault := claim(answer, place):
                    return fault
    except BadAnswer as error:
        return str(error)
    finally:
        connection.close()
    return ""


def _target(step: Step, place: Place) -> str:
    """Return the request target; `{path}` is the place's, `{path:%63}` the same with that for its first `c`."""
    head, colon, written = step.target.partition("{path:")
    if colon:
        letters, _, tail = written.partition("}")
        return head + place.path.replace("/c", f"/{letters}", 1) + tail
    return step.target.replace("{path}", place.path) or place.path
