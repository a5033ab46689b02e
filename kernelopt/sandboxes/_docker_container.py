"""One container: what it is allowed, and the wire to the worker in it."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from kernelopt.errors import EvaluatorFault
from kernelopt.sandboxes import _docker_engine as engine
from kernelopt.sandboxes._channel import START_TIMEOUT_S
from kernelopt.sandboxes._confinement import NOBODY, outermost
from kernelopt.sandboxes._link import Door, peer

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

TMP_BYTES = 1 << 30
"""Size of /tmp; it counts as the container's memory."""
OPEN_FILES = 4096


def limits(memory_bytes: int, processes: int) -> dict[str, int]:
    """Limits of a container, as the SDK calls them. No swap: as much as the memory means none besides it."""
    return {"mem_limit": memory_bytes, "memswap_limit": memory_bytes, "pids_limit": processes}


def settings(
    image: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    readable: Iterable[Path],
    room: Path,
    seccomp: str,
) -> dict[str, Any]:
    """What a container of ours is created with besides its limits, for `containers.create` of the SDK."""
    from docker.types import LogConfig, Mount, Ulimit

    mounts = [Mount(str(path), str(path), type="bind", read_only=True) for path in outermost(readable)]
    mounts.append(Mount(str(room), str(room), type="bind"))
    security = ["no-new-privileges:true", seccomp]
    if Path("/sys/fs/selinux/enforce").exists():
        security.append("label=disable")  # or no folder of the host could be read
    return {
        "image": image,
        "entrypoint": [],
        "command": list(command),
        "environment": dict(environment),
        # The SDK would pass on proxies of ~/.docker/config.json, with their passwords.
        "use_config_proxy": False,
        "labels": {engine.OWNER: engine.owner()},
        "stop_signal": "SIGKILL",  # the worker, a first process, takes no other
        "user": f"{NOBODY}:{NOBODY}",
        "working_dir": "/",
        "network_mode": "none",
        "ipc_mode": "private",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": security,
        "mounts": mounts,
        # `exec`, because torch.compile loads what it built from here.
        "tmpfs": {"/tmp": f"rw,nosuid,nodev,exec,mode=1777,size={TMP_BYTES}"},  # noqa: S108
        "nano_cpus": len(os.sched_getaffinity(0)) * 10**9,
        "ulimits": [
            Ulimit(name="nofile", soft=OPEN_FILES, hard=OPEN_FILES),
            Ulimit(name="core", soft=0, hard=0),
        ],
        "log_config": LogConfig(type="none"),
    }


def with_gpu(name: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """What a container that may use one GPU is created with besides `settings`.

    Inside, that GPU is the only one and has number 0: a number of the host's would name none.
    """
    from docker.types import DeviceRequest

    plain = {key: value for key, value in environment.items() if key != "CUDA_VISIBLE_DEVICES"}
    request = DeviceRequest(device_ids=[name], capabilities=[["gpu", "compute", "utility"]])
    return {"device_requests": [request], "environment": plain}


class ContainerChannel:
    """A started container. The wire is a socket in the room that only its first process ever holds:
    it is admitted before any job runs, and the door is closed behind it.
    """

    def __init__(self, client: DockerClient, container: Container, wire: socket.socket, log: Path):
        wire.settimeout(None)
        self.container = container
        self._client, self._wire, self._log = client, wire, log
        self._reader = cast(BinaryIO, wire.makefile("rb"))
        self._writer = cast(BinaryIO, wire.makefile("wb"))

    @property
    def reader(self) -> BinaryIO:
        """What the worker reports."""
        return self._reader

    @property
    def writer(self) -> BinaryIO:
        """Where orders are written."""
        return self._writer

    @property
    def pid(self) -> int:
        """The worker's process id outside; 0 where the engine runs in another system."""
        return peer(self._wire)

    def alive(self) -> bool:
        """Whether the worker holds its end of the wire."""
        try:
            return self._wire.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def complaint(self) -> str:
        """The end of what the worker said on stderr."""
        return last_words(self._log)

    def fault(self) -> str | None:
        """That the engine is gone, if it is. A candidate can end its container, but not the engine."""
        if engine.answers(self._client):
            return None
        return f"the container engine at {engine.address()} stopped; start it, and the next evaluation works"

    def limit(self, memory_bytes: int, processes: int) -> bool:
        """Set other limits for all that runs in it; whether the engine did.

        Not by the SDK's `update`, which knows nothing of processes.
        """
        api = self._client.api
        url = f"{api.base_url}/v{api.api_version}/containers/{self.container.id}/update"
        wanted = {"Memory": memory_bytes, "MemorySwap": memory_bytes, "PidsLimit": processes}
        try:
            return bool(api.post(url, json=wanted, timeout=engine.API_TIMEOUT_S).ok)
        except OSError:
            return False

    def close(self) -> None:
        """Hang up and remove the container with everything in it."""
        with contextlib.suppress(OSError):
            self._wire.shutdown(socket.SHUT_RDWR)
        if engine.answers(self._client):
            remove(self.container)
        for end in (self._reader, self._writer, self._wire):
            with contextlib.suppress(OSError):
                end.close()
        self._log.unlink(missing_ok=True)
        self._client.close()


def launch(client: DockerClient, options: Mapping[str, Any], room: Path) -> ContainerChannel:
    """Start a container whose command, with a socket and a token behind it, connects to us.

    Raises:
        EvaluatorFault: it cannot be started, or ended at once.
    """
    place = Path(tempfile.mkdtemp(prefix="wire-", dir=room))
    place.chmod(0o711)
    log = room / f"{place.name}.log"
    log.touch()
    log.chmod(0o622)
    door = Door(place / "s")
    # Not the engine's log, which is gone with the container. Podman adds variables of its own.
    shell = ["/bin/sh", "-c", 'unset container TERM; exec 2>>"$0" "$@"', str(log)]
    command = [*shell, *options["command"], str(door.path), door.token.hex()]
    container = None
    try:
        container = start({**options, "command": command, "auto_remove": True}, client)
        return ContainerChannel(client, container, _admit(door, container, log), log)
    except BaseException:
        if container:
            remove(container)
        log.unlink()
        raise
    finally:
        door.close()
        place.rmdir()


def start(options: Mapping[str, Any], client: DockerClient) -> Container:
    """Create a container and start it.

    Raises:
        EvaluatorFault: the engine refuses.
    """
    from docker.errors import DockerException

    container = None
    try:
        container = client.containers.create(**options)
        container.start()
    except (DockerException, OSError) as problem:
        if container:
            remove(container)
        raise EvaluatorFault(f"the container engine cannot start a container: {problem}") from problem
    return container


def _admit(door: Door, container: Container, log: Path) -> socket.socket:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        with contextlib.suppress(TimeoutError):
            return door.accept(1.0)
        if not _runs(container):
            break
    raise EvaluatorFault(f"the container ended before its worker reported: {last_words(log)}")


def _runs(container: Container) -> bool:
    from docker.errors import DockerException

    try:
        container.reload()
    except (DockerException, OSError):
        return False
    return bool(container.status == "running")


def remove(container: Container) -> None:
    """Kill and remove; whether it still exists does not matter."""
    from docker.errors import DockerException

    with contextlib.suppress(DockerException, OSError):
        container.remove(force=True)


def last_words(log: Path) -> str:
    """The end of a file that anyone inside may have written to."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 400))
            return file.read().decode(errors="replace").strip()
    except OSError:
        return ""
