// Which machine is modelled, and how its operations are declared.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifndef KERNELOPT_AIE_ARCH
#define KERNELOPT_AIE_ARCH 20  // AIE2 (XDNA); 21 is AIE2P (XDNA2)
#endif

static_assert(KERNELOPT_AIE_ARCH == 20 || KERNELOPT_AIE_ARCH == 21, "KERNELOPT_AIE_ARCH is 20 (AIE2) or 21 (AIE2P)");

#ifndef __AIE_ARCH__
#define __AIE_ARCH__ KERNELOPT_AIE_ARCH
#endif
#define __AIENGINE__ 1
#define __AIECC__ 1

// Vectors wider than the host's registers are passed through memory there, which is of no concern here.
#pragma GCC diagnostic ignored "-Wpsabi"
#pragma GCC diagnostic ignored "-Wattributes"

// A function of the API: never seen by the cycle model, only the operations that it calls.
#define AIE_API [[gnu::always_inline]] inline

// An operation of the machine. Opaque ones stay calls in the optimised code; `const` ones may still be hoisted and
// merged, `pure` ones read the rounding or saturation mode.
#if defined(KERNELOPT_AIE_OPAQUE) && defined(__clang__)
#define AIE_OP [[gnu::const, gnu::noinline, gnu::nothrow, gnu::no_profile_instrument_function]]
#define AIE_OP_PURE [[gnu::pure, gnu::noinline, gnu::nothrow, gnu::no_profile_instrument_function]]
#define AIE_OP_EFFECT [[gnu::noinline, gnu::nothrow, gnu::no_profile_instrument_function]]
#elif defined(KERNELOPT_AIE_OPAQUE)
#define AIE_OP [[gnu::const, gnu::noipa, gnu::nothrow, gnu::no_profile_instrument_function]]
#define AIE_OP_PURE [[gnu::pure, gnu::noipa, gnu::nothrow, gnu::no_profile_instrument_function]]
#define AIE_OP_EFFECT [[gnu::noipa, gnu::nothrow, gnu::no_profile_instrument_function]]
#else
#define AIE_OP
#define AIE_OP_PURE
#define AIE_OP_EFFECT
#endif
