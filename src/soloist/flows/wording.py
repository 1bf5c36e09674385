"""Wording: what every letter of ours is written with: templates, who we are, the tone of the house book."""

from __future__ import annotations

import asyncio
from typing import Any

from soloist.flows.desk import Desk
from soloist.stages.runtime.agents import templates_of

MOST_BOOK = 1_000_000


async def frame(desk: Desk, agent: str) -> dict[str, Any]:
    """{templates, business, house_book} for a skill that writes; the operator's own templates go before the shipped."""
    business = desk.settings.business
    own = await asyncio.to_thread(templates_of, desk.home.path(desk.settings.intake.templates))
    return {
        "templates": {**desk.runtime.roster.templates(agent), **own},
        "business": {
            "name": business.name,
            "owner": business.owner or business.name,
            "email": business.email,
            "language": business.language,
            "currency": business.currency,
        },
        "house_book": await asyncio.to_thread(_book, desk),
    }


def _book(desk: Desk) -> str:
    path = desk.home.path(desk.settings.intake.house_book)
    return path.read_text(encoding="utf-8", errors="replace")[:MOST_BOOK] if path.is_file() else ""
