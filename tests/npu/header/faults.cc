// One way to touch memory that the chip forbids for each argument; the name of the case is the line's marker.
#include <aie_api/aie.hpp>
#include <cstring>

alignas(64) static unsigned char room[256 + 16384];

int main(int, char **words) {
    const char *which = words[1];
    int8_t *in = (int8_t *)(room + 256);
    kernelopt_npu_buffer(in, 256, "in_buffer");
    kernelopt_npu_buffer(room + 8192, 64, "out_buffer");
    const auto is = [&](const char *name) { return !strcmp(which, name); };
    int sum = 0;
    if (is("misaligned load")) sum += aie::load_v<32>(in + 3)[0];       // misaligned load
    if (is("misaligned store")) aie::store_v(in + 16, aie::zeros<int8, 32>());  // misaligned store
    if (is("behind")) sum += aie::load_v<64>(in + 256)[0];              // behind
    if (is("over the end")) sum += aie::load_v<64>(in + 224)[0];        // over the end
    if (is("far away")) sum += aie::load_v<64>(in + 4096)[0];           // far away
    if (is("before")) aie::store_v(in - 64, aie::zeros<int8, 64>());    // before
    if (is("unaligned over the end")) sum += aie::load_unaligned_v<32>(in + 230)[0];  // unaligned over the end
    if (is("iterator")) {
        auto it = aie::cbegin_vector<64>(in);                           // iterator
        for (int i = 0; i < 5; ++i) sum += (*it++)[0];
    }
    if (is("fine")) {
        alignas(64) int8_t own[64] = {};
        aie::store_v(own, aie::load_v<64>(in + 192));
        sum += aie::load_v<32>(own + 32)[0] + aie::load_unaligned_v<16>(in + 3)[0] + aie::load_v<16>(in + 16)[1];
        aie::store_v(in, aie::load_v<128>(in + 64));
    }
    return sum & 1;
}
