"""Code that a call never runs, or only to prepare tables, may compute; what looks like it may not."""

import pytest
from inspected import CALL, answer, found, rules

CACHED = "import functools\n@functools.lru_cache(maxsize={})\ndef table(n):\n    return torch.arange(n).cos()"
KEPT = "y = torch.empty_like(x)\nlib.f({}, y, x.numel())\nreturn y"
LAYER = """
class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(4))
        {}
    def reset(self):
        nn.init.uniform_(self.weight, -1, 1)
    def forward(self, x):
        y = torch.empty_like(x)
        lib.f(x, y, x.numel())
        return {}
"""
OWN = LAYER.format("self.reset()", "y")
BASE = """
class Base(nn.Module):
    def forward(self, x):
        return self.launch(x)
    def launch(self, x):
        raise NotImplementedError
"""

FILL = "def fill(self):\n    self.w = torch.exp(self.rate)\n    self.ready = True\n"
GETTER = "def get(self):\n    if self.w is not None:\n        return self.w\n    {}\n    return self.w"
PROPERTY = "@functools.cached_property\ndef w(self):\n    return torch.exp({})"
INIT = "self.rate = nn.Parameter(torch.ones(3))\nself.w = None\nself.ready = False"
USE = "y = torch.empty_like(x)\nlib.f(x, y, self.w, x.numel())\nreturn y"
SUB = """
class Sub(nn.Module):
    def __init__(self):
        super().__init__()
        self.rate, self.w = nn.Parameter(torch.ones(3)), None
    def fill(self):
        self.w = torch.exp(self.rate)
    def forward(self, x):
        if self.w is None:
            self.fill()
        y = torch.empty_like(x)
        lib.f(x, y, self.w, x.numel())
        return y
"""


def filled(forward: str, methods: str = FILL, init: str = INIT, result: str = USE) -> str:
    """An answer that prepares ``self.w`` on first use."""
    return answer(f"{forward}\n{result}", init=init, methods=methods, top="import functools")


def derived(source: str, base: str) -> str:
    assert source.count("class ModelNew(nn.Module)") == 1
    return source.replace("class ModelNew(nn.Module)", f"class ModelNew({base})")


def chain(layers: str) -> str:
    """A model that is a Sequential of these layers."""
    text = derived(answer(top=OWN), "nn.Sequential").replace("super().__init__()\n        pass", layers)
    start = text.index("    def forward(self, x):", text.index("class ModelNew"))
    return text[:start]


