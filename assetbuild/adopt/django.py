"""`--from django`: what `collectstatic` with a manifest storage publishes, as roots.

Receives the settings as they are written; hands on an `Adopted`. Storages hash and rewrite, and so do we; what one of
them, a finder or a middleware does beyond that is said.
"""

from __future__ import annotations

from typing import Any

from assetbuild.adopt.adopted import Adopted, left, to_change
from assetbuild.adopt.code import Code
from assetbuild.adopt.django_settings import Settings
from assetbuild.adopt.frozen import template_section
from assetbuild.diagnostic import Diagnostic
from assetbuild.disk import Disk

__all__ = ["adopted", "site"]

# https://docs.djangoproject.com/en/5.2/ref/contrib/staticfiles/#collectstatic: dotted names are ours to leave out.
_IGNORED = ("**/CVS/**", "**/*~")
_OURS = "assetbuild.web.django.storage.ManifestStorage"
_KNOWN = {
    "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
    "django.contrib.staticfiles.storage.StaticFilesStorage",
    "django_manifeststaticfiles_enhanced.storage.EnhancedManifestStaticFilesStorage",
    "servestatic.storage.CompressedManifestStaticFilesStorage",
    "whitenoise.storage.CompressedManifestStaticFilesStorage",
    "whitenoise.storage.CompressedStaticFilesStorage",
}
_FINDERS = ("django.contrib.staticfiles.finders.", "assetbuild.")


def adopted(code: Code, disk: Disk) -> Adopted:
    """Return the configuration that publishes what `collectstatic` collects."""
    settings = Settings(code, disk)
    made = site(settings)
    findings = [*made.findings, *_storage(settings), *_beyond(settings)]
    return Adopted(
        made.origin,
        made.roots,
        base=made.base,
        python_packages=made.python_packages,
        exclude=_IGNORED,
        sections={"sass": {"auto": False}, **made.sections},
        findings=tuple(findings),
    )


def site(settings: Settings) -> Adopted:
    """Return roots, packages, base and templates of a Django site, which every tool that lives in Django builds on."""
    roots, packages = settings.roots()
    sections = template_section(settings.template_folders(), is_django=True)
    origin = f"Read from {settings.module.shown}."
    base = settings.base()
    return Adopted(origin, roots, (), base, packages, sections=sections, findings=tuple(settings.findings))


def _storage(settings: Settings) -> list[Diagnostic]:
    storages = settings.get("STORAGES", {})
    backend: Any = storages.get("staticfiles", {}) if isinstance(storages, dict) else {}
    name = backend.get("BACKEND", "") if isinstance(backend, dict) else ""
    setting = "STORAGES" if name else "STATICFILES_STORAGE"
    name = name or settings.get("STATICFILES_STORAGE", "")
    if not name or name == _OURS:
        return []
    place = settings.place(setting)
    hint = f'set the backend of `staticfiles` to "{_OURS}"'
    found = [to_change(f"`{name}` is the storage", place, hint)]
    if name not in _KNOWN:
        message = f"what `{name}` does beyond hashing is not known"
        found.append(left(message, place, "compare what it publishes with `build/assets/manifest.json`"))
    return found


def _beyond(settings: Settings) -> list[Diagnostic]:
    """Return findings for settings that publish what no root holds."""
    found = []
    for finder in settings.get("STATICFILES_FINDERS", ()) or ():
        if not str(finder).startswith(_FINDERS):
            message = f"what the finder `{finder}` finds is not looked for"
            found.append(left(message, settings.place("STATICFILES_FINDERS"), "name its folders under `roots`"))
    root = settings.get("WHITENOISE_ROOT")
    if root:
        message = f"`{settings.relative(root) or root}` of `WHITENOISE_ROOT` is served from `/`"
        hint = "name the folder under `roots`, and its files under `site_root`"
        found.append(left(message, settings.place("WHITENOISE_ROOT"), hint))
    return found
