"""The reference cases of tests/conformance, in a real browser: what it asks the sources for, and the output for."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.conformance.cases import Case, Language, all_cases
from tests.conformance.judge import (
    Made,
    changed_tokens,
    compiled,
    expected_text,
    marked_targets,
    seen_problems,
    source_problems,
    target_of,
)
from tests.conformance.site import Seen, Site, visited
from tests.conftest import need

LANGUAGES: list[Language] = ["css", "js"]
BUNDLE = '[entries]\n"css/entry.css" = "css/app.css"\n'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Language], list[Made]]:
    """Return a function that compiles every case of a language, once."""
    known: dict[Language, list[Made]] = {}

    def make(language: Language) -> list[Made]:
        if language not in known:
            folder = tmp_path_factory.mktemp(language)
            cases = enumerate(all_cases(language))
            known[language] = [compiled(case, folder / str(number), settings_for(case)) for number, case in cases]
        return known[language]

    return make


def settings_for(case: Case) -> str:
    """Return the settings that make an entry of a stylesheet as well: its imports inlined, minified."""
    return BUNDLE if case.language == "css" and not case.unbundled else ""


def text_problems(made: Made) -> list[str]:
    wanted = {logical: expected_text(made, logical).removeprefix("\ufeff") for logical in made.case.texts}
    got = {logical: made.text(logical).removeprefix("\ufeff") for logical in made.case.texts}
    return [f"{made.case.name}: {got[each]!r} is not {wanted[each]!r}" for each in wanted if wanted[each] != got[each]]


def token_problems(made: Made) -> list[str]:
    changed = changed_tokens(made.case.plain(made.case.main).removeprefix("\ufeff"), made.text(made.case.main))
    if changed is None:
        return [f"{made.case.name}: a token that is no reference changed"]
    by_path = {path: logical for logical, path in made.paths.items()}
    got = [by_path.get(target_of(after, made.paths[made.case.main])) for _, after in changed]
    return [] if got == marked_targets(made.case) else [f"{made.case.name}: {got}"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_case_has_a_name_of_its_own_and_something_to_show(language: Language) -> None:
    cases = all_cases(language)

    names = [case.name for case in cases]
    assert {"css": 120, "js": 60}[language] <= len(cases)
    assert sorted(set(names)) == sorted(names)
    assert [] == [case.name for case in cases if case.unrequested.keys() - case.named]


@pytest.mark.parametrize("language", LANGUAGES)
def test_exactly_the_marked_places_change(language: Language, made: Callable[[Language], list[Made]]) -> None:
    assert [] == [problem for one in made(language) for problem in text_problems(one)]


def test_a_parser_that_is_not_ours_sees_only_the_marked_urls_change(made: Callable[[Language], list[Made]]) -> None:
    assert [] == [problem for one in made("css") for problem in token_problems(one)]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Language], list[Seen]]:
    """Return a function that opens the uncompiled tree of every case of a language, once."""
    known: dict[Language, list[Seen]] = {}

    def look(language: Language) -> list[Seen]:
        if language not in known:
            known[language] = looked([Site.of_source(case) for case in all_cases(language)])
        return known[language]

    return look


def looked(sites: list[Site]) -> list[Seen]:
    found = shutil.which("chromium")
    need("chromium", found is not None)
    return visited(found or "", sites)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_browser_asks_for_what_the_cases_say(language: Language, seen: Callable[[Language], list[Seen]]) -> None:
    judged = zip(all_cases(language), seen(language), strict=True)

    assert [] == [problem for case, one in judged for problem in source_problems(case, one)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_browser_asks_the_output_for_the_hashed_form_of_the_same_files_and_nothing_else(
    language: Language, made: Callable[[Language], list[Made]], seen: Callable[[Language], list[Seen]]
) -> None:
    judged = zip(made(language), seen(language), looked([one.site() for one in made(language)]), strict=True)

    assert [] == [problem for one, before, after in judged for problem in seen_problems(one, before, after)]


def test_a_browser_asks_a_bundled_and_minified_sheet_for_what_it_asks_the_sheets_for(
    made: Callable[[Language], list[Made]], seen: Callable[[Language], list[Seen]]
) -> None:
    """Where a sheet imports others; the rest differs from the sheet itself by rcssmin alone."""
    joined = [(one, old) for one, old in zip(made("css"), seen("css"), strict=True) if is_joined(one)]
    pages = looked([one.site("css/entry.css") for one, _ in joined])

    sheets = [frozenset(path for path in one.paths if path.endswith(".css")) for one, _ in joined]
    judged = zip(joined, pages, sheets, strict=True)
    assert 30 < len(joined)
    assert [] == [problem for (one, old), new, inlined in judged for problem in seen_problems(one, old, new, inlined)]


def is_joined(made: Made) -> bool:
    """Return whether the text under test is an entry too and imports a sheet."""
    names = made.case.named - made.case.unrequested.keys()
    return "css/entry.css" in made.paths and any(name.endswith(".css") for name in names)
