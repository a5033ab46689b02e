"""An NVIDIA GPU: whether it can be used, what it is, how fast it copies and multiplies. Not run yet."""

from __future__ import annotations

import ctypes
from importlib.metadata import version

from kernelopt import resources
from kernelopt.devices import Ceilings, _ceilings, _cuda_ceilings
from kernelopt.devices._cuda_driver import COMPUTE_MODE, LIBRARY, SHARED_MODE, Driver
from kernelopt.errors import KernelOptError

NO_DRIVER = "no NVIDIA driver was found (libcuda.so.1); install it, or compile only: kernelopt build FILE"

OTHERS_SHUT_OUT = (
    "the GPU lets one process use it at a time (compute mode, see nvidia-smi -q -d COMPUTE); judge, "
    "reference and kernel are three: have its administrator set the mode to Default"
)


class Cuda:
    """The GPU that is torch's current one."""

    name = "cuda"

    def missing(self) -> str | None:
        """The driver, a torch that can use it, a GPU that several processes may use."""
        try:
            ctypes.CDLL(LIBRARY)
        except OSError:
            return NO_DRIVER
        import torch  # noqa: PLC0415 - most commands need no torch

        if torch.version.cuda is None:
            return "this torch is built for the CPU; install one for CUDA: pip install torch"
        if not torch.cuda.is_available():
            return "the driver shows no GPU to torch (see nvidia-smi)"
        return None if _shared() else OTHERS_SHUT_OUT

    def describe(self) -> dict[str, str]:
        """Model, architecture, multiprocessors and memory, for prompts and manifests."""
        import torch  # noqa: PLC0415

        about = torch.cuda.get_device_properties(torch.cuda.current_device())
        return {
            "model": about.name,
            "architecture": f"sm_{about.major}{about.minor}",
            "multiprocessors": str(about.multi_processor_count),
            "memory": f"{about.total_memory / 2**30:.0f} GiB",
            "l2_cache": f"{about.L2_cache_size / 2**20:.0f} MiB",
            "cuda": str(torch.version.cuda),
        }

    def machine_text(self) -> str:
        """A few lines for prompts: what a kernel has to fit."""
        about, roofs = self.describe(), self.ceilings()
        rates = [f"{rate / 1e12:.3g} TFLOP/s {name} matmul" for name, rate in roofs.flops_per_s.items()]
        return (
            f"GPU: {about['model']} ({about['architecture']}), {about['multiprocessors']} multiprocessors, "
            f"{about['memory']} of memory, {about['l2_cache']} of L2 cache.\n"
            f"Measured: {roofs.bytes_per_s / 1e9:.4g} GB/s copy (read plus write), {', '.join(rates)}."
        )

    def ceilings(self) -> Ceilings:
        """Copy bandwidth and matmul rates, measured once a model of GPU and version of torch."""
        about = self.describe()
        key = _ceilings.key(about["model"], about["cuda"], version("torch"))
        path = resources.cache_dir() / f"ceilings-{self.name}-{key}.json"
        return _ceilings.cached(path, _cuda_ceilings.measure)


def _shared() -> bool:
    """Whether torch's current GPU is in the mode that most are in; also where that cannot be told."""
    import torch  # noqa: PLC0415

    try:
        return Driver(LIBRARY).attribute(torch.cuda.current_device(), COMPUTE_MODE) == SHARED_MODE
    except KernelOptError:
        return True


PLUGIN = Cuda
