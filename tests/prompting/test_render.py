"""Prompts are made of sections that a reader, human or rule-based, can take apart again."""

from hypothesis import given
from hypothesis import strategies as st

from kernelopt.prompting import render
from kernelopt.prompting.components import fill_query, seed_candidate

BRIEF = render.Brief(task_text="class Model: ...\n# not a heading\n", guide="GUIDE", machine="2 cores")


def test_generate_prompt_carries_guidance_task_guide_and_machine():
    prompt = render.generate_prompt(seed_candidate(), BRIEF)
    sections = render.parse_sections(prompt.user)
    assert sections[render.GUIDANCE] == seed_candidate()["generate"]
    assert "# not a heading" in sections[render.TASK]
    assert sections[render.MACHINE] == "2 cores"
    assert "GUIDE" in prompt.system


def test_refine_prompt_adds_kernel_and_outcome():
    prompt = render.refine_prompt(seed_candidate(), BRIEF, "class ModelNew: ...", "too slow")
    sections = render.parse_sections(prompt.user)
    assert sections[render.OUTCOME] == "too slow"
    assert "ModelNew" in sections[render.KERNEL]
    assert sections[render.REFINEMENT] == seed_candidate()["refine"]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])))
def test_any_kernel_text_survives_fencing(text):
    body = render.join([render.Section("A", render.fenced(text)), render.Section("B", "end")])
    assert render.parse_sections(body)["B"] == "end"


@given(st.text())
def test_any_query_template_can_be_filled(template):
    assert isinstance(fill_query(template, {"operator": "softmax"}), str)


def test_query_fields_are_filled():
    assert (
        fill_query("{operator}: {error} {x}", {"operator": "sum", "error": "no 'expf'"})
        == "sum: no 'expf' {x}"
    )
