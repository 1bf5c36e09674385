"""An approval holds for exactly the bytes that were looked at: whatever moves afterwards, by whatever hand, stops it.

The rows are changed below every check, as somebody with the database would; the outside counts what reached it.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import effects, proposals, tables
from soloist.kernel.errors import Conflict, NotAllowed, NotFound, SoloistError, StaleHash
from soloist.kernel.hashing import json_hash, keyed, payload_hash
from soloist.kernel.ids import derived
from soloist.kernel.proposal import SEAL, NewProposal, sealed_text
from soloist.stages.approvals import Decision
from tests.stages.effects import rig as rigs
from tests.storm.effect_walk import Door, Walkers
from tests.storm.size import scale

pytestmark = pytest.mark.storm

MUTATIONS = scale(10_000, 300)
STALE = scale(1_000, 50)
"""Decisions that name another hash than the content has."""
PAYLOAD = {
    "to": ["ada@okafor-ceramics.example"],
    "cc": ["jonas@brandt-physio.example"],
    "subject": "Invoice 2026-041",
    "body": "Hello Ada,\n\nplease find the invoice attached.\n",
    "amount": 24000,
    "currency": "EUR",
    "account": "DE02120300000000202051",
    "attachments": [{"name": "invoice.pdf", "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1"}],
}
TEXTS = (
    ("proposals", "connector"),
    ("proposals", "operation"),
    ("proposals", "payload_hash"),
    ("effects", "connector"),
    ("effects", "operation"),
    ("effects", "payload_hash"),
    ("effects", "key"),
    ("effects", "group"),
    ("effects", "class"),
    ("effects", "proposal"),
    ("approvals", "payload_hash"),
    ("approvals", "decision"),
    ("approvals", "at"),
    ("approvals", "seal"),
    ("approvals", "proposal"),
)
"""Columns of which any byte may move; the payload takes the other half of the trials."""


class House(Walkers):
    """Approves and carries out; what was called is counted by the door."""

    def ready(self, rng: random.Random) -> tuple[str, str]:
        """An approved proposal and its intended effect."""
        self.made += 1
        ident, class_ = derived("proposal", self.made), rng.choice("ABC")
        payload = {**PAYLOAD, "n": self.made}
        digest = payload_hash("fake", class_, payload)
        row = {"id": ident, "connector": "fake", "operation": class_, "class": class_, "payload": payload}
        row |= {"payload_hash": digest, "reason": "test", "source_ref": "", "hold_ms": 0}

        def work(tx: Any) -> None:
            proposals.insert(tx, row, actor="test")
            said = {"proposal": ident, "payload_hash": digest, "decision": "approve", "who": "operator"}
            said |= {"via": "test", "reason": ""}
            seal = SEAL + keyed(rigs.KEY, sealed_text({**said, "at": tx.now}))
            proposals.add_approval(tx, {**said, "seal": seal})
            proposals.move(tx, ident, "approved", actor="operator")

        self.store.write_now(work)
        self.drive(self.stage.intend(f"proposal:{ident}", ident))
        return ident, str(self.store.read_now(lambda conn: effects.of_proposal(conn, ident))[0]["id"])

    @staticmethod
    def drive(work: Any) -> bool:
        """Go on with a step; whether it reached the outside."""
        try:
            work.send(None)
        except StopIteration:
            return False
        work.close()
        return True

    def change(self, table: str, ident: str, values: dict[str, Any]) -> None:
        """Write below every check."""
        found = getattr(tables, table)
        key = found.c.proposal if table == "approvals" else found.c.id
        self.store.write_now(lambda tx: tx.run(found.update().where(key == ident).values(**values)) and None)

    def attempt(self, effect: str) -> bool:
        """Whether an effect reaches the outside."""
        try:
            return self.drive(self.stage.attempt("run", effect))
        except SoloistError:
            return False


@pytest.fixture
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    template = rigs.template(tmp_path_factory.mktemp("bytes"))
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        Door.unseen.clear()
        made = House(Path(folder), template)
        yield made
        made.close()


def moved_text(rng: random.Random, text: str) -> str:
    """The text with one byte changed, dropped, doubled or added."""
    at = rng.randrange(len(text)) if text else 0
    found = rng.choice(
        (
            f"{text[:at]}{chr(ord(text[at]) ^ 1) if text else 'x'}{text[at + 1 :]}",
            text[:at] + text[at + 1 :],
            text[:at] + text[at : at + 1] + text[at:],
            f"{text} ",
        )
    )
    return found if found != text else f"{text}x"


def moved_payload(rng: random.Random, payload: dict[str, Any]) -> dict[str, Any]:
    """Another payload that differs by one byte of its JSON text."""
    text = json.dumps(payload, ensure_ascii=False)
    while True:
        at = rng.randrange(len(text))
        changed = text[:at] + rng.choice('abcxyz0123456789 ,.@-"ß') + text[at + rng.randrange(2) :]
        try:
            found = json.loads(changed)
        except ValueError:
            continue
        if isinstance(found, dict) and json_hash(found) != json_hash(payload):
            return found


def mutate(house: House, rng: random.Random, proposal: str, effect: str) -> str:
    """Change one byte of one thing that was approved; what it was."""
    if rng.random() < 0.5:
        payload = house.store.read_now(lambda conn: proposals.get(conn, proposal))["payload"]
        changed = moved_payload(rng, payload)
        values: dict[str, Any] = {"payload": changed}
        if rng.random() < 0.3:  # a hash that fits the new content helps nobody
            class_ = house.row(effect)["operation"]
            values["payload_hash"] = payload_hash("fake", class_, changed)
            house.change("effects", effect, {"payload_hash": values["payload_hash"]})
        house.change("proposals", proposal, values)
        return "payload"
    table, column = rng.choice(TEXTS)
    ident = effect if table == "effects" else proposal
    rows = {
        "proposals": lambda conn: proposals.get(conn, proposal),
        "effects": lambda conn: effects.get(conn, effect),
        "approvals": lambda conn: proposals.approvals_of(conn, proposal)[0],
    }
    old = str(house.store.read_now(rows[table])[column])
    house.change(table, ident, {column: moved_text(rng, old)})
    return f"{table}.{column}"


def test_nothing_leaves_after_any_byte_moved(house: House) -> None:
    rng, tried, executed = random.Random(12), Counter[str](), []
    for number in range(MUTATIONS):
        proposal, effect = house.ready(rng)
        what = mutate(house, rng, proposal, effect)
        tried[what] += 1
        if house.attempt(effect):
            executed.append((number, what))
    print(f"P12: {sum(tried.values()):,} mutations of {len(tried)} kinds, {len(executed)} executed")
    assert not executed
    assert len(tried) == len(TEXTS) + 1


def test_without_a_change_it_leaves(house: House) -> None:
    """The control: the same way with nothing moved reaches the outside each time."""
    rng = random.Random(12)
    assert all(house.attempt(house.ready(rng)[1]) for _ in range(20))


def test_the_approval_of_one_never_carries_out_another(house: House) -> None:
    rng, executed = random.Random(13), 0
    for _ in range(STALE):
        first, _ = house.ready(rng)
        second, effect = house.ready(rng)
        house.store.write_now(
            lambda tx, s=second: tx.run(tables.approvals.delete().where(tables.approvals.c.proposal == s)) and None
        )
        house.change("approvals", first, {"proposal": second})
        executed += house.attempt(effect)
    print(f"P12: {STALE:,} approvals moved to another proposal, {executed} executed")
    assert not executed


def mail(number: int) -> NewProposal:
    payload = {"to": ["ada@okafor-ceramics.example"], "subject": f"Letter {number}", "body": "Hello"}
    return NewProposal(
        id=f"letter-{number}",
        connector="mail",
        operation="mail.send",
        payload=payload,
        reason="test",
        source="api:test",
        source_ref=str(number),
    )


def proposed(app: App, number: int, **more: Any) -> dict[str, Any]:
    new = replace(mail(number), **more)
    return asyncio.run(app.desk.propose_over_api(new, actor="token:test"))


def test_a_decision_on_another_hash_is_refused(app: App) -> None:
    rng, refused = random.Random(14), 0
    made = proposed(app, 0)
    for _ in range(STALE):
        said = Decision("approve", moved_text(rng, made["payload_hash"]), "operator", "test")
        with pytest.raises(StaleHash):
            asyncio.run(app.desk.approvals.decide(made["id"], said))
        refused += 1
    assert app.store.read_now(lambda conn: proposals.get(conn, made["id"]))["state"] == "waiting"
    print(f"P12: {refused:,} stale decisions, 0 taken")


def test_approving_twice_is_one_effect(app: App) -> None:
    made = proposed(app, 1)
    said = Decision("approve", made["payload_hash"], "operator", "test")
    for run in ("a", "b"):
        asyncio.run(app.desk.approvals.decide(made["id"], said))
        asyncio.run(app.desk.effects.intend(f"proposal:{made['id']}", made["id"]))
        assert run
    assert len(app.store.read_now(lambda conn: effects.of_proposal(conn, made["id"]))) == 1


def test_what_expired_is_never_carried_out(app: App) -> None:
    made = proposed(app, 2, expires_in=-1.0)
    asyncio.run(app.desk.approvals.expire(f"proposal:{made['id']}", made["id"]))
    said = Decision("approve", made["payload_hash"], "operator", "test")
    with pytest.raises((Conflict, NotAllowed, NotFound)):
        asyncio.run(app.desk.approvals.decide(made["id"], said))
    assert asyncio.run(app.desk.effects.intend(f"proposal:{made['id']}", made["id"])) == {"effects": 0}
