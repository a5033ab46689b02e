"""The languages cuda and cupy as plugins: what they ask of the machine, tell a writer, and build."""

import re

import pytest

from kernelopt import registry
from kernelopt.inline_cuda import STANDARD, signatures
from kernelopt.kernel import Kernel
from kernelopt.languages import BuildRequest, _cubin
from kernelopt.languages._cuda_guide import CUDA_EXAMPLE, CUPY_EXAMPLE
from kernelopt.languages._tools import HostTools
from kernelopt.task import Task

TASK = Task(id="1/1", name="1_Anything", source="", suite="file")
EXAMPLES = {"cuda": CUDA_EXAMPLE, "cupy": CUPY_EXAMPLE}
SOURCE = 'extern "C" __global__ void twice(float* x) { x[threadIdx.x] *= 2; }'


@pytest.fixture(params=EXAMPLES)
def language(request):
    return registry.get("languages", request.param)()


@pytest.fixture
def nvrtc():
    if problem := _cubin.missing():
        pytest.skip(problem)


def text_of(example: str) -> str:
    return re.search(r'r"""\n(.*?)"""', example, re.DOTALL)[1]


def request_of(source: str, *flags: str) -> BuildRequest:
    return BuildRequest("cubin", "k", {"k.cu": source}, ("--gpu-architecture=sm_90", STANDARD, *flags))


def test_they_are_found_by_name_and_run_on_a_gpu(language):
    assert language.device == "cuda"
    assert language.name in registry.names("languages")


def test_the_guide_is_short_and_holds_a_complete_answer(language):
    guide = language.guide(TASK)
    assert len(guide.splitlines()) <= 90
    assert EXAMPLES[language.name] in guide


def test_the_worked_example_raises_no_finding(language):
    assert language.inspect(Kernel.from_source(EXAMPLES[language.name], language.name)) == []


def test_an_answer_that_never_launches_its_kernel_is_suspect(language):
    example = EXAMPLES[language.name]
    idle = re.sub(r"^( +)(lib\.)?row_range[\[(].*$", r"\1pass", example, flags=re.MULTILINE)
    assert idle != example
    idle = idle.replace("return y", "return torch.relu(y)")
    found = language.inspect(Kernel.from_source(idle, language.name))
    assert {"never-called", "fallback"} <= {finding.rule for finding in found if finding.suspect}


def test_the_example_takes_what_its_call_passes():
    (signature,) = signatures(text_of(CUDA_EXAMPLE))
    assert [one.pointer for one in signature.parameters] == [True, True, True, False]


def test_the_worked_example_compiles(language, nvrtc, tmp_path):
    reply = language.build(request_of(text_of(EXAMPLES[language.name])), tmp_path, 60.0, HostTools())
    assert reply.ok, reply.log
    assert not reply.cached
    again = language.build(request_of(text_of(EXAMPLES[language.name])), tmp_path, 60.0, HostTools())
    assert again.cached and again.path == reply.path


def test_a_source_that_does_not_compile_is_data(language, nvrtc, tmp_path):
    reply = language.build(request_of(SOURCE.replace("*= 2", "*= two")), tmp_path, 60.0, HostTools())
    assert not reply.ok
    assert 'identifier "two" is undefined' in reply.log


def test_an_architecture_that_nobody_knows_is_data(language, nvrtc, tmp_path):
    """A candidate can send any request; none ends a search."""
    request = BuildRequest("cubin", "k", {"k.cu": SOURCE}, ("--gpu-architecture=sm_999",))
    assert language.build(request, tmp_path, 60.0, HostTools()).log.startswith("refused: no architecture")


def test_an_extension_without_cuda_sources_is_no_build_for_a_gpu(language, tmp_path):
    request = BuildRequest("torch_extension", "m", {"main.cpp": ""})
    assert language.build(request, tmp_path, 60.0, HostTools()).log.startswith("no such build")


@pytest.mark.parametrize(
    "request_",
    [
        BuildRequest("shared", "k", {"k.cpp": ""}),
        BuildRequest("cubin", "k", {"k.cu": SOURCE}, (STANDARD,)),
        BuildRequest("cubin", "k", {"k.cu": SOURCE, "l.cu": SOURCE}, ("--gpu-architecture=sm_90",)),
    ],
)
def test_other_requests_are_refused(language, request_, tmp_path):
    reply = language.build(request_, tmp_path, 60.0, HostTools())
    assert not reply.ok
    assert reply.log.startswith("no such build")
