"""After a backup's cut: what this home still holds as open is looked up outside, so that nothing is sent a second time.

It calls nothing that writes. What the outside shows is marked as done; the rest stays as it is, and is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from soloist.engine.registry import ReadingHalf
from soloist.engine.store import mismatches
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.flows.proving import WAYS, proven
from soloist.kernel.errors import SoloistError
from soloist.kernel.ids import derived
from soloist.sdk import Absent, Found, Thing, Trouble
from soloist.stages.effects.decide import groups

MARGIN = timedelta(days=1)
"""How much before the cut the lists begin: clocks differ, and what was under way at the cut was begun before it."""
MOST = 50_000
"""Things taken from one list."""


@dataclass
class Summary:
    """What everything_since found. ``found`` were marked as done, ``withdrawn`` are open proposals already carried out.

    ``absent`` are certainly not there, ``unclear`` nobody can tell (they wait for the operator), ``foreign`` are things
    outside with a key of this home that nothing in the backup knows. ``lines`` say each in words.
    """

    looked: int = 0
    found: int = 0
    withdrawn: int = 0
    absent: int = 0
    unclear: int = 0
    foreign: int = 0
    troubles: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Lists:
    """What the lists of the outside showed: things by their key, by connection; and which lists came to their end."""

    by_key: Mapping[str, Mapping[str, Thing]]
    whole: frozenset[tuple[str, str]]


async def everything_since(desk: Desk, instant: datetime) -> Summary:
    """Look up all that is open here and all that the outside shows since the cut of a backup; mark what happened.

    Effects found outside become done, waiting or approved proposals whose effect is there are withdrawn; nothing is
    sent. A connection that cannot be asked is a trouble, and what belongs to it stays open. It can be run again.
    """
    summary = Summary()
    lists = await _lists(desk, instant - MARGIN, summary)
    effects = await desk.store.read(lambda conn: mismatches.open_effects(conn, sorted(WAYS)))
    for row in effects:
        if not row["undoes"]:
            await _effect(desk, row, lists, summary)
    for proposal in await desk.store.read(mismatches.not_begun):
        await _proposal(desk, proposal, lists, summary)
    await _foreign(desk, lists, summary)
    await desk.store.write(lambda tx: _told(tx, instant, summary))
    return summary


def listable(half: ReadingHalf) -> list[str]:
    """The operations of a connection whose results can be listed; an adapter that cannot say them has none."""
    try:
        known = half.operations()
        return [name for name in half.listed() if name in known]
    except (ValueError, KeyError):
        return []


async def _lists(desk: Desk, since: datetime, summary: Summary) -> Lists:
    """Everything that can be listed since an instant, by connection and key."""
    by_key: dict[str, dict[str, Thing]] = {}
    whole: set[tuple[str, str]] = set()
    for name, half in desk.connections.items():
        for operation in listable(half):
            try:
                if await _listed(desk, name, operation, since, by_key.setdefault(name, {})):
                    whole.add((name, operation))
            except (Trouble, SoloistError, OSError, ValueError) as error:
                summary.troubles.append(f"{name}: {error}")
            except Exception as error:  # noqa: BLE001  # an adapter is someone else's code: the others are asked on
                summary.troubles.append(f"{name}: {type(error).__name__}: {error}")
    return Lists(by_key, frozenset(whole))


async def _listed(desk: Desk, name: str, operation: str, since: datetime, into: dict[str, Thing]) -> bool:
    """Put what carries a key into ``into``; whether the list came to its end."""
    count = 0
    async for thing in desk.connections[name].inventory(operation, since):
        if thing.key:
            into[thing.key] = thing
        count += 1
        if count >= MOST:
            return False
    return True


async def _effect(desk: Desk, row: Mapping[str, Any], lists: Lists, summary: Summary) -> None:
    """One effect that is not settled here."""
    summary.looked += 1
    what = f"{row['connector']}.{row['operation']} {row['id']}"
    ref, why = await _outside(desk, row, lists, group=row["group"], key=row["key"])
    if ref:
        said = f"after the backup was made: {why}"
        moved = await desk.store.write(lambda tx: proven(tx, row["id"], str(ref), said))
        summary.found += moved
        summary.lines.append(f"{what} happened: {why}")
    elif ref is None:
        summary.unclear += 1
        summary.lines.append(f"{what} is not clear: {why}")
    else:
        summary.absent += 1
        summary.lines.append(f"{what} is not there: {why}")


async def _proposal(desk: Desk, row: Mapping[str, Any], lists: Lists, summary: Summary) -> None:
    """A proposal that is open here: when its effect is there already, it was approved after the cut."""
    half = desk.connections.get(row["connector"])
    operation = half.operations().get(row["operation"]) if half else None
    if operation is None:
        return
    for group, _payload in groups(row["payload"], operation.split):
        effect = derived("effect", row["id"], group)
        key = desk.effects.key_of(effect)
        ref, why = await _outside(desk, row, lists, group=group, key=key)
        if ref:
            await desk.store.write(lambda tx: _withdraw(desk, tx, row["id"], why))  # noqa: B023  # awaited at once
            summary.withdrawn += 1
            summary.lines.append(f"The proposal {row['id']} was carried out already: {why}")
            return


def _withdraw(desk: Desk, tx: Tx, proposal: str, why: str) -> None:
    desk.approvals.withdraw(tx, proposal, actor="soloist", why=f"It was carried out after the backup was made: {why}")


async def _outside(desk: Desk, row: Mapping[str, Any], lists: Lists, *, group: str, key: str) -> tuple[str | None, str]:
    """(its id there, why) when it is there, ("", why) when it certainly is not, (None, why) when nobody can tell."""
    half = desk.connections.get(row["connector"])
    if half is None:
        return None, "the connection is not configured."
    if thing := lists.by_key.get(half.name, {}).get(key):
        return row.get("provider_ref") or thing.ref, f"the list of {half.name} shows it ({thing.ref})"
    operation, payload = half.operations().get(row["operation"]), row["payload"]
    if operation is None:
        return None, f"{half.name} no longer has the operation {row['operation']}."
    part = dict(groups(payload, operation.split)).get(group, payload)
    try:
        async with asyncio.timeout(operation.timeout):
            found = await half.find(row["operation"], part, key=key, created_at=row["created"])
    except TimeoutError:
        return None, f"The look-up had no answer within {operation.timeout:g} seconds."
    except (Trouble, SoloistError, OSError, ValueError) as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001  # an adapter is someone else's code: its fault is "nobody can tell"
        return None, f"{type(error).__name__}: {error}"
    if isinstance(found, Found):
        return found.receipt.provider_ref or "there", found.receipt.detail or "it was looked up"
    if isinstance(found, Absent) and operation.effect_class in ("A", "B"):
        return "", found.proof
    if isinstance(found, Absent):
        return None, f"{found.proof}; that proves nothing for {half.name}.{operation.name}"
    return None, found.reason


async def _foreign(desk: Desk, lists: Lists, summary: Summary) -> None:
    """Things with a key of this home that no effect here has: done after the cut, and not in the backup."""
    for name, things in lists.by_key.items():
        known = await desk.store.read(lambda conn: mismatches.known_keys(conn, things))  # noqa: B023  # awaited at once
        for key in sorted(set(things) - known):
            summary.foreign += 1
            summary.lines.append(
                f"{name} shows {things[key].title or things[key].ref}, which this backup does not know"
            )


def _told(tx: Tx, instant: datetime, summary: Summary) -> None:
    figures = {name: value for name, value in summary.as_json().items() if isinstance(value, int)}
    tx.append("reconcile.after_cut", payload={"cut": instant.isoformat(), **figures, "troubles": summary.troubles[:20]})
