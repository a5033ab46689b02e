"""Why a kernel is slow: the roof, the compiler's notes and the source say so, in fixed phrases."""

import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.devices import Ceilings
from kernelopt.evaluator.profiles import gcc
from kernelopt.evaluator.profiles.gcc import run_here
from kernelopt.evaluator.profiles.loops import read
from kernelopt.evaluator.profiles.profile import roofline, source_notes, source_profile, vectorizer
from kernelopt.feedback import words

MACHINE = Ceilings(bytes_per_s=1e10, flops_per_s={"float32": 1e11, "bfloat16": 4e11})


def cpp(text):
    return {"k.cpp": text}


def notes(text, **more):
    return "\n".join(source_notes(cpp(text), **more))


def lines(text, **more):
    return vectorizer(cpp(text), **more).text.splitlines()


# The roof ------------------------------------------------------------------------------------------


def test_a_kernel_that_moves_much_and_computes_little_is_bound_by_memory():
    profile = roofline(bytes_moved=1e8, flops=1e7, latency_ms=20, ceilings=MACHINE, dtype="float32")
    assert profile.tool == "roofline"
    assert profile.metrics["roof_ms"] == pytest.approx(10)
    assert profile.metrics["fraction"] == pytest.approx(0.5)
    assert words.BANDWIDTH_BOUND in profile.text
    assert "50 %" in profile.text


def test_a_kernel_that_computes_much_is_bound_by_arithmetic():
    profile = roofline(bytes_moved=1e6, flops=1e10, latency_ms=200, ceilings=MACHINE, dtype="float32")
    assert profile.metrics["roof_ms"] == pytest.approx(100)
    assert words.COMPUTE_BOUND in profile.text


def test_each_dtype_has_its_own_arithmetic_roof_and_unknown_ones_that_of_float32():
    roof = {d: roofline(0, 1e10, 1, MACHINE, d).metrics["roof_ms"] for d in ("bfloat16", "float32", "int8")}
    assert roof == pytest.approx({"bfloat16": 25, "float32": 100, "int8": 100})


@given(st.floats(), st.floats(), st.floats(), st.sampled_from(["float32", "int8"]))
def test_any_numbers_give_a_fraction_above_zero_or_no_metrics(moved, flops, latency_ms, dtype):
    metrics = roofline(moved, flops, latency_ms, MACHINE, dtype).metrics
    assert not metrics or metrics["fraction"] >= 0


# What the compiler vectorised ----------------------------------------------------------------------

RELU = """extern "C" void relu(const float* x, float* y, long n) {
#pragma omp parallel for
  for (long i = 0; i < n; ++i)
    y[i] = x[i] > 0 ? x[i] : 0;
}
"""


def test_a_vectorised_loop_is_told_with_its_line_and_width():
    profile = vectorizer(cpp(RELU))
    assert profile.tool == "gcc-vectorizer"
    assert profile.metrics["loops_vectorized"] == profile.metrics["loops"] == 1
    assert profile.metrics["widest_bytes"] in (16, 32, 64)
    assert profile.text.startswith("k.cpp:3: loop vectorized with")


MISSED = {
    "expf has no vector form": "for (long i = 0; i < n; ++i) y[i] = expf(x[i]);",
    "floating-point reduction": "float s = 0; for (long i = 0; i < n; ++i) s += x[i]; y[0] = s;",
    "branches or leaves early": "for (long i = 0; i < n; ++i) { if (x[i] < 0) break; y[i] = x[i]; }",
    "does not walk memory contiguously": "for (long i = 0; i < n; ++i) y[0] += x[i * n];",
}


@pytest.mark.parametrize("cause", MISSED)
def test_a_loop_that_was_not_vectorised_is_told_with_cause_and_text(cause):
    (line,) = lines(
        '#include <cmath>\nextern "C" void f(const float* x, float* y, long n) {\n' + MISSED[cause] + "\n}\n"
    )
    assert line.startswith("k.cpp:3: ")
    assert words.NOT_VECTORIZED in line
    assert cause in line
    assert "for (long i = 0" in line


