"""A proposal that was rejected before is not made again, and a reflection sees what its component did."""

from types import SimpleNamespace

import pytest

from kernelopt.lms import Completion
from kernelopt.search.adapter import KernelAdapter
from kernelopt.search.reflect import proposal_key

SEED = {"generate": "g", "refine": "r", "retrieval_query": "{error}"}


class Ledger:
    """Answers every reflection with the same text."""

    def __init__(self, text):
        self.text = text

    def ask(self, role, key, prompt):
        return Completion(f"```\n{self.text}\n```")


@pytest.fixture
def adapter():
    made = KernelAdapter(Ledger("a new text"), None, SimpleNamespace(retrieval=True), [], 1)
    yield made
    made.close()


def propose(adapter, component="refine"):
    texts = adapter.propose_new_texts(SEED, {component: [{"record": "x"}]}, [component])
    return {str(name): text for name, text in texts.items()}


def test_a_new_text_is_proposed(adapter):
    assert propose(adapter) == {"refine": "a new text"}


def test_a_proposal_that_was_rejected_is_not_made_again(adapter):
    adapter.rejected.add(proposal_key({**SEED, "refine": "a  new text\n"}))
    assert propose(adapter) == {}
    assert propose(adapter, "generate") == {"generate": "a new text"}


def test_a_template_of_a_query_that_is_too_long_is_not_proposed(adapter):
    adapter._ledger.text = "word " * 200
    assert propose(adapter, "retrieval_query") == {}
    assert propose(adapter)["refine"].startswith("word")
