"""What follows from a fault of a model, who is asked next, what counts as the same question; pure, it calls nothing."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.kernel.agent import After
from soloist.kernel.hashing import sha256
from soloist.kernel.model import AFTER, Fault, Next
from soloist.kernel.model_settings import ModelPart

LONGEST_WAIT = 60.0
LONGEST_PARK = 900.0
"""Seconds that a run waits which goes on by itself, with nobody and no place held up by it."""
USUAL_WAIT = 5.0
AGAIN_AFTER = 1.0
"""Seconds before the same model is asked again."""
SAME_CALL = 3
"""How often an agent may call the same tool with the same arguments in a row of answers."""
MOST_TEXT = 50_000
"""Characters of a text in an answer whose schema says nothing shorter."""
MOST_ITEMS = 200
"""Entries of a list in an answer whose schema says nothing less."""
MOST_SAID = 2000
"""Tokens at the most by which a model is told what was wrong with its answer."""
MESSAGE = 48
"""Tokens that a message, a tool or a schema may cost besides its text."""


def chain(parts: Mapping[str, ModelPart], least: int, most: int, *, first: str = "") -> list[str]:
    """The models that may be asked, in order: the wanted one, then the largest allowed tier downwards."""
    fit = [name for name, part in parts.items() if least <= part.stage <= most]
    fit.sort(key=lambda name: (name != first, -parts[name].stage, [*parts].index(name)))
    return fit


LARGE = 4
"""The tier that is asked for a reason only: worth that was shown, or the operator's word."""


def topmost(most: int, *, reason: str) -> int:
    """The largest tier that may be asked for a question that allows ``most``."""
    return most if reason else min(most, LARGE - 1)


@dataclass(frozen=True)
class Way:
    """What is done next, and which model is asked ("" when nobody is)."""

    do: Next
    model: str = ""
    wait: float = 0.0


def after(
    fault: Fault,
    model: str,
    order: Sequence[str],
    done: Sequence[Next],
    retry_after: float = 0.0,
    *,
    own: After | None = None,
    longest: float = LONGEST_WAIT,
) -> Way:
    """What follows from a fault of ``model``; ``done`` is what was tried for this call already.

    Each step once, as ``AFTER`` says, unless an agent has its ``own`` word on this fault. ``smaller`` and ``other`` may
    come as often as there are models left in ``order``, which goes downwards.
    """
    later, left = [*order][[*order].index(model) + 1 :] if model in order else [], Counter(done)
    again: list[Next] = ["again"] * (own.again if own else 0)
    for step in AFTER[fault] if own is None else (*again, *own.then):
        if step in ("smaller", "other"):
            if later:
                return Way(step, later[0])
        elif step == "operator":
            break
        elif left[step]:
            left[step] -= 1
        else:
            return Way(step, model, _wait(step, retry_after, own, longest))
    return Way("operator")


def _wait(step: Next, retry_after: float, own: After | None, longest: float) -> float:
    """Seconds before the next try."""
    if step == "wait":
        return min(retry_after or USUAL_WAIT, longest)
    if step != "again":
        return 0.0
    return AGAIN_AFTER if own is None else min(own.seconds, LONGEST_WAIT)


def over(until: float, now: float, wait: float) -> bool:
    """Whether waiting would take longer than anybody does; ``until`` 0 for no end."""
    return bool(until) and now + wait >= until


# ----- what a question is


def most_tokens(told: Mapping[str, Any]) -> int:
    """The most tokens a question can be: no token of any tokeniser stands for less than a byte."""
    texts, pieces = _weigh({name: told.get(name) for name in ("messages", "tools", "schema", "instructions")})
    return texts + MESSAGE * (pieces + 1)


def likely_tokens(told: Mapping[str, Any]) -> int:
    """About how many tokens a question is: three and a half bytes each."""
    return _weigh(told.get("messages"))[0] * 2 // 7 + 1


def _weigh(value: Any) -> tuple[int, int]:
    """(bytes of all texts, objects) in a JSON value."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace")), 0
    if isinstance(value, Mapping):
        found = [_weigh(one) for one in value.values()]
        names = sum(len(str(name).encode()) + 4 for name in value)
        return names + sum(size for size, _ in found), 1 + sum(many for _, many in found)
    if isinstance(value, Sequence):
        found = [_weigh(one) for one in value]
        return 2 + sum(size for size, _ in found), sum(many for _, many in found)
    return 8, 0


def key(provider: str, model: str, told: Mapping[str, Any]) -> str:
    """The name of a recording: what was asked of which model, whatever ids and instants came with it."""
    plain = {"provider": provider, "model": model, **{name: told[name] for name in sorted(told)}}
    return sha256(json.dumps(plain, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode())


_PASSING = frozenset(
    "timestamp run_id conversation_id provider_response_id usage provider_details model_id provider_url provider_name "
    "model_name metadata state id finish_reason".split()
)


def lasting(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Messages without what differs from run to run: instants, ids, usage; calls of tools are numbered instead."""
    numbers: dict[str, str] = {}
    return [_lasting(message, numbers) for message in messages]


def _lasting(value: Any, numbers: dict[str, str]) -> Any:
    if isinstance(value, Mapping):
        found = {}
        for name, inner in value.items():
            if name == "tool_call_id":
                found[name] = numbers.setdefault(str(inner), str(len(numbers)))
            elif name not in _PASSING and inner not in (None, [], {}):
                found[name] = _lasting(inner, numbers)
        return found
    return [_lasting(one, numbers) for one in value] if isinstance(value, list) else value


