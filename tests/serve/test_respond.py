"""What is answered: one suite for both transports."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetbuild import Assets
from tests.manifests import Document, file_entry, published, write
from tests.serve.site import CSS, IMMUTABLE, PHOTO, ROBOTS, TERMS, url
from tests.transports import TRANSPORTS, Answer, Transport

SHARED = {
    "x-content-type-options": "nosniff",
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
}


def test_a_file_is_sent_with_everything_that_a_browser_wants_to_know(
    ask: Callable[..., Answer], made: Document
) -> None:
    answer = ask(url(made, "css/app.css"))

    sha256 = file_entry(CSS)["sha256"]
    assert (200, CSS) == (answer.status, answer.body)
    assert {
        "content-type": "text/css; charset=utf-8",
        "content-length": str(len(CSS)),
        "accept-ranges": "bytes",
        "etag": f'"{sha256[:20]}"',
        "cache-control": IMMUTABLE,
        "vary": "Accept-Encoding",
        **SHARED,
    } == dict(answer.headers)


def test_a_variant_is_sent_under_an_etag_of_its_own(ask: Callable[..., Answer], made: Document) -> None:
    answer = ask(url(made, "css/app.css"), accept_encoding="br, gzip")

    assert CSS == gzip.decompress(answer.body)
    assert "gzip" == answer["content-encoding"]
    assert str(len(answer.body)) == answer["content-length"]
    assert f'{_ETAG}-gzip-{len(answer.body)}"' == answer["etag"]


def test_a_file_without_variants_varies_by_nothing(ask: Callable[..., Answer], made: Document) -> None:
    answer = ask(url(made, "img/photo.png"), accept_encoding="br, gzip")

    assert (PHOTO, None, None) == (answer.body, answer["vary"], answer["content-encoding"])


def test_an_empty_file_is_sent(ask: Callable[..., Answer], made: Document) -> None:
    answer = ask(url(made, "empty.txt"), range="bytes=0-")

    assert (200, b"", "0") == (answer.status, answer.body, answer["content-length"])


@pytest.mark.parametrize(("path", "body"), [("/static/terms.txt", TERMS), ("/robots.txt", ROBOTS)])
def test_a_stable_name_is_asked_for_again_each_time(ask: Callable[..., Answer], path: str, body: bytes) -> None:
    answer = ask(path)

    assert (200, "no-cache", body) == (answer.status, answer["cache-control"], answer.body)
    assert 304 == ask(path, if_none_match=answer["etag"]).status


def test_a_file_with_a_stable_name_is_immutable_under_its_hash(ask: Callable[..., Answer], made: Document) -> None:
    assert IMMUTABLE == ask(url(made, "terms.txt"))["cache-control"]
    assert IMMUTABLE == ask(url(made, "robots.txt"))["cache-control"]


def test_a_stable_name_may_be_of_any_letters(ask: Callable[..., Answer]) -> None:
    assert b"a street\n" * 9 == ask("/static/straße.txt").body


def test_a_file_of_an_earlier_release_is_sent_too(transport: Transport, made: Document, tmp_path: Path) -> None:
    (tmp_path / "output/old-aaaaaaaaaa.css").write_bytes(b"old{}")
    made["files"]["old-aaaaaaaaaa.css"] = file_entry(b"old{}", build="sha256:" + "0" * 64)
    app = transport.middleware(transport.page, Assets.open(write(tmp_path / "output", made)))

    assert b"old{}" == transport.ask(app, "/static/old-aaaaaaaaaa.css").body


MISSES = [
    "/static/",
    "/static/css/",
    "/static/css",
    "/static/css/app.css",  # has no stable name
    "/static/robots.txt",  # answers at its absolute path alone
    "/static/manifest.json",
    "/static//robots.txt",
    "/static//css/app.css",
    "/static/../robots.txt",
    "/static/css/../terms.txt",
    "/static/%74erms.txt",  # decoded once is enough
    "/static/terms.txt/",
    "/static/terms.txt\x00",
    "/static/TERMS.TXT",
    "/static/\udcff",
    "/static/" + "a" * 70_000,
]


@pytest.mark.parametrize("path", MISSES, ids=lambda path: quote(path[:30], errors="surrogateescape"))
def test_a_miss_below_the_base_is_ours_and_kept_by_nobody(transport: Transport, assets: Assets, path: str) -> None:
    if "\udcff" in path:
        path = path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    answer = transport.ask(transport.middleware(transport.page, assets), path)

    assert (404, b"not found\n") == (answer.status, answer.body)
    assert {
        "content-type": "text/plain; charset=utf-8",
        "content-length": "10",
        "cache-control": "no-store",
        **SHARED,
    } == dict(answer.headers)


@pytest.mark.parametrize("suffix", [".gz", ".br"])
def test_a_variant_has_no_url_of_its_own(ask: Callable[..., Answer], made: Document, suffix: str) -> None:
    assert 404 == ask(url(made, "css/app.css") + suffix).status


@pytest.mark.parametrize("path", ["/", "/static", "/staticfile", "/other/robots.txt", "//static/terms.txt", ""])
def test_everything_else_is_the_applications(ask: Callable[..., Answer], path: str) -> None:
    assert b"the application's page" == ask(path).body


def test_head_has_the_headers_of_get_and_no_body(ask: Callable[..., Answer], made: Document) -> None:
    for path in (url(made, "css/app.css"), "/robots.txt", "/static/missing"):
        got, head = ask(path, accept_encoding="gzip"), ask(path, "HEAD", accept_encoding="gzip")

        assert (got.status, got.headers, b"") == (head.status, head.headers, head.body)


def test_a_condition_that_holds_spares_the_body(ask: Callable[..., Answer], made: Document) -> None:
    path = url(made, "css/app.css")
    etag = ask(path, accept_encoding="gzip")["etag"]

    answer = ask(path, accept_encoding="gzip", if_none_match=f'"other", W/{etag}')

    assert (304, b"") == (answer.status, answer.body)
    assert {"etag": etag, "cache-control": IMMUTABLE, "vary": "Accept-Encoding", **SHARED} == dict(answer.headers)
    assert 200 == ask(path, if_none_match=etag).status  # that was another variant


def test_a_request_for_another_version_is_refused(ask: Callable[..., Answer], made: Document) -> None:
    answer = ask(url(made, "css/app.css"), if_match='"other"')

    assert (412, "no-store", "Accept-Encoding") == (answer.status, answer["cache-control"], answer["vary"])


def test_a_range_is_a_part_of_the_variant(ask: Callable[..., Answer], made: Document) -> None:
    path = url(made, "css/app.css")
    whole = ask(path, accept_encoding="gzip")

    answer = ask(path, accept_encoding="gzip", range="bytes=3-9", if_range=whole["etag"])

    assert (206, whole.body[3:10]) == (answer.status, answer.body)
    assert {
        **dict(whole.headers),
        "content-length": "7",
        "content-range": f"bytes 3-9/{len(whole.body)}",
    } == dict(answer.headers)


def test_a_range_that_is_not_there_says_how_much_there_is(ask: Callable[..., Answer], made: Document) -> None:
    answer = ask(url(made, "css/app.css"), range=f"bytes={len(CSS)}-")

    assert 416 == answer.status
    assert (f"bytes */{len(CSS)}", "no-store") == (answer["content-range"], answer["cache-control"])
    assert "Accept-Encoding" == answer["vary"]


def test_head_has_no_range(ask: Callable[..., Answer], made: Document) -> None:
    assert 200 == ask(url(made, "css/app.css"), "HEAD", range="bytes=0-0").status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE"])
def test_files_are_only_to_be_read(ask: Callable[..., Answer], made: Document, method: str) -> None:
    answer = ask(url(made, "css/app.css"), method)

    assert (405, "GET, HEAD, OPTIONS", "no-store") == (answer.status, answer["allow"], answer["cache-control"])
    assert 404 == ask("/static/missing", method).status


def test_a_preflight_is_permitted(ask: Callable[..., Answer], made: Document) -> None:
    answer = ask(
        url(made, "css/app.css"),
        "OPTIONS",
        origin="https://elsewhere.example",
        access_control_request_method="GET",
        access_control_request_headers="range",
    )

    assert (204, b"") == (answer.status, answer.body)
    assert {
        "allow": "GET, HEAD, OPTIONS",
        "access-control-allow-methods": "GET, HEAD, OPTIONS",
        "access-control-allow-headers": "*",
        "access-control-max-age": "86400",
        "cache-control": "no-store",
        **SHARED,
    } == dict(answer.headers)


_ETAG = f'"{file_entry(CSS)["sha256"][:20]}'
_PACKED = f'{_ETAG}-gzip-{len(gzip.compress(CSS, mtime=0))}"'
_FIELDS = {
    "accept-encoding": ["gzip", "br", "gzip;q=0", "*", "identity;q=0", "gzip br", ""],
    "if-match": ["*", f'{_ETAG}"', _PACKED, '"x"', "x"],
    "if-none-match": ["*", f'{_ETAG}"', f'W/{_PACKED}, "y"', '"x"'],
    "if-range": [f'{_ETAG}"', _PACKED, "Sun, 06 Nov 1994 08:49:37 GMT"],
    "range": ["bytes=0-0", "bytes=-5", "bytes=9-3", "bytes=999999-", "bytes=0-1,2-3", "lines=1"],
    "if-modified-since": ["Sun, 06 Nov 1994 08:49:37 GMT"],
    "if-unmodified-since": ["Sun, 06 Nov 1994 08:49:37 GMT"],
}
_requests = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in _FIELDS.items()})


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Document, list[tuple[Transport, Any]]]:
    output = tmp_path_factory.mktemp("apps") / "output"
    output.mkdir()
    made = published(output, {"css/app.css": CSS, "terms.txt": b"the terms"}, terms_txt={"keep": True})
    assets = Assets.open(write(output, made), environ={})
    return made, [(each, each.middleware(each.page, assets, memory_bytes=n)) for each in TRANSPORTS for n in (0, 10**6)]


@pytest.mark.many
@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["GET", "HEAD", "OPTIONS", "POST"]),
    st.sampled_from(["css/app.css", "terms.txt", "missing"]),
    _requests,
)
def test_both_transports_and_both_sources_of_bodies_give_equal_answers(
    apps: tuple[Document, list[tuple[Transport, Any]]], method: str, logical: str, headers: dict[str, str]
) -> None:
    made, ours = apps
    path = url(made, logical) if logical == "css/app.css" else f"/static/{logical}"

    answers = {transport.ask(app, path, method, headers) for transport, app in ours}

    (answer,) = answers
    promised = {int(value) for name, value in answer.headers if name == "content-length"}
    if method != "HEAD" and answer.status not in {204, 304}:
        assert {len(answer.body)} == promised
    else:
        assert b"" == answer.body
