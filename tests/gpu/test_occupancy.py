"""Theoretical occupancy, by hand and against the header that NVIDIA's own calculator is made of."""

import ctypes
import random
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.gpu import toolkit
from kernelopt.gpu.arch import KNOWN
from kernelopt.gpu.occupancy import occupancy

HOPPER, AMPERE, TURING = KNOWN[90], KNOWN[80], KNOWN[75]
SHAPES = {
    "arch": st.sampled_from(list(KNOWN.values())),
    "block_threads": st.integers(1, 1024),
    "registers": st.integers(0, 255),
    "shared_bytes": st.integers(0, 227 << 10),
}


def test_a_small_kernel_fills_the_multiprocessor():
    full = occupancy(HOPPER, 256, 32)
    assert (full.blocks, full.fraction, full.limited_by) == (8, 1.0, "nothing")


def test_registers_limit():
    # 168 a thread are 5376 a warp; a quarter of the file has room for 3 warps: 12 warps, 1 block of 8.
    limited = occupancy(HOPPER, 256, 168)
    assert (limited.blocks, limited.fraction, limited.limited_by) == (1, 8 / 64, "registers")


def test_shared_memory_limits_and_each_block_costs_one_kib_more():
    limited = occupancy(HOPPER, 128, 32, 100 << 10)
    assert (limited.blocks, limited.limited_by) == (2, "shared memory")
    assert occupancy(HOPPER, 128, 32, 113 << 10).blocks == 2
    assert occupancy(HOPPER, 128, 32, (113 << 10) + 1).blocks == 1


def test_blocks_limit_where_they_are_small():
    limited = occupancy(HOPPER, 32, 32)
    assert (limited.blocks, limited.fraction, limited.limited_by) == (32, 0.5, "blocks")


def test_threads_limit_where_blocks_do_not_divide():
    limited = occupancy(TURING, 768, 32)
    assert (limited.blocks, limited.fraction, limited.limited_by) == (1, 0.75, "threads")


def test_many_barriers_limit_from_hopper_on():
    assert occupancy(HOPPER, 64, 32, barriers=16).blocks == 4
    assert occupancy(HOPPER, 64, 32, barriers=16).limited_by == "barriers"
    assert occupancy(AMPERE, 64, 32, barriers=16).limited_by == "nothing"


@pytest.mark.parametrize(
    ("threads", "registers", "shared", "reason"),
    [
        (0, 32, 0, "threads"),
        (1025, 32, 0, "threads"),
        (1024, 72, 0, "registers"),
        (32, 256, 0, "registers"),
        (32, 32, (227 << 10) + 1, "shared memory"),
    ],
)
def test_what_cannot_start_at_all_has_no_blocks_and_a_reason(threads, registers, shared, reason):
    none = occupancy(HOPPER, threads, registers, shared)
    assert (none.blocks, none.fraction, none.limited_by) == (0, 0.0, reason)


@given(**SHAPES)
def test_a_fraction_is_one_and_more_of_anything_never_helps(arch, block_threads, registers, shared_bytes):
    had = occupancy(arch, block_threads, registers, shared_bytes)
    assert 0.0 <= had.fraction <= 1.0
    assert (had.fraction == 1.0) == (had.limited_by == "nothing")
    assert occupancy(arch, block_threads, registers + 1, shared_bytes).blocks <= had.blocks
    assert occupancy(arch, block_threads, registers, shared_bytes + 1).blocks <= had.blocks


# Against cuda_occupancy.h --------------------------------------------------------------------------

WRAPPER = """
#include <cuda_occupancy.h>
extern "C" int blocks(int number, int warps, long shared, long reserved, int threads, int registers,
                      long asked, int barriers) {
    cudaOccDeviceProp device;
    device.computeMajor = number / 10;
    device.computeMinor = number % 10;
    device.maxThreadsPerBlock = 1024;
    device.maxThreadsPerMultiprocessor = 32 * warps;
    device.regsPerBlock = device.regsPerMultiprocessor = 65536;
    device.warpSize = 32;
    device.sharedMemPerBlock = 48 << 10;
    device.sharedMemPerMultiprocessor = shared;
    device.numSms = 1;
    device.sharedMemPerBlockOptin = shared - reserved;
    device.reservedSharedMemPerBlock = reserved;
    cudaOccFuncAttributes kernel;
    kernel.maxThreadsPerBlock = 1024;
    kernel.numRegs = registers;
    kernel.sharedSizeBytes = 0;
    kernel.partitionedGCConfig = PARTITIONED_GC_OFF;
    kernel.shmemLimitConfig = FUNC_SHMEM_LIMIT_OPTIN;
    kernel.maxDynamicSharedSizeBytes = shared - reserved;
    kernel.numBlockBarriers = barriers;
    cudaOccDeviceState state;
    state.carveoutConfig = SHAREDMEM_CARVEOUT_MAX_SHARED;
    cudaOccResult result;
    if (cudaOccMaxActiveBlocksPerMultiprocessor(&result, &device, &kernel, &state, threads, asked)) return -1;
    return result.activeBlocksPerMultiprocessor;
}
"""


@pytest.fixture(scope="module")
def calculator(tmp_path_factory):
    headers = [folder for folder in toolkit.include_folders() if (folder / "cuda_occupancy.h").is_file()]
    if not headers or not shutil.which("g++"):
        pytest.skip("no cuda_occupancy.h of a CUDA toolkit, or no g++")
    work = tmp_path_factory.mktemp("occupancy")
    (work / "wrapper.cpp").write_text(WRAPPER)
    command = ["g++", "-O1", "-shared", "-fPIC", f"-I{headers[0]}", "wrapper.cpp", "-o", "wrapper.so"]
    subprocess.run(command, cwd=work, check=True)
    library = ctypes.CDLL(str(work / "wrapper.so"))
    library.blocks.argtypes = [
        *(ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long, ctypes.c_int, ctypes.c_int),
        *(ctypes.c_long, ctypes.c_int),
    ]
    return library


@pytest.mark.parametrize(
    "arch", [KNOWN[number] for number in (70, 75, 80, 86, 87, 89, 90, 100, 110, 120)], ids=str
)
def test_it_agrees_with_nvidias_header(calculator, arch):
    chance = random.Random(arch.number)
    for _ in range(2000):
        threads, registers = chance.randrange(1, 1025), chance.randrange(1, 256)
        shared = chance.choice((0, chance.randrange(arch.block_shared_bytes + 4096)))
        barriers = chance.choice((1, 1, chance.randrange(17)))
        theirs = calculator.blocks(
            *(arch.number, arch.warps, arch.shared_bytes, arch.reserved_bytes, threads, registers),
            *(shared, barriers),
        )
        ours = occupancy(arch, threads, registers, shared, barriers).blocks
        assert ours == theirs, (threads, registers, shared, barriers)
