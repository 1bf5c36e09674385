"""The limited worker process: it takes one skill call after another from its standard input; it opens nothing else.

A frame is a 4-byte big-endian header length, a JSON header, and a blob of ``header["blob"]`` bytes. A request holds
``skill`` and ``value``, or ``skill``, ``values`` and ``sizes`` (of the parts of the blob), answered value by value.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from soloist.engine import registry
from soloist.engine.frames import MAX_BLOB, FrameBroken, pipes, read_frame, refuse, write_frame
from soloist.engine.local import serve
from soloist.engine.local.reading import Reading
from soloist.kernel.errors import SoloistError
from soloist.sdk import Registry
from soloist.sdk.local import give

__all__ = ["MAX_BLOB", "FrameBroken", "answer", "load", "main", "read_frame", "write_frame"]

try:
    import resource
except ImportError:  # Windows has none; the time limit of each call still holds
    resource = None  # type: ignore[assignment]  # a module or nothing


def load(more: Sequence[str] = ()) -> Registry:
    """Every plugin that the registry finds, ``more`` (functions as module:function), and the calls ``local.*``."""
    plugins = registry.load()
    for target in more:
        module, _, function = target.partition(":")
        try:
            getattr(importlib.import_module(module), function or "register")(plugins)
        except Exception as error:  # noqa: BLE001  # a plugin is someone else's code: one fault must not stop the rest
            plugins.troubles.append(f"{target}: {type(error).__name__}: {error}")
    local = serve.Local(plugins)
    give(Reading(local))
    for one in local.skills():
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


def main(options: dict[str, Any]) -> int:
    """Serve calls until standard input ends. ``options``: memory (bytes), cpu (s), plugins (module:function)."""
    requests, replies = pipes()
    _limit(options["memory"], options["cpu"])
    sys.addaudithook(refuse)
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
