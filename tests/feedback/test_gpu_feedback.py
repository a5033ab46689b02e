"""A compilation for a GPU in words: what failed, where and how to mend it; or what stands out."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.feedback.gpu import describe, multiplies_matrices
from kernelopt.feedback.gpu_hints import HINTS, MOST, hints
from kernelopt.gpu import Compilation, CompiledKernel, Diagnostic, Mix, Occupancy
from kernelopt.gpu.diagnostics import parse
from kernelopt.prompting.render import Section, join, parse_sections
from kernelopt.task import Task

CORPUS = Path(__file__).parents[1] / "gpu" / "compiler_errors"
NAMES = {"nvcc": "k.cu", "nvrtc": "k.cu", "ptxas": "k.ptx", "triton": "k.py"}


def stored():
    """Name and failed compilation of every case of the corpus."""
    for path in sorted(CORPUS.glob("*.toml")):
        case = tomllib.loads(path.read_text(encoding="utf-8"))
        found = parse(case["tool"], case["log"], {NAMES[case["tool"]]: case["source"]})
        yield path.stem, failed(*found, tool=case["tool"], log=case["log"])


def failed(*found, tool="nvcc 13.0", log=""):
    return Compilation(False, tool, "sm_90", (), found, log)


STORED = dict(stored())
ERRORS = {name for name, made in STORED.items() if made.diagnostics[0].severity == "error"}


def kernel(mix=None, occupancy=None, **more):
    return CompiledKernel("scale", **{"registers": 32, "mix": mix, "occupancy": occupancy, **more})


def described(*kernels, task=None, found=()):
    return "\n".join(describe(Compilation(True, "nvcc", "sm_90", kernels, found), task))


def task(forward, before=""):
    model = f"class Model(nn.Module):\n    def __init__(self):\n        {before or 'pass'}\n"
    return Task("1/1", "t", f"{model}    def forward(self, x, y):\n        return {forward}\n", "file")


# What failed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_every_error_of_the_corpus_is_told_with_its_place_and_its_source(name):
    first = STORED[name].diagnostics[0]
    told = describe(STORED[name])
    place = f"`{first.file}:{first.line}" if first.line else f"`{first.file}`" if first.file else "error"
    assert told[0].startswith(f"- {place}")
    assert "error: " in told[0]
    for line in first.excerpt.split("\n"):
        assert line[:60] in "\n".join(told)


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("nvcc_shfl_without_sync", "__shfl_down_sync(0xffffffff"),
        ("nvrtc_ballot_without_sync", "__ballot_sync(0xffffffff"),
        ("nvcc_static_shared_too_large", "extern __shared__"),
        ("nvcc_wmma_shape", "m16n16k16"),
        ("nvcc_feature_of_another_target", "sm_90a"),
        ("nvcc_undefined_device_function", "define the device function"),
        ("nvrtc_missing_header", "leave out this header"),
        ("nvrtc_undefined_identifier", "__int_as_float(0x7f800000)"),
        ("nvrtc_float4_arithmetic", "one by one"),
        ("nvrtc_host_function_from_device", "`__device__`"),
        ("triton_arange_power_of_two", "next_power_of_2"),
        ("triton_undefined_function", "`tl` has no such function"),
        ("triton_lambda", "no `try`, `lambda`"),
        ("triton_no_jit", "@triton.jit"),
        ("triton_out_of_resources", "fewer `num_stages`"),
    ],
)
def test_a_common_mistake_comes_with_its_mend(name, mend):
    assert any(line.startswith("- Usual mend: ") and mend in line for line in describe(STORED[name]))


def test_every_hint_fits_an_error_that_a_compiler_really_prints():
    said = [each.message for made in STORED.values() for each in made.diagnostics]
    assert [p for p, _ in HINTS if not any(re.search(p, message) for message in said)] == []


def test_a_message_at_several_lines_is_told_once_with_all_of_them():
    found = [Diagnostic("nvcc", "error", "no such thing", "k.cu", line) for line in (3, 7, 9)]
    assert describe(failed(*found)) == ["- `k.cu:3` error: no such thing (also at lines 7, 9)"]


def test_the_caller_of_a_template_or_a_helper_is_named():
    told = describe(STORED["triton_undefined_function"])
    assert "  - note: `k.py:14` called from here" in told


def test_warnings_do_not_stand_among_the_errors_of_a_failed_build():
    assert "never referenced" in STORED["nvcc_missing_semicolon"].log
    assert "never referenced" not in "\n".join(describe(STORED["nvcc_missing_semicolon"]))


def test_a_failure_without_a_diagnostic_shows_the_last_line():
    assert describe(failed(log="something\nKilled\n\n")) == ["- nvcc 13.0 failed: Killed"]
    assert describe(failed()) == ["- nvcc 13.0 failed and said nothing"]


@given(st.lists(st.sampled_from([m.diagnostics[0].message for m in STORED.values()]), max_size=12))
def test_mends_are_few_and_none_is_told_twice(messages):
    found = hints(messages)
    assert len(found) == len(set(found)) <= MOST


# What stands out -----------------------------------------------------------------------------------


def test_a_kernel_without_faults_is_one_line():
    mix = Mix(100, global_load=4, global_load_128=4)
    good = kernel(mix, Occupancy(256, 8, 1.0, "nothing"), shared_bytes=4096)
    assert described(good) == (
        "- `scale`: 32 registers a thread, 4 KiB of shared memory a block, "
        "occupancy 100% with blocks of 256 threads"
    )


def test_spills_are_told_with_their_bytes_and_not_as_local_memory_again():
    told = described(kernel(Mix(9, local=4), registers=255, spill_store_bytes=64, spill_load_bytes=80))
    assert "spills 64 bytes (and loads 80) a thread out of 255 registers, the most there are" in told
    assert "smaller tile" in told
    assert "local memory" not in told


def test_registers_that_were_bounded_are_told_apart_from_those_used_up():
    assert "the limit that was set" in described(kernel(registers=32, spill_store_bytes=4))


@pytest.mark.parametrize("made", [kernel(stack_bytes=128), kernel(Mix(9, local=2))])
def test_an_array_in_local_memory_is_told_with_its_mend(made):
    assert "local memory" in described(made)
    assert "unroll the loops" in described(made)


@pytest.mark.parametrize(
    ("mix", "told"),
    [
        (Mix(50, global_load=4), True),
        (Mix(50, global_load=4, global_load_128=1), False),
        (Mix(50, global_load=4, async_copy=2), False),
        (Mix(50), False),
    ],
)
def test_narrow_loads_are_told_where_there_are_loads_and_none_is_wide(mix, told):
    assert ("fetches 128 bits" in described(kernel(mix))) is told


@pytest.mark.parametrize(
    ("forward", "before", "expected"),
    [
        ("torch.matmul(x, y)", "", True),
        ("x @ y", "", True),
        ("torch.bmm(x, y).relu()", "", True),
        ("torch.einsum('ij,jk->ik', x, y)", "", True),
        ("self.fc(x)", "self.fc = nn.Linear(8, 8)", True),
        ("self.conv(x)", "self.conv = nn.ConvTranspose2d(8, 8, 3)", True),
        ("F.scaled_dot_product_attention(x, x, x)", "", True),
        ("torch.softmax(x, dim=1)", "", False),
        ("torch.sum(x, dim=1)", "", False),
        ("x * y", "", False),
    ],
)
def test_a_task_multiplies_matrices_when_its_reference_does(forward, before, expected):
    assert multiplies_matrices(task(forward, before)) is expected


def test_missing_tensor_cores_are_told_for_matrix_products_only():
    plain = kernel(Mix(50, fp32=30))
    assert "uses no tensor cores" in described(plain, task=task("x @ y"))
    assert "uses no tensor cores" not in described(plain, task=task("torch.relu(x)"))
    assert "uses no tensor cores" not in described(plain)


def test_a_helper_kernel_beside_one_with_tensor_cores_is_not_blamed():
    made = (kernel(Mix(50, fp32=30)), kernel(Mix(50, tensor=8)))
    assert "uses no tensor cores" not in described(*made, task=task("x @ y"))


def test_nothing_is_said_of_instructions_that_nobody_disassembled():
    assert "tensor" not in described(kernel(None), task=task("x @ y"))


def test_double_precision_is_told_unless_the_task_asks_for_it():
    made = kernel(Mix(50, fp64=6))
    assert "holds 6 double-precision instructions" in described(made, task=task("torch.relu(x)"))
    assert "double-precision" not in described(made, task=task("x.to(torch.float64)"))


@pytest.mark.parametrize(
    ("limit", "mend"),
    [
        ("registers", "__launch_bounds__"),
        ("shared memory", "fewer stages"),
        ("blocks", "larger blocks"),
        ("threads", "block size"),
        ("barriers", "fewer named barriers"),
    ],
)
def test_low_occupancy_is_told_with_its_limit_and_what_raises_it(limit, mend):
    told = described(kernel(occupancy=Occupancy(128, 3, 0.19, limit))).split("\n")[1]
    assert f"limited to 19% by {limit}" in told
    assert mend in told


def test_kernels_on_tensor_cores_may_have_fewer_warps():
    room = Occupancy(256, 2, 0.25, "shared memory")
    assert "limited to" in described(kernel(Mix(9), room))
    assert "limited to" not in described(kernel(Mix(9, tensor=4), room))


def test_a_block_that_does_not_fit_at_all_is_told():
    assert "not even one block fits" in described(kernel(occupancy=Occupancy(1024, 0, 0.0, "registers")))


def test_warnings_of_a_compilation_that_succeeded_are_told():
    found = STORED["nvcc_unknown_pragma"].diagnostics
    assert "nvcc warns: `k.cu:3` unrecognized #pragma" in described(kernel(), found=found)


def test_of_many_kernels_the_first_are_told():
    told = described(*[kernel() for _ in range(9)])
    assert told.count("`scale`") == 4
    assert "and 5 further kernels" in told


# Any text ------------------------------------------------------------------------------------------

TEXT = st.text(max_size=40)
NUMBER = st.integers(0, 300)
FOUND = st.builds(
    Diagnostic,
    TEXT,
    st.sampled_from(["error", "warning", "note"]),
    TEXT,
    TEXT,
    NUMBER,
    NUMBER,
    TEXT,
    TEXT,
    st.text(alphabet="a|^ >#\n`"),
)


@given(st.booleans(), TEXT, TEXT, st.lists(FOUND, max_size=6), TEXT)
def test_what_a_compiler_prints_does_not_leave_its_section(ok, tool, name, found, log):
    kernels = (CompiledKernel(name, 32),) if ok else ()
    told = "\n".join(describe(Compilation(ok, tool, "sm_90", kernels, tuple(found), log)))
    assert parse_sections(join([Section("A", told), Section("B", "end")]))["B"] == "end"
