"""Where there is a driver, a torch for CUDA and a GPU for several processes, kernels are run on it."""

import pytest
import torch
from gpu_answers import TASK

from kernelopt.devices import _cuda_driver, cuda
from kernelopt.errors import MissingTool
from kernelopt.executors.local import make_judge
from kernelopt.kernel import Kernel
from kernelopt.languages._require import require_language
from kernelopt.registry import get


@pytest.fixture
def as_if_there_were_one(world, monkeypatch):
    """The stand-in for a driver, and a torch that says it sees a GPU."""
    monkeypatch.setattr(cuda, "LIBRARY", str(world / "libcuda.so.1"))
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)


@pytest.mark.usefixtures("as_if_there_were_one")
def test_with_a_gpu_nothing_is_missing_and_triton_runs_there_too():
    assert get("devices", "cuda")().missing() is None
    assert get("languages", "triton")().device == "cuda"


@pytest.mark.usefixtures("as_if_there_were_one")
def test_a_gpu_for_one_process_at_a_time_is_refused_with_what_to_do(monkeypatch):
    modes = {_cuda_driver.COMPUTE_MODE: 3}  # CU_COMPUTEMODE_EXCLUSIVE_PROCESS
    monkeypatch.setattr(_cuda_driver.Driver, "attribute", lambda self, device, which: modes[which])
    assert "set the mode to Default" in get("devices", "cuda")().missing()
    with pytest.raises(MissingTool, match="language cuda: the GPU lets one process use it at a time"):
        require_language("cuda")


@pytest.mark.usefixtures("as_if_there_were_one")
@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [("is_available", False, "no GPU to torch"), ("version", None, "built for the CPU")],
)
def test_what_else_is_missing_is_said(monkeypatch, name, answer, said):
    if name == "version":
        monkeypatch.setattr(torch.version, "cuda", answer)
    else:
        monkeypatch.setattr(torch.cuda, name, lambda: answer)
    assert said in get("devices", "cuda")().missing()


def test_a_judge_asks_for_the_gpu_only_for_kernels_of_gpus(monkeypatch, tmp_path):
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path))
    asked = []

    def memory(gpu):
        asked.append(gpu)
        raise MissingTool("no GPU")

    monkeypatch.setattr("kernelopt.evaluator.cuda.memory.CudaMemory", memory)
    judge = make_judge("process", None, plain=True)
    try:
        with pytest.raises(MissingTool, match="no GPU"):
            judge.evaluate(Kernel.from_source("class ModelNew: pass", "cuda"), TASK)
        found = judge.evaluate(Kernel.from_source("class ModelNew: pass", "cpp"), TASK)
        assert not found.correct
    finally:
        judge.close()
    assert asked == [0]
