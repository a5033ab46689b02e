"""Sandbox `docker`: a container of Docker or Podman with a warm worker in it.

No network, no capabilities, user nobody, a read-only root that is the host's /usr and this Python and nothing
else, a system-call filter, and limits that were tried before they are claimed. What it does not stop: the
machine's kernel is shared, and so are its caches and its processor time.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernelopt.errors import EvaluatorFault, MissingTool
from kernelopt.resources import folder as data_folder
from kernelopt.sandboxes import Limits
from kernelopt.sandboxes import _docker_container as containers
from kernelopt.sandboxes import _docker_engine as engine
from kernelopt.sandboxes import _docker_proof as trial
from kernelopt.sandboxes import _proof as proof
from kernelopt.sandboxes._channel import Channel
from kernelopt.sandboxes._confinement import closed_to_nobody, confinement, host_folders
from kernelopt.sandboxes._local import LocalSandbox, together, worker_environment

if TYPE_CHECKING:
    from docker import DockerClient

TIDY = ("/bin/sh", "-c", "exec chmod -R a+rwX . >/dev/null 2>&1")
TIDY_LIMITS = Limits(memory_bytes=1 << 30, processes=8, cpu_seconds=60)
TIDY_S = 30.0

_TOOLKIT = "install NVIDIA's container toolkit: apt-get install nvidia-container-toolkit"

_levels: dict[tuple[str, str], str] = {}
"""Engine and image to the level that was proven: it is tried once a process."""


class DockerSandbox(LocalSandbox):
    """The strongest rung of the ladder: one container, with all jobs in it."""

    name = "docker"

    def __init__(self, readable: Sequence[Path] = (), image: str = "", gpu: str = "") -> None:
        """`image` (else ``$KERNELOPT_DOCKER_IMAGE``) has a system of its own, with torch and kernelopt for
        its python3. Without one, the host's system and this Python are shown in a near-empty one.
        `gpu`: see `LocalSandbox`; the engine's NVIDIA runtime puts it into the container.
        """
        super().__init__(readable, gpu)
        self.room.chmod(0o711)  # nobody passes through to its job folder, and lists no others
        self.level = "docker (not started)"
        self._image = image or os.environ.get("KERNELOPT_DOCKER_IMAGE", "")
        self._container: containers.ContainerChannel | None = None
        self._asked, self._granted = (0, 0), (0, 0)

    def missing(self) -> str | None:
        """What is not there: the SDK, an engine, permission to use it, the image, or what nobody may read."""
        try:
            with contextlib.closing(engine.connect()) as client:
                engine.ensure_image(client, self._image)
                problem = None if self._image else closed_to_nobody()
                return problem or (self._refused_gpu(client) if self.gpu else None)
        except MissingTool as problem:
            return str(problem)

    def _refused_gpu(self, client: DockerClient) -> str | None:
        """Why the engine starts no container with the GPU: tried, since settings tell nothing."""
        options = self._options(client, ["python3", "-I", "-S", "-c", ""], worker_environment())
        if not self._image:
            options["command"] = ["/bin/true"]
        try:
            containers.remove(containers.start(options, client))
        except EvaluatorFault as refused:
            why = " ".join(str(refused.__cause__).split())
            return (
                f"the container engine gives GPU {self.gpu and self.gpu.name} to nobody ({why}); {_TOOLKIT}"
            )
        return None

    def warm(self) -> None:
        """Begin to start the container, with limits for one job of the usual kind."""
        usual = Limits()
        self._asked, self._granted = (usual.memory_bytes, usual.processes), together(usual, 1)
        super().warm()

    def _launch(self, command: Sequence[str], environment: Mapping[str, str]) -> Channel:
        """Start the container, and meanwhile try what such a container stops."""
        try:
            with contextlib.ExitStack() as stack:
                client = stack.enter_context(contextlib.closing(engine.connect()))
                options = self._options(client, command, environment)
                engine.remove_stale(client)
                self._container = self._contain(client, options)
                stack.pop_all()  # it needs the client for as long as it lives
        except MissingTool as problem:
            raise EvaluatorFault(f"the docker sandbox cannot start: {problem}") from problem
        return self._container

    def _contain(self, client: DockerClient, options: Mapping[str, Any]) -> containers.ContainerChannel:
        with ThreadPoolExecutor(1) as pool:
            level = pool.submit(_level, options)
            limited = {**options, **containers.limits(*self._granted)}
            container = containers.launch(client, limited, self.room)
            try:
                self.level = level.result()
            except BaseException:
                container.close()
                raise
        return container

    def _options(
        self, client: DockerClient, command: Sequence[str], environment: Mapping[str, str]
    ) -> dict[str, Any]:
        """What the container is made with, and what its jobs are confined to."""
        image = engine.ensure_image(client, self._image)
        places = [node.place for node in self.gpu.nodes] if self.gpu else []
        self._zygote.confinement = confinement(self.readable, places, gpu=bool(self.gpu))
        shown = host_folders()
        if not engine.shows_host(client, image):
            self._zygote.confinement["readable"] = ["/"]
            shown = [data_folder("sandbox")]
            command = ["python3", *command[1:]]
            environment = {name: value for name, value in environment.items() if "PATH" not in name}
        profile = engine.seccomp_option(client)
        folders = [*shown, *self.readable]
        made = containers.settings(image, command, environment, folders, self.room, profile)
        return {**made, **containers.with_gpu(self.gpu.name, environment)} if self.gpu else made

    def _hand_over(self, folder: Path) -> None:
        """Open a job folder to nobody. Others of this machine cannot find it: its name is random."""
        folder.chmod(0o777)

    def _ended(self, folder: Path) -> None:
        """Open folders that nobody made to everyone: a judge that is not root could not empty them."""
        super()._ended(folder)
        me = os.geteuid()
        if me and self._zygote.alive() and any(owner != me for owner in _owners(folder)):
            self._zygote.execute(TIDY, folder, TIDY_LIMITS, TIDY_S, worker_environment())

    def _fit(self, limits: Limits) -> None:
        """What is allowed to all jobs together: more for more of them, and others for one that is alone."""
        asked = limits.memory_bytes, limits.processes
        need, alone = together(limits, self._jobs), self._jobs == 1
        if (alone and asked != self._asked) or need[0] > self._granted[0] or need[1] > self._granted[1]:
            if self._container and self._zygote.alive() and not self._container.limit(*need) and alone:
                self._zygote.close()  # an engine that cannot alter limits: a new container has the right ones
            self._asked, self._granted = asked, need
        self._zygote.start()


def _level(options: Mapping[str, Any]) -> str:
    key = engine.address(), str(options["image"])
    if key not in _levels:
        with contextlib.closing(engine.connect()) as client:
            _levels[key] = proof.level("docker", trial.gaps(client, options))
    return _levels[key]


def _owners(folder: Path) -> list[int]:
    """Users who made folders in `folder`."""
    with os.scandir(folder) as entries:
        return [e.stat(follow_symlinks=False).st_uid for e in entries if e.is_dir(follow_symlinks=False)]


PLUGIN = DockerSandbox
