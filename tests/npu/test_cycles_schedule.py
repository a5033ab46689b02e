"""Placing instructions: every dependence is kept, no slot is used twice, known loops get known intervals."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelopt.npu.cycles import machine
from kernelopt.npu.cycles.graph import Graph
from kernelopt.npu.cycles.modulo import modulo_schedule, resource_bound
from kernelopt.npu.cycles.straight import list_schedule

AIE2 = machine.load("aie2")
UNITS = (
    "load_scalar",
    "load_vector",
    "store_word",
    "store_part",
    "store_vector",
    "alu",
    "mul",
    "vector_alu",
    "mac_int",
)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Bodies of up to 14 instructions with dependences forward, and back from one iteration to the next."""
    graph = Graph()
    for name in draw(st.lists(st.sampled_from(UNITS), min_size=1, max_size=14)):
        graph.add(AIE2.units[name], 2)
    count = len(graph.units)
    for source, sink, latency in draw(
        st.lists(
            st.tuples(st.integers(0, count - 1), st.integers(0, count - 1), st.integers(-6, 7)), max_size=20
        )
    ):
        if source < sink:
            graph.edge(source, sink, latency)
        else:
            graph.edge(source, sink, max(latency, 1), 1)
    return graph


def broken(graph: Graph, times: tuple[int, ...], ii: int = 0) -> list[str]:
    """Everything that is wrong with a schedule."""
    wrong = [
        f"{edge}"
        for edge in graph.edges
        if (not edge.distance or ii)
        and times[edge.sink] + ii * edge.distance < times[edge.source] + edge.latency
    ]
    rows = {node: time % ii if ii else time for node, time in enumerate(times)}
    for row in set(rows.values()):
        here = [graph.units[node] for node in rows if rows[node] == row]
        wrong += [] if placeable(here) else [f"too many in cycle {row}"]
    for node, unit in enumerate(graph.units):
        for other, there in enumerate(graph.units):
            apart = times[other] - times[node]
            near = apart % ii if ii else apart
            if unit.blocks and there.memory and node != other and 0 <= near < unit.blocks:
                wrong.append(f"{other} touches memory {near} after the part-word store {node}")
    return wrong


def placeable(units: list[machine.Unit]) -> bool:
    """Whether one bundle holds them all."""
    ways = [Counter[str]()]
    for unit in units:
        ways = [way + Counter([slot]) for way in ways for slot in unit.slots if way[slot] < AIE2.slots[slot]]
    return bool(ways)


@given(graphs())
@settings(max_examples=150, deadline=None)
def test_straight_code_keeps_every_dependence_and_slot(graph):
    assert broken(graph, list_schedule(graph, AIE2.slots).times) == []


@given(graphs())
@settings(max_examples=100, deadline=None)
def test_a_pipelined_loop_keeps_every_dependence_and_slot(graph):
    found = modulo_schedule(graph, AIE2.slots, 60)
    if found is not None:
        assert broken(graph, found.times, found.ii) == []
        assert found.ii >= resource_bound(graph, AIE2.slots)[0]


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_few_registers_make_code_no_shorter(graph):
    free = list_schedule(graph, AIE2.slots).length
    tight = list_schedule(graph, AIE2.slots, {"vector": 4, "accumulator": 4})
    assert broken(graph, tight.times) == []
    assert tight.length >= free - 6  # another order may be luckier, by less than a load


def loop(*names: str) -> Graph:
    """A chain of instructions."""
    graph = Graph()
    for name in names:
        graph.add(AIE2.units[name])
    for node in range(1, len(names)):
        graph.edge(node - 1, node, graph.units[node - 1].latency)
    return graph


def test_a_loop_with_one_store_runs_every_cycle():
    found = modulo_schedule(loop("load_vector", "vector_alu", "store_vector"), AIE2.slots, 20)
    assert (found.ii, found.length) == (1, 10)


def test_two_stores_an_iteration_bind_the_store_slot():
    graph = loop("load_vector", "vector_alu", "store_vector")
    graph.edge(1, graph.add(AIE2.units["store_vector"]), 2)
    found = modulo_schedule(graph, AIE2.slots, 20)
    assert (found.ii, found.limit) == (2, "slot st")


def test_a_float_accumulator_comes_back_after_four_cycles():
    graph = loop("load_vector", "mac_float")
    graph.edge(1, 1, AIE2.units["mac_float"].chain, 1)
    found = modulo_schedule(graph, AIE2.slots, 20)
    assert (found.ii, found.limit) == (4, "recurrence")


def test_a_store_of_eight_bits_blocks_memory_for_seven_cycles():
    graph = Graph()
    graph.add(AIE2.units["store_part"])
    graph.edge(0, graph.add(AIE2.units["load_scalar"]), 0)
    assert list_schedule(graph, AIE2.slots).times == (0, 7)


def test_an_impossible_interval_is_no_schedule():
    graph = loop("alu", "alu")
    graph.edge(1, 0, 30, 1)
    assert modulo_schedule(graph, AIE2.slots, 20) is None


def test_nothing_takes_no_time():
    assert list_schedule(Graph(), AIE2.slots).length == 0
    assert modulo_schedule(Graph(), AIE2.slots, 5) is None


@pytest.mark.parametrize("name", machine.names())
def test_each_machine_names_only_units_that_it_has(name):
    data = machine.load(name).data
    rows = [*data["operations"].values(), *data["scalar_operations"].values()]
    named = {
        unit for row in rows for key in ("steps", "fold", "before", "then") for unit, _ in row.get(key, ())
    }
    assert named <= set(data["units"])
    assert {slot for unit in data["units"].values() for slot in unit["slots"]} <= set(data["slots"])


@pytest.mark.parametrize("name", machine.names())
def test_each_figure_of_a_machine_names_its_source(name):
    data = machine.load(name).data
    assert all(row["source"] for row in (*data["units"].values(), *data["library"].values()))
    assert all(compiler["source"] for compiler in data["compilers"].values())
    assert {row["library"] for row in data["scalar_operations"].values() if "library" in row} <= set(
        data["library"]
    )
