"""Layers may write into memory that the model keeps, as long as the last one does not."""

import pytest
from inspected import answer, found, rules

INIT = """
self.layers = nn.ModuleList([nn.Linear(3, 3)])
self.pair = [torch.empty(3, 3) for _ in range(2)]
self.n = 3
"""
LOOP = """
layers = list(self.layers)
h = x
for i, layer in enumerate(layers):
    {}
    lib.f(h, out, 9)
    h = out
return h
"""
CHOICE = "out = torch.empty(3, 3) if {} else self.pair[i % 2]"
REVERSED = "out = self.pair[i % 2] if {} else torch.empty(3, 3)"
BLOCKS = "if {}:\n        out = torch.empty(3, 3)\n    else:\n        out = self.pair[i % 2]"


def layered(choice: str, loop: str = LOOP) -> str:
    return answer(loop.format(choice), init=INIT)


def ranged(count: str, test: str) -> str:
    return layered(CHOICE.format(test), LOOP.replace("i, layer in enumerate(layers)", f"i in range({count})"))


LITERAL = LOOP.replace("list(self.layers)", "[self.layers[0], self.n]")
FINE = {
    "the last number": layered(CHOICE.format("i == len(layers) - 1")),
    "one more than the number": layered(CHOICE.format("i + 1 == len(layers)")),
    "another number than the last": layered(REVERSED.format("i != len(layers) - 1")),
    "a smaller number than the last": layered(REVERSED.format("i < len(layers) - 1")),
    "a name for it": layered("last = i == len(layers) - 1\n    " + CHOICE.format("last")),
    "not": layered("more = i < len(layers) - 1\n    " + CHOICE.format("not more")),
    "blocks": layered(BLOCKS.format("i == len(layers) - 1")),
    "the last item": layered(CHOICE.format("layer is layers[-1]")),
    "the last item that is written out": layered(CHOICE.format("layer is self.n"), LITERAL),
    "a number that is written out": layered(CHOICE.format("i == 1"), LITERAL),
    "a range": ranged("len(layers)", "i == len(layers) - 1"),
    "a range of a name": ranged("self.n", "i == self.n - 1"),
    "a range of a number": ranged("3", "i == 2"),
    "a name for the count": layered(
        CHOICE.format("i == depth - 1"), LOOP.replace("h = x\n", "h = x\ndepth = len(layers)\n", 1)
    ),
}
KEPT = {
    "the first number": layered(CHOICE.format("i == 0")),
    "another number": layered(CHOICE.format("i == 0"), LITERAL),
    "any but the last": layered(CHOICE.format("i < len(layers) - 1")),
    "the length of something else": layered(CHOICE.format("i == len(self.pair) - 1")),
    "what the model says": layered(CHOICE.format("self.n")),
    "a loop that may end before": layered(CHOICE.format("i == len(layers) - 1") + "\n    if h is x: break"),
    "a pass that may be left": layered(CHOICE.format("i == len(layers) - 1") + "\n    if i: return out"),
    "what the pass before left": layered(
        "h = out\n    " + CHOICE.format("i == len(layers) - 1"), LOOP.replace("    h = out\n", "")
    ),
    "a choice that is not always made": layered(
        "if self.n:\n        " + CHOICE.format("i == len(layers) - 1")
    ),
    "what only another pass hands on": layered(
        CHOICE.format("i == len(layers) - 1"),
        LOOP.replace("    h = out\n", "    if i == 0:\n        h = out\n"),
    ),
    "numbers that begin with one": layered(
        CHOICE.format("i == len(layers) - 1"), LOOP.replace("enumerate(layers)", "enumerate(layers, 1)")
    ),
    "numbers that begin later": layered(
        CHOICE.format("i == len(layers) - 1"),
        LOOP.replace("i, layer in enumerate(layers)", "i in range(1, len(layers))"),
    ),
}


@pytest.mark.parametrize("source", FINE.values(), ids=FINE)
def test_an_output_of_the_last_pass_is_the_calls_own(source: str):
    assert found(source) == []


@pytest.mark.parametrize("source", KEPT.values(), ids=KEPT)
def test_an_output_of_any_other_pass_may_be_what_was_kept(source: str):
    assert "memory" in rules(source)
