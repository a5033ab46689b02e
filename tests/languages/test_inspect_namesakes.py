"""Honest code that looks like a trick by its name or shape passes, and the trick beside it is still found."""

import pytest
from inspected import CALL, answer, beside, extension, native, rules

FUNCTION = """
class Op(torch.autograd.Function):
    @staticmethod
    def forward({}):
        {}
        y = torch.empty_like(x)
        lib.f(x, y, x.shape[0])
        return {}
    @staticmethod
    {}
        return grad * 2
"""
BACKWARD = "def backward(ctx, grad):"
KEEPING = f"def setup_context(ctx, inputs, output):\n        ctx.shape = output.shape\n    {BACKWARD}"


def function(parameters: str, first: str, result: str, rest: str = BACKWARD) -> str:
    """An answer whose work is done in an `autograd.Function`."""
    return answer("return Op.apply(x)", top=FUNCTION.format(parameters, first, result, rest))


SGEMM = """
blas = cpp('''extern "C" int sgemm(const float* x, float* y, int64_t n) {} y[0] = x[0]; return 0; {}''')
"""
GEMM, DECLARED = SGEMM.format("{", "}"), SGEMM.format(";", "").replace(" y[0] = x[0]; return 0;", "")
BLOCK = GEMM.replace('extern "C" int', 'extern "C" { int').replace("}", "} }")
RUN = "y = torch.empty_like(x)\nblas.sgemm(x, y, 1)\nreturn y"
RUNNER = """
class Runner:
    def __init__(self, native):
        self.native = native
    def __call__(self, x):
        y = torch.empty_like(x)
        self.native.softmax(x, {})
        return y
built = cpp('''extern "C" {}''')
"""
SOFTMAX = "void softmax(const float* x, float* y, int64_t n) { y[0] = x[0]; }"


def runner(library: str = "built", arguments: str = "y, x.numel()", text: str = SOFTMAX) -> str:
    """An answer that hands a library to an object, which calls its function softmax."""
    top = RUNNER.format(arguments, text)
    return answer("return self.run(x)", top=top, init=f"self.run = Runner({library})")


ALIGNED = "TABLE = {True: lib.f, False: lib.f}"
BY_KEY = "y = torch.empty_like(x)\np = x.data_ptr()\nTABLE[{}](x, y, x.numel())\nreturn y"


def methods(struct: str, call: str = "Acc().var()", outside: str = "") -> str:
    """A torch extension with a struct of its own."""
    return extension(
        f"struct Acc {{ float m; {struct} }};\n{outside}\n"
        f"at::Tensor f(at::Tensor x) {{ auto y = at::empty_like(x); g({call}); return y; }}"
    )


