"""What runs before the first call only may prepare weights: hooks that take themselves off, and what an
``except AttributeError`` fills. What looks like it may not."""

import pytest
from inspected import answer, found, rules

HOOK = """
def fold(self, module, inputs):
    with torch.no_grad():
        self.w = torch.exp(self.rate)
    self.handle.remove()
"""
REGISTERED = (
    "self.rate = nn.Parameter(torch.ones(3))\nself.handle = self.register_forward_pre_hook(self.fold)"
)
USE = "y = torch.empty_like(x)\nlib.f(x, y, self.w, x.numel())\nreturn y"
CLOSURE = """
self.rate = nn.Parameter(torch.ones(3))
def fold(module, inputs):
    module.w = torch.exp(module.rate)
    handle.remove()
handle = self.register_forward_pre_hook(fold)
"""
ASKED = "try:\n    w = self.w\nexcept AttributeError:\n    w = self.w = {}\n" + USE
FILL = "def fill(self):\n    return torch.exp(self.rate)"
RATE = "self.rate = nn.Parameter(torch.ones(3))"
GETTER = (
    "@property\ndef packed(self):\n    try:\n        return self.w\n    except AttributeError:\n        {}"
)
PASSED_OVER = """
def fill(self):
    try:
        return self.w
    except AttributeError:
        pass
    self.w = torch.exp({})
    return self.w
"""
TABLE = "try:\n    w = self.tables[n]\nexcept KeyError:\n    w = self.tables[n] = torch.exp({})\n"


def hooked(methods: str = HOOK, init: str = REGISTERED, forward: str = USE) -> str:
    return answer(forward, init=init, methods=methods)


def asked(forward: str, methods: str = FILL, init: str = RATE) -> str:
    return answer(forward, init=init, methods=methods)


FINE = {
    "a hook that takes itself off": hooked(),
    "a hook that knows itself by its module": hooked(HOOK.replace("self.handle.", "module.handle.")),
    "a hook that asks for sizes": hooked(HOOK.replace("self.rate)", "self.rate[: inputs[0].shape[1]])")),
    "a hook that is a function of the constructor": hooked("", CLOSURE),
    "a block for what is not there": asked(ASKED.format("torch.exp(self.rate)")),
    "a method for what is not there": asked(ASKED.format("self.fill()")),
    "a property that fills itself": asked(
        USE.replace("self.w", "self.packed"),
        GETTER.format("self.w = torch.exp(self.rate)\n        return self.w"),
    ),
    "a getter that passes over it": asked(
        USE.replace("self.w", "self.fill()"), PASSED_OVER.format("self.rate")
    ),
    "a table whose new item is returned": asked(
        USE.replace("self.w", "self.packed()"),
        "def packed(self):\n    try:\n        return self.tables[0]\n    except KeyError:\n"
        "        self.tables[0] = w = torch.exp(self.rate)\n        return w",
        RATE + "\nself.tables = {}",
    ),
    "a table by sizes": asked(
        "n = x.shape[0]\n" + TABLE.format("torch.arange(n)") + USE.replace("self.w", "w"),
        init="self.tables = {}",
    ),
}
FALLBACKS = {
    "a hook that stays": hooked(HOOK.replace("    self.handle.remove()\n", "")),
    "a hook by keyword": hooked(
        HOOK.replace("self.rate)", "inputs[0])"), REGISTERED.replace("(self.f", "(hook=self.f")
    ),
    "a hook of all modules": hooked(
        HOOK, REGISTERED.replace("self.register_forward", "nn.modules.module.register_module_forward")
    ),
    "a hook that computes with inputs": hooked(HOOK.replace("self.rate)", "inputs[0])")),
    "a hook that hands on inputs of its own": hooked(
        HOOK + "    return (torch.relu(self.w),)\n", forward=USE
    ),
    "a hook that may stay": hooked(
        HOOK.replace("    self.handle.remove()", "    if self.training:\n        self.handle.remove()")
    ),
    "a hook that may leave before": hooked(
        HOOK.replace("    with", "    if self.rate.numel() > 2:\n        return\n    with")
    ),
    "a hook that takes something else off": hooked(HOOK.replace("self.handle.", "self.other.")),
    "a hook whose handle is another's": hooked(
        init=REGISTERED + "\nself.handle = self.register_forward_hook(print)"
    ),
    "a hook that every call registers anew": hooked(
        init=RATE, forward="self.handle = self.register_forward_pre_hook(self.fold)\n" + USE
    ),
    "a hook after the call": hooked(
        HOOK.replace("inputs)", "inputs, output)"), REGISTERED.replace("forward_pre_hook", "forward_hook")
    ),
    "a hook that forward calls as well": hooked(forward="self.fold(self, x)\n" + USE),
    "a block that computes with data": asked(ASKED.format("torch.exp(x)")),
    "a block that fills something else": asked(
        ASKED.format("torch.exp(self.rate)").replace("w = self.w = ", "w = ")
    ),
    "an answer for when the kernel fails": asked(
        "try:\n    return self.run(x)\nexcept AttributeError:\n    return torch.softmax(x, -1)",
        "def run(self, x):\n    lib.f(x, x, 1)\n    return x",
    ),
    "a block that reads data that was kept": asked(
        "self.x = x\n" + ASKED.format("torch.exp(self.x)"),
    ),
    "a getter that computes with data that was kept": asked(
        "self.x = x\n" + USE.replace("self.w", "self.fill()"), PASSED_OVER.format("self.x")
    ),
    "a getter that never keeps it": asked(
        USE.replace("self.w", "self.packed"), GETTER.format("return torch.exp(self.rate)")
    ),
    "a table of what was computed from data": asked(
        "n = x.shape[0]\n" + TABLE.format("x") + USE.replace("self.w", "w"), init="self.tables = {}"
    ),
    "any exception": asked(ASKED.format("torch.exp(self.rate)").replace("AttributeError", "Exception")),
}


@pytest.mark.parametrize("source", FINE.values(), ids=FINE)
def test_what_runs_before_the_first_call_may_prepare_weights(source: str):
    assert found(source) == []


@pytest.mark.parametrize("source", FALLBACKS.values(), ids=FALLBACKS)
def test_what_runs_in_each_call_or_reads_its_data_is_a_fallback(source: str):
    assert "fallback" in rules(source)
