// Every rounding and saturation mode, on integers and on bfloat16.
#include "show.hpp"

static const int32_t values[16] = {0, 1, -1, 2, -2, 3, -3, 4, -4, 6, -6, 10, -10, 1023, -1022, 70000};
static const float floats[32] = {
    1.0f,        -1.0f,       1.00390625f,  -1.00390625f, 1.01171875f, -1.01171875f, 1.0039064f, -1.0039064f,
    1.0039061f,  -1.0039061f, 3.4e38f,      -3.4e38f,     1e-39f,      -1e-39f,      1.1754944e-38f, 0.1f,
    -0.1f,       0.3333333f,  65280.0f,     65408.0f,     -65408.0f,   0.0f,         -0.0f,      __builtin_inff(),
    -__builtin_inff(), __builtin_nanf(""), 2.0078125f, 2.0234375f, -2.0078125f, 255.5f, 1.9960938f, -1.9980469f};

int main() {
    char name[64];
    alignas(64) float memory[32];
    for (int i = 0; i < 32; ++i) memory[i] = floats[i];
    const auto all = aie::load_v<32>(memory);
    show("floats", all);
    aie::vector<int32, 16> v = aie::zeros<int32, 16>();
    for (int i = 0; i < 16; ++i) v.set(values[i], i);
    show("values", v);
    aie::accum<acc32, 16> narrow(v);
    aie::accum<acc64, 16> wide(v, 20);
    for (unsigned mode = 0; mode < 8; ++mode) {
        aie::set_rounding(aie::rounding_mode(mode));
        aie::set_saturation(aie::saturation_mode::none);
        snprintf(name, sizeof name, "bf16.%u", mode);
        show(name, aie::accum<accfloat, 32>(all).to_vector<bfloat16>());
        snprintf(name, sizeof name, "scalar.%u", mode);
        aie::vector<bfloat16, 32> one = aie::zeros<bfloat16, 32>();
        for (int i = 0; i < 32; ++i) one.set(bfloat16(((volatile float *)memory)[i]), i);
        show(name, one);
        for (int shift = 1; shift < 4; ++shift) {
            snprintf(name, sizeof name, "srs32.%u.%d", mode, shift);
            show(name, narrow.to_vector<int32>(shift));
            snprintf(name, sizeof name, "srs64.%u.%d", mode, shift);
            show(name, wide.to_vector<int32>(20 + shift));
        }
    }
    const unsigned saturations[] = {0, 1, 3};
    aie::set_rounding(aie::rounding_mode::conv_even);
    for (unsigned mode : saturations) {
        aie::set_saturation(aie::saturation_mode(mode));
        snprintf(name, sizeof name, "int8.%u", mode);
        show(name, narrow.to_vector<int8>(1));
        snprintf(name, sizeof name, "uint8.%u", mode);
        show(name, narrow.to_vector<uint8>(1));
        snprintf(name, sizeof name, "int16.%u", mode);
        show(name, wide.to_vector<int16>(20));
        snprintf(name, sizeof name, "pack.%u", mode);
        show(name, narrow.to_vector<int16>().pack<int8>());
    }
    show("unpack", aie::broadcast<int8, 16>(int8(-5)).unpack());
    show("cast", v.cast_to<int16>());
}
