"""By mail: an answer to a letter of ours decides only by a live code in its newly written words; else it is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soloist.engine.store import codes, events, proposals, tasks
from soloist.engine.store.clock import later
from soloist.engine.store.tx import Tx
from soloist.flows import urgent
from soloist.flows.deciding import Deciding, Said, own_addresses
from soloist.flows.desk import MAILBOX, Desk
from soloist.insight import letters
from soloist.kernel.errors import SoloistError
from soloist.kernel.hashing import sha256
from soloist.kernel.ids import derived
from soloist.kernel.message import ParsedMail
from soloist.kernel.proposal import DECIDED

ADAPTERS = frozenset({MAILBOX, "maildir"})
"""Kinds of connections whose mail may decide: what a server or a mail program delivered."""
REFUSED = "decision.refused"
MOST_REFUSALS = 5
"""Refusals in an hour that are told by mail; further ones are only in the journal."""
MOST_LINES = 60
MOST_COMMENTS = 20
_CODE = r"(?P<code>[0-9A-Za-z]{4}[- ]?[0-9A-Za-z]{4})"
_COMMAND = re.compile(rf"^\W*(?P<word>[^\W\d_][\w-]*)\W+{_CODE}(?:[\s.,:;!-]+(?P<reason>.*?))?\s*$")
_LONE = re.compile(rf"^\W*{_CODE}\W*$")


@dataclass(frozen=True)
class Command:
    """One line of an answer: a word, a code, words after it."""

    word: str
    code: str
    reason: str = ""


def commands(text: str) -> list[Command]:
    """The lines of an answer that hold a code; a code alone has the word ""."""
    found = []
    for line in text.splitlines()[:MOST_LINES]:
        if match := _COMMAND.match(line):
            found.append(Command(match["word"], match["code"], (match["reason"] or "").strip()[:500]))
        elif match := _LONE.match(line):
            found.append(Command("", match["code"]))
    return found


@dataclass(frozen=True)
class Answer:
    """A mail that answers letters of ours, with what was proven about it."""

    mail: ParsedMail
    own: str
    doubt: str
    source: str
    letters: Sequence[Mapping[str, Any]]

    @property
    def sender(self) -> str:
        """Who wrote it, as it says."""
        return self.mail.sender.address.casefold() if self.mail.sender else ""

    @property
    def ref(self) -> str:
        """The same mail once more (its copy in Sent, a second run of the step) has the same name."""
        return sha256((self.mail.message_id or f"{self.mail.date} {self.own}").encode())[:24]

    @property
    def marks(self) -> list[str]:
        """Marks of the codes that stand in the letters it answers."""
        return [str(mark) for letter in self.letters for mark in (letter["evidence"] or {}).get("marks") or []]


class ByMail:
    """Reads answers to letters and tells what came of them."""

    def __init__(self, desk: Desk) -> None:
        """The stages of one process."""
        self._desk, self._deciding = desk, Deciding(desk)

    async def answer(self, run: str, event_id: str) -> dict[str, Any]:
        """Carry out what a mail decides; answers {decided, refused}. It becomes no message, no lead and no card."""
        mail, own, doubt = await self._desk.intake.read_answer(event_id)
        found = await self._desk.store.read(lambda conn: self._gather(conn, event_id, mail, own, doubt))
        if mail.automatic or not found.letters or await self._told(found):
            return {"decided": 0, "refused": 0}
        wanted = self._wanted(found)
        if not wanted[0].code and not found.doubt and await self._desk.store.write(lambda tx: self._remark(tx, found)):
            return {"decided": 0, "refused": 0}
        results = [await self._one(found, said) for said in wanted]
        decided = [text for done, text in results if done]
        refused = [text for done, text in results if not done]
        await self._desk.store.write(lambda tx: self._tell(tx, found, decided, refused))
        return {"decided": len(decided), "refused": len(refused)}

    def _gather(self, conn: Any, event_id: str, mail: ParsedMail, own: str, doubt: str) -> Answer:
        """The letters that went to the very address the mail comes from."""
        ids = [mail.in_reply_to, *reversed(mail.references)]
        sender = mail.sender.address.casefold() if mail.sender else ""
        mine = own_addresses(self._desk.settings)
        sent = [(letter, str(letter["payload"]["to"][0]).casefold()) for letter in codes.letters(conn, ids)]
        fitting = [letter for letter, to in sent if to == sender or {to, sender} <= mine]
        return Answer(mail, own, doubt, events.get(conn, event_id)["source"], fitting)

    async def _told(self, found: Answer) -> bool:
        """Whether this very mail was dealt with before."""
        return await self._desk.store.read(lambda conn: proposals.find(conn, _letter_id(found)) is not None)

    def _wanted(self, found: Answer) -> list[Command]:
        """The commands of an answer; one that says nothing is one empty command, so that it is refused in words.

        A line counts when its word is one we know or its code one we sent: other words may look like a code.
        """
        ours = self._ours(found)
        said = [one for one in commands(found.own) if letters.known(one.word) or _plain(one.code) in ours]
        return list(dict.fromkeys(said)) or [Command("", "")]

    def _ours(self, found: Answer) -> set[str]:
        """The codes that stand in the letters that were answered."""
        return {_plain(self._deciding.secrets.code(mark)) for mark in found.marks}

    def _remark(self, tx: Tx, found: Answer) -> bool:
        """Words without a code from whom a card is with: a comment on it, told to the operator; False for others."""
        card = next((card for card in self._cards(tx.conn, found) if card["delegate"]), None)
        person = self._desk.settings.people.get(str(card["delegate"])) if card else None
        if card is None or person is None or person.email.casefold() != found.sender or not found.own.strip():
            return False
        said = [note for note in tasks.annotations_of(tx.conn, card["id"]) if note["actor"] == card["delegate"]]
        if len(said) < MOST_COMMENTS:
            tasks.annotate(tx, card["id"], "comment", found.own[:2000], actor=card["delegate"])
            tx.append("card.commented", subject=card["id"], payload={"via": "mail"}, actor=card["delegate"])
            words = [f"{person.name} wrote about: {letters.line(card['title'])}", "", *letters.quoted(found.own[:2000])]
            self._write(tx, found, [*words, "", "It is a comment on the card. Nothing was decided."])
        return True

    def _cards(self, conn: Any, found: Answer) -> list[dict[str, Any]]:
        """The cards of the letters that were answered."""
        secrets = self._deciding.secrets
        rows = [codes.find(conn, secrets.hash(codes.CODE, secrets.code(mark))) for mark in found.marks]
        return [tasks.get(conn, row["card"]) for row in rows if row is not None]

    async def _one(self, found: Answer, said: Command) -> tuple[bool, str]:
        """Carry out one line: whether it decided, and the sentence about it."""
        if why := self._unfit(found, said):
            return False, why
        try:
            return await self._desk.store.write(lambda tx: self._decide(tx, found, said))
        except SoloistError as error:
            return False, error.detail

    def _unfit(self, found: Answer, said: Command) -> str:
        """Why an answer is no decision whatever its code is, "" when it may be one."""
        half = self._desk.connections.get(found.source)
        if half is None or half.kind not in ADAPTERS:
            return "It did not come through a mailbox. Nothing was done."
        if found.doubt:
            return f"The receiving server does not believe that this mail is from {found.sender} ({found.doubt})."
        if not said.code:
            return "There is no code in it. Nothing was done."
        same = [one for one in commands(found.own) if _plain(one.code) == _plain(said.code)]
        if len({one.word.casefold() for one in same}) > 1:
            return "It says two different things about one code. Nothing was done."
        return ""

    def _decide(self, tx: Tx, found: Answer, said: Command) -> tuple[bool, str]:
        """One command in one transaction; a wrong code is counted, and after five in an hour none is taken."""
        if codes.wrong_lately(tx.conn, tx.now) >= codes.MOST_WRONG:
            return False, "There were five wrong codes within an hour, so none is taken until the hour is over."
        row = codes.find(tx.conn, self._deciding.secrets.hash(codes.CODE, said.code))
        if row is None or _plain(said.code) not in self._ours(found) or not self._theirs(row["sent_to"], found.sender):
            many = codes.wrong(tx, sender=found.sender, letter=found.letters[0]["id"])
            more = " No code is taken by mail for the next hour." if many >= codes.MOST_WRONG else ""
            return (
                False,
                f"The code after {said.word!r} does not fit the letter that was answered. Nothing was done.{more}",
            )
        options = str(row["option"]).split()
        option = letters.option_of(said.word, options)
        if not option:
            listed = ", ".join(letters.word(name) for name in options)
            return False, f"Before the code stands {said.word!r}; write one of: {listed}. Nothing was done."
        title = self._deciding.decide_in(tx, row, Said(option, "mail", said.reason, found.ref))
        return True, f"{letters.line(title)}: {DONE.get(option, f'{option}: done.')}"

    def _theirs(self, sent_to: str, sender: str) -> bool:
        """Whether a code was sent to the one who answers."""
        return sent_to == sender or {sent_to, sender} <= own_addresses(self._desk.settings)

    def _tell(self, tx: Tx, found: Answer, decided: Sequence[str], refused: Sequence[str]) -> None:
        """One short letter to the operator about what a mail led to; refusals are told a few times an hour only."""
        for why in refused:
            payload = {"from": found.sender, "why": why}
            tx.append(REFUSED, subject=found.letters[0]["id"], payload=payload, actor="outside")
        lately = events.counted(tx.conn, (REFUSED,), later(tx.now, -codes.HOUR))[REFUSED] - len(refused)
        lately += sum(event.kind == REFUSED for event in tx.batch.pending.values())  # others of this very commit
        if not decided and lately >= MOST_REFUSALS:
            return
        whose = [] if found.sender in own_addresses(self._desk.settings) else [f"From {found.sender}:"]
        last = ["", "This is the last mail about such answers for an hour."] if lately == MOST_REFUSALS - 1 else []
        self._write(tx, found, [*whose, *decided, *(f"Refused: {why}" for why in refused), *last])

    def _write(self, tx: Tx, found: Answer, lines: Sequence[str]) -> None:
        """The one letter to the operator about a mail, in its thread."""
        ident, mail, business = _letter_id(found), found.mail, self._desk.settings.business
        if proposals.find(tx.conn, ident) is not None or not urgent.may_write(self._desk):
            return
        refs = [*mail.references, mail.message_id] if mail.message_id else list(mail.references)
        letter: dict[str, Any] = {
            "to": [business.email],
            "subject": f"Re: {found.letters[0]['payload']['subject']}"[:200],
            "body": "\n".join(lines) + "\n",
            "in_reply_to": mail.message_id,
            "references": refs[-20:],
        }
        given: dict[str, Any] = {"source": DECIDED, "reason": "What came of an answer by mail."}
        urgent.write(tx, self._desk, ident=ident, payload=letter, marks=[], seconds=codes.HOUR, **given)


DONE = {
    "approve": "approved. It goes out once.",
    "reject": "rejected. Nothing is sent.",
    "defer": "put off until tomorrow morning.",
}


def _letter_id(found: Answer) -> str:
    """One letter for one mail."""
    return derived("proposal", "decided", found.ref)


def _plain(code: str) -> str:
    """A code as it is compared."""
    return code.upper().translate(codes.READ_AS)
