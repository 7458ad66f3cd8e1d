"""What people see: whole outputs, carets under the right cells, nothing that acts on a terminal."""

from __future__ import annotations

import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.cli.cells import cells, shown
from assetbuild.cli.render import Look, ReaderGone, Terminal, as_json, counted, look_of, report, seconds, size
from assetbuild.diagnostic import Diagnostic, Note, Span, span_at

PLAIN = Look()
CSS = ".a{background:url(img/logo.png)}\n.b{}\n"


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def missing(text: str = CSS, word: str = "img/logo.png", path: str = "css/site.css") -> Diagnostic:
    start = text.index(word)
    span = span_at(path, text, start, start + len(word))
    return Diagnostic("missing-reference", "error", f"`{word}` is not in any asset root", span)


def test_an_error_shows_its_place_its_line_and_one_thing_to_do() -> None:
    found = missing()._replace(hint="did you mean `../img/logo.png`?")

    assert report([found], PLAIN) == (
        "error: `img/logo.png` is not in any asset root [missing-reference]\n"
        "  css/site.css:1:19\n"
        "  1 │ .a{background:url(img/logo.png)}\n"
        "    │                   ^^^^^^^^^^^^\n"
        "  did you mean `../img/logo.png`?\n"
        "\n"
        "1 error\n"
    )


def test_findings_are_sorted_by_place_shown_once_and_counted() -> None:
    late = Diagnostic("b", "warning", "later", Span("b.css", 2, 1))
    early = Diagnostic("a", "error", "earlier", Span("a.css", 12, 0))
    whole = Diagnostic("c", "error", "of the whole file", Span("c.css"))
    note = Diagnostic("d", "note", "said by the way")

    assert report([late, whole, early, note, late], PLAIN) == (
        "note: said by the way [d]\n"
        "\n"
        "error: earlier [a]\n"
        "  a.css:12\n"
        "\n"
        "warning: later [b]\n"
        "  b.css:2:1\n"
        "\n"
        "error: of the whole file [c]\n"
        "  c.css\n"
        "\n"
        "2 errors, 1 warning\n"
    )


def test_without_findings_nothing_is_said() -> None:
    assert report([], PLAIN) == ""


def test_notes_alone_are_not_counted() -> None:
    assert report([Diagnostic("a", "note", "by the way")], PLAIN) == "note: by the way [a]\n"


def test_a_second_place_is_shown_under_the_first() -> None:
    text = '@import "a";\n@import "b";\n'
    found = Diagnostic(
        "import-cycle",
        "error",
        "`b` imports itself",
        span_at("x.scss", text, 21, 24),
        notes=(Note("through `a`", span_at("x.scss", text, 8, 11)), Note("nothing was compiled")),
    )

    assert report([found], PLAIN) == (
        "error: `b` imports itself [import-cycle]\n"
        "  x.scss:2:9\n"
        '  2 │ @import "b";\n'
        "    │         ^^^\n"
        "  note: through `a`\n"
        "  x.scss:1:9\n"
        '  1 │ @import "a";\n'
        "    │         ^^^\n"
        "  note: nothing was compiled\n"
        "\n"
        "1 error\n"
    )


def test_a_group_is_shown_once_with_its_count_and_its_first_places() -> None:
    found = [
        Diagnostic("sass-deprecation", "warning", "`@import` is deprecated", Span(f"{name}.scss", 1, 9), group="import")
        for name in "fbacde"
    ]

    assert report(found, PLAIN) == (
        "warning: `@import` is deprecated [sass-deprecation]\n"
        "  a.scss:1:9\n"
        "  5 more like this: b.scss:1:9, c.scss:1:9, d.scss:1:9 and 2 more\n"
        "\n"
        "6 warnings\n"
    )


def test_a_message_of_several_lines_stays_indented() -> None:
    assert report([Diagnostic("a", "error", "first\nsecond", hint="do\nthis")], PLAIN) == (
        "error: first [a]\n  second\n  do\n  this\n\n1 error\n"
    )


