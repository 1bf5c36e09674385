"""Rules that let replies go alone, and runs that fail: one answer a day, one card, another try."""

import asyncio

from soloist.kernel.proposal import NewProposal
from tests.flows.conftest import ASKS, House, Open, mail

ALONE = """
[[policy.rules]]
name = "replies may go out alone"
when = 'proposal.operation == "mail.send"'
then = "allow"
mode = "audit"
"""
TO_CLIENTS = ("client contact", "new recipient", "new skill")
REFUSED = ALONE.replace('"allow"', '"deny"')


async def test_a_rule_lets_one_reply_go_and_the_next_one_asks(house: Open):
    home = await house(ALONE)
    home.grant(*TO_CLIENTS)
    await home.take_in(mail())
    (left,) = await home.has_sent()
    assert home.card() is None
    await home.take_in(mail(ASKS + "\nAnd a shop.", ident="two", answers=left["Message-ID"]))
    again = await home.until(lambda: home.rows("proposals", state="waiting"))
    assert len(home.sent()) == 1
    await home.say(again[0], "approve")
    await home.has_sent(2)


async def test_another_thread_may_be_answered_alone_on_the_same_day(house: Open):
    home = await house(ALONE)
    home.grant(*TO_CLIENTS)
    await home.take_in(mail())
    await home.take_in(mail(sender="Jo <jo@brandt-physio.example>", subject="Website", ident="three"))
    await home.has_sent(2)


async def test_a_rule_alone_opens_no_gate(house: Open):
    home = await house(ALONE)
    proposal = await home.proposed()
    (verdict,) = home.rows("verdicts", proposal=proposal["id"])
    assert (verdict["answer"], verdict["gates"]) == ("ask", ["new recipient", "client contact", "new skill"])
    assert 'Rule "replies may go out alone" allows this, but it needs your word' in home.card()["why"]


async def test_a_rule_that_denies_makes_no_card_and_sends_nothing(house: Open):
    home = await house(REFUSED)
    await home.take_in(mail())
    await home.until(lambda: home.rows("runs", flow="proposal", state="done"))
    assert (home.rows("proposals")[0]["state"], home.card(), home.sent()) == ("denied", None, [])


async def test_a_run_that_fails_is_one_card_and_runs_again(house: Open):
    home = await house()
    book = home.root / "house-book.md"
    good = book.read_bytes()
    book.unlink()
    book.mkdir()
    assert (await home.take_in(mail()))["state"] == "failed"
    card = home.card(type="failure")
    assert card
    assert (card["title"], card["waits_for"]) == ("Taking in a message did not finish", "board")
    (run,) = home.rows("runs", state="failed")
    assert (card["detail"]["input"], "Traceback" in run["error"]) == (run["input"], True)
    book.rmdir()
    book.write_bytes(good)
    await home.choose(card, "retry")
    await home.until(lambda: home.rows("proposals", state="waiting"))
    assert (len(home.rows("messages")), len(home.rows("records", kind="person"))) == (1, 1)


async def test_a_broken_template_is_said_and_the_shipped_one_is_used(house: Open):
    home = await house()
    (home.root / "templates").mkdir()
    (home.root / "templates/enquiry.en.j2").write_text("{% for x in %}")
    proposal = await home.proposed()
    assert "about six weeks" in proposal["payload"]["body"]
    assert "The shipped template was used instead" in str(proposal["evidence"])


async def test_a_run_that_failed_does_not_stop_the_next_mail(house: Open):
    home = await house()
    (home.root / "house-book.md").unlink()
    (home.root / "house-book.md").mkdir()
    assert (await home.take_in(mail()))["state"] == "failed"
    await home.take_in(mail("Hello, are you there?\n", subject="Hi", ident="two"))
    assert home.card(type="question")


def parked(number: int) -> NewProposal:
    return NewProposal(
        id=f"00000000-0000-5000-8000-{number:012}",
        connector="mail",
        operation="mail.send",
        payload={"to": ["ada@okafor-ceramics.example"], "subject": f"Invoice {number}", "body": "It is due."},
        reason="An invoice is due",
        source="api:test",
        source_ref=str(number),
    )


async def many_wait(home: House, count: int) -> None:
    """Proposals whose runs are parked."""
    await asyncio.gather(*(home.desk.propose_over_api(parked(number), actor="token:test") for number in range(count)))
    await home.until(lambda: len(home.rows("runs", flow="proposal", state="waiting")) == count, 60)


async def test_three_hundred_parked_proposals_do_not_hold_up_intake(house: Open):
    home = await house()
    await many_wait(home, 300)
    began = asyncio.get_running_loop().time()
    await home.take_in(mail())
    assert asyncio.get_running_loop().time() - began < 5
    await home.say(home.rows("proposals", source="agent:intake")[0], "approve")
    await home.has_sent()
