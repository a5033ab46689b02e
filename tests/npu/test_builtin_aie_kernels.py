"""What the builtin writer writes for the NPU is right, whatever it has been taught."""

import pytest
from npueval_tools import needs_gxx

from kernelopt.evaluation import Status
from kernelopt.languages._tools import HostTools
from kernelopt.lms._builtin.aie_ops import OPS
from kernelopt.lms._builtin.aie_skills import AIE_SKILLS
from kernelopt.lms._builtin.aie_write import write_kernel
from kernelopt.npu import functional
from kernelopt.npu.spec import bundled, vectors
from kernelopt.npu.verdict import checks
from kernelopt.suites.npueval import NpuEval

pytestmark = needs_gxx
TASKS = {task.id: task.source for task in NpuEval().tasks()}
NAMES = [skill.name for skill in AIE_SKILLS]


def wrong(name, skills):
    entry = bundled()[name]
    made = vectors(entry, "any")
    ran = functional.run(
        write_kernel(TASKS[name], frozenset(skills)), entry.spec, made, "aie2", HostTools(), 60
    )
    if ran.failure:
        return [ran.failure.message]
    found = checks(entry.spec, made, ran.outputs, strict=True)
    return [check.detail for check in found if check.status is not Status.PASSED]


@pytest.mark.parametrize("name", ["leaky_relu_bfloat16", "mse_loss_bfloat16", "vectormatrix_mult_int32"])
def test_a_kernel_of_everything_that_it_knows_is_right(name):
    assert wrong(name, NAMES) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", sorted(OPS))
@pytest.mark.parametrize("known", range(len(NAMES) + 1))
def test_every_kernel_is_right_whatever_was_taught(name, known):
    assert wrong(name, NAMES[:known]) == []
