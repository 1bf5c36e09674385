"""Frames: how calls and answers cross the pipes of a limited process, and the rail that holds in it; it runs nothing.

A frame is a 4-byte big-endian header length, a JSON header, and a blob of ``header["blob"]`` bytes.
"""

from __future__ import annotations

import json
import os
from typing import Any, BinaryIO

MAX_HEADER = 64 * 1024 * 1024
MAX_BLOB = 128 * 1024 * 1024

_FORBIDDEN = frozenset(
    [f"socket.{name}" for name in ("connect", "bind", "sendto", "sendmsg", "getaddrinfo", "gethostbyname")]
    + ["subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.kill"]
    + [f"os.{name}" for name in ("remove", "rename", "rmdir", "mkdir", "truncate", "chmod", "chown", "link", "symlink")]
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class FrameBroken(Exception):
    """The stream ended inside a frame or a length is over its limit."""


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next frame, None at the end of the stream; FrameBroken when it is cut, too large or no JSON object."""
    size = stream.read(4)
    if not size:
        return None
    length = int.from_bytes(size, "big")
    if length > MAX_HEADER:
        raise FrameBroken(f"a header of {length} bytes")
    try:
        header = json.loads(_exactly(stream, length))
    except (ValueError, RecursionError) as error:
        raise FrameBroken(f"a header that is no JSON: {error}") from error
    blob = header.get("blob", 0) if isinstance(header, dict) else -1
    if not isinstance(blob, int) or not 0 <= blob <= MAX_BLOB:
        raise FrameBroken("a header without a usable blob length")
    return header, _exactly(stream, blob)


def write_frame(stream: BinaryIO, header: dict[str, Any], blob: bytes = b"") -> None:
    """Write one frame and flush it."""
    data = json.dumps({**header, "blob": len(blob)}, separators=(",", ":")).encode()
    stream.write(len(data).to_bytes(4, "big") + data)
    stream.write(blob)
    stream.flush()


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length) if length else b""
    if len(data) != length:
        raise FrameBroken("the stream ended inside a frame")
    return data


def pipes() -> tuple[BinaryIO, BinaryIO]:
    """The two ends of the conversation; a skill that prints must not write into it."""
    replies = os.fdopen(os.dup(1), "wb")
    requests = os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    return requests, replies


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """No network, no other programs, no writing from here; a rail against mistakes, not a wall against native code."""
    if event in _FORBIDDEN or (event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING):
        raise PermissionError(f"a skill may not do this: {event}")
