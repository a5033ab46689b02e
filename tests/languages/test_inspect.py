"""The static look: honest kernels pass whatever their style; those that let PyTorch work are named."""

import ast
import re
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelopt.languages import Finding
from kernelopt.languages._cpp_guide import EXAMPLE
from kernelopt.languages._inspect import inspect

HEAD = '''
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from kernelopt.inline import cpp, strided

lib = cpp(r"""
extern "C" void softmax(const float* x, float* y, int64_t n) {}
""")
'''


def module(body: str, head: str = HEAD) -> str:
    return head + textwrap.dedent(body)


def model(forward: str, init: str = "pass", extra: str = "", head: str = HEAD) -> str:
    lines = ["class ModelNew(nn.Module):", "    def __init__(self):", "        super().__init__()"]
    lines += [f"        {line}" for line in textwrap.dedent(init).strip().splitlines()]
    lines += ["    def forward(self, x):"]
    lines += [f"        {line}" for line in textwrap.dedent(forward).strip().splitlines()]
    lines += [f"    {line}" for line in textwrap.dedent(extra).strip().splitlines()]
    return head + "\n".join(lines) + "\n"


def rules(source: str) -> list[str]:
    ast.parse(source)  # a typo in a test must not pass as "no findings"
    return [finding.rule for finding in inspect(source)]


CALL = "y = torch.empty_like(x); lib.softmax(x, y, x.numel()); return y"

