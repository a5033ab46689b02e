"""The far side of the wall: a warm process that forks one child for each job.

Started by a sandbox as ``python -I worker.py [socket token]``. It imports torch once, then obeys lines
of JSON on stdin, or on that socket: ``{"socket": path, "token": hex, "folder": path, "limits": {...}}``
forks a child that connects to the judge's socket, proves itself with the token, and serves one kernel;
``{"run": argv, "folder": path, "environment": {...}, "limits": {...}}`` runs a tool, a compiler say,
with its output in ``log.txt``. What the judge cannot do itself, because a child may live in another
pid namespace, it orders: ``{"kill": pid}``, ``{"pause": pid}`` and ``{"resume": pid}`` (a child with
everything that it started), ``{"read": pid, "spans": [[address, bytes], ...]}``. Lines on stdout report
``{"forked": pid}``, ``{"exited": pid, "status": wait status}``, ``{"paused": pid, "at_ns": monotonic
time, "cpu_ns": n}``, ``{"resumed": pid, "at_ns": monotonic time, "cpu_ns": n}``, and ``{"memory": n}``
followed by n raw bytes.

Nothing that decides a verdict happens here. The child says what it did; the judge compares outputs
on its own copy and reads its own clock. Candidate code runs in the child and may say anything.

This file imports only the standard library, torch, `kernelopt.inline` and what lies beside it: `confine`,
`routing`, `interpreting`, `watching`, `trained` and `gpu`.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import io
import json
import mmap
import os
import random
import select
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 1, 4, 36  # <linux/prctl.h>
LOG_TAIL = 8000
IDLE_NS = 100_000
"""Processor time that a child which stopped itself may have had since, for the stop to count."""


# The warm parent ------------------------------------------------------------------------------


def prctl(option: int, value: int) -> None:
    """Linux process control; ignored where libc lacks it."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def say(message: dict) -> None:
    os.write(1, (json.dumps(message) + "\n").encode())


