"""g++ output becomes data: first causes first, each once, with source, caret and suggestion."""

import os
import subprocess
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.feedback.diagnostics import Diagnostic, folded, parse_gcc, problems, render, windowed
from kernelopt.prompting.render import Section, join, parse_sections

# Each snippet, and what the first problem must be: its line, and words of its message.
CORPUS = {
    "undeclared name": ("void f(float* y) {\n  y[0] = foo;\n}", 2, "'foo' was not declared"),
    "misspelt function": (
        "#include <cmath>\nfloat f(float x) { return std::sqtr(x); }",
        2,
        "did you mean 'sqrt'",
    ),
    "missing semicolon": ("void f(float* y) {\n  int a = 1\n  y[0] = a;\n}", 3, "expected ',' or ';'"),
    "missing header file": ('#include "nothere.h"\nint a = b;', 1, "nothere.h: No such file"),
    "missing include": ("float f() { return expf(1.0f); }", 1, "'expf' was not declared"),
    "vector without include": ("void f() { std::vector<float> v; }", 1, "'vector' is not a member of 'std'"),
    "error inside a template": (
        "#include <algorithm>\n#include <vector>\nstruct A {};\n"
        "void f(std::vector<A>& v) { std::sort(v.begin(), v.end()); }",
        4,
        "no match for 'operator<'",
    ),
    "mixed types of max": (
        "#include <algorithm>\nfloat f(float x) { return std::max(x, 0); }",
        2,
        "no matching function for call to 'max(float&, int)'",
    ),
    "write to const": ("void f(const float* x) { x[0] = 1; }", 1, "read-only location"),
    "too few arguments": ("void g(int, int);\nvoid f() { g(1); }", 2, "too few arguments"),
    "wrong pointer type": ("void f(float* x) { int* p = x; }", 1, "cannot convert 'float*' to 'int*'"),
    "unclosed brace": (
        "void f(float* x) {\n  for (int i = 0; i < 3; ++i) {\n    x[i] = 0;\n}",
        4,
        "expected '}'",
    ),
    "misspelt intrinsic": (
        "#include <immintrin.h>\nvoid f(float* x) { __m128 v = _mm_loadu_ps(x); _mm_storeu_p(x, v); }",
        2,
        "did you mean '_mm_storeu_ps'",
    ),
    "bad OpenMP loop": (
        "void f(float* x, int n) {\n#pragma omp parallel for\n  for (int i = 0;; ++i) x[i] = 0;\n}",
        3,
        "missing controlling predicate",
    ),
    "defined twice": ("int f() { return 1; }\nint f() { return 2; }", 2, "redefinition of 'int f()'"),
    "static assertion": (
        'template <int N> struct S { static_assert(N > 3, "N too small"); };\nvoid f() { S<2> s; }',
        2,
        "N too small",
    ),
}


@pytest.fixture(scope="module")
def compile_log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gcc")

    def compiled(text, *flags):
        (folder / "k.cpp").write_text(text + "\n")
        command = ["g++", "-std=c++17", "-fopenmp", "-fdiagnostics-color=never", *flags, "k.cpp"]
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        ).stderr

    return compiled


@pytest.mark.parametrize("name", CORPUS)
def test_the_first_problem_is_the_cause_at_the_line_to_mend(name, compile_log):
    text, line, message = CORPUS[name]
    found = problems(parse_gcc(compile_log(text, "-fsyntax-only")))
    shown = "\n".join(render(found))
    assert message in found[0].error.message
    assert f"k.cpp:{line}" in shown.splitlines()[0]
    assert found[0].error.is_error


def test_source_line_and_caret_are_kept(compile_log):
    (found,) = parse_gcc(compile_log("void f(float* y) { y[0] = foo; }", "-fsyntax-only"))
    source, caret = found.excerpt.split("\n")
    assert "y[0] = foo;" in source
    assert caret.index("^") == source.index("foo")


def test_a_suggested_replacement_and_a_missing_include_are_kept(compile_log):
    log = compile_log("#include <cmath>\nfloat f(float x) { return std::sqtr(x); }", "-fsyntax-only")
    assert "sqrt" in "\n".join(render(problems(parse_gcc(log)))).split("^~~~")[1]
    log = compile_log("void f() { std::vector<float> v; }", "-fsyntax-only")
    assert "#include <vector>" in "\n".join(render(problems(parse_gcc(log))))


def test_a_repeated_error_is_told_once_with_all_its_lines(compile_log):
    text = (
        "void f(float* x) { x[0] = bar; }\nvoid g(float* x) { x[0] = bar; }\nvoid h(float* x) { x[0] = baz; }"
    )
    found = problems(parse_gcc(compile_log(text, "-fsyntax-only")))
    assert [p.error.line for p in found] == [1, 3]
    assert found[0].also_at == (2,)


def test_an_undefined_function_is_found_in_the_linker_s_words(compile_log):
    text = 'void helper(float*);\nextern "C" void f(float* x) { helper(x); }'
    found = problems(parse_gcc(compile_log(text, "-shared", "-fPIC", "-Wl,-z,defs", "-o", "k.so")))
    assert [p.error.message for p in found] == ["undefined reference to `helper(float*)'"]


