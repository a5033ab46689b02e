"""Names of architectures, and the table of what their multiprocessors hold."""

import re

import pytest

from kernelopt.errors import UsageError
from kernelopt.gpu import _headers, arch


@pytest.mark.parametrize(
    ("name", "number", "real"),
    [
        ("sm_90", 90, "sm_90"),
        ("sm_90a", 90, "sm_90a"),
        ("compute_80", 80, "sm_80"),
        ("compute_100f", 100, "sm_100f"),
        ("sm_121a", 121, "sm_121a"),
    ],
)
def test_a_name_gives_the_architecture_and_its_real_name(name, number, real):
    found, spelled = arch.parse(name)
    assert (found.number, spelled) == (number, real)


@pytest.mark.parametrize(
    "name",
    ["", "90", "sm90", "sm_91", "sm_80a", "sm_90f", "sm_100b", "gfx942", "sm_90 -o x", "sm_90\n", "native"],
)
def test_any_other_name_is_refused_with_a_list_of_those_known(name):
    with pytest.raises(UsageError, match=r"known are sm_70, .*sm_90, .*sm_121") as refused:
        arch.parse(name)
    assert "\n" not in str(refused.value)


def test_a_hopper_multiprocessor_is_as_the_programming_guide_has_it():
    found, _ = arch.parse("sm_90")
    assert (found.warps, found.blocks) == (64, 32)
    assert found.shared_bytes == 228 * 1024
    assert found.block_shared_bytes == 227 * 1024


def test_volta_and_turing_reserve_no_shared_memory():
    assert arch.KNOWN[75].block_shared_bytes == 64 * 1024
    assert arch.KNOWN[70].block_shared_bytes == 96 * 1024


def test_the_table_agrees_with_ccls_own():
    """`cuda::arch_traits` of CCCL, where NVRTC or a toolkit brings it; derived rows are skipped."""
    found = [folder / "cuda" / "__device" / "arch_traits.h" for folder in _headers.roots()]
    texts = [path.read_text() for path in found if path.is_file()]
    if not texts:
        pytest.skip("no NVRTC or CUDA toolkit with CCCL's cuda/__device/arch_traits.h")
    seen = 0
    for number, body in re.findall(
        r"arch_traits<arch_id::sm_(\d+)>\(\) noexcept\n\{(.*?)\n\}", texts[0], re.DOTALL
    ):
        kib = re.search(r"max_shared_memory_per_multiprocessor = (\d+) \* 1024", body)
        blocks = re.search(r"max_blocks_per_multiprocessor *= (\d+);", body)
        threads = re.search(r"max_threads_per_multiprocessor *= (\d+);", body)
        if int(number) in arch.KNOWN and kib and blocks and threads:
            known = arch.KNOWN[int(number)]
            assert known.shared_bytes == int(kib[1]) << 10, number
            assert known.blocks == int(blocks[1]), number
            assert known.warps * arch.WARP == int(threads[1]), number
            seen += 1
    assert seen >= 8
