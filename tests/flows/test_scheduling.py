"""Mail about appointments: free times are offered, what both sides agree on is written, and who cancels counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from soloist.engine.store import records
from soloist.flows.standing import StandingRules
from soloist.kernel.office_settings import SchedulingPart
from tests.flows.conftest import House, Open, mail

JONAS = "Jonas Brandt <jonas@brandt-physio.example>"
OPEN = '[scheduling]\nhours = ["09:00-12:00", "13:00-17:00"]\n'
INVITATION = """BEGIN:VCALENDAR
VERSION:2.0
METHOD:{method}
BEGIN:VEVENT
UID:review-1@brandt-physio.example
SEQUENCE:0
DTSTART:{day}T{hour}0000Z
DTEND:{day}T{hour}3000Z
SUMMARY:Review of the website
ORGANIZER:mailto:jonas@brandt-physio.example
ATTENDEE:mailto:mara@studio-linde.example
END:VEVENT
END:VCALENDAR
"""


def known(home: House) -> str:
    """Jonas, known by his address."""
    body = {"name": "Jonas Brandt", "emails": ["jonas@brandt-physio.example"]}

    def work(tx: Any) -> str:
        ident = records.create(tx, "person", "", body, state="client", why="by hand", actor="operator")
        records.link(tx, "email", "jonas@brandt-physio.example", ident, rule="email", evidence={})
        return ident

    return home.app.store.write_now(work)


def workday(home: House, ahead: int = 6) -> datetime:
    """A weekday some days ahead, at midnight UTC."""
    day = home.app.store.clock().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day += timedelta(days=ahead)
    while day.weekday() > 3:
        day += timedelta(days=1)
    return day


async def test_times_are_offered_taken_and_cancelled(house: Open):
    home = await house(more=OPEN)
    jonas = known(home)
    rules = StandingRules(home.desk)
    await rules.use((await rules.say("Sign mails to Jonas Brandt as 'Mara'", who="operator")).rule, who="operator")
    asks = "Hello Mara,\n\ncould we meet for 30 minutes next week to talk about the website?\n\nJonas Brandt\n"
    await home.take_in(mail(asks, sender=JONAS, subject="A meeting", ident="m1@brandt-physio.example"))
    proposal = home.waiting()
    assert proposal["source"] == "agent:scheduler"
    offers = proposal["evidence"]["meeting"]["offers"]
    assert len(offers) == SchedulingPart().offers
    assert "(Europe/Berlin)" in proposal["payload"]["body"]
    assert proposal["payload"]["body"].endswith("\nMara\n")
    await home.say(proposal, "approve")
    (left,) = await home.has_sent()
    day = datetime.fromisoformat(offers[0]["begins"])
    local = day.astimezone(home.desk.settings.business.zone)
    yes = f"Hello Mara,\n\n{local:%d %B %Y} at {local:%H:%M} works for me. See you then!\n\nJonas\n"
    answers = left["Message-ID"]
    await home.take_in(
        mail(yes, sender=JONAS, subject="Re: A meeting", ident="m2@brandt-physio.example", answers=answers)
    )
    (made,) = home.rows("records", kind="appointment")
    assert (made["state"], made["body"]["begins"], made["body"]["people"]) == (
        "confirmed",
        offers[0]["begins"],
        [jonas],
    )
    assert home.rows("proposals", state="waiting") == []
    off = "Hello Mara,\n\nI am sorry, I have to cancel our meeting.\n\nJonas\n"
    await home.take_in(mail(off, sender=JONAS, subject="Our meeting", ident="m3@brandt-physio.example"))
    (made,) = home.rows("records", kind="appointment")
    assert made["state"] == "cancelled"
    assert "cancelled" in home.waiting()["payload"]["body"]


async def test_a_time_they_name_is_confirmed_when_free_and_an_invitation_is_answered(house: Open):
    home = await house(more=OPEN)
    known(home)
    day = workday(home)
    asks = f"Hello Mara,\n\ncan we have a meeting on {day:%d %B %Y} at 10:00?\n\nJonas Brandt\n"
    await home.take_in(mail(asks, sender=JONAS, subject="Meeting", ident="m1@brandt-physio.example"))
    first = home.waiting()
    assert first["evidence"]["meeting"]["kind"] == "confirm"
    assert home.rows("records", kind="appointment") == []
    await home.say(first, "approve")
    await home.has_sent()
    (made,) = await home.until(lambda: home.rows("records", kind="appointment"))
    assert made["state"] == "confirmed"
    other = "Ada Okafor <ada@okafor-ceramics.example>"
    await home.take_in(mail(asks, sender=other, subject="Meeting", ident="a1@okafor-ceramics.example"))
    second = home.waiting()
    assert second["evidence"]["meeting"]["kind"] == "offer"
    assert "is not free" in second["payload"]["body"]
    taken = datetime.fromisoformat(made["body"]["begins"])
    assert all(datetime.fromisoformat(one["begins"]) != taken for one in second["evidence"]["meeting"]["offers"])
    await home.say(second, "reject")
    await is_invited(home, f"{day:%Y%m%d}")


async def is_invited(home: House, day: str) -> None:
    """An invitation is read, answered, and called off by whoever invited."""
    of_review = lambda: [r for r in home.rows("records", kind="appointment") if r["title"] == "Review of the website"]  # noqa: E731
    for number, method in enumerate(("REQUEST", "CANCEL")):
        message = mail("Invitation\n", sender=JONAS, subject="Review", ident=f"i{number}@brandt-physio.example")
        text = INVITATION.format(method=method, day=day, hour="13")
        message.add_attachment(text.encode(), maintype="text", subtype="calendar", params={"method": method})
        await home.take_in(message)
        if method == "REQUEST":
            await home.say(home.waiting(), "approve")
            await home.has_sent(2)
            (made,) = await home.until(of_review)
            assert made["state"] == "confirmed"
    assert of_review()[0]["state"] == "cancelled"
