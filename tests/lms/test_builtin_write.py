"""The builtin writer's compiler: every family, naive and with all skills, against PyTorch in fp64."""

import ast

import pytest
import torch

from kernelopt.lms._builtin.skills import BY_NAME
from kernelopt.lms._builtin.write import UnknownOperator, write_module

CAREFUL = frozenset({"includes", "tail", "row_max", "epsilon"})
ALL = frozenset(BY_NAME)

TASKS = {
    # name: (forward's arguments and body, inputs, body of __init__)
    "chain": ("x, y: torch.sigmoid(x * 2.0 - y).clamp(0.1, 0.8) / 3.0", "R(7, 13), R(7, 13)", ""),
    "broadcast": ("x, y: F.gelu(x + self.b) * y", "R(7, 13), R(7, 1)", "self.b = nn.Parameter(R(13))"),
    "gelu_tanh": ("x: F.gelu(x, approximate='tanh')", "R(5, 11)", ""),
    "softplus": ("x: F.softplus(x) + F.mish(x) + F.elu(x) + F.leaky_relu(x)", "R(5, 11)", ""),
    "where": ("x, m: torch.where(m, x, -x)", "R(5, 11), torch.rand(5, 11) < 0.5", ""),
    "waves": ("x: torch.sin(x) * torch.cos(x) + torch.tanh(x)", "R(5, 11)", ""),
    "transposed": ("x: torch.relu(x).permute(0, 2, 1).contiguous()", "R(3, 5, 7)", ""),
    "chunks": ("x: F.silu(x.chunk(2, -1)[0]) * x.chunk(2, -1)[1]", "R(5, 22)", ""),
    "joined": ("x, y: torch.cat([x * 2, torch.exp(y)], dim=1)", "R(3, 5), R(3, 4)", ""),
    "triangle": ("x: torch.triu(x, diagonal=1) + torch.tril(x)", "R(9, 7)", ""),
    "softmax": ("x: torch.softmax(x, dim=-1)", "R(7, 33)", ""),
    "softmax_middle": ("x: F.log_softmax(x, dim=1)", "R(3, 5, 19)", ""),
    "logsumexp": ("x: torch.logsumexp(x * 3, dim=1)", "R(7, 33)", ""),
    "layer_norm": ("x, y: self.n(x + y)", "R(3, 7, 19), R(3, 7, 19)", "self.n = nn.LayerNorm(19)"),
    "group_norm": ("x: F.silu(self.n(x))", "R(3, 6, 5, 7)", "self.n = nn.GroupNorm(2, 6)"),
    "instance_norm": ("x: F.instance_norm(x)", "R(3, 4, 5, 7)", ""),
    "batch_norm": ("x: self.n(x)", "R(3, 4, 5, 7)", "self.n = nn.BatchNorm2d(4); self.n.eval()"),
    "rms_norm": ("x: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)", "R(7, 33)", ""),
    "sum_middle": ("x: x.abs().sum(dim=1)", "R(3, 9, 21)", ""),
    "mean_outer": ("x: x.mean(dim=(0, 2))", "R(3, 9, 21)", ""),
    "max_first": ("x: torch.amax(x, dim=0)", "R(9, 21)", ""),
    "max_values": ("x: torch.max(x, dim=1).values", "R(3, 9, 21)", ""),
    "argmax": ("x: torch.argmax(x, dim=1)", "R(3, 9, 21)", ""),
    "variance": ("x: torch.var(x, dim=1)", "R(9, 21)", ""),
    "norm": ("x: x.norm(dim=1)", "R(9, 21)", ""),
    "whole": ("x, y: ((x - y) ** 2).mean()", "R(170, 131), R(170, 131)", ""),
    "cross_entropy": ("x, y: F.cross_entropy(x, y)", "R(9, 21), torch.randint(0, 21, (9,))", ""),
    "huber": ("x, y: F.huber_loss(x, y)", "R(9, 21), R(9, 21)", ""),
    "smooth_l1": ("x, y: F.smooth_l1_loss(x, y, beta=0.5)", "R(9, 21), R(9, 21)", ""),
    "kl_div": ("x, y: F.kl_div(x, y, reduction='batchmean')", "R(9, 21), torch.rand(9, 21)", ""),
    "cosine": ("x, y: F.cosine_similarity(x, y, dim=1)", "R(9, 21), R(9, 21)", ""),
    "cumsum": ("x: torch.cumsum(x, dim=1)", "R(11, 21)", ""),
    "cumsum_back": ("x: torch.cumsum(x.flip(1), dim=1).flip(1)", "R(11, 21)", ""),
    "cumsum_middle": ("x: torch.cumsum(x, dim=1)", "R(3, 7, 21)", ""),
    "recurrence": ("x, s: torch.stack(self.steps(x, s), dim=1)", "R(3, 6, 5), R(3, 5)", ""),
    "max_pool": ("x: F.max_pool2d(F.relu(x), 3, 2, 1)", "R(2, 3, 9, 11)", ""),
    "avg_pool": ("x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)", "R(2, 3, 9, 11)", ""),
    "avg_pool1d": ("x: F.avg_pool1d(x, 5, 1, 2)", "R(2, 3, 17)", ""),
    "matmul": ("a, b: torch.matmul(a, b)", "R(13, 17), R(17, 37)", ""),
    "transposed_matmul": ("a, b: torch.matmul(a.T, b.T)", "R(17, 13), R(37, 17)", ""),
    "bmm": ("a, b: torch.bmm(a, b) * 0.5", "R(5, 13, 7), R(5, 7, 35)", ""),
    "matvec": ("a, v: torch.mv(a, v)", "R(13, 17), R(17)", ""),
    "linear": ("x: torch.relu(self.l(x)) + x.sum()", "R(13, 17)", "self.l = nn.Linear(17, 37)"),
    "linear_norm": ("x: F.layer_norm(x + self.l(x), (17,))", "R(13, 17)", "self.l = nn.Linear(17, 17)"),
    "attention": ("q, k: F.softmax(q @ k.transpose(1, 2) * 0.3, -1) @ k", "R(5, 9, 8), R(5, 9, 8)", ""),
    "conv": ("x: F.relu(self.c(x))", "R(2, 3, 9, 11)", "self.c = nn.Conv2d(3, 7, 3, padding=1)"),
    "conv_stride": ("x: self.c(x)", "R(2, 3, 9, 11)", "self.c = nn.Conv2d(3, 7, 3, stride=2)"),
    "depthwise": ("x: self.c(x)", "R(2, 6, 9, 11)", "self.c = nn.Conv2d(6, 6, 3, padding=1, groups=6)"),
    "grouped": ("x: self.c(x)", "R(2, 6, 9, 11)", "self.c = nn.Conv2d(6, 14, 3, groups=2)"),
    "conv1d": ("x: self.c(x)", "R(2, 3, 21)", "self.c = nn.Conv1d(3, 7, 5, dilation=2)"),
    "pointwise": ("x: self.c(x) + 1.0", "R(2, 6, 9, 11)", "self.c = nn.Conv2d(6, 7, 1)"),
}

