"""What a situation is called elsewhere: operators by their family, messages by what they come down to.

A message says "expected a ';'", a note "syntax error"; a task calls `amax`, a note tells of reductions. Words
that stand for others are added to a query and weigh less than those that were asked for.
"""

from __future__ import annotations

import re
from functools import lru_cache

WEIGHT = 0.5
"""Of an added word beside one that was asked for."""

_CHARACTERS = 1500

_OPERATORS = {
    "amax amin max min argmax argmin sum mean prod norm logsumexp any all nansum": "reduction reduce",
    "argmax argmin topk sort kthvalue median": "index comparison",
    "logsumexp": "softmax exp max log",
    "cumsum cumprod cummax logcumsumexp": "prefix sum scan",
    "linear mm addmm baddbmm einsum tensordot": "matmul gemm",
    "matmul bmm linear mm": "gemm matrix product",
    "bmm baddbmm": "batched matmul",
    "mv addmv": "matrix vector gemv",
    "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d": "convolution conv",
    "conv_transpose1d conv_transpose2d conv_transpose3d": "transposed convolution",
    "layer_norm layernorm rms_norm rmsnorm": "normalization mean variance rsqrt",
    "batch_norm batchnorm2d instance_norm group_norm": "normalization channel mean variance",
    "var var_mean std std_mean": "variance welford mean",
    "silu swish mish hardswish softplus logsigmoid sigmoid glu": "sigmoid activation",
    "gelu": "erf tanh activation",
    "relu leaky_relu prelu relu6 elu selu hardtanh clamp threshold": "activation elementwise branch select",
    "add sub mul div where lerp": "elementwise",
    "max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool2d": "pooling window",
    "embedding index_select gather take scatter scatter_add index_add": "gather indices table",
    "scatter scatter_add index_add bincount histc": "atomic histogram",
    "scaled_dot_product_attention multiheadattention attention": "attention softmax matmul",
    "lstm gru rnn lstmcell grucell rnncell": "recurrent cell gates",
    "nll_loss cross_entropy": "cross entropy log softmax loss",
    "mse_loss l1_loss smooth_l1_loss huber_loss kl_div hinge_embedding_loss cosine_similarity "
    "triplet_margin_loss "
    "cosine_embedding_loss binary_cross_entropy": "loss mean reduction",
    "transpose permute t": "transpose layout",
    "tril triu": "triangular mask",
    "upsample interpolate grid_sample": "interpolation",
}