HONEST = {
    "the guide's example": EXAMPLE,
    "plain": model(CALL),
    "views, conversions and questions": model("""
        x = x.to(torch.float32).contiguous().view(x.shape[0], -1)
        rows, cols = x.shape
        y = x.new_empty((rows, cols * 2 // 2))
        out = torch.zeros(rows, dtype=torch.float32, device=x.device)
        lib.softmax(x, y, x.size(0) * x.size(1) + x.stride(0))
        a, b = y.chunk(2, dim=1)
        return out.copy_(y.narrow(0, 0, 1).squeeze(0).expand(rows).reshape(-1)).unsqueeze(0).transpose(0, 1)
    """),
    "arithmetic on sizes": model("""
        n = x.numel()
        h = (x.shape[2] + 2 * 1 - 3) // 2 + 1
        scale = 1.0 / math.sqrt(x.shape[-1])
        y = torch.empty(n * h)
        lib.softmax(x, y, n % 4 - -h)
        return y
    """),
    "library in __init__": model("self.lib.softmax(x, x, 1); return x", "self.lib = lib"),
    "function of a library": model("self.run_it(x, x, 1); return x", "self.run_it = lib.softmax"),
    "class attribute": module("""
        class ModelNew(nn.Module):
            kernel = lib
            def forward(self, x):
                self.kernel.softmax(x, x, 1)
                return x
    """),
    "built on first use": model(
        "_lib().softmax(x, x, 1); return x",
        head=module("""
        _cached = None
        def _lib():
            global _cached
            if _cached is None:
                _cached = cpp("")
            return _cached
    """),
    ),
    "table of kernels": model(
        "self.kernels[x.dtype](x, x, 1); return x", "self.kernels = {torch.float32: lib.softmax}"
    ),
    "try around the build": module("""
        try:
            fast = cpp("", flags=["-mavx512f"])
        except RuntimeError:
            fast = cpp("")
        class ModelNew(nn.Module):
            def forward(self, x):
                fast.softmax(x, x, 1)
                return x
    """),
    "layers only hold weights": model(
        "lib.softmax(x, self.linear.weight, self.bn.weight, self.linear.in_features); return x",
        "self.linear = nn.Linear(3, 4); self.bn = nn.BatchNorm1d(4)",
    ),
    "weights packed in __init__": model(
        "lib.softmax(x, self.packed, 1); return x",
        """
        w = nn.Linear(3, 4).weight.detach()
        self.packed = (w.t() * 2).contiguous() + torch.ones(1) @ torch.ones(1)
        """,
    ),
    "weights packed on first use": model("""
        if self.packed is None:
            self.packed = (self.weight * self.scale).t().contiguous()
            self.norm = torch.sum(self.weight)
        lib.softmax(x, self.packed, 1)
        return x
    """),
    "weights packed when they change": model("""
        if self.version != self.weight._version:
            self.version, self.packed = self.weight._version, torch.cat([self.weight, self.bias])
        lib.softmax(x, self.packed, 1)
        return x
    """),
    "workspace": model("""
        if not hasattr(self, "space") or self.space.numel() < x.numel():
            self.space = torch.empty(x.numel())
        lib.softmax(x, self.space, 1)
        return self.space.clone()
    """),
    "helper methods and functions": module("""
        def allocate(x): return torch.empty_like(x)
        class ModelNew(nn.Module):
            def softmax(self, x):
                y = allocate(x)
                lib.softmax(x, y, x.numel())
                return y
            def forward(self, x): return self.softmax(x)
    """),
    "submodule of our own": module("""
        class Gate(nn.Module):
            def forward(self, x):
                lib.softmax(x, x, 1)
                return x
        class ModelNew(nn.Module):
            def __init__(self):
                super().__init__()
                self.gates = nn.ModuleList([Gate(), Gate()])
                self.gate = Gate()
            def forward(self, x):
                for gate in self.gates:
                    x = gate(x)
                return self.gate(x)
    """),
    "autograd function": module("""
        class Op(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                lib.softmax(x, x, 1)
                return x
            @staticmethod
            def backward(ctx, g): return torch.softmax(g, 0)
        class ModelNew(nn.Module):
            def forward(self, x): return Op.apply(x)
    """),
    "the task's own Model beside it": model(CALL)
    + "class Model(nn.Module):\n    def forward(self, x): return F.relu(x)\n",
    "load_inline": module(
        """
        import torch.nn as nn
        from torch.utils.cpp_extension import load_inline
        ext = load_inline(name="ext", cpp_sources=['''torch::Tensor f(torch::Tensor x) {
            auto y = torch::empty_like(x.contiguous()); // unlike torch::softmax(x)
            float s = std::exp(x.data_ptr<float>()[0]); return y.view({-1}); }'''], functions=["f"])
        class ModelNew(nn.Module):
            def forward(self, x): return ext.f(x)
    """,
        head="",
    ),
    "registered operator": module(
        """
        import torch, torch.utils.cpp_extension as e
        e.load(name="mine", sources=["a.cpp"], is_python_module=False)
        class ModelNew(torch.nn.Module):
            def forward(self, x): return torch.ops.mine.f(x)
    """,
        head="",
    ),
    "module alias": model(
        "ki_lib.f(x); return x",
        head="import kernelopt.inline as ki\nfrom torch import nn\nki_lib = ki.cpp('')\n",
    ),
    "no_grad and strided": model(
        "with torch.no_grad():\n    lib.softmax(strided(x), x, x.stride(0))\nreturn x"
    ),
    "containers of Python": model(
        "seen = set(); seen.add(1); l = [2, 1]; l.sort(); lib.softmax(x, x, l.index(1)); return x"
    ),
}


@pytest.mark.parametrize("source", HONEST.values(), ids=HONEST)
def test_honest_kernels_pass(source: str):
    ast.parse(source)
    assert inspect(source) == []


