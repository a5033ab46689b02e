"""Text fits its budget, is cut at line ends, and nothing in it breaks out of its fence."""

from hypothesis import given
from hypothesis import strategies as st

from kernelopt.feedback.text import Part, assemble, cut, fenced, inline, quoted, tokens
from kernelopt.prompting.render import Section, join, parse_sections

TEXT = st.text(alphabet=st.sampled_from("ab `#\n.\r\t\x1b\u2028"), max_size=60)
PLAIN = st.text(alphabet="abc ", min_size=1, max_size=30)
LINES = st.lists(PLAIN | st.lists(PLAIN).map(lambda x: "\n".join(fenced(x))), max_size=12).map(
    lambda blocks: [line for block in blocks for line in block.split("\n")]
)


def test_a_token_is_four_characters():
    assert [tokens(text) for text in ("", "abc", "abcd", "abcde")] == [0, 1, 1, 2]


@given(TEXT)
def test_inline_text_is_one_line_without_control_characters(text):
    assert all(c.isprintable() for c in inline(text))
    assert len(inline(text, 10)) <= 10


@given(st.lists(TEXT))
def test_a_fence_holds_whatever_is_put_in(lines):
    body = "\n".join([*fenced(lines), "", "# Next", "", "end"])
    assert parse_sections(body) == {"Next": "end"}


@given(TEXT)
def test_a_quotation_holds_no_heading_and_no_fence(text):
    assert (
        parse_sections(join([Section("A", "\n".join(quoted(text)) or "x"), Section("B", "end")]))["B"]
        == "end"
    )


@given(LINES, st.integers(0, 300))
def test_a_cut_fits_keeps_leading_lines_and_closes_its_fences(lines, characters):
    kept = cut(lines, characters)
    assert len("\n".join(kept)) <= max(characters, len("\n".join(lines)) if kept == lines else characters)
    assert sum(line.startswith("```") for line in kept) % 2 == 0
    if len("\n".join(lines)) <= characters:
        assert kept == lines
    elif len(kept) > 2:
        assert kept[0] == lines[0]
        assert kept[-1] == "..."


@given(st.lists(st.tuples(LINES, st.sampled_from([0.1, 0.4, 0.8])), max_size=5), st.integers(0, 200))
def test_assembled_parts_fit_the_budget(parts, budget):
    text = assemble([Part("Head", lines, share) for lines, share in parts], budget)
    assert tokens(text) <= budget


def test_room_that_one_part_does_not_need_goes_to_the_first_that_does():
    long = ["x" * 39] * 100
    text = assemble([Part("A", ["short"], 0.5), Part("B", long, 0.2), Part("C", long, 0.2)], 500)
    first, second, third = text.split("\n\n")
    assert first == "### A\nshort"
    assert len(second) > 2.5 * len(third)
    assert tokens(text) > 480