def connect(path: str, token: str) -> None:
    """Make a connection to the judge stdin and stdout: in a container those belong to the engine."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(path)
        wire.sendall(bytes.fromhex(token))
        os.dup2(wire.fileno(), 0)
        os.dup2(wire.fileno(), 1)


def main() -> None:
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_DUMPABLE, 0)  # children run as the same user: they may not look into this process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if len(sys.argv) > 1:
        connect(*sys.argv[1:])
    sys.path.insert(0, str(HERE))
    import confine

    confine.shed_privileges()
    get_warm()
    say({"ready": os.getpid()})
    children: dict[int, int] = {}
    pending = b""
    bell = listen_for_stops()
    while True:
        ready, _, _ = select.select([bell, 0, *children], [], [])
        for fd in ready:
            if fd == bell:
                note_stops(bell, children)
            elif fd == 0:
                data = os.read(0, 65536)
                if not data:
                    kill_all(descendants)
                    return
                pending += data
                *lines, pending = pending.split(b"\n")
                for line in lines:
                    obey(json.loads(line), children)
            else:
                reap(fd, children)


def get_warm() -> None:
    """Import and do once, here, what every child would have to do for itself.

    Nothing big enough for torch to start threads: they do not survive a fork.
    """
    import routing
    import torch.utils.cpp_extension
    import trained  # noqa: F401
    import watching  # noqa: F401

    routing.prepare()
    for weights_only in (True, False):
        with io.BytesIO() as file:
            torch.save([torch.zeros(1)], file)
            file.seek(0)
            torch.load(file, weights_only=weights_only)
    # A child whose collector looks at what is here would get copies of all pages that it lies in.
    gc.collect()
    gc.freeze()


def obey(order: dict, children: dict[int, int]) -> None:
    """Follow one order of the judge."""
    for name, follow in ORDERS.items():
        if name in order:
            if order[name] in children.values():
                follow(order[name], order, children)
            elif follow is not order_kill:  # which has no answer: the end is told when it comes
                say({"gone": order[name]})
            return
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for fd in (*BELL, *children):
            os.close(fd)
        tool(order) if "run" in order else child(order)
        os._exit(0)
    children[os.pidfd_open(pid)] = pid
    say({"forked": pid})


def order_kill(pid: int, order: dict, children: dict[int, int]) -> None:
    """Kill a child with all that it started; none of them runs when this returns. `reap` tells the end.

    So nobody has to wait for the end, which takes long where memory is given back.
    """
    tree = family(pid, children)
    if len(tree) > 1:
        tree = freeze(lambda: family(pid, children))
    for each in tree:
        kill(each)


def order_pause(pid: int, order: dict, children: dict[int, int]) -> None:
    """Stop a child and all that it started; report when, and how much processor time they have had."""
    if order.get("answered") and not wait_stopped(pid):
        OWING.add(pid)
    PAUSED.add(pid)
    halt(pid)
    at_ns = time.monotonic_ns()
    tree = family(pid, children)
    if len(tree) > 1:
        tree = freeze(lambda: family(pid, children))
        at_ns = time.monotonic_ns()
    used = settled_cpu_ns(tree)
    if len(tree) == 1 and pid in STOPS:
        stopped_ns, used_then = STOPS[pid]
        at_ns = stopped_ns if used - used_then < IDLE_NS else at_ns
    say({"paused": pid, "at_ns": at_ns, "cpu_ns": used})


def order_resume(pid: int, order: dict, children: dict[int, int]) -> None:
    """Let a paused child go on; report when, and how much processor time it has had."""
    tree = family(pid, children)
    STOPS.pop(pid, None)
    PAUSED.discard(pid)
    used, at_ns = cpu_ns(tree), time.monotonic_ns()
    for each in tree:
        kill(each, signal.SIGCONT)
    say({"resumed": pid, "at_ns": at_ns, "cpu_ns": used})


def order_read(pid: int, order: dict, children: dict[int, int]) -> None:
    """Copy memory out of a child, without any help of its own; nothing when a span is not there."""
    spans = order["spans"]
    view = memoryview(shelf(sum(size for _, size in spans)))
    end = 0
    for address, size in spans:
        end += read_memory(pid, address, view[end : end + size])
    whole = end == sum(size for _, size in spans)
    say({"memory": end if whole else 0, "whole": whole})
    view = view[: end if whole else 0]
    while view:
        view = view[os.write(1, view) :]


SHELF: list[mmap.mmap] = []


def shelf(size: int) -> mmap.mmap:
    """Memory for what is read out of children, used again and again: it is slow to touch anew.

    No child inherits it, or it would hold another one's outputs.
    """
    if not SHELF or len(SHELF[0]) < size:
        SHELF[:] = [mmap.mmap(-1, max(size, mmap.PAGESIZE))]
        SHELF[0].madvise(mmap.MADV_DONTFORK)
    return SHELF[0]


BELL: list[int] = []
"""Both ends of the pipe that rings when a child stops or ends."""
STOPS: dict[int, tuple[int, int]] = {}
"""When a child stopped by itself, and how much processor time it had had by then."""
PAUSED: set[int] = set()
"""Children that stand still because the judge wants them to."""
OWING: set[int] = set()
"""Children that were paused before they came to stop themselves: they will do so when they go on."""


def listen_for_stops() -> int:
    """From now on a stopped child makes the returned descriptor readable."""
    BELL.extend(os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(BELL[1], warn_on_full_buffer=False)
    return BELL[0]


def note_stops(bell: int, children: dict[int, int]) -> None:
    """Remember when children stopped, as near to it as can be: nobody needs to have asked by then."""
    now = time.monotonic_ns()
    with contextlib.suppress(BlockingIOError):
        os.read(bell, 4096)
    for pid in children.values():
        if pid in STOPS or pid in PAUSED or not has_stopped(pid):
            continue
        if pid in OWING:
            OWING.discard(pid)
            kill(pid, signal.SIGCONT)
        else:
            STOPS[pid] = now, cpu_ns([pid])


ORDERS = {"kill": order_kill, "pause": order_pause, "resume": order_resume, "read": order_read}


class Span(ctypes.Structure):
    """``struct iovec``."""

    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


def read_memory(pid: int, address: int, into: memoryview) -> int:
    """Fill `into` from `address` of another process; how many bytes of it could be read."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.process_vm_readv.restype = ctypes.c_ssize_t
    size, done = len(into), 0
    start = ctypes.addressof(ctypes.c_char.from_buffer(into)) if size else 0
    while done < size:
        here, there = Span(start + done, size - done), Span(address + done, size - done)
        got = libc.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
        if got <= 0:
            break
        done += got
    return done