FALLBACKS = {
    "torch function": "return torch.softmax(x, 1)",
    "functional": "return F.relu(x)",
    "method": "return x.softmax(dim=1)",
    "method of a view": "return x.view(-1).sum()",
    "matmul operator": "return x @ x",
    "operator on tensors": "y = torch.empty_like(x); return y + x",
    "scaling": "y = x.contiguous(); return y * 2",
    "in place": "y = x.clone(); y += 1; return y",
    "negation": "y = x.contiguous(); return -y",
    "with a parameter": "return 2 / self.gain",
    "layer": "return self.linear(x)",
    "layer's forward": "return self.linear.forward(x)",
    "layers in a loop": "for layer in self.layers:\n    x = layer(x)\nreturn x",
    "sequential": "return nn.Sequential(nn.ReLU())(x)",
    "compiled": "return self.compiled(x)",
    "kept function": "return self.op(x)",
    "lambda": "return self.shortcut(x)",
    "getattr": "return getattr(torch, 'soft' + 'max')(x, 1)",
    "handed on": "return list(map(F.relu, [x]))[0]",
    "aten": "return torch.ops.aten.relu(x)",
    "linalg": "return torch.linalg.norm(x)",
    "numpy": "import numpy as np\nreturn torch.from_numpy(np.exp(x.numpy()))",
    "unbound method": "return torch.Tensor.relu(x)",
    "after a failure": "try:\n    lib.softmax(x, x, 1)\nexcept Exception:\n    x = torch.relu(x)\nreturn x",
    "helper": "return helper(x)",
    "own method": "return self.step(x)",
    "cache of the input": "if self.seen is None:\n    self.seen = torch.softmax(x, 1)\nreturn self.seen",
    "nested function": "def inner(v):\n    return v.exp()\nreturn inner(x)",
    "einsum": "return torch.einsum('ij,jk->ik', x, x)",
    "our own modules that call the framework": "for block in self.blocks:\n    x = block(x)\nreturn x",
    "another forward of a layer that moves data": "return self.flat(x)",
    "a lambda as forward of such a layer": "return self.same(x)",
    "a partial of a helper": "return self.tanh(x)",
    "numbers made of data": "return torch.tensor(x.tolist()).prod()",
    "numbers made of a local": "n = x.tolist()\nreturn torch.prod(torch.tensor(n + [x.shape[0]]))",
    "mirrored padding": "return F.pad(x, (1, 1), mode='reflect')",
    "padding by what is told elsewhere": "return F.pad(x, *self.how)",
}
KEPT = """
self.linear = nn.Linear(3, 3)
self.layers = nn.ModuleList([nn.Linear(3, 3)])
self.compiled = torch.compile(helper)
self.op = torch.relu
self.shortcut = lambda v: torch.relu(v)
self.gain = nn.Parameter(torch.ones(1))
self.blocks = nn.ModuleList([Block() for _ in range(3)])
self.seen = None
self.flat, self.same = nn.Flatten(), nn.Identity()
self.flat.forward = torch.relu
self.same.forward = lambda v: torch.relu(v)
self.tanh = functools.partial(helper)
"""
HELPERS = """
import functools
def helper(v):
    return v.tanh()
class Block(nn.Module):
    def forward(self, v):
        return F.silu(v)
"""
OLD = "class Model(nn.Module):\n    def forward(self, x): return x.relu()\n"


def fallbacks(source: str) -> list[Finding]:
    ast.parse(source)
    return [finding for finding in inspect(source) if finding.rule == "fallback"]


@pytest.mark.parametrize("forward", FALLBACKS.values(), ids=FALLBACKS)
def test_work_that_the_framework_does_is_named_with_its_line(forward: str):
    extra = "def step(self, v):\n    return torch.sigmoid(v)"
    head = HEAD + HELPERS
    source = model("lib.softmax(x, x, 1)\n" + forward, KEPT, extra, head)
    (finding, *_) = fallbacks(source)
    assert finding.suspect
    assert finding.message.startswith(f"line {finding.line}: ")
    assert "the kernel itself has to do this work" in finding.message
    assert finding.line > HEAD.count("\n")


@pytest.mark.parametrize(
    "source",
    [
        "from torch.nn.functional import *\n" + model("return relu(x)"),
        module("class ModelNew(nn.Linear):\n    pass"),
        module(f"{OLD}class ModelNew(Model):\n    pass"),
        module(f"{OLD}ModelNew = Model"),
        module(f"{OLD}class ModelNew(Model):\n    def forward(self, x): return super().forward(x)"),
        module("class ModelNew(nn.Linear):\n    def forward(self, x): return super().forward(x)"),
    ],
)
def test_work_inherited_or_imported_whole_is_seen(source: str):
    assert fallbacks(source)


