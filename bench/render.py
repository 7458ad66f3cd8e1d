"""Render of a page with 20 references to assets: CPU time beside the same page with the URLs written out.

Templates are compiled before. The subjects of an engine live in one process and take turns, round by round; printed are
the median of the rounds and the medians of each round's ratios to the literal page: in an environment without
assetbuild, and in the environment that has it, where that is another. A page has 20 lines, one reference
each: images, and in the pages of tags scripts with integrity. Peers are at their best: Flask inside a request, Django's
manifest storage with its manifest read, webassets with `auto_build` off.

    python bench/render.py [--rounds 41] [--json FILE]
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assetbuild.manifest import dump, hash_name

NAMES = [f"js/part{number:02}.js" for number in range(20)]
BODIES = {name: f"// {name}".encode() for name in NAMES}
_SLICE_S = 0.02

Render = Callable[[], str]


def line(reference: str) -> str:
    """Return one line of a page of images."""
    return f'<p><img src="{reference}" alt=""></p>\n'


def literal(folder: Path) -> Render:
    """The URLs written out, in Jinja without assetbuild."""
    return plain(literal_page(folder))


def literal_beside(folder: Path) -> Render:
    """The URLs written out, in an environment that has assets."""
    return ours(folder, literal_page(folder))


def folded(folder: Path) -> Render:
    """`asset_url` with constant names."""
    return ours(folder, "".join(line(f"{{{{ asset_url('{name}') }}}}") for name in NAMES))


def dynamic(folder: Path) -> Render:
    """`asset_url` with names that only the run knows."""
    given = {f"n{number}": name for number, name in enumerate(NAMES)}
    return ours(folder, "".join(line(f"{{{{ asset_url({variable}) }}}}") for variable in given), **given)


def literal_tags(folder: Path) -> Render:
    """The script elements written out, in Jinja without assetbuild."""
    return plain(literal_tag_page(folder))


def literal_tags_beside(folder: Path) -> Render:
    """The script elements written out, in an environment that has assets."""
    return ours(folder, literal_tag_page(folder))


def folded_tags(folder: Path) -> Render:
    """`asset_tag` with constant names."""
    return ours(folder, "".join(f"<p>{{{{ asset_tag('{name}') }}}}</p>\n" for name in NAMES))


def nonce_tags(folder: Path) -> Render:
    """`asset_tag` with constant names and a nonce of the request."""
    text = "".join(f"<p>{{{{ asset_tag('{name}', nonce=csp_nonce) }}}}</p>\n" for name in NAMES)
    return ours(folder, text, csp_nonce="cjRuZDBt")


def escaped_nonce(folder: Path) -> Render:
    """The script elements written out by hand, with `{{ csp_nonce }}` in each: what a nonce costs in any case."""
    text = "".join(f"<p>{assets_of(folder).tag(name, nonce='NONCE')}</p>\n" for name in NAMES)
    return plain(text.replace("NONCE", "{{ csp_nonce }}"), csp_nonce="cjRuZDBt")


def bundles(folder: Path) -> Render:
    """The tag `assets` from the manifest."""
    return ours(folder, bundle_page())


def webassets(folder: Path) -> Render:
    """The tag `assets` of webassets."""
    from jinja2 import Environment
    from webassets import Bundle
    from webassets import Environment as Bundles

    env = Environment(autoescape=True, extensions=["webassets.ext.jinja2.AssetsExtension"])
    known = Bundles(str(folder / "sources"), "/static", auto_build=False, cache=False, manifest=False, url_expire=False)
    for name in NAMES:
        known.register(name, Bundle(name, output=name))
    env.assets_environment = known  # type: ignore[attr-defined]
    return env.from_string(bundle_page()).render


def flask(folder: Path) -> Render:
    """Flask's `url_for('static', …)`."""
    import flask as framework

    app = framework.Flask(__name__, static_folder=str(folder / "sources"), static_url_path="/static")
    text = "".join(line(f"{{{{ url_for('static', filename='{name}') }}}}") for name in NAMES)
    template = app.jinja_env.from_string(text)
    app.test_request_context("/").push()
    return template.render


