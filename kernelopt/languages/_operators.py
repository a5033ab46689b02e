"""Names of PyTorch that do work, and names that only allocate, view, convert or ask."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


HARMLESS_METHODS = words("""
    as_strided bfloat16 bool byte chunk clone contiguous copy_ cpu data_ptr detach detach_ device dim
    double dtype element_size expand expand_as fill_ flatten float half int is_contiguous is_cuda
    is_floating_point is_pinned item itemsize layout long movedim moveaxis mT narrow nbytes ndim
    ndimension nelement new_empty new_empty_strided new_full new_ones new_tensor new_zeros numel permute
    pin_memory requires_grad_ reshape reshape_as resize_ select set_ shape short size split
    split_with_sizes squeeze stride storage_offset swapaxes swapdims t tensor_split to tolist transpose
    type type_as unbind unflatten unfold unsqueeze untyped_storage view view_as view_as_complex
    view_as_real zero_ flip_strides broadcast_to is_complex is_same_size is_set_to numpy
""")
"""Tensor methods that an answer may call in `forward`."""

TENSOR_METHODS = HARMLESS_METHODS - words("""
    chunk data_ptr device dim dtype element_size is_contiguous is_cuda is_floating_point is_pinned item
    itemsize layout nbytes ndim ndimension nelement numel shape size split split_with_sizes stride
    storage_offset tensor_split tolist type unbind untyped_storage is_complex is_same_size is_set_to
    numpy bool int float
""")
"""Those of them that return a tensor for certain."""

ASKING = words("""
    shape size stride dim ndim numel contiguous is_contiguous data_ptr element_size dtype view reshape
    new_empty new_zeros unsqueeze squeeze transpose permute flatten detach storage_offset
""")
"""Attributes whose use on a name shows that it is a tensor."""

ALLOCATING = words("""
    empty empty_like empty_strided empty_permuted zeros zeros_like ones ones_like full full_like tensor
    as_tensor from_numpy frombuffer arange scalar_tensor asarray ascontiguousarray
""")
HARMLESS_FUNCTIONS = (
    ALLOCATING
    | (HARMLESS_METHODS - {"numpy"})
    | words("""
        Size Tensor device dtype Generator finfo iinfo is_tensor is_grad_enabled no_grad enable_grad
        inference_mode set_grad_enabled is_inference_mode_enabled get_num_threads get_default_dtype
        broadcast_shapes broadcast_tensors promote_types result_type can_cast memory_format
        is_floating_point is_storage get_device _assert typename
        set_num_threads ravel atleast_2d
        _check _check_value _check_type _check_index _check_is_size
        compiler.is_compiling jit.is_scripting cpu._is_avx512_supported cpu.is_available
        nn.modules.utils._pair
    """)
)
"""Functions below ``torch`` that an answer may call in `forward`. Those that check are what PyTorch has
in place of ``assert``; ``_check_tensor_all`` reads the data, so it is not one of them."""

HARMLESS_SPACES = (
    *("utils.cpp_extension", "version", "cuda", "backends"),
    *("autograd.Function", "autograd.function", "nn.Module"),
    *("nn.Parameter", "nn.ParameterList", "nn.ParameterDict", "nn.Buffer", "nn.parameter"),
    *("nn.Identity", "nn.Flatten", "nn.Unflatten"),
    *(f"nn.{kind}Pad{size}d" for kind in ("Zero", "Constant") for size in (1, 2, 3)),
)
"""Names under ``torch`` that never compute, and nothing below them does."""

PADDING = ("torch.nn.functional.pad", "torch.constant_pad_nd")
"""Functions that move data into a larger tensor and fill the rest with one number, unless told otherwise.

``zeros`` and ``copy_`` do the same in two steps.
"""


def is_harmless(name: str) -> bool:
    """Whether ``torch.<name>`` only allocates, views, converts or asks."""
    rest = name.removeprefix("torch.")
    if rest.startswith("Tensor."):
        return rest.removeprefix("Tensor.") in HARMLESS_METHODS
    below = tuple(f"{space}." for space in HARMLESS_SPACES)
    return rest in (*HARMLESS_FUNCTIONS, *HARMLESS_SPACES) or rest.startswith(below) or name == rest


CONTAINERS = ("torch.nn.ModuleList", "torch.nn.ModuleDict", "torch.nn.Sequential")
"""Framework modules that are what they are filled with."""

FRAMEWORK_OPS = (
    "aten",
    "prim",
    "prims",
    "quantized",
    "mkldnn",
    "mkldnn_prepacked",
    "mkl",
    "onednn",
    "_quantized",
)
"""Namespaces of ``torch.ops`` that are PyTorch's own; any other belongs to the answer."""

OTHER_LIBRARIES = words("numpy scipy numba jax sklearn numexpr cupy tensorflow torchvision torchaudio")
"""Libraries that compute as well; what they do to data of the call is their work, not the kernel's."""

LIBRARY_OPERATORS = words("""
    matmul mm bmm addmm addmm_ addmv addbmm baddbmm baddbmm_ mv dot vdot inner einsum tensordot linear
    bilinear chain_matmul multi_dot conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
    convolution scaled_dot_product_attention fft ifft rfft irfft fft2 ifft2 rfft2 irfft2 fftn ifftn rfftn
    irfftn cholesky solve qr svd eigh inv lstm gru rnn_tanh rnn_relu lstm_cell gru_cell __matmul__
""")
"""Operators that are one call of a vendor's library: what ``allow_libraries`` allows."""

