// The functions of that name that work on tables on the chip. Here each is one operation, right to bfloat16.
#pragma once

#include "aie_api/aie.hpp"

namespace aieop {

AIE_OP inline native<accfloat, 16> table_exp(native<bfloat16, 16> v) {
    native<accfloat, 16> r{};
    for (unsigned i = 0; i < 16; ++i) r[i] = __builtin_expf(lane<bfloat16, 16>(v, i));
    return r;
}
AIE_OP_PURE inline native<bfloat16, 16> table_tanh(native<bfloat16, 16> v) {
    native<bfloat16, 16> r{};
    for (unsigned i = 0; i < 16; ++i) put<bfloat16, 16>(r, i, __builtin_tanhf(lane<bfloat16, 16>(v, i)));
    return r;
}

}  // namespace aieop

AIE_API v16accfloat getExpBf16(const v16bfloat16 &x) { return {aieop::table_exp(x.data)}; }
AIE_API v16bfloat16 getTanhBf16(const v16bfloat16 &x) { return {aieop::table_tanh(x.data)}; }
AIE_API bfloat16 getInvBf16(float x) { return bfloat16(aiesc::inv(x)); }
AIE_API bfloat16 getRsqrtBf16(float x) { return bfloat16(aiesc::invsqrt(x)); }
AIE_API v16bfloat16 getRsqrtBf16(const v16bfloat16 &x) { return aie::invsqrt(x); }
AIE_API v16bfloat16 getSqrtBf16(const v16bfloat16 &x) { return aie::sqrt(x); }
AIE_API v16bfloat16 getInvBf16(const v16bfloat16 &x) { return aie::inv(x); }
