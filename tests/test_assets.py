"""Assets: opening, look-up, near misses, and what a web process relies on."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import assetbuild
from assetbuild import Asset, AssetNotFound, Assets, ManifestError
from assetbuild.manifest import Manifest, dump
from assetbuild.web.stub import StubManifest, stub_assets
from tests.manifests import document, file_entry, published, write


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output folder with a manifest."""
    bodies = {"css/app.css": b"a{}", "js/app.js": b"import()", "img/logo.png": b"png"}
    folder = tmp_path / "out"
    made = published(
        folder,
        bodies,
        css_app_css={"kind": "style"},
        js_app_js={"kind": "module", "css": ["css/app.css"], "entry": True},
        img_logo_png={"width": 12, "height": 3},
    )
    made["assets"]["sw.js"] = {"file": made["assets"]["js/app.js"]["file"], "at": "/sw.js"}
    write(folder, made)
    return folder


@pytest.fixture
def assets(output: Path) -> Assets:
    """The assets of that folder."""
    return Assets.open(output / "manifest.json", environ={})


def test_a_name_becomes_a_url_with_the_base_of_the_build(assets: Assets) -> None:
    assert f"/static/{assets['css/app.css'].file}" == assets.url("css/app.css")
    assert "/sw.js" == assets.url("sw.js")


def test_an_asset_is_a_value_with_all_that_a_page_asks_for(assets: Assets) -> None:
    logo = assets["img/logo.png"]

    assert isinstance(logo, Asset)
    assert ("image/png", 3, 12, 3) == (logo.type, logo.size, logo.width, logo.height)
    assert logo.integrity.startswith("sha384-")
    assert ("css/app.css",) == assets["js/app.js"].css
    assert "module" == assets["js/app.js"].kind


def test_the_tag_of_a_module_begins_with_its_stylesheet(assets: Assets) -> None:
    html = assets.tag("js/app.js", nonce="n")

    assert html.index(f'<link rel="stylesheet" href="{assets.url("css/app.css")}"') == 0
    assert f'\n<script type="module" src="{assets.url("js/app.js")}"' in html
    assert 2 == html.count(' nonce="n"')


def test_an_attribute_may_be_called_name(assets: Assets) -> None:
    assert ' name="logo"' in assets.tag("img/logo.png", name="logo")


def test_the_base_comes_from_the_argument_else_the_environment_else_the_build(output: Path) -> None:
    file = output / "manifest.json"
    environ = {"ASSETBUILD_BASE": "https://cdn.example/x/"}

    assert "/a/" == Assets.open(file, base="/a/", environ=environ).base
    assert "https://cdn.example/x/" == Assets.open(file, environ=environ).base
    assert "/static/" == Assets.open(file, environ={"ASSETBUILD_BASE": ""}).base
    assert Assets.open(file, environ=environ).url("css/app.css").startswith("https://cdn.example/x/css/app-")


