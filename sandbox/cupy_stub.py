"""A `cupy` of which only what custom kernels need is there, over torch's tensors; launches are recorded."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy
import torch
from posing import Event, Stream
from recording import Records


class ndarray:  # noqa: N801 - as cupy has it
    """A tensor with the names that cupy gives to its parts."""

    def __init__(self, tensor: torch.Tensor):
        self.tensor = tensor
        self.shape, self.ndim, self.size = tuple(tensor.shape), tensor.ndim, tensor.numel()
        self.dtype = numpy.dtype(_numpy_name(tensor.dtype))
        self.itemsize, self.nbytes = tensor.element_size(), tensor.numel() * tensor.element_size()
        self.strides = tuple(step * self.itemsize for step in tensor.stride())
        self.data = types.SimpleNamespace(ptr=tensor.data_ptr())

    def __dlpack__(self, **_: Any) -> Any:
        with torch._C.DisableTorchFunction():
            return self.tensor.detach().__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _wrapping(getattr(self.tensor, name))

    def __getitem__(self, key: Any) -> Any:
        return _wrap(self.tensor[key])

    def toDlpack(self) -> Any:  # noqa: N802 - as cupy has it
        """The old name of ``__dlpack__``."""
        return self.__dlpack__()

    def astype(self, dtype: Any, copy: bool = True) -> ndarray:
        """A copy of another type."""
        return ndarray(self.tensor.to(_torch_dtype(dtype)))


class RawKernel:
    """One kernel of a source."""

    def __init__(self, code: str = "", name: str = "", options: Any = (), *, record: Any = None, **_: Any):
        records, build = record or (RECORDS[0], None)
        self._records, self.name, self.max_dynamic_shared_size_bytes = records, name, 0
        self._build = build or records.build("cupy.RawKernel", name, code, options)
        self.attributes = {"num_regs": 32, "max_threads_per_block": 1024}

    def __call__(self, grid: Any, block: Any, args: Any, *, shared_mem: int = 0, stream: Any = None) -> None:
        self._records.launch(self._build, self.name, grid, block, shared_mem, args)

    def compile(self, **_: Any) -> None:
        """Noted already."""


class RawModule:
    """A source with several kernels."""

    def __init__(self, *, code: str = "", options: Any = (), **_: Any):
        self._record = RECORDS[0], RECORDS[0].build("cupy.RawModule", "module", code, options)

    def get_function(self, name: str) -> RawKernel:
        """The kernel of that name."""
        return RawKernel(name=name, record=self._record)

    def compile(self, **_: Any) -> None:
        """Noted already."""


RECORDS: list[Records] = []


def install(records: Records) -> None:
    """Make ``import cupy`` give this, whether or not there is a real one."""
    RECORDS[:] = [records]
    module: Any = types.ModuleType("cupy")
    module.__path__ = []
    for thing in (ndarray, RawKernel, RawModule):
        setattr(module, thing.__name__, thing)
    module.from_dlpack = lambda value: _wrap(torch.from_dlpack(value))
    module.fromDlpack = module.from_dlpack
    for name in ("asarray", "array", "ascontiguousarray"):
        setattr(module, name, _as_array)
    for name in ("empty", "zeros", "ones", "full", "empty_like", "zeros_like", "ones_like"):
        setattr(module, name, _making(getattr(torch, name)))
    module.get_array_module = lambda *_: module
    module.memoize = lambda **_: lambda function: function
    module.__getattr__ = _element_type
    module.cuda = _cuda()
    sys.modules.update({"cupy": module, "cupy.cuda": module.cuda})


def _cuda() -> types.ModuleType:
    cuda: Any = types.ModuleType("cupy.cuda")
    stream: Any = Stream()
    cuda.Stream, cuda.ExternalStream, cuda.Event = Stream, Stream, Event
    Stream.null = stream
    cuda.get_current_stream = lambda *_: stream
    cuda.Device = lambda *_: Stream()
    cuda.runtime = types.SimpleNamespace(getDeviceCount=lambda: 1, deviceSynchronize=lambda: None)
    cuda.is_available = lambda: True
    cuda.stream = types.SimpleNamespace(get_current_stream=cuda.get_current_stream, Stream=Stream)
    cuda.compile_with_cache = None
    return cuda


def _wrap(value: Any) -> Any:
    return ndarray(value) if isinstance(value, torch.Tensor) else value


def _wrapping(value: Any) -> Any:
    if not callable(value):
        return _wrap(value)
    return lambda *args, **kwargs: _wrap(value(*args, **kwargs))


def _as_array(value: Any, dtype: Any = None, **_: Any) -> ndarray:
    found = value.tensor if isinstance(value, ndarray) else torch.as_tensor(value)
    return ndarray(found if dtype is None else found.to(_torch_dtype(dtype)))


def _making(function: Any) -> Any:
    def make(*args: Any, dtype: Any = None, order: str = "C", **kwargs: Any) -> ndarray:
        plain = [arg.tensor if isinstance(arg, ndarray) else arg for arg in args]
        typed = {} if dtype is None else {"dtype": _torch_dtype(dtype)}
        return ndarray(function(*plain, **typed, **kwargs))

    return make


def _torch_dtype(dtype: Any) -> torch.dtype:
    return dtype if isinstance(dtype, torch.dtype) else getattr(torch, numpy.dtype(dtype).name)


def _numpy_name(dtype: torch.dtype) -> str:
    name = str(dtype).removeprefix("torch.")
    return "uint16" if name == "bfloat16" else name


def _element_type(name: str) -> Any:
    """``cupy.float32`` and its like are numpy's."""
    found = getattr(numpy, name, None)
    if isinstance(found, type) and issubclass(found, numpy.generic):
        return found
    raise AttributeError(f"cupy.{name} is not known where kernels are only compiled")
