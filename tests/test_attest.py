"""Attestations: what is said of a build passes the public schemas, is true of its bytes, and names no machine."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from assetbuild.attest.packages import Package, package_url, sort_by_package
from assetbuild.cli import main
from assetbuild.compiler.tools import Program
from assetbuild.disk import RealDisk
from tests.conftest import Tree, need

Document = dict[str, Any]
Attested = Callable[..., tuple[Document, Document]]

PLAIN = {
    "assets/a.css": ".a{color:red}",
    "assets/robots.txt": "User-agent: *",
    "assetbuild.toml": 'site_root = ["robots.txt"]\n',
}
LOCK = {"packages": {"node_modules/@scope/used": {"version": "2.0.0", "integrity": f"sha512-{'A' * 86}=="}}}
WITH_PACKAGES = {
    "assets/app.js": 'import { used } from "@scope/used"; import { idle } from "idle"; console.log(used)',
    "assetbuild.toml": '[entries]\n"js/app.js" = { module = "app.js" }\n"css/a.css" = "sheet/a.css"\n',
    "node_modules/.package-lock.json": json.dumps(LOCK),
    "node_modules/@scope/used/package.json": '{"version": "2.0.0", "license": "MIT OR Apache-2.0"}',
    "node_modules/@scope/used/index.js": "export const used = Date.now()",
    "node_modules/@scope/used/other.js": "export const other = Date.now()",
    "node_modules/idle/package.json": '{"version": "1.0.0", "license": "MIT", "sideEffects": false}',
    "node_modules/idle/index.js": "export const idle = Math.random()",
    "node_modules/sheet/package.json": '{"version": "3.1.0", "license": "SEE LICENSE IN EULA.txt"}',
    "node_modules/sheet/a.css": ".b{color:blue}",
}


@pytest.fixture
def attested(tmp_path: Path) -> Attested:
    """Return a function that compiles a project and gives its provenance and its bill of materials."""

    def run(project: Path, *flags: str) -> tuple[Document, Document]:
        files = tmp_path / "p.json", tmp_path / "s.json"
        assert 0 == main(["compile", str(project), "--attest", str(files[0]), "--sbom", str(files[1]), *flags])
        provenance, bill = (json.loads(file.read_text()) for file in files)
        return provenance, bill

    return run


def dependencies(provenance: Document) -> dict[str, Document]:
    """Return what a build was made from, by URI or by name."""
    listed = provenance["predicate"]["buildDefinition"]["resolvedDependencies"]
    return {each.get("uri") or each["name"]: each.get("digest", {}) for each in listed}


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


class TestProvenance:
    def test_it_passes_the_public_schemas_of_statement_and_predicate(self, tree: Tree, attested: Attested) -> None:
        """The protocol buffers of in-toto are the schema: a field that they do not know is an error."""
        need("in-toto-attestation", find_spec("in_toto_attestation") is not None)
        from google.protobuf import json_format
        from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
        from in_toto_attestation.v1 import statement_pb2
        from in_toto_attestation.v1.statement import Statement

        provenance, _ = attested(tree(PLAIN), "--revision", "abc")

        json_format.ParseDict(provenance, statement_pb2.Statement())
        parsed = json_format.ParseDict(provenance["predicate"], provenance_pb2.Provenance())
        Statement.copy_from_pb(json_format.ParseDict(provenance, statement_pb2.Statement())).validate()
        assert parsed.run_details.metadata.started_on.ToSeconds() <= parsed.run_details.metadata.finished_on.ToSeconds()
        assert "abc" == provenance["predicate"]["buildDefinition"]["externalParameters"]["revision"]
        assert all(each.keys() & {"uri", "digest", "content"} for each in provenance_list(provenance))

    def test_its_subjects_are_everything_that_was_published(self, tree: Tree, attested: Attested) -> None:
        project = tree(PLAIN)

        provenance, _ = attested(project)

        output = project / "build/assets"
        files = {str(file.relative_to(output)): sha256(file) for file in output.rglob("*") if file.is_file()}
        assert files == {each["name"]: each["digest"]["sha256"] for each in provenance["subject"]}
        assert {"manifest.json", "robots.txt"} < files.keys()

    def test_it_names_sources_packages_and_engines_by_digest(
        self, tree: Tree, attested: Attested, esbuild: Program
    ) -> None:
        project = tree(WITH_PACKAGES)

        provenance, _ = attested(project)

        found = dependencies(provenance)
        assert {"sha256": sha256(project / "assets/app.js")} == found["assets/app.js"]
        inside = "pkg:npm/%40scope/used@2.0.0"
        assert {"sha512": "0" * 128} == found[inside]
        assert {"sha256": sha256(project / "node_modules/@scope/used/index.js")} == found[f"{inside}#index.js"]
        (engine,) = (digest for uri, digest in found.items() if uri.startswith("pkg:npm/%40esbuild/"))
        with open(esbuild.argv[0], "rb") as opened:
            assert {"sha512": hashlib.file_digest(opened, "sha512").hexdigest()} == engine
        assert ["sha256"] == list(found[f"pkg:pypi/brotli@{metadata.version('brotli')}#RECORD"])

    def test_an_engine_of_somebodys_choice_has_the_digest_of_its_file(
        self, tree: Tree, attested: Attested, esbuild: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        chosen = tmp_path / "chosen-esbuild"
        shutil.copy(esbuild.argv[0], chosen)
        with open(chosen, "ab") as opened:
            opened.write(b"\0")
        monkeypatch.setenv("ASSETBUILD_ESBUILD", str(chosen))

        provenance, _ = attested(tree(WITH_PACKAGES))

        digest = hashlib.sha512(chosen.read_bytes()).hexdigest()
        assert {"sha512": digest} == dependencies(provenance)["esbuild/chosen-esbuild"]

    def test_the_configuration_is_what_the_user_has_decided(self, tree: Tree, attested: Attested) -> None:
        text = (
            '[tool.assetbuild]\nsalt = "x"\n[tool.assetbuild.tools]\nregistry = "https://user:secret@mirror.example/"\n'
        )
        project = tree({"assets/a.css": ".a{}", "pyproject.toml": f'[project]\nname = "shop"\n{text}'})

        provenance, _ = attested(project, "--profile", "fast")

        assert {
            "configuration": {"salt": "x"},
            "profile": "fast",
            "frozen": False,
            "strict": False,
            "revision": "",
        } == provenance["predicate"]["buildDefinition"]["externalParameters"]
        assert "secret" not in json.dumps(provenance)

    @pytest.mark.parametrize(
        ("environ", "builder", "run", "commit"),
        [
            ({}, "urn:assetbuild:builder:unnamed", None, None),
            (
                {
                    "GITHUB_ACTIONS": "true",
                    "GITHUB_SERVER_URL": "https://github.com",
                    "GITHUB_REPOSITORY": "team/shop",
                    "GITHUB_WORKFLOW_REF": "team/shop/.github/workflows/assets.yml@refs/heads/main",
                    "GITHUB_RUN_ID": "7",
                    "GITHUB_RUN_ATTEMPT": "2",
                    "GITHUB_SHA": "0123abcd",
                },
                "https://github.com/team/shop/.github/workflows/assets.yml@refs/heads/main",
                "https://github.com/team/shop/actions/runs/7/attempts/2",
                "git+https://github.com/team/shop",
            ),
            (
                {
                    "GITLAB_CI": "true",
                    "CI_PROJECT_URL": "https://gitlab.com/team/shop",
                    "CI_RUNNER_ID": "12",
                    "CI_JOB_URL": "https://gitlab.com/team/shop/-/jobs/9",
                    "CI_COMMIT_SHA": "0123abcd",
                },
                "https://gitlab.com/team/shop/-/runners/12",
                "https://gitlab.com/team/shop/-/jobs/9",
                "git+https://gitlab.com/team/shop",
            ),
            ({"GITLAB_CI": "true"}, "urn:assetbuild:builder:unnamed", None, None),
        ],
    )
    def test_the_builder_is_the_one_that_the_platform_names(
        self,
        tree: Tree,
        attested: Attested,
        monkeypatch: pytest.MonkeyPatch,
        environ: dict[str, str],
        builder: str,
        run: str | None,
        commit: str | None,
    ) -> None:
        for name in ("GITHUB_ACTIONS", "GITLAB_CI"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)

        provenance, _ = attested(tree(PLAIN))

        details = provenance["predicate"]["runDetails"]
        assert builder == details["builder"]["id"]
        assert run == details["metadata"].get("invocationId")
        assert ({commit: {"gitCommit": "0123abcd"}} if commit else {}) == {
            uri: digest for uri, digest in dependencies(provenance).items() if uri.startswith("git+")
        }


class TestBill:
    def test_it_passes_the_public_schema(self, tree: Tree, attested: Attested, esbuild: Program) -> None:
        need("cyclonedx", find_spec("cyclonedx") is not None)
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator

        _, bill = attested(tree(WITH_PACKAGES))

        assert None is JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill))

    def test_it_lists_the_packages_of_which_bytes_are_published_and_no_others(
        self, tree: Tree, attested: Attested, esbuild: Program
    ) -> None:
        project = tree(WITH_PACKAGES)

        _, bill = attested(project)

        used, sheet = bill["components"]
        assert "pkg:npm/%40scope/used@2.0.0" == used["purl"]
        assert ("@scope", "used", "2.0.0") == (used["group"], used["name"], used["version"])
        assert [{"expression": "MIT OR Apache-2.0", "acknowledgement": "declared"}] == used["licenses"]
        assert [{"alg": "SHA-512", "content": "0" * 128}] == used["hashes"]
        (file,) = used["components"]
        content = sha256(project / "node_modules/@scope/used/index.js")
        assert ("index.js", [{"alg": "SHA-256", "content": content}]) == (file["name"], file["hashes"])
        assert "pkg:npm/sheet@3.1.0" == sheet["purl"]
        assert [{"license": {"name": "SEE LICENSE IN EULA.txt", "acknowledgement": "declared"}}] == sheet["licenses"]
        assert [{"ref": "assets", "dependsOn": [used["bom-ref"], sheet["bom-ref"]]}] == bill["dependencies"]

    def test_a_python_package_that_is_published_is_listed(self, tree: Tree, attested: Attested) -> None:
        need("django", find_spec("django") is not None)
        config = 'python_packages = ["django.contrib.admin"]\nexclude = ["**/*.js", "**/*.svg", "**/vendor/**"]\n'
        config += "[compress]\nbr = false\n"

        provenance, bill = attested(tree({"assets/a.css": ".a{}", "assetbuild.toml": config}))

        (django,) = bill["components"]
        version = metadata.version("django")
        assert (f"pkg:pypi/django@{version}", "django") == (django["purl"], django["name"])
        assert [{"expression": "BSD-3-Clause", "acknowledgement": "declared"}] == django["licenses"]
        sheet = "django/contrib/admin/static/admin/css/base.css"
        assert sheet in {file["name"] for file in django["components"]}
        assert f"pkg:pypi/django@{version}#{sheet}" in dependencies(provenance)

    def test_the_same_build_has_the_same_bill_in_any_folder(
        self, tmp_path: Path, attested: Attested, esbuild: Program
    ) -> None:
        bills = []
        for name in ("one", "elsewhere/two"):
            for path, text in WITH_PACKAGES.items():
                file = tmp_path / name / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            bills.append(attested(tmp_path / name)[1])

        assert bills[0] == bills[1]
        assert re.fullmatch(
            r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", bills[0]["serialNumber"]
        )


class TestBoth:
    def test_nothing_in_them_names_the_machine_or_its_user(
        self, tree: Tree, attested: Attested, esbuild: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("USER", "somebody-in-person")

        provenance, bill = attested(tree(WITH_PACKAGES))

        text = json.dumps(provenance) + json.dumps(bill)
        names = {str(tmp_path), os.path.expanduser("~") + "/", socket.gethostname(), "somebody-in-person"}
        assert set() == {name for name in names if name in text}

    def test_a_compile_with_nothing_to_do_writes_them_too(
        self,
        tree: Tree,
        attested: Attested,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("ASSETBUILD_CACHE", str(tmp_path / "cache"))
        project = tree(PLAIN)
        assert 0 == main(["compile", str(project)])
        capsys.readouterr()

        provenance, _ = attested(project)

        assert "(0 files written, " in capsys.readouterr().err
        (manifest,) = (each for each in provenance["subject"] if each["name"] == "manifest.json")
        assert sha256(project / "build/assets/manifest.json") == manifest["digest"]["sha256"]

    def test_what_a_cache_had_kept_is_attested_as_what_was_made(
        self, tree: Tree, attested: Attested, esbuild: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("ASSETBUILD_CACHE", str(tmp_path / "cache"))
        project = tree(WITH_PACKAGES)

        made, made_bill = attested(project)
        recalled, recalled_bill = attested(project)

        assert made_bill == recalled_bill
        assert made["subject"] == recalled["subject"]
        assert made["predicate"]["buildDefinition"] == recalled["predicate"]["buildDefinition"]

    def test_they_are_packed_and_verified_with_the_output(self, tree: Tree, attested: Attested, tmp_path: Path) -> None:
        project = tree(PLAIN)
        attested(project)
        output, archive = str(project / "build/assets"), str(tmp_path / "a.tar")
        files = ["--provenance", str(tmp_path / "p.json"), "--sbom", str(tmp_path / "s.json")]

        assert 0 == main(["verify", output, *files[:2]])
        assert 0 == main(["pack", output, archive, *files])
        assert 0 == main(["unpack", archive, str(tmp_path / "out"), "--attestations", str(tmp_path / "attested")])

        assert (tmp_path / "s.json").read_bytes() == (tmp_path / "attested/sbom.json").read_bytes()

    def test_they_cannot_lie_in_the_output_that_they_are_about(
        self, tree: Tree, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tree(PLAIN))

        assert 2 == main(["compile", "--sbom", "build/assets/sbom.json"])

        assert capsys.readouterr().err == (
            "error: `build/assets/sbom.json` would lie in the output, whose files it is about\n  name one beside it\n"
        )
        assert not Path("build").exists()

    @pytest.mark.parametrize("option", ["--sbom", "--attest"])
    def test_a_device_is_not_replaced_by_one(
        self, tree: Tree, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, option: str
    ) -> None:
        monkeypatch.chdir(tree(PLAIN))
        os.mkfifo("device")

        assert 2 == main(["compile", option, "device"])

        assert "error: not a regular file: `device`\n" == capsys.readouterr().err
        assert Path("device").is_fifo()
        assert not Path("build").exists()


def site_with(folder: Path, *lines: str) -> Path:
    """Return a folder with one installed Python package, which has one stylesheet; lines: of its METADATA."""
    (folder / "pack_age-1.0.dist-info").mkdir(parents=True)
    (folder / "pack_age-1.0.dist-info/METADATA").write_text("\n".join(["Name: Pack_Age", "Version: 1.0", *lines, ""]))
    (folder / "pack_age-1.0.dist-info/RECORD").write_text("pack/static/a.css,,\n")
    (folder / "pack/static").mkdir(parents=True)
    (folder / "pack/static/a.css").write_text("")
    return folder


class TestPackages:
    @pytest.mark.parametrize(
        ("lines", "licence", "is_expression"),
        [
            (["License-Expression: MIT"], "MIT", True),
            (["License: BSD"], "BSD", False),
            (["License: one", " two"], "", False),
            (["Classifier: License :: OSI Approved :: MIT License"], "MIT License", False),
            ([], "", False),
        ],
    )
    def test_the_licence_of_a_python_package_is_an_expression_where_its_metadata_says_so(
        self, tmp_path: Path, lines: list[str], licence: str, is_expression: bool
    ) -> None:
        site = site_with(tmp_path, *lines)
        files = {str(site / name): "0" for name in ("pack/static/a.css", "pack/static/mine.css")}

        found = sort_by_package(files, RealDisk(), [str(site), "relative", ""])

        (package,) = found.packages
        assert ("pkg:pypi/pack-age@1.0", {"pack/static/a.css": "0"}) == (package.url, package.files)
        assert (licence, is_expression) == (package.licence, package.is_expression)
        assert [str(site / "pack/static/mine.css")] == list(found.own)

    @pytest.mark.parametrize(
        ("fields", "licence", "is_expression"),
        [
            ({"license": "MIT"}, "MIT", True),
            (
                {"license": "(MIT OR GPL-2.0-only WITH Classpath-exception-2.0)"},
                "(MIT OR GPL-2.0-only WITH Classpath-exception-2.0)",
                True,
            ),
            ({"license": {"type": "ISC", "url": "x"}}, "ISC", True),
            ({"licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]}, "MIT OR Apache-2.0", True),
            ({"license": "UNLICENSED"}, "UNLICENSED", False),
            ({"license": "see the website"}, "see the website", False),
            ({"license": 1}, "", False),
            ({}, "", False),
        ],
    )
    def test_a_licence_is_an_expression_where_npm_says_so(
        self, tmp_path: Path, fields: Document, licence: str, is_expression: bool
    ) -> None:
        folder = tmp_path / "node_modules/p"
        folder.mkdir(parents=True)
        (folder / "package.json").write_text(json.dumps(fields))

        (package,) = sort_by_package({str(folder / "a.js"): "0"}, RealDisk()).packages

        assert (licence, is_expression) == (package.licence, package.is_expression)

    def test_a_package_within_a_package_is_one_of_its_own(self, tmp_path: Path) -> None:
        files = {
            str(tmp_path / name): "0"
            for name in ("node_modules/a/x.js", "node_modules/a/node_modules/b/y/z.js", "c.js")
        }

        found = sort_by_package(files, RealDisk())

        assert [("a", {"x.js": "0"}), ("b", {"y/z.js": "0"})] == [(each.name, each.files) for each in found.packages]
        assert {str(tmp_path / "c.js"): "0"} == found.own

    def test_one_version_in_two_places_is_one_package(self, tmp_path: Path) -> None:
        for place in ("node_modules/b", "node_modules/a/node_modules/b"):
            (tmp_path / place).mkdir(parents=True)
            (tmp_path / place / "package.json").write_text('{"version": "1.0.0"}')
        files = {str(tmp_path / "node_modules/b/x.js"): "0", str(tmp_path / "node_modules/a/node_modules/b/y.js"): "1"}

        (package,) = sort_by_package(files, RealDisk()).packages

        assert ("pkg:npm/b@1.0.0", {"x.js": "0", "y.js": "1"}) == (package.url, package.files)

    def test_a_url_says_what_stands_in_a_name(self) -> None:
        assert "pkg:npm/%40scope/name@1.0.0%2Bx" == package_url("npm", "@scope/name", "1.0.0+x")
        assert "pkg:npm/name" == package_url("npm", "name", "")
        package = Package("npm", "name", "1", "", False, "", {})
        assert "pkg:npm/name@1#a%20b/%23c.js" == package.url_of("a b/#c.js")


def provenance_list(provenance: Document) -> list[Document]:
    listed: list[Document] = provenance["predicate"]["buildDefinition"]["resolvedDependencies"]
    return listed
