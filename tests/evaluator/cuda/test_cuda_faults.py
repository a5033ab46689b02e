"""What breaks is replaced: the worker after a candidate's fault, the judge's context after its own."""

import pytest
from gpu_answers import TASK, answer

from kernelopt.errors import EvaluatorFault
from kernelopt.evaluation import Stage, Status
from kernelopt.evaluator.settings import Look


def test_after_an_illegal_address_the_next_evaluation_is_right(evaluate):
    broken = evaluate(
        answer("LIBRARY.standin_fault(700) if state['timed'] else 0; return self.right(x)"), TASK
    )
    assert (broken.status, broken.stage) == (Status.CRASHED, Stage.TIME), broken.reason
    assert evaluate(answer(), TASK).status is Status.PASSED


def test_a_kernel_that_never_ends_costs_its_worker_only(evaluate):
    hangs = "y = self.right(x); later(y, y, 1e9); return y"
    found = evaluate(answer(hangs), TASK, run_timeout_s=1.0)
    assert (found.status, found.stage) == (Status.TIMED_OUT, Stage.RUN), found.reason
    assert evaluate(answer(), TASK).status is Status.PASSED


def test_memory_that_runs_out_is_a_status_with_the_bytes(evaluate, standin):
    evaluate(answer(), TASK)
    standin.standin_limit(48 << 20)
    found = evaluate(
        answer("state.setdefault('kept', []).append(torch.empty(8 << 20)); return self.right(x)"), TASK
    )
    assert found.status is Status.OUT_OF_MEMORY
    assert "Tried to allocate 33554432 bytes" in found.reason
    standin.standin_limit(0)
    assert evaluate(answer(), TASK).status is Status.PASSED


BREAKS = {
    "cuMemcpyDtoH": 3,
    "cuMemcpyHtoD": 1,
    "cuMemsetD8": 20,
    "cuIpcOpenMemHandle": 0,
    "cuLaunchKernel": 9,
}
"""Function of the driver to the calls of it that still work."""


@pytest.mark.parametrize("call", BREAKS)
def test_a_context_of_the_judge_s_that_breaks_is_our_fault_and_then_replaced(evaluate, standin, judge, call):
    assert evaluate(answer(), TASK).status is Status.PASSED
    before = judge._memory
    standin.standin_inject(call.encode(), BREAKS[call], 700)
    with pytest.raises(EvaluatorFault, match="CUDA_ERROR_ILLEGAL_ADDRESS"):
        evaluate(answer(), TASK)
    assert evaluate(answer(), TASK).status is Status.PASSED
    assert judge._memory is not before


HOG = """
def hog():
    while True:
        try:
            state.setdefault("hoard", []).append(torch.empty(1 << 19))
        except torch.OutOfMemoryError:
            return
"""


def test_a_kernel_that_takes_all_memory_is_blamed_for_what_the_reference_lacks(evaluate, standin):
    """The reference of the second pair starts while the first candidate still has everything."""
    evaluate(answer(), TASK)
    standin.standin_limit(96 << 20)
    takes = "y = self.right(x); state['timed'] and not state.get('hoard') and hog(); return y"
    found = evaluate(answer(takes, HOG), TASK, max_calls=4, looks=(Look(2, 3, 0.05),))
    assert (found.status, found.stage) == (Status.SUSPECT, Stage.TIME), found.reason
    assert "fails beside this kernel" in found.reason
    standin.standin_limit(0)
    assert evaluate(answer(), TASK).status is Status.PASSED
