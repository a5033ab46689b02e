"""A container engine that speaks Docker's API: Docker itself, or Podman's compatible socket."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import socket
import tarfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from kernelopt.errors import MissingTool
from kernelopt.resources import folder as data_folder

if TYPE_CHECKING:
    from docker import DockerClient

API_TIMEOUT_S = 60.0
"""A container starts in 0.3 s on an idle machine; this is for one that is busy."""
OWNER = "kernelopt.owner"
"""Label of our containers: scope, process id and start time of the judge."""
HOST_SYSTEM = "kernelopt.host-system"
"""Label of images that hold no system: the host's is mounted into them."""
NEAR_EMPTY = "localhost/kernelopt-near-empty"
"""With a host, or Podman takes it for an image of docker.io; without a tag, which its import ignores."""

_FOLDERS = ("dev", "etc", "proc", "run", "sys", "tmp", "usr", "var")


def address() -> str:
    """``$DOCKER_HOST``, or the first socket of Docker or Podman that is there, or Docker's default."""
    if chosen := os.environ.get("DOCKER_HOST"):
        return chosen
    runtime = os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    default = "/var/run/docker.sock"
    sockets = [default, f"{runtime}/docker.sock", f"{runtime}/podman/podman.sock", "/run/podman/podman.sock"]
    return f"unix://{next((path for path in sockets if Path(path).exists()), default)}"


def connect() -> DockerClient:
    """A client of the engine that answers.

    Raises:
        MissingTool: no package, no engine, or no permission; the message says how to mend it.
    """
    host = address()
    try:
        import docker
    except ImportError:
        raise MissingTool("the Python package docker is not installed; run: pip install docker") from None
    _require_access(host)
    try:
        return docker.DockerClient(base_url=host, timeout=API_TIMEOUT_S)  # asks for the engine's version
    except (docker.errors.DockerException, OSError) as problem:
        raise MissingTool(_silent(host)) from problem


def _require_access(host: str) -> None:
    """Tell a closed door from an empty house: the SDK reports both as the same error."""
    if not host.startswith("unix://"):
        return
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(host.removeprefix("unix://"))
    except PermissionError:
        raise MissingTool(
            f"this user may not use the container engine at {host}; join its group, usually with "
            "`sudo usermod -aG docker $USER`, and log in again"
        ) from None
    except OSError:
        raise MissingTool(_silent(host)) from None


def _silent(host: str) -> str:
    return (
        f"no container engine answers at {host}; start one (`sudo systemctl start docker`, or "
        "`systemctl --user start podman.socket`), or set DOCKER_HOST to its socket"
    )


def seccomp_option(client: DockerClient) -> str:
    """Our profile the way this engine wants it: Docker by its text, Podman by its path."""
    profile = data_folder("sandbox") / "seccomp.json"
    with _asking("does not say what it is"):
        parts = client.version().get("Components") or []
    podman = any("podman" in str(part.get("Name")).lower() for part in parts)
    return f"seccomp={profile if podman else profile.read_text(encoding='utf-8')}"


def answers(client: DockerClient) -> bool:
    """Whether the engine is still there."""
    try:
        _require_access(address())  # first, because the SDK leaves a socket open that cannot connect
        with _asking("does not answer"):
            return bool(client.ping())
    except MissingTool:
        return False


def ensure_image(client: DockerClient, name: str) -> str:
    """The image to use: `name`, or the near-empty one, imported unless the engine has it.

    Raises:
        MissingTool: there is no such image, or ours cannot be imported.
    """
    from docker.errors import ImageNotFound

    layers, release = near_empty(), version("kernelopt")
    wanted = name or f"{NEAR_EMPTY}-{hashlib.sha256(layers + release.encode()).hexdigest()[:12]}"
    with _asking("has no image and takes none"):
        try:
            client.images.get(wanted)
        except ImageNotFound:
            if name:
                raise MissingTool(f"the container engine has no image {name!r}; build or pull it") from None
            labels = [f"LABEL {HOST_SYSTEM}=1", f"LABEL kernelopt.version={release}"]
            client.api.import_image_from_data(layers, wanted, "latest", changes=labels)
            client.images.get(wanted)
    return wanted


def shows_host(client: DockerClient, image: str) -> bool:
    """Whether `image` holds no system, so that the host's is to be mounted."""
    with _asking("does not tell about its image"):
        return HOST_SYSTEM in client.images.get(image).labels


def near_empty(root: Path = Path("/")) -> bytes:
    """A tar of empty folders, the links that stand in `root` (``/lib`` → ``usr/lib``), and user nobody."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name in _FOLDERS:
            tar.addfile(_entry(name, tarfile.DIRTYPE))
        for name in ("bin", "lib", "lib32", "lib64", "libx32", "sbin"):
            if (root / name).is_symlink():
                tar.addfile(_entry(name, tarfile.SYMTYPE, str((root / name).readlink())))
            elif (root / name).is_dir():
                tar.addfile(_entry(name, tarfile.DIRTYPE))
        for path in sorted((data_folder("sandbox") / "etc").iterdir()):
            entry, content = _entry(f"etc/{path.name}", tarfile.REGTYPE), path.read_bytes()
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _entry(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.mode = kind, link, 0o755
    return entry


def owner(pid: int | None = None) -> str:
    """Names a process of this machine for good: a process id alone is used again."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    scope = f"{boot}/{Path('/proc/self/ns/pid').readlink().name}"
    return f"{scope} {pid or os.getpid()} {_started(pid or os.getpid())}"


def _started(pid: int) -> str:
    """Start time of a process in ticks since boot (field 22 of ``/proc/pid/stat``), or nothing."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except OSError:
        return ""


def is_stale(label: str) -> bool:
    """Whether the judge that `label` names has ended. Those of other pid namespaces cannot be told."""
    scope, _, rest = label.partition(" ")
    pid, _, _ = rest.partition(" ")
    return pid.isdecimal() and scope == owner().partition(" ")[0] and label != owner(int(pid))


def remove_stale(client: DockerClient) -> None:
    """Remove containers whose judge is gone: killed while the engine was down, say."""
    from docker.errors import DockerException

    with _asking("does not list its containers"):
        ours = client.containers.list(all=True, filters={"label": OWNER}, ignore_removed=True)
    for container in ours:
        if is_stale(container.labels.get(OWNER, "")):
            with contextlib.suppress(DockerException, OSError):  # another judge was quicker
                container.remove(force=True)


@contextlib.contextmanager
def _asking(what_fails: str) -> Iterator[None]:
    from docker.errors import DockerException

    try:
        yield
    except (DockerException, OSError) as problem:
        raise MissingTool(f"the container engine at {address()} {what_fails}: {problem}") from problem
