// Operations lane by lane, reductions, and everything that moves lanes.
#include "show.hpp"

#define SHOW(what, ...) (snprintf(name, sizeof name, "%s.%u.%s", type, N, what), show(name, __VA_ARGS__))
#define SHOW1(what, ...) (snprintf(name, sizeof name, "%s.%u.%s", type, N, what), show_value(name, __VA_ARGS__))

template <class T, unsigned N>
void integers(const char *type, int spread) {
    char name[64];
    numbers from{N * 7919ull};
    auto a = from.vector<T, N>(spread), b = from.vector<T, N>(spread);
    b.set(a.get(1), 1);
    a.set(std::numeric_limits<T>::min(), 0);
    b.set(std::numeric_limits<T>::max(), 0);
    SHOW("a", a);
    SHOW("b", b);
    SHOW("add", aie::add(a, b));
    SHOW("sub", aie::sub(a, b));
    SHOW("add_scalar", aie::add(a, T(7)));
    SHOW("max_scalar", aie::max(a, T(3)));
    SHOW("min", aie::min(a, b));
    SHOW("max", aie::max(a, b));
    SHOW("abs", aie::abs(a));
    SHOW("and", aie::bit_and(a, b));
    SHOW("or", aie::bit_or(a, b));
    SHOW("xor", aie::bit_xor(a, b));
    SHOW("not", aie::bit_not(a));
    SHOW("up3", aie::upshift(a, 3));
    SHOW("down3", aie::downshift(a, 3));
    SHOW("logical3", aie::logical_downshift(a, 3));
    SHOW("lt", aie::lt(a, b));
    SHOW("le", aie::le(a, b));
    SHOW("gt", aie::gt(a, b));
    SHOW("ge", aie::ge(a, b));
    SHOW("eq", aie::eq(a, b));
    SHOW("neq", aie::neq(a, b));
    SHOW("select", aie::select(a, b, aie::lt(a, b)));
    SHOW("mul", aie::mul(a, b));
    SHOW("mac", aie::mac(aie::mul(a, b), a, T(3)));
    SHOW("msc", aie::msc(aie::mul(a, b), a, a));
    SHOW("negmul", aie::negmul(a, b));
    SHOW1("reduce_add", aie::reduce_add(a));
    SHOW1("reduce_min", aie::reduce_min(a));
    SHOW1("reduce_max", aie::reduce_max(a));
}

template <class T, unsigned N>
void moves(const char *type) {
    char name[64];
    numbers from{N};
    auto a = from.vector<T, N>(100), b = from.vector<T, N>(100);
    SHOW("a", a);
    SHOW("b", b);
    SHOW("even1", aie::filter_even(a));
    SHOW("odd1", aie::filter_odd(a));
    SHOW("even4", aie::filter_even(a, 4));
    SHOW("odd4", aie::filter_odd(a, 4));
    auto [low, high] = aie::interleave_zip(a, b, 2);
    SHOW("zip_low2", low);
    SHOW("zip_high2", high);
    auto [even, odd] = aie::interleave_unzip(low, high, 2);
    SHOW("unzipped_a", even);
    SHOW("unzipped_b", odd);
    SHOW("up5", aie::shuffle_up(a, 5));
    SHOW("down5", aie::shuffle_down(a, 5));
    SHOW("up_rotate5", aie::shuffle_up_rotate(a, 5));
    SHOW("down_rotate5", aie::shuffle_down_rotate(a, 5));
    SHOW("up_replicate5", aie::shuffle_up_replicate(a, 5));
    SHOW("down_replicate5", aie::shuffle_down_replicate(a, 5));
    SHOW("up_fill5", aie::shuffle_up_fill(a, b, 5));
    SHOW("down_fill5", aie::shuffle_down_fill(a, b, 5));
    SHOW("reverse", aie::reverse(a));
    SHOW("transpose4", aie::transpose(a, 4, N / 4));
    SHOW("concat", aie::concat(a, b));
    SHOW("extract1", a.template extract<N / 2>(1));
    auto c = a;
    c.insert(1, b.template extract<N / 2>(0));
    SHOW("insert1", c);
    SHOW("push", aie::vector<T, N>(a).push(T(9)));
    SHOW("grow", a.template grow<2 * N>(1).template extract<N>(1));
    SHOW("broadcast", aie::broadcast<T, N>(a[3]));
    c[2] = b[7];
    c[5] = T(11);
    SHOW("elements", c);
}

void floats() {
    char name[64];
    const char *type = "bfloat16";
    constexpr unsigned N = 16;
    numbers from{77};
    auto a = from.vector<bfloat16, N>(100), b = from.vector<bfloat16, N>(100);
    SHOW("a", a);
    SHOW("b", b);
    SHOW("add", aie::add(a, b));
    SHOW("sub", aie::sub(a, b));
    SHOW("min", aie::min(a, b));
    SHOW("max", aie::max(a, bfloat16(0.0f)));
    SHOW("neg", aie::neg(a));
    SHOW("abs", aie::abs(a));
    SHOW("lt", aie::lt(a, b));
    SHOW("mul", aie::mul(a, b));
    SHOW("mac", aie::mac(aie::mul(a, b), a, bfloat16(0.25f)));
    SHOW("to_bf16", aie::mul(a, b).to_vector<bfloat16>());
    SHOW("to_float", aie::mul(a, b).to_vector<float>());
    SHOW("from", aie::accum<accfloat, N>(a));
    SHOW1("reduce_max", aie::reduce_max(a));
    SHOW1("reduce_add", aie::reduce_add(aie::mul(a, b).to_vector<float>()));
    SHOW("fixed8", aie::to_fixed<int8>(aie::mul(a, b).to_vector<float>(), 1));
    SHOW("fixed32", aie::to_fixed<int32>(a, 2));
    SHOW("inv", aie::inv(a));
    numbers more{78};
    SHOW("ints", (more.vector<int32, 16>(3000)));
    more.state = 78;
    SHOW("to_float4", aie::to_float<float>(more.vector<int32, 16>(3000), 4));
}

int main() {
    integers<int8, 16>("int8", 100);
    integers<int8, 64>("int8", 127);
    integers<uint8, 32>("uint8", 120);
    integers<int16, 32>("int16", 30000);
    integers<uint16, 8>("uint16", 30000);
    integers<int32, 16>("int32", 2000000);
    moves<int8, 32>("moves8");
    moves<int16, 64>("moves16");
    moves<int32, 16>("moves32");
    floats();
}
