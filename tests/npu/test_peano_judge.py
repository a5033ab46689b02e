"""Where Peano is installed it compiles what is right in the model: its errors count, cycles are estimates."""

from __future__ import annotations

import json
from contextlib import nullcontext

import pytest
from npueval_tools import aie, right, task, zeros

from kernelopt.errors import MissingTool
from kernelopt.evaluation import Stage, Status, from_json, to_json
from kernelopt.languages import ToolRun
from kernelopt.npu import peano
from kernelopt.npu.hardware.toolchain import Found, Toolchain
from kernelopt.npu.judge import AieJudge

KERNEL = "void relu_int8(int8_t *in_buffer, int8_t *out_buffer) { /* vectors */ }"
CHAIN = Toolchain(Found("Peano", "/peano", "19.0"), Found("mlir-aie", "/mlir", "0.1"), Found("X"), Found("N"))
LISTING = "0 <relu_int8>:\n   0: \tvldb wl0, [p0], #32; vadd.8 x1, x0, x2\n  10: \tnop\n"


class Peano:
    """A toolbox with a compiler that answers as told, and counts how often it is asked."""

    def __init__(self, folder, code=0, log="", size=512):
        self.place, self.asked = folder, 0
        self.answers = {"clang++": (code, log), "llvm-size": (0, f".text {size} 0")}
        self.answers["llvm-objdump"] = (0, LISTING)

    def folder(self):
        return nullcontext(self.place)

    def run(self, command, folder, timeout_s):
        name = command[0].rpartition("/")[2]
        self.asked += name == "clang++"
        return ToolRun(*self.answers[name], 0.5)


def judged(tools, runner=right, **options):
    return AieJudge(tools, "none", runner=runner, chain=CHAIN, **options).evaluate(
        aie(KERNEL), task("relu_int8")
    )


def test_size_and_bundles_stand_beside_cycles_that_stay_the_models(tmp_path):
    found = judged(Peano(tmp_path))
    assert (found.status, found.estimate.cycles) == (Status.PASSED, 100)
    assert "estimated (host model)" in found.estimate.label
    profile = next(one for one in found.profiles if one.tool == "peano")
    assert (profile.metrics["code_bytes"], profile.metrics["bundles"], profile.metrics["vector_bundles"]) == (
        512,
        2,
        1,
    )
    assert "512 of 16384 bytes of program" in profile.text
    assert found.environment["peano"] == "Peano 19.0, mlir-aie 0.1"
    assert from_json(json.loads(json.dumps(to_json(found)))) == found


def test_what_peano_refuses_does_not_build_and_says_its_own_error_and_line(tmp_path):
    found = judged(Peano(tmp_path, 1, "kernel.cc:3:1: error: no matching function"))
    assert (found.status, found.stage) == (Status.BUILD_FAILED, Stage.BUILD)
    assert found.reason == "Peano: no matching function (line 3 of the kernel)"
    assert "no matching function" in found.log and found.estimate is None


def test_a_program_that_the_core_cannot_hold_does_not_build(tmp_path):
    found = judged(Peano(tmp_path, size=20000))
    assert found.status is Status.BUILD_FAILED and "20000 bytes of program" in found.reason


def test_a_wrong_kernel_is_not_compiled_and_the_scalar_one_is_never(tmp_path):
    tools = Peano(tmp_path)
    assert judged(tools, zeros).status is Status.WRONG_VALUE
    assert tools.asked == 0
    judged(tools)
    assert tools.asked == 1


def test_a_compiler_that_cannot_start_is_no_kernels_fault(tmp_path):
    with pytest.raises(MissingTool, match="does not start in the sandbox"):
        judged(Peano(tmp_path, 127))


def test_verdicts_with_and_without_peano_are_kept_apart(tmp_path):
    tools = Peano(tmp_path, 1, "kernel.cc:3:1: error: no")
    kept = tmp_path / "cache"
    plain = AieJudge(tools, "none", kept, runner=right).evaluate(aie(KERNEL), task("relu_int8"))
    assert plain.correct and "peano" not in plain.environment
    assert not judged(tools, cache=kept).correct


def test_it_is_used_only_with_its_headers(monkeypatch):
    without = Toolchain(CHAIN.peano, Found("mlir-aie", mend="m"), CHAIN.xrt, CHAIN.device)
    for chain, expected in ((CHAIN, CHAIN), (without, None)):
        monkeypatch.setattr(peano, "find", lambda chain=chain: chain)
        assert peano.installed() is expected
    assert [str(folder) for folder in peano.folders(CHAIN)] == ["/peano", "/mlir"]
    assert peano.folders(None) == ()
