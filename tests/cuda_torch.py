"""What makes a PyTorch for the CPU look like one for CUDA to the builder: a version, two empty libraries."""

import subprocess
from pathlib import Path

from kernelopt.gpu import nvcc


def major() -> str:
    """Of the CUDA that nvcc is of."""
    return nvcc.version(nvcc.program()).partition(".")[0]


def make_libraries(folder: Path) -> Path:
    """A folder with libraries of PyTorch's names that define nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("c10_cuda", "torch_cuda"):
        command = ["g++", "-shared", "-fPIC", "-x", "c++", "/dev/null", "-o", f"lib{name}.so"]
        subprocess.run([*command, f"-Wl,-soname,lib{name}.so"], cwd=folder, check=True)
    return folder


def runtime() -> Path:
    """The CUDA runtime, which a PyTorch for CUDA would have loaded."""
    from kernelopt.gpu import _cudart

    return next(_cudart._runtimes(nvcc.program(), major()))


MAIN = r"""
#include <Python.h>
extern "C" int launch(int n);
static PyObject* run(PyObject*, PyObject* n) { return PyLong_FromLong(launch((int)PyLong_AsLong(n))); }
static PyMethodDef methods[] = {{"run", run, METH_O, ""}, {nullptr, nullptr, 0, nullptr}};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "scaled", "", -1, methods};
PyMODINIT_FUNC PyInit_scaled() { return PyModule_Create(&definition); }
"""
CUDA = r"""
__global__ void scale(float* x, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) x[i] *= 2;
}
extern "C" int launch(int n) {
    scale<<<(n + 255) / 256, 256>>>(nullptr, n);
    return (int)cudaGetLastError();
}
"""
"""An extension whose function `run` launches a kernel and returns the error of the CUDA runtime."""
NO_GPU = (35, 100)
"""cudaErrorInsufficientDriver and cudaErrorNoDevice: all the way down to the driver, which is not there."""
