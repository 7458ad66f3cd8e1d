"""Values of Python that nobody runs: what is as good as written out is read, and the rest is known to be unknown."""

from __future__ import annotations

import ast
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.adopt.code import Code, Module
from assetbuild.adopt.literal import Literals, Unread
from assetbuild.disk import RealDisk
from tests.conftest import Tree


def value(folder: Path, text: str, name: str = "x") -> object:
    """Return the value of a name in a module `shop.code` with that text."""
    (folder / "shop/code.py").write_text(text)
    code = Code(str(folder), RealDisk())
    module = code.named("shop.code")
    assert module is not None
    return Literals(code).named(module, name)


@pytest.fixture
def shop(tree: Tree) -> Path:
    return tree({"shop/__init__.py": "", "shop/other.py": "A = ['a']\nB = 'b'\n"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = ['a', *('b', 'c')]\nx += ['d']\nx.append('e')\nx.extend(('f',))", list("abcdef")),
        ("x = {'a': 1, **dict(b=2)}", {"a": 1, "b": 2}),
        ("y = 'css'\nx = f'{y}/a.css' + '%s' % '!'", "css/a.css!"),
        ("x = 'a'\nx = 'b'", "b"),
        ("from .other import A, B\nx = [*A, B]", ["a", "b"]),
        ("from shop.other import *\nx = A", ["a"]),
        ("from shop import other\nx = other.B", "b"),
        ("import shop.other\nx = shop.other.B", "b"),
        ("from shop.other import *\nA += ['z']\nx = A", ["a", "z"]),
        ("x: list[str] = 'a b'.split()", ["a", "b"]),
        ("x = ('a', ['b'])[1][0]", "b"),
        ("x = ['a']\nx = x + ['b']\nx = ['0'] + x\nx += [len_]\nlen_ = 'c'", ["0", "a", "b", "c"]),
        ("from .other import A\nA = A + ['z']\nx = A", ["a", "z"]),
        ("with open('f') as f:\n    x = 'in'", "in"),
    ],
)
def test_what_is_written_out_is_read(shop: Path, text: str, expected: object) -> None:
    assert expected == value(shop, text)


@pytest.mark.parametrize(
    "text",
    [
        "from pathlib import Path\nx = Path(__file__).resolve().parent.parent / 'static'",
        "import pathlib\nx = pathlib.Path(__file__).parents[1].joinpath('static')",
        "import os\nx = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'static')",
        "from os.path import dirname, join\nx = join(dirname(dirname(__file__)), 'static')",
    ],
)
def test_paths_beside_the_file_are_read(shop: Path, text: str) -> None:
    found = value(shop, text)

    assert isinstance(found, str | PurePosixPath)
    assert (shop / "static").resolve() == Path(found).resolve()


@pytest.mark.parametrize(
    "text",
    [
        "import os\nx = os.environ['X']",
        "if a:\n    x = 1\nelse:\n    x = 2",
        "x = 1\nif a:\n    x = 2",
        "x = []\nx.insert(0, 'a')",
        "x = {}\nx['a'] = 1",
        "x = [y for y in z]",
        "x = x",
        "x = [os]",
        "x = 1 / 0",
        "x = 'a' % ()  % 3",
        "x = unknown('a')",
        "x = lambda: 1",
    ],
)
def test_what_only_running_tells_is_unread(shop: Path, text: str) -> None:
    with pytest.raises(Unread):
        value(shop, text)


def test_two_modules_that_import_each_other_end(shop: Path) -> None:
    (shop / "shop/other.py").write_text("from shop.code import *\n")

    with pytest.raises((KeyError, Unread)):
        value(shop, "from shop.other import *\n", "missing")


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=8,
)


@given(plain)
def test_every_literal_is_its_own_value(made: object) -> None:
    tree = ast.parse(f"x = {made!r}")
    module = Module("code.py", "/code.py", "", tree)

    assert made == Literals(Code("/nowhere", RealDisk())).named(module, "x")
