"""Where it is answered: mounts, bases, roots and new builds, over both transports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assetbuild import Assets
from assetbuild.web.serve import MountError, mount_of
from tests.manifests import Document, published, write
from tests.serve.site import CSS, ROBOTS, TERMS, url
from tests.transports import Answer, Transport


@pytest.mark.parametrize("base", ["https://cdn.example/files/", "//cdn.example/files/", "/files/"])
def test_the_mount_is_the_path_of_the_base(transport: Transport, assets: Assets, made: Document, base: str) -> None:
    app = transport.middleware(transport.page, assets.at(base))

    assert CSS == transport.ask(app, "/files/" + made["assets"]["css/app.css"]["file"]).body
    assert b"the application's page" == transport.ask(app, url(made, "css/app.css")).body


def test_the_mount_is_compared_decoded(transport: Transport, assets: Assets, made: Document) -> None:
    app = transport.middleware(transport.page, assets.at("/st%C3%A4tic/"))

    assert CSS == transport.ask(app, "/stätic/" + made["assets"]["css/app.css"]["file"]).body


@pytest.mark.parametrize("mount", ["/files/", "/files"])
def test_another_mount_may_be_given(transport: Transport, assets: Assets, made: Document, mount: str) -> None:
    app = transport.middleware(transport.page, assets.at("https://cdn.example/"), mount=mount)

    assert CSS == transport.ask(app, "/files/" + made["assets"]["css/app.css"]["file"]).body


def test_a_mount_may_be_one_letter() -> None:
    assert ["/X/", "/s/"] == [mount_of("/static/", "/X"), mount_of("/s/", None)]


@pytest.mark.parametrize("base", ["/", "https://cdn.example/", "//cdn.example/"])
def test_a_base_that_is_the_whole_site_is_refused(transport: Transport, assets: Assets, base: str) -> None:
    with pytest.raises(MountError) as raised:
        transport.middleware(transport.page, assets.at(base))

    assert (
        f"the base `{base}` leaves the application no page of its own; give the path of the files as `mount=`"
        == str(raised.value)
    )


@pytest.mark.parametrize("mount", ["", "/", "//", "static/", "//host/static/", "https://host/static/"])
def test_a_mount_that_is_no_path_is_refused(transport: Transport, assets: Assets, mount: str) -> None:
    with pytest.raises(MountError) as raised:
        transport.middleware(transport.page, assets, mount=mount)

    expected = f"`{mount}` of `mount=` is no path that files can answer under; write one such as `/static/`"
    assert expected == str(raised.value)


def test_a_base_may_hold_the_path_that_the_application_is_mounted_at(
    transport: Transport, assets: Assets, made: Document
) -> None:
    app = transport.middleware(transport.page, assets.at("/shop/static/"))

    assert CSS == transport.ask(app, url(made, "css/app.css"), root="/shop").body
    assert b"the application's page" == transport.ask(app, url(made, "css/app.css")).body
    assert 404 == transport.ask(app, "/static/missing", root="/shop").status


def test_a_base_may_be_put_behind_the_path_that_the_application_is_mounted_at(
    ask: Callable[..., Answer], made: Document
) -> None:
    assert CSS == ask(url(made, "css/app.css"), root="/shop").body
    assert 404 == ask("/static/missing", root="/shop").status
    assert ROBOTS == ask("/robots.txt", root="/shop").body
    assert b"the application's page" == ask("/", root="/shop").body


def test_the_application_form_sees_the_path_below_its_mount(
    transport: Transport, assets: Assets, made: Document
) -> None:
    app = transport.files(assets)
    path = made["assets"]["css/app.css"]["file"]

    assert CSS == transport.ask(app, f"/{path}").body
    assert CSS == transport.ask(app, f"/{path}", root="/anywhere").body
    assert TERMS == transport.ask(app, "/terms.txt", root="/anywhere").body


@pytest.mark.parametrize("path", ["", "/", "/robots.txt", "//terms.txt", "/static/terms.txt"])
@pytest.mark.parametrize("root", ["", "/anywhere"])
def test_the_application_form_answers_everything(transport: Transport, assets: Assets, path: str, root: str) -> None:
    answer = transport.ask(transport.files(assets), path, root=root)

    assert (404, "no-store") == (answer.status, answer["cache-control"])


def test_a_new_build_is_followed_where_assets_are_opened_so(
    transport: Transport, made: Document, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    assets = Assets.open(output / "manifest.json", reload=True, environ={})
    app = transport.middleware(transport.page, assets)
    old = url(made, "css/app.css")
    assert CSS == transport.ask(app, old).body
    newer = published(output, {"css/app.css": b"b{}", "humans.txt": b"we"}, humans_txt={"at": "/humans.txt"})
    (output / "next").mkdir()
    write(output / "next", newer).rename(output / "manifest.json")

    assert b"b{}" == transport.ask(app, url(newer, "css/app.css")).body
    assert b"we" == transport.ask(app, "/humans.txt").body
    assert 404 == transport.ask(app, old).status
    assert b"the application's page" == transport.ask(app, "/robots.txt").body
