"""Provenance: the in-toto statement of a build, unsigned. A platform's signature is what makes it believed.

Source: in-toto Attestation Framework, Statement v1 and ResourceDescriptor v1; SLSA Provenance v1.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any

from assetbuild.attest.packages import package_url, sort_by_package
from assetbuild.compiler import Outcome
from assetbuild.compiler.project import Project
from assetbuild.compiler.tools import NAMES, find, here
from assetbuild.compiler.tools.table import hex_of
from assetbuild.disk import Disk
from assetbuild.release.provenance import PREDICATE_TYPE, STATEMENT_TYPE

__all__ = ["BUILD_TYPE", "statement"]

BUILD_TYPE = "urn:assetbuild:compile:1"
"""What kind of build it is: docs/reference/provenance.md says what the parameters mean."""

# Where tools and caches lie on a machine, which the digests of the tools make beside the point.
_OF_THE_MACHINE = ("tools", "cache")
_UNNAMED = "urn:assetbuild:builder:unnamed"


def statement(
    outcome: Outcome,
    outputs: Mapping[str, str],
    tools: Mapping[str, str],
    environ: Mapping[str, str],
    disk: Disk,
    *,
    started: str,
    finished: str,
) -> dict[str, Any]:
    """Return the statement of a build. outputs: path → sha256 (hex) of all that it published.

    tools: name → version, as the manifest has them. started, finished: RFC 3339, in UTC.
    """
    project = outcome.project
    builder, invocation, source = _platform(environ)
    sources = sorted(_sources(outcome, disk), key=lambda found: (found.get("uri", ""), found.get("name", "")))
    engines = [each for name in sorted(tools) for each in _engine(name, tools[name], project, environ)]
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": path, "digest": {"sha256": outputs[path]}} for path in sorted(outputs)],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": _parameters(project),
                "resolvedDependencies": [*source, *engines, *sources],
            },
            "runDetails": {
                "builder": {"id": builder, "version": {"assetbuild": tools["assetbuild"]}},
                "metadata": {**invocation, "startedOn": started, "finishedOn": finished},
            },
        },
    }


def _parameters(project: Project) -> dict[str, Any]:
    """Return what a user decides: the configuration as it was read, and the flags that change what is made."""
    document = tomllib.loads(project.config_text)
    is_part = os.path.basename(project.config_shown) == "pyproject.toml"
    table = document.get("tool", {}).get("assetbuild", {}) if is_part else document
    configuration = {key: value for key, value in table.items() if key not in _OF_THE_MACHINE}
    flags = {"profile": project.profile, "frozen": project.is_frozen, "strict": project.is_strict}
    return {"configuration": configuration, **flags, "revision": project.revision}


def _sources(outcome: Outcome, disk: Disk) -> Iterator[dict[str, Any]]:
    """Yield every file that was read, and every npm package whose archive is known."""
    found = sort_by_package(outcome.inputs, disk)
    for package in found.packages:
        if package.sha512_hex:
            yield {"uri": package.url, "digest": {"sha512": package.sha512_hex}}
        for path, digest_hex in package.files.items():
            yield {"uri": package.url_of(path), "digest": {"sha256": digest_hex}}
    for file, digest_hex in found.own.items():
        # Relative even where it leads out of the project: what lies above is the machine's.
        name = os.path.relpath(file, outcome.project.folder).replace(os.sep, "/")
        yield {"name": name, "digest": {"sha256": digest_hex}}


def _engine(name: str, version: str, project: Project, environ: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield what decided bytes: a native program by its files, a Python package by the list of its own digests."""
    program = find(name, project, environ) if name in NAMES else None
    pin = here().pin(name) if program else None
    if program and pin and program.is_pinned:
        url = package_url("npm", pin.package, pin.version)
        for file in pin.files:
            yield {"uri": f"{url}#{file.path}", "name": name, "digest": {"sha512": hex_of(file.sha512)}}
    elif program:
        for path in program.argv:
            with open(path, "rb") as opened:
                digest_hex = hashlib.file_digest(opened, "sha512").hexdigest()
            yield {"name": f"{name}/{os.path.basename(path)}", "digest": {"sha512": digest_hex}}
    else:
        yield _python_package(name, version)


def _python_package(name: str, version: str) -> dict[str, Any]:
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        found = None
    if found is None or found.version != version:
        return {"uri": package_url("generic", name, version)}  # a library within a package, or within the interpreter
    listed = found.read_text("RECORD")
    url = package_url("pypi", name, version)
    # The list names every file of the package with its digest, so its own stands for all of them.
    record = {"sha256": hashlib.sha256(listed.encode()).hexdigest()} if listed else {}
    return {"uri": f"{url}#RECORD", "digest": record} if record else {"uri": url}


def _platform(environ: Mapping[str, str]) -> tuple[str, dict[str, str], list[dict[str, Any]]]:
    """Return who builds, which run of it this is, and the commit that it builds, as the platform's variables say.

    Source: GitHub's "Variables reference" of Actions; GitLab's "Predefined CI/CD variables reference".
    """

    def said(*names: str) -> list[str]:
        values = [environ.get(name, "") for name in names]
        return values if all(values) else []

    builder, run, commit = "", "", []
    if environ.get("GITHUB_ACTIONS") == "true":
        builder = "/".join(said("GITHUB_SERVER_URL", "GITHUB_WORKFLOW_REF"))
        at = said("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT")
        run = "{}/{}/actions/runs/{}/attempts/{}".format(*at) if at else ""
        at = said("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_SHA")
        commit = [f"git+{at[0]}/{at[1]}", at[2]] if at else []
    elif environ.get("GITLAB_CI") == "true":
        builder = "/-/runners/".join(said("CI_PROJECT_URL", "CI_RUNNER_ID"))
        run = "".join(said("CI_JOB_URL"))
        at = said("CI_PROJECT_URL", "CI_COMMIT_SHA")
        commit = [f"git+{at[0]}", at[1]] if at else []
    source = [{"uri": commit[0], "digest": {"gitCommit": commit[1]}}] if commit else []
    return builder or _UNNAMED, {"invocationId": run} if run else {}, source
