"""Django's collectstatic with each of the storages that hash, and the two bundlers that live in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from builds.peers.base import SCRIPTS, Peer, Place, Plan, bundles

__all__ = ["MANIFEST", "PEERS", "WHITENOISE"]

MANIFEST = "Django manifest storage"
WHITENOISE = "WhiteNoise storage"

_FILES = "django.contrib.staticfiles"
_PLAIN = f"{_FILES}.storage.StaticFilesStorage"
_FINDER = f"{_FILES}.finders.FileSystemFinder"
_SMALL = frozenset({"static-1k", "static-10k"})


def _plan(place: Place, storage: str, apps: tuple[str, ...], calls: tuple[str, ...], more: Mapping[str, Any]) -> Plan:
    settings = {
        "SECRET_KEY": "bench",
        "STATIC_URL": "/static/",
        "STATIC_ROOT": str(place.output),
        "STATICFILES_DIRS": [str(place.source / "static")],
        "INSTALLED_APPS": [*apps, _FILES],
        "STORAGES": {
            "staticfiles": {"BACKEND": storage},
            "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        },
        **more,
    }
    file = place.scratch / "settings.json"
    file.write_text(json.dumps(settings))
    command = [str(place.box.python), str(SCRIPTS / "collectstatic.py"), str(file), *calls]
    return Plan([command], place.source)


def _collected(storage: str, *apps: str) -> Callable[[Place], Plan]:
    return lambda place: _plan(place, storage, apps, ("collectstatic",), {})


def _compressor(place: Place) -> Plan:
    tags = {"css": '<link rel="stylesheet" href="/static/{}">', "js": '<script src="/static/{}"></script>'}
    blocks = [
        f"{{% compress {kind} %}}" + "\n".join(tags[kind].format(file) for file in files) + "{% endcompress %}"
        for kind, named in bundles(place).items()
        for files in named.values()
    ]
    folder = place.scratch / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "page.html").write_text("{% load compress %}\n" + "\n".join(blocks))
    engine = {"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [str(folder)], "APP_DIRS": True}
    more = {
        "COMPRESS_ENABLED": True,
        "COMPRESS_OFFLINE": True,
        "COMPRESS_ROOT": str(place.output),
        "COMPRESS_URL": "/static/",
        "STATICFILES_FINDERS": [_FINDER, "compressor.finders.CompressorFinder"],
        "TEMPLATES": [engine],
    }
    return _plan(place, _PLAIN, ("compressor",), ("collectstatic", "compress"), more)


def _pipeline(place: Place) -> Plan:
    named = {
        kind: {
            f"{kind}_{name}": {"source_filenames": files, "output_filename": f"gen/{name}.{kind}"}
            for name, files in each.items()
        }
        for kind, each in bundles(place).items()
    }
    compressors = "pipeline_compressors.Compressors"  # beside the script that Python begins with
    options = {
        "PIPELINE_ENABLED": True,
        "STYLESHEETS": named["css"],
        "JAVASCRIPT": named["js"],
        "CSS_COMPRESSOR": compressors,
        "JS_COMPRESSOR": compressors,
        "DISABLE_WRAPPER": True,
    }
    more = {"PIPELINE": options, "STATICFILES_FINDERS": [_FINDER, "pipeline.finders.PipelineFinder"]}
    return _plan(place, "pipeline.storage.PipelineManifestStorage", ("pipeline",), ("collectstatic",), more)


_ENHANCED = "django_manifeststaticfiles_enhanced"

PEERS = (
    Peer(
        MANIFEST,
        _SMALL | {"legacy"},
        ("pip:django",),
        _collected(f"{_FILES}.storage.ManifestStaticFilesStorage"),
        "originals stay beside the hashed copies",
    ),
    Peer(
        "Django manifest storage, enhanced",
        _SMALL,
        ("pip:django", "pip:django-manifeststaticfiles-enhanced"),
        _collected(f"{_ENHANCED}.storage.EnhancedManifestStaticFilesStorage", _ENHANCED),
        "originals stay beside the hashed copies",
    ),
    Peer(
        WHITENOISE,
        _SMALL,
        ("pip:django", "pip:whitenoise", "pip:brotli"),
        _collected("whitenoise.storage.CompressedManifestStaticFilesStorage"),
        "gzip and brotli of originals and copies",
    ),
    Peer(
        "ServeStatic storage",
        _SMALL,
        ("pip:django", "pip:servestatic", "pip:brotli"),
        _collected("servestatic.storage.CompressedManifestStaticFilesStorage"),
        "gzip and brotli of originals and copies",
    ),
    Peer(
        "django-compressor",
        frozenset({"legacy"}),
        ("pip:django", "pip:django-compressor"),
        _compressor,
        "collectstatic, then `compress --force`; originals stay",
    ),
    Peer(
        "django-pipeline",
        frozenset({"legacy"}),
        ("pip:django", "pip:django-pipeline", "pip:rcssmin", "pip:rjsmin"),
        _pipeline,
        "rcssmin, rjsmin; originals stay beside the hashed copies",
    ),
)
