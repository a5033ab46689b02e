"""The engine that tests use, and one that a test may stop."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kernelopt.sandboxes import _docker_engine as engine
from kernelopt.sandboxes.docker import DockerSandbox

SCRIPT = Path(__file__).parents[2] / ".ci" / "engine"


def missing():
    made = DockerSandbox()
    try:
        return made.missing()
    finally:
        made.close()


MISSING = missing()
needs_engine = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))
needs_dockerd = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("dockerd"), reason="starting an engine takes root and dockerd"
)


class Engine:
    """An engine of a test's own."""

    def __init__(self, folder):
        self._environment = {**os.environ, "KERNELOPT_ENGINE": str(folder)}

    def start(self):
        """Its address."""
        return self._run("start").strip()

    def stop(self):
        self._run("stop")

    def _run(self, what):
        done = subprocess.run(
            [SCRIPT, what], env=self._environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def ours(client):
    """Ids of the containers that this process made and that are there."""
    found = client.containers.list(all=True, filters={"label": engine.OWNER}, ignore_removed=True)
    return {each.id for each in found if each.labels[engine.OWNER] == engine.owner()}