def test_the_manifest_comes_from_the_argument_else_the_environment_else_the_usual_place(
    output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = output / "manifest.json"
    project = tmp_path / "project"
    write(project / "build/assets", document(base="/usual/"))
    monkeypatch.chdir(project)

    assert "/usual/" == Assets.open(environ={}).base
    assert "/static/" == Assets.open(environ={"ASSETBUILD_MANIFEST": str(file)}).base
    assert "/static/" == Assets.open(str(file), environ={"ASSETBUILD_MANIFEST": "/nowhere"}).base


def test_a_missing_manifest_stops_the_process_at_its_start(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"^`[^`]+` is not there; run `assetbuild compile` in the build stage"):
        Assets.open(tmp_path / "manifest.json", environ={})


@pytest.mark.parametrize(
    ("base", "advice"),
    [
        ("/static", "write `/static/`"),
        ("https://cdn.example", "write `https://cdn.example/`"),
        ("static", "write `/static/`"),
    ],
)
def test_a_base_without_its_slashes_is_refused_with_the_right_one(output: Path, base: str, advice: str) -> None:
    with pytest.raises(ManifestError) as caught:
        Assets.open(output / "manifest.json", base=base)

    assert str(caught.value).startswith(f"`{base}` is not a URL base that begins and ends with a slash; {advice}")


def test_a_base_of_the_environment_is_refused_by_the_name_of_its_variable(output: Path) -> None:
    with pytest.raises(ManifestError) as caught:
        Assets.open(output / "manifest.json", environ={"ASSETBUILD_BASE": "/assets"})

    assert (
        "`/assets` of `ASSETBUILD_BASE` is not a URL base that begins and ends with a slash; write `/assets/`"
    ) == str(caught.value)


def test_an_unknown_name_names_the_near_miss(assets: Assets) -> None:
    with pytest.raises(AssetNotFound) as caught:
        assets.url("css/ap.css")

    assert "`css/ap.css` is not in the manifest; did you mean `css/app.css`?" == str(caught.value)


def test_an_unknown_name_that_is_near_nothing_says_only_so(assets: Assets) -> None:
    with pytest.raises(AssetNotFound) as caught:
        assets.tag("fonts/serif.woff2")

    assert "`fonts/serif.woff2` is not in the manifest" == str(caught.value)


@pytest.mark.parametrize("name", ["/css/app.css", "css/app.css?v=1", "css/app.css#x", "/static/css/app.css"])
def test_a_url_in_the_place_of_a_name_is_told_what_to_write(assets: Assets, name: str) -> None:
    with pytest.raises(AssetNotFound) as caught:
        assets[name]

    assert (
        f"`{name}` is not in the manifest; a logical path has no base, query or fragment: write `css/app.css`"
        == str(caught.value)
    )


def test_a_published_path_in_the_place_of_a_name_is_told_what_to_write(assets: Assets) -> None:
    path = assets["css/app.css"].file

    for name in (path, f"/static/{path}", f"{path}?v=1"):
        with pytest.raises(AssetNotFound) as caught:
            assets.url(name)

        assert (
            f"`{name}` is not in the manifest; that is a published path, which changes with each build: "
            "write `css/app.css`" == str(caught.value)
        )


def test_not_found_is_a_lookup_error_and_survives_a_pickle(assets: Assets) -> None:
    with pytest.raises(LookupError) as caught:
        assets["no"]

    assert str(caught.value) == str(pickle.loads(pickle.dumps(caught.value)))


@pytest.mark.parametrize("name", [None, 1, b"css/app.css", ("css/app.css",)])
def test_what_is_no_text_is_no_name(assets: Assets, name: Any) -> None:
    with pytest.raises(TypeError, match="an asset is named by its logical path, not by"):
        assets[name]

    assert name not in assets


def test_a_name_that_is_markup_gives_a_url_that_is_plain_text() -> None:
    from markupsafe import Markup

    assets = Assets(Manifest(dump(document({"a.txt": {"file": "a-1.txt", "keep": True}}, {"a-1.txt": file_entry()}))))

    assert str is type(assets.url(Markup("a.txt")))
    assert "/static/a.txt" == assets.url("a.txt")


def test_names_are_listed_and_asked_for(assets: Assets) -> None:
    assert ["css/app.css", "img/logo.png", "js/app.js", "sw.js"] == list(assets)
    assert "css/app.css" in assets
    assert "css/app" not in assets
    assert "\ud800" not in assets


def test_a_near_miss_is_found_among_many_names_without_asking_them_all() -> None:
    names = [f"folder{number % 300}/file{number}.css" for number in range(3_000)]
    made = document({name: {"file": "a.css"} for name in names}, {"a.css": file_entry()})
    assets = Assets(Manifest(dump(made)))

    with pytest.raises(AssetNotFound, match=r"did you mean `folder7/file307\.css`\?"):
        assets.url("folder7/fil307.css")


def test_assets_cannot_be_changed(assets: Assets) -> None:
    for name in ("base", "build_id", "manifest", "extra"):
        with pytest.raises(AttributeError):
            setattr(assets, name, "x")
    with pytest.raises(AttributeError):
        assets["css/app.css"].url = "x"  # type: ignore[misc]


def test_a_pickle_a_thread_and_a_forked_process_give_the_same(assets: Assets) -> None:
    names = [*assets] * 10
    expected = [assets[name] for name in names]
    fresh = pickle.loads(pickle.dumps(assets))

    with ThreadPoolExecutor(4) as threads:
        assert expected == list(threads.map(fresh.__getitem__, names))

    ours, theirs = multiprocessing.get_context("fork").Pipe()
    child = multiprocessing.get_context("fork").Process(target=lambda: theirs.send([assets[name] for name in names]))
    child.start()
    assert expected == ours.recv()
    child.join()
    assert (assets.base, assets.build_id) == (fresh.base, fresh.build_id)


def test_the_same_assets_stand_under_another_base(assets: Assets) -> None:
    there = assets.at("https://cdn.example/x/")

    assert "https://cdn.example/x/" + assets["css/app.css"].file == there.url("css/app.css")
    assert ("/static/", assets.build_id, assets.folder) == (assets.base, there.build_id, there.folder)
    assert there.url("js/app.js") == pickle.loads(pickle.dumps(there)).url("js/app.js")
    with pytest.raises(ManifestError, match="is not a URL base"):
        assets.at("/x")


def test_health_names_the_build_and_the_folder_is_that_of_the_manifest(assets: Assets, output: Path) -> None:
    assert {"status": "ok", "build": assets.build_id} == assets.health()
    assert os.path.realpath(output) == assets.folder
    assert not assets.is_reloading


WATCHED = {"ASSETBUILD_RELOAD": "1", "ASSETBUILD_LIVE": "http://127.0.0.1:1/assetbuild/live.js"}


@pytest.mark.parametrize(
    ("reload", "environ", "expected"),
    [
        (None, {}, False),
        (None, {"ASSETBUILD_RELOAD": "1"}, True),
        (None, {"ASSETBUILD_RELOAD": "0"}, False),
        (None, {"ASSETBUILD_RELOAD": ""}, False),
        (False, {"ASSETBUILD_RELOAD": "1"}, False),
        (True, {}, True),
    ],
)
def test_a_process_that_watch_has_started_follows_its_builds_unless_told_otherwise(
    output: Path, reload: bool | None, environ: dict[str, str], expected: bool
) -> None:
    assert expected == Assets.open(output / "manifest.json", reload=reload, environ=environ).is_reloading


def test_a_page_follows_watch_where_it_has_started_the_process(output: Path) -> None:
    assets = Assets.open(output / "manifest.json", environ=WATCHED)

    expected = '<script async src="http://127.0.0.1:1/assetbuild/live.js" nonce="n"></script>'
    assert expected == assets.live(nonce="n") == assets.at("/other/").live(nonce="n")
    assert expected == pickle.loads(pickle.dumps(assets)).live(nonce="n")


@pytest.mark.parametrize("environ", [{}, {"ASSETBUILD_LIVE": WATCHED["ASSETBUILD_LIVE"]}])
def test_a_page_in_production_follows_nobody(output: Path, environ: dict[str, str]) -> None:
    assert "" == Assets.open(output / "manifest.json", environ=environ).live(nonce="n")


@pytest.fixture
def follower(output: Path) -> Assets:
    """Assets of that folder that follow later builds."""
    return Assets.open(output / "manifest.json", reload=True, environ={})


def publish(folder: Path, made: Any) -> None:
    """Put another build in the place of the one that lies there, as a compile does."""
    (folder / "next.json").write_bytes(dump(made))
    os.replace(folder / "next.json", folder / "manifest.json")


def test_a_new_build_is_followed_by_those_alone_who_asked_for_it(
    assets: Assets, follower: Assets, output: Path
) -> None:
    before, build = follower.url("css/app.css"), follower.build_id

    publish(output, published(output, {"css/app.css": b"b{}"}, css_app_css={"kind": "style"}))

    assert before == assets.url("css/app.css") != follower.url("css/app.css")
    assert build == assets.build_id != follower.build_id
    assert "js/app.js" not in follower
    assert ["css/app.css"] == [*follower]
    assert follower.is_reloading


def test_the_same_build_written_anew_is_the_same_manifest(follower: Assets, output: Path) -> None:
    manifest, content = follower.manifest, (output / "manifest.json").read_bytes()

    (output / "next.json").write_bytes(content)
    os.replace(output / "next.json", output / "manifest.json")

    assert manifest is follower.manifest


def test_a_question_asks_one_stat_so_that_its_names_come_from_one_build(
    follower: Assets, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower.tag("js/app.js")
    asked: list[object] = []
    stat = os.stat

    def counting(path: Any, *rest: Any, **named: Any) -> os.stat_result:
        asked.append(path)
        return stat(path, *rest, **named)

    monkeypatch.setattr(os, "stat", counting)
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("opened a file"))
    follower.tag("js/app.js")

    assert 1 == len(asked)


@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_while_there_is_no_build_every_question_raises(follower: Assets, output: Path, content: bytes | None) -> None:
    file = output / "manifest.json"
    whole = file.read_bytes()
    file.unlink()
    if content is not None:
        file.write_bytes(content)

    for _ in range(2):
        with pytest.raises(ManifestError):
            follower.url("css/app.css")

    file.unlink(missing_ok=True)
    file.write_bytes(whole)
    assert follower.url("css/app.css")


def test_a_follower_that_cannot_begin_does_not(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="is not there"):
        Assets.open(tmp_path / "manifest.json", reload=True, environ={})


def test_a_follower_stays_one_in_a_pickle_under_another_base_and_in_another_folder(
    follower: Assets, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(output)
    followers = [
        pickle.loads(pickle.dumps(follower)),
        follower.at("/x/"),
        Assets.open("manifest.json", reload=True, environ={}),
    ]
    monkeypatch.chdir("/")

    publish(output, published(output, {"css/new.css": b"b{}"}))

    assert [["css/new.css"]] * 3 == [[*each] for each in followers]
    assert ["/static/", "/x/", "/static/"] == [each.base for each in followers]
    assert all(each.is_reloading for each in followers)


def test_threads_and_a_forked_process_see_one_build_at_a_time(follower: Assets, output: Path) -> None:
    builds = [{"css/a.css": b"%d" % n, "css/b.css": b"%d" % n} for n in range(6)]
    pairs = []
    for bodies in builds:
        made = published(output, bodies, css_a_css={"kind": "module", "css": ["css/b.css"]})
        pairs.append({made["assets"]["css/a.css"]["file"], made["assets"]["css/b.css"]["file"]})
        publish(output, made)
        with ThreadPoolExecutor(4) as threads:
            seen = list(threads.map(lambda _: follower.tag("css/a.css"), range(20)))
        assert all(file in html for html in seen for file in pairs[-1])

    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=lambda: theirs.send(follower.tag("css/a.css")))
    child.start()
    assert follower.tag("css/a.css") == ours.recv()
    child.join()


def test_a_manifest_that_names_a_file_it_does_not_describe_is_at_fault() -> None:
    assets = Assets(Manifest(dump(document({"a.css": {"file": "a-1.css"}}))))

    with pytest.raises(ManifestError, match=r"`manifest\.json` names the file `a-1.css` and says nothing of it"):
        assets.tag("a.css")


def test_a_changed_byte_stops_the_start_unless_something_else_vouches(output: Path) -> None:
    file = output / "manifest.json"
    file.write_bytes(file.read_bytes().replace(b'"width":12', b'"width":13'))

    with pytest.raises(ManifestError, match="was changed or cut after it was written; run `assetbuild compile` again"):
        Assets.open(file)
    assert 13 == Assets.open(file, verify=False)["img/logo.png"].width


def test_reading_writes_nothing_and_works_on_a_read_only_file(output: Path) -> None:
    file = output / "manifest.json"
    before = stamps(output, file)
    os.chmod(file, 0o444)
    os.chmod(output, 0o555)
    try:
        assets = Assets.open(file)
        [assets.url(name) for name in assets]
    finally:
        os.chmod(output, 0o755)

    assert before == stamps(output, file)


def stamps(folder: Path, but: Path) -> dict[Path, tuple[int, ...]]:
    """Return what a write would change; to list a folder changes its time of access."""
    found = {path: path.stat() for path in folder.rglob("*") if path != but}
    return {path: (s.st_ino, s.st_mode, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for path, s in found.items()}


def test_the_version_is_that_of_the_package() -> None:
    import tomllib

    project = Path(__file__).parents[1] / "pyproject.toml"

    assert tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"] == assetbuild.__version__


def test_what_an_application_catches_is_imported_from_the_package() -> None:
    raised = {name for name in assetbuild.__all__ if name.endswith(("Error", "Fault", "Found"))}

    assert {"AssetNotFound", "AssetbuildError", "FileFault", "InlineError", "ManifestError"} == raised
    assert all(issubclass(getattr(assetbuild, name), assetbuild.AssetbuildError) for name in raised)


@pytest.mark.parametrize("module", ["asgi", "wsgi"])
def test_a_mount_that_is_refused_is_caught_by_the_name_beside_the_middleware(module: str) -> None:
    beside = importlib.import_module(f"assetbuild.web.{module}")

    assert "MountError" in beside.__all__
    with pytest.raises(beside.MountError):
        beside.AssetMiddleware(None, stub_assets(StubManifest("/")))


def test_a_failing_start_is_one_sentence_for_whoever_catches_it(tmp_path: Path) -> None:
    script = "import assetbuild, sys\ntry: assetbuild.Assets.open()\nexcept assetbuild.ManifestError as e: print(e)"

    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert (
        f"`{tmp_path}/build/assets/manifest.json` is not there (`build/assets/manifest.json` in the working directory)"
        "; run `assetbuild compile` in the build stage and copy its output, or name it in ASSETBUILD_MANIFEST\n"
        == done.stdout
    )


def test_opening_a_large_manifest_parses_no_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 20_000
    made = document(
        {f"{number:06}.css": {"file": f"{number:06}-a.css"} for number in range(count)},
        {f"{number:06}-a.css": file_entry() for number in range(count)},
    )
    content = dump(made)
    parsed = 0
    from assetbuild.manifest import lines

    def counting(text: bytes) -> Any:
        nonlocal parsed
        parsed += 1
        return json.loads(text)

    for function in ("parse", "parse_line"):
        monkeypatch.setattr(lines, function, counting)

    assets = Assets(Manifest(content))
    opened = parsed
    assets.url("012345.css")
    asked = parsed
    assert assets["012345.css"]

    assert opened < 80  # two bisections of 40,000 lines, and the outline
    assert (1, 2) == (asked - opened, parsed - asked)


def test_while_a_compile_asks_an_application_for_its_bundles_every_name_is_found() -> None:
    assets = Assets.open("nowhere/manifest.json", environ={"ASSETBUILD_COMPILING": "1"})

    assert "/static/css/app.css" == assets.url("css/app.css")
