"""The look at what ran: PyTorch's operators that a text hides show in the worker's calls."""

import re

import pytest
from honest_kernel import HONEST

from kernelopt.evaluation import Stage, Status
from kernelopt.kernel import Kernel
from kernelopt.languages import Ran
from kernelopt.languages._inspect_run import FEW, inspect_run
from kernelopt.languages.cpp import Cpp

HIDDEN = """
SPACE = vars(nn.functional)
def theirs(x):
    return next(v for k, v in SPACE.items() if k == "re" + "lu")(x)
"""
CALL = "lib.scale(x, self.bias, y, x.shape[0], x.shape[1], self.factor)"
THREAD = """
import threading
class Task(threading.Thread):
    def __init__(self, x):
        super().__init__()
        self.x = x
        self.start()
    def run(self):
        self.x = theirs(self.x)
"""
MANY = """
names = "abs cos exp sin sign neg tan erf ceil floor acos asin atan cosh sinh log log2 sqrt".split()
def named(name):
    return next(v for k, v in vars(torch).items() if k == name)
"""
EVENT = """
def found(space, name):
    return next(v for k, v in vars(space).items() if k == name)
event = found(found(torch._C, "_profiler"), "_RecordFunctionFast")
"""
WAITING = """
import queue, threading
asked, done = queue.SimpleQueue(), threading.Semaphore(0)
class Helper(threading.Thread):
    def run(self):
        while True:
            x = asked.get()
            x.copy_(theirs(x))
            done.release()
helper = Helper(daemon=True)
helper.start()
"""
HANDED_OVER = "helper.join(0)\n        asked.put(y)\n        done.acquire()"
WAYS = {
    "in a thread that waits for inputs": (HIDDEN + WAITING, HANDED_OVER),
    "in a thread of its own class": (HIDDEN + THREAD, "task = Task(y); task.join(); y = task.x"),
    "inside of an event with the name of a view": (
        HIDDEN + EVENT,
        "with event('aten::view'), event('aten::to'), event('mine::f'):\n            y = theirs(y)",
    ),
    "inside of an event with the name of something small": (
        HIDDEN + EVENT,
        "with event('aten::relu'):\n            y = theirs(y)",
    ),
    "behind many small ones": (
        HIDDEN + MANY + "many, one = [named(n) for n in names], torch.ones(2)\n",
        "[a(b(one)) for a in many for b in many]; y = theirs(y)",
    ),
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


PROFILER = """
def found(space, name):
    return next(v for k, v in vars(space).items() if k == name)
start, end = (found(torch._C._autograd, f"_{way}able_profiler_legacy") for way in ("en", "dis"))
space, names = found(torch._C, "_profiler"), ("ProfilerConfig", "ProfilerState", "_ExperimentalConfig")
config, state, options = (found(space, name) for name in names)
def begin():
    start(config(state.CPU, True, False, False, False, False, options()))
def over():
    try:
        end()
    except RuntimeError:
        return False
    return True
"""
TAKEN_OFF = {
    "for good": "over()",
    "for a while": "_ = over() and begin()",
    "by one of its own that is there before": "over() or begin()",
}


@pytest.mark.parametrize("way", TAKEN_OFF)
def test_who_takes_the_profiler_off_is_told(evaluate, way):
    found = evaluate(spoiled(PROFILER, TAKEN_OFF[way]))
    assert found.status is Status.SUSPECT
    assert found.reason.startswith("patching: the profiler was taken off during a call")


def test_who_repeats_the_signs_of_the_profiler_is_told(evaluate):
    top = (
        PROFILER
        + """
def again():
    try:
        sizes = [e.shapes() for thread in end() for e in thread if e.kind() == "push"]
    except RuntimeError:
        return
    begin()
    torch.empty(1).expand(sizes[0][0]).detach()
"""
    )
    found = evaluate(spoiled(top, "again()"))
    assert found.reason.startswith("patching: the profiler was taken off during a call")


def test_nobody_is_told_whether_there_is_a_profiler(evaluate):
    top = """
def ask(space):
    return next(v for k, v in vars(space).items() if k == "_profiler_enabled")()
"""
    found = evaluate(
        spoiled(top + HIDDEN, "y = y if ask(torch.autograd) or ask(torch._C._autograd) else theirs(y)")
    )
    assert found.reason.startswith("fallback: PyTorch computed while the model ran: aten::relu")


def test_a_thread_that_goes_on_behind_the_call_is_told(evaluate):
    top = THREAD.replace("self.x = theirs(self.x)", "import time; time.sleep(5)")
    found = evaluate(spoiled(top, "Task(y).join(0.001)"))
    assert found.reason.startswith("process: a thread that was started in a call went on")


def test_allocation_views_conversions_and_a_few_numbers_pass(evaluate):
    fine = "y = y.T.contiguous().T.to(torch.float64).float().clone()\n        y[0] = y[0]"
    found = evaluate(spoiled("", f"{fine}\n        few = [torch.ones(3)][0] * 2"))
    assert found.status is Status.PASSED, found.reason


def test_a_thread_that_waits_for_inputs_and_copies_is_fine(evaluate):
    found = evaluate(spoiled("theirs = torch.clone" + WAITING, HANDED_OVER))
    assert found.status is Status.PASSED, found.reason


@pytest.mark.parametrize(
    ("operators", "allow", "names"),
    [
        ({"aten::empty": 1 << 20, "aten::select": 1 << 20, "mine::softmax": 1}, False, []),
        ({"aten::mm": 1 << 20}, False, ["aten::mm"]),
        ({"aten::mm": 1 << 20, "aten::fft_rfft": 1 << 20, "aten::relu": 1 << 20}, True, ["aten::relu"]),
        ({"aten::div": FEW, "aten::add": FEW + 1}, False, ["aten::add"]),
        ({"aten::cat": 0}, False, ["aten::cat"]),
        ({"aten::pad": 1 << 20, "aten::pad/aten::constant_pad_nd/aten::fill_": 1 << 20}, False, []),
        (
            {"aten::pad": 1 << 20, "aten::pad/aten::reflection_pad2d": 1 << 20},
            False,
            ["aten::reflection_pad2d"],
        ),
        ({"torch.compile": 1 << 62}, True, ["torch.compile"]),
        (
            {"aten::_foreach_add": 0, "aten::_fused_adam_": 0},
            False,
            ["aten::_foreach_add", "aten::_fused_adam_"],
        ),
        (
            {"aten::index_reduce_": 1 << 20, "aten::index_fill_": 999},
            False,
            ["aten::index_reduce_", "aten::index_fill_"],
        ),
        ({"aten::view/aten::relu": 1 << 20}, False, ["aten::relu"]),
        ({"aten::relu": 1, "aten::relu/aten::clamp_min": 1 << 20}, False, ["aten::relu"]),
        ({"aten::linear/aten::addmm": 1 << 20, "aten::linear": 1 << 20}, True, []),
        ({"aten::index": 1 << 20, "aten::index/aten::nonzero": 1 << 20}, False, []),
        (
            {"aten::index/aten::mm": 1 << 20, "aten::view/aten::nonzero": 99},
            False,
            ["aten::mm", "aten::nonzero"],
        ),
        ({"aten::index_put_/aten::_index_put_impl_/aten::masked_fill_": 1 << 20}, False, []),
    ],
)
def test_only_what_computes_on_more_than_a_few_numbers_is_named(operators, allow, names):
    found = inspect_run(Ran(operators), allow_libraries=allow)
    assert [f.message.partition("ran: ")[2].partition(";")[0] for f in found] == names


BESIDE = """
import numpy
def theirs(x):
    return [numpy.tanh(x.numpy()) for _ in range(64)]
"""


def test_a_library_that_the_dispatcher_knows_nothing_of_shows_in_where_the_processor_is(
    evaluate, monkeypatch
):
    """Whatever the text may say: here nobody reads it."""
    monkeypatch.setattr(Cpp, "inspect", lambda *_, **__: [])
    source = spoiled(BESIDE, "theirs(y)")
    found = evaluate(source)
    assert (found.status, found.stage) == (Status.SUSPECT, Stage.TIME), found.reason
    assert re.match(r"library: calls were in _multiarray_umath\S+ for \d+% of their time", found.reason)
    assert evaluate(source, allow_libraries=True).status is Status.PASSED
