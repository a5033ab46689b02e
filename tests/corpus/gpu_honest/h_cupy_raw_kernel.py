# honest: CuPy's RawKernel: launched on PyTorch's current stream through an ExternalStream
# task: local/gpu_gate

import cupy
import torch
from torch import nn

gate_all = cupy.RawKernel(
    r"""
extern "C" __global__ void gate_all(const float* x, float* y, long long n) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < n) y[i] = tanhf(x[i]) / (1.0f + expf(-x[i]));
}
""",
    "gate_all",
    options=("--std=c++17",),
)


class ModelNew(nn.Module):
    def forward(self, x):
        x = x.contiguous()
        y = torch.empty_like(x)
        n = x.numel()
        with cupy.cuda.ExternalStream(torch.cuda.current_stream().cuda_stream):
            gate_all(((n + 255) // 256,), (256,), (x.data_ptr(), y.data_ptr(), cupy.int64(n)))
        return y
