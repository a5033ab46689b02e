"""The look at what ran: PyTorch's operators that a text hides show in the worker's calls."""

import pytest
from honest_kernel import HONEST

from kernelopt.evaluation import Stage, Status
from kernelopt.kernel import Kernel
from kernelopt.languages._inspect_run import FEW, inspect_run
from kernelopt.languages.cpp import Cpp

HIDDEN = """
SPACE = vars(nn.functional)
def theirs(x):
    return next(v for k, v in SPACE.items() if k == "re" + "lu")(x)
"""
CALL = "lib.scale(x, self.bias, y, x.shape[0], x.shape[1], self.factor)"
WAYS = {
    "by a name that is looked for": (HIDDEN, "y = theirs(y)"),
    "in an operator of its own": (
        HIDDEN + "theirs = torch.library.custom_op('watched::f', theirs, mutates_args=(),"
        " schema='(Tensor x) -> Tensor')\n",
        "y = torch.ops.watched.f(y)",
    ),
    "in a pool of threads": (
        HIDDEN + "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(1)\n",
        "y = pool.submit(theirs, y).result()",
    ),
    "late, when it is timed": (
        HIDDEN + "import itertools\nways = itertools.chain(itertools.repeat(torch.detach, 20),"
        " itertools.repeat(theirs))\n",
        "y = next(ways)(y)",
    ),
}


def spoiled(top, line):
    assert HONEST.count(CALL) == 1
    source = HONEST.replace(CALL, f"{CALL}\n        {line}")
    return source.replace("class ModelNew", f"{top}\nclass ModelNew")


@pytest.mark.parametrize("way", WAYS)
def test_what_the_text_hides_shows_when_it_runs(evaluate, way):
    source = spoiled(*WAYS[way])
    assert not [f for f in Cpp().inspect(Kernel.from_source(source, "cpp")) if f.suspect]
    found = evaluate(source)
    stage = Stage.TIME if "timed" in way else Stage.CHECK
    assert (found.status, found.stage) == (Status.SUSPECT, stage), found.reason
    assert found.reason.startswith("fallback: PyTorch computed while the model ran: aten::relu; the kernel")
    assert evaluate(source, static=False).status is Status.PASSED


def test_who_stops_the_profiler_is_told(evaluate):
    top = """
space = vars(torch._C._autograd)
names = "_profiler_enabled", "_disable_profiler_legacy"
asked, end = (next(v for k, v in space.items() if k == n) for n in names)
"""
    found = evaluate(spoiled(top, "end() if asked() else None"))
    assert found.status is Status.SUSPECT
    assert found.reason.startswith("patching: the model stopped PyTorch's profiler")


def test_allocation_views_conversions_and_a_few_numbers_pass(evaluate):
    fine = "y = y.T.contiguous().T.to(torch.float64).float().clone()\n        y[0] = y[0]"
    found = evaluate(spoiled("", f"{fine}\n        few = [torch.ones(3)][0] * 2"))
    assert found.status is Status.PASSED, found.reason


@pytest.mark.parametrize(
    ("operators", "allow", "names"),
    [
        ({"aten::empty": 1 << 20, "aten::select": 1 << 20, "mine::softmax": 1}, False, []),
        ({"aten::mm": 1 << 20}, False, ["aten::mm"]),
        ({"aten::mm": 1 << 20, "aten::fft_rfft": 1 << 20, "aten::relu": 1 << 20}, True, ["aten::relu"]),
        ({"aten::div": FEW, "aten::add": FEW + 1}, False, ["aten::add"]),
        ({"aten::cat": 0}, False, ["aten::cat"]),
        ({"torch.compile": 1 << 62}, True, ["torch.compile"]),
    ],
)
def test_only_what_computes_on_more_than_a_few_numbers_is_named(operators, allow, names):
    found = inspect_run(operators, allow_libraries=allow)
    assert [f.message.partition("ran: ")[2].partition(";")[0] for f in found] == names
