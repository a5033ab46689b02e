"""What is made of the judge's words on a winner: refusals, sizes let in, gradients, texts that vary."""

import re

import exported
import pytest

from kernelopt.evaluation import Check, Status
from kernelopt.export import OWN, Winner
from kernelopt.export.examine import Examiner
from kernelopt.export.outline import outline
from kernelopt.export.shipping import Shipping
from kernelopt.export.sweep import domain
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildReply, BuildRequest

OWN_BACKWARD = exported.ANSWER + "\nclass F(torch.autograd.Function):\n    def backward(ctx, g): return g\n"


class Language:
    """Builds everything at once."""

    name, device = "cpp", "cpu"

    def build(self, request, cache, timeout_s, tools):
        return BuildReply(True, "built.so")


class Judge:
    """Lets pass what it is told to, and has a text built for each evaluation."""

    def __init__(self, language, text, verdict, gradients):
        self.language, self.text, self.verdict, self.gradients = language, text, verdict, gradients

    def evaluate(self, kernel, task):
        rows = int(re.search(r"ROWS = (\d+)", task.source)[1])
        request = BuildRequest("shared", "kernel", {"kernel.cpp": self.text(rows)}, [], [])
        self.language.build(request, None, 1.0, None)
        checks = (Check("backward/1", self.gradients(rows)),) if self.gradients else ()
        status = self.verdict(rows, task.source)
        return exported.evaluation(status=status, checks=checks, reason="" if status == "PASSED" else "no")


@pytest.fixture
def examined(monkeypatch):
    """Examines an answer with a judge of these opinions."""

    def examine(source=exported.ANSWER, text=lambda rows: "", verdict=None, gradients=lambda rows: None):
        examiner = Examiner("process", "native")
        examiner._languages["cpp"] = language = Shipping(Language(), "native")
        says = verdict or (lambda rows, task: Status.PASSED)
        monkeypatch.setattr(
            Examiner,
            "_judge",
            lambda self, *, quick, gradients=False: Judge(
                language, text, says, opinion if gradients else None
            ),
        )
        opinion = gradients
        return examiner.examine(Winner(exported.task(), Kernel.from_source(source, "cpp")))

    return examine


def statuses(found):
    return {variant.sizes["ROWS"]: variant.status for variant in found.variants}


def test_what_fails_with_the_packages_flags_is_refused(examined):
    found = examined(verdict=lambda rows, task: Status.WRONG_VALUE)
    assert found.refusal == "with the package's flags it is WRONG_VALUE: no" and not found.variants


def test_what_does_not_follow_its_weights_is_refused(examined):
    others = "_with_other_weights"
    found = examined(verdict=lambda rows, task: Status.CRASHED if others in task else Status.PASSED)
    assert found.refusal.startswith("it does not follow its weights")


def test_sizes_that_pass_are_let_in_and_a_kernel_without_gradients_has_none(examined):
    found = examined(verdict=lambda rows, task: Status.CRASHED if rows == 3 else Status.PASSED)
    assert statuses(found)[3] == "CRASHED" and statuses(found)[6] == "PASSED"
    assert found.backward == "" and [dict(one.sources) for one in found.requests] == [{"kernel.cpp": ""}]


def test_a_text_that_is_made_for_one_size_is_let_in_for_no_other(examined):
    found = examined(text=lambda rows: f"// {rows}")
    assert set(statuses(found).values()) == {"OTHER_TEXT"} and len(found.requests) == 1
    let_in = domain(outline(exported.task()), found.variants)
    assert let_in["tested"] == [[]] and let_in["unseen"] is False


def test_a_kernels_gradients_are_its_own_where_they_are_right(examined):
    wrong = {3: Status.WRONG_VALUE}
    found = examined(OWN_BACKWARD, gradients=lambda rows: wrong.get(rows, Status.PASSED))
    assert found.backward == OWN
    own = {one.sizes["ROWS"]: one.backward for one in found.variants}
    assert own[3] is False and own[6] is True and set(statuses(found).values()) == {"PASSED"}


def test_a_kernel_whose_gradients_are_wrong_is_exported_without_them(examined):
    found = examined(OWN_BACKWARD, gradients=lambda rows: Status.WRONG_VALUE)
    assert found.backward == "WRONG_VALUE" and not found.refusal
    assert not any(one.backward for one in found.variants)
