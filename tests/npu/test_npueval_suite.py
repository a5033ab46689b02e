"""The suite npueval: 102 tasks of our own wording, or the official file in its place."""

import pytest
from npueval_tools import official_line, task

from kernelopt.errors import ConfigError, TaskError, UnknownName
from kernelopt.npu.problem import problem
from kernelopt.npu.references import tables
from kernelopt.npu.spec import bundled, scalar
from kernelopt.suites import SuiteOptions
from kernelopt.suites.npueval import NpuEval


def suite(**options):
    return NpuEval("npueval", SuiteOptions(**options))


def written(tmp_path, *lines):
    path = tmp_path / "npueval.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_there_are_102_tasks_each_with_a_reference_and_a_scalar_kernel():
    names = [one.id for one in suite().tasks()]
    assert len(names) == 102
    assert set(names) == set(tables()) == set(bundled())
    assert all(f"{bundled()[name].spec.signature} {{" in scalar(name) for name in names)


def test_a_prompt_tells_sizes_parameters_an_example_and_the_empty_function():
    text = task("conv1d_k2_s2_bias_int16").source
    assert text.startswith("/*\n")
    assert "int16[128] in_buffer (input)" in text and "int16[64] out_buffer (output)" in text
    assert "int16 bias = -9" in text
    assert ">>> conv1d_k2_s2_bias_int16(in_buffer=[" in text
    assert "#include <aie_api/aie.hpp>" in text
    assert "int16_t bias) {\n    // Write the kernel here.\n}" in text


def test_the_bundled_set_is_not_called_official():
    provenance = suite().provenance()
    assert not provenance.official and provenance.tasks == 102
    assert "not the official set" in str(provenance)


def test_families_can_be_chosen_by_tag():
    assert {one.id for one in suite(subset="matmul").tasks()} == {
        "matmul_16x16_int8",
        "matrixvector_mult_int8",
        "vectormatrix_mult_int32",
    }


def test_an_unknown_task_is_answered_with_near_names():
    with pytest.raises(UnknownName, match="abs_int8"):
        list(suite(tasks=("abs_int9",)).tasks())


@pytest.mark.parametrize("options", [{"size": "cpu"}, {"shrink": 4}])
def test_sizes_are_refused_because_each_kernel_has_one(options):
    with pytest.raises(ConfigError, match="one size"):
        list(suite(**options).tasks())


def test_an_official_file_gives_its_own_prompt_and_vectors(tmp_path):
    path = written(tmp_path, official_line(tolerances={"atol": 0.5, "rtol": 0.25}))
    (only,) = suite(path=path).tasks()
    about = problem(only)
    assert "/* twice */" in only.source
    assert [(b.name, b.role, b.shape, b.dtype, b.const) for b in about.spec.buffers] == [
        ("x", "input", (4,), "int16", True),
        ("y", "output", (4,), "int16", False),
    ]
    assert (about.spec.atol, about.spec.rtol) == (0.5, 0.25)
    (vectors,) = about.vectors("any")
    assert vectors.outputs["y"].tolist() == [2, -4, 6, 8] and vectors.params == {"n": 4}
    assert about.scalar() is None


def test_an_official_file_that_lacks_kernels_is_not_called_official(tmp_path):
    assert not suite(path=written(tmp_path, official_line())).provenance().official


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "npueval.jsonl:1: not JSON"),
        ("[]", "npueval.jsonl:1: no field 'kernel_name'"),
        (official_line(test_vectors=3), "npueval.jsonl:1: test_vectors of double_int16"),
        (official_line(prompt="no function"), "npueval.jsonl:1: .* is no signature"),
        (
            official_line(prompt="void double_int16(int16_t *x, long *y, int32_t n) {"),
            "no type that kernels have",
        ),
    ],
)
def test_a_broken_official_file_is_one_clear_line(tmp_path, line, said):
    with pytest.raises(TaskError, match=said) as caught:
        list(suite(path=written(tmp_path, line)).tasks())
    assert "\n" not in str(caught.value)


def test_a_missing_official_file_is_named(tmp_path):
    assert "no such file" in (suite(path=tmp_path / "nowhere.jsonl").missing() or "")
    assert "holds no npueval.jsonl" in (suite(path=tmp_path).missing() or "")


def test_no_task_lets_zeros_or_its_own_input_pass():
    found = suite()
    weak = {one.id: report.warnings for one in found.tasks() if (report := found.check(one)).warnings}
    assert weak == {}