# ----- what is wrong with an answer


def repeats(text: str) -> bool:
    """Whether a text runs in a circle: its second half is one short piece again and again."""
    tail = text[len(text) // 2 :]
    if len(text) < 400:
        return False
    found = re.search(r"(.{3,80}?)\1{7,}\s*\S{0,80}\Z", tail, re.DOTALL)
    return found is not None and bool(found[1].strip())


def tools_called(messages: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Every call of a tool in the answers of a conversation: (name, arguments as text)."""
    parts = (part for message in messages if message.get("kind") == "response" for part in message.get("parts", ()))
    return [(part["tool_name"], _text(part.get("args"))) for part in parts if part.get("part_kind") == "tool-call"]


def _text(args: Any) -> str:
    return args if isinstance(args, str) else json.dumps(args, sort_keys=True)


def looping(messages: Sequence[Mapping[str, Any]]) -> str:
    """The tool that is called again and again with the same arguments, "" when there is none."""
    called = tools_called(messages)
    last = called[-SAME_CALL:]
    return last[0][0] if len(last) == SAME_CALL and len(set(last)) == 1 else ""


def forbidden(answer: Mapping[str, Any], allowed: Sequence[str]) -> str:
    """A tool that an answer calls although it was not offered, "" when there is none."""
    return next((name for name, _ in tools_called([answer]) if name not in allowed), "")


def fits(
    value: Any, schema: Mapping[str, Any], place: str = "the answer", whole: Mapping[str, Any] | None = None
) -> str:
    """What of a JSON schema a value does not keep, in a sentence; "" when it fits. Knows what our schemas use."""
    whole = whole or schema
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return fits(value, whole.get("$defs", {}).get(name, {}), place, whole)
    if "anyOf" in schema:
        found = [fits(value, one, place, whole) for one in schema["anyOf"]]
        return "" if "" in found else found[0]
    if "enum" in schema and value not in schema["enum"]:
        return f"{place} is {value!r}, not one of {', '.join(map(str, schema['enum']))}"
    wanted = schema.get("type")
    if wanted and not any(_is(value, one) for one in (wanted if isinstance(wanted, list) else [wanted])):
        return f"{place} is not of the type {wanted}"
    if isinstance(value, str) and len(value) > int(schema.get("maxLength", MOST_TEXT)):
        return f"{place} has {len(value)} characters, at most {schema.get('maxLength', MOST_TEXT)}"
    if isinstance(value, list) and len(value) > int(schema.get("maxItems", MOST_ITEMS)):
        return f"{place} has {len(value)} entries, at most {schema.get('maxItems', MOST_ITEMS)}"
    if isinstance(value, dict):
        return _fields(value, schema, place, whole)
    if isinstance(value, list) and "items" in schema:
        return next(
            filter(None, (fits(one, schema["items"], f"{place}[{n}]", whole) for n, one in enumerate(value))), ""
        )
    return ""


def _fields(value: Mapping[str, Any], schema: Mapping[str, Any], place: str, whole: Mapping[str, Any]) -> str:
    known = schema.get("properties", {})
    if missing := [name for name in schema.get("required", ()) if name not in value]:
        return f"{place} has no {missing[0]}"
    if schema.get("additionalProperties") is False and (more := [name for name in value if name not in known]):
        return f"{place} has {more[0]}, which was not asked for"
    return next(filter(None, (fits(value[n], known[n], f"{place}.{n}", whole) for n in value if n in known)), "")


def _is(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    kinds: dict[str, Any] = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float)}
    return value is None if wanted == "null" else isinstance(value, kinds.get(wanted, object))


def parsed(text: str) -> Any:
    """The JSON value in an answer, fenced or not (ValueError)."""
    plain = re.sub(r"\A\s*```(?:json)?\s*|\s*```\s*\Z", "", text)
    return json.loads(plain)


def shorter(text: str, most: int) -> str:
    """The beginning and the end of a text, cut where a sentence or a word ends, with a mark between."""
    if len(text) <= most:
        return text
    head, tail = text[: most * 2 // 3], text[-(most // 3) :]
    head = head[: max(head.rfind(". ") + 1, head.rfind("\n"), head.rfind(" "), most // 2)]
    tail = tail[min(n for n in (tail.find(" "), len(tail)) if n >= 0) :]
    return f"{head.rstrip()}\n[... shortened ...]\n{tail.lstrip()}"


def correction(said: str) -> str:
    """What a model is told about an answer that does not fit."""
    return f"{said} Answer again, with nothing but JSON that fits the schema."


def corrected(response: Mapping[str, Any], said: str) -> list[dict[str, Any]]:
    """Messages that tell a model what was wrong with its answer: its words without the call, and ours."""
    words = [part for part in response.get("parts", ()) if part.get("part_kind") == "text"]
    answer = {"kind": "response", "parts": words or [{"part_kind": "text", "content": "(a call that is not allowed)"}]}
    ours = {"part_kind": "user-prompt", "content": f"{said} Answer without it."}
    return [answer, {"kind": "request", "parts": [ours]}]


def shortened(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same conversation with every long text of others cut to half."""
    return [{**message, "parts": [_shortened(part) for part in message["parts"]]} for message in messages]


def _shortened(part: Mapping[str, Any]) -> dict[str, Any]:
    text = part.get("content")
    if part.get("part_kind") not in ("user-prompt", "tool-return") or not isinstance(text, str) or len(text) < 200:
        return dict(part)
    return {**part, "content": shorter(text, len(text) // 2)}
