"""Situations that a search meets, and the notes (by file name) that help: what retrieval is measured on.

Messages are what compilers really said: `cpp_errors.toml` holds those of g++, ``tests/gpu/compiler_errors``
those of nvcc, NVRTC, ptxas and Triton. Messages of the CUDA runtime are worded as PyTorch and CuPy pass
them on, findings as `kernelopt.feedback` words them, operators as tasks name them. Labels were given by
what each note is about, not by its words. A third, chosen by a hash of the name, is held out: nothing may
be tuned on it.
"""

from __future__ import annotations

import hashlib
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from kernelopt.evaluation import Build, Evaluation, Stage, Status
from kernelopt.feedback import words
from kernelopt.feedback.query import query_facts
from kernelopt.prompting.components import fill_query, seed_candidate

HERE = Path(__file__).parent
LANGUAGES = {"cpu": "cpp", "cuda": "cuda", "triton": "triton", "cupy": "cupy", "npu": "aie"}


@dataclass(frozen=True)
class Situation:
    name: str
    target: str
    relevant: tuple[str, ...]
    """Any of these helps; the first one found counts."""
    operator: str = ""
    log: str = ""
    """What a compiler printed."""
    error: str = ""
    """What else went wrong: an exception, a finding on a mismatch."""
    bottleneck: str = ""

    @property
    def held_out(self) -> bool:
        return hashlib.sha256(self.name.encode()).digest()[0] % 3 == 0

    @property
    def query(self) -> str:
        """As the search asks before its first reflection."""
        error = self.error or (query_facts(self.evaluation, "")["error"] if self.log else "")
        facts = {"operator": self.operator, "error": error, "bottleneck": self.bottleneck}
        return fill_query(seed_candidate()["retrieval_query"], facts)

    @property
    def raw(self) -> str:
        """As a person asks who pastes all that was printed."""
        return "\n".join(filter(None, [self.operator, self.log or self.error, self.bottleneck]))

    @property
    def evaluation(self) -> Evaluation:
        """Of a kernel whose build failed."""
        return Evaluation(
            task_id="1/1",
            suite="s",
            kernel_hash="k",
            language=LANGUAGES[self.target],
            device=self.target,
            isolation="process",
            status=Status.BUILD_FAILED,
            stage=Stage.BUILD,
            build=Build("compiler", self.log, 0.1, cached=False),
        )


def situations() -> list[Situation]:
    """All of them."""
    return [*_cpp(), *_gpu_compilers(), *_stories()]


def cpp_cases() -> list[dict]:
    """Sources with what g++ said of them."""
    return tomllib.loads((HERE / "cpp_errors.toml").read_text(encoding="utf-8"))["case"]


def _cpp():
    for case in cpp_cases():
        yield Situation(case["name"], "cpu", tuple(case["relevant"]), case["operator"], case["log"])


def _gpu_compilers():
    folder = HERE.parents[0] / "gpu"
    sys.path.insert(0, str(folder))
    import error_corpus

    cases = {case.name: case for case in error_corpus.cases()}
    for name, (operator, *relevant) in _GPU_ERRORS.items():
        target = "triton" if name.startswith("triton") else "cuda"
        notes = tuple(note if "/" in note else f"{target}/{note}" for note in relevant)
        yield Situation(name, target, notes, operator, cases[name].log)


