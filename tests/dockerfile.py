"""A Dockerfile run without Docker: each stage in a root of its own, by the kernel's namespaces and overlays.

The base image is this machine's system, read-only below, with a fresh Python on PATH and everything hidden that would
give the checkout away; an image of Node is the same, with this machine's Node where that has it. Only what the
repository's Dockerfiles use is known; anything else is a `ValueError`.
Source: Dockerfile reference; overlayfs as in the kernel's Documentation/filesystems/overlayfs.rst.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Self

from tests.conftest import need

__all__ = ["BuildFailed", "Image", "Machine", "Stage", "Step", "needed_machine", "parse"]

_REPOSITORY = Path(__file__).parent.parent
_PYTHON = f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}"
_VENV = "/opt/venv"
_NODE = "/usr/local/bin/node"  # where the official image has it
_PATH = f"{_VENV}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TIMEOUT_S = 300
_FLAGS = {"COPY": {"from"}, "RUN": {"network", "mount"}}
_WORDS = ("COPY", "RUN", "ARG", "ENV", "WORKDIR", "USER", "CMD")
# How pip and npm reach their registries on this machine: build arguments and secrets of a real build.
_ARGUMENTS = re.compile(
    r"(PIP_|npm_config_).*|(HTTPS?|NO|ALL)_PROXY|SSL_CERT_(FILE|DIR)|\w+_CA_BUNDLE|NODE_EXTRA_CA_CERTS", re.IGNORECASE
)
_HOME_FILES = (".npmrc", ".config/pip/pip.conf", ".pip/pip.conf")


class Step(NamedTuple):
    """An instruction. flags: `--from=assets` is `{"from": "assets"}`; text: what follows them."""

    word: str
    flags: Mapping[str, str]
    text: str


class Stage(NamedTuple):
    """What stands from one FROM to the next."""

    name: str
    image: str
    steps: tuple[Step, ...]


class BuildFailed(Exception):
    """A RUN ended badly; the text holds all that it said."""


def parse(text: str) -> tuple[Stage, ...]:
    """Return the stages of a Dockerfile; one without a name has its number."""
    stages: list[Stage] = []
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in filter(None, map(str.strip, lines.replace("\\\n", " ").splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            image, *name = re.split(r"\s+AS\s+", rest.strip())
            stages.append(Stage(name[0] if name else str(len(stages)), image, ()))
            continue
        flags: dict[str, str] = {}
        while found := re.match(r"\s*--([a-z]+)=(\S+)\s+", rest):
            flags[found[1]] = found[2]
            rest = rest[found.end() :]
        has_variable = word != "RUN" and "$" in rest
        if word not in _WORDS or flags.keys() - _FLAGS.get(word, set()) or has_variable:
            raise ValueError(f"`{line}` is not understood")
        step = Step(word, flags, rest.strip())
        stages[-1] = stages[-1]._replace(steps=(*stages[-1].steps, step))
    return tuple(stages)


class Image(NamedTuple):
    """A built stage. root: as seen inside the machine's namespace; folder: WORKDIR; mounts: what is writable in it."""

    root: str
    mounts: tuple[str, ...]
    environ: Mapping[str, str]
    folder: str = "/"
    user: str = "root"
    command: tuple[str, ...] = ()
    arguments: Mapping[str, str] = MappingProxyType({})


