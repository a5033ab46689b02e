"""Kernels, runners and official files of our own making for the tests of the NPUEval suite."""

import json
import shutil

import numpy as np
import pytest

from kernelopt.kernel import Kernel
from kernelopt.npu import Cycles, Run
from kernelopt.suites import SuiteOptions
from kernelopt.suites.npueval import NpuEval

needs_gxx = pytest.mark.skipif(shutil.which("g++") is None, reason="g++ was not found")


def task(name):
    """The bundled task of that name."""
    return next(NpuEval("npueval", SuiteOptions(tasks=(name,))).tasks())


def aie(source):
    return Kernel.from_source(source, "aie")


def right(source, spec, vectors, machine, tools, timeout_s):
    """A runner that gives what is expected, in 100 cycles of which 25 are vector cycles."""
    scalar = "for (int i" in source
    cycles = Cycles(
        total=1000.0 if scalar else 100.0,
        vector=0.0 if scalar else 25.0,
        vector_legacy=5.0,
        total_legacy=50.0,
    )
    return Run(tuple(one.outputs for one in vectors), cycles=cycles, command="g++ unit.cc")


def zeros(source, spec, vectors, machine, tools, timeout_s):
    """A runner that gives zeros."""
    return Run(tuple({k: np.zeros_like(v) for k, v in one.outputs.items()} for one in vectors), command="g++")


def official_line(**changed):
    """One line of an official file: twice the input, of four elements."""
    data = {
        "kernel_name": "double_int16",
        "prompt": "/* twice */\n#include <aie_api/aie.hpp>\n\n"
        "void double_int16(const int16_t *x, int16_t *y, int32_t n) {\n}\n",
        "canonical_solution": "for (int i = 0; i < n; ++i) y[i] = 2 * x[i];",
        "program_code": "",
        "test_vectors": {
            "inputs": [{"x": [1, -2, 3, 4], "dtype": "int16"}],
            "outputs": [{"y": [2, -4, 6, 8], "dtype": "int16"}],
            "rtps": [{"n": 4, "dtype": "int32"}],
        },
    }
    return json.dumps({**data, **changed})