@pytest.mark.parametrize(
    ("before", "carets_at"),
    [("\t", 4), ("  \t", 4), ("日本", 4), ("e\u0301", 1), ("\x1b", 1), ("\u202e", 8), ("a\u200db", 2)],
)
def test_carets_stand_under_the_right_cell(before: str, carets_at: int) -> None:
    line, carets = report([missing(f"{before}x", "x")], PLAIN).split("\n")[2:4]

    assert carets == f"    │ {' ' * carets_at}^"
    assert cells_of(line.removeprefix("  1 │ ").removesuffix("x")) == carets_at


def cells_of(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(char) == "W" for char in text)
    return len(text) + wide - sum(unicodedata.category(char) == "Mn" or char == "\u200d" for char in text)


def test_carets_are_as_wide_as_what_they_stand_under() -> None:
    assert report([missing("a日本b", "日本")], PLAIN).split("\n")[3] == "    │  ^^^^"


def test_a_place_at_the_end_of_a_line_has_one_caret_behind_it() -> None:
    found = Diagnostic("open", "error", "`(` is not closed", span_at("a.css", "a(\n", 2))

    assert report([found], PLAIN).split("\n")[2:4] == ["  1 │ a(", "    │   ^"]


def test_a_long_line_is_cut_around_its_carets() -> None:
    found = missing("x" * 150 + "HERE" + "y" * 300, "HERE")

    line, carets = report([found], PLAIN).split("\n")[2:4]

    assert line == "  1 │ …" + "x" * 25 + "HERE" + "y" * 71 + "…"
    assert carets == "    │ " + " " * 26 + "^^^^"


def test_the_end_of_a_long_line_fills_the_window() -> None:
    found = missing("x" * 300 + "HERE", "HERE")

    assert report([found], PLAIN).split("\n")[2:4] == ["  1 │ …" + "x" * 96 + "HERE", "    │ " + " " * 97 + "^^^^"]


def test_a_place_that_is_longer_than_the_window_is_underlined_as_far_as_it_is_seen() -> None:
    found = missing("a" * 250, "a" * 250)

    assert report([found], PLAIN).split("\n")[2:4] == ["  1 │ " + "a" * 100 + "…", "    │ " + "^" * 100]


def test_nothing_of_a_source_or_a_name_acts_on_the_terminal() -> None:
    found = Diagnostic(
        "r", "error", "`\x1b[2J` \u202e \x9b0m", Span("a\x07\u2028.css", 1, 1, 1, "\x1b]0;x\x07\r\x00", 1), "\x08"
    )

    assert report([found], PLAIN) == (
        "error: `␛[2J` <U+202E> <U+009B>0m [r]\n  a␇<U+2028>.css:1:1\n  1 │ ␛]0;x␇␍␀\n    │ ^\n  ␈\n\n1 error\n"
    )


def test_no_line_is_a_command_to_the_machine_that_keeps_the_log() -> None:
    """GitHub's runner obeys a line that begins with two colons, however far it is indented."""
    command = "\n ::stop-commands::x"
    found = Diagnostic("r", "error", "`a" + command, Span("::b" + command), "c" + command, (Note("d" + command),))

    shown = """\
error: `a [r]
  : :stop-commands::x
  : :b
  : :stop-commands::x
  c
  : :stop-commands::x
  note: d
  : :stop-commands::x

1 error
"""
    assert shown == report([found], Look())


def test_a_stream_without_unicode_gets_ascii() -> None:
    found = missing("/* ü */ url(日.png)", "日.png")

    text = report([found], Look(is_unicode=False))

    assert text == (
        "error: `<U+65E5>.png` is not in any asset root [missing-reference]\n"
        "  css/site.css:1:13\n"
        "  1 | /* <U+00FC> */ url(<U+65E5>.png)\n"
        "    |                    ^^^^^^^^^^^^\n"
        "\n"
        "1 error\n"
    )
    assert text.isascii()


