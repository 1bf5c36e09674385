"""Runs: starts one limited process, gives it a request and takes what it says, within its time and its bytes."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NOISE = 1024 * 1024
"""Bytes that a skill may print before it is stopped; only the last of them are kept."""
KEPT = 2000


@dataclass
class Ended:
    """How a process ended: what it answered, what it printed last, its code, and why it was stopped ("" it was not)."""

    answer: bytes = b""
    said: bytes = b""
    code: int | None = None
    stopped: str = ""
    noise: int = 0
    left: bytes = field(default=b"", repr=False)


def run(
    command: Sequence[str], environment: Mapping[str, str], request: bytes, *, timeout: float, output: int
) -> Ended:
    """Run a command with ``request`` on its input (OSError when it cannot be started).

    It is stopped after ``timeout`` seconds ("time"), at more than ``output`` bytes of an answer ("output"), or at more
    than NOISE bytes that it prints ("noise"); nothing of it is left when this returns.
    """
    process = subprocess.Popen(
        [*command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd="/" if os.name == "posix" else None,
        start_new_session=True,
    )
    ended = Ended(left=request)
    try:
        _talk(process, ended, time.monotonic() + timeout, output)
    finally:
        _kill(process)
        for stream in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(OSError, ValueError):
                if stream:
                    stream.close()
    ended.code = process.returncode
    return ended


def _talk(process: subprocess.Popen[bytes], ended: Ended, until: float, output: int) -> None:
    """Write, read and count until it is silent, or has to be stopped."""
    with selectors.DefaultSelector() as streams:
        for stream in filter(None, (process.stdin, process.stdout, process.stderr)):
            os.set_blocking(stream.fileno(), False)
            streams.register(stream, selectors.EVENT_WRITE if stream is process.stdin else selectors.EVENT_READ)
        while streams.get_map() and not ended.stopped:
            left = until - time.monotonic()
            if left <= 0:
                ended.stopped = "time"
                return
            for key, _ in streams.select(min(left, 1.0)):
                if not _move(process, key.fileobj, ended):
                    streams.unregister(key.fileobj)
                    key.fileobj.close()  # type: ignore[union-attr]  # one of the three pipes
            if len(ended.answer) > output:
                ended.stopped = "output"
            elif ended.noise > NOISE:
                ended.stopped = "noise"
        if ended.stopped:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, until - time.monotonic()))


def _move(process: subprocess.Popen[bytes], stream: Any, ended: Ended) -> bool:
    """Move what can be moved through one pipe; False when nothing more will come."""
    try:
        number: int = stream.fileno()
        if stream is process.stdin:
            ended.left = ended.left[os.write(number, ended.left[:65536]) :]
            return bool(ended.left)
        data = os.read(number, 65536)
    except BlockingIOError:
        return True
    except OSError:
        return False
    if stream is process.stdout:
        ended.answer += data
    else:
        ended.noise += len(data)
        ended.said = (ended.said + data)[-KEPT:]
    return bool(data)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it and whatever it may have started."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def framed(header: Mapping[str, Any], blob: bytes) -> bytes:
    """A request as its bytes (TypeError, ValueError for what is no JSON)."""
    data = json.dumps({**header, "blob": len(blob)}, separators=(",", ":")).encode()
    return len(data).to_bytes(4, "big") + data + blob