def test_a_sum_may_be_reordered_where_the_kernel_says_so():
    text = """extern "C" float f(const float* x, long n) {
  float s = 0;
#pragma omp parallel for simd reduction(+ : s)
  for (long i = 0; i < n; ++i) s += x[i];
  return s;
}
"""
    assert "loop vectorized" in lines(text)[0]
    assert words.NOT_VECTORIZED in lines(text.replace(" simd", ""))[0]
    assert "loop vectorized" in lines(text.replace(" simd", ""), flags=["-ffast-math"])[0]


def test_only_innermost_loops_are_told_the_deepest_first():
    text = """extern "C" void f(const float* x, float* y, long n) {
  for (long i = 0; i < n; ++i) y[i] = x[i] + 1;
  for (long i = 0; i < n; ++i)
    for (long j = 0; j < n; ++j) y[i * n + j] = 2 * x[i * n + j];
}
"""
    assert [line.split(":")[1] for line in lines(text)] == ["4", "2"]


def test_the_flags_of_the_kernel_count():
    text = '#include <cmath>\nextern "C" void f(const float* x, float* y, long n) {\n'
    text += "for (long i = 0; i < n; ++i) y[i] = expf(x[i]);\n}\n"
    assert words.NOT_VECTORIZED in lines(text)[0]
    assert "loop vectorized" in lines(text, flags=["-ffast-math"])[0]


def test_several_files_are_looked_at_in_one_run():
    profile = vectorizer(
        {
            "a.cpp": '#include "h.h"\n' + RELU.replace("0;", "low;"),
            "b.cpp": RELU.replace("relu", "relu2"),
            "h.h": "const float low = 0;\n",
        }
    )
    assert {line.split(":")[0] for line in profile.text.splitlines()} == {"a.cpp", "b.cpp"}


def test_a_source_that_does_not_compile_has_no_notes_and_leaks_nothing():
    profile = vectorizer(cpp('#include "/etc/passwd"\n'))
    assert not profile.metrics
    assert "root" not in profile.text
    assert "could not compile" in profile.text


# How the compiler is run ---------------------------------------------------------------------------


class Recorder:
    """A runner that keeps what it was asked and answers with a fixed text."""

    def __init__(self, exit_code=0, output=""):
        self.calls, self.answer = [], (exit_code, output)

    def __call__(self, files, argv, timeout_s):
        self.calls.append((dict(files), list(argv), timeout_s))
        return self.answer


def test_notes_and_vectorizer_share_one_compiler_run_of_the_same_content():
    runner = Recorder()
    vectorizer(cpp(RELU), runner=runner)
    source_notes(cpp(RELU), runner=runner)
    vectorizer(cpp(RELU), runner=runner)
    assert len(runner.calls) == 1
    vectorizer(cpp(RELU + "\n"), runner=runner)
    vectorizer(cpp(RELU), ["-O2"], runner=runner)
    assert len(runner.calls) == 3


def test_nothing_is_linked_or_run_and_flags_that_load_code_or_name_files_are_left_out():
    runner = Recorder()
    hostile = [
        "-fplugin=./evil.so",
        "-B/tmp",
        "-wrapper",
        "sh,-c",
        "@file",
        "-o",
        "x",
        "-I/etc",
        "-save-temps",
    ]
    vectorizer(cpp(RELU), [*hostile, "-ffast-math"], runner=runner)
    (_, argv, _), *_ = runner.calls
    assert not set(hostile) & set(argv[: argv.index("-S")])
    assert argv[-4:] == ["-S", "-o", "/dev/null", "k.cpp"]
    assert "-ffast-math" in argv


def test_file_names_cannot_leave_the_folder_or_become_options():
    runner = Recorder()
    vectorizer({"../../up.cpp": RELU, "-o.cpp": RELU, "a b.cpp": RELU}, runner=runner)
    (files, argv, _), *_ = runner.calls
    assert all("/" not in name and not name.startswith("-") and " " not in name for name in files)
    assert not argv[-1].startswith("-")