FINE = {
    "first weights of a layer": answer("return self.a(x)", init="self.a = Layer()", top=OWN),
    "packing after loading": answer(
        "return self.a(x)",
        init="self.a = Layer()",
        top=LAYER.format("self.register_load_state_dict_post_hook(lambda m, keys: m.reset())", "y"),
    ),
    "tables that lru_cache keeps by sizes": answer(
        KEPT.format("table(x.shape[0])"),
        top=CACHED.format(8),
    ),
    "tables in a dict by sizes": answer(
        KEPT.format("self.table(x.shape[0])"),
        init="self.tables = {}",
        methods="""
        def table(self, n):
            if n not in self.tables:
                self.tables[n] = torch.exp(torch.linspace(0, 1, n))
            return self.tables[n]
        """,
    ),
    "static methods named like operators": answer(
        "return Ops.matmul(x)",
        top="""
        class Ops:
            @staticmethod
            def matmul(x):
                y = torch.empty_like(x)
                lib.f(x, y, x.numel())
                return y
        """,
    ),
    "a wrapper of call": answer(
        methods="def __call__(self, x):\n    return super().__call__(x.contiguous())"
    ),
    "a template method": derived(
        answer(CALL, top=BASE).replace("        raise NotImplementedError", "        return torch.relu(x)"),
        "Base",
    ).replace("def forward(self, x):\n        y =", "def launch(self, x):\n        y ="),
    "a sequence of its own layers": chain("super().__init__(Layer(), Layer())"),
    "a method that fills what is None": filled("if self.w is None:\n    self.fill()"),
    "a method that a flag says has run": filled("if not self.ready:\n    self.fill()"),
    "a method that hasattr asks for": filled("if not hasattr(self, 'w'):\n    self.fill()"),
    "a method that another one calls": filled(
        "if self.w is None:\n    self.first()", "def first(self):\n    self.fill()\n" + FILL
    ),
    "a method that does nothing the second time": filled(
        "self.fill()", FILL.replace("\n", "\n    if self.ready:\n        return\n", 1)
    ),
    "a getter that returns early": filled(
        "w = self.get()", GETTER.format("with torch.no_grad():\n        self.w = torch.exp(self.rate)")
    ),
    "a cached property": filled(
        "pass", PROPERTY.format("self.rate"), init=INIT.replace("self.w = None\n", "")
    ),
    "a layer that fills itself": answer("return self.a(x)", init="self.a = Sub()", top=SUB),
    "a switch that is off": answer(
        "y = torch.empty_like(x)\nlib.f(x, y, 1)\nif DEBUG:\n    assert torch.allclose(y, x)\nreturn y",
        top="DEBUG = False",
    ),
    "autocast switched off": answer(
        "with torch.autocast('cpu', enabled=False):\n    lib.f(x, x, 1)\nreturn x"
    ),
}
FALLBACKS = {
    "a method that the constructor keeps": answer(
        "return self.a(x)",
        init="self.a = Layer()",
        top=LAYER.format("self.act = self.reset", "self.act(y)").replace(
            "def reset(self):\n        nn.init.uniform_(self.weight, -1, 1)",
            "def reset(self, x):\n        return torch.relu(x)",
        ),
    ),
    "a lambda that the constructor keeps": answer(
        "return self.a(x)",
        init="self.a = Layer()",
        top=LAYER.format("self.act = lambda x: self.reset(x)", "self.act(y)").replace(
            "def reset(self):\n        nn.init.uniform_(self.weight, -1, 1)",
            "def reset(self, x):\n        return torch.relu(x)",
        ),
    ),
    "lru_cache of what gets data": answer(
        KEPT.format("table(x)"),
        top="import functools\n@functools.lru_cache(maxsize=8)\ndef table(x):\n    return x.cos()",
    ),
    "lru_cache that keeps nothing": answer(
        KEPT.format("table(x.shape[0])"),
        top=CACHED.format(0),
    ),
    "a dict of what was computed from data": answer(
        "if x.shape[0] not in self.seen:\n    self.seen[x.shape[0]] = torch.relu(x)\n"
        "lib.f(x, x, 1)\nreturn self.seen[x.shape[0]]",
        init="self.seen = {}",
    ),
    "an override of a template method": derived(
        answer("return torch.softmax(x, -1)", top=BASE + "lib.f"), "Base"
    ).replace(
        "def forward(self, x):\n        return torch.s", "def launch(self, x):\n        return torch.s"
    ),
    "a sequence with a layer of PyTorch": chain("super().__init__(Layer(), nn.ReLU())"),
    "a sequence of layers of PyTorch": chain("super().__init__(nn.Linear(3, 3), nn.ReLU())"),
    "a child that computes in PyTorch": answer(
        "for each in self.children():\n    x = each(x)\nreturn x",
        init="self.a = Layer()",
        top=LAYER.format("pass", "torch.relu(y)"),
    ),
    "a call wrapper of another module": derived(
        answer(methods="def __call__(self, x):\n    return super().__call__(x)"), "nn.ReLU"
    ).replace("def forward(self", "def unused(self"),
    "a switch that is set": answer(
        "if DEBUG:\n    return torch.relu(x)\nlib.f(x, x, 1)\nreturn x",
        top="DEBUG = False\ndef on():\n    global DEBUG\n    DEBUG = True",
    ),
    "a method that is called without a test as well": filled(
        "if self.w is None:\n    self.fill()\nself.fill()"
    ),
    "a method that does not fill what the test asks for": filled("if self.full is None:\n    self.fill()"),
    "a method that gets data": filled(
        "if self.w is None:\n    self.fill(x)", FILL.replace("self)", "self, x)").replace("self.rate", "x")
    ),
    "a method that reads data that was kept": filled(
        "self.x = x\nself.w = None\nif self.w is None:\n    self.fill()", FILL.replace("self.rate", "self.x")
    ),
    "a method that reads data that another one kept": filled(
        "self.keep(x)\nif self.w is None:\n    self.fill()",
        "def keep(self, x):\n    self.x = x\n" + FILL.replace("self.rate", "self.x"),
    ),
    "a method that calls one that reads data": filled(
        "self.x = x\nif self.w is None:\n    self.fill()",
        "def made(self):\n    return torch.exp(self.x)\n"
        + FILL.replace("torch.exp(self.rate)", "self.made()"),
    ),
    "a method that reads a global": filled(
        "global kept\nkept = x\nif self.w is None:\n    self.fill()", FILL.replace("self.rate", "kept")
    ),
    "a method that reads data that setattr kept": filled(
        "setattr(self, 'x', x)\nif self.w is None:\n    self.fill()", FILL.replace("self.rate", "self.x")
    ),
    "a method that reads data that was copied": filled(
        "self.space.copy_(x)\nif self.w is None:\n    self.fill()", FILL.replace("self.rate", "self.space")
    ),
    "a block that reads data that was kept": filled(
        "self.keep(x)\nif self.w is None:\n    self.w = torch.exp(self.x)",
        "def keep(self, x):\n    self.x = x",
    ),
    "a getter that never has it": filled("w = self.get()", GETTER.format("return torch.exp(self.rate)")),
    "a getter that returns early and reads data that was kept": filled(
        "self.x = x\nw = self.get()", GETTER.format("self.w = torch.exp(self.x)")
    ),
    "a getter that computes with what is there": filled(
        "w = self.get()",
        GETTER.format("self.w = torch.exp(self.rate)").removesuffix("self.w") + "torch.exp(self.w)",
    ),
    "a cached property of data that was kept": filled("self.x = x", PROPERTY.format("self.x")),
    "a property that is not cached": filled(
        "pass", PROPERTY.format("self.rate").replace("functools.cached_", "")
    ),
    "a layer that fills itself with data": answer(
        "return self.a(x)",
        init="self.a = Sub()",
        top=SUB.replace("exp(self.rate)", "exp(self.x)").replace(
            "if self.w", "self.x = x\n        if self.w"
        ),
    ),
    "autocast": answer("with torch.autocast('cpu'):\n    lib.f(x, x, 1)\nreturn x"),
}


@pytest.mark.parametrize("source", FINE.values(), ids=FINE)
def test_what_is_no_work_of_the_call_passes(source: str):
    assert found(source) == []


@pytest.mark.parametrize("source", FALLBACKS.values(), ids=FALLBACKS)
def test_what_only_looks_like_it_is_a_fallback(source: str):
    assert "fallback" in rules(source)
