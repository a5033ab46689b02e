"""Names, texts and layouts that are written: nothing of a task or a kernel gets out of its place."""

import ast
import json
import tomllib

import exported
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.errors import UsageError
from kernelopt.evaluation import Estimate
from kernelopt.export import benchmarks, package, verify
from kernelopt.export.gpu import gpu_kernel
from kernelopt.export.layouts import read_kernelbench, read_npueval
from kernelopt.export.load_inline import self_contained
from kernelopt.export.naming import operator_name, package_name, sentence
from kernelopt.kernel import Kernel
from kernelopt.report.scores import fast_p

TRITON = """
import torch
import triton
import triton.language as tl


@triton.autotune([triton.Config({"BLOCK": 64})], key=[])
@triton.jit
def doubled(x, y, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y + at, tl.load(x + at, at < n) * 2, at < n)


class ModelNew(torch.nn.Module):
    def forward(self, x):
        y = torch.empty_like(x)
        doubled[(triton.cdiv(x.numel(), 64),)](x, y, x.numel())
        return y
"""


@given(st.text(max_size=80))
def test_an_operators_name_is_an_identifier_whatever_the_task_is_called(name):
    found = operator_name(exported.task(name=name), ())
    assert package_name(found) == found and found.isidentifier()


def test_names_are_unique_and_plain():
    taken = []
    for name in ("12_Softmax", "12_Softmax", "3_class", "patch"):
        taken.append(operator_name(exported.task(name=name), taken))
    assert taken == ["softmax", "softmax_2", "class_op", "patch_op"]


@pytest.mark.parametrize(
    "name", ["", "A", "1a", "class", "a-b", "a.b", "a\n", "torch", "a" * 61, "a;import os"]
)
def test_a_package_is_not_called_everything(name):
    with pytest.raises(UsageError, match="lower-case letters"):
        package_name(name)


@given(st.text(max_size=300))
def test_a_title_can_end_neither_a_docstring_nor_a_string_of_toml(text):
    found = sentence(text)
    assert ast.literal_eval(f'"""{found}"""') == found
    assert tomllib.loads(f'x = "{found}"')["x"] == found


HOSTILE = exported.TASK.replace(
    '"""A learned', '"""Ends\\"\\"\\" here\\n$package {x}"); import os #'
).replace("self.scale", "self.class_")


def test_a_task_that_tries_to_get_into_the_code_does_not():
    one = exported.examined()
    task = exported.task(name="7_x'); import os; ('", source=HOSTILE)
    made = package.build(
        [one.__class__(one.winner.__class__(task, one.winner.kernel), one.evaluation, one.requests)],
        "pkg",
        "x86-64-v3",
    )
    for name, text in made.files.items():
        if name.endswith(".py"):
            ast.parse(text)
    assert (
        "import os" not in made.files["pkg/operators.py"] and "import os" not in made.files["pkg/__init__.py"]
    )
    tomllib.loads(made.files["pyproject.toml"])


def test_flags_that_a_package_must_not_carry_are_refused_and_the_processor_is_the_packages():
    request = exported.REQUEST.__class__(
        "shared", "kernel", exported.REQUEST.sources, ["-march=native", "-O2"], []
    )
    made = package.build([exported.examined(requests=[request])], "pkg", "x86-64-v3")
    assert json.loads(made.files["pkg/csrc/builds.json"])[0]["cflags"] == ["-O2"]
    bad = exported.REQUEST.__class__("shared", "kernel", exported.REQUEST.sources, ["-fplugin=/tmp/x.so"], [])
    with pytest.raises(UsageError, match="not allowed"):
        package.build([exported.examined(requests=[bad])], "pkg", "x86-64-v3")
    with pytest.raises(UsageError, match="SPDX"):
        package.build([exported.examined()], "pkg", "x86-64-v3", 'MIT"\nx = "')


