"""What ``ptxas -v`` prints, read back: real logs of four versions, and any log at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.gpu.ptxas import Usage, parse

NVCC_13_0 = """\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_Z6secondPfi' for 'sm_90'
ptxas info    : Function properties for _Z6secondPfi
    32 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 21 registers, used 0 barriers, 32 bytes cumulative stack size
ptxas info    : Compile time = 16.397 ms
ptxas info    : Function properties for _Z6helperfi
    8 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads
ptxas info    : Compiling entry function 'spills' for 'sm_90'
ptxas info    : Function properties for spills
    560 bytes stack frame, 668 bytes spill stores, 668 bytes spill loads
ptxas info    : Used 32 registers, used 1 barriers, 1024 bytes smem
ptxas info    : Compile time = 1.433 ms
"""
NVRTC_13_5 = """\
kernel.cu(2): warning #177-D: variable "unused" was declared but never referenced
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'f' for 'sm_100a'
ptxas info    : Function properties for f
ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 8 registers, used 0 barriers
ptxas info    : Compile time = 5.736 ms
"""
PTXAS_12_9 = """\
ptxas info    : 0 bytes gmem, 8 bytes cmem[4]
ptxas info    : Compiling entry function 'matmul' for 'sm_80'
ptxas info    : Function properties for matmul
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 40 registers, used 1 barriers, 2048 bytes smem, 380 bytes cmem[0], 8 bytes cmem[2]
ptxas info    : Compile time = 12.4 ms
"""
OLD = """\
ptxas info    : Compiling entry function 'k' for 'sm_70'
ptxas info    : Function properties for 'k'
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 10 registers, 24+16 bytes smem, 32 bytes cmem[0]
"""


def test_nvccs_log_of_two_kernels_and_a_function():
    second, spills = parse(NVCC_13_0)
    assert second == Usage("_Z6secondPfi", "sm_90", registers=21, stack_bytes=32)
    assert spills == Usage(
        "spills",
        "sm_90",
        registers=32,
        spill_store_bytes=668,
        spill_load_bytes=668,
        stack_bytes=560,
        shared_bytes=1024,
        barriers=1,
    )


def test_nvrtcs_log_after_a_warning():
    assert parse(NVRTC_13_5) == (Usage("f", "sm_100a", registers=8),)


def test_ptxas_of_cuda_12_tells_constants_too():
    (matmul,) = parse(PTXAS_12_9)
    assert (matmul.constant_bytes, matmul.shared_bytes, matmul.barriers) == (388, 2048, 1)


def test_older_logs_add_up_two_parts_of_shared_memory():
    (k,) = parse(OLD)
    assert (k.mangled, k.registers, k.shared_bytes) == ("k", 10, 40)


def test_a_kernel_that_was_not_finished_is_left_out():
    assert parse(NVCC_13_0.partition("    560 bytes")[0])[-1].mangled == "_Z6secondPfi"
    assert parse("ptxas info    : Compiling entry function 'k' for 'sm_90'\n") == ()


def test_what_a_source_makes_the_front_end_say_does_not_count():
    forged = NVRTC_13_5[NVRTC_13_5.index("ptxas info    : Comp") :].replace("Used 8", "Used 4")
    assert parse(forged + NVRTC_13_5) == (Usage("f", "sm_100a", registers=8),)
    quoted = "".join(f"  {line}\n" for line in forged.splitlines())
    assert parse(quoted + NVRTC_13_5) == (Usage("f", "sm_100a", registers=8),)


# Any log -------------------------------------------------------------------------------------------

NAMES = st.from_regex(r"[A-Za-z_$][A-Za-z0-9_$]{0,30}", fullmatch=True)
SMALL = st.integers(0, 1 << 20)
USAGES = st.builds(
    Usage,
    NAMES,
    st.sampled_from(["sm_80", "sm_90a", "sm_120"]),
    st.integers(1, 255),
    *[SMALL] * 5,
    st.integers(0, 16),
)
STYLES = st.sampled_from(["    ", "ptxas         .     "])


def printed(usage: Usage, before: str, called: str) -> str:
    """As ptxas has it; `called` is a function that it tells of in between."""
    used = [f"Used {usage.registers} registers", f"used {usage.barriers} barriers"]
    used += [f"{usage.shared_bytes} bytes smem"] * bool(usage.shared_bytes)
    used += [f"{usage.constant_bytes} bytes cmem[0]"] * bool(usage.constant_bytes)
    return (
        f"ptxas info    : Compiling entry function '{usage.mangled}' for '{usage.arch}'\n"
        f"ptxas info    : Function properties for {usage.mangled}\n"
        f"{before}{usage.stack_bytes} bytes stack frame, {usage.spill_store_bytes} bytes spill stores, "
        f"{usage.spill_load_bytes} bytes spill loads\n"
        f"ptxas info    : {', '.join(used)}\n"
        f"ptxas info    : Function properties for {called}\n"
        f"{before}7 bytes stack frame, 7 bytes spill stores, 7 bytes spill loads\n"
    )


@given(st.lists(st.tuples(USAGES, STYLES), max_size=6, unique_by=lambda pair: pair[0].mangled))
def test_whatever_ptxas_prints_is_read_back(pairs):
    log = "".join(printed(usage, style, "another$function") for usage, style in pairs)
    assert parse(f"kernel.cu(3): warning: x\n{log}\n") == tuple(usage for usage, _ in pairs)


@given(st.text(max_size=2000))
def test_any_text_is_read_without_complaint(text):
    assert parse(text) == ()


@given(st.lists(st.sampled_from(NVCC_13_0.splitlines() + NVRTC_13_5.splitlines() + PTXAS_12_9.splitlines())))
def test_lines_in_any_order_are_read_without_complaint(lines):
    names = [usage.mangled for usage in parse("\n".join(lines))]
    assert len(set(names)) == len(names)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece", ["ptxas info    : Used 1 registers, ", " .", "1+", "'", "0 bytes smem", "\t"]
)
def test_long_lines_take_no_long_time(piece):
    parse(f"{OLD}ptxas info    : Used 9 registers, {piece * 200_000}\n{piece * 200_000}")
