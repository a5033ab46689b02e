# honest: torch extension: load_inline with CUDA sources, launched on the current stream
# task: local/gpu_gate

from torch import nn
from torch.utils.cpp_extension import load_inline

CPP = "torch::Tensor gate(torch::Tensor x);"
CUDA = r"""
#include <c10/cuda/CUDAStream.h>
__global__ void gate_each(const float* __restrict__ x, float* __restrict__ y, long long n) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < n) y[i] = tanhf(x[i]) / (1.0f + expf(-x[i]));
}
torch::Tensor gate(torch::Tensor input) {
    auto x = input.contiguous();
    auto y = torch::empty_like(x);
    const long long n = x.numel();
    const int threads = 256;
    const int blocks = (n + threads - 1) / threads;
    gate_each<<<blocks, threads, 0, c10::cuda::getCurrentCUDAStream()>>>(x.data_ptr<float>(), y.data_ptr<float>(), n);
    return y;
}
"""
lib = load_inline(
    "honest_gate", cpp_sources=[CPP], cuda_sources=[CUDA], functions=["gate"], extra_cuda_cflags=["-O3"]
)


class ModelNew(nn.Module):
    def forward(self, x):
        return lib.gate(x)
