"""A kill storm: the server is killed at random moments while a provider fails at a quarter of the calls.

Beside the script's proposals enquiries come in as mail, and a rule lets the replies go out alone.
"""

import random
import threading
import time
from collections import Counter
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.claims import AT_REST, Story, faults
from tests.acceptance.driving import Served, token, told, until
from tests.acceptance.sink import CALLS, Sink
from tests.storm.size import scale

pytestmark = pytest.mark.storm
KILLS, PROPOSALS, SEED = scale(1000, 8), scale(8000, 60), 20261121
MAILS = PROPOSALS // 5
ALONE = """
[mail]
hold = "0s"
[[policy.rules]]
name = "replies go out alone"
when = 'proposal.connector == "mail" && proposal.source == "agent"'
then = "allow"
"""
ASKS = "Hello,\n\nwe need a new website with about five pages. Our budget is 3,500 EUR.\n\nNora\n"


class Script:
    """The operator's script: proposes, reports an event, decides; goes on over every death of the server."""

    def __init__(self, served: Served, key: str) -> None:
        self.served, self.key = served, key
        self.events: dict[str, str] = {}
        self.made: dict[str, str] = {}
        self.approved: set[str] = set()
        self.kills = 0
        self.troubles: list[str] = []

    def work(self, share: int, of: int) -> None:
        """Every ``of``-th reference, spread over the kills."""
        for number in range(share, PROPOSALS, of):
            while self.kills < number * KILLS // PROPOSALS:
                time.sleep(0.02)
            try:
                self.one(number)
            except Exception as error:
                self.troubles.append(f"{number}: {error!r}")

    def one(self, number: int) -> None:
        """One event and one decided proposal; every tenth is rejected."""
        if number % 5 == 0:
            deliver(self.served.home, number)
        ref = f"{'ABC'[number % 3]}-{number}"
        event = {"source": "orders", "external_id": ref, "kind": "order.paid", "payload": {"ref": ref}}
        self.events[ref] = self.said("POST", "/events", event)["id"]
        connector, operation = CALLS[ref[0]]
        body = {"connector": connector, "operation": operation, "payload": {"ref": ref, "amount": number}}
        made = self.said("POST", "/proposals", {**body, "reason": "an order was paid", "source_ref": ref})
        self.made[ref] = made["id"]
        decision = "reject" if number % 10 == 9 else "approve"
        said = {"decision": decision, "payload_hash": made["payload_hash"]}
        self.said("POST", f"/proposals/{made['id']}/approval", said)
        if decision == "approve":
            self.approved.add(ref)

    def said(self, method: str, path: str, body: dict[str, Any]) -> Any:
        answer = self.served.ask(method, path, self.key, json=body)
        assert answer.status_code in (200, 202), answer.text
        return answer.json()


def deliver(home: Path, number: int) -> None:
    """An enquiry of somebody new, as a mail program delivers it."""
    message = EmailMessage()
    message["From"], message["To"] = f"Nora Feld <nora@yoga-{number}.example>", "me@localhost"
    message["Subject"], message["Message-ID"] = "A new website", f"<{number}@yoga.example>"
    message.set_content(ASKS)
    draft = home / "mail/in/tmp" / str(number)
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.write_bytes(message.as_bytes())
    draft.rename(home / "mail/in/new" / str(number))


def storm(script: Script, served: Served, chance: random.Random) -> None:
    """Kill and start again; every fourth time already while it starts."""
    for number in range(KILLS):
        time.sleep(chance.uniform(0.05, 2.0))
        served.kill()
        served.start(ready=number % 4 != 2)
        script.kills = number + 1
    until(served.is_ready, what="ready after the storm")


def resolve(script: Script, sink: Sink) -> Counter[str]:
    """Answer two of three open questions as a person who looked at the provider would; counts what was sent again."""
    again: Counter[str] = Counter()
    asked = [row for row in script.served.every("/effects", script.key) if row["state"] == "needs_human"]
    for number, row in enumerate(asked):
        if number % 3 == 2:
            continue
        ref, done = row["source_ref"], sink.deeds()[row["source_ref"]]
        outcome = "happened" if done else ("send_again", "did_not_happen")[number % 2]
        again[ref] += outcome == "send_again"
        script.said(
            "POST", f"/effects/{row['id']}/resolution", {"outcome": outcome, "payload_hash": row["payload_hash"]}
        )
    return again