LIBRARY_LAYERS = words("""
    Linear Bilinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d LSTM GRU RNN
    LSTMCell GRUCell RNNCell
""")
"""Layers that are little more than one of `LIBRARY_OPERATORS`."""

OPERATOR_METHODS = words("""
    __matmul__ __rmatmul__ __imatmul__ __add__ __radd__ __iadd__ __sub__ __rsub__ __isub__ __mul__ __rmul__
    __imul__ __truediv__ __rtruediv__ __itruediv__ __pow__ __neg__ __abs__
""")
"""Arithmetic of tensors, called as methods."""

RANDOM_FUNCTIONS = frozenset(
    f"{space}.{name}"
    for space, names in {
        "torch": "manual_seed seed initial_seed get_rng_state set_rng_state",
        "torch.random": "manual_seed seed initial_seed get_rng_state set_rng_state fork_rng",
        "torch.cuda": "manual_seed manual_seed_all seed get_rng_state set_rng_state initial_seed",
        "random": "seed getstate setstate",
        "numpy.random": "seed get_state set_state",
    }.items()
    for name in names.split()
)
"""What sets or asks the shared generators."""

COMPUTING = words("""
    abs acos acosh add add_ addbmm addcdiv addcdiv_ addcmul addcmul_ addmm addmm_ addmv addr
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
    adaptive_max_pool3d affine_grid all_reduce alpha_dropout amax amin aminmax angle any argmax argmin
    argsort asin asinh atan atan2 atanh avg_pool1d avg_pool2d avg_pool3d baddbmm baddbmm_ batch_norm
    bernoulli bilinear binary_cross_entropy binary_cross_entropy_with_logits bincount bmm bucketize cat
    cdist ceil celu chain_matmul cholesky clamp clamp_ clamp_max clamp_max_ clamp_min clamp_min_ clip clip_
    column_stack concat concatenate conv1d conv2d conv3d conv_transpose1d conv_transpose2d
    conv_transpose3d convolution cos cosh cosine_embedding_loss cosine_similarity cov cross cross_entropy
    ctc_loss cummax cummin cumprod cumprod_ cumsum cumsum_ cumulative_trapezoid deg2rad det diff digamma
    dist div div_ dot dropout dstack einsum elu elu_ embedding embedding_bag eq erf erfc erfinv exp exp2
    exp_ expm1 feature_dropout fft flip floor floor_divide fmax fmin fmod fold frac gather ge gelu ger glu
    grid_sample group_norm gru_cell gt gumbel_softmax hardshrink hardsigmoid hardswish hardtanh heaviside
    hinge_embedding_loss histc hstack huber_loss hypot index_add index_add_ index_copy index_copy_ index_fill
    index_fill_ index_reduce index_reduce_ index_select inner
    instance_norm interpolate inverse isfinite isinf isnan isclose kl_div kron kthvalue l1_loss layer_norm
    le leaky_relu leaky_relu_ lerp lerp_ lgamma linalg linear local_response_norm log log10 log1p log2 log_
    log_softmax logaddexp logcumsumexp logical_and logical_not logical_or logical_xor logit logsigmoid
    logsumexp lp_pool1d lp_pool2d lstm lstm_cell lt margin_ranking_loss masked_fill masked_fill_
    masked_scatter masked_scatter_ masked_select matmul matrix_exp
    max_pool1d max_pool2d max_pool3d max_unpool2d maximum mean median
    minimum mish mm mode mse_loss mul mul_ multi_head_attention_forward multi_margin_loss multinomial
    multiply mv nan_to_num nanmean nanmedian nansum ne neg neg_ negative nll_loss nonzero norm normalize
    one_hot outer pad pairwise_distance pdist pixel_shuffle pixel_unshuffle poisson_nll_loss pow pow_ prelu
    prod quantile rad2deg reciprocal reciprocal_ relu relu6 relu_ remainder renorm repeat
    repeat_interleave rms_norm roll rot90 round rrelu rsqrt rsqrt_ rsub scaled_dot_product_attention
    scatter scatter_ scatter_add scatter_add_ scatter_reduce
    scatter_reduce_ searchsorted selu sgn sigmoid sigmoid_ sign
    silu sin sinh slogdet smooth_l1_loss soft_margin_loss softmax softmax_ softmin softplus softshrink
    softsign solve sort sqrt sqrt_ square square_ stack std std_mean sub sub_ subtract sum svd take
    take_along_dim tan tanh tanh_ tanhshrink tensordot threshold tile topk trace trapezoid tril
    triplet_margin_loss triu true_divide trunc unique upsample var var_mean vdot vecdot vstack where xlogy
""") - {"add", "any", "sort", "linalg", "fft"}
"""Tensor methods and functions that do the work that a kernel is asked for. Left out are names that
lists and sets of Python have as well."""

COMPUTING_IN_CPP = COMPUTING - words("""
    abs acos any asin atan ceil clamp clamp_max clamp_min cos cosh erf erfc exp exp2 expm1 floor fmod frac
    log log10 log1p log2 max maximum min minimum neg pow reciprocal round rsqrt sgn sign sin sinh sqrt tan
    tanh trunc le lt ge gt eq ne take mode repeat pad fold where index_select select trace norm dot cross
    angle digamma lgamma hypot atan2
""")
"""The same for methods in C++, without those that vector types of the CPU have too."""
