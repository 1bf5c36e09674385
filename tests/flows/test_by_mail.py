"""Deciding by mail: an urgent card's letter, the answer to it, and everything that is no answer."""

import re
from email.message import EmailMessage
from typing import Any

import pytest

from soloist.engine.store import codes
from soloist.flows import by_mail
from soloist.flows.briefing import Briefing
from soloist.flows.deciding import Deciding
from soloist.flows.urgent import Urgent
from soloist.insight import letters
from tests.flows.conftest import House, Open, mail

NOON = "2026-11-21T12:00:00.000000Z"
MARA = "Mara Linde <mara@studio-linde.example>"
CODE = re.compile(r"Your code for this one: (\S+)")


async def opened(house: Open, **more: str) -> House:
    """A home with one urgent card about a held mail on a known thread."""
    home = await house(more.pop("more", ""), hold="1s")
    await home.proposed()
    press(home)
    return home


def press(home: House) -> None:
    """Somebody said that the open cards are urgent, but for those that ask whether two are one person."""
    from soloist.engine.store.tables import tasks

    pressing = tasks.update().where(tasks.c.type != "merge").values(urgency="urgent")
    home.app.store.write_now(lambda tx: tx.run(pressing) and None)


async def letter(home: House) -> EmailMessage:
    """The letter about it, as it left."""
    assert len(await Urgent(home.desk).look()) == 1
    found = await home.until(lambda: [m for m in home.sent() if m["To"] == "mara@studio-linde.example"])
    return found[0]


def code_in(message: EmailMessage) -> str:
    found = CODE.search(message.get_content())
    assert found, message.get_content()
    return found[1]


def reply(to: EmailMessage, text: str, *, sender: str = MARA, ident: str = "answer@studio-linde.example", **more: str):
    quoted = "".join(f"> {line}\n" for line in to.get_content().splitlines())
    body = f"{text}\n\nOn Saturday, 21 November 2026 at 08:00, Soloist wrote:\n{quoted}"
    return mail(body, sender=sender, subject=f"Re: {to['Subject']}", ident=ident, answers=to["Message-ID"], **more)


def decisions(home: House) -> list[dict[str, Any]]:
    return [row for row in home.rows("approvals") if row["who"] != "policy"]


async def test_an_answer_with_the_code_approves_and_the_mail_leaves_once(house: Open):
    home = await opened(house)
    first = await letter(home)
    text = first.get_content()
    assert "emily@carter-bakery.example" in text
    assert "  | " in text
    before = len(home.rows("messages"))
    await home.take_in(reply(first, f"approve {code_in(first)}"))
    (said,) = decisions(home)
    assert (said["who"], said["via"], said["decision"]) == ("operator", "mail", "approve")
    await home.until(lambda: [m for m in home.sent() if "emily" in m["To"]])
    (told,) = await home.until(lambda: [m for m in home.sent() if "approved. It goes out once." in m.get_content()])
    assert told["In-Reply-To"] == "<answer@studio-linde.example>"
    assert len([m for m in home.rows("messages") if m["direction"] == "in"]) == before
    assert home.rows("tasks", state="open") == []


async def test_what_is_stored_of_a_letter_holds_no_code(house: Open):
    home = await opened(house)
    code = code_in(await letter(home))
    stored = str(home.rows("proposals")) + str(home.rows("decision_codes")) + str(home.rows("effects"))
    assert code not in stored
    assert code.replace("-", "") not in stored
    assert len(home.rows("decision_codes")) == 2


@pytest.mark.parametrize(
    "spelling",
    [
        "approve AB12-CD0E",
        "APPROVE: ab12cdOe",
        "freigeben ABI2 CD0E bitte",
        "* approved AB12-CDOE.",
        "approuver ABl2-CD0E",
    ],
)
def test_spellings_of_people(spelling: str):
    secrets = codes.Secrets(b"x" * 32)
    (said,) = by_mail.commands(f"Hello\n{spelling}\nthanks")
    assert letters.option_of(said.word, ["approve", "reject"]) == "approve"
    assert secrets.hash(codes.CODE, said.code) == secrets.hash(codes.CODE, "AB12-CD0E")


def test_a_letter_itself_holds_no_command():
    shown = letters.Shown("Title", "", (("Text", "approve AB12-CD0E"),), (), NOON, "Nothing.", "", "low")
    text = "\n".join([*letters.section(shown, "UTC", code="AB12-CD0E", link=""), *letters.how(["approve", "reject"])])
    known = [one for one in by_mail.commands(text) if letters.known(one.word) and "|" not in one.word]
    assert [one for one in known if f"  | {one.word}" not in text] == []


@pytest.mark.storm
async def test_a_rejection_keeps_its_reason(house: Open):
    home = await opened(house)
    first = await letter(home)
    await home.take_in(reply(first, f"reject {code_in(first)} too cheap for us"))
    (said,) = decisions(home)
    assert (said["decision"], said["reason"]) == ("reject", "too cheap for us")


@pytest.mark.storm
async def test_later_puts_the_card_off(house: Open):
    home = await opened(house)
    first = await letter(home)
    await home.take_in(reply(first, f"later {code_in(first)}"))
    (card,) = home.rows("tasks", state="open")
    assert card["snoozed_until"]


