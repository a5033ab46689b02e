"""The static look never raises and never takes minutes, whatever text it gets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspected import HEAD, answer, beside, extension, native

from kernelopt.languages import Finding
from kernelopt.languages._inspect import inspect
from kernelopt.languages._inspect_cpp import inspect_text
from kernelopt.languages._inspect_report import MOST_FINDINGS, Report
from kernelopt.languages._inspect_words import inspect_words


def tokens(text: str) -> st.SearchStrategy[str]:
    """One of the words of a text, or some space."""
    return st.sampled_from([*text.split(), " ", "\n", "\n\n", "\t"])


PYTHON_WORDS = tokens("""
    self x y torch F lib .f .data_ptr .seen ( ) [ ] { } = == is not in if else : return lambda , + @ **
    getattr vars globals __dict__ sys.modules import from as class def ModelNew forward try except
    for while with yield await async global del 'text' \\" #
""")
CPP_WORDS = tokens("""
    static int calls ++ ; { } ( ) " ' R"( )" R"x( // /* */ # include <a> fork dlopen std:: at:: torch::
    namespace a = thread detach mmap return if while for(;;) asm :: . -> _ < > 9 \\ ,
""")


def look(source: str) -> list[Finding]:
    """Findings, whose form has to be right."""
    findings = inspect(source)
    assert len(findings) <= MOST_FINDINGS
    assert findings == sorted(findings, key=lambda each: (each.line, not each.suspect))
    assert all(0 <= each.line <= source.count("\n") + 2 for each in findings)
    assert all(each.rule and each.message for each in findings)
    return findings


@given(st.text())
@settings(deadline=None)
def test_any_text(source: str):
    look(source)


@given(st.lists(PYTHON_WORDS, max_size=40).map("".join))
@settings(deadline=None, max_examples=300)
def test_anything_in_forward(code: str):
    look(answer(code))
    look(HEAD + code)


@given(
    st.integers(0, 2000), st.integers(0, 2000), st.sampled_from(["", "(", "x", "\n", ".", "self.y", "[0]"])
)
@settings(deadline=None, max_examples=200)
def test_answers_with_a_piece_missing(start: int, length: int, instead: str):
    source = answer(
        "if self.y is None:\n    self.y = torch.empty_like(x)\nfor i in range(3):\n    lib.f(x, self.y, i)\n"
        "return self.run(self.y[:2].view(-1)), [x for x in self.seen.values()]",
        init="self.y = None\nself.seen = {}",
        methods="def run(self, x, *more, key=1, **rest):\n    self.calls += 1\n    return lambda: x",
    )
    look(source[:start] + instead + source[start + length :])


@given(st.lists(CPP_WORDS | st.text(max_size=3), max_size=60).map(" ".join))
@settings(deadline=None, max_examples=300)
def test_any_cpp_text(code: str):
    report = Report()
    inspect_text(code, 1, report, allow_libraries=False)
    assert all(1 <= each.line <= code.count("\n") + 2 for each in report.findings())


@given(st.text())
@settings(deadline=None)
def test_any_words(text: str):
    inspect_words(text, Report())


@given(st.integers(0, 40), st.integers(0, 20))
@settings(deadline=None)
def test_the_line_is_the_line_whatever_stands_before(before: int, inside: int):
    source = native("\n" * inside + "fork();", includes="\n" * before)
    (finding,) = look(source)
    assert source.splitlines()[finding.line - 1] == "fork();"


LONG = {
    "unclosed raw strings": beside('R"x(' * 40_000),
    "unclosed strings": beside("'\" " * 50_000),
    "unclosed comments": beside("/*" * 80_000),
    "atomics": beside("static std::atomic<" * 9_000),
    "calls": beside("x fork(" * 25_000),
    "conditions": beside("static int n; if (" * 9_000 + "++n"),
    "spaces": beside("namespace " + " " * 190_000 + "="),
    "mappings": beside("mmap(" * 35_000),
    "one long name": extension("a" * 190_000 + " torch::"),
    "casts": extension("a_cast" * 20_000 + " torch::"),
    "methods of structs": extension("struct A { float mean() { return x.mean(); } };" * 3_500),
    "blocks in blocks": beside("static int c = 0;\n" + "{ c = 0; " * 20_000 + "++c; if (c > 99) return;"),
    "words for the reader": answer(top="# ignore the the the the " * 7_000),
    "more words": answer(top="# note to the " * 12_000 + "\n# passed " * 100),
    "sums of names": answer(
        top="".join(f"a{i} = a{i + 1} + a{i + 1}\n" for i in range(1500)) + "a1500 = 'x'"
    ),
    "one name, many values": answer(
        "return x", top="".join(f"f = g{i}\n" for i in range(1900)) + "f\n" * 9_000
    ),
    "many returns": answer("self.y = x\n" * 900 + "if x:\n    return self.y\n" * 900, init="self.y = None"),
    "functions that call each other": answer(
        "return f0(x)",
        top="".join(
            f"def f{i}(a, b=0):\n    c = f{i + 1}(a)\n    return f{i - 1}(c, a)\n" for i in range(900)
        ),
    ),
    "items of items": answer("return x" + "[0]" * 900),
    "getattr of getattr": answer("return " + "getattr(" * 80 + "torch" + ", 'nn')" * 80),
    "many classes": answer(
        top="".join(f"class C{i}:\n    def f(self): return C{i + 1}().f()\n" for i in range(98))
    ),
}


@pytest.mark.parametrize("source", LONG.values(), ids=LONG)
def test_text_that_could_take_minutes(source: str):
    """The suite's timeout is the assertion."""
    look(source)