def test_warnings_alone_are_no_problem(compile_log):
    log = compile_log("int f() { int unused = 1; return 0; }", "-fsyntax-only", "-Wall")
    assert [d.severity for d in parse_gcc(log)] == ["warning"]
    assert problems(parse_gcc(log)) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "g++: error: unrecognized command-line option '-fnonsense'",
            "unrecognized command-line option '-fnonsense'",
        ),
        ("cc1plus: error: bad value 'x' for '-march=' switch", "bad value 'x' for '-march=' switch"),
        ("/usr/bin/ld: cannot find -lnothing: No such file", "cannot find -lnothing: No such file"),
        ("OSError: built.so: undefined symbol: _Z3fooPf", "undefined symbol: _Z3fooPf"),
        ("k.cpp:3: error: expected a body", "expected a body"),
    ],
)
def test_messages_of_other_forms_are_understood(line, message):
    (found,) = parse_gcc(f"building\n{line}\nmore\n")
    assert found.message == message
    assert found.is_error


def test_a_fatal_error_comes_before_everything_else():
    log = "a.cpp:1:1: error: first\nb.cpp:1:1: fatal error: x.h: No such file or directory\n"
    assert [p.error.message for p in problems(parse_gcc(log))] == [
        "x.h: No such file or directory",
        "first",
    ]


def test_many_errors_are_cut_to_the_first_ones():
    log = "".join(f"k.cpp:{i}:1: error: number {i}\n" for i in range(1, 21))
    shown = render(problems(parse_gcc(log)))
    assert "number 1" in shown[0]
    assert "14 further errors" in shown[-1]
    assert len(shown) == 7


def test_long_template_arguments_are_folded_and_comparisons_are_not():
    long = "std::map<std::__cxx11::basic_string<char>, std::vector<std::pair<int, float>, alloc<int> > >"
    assert folded(f"no match for 'operator<' (operand type is '{long}')") == (
        "no match for 'operator<' (operand type is 'std::map<...>')"
    )
    assert folded("comparison of 'a < b' and 'c > d'") == "comparison of 'a < b' and 'c > d'"


def test_a_long_source_line_is_narrowed_to_its_caret():
    source = "    1 | " + "x[0] = 1; " * 40 + "y = qux;" + " x[0] = 1;" * 40
    caret = "      | " + " " * (source.index("qux") - 8) + "^~~"
    narrow = windowed([source, caret])
    assert max(map(len, narrow)) <= 120
    assert narrow[1].index("^") == narrow[0].index("qux")


# Any text ------------------------------------------------------------------------------------------

WORDS = st.text(alphabet=st.characters(categories=["L", "N"], include_characters=" '<>*&()"), min_size=1)
MESSAGES = WORDS.map(str.strip).filter(bool)
NAMES = st.from_regex(r"[a-z]{1,8}\.(cpp|h)", fullmatch=True)
NUMBERS = st.integers(1, 9999)
DIAGNOSTICS = st.builds(
    Diagnostic,
    file=NAMES,
    line=NUMBERS,
    column=NUMBERS,
    severity=st.sampled_from(["error", "warning", "note", "fatal error"]),
    message=MESSAGES,
    excerpt=st.lists(MESSAGES.map(lambda t: f"   12 | {t}"), max_size=3).map("\n".join),
)


def printed(diagnostics):
    """What g++ would print."""
    lines = []
    for d in diagnostics:
        lines += [f"{d.file}:{d.line}:{d.column}: {d.severity}: {d.message}", *d.excerpt.split("\n")]
    return "".join(f"{line}\n" for line in lines)


@given(st.lists(DIAGNOSTICS, max_size=6))
def test_what_is_printed_is_what_is_parsed(diagnostics):
    assert parse_gcc(printed(diagnostics)) == diagnostics


@given(st.lists(DIAGNOSTICS, max_size=3), st.lists(DIAGNOSTICS, max_size=3))
def test_two_logs_one_after_the_other_parse_as_both(first, second):
    assert parse_gcc(printed(first) + printed(second)) == parse_gcc(printed(first)) + parse_gcc(
        printed(second)
    )


@given(st.lists(DIAGNOSTICS, max_size=8))
def test_no_error_is_lost_and_none_is_told_twice(diagnostics):
    told = [p.error.message for p in problems(diagnostics)]
    assert sorted(told) == sorted({d.message for d in diagnostics if d.is_error})


@given(
    st.text()
    | st.lists(st.sampled_from(["a:1:", "2: ", "error: ", " | ", "\n", "ld: ", ".o: "])).map("".join)
)
def test_any_log_can_be_parsed_and_rendered_without_leaving_its_section(log):
    shown = "\n".join(render(problems(parse_gcc(log))))
    assert parse_sections(join([Section("A", shown), Section("B", "end")]))["B"] == "end"


@pytest.mark.parametrize("unit", ["a:1:1: error: x<", "k.cpp:1:", "ld: in function ", "/", "    1 | ", "'<"])
def test_a_log_made_to_be_slow_to_parse_is_parsed_quickly(unit):
    start = time.thread_time()
    for log in (unit * (200_000 // len(unit)), f"{unit}\n" * (200_000 // (len(unit) + 1))):
        render(problems(parse_gcc(log)))
    assert time.thread_time() - start < 10
