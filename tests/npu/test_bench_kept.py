"""What is kept of a bench of NPU kernels: verdicts and labelled estimates, with where they come from."""

from npueval_tools import needs_gxx

from benchmarks.npu.keep import condensed

pytestmark = needs_gxx  # its version is among what is kept

ESTIMATE = {"cycles": 47.0, "vector_cycles": 16.0, "vector_score": 0.340425, "baseline_cycles": None}
FOUND = {
    "suite": "npueval (bundled)",
    "npu": {"label": "estimated (host model)", "vectorization": 0.17},
    "kernels": [
        {"task": "abs_int8", "status": "PASSED", "estimate": ESTIMATE, "asi": "long"},
        {"task": "relu_int8", "status": "CRASHED", "estimate": None, "asi": "long"},
    ],
}


def test_every_kernel_keeps_its_verdict_and_only_figures_that_there_are():
    kept = condensed(FOUND)
    passed = {"status": "PASSED", "cycles": 47.0, "vector_cycles": 16.0, "vector_score": 0.3404}
    assert kept["kernels"] == {"abs_int8": passed, "relu_int8": {"status": "CRASHED"}}


def test_label_command_date_and_versions_stand_beside_the_figures():
    kept = condensed(FOUND)
    assert kept["label"] == "estimated (host model)" and kept["aggregate"] == FOUND["npu"]
    assert kept["command"].startswith("kernelopt bench") and kept["date"]
    assert set(kept["host"]) == {"processor", "compiler", "python", "kernelopt"} and all(
        kept["host"].values()
    )