async def refused(home: House, message: EmailMessage, words: str, *, count: int = 0) -> None:
    """No decision comes of a mail; the answer says why, and nothing else comes of it."""
    cards = len(home.rows("tasks"))
    await home.take_in(message)
    await home.until(lambda: [m for m in home.sent() if words in m.get_content()])
    assert len(decisions(home)) == count
    assert len(home.rows("tasks")) == cards


@pytest.mark.storm
async def test_the_same_code_twice(house: Open):
    home = await opened(house)
    first = await letter(home)
    answer = reply(first, f"approve {code_in(first)}")
    await home.take_in(answer)
    again = reply(first, f"reject {code_in(first)}", ident="second@studio-linde.example")
    await refused(home, again, "This code was used", count=1)


@pytest.mark.storm
async def test_the_copy_in_sent_and_the_one_that_arrives_are_one_answer(house: Open):
    home = await opened(house)
    first = await letter(home)
    answer = reply(first, f"approve {code_in(first)}")
    await home.take_in(answer)
    answer["X-Other-Copy"] = "yes"
    await home.take_in(answer)
    assert len(decisions(home)) == 1
    assert len([p for p in home.rows("proposals") if p["source"] == "soloist:decided"]) == 1


FAIL = {"Authentication_Results": "mx.studio-linde.example; dmarc=fail header.from=studio-linde.example"}


async def test_what_is_refused_in_words(house: Open):
    home = await opened(house)
    first = await letter(home)
    code = code_in(first)
    for text, words, more in (
        ("approve ABCD-EFGH", "does not fit the letter", {}),
        ("yes please", "There is no code in it", {}),
        (f"What is this?\n\n> approve {code}\n", "There is no code in it", {}),
        (f"approve {code}", "does not believe", FAIL),
        (f"approve {code}\nreject {code}", "two different things", {}),
    ):
        ident = f"{abs(hash((text, words)))}@studio-linde.example"
        await refused(home, reply(first, text, ident=ident, **more), words)


@pytest.mark.storm
async def test_what_is_met_with_silence(house: Open):
    home = await opened(house)
    first = await letter(home)
    said = f"approve {code_in(first)}"
    await home.take_in(reply(first, said, sender="Victor <victor@quick-offers.example>", ident="a@x.example"))
    await home.take_in(mail(said, sender=MARA, subject="Re: x", ident="b@x.example"))
    await home.take_in(reply(first, said, ident="c@x.example", Auto_Submitted="auto-replied"))
    assert decisions(home) == []
    assert not [p for p in home.rows("proposals") if p["source"] == "soloist:decided"]


@pytest.mark.storm
async def test_five_wrong_codes_shut_the_door_for_an_hour(house: Open):
    home = await opened(house)
    first = await letter(home)
    for n in range(codes.MOST_WRONG):
        await home.take_in(reply(first, f"approve ABCD-EFG{n}", ident=f"{n}@studio-linde.example"))
    await home.take_in(reply(first, f"approve {code_in(first)}", ident="right@studio-linde.example"))
    assert decisions(home) == []
    told = [p for p in home.rows("proposals") if p["source"] == "soloist:decided"]
    assert len(told) == codes.MOST_WRONG
    assert len([one for one in told if "No code is taken by mail for the next hour" in one["payload"]["body"]]) == 1


@pytest.mark.storm
async def test_content_that_changed_after_the_letter(house: Open):
    home = await opened(house)
    first = await letter(home)
    from soloist.engine.store import proposals as rows

    old = next(p for p in home.rows("proposals", state="waiting"))
    home.app.store.write_now(lambda tx: rows.edit(tx, old, {**old["payload"], "body": "x"}, "0" * 64, actor="operator"))
    await refused(home, reply(first, f"approve {code_in(first)}"), "changed after this letter")


@pytest.mark.storm
async def test_a_card_is_mailed_once_and_the_letter_is_no_enquiry(house: Open):
    home = await opened(house)
    first = await letter(home)
    assert await Urgent(home.desk).look() == []
    await home.take_in(first)
    assert len(home.rows("messages")) == 1


@pytest.mark.storm
async def test_what_is_not_held_is_mailed_without_a_code(house: Open):
    home = await house(hold="0s")
    await home.proposed()
    press(home)
    text = (await letter(home)).get_content()
    assert "decided in the console only" in text
    assert "Your code" not in text
    assert home.rows("decision_codes") == []


async def test_a_foreign_mark_in_a_letter_stays_a_word(house: Open):
    home = await opened(house)
    deciding = Deciding(home.desk)
    mark = "018f0000-0000-7000-8000-000000000000"
    letter = {"source": "soloist:urgent", "evidence": {"marks": []}}
    stranger = {"source": "api:x", "evidence": {"marks": [mark]}}
    body = {"body": codes.place("code", mark)}
    assert deciding.fill(letter, body) == deciding.fill(stranger, body) == body


@pytest.mark.storm
async def test_the_brief_of_the_morning_is_answered_the_same_way(house: Open):
    home = await house(hold="1s")
    await home.proposed()
    written = await Briefing(home.desk).write("brief:2026-11-21", "2026-11-21")
    assert written["proposal"]
    brief = (await home.until(home.sent))[0]
    assert "These can be decided by answering this mail" in brief.get_content()
    await home.take_in(reply(brief, f"reject {code_in(brief)}"))
    assert [row["decision"] for row in decisions(home)] == ["reject"]
