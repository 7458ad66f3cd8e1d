"""Compiled templates that outlive a process: a bytecode cache, a folder of `compile_templates`, a loaded template."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jinja2 import (
    BytecodeCache,
    ChoiceLoader,
    DictLoader,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    MemcachedBytecodeCache,
    ModuleLoader,
    PrefixLoader,
)
from jinja2.nativetypes import NativeEnvironment
from jinja2.sandbox import SandboxedEnvironment

from assetbuild import Assets
from assetbuild.manifest import Manifest, dump
from assetbuild.web.jinja import AssetExtension, StaleTemplate, install
from tests.manifests import document, file_entry, published, write

PAGE = "{{ asset_url('a.css') }} {{ asset_tag('a.css', nonce=nonce) }}"
LOADERS: list[ModuleLoader] = []


def loader_of(compiled: Path) -> ModuleLoader:
    """Return a loader for a folder of `compile_templates` that lives as long as this process.

    jinja2's loader puts a weak reference into `sys.modules`, and other tests' hypothesis reads every module there.
    """
    LOADERS.append(ModuleLoader(compiled))
    return LOADERS[-1]


def build(file: str, base: str = "/static/") -> Assets:
    """Return the assets of a build in which `a.css` is published as `file`."""
    return Assets(Manifest(dump(document({"a.css": {"file": file}}, {file: file_entry(file.encode())}))), base)


def page(assets: Assets) -> str:
    return f"{assets.url('a.css')} {assets.tag('a.css')}"


@pytest.fixture
def templates(tmp_path: Path) -> FileSystemLoader:
    """A folder with one template."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/page.html").write_text(PAGE)
    return FileSystemLoader(tmp_path / "templates")


