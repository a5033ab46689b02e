"""A kernel on a real NPU: Peano → object → mlir-aie design → xclbin → XRT → trace → cycles.

`toolchain` finds what is installed; `commands` and ``toolchains.json`` say how each tool is called; `design`
writes the design and the program that runs it; `failures` and `bundles` read what tools print; `line` is the
way from a kernel's text to outputs and cycles. Nothing here was run on a device yet: the pieces are
tested one by one.
"""
