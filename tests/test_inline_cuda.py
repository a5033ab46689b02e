"""CUDA kernels as Python callables, as far as it goes without a GPU: signatures, builds, arguments."""

import pytest
import torch

from kernelopt import inline
from kernelopt.inline_cuda import STANDARD, Kernel, compile_cubin, include_options, signatures

SCALE = r"""
extern "C" __global__ void __launch_bounds__(256, 2)
scale(const float* __restrict__ x, float* y, int n, float by) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = x[i] * by;
}
"""
MANY = r"""
#include <cuda_fp16.h>
// extern "C" __global__ void commented_out(int n) {}
__device__ float helper(float x) { return x; }
__global__ void mangled(float* x) { x[0] = helper(x[0]); }
extern "C" __global__ void lanes(const float4* x, half2* y, const __nv_bfloat16 *z, unsigned char* mask) {}
extern "C" {
__global__ void in_a_block(unsigned n, long long m, size_t k, bool flag, double d) {}
}
"""


def shown(source: str) -> dict[str, list[str]]:
    return {one.name: [str(parameter) for parameter in one.parameters] for one in signatures(source)}


def test_what_a_kernel_takes_is_read_from_its_text():
    assert shown(SCALE) == {"scale": ["const float32* x", "float32* y", "int32 n", "float32 by"]}
    assert shown(MANY) == {
        "lanes": ["const float32* x", "float16* y", "const bfloat16* z", "uint8* mask"],
        "in_a_block": ["uint32 n", "int64 m", "uint64 k", "bool flag", "float64 d"],
    }


@pytest.mark.parametrize("parameter", ["float4 v", "half h", "__nv_bfloat16 b", "uint2 u"])
def test_a_vector_by_value_is_refused(parameter: str):
    with pytest.raises(ValueError, match=rf"f: '{parameter}' by value"):
        signatures(f'extern "C" __global__ void f(float* x, {parameter}) {{}}')


def test_a_type_of_the_authors_own_is_refused():
    with pytest.raises(ValueError, match="f: s is 'Shape s'"):
        signatures('struct Shape { int n; }; extern "C" __global__ void f(Shape s) {}')


def kernel() -> Kernel:
    (signature,) = signatures(SCALE)
    return Kernel(None, signature)


@pytest.mark.parametrize("configuration", [5, (1,), (1, 2, 3, 4), (0, 32), ((1, 2, 3, 4), 32)])
def test_a_launch_needs_a_grid_and_a_block(configuration):
    with pytest.raises((TypeError, ValueError), match=r"kernel\[grid, block\]|one to three positive sizes"):
        kernel()[configuration]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((None, None, 4), r"takes 4 arguments, got 3"),
        (
            (torch.ones(4), None, 4, 1.0),
            r"x \(float32\*\) takes a dense CUDA tensor, got torch.strided on cpu",
        ),
        ((None, None, 4.5, 1.0), r"n \(int32\) takes an int"),
        ((None, None, 2**31, 1.0), r"n \(int32\) takes -2147483648 to 2147483647"),
        ((None, None, 4, torch.ones(1)), r"by \(float32\) takes a number, got a tensor"),
    ],
)
def test_arguments_that_do_not_fit_are_told_by_name(arguments, words):
    with pytest.raises((TypeError, ValueError), match=words):
        kernel().convert(arguments)


def test_what_fits_is_handed_on():
    assert kernel().convert([None, None, 4, 2]) == (None, None, 4, 2.0)


def test_nvrtc_makes_machine_code_without_a_gpu():
    pytest.importorskip("cuda.bindings.nvrtc", reason="cuda-bindings is not installed")
    cubin, log = compile_cubin(SCALE, ["--gpu-architecture=sm_90", STANDARD, "--ptxas-options=-v"])
    assert cubin is not None and cubin[:4] == b"\x7fELF"
    assert "Compiling entry function 'scale' for 'sm_90'" in log
    assert b"scale" in cubin


def test_a_source_that_is_refused_gives_the_log():
    pytest.importorskip("cuda.bindings.nvrtc", reason="cuda-bindings is not installed")
    cubin, log = compile_cubin(
        SCALE.replace("* by", "* missing"), ["--gpu-architecture=sm_90", STANDARD], "mine"
    )
    assert cubin is None
    assert 'mine.cu(5): error: identifier "missing" is undefined' in log


def test_headers_of_cuda_are_found_where_there_are_any():
    pytest.importorskip("cuda.bindings.nvrtc", reason="cuda-bindings is not installed")
    if not include_options():
        pytest.skip("no toolkit with cuda_fp16.h is installed")
    cubin, log = compile_cubin("#include <cuda_bf16.h>\n" + MANY, ["--gpu-architecture=sm_80", STANDARD])
    assert cubin is not None, log


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so():
    with pytest.raises(RuntimeError, match="no GPU was found to build for; `kernelopt build`"):
        inline.cuda(SCALE)


def test_a_source_without_kernels_is_refused_before_anything_is_built():
    with pytest.raises(ValueError, match=r'defines no extern "C" __global__ function'):
        inline.cuda("int f() { return 1; }")
    with pytest.raises(ValueError, match="is no file name"):
        inline.cuda(SCALE, name="../x")
