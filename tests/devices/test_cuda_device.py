"""The device cuda says what is missing; it needs a GPU for anything else."""

import pytest
import torch

from kernelopt import registry
from kernelopt.devices.cuda import NO_DRIVER


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_what_is_missing_is_told_with_what_can_be_done_without():
    problem = registry.get("devices", "cuda")().missing()
    assert problem and ("kernelopt build FILE" in problem or "torch" in problem)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_driver_kernels_can_still_be_compiled():
    assert NO_DRIVER.endswith("or compile only: kernelopt build FILE")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_tells_what_it_is():
    about = registry.get("devices", "cuda")().describe()
    assert about["architecture"].startswith("sm_")
