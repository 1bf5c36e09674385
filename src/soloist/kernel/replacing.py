"""Replacing: which shipped skills code of others may stand in for, and whether its types are the same; it runs none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REPLACEABLE = frozenset(
    {
        "key_points",
        "meeting_notes",
        "newsletter",
        "priority",
        "segment",
        "subject_lines",
        "summary",
        "take_apart",
        "topics",
        "translate",
        "weekly_report",
    }
)
"""Skills whose answers are words and an order for people. Whatever is not named here stays the shipped one."""
_GUARDS = "it is one of the checks that keep something wrong from leaving the house"
_READS = "every check after it takes what it reads for the letter or the file itself"
_STEERS = "its answers become numbers, days, accounts or records that later work acts on"
_WRITES = "what it writes may go out without you where you allowed that, and you allowed it to the shipped one"
_SORTS = "its answers decide what is done with a message, and how sure it has to be was measured on the shipped one"
KEPT: Mapping[str, str] = {
    **dict.fromkeys(("check_draft", "check_claims", "bounce", "identifiers", "duplicates", "read_rule"), _GUARDS),
    **dict.fromkeys(("read_mail", "read_part", "read_document", "read_import", "read_event", "strip_reply"), _READS),
    **dict.fromkeys(("read_invoice", "read_invitation", "promises"), _READS),
    **dict.fromkeys(("contact", "phones", "money", "dates", "due_dates", "meeting_times"), _STEERS),
    **dict.fromkeys(("draft_reply", "draft_follow_up", "draft_meeting", "draft_bill"), _WRITES),
    **dict.fromkeys(("understand", "kind", "intent", "language", "qualify"), _SORTS),
}
"""Why a shipped skill is never replaced, as the end of a sentence."""
_NAMES_ONLY = ("title", "description", "examples")
_DEEP = 40


def refusal(name: str) -> str:
    """Why a shipped skill may not be replaced, "" when it may."""
    if name in REPLACEABLE:
        return ""
    why = KEPT.get(name, "nobody has looked yet at what would follow from other answers of it")
    may = ", ".join(sorted(REPLACEABLE))
    return f"The skill {name} stays the one that came with Soloist: {why}. A package may replace {may}."


def differs(ours: Mapping[str, Any], theirs: Mapping[str, Any], side: str) -> str:
    """What of two JSON schemas is not the same, "" when they allow the same; names of types and notes do not count."""
    return _differs(_plain(ours, ours, 0), _plain(theirs, theirs, 0), side)


def _plain(part: Any, root: Mapping[str, Any], depth: int) -> Any:
    """A schema without names and notes, with what it refers to in place; one that refers to itself ends somewhere."""
    if isinstance(part, list):
        return [_plain(one, root, depth + 1) for one in part]
    if not isinstance(part, Mapping):
        return part
    if "$ref" in part and depth < _DEEP:
        found = root.get("$defs", {}).get(str(part["$ref"]).rpartition("/")[2], {})
        return _plain({**found, **{key: value for key, value in part.items() if key != "$ref"}}, root, depth + 1)
    left = {key: value for key, value in part.items() if key != "$defs" and key not in _NAMES_ONLY}
    if isinstance(part.get("properties"), Mapping):
        left["properties"] = {name: _plain(one, root, depth + 1) for name, one in part["properties"].items()}
    told = {key: value if key == "properties" else _plain(value, root, depth + 1) for key, value in left.items()}
    if isinstance(told.get("required"), list):
        told["required"] = sorted(told["required"])
    return told


def _differs(ours: Any, theirs: Any, place: str) -> str:
    """The first place where two plain schemas differ, in words."""
    if not (isinstance(ours, Mapping) and isinstance(theirs, Mapping)):
        return "" if ours == theirs else f"{place} is {_short(theirs)} instead of {_short(ours)}"
    for name in sorted({*ours, *theirs}):
        where = place if name in ("properties", "items") else f"{place}.{name}"
        if name not in theirs:
            return f"{where} is missing"
        if name not in ours:
            return f"{where} is not foreseen"
        if found := _differs(ours[name], theirs[name], where):
            return found
    return ""


def _short(value: Any) -> str:
    return str(value)[:80]
