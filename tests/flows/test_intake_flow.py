"""What becomes of a message that came in: duplicates, machines, strangers, clients, questions."""

import email
import email.policy
from typing import Any

import pytest

from soloist.engine.store import records
from soloist.stages.records import merging
from tests.flows.conftest import ASKS, House, Open, mail

BOUNCE = """From: Mail Delivery System <MAILER-DAEMON@mx.studio-linde.example>
Return-Path: <>
To: Mara Linde <mara@studio-linde.example>
Subject: Undelivered Mail Returned to Sender
Message-ID: <bounce@mx.studio-linde.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="report-77"

--report-77
Content-Type: text/plain; charset=us-ascii

Your message could not be delivered: 550 5.1.1 no such mailbox

--report-77
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.studio-linde.example

Final-Recipient: rfc822; emily@carter-bakery.example
Action: failed
Status: 5.1.1

--report-77
Content-Type: text/rfc822-headers

Message-ID: {ident}

--report-77--
"""
SIGNED = "{asks}\nEmily Carter\nPhone: {phone}\n"


def bounce(ident: str) -> Any:
    """A bounce of the mail with this Message-ID."""
    return email.message_from_string(BOUNCE.format(ident=ident), policy=email.policy.default)


def people(home: House) -> list[dict[str, Any]]:
    return home.rows("records", kind="person")


async def test_the_same_mail_twice_is_one_message_and_one_card(house: Open):
    home = await house()
    await home.proposed()
    again = mail(Received="from another.example")
    await home.take_in(again)
    assert len(home.rows("messages")) == 1
    assert home.card(type="proposal")


async def test_a_thread_whose_enquiry_was_merged_goes_on_with_the_kept_one(house: Open):
    home = await house()
    await home.take_in(mail())
    (lead,) = home.rows("records", kind="lead")
    kept = home.app.store.write_now(lambda tx: records.create(tx, "lead", "The same", {}, why="by hand"))
    home.app.store.write_now(lambda tx: merging.merge(tx, kept, lead["id"], {}, who="operator"))
    again = mail(ASKS + "\nAnd a shop.", ident="two", answers="one@carter-bakery.example")
    run = await home.take_in(again)
    assert run["state"] == "done", run["note"]
    versions = {row["id"]: row["version"] for row in home.rows("records", kind="lead")}
    assert versions == {lead["id"]: 1, kept: 2}


async def test_a_second_mail_joins_person_and_thread(house: Open):
    home = await house()
    await home.proposed()
    await home.take_in(mail(ASKS + "\nAnd a shop.", ident="two", answers="one@carter-bakery.example"))
    first, second = home.rows("messages")
    assert first["conversation"] == second["conversation"]
    assert (len(people(home)), len(home.rows("records", kind="lead"))) == (1, 1)
    assert home.rows("records", kind="lead")[0]["version"] == 2


async def test_tag_and_case_are_the_same_person(house: Open):
    home = await house()
    await home.take_in(mail())
    await home.take_in(mail(sender="Emily Carter <Emily+Web@Carter-Bakery.example>", subject="A logo", ident="two"))
    (person,) = people(home)
    assert len({row["conversation"] for row in home.rows("messages")}) == 2
    assert {row["record"] for row in home.rows("conversations")} == {person["id"]}


async def test_a_role_address_is_a_company_and_nobody(house: Open):
    home = await house()
    await home.proposed(mail(sender="info@carter-bakery.example"))
    (company,) = home.rows("records", kind="company")
    assert people(home) == []
    assert home.rows("conversations")[0]["record"] == company["id"]


@pytest.mark.parametrize(
    ("sender", "headers"),
    [
        ("emily@carter-bakery.example", {"Auto_Submitted": "auto-replied"}),
        ("news@paper.example", {"List_Id": "<news.paper.example>", "List_Unsubscribe": "<mailto:a@paper.example>"}),
        ("no-reply@shop.example", {}),
    ],
)
async def test_mail_of_machines_makes_no_card(house: Open, sender: str, headers: dict[str, str]):
    home = await house()
    assert (await home.take_in(mail(sender=sender, **headers)))["state"] == "done"
    assert (len(home.rows("messages")), home.rows("tasks"), home.rows("proposals")) == (1, [], [])


async def test_a_strangers_bounce_makes_no_card(house: Open):
    home = await house()
    await home.take_in(bounce("<somebody@elsewhere.example>"))
    assert home.rows("tasks") == []


async def test_a_bounce_of_our_mail_is_told_once(house: Open):
    home = await house()
    await home.say(await home.proposed(), "approve")
    (left,) = await home.has_sent()
    await home.take_in(bounce(left["Message-ID"]))
    card = home.card(type="failure")
    assert card
    assert card["title"].startswith("Not delivered: ")
    assert "emily@carter-bakery.example" in card["title"]
    assert (await home.choose(card, "seen"))["state"] == "closed"


async def test_another_phone_number_is_a_change_that_waits(house: Open):
    home = await house()
    await home.take_in(mail(SIGNED.format(asks=ASKS, phone="+49 40 5550 1234")))
    await home.take_in(mail(SIGNED.format(asks=ASKS, phone="+49 40 5550 9999"), subject="A logo", ident="two"))
    (change,) = home.rows("proposals", noun="change")
    assert (people(home)[0]["version"], home.card(type="change")["subject"]) == (1, change["id"])
    await home.say(change, "approve")
    await home.until(lambda: people(home)[0]["version"] == 2)
    assert people(home)[0]["body"]["phones"] == ["+494055501234", "+494055509999"]
    assert home.rows("effects") == []


async def test_a_stale_change_comes_back_as_a_fresh_card(house: Open):
    home = await house()
    await home.take_in(mail(SIGNED.format(asks=ASKS, phone="+49 40 5550 1234")))
    await home.take_in(mail(SIGNED.format(asks=ASKS, phone="+49 40 5550 9999"), subject="A logo", ident="two"))
    (change,), (person,) = home.rows("proposals", noun="change"), people(home)
    await home.desk.records.put("person", person["id"], 1, {**person["body"], "name": "E. Carter"}, actor="operator")
    await home.say(change, "approve")
    fresh = await home.until(lambda: home.rows("proposals", noun="change", state="waiting"))
    assert (fresh[0]["payload"]["version"], people(home)[0]["version"]) == (2, 2)
    await home.say(fresh[0], "approve")
    await home.until(lambda: people(home)[0]["version"] == 3)


async def test_a_message_no_rule_knows_becomes_a_question(house: Open):
    home = await house()
    await home.take_in(mail("Hello, are you there?\n", subject="Hi"))
    card = home.card(type="question")
    assert home.rows("proposals") == []
    await home.choose(card, "enquiry")
    proposal = await home.until(lambda: home.rows("proposals", state="waiting"))
    assert proposal[0]["payload"]["to"] == ["emily@carter-bakery.example"]
    assert home.card(type="proposal")


async def test_a_question_put_aside_sends_nothing(house: Open):
    home = await house()
    await home.take_in(mail("Hello, are you there?\n", subject="Hi"))
    await home.choose(home.card(type="question"), "aside")
    assert (home.card(), home.rows("proposals")) == (None, [])
