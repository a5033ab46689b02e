"""What of a CUDA text for `load_inline` is compiled without PyTorch's headers, and what is not."""

import pytest

from kernelopt.gpu._device_half import device_half

KERNEL = """#include <torch/extension.h>
#include <cuda_fp16.h>
struct Pair { float a, b; };
__device__ float twice(float v) { return 2 * v; }  // torch::nothing
__global__ void scale(const float* x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) { y[i] = twice(x[i]); }
}
"""
HOST = """
torch::Tensor run(torch::Tensor x) {
    TORCH_CHECK(x.is_cuda(), "a { that closes nothing");
    auto y = torch::empty_like(x);
    scale<<<(x.numel() + 255) / 256, 256>>>(x.data_ptr<float>(), y.data_ptr<float>(), x.numel());
    return y;
}
"""


def test_the_hosts_half_is_blanked_and_lines_stay_where_they_are():
    half = device_half(KERNEL + HOST)
    assert half.count("\n") == (KERNEL + HOST).count("\n")
    assert "torch/" not in half and "run(" not in half and "<<<" not in half
    for line in KERNEL.splitlines()[1:]:
        assert line in half
    assert half.splitlines().index("__global__ void scale(const float* x, float* y, int n) {") == 4


def test_a_text_that_never_speaks_of_pytorch_stays_whole():
    assert device_half(KERNEL).strip() == KERNEL.partition("\n")[2].strip()


@pytest.mark.parametrize("head", ["namespace {", "namespace a {", 'extern "C" {'])
def test_blocks_around_declarations_are_looked_into(head):
    half = device_half(f"{head}\n{KERNEL}{HOST}}}\n")
    assert half.startswith(head) and half.rstrip().endswith("}") and "__global__ void scale" in half
    assert "torch::" not in half.replace("// torch::nothing", "")


@pytest.mark.parametrize(
    "kernel",
    [
        "__global__ void f(at::Half* x) { x[0] = at::Half(0); }",
        "template <typename T> __global__ void f(T* x) { x[0] = T(0); }",
        "namespace at::mine {\n__global__ void f(float* x) { x[0] = 0; }\n}",
    ],
)
def test_what_cannot_be_told_apart_is_left_to_the_headers(kernel):
    assert device_half(kernel + HOST) is None


def test_declarations_and_constants_are_told_apart():
    text = "torch::Tensor run(torch::Tensor x);\nconstexpr int N = 4;\n__constant__ float c[2] = {1, 2};\n"
    assert device_half(text) == "\nconstexpr int N = 4;\n__constant__ float c[2] = {1, 2};\n"
