"""Words from outside in the running house, with every rule and grant wide open: what only they name asks, always."""

from __future__ import annotations

from typing import Any

from soloist.engine.store import conversations
from soloist.engine.store.clock import later
from soloist.insight import written
from soloist.kernel.origin import OUTSIDE
from soloist.kernel.proposal import NewProposal
from soloist.stages.policy import GATES
from tests.flows.policy_rig import ADA, Rig

OPEN = """
[[policy.rules]]
name = "everything"
when = "true"
then = "allow"
[trust]
recipients = ["anna@taxes.example", "@studio-linde.example"]
hosts = [".studio-linde.example"]
"""
EVIL = "victor@quick-offers.example"


async def wide(rig: Any) -> Rig:
    home: Rig = rig(OPEN)
    home.grant(*GATES, connector="mail", operation="mail.send", limit_minor=10**9, currency="EUR")
    return home


async def proposed(home: Rig, conversation: str = "", **payload: Any) -> dict[str, Any]:
    home.count += 1
    whole = {"to": ["anna@taxes.example"], "subject": "Papers", "body": "Here they are.", **payload}
    new = NewProposal(
        f"p{home.count}",
        "mail",
        "mail.send",
        whole,
        "x",
        "agent:intake",
        agent="intake@1",
        origin=OUTSIDE,
        conversation=conversation,
    )
    facts = home.desk.facts("mail", "mail.send")
    await home.store.write(lambda tx: home.desk.approvals.propose(tx, new, facts, actor="intake@1"))
    return home.proposal(new.id)


async def test_what_only_outside_words_name_becomes_a_card_that_names_it(rig: Any):
    home = await wide(rig)
    assert (await proposed(home))["state"] == "approved"
    for payload, value in (
        ({"to": [EVIL]}, EVIL),
        ({"cc": [EVIL]}, EVIL),
        ({"body": "See https://collector.example/?d=1"}, "collector.example"),
        ({"body": "Pay to DE00 1111 2222 3333 44"}, "DE0011112222333344"),
    ):
        row = await proposed(home, **payload)
        assert (row["state"], row["origin"]["labels"]) == ("waiting", ["outside"])
        verdict = home.verdict(row)
        assert value in verdict["reason"]
        assert verdict["gates"][-1] == "outside words"


async def test_a_persons_word_lets_it_go_and_the_executor_asks_again(rig: Any):
    home = await wide(rig)
    row = await proposed(home, to=[EVIL])
    assert "names a new recipient" in home.may_leave(row)
    assert home.may_leave(row, "approve") == ""
    assert (await home.say(row))["state"] == "approved"


async def thread(home: Rig, *letters: dict[str, Any]) -> str:
    """A thread of letters, the first one from Ada."""
    first = {"direction": "in", "sender": ADA, "kind": "client", "text": "See https://okafor.example/kiln"}

    def work(tx: Any) -> str:
        ident = conversations.open_new(tx, "mail", "kiln")
        for number, letter in enumerate((first, *letters)):
            about = {
                "message_id": f"m{number}",
                "recipients": [],
                "references": [],
                "conversation": ident,
                "at": later(tx.now, number),
            }
            conversations.add(tx, {**about, **first, **letter, "event": f"e{number}"})
        return ident

    return str(await home.store.write(work))


async def test_an_ordinary_answer_on_the_thread_still_goes(rig: Any):
    home = await wide(rig)
    talk = await thread(home)
    answer = {"to": [ADA], "in_reply_to": "m0", "body": "I saw https://okafor.example/kiln, thank you."}
    row = await proposed(home, conversation=talk, **answer)
    assert row["state"] == "approved", home.verdict(row)["reason"]
    assert row["origin"]["sources"]
    (message,) = origins_of(row)
    named = [{"place": "to", "sort": "recipient", "source": message}]
    assert row["origin"]["control"] == [*named, {"place": "in_reply_to", "sort": "thread", "source": message}]
    told = home.store.read_now(lambda conn: written.notes(conn, row))
    assert told == (
        "Written from: a letter of an unknown sender (ada@okafor-ceramics.example).",
        "Recipient: from the thread's sender.",
    )
    why = home.store.read_now(lambda conn: written.control(conn, row))
    assert ("Message it answers", "m0", "a message of this thread") in [(one.name, one.value, one.said) for one in why]


def origins_of(row: dict[str, Any]) -> list[str]:
    return [one for one in row["origin"]["sources"] if one.startswith("message:")]


async def test_what_the_operator_puts_in_is_named_by_them(rig: Any):
    home = await wide(rig)
    row = await proposed(home, to=[EVIL])
    assert row["origin"]["control"] == [{"place": "to", "sort": "recipient", "source": ""}]
    edited = await home.say(row, edits={"to": ["someone@else.example"]})
    assert edited["state"] == "approved"
    assert home.proposal(row["id"])["origin"]["control"][0]["source"] == "your edit"


async def test_who_writes_into_somebody_elses_thread_is_new_to_it(rig: Any):
    home = await wide(rig)
    talk = await thread(home, {"sender": EVIL, "recipients": ["third@x.example"]})
    assert (await proposed(home, conversation=talk, to=[EVIL]))["state"] == "waiting"
    assert (await proposed(home, conversation=talk, to=["third@x.example"]))["state"] == "waiting"
    assert (await proposed(home, conversation=talk, to=[ADA]))["state"] == "approved"