class Client:
    """A memcached client that keeps what it is given, as cachelib's simple cache does."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def get(self, key: str) -> bytes:
        return self.kept[key]

    def set(self, key: str, value: bytes, timeout: int | None = None) -> None:
        self.kept[key] = value


@pytest.fixture(params=["files", "memcached"])
def caches(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], BytecodeCache]:
    """Return a function that opens one store of bytecode anew, as each process does."""
    client = Client()
    (tmp_path / "bytecode").mkdir()
    if request.param == "files":
        return lambda: FileSystemBytecodeCache(str(tmp_path / "bytecode"))
    return lambda: MemcachedBytecodeCache(client)


def set_before(env: Environment, assets: Assets, cache: BytecodeCache) -> Environment:
    env.bytecode_cache = cache
    install(env, assets)
    return env


def set_after(env: Environment, assets: Assets, cache: BytecodeCache) -> Environment:
    install(env, assets)
    env.bytecode_cache = cache
    return env


def set_on_an_overlay(env: Environment, assets: Assets, cache: BytecodeCache) -> Environment:
    install(env, assets)
    return env.overlay(bytecode_cache=cache)


Way = Callable[[Environment, Assets, BytecodeCache], Environment]
WAYS = pytest.mark.parametrize("way", [set_before, set_after, set_on_an_overlay])


@WAYS
@pytest.mark.parametrize("kind", [Environment, SandboxedEnvironment, NativeEnvironment])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (build("a-1.css"), build("a-2.css")),
        (build("a-1.css"), build("a-1.css", "https://cdn.example/")),
    ],
    ids=["another build", "another base"],
)
def test_bytecode_of_other_assets_is_compiled_again(
    templates: FileSystemLoader,
    caches: Callable[[], BytecodeCache],
    way: Way,
    kind: type[Environment],
    old: Assets,
    new: Assets,
) -> None:
    for assets in (old, new, old):
        env = way(kind(loader=templates), assets, caches())

        assert page(assets) == env.get_template("page.html").render()


@WAYS
def test_bytecode_of_the_same_assets_is_used(
    templates: FileSystemLoader, caches: Callable[[], BytecodeCache], way: Way
) -> None:
    way(Environment(loader=templates), build("a-1.css"), caches()).get_template("page.html")
    compiled: list[object] = []

    class Watching(Environment):
        def _generate(self, *given: Any, **more: Any) -> str:
            compiled.append(given)
            return super()._generate(*given, **more)

    env = way(Watching(loader=templates), build("a-1.css"), caches())

    assert page(build("a-1.css")) == env.get_template("page.html").render()
    assert [] == compiled


def test_bytecode_from_before_the_assets_is_not_used(
    templates: FileSystemLoader, caches: Callable[[], BytecodeCache]
) -> None:
    bare = Environment(loader=templates, bytecode_cache=caches())
    bare.globals.update(asset_url=str, asset_tag=lambda name, **_: name)
    assert "a.css a.css" == bare.get_template("page.html").render()

    env = set_after(Environment(loader=templates), build("a-1.css"), caches())

    assert page(build("a-1.css")) == env.get_template("page.html").render(asset_url=None)


def test_bytecode_that_was_not_folded_is_kept_apart(
    templates: FileSystemLoader, caches: Callable[[], BytecodeCache]
) -> None:
    assets = build("a-1.css")
    asked = Environment(loader=templates, bytecode_cache=caches())
    install(asked, assets, prefix=lambda: "/shop")
    folded = set_before(Environment(loader=templates), assets, caches())

    for _ in range(2):
        assert folded.get_template("page.html").render() == page(assets)
        assert asked.get_template("page.html").render().startswith("/shop/static/")


def test_one_cache_serves_two_environments(templates: FileSystemLoader, caches: Callable[[], BytecodeCache]) -> None:
    shared = caches()
    first = set_before(Environment(loader=templates, cache_size=0), build("a-1.css"), shared)
    second = set_after(Environment(loader=templates, cache_size=0), build("a-2.css"), shared)

    for _ in range(2):
        assert page(build("a-1.css")) == first.get_template("page.html").render()
        assert page(build("a-2.css")) == second.get_template("page.html").render()


def test_a_cache_can_still_be_emptied_and_asked(templates: FileSystemLoader, tmp_path: Path) -> None:
    env = set_after(Environment(loader=templates), build("a-1.css"), FileSystemBytecodeCache(str(tmp_path)))
    env.get_template("page.html")
    assert [*tmp_path.glob("__jinja2_*")]

    assert env.bytecode_cache is not None
    env.bytecode_cache.clear()

    assert [] == [*tmp_path.glob("__jinja2_*")]
    assert str(tmp_path) == env.bytecode_cache.directory  # type: ignore[attr-defined]
    env.bytecode_cache = None
    assert env.bytecode_cache is None


@pytest.fixture(params=["folder", "zip"])
def modules(request: pytest.FixtureRequest, tmp_path: Path, templates: FileSystemLoader) -> ModuleLoader:
    """What `compile_templates` makes of the template with one build."""
    env = Environment(loader=PrefixLoader({"shop": templates}) if request.param == "zip" else templates)
    install(env, build("a-1.css"))
    target = tmp_path / "compiled"
    env.compile_templates(target, zip="deflated" if request.param == "zip" else None, ignore_errors=False)
    return loader_of(target)


@pytest.fixture
def name(modules: ModuleLoader) -> str:
    """The name of the template there."""
    try:
        Environment(loader=modules).get_template("page.html")
    except LookupError:
        return "shop/page.html"
    return "page.html"


def test_a_folder_of_compiled_templates_serves_its_own_build(modules: ModuleLoader, name: str) -> None:
    env = Environment(loader=modules)
    install(env, build("a-1.css"))

    assert page(build("a-1.css")) == env.get_template(name).render()


@pytest.mark.parametrize(
    ("assets", "prefix"),
    [(build("a-2.css"), None), (build("a-1.css", "/cdn/"), None), (build("a-1.css"), lambda: "/shop")],
    ids=["another build", "another base", "a prefix"],
)
@pytest.mark.parametrize("is_chosen", [True, False])
def test_a_folder_of_compiled_templates_is_refused_elsewhere(
    modules: ModuleLoader, name: str, assets: Assets, prefix: Any, is_chosen: bool
) -> None:
    env = Environment(loader=ChoiceLoader([modules, DictLoader({})]) if is_chosen else modules)
    install(env, assets, prefix=prefix)

    with pytest.raises(StaleTemplate) as caught:
        env.get_template(name)

    old = build("a-1.css")
    now = "asked at each call" if prefix else f"{assets.build_id} at {assets.base}"
    assert (
        f"template `{name}` was compiled by `compile_templates` with other assets (assetbuild 0.1.0, {old.build_id} at "
        f"/static/) than those in use (assetbuild 0.1.0, {now}); run `compile_templates` again"
    ) == str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "{{ asset_url('a.css') }}",
        "{{ asset_url('a.css' if dark else 'a.css') }}",
        "{{ asset_tag('a.css' if dark else 'a.css') }}",
        "{{ asset_tag('a.css', nonce=nonce) }}",
        "{% set url = asset_url('a.css') %}{{ url }}",
        "{% set url = asset_url('a.css' if dark else 'a.css') %}{{ url }}",
        "{% assets 'a.css' %}{{ ASSET_URL }}{% endassets %}",
    ],
)
def test_a_compiled_template_is_refused_elsewhere_for_a_single_url(tmp_path: Path, text: str) -> None:
    first, second = Environment(loader=DictLoader({"page": text})), Environment(loader=loader_of(tmp_path))
    install(first, build("a-1.css"))
    first.compile_templates(tmp_path, zip=None, ignore_errors=False)
    install(second, build("a-2.css"))

    with pytest.raises(StaleTemplate):
        second.get_template("page")


def test_a_folder_of_compiled_templates_needs_no_assets_at_all(modules: ModuleLoader, name: str) -> None:
    assert page(build("a-1.css")) == Environment(loader=modules).get_template(name).render()


def test_a_compiled_template_without_assets_in_it_is_loaded_anywhere(tmp_path: Path) -> None:
    first, second = Environment(loader=DictLoader({"page": "{{ asset_url(name) }}"})), Environment()
    install(first, build("a-1.css"))
    first.compile_templates(tmp_path, zip=None, ignore_errors=False)
    install(second, build("a-2.css"))

    second.loader = loader_of(tmp_path)

    assert "/static/a-2.css" == second.get_template("page").render(name="a.css")


def test_installing_again_exchanges_the_assets_of_every_template(templates: FileSystemLoader) -> None:
    env = Environment(loader=templates)
    for assets in (build("a-1.css"), build("a-2.css"), build("a-2.css")):
        install(env, assets)

        assert page(assets) == env.get_template("page.html").render()


def test_an_overlay_has_the_assets_of_its_original_or_its_own(templates: FileSystemLoader) -> None:
    env = Environment(loader=templates)
    install(env, build("a-1.css"))
    same, other = env.overlay(), env.overlay()
    install(other, build("a-2.css"))

    for each, assets in ((env, build("a-1.css")), (same, build("a-1.css")), (other, build("a-2.css"))):
        assert page(assets) == each.get_template("page.html").render()
        assert assets.url("a.css") == each.from_string("{{ asset_url(name) }}").render(name="a.css")


def test_an_overlay_of_an_environment_without_assets_keeps_them_to_itself(templates: FileSystemLoader) -> None:
    env = Environment(loader=templates)
    overlay = env.overlay()

    install(overlay, build("a-2.css"))
    install(overlay, build("a-1.css"))
    env.globals["later"] = "seen"

    assert "asset_url" not in env.globals
    assert f"{page(build('a-1.css'))}" == overlay.get_template("page.html").render()
    assert "seen" == overlay.from_string("{{ later }}").render()


def test_templates_loaded_before_see_the_functions(templates: FileSystemLoader) -> None:
    env = Environment(loader=templates)
    loaded = env.get_template("page.html")

    install(env, build("a-1.css"))

    assert page(build("a-1.css")) == loaded.render()


@pytest.mark.parametrize("form", ["assetbuild.web.jinja.AssetExtension", AssetExtension])
def test_the_extension_opens_the_manifest_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Any
) -> None:
    file = write(tmp_path, document({"a.css": {"file": "a-1.css"}}, {"a-1.css": file_entry()}))
    monkeypatch.setenv("ASSETBUILD_MANIFEST", str(file))
    monkeypatch.setenv("ASSETBUILD_BASE", "/here/")
    env = Environment(extensions=[form])

    assert "/here/a-1.css" == env.from_string("{{ asset_url('a.css') }}").render()
    env.add_extension(form)
    assert "/here/a-1.css" == env.from_string("{{ asset_url('a.css') }}").render()


def test_an_environment_stays_what_it_was() -> None:
    class Theirs(SandboxedEnvironment):
        """An environment of an application."""

    env = Theirs()
    install(env, build("a-1.css"))
    install(env, build("a-1.css"))

    assert isinstance(env, Theirs)
    assert "Theirs" == type(env).__name__
    assert Theirs.__mro__ == tuple(kind for kind in type(env).__mro__ if kind in Theirs.__mro__)
    assert env.sandboxed


def test_assets_that_reload_are_asked_at_each_call(tmp_path: Path) -> None:
    file = write(tmp_path, published(tmp_path, {"a.css": b"a{}"}))
    assets = Assets.open(file, reload=True, environ={})
    env = Environment()
    install(env, assets)
    template = env.from_string("{{ asset_url('a.css') }}")
    first = template.render()

    write(tmp_path, published(tmp_path, {"a.css": b"b{color:red}"}))

    assert assets.url("a.css") == template.render() != first


def test_a_prefix_stands_before_every_url_below_a_base_without_a_host(tmp_path: Path) -> None:
    made = published(
        tmp_path,
        {"a.css": b"a{}", "m.js": b"1", "n.js": b"2", "i.png": b"3"},
        m_js={"kind": "module", "css": ["a.css"], "imports": ["n.js"]},
        i_png={"at": "/favicon.png"},
    )
    made["importmap"] = {"n": "n.js"}
    made["bundles"] = {"all": {"assets": ["a.css"]}}
    assets = Assets.open(write(tmp_path, made), environ={})
    below = ["/shop"]
    text = (
        "{{ asset_url('i.png') }} {{ asset_tag('m.js') }} {{ asset_tag('i.png') }} {{ asset_preload('m.js') }} "
        "{{ asset_importmap() }} {{ asset_inline('a.css') }} {% assets 'all' %}{{ ASSET_URL }}{% endassets %}"
    )

    def render(base: str) -> str:
        env = Environment(autoescape=True)
        install(env, assets.at(base), prefix=lambda: below[0])
        return env.from_string(text).render()

    shop = render("/static/")
    cdn = render("https://cdn.example/")
    below[0] = ""
    plain = render("/static/")

    assert plain.replace("/static/", "/shop/static/") == shop
    assert [2, 2] == [page.count('"/favicon.png') + page.count("/favicon.png ") for page in (shop, cdn)]
    assert plain.count("/static/") == cdn.count("https://cdn.example/") > 0