@pytest.mark.parametrize("exit_code", [1, 124, 127])
def test_a_failed_run_only_costs_the_notes_of_the_compiler(exit_code):
    runner = Recorder(exit_code)
    assert vectorizer(cpp(RELU), runner=runner).text.startswith("no vectorization notes")
    unthreaded = RELU.replace("#pragma omp parallel for", "")
    assert words.ONE_THREAD in "\n".join(source_notes(cpp(unthreaded), runner=runner))


def test_a_compiler_that_hangs_is_stopped():
    start = time.monotonic()
    exit_code, _ = run_here({}, ["sleep", "60"], timeout_s=0.3)
    assert exit_code == 124
    assert time.monotonic() - start < 20


def test_an_absent_compiler_is_an_exit_code():
    exit_code, _ = run_here({}, ["no-such-compiler"], timeout_s=20)
    assert exit_code == 127


def test_the_compiler_sees_neither_the_environment_nor_endless_room(monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "secret")
    script = "import os; print(sorted(os.environ)); bytearray(8 << 30)"
    exit_code, output = run_here({}, [sys.executable, "-c", script], timeout_s=60)
    assert "SOME_API_KEY" not in output
    assert "MemoryError" in output
    assert exit_code != 0


@given(st.text())
def test_any_compiler_output_can_be_read(text):
    assert all(note.line >= 0 for note in gcc.parse(text))


# What the source shows -----------------------------------------------------------------------------


def test_a_kernel_without_any_thread_runs_on_one():
    assert words.ONE_THREAD not in notes(RELU)
    found = notes(RELU.replace("#pragma omp parallel for", ""))
    assert words.ONE_THREAD in found
    assert "`relu`" in found


def test_a_helper_that_a_threaded_function_calls_needs_no_pragma_of_its_own():
    text = """static void row(const float* x, float* y, long n) { for (long i = 0; i < n; ++i) y[i] = x[i]; }
extern "C" void f(const float* x, float* y, long n) {
#pragma omp parallel for
  for (long r = 0; r < n; ++r) row(x + r * n, y + r * n, n);
}
"""
    assert words.ONE_THREAD not in notes(text)


DOUBLE = """#include <cmath>
extern "C" void f(const float* x, float* y, long n) {
#pragma omp parallel for
  for (long i = 0; i < n; ++i) y[i] = BODY;
}
"""


@pytest.mark.parametrize("body", ["0.5 * x[i]", "exp(x[i])", "1.0 / (1.0 + x[i])", "tanh(x[i])"])
def test_double_precision_in_a_float_loop_is_found_by_the_compiler(body):
    found = notes(DOUBLE.replace("BODY", body))
    assert words.DOUBLE_MATH in found
    assert "k.cpp:4" in found
    assert body in found


@pytest.mark.parametrize("body", ["0.5f * x[i]", "expf(x[i])", "std::exp(x[i])", "std::tanh(x[i]) + 1"])
def test_float_arithmetic_is_not_taken_for_double(body):
    assert words.DOUBLE_MATH not in notes(DOUBLE.replace("BODY", body))


def test_double_precision_outside_of_loops_costs_nothing():
    text = 'extern "C" void f(const float* x, float* y, long n) {\n#pragma omp parallel\n{}\n'
    text += "float s = 1.0 / n; s = 0.1 * s;\nfor (long i = 0; i < n; ++i) y[i] = s * x[i];\n}\n"
    assert words.DOUBLE_MATH not in notes(text)


COLUMNS = """extern "C" void f(const float* x, float* y, long n, long m) {
#pragma omp parallel for
  for (long j = 0; j < m; ++j) {
    float s = 0;
    for (long i = 0; i < n; ++i) s += x[INDEX];
    y[j] = s;
  }
}
"""


@pytest.mark.parametrize("index", ["i * m + j", "m*i + j", "(i + 1) * m + j"])
def test_an_inner_loop_that_jumps_is_strided(index):
    found = notes(COLUMNS.replace("INDEX", index))
    assert words.STRIDED_ACCESS in found
    assert "over `i`" in found


@pytest.mark.parametrize("index", ["j * n + i", "i", "n * j + (i + 1)"])
def test_an_inner_loop_over_neighbours_is_not(index):
    assert words.STRIDED_ACCESS not in notes(COLUMNS.replace("INDEX", index))


