"""Search terms: identifiers stay whole, their parts are found too, words meet by their stem."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.retrieval.tokens import stem, tokenize

IDENTIFIERS = st.from_regex(
    r"[a-z_][a-zA-Z0-9_]{0,12}((::|\.|->)[a-z_][a-zA-Z0-9_]{0,12}){0,2}", fullmatch=True
)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("cp.async", {"cp.async", "cp", "async"}),
        ("aie::mac", {"aie::mac", "aie", "mac"}),
        ("__shfl_down_sync(mask, v, 1)", {"__shfl_down_sync", "shfl", "down", "sync", "mask"}),
        ("LayerNorm", {"layernorm", "layer", "norm"}),
        ("layer_norm", {"layer_norm", "layernorm", "layer", "norm"}),
        ("MaxPool2d", {"maxpool2d", "max", "pool", "2d"}),
        ("_mm256_loadu_ps", {"_mm256_loadu_ps", "256", "loadu", "ps"}),
        ("-ffast-math", {"ffast-math", "ffast", "math"}),
        ("fast-math", {"fastmath", "fast", "math"}),
        ("p->data", {"p->data", "data"}),
        ("x.size(0)", {"x.size", "size"}),
    ],
)
def test_an_identifier_gives_itself_and_its_parts(text, terms):
    assert terms <= set(tokenize(text))


@pytest.mark.parametrize(
    "group",
    [
        ("vectorised", "vectorized", "vectorize", "vectorisation", "vectorizes"),
        ("stride", "strides", "strided"),
        ("thread", "threads", "threaded"),
        ("pass", "passes"),
        ("alias", "aliases", "aliasing"),
        ("block", "blocks", "blocking", "blocked"),
    ],
)
def test_forms_of_a_word_share_a_stem(group):
    assert len({stem(word) for word in group}) == 1


@pytest.mark.parametrize(("one", "other"), [("max", "min"), ("store", "stride"), ("thread", "threshold")])
def test_different_words_stay_apart(one, other):
    assert stem(one) != stem(other)


def test_common_words_and_punctuation_give_no_terms():
    assert tokenize("the -- of, is: and (a)!?") == []


def test_a_term_that_is_no_word_is_left_out():
    assert tokenize("a" * 500 + " loop") == ["loop"]


@given(st.text(max_size=300))
def test_any_text_gives_plain_lower_case_terms(text):
    terms = tokenize(text)
    assert all(term and term == term.lower() and not any(c.isspace() for c in term) for term in terms)


@given(IDENTIFIERS)
def test_case_of_the_surroundings_does_not_hide_an_identifier(name):
    terms = tokenize(f"call {name}(x);")
    last = name.split("::")[-1].split("->")[-1].split(".")[-1]
    parts = [stem(p) for p in last.lower().split("_") if p.isalpha() and last.islower()]
    assert set(tokenize(name)) <= set(terms)
    assert all(part in terms for part in parts if tokenize(part))


@given(st.from_regex(r"[a-z]{1,20}", fullmatch=True))
def test_a_stem_is_stable(word):
    assert stem(stem(word)) == stem(word)
    assert len(stem(word)) >= min(4, len(word))