MODULE = """
import torch
from torch import nn
import torch.nn.functional as F
R = torch.randn
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        {init}
    def steps(self, x, s):
        states = []
        for t in range(x.shape[1]):
            s = torch.sigmoid(x[:, t]) * s + x[:, t]
            states.append(s)
        return states
    def forward(self, {arguments}):
        return {body}
def get_inputs():
    return [{inputs}]
def get_init_inputs():
    return []
"""


def task(name: str) -> str:
    forward, inputs, init = TASKS[name]
    arguments, _, body = forward.partition(": ")
    return MODULE.format(init=init or "pass", arguments=arguments, body=body, inputs=inputs)


def run(text: str) -> dict:
    space = {"__name__": "module"}
    exec(compile(text, "<module>", "exec"), space)
    return space


def build(space: dict, name: str) -> torch.nn.Module:
    torch.manual_seed(1)
    return space[name]()


def double(x: torch.Tensor) -> torch.Tensor:
    return x.double() if x.is_floating_point() else x


def worst_error(got: torch.Tensor, want: torch.Tensor) -> float:
    """Largest error as a multiple of what the evaluator allows."""
    assert got.shape == want.shape
    if not want.is_floating_point():
        return 2.0 * float((got != want).sum())
    allowed = 2e-5 * want.square().mean().sqrt() + 2e-5 * want.abs()
    return float(((got.double() - want).abs() / allowed).max())


