"""Roles: which shipped role works in which way of its own; whoever hands out work begins here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from soloist.flows import issuing, owing, planning, researching, tidying, triaging, watching
from soloist.flows.desk import Desk
from soloist.flows.giving import Giving, Way
from soloist.flows.tending import Tending

WAYS: Mapping[str, Way] = {
    "planner": planning.WAY,
    "researcher": researching.WAY,
    "publisher": issuing.WAY,
    "crm_keeper": tidying.KEEPING,
    "enrichment": tidying.ENRICHING,
    "support_triage": triaging.WAY,
    "competitor_watcher": watching.WAY,
    "billing": owing.WAY,
}


def giving(desk: Desk) -> Giving:
    """The door by which work is handed to the agents of a home."""
    return Giving(desk, WAYS)


def tending(desk: Desk) -> Tending:
    """What hands the roles their work as it comes up."""
    return Tending(desk, giving(desk))


def equip(desk: Desk) -> None:
    """Let the cards of the roles be decided."""
    desk.takers[f"{planning.LIST} card"] = planning.taken
    desk.takers[f"{issuing.ISSUE} card"] = partial(issuing.taken, desk)
