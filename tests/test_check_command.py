"""`assetbuild check` from outside: what people and programs read, and what it exits with."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from assetbuild.cli import main
from assetbuild.cli.formats import sarif, workflow_commands
from assetbuild.diagnostic import Diagnostic, Note, Span
from tests.conftest import Tree

Printed = pytest.CaptureFixture[str]

CONFIG = '[templates]\npaths = ["templates"]\n'


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "CI", "ASSETBUILD_REVISION"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def site(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small project that is right, and stand in it."""
    folder = tree(
        {
            "assetbuild.toml": CONFIG,
            "assets/css/app.css": "a { b: c }",
            "templates/base.html": "{{ asset_tag('css/app.css') }}",
            "templates/page.html": "{% extends 'base.html' %}",
        }
    )
    monkeypatch.chdir(folder)
    return folder


BROKEN = "<p>\n{{ asset_tag('css/ap.css') }}"
SEEN = """\
error: `css/ap.css` is not in the manifest; did you mean `css/app.css`? [unknown-asset]
  templates/page.html:2:15
  2 │ {{ asset_tag('css/ap.css') }}
    │               ^^^^^^^^^^

1 error
"""


def timeless(text: str) -> str:
    return re.sub(r"in [0-9.]+ m?s\b", "in T", text)


def test_what_is_right_is_said_in_one_line(site: Path, capsys: Printed) -> None:
    code = main(["check"])

    assert (0, "", "checked 1 asset, 2 templates, 1 name  in T\n") == (code, *_said(capsys))
    assert not (site / "build").exists()


def test_a_project_that_names_no_templates_is_told_where_to(site: Path, capsys: Printed) -> None:
    (site / "assetbuild.toml").write_text("")
    (site / "src/shop/templates").mkdir(parents=True)

    code = main(["check"])

    warning = (
        "warning: no template is checked: `[templates] paths` is not set, and there is `src/shop/templates/`, "
        "`templates/` [unset-templates]\n"
        '  write `paths = ["src/shop/templates", "templates"]` under `[templates]` in `assetbuild.toml`\n\n'
        "1 warning\n"
    )
    assert (0, "", f"{warning}checked 1 asset, no templates  in T\n") == (code, *_said(capsys))


def test_folders_that_hold_no_template_are_not_taken_for_templates_that_are_right(site: Path, capsys: Printed) -> None:
    for page in (site / "templates").iterdir():
        page.unlink()

    code = main(["check"])

    warning = (
        "warning: no folder in `[templates] paths` holds a template [no-templates]\n"
        "  assetbuild.toml:2:9\n"
        '  2 │ paths = ["templates"]\n'
        "    │         ^^^^^^^^^^^^^\n\n"
        "1 warning\n"
    )
    assert (0, "", f"{warning}checked 1 asset, no templates  in T\n") == (code, *_said(capsys))


def test_who_names_no_folder_on_purpose_is_left_in_peace(site: Path, capsys: Printed) -> None:
    (site / "assetbuild.toml").write_text("[templates]\npaths = []\n")

    code = main(["check", "--strict"])

    assert (0, "", "checked 1 asset, no templates  in T\n") == (code, *_said(capsys))


def test_a_folder_of_templates_that_is_not_there_is_shown_in_its_line(site: Path, capsys: Printed) -> None:
    (site / "assetbuild.toml").write_text('[templates]\npaths = ["template"]\n')

    code = main(["check"])

    error = (
        "error: `template` in `[templates] paths` is not a folder [bad-value]\n"
        "  assetbuild.toml:2:10\n"
        '  2 │ paths = ["template"]\n'
        "    │          ^^^^^^^^^^\n"
        "  did you mean `templates`?\n\n"
        "1 error\n"
    )
    assert (2, "", error) == (code, *_said(capsys))


def test_an_unknown_name_is_shown_in_its_line_and_fails(site: Path, capsys: Printed) -> None:
    (site / "templates/page.html").write_text(BROKEN)

    code = main(["check"])

    assert (1, "", SEEN) == (code, *_said(capsys))


def test_a_warning_fails_where_it_is_asked_to(site: Path, capsys: Printed) -> None:
    (site / "templates/page.html").write_text("{{ url_for('static', filename='a') }}")
    warning = (
        "warning: `a` is not in the manifest [unknown-static]\n"
        "  templates/page.html:1:32\n"
        "  1 │ {{ url_for('static', filename='a') }}\n"
        "    │                                ^\n"
        "  if the route serves another folder, all is well\n\n"
    )

    lax = main(["check"])
    printed = _said(capsys)[1]
    strict = main(["check", "--strict"])

    assert (0, f"{warning}1 warning\nchecked 1 asset, 2 templates, 2 names  in T\n") == (lax, printed)
    error = "error: warnings fail this check: it was called with `--strict` [strict]\n\n"
    assert (1, f"{error}{warning}1 error, 1 warning\n") == (strict, _said(capsys)[1])


def test_json_is_one_document(site: Path, capsys: Printed) -> None:
    (site / "templates/page.html").write_text(BROKEN)

    code = main(["check", "--format", "json"])
    out, err = _said(capsys)

    assert (1, SEEN) == (code, err)
    assert json.loads(out) == {
        "ok": False,
        "assets": 1,
        "templates": 2,
        "names": 2,
        "engineRuns": {"css": 1},
        "diagnostics": [
            {
                "rule": "unknown-asset",
                "severity": "error",
                "message": "`css/ap.css` is not in the manifest; did you mean `css/app.css`?",
                "path": "templates/page.html",
                "line": 2,
                "column": 15,
                "length": 10,
            }
        ],
    }