# Case of tests/gpu/compiler_errors: (operator, notes ...).
_GPU_ERRORS = {
    "nvcc_device_link": ("gelu", "error-unresolved-extern", "error-linkage-and-names"),
    "nvcc_feature_of_another_target": ("matmul", "error-ptxas-architecture", "wgmma"),
    "nvcc_grid_sync_member": ("sum", "cooperative-groups", "grid-reduction", "error-missing-headers"),
    "nvcc_half_operator": ("add", "half2-bf16", "error-type-and-overload"),
    "nvcc_host_function_from_device": ("relu", "error-host-device"),
    "nvcc_inline_ptx_unknown_instruction": ("exp", "error-inline-ptx-operands", "error-ptxas-architecture"),
    "nvcc_inside_a_template": ("amax", "error-type-and-overload"),
    "nvcc_launch_bounds_and_registers": ("layer_norm", "launch-bounds"),
    "nvcc_missing_header": ("linear", "error-missing-headers"),
    "nvcc_missing_template_argument": ("sum", "error-type-and-overload"),
    "nvcc_shfl_without_sync": ("sum", "warp-shuffle", "warp-reduce-sync", "error-undefined-identifier"),
    "nvcc_static_shared_too_large": ("softmax", "error-shared-memory-too-large"),
    "nvcc_undefined_device_function": ("silu", "error-unresolved-extern"),
    "nvcc_undefined_identifier": ("relu", "error-undefined-identifier"),
    "nvcc_unsupported_architecture": ("relu", "error-no-kernel-image", "error-ptxas-architecture"),
    "nvcc_wmma_shape": ("matmul", "wmma"),
    "nvcc_wrong_argument_type": ("gather", "error-type-and-overload"),
    "nvrtc_ballot_without_sync": ("masked_fill", "warp-vote-match", "warp-reduce-sync"),
    "nvrtc_float4_arithmetic": ("add", "vector-loads", "error-type-and-overload"),
    "nvrtc_host_function_from_device": ("gelu", "error-host-device"),
    "nvrtc_inline_ptx_operand": ("copy", "error-inline-ptx-operands"),
    "nvrtc_inside_a_template": ("mul", "error-type-and-overload"),
    "nvrtc_missing_header": ("relu", "error-missing-headers"),
    "nvrtc_static_shared_too_large": ("transpose", "error-shared-memory-too-large"),
    "nvrtc_too_few_arguments": ("linear", "error-type-and-overload"),
    "nvrtc_undefined_identifier": ("amax", "error-undefined-identifier", "error-missing-headers"),
    "nvrtc_variable_length_array": ("softmax", "error-extern-shared", "error-shared-memory-too-large"),
    "nvrtc_write_to_const": ("copy", "error-type-and-overload"),
    "ptxas_feature_of_another_target": ("matmul", "error-ptxas-architecture", "wgmma"),
    "ptxas_shared_too_large": ("conv2d", "error-shared-memory-too-large"),
    "ptxas_undefined_function": ("silu", "error-unresolved-extern"),
    "ptxas_wrong_version": ("matmul", "error-ptxas-architecture", "error-no-kernel-image"),
    "triton_arange_power_of_two": ("softmax", "arange-power-of-two"),
    "triton_assign_through_index": (
        "cumsum",
        "error-conditions-on-blocks",
        "error-compile-time-python",
        "error-pointer-argument",
    ),
    "triton_block_into_scalar": ("sum", "error-pointer-argument", "reductions"),
    "triton_block_too_large": ("layer_norm", "out-of-resources", "arange-power-of-two"),
    "triton_dot_dtypes": ("matmul", "dot-shapes", "dot-precision", "error-math-dtypes"),
    "triton_dot_shapes": ("matmul", "dot-shapes", "shape-mismatch-broadcast"),
    "triton_dot_too_small": ("bmm", "dot-shapes"),
    "triton_eight_bit_type": ("matmul", "dot-precision", "error-math-dtypes"),
    "triton_global_variable": ("mul", "error-undefined-names", "error-compile-time-python"),
    "triton_incompatible_shapes": ("add", "shape-mismatch-broadcast"),
    "triton_interpreted_missing_argument": (
        "relu",
        "error-pointer-argument",
        "interpreter-limits",
        "error-compile-time-python",
        "error-undefined-names",
    ),
    "triton_interpreted_shapes": ("add", "shape-mismatch-broadcast"),
    "triton_interpreted_undefined": ("gelu", "error-undefined-names"),
    "triton_keyword_that_is_none": ("sum", "reductions", "error-undefined-names"),
    "triton_lambda": ("relu", "error-compile-time-python"),
    "triton_list_comprehension": ("sum", "error-compile-time-python"),
    "triton_mask_of_floats": ("dropout", "masks-and-other"),
    "triton_mask_shape": ("matmul", "shape-mismatch-broadcast", "masks-and-other"),
    "triton_no_jit": ("gelu", "error-undefined-names", "error-compile-time-python"),
    "triton_not_constexpr": ("relu", "error-compile-time-python", "arange-power-of-two"),
    "triton_number_of_warps": ("softmax", "num-warps-stages"),
    "triton_out_of_resources": ("matmul", "out-of-resources", "num-warps-stages"),
    "triton_python_function_call": (
        "sigmoid",
        "error-compile-time-python",
        "error-math-dtypes",
        "error-undefined-names",
    ),
    "triton_return_in_loop": ("argmax", "error-compile-time-python", "error-loop-types"),
    "triton_try_except": ("relu", "error-compile-time-python"),
    "triton_type_changes_in_loop": ("sum", "error-loop-types"),
    "triton_undefined_function": ("softmax", "error-undefined-names"),
    "triton_undefined_name": ("add", "error-undefined-names"),
    "ptxas_bad_target": ("matmul", "error-ptxas-architecture", "error-no-kernel-image"),
}