def test_colour_changes_nothing_but_colour() -> None:
    found = [missing(), Diagnostic("w", "warning", "beware"), Diagnostic("n", "note", "by the way")]

    coloured = report(found, Look(is_coloured=True))

    assert coloured.startswith("\x1b[1;36mnote:\x1b[0m by the way \x1b[2m[n]\x1b[0m\n")
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == report(found, PLAIN)


@pytest.mark.parametrize(
    ("stream", "environ", "is_coloured"),
    [
        (Screen(), {}, True),
        (io.StringIO(), {}, False),
        (Screen(), {"NO_COLOR": "1"}, False),
        (Screen(), {"NO_COLOR": ""}, True),
        (Screen(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (None, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_each_stream_has_its_own_colour(stream: io.StringIO | None, environ: dict[str, str], is_coloured: bool) -> None:
    assert look_of(stream, environ).is_coloured is is_coloured


def test_a_reader_that_went_away_is_told_apart_from_other_broken_pipes() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(ReaderGone):
        Terminal(Gone(), Gone(), {}).say("hello")


def test_a_stream_that_was_closed_before_the_start_is_left_alone() -> None:
    out = io.StringIO()
    terminal = Terminal(out, None, {})

    terminal.say("to nobody")
    terminal.document({"ok": True})

    assert out.getvalue() == '{\n  "ok": true\n}\n'


def test_json_leaves_out_what_is_unknown() -> None:
    whole = missing()._replace(hint="mend it", notes=(Note("see"), Note("there", Span("b.css", 2))), group="g")

    assert as_json(Diagnostic("a", "note", "m", Span("b.css"))) == {
        "rule": "a",
        "severity": "note",
        "message": "m",
        "path": "b.css",
    }
    assert as_json(whole) == {
        "rule": "missing-reference",
        "severity": "error",
        "message": "`img/logo.png` is not in any asset root",
        "path": "css/site.css",
        "line": 1,
        "column": 19,
        "length": 12,
        "hint": "mend it",
        "notes": [{"message": "see"}, {"message": "there", "path": "b.css", "line": 2}],
        "group": "g",
    }


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (4249, "4.2 kB"),
        (9949, "9.9 kB"),
        (9951, "10 kB"),
        (412_400, "412 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (1_234_567_890, "1,235 MB"),
    ],
)
def test_sizes_are_short(size_bytes: int, expected: str) -> None:
    assert size(size_bytes) == expected


@pytest.mark.parametrize(
    ("duration_s", "expected"),
    [
        (0.0, "1 ms"),
        (0.0049, "5 ms"),
        (0.099, "99 ms"),
        (0.0996, "0.10 s"),
        (0.314, "0.31 s"),
        (9.999, "10.0 s"),
        (12.34, "12.3 s"),
        (59.96, "1 min 00 s"),
        (125, "2 min 05 s"),
    ],
)
def test_times_are_short(duration_s: float, expected: str) -> None:
    assert seconds(duration_s) == expected


def test_counts_know_one_from_many() -> None:
    assert [counted(number, "file") for number in (0, 1, 1200)] == ["0 files", "1 file", "1,200 files"]


@given(st.text(), st.booleans())
def test_what_is_shown_never_acts(text: str, is_unicode: bool) -> None:
    sent = shown(text, is_unicode=is_unicode)

    assert not [char for char in sent if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} and char != "\n"]
    sent.encode("utf-8" if is_unicode else "ascii")


@given(st.text(max_size=300), st.integers(0, 320), st.integers(0, 320))
def test_carets_never_leave_the_line_they_stand_under(text: str, start: int, length: int) -> None:
    span = span_at("a.css", text, start, start + length)

    lines = report([Diagnostic("r", "error", "m", span)], PLAIN).split("\n")

    if span.text:
        width = sum(cell.width for cell in cells(span.text, is_unicode=True))
        assert lines[3].endswith("^")
        # A place behind the last character has its caret there; a cut line begins with one mark more.
        assert len(lines[3].partition("│ ")[2]) <= min(width, 101) + 1
