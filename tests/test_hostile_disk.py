"""A hostile disk: files of the output that are not what was compiled, before or while they are served."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from assetbuild.web.serve import HAND_OVER_BYTES
from tests.http.client import BadAnswer, Connection, Fields, get, request
from tests.http.hostile import SECRET
from tests.http.site import Place, Site, built, placed
from tests.servers import running

REPOSITORY = Path(__file__).parents[1]
SERVERS = {"uvicorn": "asgi", "granian-asgi": "asgi", "granian-wsgi": "wsgi", "gunicorn": "wsgi", "waitress": "wsgi"}


class Spoilt(NamedTuple):
    """A site whose files were replaced. places: by what they were replaced with; variant: only its gzip form was."""

    site: Site
    places: Mapping[str, Place]
    variant: Place


# What somebody could do to the output after the compile. `secret` has as many bytes as the file.
def plant_link(file: Path, secret: Path) -> None:
    file.unlink()
    file.symlink_to(secret)


def plant_link_to_folder(file: Path, secret: Path) -> None:
    folder = secret.parent / file.parent.name
    file.parent.rename(folder)
    (folder / file.name).write_bytes(secret.read_bytes())
    file.parent.symlink_to(folder)


def plant_fifo(file: Path, _: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def plant_folder(file: Path, _: Path) -> None:
    file.unlink()
    file.mkdir()


def plant_secret(file: Path, secret: Path) -> None:
    secret.rename(file)


def plant_more(file: Path, secret: Path) -> None:
    file.write_bytes(file.read_bytes() + secret.read_bytes())


def plant_less(file: Path, _: Path) -> None:
    os.truncate(file, 10)


def plant_device(file: Path, _: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def plant_nothing(file: Path, _: Path) -> None:
    file.unlink()


PLANTS = {
    "a link to a secret": plant_link,
    "a link in the place of its folder": plant_link_to_folder,
    "a FIFO": plant_fifo,
    "a folder": plant_folder,
    "other bytes, as many": plant_secret,
    "more bytes": plant_more,
    "fewer bytes": plant_less,
    "a link to a device": plant_device,
    "nothing": plant_nothing,
}


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Spoilt:
    """Return a site whose files were replaced after the compile, each in a folder of its own."""
    folder = tmp_path_factory.mktemp("spoilt")
    names = {what: f"spoilt{number}/file.bin" for number, what in enumerate(PLANTS)}
    bodies = {name: f"what was compiled as {what}".ljust(64).encode() for what, name in names.items()}
    site = built(folder, more={**bodies, "variant/file.css": b"a { color: red }" * 99})
    places = {what: placed(site.output, name) for what, name in names.items()}
    variant = placed(site.output, "variant/file.css")
    for number, (what, plant) in enumerate(PLANTS.items()):
        secret = folder / f"outside{number}" / "secret"
        secret.parent.mkdir()
        secret.write_text(SECRET.ljust(64))
        plant(site.file(places[what]), secret)
    link = Path(f"{site.file(variant)}.gz")
    (folder / "packed").write_bytes(gzip.compress(SECRET.encode()).ljust(link.stat().st_size, b"\0"))
    plant_link(link, folder / "packed")
    return Spoilt(site, places, variant)


@pytest.mark.parametrize("memory_bytes", ["33554432", "0"])
@pytest.mark.parametrize("server", SERVERS)
def test_a_file_that_is_not_what_was_compiled_is_a_500_that_is_logged_once(
    spoilt: Spoilt, server: str, memory_bytes: str
) -> None:
    """Bytes that stay on the disk are not read before they are sent: of those only the size is known to be right.

    What is wrong with a variant keeps nobody from the file itself.
    """
    unseen = {"other bytes, as many"} if memory_bytes == "0" else set()
    asked_for = {what: place for what, place in spoilt.places.items() if what not in unseen}
    environ = spoilt.site.environ(MEMORY_BYTES=memory_bytes)
    app = f"tests.http.{SERVERS[server]}:middleware"

    with running(server, app, folder=REPOSITORY, environ=environ) as started:
        answers = {what: [get(started.port, place.path) for _ in range(2)] for what, place in asked_for.items()}
        linked = get(started.port, spoilt.variant.path, [("Accept-Encoding", "gzip")])
        plain = get(started.port, spoilt.variant.path)
        output = started.output()

    assert {500} == {answer.status for pair in answers.values() for answer in pair}
    assert {"no-store"} == {answer.field("cache-control") for pair in answers.values() for answer in pair}
    assert [] == [what for what, pair in answers.items() if any(SECRET.encode() in answer.body for answer in pair)]
    logged = {what: output.count(place.path.removeprefix("/static/")) for what, place in asked_for.items()}
    assert dict.fromkeys(asked_for, 1) == logged
    assert [(200, None, spoilt.variant.bodies[""])] * 2 == [
        (answer.status, answer.field("content-encoding"), answer.body) for answer in (linked, plain)
    ]
    assert 1 == output.count(spoilt.variant.path.removeprefix("/static/") + ".gz")


@pytest.mark.parametrize("fields", [(), (("Range", "bytes=1-"),)], ids=["handed over", "in pieces"])
@pytest.mark.parametrize("server", SERVERS)
def test_a_file_that_is_cut_while_it_is_sent_ends_the_connection(tmp_path: Path, server: str, fields: Fields) -> None:
    """The file is larger than what a kernel takes off a server's hands: 4 MiB (tcp_wmem)."""
    site = built(tmp_path, image_bytes=4 * HAND_OVER_BYTES)
    image = site.places["image"]
    app = f"tests.http.{SERVERS[server]}:middleware"

    with running(server, app, folder=REPOSITORY, environ=site.environ(MEMORY_BYTES="0")) as started:
        with Connection(started.port, receive_bytes=4096) as connection:
            connection.send(request("GET", image.path, fields))
            connection.begin()
            os.truncate(site.file(image), 1000)
            with pytest.raises(BadAnswer, match="before the end of its body"):
                connection.answer()
        output = started.output()
        after = get(started.port, image.path)
        css = get(started.port, site.places["css"].path)

    if SERVERS[server] == "wsgi":  # nothing else makes these servers give the connection up
        assert "was cut while it was being sent" in output
    assert 500 == after.status
    assert (200, site.places["css"].bodies[""]) == (css.status, css.body)


def test_a_file_that_was_replaced_by_rename_goes_on_as_it_was(tmp_path: Path) -> None:
    """A descriptor holds the old file; what is in memory stays, too."""
    site = built(tmp_path)
    css = site.places["css"]
    file = site.file(css)

    with running("uvicorn", "tests.http.asgi:middleware", folder=REPOSITORY, environ=site.environ()) as started:
        first = get(started.port, css.path)
        (tmp_path / "new").write_text(SECRET)
        (tmp_path / "new").rename(file)
        second = get(started.port, css.path)

    assert (css.bodies[""], css.bodies[""]) == (first.body, second.body)
