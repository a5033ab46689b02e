"""C++ out of replies: the last fence that defines the function of the task."""

from kernelopt.prompting.components import GENERATE, seed_candidate
from kernelopt.prompting.extract import extract_cpp
from kernelopt.prompting.render import Brief, generate_prompt

KERNEL = "#include <aie_api/aie.hpp>\n\nvoid f(int8_t *in, int8_t *out) {\n}\n"


def fenced(text, tag="cpp"):
    return f"```{tag}\n{text}```\n"


def test_the_last_fence_that_defines_the_function_is_taken():
    first, last = KERNEL.replace("{\n}", "{ /* 1 */ }"), KERNEL.replace("{\n}", "{ /* 2 */ }")
    reply = f"Say\n{fenced(first)} or\n{fenced(last)} then\n{fenced('int g();')}"
    assert extract_cpp(reply, "f").source == last


def test_a_declaration_or_a_call_is_no_definition():
    assert "the function f" in extract_cpp(fenced("void f(int);\nvoid g() { f(1); }\n"), "f").problem


def test_a_bare_reply_is_taken_where_there_is_no_fence():
    assert extract_cpp(KERNEL, "f").source == KERNEL


def test_fences_of_other_languages_do_not_count():
    assert not extract_cpp(fenced(KERNEL, "python"), "f").source


def test_a_reply_that_was_cut_off_says_so():
    assert "cut off" in extract_cpp("```cpp\nvoid", "f", "length").problem
    assert extract_cpp(" ", "f").problem == "the reply is empty"


def test_a_prompt_for_a_kernel_speaks_of_kernels_and_not_of_modules():
    candidate = seed_candidate("aie")
    prompt = generate_prompt(candidate, Brief("/* t */", "guide", "machine", language="cpp"))
    assert "```cpp\n/* t */" in prompt.user and "one complete C++ file" in prompt.user
    assert "PyTorch" not in prompt.system + prompt.user
    assert candidate[GENERATE] != seed_candidate()[GENERATE]
