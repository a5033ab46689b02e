"""Timed input sets made on the GPU: what `Recipe.pour` does on the host, bit for bit, as fast as a copy."""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import c_void_p
from functools import cached_property

import numpy as np

from kernelopt.devices._cuda_driver import OUT_OF_MEMORY, CudaError, Gpu
from kernelopt.evaluator.data.pool import Numbers, Part, Pool
from kernelopt.evaluator.data.recipe import Recipe
from kernelopt.evaluator.data.spread import Raw
from kernelopt.evaluator.data.tables import SCALES, factors_of

THREADS, BLOCKS_EACH = 256, 8
"""Of a block; blocks for each multiprocessor."""
SOURCE = """
typedef unsigned long long Int;

template <class T>
__device__ void scale(T* out, const T* a, const T* b, const T* factors, Int size, Int wrapped, Int start,
                      Int stop, Int place, Int table) {
  Int step = (Int)gridDim.x * blockDim.x;
  for (Int i = (Int)blockIdx.x * blockDim.x + threadIdx.x; i < size; i += step) {
    bool second = i < wrapped || (i >= start && i < stop);
    out[i] = (second ? b : a)[i] * factors[(place + i) % table];
  }
}

#define PARAMETERS(T) \\
  T *out, const T *a, const T *b, const T *f, Int size, Int wrapped, Int start, Int stop, Int place, Int table
extern "C" __global__ void scale_float32(PARAMETERS(float)) {
  scale(out, a, b, f, size, wrapped, start, stop, place, table);
}
extern "C" __global__ void scale_float64(PARAMETERS(double)) {
  scale(out, a, b, f, size, wrapped, start, stop, place, table);
}
"""


class Pourer:
    """Pours recipes on one GPU. Without NVRTC, and where elements are mixed or kept together, it does not."""

    def __init__(self, gpu: Gpu):
        self._gpu = gpu
        self._pool: Pool | None = None
        self._sets: list[list[int]] = []
        self._factors: dict[np.dtype[np.floating], int] = {}

    def pour(self, recipe: Recipe, pool: Pool, places: Sequence[int], offsets: Sequence[int]) -> bool:
        """Write the set's tensors to `offsets` behind each of `places`; whether it could.

        Returns before they are written: `Gpu.synchronize` waits for it.
        """
        if not self.able or pool.bound or (recipe.scale is not None and pool.mixed):
            return False
        if pool is not self._pool and not self._take(pool):
            return False
        first, second = self._sets[recipe.first], self._sets[recipe.second]
        for part, a, b, offset in zip(pool.parts[recipe.first], first, second, offsets, strict=True):
            for place in places:
                if recipe.scale is not None and part.numbers is not None:
                    self._scale(recipe, recipe.scale, part.numbers, place + offset, (a, b))
                else:
                    self._splice(recipe, part, place + offset, (a, b))
        return True

    def _splice(self, recipe: Recipe, part: Part, target: int, sources: tuple[int, int]) -> None:
        for first, low, high in recipe.stretches(len(part.raw) // part.itemsize):
            source, at = sources[0 if first else 1], low * part.itemsize
            self._gpu.copy(target + at, source + at, (high - low) * part.itemsize)

    def _scale(
        self, recipe: Recipe, scale: int, numbers: Numbers, target: int, sources: tuple[int, int]
    ) -> None:
        size = len(numbers)
        (_, _, wrapped), _, (_, start, stop), _ = recipe.stretches(size)
        blocks = min(-(-size // THREADS), BLOCKS_EACH * self._gpu.multiprocessors)
        values = (target, *sources, self._table(numbers.dtype), size, wrapped, start, stop, scale, SCALES)
        self._gpu.launch(self._kernel(numbers.dtype), max(blocks, 1), THREADS, values)

    def _take(self, pool: Pool) -> bool:
        """Copy the sets of a pool to the GPU, in the place of another one's; whether there is room."""
        self._drop()
        try:
            for parts in pool.parts:
                self._sets.append([])
                for part in parts:
                    self._sets[-1].append(self._copied(part.raw))
        except CudaError as error:
            if error.code != OUT_OF_MEMORY:
                raise
            self._drop()
            return False
        self._pool = pool
        return True

    def _drop(self) -> None:
        self._pool, sets, self._sets = None, self._sets, []
        for pointer in [pointer for each in sets for pointer in each if pointer]:
            self._gpu.free(pointer)

    def _table(self, dtype: np.dtype[np.floating]) -> int:
        if dtype not in self._factors:
            self._factors[dtype] = self._copied(factors_of(dtype).view(np.uint8))
        return self._factors[dtype]

    def _copied(self, raw: Raw) -> int:
        if not len(raw):
            return 0
        pointer = self._gpu.allocate(len(raw))
        self._gpu.write(pointer, raw.ctypes.data, len(raw))
        return pointer

    @property
    def able(self) -> bool:
        """Whether there is a compiler for its kernel."""
        return self._cubin is not None

    @cached_property
    def _cubin(self) -> bytes | None:
        from kernelopt.inline_cuda import compile_cubin  # noqa: PLC0415 - needs NVRTC

        try:
            return compile_cubin(SOURCE, ["--std=c++17", f"--gpu-architecture={self._gpu.arch}"], "pour")[0]
        except (ImportError, RuntimeError):
            return None

    @cached_property
    def _kernels(self) -> dict[str, c_void_p]:
        return {}

    def _kernel(self, dtype: np.dtype[np.floating]) -> c_void_p:
        name = f"scale_{dtype.name}"
        if name not in self._kernels:
            assert self._cubin is not None
            self._kernels[name] = self._gpu.load(self._cubin, name)
        return self._kernels[name]
