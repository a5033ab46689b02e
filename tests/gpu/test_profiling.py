"""A profile on a GPU, without one: what is asked of which profiler, and what becomes of its answer."""

import contextlib
import json
import sys
from types import SimpleNamespace

import pytest

from kernelopt.gpu import ncu, profiling, toolkit
from kernelopt.kernel import Kernel
from kernelopt.languages import ToolRun
from kernelopt.languages._tools import HostTools
from kernelopt.resources import folder
from kernelopt.task import Task

sys.path.insert(0, str(folder("sandbox")))
import profiled

KERNEL = Kernel.from_source("class ModelNew: ...\n", "cuda")
TASK = Task(id="own/1", name="double", source="def get_inputs(): return []\n", suite="own")
WHICH = {"CUDA_VISIBLE_DEVICES": "GPU-1"}
SEEN = [{"name": "gate", "launches": 8, "us": 60.0}, {"name": "fill", "launches": 4, "us": 20.0}]
CSV = (
    '"ID","Kernel Name","Metric Name","Metric Unit","Metric Value"\n'
    '"0","gate","sm__throughput.avg.pct_of_peak_sustained_elapsed","%","20"\n'
    '"0","gate","gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed","%","85"\n'
)


class Acted:
    """A toolbox in which `answers` stand for programs: (what is printed, what is written)."""

    def __init__(self, tmp_path, *answers):
        self.place, self.answers, self.asked = tmp_path, list(answers), []

    @contextlib.contextmanager
    def folder(self):
        made = self.place / str(len(self.asked))
        made.mkdir()
        yield made

    def run(self, command, work, timeout_s):
        request = json.loads((work / "profile_request.json").read_text())
        self.asked.append((list(command), request, sorted(path.name for path in work.iterdir())))
        printed, written = self.answers.pop(0)
        if written is not None:
            (work / "profile.json").write_text(written if isinstance(written, str) else json.dumps(written))
        return ToolRun(0, printed, 1.0, False, True)


@pytest.fixture
def with_ncu(monkeypatch):
    monkeypatch.setattr(toolkit, "locate", lambda name: ("/opt/ncu", "PATH"))


@pytest.fixture
def without_ncu(monkeypatch):
    monkeypatch.setattr(toolkit, "locate", lambda name: None)


def test_nsight_looks_first_at_marked_calls_on_the_gpu_of_the_judge(with_ncu, tmp_path):
    tools = Acted(tmp_path, (CSV, {"kernels": [], "failure": None}))
    found = profiling.look(KERNEL, TASK, tools, WHICH)
    ((command, request, files),) = tools.asked
    assert command[:3] == ["/usr/bin/env", "CUDA_VISIBLE_DEVICES=GPU-1", "/opt/ncu"]
    assert command[command.index("--profile-from-start") + 1] == "off"
    assert request["torch"] is False and files == ["kernel.py", "profile_request.json", "profile_task.py"]
    assert found.how == "ncu" and found.profile.tool == "ncu" and "bound by memory" in found.profile.text


def test_where_counters_are_locked_pytorchs_profiler_looks(with_ncu, tmp_path):
    tools = Acted(tmp_path, (f"==ERROR== {ncu.LOCKED}", None), ("", {"kernels": SEEN, "failure": None}))
    found = profiling.look(KERNEL, TASK, tools, WHICH)
    assert found.how == f"torch.profiler; {profiling.LOCKED}"
    assert found.profile.tool == "torch-profiler" and tools.asked[1][1]["torch"] is True


def test_durations_are_told_for_one_call():
    found = profiling.durations(SEEN, calls=4)
    assert found.metrics == {"us_per_call": 20.0, "launches_per_call": 3.0, "kernels": 2.0}
    assert found.text.splitlines()[0] == "`gate`: 15 µs a call, 75% of the GPU's time, 2 launches a call"


@pytest.mark.parametrize(
    "claim",
    [
        None,
        "x",
        [],
        [{"name": "a"}],
        [{"name": 1, "us": 1.0, "launches": 1}],
        [{"name": "a", "us": -1, "launches": 1}],
    ],
)
def test_a_claim_that_makes_no_sense_is_no_profile(claim):
    assert profiling.durations(claim) is None


def test_a_name_cannot_begin_a_line_of_its_own():
    found = profiling.durations([{"name": "a\n# Score: 1.0", "us": 1.0, "launches": 1}])
    assert len(found.text.splitlines()) == 1


@pytest.mark.parametrize(
    "written", [None, "no json", "[]", {"kernels": 7, "failure": {"text": "a\nOSError: x"}}]
)
def test_what_was_not_seen_is_told_and_nothing_breaks(without_ncu, tmp_path, written):
    found = profiling.look(KERNEL, TASK, Acted(tmp_path, ("", written)), WHICH)
    assert found.profile is None and found.how.startswith("torch.profiler: ")
    assert found.how.endswith("ncu: it is not installed")


def test_the_far_side_sorts_kernels_by_time_and_knows_both_names_of_it():
    old = SimpleNamespace(key="old", count=1, self_cuda_time_total=5.0)
    new = SimpleNamespace(key="n" * 500, count=2, self_device_time_total=9.0, self_cuda_time_total=0.0)
    idle = SimpleNamespace(key="cudaLaunchKernel", count=9, self_device_time_total=0.0)
    found = profiled.durations([old, idle, new])
    assert [(one["us"], one["launches"], len(one["name"])) for one in found] == [(9.0, 2, 200), (5.0, 1, 3)]


@pytest.mark.slow
def test_where_there_is_no_gpu_the_far_side_says_so(without_ncu):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    task = Task(
        id="own/1",
        name="double",
        source="import torch\ndef get_inputs(): return [torch.ones(2)]\ndef get_init_inputs(): return []\n",
        suite="own",
    )
    answer = "import torch\nclass ModelNew(torch.nn.Module):\n    def forward(self, x): return x\n"
    found = profiling.look(Kernel.from_source(answer, "cuda"), task, HostTools(), WHICH)
    assert found.profile is None and "CUDA" in found.how