# Target: (notes, operator, error, bottleneck).
_STORIES = {
    "cpu": [
        # What kernels got wrong.
        ("remainder-loop", "hardswish", f"{words.TAIL_WRONG}; {words.ONE_VALUE}", ""),
        ("off-by-one-partition remainder-loop", "sum", words.LAST_BLOCK_WRONG, ""),
        ("openmp-races", "bincount", words.NOT_REPEATABLE, ""),
        ("uninitialized-output", "matmul relu", words.UNINITIALIZED, ""),
        ("softmax-stable online-softmax", "masked_fill softmax", words.HAS_NAN, ""),
        ("softmax-stable exp-polynomial cross-entropy", "logsumexp", words.LARGE_ONLY, ""),
        ("epsilon-placement layernorm-rmsnorm", "pow mean sqrt", words.PER_ROW, ""),
        ("channel-norms affine-and-broadcast", "conv2d batch_norm", words.PER_INDEX, ""),
        ("matmul-transposed-operands contiguity-and-strides", "linear", words.TRANSPOSED, ""),
        ("pooling conv-direct", "avg_pool2d", words.BORDERS_WRONG, ""),
        ("reduced-precision-shortcuts half-precision", "linear", words.REDUCED_PRECISION, ""),
        ("affine-and-broadcast gemm-epilogue-fusion", "linear", words.CONSTANT_OFFSET, ""),
        ("erf-gelu tanh-sigmoid exp-polynomial", "gelu", words.SMALL_ERRORS, ""),
        ("branch-free-select", "prelu", words.ONE_SIGN, ""),
        ("losses", "smooth_l1_loss", words.CONSTANT_FACTOR, ""),
        ("segmentation-fault", "conv2d", "the process ended (signal 11) while it ran", ""),
        ("alignment", "add", "the process ended (signal 7) while it ran", ""),
        ("intrinsics-target", "matmul", "the process ended (signal 4) while it ran", ""),
        ("hangs-and-timeouts", "cumsum", "the call took longer than 30 s and was ended", ""),
        ("integer-overflow-indices segmentation-fault", "bmm", "index overflow with 3000000000 elements", ""),
        # Why they are slow.
        ("openmp-parallel-for", "softmax", "", f"{words.ONE_THREAD}; {words.SLOWER}"),
        ("simd-float-reduction simd-auto-vectorization", "sum", "", words.NOT_VECTORIZED),
        ("math-calls-vector-library exp-polynomial", "sigmoid", "", words.FUNCTION_CALL),
        ("loop-order-strides cache-blocking", "matmul", "", words.STRIDED_ACCESS),
        ("float-literals-double", "tanh", "", words.DOUBLE_MATH),
        ("fusing-passes layernorm-rmsnorm", "layer_norm", "", words.SEVERAL_PASSES),
        ("bandwidth-bound non-temporal-stores fusing-passes", "add relu", "", words.BANDWIDTH_BOUND),
        ("compute-bound matmul-micro-kernel cache-blocking", "linear", "", words.COMPUTE_BOUND),
        (
            "per-call-overhead openmp-thread-overhead",
            "relu",
            "",
            "a call of 3 us, most of it the call itself",
        ),
        # What tasks consist of.
        ("rotary-embedding", "cos sin mul cat", "", ""),
        ("cross-entropy", "log_softmax nll_loss", "", ""),
        ("conv-depthwise-pointwise", "conv2d groups depthwise", "", ""),
        ("welford-variance layernorm-rmsnorm", "var_mean", "", ""),
        ("matrix-vector-batched", "mv", "", ""),
        ("triangular-and-structured-matmul", "tril matmul", "", ""),
        ("recurrent-cells", "lstm", "", ""),
        ("prefix-sums", "cumprod", "", ""),
        ("gathers", "index_select", "", ""),
        ("losses", "hinge_embedding_loss", "", ""),
        ("attention", "matmul softmax matmul", "", ""),
        ("tanh-sigmoid", "mish softplus tanh", "", ""),
        ("reduce-outer-axis", "mean over the batch axis", "", ""),
    ],
    "cuda": [
        # Messages of the runtime.
        ("error-illegal-memory-access", "conv2d", "CUDA error: an illegal memory access was encountered", ""),
        ("error-misaligned-address vector-loads", "add", "CUDA error: misaligned address", ""),
        (
            "error-no-kernel-image",
            "relu",
            "CUDA error: no kernel image is available for execution on the device",
            "",
        ),
        (
            "launch-limits register-spills",
            "matmul",
            "CUDA error: too many resources requested for launch",
            "",
        ),
        ("launch-limits", "softmax", "CUDA error: invalid configuration argument", ""),
        ("error-device-assert", "embedding", "CUDA error: device-side assert triggered", ""),
        (
            "error-out-of-memory",
            "attention",
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 8.00 GiB.",
            "",
        ),
        ("error-deadlock-hang", "sum", "CUDA error: the launch timed out and was terminated", ""),
        ("error-illegal-memory-access", "gather", "CUDA error: unspecified launch failure", ""),
        # PyTorch's own.
        (
            "torch/device-and-dtype-errors",
            "add",
            "RuntimeError: Expected all tensors to be on the same device, but found two, cuda:0 and cpu!",
            "",
        ),
        (
            "torch/device-and-dtype-errors torch/dispatch-dtypes",
            "linear",
            "RuntimeError: expected scalar type Float but found Half",
            "",
        ),
        ("torch/load-inline", "relu", "RuntimeError: Error building extension 'relu_ext'", ""),
        (
            "torch/pybind-signatures",
            "relu",
            "TypeError: forward(): incompatible function arguments. The following are supported",
            "",
        ),
        (
            "torch/contiguity-strides-cuda",
            "transpose",
            "RuntimeError: view size is not compatible with input tensor's size and stride",
            "",
        ),
        (
            "torch/library-registration torch/custom-op",
            "gelu",
            "NotImplementedError: Could not run 'mine::gelu' with arguments from the 'CUDA' backend",
            "",
        ),
        (
            "torch/autograd-function",
            "mse_loss",
            "RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn",
            "",
        ),
        (
            "torch/module-state-and-weights",
            "linear",
            "AttributeError: 'ModelNew' object has no attribute 'weight'",
            "",
        ),
        # What kernels got wrong.
        ("race-conditions block-reduction", "sum", words.NOT_REPEATABLE, ""),
        ("index-arithmetic launch-limits", "cumsum", words.LAST_BLOCK_WRONG, ""),
        ("softmax denormals-nan", "softmax", words.HAS_NAN, ""),
        # Why they are slow.
        ("register-spills", "matmul", "", "spills 312 bytes (and loads 340) a thread out of 255 registers"),
        (
            "coalescing",
            "transpose",
            "",
            "neighbouring threads read addresses 4096 bytes apart, 32 sectors a request",
        ),
        (
            "shared-memory-banks shared-memory-swizzle",
            "transpose",
            "",
            "32-way bank conflicts in shared loads",
        ),
        (
            "occupancy launch-bounds",
            "conv2d",
            "",
            "occupancy is limited to 25% by registers, too little to hide latency",
        ),
        ("occupancy", "layer_norm", "", "occupancy is limited to 19% by shared memory"),
        ("vector-loads", "relu", "", "none of its 12 global loads fetches 128 bits"),
        (
            "wmma mma-sync gemm-tensor-core-pipeline",
            "linear",
            "",
            "uses no tensor cores though the task multiplies matrices",
        ),
        ("atomics grid-reduction", "sum", "", "all threads add to one address atomically"),
        ("graphs streams", "lstm", "", "launches of many short kernels take longer than the kernels"),
        ("fast-intrinsics", "sigmoid exp", "", "special function unit is the roof"),
        (
            "split-k-stream-k",
            "matmul of a small output with a long inner size",
            "",
            "few blocks, most multiprocessors idle",
        ),
        (
            "l2-cache-reuse gemm-tiling",
            "matmul",
            "",
            "tiles are read from device memory again by every block",
        ),
        # What tasks consist of.
        ("gemm-tiling gemm-tensor-core-pipeline", "matmul", "", ""),
        ("softmax", "softmax", "", ""),
        ("layernorm", "layer_norm", "", ""),
        ("prefix-scan", "cumsum", "", ""),
        ("histogram", "histc bincount", "", ""),
        ("block-reduction warp-reduce-sync grid-reduction", "amax", "", ""),
        ("tma", "copy tiles with cp.async.bulk.tensor", "", ""),
        ("ldmatrix mma-sync", "mma.sync.aligned.m16n8k16 fragments from shared memory", "", ""),
        ("warp-shuffle warp-reduce-sync", "sum in a warp", "", ""),
    ],
    "triton": [
        ("masks-and-other", "add", words.TAIL_WRONG, ""),
        (
            "error-conditions-on-blocks",
            "relu",
            "ValueError: The truth value of an array with more than one element is ambiguous",
            "",
        ),
        ("masks-and-other reductions", "softmax", words.HAS_NAN, ""),
        ("dot-precision", "matmul", words.REDUCED_PRECISION, ""),
        (
            "int64-offsets",
            "embedding",
            "CUDA error: an illegal memory access was encountered, 3e9 elements",
            "",
        ),
        ("atomics cuda/atomics cuda/race-conditions", "sum", words.NOT_REPEATABLE, ""),
        (
            "num-warps-stages out-of-resources cuda/register-spills",
            "matmul",
            "",
            "spills 96 bytes a thread out of 255 registers",
        ),
        ("coalescing-layout", "transpose", "", "none of its 8 global loads fetches 128 bits"),
        ("program-order-l2", "matmul", "", "tiles are fetched from device memory again, L2 hit rate 30%"),
        ("autotune", "matmul", "", "which BLOCK_M, BLOCK_N and num_stages are fastest"),
        ("compile-cost autotune", "relu", "", "the first call takes seconds, compiled anew for each size"),
        ("matmul-kernel", "linear", "", ""),
        ("norm-kernels", "layer_norm", "", ""),
        ("norm-kernels", "rms_norm", "", ""),
        ("flash-attention", "scaled_dot_product_attention", "", ""),
        ("scans", "cumsum", "", ""),
        ("reductions", "amax", "", ""),
        ("conv-kernels", "conv2d", "", ""),
        ("fused-elementwise", "add mul relu", "", ""),
        ("persistent-kernels", "matmul", "", "a last wave of few programs leaves multiprocessors idle"),
    ],
    "cupy": [
        (
            "error-compile-exceptions cuda/error-undefined-identifier",
            "relu",
            'cupy.cuda.compiler.CompileException: k.cu(3): error: identifier "idx" is undefined',
            "",
        ),
        (
            "torch-interoperability rawkernel-arguments",
            "add",
            "TypeError: Unsupported type <class 'torch.Tensor'>",
            "",
        ),
        (
            "error-compile-exceptions cuda/error-linkage-and-names",
            "sum",
            "CUDADriverError: CUDA_ERROR_NOT_FOUND: named symbol not found",
            "",
        ),
        (
            "shared-memory-and-attributes rawkernel-arguments cuda/launch-limits",
            "matmul",
            "CUDADriverError: CUDA_ERROR_INVALID_VALUE: invalid argument",
            "",
        ),
        (
            "cuda/error-illegal-memory-access",
            "gather",
            "CUDARuntimeError: cudaErrorIllegalAddress: an illegal memory access was encountered",
            "",
        ),
        ("synchronisation-and-timing", "relu", "", "every call waits for the device"),
        ("elementwise-kernel", "relu", "", ""),
        ("reduction-kernel", "amax", "", ""),
        ("matrix-product-choices", "linear", "", ""),
        ("half-and-bfloat16", "add of float16 arrays", "", ""),
        ("raw-strides-layout", "add", words.TRANSPOSED, ""),
        ("rawkernel-compile-options", "exp", "", "compile with --use_fast_math"),
    ],
    "npu": [
        ("error-no-member-in-aie exp-approximation", "exp", "no member named 'exp' in namespace 'aie'", ""),
        ("error-template-arguments", "add", "no matching function for call to 'load_v'", ""),
        (
            "error-legalize inverse-sqrt-division",
            "div",
            "LLVM ERROR: unable to legalize instruction: %12:_(s32) = G_FDIV %10, %11",
            "",
        ),
        (
            "program-memory error-link",
            "conv2d",
            "ld.lld: error: section '.text' will not fit in region 'program': overflowed by 2304 bytes",
            "",
        ),
        ("exp-approximation error-link", "sigmoid", "ld.lld: error: undefined symbol: expf", ""),
        ("loop-pragmas", "add", "use of undeclared identifier 'chess_prepare_for_pipelining'", ""),
        (
            "accumulator-to-vector",
            "mul",
            "no viable conversion from 'aie::accum<accfloat, 16>' to 'aie::vector<bfloat16, 16>'",
            "",
        ),
        ("rounding-and-saturation", "mul int8", words.LARGE_ONLY, ""),
        ("rounding-and-saturation", "add int8", "values are off by one after the shift", ""),
        (
            "software-pipelining restrict",
            "relu",
            "",
            "initiation interval 11 in the loop, the store orders the next loads",
        ),
        ("data-memory", "conv2d", "", "buffers do not fit into 64 KB of the tile"),
        ("memory-banks-and-ports", "add", "", "two loads of one bank in a cycle, the data path stalls"),
        ("vectorization-score vector-lanes", "add", "", "most instructions are scalar"),
        ("softmax", "softmax", "", ""),
        ("mmul matmul-row-major", "matmul", "", ""),
        ("conv1d-2d", "conv2d", "", ""),
        ("argmax", "argmax", "", ""),
        ("integer-elementwise", "relu of int8", "", ""),
        ("reductions", "sum", "", ""),
        ("prefix-sum", "cumsum", "", ""),
        ("pooling", "max_pool2d", "", ""),
        ("shuffles-and-layout", "transpose", "", ""),
        ("inverse-sqrt-division", "rsqrt mean", "", ""),
        ("masks-and-select", "where greater", "", ""),
        ("trigonometry-and-log", "sin cos", "", ""),
        ("lookup-tables exp-approximation", "tanh", "", ""),
        ("zero-overhead-loops", "add", "", "the loop branches each time, no hardware loop"),
        ("locks-and-fifos", "copy", "the call timed out, the core waits for a lock", ""),
    ],
}


