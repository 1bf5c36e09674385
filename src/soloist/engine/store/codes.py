"""One-time codes and links for decisions: derived from a mark and the install key, kept only as keyed hashes.

A letter is stored with marks in the place of its codes; what a code says stands nowhere but in the mail that left.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import effects, events, proposals
from soloist.engine.store.clock import later
from soloist.engine.store.tables_out import decision_codes as table
from soloist.engine.store.tx import Tx
from soloist.kernel.hashing import keyed
from soloist.kernel.proposal import LETTERS

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no I, L, O, U; who types one of the first three means 1, 1, 0."""
LENGTH = 8
WRONG = "code.wrong"
MOST_WRONG = 5
"""Wrong codes in an hour, after which none is taken until the hour is over."""
HOUR = 3600.0
CODE, LINK = "code", "link"
_IDENT = re.compile(r"[0-9a-f-]{36}")
_MARK = re.compile(r"\{\{(code|link):([0-9a-f-]{36})\}\}")
READ_AS = str.maketrans("ILO", "110", "- ")


@dataclass(frozen=True)
class Secrets:
    """What is derived from the install key."""

    key: bytes

    def code(self, mark: str) -> str:
        """The eight characters of a mark, as XXXX-XXXX."""
        number = int(keyed(self.key, f"decision code {mark}")[:16], 16)
        text = "".join(ALPHABET[number >> 5 * place & 31] for place in range(LENGTH))
        return f"{text[:4]}-{text[4:]}"

    def token(self, mark: str) -> str:
        """The last part of a mark's link: the mark and its seal."""
        return f"{mark}.{self._seal(mark)}"

    def mark_of(self, token: str) -> str:
        """The mark of a token that carries our seal, else ""."""
        mark, _, seal = token.partition(".")
        if not _IDENT.fullmatch(mark):
            return ""
        return mark if hmac.compare_digest(seal.encode("utf-8", "replace"), self._seal(mark).encode()) else ""

    def _seal(self, mark: str) -> str:
        return keyed(self.key, f"decision link {mark}")[:40]

    def hash(self, kind: str, secret: str) -> str:
        """Under what a code (in any spelling) or a token is kept."""
        plain = secret.upper().translate(READ_AS) if kind == CODE else secret
        return keyed(self.key, f"kept {kind} {plain}")

    def filled(self, text: str, marks: Iterable[str]) -> str:
        """A letter's text with its own marks replaced by what they stand for; other marks stay words."""
        known = set(marks)

        def put(found: re.Match[str]) -> str:
            kind, mark = found[1], found[2]
            if mark not in known:
                return found[0]
            return self.code(mark) if kind == CODE else self.token(mark)

        return _MARK.sub(put, text)


def place(kind: str, mark: str) -> str:
    """What stands in a stored letter for a code or a link's last part."""
    return f"{{{{{kind}:{mark}}}}}"


def mint(tx: Tx, secrets: Secrets, *, expires: str, **values: str) -> str:
    """A fresh code and link of one mark; ``values`` are card, option, payload_hash, sent_to. Answers the mark."""
    mark = tx.new_id()
    for kind, secret in ((CODE, secrets.code(mark)), (LINK, secrets.token(mark))):
        row = {"id": secrets.hash(kind, secret), "kind": kind, "created": tx.now, "expires": expires, **values}
        tx.run(table.insert(), row)
    return mark


def find(conn: sa.Connection, ident: str) -> dict[str, Any] | None:
    """The row of a kept hash, or None."""
    row = conn.execute(sa.select(table).where(table.c.id == ident)).mappings().first()
    return dict(row) if row else None


def use(tx: Tx, row: Mapping[str, Any], outcome: str) -> bool:
    """Use a code or link up, and with it the others of its card for the same person; False when it was used."""
    fresh = (table.c.id == row["id"]) & (table.c.used == "")
    if tx.run(table.update().where(fresh).values(used=tx.now, outcome=outcome)).rowcount != 1:
        return False
    void(tx, row["card"], outcome, sent_to=row["sent_to"])
    return True


def void(tx: Tx, card: str, outcome: str, *, sent_to: str) -> int:
    """End every live code and link of a card for one address; how many there were."""
    live = (table.c.card == card) & (table.c.used == "") & (table.c.sent_to == sent_to)
    return int(tx.run(table.update().where(live).values(used=tx.now, outcome=outcome)).rowcount)


def wrong(tx: Tx, *, sender: str, letter: str) -> int:
    """Count a wrong code; how many there were within the hour, this one included."""
    before = wrong_lately(tx.conn, tx.now)
    tx.append(WRONG, subject=letter, payload={"from": sender}, actor="outside")
    return before + 1


def wrong_lately(conn: sa.Connection, now: str) -> int:
    """Wrong codes of the last hour."""
    return events.counted(conn, (WRONG,), later(now, -HOUR))[WRONG]


def letters(conn: sa.Connection, message_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The proposals of our own letters that have one of these Message-IDs, in that order."""
    found = [effects.by_message_id(conn, ident) for ident in message_ids if ident]
    written = [proposals.get(conn, effect["proposal"]) for effect in found if effect is not None]
    return [letter for letter in written if letter["source"] in LETTERS]
