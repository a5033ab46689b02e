"""Engines that are missing, stop, or hold what others left behind; what is said of each."""

import io
import socket
import sys
import tarfile
from pathlib import Path

import pytest
from docker_engine import Engine, needs_dockerd, needs_engine

from kernelopt.errors import EvaluatorFault, MissingTool
from kernelopt.sandboxes import _docker_container as containers
from kernelopt.sandboxes import _docker_engine as engine
from kernelopt.sandboxes import _docker_proof as trial
from kernelopt.sandboxes.docker import DockerSandbox
from kernelopt.testing._job import job, works

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]


@pytest.fixture
def client():
    made = engine.connect()
    yield made
    made.close()


@pytest.fixture
def options(client):
    """Of a container that does nothing for a while."""
    made = DockerSandbox()
    sleep = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"]
    yield {**made._options(client, sleep, {}), **containers.limits(64 << 20, 16)}
    made.close()


def said():
    """What a sandbox misses, which has to be one line."""
    made = DockerSandbox()
    try:
        text = made.missing()
    finally:
        made.close()
    assert text and "\n" not in text
    return text


def test_without_the_sdk_the_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "docker", None)
    assert "pip install docker" in said()


def test_without_an_engine_it_is_told_how_to_start_one(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    text = said()
    assert "no container engine answers" in text
    assert "systemctl start docker" in text and "podman.socket" in text


def test_a_socket_that_nobody_listens_to_is_no_engine(monkeypatch, tmp_path):
    path = tmp_path / "old.sock"
    with socket.socket(socket.AF_UNIX) as abandoned:
        abandoned.bind(str(path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    assert "no container engine answers" in said()


def test_a_closed_socket_is_told_apart_from_none(monkeypatch, tmp_path):
    class Closed(socket.socket):
        def connect(self, _):
            raise PermissionError

    monkeypatch.setattr(engine.socket, "socket", Closed)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    assert "usermod -aG docker" in said()


@needs_engine
def test_an_image_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("KERNELOPT_DOCKER_IMAGE", "no-such-image")
    assert "'no-such-image'" in said()


@needs_engine
def test_an_image_that_cannot_be_imported_is_told(monkeypatch):
    monkeypatch.setattr(engine, "near_empty", lambda: b"no tar at all")
    assert "has no image and takes none" in said()


@needs_engine
@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="there is a GPU")
def test_an_engine_that_gives_no_gpu_says_so_before_a_search_begins():
    made = DockerSandbox(gpu="0")
    try:
        problem = made.missing()
        assert problem and "gives GPU 0 to nobody" in problem and "nvidia-container-toolkit" in problem
        assert len(problem.splitlines()) == 1
    finally:
        made.close()


@needs_engine
def test_what_is_missing_at_the_start_is_our_fault_not_the_candidate_s(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    made = DockerSandbox()
    try:
        with pytest.raises(EvaluatorFault, match="no container engine answers"):
            works(made)
    finally:
        made.close()


def test_podman_is_found_where_there_is_no_docker(monkeypatch, tmp_path):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    exists = engine.Path.exists
    monkeypatch.setattr(engine.Path, "exists", lambda p: p.is_relative_to(tmp_path) and exists(p))
    assert engine.address() == "unix:///var/run/docker.sock"
    (tmp_path / "podman").mkdir()
    (tmp_path / "podman" / "podman.sock").touch()
    assert engine.address() == f"unix://{tmp_path}/podman/podman.sock"


def test_podman_gets_the_filter_as_a_path():
    class Podman:
        def version(self):
            return {"Components": [{"Name": "Podman Engine"}]}

    class Docker:
        def version(self):
            return {"Components": [{"Name": "Engine"}]}

    assert engine.seccomp_option(Podman()).endswith("/seccomp.json")
    assert "SCMP_ACT_ERRNO" in engine.seccomp_option(Docker())


def test_the_near_empty_image_follows_the_layout_of_the_host(tmp_path):
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "bin").mkdir()
    with tarfile.open(fileobj=io.BytesIO(engine.near_empty(tmp_path))) as tar:
        entries = {entry.name: entry for entry in tar}
        assert entries["lib"].linkname == "usr/lib"
        assert entries["bin"].isdir()
        assert "lib64" not in entries
        assert b"nobody" in tar.extractfile("etc/passwd").read()
    assert engine.near_empty(tmp_path) == engine.near_empty(tmp_path)


@needs_engine
def test_containers_of_judges_that_are_gone_are_removed(client, options):
    scope, pid, started = engine.owner().split(" ")
    labels = {
        "ended": f"{scope} {pid} {int(started) - 1}",  # the process id was used again
        "living": engine.owner(),
        "elsewhere": f"elsewhere 1 {started}",
        "strange": "strange",
    }
    made = {}
    try:
        for name, label in labels.items():
            made[name] = containers.start({**options, "labels": {engine.OWNER: label}}, client)
        engine.remove_stale(client)
        left = {each.id for each in client.containers.list(all=True, ignore_removed=True)}
        assert {name for name, each in made.items() if each.id in left} == {"living", "elsewhere", "strange"}
    finally:
        for each in made.values():
            containers.remove(each)


@needs_engine
def test_limits_that_an_engine_does_not_enforce_are_found_out(client, options, monkeypatch):
    assert trial.gaps(client, options) == []
    monkeypatch.setattr(containers, "limits", lambda *_: {})
    found = trial.gaps(client, {**options, **dict.fromkeys(("mem_limit", "memswap_limit", "pids_limit"))})
    assert found == ["memory limit not enforced", "process limit not enforced"]


@needs_engine
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"security_opt": ["no-new-privileges:true", "seccomp=unconfined"]}, "no seccomp filter"),
        ({"user": "0:0"}, "privileges kept"),
        ({"cap_drop": [], "cap_add": []}, "privileges kept"),
        ({"network_mode": "host"}, "network reachable"),
    ],
)
def test_a_wall_that_is_not_there_is_found_out(client, options, change, words):
    assert words in trial.gaps(client, {**options, **change})


@needs_engine
def test_a_probe_that_cannot_run_proves_nothing(client, options):
    with pytest.raises(EvaluatorFault):
        trial.gaps(client, {**options, "command": ["/no/such/python"]})


@needs_dockerd
def test_an_engine_that_stops_is_our_fault_and_the_next_evaluation_works(monkeypatch, tmp_path_factory):
    own = Engine(tmp_path_factory.mktemp("engine"))
    monkeypatch.setenv("DOCKER_HOST", own.start())
    made = DockerSandbox()
    try:
        with pytest.raises(EvaluatorFault, match="stopped; start it"), job(made) as (_, started):
            own.stop()
            assert started.receive(10.0) is None
        with pytest.raises(EvaluatorFault, match="no container engine answers"):
            works(made)
        own.start()
        assert works(made)
    finally:
        made.close()
        own.stop()


def test_a_client_that_cannot_speak_is_no_engine(monkeypatch, tmp_path):
    """Something else listens at that address."""
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen(1)
        monkeypatch.setattr(engine, "API_TIMEOUT_S", 0.2)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        with pytest.raises(MissingTool, match="no container engine answers"):
            engine.connect()
