"""The worker, started by tests as ``python -I posing_worker.py SANDBOX LIBRARY ALLOCATOR``.

Its jobs on the device ``cuda`` use the stand-in for libcuda, and CPU tensors that pose as CUDA ones and lie
in the stand-in's memory.
"""

import ctypes
import sys

SANDBOX, LIBRARY, ALLOCATOR = sys.argv[1:]
sys.path.insert(0, SANDBOX)
import gpu  # noqa: E402
import worker  # noqa: E402

H200 = {
    "name": "stand-in",
    "capability": (9, 0),
    "multiprocessors": 132,
    "memory_bytes": 1 << 30,
    "shared_bytes": 227 << 10,
}


class PosingGpu(gpu.Gpu):
    """A job's GPU, once torch looks as if it ran on one."""

    def __init__(self):
        import posing
        import torch

        posing._RANDOM = ()  # numbers count here; and asking for shapes on meta imports torch's compiler
        posing.install(H200)
        ctypes.CDLL(LIBRARY, mode=ctypes.RTLD_GLOBAL)
        ctypes.CDLL(ALLOCATOR).use_standin()
        torch.cuda.standin = ctypes.CDLL(LIBRARY)  # for kernels of tests
        super().__init__()


def tensor_over(address, size):
    """A CPU tensor over the stand-in's memory."""
    import torch

    return torch.frombuffer((ctypes.c_ubyte * size).from_address(address), dtype=torch.uint8)


gpu.LIBRARY, gpu.Gpu, gpu.tensor_over = LIBRARY, PosingGpu, tensor_over
del sys.argv[1:]  # or it would look for a socket
worker.main()
