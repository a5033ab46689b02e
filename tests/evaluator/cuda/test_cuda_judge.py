"""The judge's line on a GPU that is a stand-in: no kernel is launched, all else is as with a GPU.

Candidates are torch code on CPU tensors that pose as CUDA ones; what they do to memory, handles and the
queue of the stand-in is what native code could do to those of a GPU.
"""

import re

import pytest
from gpu_answers import TASK, answer, variant

from kernelopt.evaluation import Stage, Status


def test_an_honest_kernel_is_checked_and_timed(evaluate):
    found = evaluate(answer(), TASK)
    assert (found.status, found.stage) == (Status.PASSED, Stage.DONE), found.reason
    assert found.device == "cuda"
    assert {check.workload_id for check in found.checks} == {"given/1", "mixed/1"}
    assert found.timing.rounds == 5 and found.timing.calls > 0
    assert found.environment["between_sd"].endswith("(default: not calibrated on a GPU)")


@pytest.mark.parametrize(
    ("forward", "status", "said"),
    [
        ("return self.right(x) * 1.01", Status.WRONG_VALUE, "elements are wrong"),
        ("return self.right(x)[:, :36].contiguous()", Status.WRONG_SHAPE, "shape"),
        ("return self.right(x).double()", Status.WRONG_DTYPE, "dtype"),
        ("return self.right(x.mul_(1.5) / 1.5)", Status.WRONG_VALUE, "writes to its inputs"),
        ("x.copy_(self.right(x)); return x", Status.WRONG_VALUE, "lies in the memory of an input"),
        (
            "return torch.frombuffer(bytearray(BYTES), dtype=torch.float32).view(500, 37)",
            Status.SUSPECT,
            "map",
        ),
        ("LIBRARY.standin_fault(700); return x * 2", Status.CRASHED, "CUDA_ERROR_ILLEGAL_ADDRESS"),
        ("return torch.empty(1 << 40)", Status.OUT_OF_MEMORY, "Tried to allocate 4398046511104 bytes"),
    ],
)
def test_what_fails_when_checked_says_how(evaluate, forward, status, said):
    found = evaluate(answer(forward), TASK)
    assert found.status is status, found.reason
    assert said in found.reason and found.timing is None


@pytest.mark.parametrize(
    ("forward", "said"),
    [
        # The first output of a batch again and again.
        (
            "y = state.get('last') if state['timed'] else None\n"
            "        state['last'] = self.right(x) if y is None else y\n"
            "        return state['last']",
            "wrong when timed",
        ),
        ("return x if state['timed'] else self.right(x)", "wrong when timed"),
        (
            "return x.copy_(self.right(x)) if state['timed'] else self.right(x)",
            "lies in the memory of an input",
        ),
    ],
)
def test_what_is_right_when_checked_and_wrong_when_timed_is_seen(evaluate, forward, said):
    found = evaluate(answer(forward), TASK)
    assert (found.status, found.stage) == (Status.SUSPECT, Stage.TIME), found.reason
    assert said in found.reason


NO_WAIT = "gpu.Gpu.wait = lambda self: None"
LEAVES = """if not state["timed"]:
            return self.right(x)
        y, state["out"] = torch.zeros(500, 37), self.right(x)
        later(y, state["out"], {ms})
        return y"""


@pytest.mark.parametrize(
    ("ms", "said"), [(50, "the GPU was still busy"), (200, "wrong when timed|work was left on the GPU|busy")]
)
def test_work_that_is_left_to_a_stream_behind_a_patched_synchronisation_is_seen(evaluate, ms, said):
    """The process stands still, and its outputs come later: by then its batch seems to have been quick."""
    found = evaluate(answer(LEAVES.format(ms=ms), NO_WAIT), TASK)
    assert (found.status, found.stage) == (Status.SUSPECT, Stage.TIME), found.reason
    assert re.search(said, found.reason)


def test_the_same_work_waited_for_is_only_slow(evaluate):
    """So the tests above show what is left behind, not the stand-in's queue."""
    found = evaluate(answer(LEAVES.format(ms=20)), TASK, max_calls=2)
    assert found.status is Status.PASSED, found.reason
    assert found.speedup.median < 0.5


# What tasks may ask for -------------------------------------------------------------------------------


WRITES = variant("x.mul_(self.factor); return torch.relu(x + self.bias)", "torch.rand(50, 37)")


def test_a_kernel_writes_where_the_reference_writes(evaluate):
    found = evaluate(answer("x.mul_(self.factor); return torch.relu(x + self.bias)"), WRITES)
    assert found.status is Status.PASSED, found.reason
    kept = evaluate(answer("return torch.relu(x * self.factor + self.bias)"), WRITES)
    assert kept.status is Status.WRONG_VALUE and "inputs after the call" in kept.reason


def test_several_outputs_of_any_layout_are_found(evaluate):
    body = "y = torch.relu(x * self.factor + self.bias); return [y.t(), y[:, 3:9], y.sum(), y > 1]"
    found = evaluate(answer(body), variant(body, "torch.rand(50, 37)"))
    assert found.status is Status.PASSED, found.reason


def test_a_view_of_the_inputs_passes_where_the_reference_returns_one(evaluate):
    task = variant("return x.view(-1), torch.relu(x + self.bias)", "torch.rand(50, 37)")
    found = evaluate(answer("return x.view(-1), torch.relu(x + self.bias)"), task)
    assert found.status is Status.PASSED, found.reason


def test_gradients_and_other_shapes_are_checked(evaluate):
    found = evaluate(answer(), TASK, check_backward=True, strict_shapes=True)
    assert found.status is Status.PASSED, found.reason
    assert {"backward", "shape"} <= {re.split("[ /]", check.workload_id)[0] for check in found.checks}
    halves = "y = self.right(x); return y.detach() + (y - y.detach()) / 2"
    wrong = evaluate(answer(halves), TASK, check_backward=True)
    assert wrong.status is Status.WRONG_VALUE, wrong.reason