FINE = {
    "shapes checked as PyTorch recommends": answer(
        "torch._check(x.dim() == 2, lambda: f'two axes, not {x.dim()}')\n"
        "_check_value(x.numel() > 0)\nwide = torch.cpu._is_avx512_supported()\n"
        "y = torch.empty_like(torch.atleast_2d(x))\nlib.f(torch.ravel(x), y, _pair(x.shape[0])[0] + wide)\n"
        "return y if torch.jit.is_scripting() else y.ravel()",
        top="from torch import _check_value\nfrom torch.nn.modules.utils import _pair",
    ),
    "a member called signal": beside(
        "struct S { const float* signal; int64_t n; S(const float* x, int64_t n) : n(n), signal(x) {} };\n"
        "struct T { int fork, kill; explicit T(int (*f)(int)) noexcept : fork(f(1)), kill{2} { fork = 1; } };"
    ),
    "variables called signal": native(
        "std::vector<float> signal(x, x + n);\nconst int fork(3);\nSpan kill(x, n);\nfloat* pipe(y);"
    ),
    "a kernel named like an operator, of a library that is handed on": runner(),
    "a kernel named like an operator, of a library that a getter builds": answer(
        "y = torch.empty_like(x)\nKernels.get(x.dtype).softmax(x, y, x.numel())\nreturn y",
        top=f"""
        class Kernels:
            built = None
            @classmethod
            def get(cls, dtype: torch.dtype):
                if cls.built is None:
                    cls.built = cpp('''extern "C" {SOFTMAX}''')
                return cls.built
        """,
    ),
    "a method that overrides": methods("float var() const override { return m; }"),
    "a method with its type behind it": methods("auto var() const noexcept -> float { return m; }"),
    "a final method": methods("virtual float var() final { return m; }"),
    "a method outside of its struct": methods(
        "float var() const;", outside="float Acc::var() const { return m; }"
    ),
    "a method outside of its template": methods(
        "T var() const;", outside="template <class T>\nT Acc<T>::var() const { return m; }"
    ),
    "a kernel for aligned memory": answer(BY_KEY.format("(p | y.data_ptr()) % 64 == 0"), top=ALIGNED),
    "a kernel for each alignment": answer(BY_KEY.format("x.data_ptr() & 31"), top=ALIGNED),
    "a kernel named like one of BLAS": answer(RUN, top=GEMM),
    "kernels named like BLAS in one block": answer(RUN, top=BLOCK),
    "a shape kept for the backward": function("ctx, x", "ctx.shape = x.shape\n        ctx.eps = 1", "y"),
    "a shape kept under another name": function("keep, x", "keep.shape = x.shape", "y.view(keep.shape)"),
    "a shape kept by setup_context": function("x", "pass", "y", KEEPING),
}
CHEATS = {
    **{
        f"what is found by {key}": ("memory", answer(BY_KEY.format(key), top=ALIGNED))
        for key in (
            *("(k := 0) or (k := id(x)) or k % 64", "(p := id(x)) or p % 64"),
            *("p", "p % 4093", "p % 65536", "p & -1", "(p >> 12) % 64", "p // 64 % 64", "(p * 9) % 64"),
            *("id(x) % 64", "hash(x.numpy().tobytes()) % 64", "(p % 64, p)", "x._version & 63"),
        )
    },
    "a check that reads all of the data": ("fallback", answer(f"torch._check_tensor_all(x)\n{CALL}")),
    "an operator beside a check": (
        "fallback",
        answer("torch._check(x.dim() == 2)\nlib.f(x, x, 1)\nreturn torch.relu(x)"),
    ),
    "functional handed on": ("fallback", runner("F", "1")),
    "functional handed on under another name": (
        "fallback",
        runner("f", "1").replace("class Runner", "f = F\nclass Runner"),
    ),
    "torch handed on beside a kernel": (
        "fallback",
        runner("torch if torch.get_num_threads() else built", "1"),
    ),
    "an operator handed on": ("fallback", runner("type('L', (), dict(softmax=F.softmax))", "1")),
    "a library that is not the framework handed on": (
        "fallback",
        "import scipy.special\n" + runner("scipy.special", "1"),
    ),
    "an operator of which only a declaration has the name": (
        "fallback",
        runner(text=SOFTMAX.replace("{ y[0] = x[0]; }", ";")),
    ),
    "an operator of the data itself": (
        "fallback",
        answer("lib.f(x, x, 1)\nreturn x.softmax(1)", top=RUNNER.format("1", SOFTMAX)),
    ),
    "an operator of data that is kept": (
        "fallback",
        answer(
            "self.x = x\nlib.f(x, x, 1)\nreturn self.step(x)",
            top=RUNNER.format("1", SOFTMAX),
            methods="def step(self, x):\n    return self.x.softmax(x.dim() - 1, x)",
        ),
    ),
    "a method that is only declared": ("fallback", methods("float var() const override;")),
    "a method of a struct of the framework": (
        "fallback",
        methods("", outside="at::Tensor at::Tensor::var() const { return m; }"),
    ),
    "a tensor's method beside an own one": (
        "fallback",
        methods("auto var() const -> float { return m; }", call="x.var()"),
    ),
    "a call that a condition leads to": ("patching", native("auto old = (n > 1) ? (run) : signal(14, run);")),
    "calls that a condition leads to": (
        "patching",
        native("n ? g(n) : signal(14, run), g(n); { y[0] = 1; }"),
    ),
    "a call within an initialiser": ("patching", beside("struct S { S() : n(signal(14, run)) {} int n; };")),
    "a call in a label's place": ("process", native("switch (n) { case (1): fork(); break; }")),
    "a call behind a label": ("process", native("again: fork();")),
    "a call behind a directive": ("process", native("#pragma omp parallel\nfork();")),
    "a call whose result is returned": ("process", beside("static int go() { return fork(); }")),
    "a call that is an argument": ("process", native("g(n, fork()); h((int)fork());")),
    "a call after else": ("process", native("if (n) y[0] = 1; else fork();")),
    "a product with what a call gives": ("process", native("y[0] = n * fork();")),
    "a function of the system that is declared": ("process", beside('extern "C" int fork();')),
    "a function of BLAS that is only declared": ("library", answer(RUN, top=DECLARED)),
    "a function of BLAS that is defined in a comment": (
        "library",
        answer(RUN, top=DECLARED + "# " + GEMM[1:]),
    ),
    "a handle of BLAS beside a kernel of that name": (
        "library",
        answer(RUN, top=f"{GEMM}\nimport ctypes\nblas = ctypes.CDLL(lib.path)"),
    ),
    "a function of scipy beside a kernel of that name": (
        "library",
        answer(RUN, top=f"{GEMM}\nimport scipy.linalg\nblas = blas or scipy.linalg.blas"),
    ),
    "an attribute that a tensor gets in a Function": ("patching", function("ctx, x", "x.near = 1", "y")),
    "a first parameter that is a tensor": ("fallback", function("x", "pass", "x * 2", KEEPING)),
    "arithmetic in a Function": ("fallback", function("ctx, x", "ctx.shape = x.shape", "x * 2")),
    "arithmetic on what is given by hand in place of a context": (
        "fallback",
        function("ctx, x", "pass", "ctx * ctx.shape[0]").replace("Op.apply(x)", "Op.forward(x, x)"),
    ),
}


@pytest.mark.parametrize("source", FINE.values(), ids=FINE)
def test_what_only_looks_like_a_trick_passes(source: str):
    assert rules(source) == set()


@pytest.mark.parametrize(("rule", "source"), CHEATS.values(), ids=CHEATS)
def test_the_trick_beside_it_is_found(rule: str, source: str):
    assert rule in rules(source)
