"""The judge of kernels in aie: every end has its status, and nothing but right outputs passes."""

import json

import pytest
from npueval_tools import aie, needs_gxx, official_line, right, task, zeros

from kernelopt.errors import EvaluatorFault, TaskError
from kernelopt.evaluation import Stage, Status, from_json, to_json
from kernelopt.languages._tools import HostTools
from kernelopt.npu import functional
from kernelopt.npu.judge import AieJudge
from kernelopt.npu.spec import scalar
from kernelopt.suites import SuiteOptions
from kernelopt.suites.npueval import NpuEval
from kernelopt.task import Task

RELU = "void relu_int8(int8_t *in_buffer, int8_t *out_buffer) {{\n{}\n}}\n"
LOOP = "for (int i = 0; i < 1024; ++i) out_buffer[i] = in_buffer[i] > 0 ? in_buffer[i] : 0;"


def judged(body, runner=functional.run, **options):
    return AieJudge(HostTools(), "none", runner=runner, **options).evaluate(
        aie(RELU.format(body)), task("relu_int8")
    )


@needs_gxx
@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (LOOP, Status.PASSED, ""),
        ("", Status.WRONG_VALUE, "1024 of 1024 elements of out_buffer are wrong"),
        (LOOP.replace("> 0", "> -2"), Status.WRONG_VALUE, "out_buffer"),
        ("out_buffer[0] = nothing;", Status.BUILD_FAILED, "'nothing' was not declared in this scope (line 2"),
        (LOOP.replace("1024", "1025"), Status.CRASHED, "a store outside of the buffer out_buffer"),
        ("*(volatile int *)nullptr = 1;", Status.CRASHED, "memory that is not there"),
        ("int other(); other();", Status.BUILD_FAILED, "nothing defines other()"),
    ],
)
def test_a_kernel_ends_as_it_deserves(body, status, said):
    found = judged(body)
    assert found.status is status
    assert said in found.reason


@needs_gxx
def test_a_call_into_the_system_that_the_text_hides_is_found_in_the_object():
    hidden = 'extern "C" int chdir(const char *);\n' + RELU.format(f'chdir("/");\n{LOOP}')
    found = AieJudge(HostTools(), "none", runner=functional.run).evaluate(aie(hidden), task("relu_int8"))
    assert found.status is Status.SUSPECT
    assert "chdir" in found.reason


@needs_gxx
@pytest.mark.parametrize(
    "taken",
    [
        "void *memset(void *p, int, size_t) { return p; }",
        "void free(void *) {}",
        "float expf(float x) { return x; }",
    ],
)
def test_a_kernel_that_takes_the_place_of_a_library_function_is_suspect(taken):
    """What it computes there would be outside of the clock."""
    text = f'#include <stddef.h>\nextern "C" {taken}\n' + RELU.format(LOOP)
    found = AieJudge(HostTools(), "none", runner=functional.run).evaluate(aie(text), task("relu_int8"))
    assert found.status is Status.SUSPECT and "a name of the system" in found.reason


@needs_gxx
def test_a_kernel_with_c_linkage_and_helpers_is_honest():
    text = (
        "static int top(int x) { return x > 0 ? x : 0; }\n"
        + 'extern "C" '
        + RELU.format("for (int i = 0; i < 1024; ++i) out_buffer[i] = top(in_buffer[i]);")
    )
    found = AieJudge(HostTools(), "none", runner=functional.run).evaluate(aie(text), task("relu_int8"))
    assert found.status is Status.PASSED, found.reason


@needs_gxx
def test_a_kernel_that_never_returns_is_stopped(monkeypatch):
    monkeypatch.setattr(functional, "RUN_TIMEOUT_S", 0.3)
    found = judged("volatile int x = 0; while (true) x = x + 1;")
    assert (found.status, found.stage) == (Status.TIMED_OUT, Stage.RUN)