_MESSAGES = (
    (
        r"expected .{0,24}['\"`][;{}()\[\],]|was never closed|stray |unterminated|Parsing error|"
        r"invalid syntax",
        "syntax error brace semicolon",
    ),
    (
        r"does not name a type|is undefined|not declared|is not defined|no member named|undeclared|"
        r"unknown type",
        "undeclared identifier",
    ),
    (
        r"\w+_t['\"]? (?:does not name|was not|is undefined)|has not been declared",
        "header include type integer",
    ),
    (
        r"(?:exp|log|sqrt|tanh|sin|cos|erf|pow|fabs|fmin|fmax|fma|floor|ceil|"
        r"round)\w{0,4}['\"]? was not declared",
        "header include cmath",
    ),
    (
        r"no matching function|no instance of|no operator|no suitable|incompatible|cannot convert|"
        r"invalid conversion|cannot be used to init|too (?:few|many) arg|invalid operands|"
        r"must be same dtype",
        "type mismatch conversion overload argument",
    ),
    (r"not a pointer-to-object|invalid type argument of|void ?\*", "pointer type"),
    (r"data clauses|reduction not found|not a variable in clause|omp|work-sharing", "openmp clause pragma"),
    (
        r"storage size|variable.length|must have a constant value|not a constant expression",
        "array size constant dynamic",
    ),
    (
        r"undefined reference|undefined symbol|Unresolved extern|multiple definition|ld returned",
        "linker symbol definition",
    ),
    (
        r"No such file or directory|could not open source|cannot open (?:source|include)",
        "header include missing",
    ),
    (r"\.target|architecture|compute_\d+|sm_\d+|no kernel image", "architecture target compute capability"),
    (
        r"signal 11|segmentation fault|illegal memory access|out of bounds|invalid (?:read|write)",
        "out of bounds index segmentation fault illegal access",
    ),
    (r"signal 7|bus error|misaligned", "misaligned alignment vector load"),
    (r"signal 4|illegal instruction", "instruction set target intrinsics"),
    (r"signal 6|abort|double free|corrupt", "heap write out of bounds"),
    (r"signal 9|out of memory|OutOfMemory|bad_alloc|cannot allocate", "out of memory size"),
    (
        r"timed? ?out|time limit|longer than \d|hang|never ends?|deadlock",
        "hang timeout deadlock endless loop",
    ),
    (
        r"uses too much shared|shared memory, Required|too much shared data|out of resource",
        "shared memory too large limit tile stages",
    ),
    (r"spill|255 registers|register pressure", "register spill pressure"),
    (
        r"invalid configuration|too many resources|launch (?:failed|bounds)|invalid argument",
        "launch configuration limit block grid",
    ),
    (r"bank conflict", "shared memory bank conflict padding swizzle"),
    (r"uncoalesced|sectors|apart", "coalescing stride access"),
    (r"128 bits|float4|vectori[sz]ed (?:load|access)", "vector load wide"),
    (r"tensor cores?|wmma|mma\b", "tensor core mma matmul"),
    # Findings of the mismatch analysis.
    (r"holds NaN or Inf|\bnan\b", "nan infinity overflow maximum subtract mask"),
    (r"in the tail of each row|end of the output|last block", "tail remainder mask bounds last block"),
    (r"reference transposed|shifted along", "transpose layout stride index offset"),
    (r"memory that was never written|every wrong element is", "uninitialized bounds write mask"),
    (r"shorter type than|reduced precision", "precision tf32 half accumulate"),
    (r"off by one constant for each|plus a constant", "bias scale channel broadcast"),
    (r"for each row", "row mean variance epsilon maximum"),
    (r"elements with large inputs", "overflow saturation exp range"),
    (r"borders are wrong", "padding border bounds"),
    (r"every k-th element", "stride lane unroll"),
    # Findings on speed.
    (r"memory bandwidth is the roof", "bandwidth bytes fusion traffic"),
    (r"arithmetic is the roof", "compute bound fma tile"),
    (r"moves the data more often", "fuse passes traffic"),
    (r"autotun|fastest|which (?:block|tile)|num_stages|num_warps", "autotune configuration tuning block"),
    (r"compiled anew|first call|recompil|compile time", "compile cache specialization"),
    (r"waits? for the device|synchroni[sz]", "synchronization stream event"),
    (r"bank", "memory bank conflict"),
    (r"different outputs from run|race|not repeatable|nondetermin", "race synchronization"),
    (r"namespace|cooperative_groups|cg::", "header namespace"),
    (r"dtype|fp16|bf16|float16|bfloat16|half", "precision type"),
    (r"contiguous|strides? \(", "contiguous strides layout"),
    (r"broadcast|shape|incompatible dimensions", "shape broadcast"),
)


@lru_cache(maxsize=64)
def meanings(query: str) -> tuple[str, ...]:
    """Words to add to a query, in a fixed order, none twice. Of a long log its beginning counts."""
    query = query[:_CHARACTERS]
    lower = dict.fromkeys(re.findall(r"[a-z_]\w+", query.lower()))
    families = _families()
    found = [word for name in lower for word in families.get(name, ())]
    for pattern, words in _compiled():
        if pattern.search(query):
            found += words.split()
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=1)
def _families() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for names, words in _OPERATORS.items():
        for name in names.split():
            found.setdefault(name, []).extend(words.split())
    return found


@lru_cache(maxsize=1)
def _compiled() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(pattern, re.IGNORECASE), words) for pattern, words in _MESSAGES]
