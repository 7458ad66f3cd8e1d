"""What a render begins with: the same names as in Jinja, at a lower price."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment, Template
from jinja2.nativetypes import NativeEnvironment
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from assetbuild import Assets
from assetbuild.manifest import Manifest, dump
from assetbuild.web.jinja import install
from tests.manifests import document, file_entry

ASSETS = Assets(Manifest(dump(document({"a.css": {"file": "a-1.css"}}, {"a-1.css": file_entry()}))))
KINDS = pytest.mark.parametrize("kind", [Environment, SandboxedEnvironment, NativeEnvironment])


def installed(env: Environment) -> Environment:
    install(env, ASSETS)
    return env


def calls_of(render: Callable[[], object]) -> int:
    """Return how many functions written in Python a render calls."""
    calls: list[str] = []
    sys.setprofile(lambda frame, event, _: calls.append(frame.f_code.co_name) if event == "call" else None)
    try:
        render()
    finally:
        sys.setprofile(None)
    return len(calls)


@KINDS
@pytest.mark.parametrize(
    "text", ["<p>literal</p>", "{{ x }}{% for i in [1, 2] %}{{ i }}{{ range(2)|list }}{% endfor %}"]
)
def test_a_page_without_assets_costs_no_more_than_in_an_environment_without_them(
    kind: type[Environment], text: str
) -> None:
    plain, ours = kind().from_string(text), installed(kind()).from_string(text)

    assert calls_of(plain.render) >= calls_of(ours.render)


@pytest.mark.parametrize("prefix", [None, lambda: ""], ids=["folded", "asked"])
def test_what_a_page_costs_does_not_grow_with_the_globals_of_its_environment(prefix: Any) -> None:
    env = Environment()
    install(env, ASSETS, prefix=prefix)
    template = env.from_string("<p>{{ asset_url('a.css') }}</p>")
    few = calls_of(template.render)

    env.globals.update({f"global{number}": number for number in range(100)})

    assert few == calls_of(template.render)


WORDS = st.dictionaries(st.sampled_from(["x", "y", "asset_url", "range"]), st.integers(0, 9))
TEXTS = {
    "page": "{% extends 'base' %}{% block b %}{{ super() }}{{ x }}{% include 'part' %}"
    "{% include 'part' without context %}{% import 'macros' as m %}{{ m.m() }}"
    "{% from 'macros' import m with context %}{{ m() }}{% endblock %}",
    "base": "{% set y = 'set' %}{% block b %}{{ x }}{{ y }}{% endblock %}",
    "part": "({{ x }}{{ y }}{{ asset_url is number }}{{ range is number }})",
    "macros": "{% macro m() %}[{{ x }}{{ y }}{{ asset_url is number }}]{% endmacro %}",
}


@given(
    kind=st.sampled_from([Environment, SandboxedEnvironment, NativeEnvironment]),
    is_async=st.booleans(),
    of_environment=WORDS,
    of_template=WORDS,
    later=WORDS,
    of_page=WORDS,
)
@settings(max_examples=50, deadline=None)
def test_the_nearest_meaning_of_a_name_counts_as_in_jinja(
    kind: type[Environment],
    is_async: bool,
    of_environment: dict[str, int],
    of_template: dict[str, int],
    later: dict[str, int],
    of_page: dict[str, int],
) -> None:
    pages: list[object] = []
    for is_ours in (False, True):
        env = kind(loader=DictLoader(TEXTS), enable_async=is_async)
        env.globals["asset_url"] = str
        if is_ours:
            install(env, ASSETS)
        env.globals.update(of_environment)
        template = env.get_template("page", globals=of_template)
        env.globals.update(later)
        pages.append(asyncio.run(template.render_async(of_page)) if is_async else template.render(of_page))

    assert pages[0] == pages[1]


def test_a_module_of_a_template_has_globals_variables_and_locals() -> None:
    env = installed(Environment())
    env.globals["x"] = "global"
    template = env.from_string("{% set found = [x, y, z, asset_url('a.css')] %}")

    module = template.make_module({"y": "variable"}, locals={"z": "local"})

    assert ["global", "variable", "local", "/static/a-1.css"] == module.found  # type: ignore[attr-defined]


def test_what_shares_a_context_sees_nothing_but_that_context() -> None:
    template = installed(Environment()).from_string("{{ x }}{{ range is defined }}")

    assert "1False" == "".join(template.root_render_func(template.new_context({"x": 1}, shared=True)))


def test_a_page_changes_nothing_of_the_globals() -> None:
    env = installed(Environment())
    template = env.from_string("{% set range = 1 %}{{ range }}", globals={"x": 1})
    before = dict(template.globals)

    assert "1" == template.render(x=2, asset_url=3)
    assert before == dict(template.globals)


def test_a_template_class_that_makes_contexts_of_its_own_goes_on_to() -> None:
    class Theirs(Template):
        def new_context(
            self,
            vars: dict[str, Any] | None = None,  # noqa: A002
            shared: bool = False,
            locals: Mapping[str, Any] | None = None,  # noqa: A002
        ) -> Context:
            return super().new_context(vars if shared else {"site": "theirs", **(vars or {})}, shared, locals)

    class Environ(Environment):
        template_class = Theirs

    env = installed(Environ())
    install(env, ASSETS)

    assert "theirs /static/a-1.css" == env.from_string("{{ site }} {{ asset_url('a.css') }}").render()


def test_globals_that_are_no_chain_are_left_to_jinja() -> None:
    class Environ(Environment):
        def make_globals(self, d: Any) -> Any:
            return {**self.globals, **(d or {}), "own": "made"}

    template = installed(Environ()).from_string("{{ own }} {{ asset_url('a.css') }}", globals={"x": 1})

    assert "made /static/a-1.css" == template.render()
