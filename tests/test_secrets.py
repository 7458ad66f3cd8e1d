"""Secrets: what looks like a credential is told before everybody can read it, and nothing else is."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.cli import main
from assetbuild.compiler import Outcome
from assetbuild.compiler.errors import CompileFailed
from assetbuild.compiler.secrets import holds_secret, secrets_in
from tests.conftest import Tree

Compiled = Callable[..., Outcome]

# Joined here, so that no scanner of this repository takes them for real.
ALPHABET = "Zq7Ht2Lw9Kx4Rb6Nv1Mc8Jd3Fg5PsYeUiOaTlEyWuQoXzVr"
AWS = "AKIA" + "QYLPMN5HHHFPZAM2"
GITHUB = "ghp" + "_" + ALPHABET[:36]
KEY = base64.b64encode(bytes(range(200))).decode()
SECRETS = {
    "an access key of AWS": [AWS, "ASIA" + "QYLPMN5HHHFPZAM2"],
    "a token of GitHub": [
        GITHUB,
        *(f"gh{letter}_" + ALPHABET[:36] for letter in "ousr"),
        "github" + "_pat_" + ALPHABET[:22] + "_" + (ALPHABET * 2)[:59],
    ],
    "a token of GitLab": [
        f"gl{kind}-" + ALPHABET[:20] for kind in ("pat", "ptt", "cbt", "dt", "rt", "rtr", "agent", "soat")
    ],
    "a token of Slack": [
        *(f"xox{kind}-" + "17653672481-19874698323-" + ALPHABET[:24] for kind in "bp"),
        "xapp" + "-1-A1B2C3D4-5678901234-" + "0123456789abcdef" * 4,
    ],
    "a webhook of Slack": ["hooks.slack" + ".com/services/T01ABCDEF/B02GHIJKLMN/" + ALPHABET[:24]],
    "a token of npm": ["npm" + "_" + ALPHABET[:36]],
    "a token of PyPI": [
        "pypi"
        + "-"
        + base64.b64encode(b"\2\1" + bytes([len(index)]) + index + b"\2\x24" + 60 * ALPHABET.encode()).decode()[:180]
        for index in (b"pypi.org", b"test.pypi.org")
    ],
    "a key of SendGrid": ["SG" + "." + ALPHABET[:22] + "." + ALPHABET[:43]],
    "a key of OpenAI": [
        f"sk-{kind}" + ALPHABET[:part] + base64.b64encode(b"OpenAI").decode() + ALPHABET[:part]
        for kind, part in (("", 20), ("proj-", 40), ("svcacct-", 40))
    ],
    "a key of Anthropic": [f"sk-ant-{kind}-" + (ALPHABET * 2)[:93] + "AA" for kind in ("api03", "admin01", "oat01")],
    "a token of Hugging Face": ["hf" + "_" + ALPHABET[:34]],
    "a token of DigitalOcean": [f"do{kind}_v1_" + "0123456789abcdef" * 4 for kind in "por"],
    "an account key of Azure Storage": ["AccountKey=" + base64.b64encode(bytes(range(64))).decode()],
    "a client secret of Google": ["GOC" + "SPX-" + ALPHABET[:28]],
    "a live key of Stripe": [f"{kind}k" + "_live_" + ALPHABET[:24] for kind in "sr"],
    "an API key of Google": ["AIza" + "SyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe"],
    "a private key": [
        f"-----BEGIN {kind}PRIVATE KEY-----{end}{KEY[:64]}{end}{KEY[64:]}"
        for kind in ("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ")
        for end in ("\n", "\r\n", "\\n", '\\n" +\n  "', "\\n\\\n")
    ],
}
HARMLESS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "xAKIA" + "QYLPMN5HHHFPZAM2",
    "AKIA" + "QYLPMN5HHHFPZAM2X",
    "AKIA" + "qylpmn5hhhfpzam2",
    "ghp_" + "x" * 36,
    "ghp_" + ALPHABET[:20],
    "high_" + ALPHABET[:36],
    "glpat-your-token",
    "npm_" + ALPHABET[:35],
    "npm_" + ALPHABET[:37],
    "npm_config_user_agent_of_some_script",
    "pypi-" + ALPHABET * 3,
    "https://hooks.slack.com/services/T00000000/B00000000/" + "X" * 24,
    "MSG." + ALPHABET[:22] + "." + ALPHABET[:43],
    "SG." + ALPHABET[:22] + "." + ALPHABET[:44],
    "sk-" + ALPHABET,
    "sk-ant-api03-your-key",
    "shf_" + ALPHABET[:34],
    "hf_" + ALPHABET[:33],
    "dop_v1_" + "0" * 64,
    "AccountKey=" + "A" * 86 + "==",
    "GOCSPX-" + ALPHABET[:20],
    "SK" + "0123456789abcdef" * 2,  # Twilio's name for a key, which says nothing without its secret
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + ALPHABET[:43],  # a JWT: made to be given away
    "toggle-" + ALPHABET[:20],
    "xoxo-1234567890-1234567890-abcdefghijkl",
    "pk" + "_live_" + ALPHABET[:24],
    "sk" + "_test_" + ALPHABET[:24],
    "task" + "_live_" + ALPHABET[:24],
    "AIza" + ALPHABET[:34],
    "AIza" + ALPHABET[:36],
    'if (text.includes("-----BEGIN PRIVATE KEY-----")) read(text, "-----END PRIVATE KEY-----");',
    "-----BEGIN PUBLIC KEY-----\n" + KEY,
    "-----BEGIN CERTIFICATE-----\n" + KEY,
]


def told(outcome: Outcome) -> list[tuple[str, str, tuple[str, int, int, str] | None]]:
    """Return severity, message and place of what is said of secrets."""
    return [
        (each.severity, each.message, each.span and (each.span.path, each.span.line, each.span.column, each.span.text))
        for each in outcome.diagnostics
        if each.rule == "published-secret"
    ]


@pytest.mark.parametrize(("kind", "secret"), [(kind, one) for kind, many in SECRETS.items() for one in many])
def test_each_documented_shape_is_found_where_it_stands(kind: str, secret: str) -> None:
    content = f'const key = "{secret}";\n'.encode()

    found = [(each.kind, content[each.start : each.end]) for each in secrets_in(content)]

    assert [kind] == [name for name, _ in found]
    assert secret.encode().startswith(found[0][1])


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_resembles_a_secret_is_none(text: str) -> None:
    assert [] == list(secrets_in(f'"{text}" = `{text}`;'.encode()))


@given(st.binary(max_size=400), st.sampled_from([one for many in SECRETS.values() for one in many]), st.binary())
def test_what_stands_around_a_secret_hides_it_only_by_being_part_of_its_word(
    before: bytes, secret: str, after: bytes
) -> None:
    content = before + b' "' + secret.encode() + b'" ' + after

    assert any(secret.encode().startswith(content[each.start : each.end]) for each in secrets_in(content))


@pytest.mark.parametrize("before", [r"\n", r"\t", r"\x22", r"\u0022", r"\u{22}", "%22", "%3D", "\\\\n"])
@pytest.mark.parametrize("kind", [kind for kind in SECRETS if kind != "a private key"])
def test_the_letters_of_an_escape_before_a_secret_are_no_part_of_it(kind: str, before: str) -> None:
    found = list(secrets_in(f'"{before}{SECRETS[kind][0]}"'.encode()))

    assert [kind] == [each.kind for each in found]


@pytest.mark.parametrize(("kind", "secret"), [(kind, one) for kind, many in SECRETS.items() for one in many])
def test_no_shape_reads_on_to_the_end_of_a_text(kind: str, secret: str) -> None:
    """Begin behind begin, each of which reads on to the end, would take the square of their number."""
    content = f"{secret} {secret}{ALPHABET * 100}".encode()

    found = [(each.kind, each.end - each.start) for each in secrets_in(content)]

    assert kind in dict(found)
    assert 1000 > max(size for _, size in found)


def test_pictures_and_fonts_are_not_read() -> None:
    assert [True, True, True, False, False] == [
        holds_secret(AWS.encode(), kind)
        for kind in ("text/css; charset=utf-8", "image/svg+xml", "application/octet-stream", "image/png", "font/woff2")
    ]


SITE: Mapping[str, str | bytes] = {
    "assets/plain.js": f'"é"; var a = 1,\n  b = "{AWS}";\n',
    "assets/linked.css": f"a {{ background: url(dot.png); content: '{GITHUB}' }}",
    "assets/dot.png": f"{AWS}",
    "assets/settings.json": json.dumps({"key": GITHUB}),
    "assets/server.pem": SECRETS["a private key"][0],
    "assets/large.txt": "filler\n" * 20_000 + AWS,
}
SAID = [
    "`large.txt` would publish what looks like an access key of AWS: `AKIA…`",
    "`linked.css` would publish what looks like a token of GitHub: `ghp_…`",
    "`plain.js` would publish what looks like an access key of AWS: `AKIA…`",
    "`server.pem` would publish what looks like a private key: `----…`",
    "`settings.json` would publish what looks like a token of GitHub: `ghp_…`",
]
PLACES = [
    ("assets/large.txt", 20_001, 1, ""),
    ("assets/linked.css", 1, 41, ""),
    ("assets/plain.js", 2, 8, ""),
    ("assets/server.pem", 1, 1, ""),
    ("assets/settings.json", 1, 10, ""),
]


def test_every_published_text_is_looked_at_and_its_line_is_not_shown(tree: Tree, compiled: Compiled) -> None:
    found = told(compiled(tree(SITE)))

    assert [("warning", *pair) for pair in zip(SAID, PLACES, strict=True)] == found


def test_a_warm_build_says_the_same(tree: Tree, compiled: Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tree(SITE)
    monkeypatch.setenv("ASSETBUILD_CACHE", str(project.parent / "cache"))

    found = [told(compiled(project)) for _ in range(3)]

    assert SAID == [message for _, message, _ in found[0]]
    assert [found[0]] * 2 == found[1:]


def test_the_place_in_a_bundle_is_that_in_its_source(tree: Tree, compiled: Compiled) -> None:
    config = '[entries]\n"js/app.js" = { classic = ["js/*.js"] }\n"css/app.css" = "css/a.scss"\n'
    project = tree(
        {
            "assetbuild.toml": f"exclude = ['js/*', 'css/*']\n{config}",
            "assets/js/a.js": "var a = 1;\n",
            "assets/js/b.js": f"var b = 2;\nvar key = '{GITHUB}';\n",
            "assets/css/a.scss": '@use "b";',
            "assets/css/_b.scss": f"\n.b {{ content: '{AWS}' }}",
        }
    )

    assert [("assets/css/_b.scss", 2, 16, ""), ("assets/js/b.js", 2, 12, "")] == [
        place for *_, place in told(compiled(project))
    ]


def test_a_secret_that_only_the_sources_of_a_public_map_hold_is_published_too(tree: Tree, compiled: Compiled) -> None:
    files = {
        "assetbuild.toml": '[entries]\n"a.js" = { classic = ["src/a.js"] }\n[sourcemaps]\nmode = "MODE"\n',
        "assets/src/a.js": f"// {AWS}\nvar a = 1;\n",
    }

    said = {}
    for mode in ("none", "public"):
        config = f'exclude = ["src/*"]\n{files["assetbuild.toml"]}'.replace("MODE", mode)
        said[mode] = [place for *_, place in told(compiled(tree({**files, "assetbuild.toml": config})))]

    assert {"none": [], "public": [("assets/src/a.js", 1, 4, "")]} == said


def test_strict_makes_it_an_error(tree: Tree, compiled: Compiled) -> None:
    with pytest.raises(CompileFailed) as failed:
        compiled(tree(SITE), is_strict=True)

    assert {"published-secret", "strict"} == {each.rule for each in failed.value.diagnostics}


@pytest.mark.parametrize("pattern", ["js/map.js", "assets/js/*.js"])
def test_a_file_that_is_allowed_is_not_told_of(tree: Tree, compiled: Compiled, pattern: str) -> None:
    key = SECRETS["an API key of Google"][0]
    project = tree(
        {
            "assetbuild.toml": f'[secrets]\nallow = ["{pattern}"]\n',
            "assets/js/map.js": f"load('https://maps.example/js?key={key}');\n",
        }
    )

    assert [] == told(compiled(project))


def test_the_command_never_prints_a_secret(tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    project = tree(SITE)

    main(["compile", str(project)])
    main(["check", "--format", "json", str(project)])
    printed = "".join(capsys.readouterr())

    assert 2 <= printed.count("AKIA…")
    assert not any(one[:12] in printed for one in (AWS, GITHUB, KEY))


# A key in use by the documentation of Foundation: no false alarm, and what `[secrets] allow` is for.
REAL = {("foundation-sites/docs/assets/js/docs.interchangeMap.js", "an API key of Google")}
READ = {".cjs", ".css", ".js", ".json", ".map", ".mjs", ".scss", ".svg", ".ts"}


@pytest.mark.parametrize(("corpus", "real"), [("npm", set()), ("npm-scripts", set()), ("npm-styles", REAL)])
def test_real_packages_raise_no_false_alarm(
    corpus: str, real: set[tuple[str, str]], installed_packages: Callable[[str], Path]
) -> None:
    folder = installed_packages(corpus)

    alarms = {
        (str(file.relative_to(folder)), found.kind)
        for file in folder.rglob("*")
        if file.suffix in READ and file.is_file()
        for found in secrets_in(file.read_bytes())
    }

    assert real == alarms
