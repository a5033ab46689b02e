"""What a kernel would cost on the chip, without the chip.

    from kernelopt.npu.cycles.estimate import estimate

1. `profile`: g++ builds the kernel with opaque vector operations, runs it, and builds it again with the
   counts of the run; `gimple` reads the optimised code and the exact counts of its blocks.
2. `flow`: branches that become selections, short loops that become straight code. `values`: addresses, and
   what may overlap. `hints`: what the text says of its loops.
3. `lower` (with `facts`, `nodes`, `memory`, `calls`): which instructions each statement takes, by the tables
   that `costs` reads. All that describes the core is data: `machine`, ``kernelopt/npu/machines/``.
4. `straight`, `modulo` (on `graph`), `account`: blocks on issue slots; loops unrolled and pipelined where the
   compiler would.
5. `walk`: the run in order, for what a trace decoder would see. `story`: the same in words.
"""
