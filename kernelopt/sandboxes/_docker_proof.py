"""What a container of this engine really stops, found by trying it (see `_proof`).

Rootless Podman on cgroup v1, for one, accepts memory and process limits and does not enforce them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kernelopt.errors import EvaluatorFault
from kernelopt.sandboxes import _docker_container as containers
from kernelopt.sandboxes import _proof as proof

if TYPE_CHECKING:
    from docker import DockerClient

TIMEOUT_S = 60.0


def gaps(client: DockerClient, options: Mapping[str, Any]) -> list[str]:
    """What containers with `options` (those of the worker's, but with small limits) leave open, in words.

    Raises:
        EvaluatorFault: the probe did not come to its end.
    """
    from docker.errors import DockerException

    command = [options["command"][0], "-I", "-S", "-c", proof.PROBE]
    small = containers.limits(proof.MEMORY_BYTES, proof.PROCESSES)
    container = containers.start({**options, **small, "command": command}, client)
    try:
        code = int(container.wait(timeout=TIMEOUT_S)["StatusCode"])
    except (DockerException, OSError) as problem:
        raise EvaluatorFault(f"the container engine stopped while limits were tried: {problem}") from problem
    finally:
        containers.remove(container)
    return proof.gaps(code)