def django_literal(folder: Path, storage: str) -> Render:
    """The URLs written out, in Django."""
    return django(folder, storage, literal_page(folder))


def django_static(folder: Path, storage: str) -> Render:
    """Django's `{% static %}`."""
    text = "".join(line(f"{{% static '{name}' %}}") for name in NAMES)
    return django(folder, storage, f"{{% load static %}}{text}")


SUBJECTS: dict[str, dict[str, Callable[[Path], Render]]] = {
    "Jinja": {
        "Jinja, literal": literal,
        "Jinja, literal, in the environment of assetbuild": literal_beside,
        "assetbuild, constant names": folded,
        "assetbuild, names at run time": dynamic,
        "assetbuild, `{% assets %}`": bundles,
        "Flask, `url_for`": flask,
        "webassets, `{% assets %}`": webassets,
    },
    "Jinja, tags": {
        "Jinja, literal tags": literal_tags,
        "Jinja, literal tags, in the environment of assetbuild": literal_tags_beside,
        "assetbuild, tags": folded_tags,
        "Jinja, literal tags with a nonce": escaped_nonce,
        "assetbuild, tags with a nonce": nonce_tags,
    },
    "Django": {
        "Django, literal": partial(django_literal, storage="StaticFilesStorage"),
        "Django, `{% static %}`": partial(django_static, storage="StaticFilesStorage"),
    },
    "Django, manifest": {
        "Django, literal, in another process": partial(django_literal, storage="ManifestStaticFilesStorage"),
        "Django, `{% static %}` with its manifest storage": partial(
            django_static, storage="ManifestStaticFilesStorage"
        ),
    },
}
"""Process → name → how it is prepared. The first of each process is what the others are compared with."""

_BESIDE = "in the environment of assetbuild"

PACKAGES = ("assetbuild", "jinja2", "flask", "django", "webassets")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        group, folder = args.child
        serve({name: prepare(Path(folder)) for name, prepare in SUBJECTS[group].items()})
        return
    with tempfile.TemporaryDirectory(prefix="render-") as folder:
        write(Path(folder))
        found = medians(folder, args.rounds)
    versions = {name: version(name) for name in PACKAGES}
    print(table(found))
    print(", ".join(f"{name} {number}" for name, number in versions.items()) + f", Python {sys.version.split()[0]}")
    if args.json:
        args.json.write_text(json.dumps({"versions": versions, "rounds": args.rounds, "renders": found}, indent=1))


