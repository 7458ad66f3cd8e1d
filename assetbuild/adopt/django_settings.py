"""Django's settings as far as they are written out, and the roots that they mean.

Receives the project's code; hands on values. The settings are those that the server uses: `wsgi.py` names them, else
`asgi.py`, else `manage.py`. Source of each rule: Django's documentation of `django.contrib.staticfiles`.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from assetbuild.adopt.adopted import Folder, left
from assetbuild.adopt.code import Code, Module
from assetbuild.adopt.files import below
from assetbuild.adopt.literal import Literals, Unread
from assetbuild.compiler.errors import ConfigError
from assetbuild.diagnostic import Diagnostic, Span
from assetbuild.disk import Disk
from assetbuild.installed import package_folders

__all__ = ["Settings"]

_NAMED_IN = ("wsgi.py", "asgi.py", "manage.py")
_VARIABLE = "DJANGO_SETTINGS_MODULE"


class Settings:
    """One settings module. findings: what could not be read of what was asked for."""

    def __init__(self, code: Code, disk: Disk) -> None:
        self.code = code
        self.findings: list[Diagnostic] = []
        self.module = _module(code)
        self._disk = disk
        self._known: dict[str, Any] = {}

    def get(self, name: str, default: Any = None, hint: str = "") -> Any:
        """Return a setting; `default`, and a finding, if only the running program knows it.

        What is unknown inside of a list or table is left out of it, with a finding too.
        """
        if name not in self._known:
            unread: list[Unread] = []
            try:
                self._known[name] = Literals(self.code, skipped=unread).named(self.module, name)
            except KeyError:
                self._known[name] = default
            except Unread as error:
                self._known[name] = default
                unread.append(error)
            for each in unread:
                message = f"`{name}` is known only when the settings run: `{each.shown}`"
                place = each.module.place(each.node)
                self.findings.append(left(message, place, hint or "write what it means there into the new file"))
        return self._known[name]

    def place(self, name: str) -> Span:
        """Return where a setting gets its value, in the settings or in what they import everything from."""
        modules = [self.module]
        for module in modules:
            for node in reversed(module.tree.body):
                targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
                if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                    return module.place(node)
            stars = [found for star in module.stars if (found := self.code.named(star))]
            modules += [found for found in stars if found not in modules]
        return Span(self.module.shown)

    def base(self) -> str:
        """Return STATIC_URL as a URL base, "" for the default."""
        url = self.get("STATIC_URL", "", "write it as `base` into the new file")
        if not isinstance(url, str) or not url:
            return ""
        full = url if url.startswith(("/", "http://", "https://")) else f"/{url}"
        return full if full.endswith("/") else f"{full}/"

    def roots(self) -> tuple[tuple[Folder, ...], tuple[str, ...]]:
        """Return the folders in the order in which Django looks, and the installed packages that bring static files."""
        folders = [root for item in self._list("STATICFILES_DIRS") if (root := self._directory(item))]
        packages: list[str] = []
        for app in map(str, self._list("INSTALLED_APPS")):
            own, package = self._app(app)
            if own:
                self._overtaken(own, packages)
                folders.append(Folder(own))
            packages += [package] if package else []
        return tuple(dict.fromkeys(folders)), tuple(dict.fromkeys(packages))

    def _overtaken(self, own: str, packages: Sequence[str]) -> None:
        """Add a finding for each file of a package that Django finds first: here the packages come last."""
        files = set(below(os.path.join(self.code.folder, own), self._disk))
        for name in packages:
            for folder in package_folders(name):
                for logical in sorted(files & set(below(os.path.join(folder, "static"), self._disk))):
                    message = f"`{logical}` is that of `{name}` in Django, and here that of `{own}`"
                    hint = f"take `{own}/{logical}` away, or copy the other over it"
                    self.findings.append(left(message, self.place("INSTALLED_APPS"), hint))

    def template_folders(self) -> list[str]:
        """Return the project's folders of templates: `DIRS` of each engine, and those of its own apps."""
        found = []
        for engine in self._list("TEMPLATES"):
            for item in engine.get("DIRS", ()) if isinstance(engine, dict) else ():
                shown = self.relative(item)
                found += [shown] if shown and self._is_folder(shown) else []
        for app in self._list("INSTALLED_APPS"):
            own = self._own(str(app))
            found += [f"{own}/templates"] if own and self._is_folder(f"{own}/templates") else []
        return sorted(dict.fromkeys(found))

    def relative(self, path: object) -> str:
        """Return a folder of a setting relative to the project, "" if it lies outside."""
        if not isinstance(path, str | PurePosixPath):
            return ""
        shown = os.path.relpath(os.path.join(self.code.folder, str(path)), self.code.folder).replace(os.sep, "/")
        return "" if shown.startswith("../") or shown == ".." else shown

    def _list(self, name: str) -> list[Any]:
        value = self.get(name, [])
        return list(value) if isinstance(value, list | tuple) else []

    def _directory(self, item: Any) -> Folder | None:
        prefix, path = item if isinstance(item, tuple | list) and len(item) == 2 else ("", item)
        shown = self.relative(path)
        place = self.place("STATICFILES_DIRS")
        if not shown:
            message = f"`{path}` in `STATICFILES_DIRS` lies outside the project"
            self.findings.append(
                left(message, place, "copy it into the project, or add it as an npm or Python package")
            )
        elif not self._is_folder(shown):
            message = f"`{shown}` in `STATICFILES_DIRS` is not there"
            self.findings.append(left(message, place, "name it under `roots` once it is"))
        else:
            return Folder(shown, str(prefix).strip("/"))
        return None

    def _app(self, app: str) -> tuple[str, str]:
        """Return the static folder of one of the project's apps, or the name of a package that has one."""
        own = self._own(app)
        if own:
            return (f"{own}/static" if self._is_folder(f"{own}/static") else ""), ""
        name = app
        while name and not (found := package_folders(name)):
            name = name.rpartition(".")[0]  # `package.apps.Config` names a class of the package
        if not name:
            message = f"`{app}` is not installed here, so that nobody knows whether it has static files"
            hint = "install it where assetbuild runs, and name it under `python_packages` if it has"
            self.findings.append(left(message, self.place("INSTALLED_APPS"), hint))
            return "", ""
        if name != app and not any(os.path.isdir(os.path.join(folder, "static")) for folder in found):
            name = name.removesuffix(".apps")
            found = package_folders(name)
        return "", name if any(os.path.isdir(os.path.join(folder, "static")) for folder in found) else ""

    def _own(self, app: str) -> str:
        """Return the folder of one of the project's apps, "" for another: `shop`, or `shop.apps.ShopConfig`."""
        parts = app.split(".")
        names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
        return next((folder for name in names if (folder := self.code.folder_of(name))), "")

    def _is_folder(self, shown: str) -> bool:
        return self._disk.is_folder(os.path.join(self.code.folder, shown))


def _module(code: Code) -> Module:
    """Return the settings module that the server uses; raise `ConfigError` if none is to be found."""
    for name in _NAMED_IN:
        for shown in sorted((f for f in code.files if os.path.basename(f) == name), key=lambda f: (f.count("/"), f)):
            module = code.at(shown)
            for node in ast.walk(module.tree) if module else ():
                match node:
                    case ast.Call(args=[ast.Constant(variable), ast.Constant(str(dotted))]) if variable == _VARIABLE:
                        if found := code.named(dotted):
                            return found
    message = f"no settings are found: no {', '.join(f'`{name}`' for name in _NAMED_IN)} sets `{_VARIABLE}`"
    hint = "name the folder of the project that holds `manage.py`"
    raise ConfigError([Diagnostic("no-settings", "error", message, hint=hint)])
