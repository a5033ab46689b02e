"""kernelopt.inline: signatures are read from the text, calls are checked, builds run once."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kernelopt import inline
from kernelopt.inline import BuildError, Parameter, cpp, parse, strided

KERNELS = r"""
#include <cmath>
// extern "C" void commented(float* x) {}
static const char* text = "extern \"C\" void quoted(float* x) {}";
typedef float scalar;
#define RESTRICT __restrict__

template <typename T> static T twice(T v) { return v + v; }

extern "C" void axpy(float a, const scalar* RESTRICT x, float* y, int64_t n) {
    #pragma omp parallel for simd
    for (int64_t i = 0; i < n; ++i) y[i] += a * x[i];
}
extern "C" {
double total(const double x[], size_t n) { double s = 0; for (size_t i = 0; i < n; ++i) s += x[i]; return s; }
int is_null(const void* p) { return p == nullptr; }
bool negate(bool b) noexcept { return !b; }
void bits(const uint16_t* half, int16_t* out, int n) {
    for (int i = 0; i < n; ++i) out[i] = (int16_t)half[i];
}
float root(float v) { return twice(std::sqrt(v)) / 2; }
void column(const float* x, int64_t rows, int64_t step, float* y) {
    for (int64_t r = 0; r < rows; ++r) y[r] = x[r * step];
}
int8_t small(int8_t v) { return v; }
static float hidden(float v) { return v; }
float declared_only(float v);
}
#if 0
extern "C" void removed(float* x) {}
#endif
"""


@pytest.fixture(scope="session")
def lib(tmp_path_factory: pytest.TempPathFactory) -> inline.Library:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERNELOPT_CACHE", str(tmp_path_factory.mktemp("cache")))
        return cpp(KERNELS)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


# --- Signatures ---------------------------------------------------------------------------------------


def test_only_definitions_with_c_linkage_are_read():
    names = [signature.name for signature in parse(KERNELS)]
    assert names == ["axpy", "total", "is_null", "negate", "bits", "root", "column", "small"]


@pytest.mark.parametrize(
    "before",
    [
        "typedef struct { const float *s, *t; int64_t n; } job_t;",
        "typedef struct { float s, t; } pair; typedef struct { int64_t n; } size;",
        "struct A { using n = int; typedef double t; };",
        "#define n 16\n#undef n",
        "static float f2(float v) { typedef float t; t w = v; return w; }",
    ],
)
def test_what_a_struct_or_a_body_calls_its_own_may_be_a_parameters_name(before):
    text = before + '\nextern "C" void f(const float* s, const float* t, int64_t n) {}'
    assert parse(text)[0].parameters == (
        Parameter("s", "float32", pointer=True, const=True),
        Parameter("t", "float32", pointer=True, const=True),
        Parameter("n", "int64"),
    )


def test_a_parameter_without_a_name_may_be_of_an_alias():
    found = parse('typedef float real;\nextern "C" void f(const real, unsigned long, real* __restrict__) {}')
    assert [p.type for p in found[0].parameters] == ["float32", "uint64", "float32"]


def test_aliases_and_macros_are_followed():
    axpy = parse(KERNELS)[0]
    assert axpy.parameters == (
        Parameter("a", "float32"),
        Parameter("x", "float32", pointer=True, const=True),
        Parameter("y", "float32", pointer=True),
        Parameter("n", "int64"),
    )


@pytest.mark.parametrize(
    "text",
    [
        '#define API extern "C" __attribute__((visibility("default")))\nAPI void f(float* x) {}',
        '#define API extern "C"\nAPI\nvoid f(float* x) {}',
        '#if 0\nextern "C" void f(int x) {}\n#endif\nextern "C" void f(float* x) {}',
        '#if 0\n#if X\nextern "C" void f(int x) {}\n#endif\n#else\nextern "C" void f(float* x) {}\n#endif',
        '#define T float\n#if 0\n#define T int\n#endif\nextern "C" void f(T* x) {}',
        '#ifdef X\n#if 0\nextern "C" void g() {}\n#endif\n#endif\nextern "C" void f(float* x) {}',
        'namespace k { typedef float real; }\nextern "C" void f(k::real* x) {}',
        'namespace k { typedef float real; }\nextern "C" void f(::k::real* x = nullptr) {}',
    ],
)
def test_usual_ways_to_write_a_head_are_read(text):
    assert [str(each) for each in parse(text)[0].parameters] == ["float32* x"]
    assert [signature.name for signature in parse(text)] == ["f"]


def test_a_default_value_is_no_part_of_a_type():
    (signature,) = parse('extern "C" void f(const float a = 1.0f, int64_t n = (1 << 4), bool flag = true) {}')
    assert [str(each) for each in signature.parameters] == ["float32 a", "int64 n", "bool flag"]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("unsigned long long n", "uint64"),
        ("long int n", "int64"),
        ("unsigned n", "uint32"),
        ("short n", "int16"),
        ("signed char n", "int8"),
        ("std::int64_t n", "int64"),
        ("const std::size_t n", "uint64"),
        ("int", "int32"),
    ],
)
def test_integer_types_by_all_their_names(text: str, canonical: str):
    (signature,) = parse(f'extern "C" void f({text}) {{}}')
    assert signature.parameters[0].type == canonical


def test_attributes_and_raw_strings_do_not_confuse():
    source = r"""
    auto s = R"x(extern "C" void no(int a) { )x";
    char c = '{', quote = '"';
    extern "C" __attribute__((visibility("default"))) [[gnu::hot]] void f(
        float const* const x, float y[4]) { { } }
    """
    (signature,) = parse(source)
    assert [str(p) for p in signature.parameters] == ["const float32* x", "float32* y"]


@pytest.mark.parametrize(
    ("signature", "complaint"),
    [
        ("void f(std::vector<float> x)", "f: x is"),
        ("void f(float** x)", "f: x is"),
        ("void f(float& x)", "f: x is"),
        ("void f(int n, ...)", "f: argument 2 is"),
        ("float* f(int n)", "result"),
        ("void f(_Float16 x)", "f: x is"),
    ],
)
def test_a_type_without_a_python_form_is_named(signature: str, complaint: str):
    with pytest.raises(ValueError, match=complaint) as caught:
        parse(f'extern "C" {signature} {{}}')
    assert "\n" not in str(caught.value)


def test_contradicting_definitions_are_refused():
    with pytest.raises(ValueError, match="f: defined twice"):
        parse('#ifdef A\nextern "C" void f(int a) {}\n#else\nextern "C" void f(float a) {}\n#endif')


def test_a_source_without_functions_is_refused():
    with pytest.raises(ValueError, match='no extern "C" function'):
        cpp("void f(float* x) {}")


SPELLINGS = {
    "float": "float32",
    "double": "float64",
    "int": "int32",
    "int64_t": "int64",
    "unsigned long": "uint64",
    "uint8_t": "uint8",
    "bool": "bool",
    "std::int32_t": "int32",
}
identifiers = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).map(lambda name: f"v_{name}")
gaps = st.sampled_from([" ", "\n", "  ", "/* , ) { */", " // } ;\n"])


@st.composite
def parameters(draw: st.DrawFn) -> tuple[str, Parameter]:
    """The text of a parameter and what it must be read as."""
    spelling, pointer = draw(st.sampled_from(sorted(SPELLINGS))), draw(st.booleans())
    name, const, gap = draw(identifiers), pointer and draw(st.booleans()), draw(gaps)
    restrict = draw(st.sampled_from(["", "__restrict__ ", "const "])) if pointer else ""
    star = f"{gap}*{restrict}" if pointer else ""
    before, after = draw(st.sampled_from([("const ", ""), ("", " const")])) if const else ("", "")
    text = f"{before}{spelling}{after}{star}{gap}{name}"
    return text, Parameter(name, SPELLINGS[spelling], pointer, const)


@given(
    st.lists(st.tuples(identifiers, st.lists(parameters(), max_size=6)), min_size=1, max_size=4),
    st.booleans(),
    gaps,
)
def test_what_is_written_is_what_is_read(functions, block: bool, gap: str):
    functions = list(dict(functions).items())
    body = "{ int a[] = {1, 2}; if (a[0]) {} }"
    texts = [
        f"void{gap}{name}{gap}({f',{gap}'.join(text for text, _ in params)}){gap}{body}"
        for name, params in functions
    ]
    if block:
        source = f'extern{gap}"C"{gap}{{{gap.join(texts)}}}'
    else:
        source = gap.join(f'extern "C"{gap}{text}' for text in texts)
    read = [(s.name, list(s.parameters)) for s in parse(source)]
    assert read == [(name, [parameter for _, parameter in params]) for name, params in functions]


@given(
    st.lists(
        st.sampled_from(
            ['extern "C"', *"(){}[];,*=\"'#/\\\n ", "void f", "int", "const", "using", "x", 'R"(']
        )
    )
)
def test_no_text_breaks_the_parser(parts: list[str]):
    try:
        signatures = parse("".join(parts))
    except ValueError:
        return
    assert all(signature.name.isidentifier() for signature in signatures)


# --- Calls --------------------------------------------------------------------------------------------


def test_functions_compute(lib):
    x, y = torch.randn(1000), torch.ones(1000)
    lib.axpy(2, x, y, 1000)
    assert torch.allclose(y, 1 + 2 * x)
    assert lib.total(torch.ones(7, dtype=torch.float64), 7) == 7.0
    assert lib.root(2.25) == 1.5
    assert lib.negate(False) is True
    assert lib.small(-128) == -128


def test_half_precision_travels_as_its_bits(lib):
    out = torch.zeros(2, dtype=torch.int16)
    for dtype in (torch.float16, torch.bfloat16):
        half = torch.tensor([1.0, -2.0], dtype=dtype)
        lib.bits(half, out, 2)
        assert torch.equal(out.view(dtype), half)


def test_none_is_a_null_pointer_and_void_takes_every_dtype(lib):
    assert lib.is_null(None) == 1
    assert lib.is_null(torch.zeros(3, dtype=torch.complex64)) == 0


def test_a_strided_tensor_is_passed_on_purpose_only(lib):
    x, y = torch.arange(12.0).reshape(3, 4), torch.empty(3)
    with pytest.raises(ValueError, match=r"column: x .* strides \(4,\)"):
        lib.column(x[:, 1], 3, 4, y)
    lib.column(strided(x[:, 1]), 3, x.stride(0), y)
    assert y.tolist() == [1.0, 5.0, 9.0]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("2", "x", "y", 4), TypeError, "axpy: a .* takes a number, got str"),
        ((2.0, "x", "y", 4.0), TypeError, "axpy: n .* takes an int, got float"),
        ((2.0, "x", "y", torch.tensor(4)), TypeError, "axpy: n .* tensor"),
        ((True, "x", "y", 4), TypeError, "axpy: a .* takes a number"),
        ((2.0, "x", "y", 2**63), ValueError, "axpy: n .* takes -9223372036854775808 to"),
        ((2.0, 3, "y", 4), TypeError, "axpy: x .* takes a tensor or None, got int"),
        ((2.0, torch.zeros(4).double(), "y", 4), TypeError, "axpy: x .* takes float32, got float64"),
        ((2.0, torch.zeros(2, 2).to_sparse(), "y", 4), ValueError, "axpy: x .* dense CPU tensor"),
        ((2.0, torch.zeros(4, device="meta"), "y", 4), ValueError, "axpy: x .* on meta"),
        ((2.0, "x", torch.nn.Parameter(torch.zeros(4)), 4), ValueError, "axpy: y .* requires grad"),
        ((2.0, "x", "y"), TypeError, "takes 4 arguments, got 3"),
    ],
)
def test_a_wrong_argument_is_named(lib, arguments, error, words):
    known = {"x": torch.zeros(4), "y": torch.zeros(4)}
    with pytest.raises(error, match=words) as caught:
        lib.axpy(*(known.get(a, a) if isinstance(a, str) else a for a in arguments))
    assert "\n" not in str(caught.value)


def test_weights_are_read_always_and_written_without_grad(lib):
    weight, y = torch.nn.Parameter(torch.ones(4)), torch.zeros(4)
    lib.axpy(1.0, weight, y, 4)
    with torch.no_grad():
        lib.axpy(1.0, y, weight, 4)
    assert weight.tolist() == [2.0] * 4


def test_an_unknown_function_is_named_with_those_that_exist(lib):
    with pytest.raises(AttributeError, match=r"'softmax'.*axpy, bits, column"):
        _ = lib.softmax
    with pytest.raises(AttributeError):
        _ = lib.removed  # between #if 0 and #endif


def test_a_call_costs_a_few_matrix_free_operations(lib):
    x, y = torch.zeros(1), torch.zeros(1)

    def fastest(call) -> float:
        times = []
        for _ in range(200):
            started = time.perf_counter()
            for _ in range(50):
                call()
            times.append(time.perf_counter() - started)
        return min(times)

    assert fastest(lambda: lib.column(x, 0, 1, y)) < 20 * fastest(x.is_contiguous) + 10 * fastest(
        lambda: x.add_(y)
    )


# --- Builds -------------------------------------------------------------------------------------------

TINY = 'extern "C" int answer() { return 42; }'


def only(folder: Path, pattern: str) -> Path:
    (found,) = folder.rglob(pattern)
    return found


def test_a_failed_build_tells_what_the_compiler_said(cache):
    with pytest.raises(BuildError, match=r"mine.cpp:2:.*'sqrt' was not declared") as caught:
        cpp('// first line\nextern "C" float f(float x) { return sqrt(x); }', name="mine")
    assert "error: 'sqrt'" in caught.value.log
    assert "-march=native" in caught.value.command
    assert not list(cache.rglob("*.so")), "a failed build must leave nothing to load"


def test_an_undefined_symbol_fails_the_build_not_the_load(cache):
    with pytest.raises(BuildError, match=r"undefined reference to .*gone"):
        cpp('void gone();\nextern "C" void f() { gone(); }')


def test_flags_reach_the_compiler(cache):
    assert cpp('extern "C" int f() { return N; }', flags=["-DN=7"]).f() == 7


def test_a_missing_compiler_is_one_clear_sentence(cache, monkeypatch):
    monkeypatch.setenv("PATH", str(cache))
    with pytest.raises(BuildError, match=r"g\+\+ was not found; install it"):
        cpp(TINY)


def test_an_unusable_cache_is_one_clear_sentence(cache):
    cache.write_text("a file where a folder should be")
    with pytest.raises(
        BuildError, match=r"the build cache .* cannot be used: .*; free space or set KERNELOPT_CACHE"
    ):
        cpp(TINY)


def test_a_second_request_runs_no_compiler(cache, monkeypatch):
    assert cpp(TINY).answer() == 42
    before = only(cache, "*.so").stat()
    assert cpp(TINY).answer() == 42
    assert only(cache, "*.so").stat() == before


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:-1] + b"x"])
def test_a_damaged_artifact_is_built_anew(cache, damage):
    cpp(TINY)
    artifact = only(cache, "*.so")
    whole = artifact.read_bytes()
    artifact.unlink()  # a new inode: the loaded library keeps the old one
    artifact.write_bytes(damage(whole))
    assert cpp(TINY).answer() == 42
    assert artifact.read_bytes() == whole


def test_a_damaged_record_is_built_anew(cache):
    cpp(TINY)
    record = only(cache, "*.json")
    record.unlink()  # it is read-only
    record.write_text("{")
    assert cpp(TINY).answer() == 42


def test_leftovers_of_a_killed_build_do_no_harm(cache):
    cpp(TINY)
    artifact = only(cache, "*.so")
    artifact.with_suffix(".work").mkdir()
    (artifact.with_suffix(".work") / "kernel.cpp").write_text("half a")
    artifact.unlink()
    assert cpp(TINY).answer() == 42
    assert not artifact.with_suffix(".work").exists()


def counting_compiler(folder: Path) -> Path:
    """A g++ that notes each compilation and then is the real one."""
    folder.mkdir()
    script = folder / "g++"
    script.write_text(
        f'#!/bin/sh\ncase "$*" in *.cpp*) echo run >> {folder}/runs;; esac\nexec {shutil.which("g++")} "$@"\n'
    )
    script.chmod(0o755)
    return script


def test_eight_processes_that_ask_at_once_compile_once(tmp_path):
    script = counting_compiler(tmp_path / "bin")
    environment = {**os.environ, "KERNELOPT_CACHE": str(tmp_path / "cache")}
    environment["PATH"] = f"{script.parent}:{environment['PATH']}"
    code = f"from kernelopt.inline import cpp; print(cpp({TINY!r}).answer())"
    asking = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    assert [process.communicate()[0].strip() for process in asking] == ["42"] * 8
    assert (tmp_path / "bin" / "runs").read_text().count("run") == 1


def test_a_copy_of_the_file_works_without_kernelopt_and_imports_no_torch(tmp_path):
    shutil.copy(inline.__file__, tmp_path / "kernel_inline.py")
    code = (
        "import sys; sys.modules['kernelopt'] = None; from kernel_inline import cpp\n"
        f"lib = cpp({TINY!r}); assert 'torch' not in sys.modules; print(lib.answer())"
    )
    environment = {**os.environ, "KERNELOPT_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "42", done.stderr


def test_a_builder_takes_over(cache, monkeypatch):
    asked = []

    def builder(request):
        asked.append(request)
        return {"ok": False, "log": "not today", "command": "g++ x"}

    monkeypatch.setattr(inline, "_builder", None)
    inline.set_builder(builder)
    with pytest.raises(BuildError, match="not today"):
        cpp(TINY, flags=["-O1"], ldflags=["-lm"], name="mine")
    assert asked == [
        {
            "kind": "shared",
            "name": "mine",
            "sources": {"mine.cpp": TINY},
            "cflags": ["-O1"],
            "ldflags": ["-lm"],
        }
    ]
    inline.set_builder(None)
    assert cpp(TINY).answer() == 42


def test_the_example_of_the_manual_works(cache):
    manual = Path(__file__).parents[1] / "docs" / "inline.md"
    example = manual.read_text().split("```python\n")[1].split("```")[0]
    namespace: dict = {}
    exec(example, namespace)
    assert torch.allclose(namespace["y"], torch.nn.functional.softshrink(namespace["x"], 0.5))
