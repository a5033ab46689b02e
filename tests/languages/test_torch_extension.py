"""Which precompiled header a build may use, and that the C++ frontend is still there when asked for."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from kernelopt.languages import BuildRequest
from kernelopt.languages import _pch as pch
from kernelopt.languages._tools import HostTools
from kernelopt.languages._torch_extension import build_torch_extension


def test_flags_that_leave_headers_alone_share_one():
    assert pch.variant(["-O3", "-march=native", "-DN=3", "-Wall", "-g"], "-std=c++20") == [
        "-O2",
        "-march=native",
    ]
    assert pch.variant(["-O1", "-march=native", "-funroll-loops"], "-std=c++20") == ["-O2", "-march=native"]
    assert pch.variant(["-std=c++20", "-O2"], "-std=c++20") == ["-O2"]
    assert pch.variant([], "-std=c++20") == pch.variant(["-O3", "-O0"], "-std=c++20") == []


def test_flags_that_headers_depend_on_get_their_own():
    assert pch.variant(["-Ofast"], "-std=c++20") == pch.variant(["-O2", "-ffast-math"], "-std=c++20")
    assert "-fopenmp" in (pch.variant(["-fopenmp"], "-std=c++20") or [])


@pytest.mark.parametrize("flag", ["-mavx2", "-Os", "-std=c++23", "-march=haswell"])
def test_rare_flags_get_none(flag: str):
    assert pch.variant(["-O2", flag], "-std=c++20") is None


def test_only_the_headers_used_last_are_kept(tmp_path: Path):
    for age in range(11):
        (tmp_path / f"age{age}" / "torch").mkdir(parents=True)
        os.utime(tmp_path / f"age{age}", (1e9 - age, 1e9 - age))
    pch._evict(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"age{age}" for age in range(8)]


def test_a_truncated_header_is_not_whole(tmp_path: Path):
    product = pch._product(tmp_path, "light")
    product.parent.mkdir()
    product.write_bytes(b"12345")
    (tmp_path / "bytes").write_text("5")
    assert pch._is_whole(tmp_path, "light")
    product.write_bytes(b"123")
    assert not pch._is_whole(tmp_path, "light")


@pytest.mark.parametrize("name", ["a b", "../x", "", "x;", "9x", "x" * 200])
def test_a_module_name_must_be_an_identifier(name: str, tmp_path: Path):
    request = BuildRequest("torch_extension", name, {"main.cpp": ""})
    reply = build_torch_extension(request, tmp_path, 60.0, HostTools())
    assert not reply.ok
    assert reply.log.startswith("refused: the module name")
    assert not list(tmp_path.iterdir())


FRONTEND = """
#include <torch/extension.h>
using namespace torch;
Tensor f(Tensor x) { NoGradGuard guard; return nn::functional::relu(x); }
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) { m.def("f", torch::wrap_pybind_function(f)); }
"""


@pytest.mark.slow
def test_what_the_light_header_lacks_is_built_with_the_full_one(torch_cache: Path):
    """Flags without a precompiled header, so that this costs two plain builds and no header."""
    import torch

    request = BuildRequest("torch_extension", "frontend", {"main.cpp": FRONTEND}, ("-mno-avx512f",))
    reply = build_torch_extension(request, torch_cache, 200.0, HostTools())
    assert reply.ok, reply.log
    spec = importlib.util.spec_from_file_location("frontend", reply.path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.f(torch.tensor([-1.0, 2.0])).tolist() == [0.0, 2.0]
    assert "frontend" not in sys.modules
