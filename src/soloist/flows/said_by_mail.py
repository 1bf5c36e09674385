"""Said by mail: what the operator writes to themselves becomes a card to confirm with one tap; nothing begins before.

Who wrote a mail is never proof enough to begin work: a letter with a code decides on what it shows, and a mail to
oneself shows nothing before. So what it says is read and put on a card with the two or three likeliest ways, and all
that comes of it counts as resting on words from outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soloist.engine.store import events, runs, talks, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows.by_mail import ADAPTERS
from soloist.flows.deciding import own_addresses
from soloist.flows.desk import Desk
from soloist.flows.talking import LONGEST, MOST_TEXT, SHORTEST, Talking
from soloist.insight.talking import Said, Understood, parted
from soloist.kernel.ids import derived
from soloist.kernel.origin import Origin

SUBJECT = "said"
"""What a card is about that asks whether a sentence by mail is to become work."""
NONE = {"name": "none", "label": "None of these", "consequence": "Nothing begins; the mail stays."}

NOTHING = {"card": ""}


class SaidByMail:
    """Reads mails that the operator wrote to themselves, and takes the tap on the card."""

    def __init__(self, desk: Desk) -> None:
        """Cards about such mails are answered here from now on."""
        self._desk, self._talking = desk, Talking(desk)
        desk.takers[SUBJECT] = self.taken

    async def ask(self, run: str, event_id: str, message_id: str) -> dict[str, Any]:
        """A card with what the mail may want done; {card: ""} for a mail that asks for nothing that is known."""
        mail, own, doubt = await self._desk.intake.read_answer(event_id)
        event = await self._desk.store.read(lambda conn: events.get(conn, event_id))
        half, sender = (
            self._desk.connections.get(event["source"]),
            mail.sender.address.casefold() if mail.sender else "",
        )
        if doubt or half is None or half.kind not in ADAPTERS or sender not in own_addresses(self._desk.settings):
            return NOTHING
        sentence, quoted = parted(own)[0] or mail.subject.strip(), parted(mail.text)[1][:MOST_TEXT]
        if not SHORTEST <= len(sentence) <= LONGEST:
            return NOTHING
        reading = await self._talking.read(sentence)
        if not reading.get("like"):
            return NOTHING
        said = Said("", sentence, quoted, reading)
        likely = [str(reading["way"])] if reading["way"] else [str(name) for name in reading["ranked"]]
        meant = [one for one in await self._talking.meant(said, likely) if one.ready]
        if not meant:
            return NOTHING
        text = f"{sentence}\n\n{quoted}" if quoted else sentence
        row = {
            "text": text,
            "origin": Origin(frozenset({"operator", "outside"}), frozenset({f"message:{message_id}"})).told(),
            "understanding": {"own_text": sentence, "reading": reading, "mail": message_id},
        }

        def work(tx: Tx) -> dict[str, Any]:
            ident = talks.say(tx, row, who="mail", record=meant[0].client)
            return {"card": _card(tx, run, ident, sentence, meant)}

        return await self._desk.store.write(
            lambda tx: dict(runs.once(tx, run, "said", lambda: work(tx), given={"message": message_id}))
        )

    def taken(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """The operator's tap: the work begins as it is understood now, or nothing does."""
        tasks.close(tx, card["id"], "done", {"option": option}, actor=who)
        if option == NONE["name"]:
            return {"state": "closed"}
        return {"state": "begun", "work": self._talking.take(tx, card["subject"], option, who=who)["id"]}


def _card(tx: Tx, run: str, ident: str, sentence: str, meant: Sequence[Understood]) -> str:
    """One card for one mail: its sentence, and each way with everything that would be given."""
    told = {
        one.way: "; ".join([*(f"{name}: {text}" for name, text in one.shown), one.due]).strip("; ") for one in meant
    }
    shown = [f"{one.agent}: {one.label}. {told[one.way]}".strip() for one in meant]
    options = [
        {"name": one.way, "label": f"{one.agent}: {one.label}", "consequence": told[one.way] or "It begins."}
        for one in meant
    ]
    return tasks.open_card(
        tx,
        derived("said", ident),
        "question",
        f"You wrote to yourself: {sentence}"[:160],
        subject=ident,
        subject_kind=SUBJECT,
        record=meant[0].client,
        run=run,
        why="A mail from your own address asks for this. No mail proves who wrote it, so it waits for you.\n"
        + "\n".join(shown)[:3000],
        options=[*options, NONE],
        estimate=15,
        judgement=1,
        deadline=later(tx.now, 7 * 86400.0),
        at_expiry="Nothing begins.",
    )