@pytest.mark.parametrize(
    "body",
    [
        "return torch::softmax(x, 1);",
        "return at::matmul(x, x);",
        "return x.relu();",
        "return torch::nn::functional::gelu(x);",
    ],
)
def test_cpp_text_that_calls_the_framework_again_is_seen(body: str):
    source = f'''
import torch
from torch.utils.cpp_extension import load_inline
ext = load_inline("e", """
// torch::relu(x) in a comment is fine
torch::Tensor f(torch::Tensor x) {{
    {body}
}}""", functions=["f"])
class ModelNew(torch.nn.Module):
    def forward(self, x): return ext.f(x)
'''
    (finding,) = fallbacks(source)
    assert finding.line == 7


def test_nothing_compiled():
    source = module(
        "class ModelNew(nn.Module):\n    def forward(self, x): return x", head="from torch import nn\n"
    )
    assert rules(source) == ["no-kernel"]
    assert inspect(source)[0].suspect


@pytest.mark.parametrize(
    "forward", ["return x", "if False:\n    lib.softmax(x, x, 1)\nreturn x", "lib\nreturn x"]
)
def test_compiled_but_never_called(forward: str):
    (finding,) = inspect(model(forward))
    assert (finding.rule, finding.suspect) == ("never-called", True)
    assert "never called from ModelNew.forward" in finding.message


@pytest.mark.parametrize(
    "source", ["", "def broken(:", "x = 1", "\0", "ModelNew = 3", "class ModelNew: pass"]
)
def test_odd_text_never_raises(source: str):
    assert all(finding.rule == "no-kernel" for finding in inspect(source))


def test_deeply_nested_text_never_raises():
    assert isinstance(inspect("x = " + "-" * 5000 + "1"), list)
    assert isinstance(inspect("x = " + "(" * 3000 + ")" * 3000), list)
    assert isinstance(inspect(model("return " + "+".join(["x"] * 3000))), list)


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"class C{i}: pass\n" for i in range(101)),
        "".join(f"a{i} = a{i + 1}\n" for i in range(2001)),
        "# " + "x" * 200_001,
    ],
)
def test_text_that_would_take_minutes_is_not_read(text: str):
    (finding,) = inspect(model(CALL) + text)
    assert finding.suspect
    assert "too long" in finding.message


def test_the_largest_text_that_is_read_takes_no_minutes():
    """The suite's timeout is the assertion: a chain against the text's order, in 90 classes."""
    chain = "".join(f"a{i} = a{i + 1}\n" for i in range(1800))
    assert inspect(model(CALL) + chain + "".join(f"class C{i}: pass\n" for i in range(90))) == []


@given(st.lists(st.sampled_from(sorted(FALLBACKS.values())), min_size=1, max_size=3), st.booleans())
@settings(deadline=None)
def test_one_line_of_framework_work_spoils_any_honest_kernel(forwards: list[str], first: bool):
    """Whatever else stands around it, reachable framework work is found."""
    spoiled = "if x.shape[0] > 3:\n" + textwrap.indent(forwards[0], "    ")
    parts = [spoiled, CALL.rsplit(";", 1)[0]] if first else [CALL.rsplit(";", 1)[0], spoiled]
    extra = "def step(self, v):\n    return torch.sigmoid(v)"
    head = HEAD + HELPERS
    assert fallbacks(model("\n".join([*parts, "return x"]), KEPT, extra, head))


TASKS = sorted(Path(__file__).parents[2].joinpath("benchmarks", "kernelbench", "core").rglob("[0-9]*.py"))


@pytest.mark.skipif(not TASKS, reason="the bundled suite is not there")
def test_every_reference_of_the_bundled_suite_would_be_a_fallback():
    missed = [
        path.name for path in TASKS if not fallbacks(re.sub(r"\bModel\b", "ModelNew", path.read_text()))
    ]
    assert missed == []