def test_tasks_that_differ_in_size_only_share_an_operator_and_others_do_not():
    one = exported.examined()

    def with_source(source):
        return one.__class__(
            one.winner.__class__(exported.task(source=source), one.winner.kernel),
            one.evaluation,
            one.requests,
        )

    same = with_source(exported.TASK.replace("ROWS = 5", "ROWS = 50"))
    other = with_source(exported.TASK.replace("torch.relu", "torch.tanh"))
    made = package.build([one, same, other], "pkg", "x86-64-v3")
    assert {name: len(record["kernels"]) for name, record in made.table.items()} == {
        "affine_relu": 2,
        "affine_relu_2": 1,
    }


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    made = package.build([exported.examined()], "pkg", "x86-64-v3")
    (tmp_path / "mine").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        package.write(made, tmp_path, force=True)
    package.write(made, tmp_path / "new")
    with pytest.raises(UsageError, match="--force"):
        package.write(made, tmp_path / "new")
    package.write(made, tmp_path / "new", force=True)


def test_verify_sees_what_was_altered_and_judges_the_kernel_that_was_measured(tmp_path):
    package.write(package.build([exported.examined()], "pkg", "x86-64-v3"), tmp_path)
    found = verify.read(tmp_path)
    assert verify.altered(found) == []
    kernel, task = verify.subject(found, found.claims[0])
    assert (kernel.source, task.source) == (exported.ANSWER, exported.TASK)
    place = tmp_path / "pkg" / "csrc" / "affine_relu_0.cpp"
    place.write_text(place.read_text().replace("v < 0", "v < 1"))
    (tmp_path / "setup.py").unlink()
    assert verify.altered(found) == ["pkg/csrc/affine_relu_0.cpp", "setup.py"]


@pytest.mark.parametrize(
    ("speedup", "word"),
    [
        ((1.5, 1.3, 1.7), verify.HOLDS),
        ((1.3, 1.1, 1.4), verify.HOLDS),
        ((1.2, 1.1, 1.3), verify.SLOWER),
        ((9, 8, 10), verify.HOLDS),
    ],
)
def test_a_claim_holds_where_the_interval_here_reaches_up_to_it(tmp_path, speedup, word):
    package.write(package.build([exported.examined()], "pkg", "x86-64-v3"), tmp_path)
    claim = verify.read(tmp_path).claims[0]
    timing = exported.evaluation().timing
    timing = timing.__class__("given/1", 1.0, 1.0, timing.speedup.__class__(*speedup))
    assert verify.verdict(claim, exported.evaluation(timing=timing))[0] == word
    wrong = exported.evaluation(status="WRONG_VALUE", timing=None, reason="3 elements are wrong")
    assert verify.verdict(claim, wrong) == (verify.WRONG, "WRONG_VALUE: 3 elements are wrong")


def test_what_is_no_package_is_refused(tmp_path):
    with pytest.raises(UsageError, match="not an exported package"):
        verify.read(tmp_path)


def test_tritons_launches_go_through_wrap_triton():
    text = gpu_kernel(Kernel.from_source(TRITON, "triton"), "double", "pkg")
    assert "wrap_triton(doubled)[(triton.cdiv" in text
    assert text.index("from torch.library import wrap_triton") < text.index("import torch\n")


def test_cuda_text_is_built_by_the_packages_own_copy_of_inline_cuda():
    source = "from kernelopt.inline import cuda\nlib = cuda('extern')\nclass ModelNew: pass\n"
    text = gpu_kernel(Kernel.from_source(source, "cuda"), "op", "pkg")
    assert text.startswith("from pkg._runtime.inline_cuda import cuda\n")
    with pytest.raises(UsageError, match="cannot be shipped"):
        gpu_kernel(Kernel.from_source("import kernelopt\n", "cuda"), "op", "pkg")


def test_cupy_and_triton_packages_are_pure_python_and_name_what_they_need():
    one = exported.examined(source="import cupy\nclass ModelNew: pass\n", requests=(), language="cupy")
    made = package.build([one.__class__(one.winner, None)], "pkg", "x86-64-v3")
    assert (
        "cupy-cuda13x" in made.files["pyproject.toml"]
        and json.loads(made.files["pkg/csrc/builds.json"]) == []
    )
    (kernel,) = made.table["affine_relu"]["kernels"]
    assert kernel["device"] == "cuda" and kernel["domain"]["tested"] == [] and kernel["domain"]["unseen"]
    assert made.claims[0]["status"] == "COMPILED" and "not timed here" in made.files["README.md"]
    triton = exported.examined(source=TRITON, requests=(), language="triton")
    made = package.build([triton], "pkg", "x86-64-v3")
    assert "triton>=3.2" in made.files["pyproject.toml"] and made.table["affine_relu"]["kernels"][0]["triton"]


