"""`devices:0,1`: what names it, and what it is made of."""

import pytest

from kernelopt.cli.main import main
from kernelopt.errors import ConfigError
from kernelopt.executors import Rules
from kernelopt.executors._open import executor_spec, open_executor, places


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