def at_rest(script: Script) -> bool:
    """Whether every approved proposal has its effect, and none is under way."""
    rows = script.served.every("/effects", script.key)
    return len(rows) == len(script.approved) + MAILS and all(row["state"] in AT_REST for row in rows)


def test_no_kill_loses_or_doubles_anything(tmp_path: Path):
    (tmp_path / "home").mkdir()
    sink, served = Sink(tmp_path, seed=SEED), Served(tmp_path / "home")
    (tmp_path / "home/soloist.toml").write_text(sink.toml() + ALONE)
    (tmp_path / "home/mail/in/new").mkdir(parents=True)
    try:
        served.start()
        script = Script(served, token(served.home))
        hands = [threading.Thread(target=script.work, args=(n, 3), daemon=True) for n in range(3)]
        for hand in hands:
            hand.start()
        storm(script, served, random.Random(SEED))
        for hand in hands:
            hand.join(30)
        assert script.troubles == []
        until(lambda: at_rest(script), 60, 0.3, what="everything at rest")
        again = resolve(script, sink)
        until(lambda: at_rest(script), 30, 0.3, what="at rest after the answers")
        check(script, sink, again)
    finally:
        served.kill()
        sink.end()
    report = told(served.home, "verify")
    assert (report["ok"], report["faults"]) == (True, [])


def outgoing(home: Path) -> list[Path]:
    """The mails that left."""
    return list((home / "mail/out/new").iterdir())


def check(script: Script, sink: Sink, again: Counter[str]) -> None:
    """Everything acknowledged is there, and what is claimed is what happened."""
    served, key = script.served, script.key
    events = {row["id"] for row in served.every("/events", key)}
    assert set(script.events.values()) <= events
    proposals = {row["id"]: row["state"] for row in served.every("/proposals", key) if row["connector"] != "mail"}
    wanted = {ident: "approved" if ref in script.approved else "rejected" for ref, ident in script.made.items()}
    assert proposals == wanted
    assert len(wanted) == PROPOSALS
    cards = {row["subject"] for row in served.every("/cards", key, state="open")}
    effects = [row for row in served.every("/effects", key) if row["connector"] != "mail"]
    assert faults(Story(sink.deeds(), effects, script.approved, again, cards)) == []
    assert served.every("/runs", key, state="failed") == []
    left = Counter(path.read_bytes().partition(b"nora@")[2].partition(b">")[0] for path in outgoing(served.home))
    assert (len(left), set(left.values())) == (MAILS, {1})
    assert len(served.every("/records/person", key)) == len(served.every("/records/lead", key)) == MAILS
    print(f"\n{KILLS} kills, {len(effects)} effects, {sum(row['attempts'] for row in effects)} attempts: ", end="")
    print(dict(Counter(f"{row['class']} {row['state']}" for row in effects)), dict(again))


GOOD = {"id": "e1", "source_ref": "A-1", "class": "A", "state": "succeeded"}


@pytest.mark.parametrize(
    ("deeds", "row", "fault"),
    [
        ({"A-1": 1}, {}, ""),
        ({"A-1": 2}, {}, "A-1 was done 2 times"),
        ({}, {"state": "needs_human", "class": "C"}, "A-1 is needs_human and nobody was told"),
        ({}, {"class": "C"}, "A-1 is called succeeded, and it did not happen"),
        ({"A-1": 1}, {"state": "failed"}, "A-1 is called failed, and it happened"),
        ({"A-1": 1, "A-2": 1}, {}, "A-2 was done without approval"),
        ({"A-1": 1}, {"state": "intended"}, "A-1 never came to rest: intended"),
        ({"A-1": 2}, {"class": "C"}, "A-1 was done 2 times"),
    ],
)
def test_the_checker_sees_what_is_planted(deeds: dict[str, int], row: dict[str, Any], fault: str):
    story = Story(Counter(deeds), [{**GOOD, **row}], {"A-1"})
    assert faults(story) == ([fault] if fault else [])


def test_the_checker_sees_an_approval_that_led_to_nothing():
    assert faults(Story(Counter(), [], {"A-1"})) == ["A-1 was approved and has no effect"]
