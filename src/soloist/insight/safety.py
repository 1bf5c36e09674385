"""Safety: what is halted, how old the backups are, what a restore found, how far the journal is signed; only read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from soloist.engine.stopping import SAFE, Halt, Halted, cut, standing
from soloist.engine.store import effects, journal, proposals, settings
from soloist.engine.store.clock import from_iso
from soloist.engine.store.reading import Connection
from soloist.kernel.proposal import recipients

READY = ("intended", "refused")
UNSURE = ("unknown", "reconciling")
MOST = 200
"""Lines of one list; beyond them only the number is shown."""
LATE = 3.0
"""How many pauses late a backup may be before it is trouble."""

value = settings.value


@dataclass(frozen=True)
class Leaving:
    """An effect that goes out when nothing halts it any more."""

    id: str
    title: str
    to: str
    connector: str
    state: str


@dataclass(frozen=True)
class RestoredView:
    """A restored home: from which cut, whether safe mode lasts, what was found, what is asked, what will leave."""

    restored: bool = False
    safe: bool = False
    since: str = ""
    cut_at: str = ""
    cut_seq: int = 0
    looked_at: str = ""
    found: int = 0
    withdrawn: int = 0
    unclear: int = 0
    foreign: int = 0
    lines: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()
    asked: int = 0
    unsure: int = 0
    ready: tuple[Leaving, ...] = ()


@dataclass(frozen=True)
class SafetyPage:
    """The page: what is halted, the restore, backups, drill, sheet, journal."""

    halted: tuple[Halted, ...]
    restored: RestoredView
    backup: Mapping[str, Any]
    drill: Mapping[str, Any]
    sheet: str
    late: str
    every: str
    keep: int
    second: str
    home: str
    events: int
    mark: journal.Mark | None
    exported_to: tuple[str, ...] = field(default=())


def restored(conn: Connection, _halt: Halt) -> RestoredView:
    """What there is to know after a restore; the empty view for a home that was never restored."""
    about = cut(conn)
    if not about:
        return RestoredView(ready=leaving(conn))
    found = json.loads(settings.value(conn, "safe_mode.found") or "{}")
    counts = effects.count_by_state(conn)
    return RestoredView(
        restored=True,
        safe=bool(settings.value(conn, SAFE)),
        since=about["since"],
        cut_at=about["cut_at"],
        cut_seq=about["cut_seq"],
        looked_at=found.get("at", ""),
        found=found.get("found", 0),
        withdrawn=found.get("withdrawn", 0),
        unclear=found.get("unclear", 0),
        foreign=found.get("foreign", 0),
        lines=tuple(found.get("lines", ())),
        troubles=tuple(found.get("troubles", ())),
        asked=counts.get("needs_human", 0),
        unsure=sum(counts.get(state, 0) for state in UNSURE),
        ready=leaving(conn),
    )


def leaving(conn: Connection) -> tuple[Leaving, ...]:
    """Approved effects that go out when nothing halts them: ready ones, and class A that tries its key again."""
    rows = effects.in_states(conn, list(READY))
    rows += [row for row in effects.in_states(conn, ["unknown"]) if row["class"] == "A"]
    return tuple(_leaving(conn, row) for row in rows[:MOST])


def _leaving(conn: Connection, row: Mapping[str, Any]) -> Leaving:
    proposal = proposals.get(conn, row["proposal"])
    payload = proposal["payload"]
    to = ", ".join(str(person) for person in proposal["recipients"] or recipients(payload))
    title = str(payload.get("subject") or payload.get("title") or row["operation"])
    return Leaving(row["proposal"], title[:140], to[:140], row["connector"], row["state"])


def as_json(view: RestoredView) -> dict[str, Any]:
    """The same for programs."""
    return asdict(view)


def lines(view: RestoredView) -> list[str]:
    """The same for a terminal."""
    if not view.restored:
        return ["This home was never restored from a backup; there is no safe mode."]
    state = "in safe mode: nothing leaves" if view.safe else "safe mode is over"
    found = [f"Restored from a backup of {view.cut_at} (event {view.cut_seq}); {state}."]
    if view.looked_at:
        told = f"found outside {view.found}, carried out already {view.withdrawn}, not clear {view.unclear}"
        found.append(f"Looked outside at {view.looked_at}: {told}, unknown here {view.foreign}.")
    elif view.safe:
        found.append("The outside was not looked at yet: start the server with soloist up.")
    found += [f"Trouble: {line}" for line in view.troubles]
    found += [f"Questions that wait for your word: {view.asked} (soloist inbox); still being looked up: {view.unsure}."]
    found.append(f"What leaves when safe mode ends: {len(view.ready)}")
    found += [f"  {one.title} {f'to {one.to} ' if one.to else ''}({one.connector})" for one in view.ready]
    return [*found, "Go on with: soloist safe-mode --leave"] if view.safe else found


def page(conn: Connection, halt: Halt, chosen: Mapping[str, Any], now: str) -> SafetyPage:
    """Everything of the page; ``chosen`` is what the settings say: every (seconds), text, keep, to, home, files."""
    backup = json.loads(settings.value(conn, "backup.last") or "{}")
    return SafetyPage(
        halted=tuple(standing(conn, halt)),
        restored=restored(conn, halt),
        backup=backup,
        drill=json.loads(settings.value(conn, "backup.drill") or "{}"),
        sheet=settings.value(conn, "backup.sheet"),
        late=late(backup, float(chosen["every"]), now),
        every=chosen["text"],
        keep=chosen["keep"],
        second=chosen["to"],
        home=chosen["home"],
        events=journal.head(conn),
        mark=journal.newest_mark(conn),
        exported_to=tuple(chosen["files"]),
    )


def late(backup: Mapping[str, Any], every: float, now: str) -> str:
    """Why the operator should look at the backups, "" when all is well. ``every`` in seconds, 0 for none by itself."""
    if backup.get("fault"):
        return f"The last backup had trouble: {backup['fault']}"
    if not backup.get("at"):
        return "There is no backup yet."
    age = (from_iso(now) - from_iso(backup["at"])).total_seconds()
    if every and age > LATE * every:
        return f"The newest backup is {age / 86400:.1f} days old."
    return ""


def backup_state(conn: Connection, every: float, now: str) -> dict[str, Any]:
    """For doctor and watchers: {late, at, drill, sheet}."""
    backup = json.loads(settings.value(conn, "backup.last") or "{}")
    drill = json.loads(settings.value(conn, "backup.drill") or "{}")
    sheet = settings.value(conn, "backup.sheet")
    return {"late": late(backup, every, now), "at": backup.get("at", ""), "drill": drill, "sheet": sheet}


def journal_line(conn: Connection) -> str:
    """The newest signed checkpoint as a line for a letter; ``soloist verify --checkpoints`` reads it. "" for none."""
    mark = journal.newest_mark(conn)
    return mark.line() if mark else ""
