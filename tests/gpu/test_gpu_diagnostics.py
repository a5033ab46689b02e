"""What nvcc, NVRTC, ptxas and Triton print becomes data: errors first, each once, placed in the source."""

from dataclasses import fields

import error_corpus
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.gpu import Diagnostic
from kernelopt.gpu.diagnostics import MESSAGE_CHARACTERS, MOST, MOST_ALIKE, MOST_NOTES, parse

CORPUS = error_corpus.cases()
AT_LEAST = {"nvcc": 8, "nvrtc": 8, "triton": 8, "ptxas": 5}


def test_the_corpus_holds_enough_of_each_compiler():
    count = {tool: sum(case.tool == tool for case in CORPUS) for tool in AT_LEAST}
    assert all(count[tool] >= least for tool, least in AT_LEAST.items())
    assert len(CORPUS) >= 36


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_the_first_diagnostic_of_a_stored_log_is_the_expected_one(case):
    first = parse(case.tool, case.log, case.sources)[0]
    expected = case.expected
    assert expected["message"] in first.message
    assert (first.severity, first.file, first.line) == (
        expected["severity"],
        expected["file"],
        expected["line"],
    )
    assert first.tool == expected.get("tool", case.tool)
    assert first.kernel == expected.get("kernel", first.kernel)


@pytest.mark.parametrize("case", [c for c in CORPUS if c.expected["line"]], ids=lambda case: case.name)
def test_the_excerpt_shows_the_line_at_fault_and_marks_it(case):
    first = parse(case.tool, case.log, case.sources)[0]
    shown = first.excerpt.split("\n")
    wanted = case.source.split("\n")[first.line - 1].strip()
    marked = [line for line in shown if line.startswith(">")] or shown[shown.index(_caret(shown)) - 1 :]
    assert wanted in marked[0]


def _caret(lines):
    return next(line for line in lines if "^" in line and not line.strip("|^~ "))


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_a_caret_points_to_the_column(case):
    for found in parse(case.tool, case.log, case.sources):
        if "^" in found.excerpt and found.column and "|" not in found.excerpt.split("\n")[-1]:
            assert found.excerpt.split("\n")[-1].index("^") == found.column - 1


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_no_message_holds_a_folder_and_no_warning_comes_before_an_error(case):
    found = parse(case.tool, case.log, case.sources)
    kinds = [d.severity for d in found if d.severity != "note"]
    assert kinds == sorted(kinds, key=["error", "warning"].index)
    assert not any("/tmp/" in d.message or "/usr/" in d.message for d in found)


@pytest.mark.parametrize(
    "tool", ["nvrtc", "ptxas", *(pytest.param(tool, marks=pytest.mark.slow) for tool in ("nvcc", "triton"))]
)
def test_the_compiler_at_hand_makes_the_same_of_every_case(tool):
    if why := error_corpus.missing(tool):
        pytest.skip(why)
    wanted = error_corpus.cases(tool)
    logs = error_corpus.logs(tool, wanted)
    other = {}
    for case in wanted:
        found = parse(case.tool, logs[case.name], case.sources)
        places = [(d.severity, d.file, d.line) for d in found]
        expected = (case.expected["severity"], case.expected["file"], case.expected["line"])
        if places[:1] != [expected]:
            other[case.name] = (expected, found[:2], logs[case.name][-500:])
    assert other == {}


# Forms that today's compilers do not print here ----------------------------------------------------


def only(tool, log, **sources):
    (found,) = parse(tool, log, {name.replace("_", "."): text for name, text in sources.items()})
    return found


def test_the_quoted_form_of_older_front_ends_is_understood():
    found = only(
        "nvcc", '"/tmp/x/k.cu", line 3: error: identifier "y" is undefined', k_cu="a\nb\ny = 1;\nd\n"
    )
    assert (found.file, found.line, found.message) == ("k.cu", 3, 'identifier "y" is undefined')
    assert found.excerpt == "  1 | a\n  2 | b\n> 3 | y = 1;\n  4 | d\n  5 |"


def test_an_mlir_error_explains_the_pass_that_failed():
    log = (
        "k.py:2:4: error: 'tt.dot' op expected the operands to have the same type\n"
        "    c = tl.dot(a, b)\n"
        "        ^\n"
        'k.py:2:4: note: see current operation: %9 = "tt.dot"(%7, %8)\n'
        "k.py:1:0: note: Pipeline failed while executing [`X` on 'builtin.module' operation]\n"
        "Traceback (most recent call last):\n"
        '  File "child.py", line 9, in <module>\n'
        "RuntimeError: PassManager::run failed\n"
    )
    found = only("triton", log, k_py="def kernel(a, b):\n    c = tl.dot(a, b)\n")
    assert (found.line, found.message) == (2, "'tt.dot' op expected the operands to have the same type")
    assert found.excerpt == "    c = tl.dot(a, b)\n        ^"


def test_a_pass_that_failed_without_a_reason_is_told_itself():
    assert only("triton", "RuntimeError: PassManager::run failed\n").message == "PassManager::run failed"


def test_spills_that_ptxas_warns_of_name_their_kernel():
    found = only(
        "nvcc",
        "ptxas warning : Registers are spilled to local memory in function '_Z4gemmPKfPf', 8 bytes\n",
        k_cu="\n__global__ void gemm(const float* a, float* b) {}\n",
    )
    assert (found.tool, found.severity, found.file, found.line) == ("ptxas", "warning", "k.cu", 2)


