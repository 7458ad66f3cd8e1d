"""CSS lowered and minified by the real esbuild."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assetbuild.compiler.engines.base import Shop
from assetbuild.compiler.engines.esbuild import Esbuild, EsbuildFault, lower
from assetbuild.compiler.model import Ref
from assetbuild.compiler.project import Project
from assetbuild.compiler.resolve import Inventory
from assetbuild.compiler.tokens import Tokens
from assetbuild.diagnostic import Span
from tests import esbuild_shop


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with Esbuild(esbuild_shop.argv()) as service:
        yield esbuild_shop.shop_of(Project("/project", "/project/build", ()), Inventory({}, {}, {}), service)


def test_nesting_is_lowered_for_old_targets_and_kept_for_new_ones(shop: Shop) -> None:
    text = ".a { color: red; &:hover { inset: 0 } }"

    assert ".a{color:red}.a:hover{top:0;right:0;bottom:0;left:0}\n" == lower.css(text, ["chrome80"], True, shop)
    assert ".a{color:red;&:hover{inset:0}}\n" == lower.css(text, ["chrome130"], True, shop)
    assert ".a {\n  color: red;\n}\n.a:hover {\n  inset: 0;\n}\n" == lower.css(text, ["chrome100"], False, shop)


def test_tokens_stay_whole_wherever_they_stand(shop: Shop) -> None:
    tokens = Tokens("sheet")
    t = [tokens.token(Ref(f"img/{number}.png")) for number in range(12)]
    text = f"""
      @import "{t[0]}" layer(x);
      @font-face {{ font-family: F; src: url({t[1]}?#iefix) format("woff2"), url("{t[2]}#f") }}
      :root {{ --a: url({t[3]}); --b: "{t[4]}" }}
      .a {{ background: image-set("{t[5]}" 1x, url({t[6]}) 2x); & b {{ mask: URL( '{t[7]}' ) }} }}
      @supports (x: y) {{ @container (width > 1px) {{ c {{ cursor: url({t[8]}), auto }} }} }}
      @unknown {{ d {{ e: url({t[9]}) }} }}
      f {{ background: url({t[10]}); background: src("{t[11]}") }}"""

    for targets in ([], ["chrome80", "safari13"]):
        for is_minified in (False, True):
            made = lower.css(text, targets, is_minified, shop)

            assert () == tokens.missing_from(made), (targets, is_minified)
            refs = [piece for piece in tokens.cut(made) if isinstance(piece, Ref)]
            assert {f"img/{number}.png" for number in range(12)} == {ref.target for ref in refs}


def test_licence_comments_stay_and_others_go(shop: Shop) -> None:
    assert "/*! keep */a{b:c}\n" == lower.css("/*! keep */ /* drop */ a{b:c}", [], True, shop)


def test_text_that_is_not_ascii_stays_as_it_is(shop: Shop) -> None:
    assert 'a{content:"→ é"}\n' == lower.css('a{content:"→ é"}', [], True, shop).removeprefix('@charset "UTF-8";')


def test_a_warning_has_its_place_and_the_written_names(shop: Shop) -> None:
    tokens = Tokens("sheet")
    text = f"a {{\n  background: url({tokens.token(Ref('img/x.png'))}); colr: red\n}}"

    made = lower.css_with_findings(text, [], False, shop, shown="css/a.css", restored=tokens.restore)

    found = made.diagnostics[0]
    assert ("unsupported-css-property", "warning") == (found.rule, found.severity)
    assert "`colr` is not a known CSS property" == found.message
    assert "did you mean `color` instead?" == found.hint
    assert Span("css/a.css", 2, 31, 4, "  background: url(img/x.png); colr: red") == found.span


def test_an_unknown_target_is_an_error_that_names_it(shop: Shop) -> None:
    with pytest.raises(EsbuildFault, match="esbuild refuses its options: invalid target `netscape4`"):
        lower.css("a{b:c}", ["netscape4"], True, shop)