def test_an_intermediate_that_one_loop_writes_and_the_next_reads_is_a_pass_too_many():
    text = """extern "C" void f(const float* x, float* y, long n) {
  float* t = new float[n];
#pragma omp parallel for
  for (long i = 0; i < n; ++i) t[i] = x[i] * x[i];
#pragma omp parallel for
  for (long i = 0; i < n; ++i) y[i] = t[i] + 1;
  delete[] t;
}
"""
    found = notes(text)
    assert words.SEVERAL_PASSES in found
    assert "`t`" in found
    assert "lines 4, 6" in found


def test_loops_inside_one_parallel_row_loop_are_one_pass_over_memory():
    text = """extern "C" void f(const float* x, float* y, long rows, long n) {
#pragma omp parallel for
  for (long r = 0; r < rows; ++r) {
    float s = 0;
    for (long i = 0; i < n; ++i) s += x[r * n + i];
    for (long i = 0; i < n; ++i) y[r * n + i] = x[r * n + i] / s;
  }
}
"""
    assert words.SEVERAL_PASSES not in notes(text)


def test_source_notes_are_also_a_profile():
    profile = source_profile(cpp(RELU.replace("#pragma omp parallel for", "")))
    assert profile.tool == "source"
    assert profile.metrics["notes"] == 1
    assert words.ONE_THREAD in profile.text


# Reading loops -------------------------------------------------------------------------------------


def test_loops_nest_with_and_without_braces():
    code = read(
        "k.cpp", "void f() { for (int i=0;i<3;++i) for (int j=0;j<3;++j) { g(i, j); } while (h()) { } }"
    )
    assert [(loop.variable, loop.depth, loop.innermost) for loop in code.loops] == [
        ("i", 0, False),
        ("j", 1, True),
        ("", 0, True),
    ]


def test_comments_strings_directives_and_the_end_of_do_while_hold_no_loops():
    text = """// for (int i = 0; i < 9; ++i) x[i];
/* while (1) {} */
#define LOOP for (;;) \\
   while (1)
const char* s = "for (;;)";
void f() { do { g(); } while (h()); }
"""
    assert read("k.cpp", text).loops == ()


def test_functions_are_known_by_name_and_body():
    code = read(
        "k.cpp", 'extern "C" { int f(int a, float* b) { return a; }\nvoid g() noexcept { if (1) {} } }'
    )
    assert [function.name for function in code.functions] == ["f", "g"]


@given(st.text() | st.text(alphabet='for(while){}[];"/*\n# \\'))
def test_any_text_can_be_read(text):
    code = read("k.cpp", text)
    assert len(code.bare) == len(text)
    assert all(loop.line == text.count("\n", 0, loop.start) + 1 for loop in code.loops)
    assert all(0 <= loop.start <= loop.body <= loop.end <= len(text) for loop in code.loops)


HOSTILE = {
    "comments": "/*",
    "strings": '"\\"',
    "brackets": "x[",
    "calls": "a(",
    "loops": "for(i=0;;)",
    "declarations": "float ",
    "blanks": "* ",
    "assignments": "x[i]=",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_text_made_to_be_slow_to_read_is_read_quickly(kind):
    start = time.thread_time()
    text = "void f(float* x) { for (int i = 0; i < n; ++i) " + HOSTILE[kind] * (90_000 // len(HOSTILE[kind]))
    source_notes(cpp(text), runner=Recorder())
    vectorizer(cpp(text), runner=Recorder(output="k.cpp:1:30: missed: couldn't vectorize loop\n" * 20_000))
    assert time.thread_time() - start < 10


SPLIT = """
extern "C" void add(const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] + 1.0f;
}
extern "C" void twice(const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] * 2.0f;
}
"""


def test_functions_that_hand_whole_arrays_to_each_other_are_several_passes():
    notes = " ".join(source_notes({"kernel.cpp": SPLIT}))
    assert words.SEVERAL_PASSES in notes
    assert "`add`, `twice`" in notes


def test_one_exported_function_with_a_helper_is_one_pass():
    one = SPLIT.replace('extern "C" void add', "static void add")
    assert words.SEVERAL_PASSES not in " ".join(source_notes({"kernel.cpp": one}))
