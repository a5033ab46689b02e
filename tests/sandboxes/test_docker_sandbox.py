"""Sandbox `docker`: the contract, and that a container is what `docs/sandboxes.md` says of it."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from docker_engine import needs_engine
from kernel_facts import LANDLOCK

from kernelopt.errors import EvaluatorFault
from kernelopt.resources import folder as data_folder
from kernelopt.sandboxes import Limits, _confinement
from kernelopt.sandboxes import _docker_engine as engine
from kernelopt.sandboxes._local import together
from kernelopt.sandboxes.docker import DockerSandbox
from kernelopt.testing import SandboxContract
from kernelopt.testing._job import attempt, eventually, job, works
from kernelopt.testing.sandboxes import PROMISES

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine"), needs_engine]


@pytest.fixture(scope="module")
def sandbox():
    made = DockerSandbox()
    yield made
    made.close()


@pytest.fixture
def client():
    made = engine.connect()
    yield made
    made.close()


class TestDockerSandbox(SandboxContract):
    # Without Landlock, jobs of one container are not kept apart.
    stops = PROMISES if LANDLOCK >= 1 else PROMISES - {"write-outside"}


def inspected(sandbox):
    """What the engine says of the container of a sandbox."""
    assert works(sandbox)
    container = sandbox._container.container
    container.reload()
    return container.attrs


def test_the_container_has_the_promised_walls(sandbox):
    host = inspected(sandbox)["HostConfig"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"] and not host["CapAdd"]
    assert host["Privileged"] is False
    assert host["IpcMode"] == "private" and host["PidMode"] == ""
    assert host["AutoRemove"] is True
    assert not host["Devices"] and not host["DeviceRequests"] and not host["PortBindings"]
    (profile,) = (o.removeprefix("seccomp=") for o in host["SecurityOpt"] if o.startswith("seccomp="))
    assert json.loads(profile) == json.loads((data_folder("sandbox") / "seccomp.json").read_text())
    assert any(option.startswith("no-new-privileges") for option in host["SecurityOpt"])
    assert set(host["Tmpfs"]) == {"/tmp"}
    assert {"nosuid", "nodev"} <= set(host["Tmpfs"]["/tmp"].split(","))


def test_its_limits_are_those_of_the_job_and_of_the_worker(sandbox):
    limits = Limits(memory_bytes=2 << 30, processes=100)
    attempt(sandbox, "ModelNew = int", limits=limits)
    container = sandbox._container.container
    container.reload()
    host = container.attrs["HostConfig"]
    assert host["Memory"] == host["MemorySwap"] == 3 << 30
    assert host["PidsLimit"] == 116
    assert host["NanoCpus"] == len(os.sched_getaffinity(0)) * 10**9


def test_limits_grow_with_the_jobs_in_it(sandbox):
    def memory():
        sandbox._container.container.reload()
        return sandbox._container.container.attrs["HostConfig"]["Memory"]

    limits = Limits(memory_bytes=1 << 30)
    with job(sandbox, limits):
        assert memory() == 2 << 30
        with job(sandbox, limits):
            assert memory() == 3 << 30


def test_an_engine_that_cannot_alter_limits_gets_a_new_container(monkeypatch):
    made = DockerSandbox()
    try:
        assert works(made)
        monkeypatch.setattr(made._container, "limit", lambda *_: False)
        first = made._container.container.id
        attempt(made, "ModelNew = int", limits=Limits(memory_bytes=2 << 30))
        assert made._container.container.id != first
        made._container.container.reload()
        assert made._container.container.attrs["HostConfig"]["Memory"] == 3 << 30
    finally:
        made.close()


def test_of_the_host_only_the_room_can_be_written(sandbox):
    mounts = inspected(sandbox)["Mounts"]
    assert [mount["Source"] for mount in mounts if mount["RW"]] == [str(sandbox.room)]
    shown = {mount["Source"] for mount in mounts if not mount["RW"]}
    assert shown == {str(path) for path in _confinement.outermost(_confinement.host_folders())}
    assert all(mount["Source"] == mount["Destination"] for mount in mounts)


def test_it_runs_as_nobody(sandbox):
    assert inspected(sandbox)["Config"]["User"] == "65534:65534"
    log = attempt(sandbox, "import os\nprint(*os.getresuid(), *os.getresgid(), *os.getgroups())").log
    assert set(log.split("Name")[0].split()[:6]) == {"65534"}


def test_secrets_are_not_in_the_container_s_environment(monkeypatch, tmp_path):
    """Nor are proxies, which the SDK takes out of its configuration file, with their passwords."""
    proxies = {"proxies": {"default": {"httpProxy": "http://user:sk-secret@proxy:1"}}}
    (tmp_path / "config.json").write_text(json.dumps(proxies))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    made = DockerSandbox()
    try:
        assert "sk-secret" not in json.dumps(inspected(made))
    finally:
        made.close()


FORBIDDEN = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
calls = {
    "ptrace": (101, 0, 0, 0, 0), "process_vm_writev": (311, 1, 0, 0, 0, 0, 0), "mount": (165, 0, 0, 0, 0, 0),
    "keyctl": (250, 0, 0, 0, 0, 0), "bpf": (321, 0, 0, 0), "perf_event_open": (298, 0, 0, -1, -1, 0),
    "userfaultfd": (323, 0), "unshare": (272, 0), "setns": (308, 0, 0), "io_uring_setup": (425, 1, 0),
    "personality": (135, 0x0040000), "new namespace": (56, 0x10000011, 0, 0, 0, 0), "inet": (41, 2, 1, 0),
    "open_by_handle_at": (304, 0, 0, 0), "shmget": (29, 0, 4096, 0o1600), "chroot": (161, b"/"),
}
for name, call in calls.items():
    ctypes.set_errno(0)
    if libc.syscall(*call) != -1 or ctypes.get_errno() != 1:
        print(name, ctypes.get_errno())
ctypes.set_errno(0)
if libc.syscall(435, 0, 0) != -1 or ctypes.get_errno() != 38:
    print("clone3", ctypes.get_errno())
os.closerange(3, 64)
"""


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are those of x86-64")
def test_the_container_s_own_filter_forbids_what_no_kernel_needs(client, tmp_path):
    """Tried beside any job: those take a filter of their own besides."""
    made = DockerSandbox()
    try:
        options = made._options(client, [sys.executable, "-I", "-S", "-c", FORBIDDEN], {})
        options["log_config"] = {"type": "json-file"}
        container = client.containers.create(**options)
        try:
            container.start()
            assert container.wait(timeout=60)["StatusCode"] == 0
            assert container.logs().decode() == ""
        finally:
            container.remove(force=True)
    finally:
        made.close()


