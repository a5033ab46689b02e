"""The judge's end of the wire to one job: framed JSON over a Unix socket, with file descriptors."""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MESSAGE_LIMIT = 16 << 20
"""Bytes. A worker that announces more is talking nonsense, or worse."""

LEAST_S = 1e-3
"""A message that is there already is taken, however late it is."""


class Link:
    """One accepted connection. Everything that comes in is a claim, never a fact."""

    def __init__(self, connection: socket.socket):
        self._socket = connection

    def send(self, message: dict[str, Any], fds: Sequence[int] = ()) -> None:
        """Send one message. Raises OSError (BrokenPipeError ...) when the worker is gone."""
        body = json.dumps(message).encode()
        self._socket.settimeout(30.0)
        head = struct.pack("!I", len(body))
        if fds:
            socket.send_fds(self._socket, [head], list(fds))
            self._socket.sendall(body)
        else:
            self._socket.sendall(head + body)

    def receive(self, timeout_s: float) -> dict[str, Any] | None:
        """The next message; None when the worker is gone or sent nonsense.

        Raises:
            TimeoutError: nothing complete came within `timeout_s`.
        """
        deadline = time.monotonic() + max(timeout_s, LEAST_S)
        try:
            head = self._exactly(4, deadline)
            size = struct.unpack("!I", head)[0] if head else MESSAGE_LIMIT + 1
            body = self._exactly(size, deadline) if size <= MESSAGE_LIMIT else None
        except ConnectionError:
            return None
        return _parse(body) if body is not None else None

    def _exactly(self, size: int, deadline: float) -> bytes | None:
        """So many bytes. Each piece has only the time that is left, or single bytes could come forever."""
        data = bytearray()
        while len(data) < size:
            if (left := deadline - time.monotonic()) <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            part = self._socket.recv(min(size - len(data), 1 << 20))
            if not part:
                return None
            data += part
        return bytes(data)

    def peer(self) -> int:
        """Process id of the other end as this process knows it; 0 for one that it cannot see."""
        return peer(self._socket)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def peer(connection: socket.socket) -> int:
    """Process id of what connected, translated from any namespace by the kernel; 0 if it cannot be seen."""
    size = struct.calcsize("3i")
    return int(struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[0])


def _parse(body: bytes) -> dict[str, Any] | None:
    """A message; None for what is none, is nested beyond sense, or takes more memory than there is."""
    try:
        text = body.decode()  # strictly: json takes bytes for more than UTF-8
        message = json.loads(text)
        if _SURROGATE.search(text):
            message = _writable(message)
    except (ValueError, RecursionError, MemoryError):
        return None
    return message if isinstance(message, dict) else None


_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _writable(value: Any) -> Any:
    """`value` with text that can be written as UTF-8: half a pair of surrogates becomes a question mark."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, list):
        return [_writable(one) for one in value]
    if isinstance(value, dict):
        return {_writable(name): _writable(one) for name, one in value.items()}
    return value


class Door:
    """A listening socket that lets in exactly one connection, the one that knows the token."""

    def __init__(self, path: Path):
        self.path, self.token = path, os.urandom(16)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        path.chmod(0o666)  # the worker may be another user; the token is the key
        self._socket.listen(4)

    def admit(self, timeout_s: float) -> Link:
        """Wait for the worker.

        Raises:
            TimeoutError: nobody with the token came in time.
        """
        return Link(self.accept(timeout_s))

    def accept(self, timeout_s: float) -> socket.socket:
        """The bare connection of whoever knows the token (see `admit`)."""
        self._socket.settimeout(timeout_s)
        while True:
            connection, _ = self._socket.accept()
            connection.settimeout(timeout_s)
            if _read_token(connection, len(self.token)) == self.token:
                return connection
            connection.close()

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        self.path.unlink(missing_ok=True)


def _read_token(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            break
        data += part
    return data