@pytest.mark.parametrize("skills", [CAREFUL, ALL], ids=["naive", "skilled"])
@pytest.mark.parametrize("name", TASKS)
def test_agrees_with_pytorch(name, skills):
    source = task(name)
    reference, answer = run(source), run(write_module(source, skills))
    model, new = build(reference, "Model"), build(answer, "ModelNew")
    assert list(model.state_dict()) == list(new.state_dict())
    torch.manual_seed(2)
    given = reference["get_inputs"]()
    mixed = [(x - x.mean()) * 4 if x.is_floating_point() and name != "kl_div" else x for x in given]
    with torch.no_grad():
        results = [new(*given), new(*mixed)]
        model.double()
        wants = [model(*map(double, given)), model(*map(double, mixed))]
    for got, want in zip(results, wants, strict=True):
        assert worst_error(got, want) <= 1.0


def test_same_question_same_answer():
    assert write_module(task("layer_norm"), ALL) == write_module(task("layer_norm"), ALL)


@pytest.mark.parametrize("skills", [frozenset(), ALL], ids=["none", "all"])
@pytest.mark.parametrize("name", TASKS)
def test_forward_only_allocates_and_calls_kernels(name, skills):
    tree = ast.parse(write_module(task(name), skills))
    model = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "ModelNew")
    forward = next(n for n in model.body if isinstance(n, ast.FunctionDef) and n.name == "forward")
    nodes = list(ast.walk(forward))
    assert not [n for n in nodes if isinstance(n, (ast.BinOp, ast.Compare, ast.AugAssign))]
    called = {ast.unparse(n.func) for n in nodes if isinstance(n, ast.Call)}
    assert all(
        c == "torch.empty" or c.startswith("lib.f") or c.endswith((".contiguous", ".view")) for c in called
    )


def test_an_operator_it_does_not_know_is_named():
    source = MODULE.format(init="pass", arguments="x", body="torch.fft.rfft(x)", inputs="R(8)")
    with pytest.raises(UnknownOperator, match="fft"):
        write_module(source, ALL)


def test_a_beginner_forgets_the_tail_of_an_unrolled_loop():
    source = task("gelu_tanh")  # 55 elements: six groups of eight and seven more
    text = write_module(source, frozenset())
    assert "- 8; o0 += 8" in text
    assert "o0 = 48" not in text
    assert "o0 = 48" in write_module(source, frozenset({"tail"}))


def test_a_beginner_forgets_headers_in_norms_but_not_elsewhere():
    assert "#include <cmath>" not in write_module(task("layer_norm"), frozenset())
    assert "#include <cmath>" in write_module(task("layer_norm"), frozenset({"includes"}))
    assert "#include <cmath>" in write_module(task("chain"), frozenset())


@pytest.mark.parametrize(
    ("name", "skill", "scale"), [("softmax", "row_max", 1e4), ("rms_norm", "epsilon", 1e-4)]
)
def test_what_is_not_taught_makes_kernels_wrong(name, skill, scale):
    source = task(name)
    careless = build(run(write_module(source, ALL - {skill})), "ModelNew")
    careful = build(run(write_module(source, ALL)), "ModelNew")
    x = torch.randn(7, 33) * scale
    want = build(run(source), "Model")(x).double()
    assert worst_error(careful(x), want) <= 1.0
    assert not worst_error(careless(x), want) <= 1.0


def test_fusion_leaves_one_kernel():
    assert "void f1(" not in write_module(task("layer_norm"), ALL)
    assert "void f1(" in write_module(task("layer_norm"), CAREFUL)


def test_an_unrolled_recurrence_becomes_a_loop():
    assert write_module(task("recurrence"), ALL).count("lib.f") == 1
