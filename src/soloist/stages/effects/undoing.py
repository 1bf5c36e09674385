"""Ways back: which kind an effect has, the recipe that was stored with it, the hash an undo is bound to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.kernel.hashing import payload_hash, sha256
from soloist.kernel.proposal import OperationFacts
from soloist.sdk import Operation, Plan
from soloist.stages.effects.decide import UNDO

SOME_REF = "REF"
"""Stands for the provider's id in a recipe that is written down before there is one."""


def recipe(operation: Operation, back: Plan | None) -> dict[str, Any]:
    """What is stored with an effect before it leaves; ``back`` is its way back for a provider's id SOME_REF."""
    return {
        "kind": operation.undo,
        "way_back": operation.way_back,
        "request": sha256(back.request) if back else "",
        "preview": back.preview[:2000] if back else "",
    }


def base(effect: Mapping[str, Any]) -> str:
    """The declared operation that an effect belongs to; one that takes back belongs to what it takes back."""
    name = str(effect["operation"])
    return name.removesuffix(UNDO) if effect["undoes"] else name


def digest(origin: Mapping[str, Any]) -> str:
    """What an undo is bound to: exactly this effect, its content, the provider's id for it and the stored recipe."""
    content = {
        "undoes": origin["id"],
        "payload_hash": origin["payload_hash"],
        "provider_ref": origin["provider_ref"],
        "recipe": (origin["undo_plan"] or {}).get("request", ""),
    }
    return payload_hash(origin["connector"], f"{origin['operation']}{UNDO}", content)


def payload(origin: Mapping[str, Any], proposal: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a proposal that takes an effect back: what it undoes, by which request, and for how much."""
    found = {
        "undoes": origin["id"],
        "provider_ref": origin["provider_ref"],
        "request": (origin["undo_plan"] or {}).get("preview", ""),
        "bound_to": digest(origin),
    }
    if proposal.get("amount_minor"):
        found |= {"amount": proposal["amount_minor"], "currency": proposal["currency"]}
    return found


def facts(operation: Operation) -> OperationFacts:
    """How policy and a person see an undo that needs their word: as an effect of its own, which cannot be undone."""
    return OperationFacts(
        operation.effect_class,
        operation.risk,
        "none",
        "what is taken back by a counter-entry cannot be taken back again by itself",
        primitive="act",
        audience=operation.audience,
    )


def group(origin: Mapping[str, Any], before: int) -> str:
    """The name of an undo beside the effects of its proposal; ``before`` are the earlier tries."""
    return f"undo:{origin['group']}" if not before else f"undo:{origin['group']}:{before + 1}"
