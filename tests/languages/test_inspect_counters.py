"""Statics in C++ that count, and methods of structs: what is the kernel's own, and what only looks so."""

import pytest
from inspected import beside, extension, found, native, rules

LOOP = "for (int64_t i = 0; i < n; ++i) y[i] = x[i];"
OWN_NUMBERS = {
    "a tile counter that each call sets": native(
        f"static std::atomic<int64_t> tile; tile = 0;\n while (tile < 64) {{ int64_t t = tile++; {LOOP} }}"
    ),
    "a tile counter that each call stores to": native(
        f"static std::atomic<int> tile; tile.store(0);\n while (tile < 64) {{ tile.fetch_add(1); {LOOP} }}"
    ),
    "a depth of recursion": beside(
        "static thread_local int depth = 0;\n"
        "static void work(int n) { ++depth; if (depth > 8) { --depth; return; } work(n - 1); --depth; }"
    ),
    "a depth that a guard counts": beside(
        "static int depth = 0;\nstruct Deeper { Deeper() { ++depth; } ~Deeper() { --depth; } };\n"
        "static void work(int n) { if (depth > 6) return; Deeper deeper; work(n / 2); }"
    ),
    "a loop over a static": native("static int block = 0;\nfor (block = 1; block < 64; ++block) *y = 0;"),
}
COUNTS = {
    "calls": "static int calls = 0;\nif (++calls > 9) return;",
    "calls, set back now and then": "static int calls = 0;\nif (++calls > 9) { calls = 0; return; }",
    "calls, set back without braces": "static int calls = 0;\nif (++calls > 9) calls = 0;",
    "calls, set back behind the question": "static int calls = 0;\nif (++calls < 9) return;\ncalls = 0;",
    "calls, set back inside of two blocks": "static int calls = 0;\nif (n > 9) { { calls = 0; } }\n"
    "if (++calls > 9) return;",
    "calls, set back by a loop over them": "static int calls = 0;\nwhile (calls > 99) { calls = 0; }\n"
    "if (++calls > 9) return;",
    "calls, counted down at times": "static int calls = 0;\nif (n < 0) --calls;\nif (++calls > 9) n = 0;",
}
ACCUMULATOR = """
struct Mean {
  double total = 0;
  double mean(int n) const { return total / n; }
};
"""
TENSOR = "torch::Tensor f(torch::Tensor x) {{ {} }}"


@pytest.mark.parametrize("source", OWN_NUMBERS.values(), ids=OWN_NUMBERS)
def test_a_number_that_every_call_begins_anew_is_fine(source: str):
    assert found(source) == []


@pytest.mark.parametrize("code", COUNTS.values(), ids=COUNTS)
def test_a_number_that_outlives_the_call_is_not(code: str):
    assert rules(native(code)) == {"memory"}


def test_calls_that_another_function_sets_back_are_counted():
    assert rules(
        beside(
            "static int calls = 0;\nstatic void unused() { calls = 0; }\n"
            "static bool late() { return ++calls > 9 ? true : false; }"
        )
    ) == {"memory"}


@pytest.mark.parametrize("call", ["Mean m; m.mean(3)", "Mean all[2]; all[0].mean(3)", "Mean{}.mean(3)"])
def test_a_method_of_a_struct_is_its_own(call: str):
    body = f"{call}; return torch::empty_like(x);"
    assert found(extension(ACCUMULATOR + TENSOR.format(body))) == []


@pytest.mark.parametrize("body", ["return x.mean();", "auto y = torch::empty_like(x); return y.mean(0);"])
def test_a_tensor_has_the_operator_whatever_a_struct_defines(body: str):
    (finding,) = found(extension(ACCUMULATOR + TENSOR.format(body)))
    assert finding.rule == "fallback" and ".mean(" in finding.message


def test_a_function_named_like_an_operator_makes_no_method():
    assert rules(extension("torch::Tensor relu(torch::Tensor x) { return (x).contiguous().relu(); }")) == {
        "fallback"
    }


def test_the_name_of_what_is_called_is_shown_in_full():
    (finding,) = found(extension(TENSOR.format("return input.mean();")))
    assert "calls input.mean(" in finding.message


@pytest.mark.parametrize("name", ["cpu_kernel", "cpu_kernel_vec", "cpu_serial_kernel"])
def test_a_loop_over_a_lambda_of_its_own_is_no_library(name: str):
    body = (
        f"auto it = at::TensorIterator::unary_op(x, x); at::native::{name}(it, [](float a) {{ return a; }});"
    )
    assert found(extension(TENSOR.format(f"{body} return x;"))) == []


def test_a_kernel_of_the_library_still_is_one():
    assert rules(extension(TENSOR.format("return at::native::softmax_kernel(x);"))) == {"library"}
