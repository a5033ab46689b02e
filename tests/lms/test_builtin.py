"""The builtin writer: honest about what it is, deterministic, and taught by the prompt alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.lms import LMOptions, Prompt
from kernelopt.lms._builtin.skills import BY_NAME, SKILLS, asked_for, taught
from kernelopt.lms.builtin import DESCRIPTION, Builtin
from kernelopt.prompting.components import COMPONENTS, seed_candidate
from kernelopt.prompting.extract import extract_kernel, extract_text
from kernelopt.prompting.render import Brief, generate_prompt, refine_prompt, reflect_prompt
from kernelopt.testing import LMContract

SOFTMAX = """
import torch
from torch import nn

class Model(nn.Module):
    def forward(self, x):
        return torch.softmax(x, dim=-1)

def get_inputs():
    return [torch.randn(64, 37)]

def get_init_inputs():
    return []
"""
BRIEF = Brief(task_text=SOFTMAX, guide="write C++", machine="2 cores")


def ask(prompt):
    return Builtin("", LMOptions()).complete(prompt).text


def candidate(**changes):
    return {**seed_candidate(), **changes}


def skills_of(reply):
    (line,) = [line for line in extract_kernel(reply).source.splitlines() if line.startswith("# skills:")]
    return set(line.partition(":")[2].split())


class TestContract(LMContract):
    @pytest.fixture
    def lm(self):
        return Builtin("", LMOptions())

    @pytest.fixture
    def answers(self):
        texts = [SOFTMAX, SOFTMAX.replace("softmax", "log_softmax")]
        return {generate_prompt(seed_candidate(), Brief(text, "g", "m")): None for text in texts}


def test_it_says_what_it_is():
    reply = Builtin("", LMOptions()).complete(generate_prompt(seed_candidate(), BRIEF))
    assert "rule-based, for demonstration and tests" in reply.text
    assert reply.model == DESCRIPTION
    assert reply.cost_usd == 0


def test_the_same_prompt_gets_the_same_answer():
    prompt = generate_prompt(seed_candidate(), BRIEF)
    assert ask(prompt) == ask(prompt)


def test_the_seed_prompt_teaches_nothing():
    assert skills_of(ask(generate_prompt(seed_candidate(), BRIEF))) == set()


@pytest.mark.parametrize("skill", SKILLS, ids=lambda skill: skill.name)
def test_each_line_of_guidance_teaches_its_skill_and_no_other(skill):
    assert taught(skill.line) == {skill.name}


@pytest.mark.parametrize(
    ("sentence", "skill"),
    [
        ("Use OpenMP to spread rows over all cores.", "threads"),
        ("Remember the remainder when the size is no multiple of the unroll factor.", "tail"),
        ("Always #include <cmath>.", "includes"),
        ("Prefer expf and 1.0f.", "float_math"),
        ("Tile the matrix product.", "blocking"),
    ],
)
def test_other_words_for_it_are_understood(sentence, skill):
    assert skill in taught(sentence)


def test_forbidding_a_thing_does_not_teach_it():
    assert "threads" not in taught("Do not use OpenMP.")


def test_a_refinement_mends_one_thing_and_keeps_what_it_knew():
    first = extract_kernel(ask(generate_prompt(candidate(generate="Use OpenMP."), BRIEF))).source
    feedback = "'exp' was not declared in this scope; loop was not vectorized"
    reply = ask(refine_prompt(candidate(generate="Use OpenMP."), BRIEF, first, feedback))
    assert skills_of(reply) == {"threads", "includes"}


def test_told_to_be_thorough_it_mends_everything_at_once():
    refine = "Apply every remedy that the feedback names, not only the first."
    first = extract_kernel(ask(generate_prompt(seed_candidate(), BRIEF))).source
    feedback = "'exp' was not declared in this scope; loop was not vectorized; runs on one thread"
    reply = ask(refine_prompt(candidate(refine=refine), BRIEF, first, feedback))
    assert skills_of(reply) == {"includes", "simd", "threads"}


def test_code_in_the_kernel_section_is_never_executed(tmp_path):
    trap = tmp_path / "trap"
    evil = f"open({str(trap)!r}, 'w').write('x')\nclass ModelNew: ...\n"
    ask(refine_prompt(seed_candidate(), BRIEF, evil, "nothing"))
    assert not trap.exists()


def test_an_unknown_operator_is_said_and_scores_nothing():
    unknown = SOFTMAX.replace("torch.softmax(x, dim=-1)", "torch.linalg.svd(x)[0]")
    reply = ask(generate_prompt(seed_candidate(), Brief(unknown, "g", "m")))
    assert "do not know" in reply
    assert not extract_kernel(reply).source


def test_reflection_adds_the_most_frequent_causes_two_at_a_time():
    records = [
        "runs on one thread; loop was not vectorized",
        "runs on one thread",
        "'exp' was not declared in this scope",
    ]
    text = extract_text(ask(reflect_prompt("generate", seed_candidate()["generate"], records)))
    assert taught(text) == {"includes", "threads"}
    assert text.startswith(seed_candidate()["generate"])


def test_reflection_with_nothing_to_say_changes_nothing():
    current = seed_candidate()["generate"]
    assert extract_text(ask(reflect_prompt("generate", current, ["all is well"]))) == current


def test_reflection_on_refine_asks_for_thoroughness_once():
    current = seed_candidate()["refine"]
    once = extract_text(ask(reflect_prompt("refine", current, ["runs on one thread"])))
    assert "every remedy" in once
    assert extract_text(ask(reflect_prompt("refine", once, ["runs on one thread"]))) == once


@given(st.sampled_from(COMPONENTS), st.lists(st.text(), max_size=3))
def test_whatever_the_records_hold_the_reply_is_a_whole_component(component, records):
    text = extract_text(ask(reflect_prompt(component, seed_candidate()[component], records)))
    assert text is not None
    assert text.startswith(seed_candidate()[component][:10])


@given(st.text())
def test_any_prompt_is_answered(text):
    assert ask(Prompt("s", text))


def test_every_skill_answers_some_complaint():
    for skill in SKILLS:
        assert skill.answers
        assert skill.name in asked_for(skill.answers[0])
    assert set(BY_NAME) == {skill.name for skill in SKILLS}
