"""Handing a card over, and deciding by a link: the letter, the page's ground, and how it ends."""

import asyncio
import re
from email.message import EmailMessage
from typing import Any

import pytest

from soloist.engine.store import settings
from soloist.flows.deciding import Deciding
from soloist.flows.delegating import Delegating
from soloist.kernel.errors import BadInput, Conflict, NotAllowed, NotFound, StaleHash
from tests.flows.conftest import House, Open, mail
from tests.flows.test_by_mail import code_in, decisions, reply

PEOPLE = '[people.anna]\nname = "Anna Wolf"\nemail = "anna@wolf.example"\n'
LINK = re.compile(r"/d/(\S+)")


async def with_anna(house: Open, **more: str) -> tuple[House, str]:
    """A home with one card; the card's id."""
    home = await house(PEOPLE, hold="1s", **more)
    home.app.store.write_now(lambda tx: settings.put(tx, "console.address", "https://desk.example/"))
    await home.proposed()
    (card,) = home.rows("tasks", state="open")
    return home, card["id"]


async def hand(home: House, card: str, **more: Any) -> EmailMessage:
    """Hand it to Anna; the letter she gets."""
    await Delegating(home.desk).hand_over(card, "anna", **{"who": "operator", "via": "test", **more})
    found = await home.until(lambda: [m for m in home.sent() if m["To"] == "anna@wolf.example"])
    return found[0]


def token_in(message: EmailMessage) -> str:
    found = LINK.search(message.get_content().replace("\r\n", "\n"))
    assert found, message.get_content()
    return found[1]


async def test_she_approves_as_herself_by_the_link_once(house: Open):
    home, card = await with_anna(house)
    token, deciding = token_in(await hand(home, card)), Deciding(home.desk)
    looks = [await deciding.look(token) for _ in range(3)]
    assert {look.who for look in looks} == {"anna"}
    assert ("To", "emily@carter-bakery.example") in looks[0].shown.content
    assert len(decisions(home)) == 1, "only the operator's word on the letter"
    await deciding.press(token, "approve", "fine with me")
    said = decisions(home)[-1]
    assert (said["who"], said["via"], said["decision"]) == ("anna", "link", "approve")
    with pytest.raises(Conflict, match="was used"):
        await deciding.press(token, "reject")
    assert "was used" in (await deciding.look(token)).gone


@pytest.mark.storm
async def test_the_letter_carries_the_operators_word_and_the_card_sleeps(house: Open):
    home, card = await with_anna(house)
    await hand(home, card)
    (letter,) = [p for p in home.rows("proposals") if p["source"] == "soloist:delegate"]
    (said,) = home.rows("approvals", proposal=letter["id"])
    assert (said["who"], said["decision"]) == ("operator", "approve")
    (row,) = home.rows("tasks", id=card)
    assert (row["state"], row["delegate"]) == ("open", "anna")
    assert row["snoozed_until"] > home.app.store.clock().isoformat()


@pytest.mark.storm
async def test_she_answers_by_mail(house: Open):
    home, card = await with_anna(house)
    letter = await hand(home, card)
    answer = reply(
        letter, f"reject {code_in(letter)} not now", sender="Anna <anna@wolf.example>", ident="a@wolf.example"
    )
    await home.take_in(answer)
    said = decisions(home)[-1]
    assert (said["who"], said["via"], said["decision"], said["reason"]) == ("anna", "mail", "reject", "not now")
    assert len([m for m in home.sent() if m["To"] == "anna@wolf.example"]) == 1


@pytest.mark.storm
async def test_taken_back_the_code_is_void_and_the_card_is_awake(house: Open):
    home, card = await with_anna(house)
    token = token_in(await hand(home, card))
    await Delegating(home.desk).take_back(card, who="operator")
    with pytest.raises(Conflict):
        await Deciding(home.desk).press(token, "approve")
    (row,) = home.rows("tasks", id=card)
    assert (row["delegate"], row["snoozed_until"]) == ("", "")
    with pytest.raises(Conflict, match="nobody else"):
        await Delegating(home.desk).take_back(card, who="operator")


@pytest.mark.storm
async def test_a_comment_decides_nothing_and_the_link_still_works(house: Open):
    home, card = await with_anna(house)
    token, deciding = token_in(await hand(home, card)), Deciding(home.desk)
    await deciding.comment(token, "Is the price right?")
    (note,) = home.rows("notes", kind="comment")
    assert (note["object"], note["actor"], note["body"]) == (card, "anna", "Is the price right?")
    await deciding.press(token, "reject")


@pytest.mark.storm
async def test_later_is_not_hers_and_no_link_is_guessed(house: Open):
    home, card = await with_anna(house)
    token, deciding = token_in(await hand(home, card)), Deciding(home.desk)
    with pytest.raises(NotAllowed):
        await deciding.press(token, "defer")
    mark, seal = token.split(".")
    for wrong in (mark, f"{mark}.", f"{mark}.{seal[:-1]}", f"{mark}.{'0' * 40}", token.upper(), "x" * 5000, "\ud800"):
        with pytest.raises(NotFound):
            await deciding.press(wrong, "approve")


@pytest.mark.storm
async def test_content_that_moved(house: Open):
    from soloist.engine.store import proposals as rows

    home, card = await with_anna(house)
    token = token_in(await hand(home, card))
    (old,) = home.rows("proposals", state="waiting")
    home.app.store.write_now(lambda tx: rows.edit(tx, old, {**old["payload"], "body": "x"}, "0" * 64, actor="operator"))
    with pytest.raises(StaleHash, match="changed after"):
        await Deciding(home.desk).press(token, "approve")


@pytest.mark.storm
async def test_whom_when_and_what_is_refused(house: Open):
    home, card = await with_anna(house)
    handing = Delegating(home.desk)
    for to, until, error in (("bob", "2d", NotFound), ("anna", "soon", BadInput), ("anna", "60d", BadInput)):
        with pytest.raises(error):
            await handing.hand_over(card, to, until=until, who="operator", via="test")
    assert home.rows("decision_codes") == []
    await asyncio.sleep(0)


@pytest.mark.storm
async def test_what_is_not_held_is_not_handed_over(house: Open):
    home = await house(PEOPLE, hold="0s")
    await home.proposed(mail())
    (card,) = home.rows("tasks", state="open")
    with pytest.raises(NotAllowed, match="console only"):
        await Delegating(home.desk).hand_over(card["id"], "anna", who="operator", via="test")
    assert home.rows("tasks", id=card["id"])[0]["delegate"] == ""


@pytest.mark.storm
async def test_words_without_a_code_are_a_comment_that_the_operator_hears_of(house: Open):
    home, card = await with_anna(house)
    letter = await hand(home, card)
    await home.take_in(reply(letter, "Is the price right?", sender="Anna <anna@wolf.example>", ident="c@wolf.example"))
    (note,) = home.rows("notes", kind="comment")
    assert (note["object"], note["actor"], note["body"]) == (card, "anna", "Is the price right?")
    await home.until(lambda: [m for m in home.sent() if "Anna Wolf wrote about" in m.get_content()])
    assert len(decisions(home)) == 1