def medians(folder: str, rounds: int) -> dict[str, dict[str, float]]:
    """Return by subject the microseconds of CPU per render and the ratios to the literal pages."""
    command = [sys.executable, __file__, "--child"]
    children = [
        subprocess.Popen([*command, group, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for group in SUBJECTS
    ]
    runs: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        for child in children:
            assert child.stdin
            assert child.stdout
            child.stdin.write("go\n")
            child.stdin.flush()
            found = json.loads(child.stdout.readline())
            first = next(iter(found.values()))
            beside = next((each for name, each in found.items() if name.endswith(_BESIDE)), first)
            for name, each in found.items():
                row = {"render_us": each, "ratio": each / first}
                if name.startswith("assetbuild") or name.endswith(_BESIDE):
                    row["ratio_beside"] = each / beside
                runs.setdefault(name, []).append(row)
    for child in children:
        child.communicate()
    return {name: {key: statistics.median(one[key] for one in run) for key in run[0]} for name, run in runs.items()}


def serve(renders: dict[str, Render]) -> None:
    """Answer each line of input with the CPU time of a render of each in microseconds."""
    counts = {}
    for name, render in renders.items():
        page = render()
        assert len(NAMES) == page.count("/static/"), page
        counts[name] = 1
        while measured(render, counts[name]) * counts[name] < 1e6 * _SLICE_S:
            counts[name] *= 2
    for _ in sys.stdin:
        print(json.dumps({name: measured(render, counts[name]) for name, render in renders.items()}), flush=True)


def measured(render: Render, count: int) -> float:
    """Return microseconds of CPU per render."""
    began = time.process_time_ns()
    for _ in range(count):
        render()
    return (time.process_time_ns() - began) / count / 1e3


def write(folder: Path) -> None:
    """Write what the subjects read: sources, our manifest, Django's."""
    assets, files = {}, {}
    for name, body in BODIES.items():
        for root in ("sources", "published"):
            (folder / root / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / root / name).write_bytes(body)
        path = name.replace(".js", f"-{hash_name('', body)}.js")
        assets[name] = {"file": path, "kind": "classic"}
        files[path] = {
            "type": "text/javascript; charset=utf-8",
            "size": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "integrity": "sha384-" + base64.b64encode(hashlib.sha384(body).digest()).decode(),
        }
    nothing = "sha256:" + hashlib.sha256().hexdigest()
    build = {"tools": {"assetbuild": "0"}, "config": nothing, "inputs": nothing, "salt": ""}
    named = {name: {"assets": [name]} for name in NAMES}
    document = {"base": "/static/", "build": build, "assets": assets, "bundles": named, "files": files}
    (folder / "manifest.json").write_bytes(dump(document))
    paths = {name: str(entry["file"]) for name, entry in assets.items()}
    text = json.dumps({"paths": paths, "version": "1.1", "hash": "0"})
    (folder / "published/staticfiles.json").write_text(text)


def assets_of(folder: Path) -> Any:
    """Return the assets of our manifest."""
    from assetbuild import Assets

    return Assets.open(folder / "manifest.json", environ={})


def ours(folder: Path, text: str, **values: str) -> Render:
    """Return the render of a template of ours."""
    from jinja2 import Environment

    from assetbuild.web.jinja import install

    env = Environment(autoescape=True)
    install(env, assets_of(folder))
    template = env.from_string(text)
    return lambda: template.render(values) if values else template.render()


def plain(text: str, **values: str) -> Render:
    """Return the render of a template in an environment without assetbuild."""
    from jinja2 import Environment

    template = Environment(autoescape=True).from_string(text)
    return lambda: template.render(values) if values else template.render()


def literal_page(folder: Path) -> str:
    """Return a page with the URLs written out."""
    return "".join(line(assets_of(folder).url(name)) for name in NAMES)


def literal_tag_page(folder: Path) -> str:
    """Return a page with the script elements written out."""
    return "".join(f"<p>{assets_of(folder).tag(name)}</p>\n" for name in NAMES)


def bundle_page() -> str:
    """Return a page of `{% assets %}` tags."""
    return "".join(f"{{% assets '{name}' %}}{line('{{ ASSET_URL }}')}{{% endassets %}}" for name in NAMES)


def django(folder: Path, storage: str, text: str) -> Render:
    """Return the render of a Django template."""
    import django as framework
    from django.conf import settings
    from django.template import Context, Template

    if not settings.configured:
        settings.configure(
            STATIC_URL="/static/",
            STATIC_ROOT=str(folder / "published"),
            INSTALLED_APPS=["django.contrib.staticfiles"],
            STORAGES={"staticfiles": {"BACKEND": f"django.contrib.staticfiles.storage.{storage}"}},
            TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        )
    framework.setup()
    template = Template(text)
    return lambda: str(template.render(Context()))


def table(rows: dict[str, dict[str, float]]) -> str:
    """Return the figures as Markdown."""
    lines = ["| | CPU per render | ratio | ratio, literal in the same environment |", "|---|---|---|---|"]
    for name, row in rows.items():
        beside = f"{row['ratio_beside']:.2f}" if "ratio_beside" in row else ""
        lines.append(f"| {name} | {row['render_us']:.1f} µs | {row['ratio']:.2f} | {beside} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