class Machine:
    """A mount namespace in which stages are built and run; it and everything in it ends with the `with` block.

    work: an empty folder, covered by a file system in memory. Raises `OSError` where the kernel refuses.
    """

    def __init__(self, work: Path) -> None:
        self._work = str(work)
        self._arguments: Mapping[str, str] = {}
        options = "lowerdir=/,upperdir=upper,workdir=work"
        script = (
            'mount -t tmpfs -o mode=755 tmpfs "$1" && cd "$1" && mkdir upper work root '
            f"&& mount -t overlay -o {options} overlay root && umount root && echo ready && exec cat"
        )
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script, "sh", self._work],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"ready\n":
            self.close()
            raise OSError("the kernel gives no mount namespace")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the namespace; its mounts go with it."""
        self._holder.communicate()

    def outside(self, image: Image, path: str) -> Path:
        """Return how this process sees a path of an image."""
        return Path(f"/proc/{self._holder.pid}/root{image.root}{path}")

    def base(self, **folders: Path) -> str:
        """Return the layers of the base image: the system below, a fresh Python with pip above.

        folders: name in `/opt` → folder whose files lie there, too.
        """
        image = self._mounted("base", "/")
        for name, folder in folders.items():
            self._copy(str(folder), f"{image.root}/opt/{name}")
        done = self.run(image, [_PYTHON, "-m", "venv", _VENV])
        if done.returncode:
            raise BuildFailed(done.stdout + done.stderr)
        self._enter("umount", "--recursive", image.root)  # a layer must not change while others lie on it
        return f"{self._work}/base/upper:/"

    def build(
        self,
        stages: Iterable[Stage],
        context: Path,
        layers: str,
        *,
        contexts: Mapping[str, Path] = MappingProxyType({}),
        arguments: Mapping[str, str] = MappingProxyType({}),
    ) -> dict[str, Image]:
        """Return the images of all stages. Raises `BuildFailed` at the first RUN that ends badly.

        contexts, arguments: what `--build-context` and `--build-arg` give, by name.
        """
        images = {name: Image(str(folder), (), {}) for name, folder in contexts.items()}
        self._arguments = arguments
        for stage in stages:
            if not stage.image.startswith(("python:", "node:")):
                raise ValueError(f"`{stage.image}` is not a base image that this machine has")
            image = self._mounted(f"stage-{stage.name}", layers)
            if stage.image.startswith("node:") and not os.path.lexists(self.outside(image, _NODE)):
                self._enter("ln", "--symbolic", shutil.which("node") or "", f"{image.root}{_NODE}")
            for step in stage.steps:
                image = self._after(step, image, context, images)
            images[stage.name] = image
        return images

    def freeze(self, image: Image) -> None:
        """Make the whole root read-only, as `docker run --read-only` does."""
        for mount in image.mounts:
            self._enter("mount", "-o", "remount,ro", mount)

    def run(
        self, image: Image, argv: Sequence[str], *, has_network: bool = False, trace: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Return what a command in the image did, as its user, without a network unless it has one.

        trace: where strace writes which files were asked for.
        """
        account = _account(self.outside(image, "/etc/passwd").read_text(), image.user)
        environ = {"HOME": "/root" if image.user == "root" else "/nonexistent", **image.environ}
        return self._enter(
            *(() if has_network else ("unshare", "--net")),
            *(("strace", "-f", "-qq", "-e", "trace=%file", "-o", str(trace)) if trace else ()),
            *("chroot", f"--userspec={account}", image.root, "/usr/bin/env", "-i", "-C", image.folder),
            *(f"{name}={value}" for name, value in environ.items()),
            *argv,
            check=False,
        )

    def _after(self, step: Step, image: Image, context: Path, images: Mapping[str, Image]) -> Image:
        match step.word:
            case "RUN":
                has_network = step.flags.get("network") != "none"
                arguments = {name: value for name, value in os.environ.items() if _ARGUMENTS.fullmatch(name)}
                building = image._replace(environ={**arguments, **image.arguments, **image.environ})
                with self._bound(step, image, images):
                    done = self.run(building, ["/bin/sh", "-c", step.text], has_network=has_network)
                if done.returncode:
                    raise BuildFailed(f"RUN {step.text}\n{done.stdout}{done.stderr}")
            case "COPY":
                stage = step.flags.get("from")
                *names, target = shlex.split(step.text)
                for name in names:
                    source = images[stage].root + name if stage else str(context / name)
                    self._copy(source, image.root + os.path.join(image.folder, target))
            case "ARG":
                name, _, default = step.text.partition("=")
                value = self._arguments.get(name, default)
                return image._replace(arguments={**image.arguments, name: value})
            case "ENV":
                pairs = dict(word.split("=", 1) for word in shlex.split(step.text))
                return image._replace(environ={**image.environ, **pairs})
            case "WORKDIR":
                self._enter("mkdir", "-p", image.root + step.text)
                return image._replace(folder=step.text)
            case "USER":
                return image._replace(user=step.text)
            case "CMD":
                return image._replace(command=tuple(json.loads(step.text)))
        return image

    @contextlib.contextmanager
    def _bound(self, step: Step, image: Image, images: Mapping[str, Image]) -> Iterator[None]:
        """Show another stage or context, read-only, where `RUN --mount=type=bind,from=…` asks for it."""
        options = dict(pair.split("=", 1) for pair in step.flags.get("mount", "").split(",") if "=" in pair)
        if options.get("type") != "bind":
            yield
            return
        target = image.root + options["target"]
        self._enter("mkdir", "-p", target)
        self._enter("mount", "--bind", images[options["from"]].root, target)
        self._enter("mount", "-o", "remount,ro,bind", target)
        try:
            yield
        finally:
            self._enter("umount", target)

    def _mounted(self, name: str, layers: str) -> Image:
        """Return a fresh root over `layers`, with the machine's own folders hidden."""
        folder = f"{self._work}/{name}"
        root = f"{folder}/root"
        self._enter("mkdir", "-p", root, f"{folder}/upper", f"{folder}/work")
        options = f"lowerdir={layers},upperdir={folder}/upper,workdir={folder}/work"
        self._enter("mount", "-t", "overlay", "-o", options, "overlay", root)
        image = Image(root, (root,), {"PATH": _PATH, "LANG": "C.UTF-8"})
        for hidden, mode in (("/tmp", 1777), ("/root", 755), (str(_REPOSITORY), 755), (sys.prefix, 755)):
            # Below what is hidden already there is nothing left; a Python without an environment of its own stays.
            if self.outside(image, hidden).is_dir() and hidden != sys.base_prefix:
                self._enter("mount", "-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", root + hidden)
                image = image._replace(mounts=(*image.mounts, root + hidden))
        for name in _HOME_FILES:
            if (file := Path.home() / name).is_file():
                self._copy(str(file), f"{root}/root/{name}")
        if not os.path.lexists(self.outside(image, _PYTHON)):
            self._enter("mkdir", "-p", root + sys.base_prefix)
            self._enter("mount", "--bind", sys.base_prefix, root + sys.base_prefix)
            self._enter("mount", "-o", "remount,ro,bind", root + sys.base_prefix)
        self._enter("mount", "--rbind", "/dev", f"{root}/dev")
        self._enter("mount", "--bind", "/proc", f"{root}/proc")
        return image

    def _copy(self, source: str, target: str) -> None:
        """Copy as COPY does: a folder gives its contents; a file keeps its name if the target ends with a slash."""
        if target.endswith("/") and not Path(f"/proc/{self._holder.pid}/root{source}").is_dir():
            target += os.path.basename(source)
        self._enter("mkdir", "-p", os.path.dirname(target))
        self._enter("cp", "-R", "--no-target-directory", source, target)

    def _enter(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--", *argv]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            umask=0o022,  # a builder's, so that `nobody` may read what is built
            check=False,
        )
        if check and done.returncode:
            raise OSError(f"{shlex.join(argv)}: {done.stderr.strip()}")
        return done


def _account(passwd: str, user: str) -> str:
    """Return `uid:gid` of a user. Source: passwd(5)."""
    fields = next(line.split(":") for line in passwd.splitlines() if line.startswith(f"{user}:"))
    return f"{fields[2]}:{fields[3]}"


def needed_machine(work: Path) -> Machine:
    """Return a machine for a test that cannot do without one."""
    try:
        return Machine(work)
    except OSError:
        need("unshare as root", False)
        raise
