"""One job: a child of the warm worker that serves one kernel to the judge, or becomes a tool.

Nothing that decides a verdict happens here. The child says what it did; the judge compares outputs on its own
copy and reads its own clock. Candidate code runs in this process and may say anything.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import sys
from pathlib import Path

from cores import one_core, threads
from heap import Room
from modules import compiled, copy_state, describe_error, execute
from processes import PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE, PR_SET_PDEATHSIG, prctl
from tensors import (
    MEMORIES,
    Host,
    addresses,
    decode,
    differentiable,
    encode_outputs,
    flatten,
    is_floating,
    layout,
)


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


NOT_DIFFERENTIABLE = (
    "ModelNew is not differentiable: its output has no grad_fn; give native code a torch.autograd.Function"
)


class Server:
    """Answers the judge's commands for one kernel."""

    def __init__(self, link: socket.socket, folder: Path):
        self.link, self.folder = link, folder
        self.model = None
        self.sets: list[list] = []
        self.room = Room()
        self.memory = Host()
        self.fds: list[int] = []
        self.homes: dict[int, set[int]] = {}

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
        if order["do"] == "batch" and not order.get("stays"):
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
            left = copy_state(model, self.folder / "state.pt")
        model = model.double() if double else model
        self.model = compiled(model, mode, self.folder) if mode else model
        return {"ok": True, "left": left}

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

        keep = self.room.clear()
        watch = watching.watched if watched else lambda call: (call(), None)
        with torch.no_grad(), one_core() if crowded else contextlib.nullcontext():
            outputs, operators = watch(lambda: self.model(*self.sets[which]))
        keep.append(outputs)
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
        self.room.clear().append([next(found) if x is not None and x.requires_grad else None for x in by])
        self.memory.wait()
        return self.do_fetch(0)

    def do_batch(self, calls: list) -> dict:
        """Call the kernel on many input sets in a row, keeping every output for the audit.

        Tells where each output lies, so that the judge can read it once this process is stopped. Outputs
        of the batch before go now: until then the judge may look at them.
        """
        import torch

        outputs, memory = self.room.clear(timed=True), self.memory
        model, sets, keep = self.model, self.sets, outputs.append
        with torch.no_grad():
            began = memory.begin()
            for which in calls:
                keep(model(*sets[which]))
            spent = memory.end(began)
        layouts = [layout(leaf) for leaf in flatten(outputs[0])] if outputs else []
        at = [addresses(one) for one in outputs]
        return {"ok": True, "at": at, "layouts": layouts, "ns": spent, **memory.homes(at)}

    def do_fetch(self, call: int) -> dict:
        """Describe the outputs of one call; copy them into shared memory, where there is some."""
        outputs = encode_outputs(self.room.outputs[call], self.memory.out)
        at = [one["ptr"] for one in outputs if "ptr" in one]
        return {"ok": True, "outputs": outputs, **self.memory.homes([at])}


def flush() -> None:
    """Bring what the candidate printed into the log; it may have put anything in place of stdout."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