def test_the_figures_of_ptxas_are_no_diagnostics():
    log = (
        "ptxas info    : 0 bytes gmem\n"
        "ptxas info    : Compiling entry function 'scale' for 'sm_90'\n"
        "ptxas info    : Used 12 registers, used 0 barriers\n"
    )
    assert parse("nvcc", log, {}) == ()


def test_a_compiler_that_was_stopped_says_so():
    assert only("nvcc", "the compiler was stopped after 30 s\n").severity == "error"


def test_a_word_that_stands_in_two_strings_gives_no_place():
    source = 'asm("fma.fast.f32");\nasm("add.fast.f32");\n'
    log = "ptxas tmp.ptx, line 34; error   : Unknown modifier '.fast'\n"
    assert (only("nvcc", log, k_cu=source).file, only("nvcc", log, k_cu=source).line) == ("", 0)


def test_a_function_that_triton_does_not_show_in_the_sources_has_no_line():
    log = "triton.compiler.errors.CompilationError: at 2:4:\ndef other(x):\n    oops\n    ^\nbad\n"
    found = only("triton", log, k_py="def kernel():\n    pass\n")
    assert (found.line, found.message) == (0, "bad")


def test_lines_of_a_method_in_a_class_are_found_though_triton_dedents_them():
    source = "class A:\n    @triton.jit\n    def kernel(x):\n        oops\n"
    log = "triton.compiler.errors.CompilationError: at 2:4:\ndef kernel(x):\n    oops\n    ^\nbad\n"
    assert (only("triton", log, k_py=source).line, only("triton", log, k_py=source).kernel) == (4, "kernel")


# Limits --------------------------------------------------------------------------------------------


def test_the_same_error_at_the_same_place_is_told_once():
    assert len(parse("nvcc", "k.cu(3): error: x\n\nk.cu(3): error: x\n", {})) == 1


def test_one_message_at_many_lines_does_not_hide_the_others():
    log = "".join(f"k.cu({i}): error: always\n" for i in range(1, 100)) + "k.cu(100): error: other\n"
    found = parse("nvcc", log, {})
    assert [d.message for d in found] == ["always"] * MOST_ALIKE + ["other"]


def test_errors_are_kept_when_warnings_are_too_many():
    log = "".join(f"k.cu({i}): warning #177-D: number {i}\n\n" for i in range(1, 100))
    found = parse("nvrtc", log + "k.cu(5): error: last\n", {})
    assert (found[0].message, len(found), found[1].code) == ("last", MOST, "#177-D")


# Any text ------------------------------------------------------------------------------------------

PIECES = [
    "k.cu(3): error: ",
    'identifier "x" is undefined\n',
    "    y = x;\n",
    "    ^\n",
    "          detected during instantiation of f at line 2\n",
    "\n",
    "k.cu:1:2: note: ",
    "ptxas k.ptx, line 4; error   : ",
    "ptxas error   : Entry function '_Z99999f' uses '.x'\n",
    "Traceback (most recent call last):\n",
    '  File "k.py", line 3, in kernel\n',
    "triton.compiler.errors.CompilationError: at 3:5:\n",
    "NameError('\\ud800')\n",
    "ValueError: ",
    "UNREACHABLE executed at x\n",
    "def kernel():\n",
    "RuntimeError: <function f at 0x1>\n",
    "The above exception was the direct cause\n",
]
LOGS = st.text() | st.lists(st.sampled_from(PIECES)).map("".join)
SOURCES = st.dictionaries(st.sampled_from(["k.cu", "k.py", "a/k.ptx", ""]), LOGS, max_size=3)
TOOLS = st.sampled_from(["nvcc", "nvrtc 13.5", "ptxas", "triton", "", "something"])


@given(TOOLS, LOGS, SOURCES)
def test_any_log_can_be_parsed(tool, log, sources):
    found = parse(tool, log, sources)
    assert len(found) <= MOST
    for each in found:
        assert isinstance(each, Diagnostic)
        assert each.severity in ("error", "warning", "note")
        assert len(each.message) <= MESSAGE_CHARACTERS
        assert "/" not in each.file
        assert each.line >= 0
        assert each.column >= 0
        assert all(isinstance(getattr(each, field.name), str | int) for field in fields(each))


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_notes_stand_behind_what_they_explain(log):
    run = 0
    for each in parse("nvcc", log, {}):
        run = run + 1 if each.severity == "note" else 0
        assert run <= MOST_NOTES + 1


MESSAGES = st.from_regex(r"[a-z][a-z ]{0,30}[a-z]", fullmatch=True)
ERRORS = st.lists(st.tuples(st.integers(1, 999), MESSAGES), unique_by=lambda e: e[1], max_size=MOST)


@given(ERRORS)
def test_no_error_is_lost(errors):
    log = "".join(f"k.cu({line}): error: {message}\n" for line, message in errors)
    assert [(d.line, d.message) for d in parse("nvcc", log, {})] == errors


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    ["k.cu(3): error: x", "k.cu:1:", "ptxas ", ": ", "'f.x' ", '"', "/", "a/", "<function ", "Error: "],
)
def test_a_log_made_to_be_slow_to_parse_is_not(unit):
    many = f"{unit}\n" * (1_000_000 // (len(unit) + 1))
    for tool in ("nvcc", "triton"):
        parse(tool, unit * (1_000_000 // len(unit)), {"k.cu": many})
        parse(tool, many, {"k.cu": many})