# --- The benchmarks' layouts ---------------------------------------------------------------------------


def written(tmp_path, *ids):
    tasks = [exported.task(id=one, name=f"{one.split('/')[1]}_Task") for one in ids]
    one = exported.examined().winner
    winner = one.__class__(tasks[0], one.kernel)
    results = {ids[0]: exported.evaluation(task_id=ids[0])}
    return benchmarks.write_kernelbench([winner], tasks, results, "mine", tmp_path, "bundled")


def test_kernelbenchs_layout_reads_back_with_failures_counted(tmp_path):
    (folder,) = written(tmp_path, "1/7", "1/8", "1/9")
    assert sorted(path.name for path in folder.iterdir()) == [
        "eval_results.json",
        "kernelopt.json",
        "level_1_problem_7_sample_0_kernel.py",
    ]
    (found,) = read_kernelbench(tmp_path / "runs" / "mine")
    assert (found.level, found.correct, len(found.results)) == (1, 1, 3)
    results = list(found.results.values())
    assert fast_p(results, 1.0, strict=False) == pytest.approx(1 / 3) and found.results[7].median == 1.5
    entry = json.loads((folder / "eval_results.json").read_text())["8"][0]
    assert entry == {
        "sample_id": 0,
        "compiled": False,
        "correctness": False,
        "metadata": {},
        "runtime": -1.0,
        "runtime_stats": {},
    }


def test_levels_are_runs_of_their_own(tmp_path):
    assert [one.name for one in written(tmp_path, "1/7", "2/7")] == ["mine-level1", "mine-level2"]


def test_npuevals_layout_reads_back(tmp_path):
    tasks = [exported.task(id=name, name=name) for name in ("abs_int8", "relu_bf16")]
    one = exported.examined().winner
    estimate = Estimate("estimated (host model)", "aie2", 100.0, 40.0, 0.4, 0.2)
    results = {"abs_int8": exported.evaluation(estimate=estimate)}
    benchmarks.write_npueval([one.__class__(tasks[0], one.kernel)], tasks, results, "mine", tmp_path)
    assert (
        json.loads((tmp_path / "results/solutions/mine/abs_int8.json").read_text())["code"] == exported.ANSWER
    )
    evaluated = json.loads((tmp_path / "results/evaluations/mine/abs_int8_wrapper.json").read_text())
    assert evaluated["label"] == "estimated (host model)"
    (found,) = read_npueval(tmp_path)
    assert found.results["abs_int8"].vectorization == 0.4 and found.results["relu_bf16"] is None


def test_an_answer_for_kernelbench_needs_pytorch_only():
    text = self_contained(exported.ANSWER, "1/7")
    assert "kernelopt" not in text and "_FUNCTIONS = ['affine_relu']" in text and "_load_inline(" in text
    ast.parse(text)
    assert self_contained(TRITON, "x") == TRITON
    cuda = "from kernelopt.inline import cuda\nlib = cuda('extern \"C\" __global__ void f(float* x) {}')\n"
    assert "_KERNELS = ['f']" in self_contained(cuda, "x")
    with pytest.raises(UsageError, match="cannot be replaced"):
        self_contained("import kernelopt.inline as i\n", "x")


@pytest.mark.exhaustive
@pytest.mark.slow
def test_an_answer_for_kernelbench_runs_on_load_inline(tmp_path):
    import os
    import sys

    (tmp_path / "answer.py").write_text(self_contained(exported.ANSWER, "1/7"))
    use = (
        "import torch, answer; m = answer.ModelNew(12); x = torch.randn(5, 12)\n"
        "with torch.no_grad(): torch.testing.assert_close(m(x), torch.relu(x + 1))\n"
    )
    # The interpreter's folder goes first: torch looks for ninja on the path.
    path = f"{sys.prefix}/bin:{os.environ['PATH']}"
    place = {**os.environ, "TORCH_EXTENSIONS_DIR": str(tmp_path / "built"), "PATH": path}
    exported.run([sys.executable, "-c", use], cwd=tmp_path, env=place)