@needs_gxx
def test_the_cycle_model_estimates_a_vector_kernel_and_labels_it():
    body = """const int8_t *__restrict in = in_buffer; int8_t *__restrict out = out_buffer;
    for (int i = 0; i < 1024; i += 64) {
        aie::store_v(out + i, aie::max(aie::load_v<64>(in + i), aie::zeros<int8_t, 64>()));
    }"""
    found = judged(body, runner=None)
    assert found.status is Status.PASSED, found.reason
    assert found.estimate.label == "estimated (host model)"
    assert 0 < found.estimate.cycles < found.estimate.baseline_cycles / 10
    assert 0 < found.estimate.vector_score <= 1
    assert "estimated (host model)" in found.profiles[0].text
    assert from_json(json.loads(json.dumps(to_json(found)))) == found


def test_a_kernel_is_compared_with_the_scalar_one():
    found = judged("// nothing", runner=right)
    assert found.estimate.baseline_cycles == 1000 and found.speedup.median == 10
    assert found.estimate.vector_score == 0.25 and found.estimate.vector_score_legacy == 0.1


def test_a_scalar_kernel_is_its_own_baseline():
    judge = AieJudge(HostTools(), "none", runner=right)
    assert judge.evaluate(aie(scalar("relu_int8")), task("relu_int8")).speedup.median == 1


def test_a_suspect_kernel_is_never_run():
    def never(*_):
        raise AssertionError("it was run")

    found = judged("event0();", runner=never)
    assert (found.status, found.stage) == (Status.SUSPECT, Stage.STATIC)
    assert "clock" in found.reason and found.estimate is None


def test_a_file_without_the_function_does_not_build():
    found = AieJudge(HostTools(), "none", runner=right).evaluate(aie("int x;"), task("relu_int8"))
    assert found.status is Status.BUILD_FAILED
    assert "void relu_int8(int8_t *in_buffer, int8_t *out_buffer)" in found.reason


def test_a_wrong_kernel_has_no_figures():
    found = judged("", runner=zeros)
    assert found.status is Status.WRONG_VALUE and found.estimate is None and found.speedup is None


def test_an_evaluation_is_kept_and_answered_from_the_cache(tmp_path):
    calls = []

    def counted(*arguments):
        calls.append(arguments)
        return right(*arguments)

    first = judged("// a", runner=counted, cache=tmp_path)
    made = len(calls)
    assert judged("// a", runner=counted, cache=tmp_path) == first
    assert len(calls) == made == 2  # the kernel and the scalar one
    judged("// b", runner=counted, cache=tmp_path)
    assert len(calls) == 3
    judged("// b", runner=counted, cache=tmp_path, strict=True)
    assert len(calls) == 5


def test_expected_outputs_are_not_among_what_a_build_is_given(tmp_path):
    from kernelopt.npu.spec import bundled, vectors

    entry = bundled()["gelu_bfloat16"]
    made = vectors(entry)
    functional.place(tmp_path, "", entry.spec, made)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert made[0].inputs["input_vector"].tobytes() in written
    assert not any(v.outputs["output_vector"].tobytes()[:64] in written for v in made)


def test_a_task_of_another_suite_is_refused():
    with pytest.raises(TaskError, match="use --suite npueval"):
        AieJudge(HostTools(), "none", runner=right).evaluate(aie("x"), Task("1/1", "x", "", "kernelbench"))


def test_a_scalar_kernel_that_does_not_pass_is_our_fault():
    def broken(source, *rest):
        return zeros(source, *rest) if "const int x" in source else right(source, *rest)

    with pytest.raises(EvaluatorFault, match="scalar kernel of relu_int8"):
        judged("// nothing", runner=broken)


@needs_gxx
def test_an_official_task_is_judged_on_its_own_vectors(tmp_path):
    path = tmp_path / "npueval.jsonl"
    path.write_text(official_line() + "\n")
    (only,) = NpuEval("npueval", SuiteOptions(path=path)).tasks()
    source = (
        "void double_int16(const int16_t *x, int16_t *y, int32_t n) "
        "{ for (int i = 0; i < n; ++i) y[i] = %d * x[i]; }"
    )
    judge = AieJudge(HostTools(), "none", runner=functional.run)
    assert judge.evaluate(aie(source % 2), only).status is Status.PASSED
    assert judge.evaluate(aie(source % 3), only).status is Status.WRONG_VALUE
