"""Deciding several cards by one act: each bound to the hash that was shown, alike ones singly, a bundle all or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from soloist.engine.store import proposals, tasks
from soloist.engine.store.reading import Connection
from soloist.engine.store.tx import Tx
from soloist.flows.desk import Desk
from soloist.insight import together
from soloist.kernel.errors import BadInput, Conflict, NotAllowed, SoloistError
from soloist.stages.approvals import Decision

OPTIONS = ("approve", "reject")


@dataclass(frozen=True)
class Said:
    """What became of one card of several: its title, its state, and why nothing was done to it ("" when it was)."""

    card: str
    title: str
    state: str
    why: str = ""


async def each(
    desk: Desk, shown: Mapping[str, str], option: str, *, who: str, via: str, reason: str = ""
) -> list[Said]:
    """Decide cards one after the other: {card: the payload hash that was shown} to what became of each.

    One that changed, was decided meanwhile, or wants a look of its own is left as it is and said so.
    """
    _known(option)
    found = []
    for ident, digest in shown.items():
        title = ident
        try:
            title, alone = await desk.store.read(partial(_title, ident=ident, option=option))
            if alone:
                raise NotAllowed("It wants a look of its own: open it and decide it there.")
            done = await desk.decide_card(ident, option, digest=digest, who=who, via=via, reason=reason)
            found.append(Said(ident, title, str(done.get("state", "done"))))
        except SoloistError as error:
            found.append(Said(ident, title, "open", error.detail))
    return found


def _title(conn: Connection, *, ident: str, option: str) -> tuple[str, bool]:
    """The title of a card, and whether it may only be approved on its own page."""
    card = tasks.get(conn, ident)
    proposal = proposals.find(conn, card["subject"])
    return str(card["title"]), option == "approve" and not (proposal and together.low_risk(proposal))


async def whole(
    desk: Desk, shown: Mapping[str, str], option: str, *, who: str, via: str, reason: str = ""
) -> list[Said]:
    """Decide every card of a bundle in one transaction, or none (Conflict, StaleHash, NotAllowed)."""
    _known(option)

    def work(tx: Tx) -> list[Said]:
        bundle, every = together.members(tx.conn, list(shown))
        if not bundle or every != set(shown):
            raise Conflict("This group is not the one you looked at any more; nothing was decided. Look at it again.")
        rows = [(ident, tasks.get(tx.conn, ident), digest) for ident, digest in shown.items()]
        said = []
        for ident, card, digest in rows:
            done = desk.approvals.decide_in(tx, card["subject"], Decision(option, digest, who, via, None, reason))
            said.append(Said(ident, str(card["title"]), str(done["state"])))
        return said

    return await desk.store.write(work)


def _known(option: str) -> None:
    if option not in OPTIONS:
        raise BadInput(f"option: one of {', '.join(OPTIONS)}.", field="option")
