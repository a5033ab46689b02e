"""What of a CUDA text g++ compiles with PyTorch's headers, so that nvcc does not have to."""

import pytest

from kernelopt.gpu._host_half import HEAD, host_half

KERNEL = """#include <torch/types.h>
#define BLOCK 256
constexpr int WARPS = BLOCK / 32;
static inline int blocks(long long n) { return (int)((n + BLOCK - 1) / BLOCK); }
int plain(int n) { return n + 1; }
__device__ float twice(float v) { return 2 * v; }
__global__ void __launch_bounds__(BLOCK)
scale(const float* __restrict__ x, float* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) { y[i] = twice(x[i]); }
}
"""
RUN = """torch::Tensor run(torch::Tensor x) {
    TORCH_CHECK(x.is_cuda(), "a <<< that launches nothing");
    auto y = torch::empty_like(x);
    if (x.numel()) scale<<<blocks(x.numel()), dim3(BLOCK)>>>(x.data_ptr<float>(), y.data_ptr<float>(), 1);
    return y;
}
"""


def half(text: str) -> str | None:
    return host_half(text, "cuda.cu")


def body(text: str) -> list[str]:
    whole = half(text)
    assert whole is not None and whole.startswith(f'{HEAD}#line 1 "cuda.cu"\n')
    return whole.removeprefix(f'{HEAD}#line 1 "cuda.cu"\n').splitlines()


def test_kernels_are_declared_and_functions_of_the_other_half_too():
    lines = body(KERNEL + RUN)
    assert "scale(const float* __restrict__ x, float* y, int n) ;" in lines
    assert "int plain(int n) ;" in lines
    assert not any("__global__" in line or "twice" in line or "__launch_bounds__" in line for line in lines)


def test_constants_and_inline_functions_stand_in_both_halves():
    lines, given = body(KERNEL + RUN), KERNEL.splitlines()
    assert lines[1:4] == given[1:4]


def test_every_line_stays_where_it_is():
    assert len(body(KERNEL + RUN)) == len((KERNEL + RUN).splitlines())
    assert body(KERNEL + RUN).index(RUN.splitlines()[0]) == KERNEL.count("\n")


def test_a_launch_is_the_call_that_nvcc_makes_of_it():
    (line,) = [line for line in body(KERNEL + RUN) if "numel())" in line]
    assert line.strip() == (
        "if (x.numel()) __cudaPushCallConfiguration(blocks(x.numel()), dim3(BLOCK)) ? (void)0 : "
        "scale(x.data_ptr<float>(), y.data_ptr<float>(), 1);"
    )


def test_strings_and_shifts_are_no_launches():
    text = KERNEL + RUN.replace("auto y", "int s = (1 << 3) >> 2; auto y")
    assert '    TORCH_CHECK(x.is_cuda(), "a <<< that launches nothing");' in body(text)
    assert any("(1 << 3) >> 2" in line for line in body(text))


def test_a_text_without_pytorch_has_no_such_half():
    assert half(KERNEL) == ""


@pytest.mark.parametrize(
    "part",
    [
        *("static int calls = 0;", "int calls;", "float* buffer = nullptr;", "static std::vector<int> v(3);"),
        *("extern int calls;", "inline int next() { static int n; return ++n; }", "std::mutex m;"),
    ],
)
def test_state_of_the_host_is_never_there_twice(part):
    assert half(f"{part}\n{KERNEL}{RUN}") is None


@pytest.mark.parametrize(
    "part",
    [
        "namespace {\nint f() { return 1; }\n}",
        "static __global__ void hidden() {}",
        "template <typename T> __global__ void each(T* x) {}",
        "#define LAUNCH(x) scale<<<1, 1>>>(x, x, 1)",
        "__global__ void of_torch(at::Half* x) {}",
    ],
)
def test_kernels_that_the_other_half_keeps_to_itself_are_left_to_nvcc(part):
    assert half(f"{part}\n{KERNEL}{RUN}") is None


@pytest.mark.parametrize(
    "part",
    [
        *("const int N = 4;", "using T4 = float4;", "typedef float F;", "constexpr float T[2] = {1, 2};"),
        *("static const float LIMIT = 3.0f;", "enum class A { x, y };", "struct Pair { float a, b; };"),
        *("void g(const float* a, int n = 3);", "template <int N> struct V { float v[N]; };"),
        "__forceinline__ __host__ __device__ int cdiv(int a, int b) { return (a + b - 1) / b; }",
    ],
)
def test_what_holds_no_state_stays_as_it_is(part):
    assert body(f"{part}\n{KERNEL}{RUN}")[0] == part


def test_namespaces_are_looked_into():
    lines = body(f"namespace mine {{\n{KERNEL}{RUN}}}\n")
    assert lines[0] == "namespace mine {" and lines[-1] == "}"
    assert "scale(const float* __restrict__ x, float* y, int n) ;" in lines