@pytest.mark.parametrize("form", ["json", "sarif", "github"])
def test_a_fault_of_the_configuration_is_written_in_every_format(site: Path, capsys: Printed, form: str) -> None:
    (site / "assetbuild.toml").write_text('base = "x"\n')

    code = main(["check", "--format", form])

    out, _ = _said(capsys)
    assert 2 == code
    assert "bad-value" in out
    if form != "github":
        json.loads(out)


def test_a_format_that_does_not_exist_is_a_fault_of_the_call(site: Path, capsys: Printed) -> None:
    assert 2 == main(["check", "--format", "xml"])
    expected = "error: `xml` is not a value of `--format`\n  there are `text`, `github`, `sarif`, `json`\n"
    assert expected == _said(capsys)[1]


def test_annotations_lead_to_files_from_where_the_command_was_called(
    site: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    (site / "templates/page.html").write_text(BROKEN)
    monkeypatch.chdir(site.parent)

    main(["check", "project", "--format", "github"])

    assert _said(capsys)[0] == (
        "::error col=15,endColumn=25,file=project/templates/page.html,line=2,title=unknown-asset::"
        "`css/ap.css` is not in the manifest; did you mean `css/app.css`?\n"
    )


def test_no_text_can_end_an_annotation_or_begin_another() -> None:
    found = [
        Diagnostic("a", "note", "100% ::error::\r\nsecond", Span("a,b:c%\n.html", 1), "do, this: now"),
        Diagnostic("b", "warning", "no place"),
    ]

    assert workflow_commands(found, "") == (
        "::notice file=a%2Cb%3Ac%25%0A.html,line=1,title=a::100%25 ::error::%0D%0Asecond%0Ado, this: now\n"
        "::warning title=b::no place\n"
    )


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    properties = {**required, **(optional or {})}
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


_TEXT = {"type": "string"}
_NUMBER = {"type": "integer", "minimum": 1}
_MESSAGE = _object({"text": _TEXT})
_PLACE = _object(
    {"artifactLocation": _object({"uri": {"type": "string", "pattern": r"^(?!/)[A-Za-z0-9._~/%-]+$"}})},
    {"region": _object({"startLine": _NUMBER}, {"startColumn": _NUMBER, "endColumn": _NUMBER})},
)
# The part of the OASIS schema (sarif-schema-2.1.0.json) that these logs use, each object closed.
SARIF = _object(
    {
        "$schema": _TEXT,
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": _object(
                {
                    "tool": _object(
                        {
                            "driver": _object(
                                {
                                    "name": _TEXT,
                                    "semanticVersion": _TEXT,
                                    "rules": {"type": "array", "uniqueItems": True, "items": _object({"id": _TEXT})},
                                }
                            )
                        }
                    ),
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "results": {
                        "type": "array",
                        "items": _object(
                            {
                                "ruleId": _TEXT,
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": _MESSAGE,
                            },
                            {
                                "locations": {"type": "array", "items": _object({"physicalLocation": _PLACE})},
                                "relatedLocations": {
                                    "type": "array",
                                    "items": _object({"message": _MESSAGE}, {"physicalLocation": _PLACE}),
                                },
                            },
                        ),
                    },
                }
            ),
        },
    }
)


def test_sarif_is_what_code_scanning_reads(site: Path, capsys: Printed) -> None:
    (site / "templates/page.html").write_text(BROKEN + "{{ asset_url(x) }}")

    code = main(["check", "--format", "sarif"])

    log = json.loads(_said(capsys)[0])
    jsonschema.Draft7Validator(SARIF).validate(log)
    assert 1 == code
    (run,) = log["runs"]
    assert ["dynamic-name", "unknown-asset"] == [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert ["error", "note"] == [result["level"] for result in run["results"]]
    assert {
        "artifactLocation": {"uri": "templates/page.html"},
        "region": {"startLine": 2, "startColumn": 15, "endColumn": 25},
    } == run["results"][0]["locations"][0]["physicalLocation"]


def test_sarif_writes_paths_as_uris_and_second_places_beside_them() -> None:
    notes = (Note("the other", Span("ü/b.css", 2, 1, 3)), Note("no place"))
    found = [Diagnostic("r", "warning", "wrong", Span("a b%.html"), "mend it", notes), Diagnostic("q", "error", "all")]

    log: Any = sarif(found, "pro ject")

    jsonschema.Draft7Validator(SARIF).validate(log)
    first, second = log["runs"][0]["results"]
    assert (1, 0) == (first["ruleIndex"], second["ruleIndex"])
    assert "wrong\nmend it" == first["message"]["text"]
    assert "pro%20ject/a%20b%25.html" == first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert "pro%20ject/%C3%BC/b.css" == (first["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"])
    assert {"message": {"text": "no place"}} == first["relatedLocations"][1]
    assert "locations" not in second


@pytest.mark.parametrize("form", ["text", "github", "sarif", "json"])
def test_a_template_may_have_a_name_that_is_no_utf8(site: Path, form: str) -> None:
    with open(os.fsencode(site) + b"/templates/\xff.html", "w") as file:
        file.write("{{ asset_url('css/nope.css') }}")
    command = [sys.executable, "-m", "assetbuild", "check", "--format", form]

    done = subprocess.run(command, cwd=site, capture_output=True, check=False)

    assert (1, False) == (done.returncode, b"bug" in done.stderr)
    assert b"css/nope.css" in done.stderr
    if form == "sarif":
        (result,) = json.loads(done.stdout)["runs"][0]["results"]
        assert "templates/%FF.html" == result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]


def _said(capsys: Printed) -> tuple[str, str]:
    printed = capsys.readouterr()
    return printed.out, timeless(printed.err)
