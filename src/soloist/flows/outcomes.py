"""Outcomes: what a person can say about effects that went wrong, and the proposals that making up for one needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soloist.engine.store import conversations, effects, proposals, sagas, tasks
from soloist.engine.store.clock import from_iso
from soloist.engine.store.tx import Tx
from soloist.flows.desk import MAIL_OPERATION, Desk
from soloist.flows.saga import Sagas
from soloist.kernel.errors import NotAllowed
from soloist.kernel.ids import derived
from soloist.kernel.origin import OPERATOR, of
from soloist.kernel.proposal import UNDOING, NewProposal

_AGAIN = {
    "en": 'Hello,\n\nI am not sure whether my mail "{subject}" reached you. In case it did not, here it is once more. '
    "If you have it already, please ignore this one.\n\n{body}",
    "de": "Guten Tag,\n\nich bin nicht sicher, ob meine Mail „{subject}“ bei Ihnen angekommen ist. Falls nicht, folgt "
    "sie hier noch einmal; falls doch, betrachten Sie diese bitte als erledigt.\n\n{body}",
}
_SORRY = {
    "en": 'Hello,\n\nmy mail "{subject}" of {day} should not have gone out like that. Please disregard it. '
    "I am sorry for the confusion.\n",
    "de": "Guten Tag,\n\nmeine Mail „{subject}“ vom {day} hätte so nicht hinausgehen sollen. Bitte betrachten Sie sie "
    "als gegenstandslos. Entschuldigen Sie die Verwirrung.\n",
}


class Outcomes:
    """Carries out the options of cards about effects, connectors that do not let us in, and ways back."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process; cards say the time as the operator's clock does."""
        self._desk = desk
        desk.effects.ends.zone = desk.settings.business.zone
        desk.takers.update(
            {"effect": self.about_effect, "connector": self.about_sign_in, "way back": self.about_way_back}
        )
        desk.takers.update({"undo": self.make_up, "saga": self.about_saga})

    def about_effect(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """Propose it again, leave it, take its bundle back, or write a follow-up."""
        effect = effects.get(tx.conn, card["subject"])
        if option == "follow_up":
            return {"proposal": self._letter(tx, effect, _AGAIN, "You asked for a follow-up.", who=who)}
        if card["state"] == "open":
            tasks.close(tx, card["id"], "done", {"option": option}, actor=who)
        if option == "again":
            only = "" if effect["group"] == "all" else effect["group"]
            why = "You asked for it again."
            again = self._desk.approvals.propose_again(tx, effect["proposal"], actor=who, why=why, only=only)
            sagas.rejoin(tx, proposals.get(tx.conn, effect["proposal"]), again)
            return {"proposal": again}
        if option == "take_back":
            whole = proposals.get(tx.conn, effect["proposal"])["bundle"]
            ident = effect["id"]
            return self.take_bundle_back(tx, whole, who=who) if whole else self.undo_in(tx, ident, who=who)
        self._desk.effects.look_again(tx, effect["id"])
        return {"state": "closed"}

    def about_sign_in(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """Try the connector again, or give up what waits for it."""
        connector = str(card["subject"]).partition(":")[2]
        waiting = self._desk.effects.sign_in_in(tx, connector, again=option == "try_again", who=who)
        return {"state": "trying again" if option == "try_again" else "given up", "waiting": waiting}

    def about_way_back(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """Try to take it back once more, believe that it was done by hand, or leave it."""
        tasks.close(tx, card["id"], "done", {"option": option}, actor=who)
        if option == "try_again":
            return self.undo_in(tx, card["subject"], who=who)
        if option == "by_hand":
            self._desk.effects.by_hand(tx, card["subject"], who=who)
            return {"state": "compensated"}
        return {"state": "closed"}

    def about_saga(self, tx: Tx, card: Mapping[str, Any], option: str, who: str) -> dict[str, Any]:
        """Go on with a way back that stopped, or leave it as it is."""
        return Sagas(self._desk).decided(tx, card, option, who=who)

    # ----- taking back

    def undo_in(self, tx: Tx, effect_id: str, *, who: str) -> dict[str, Any]:
        """Take one effect back by its kind; answers {id, state, held, proposal}."""
        result = self._desk.effects.undo_in(tx, effect_id, who=who)
        if result["held"] or result["kind"] == "exact":
            return result
        return self.make_up(tx, {"subject": effect_id}, result["kind"], who)

    def make_up(self, tx: Tx, about: Mapping[str, Any], kind: str, who: str) -> dict[str, Any]:
        """What cannot be as if it had not been: a counter-entry with a card of its own, or a letter that says sorry."""
        if kind == "bundle":
            first = proposals.find(tx.conn, about["subject"])
            first = first or proposals.get(tx.conn, effects.get(tx.conn, about["subject"])["proposal"])
            return {"id": about["subject"], **self.take_bundle_back(tx, first["bundle"], who=who)}
        effect = effects.get(tx.conn, about["subject"])
        made = self._counter(tx, effect, who) if kind == "offset" else self._sorry(tx, effect, who)
        return {
            "id": effect["id"],
            "state": effects.get(tx.conn, effect["id"])["state"],
            "held": False,
            "proposal": made,
        }

    def take_bundle_back(self, tx: Tx, bundle: str, *, who: str) -> dict[str, Any]:
        """Begin to take back everything that was proposed together, the last part first."""
        if not bundle:
            raise NotAllowed("This was not proposed as part of a bundle; take it back alone.", field="bundle")
        saga = Sagas(self._desk).begin(tx, bundle, who=who, why="You took the bundle back.")
        return {"state": "being taken back", "saga": saga, "held": False}

    def _counter(self, tx: Tx, effect: Mapping[str, Any], who: str) -> str:
        """A proposal of its own with its own hash: policy judges it like anything that moves money."""
        payload, facts = self._desk.effects.refund(tx, effect["id"])
        first = proposals.get(tx.conn, effect["proposal"])
        tries = len(effects.undoing(tx.conn, effect["id"]))
        new = NewProposal(
            id=derived("proposal", "undo", effect["id"], tries),
            connector=effect["connector"],
            operation=f"{effect['operation']}.undo",
            payload=payload,
            reason="You asked to take it back. It cannot be unmade; this makes up for it.",
            source=UNDOING,
            source_ref=f"{effect['id']}:{tries}",
            evidence={"undoes": effect["id"]},
            record=first["record"],
            conversation=first["conversation"],
            title=f"Take back: {effect['operation']} by {effect['connector']}",
            value_minor=first["amount_minor"],
            currency=first["currency"],
            new_recipient=False,
            origin=OPERATOR,
        )
        self._desk.approvals.propose(tx, new, facts, actor=who)
        return new.id

    def _sorry(self, tx: Tx, effect: Mapping[str, Any], who: str) -> str:
        """A mail that has left cannot be unsent; the card says so and holds a letter to the same people."""
        why = "A mail that has left cannot be called back; only words can follow."
        return self._letter(tx, effect, _SORRY, why, who=who)

    def _letter(self, tx: Tx, effect: Mapping[str, Any], words: Mapping[str, str], why: str, *, who: str) -> str:
        """A draft to the people of an effect, as a card; always asked about, and on the same thread."""
        first = proposals.get(tx.conn, effect["proposal"])
        given, language = first["payload"], self._desk.settings.business.language
        to = [effect["group"]] if "@" in effect["group"] else list(given.get("to") or [])
        subject = str(given.get("subject", ""))
        day = from_iso(effect["first_attempt"] or effect["created"]).astimezone(self._desk.settings.business.zone)
        text = words.get(language[:2], words["en"])
        body = text.format(subject=subject, body=given.get("body", ""), day=f"{day:%d.%m.%Y}")
        kept = {name: value for name, value in given.items() if name not in ("to", "cc", "subject", "body")}
        if words is _SORRY:
            kept.pop("attachments", None)
        talk = first["conversation"]
        new = NewProposal(
            id=derived("proposal", "letter", effect["id"], effect["version"]),
            connector=effect["connector"],
            operation=MAIL_OPERATION,
            payload={**kept, "to": to, "subject": subject, "body": body},
            reason=why,
            source="soloist:letter",
            evidence={"follows": effect["id"]},
            record=first["record"],
            conversation=talk,
            thread_head=conversations.get(tx.conn, talk)["head"] if talk else "",
            title=f"{'Follow up' if words is _AGAIN else 'Apologise'}: {subject}"[:160],
            new_recipient=False,
            thread_known=bool(talk),
            origin=of(first["origin"]),
        )
        self._desk.approvals.propose(tx, new, self._desk.facts(new.connector, new.operation), actor=who)
        return new.id