def family(pid: int, children: dict[int, int]) -> list[int]:
    """A child, its descendants, and every orphan.

    A job's orphans are its own children; only those that it would not have are children of ours.
    """
    return below([pid, *orphans(children)])


def orphans(children: dict[int, int]) -> list[int]:
    """Children of ours that we did not fork."""
    return [each for each in descendants() if each not in children.values()]


def below(pids: list[int]) -> list[int]:
    """Processes with all their descendants."""
    tree, queue = [], list(pids)
    while queue and len(tree) < 4096:
        tree.append(queue.pop())
        queue += descendants(tree[-1])
    return tree


def halt(pid: int) -> None:
    """Stop one child, and wait until each of its threads has stopped.

    Not for long: a thread inside vfork() cannot be stopped before its child has become another program.
    """
    kill(pid, signal.SIGSTOP)
    wait_stopped(pid)


def wait_stopped(pid: int) -> bool:
    """Give a child up to 30 ms to stop; whether it has."""
    for attempt in range(400):
        if has_stopped(pid):
            return True
        if attempt > 100:
            time.sleep(100e-6)
    return False


def has_stopped(pid: int) -> bool:
    """Whether no thread of a child can run any more."""
    with contextlib.suppress(ChildProcessError):
        return bool(os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT))
    return True


def freeze(find: Callable[[], list[int]]) -> list[int]:
    """Stop processes until those that are found are all stopped."""
    for attempt in range(200):
        tree = find()
        for each in tree:
            kill(each, signal.SIGSTOP)
        if all(stopped(each) for each in tree) and len(find()) == len(tree):
            break
        time.sleep(20e-6 * min(attempt, 50))
    return tree


def stopped(pid: int) -> bool:
    """Whether no thread of a process can run."""
    try:
        states = [
            (task / "stat").read_text().rpartition(")")[2].split()[0]
            for task in Path(f"/proc/{pid}/task").iterdir()
        ]
    except OSError:
        return True
    return all(state in "tTZX" for state in states)


def cpu_ns(pids: list[int]) -> int:
    """Processor time of processes, in ns, with that of their ended children (in ticks)."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The clock of another process: CPUCLOCK_SCHED (2) of <linux/posix-timers.h>.
            total += time.clock_gettime_ns((~pid << 3) | 2)
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += (int(fields[13]) + int(fields[14])) * 10**9 // os.sysconf("SC_CLK_TCK")
    return total


def settled_cpu_ns(pids: list[int]) -> int:
    """`cpu_ns` of processes that have just stopped, once their last thread has left its processor.

    A stop is reported some instructions before; on a virtual machine these may take 4 ms.
    """
    used = cpu_ns(pids)
    for _ in range(200):
        before, used = used, cpu_ns(pids)
        if used == before:
            break
        time.sleep(50e-6)
    return used


def reap(fd: int, children: dict[int, int]) -> None:
    """Report a child's end, and kill whatever it left behind."""
    pid = children.pop(fd)
    os.close(fd)
    STOPS.pop(pid, None)
    for group in (PAUSED, OWING):
        group.discard(pid)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    kill_all(lambda: orphans(children))
    say({"exited": pid, "status": status})


def kill_all(find: Callable[[], list[int]]) -> None:
    """Kill children of ours with all below them. They are stopped first: a stopped one makes no new ones."""
    for _ in range(100):
        if not find():
            return
        for each in freeze(lambda: below(find())):
            kill(each)
        time.sleep(1e-3)
        for each in find():
            with contextlib.suppress(ChildProcessError):
                os.waitpid(each, os.WNOHANG)


