"""Hostile module texts. ``$NAME`` stands for what a test puts in; each prints what it achieved.

Written like candidates write: no imports of ours, and every failure is caught, so that one closed door
does not keep the rest from being tried.
"""

from __future__ import annotations

from string import Template

_HELPERS = """
import contextlib, ctypes, errno, json, os, signal, socket, struct, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)

def call_myself(name):
    libc.prctl(15, name.encode(), 0, 0, 0)

def attempt(what, action):
    try:
        result = action()
    except BaseException as error:
        print("failed:", what, type(error).__name__, flush=True)
    else:
        print("DID:", what, result, flush=True)
"""
_END = """
print("tried everything", flush=True)
class ModelNew:
    pass
"""


def text(attack: str, **values: object) -> str:
    """A module that makes `attack`, with its placeholders filled in as Python literals."""
    return _HELPERS + Template(attack).substitute({k: repr(v) for k, v in values.items()}) + _END


NETWORK = """
def tcp(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(2.0)
        s.connect(address)

def udp(family, address):
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.sendto(b"out", address)

for host in $hosts:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    attempt("tcp " + host, lambda: tcp(family, (host, $tcp)))
    attempt("udp " + host, lambda: udp(family, (host, $udp)))
"""

HOST_SOCKETS = """
def knock(address):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(address)
        s.sendall(b"out")

for address in $addresses:
    attempt(f"socket {address!r}", lambda: knock(address))
"""

WRITE_OUTSIDE = """
def create(folder):
    with open(os.path.join(folder, $name), "w") as file:
        file.write("here")

for folder in $folders:
    attempt("create in " + folder, lambda: create(folder))
    attempt("make a folder in " + folder, lambda: os.mkdir(os.path.join(folder, $name + ".d")))
    attempt("link in " + folder, lambda: os.symlink("/", os.path.join(folder, $name + ".l")))
"""

TAKE_OVER_FILES = """
for path in $files:
    attempt("open " + path, lambda: os.close(os.open(path, os.O_WRONLY)))
attempt("core_pattern", lambda: os.close(os.open("/proc/sys/kernel/core_pattern", os.O_WRONLY)))
attempt("sysrq", lambda: os.close(os.open("/proc/sysrq-trigger", os.O_WRONLY)))
attempt("remove", lambda: os.unlink($mine))
attempt("rename", lambda: os.rename($mine, $mine + ".moved"))
attempt("own folder", lambda: os.rename(os.getcwd(), os.getcwd() + ".moved"))
"""

ALTER_METADATA = """
for path in [*$files, "/dev/null", "/dev/zero", "/dev/urandom"]:
    attempt("chmod " + path, lambda: os.chmod(path, os.stat(path).st_mode & 0o7777))
    attempt("chown " + path, lambda: os.chown(path, os.stat(path).st_uid, os.stat(path).st_gid))
    attempt("touch " + path, lambda: os.utime(path, (os.stat(path).st_atime, os.stat(path).st_mtime)))
"""

READ_SECRETS = """
def read(path):
    with open(path, errors="replace") as file:
        return file.read(4096)

def pids():
    return [name for name in os.listdir("/proc") if name.isdigit()]

for path in $files:
    attempt("read", lambda: read(path))
    for pid in pids():
        for door in ("root", "cwd"):
            attempt("read by the " + door, lambda: read("/proc/" + pid + "/" + door + path))
attempt("link", lambda: (os.symlink($files[0], "secret"), read("secret")))
"""

READ_ENVIRONMENTS = """
print(dict(os.environ))
for pid in os.listdir("/proc"):
    if pid.isdigit():
        for name in ("environ", "cmdline", "auxv"):
            attempt(pid + name, lambda: open("/proc/" + pid + "/" + name, "rb").read())
"""

LOOK_INTO_PARENT = """
class Span(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))

libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
SEIZE = 0x4206
here = ctypes.create_string_buffer(16)

def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result

def copy(function, pid):
    mine, theirs = Span(ctypes.addressof(here), 16), Span(ctypes.addressof(here), 16)
    return checked(function(pid, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0))

for pid in {os.getppid(), 1, *$pids}:
    attempt(f"ptrace {pid}", lambda: checked(libc.ptrace(SEIZE, pid, None, None)))
    attempt(f"process_vm_readv {pid}", lambda: copy(libc.process_vm_readv, pid))
    attempt(f"process_vm_writev {pid}", lambda: copy(libc.process_vm_writev, pid))
    attempt(f"mem {pid}", lambda: os.close(os.open(f"/proc/{pid}/mem", os.O_RDWR)))
    attempt(f"its descriptors {pid}", lambda: os.readlink(f"/proc/{pid}/fd/0"))
    attempt(f"maps {pid}", lambda: open(f"/proc/{pid}/maps").read(64) or 1 / 0)
    attempt(f"pidfd_getfd {pid}", lambda: checked(libc.syscall(438, os.pidfd_open(pid), 1, 0)))
"""

