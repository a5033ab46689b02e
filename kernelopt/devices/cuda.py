"""An NVIDIA GPU: what it is, and how fast it can copy and multiply. Not run on a GPU yet."""

from __future__ import annotations

import ctypes
from importlib.metadata import version

from kernelopt import resources
from kernelopt.devices import Ceilings, _ceilings, _cuda_ceilings

NO_DRIVER = "no NVIDIA driver was found (libcuda.so.1); install it, or compile only: kernelopt build FILE"

UNTIMED = "the evaluator does not run kernels on a GPU yet; compile them with kernelopt build FILE"


class Cuda:
    """The GPU that is torch's current one."""

    name = "cuda"

    def missing(self) -> str | None:
        """The driver, a torch that can use it, a GPU; and so far the evaluator's own half."""
        try:
            ctypes.CDLL("libcuda.so.1")
        except OSError:
            return NO_DRIVER
        import torch  # noqa: PLC0415 - most commands need no torch

        if torch.version.cuda is None:
            return "this torch is built for the CPU; install one for CUDA: pip install torch"
        if not torch.cuda.is_available():
            return "the driver shows no GPU to torch (see nvidia-smi)"
        return UNTIMED

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

    def ceilings(self) -> Ceilings:
        """Copy bandwidth and matmul rates, measured once a model of GPU and version of torch."""
        about = self.describe()
        key = _ceilings.key(about["model"], about["cuda"], version("torch"))
        path = resources.cache_dir() / f"ceilings-{self.name}-{key}.json"
        return _ceilings.cached(path, _cuda_ceilings.measure)


PLUGIN = Cuda
