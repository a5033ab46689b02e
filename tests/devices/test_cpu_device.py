"""The CPU device tells what the system tells, and measures its roofs once."""

import json

import pytest

from kernelopt import registry, resources
from kernelopt.devices import _ceilings
from kernelopt.devices._cpuinfo import Cache, read, size_text
from kernelopt.devices.cpu import Cpu, _copy_bytes

CPUINFO = """processor : 0
model name	: Example CPU 9000
flags		: fpu sse2 avx avx2 fma f16c avx512f avx512_bf16

processor : 1
model name	: Example CPU 9000
flags		: fpu sse2
"""


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def cache_files(index, level, kind, size, shared):
    folder = f"sys/devices/system/cpu/cpu0/cache/index{index}"
    parts = {"level": level, "type": kind, "size": size, "shared_cpu_list": shared}
    return {f"{folder}/{name}": f"{text}\n" for name, text in parts.items()}


@pytest.fixture
def machine(tmp_path):
    write(
        tmp_path,
        {
            "proc/cpuinfo": CPUINFO,
            "proc/meminfo": "MemTotal:       16777216 kB\nMemFree: 1 kB\n",
            **cache_files(0, "1", "Data", "48K", "0"),
            **cache_files(1, "1", "Instruction", "32K", "0"),
            **cache_files(2, "2", "Unified", "2M", "0"),
            **cache_files(3, "3", "Unified", "32768K", "0-3,8"),
        },
    )
    return tmp_path


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERNELOPT_CACHE", str(tmp_path / "cache"))
    return resources.cache_dir()


def test_the_plugin_is_found_by_name_and_usable():
    device = registry.get("devices", "cpu")()
    assert device.name == "cpu"
    assert device.missing() is None


def test_the_system_files_are_read(machine):
    info = read(machine)
    assert info.model == "Example CPU 9000"
    assert info.simd == ("avx512f", "fma", "f16c", "avx512_bf16")
    assert info.simd_bytes == 64
    assert info.caches == (Cache(1, 48 << 10, 1), Cache(2, 2 << 20, 1), Cache(3, 32 << 20, 5))
    assert info.memory_bytes == 16 << 30


def test_a_control_group_limit_counts_when_it_is_the_smaller(machine):
    write(machine, {"sys/fs/cgroup/memory.max": "1073741824\n"})
    assert read(machine).memory_bytes == 1 << 30
    write(machine, {"sys/fs/cgroup/memory.max": "max\n"})
    assert read(machine).memory_bytes == 16 << 30


def test_an_arm_machine_has_features_instead_of_flags(tmp_path):
    write(tmp_path, {"proc/cpuinfo": "processor : 0\nFeatures : fp asimd sve\n"})
    info = read(tmp_path)
    assert info.simd == ("asimd", "sve")
    assert info.simd_bytes == 16


def test_a_system_that_tells_nothing_is_described_as_unknown(tmp_path):
    facts = Cpu(tmp_path).describe()
    assert facts["simd"] == facts["caches"] == facts["memory"] == "unknown"
    assert int(facts["cores"]) >= 1
    assert facts["model"]


def test_describe_is_all_text(machine):
    facts = Cpu(machine).describe()
    assert facts["caches"] == "L1 48 KiB, L2 2 MiB, L3 32 MiB"
    assert facts["memory"] == "16 GiB"
    assert all(isinstance(value, str) for value in facts.values())


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 40, "5120 GiB")]
)
def test_sizes_are_told_in_the_largest_fitting_unit(size, text):
    assert size_text(size) == text


def test_the_copy_buffer_outgrows_the_caches_but_not_the_memory(machine, tmp_path):
    assert _copy_bytes(read(machine)) == 128 << 20
    write(machine, {"sys/fs/cgroup/memory.max": str(256 << 20)})
    assert _copy_bytes(read(machine)) == 16 << 20


def test_roofs_are_measured_once_and_then_read(machine, cache, monkeypatch):
    first = Cpu(machine).ceilings()
    assert first.bytes_per_s > 1e8
    assert first.flops_per_s["float32"] > 1e8
    monkeypatch.setattr(_ceilings, "measure", lambda _: pytest.fail("measured again"))
    assert Cpu(machine).ceilings() == first


def test_another_machine_has_another_file(machine, cache, monkeypatch):
    made = []
    monkeypatch.setattr(_ceilings, "measure", lambda _: made.append(1) or ROOFS)
    Cpu(machine).ceilings()
    write(machine, {"proc/cpuinfo": CPUINFO.replace("9000", "9001")})
    Cpu(machine).ceilings()
    assert len(made) == 2


ROOFS = _ceilings.Ceilings(bytes_per_s=1e10, flops_per_s={"float32": 1e11})


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"bytes_per_s": 1e9}',
        '{"bytes_per_s": 1e9, "flops_per_s": {}}',
        '{"bytes_per_s": -1, "flops_per_s": {"float32": 1e9}}',
        '{"bytes_per_s": NaN, "flops_per_s": {"float32": 1e9}}',
        '{"bytes_per_s": "fast", "flops_per_s": {"float32": 1e9}}',
        "\x00\xff",
    ],
)
def test_a_corrupt_cache_file_is_made_anew(tmp_path, content):
    path = tmp_path / "roofs.json"
    path.write_text(content)
    assert _ceilings.cached(path, lambda: ROOFS) == ROOFS
    assert json.loads(path.read_text())["bytes_per_s"] == ROOFS.bytes_per_s


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    (tmp_path / "file").write_text("")
    assert _ceilings.cached(tmp_path / "file" / "roofs.json", lambda: ROOFS) == ROOFS


def test_the_prompt_text_holds_what_a_kernel_has_to_fit(machine, cache, monkeypatch):
    monkeypatch.setattr(_ceilings, "measure", lambda _: ROOFS)
    text = Cpu(machine).machine_text()
    assert "16 float32 lanes" in text
    assert "L3 32 MiB shared by 5" in text
    assert "10 GB/s" in text
    assert "100 GFLOP/s" in text
    assert len(text.splitlines()) <= 5