KILL_EVERYTHING = """
def is_judge(pid, line=$judge):
    # Inside a pid namespace the number may be another process, or nobody.
    with contextlib.suppress(OSError):
        return line == open(f"/proc/{pid}/cmdline", "rb").read()
    return False

judge = $judge_pid
signalled = True
try:
    os.kill(judge, 0)
except OSError:
    signalled = False
if signalled and is_judge(judge):
    print("DID: reach the judge")  # and shoot no further: these are the tests' own processes
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    attempt("parent", lambda: os.kill(os.getppid(), signal.SIGKILL))
    attempt("group", lambda: os.killpg(os.getpgid(os.getppid()), signal.SIGKILL))
    attempt("first", lambda: os.kill(1, signal.SIGKILL))
    attempt("all", lambda: os.kill(-1, signal.SIGKILL))
"""

FORK_BOMB = """
call_myself($name)
def bomb():
    while True:
        try:
            if os.fork() == 0:
                os.setsid()
                continue
        except OSError:
            time.sleep(0.001)
bomb()
"""

MANY_EATERS = """
reader, writer = os.pipe()
alive, full = set(), 0
for _ in range($count):
    pid = os.fork()
    if pid == 0:
        block = bytearray($each)
        block[::4096] = b"x" * len(block[::4096])
        os.write(writer, b"x")
        time.sleep(600)
    alive.add(pid)
os.set_blocking(reader, False)
deadline = time.monotonic() + 20
while time.monotonic() < deadline and full < len(alive):
    with contextlib.suppress(BlockingIOError):
        full += len(os.read(reader, 4096))
    alive = {pid for pid in alive if not os.waitpid(pid, os.WNOHANG)[0]}
    time.sleep(0.01)
print("full", full)
"""

FILL_DISK = """
def fill(folder):
    written = 0
    block = b"x" * (1 << 20)
    try:
        for index in range($files):
            with open(os.path.join(folder, f"fill{index}"), "wb", buffering=0) as file:
                while file.tell() < $each:
                    written += file.write(block)
    finally:
        print("wrote", folder, written, flush=True)

for folder in $folders:
    attempt("fill " + folder, lambda: fill(folder))
"""

ONE_BIG_FILE = """
with contextlib.suppress(OSError):
    with open("big", "wb", buffering=0) as file:
        while True:
            file.write(b"x" * 65536)
print("wrote", os.path.getsize("big"))
"""

NESTED_FOLDERS = """
for _ in range(3000):
    os.mkdir("deeper")
    os.chdir("deeper")
os.mkdir("closed", 0o000)
"""

ENDLESS_OUTPUT = """
deadline = time.monotonic() + 1
while time.monotonic() < deadline:
    for fd in (1, 2):
        with contextlib.suppress(OSError):
            os.write(fd, b"x" * 65536)
"""

IGNORE_SIGNALS = """
for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
    with contextlib.suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
while True:
    pass
"""

ORPHANS = """
if os.fork() == 0:
    call_myself($name)
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            if os.fork() == 0:
                while True:
                    time.sleep(0.01)
            os._exit(0)
    os._exit(0)
time.sleep(0.3)
"""

TICKS = """
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        with open("ticks", "ab", buffering=0) as file:
            while True:
                file.write(b".")
    os._exit(0)
os.wait()
class ModelNew: pass
"""

FORGE = """
reports = {"exited": os.getpid(), "status": 0}, {"ready": 1}, {"memory": 4, "whole": True}
lines = ("\\n".join(map(json.dumps, reports)) + "\\nabcd").encode()
frame = json.dumps({"ok": True, "copied": 0, "outputs": []}).encode()
frame = struct.pack("!I", len(frame)) + frame
link = [fd for fd in range(1024) if os.path.exists(f"/proc/self/fd/{fd}")
        and os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")]
for fd in range(1024):
    if fd not in link:
        with contextlib.suppress(OSError):
            os.set_blocking(fd, False)
            os.write(fd, lines)
            os.write(fd, frame)
for pid in (os.getppid(), 1):
    for fd in range(64):
        with contextlib.suppress(OSError):
            there = os.open(f"/proc/{pid}/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK)
            os.write(there, lines)
            print("DID: write to", pid, fd, flush=True)
print("links:", len(link), flush=True)
os._exit(3)
"""

NONSENSE = """
for fd in range(3, 64):
    with contextlib.suppress(OSError):
        if os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
            os.write(fd, $payload)
time.sleep(1)
os._exit(3)
"""

SPIN = """
def spin():
    while True:
        pass

threading.Thread(target=spin, daemon=True).start()
if os.fork() == 0:
    call_myself($name)
    os.setsid()
    if os.fork() == 0:
        spin()
    os._exit(0)
"""
