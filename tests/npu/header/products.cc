// Matrix blocks and sliding products.
#include "show.hpp"

template <unsigned M, unsigned K, unsigned N, class A, class B>
void block(const char *types, int spread) {
    char name[96];
    numbers from{M * 10000ull + K * 100 + N};
    const auto a = from.vector<A, M * K>(spread);
    const auto b = from.vector<B, K * N>(spread);
    aie::mmul<M, K, N, A, B> product;
    product.mul(a, b);
    product.mac(a, b);
    const auto part = [&](const char *what) { snprintf(name, sizeof name, "%s.%u.%u.%u.%s", types, M, K, N, what); return name; };
    show(part("a"), a);
    show(part("b"), b);
    show(part("c"), product.to_accum());
}

int main() {
    block<4, 8, 8, int8, int8>("int8", 100);
    block<2, 8, 8, int8, int8>("int8", 100);
    block<8, 8, 8, int8, int8>("int8", 100);
    block<4, 16, 8, int8, int8>("int8", 100);
#if KERNELOPT_AIE_ARCH == 20
    block<4, 8, 4, uint8, int8>("uint8", 100);
    block<4, 16, 16, int8, int8>("int8", 100);
    block<1, 16, 8, int8, int8>("int8", 100);
    block<4, 4, 4, int16, int16>("int16", 3000);
    block<4, 16, 8, bfloat16, bfloat16>("bfloat16", 20);
#endif
    block<4, 4, 8, int16, int16>("int16", 3000);
    block<4, 4, 8, int16, int8>("mixed", 100);
    block<4, 2, 4, int32, int32>("int32", 1000000);
    block<4, 8, 4, bfloat16, bfloat16>("bfloat16", 20);
    block<8, 8, 8, bfloat16, bfloat16>("bfloat16", 20);
    block<8, 1, 8, bfloat16, bfloat16>("bfloat16", 20);
    block<4, 8, 4, float, float>("float", 20);

    numbers from{5};
    const auto coeff = from.vector<int8, 16>(50);
    const auto data = from.vector<uint8, 64>(100);
    show("slide.coeff", coeff);
    show("slide.data", data);
    using xy = aie::sliding_mul_xy_ops<32, 8, 1, 1, int8, uint8>;
    const auto first = xy::mul(coeff, 2, data, 3);
    show("slide.mul", first);
    show("slide.mac", xy::mac(first, coeff, 0, data, 0));
    show("slide.steps", aie::sliding_mul_ops<16, 4, 2, 3, 2, int8, uint8>::mul(coeff, 1, data, 4));
    const auto taps = from.vector<int16, 8>(50);
    const auto x = from.vector<int16, 16>(50), y = from.vector<int16, 16>(50);
    show("accumulate.taps", taps);
    show("accumulate.x", x);
    show("accumulate.y", y);
    show("accumulate", aie::accumulate<16>(taps, 2, x, y));
}
