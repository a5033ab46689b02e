"""`devices:0,1`: what names it, and what it is made of."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from kernelopt.cli._config import defaults
from kernelopt.cli.main import main
from kernelopt.errors import ConfigError, MissingTool
from kernelopt.evaluation import Status
from kernelopt.executors import Rules
from kernelopt.executors._open import executor_spec, open_executor, places
from kernelopt.gpu.lease import lease
from kernelopt.kernel import Kernel
from kernelopt.task import Task


def test_kernels_for_a_gpu_run_on_the_first_one_unless_others_are_named():
    assert executor_spec("cuda") == "devices:0"
    assert executor_spec("cuda", ("1", "3")) == "devices:1,3"
    assert executor_spec("cpp") == "local"
    assert executor_spec("cuda", (), "replay:one") == "replay:one"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cpp", ("0",)), "names GPUs, and kernels in cpp run on the device cpu here"),
        (("cuda", ("0",), "replay:one"), "--executor replay:one: --devices"),
    ],
)
def test_devices_where_there_are_none_are_refused(arguments, words):
    with pytest.raises(ConfigError, match=words):
        executor_spec(*arguments)


@pytest.mark.parametrize(("spec", "count"), [("local", 1), ("devices:0", 1), ("devices:0,1,2", 3)])
def test_as_many_places_as_devices(spec, count):
    assert places(spec) == count


def test_each_judge_sees_its_own_gpu_and_has_the_same_rules(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    executor = open_executor("devices:0,2", "process", Rules(strict_shapes=True), baselines=True)
    judges = executor._pool._members
    assert [one._environment["CUDA_VISIBLE_DEVICES"] for one in judges.values()] == ["0", "2"]
    assert all(one._rules == Rules(strict_shapes=True) and one._baselines for one in judges.values())
    executor.close()


def test_a_configuration_file_may_give_them_as_a_list(tmp_path):
    from kernelopt.cli.search import command

    (tmp_path / "kernelopt.toml").write_text("[search]\ndevices = [0, 1]\n")
    assert defaults(tmp_path / "kernelopt.toml", "search", command) == {"devices": "0,1"}


TASK = """
import torch
class Model(torch.nn.Module):
    def forward(self, x):
        return x * 2
def get_inputs():
    return [torch.randn(4096)]
def get_init_inputs():
    return []
"""
DOUBLE = """
import torch
from kernelopt.inline import cpp
lib = cpp('''
extern "C" void twice(const float* x, float* y, int64_t n) {
    for (int64_t i = 0; i < n; ++i) y[i] = 2 * x[i];
}
''')
class ModelNew(torch.nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        lib.twice(x, y, x.numel())
        return y
"""


@pytest.mark.slow
@pytest.mark.exhaustive
def test_kernels_of_the_cpu_in_place_of_gpus_are_judged_side_by_side(tmp_path, monkeypatch):
    """Whole evaluations by two judges, each of which holds the lease of the GPU that it would have."""
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    executor = open_executor("devices:0,1", "process")
    task = Task(id="own/1", name="double", source=TASK, suite="own")
    kernels = [Kernel.from_source(DOUBLE + f"# {n}\n", "cpp") for n in range(4)]
    try:
        with ThreadPoolExecutor(4) as callers:
            found = list(callers.map(lambda one: executor.evaluate(one, task), kernels))
        assert [one.kernel_hash for one in found] == [one.hash for one in kernels]
        assert {one.status for one in found} == {Status.PASSED}
        for name in ("0", "1"):
            with pytest.raises(MissingTool), lease(name):
                pass
    finally:
        executor.close()
    with lease("0"), lease("1"):
        pass


@pytest.mark.parametrize("command", ["search", "eval", "bench"])
def test_every_command_that_times_kernels_takes_devices(command, tmp_path, capsys):
    (tmp_path / "1-12.py").write_text("class ModelNew: pass\n")
    place = {"search": [], "eval": [str(tmp_path / "1-12.py"), "--task", "1/12"], "bench": [str(tmp_path)]}
    assert main([command, *place[command], "--devices", "0,1", "--sandbox", "process"]) == 2
    assert "kernels in cpp run on the device cpu" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["search", "eval"])
def test_nothing_is_compiled_on_a_device(command, tmp_path, capsys):
    file = tmp_path / "a.py"
    file.write_text("class ModelNew: pass\n")
    place = [str(file), "--task", "1/12"] if command == "eval" else []
    flags = ["--target", "cuda", "--compile-only", "--devices", "0", "--sandbox", "process"]
    assert main([command, *place, *flags]) == 2
    assert "--devices: " in capsys.readouterr().err
