"""The scalar kernels: built against the host model's header, they agree with the references."""

import pytest
from npueval_tools import needs_gxx

from kernelopt.evaluation import Status
from kernelopt.languages._tools import HostTools
from kernelopt.npu import functional
from kernelopt.npu.look import inspect_object, inspect_text
from kernelopt.npu.spec import bundled, scalar, vectors
from kernelopt.npu.verdict import checks

pytestmark = needs_gxx
SOME = ("cumsum_int16", "conv1d_bias_relu_bfloat16", "gelu_bfloat16", "pad2d_int32", "argmin_bfloat16")


def agree(kernel, fresh):
    """Vectors on which the scalar kernel is wrong, or why it gave nothing."""
    entry = bundled()[kernel]
    made = [one for name in fresh for one in vectors(entry, name)]
    ran = functional.run(scalar(kernel), entry.spec, made, "aie2", HostTools(), 60)
    assert ran.failure is None, ran.log
    assert inspect_object(ran.object) == []
    for strict in (False, True):
        found = checks(entry.spec, made, ran.outputs, strict=strict)
        assert [c.detail for c in found if c.status is not Status.PASSED] == []


@pytest.mark.parametrize("kernel", SOME)
def test_a_scalar_kernel_agrees_with_its_reference(kernel):
    agree(kernel, ["one"])


@pytest.mark.exhaustive
@pytest.mark.parametrize("kernel", sorted(bundled()))
def test_every_scalar_kernel_agrees_with_its_reference_on_many_vectors(kernel):
    agree(kernel, [f"kernel {number}" for number in range(12)])


def test_no_scalar_kernel_is_suspect():
    assert {kernel: found for kernel in bundled() if (found := inspect_text(scalar(kernel)))} == {}
