// Loads, stores, iterators and scalars.
#include "show.hpp"
#include <aie_api/operators.hpp>

alignas(64) static int16_t memory[128];
alignas(64) static int16_t result[128];

static float sum_of(const bfloat16 *values, int count) {
    float sum = 0;
    for (int i = 0; i < count; ++i) sum += values[i] * values[i];
    return sum;
}

int main() {
    for (int i = 0; i < 128; ++i) memory[i] = int16_t(i * 3 - 50);
    show("load16", aie::load_v<16>(memory + 16));
    show("load64", aie::load_v<64>(memory));
    show("unaligned", aie::load_unaligned_v<32>(memory + 5));
    show("floor", aie::load_floor_v<16>(memory + 21));
    aie::store_unaligned_v(result + 3, aie::load_v<16>(memory));
    show("stored_unaligned", aie::load_v<32>(result));

    auto in = aie::cbegin_vector<16>(memory);
    auto out = aie::begin_restrict_vector<16>(result);
    for (int i = 0; i < 8; ++i) *out++ = aie::add(*in++, int16_t(1));
    show("iterated", aie::load_v<128>(result));
    auto ring = aie::cbegin_vector_circular<16, 64>(memory);
    for (int i = 0; i < 5; ++i) ++ring;
    show("ring", *ring);
    using namespace aie::operators;
    show("operators", aie::load_v<16>(memory) + aie::load_v<16>(memory + 16));

    bfloat16 a = 1.5f, b = 2, c = a * b + 1;
    float wide = a * 2.0f + b;
    a += b;
    show_value("scalar.c", c);
    show_value("scalar.wide", wide);
    show_value("scalar.a", a);
    show_value("scalar.neg", -a);
    show_value("scalar.less", a < b);
    show_value("scalar.max", std::max(a, b));
    show_value("scalar.sqrt", bfloat16(sqrtf(c)));
    alignas(32) bfloat16 few[4] = {1.0f, 2.0f, -3.0f, 0.5f};
    show_value("scalar.sum", sum_of(few, 4));
    show_value("scalar.int", int(few[2]));
    auto m = aie::mask<16>::from_uint32(0x8421u);
    show("mask", m);
    show("mask.not", ~m);
    show_value("mask.count", m.count());
    event0();
    event1();
}
