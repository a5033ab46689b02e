"""Compiled filters decide as their profiles say: run by a small interpreter of the kernel's instructions."""

import errno
import json
import struct

import pytest

from kernelopt.resources import folder
from kernelopt.sandboxes._seccomp import compile_profile, compiled
from kernelopt.sandboxes._syscalls import NUMBERS

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOW, KILL = "allow", "kill"
NEW_NAMESPACES = [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]
THREAD = 0x3D0F00  # what glibc passes for pthread_create


def decide(program, machine, name, *args):
    """What a filter says to a call: "allow", "kill", or the error number."""
    number = NUMBERS[machine][name] if isinstance(name, str) else name
    words = [number, ARCHITECTURES[machine], 0, 0]
    for arg in (*args, *[0] * (6 - len(args))):
        words += [arg & 0xFFFFFFFF, arg >> 32]
    code = list(struct.iter_unpack("=HBBI", program))
    at = accumulator = 0
    while True:
        kind, yes, no, operand = code[at]
        at += 1
        if kind == 0x20:
            accumulator = words[operand // 4]
        elif kind == 0x54:
            accumulator &= operand
        elif kind in (0x15, 0x35):
            at += yes if (accumulator == operand if kind == 0x15 else accumulator >= operand) else no
        else:
            assert kind == 0x06
            return {0x7FFF: ALLOW, 0x8000: KILL}.get(operand >> 16, operand & 0xFFFF)


@pytest.fixture(params=sorted(ARCHITECTURES))
def machine(request):
    return request.param


def test_every_call_of_a_profile_is_decided_as_it_says(machine):
    profile = json.loads((folder("sandbox") / "seccomp.json").read_text())
    program = compiled("seccomp", machine)
    plain = {n for rule in profile["syscalls"] if not rule.get("args") for n in rule["names"]} - {"clone3"}
    with_args = {n for rule in profile["syscalls"] if rule.get("args") for n in rule["names"]}
    for name in NUMBERS[machine]:
        if name not in with_args | {"clone3"}:
            assert decide(program, machine, name) == (ALLOW if name in plain else errno.EPERM), name


ESCAPES = """
ptrace process_vm_writev pidfd_getfd mount umount2 pivot_root keyctl add_key bpf perf_event_open userfaultfd
kexec_load init_module unshare setns io_uring_setup open_by_handle_at
"""


@pytest.mark.parametrize("profile", ["seccomp", "seccomp_job"])
@pytest.mark.parametrize("name", ESCAPES.split())
def test_what_escapes_are_made_of_is_refused(machine, profile, name):
    assert decide(compiled(profile, machine), machine, name) == errno.EPERM


def test_only_unix_sockets_can_be_made_and_none_by_a_job(machine):
    warm, job = compiled("seccomp", machine), compiled("seccomp_job", machine)
    assert decide(warm, machine, "socket", 1) == ALLOW
    for family in (0, 2, 10, 16, 17, 40, 1 << 32 | 2, 1 << 32 | 1):
        assert decide(warm, machine, "socket", family) == errno.EPERM
    assert decide(job, machine, "socket", 1) == errno.EPERM
    assert decide(job, machine, "connect") == errno.EPERM
    assert decide(job, machine, "socketpair", 1, 1) == ALLOW
    assert decide(job, machine, "socketpair", 1, 0x80000 | 2) == errno.EPERM  # could send anywhere


@pytest.mark.parametrize("flag", NEW_NAMESPACES)
def test_threads_can_be_made_but_no_namespaces(machine, flag):
    program = compiled("seccomp", machine)
    assert decide(program, machine, "clone", THREAD) == ALLOW
    assert decide(program, machine, "clone", THREAD | flag) == errno.EPERM
    assert decide(program, machine, "clone3") == errno.ENOSYS  # glibc then uses clone


def test_a_job_can_make_threads_but_no_user_namespace(machine):
    program = compiled("seccomp_job", machine)
    assert decide(program, machine, "clone", THREAD) == ALLOW
    assert decide(program, machine, "clone", THREAD | 0x10000000) == errno.EPERM
    assert decide(program, machine, "read") == ALLOW


SIGCHLD, SIGCONT = 17, 18


def test_nothing_can_be_made_to_wake_a_stopped_job(machine):
    program = compiled("seccomp_job", machine)
    assert decide(program, machine, "timer_create", 1) == errno.EPERM
    assert decide(program, machine, "fcntl", 5, 10, SIGCONT) == errno.EPERM  # F_SETSIG
    assert decide(program, machine, "fcntl", 5, 1 << 32 | 10, SIGCONT) == errno.EPERM
    assert decide(program, machine, "fcntl", 5, 4, 0x2000) == ALLOW
    assert decide(program, machine, "prctl", 1 << 32 | 1, SIGCONT) == errno.EPERM  # PR_SET_PDEATHSIG
    assert decide(program, machine, "prctl", 1, 9) == ALLOW
    assert decide(program, machine, "clone", SIGCONT) == errno.EPERM
    assert decide(program, machine, "clone", SIGCHLD) == ALLOW


def test_a_job_has_no_say_in_the_limits_and_turns_of_others(machine):
    program = compiled("seccomp_job", machine)
    assert decide(program, machine, "prlimit64", 0, 7) == ALLOW
    assert decide(program, machine, "prlimit64", 1 << 32 | 123, 7) == errno.EPERM
    assert decide(program, machine, "setpriority", 2, 0, 19) == errno.EPERM
    assert decide(program, machine, "sched_setscheduler", 123) == errno.EPERM


def test_a_job_cannot_know_its_precedence_nor_hide_from_looks(machine):
    program = compiled("seccomp_job", machine)
    assert decide(program, machine, "getpriority", 0, 0) == errno.EPERM
    assert decide(program, machine, "sched_getattr", 0) == errno.EPERM
    assert decide(program, machine, "sched_getaffinity", 0) == ALLOW
    assert decide(program, machine, "prctl", 1 << 32 | 4, 0) == errno.EPERM  # PR_SET_DUMPABLE
    assert decide(program, machine, "prctl", 3) == ALLOW


def test_calls_of_another_architecture_do_not_pass():
    program = compiled("seccomp", "x86_64")
    assert decide(program, "aarch64", "read") == KILL
    assert decide(program, "x86_64", 0x40000000 + NUMBERS["x86_64"]["read"]) == errno.ENOSYS  # x32


def test_calls_can_be_allowed_besides(machine):
    assert decide(compiled("seccomp", machine), machine, "setresuid") == errno.EPERM
    assert decide(compiled("seccomp", machine, ["setresuid"]), machine, "setresuid") == ALLOW


def test_a_rule_with_several_arguments_wants_all_of_them(machine):
    rule = {
        "names": ["ioctl"],
        "action": "SCMP_ACT_ERRNO",
        "errnoRet": 25,
        "args": [
            {"index": 1, "value": 0x5412, "op": "SCMP_CMP_EQ"},
            {"index": 2, "value": 0xF00000000, "valueTwo": 0x300000000, "op": "SCMP_CMP_MASKED_EQ"},
        ],
    }
    program = compile_profile({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]}, machine)
    assert decide(program, machine, "ioctl", 0, 0x5412, 0x300000007) == 25
    assert decide(program, machine, "ioctl", 0, 0x5412, 0x200000007) == ALLOW
    assert decide(program, machine, "ioctl", 0, 0x5413, 0x300000007) == ALLOW
    assert decide(program, machine, "write", 0, 0x5412, 0x300000007) == ALLOW


@pytest.mark.parametrize(
    "rule",
    [
        {"names": ["no_such_call"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["read"], "action": "SCMP_ACT_TRACE"},
        {
            "names": ["read"],
            "action": "SCMP_ACT_ALLOW",
            "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_LT"}],
        },
    ],
)
def test_what_is_not_understood_is_an_error_and_no_gap(rule):
    with pytest.raises(ValueError, match="unknown"):
        compile_profile({"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [rule]}, "x86_64")


def test_an_architecture_without_numbers_has_no_filter():
    assert compiled("seccomp", "riscv64") == b""


def test_numbers_are_those_of_this_machine():
    """A few that tell a shifted table: of the middle, of the gaps, of the end."""
    assert {NUMBERS["x86_64"][n] for n in ("openat", "rseq", "clone3")} == {257, 334, 435}
    assert {NUMBERS["aarch64"][n] for n in ("openat", "wait4", "clone3")} == {56, 260, 435}
    assert "open" not in NUMBERS["aarch64"]
