"""Where the keys and values of a TOML text stand."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler.config.locate import locate, written

KEYS = st.sampled_from(["a", "b-c", "d.e", 'f"g', "h i", "", "ü", "[", "#", "0"])
LEAVES = st.one_of(
    st.sampled_from(["", "x", "a#b", "]", "}", '"', "'''", '"""', "a\nb", "\\", "=", ","]),
    st.integers(-9, 9),
    st.booleans(),
    st.just(1.5),
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)
LISTS = ["[[list]]", "[[ list ]] # c"]
SPACE = st.sampled_from(["", " ", "\t", "  "])
BLANK = st.sampled_from(["", " ", "\n", ' # a ] } = " comment\n', "\r\n\t"])


@st.composite
def toml_documents(draw: st.DrawFn) -> str:
    """Return a TOML text: keys and values in every notation, tables inline and in headers, comments between."""

    def key(name: str) -> str:
        bare = name.isascii() and name.replace("-", "").isalnum()
        return name if bare and draw(st.booleans()) else json.dumps(name)

    def text(value: str) -> str:
        forms = [json.dumps(value)]
        if "'" not in value and "\n" not in value:
            forms.append(f"'{value}'")
        if "'''" not in value:
            forms.append(f"'''\n{value}'''" if not value.endswith("'") else json.dumps(value))
        forms.append('"""' + value.replace("\\", "\\\\").replace('"', '\\"') + '"""')
        if value == '"':
            forms.append('"""x""""')  # a multi-line string may end in quotes of its own
        return draw(st.sampled_from(forms))

    def inline(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ",".join(pair(k, v) for k, v in value.items()) + "}"
        if isinstance(value, list):
            comma = "," if draw(st.booleans()) and value else ""
            items = ",".join(f"{draw(BLANK)}{inline(item)}{draw(BLANK)}" for item in value)
            return f"[{items}{comma}{draw(BLANK)}]"
        return text(value) if isinstance(value, str) else json.dumps(value)

    def pair(name: str, value: Any) -> str:
        return f"{draw(SPACE)}{key(name)}{draw(SPACE)}={draw(SPACE)}{inline(value)}{draw(SPACE)}"

    pairs = draw(st.dictionaries(KEYS, VALUES, max_size=4)).items()
    lines = [pair(name, value) + draw(st.sampled_from(["", "# c"])) for name, value in pairs]
    for number in range(draw(st.integers(0, 3))):
        lines += [
            draw(st.sampled_from([*LISTS, f"[table{number}]", f'[table{number} . "x.y"]'])),
            f"k{draw(SPACE)}={draw(SPACE)}{inline(draw(VALUES))}",
            "p.q = 1",
        ]
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines)


@given(toml_documents())
def test_every_value_of_a_toml_text_is_found_at_its_place(text: str) -> None:
    document = tomllib.loads(text)

    places = locate(text, document)

    assert bool(places) == bool(document)
    for path, place in places.items():
        value: Any = document
        for step in path:
            value = value[step]
        spelled = text[slice(*place.value)]
        if not spelled.startswith("[") and not isinstance(value, dict):
            assert tomllib.loads(f"x = {spelled}")["x"] == value
        if isinstance(path[-1], str):
            spelled_key = text[slice(*place.key)]
            assert path[-1] in tomllib.loads(f"{spelled_key} = 1")


def test_a_place_that_is_not_certain_points_at_the_whole_file() -> None:
    assert locate("a = 1\n", {"a": 1, "b": 2}) == {}


def test_a_path_is_written_as_in_the_file() -> None:
    assert written(("entries", "js/app.js", "classic", 1)) == 'entries."js/app.js".classic[1]'
