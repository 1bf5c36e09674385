"""The limited worker process: it takes one skill call after another from its standard input; it opens nothing else.

A frame is a 4-byte big-endian header length, a JSON header, and a blob of ``header["blob"]`` bytes. A request holds
``skill`` and ``value``, or ``skill``, ``values`` and ``sizes`` (of the parts of the blob), answered value by value.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from pydantic import ValidationError

from soloist.engine import registry
from soloist.engine.local import serve
from soloist.kernel.errors import SoloistError
from soloist.sdk import Registry

try:
    import resource
except ImportError:  # Windows has none; the time limit of each call still holds
    resource = None  # type: ignore[assignment]  # a module or nothing

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


def load(more: Sequence[str] = ()) -> Registry:
    """Every plugin that the registry finds, ``more`` (functions as module:function), and the calls ``local.*``."""
    plugins = registry.load()
    for target in more:
        module, _, function = target.partition(":")
        try:
            getattr(importlib.import_module(module), function or "register")(plugins)
        except Exception as error:  # noqa: BLE001  # a plugin is someone else's code: one fault must not stop the rest
            plugins.troubles.append(f"{target}: {type(error).__name__}: {error}")
    for one in serve.Local(plugins).skills():
        plugins.add_skill(one)
    return plugins


def answer(plugins: Registry, name: str, value: dict[str, Any], blob: bytes) -> dict[str, Any]:
    """One call as a reply: ``{"ok": output}`` or ``{"error", "message", "field"}``; only MemoryError is raised."""
    skill = plugins.skills.get(name)
    if skill is None:
        why = "; ".join(plugins.troubles[:3])
        return _error("NotFound", f"There is no skill called {name}." + (f" Not loaded: {why}." if why else ""), None)
    try:
        skill.input.model_validate(value)
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(str(part) for part in fault["loc"])
        return _error(
            "BadInput", f"{name}: {field or 'the input'}: {fault['msg'].removeprefix('Value error, ')}.", field
        )
    try:
        return {"ok": skill.call(value, blob)}
    except SoloistError as error:
        return _error(type(error).__name__, error.detail, error.field)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  # a skill is someone else's code: its fault is told, and the process lives on
        return _error("WorkerTrouble", f"{name} failed: {type(error).__name__}: {str(error)[:500]}", None)


def _error(kind: str, message: str, field: str | None) -> dict[str, Any]:
    return {"error": kind, "message": message, "field": field}


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


def main(options: dict[str, Any]) -> int:
    """Serve calls until standard input ends. ``options``: memory (bytes), cpu (s), plugins (module:function)."""
    requests, replies = _pipes()
    _limit(options["memory"], options["cpu"])
    sys.addaudithook(_refuse)
    plugins: Registry | None = None
    while (frame := read_frame(requests)) is not None:
        for skill, value, blob in _calls(*frame):
            try:
                plugins = plugins or load(options["plugins"])
                reply = answer(plugins, skill, value, blob)
            except MemoryError:
                limit = f"the {options['memory'] >> 20} MB it may use"
                message = f"{skill} needed more memory than {limit}; it was stopped."
                write_frame(replies, {**_error("WorkerTrouble", message, None), "last": True})
                return 0
            last = time.process_time() > options["cpu"] / 2  # the limit counts all calls; leave before it strikes
            write_frame(replies, {**reply, "last": last})
            if last:
                return 0
    return 0


def _calls(header: dict[str, Any], blob: bytes) -> Iterator[tuple[str, dict[str, Any], bytes]]:
    """The calls of a request: skill, value and blob of each."""
    if "values" not in header:
        yield header["skill"], header["value"], blob
        return
    start = 0
    for value, size in zip(header["values"], header["sizes"], strict=True):
        yield header["skill"], value, blob[start : start + size]
        start += size


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """The two ends of the conversation; a skill that prints must not write into it."""
    replies = os.fdopen(os.dup(1), "wb")
    requests = os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    return requests, replies


def _limit(memory: int, cpu: int) -> None:
    """Take rights away from this process, where the system knows how."""
    if resource is None:
        return
    limits = {"RLIMIT_AS": memory, "RLIMIT_CPU": cpu, "RLIMIT_NOFILE": 64, "RLIMIT_CORE": 0, "RLIMIT_FSIZE": 0}
    if os.geteuid() != 0:
        limits["RLIMIT_NPROC"] = 0  # counts a user's processes; for root it means nothing
    for name, value in limits.items():
        kind = getattr(resource, name, None)
        with contextlib.suppress(ValueError, OSError):  # a limit the system does not know, or a lower one already set
            if kind is not None:
                resource.setrlimit(kind, (value, value))


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """No network, no other programs, no writing from here; a rail against mistakes, not a wall against native code."""
    if event in _FORBIDDEN or (event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING):
        raise PermissionError(f"a skill may not do this: {event}")
