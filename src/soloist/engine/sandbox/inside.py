"""Inside: the process that runs one call of one skill with code of others behind walls, answers, and ends."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO

from pydantic import ValidationError

from soloist.engine.frames import pipes, read_frame, refuse
from soloist.engine.sandbox import probe, walls
from soloist.kernel.errors import SoloistError
from soloist.sdk import Skill
from soloist.sdk.handed import hand

HINT = "A skill of others has no network, starts no programs and sees no files but its own."


def main(options: Mapping[str, Any]) -> int:
    """One request from standard input, one answer; ``options`` as ``levels.options`` makes them."""
    requests, replies = pipes()
    frame = read_frame(requests)
    if frame is None:
        return 0
    _close_off(options)
    try:
        told = _told(options, *frame)
    except MemoryError:
        told = _error("WorkerTrouble", f"it needed more memory than the {options['memory'] >> 20} MB it may use")
    _say(replies, told, options["output"])
    return 0


def _close_off(options: Mapping[str, Any]) -> None:
    """Put up the walls of the level; without one of them nothing of others is run (any exception ends the process)."""
    if options["level"] != "none":
        walls.ready()
    walls.limits(options["memory"], options["cpu"], options["file"])
    if options["level"] == "none":
        sys.addaudithook(refuse)
        return
    try:
        walls.files(options["read"], options["scratch"])
    except (OSError, ImportError):
        if options["level"] == "landlock":
            raise
    walls.calls()


def _told(options: Mapping[str, Any], header: Mapping[str, Any], blob: bytes) -> dict[str, Any]:
    """The answer to a request: ``do`` is call, describe or probe."""
    if header["do"] == "probe":
        return {"ok": probe.tried(header["value"])}
    hand(header["given"])
    sys.path.insert(0, options["folder"])
    try:
        skills = _loaded(options["modules"])
    except MemoryError:
        raise
    except BaseException as error:  # noqa: BLE001  # somebody else's code: its fault is told, whatever it raises
        return _error("WorkerTrouble", f"its code could not be loaded: {_fault(error)}")
    if header["do"] == "describe":
        return {"ok": {"skills": [_described(one) for one in skills.values()]}}
    one = skills.get(header["skill"])
    if one is None:
        return _error("NotFound", f"its code holds no skill of that name; there are {', '.join(skills) or 'none'}")
    return _called(one, header["value"], blob)


def _called(one: Skill, value: dict[str, Any], blob: bytes) -> dict[str, Any]:
    try:
        one.input.model_validate(value)
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(str(part) for part in fault["loc"])
        said = f"{field or 'the input'}: {fault['msg'].removeprefix('Value error, ')}"
        return {"error": "BadInput", "message": said, "field": field}
    try:
        return {"ok": one.call(value, blob)}
    except SoloistError as error:
        return {"error": type(error).__name__, "message": error.detail, "field": error.field}
    except MemoryError:
        raise
    except BaseException as error:  # noqa: BLE001  # as above: also what is raised to end the process
        return _error("WorkerTrouble", _fault(error))


def _fault(error: BaseException) -> str:
    """What was raised, with what is not possible here where that may be why."""
    said = f"{type(error).__name__}: {str(error)[:400]}"
    return f"{said}. {HINT}" if isinstance(error, OSError) else said


def _loaded(modules: list[str]) -> dict[str, Skill]:
    """The skills of the modules that skill.toml names."""
    found = {}
    for name in modules:
        for one in vars(importlib.import_module(name)).values():
            if isinstance(one, Skill) and one.module == name:
                found[one.name] = one
    return found


def _described(one: Skill) -> dict[str, Any]:
    return {
        "name": one.name,
        "version": one.version,
        "summary": one.summary,
        "module": one.module,
        "input": one.input.model_json_schema(),
        "output": one.output.model_json_schema(mode="serialization"),
        "takes_bytes": one.takes_blob,
    }


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"error": kind, "message": message, "field": None}


def _say(replies: BinaryIO, told: Mapping[str, Any], most: int) -> None:
    """Write the answer, or that it is too large."""
    try:
        data = json.dumps(told, separators=(",", ":")).encode()
    except (ValueError, RecursionError, MemoryError) as error:
        data = json.dumps(
            _error("WorkerTrouble", f"its answer cannot be written down: {type(error).__name__}")
        ).encode()
    if len(data) > most:
        said = f"its answer has {len(data)} bytes, more than the {most} it may have"
        data = json.dumps(_error("TooLarge", said)).encode()
    replies.write(data)
    replies.flush()
    os._exit(0)  # what a skill left to be done at the end is not done
