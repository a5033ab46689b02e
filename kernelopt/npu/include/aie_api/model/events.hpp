// event0, event1 and what a kernel may say to the compiler of the chip.
#pragma once

#include "config.hpp"

// Counts of the two events, for whoever wants to see that both happened.
namespace aieev {

inline unsigned long seen[2]{};
AIE_OP_EFFECT inline void event0() {
    ++seen[0];
    __asm__ volatile("" ::: "memory");
}
AIE_OP_EFFECT inline void event1() {
    ++seen[1];
    __asm__ volatile("" ::: "memory");
}

}  // namespace aieev

AIE_API void event0() { aieev::event0(); }
AIE_API void event1() { aieev::event1(); }

// Peano reads these as pragmas of clang; on the host they say nothing.
#define AIE_PREPARE_FOR_PIPELINING
#define AIE_PREPARE_FOR_POSTPIPELINING
#define AIE_LOOP_UNROLL(...)
#define AIE_LOOP_UNROLL_FULL _Pragma("GCC unroll 256")
#define AIE_LOOP_NO_UNROLL _Pragma("GCC unroll 1")
#define AIE_LOOP_MIN_ITERATION_COUNT(...)
#define AIE_LOOP_MAX_ITERATION_COUNT(...)
#define AIE_LOOP_RANGE(...)
#define AIE_LOOP_FLATTEN _Pragma("GCC unroll 256")
#define AIE_TRY_INITIATION_INTERVAL(...)
#define AIE_MODULO_SCHEDULING_BUDGET_RATIO(...)
#define AIE_KEEP_SW_LOOP
#define AIE_KEEP_FREE_FOR_PIPELINING(...)

// The other compiler's words are keywords behind a loop's head; Peano's headers define them away as well.
#define chess_prepare_for_pipelining
#define chess_loop_range(...)
#define chess_loop_count(...)
#define chess_flatten_loop
#define chess_unroll_loop(...)
#define chess_pipeline_adjust_preamble
#define chess_no_hw_loop
#define chess_keep_sw_loop
#define chess_require_pipelining(...)
#define chess_modulo_scheduling_budget_ratio(...)
#define chess_storage(...)
#define chess_alignof(T) alignof(T)
#define chess_copy(x) (x)
#define chess_const(x) (x)
#define chess_manifest(x) (__builtin_constant_p(x))
#define chess_error(...)
#define chess_report(...)
#define chess_dont_warn_range
#define chess_separator()
#define chess_separator_scheduler(...)
#define chess_memory_fence()
#define chess_protect_access
#define chess_clobbers(...)
