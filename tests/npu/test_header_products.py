"""Matrix blocks of every kind, sliding products, memory and scalars."""

import numpy as np
import pytest
from header_programs import bfloats, floats, needs_compiler, printed

pytestmark = needs_compiler


def blocks(shown):
    return [name[:-2] for name in shown if name.endswith(".c") and name.count(".") == 4]


@pytest.mark.parametrize("arch", [20, 21])
def test_matrix_blocks_are_what_numpy_says(arch):
    shown = printed("products", f"-DKERNELOPT_AIE_ARCH={arch}")
    assert len(blocks(shown)) == {20: 16, 21: 11}[arch]
    for name in blocks(shown):
        m, k, n = map(int, name.split(".")[1:])
        read = {"bfloat16": bfloats, "float": floats}.get(name.split(".")[0], lambda bits: bits)
        a, b = read(shown[f"{name}.a"]).reshape(m, k), read(shown[f"{name}.b"]).reshape(k, n)
        got = (floats(shown[f"{name}.c"]) if "float" in name else shown[f"{name}.c"]).reshape(m, n)
        assert np.array_equal(got, 2 * (a.astype(np.float64) @ b)), name


def test_sliding_products_follow_their_steps():
    shown = printed("products", "-DKERNELOPT_AIE_ARCH=20")
    coeff, data = shown["slide.coeff"], shown["slide.data"]

    def slide(lanes, points, coeff_step, x, y, coeff_start, data_start):
        return np.array(
            [
                sum(
                    coeff[(coeff_start + p * coeff_step) % 16] * data[(data_start + lane * y + p * x) % 64]
                    for p in range(points)
                )
                for lane in range(lanes)
            ]
        )

    first = slide(32, 8, 1, 1, 1, 2, 3)
    assert shown["slide.mul"].tolist() == first.tolist()
    assert shown["slide.mac"].tolist() == (first + slide(32, 8, 1, 1, 1, 0, 0)).tolist()
    assert shown["slide.steps"].tolist() == slide(16, 4, 2, 3, 2, 1, 4).tolist()
    taps = shown["accumulate.taps"]
    assert (
        shown["accumulate"].tolist()
        == (taps[2] * shown["accumulate.x"] + taps[3] * shown["accumulate.y"]).tolist()
    )


def test_loads_stores_and_iterators_touch_what_they_say():
    shown = printed("memory", "-DKERNELOPT_AIE_OPAQUE")
    memory = np.arange(128) * 3 - 50
    assert shown["load16"].tolist() == memory[16:32].tolist()
    assert shown["load64"].tolist() == memory[:64].tolist()
    assert shown["unaligned"].tolist() == memory[5:37].tolist()
    assert shown["floor"].tolist() == memory[16:32].tolist()
    assert shown["stored_unaligned"].tolist() == [0, 0, 0, *memory[:16], *([0] * 13)]
    assert shown["iterated"].tolist() == (memory + 1).tolist()
    assert shown["ring"].tolist() == memory[16:32].tolist()  # the fifth of four is the second
    assert shown["operators"].tolist() == (memory[:16] + memory[16:32]).tolist()


def test_scalars_of_bfloat16_behave_as_numbers():
    shown = printed("memory", "-DKERNELOPT_AIE_OPAQUE")
    assert bfloats(shown["scalar.c"])[0] == 4.0
    assert floats(shown["scalar.wide"])[0] == 5.0
    assert bfloats(shown["scalar.a"])[0] == 3.5
    assert bfloats(shown["scalar.neg"])[0] == -3.5
    assert shown["scalar.less"][0] == 0
    assert bfloats(shown["scalar.max"])[0] == 3.5
    assert bfloats(shown["scalar.sqrt"])[0] == 2.0
    assert floats(shown["scalar.sum"])[0] == 14.25
    assert shown["scalar.int"][0] == -3
    assert shown["mask"].tolist() == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    assert shown["mask.not"].tolist() == (1 - shown["mask"]).tolist()
    assert shown["mask.count"][0] == 4
