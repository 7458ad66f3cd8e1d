"""The replies of the core as it hands them to a transport, to the letter."""

from __future__ import annotations

import gzip
import logging
import shutil
from pathlib import Path

import pytest

from assetbuild import Assets, ManifestError
from assetbuild.web.files import OpenFile
from assetbuild.web.serve import NOWHERE, Fields, Reply, Resource, Responder
from tests.manifests import Document, document, file_entry, write
from tests.serve.site import CSS, IMMUTABLE, TERMS, url

Head = tuple[int, Fields]

SHARED: Fields = (
    ("X-Content-Type-Options", "nosniff"),
    ("Access-Control-Allow-Origin", "*"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
)
METHODS = "GET, HEAD, OPTIONS"


def responder(assets: Assets, memory_bytes: int = 1 << 20) -> Responder[Head]:
    return Responder(assets, "/static/", lambda *head: head, memory_bytes=memory_bytes, has_site_root=True)


def found(core: Responder[Head], path: str) -> Resource:
    resource = core.find(path)
    assert resource is not None
    return resource


def etag(body: bytes, more: str = "") -> str:
    return f'"{file_entry(body)["sha256"][:20]}{more}"'


def refusal(status: int, words: str, *more: tuple[str, str]) -> tuple[Head, bytes]:
    """Return a refusal as it should be: fields in the spelling of their registry, and words for who reads it."""
    described = (("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(words) + 1)))
    return (status, (*described, *more, ("Cache-Control", "no-store"), *SHARED)), f"{words}\n".encode()


def test_a_whole_file_is_described_in_the_spelling_of_the_registry(assets: Assets, made: Document) -> None:
    """Their case means nothing (RFC 9110 §5.1), but HTTP/1.1 sends them as they are, and people read them."""
    core = responder(assets)
    resource = found(core, url(made, "css/app.css"))
    packed = gzip.compress(CSS, mtime=0)
    caching = (("Cache-Control", IMMUTABLE), ("Vary", "Accept-Encoding"), *SHARED)

    assert (
        (
            200,
            (
                ("Content-Type", "text/css; charset=utf-8"),
                ("Content-Encoding", "gzip"),
                ("Accept-Ranges", "bytes"),
                ("Content-Length", str(len(packed))),
                ("ETag", etag(CSS, f"-gzip-{len(packed)}")),
                *caching,
            ),
        ),
        packed,
    ) == core.reply(resource, "GET", "gzip", {})
    assert ((304, (("ETag", etag(CSS)), *caching)), b"") == core.reply(
        resource, "GET", "", {"if-none-match": etag(CSS)}
    )


def test_a_part_is_described_with_its_place(assets: Assets, made: Document) -> None:
    core = responder(assets)

    (status, fields), body = core.reply(found(core, url(made, "css/app.css")), "GET", "", {"range": "bytes=2-4"})

    assert (206, CSS[2:5]) == (status, body)
    assert (
        ("Content-Type", "text/css; charset=utf-8"),
        ("Accept-Ranges", "bytes"),
        ("Content-Length", "3"),
        ("Content-Range", f"bytes 2-4/{len(CSS)}"),
    ) == fields[:4]


def test_refusals_say_why(assets: Assets, made: Document) -> None:
    core = responder(assets)
    style = found(core, url(made, "css/app.css"))
    varying = ("Vary", "Accept-Encoding")
    no_range = ("Content-Range", f"bytes */{len(CSS)}")

    assert refusal(404, "not found") == core.reply(NOWHERE, "GET", "", {})
    assert refusal(405, "only to be read", ("Allow", METHODS)) == core.reply(style, "POST", "", {})
    assert refusal(412, "it is another version", varying) == core.reply(style, "GET", "", {"if-match": '"x"'})
    assert refusal(416, "there are no such bytes", no_range, varying) == core.reply(
        style, "GET", "", {"range": "bytes=9999-"}
    )
    assert (refusal(404, "not found")[0], b"") == core.reply(NOWHERE, "HEAD", "", {})
    assert (refusal(412, "it is another version", varying)[0], b"") == core.reply(
        style, "HEAD", "", {"if-match": '"x"'}
    )


def test_a_preflight_is_answered_with_all_that_is_permitted(assets: Assets, made: Document) -> None:
    core = responder(assets)
    permitted = (
        ("Allow", METHODS),
        ("Access-Control-Allow-Methods", METHODS),
        ("Access-Control-Allow-Headers", "*"),
        ("Access-Control-Max-Age", "86400"),
        ("Cache-Control", "no-store"),
    )

    assert ((204, (*permitted, *SHARED)), b"") == core.reply(found(core, "/robots.txt"), "OPTIONS", "", {})


def test_an_answer_is_made_once(assets: Assets, made: Document) -> None:
    core = responder(assets)
    resource = found(core, url(made, "css/app.css"))

    assert core.find(url(made, "css/app.css")) is resource
    for method, conditions in (("GET", {}), ("HEAD", {}), ("GET", {"if-none-match": etag(CSS)})):
        assert core.reply(resource, method, "", conditions) is core.reply(resource, method, "", conditions)


def test_a_part_of_what_is_in_memory_needs_no_disk(assets: Assets, made: Document, tmp_path: Path) -> None:
    core = responder(assets)
    resource = found(core, url(made, "css/app.css"))
    core.reply(resource, "GET", "", {})
    shutil.rmtree(tmp_path / "output")

    assert CSS[3:] == core.reply(resource, "GET", "", {"range": "bytes=3-"}).body


def test_what_is_on_the_disk_is_handed_on_open_with_its_name(assets: Assets, made: Document, tmp_path: Path) -> None:
    core = responder(assets, memory_bytes=0)
    path = url(made, "css/app.css")

    opened: list[tuple[str, bool, int]] = []
    for conditions in ({}, {"range": "bytes=1-2"}):
        reply: Reply[Head] = core.reply(found(core, path), "GET", "", conditions)
        assert isinstance(reply.body, OpenFile)
        opened.append((reply.body.file, reply.body.is_whole, reply.body.length))
        reply.body.close()

    file = str(tmp_path / "output" / path.removeprefix("/static/"))
    assert [(file, True, len(CSS)), (file, False, 2)] == opened


def test_a_stable_name_shares_the_file_and_not_the_caching(assets: Assets, made: Document) -> None:
    core = responder(assets)
    kept, hashed = (
        core.reply(found(core, path), "GET", "", {}) for path in ("/static/terms.txt", url(made, "terms.txt"))
    )

    assert TERMS == kept.body == hashed.body
    assert ("Cache-Control", "no-cache") in kept.head[1]
    assert ("Cache-Control", IMMUTABLE) in hashed.head[1]


def test_a_fault_of_a_file_is_logged_once_in_its_own_words(
    assets: Assets, made: Document, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    core = responder(assets)
    path = url(made, "css/app.css")
    (tmp_path / "output" / path.removeprefix("/static/")).unlink()

    with caplog.at_level(logging.ERROR, "assetbuild"):
        answers = [core.reply(found(core, path), "GET", "", {}) for _ in range(2)]

    assert [refusal(500, "the file cannot be served")] * 2 == answers
    (record,) = caplog.records
    assert record.getMessage() == (
        f"`{path.removeprefix('/static/')}` cannot be opened in `{tmp_path / 'output'}` (No such file or directory); "
        "copy the whole output of `assetbuild compile` again"
    )


def test_the_faults_of_two_files_are_two_lines(
    assets: Assets, made: Document, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    core = responder(assets)
    resources = [found(core, url(made, logical)) for logical in ("css/app.css", "terms.txt")]
    shutil.rmtree(tmp_path / "output")

    with caplog.at_level(logging.ERROR, "assetbuild"):
        for resource in resources:
            core.reply(resource, "GET", "", {})

    assert 2 == len(caplog.records)


def test_a_manifest_that_contradicts_itself_says_so(tmp_path: Path) -> None:
    made = document({"robots.txt": {"file": "robots-aaaaaaaaaa.txt", "at": "/robots.txt"}})
    core = responder(Assets.open(write(tmp_path, made), environ={}))

    with pytest.raises(ManifestError) as caught:
        core.find("/robots.txt")
    assert str(caught.value) == (
        f"`{tmp_path / 'manifest.json'}` names the file `robots-aaaaaaaaaa.txt` and says nothing of it"
    )
