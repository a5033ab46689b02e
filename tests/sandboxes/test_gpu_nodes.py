"""A sandbox passes on the device files of one GPU: only where it was asked for, and only that one's."""

from pathlib import Path

import pytest

from kernelopt.sandboxes import _docker_container as containers
from kernelopt.sandboxes import _gpu, _local
from kernelopt.sandboxes._bwrap_command import wrap
from kernelopt.sandboxes._gpu import Node, find
from kernelopt.sandboxes.bwrap import BwrapSandbox
from kernelopt.sandboxes.process import ProcessSandbox
from kernelopt.testing._job import attempt

CARDS = {"0000:17:00.0": ("GPU-aaaa-1", "1"), "0000:b1:00.0": ("GPU-bbbb-2", "0")}
"""Two cards whose minor numbers are not in the order of the bus."""
INFORMATION = (
    "Model: \t\t NVIDIA X\nIRQ:   \t\t 24\nGPU UUID: \t {}\nBus Type: \t PCIe\nDevice Minor: \t {}\n"
)
FILES = ("nvidiactl", "nvidia0", "nvidia1", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset", "null", "sda")


@pytest.fixture
def root(tmp_path):
    """A system with two cards. Plain files stand for device files."""
    (tmp_path / "dev").mkdir()
    for name in FILES:
        (tmp_path / "dev" / name).write_text(name)
        (tmp_path / "dev" / name).chmod(0o666)
    for place, (uuid, minor) in CARDS.items():
        folder = tmp_path / "proc" / "driver" / "nvidia" / "gpus" / place
        folder.mkdir(parents=True)
        (folder / "information").write_text(INFORMATION.format(uuid, minor))
    return tmp_path


def names(gpu):
    return [node.place.removeprefix("/dev/") for node in gpu.nodes]


@pytest.mark.parametrize(("name", "file"), [("0", "nvidia1"), ("1", "nvidia0"), ("GPU-bbbb-2", "nvidia0")])
def test_a_card_has_its_own_file_and_the_shared_ones(root, name, file):
    assert names(find(name, root)) == ["nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", file]


def test_it_is_known_by_its_uuid_inside_where_other_numbers_may_hold(root):
    assert find("1", root).environment()["CUDA_VISIBLE_DEVICES"] == "GPU-bbbb-2"


def test_where_the_driver_does_not_tell_all_cards_are_passed_on(root):
    for path in root.glob("proc/driver/nvidia/gpus/*/information"):
        path.write_text("Model: X\n")
    found = find("1", root)
    assert found.name == "1" and names(found)[-2:] == ["nvidia0", "nvidia1"]


def test_without_a_driver_there_is_nothing_to_pass_on(tmp_path):
    assert find("0", tmp_path).nodes == ()


def test_bubblewrap_gets_the_files_before_its_dev_is_closed(root):
    command = wrap(["true"], root, [], 3, find("0", root).nodes)
    place = command.index("--dev-bind")
    assert command[place + 1 : place + 3] == [str(root / "dev" / "nvidiactl"), "/dev/nvidiactl"]
    closed = next(i for i in range(len(command)) if command[i : i + 2] == ["--remount-ro", "/dev"])
    assert command.index("--dev") < place < closed
    assert "/dev/nvidia0" not in command
    assert "--dev-bind" not in wrap(["true"], root, [], 3)


def test_docker_is_asked_for_one_device_and_its_number_inside_is_not_the_hosts():
    options = containers.with_gpu("GPU-bbbb-2", {"A": "1", "CUDA_VISIBLE_DEVICES": "GPU-bbbb-2"})
    (request,) = options["device_requests"]
    assert request["DeviceIDs"] == ["GPU-bbbb-2"] and request["Count"] == 0
    assert request["Capabilities"] == [["gpu", "compute", "utility"]]
    assert options["environment"] == {"A": "1"}


def test_files_that_may_not_be_opened_are_told_with_their_mend(root):
    assert _gpu.closed(find("0", root), to_nobody=True) is None
    (root / "dev" / "nvidiactl").chmod(0o660)
    assert "user nobody may not use /dev/nvidiactl" in _gpu.closed(find("0", root), to_nobody=True)
    assert "there is no device file of GPU 0" in _gpu.closed(find("0", root / "dev"), to_nobody=True)


def test_bubblewrap_refuses_a_gpu_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(_local, "find", lambda name: find(name, tmp_path))
    sandbox, plain = BwrapSandbox(gpu="0"), BwrapSandbox()
    try:
        if reason := plain.missing():
            pytest.skip(reason)
        assert "there is no device file of GPU 0" in sandbox.missing()
    finally:
        sandbox.close()
        plain.close()


TRY = """
import os, resource
for name in ("nvidia0", "nvidia1"):
    path = "{folder}/" + name
    try:
        os.close(os.open(path, os.O_RDWR))
        print(name, "open")
    except OSError as error:
        print(name, "closed")
unlimited = resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY
print(os.environ.get("CUDA_VISIBLE_DEVICES"), unlimited)
ModelNew = int
"""


def made(kind, monkeypatch, root, gpu, inside):
    """A sandbox on a system with those cards."""

    def find_there(name):
        found = find(name, root)
        nodes = tuple(Node(f"{inside}/{Path(node.place).name}", node.source) for node in found.nodes)
        return _gpu.Gpu(found.name, nodes)

    monkeypatch.setattr(_local, "find", find_there)
    return kind(gpu=gpu)


def test_inside_bubblewrap_there_is_one_card(root, monkeypatch):
    sandbox = made(BwrapSandbox, monkeypatch, root, "0", "/dev")
    try:
        if reason := sandbox.missing():
            pytest.skip(reason)
        said = attempt(sandbox, TRY.replace("{folder}", "/dev")).log.splitlines()
    finally:
        sandbox.close()
    assert said == ["nvidia0 closed", "nvidia1 open", "GPU-aaaa-1 True"]


def test_landlock_lets_a_job_open_the_card_that_it_was_given(root, monkeypatch):
    sandbox = made(ProcessSandbox, monkeypatch, root, "0", root / "dev")
    try:
        said = attempt(sandbox, TRY.replace("{folder}", str(root / "dev"))).log.splitlines()
    finally:
        sandbox.close()
    assert "nvidia1 open" in said and said[-1] == "GPU-aaaa-1 True"


def test_without_a_gpu_nothing_is_passed_on_and_addresses_are_limited(root):
    sandbox = ProcessSandbox()
    try:
        said = attempt(sandbox, TRY.replace("{folder}", str(root / "dev"))).log.splitlines()
    finally:
        sandbox.close()
    assert said[-1] == "None False"


def test_a_job_with_a_gpu_is_still_limited_in_what_it_allocates(root, monkeypatch):
    sandbox = made(ProcessSandbox, monkeypatch, root, "0", root / "dev")
    hog = "import resource\nprint(resource.getrlimit(resource.RLIMIT_DATA)[0])\nModelNew = int"
    try:
        said = attempt(sandbox, hog).log.split()
    finally:
        sandbox.close()
    assert said == [str(8 << 30)]
