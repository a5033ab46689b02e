"""What a kernel would cost on the chip, without the chip.

    from kernelopt.npu.cycles.estimate import estimate

1. `profile`: g++ builds the kernel with opaque vector operations, runs it, and builds it again with the
   counts of the run; `gimple` reads the optimised code and the exact counts of its blocks.
2. `flow`, `values`, `lower`, `costs`: branches that become selections, what may alias, which instructions
   each statement takes. All that describes the core is data (`machine`, ``kernelopt/npu/machines/``).
3. `schedule`, `account`: blocks on issue slots; loops unrolled and pipelined where the compiler would.
4. `walk`: the run in order, for what a trace decoder would see; `story`: the same in words.
"""
