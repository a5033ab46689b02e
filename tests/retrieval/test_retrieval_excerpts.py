"""Excerpts: whole sentences and whole code blocks, never more than the budget."""

from hypothesis import given
from hypothesis import strategies as st

from kernelopt.retrieval.excerpts import cut

CODE = "```cpp\nfloat s = 0.5f; // a dot. Then more\nreturn s;\n```"
TEXT = f"First sentence with 0.5f in it. Second one?\n\n{CODE}\n\nThird, after the code."


def test_a_text_that_fits_is_kept_as_it_is():
    assert cut(TEXT, 1000) == TEXT


def test_cut_at_the_end_of_a_sentence():
    assert cut(TEXT, 40) == "First sentence with 0.5f in it."
    assert cut(TEXT, 50) == "First sentence with 0.5f in it. Second one?"


def test_code_is_kept_whole_or_not_at_all():
    with_code = TEXT.index("Third") - 2
    assert cut(TEXT, with_code) == TEXT[:with_code]
    assert cut(TEXT, with_code - 1) == "First sentence with 0.5f in it. Second one?"


def test_a_sentence_longer_than_the_budget_is_cut_between_words():
    assert cut("One two three four five.", 12) == "One two …"


@given(
    st.lists(st.sampled_from(["One.", "Two words?", "x = 0.5f;", "\n\n", CODE, "etc"])), st.integers(0, 200)
)
def test_never_longer_than_the_budget_and_always_from_the_beginning(pieces, budget):
    text = "\n".join(pieces)
    kept = cut(text, budget)
    assert len(kept) <= budget
    assert text.strip().startswith(kept.removesuffix(" …"))
    assert kept.count("```") % 2 == 0 or kept.endswith("…")