_ON_GPUS = {
    words.TAIL_WRONG: "wrong-tail",
    words.LAST_BLOCK_WRONG: "wrong-tail",
    words.HAS_NAN: "wrong-nan-or-inf",
    words.NOT_REPEATABLE: "wrong-not-repeatable",
    words.REDUCED_PRECISION: "wrong-precision",
    words.TRANSPOSED: "wrong-shift-or-transpose",
    "softmax": "online-softmax-gpu",
    "scaled_dot_product_attention": "flash-attention-recipe",
    "cumsum": "cumulative-ops",
    "conv2d": "implicit-gemm",
    "relu": "elementwise-activations",
    "add mul relu": "elementwise-activations fused-epilogue",
    "layer_norm": "norms-and-distances",
    "rms_norm": "norms-and-distances",
}
"""Finding, or operator where nothing else is known, to the recipe for every GPU language that is about it."""


def _recipes(target, operator, error, bottleneck):
    subject = error or ("" if bottleneck else operator)
    known = _ON_GPUS.get(subject, "") if target in ("cuda", "triton", "cupy") else ""
    return [f"operators/{name}" for name in known.split()]


def _stories():
    for target, stories in _STORIES.items():
        for notes, operator, error, bottleneck in stories:
            own = [note if "/" in note else f"{target}/{note}" for note in notes.split()]
            relevant = (*own, *_recipes(target, operator, error, bottleneck))
            name = " ".join(filter(None, [target, operator, error[:60], bottleneck[:60]]))
            yield Situation(name, target, relevant, operator, "", error, bottleneck)
