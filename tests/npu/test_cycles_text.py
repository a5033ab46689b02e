"""Reading g++'s dump, pragmas and names: what the cycle model knows of a kernel."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernelopt.npu.cycles import costs, gimple, hints, machine
from kernelopt.npu.cycles.trips import static_trips
from kernelopt.npu.cycles.values import Address, Values, may_alias, number

DUMP = """
;; Function aieop::add<signed char, 64> (_ZN5aieop3addIaLj64EEE, funcdef_no=3, decl_uid=1)

;; Function shift (_Z5shiftPaS_i, funcdef_no=6, decl_uid=2290, cgraph_uid=7, symbol_order=6) (hot)

Removing basic block 5
;; basic block 5, loop depth 1
;;  pred:
void shift (int8_t * restrict in, int8_t * out, int n)
{
  int i;
  sizetype _1;
  signed char _3;
  vector(64) signed char v;
  int8_t table[64];

;;   basic block 2, loop depth 0, count 1 (precise)
;;    succ:       3 [always]  count:1 (precise) (FALLTHRU,EXECUTABLE)

;;   basic block 3, loop depth 1, count 256 (precise)
;;    pred:       3 [99.0% (guessed)]  count:255 (precise) (TRUE_VALUE,EXECUTABLE)
;;                2 [always]  count:1 (precise) (FALLTHRU,EXECUTABLE)
  # gimple_phi <i_19, [kernel.cc:13:45] i_16(3), [kernel.cc:13:53] 0(2)>
  # gimple_phi <ivtmp_24, ivtmp_23(3), 256(2)>
  [kernel.cc:13:78] gimple_assign <nop_expr, _1, i_19, NULL, NULL>
  [kernel.cc:13:79] gimple_assign <pointer_plus_expr, _2, in_12(D), _1, NULL>
  [header.hpp:99:79] gimple_assign <mem_ref, _3, [kernel.cc:13:79] *_2, NULL, NULL>
  [kernel.cc:14:10] gimple_call <_ZN5aieop3addIaLj64EEE, v_5, v_4, v_4> [return slot optimization]
  [kernel.cc:14:12] gimple_call <event1, NULL>
  gimple_assign <ssa_name, [kernel.cc:13:73] MEM[(int8_t *)out_14(D) + 3B], _3, NULL, NULL>
  [kernel.cc:13:45] gimple_assign <plus_expr, i_16, i_19, 1, NULL>
  [kernel.cc:13:58] gimple_assign <plus_expr, ivtmp_23, ivtmp_24, 4294967295, NULL>
  [kernel.cc:13:58] gimple_cond <ne_expr, ivtmp_23, 0, NULL, NULL>
    goto <bb 3>; [99.00%]
  else
    goto <bb 4>; [1.00%]
;;    succ:       3 [99.0% (guessed)]  count:255 (precise) (TRUE_VALUE,EXECUTABLE)
;;                4 [1.0% (guessed)]  count:1 (precise) (FALSE_VALUE,EXECUTABLE)

;;   basic block 4, loop depth 0, count 1 (precise)
  gimple_return <NULL>
;;    succ:       EXIT [always]  count:1 (precise) kernel.cc:13:86

}
"""


@pytest.fixture
def function() -> gimple.Function:
    return gimple.parse(DUMP, "kernel.cc")[0]


def test_a_function_has_its_blocks_with_their_counts_and_ways(function):
    assert function.name == "shift"
    assert {n: (b.count, b.successors) for n, b in function.blocks.items()} == {
        2: (1, [3]),
        3: (256, [3, 4]),
        4: (1, []),
    }
    assert function.blocks[3].edge_counts == {3: 255, 4: 1}


def test_parameters_and_variables_have_their_types(function):
    assert function.parameters == {"in": "int8_t * restrict", "out": "int8_t *", "n": "int"}
    assert function.type_of("v_5") == "vector(64) signed char"
    assert function.type_of("_3") == "signed char"


def test_calls_are_named_as_a_person_writes_them(function):
    named = [(s.op, s.target, s.operands) for s in function.blocks[3].statements if s.code == "call"]
    assert named == [("aieop::add<signed char, 64>", "v_5", ("v_4", "v_4")), ("event1", "", ())]


def test_only_lines_of_the_kernel_count(function):
    assert [s.line for s in function.blocks[3].statements[:4]] == [13, 13, 0, 14]


def test_the_text_alone_tells_how_often_a_loop_runs(function):
    assert static_trips(function.blocks[3], Values(function)) == 256


def test_addresses_are_linear_in_what_moves(function):
    values = Values(function)
    assert values.address("*_2", 8) == Address("in", True, False, (("i_19", 1), ("in_12(D)", 1)), 0, 8)
    assert values.address("MEM[(int8_t *)out_14(D) + 3B]", 8).offset == 3
    moved = values.address("MEM[(struct bfloat16 &)_2].bits", 16)
    assert (moved.root, moved.terms, moved.exact) == ("in", (("i_19", 1), ("in_12(D)", 1)), True)
    assert values.address("_2->bits", 16) == moved
    assert not values.address("out_14(D)->other", 16).exact
    assert values.address("table[5]", 8) == Address("table", False, True, (), 5, 8)


@given(st.text(max_size=2000))
def test_no_text_is_too_strange_to_parse(text):
    gimple.parse(text, "kernel.cc")
    gimple.parse(DUMP.replace("plus_expr", text[:40]), "kernel.cc")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a, b", ["a", "b"]),
        ("aieop::mac<accfloat, bfloat16, 16>, _1", ["aieop::mac<accfloat, bfloat16, 16>", "_1"]),
        ("cond_expr, x, a < b, c, d", ["cond_expr", "x", "a < b", "c", "d"]),
        ("{ 0, 0 }(2), MEM <int> [(int *)p]", ["{ 0, 0 }(2)", "MEM <int> [(int *)p]"]),
        ("p->x, q", ["p->x", "q"]),
    ],
)
def test_arguments_split_outside_of_brackets(text, parts):
    assert gimple.arguments(text) == parts


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("-3", -3), ("4294967295", -1), ("18446744073709551552", -64), ("x", None)]
)
def test_constants_are_as_signed_as_addresses_need_them(text, value):
    assert number(text) == value


def access(root: str, offset: int = 0, *, restrict: bool = False, local: bool = False) -> Address:
    return Address(root, restrict, local, (("i_1", 1),), offset, 256)


def test_a_restrict_pointer_overlaps_only_itself():
    assert not may_alias(access("a", restrict=True), access("b"))
    assert may_alias(access("a"), access("b"))
    assert may_alias(access("a", restrict=True), access("a", restrict=True))


def test_constant_distances_decide_within_one_pointer():
    assert may_alias(access("a"), access("a", 31))
    assert not may_alias(access("a"), access("a", 32))
    assert not may_alias(access("a"), access("a"), 32)
    assert may_alias(access("a"), access("a"), None)


def test_a_table_of_ones_own_overlaps_no_buffer():
    assert not may_alias(access("table", local=True), access("out"))


SOURCE = """#define AIE_LOOP_MIN_ITERATION_COUNT(n)
void f() {
    AIE_LOOP_MIN_ITERATION_COUNT(16)
    AIE_PREPARE_FOR_PIPELINING
    for (int i = 0; i < n; ++i)
        x();
    for (int i = 0; i < n; i++)
        chess_prepare_for_pipelining chess_loop_range(4, ) { x(); }
    #pragma unroll(2)
    for (;;) {}
    AIE_LOOP_UNROLL_FULL
    for (;;) {}
    #pragma clang loop min_iteration_count(9)
    while (y) {} // AIE_LOOP_UNROLL(3)
}
"""


def test_pragmas_belong_to_the_loop_that_they_stand_at():
    found = hints.read(SOURCE)
    assert {line: (h.minimum, h.unroll, h.full, h.prepare) for line, h in found.items()} == {
        5: (16, 0, False, True),
        7: (4, 0, False, True),
        10: (0, 2, False, False),
        12: (0, 0, True, False),
        14: (9, 0, False, False),
    }


def test_a_local_restrict_pointer_makes_its_source_one():
    text = "const int8_t *__restrict p = in;\nint8_t *restrict q = (int8_t *)out + 3;\nint8_t *r = other;\n"
    assert hints.restricted(text) == {"in", "out"}


AIE2 = machine.load("aie2")


def steps(name: str) -> list[tuple[str, int]]:
    return costs.vector_cost(AIE2, costs.call(name)).steps


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("aieop::add<signed char, 64>", [("vector_alu", 1)]),
        ("aieop::add<signed char, 128>", [("vector_alu", 2)]),
        ("aieop::mac<acc32, short int, short int, 32>", [("mac_int", 1)]),
        ("aieop::mul<accfloat, bfloat16, bfloat16, 16>", [("vector_move", 1), ("mac_float", 1)]),
        ("aieop::to_vector<short int, acc32, 32>", [("srs", 2)]),
        ("aieop::mmul_mac<4, 8, 4, bfloat16, bfloat16, accfloat>", [("mac_float", 1)]),
        ("aieop::mmul_mac<4, 8, 8, int8, int8, acc32>", [("mac_int", 1)]),
        ("aieop::lt<bfloat16, 32>", [("vector_compare", 1)]),
        ("aieop::concat<bfloat16, 16, 2>", []),
        ("aieop::at_load<bfloat16, 16>", []),
    ],
)
def test_operations_become_the_instructions_of_the_tables(name, expected):
    assert steps(name) == expected


def test_a_reduction_takes_a_round_for_each_halving():
    assert steps("aieop::reduce_add<int, 16>") == [("vector_move", 1), ("vector_alu", 1)] * 4 + [
        ("extract", 1)
    ]


def test_what_no_table_describes_is_said():
    assert "not described" in costs.vector_cost(AIE2, costs.call("aieop::teleport<int, 16>")).note


def test_scalar_float_is_a_routine_and_scalar_bfloat16_goes_through_the_vector_unit():
    assert costs.plain_cost("plus_expr", floating=True, double=False, wide=False).library == "float_add"
    compare = costs.scalar_cost(AIE2, costs.call("aiesc::bf16_lt"))
    assert ("vector_compare", 1) in compare.steps
