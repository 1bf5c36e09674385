"""Command about the operator's time: what is planned, and what it went to."""

from __future__ import annotations

from typing import Any

from soloist.cli.common import DatabaseOption, HomeOption, JsonOption, opened, show


def attention(home: HomeOption = None, database: DatabaseOption = "", as_json: JsonOption = False) -> None:
    """What waits for you now, what can wait until when, and what your time went to."""
    from dataclasses import asdict

    from soloist.insight import attention as insight

    with opened(home, database) as app:
        now = app.store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        zone, rules = app.settings.business.timezone, app.settings.attention
        page = app.store.read_now(lambda conn: insight.page(conn, rules, zone, now))
        found = {**asdict(page), "rules": page.rules.model_dump()}
    show(found, as_json, "\n".join(_lines(found)))


def _lines(page: dict[str, Any]) -> list[str]:
    """The page as lines."""
    lines = [f"For now: {len(page['now'])}, about {page['minutes_now']:.0f} min ({page['minutes_left']:.0f} min left)"]
    lines += [f"  {line['card'][:13]}  {line['title']}  ({line['note']})" for line in page["now"]]
    lines.append(f"Can wait: {len(page['later'])}")
    lines += [f"  {line['card'][:13]}  {line['title']}  until {line['until'][:16]}" for line in page["later"]]
    for name in ("week", "month"):
        figures = page[name]
        told = (f"{key} {value}" for key, value in figures.items() if key not in ("days", "outcomes"))
        lines.append(f"Over {figures['days']} days: {', '.join(told)}")
    return lines