def test_the_level_is_not_claimed_before_it_was_proven(sandbox):
    fresh = DockerSandbox()
    assert fresh.level == "docker (not started)"
    fresh.close()
    assert works(sandbox)
    assert sandbox.level == "docker"


def test_closing_leaves_nothing(client):
    made = DockerSandbox()
    assert works(made)
    name, room = made._container.container.id, made.room
    made.close()
    assert name not in {each.id for each in client.containers.list(all=True, ignore_removed=True)}
    assert not room.exists()


def test_a_container_that_is_killed_is_replaced(sandbox):
    with job(sandbox) as (_, started):
        sandbox._container.container.kill()
        assert started.receive(10.0) is None
    assert works(sandbox)


def test_a_worker_that_cannot_start_says_why():
    made = DockerSandbox()
    made._zygote._command[-1] = "/no/such/worker.py"
    try:
        with pytest.raises(EvaluatorFault, match=r"no/such/worker\.py"):
            works(made)
        assert [path.name for path in made.room.iterdir() if path.name.startswith("wire-")] == []
    finally:
        made.close()


def test_readable_folders_are_shown_and_cannot_be_written(tmp_path):
    shown = tmp_path / "cache" / "new"
    made = DockerSandbox([shown])
    try:
        assert works(made)
        (shown / "word").write_text("hello")
        source = f"print(open({str(shown / 'word')!r}).read())\nopen({str(shown / 'x')!r}, 'w')"
        log = attempt(made, source).log
    finally:
        made.close()
    assert log.startswith("hello")
    assert not (shown / "x").exists()


NOT_ROOT = """
import os
from kernelopt.sandboxes._local import together
from kernelopt.sandboxes.docker import DockerSandbox
from kernelopt.testing._job import attempt
os.umask(0o022)
sandbox = DockerSandbox()
source = '''
import os
os.makedirs("a/b")
open("a/b/c", "w")
os.mkdir("shut")
open("shut/x", "w")
os.chmod("shut", 0)
ModelNew = int
'''
made = attempt(sandbox, source)
jobs = [path.name for path in sandbox.room.iterdir() if path.name.startswith("job-")]
sandbox.close()
print(os.geteuid() != 0, made.loaded, made.log, jobs, sandbox.room.exists(), sandbox.level)
"""


def test_a_judge_that_is_not_root_can_use_and_empty_it():
    """As a user in the engine's group. Reading others' files is kept: this Python may lie in root's home."""
    command = [sys.executable, "-B", "-c", NOT_ROOT]
    if os.geteuid() == 0:
        groups = f"--groups={Path(engine.address().removeprefix('unix://')).stat().st_gid}"
        rights = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        command = ["setpriv", "--reuid=1234", "--regid=1234", groups, *rights, *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True True  [] False docker", f"{shlex.join(command)}\n{done.stderr}"


def test_a_judge_that_is_killed_leaves_no_container(client):
    code = (
        "import os, sys\nfrom kernelopt.sandboxes.docker import DockerSandbox\n"
        "from kernelopt.testing._job import works\n"
        "made = DockerSandbox()\nassert works(made)\n"
        "print(made._container.container.id, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    name = done.stdout.strip()
    assert name, done.stderr

    def gone():
        return name not in {each.id for each in client.containers.list(all=True, ignore_removed=True)}

    assert eventually(gone, timeout_s=30.0)


def test_many_jobs_do_not_get_the_whole_machine():
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = Limits(memory_bytes=physical // 8, processes=10)
    assert together(limits, 2)[0] == pytest.approx(physical / 4, rel=0.3)
    assert together(limits, 50)[0] < 0.7 * physical
    assert together(limits, 50)[1] > 500