def descendants(pid: int | None = None) -> list[int]:
    """Direct children of a process, this one by default."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid or 'self'}/task").iterdir():
            with contextlib.suppress(OSError):
                found += [int(each) for each in (task / "children").read_bytes().split()]
    return found


def kill(pid: int, what: int = signal.SIGKILL) -> bool:
    try:
        os.kill(pid, what)
    except (ProcessLookupError, PermissionError):
        return False
    return True


# One job ---------------------------------------------------------------------------------------


def child(order: dict) -> None:
    """Cut the ties to the parent, take on the limits, connect to the judge and serve."""
    import confine

    folder = detach(order)
    link = socket.socket(socket.AF_UNIX)
    link.connect(order["socket"])
    link.sendall(bytes.fromhex(order["token"]))
    confine.seal(order)  # not before: it may make no connection after this
    server = Server(link, folder)
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            server.answer(server.receive())


def tool(order: dict) -> None:
    """Become a tool such as a compiler."""
    import confine

    detach(order)
    confine.seal(order)
    try:
        os.execvpe(order["run"][0], order["run"], order["environment"])
    except OSError as error:
        os.write(2, f"{order['run'][0]}: {error.strerror}\n".encode())
        os._exit(127)


def detach(order: dict) -> Path:
    """Cut the ties to the parent and take on the limits; the job's folder, now the working one."""
    import confine

    os.setsid()
    os.setpriority(os.PRIO_PROCESS, 0, 0)  # the parent may have precedence
    prctl(PR_SET_CHILD_SUBREAPER, 1)  # so that it is known whose orphans are whose
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_DUMPABLE, 1)  # the parent reads outputs out of a child's memory
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    folder = Path(order["folder"])
    os.chdir(folder)
    log = os.open(folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(null)
    os.close(log)
    confine.take_on(order, folder)
    return folder


class Server:
    """Answers the judge's commands for one kernel."""

    def __init__(self, link: socket.socket, folder: Path):
        self.link, self.folder = link, folder
        self.model = None
        self.sets: list[list] = []
        self.outputs: list = []
        self.memory = Host()
        self.fds: list[int] = []
        self.homes: dict[int, set[int]] = {}
        self.pad = None

    # framing: four bytes of length, then JSON; file descriptors ride on the first byte
    def receive(self) -> dict:
        head, fds, _, _ = socket.recv_fds(self.link, 4, 4)
        if not head:
            raise EOFError
        self.fds += fds
        (size,) = struct.unpack("!I", head + self.exactly(4 - len(head)))
        return json.loads(self.exactly(size))

    def exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self.link.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def send(self, message: dict) -> None:
        body = json.dumps(message).encode()
        self.link.sendall(struct.pack("!I", len(body)) + body)

    def ask(self, request: dict) -> dict:
        """Have the judge build something; the library comes as a descriptor of sealed memory.

        It stays open: the loader knows libraries by name, and would take the next one of this name for it.
        """
        self.send({"build": request})
        reply = self.receive()
        if reply.get("ok"):
            reply["path"] = f"/proc/self/fd/{self.fds.pop()}"
        return reply

    def answer(self, order: dict) -> None:
        handler = getattr(self, "do_" + order["do"])
        try:
            reply = handler(**order.get("with", {}))
        except BaseException as error:
            reply = describe_error(error)
        flush()
        self.send(reply)
        if order["do"] == "batch":
            # The next order comes to a stopped process; stopping itself, it is seen to be done sooner.
            os.kill(os.getpid(), signal.SIGSTOP)

    # commands
    def do_load(
        self,
        source: str,
        cls: str,
        seed: int,
        threads: int,
        double: bool = False,
        mode: str = "",
        environment: dict | None = None,
        device: str = "cpu",
    ) -> dict:
        """Execute the module and construct the model, seeded as KernelBench does.

        `mode`: one of ``torch.compile``, which compiles in the first call. `environment`: variables that
        the module finds set. `device`: where arguments, parameters and outputs are.
        """
        import routing
        import torch
        from trained import trained

        os.environ.update(environment or {})
        if "TRITON_INTERPRET" in os.environ:
            import interpreting

            interpreting.install()
        torch.set_num_threads(threads)
        self.memory = MEMORIES[device]()
        routing.install(self.ask)
        namespace = execute(self.folder / source)
        if cls not in namespace:
            return {"error": "NameError", "text": f"the module does not define {cls}", "phase": "load"}
        init = torch.load(self.folder / "init.pt", weights_only=False)
        init = [self.memory.put(argument) for argument in init]
        torch.manual_seed(seed)
        with torch.no_grad(), trained(self.folder):
            model = self.memory.put(namespace[cls](*init))
            copied = copy_state(model, self.folder / "state.pt")
        model = model.double() if double else model
        self.model = compiled(model, mode, self.folder) if mode else model
        return {"ok": True, "copied": copied}

    def do_bind(self, bound: bool) -> dict:
        """Bind OpenMP threads to a core each (as OMP_PROC_BIND did at their start), or unbind them.

        Threads that the kernel makes itself inherit the binding of the thread that makes them, so
        kernels with threads of their own are run unbound.
        """
        import torch

        torch.ones(1 << 20).exp_()  # big enough for torch to start its OpenMP pool
        everywhere = set(range(os.cpu_count() or 1))
        for thread in threads():
            home = self.homes.setdefault(thread, os.sched_getaffinity(thread))
            os.sched_setaffinity(thread, home if bound else everywhere)
        return {"ok": True}

    def do_map(self, sets: list, **where) -> dict:
        """Map input sets, and (unless they are timed) the place for outputs."""
        fds, self.fds = self.fds, []
        arena = self.memory.map(fds, **where)
        self.sets = [[decode(item, arena) for item in one] for one in sets]
        return {"ok": True, "base": arena.data_ptr(), "bytes": arena.numel()}

    def do_run(self, which: int, crowded: bool = False, watched: bool = False) -> dict:
        """Call the kernel once, `crowded` on one core if asked for, and copy its outputs out.

        `watched`: tell which of PyTorch's operators ran (None where that cannot be told).
        """
        import torch
        import watching

        watch = watching.watched if watched else lambda call: (call(), None)
        with torch.no_grad(), one_core() if crowded else contextlib.nullcontext():
            outputs, operators = watch(lambda: self.model(*self.sets[which]))
        self.outputs = [outputs]
        self.memory.wait()
        return {**self.do_fetch(0), "operators": operators}

    def do_backward(self, which: int, parameters: list) -> dict:
        """Gradients of the outputs, weighted as the judge says, by floating-point inputs and parameters."""
        import torch

        args, weights = self.sets[which]
        by: list = []
        known = dict(self.model.named_parameters())
        outputs = [out for out in flatten(self.model(*differentiable(args, by))) if is_floating(out)]
        if not any(out.requires_grad for out in outputs):
            return {"ok": False, "why": NOT_DIFFERENTIABLE}
        by += [known.get(name) for name in parameters]
        pairs = [pair for pair in zip(outputs, weights, strict=True) if pair[0].requires_grad]
        sources = [x for x in by if x is not None and x.requires_grad]
        outs, weights = [out for out, _ in pairs], [weight for _, weight in pairs]
        found = iter(torch.autograd.grad(outs, sources, weights, allow_unused=True))
        self.outputs = [[next(found) if x is not None and x.requires_grad else None for x in by]]
        self.memory.wait()
        return self.do_fetch(0)

    def do_batch(self, calls: list) -> dict:
        """Call the kernel on many input sets in a row, keeping every output for the audit.

        Tells where each output lies, so that the judge can read it once this process is stopped. Outputs
        of the batch before go now: until then the judge may look at them. The heap is shifted by a
        random number of cache lines: where outputs lie within a page, relative to inputs, alters times
        by tens of percent, and would be the same in every batch of a process.
        """
        import torch

        self.outputs = []
        self.pad = torch.empty(16 * random.randrange(64))
        memory = self.memory
        model, sets, keep = self.model, self.sets, self.outputs.append
        with torch.no_grad():
            began = memory.begin()
            for which in calls:
                keep(model(*sets[which]))
            spent = memory.end(began)
        layouts = [layout(leaf) for leaf in flatten(self.outputs[0])] if self.outputs else []
        at = [addresses(one) for one in self.outputs]
        return {"ok": True, "at": at, "layouts": layouts, "ns": spent, **memory.homes(at)}

    def do_fetch(self, call: int) -> dict:
        """Describe the outputs of one call; copy them into shared memory, where there is some."""
        outputs = encode_outputs(self.outputs[call], self.memory.out)
        at = [one["ptr"] for one in outputs if "ptr" in one]
        return {"ok": True, "outputs": outputs, **self.memory.homes([at])}


class Host:
    """Where the tensors of a job live: in this process and in memory that the judge shares with it."""

    def __init__(self) -> None:
        self.out = None
        """The place for outputs."""

    def put(self, value):
        """A model, or a constructor's argument, moved there."""
        return value

    def map(self, fds: list, timed: bool = False):
        """Map the shared memory that came along: input sets, and (unless `timed`) the place for outputs.

        Timed input sets are mapped privately: what a kernel writes to them stays in this process.
        """
        arena = map_memory(fds[0], shared=not timed)
        if timed:
            int(arena[::4096].sum(dtype=torch_dtype("int64")))  # page faults now, not while timed
        else:
            self.out = map_memory(fds[1], shared=True)
        return arena

    def wait(self) -> None:
        """Wait until what was asked for is done."""

    begin = staticmethod(time.perf_counter_ns)
    """A moment."""

    def end(self, began: int) -> int:
        """Time since then, in ns, once all that was asked for is done."""
        return time.perf_counter_ns() - began

    def homes(self, at: list) -> dict:
        """What else the judge has to know to find outputs that lie at these addresses."""
        return {}


def on_gpu():
    """The same on a GPU."""
    import gpu

    return gpu.Gpu()


MEMORIES = {"cpu": Host, "cuda": on_gpu}
"""Device, as torch names it, to where a job's tensors live."""


NOT_DIFFERENTIABLE = (
    "ModelNew is not differentiable: its output has no grad_fn; give native code a torch.autograd.Function"
)


def is_floating(value) -> bool:
    import torch

    return isinstance(value, torch.Tensor) and value.is_floating_point()


def differentiable(value, by: list):
    """Nested arguments whose floating-point tensors require gradients; those are added to `by`."""
    if isinstance(value, (list, tuple)):
        return type(value)([differentiable(part, by) for part in value])
    if not is_floating(value):
        return value
    by.append(value.detach().requires_grad_())
    return by[-1]


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """All threads of this process, and those that they make meanwhile, take turns on one core."""
    home = os.sched_getaffinity(0)
    homes = {os.getpid(): home}
    for thread in threads():
        with contextlib.suppress(ProcessLookupError):  # threads may end meanwhile
            homes[thread] = os.sched_getaffinity(thread)
            os.sched_setaffinity(thread, {min(home)})
    try:
        yield
    finally:
        for thread in threads():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(thread, homes.get(thread, home))


def threads() -> list[int]:
    """Threads of this process."""
    return [int(entry.name) for entry in Path("/proc/self/task").iterdir()]


def flush() -> None:
    """Bring what the candidate printed into the log; it may have put anything in place of stdout."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()


def map_memory(fd: int, shared: bool):
    """A byte tensor over memory that the judge made and sealed against resizing."""
    import torch

    size = os.fstat(fd).st_size
    mapped = torch.from_file(f"/proc/self/fd/{fd}", shared=shared, size=size, dtype=torch.uint8)
    os.close(fd)
    return mapped


def torch_dtype(name: str):
    import torch

    return getattr(torch, name)


def addresses(value) -> list:
    """Where the tensors of one call's outputs lie; 0 for what is no plain tensor."""
    import torch

    if type(value) is torch.Tensor:
        return [value.data_ptr()]
    return [leaf.data_ptr() if type(leaf) is torch.Tensor else 0 for leaf in flatten(value)]


def execute(path: Path) -> dict:
    """Run a module file as `__main__`-free code whose tracebacks show its lines."""
    import types

    name = path.stem
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    exec(compile(path.read_text(), path.name, "exec"), module.__dict__)
    return module.__dict__


def compiled(model, mode: str, folder: Path):
    """`model` under ``torch.compile``, which may write to the job's folder only; or as a CUDA graph.

    It compiles in this process: workers that waited for more to do would be seen when it is stopped.
    """
    if mode == "cuda-graphs":
        import graphs

        return graphs.Replayed(model)
    places = {"TORCHINDUCTOR_CACHE_DIR": "inductor", "TRITON_CACHE_DIR": "triton"}
    os.environ.update({name: str(folder / place) for name, place in places.items()})
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    import torch

    return torch.compile(model, mode=mode)


def copy_state(model, path: Path) -> int:
    """Give the model the reference's parameters where names and shapes agree."""
    import torch

    if not path.exists() or not hasattr(model, "state_dict"):
        return 0
    wanted = torch.load(path, weights_only=True)
    own = model.state_dict()
    agreed = {k: v for k, v in wanted.items() if k in own and own[k].shape == v.shape}
    model.load_state_dict(agreed, strict=False)
    return len(agreed)


def decode(item: dict, arena):
    """One argument of a call: a view of shared memory, or a plain value."""
    import torch

    if "value" in item:
        return item["value"]
    if "items" in item:
        parts = [decode(part, arena) for part in item["items"]]
        return tuple(parts) if item["tuple"] else parts
    raw = arena[item["offset"] : item["offset"] + item["bytes"]]
    flat = raw.view(getattr(torch, item["dtype"]))
    return flat.as_strided(item["shape"], item["stride"])


def flatten(value) -> list:
    """Outputs in order, whatever container the kernel returned them in."""
    if isinstance(value, (list, tuple)):
        return [leaf for part in value for leaf in flatten(part)]
    if isinstance(value, dict):
        return [leaf for key in value for leaf in flatten(value[key])]
    return [value]


def layout(leaf) -> dict:
    """What a tensor is and how its elements lie; nothing for anything else."""
    import torch

    if not isinstance(leaf, torch.Tensor):
        return {}
    dtype, device = str(leaf.dtype).removeprefix("torch."), leaf.device.type
    return {"dtype": dtype, "shape": list(leaf.shape), "stride": list(leaf.stride()), "device": device}


def encode_outputs(value, arena) -> list:
    import torch

    described, offset = [], 0
    for leaf in flatten(value):
        kind = type(leaf)
        entry = {"type": f"{kind.__module__}.{kind.__qualname__}", **layout(leaf)}
        if isinstance(leaf, torch.Tensor):
            entry["ptr"] = leaf.data_ptr()
            size = leaf.numel() * leaf.element_size()
            if arena is not None and offset + size <= arena.numel() and leaf.device.type == "cpu":
                plain = leaf.detach().contiguous().reshape(-1).view(torch.uint8)
                arena[offset : offset + size] = plain
                entry |= {"offset": offset, "bytes": size}
            offset += -(-size // 64) * 64
        elif isinstance(leaf, (bool, int, float)):
            entry["value"] = leaf
        described.append(entry)
    return described


NO_MEMORY = ("bad_alloc", "can't allocate memory", "OutOfMemoryError", "CUDA_ERROR_OUT_OF_MEMORY")
"""What torch, cupy and the driver say where there is no memory left."""


def describe_error(error: BaseException) -> dict:
    """What went wrong, as data: the exception's name, and the traceback without our own frames."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) != Path(__file__)]
    lines = traceback.format_list(frames) + traceback.format_exception_only(error)
    text = "".join(lines).replace(str(HERE), "sandbox")
    reply = {"error": type(error).__name__, "text": text[-LOG_TAIL:]}
    if isinstance(error, MemoryError) or any(word in text for word in NO_MEMORY):
        reply["memory"] = True
    if getattr(error, "is_build_error", False):
        reply["phase"] = "build"
    return reply


if __name__ == "__main__":
    main()
    os._exit(0)  # its children are gone; torch would take half a second to say goodbye
