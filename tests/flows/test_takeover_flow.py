"""After the past was read: clients, open threads and promises on one card; what is ticked is added once."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import pytest

from soloist.flows.takeover import Review, findings
from soloist.kernel.errors import Conflict
from tests.flows.box import Box
from tests.flows.conftest import House, Open
from tests.flows.test_mailbox_flow import connected

ME = "Mara Linde <mara@studio-linde.example>"
ADA = "Ada Okafor <ada@okafor-ceramics.example>"
JONAS = "Jonas Brandt <jonas@brandt-physio.example>"
NEWS = "Type News <news@letters.example>"
PROMISE = "Hello Ada,\n\nI will send you the new draft by 30 November.\n\nMara"


def letter(
    sender: str, to: str, ident: str, text: str, *, days: int, answers: str = "", **headers: str
) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Message-ID"] = sender, to, f"<{ident}@x.example>"
    message["Subject"] = f"About {ident}"
    message["Date"] = format_datetime(datetime.now(UTC) - timedelta(days=days))
    if answers:
        message["In-Reply-To"] = f"<{answers}@x.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def past() -> Box:
    box = Box()
    box.put("past-inbox", letter(ADA, ME, "a1", "Could you change the colour of the shop page?", days=20))
    box.put("past-sent", letter(ME, ADA, "a2", PROMISE, days=19, answers="a1"))
    box.put("past-inbox", letter(JONAS, ME, "j1", "How is the website coming along?", days=30))
    box.put("past-sent", letter(ME, JONAS, "j2", "It is nearly done.", days=29, answers="j1"))
    box.put(
        "past-inbox", letter(JONAS, ME, "j3", "Thank you. Can we move Thursday's call to Friday?", days=3, answers="j2")
    )
    box.put(
        "past-inbox", letter(NEWS, ME, "n1", "Ten typefaces for winter", days=2, List_Unsubscribe="<https://x.example>")
    )
    return box


async def reviewed(house: Open) -> House:
    home, _ = await connected(house, past())
    await home.until(lambda: home.card(type="review"))
    return home


def found(home: House) -> dict:
    return home.app.store.read_now(lambda conn: findings(conn, home.desk, "box"))


async def test_one_card_tells_what_was_found(house: Open):
    home = await reviewed(house)
    card = home.card(type="review")
    assert card["title"] == "Your mailbox was read: 2 clients, 1 open thread, 1 promise"
    assert (home.sent(), home.rows("records"), home.rows("proposals")) == ([], [], [])


async def test_clients_are_people_who_were_answered(house: Open):
    home = await reviewed(house)
    assert {client["address"] for client in found(home)["clients"]} == {
        "ada@okafor-ceramics.example",
        "jonas@brandt-physio.example",
    }


async def test_a_promise_has_its_words_and_its_day(house: Open):
    (promise,) = found(await reviewed(house))["promises"]
    assert promise["words"] == "I will send you the new draft by 30 November."
    assert promise["day"].endswith("-11-30")


async def test_only_a_person_waits_for_an_answer(house: Open):
    (thread,) = found(await reviewed(house))["threads"]
    assert thread["sender"] == "jonas@brandt-physio.example"


async def test_what_is_ticked_is_added_once(house: Open):
    home = await reviewed(house)
    await home.choose(home.card(type="review"), "all")
    people = {row["title"] for row in home.rows("records", kind="person")}
    assert people == {"Ada Okafor", "Jonas Brandt"}
    assert all(row["record"] for row in home.rows("conversations") if "n1" not in row["subject"])
    await home.until(lambda: home.rows("proposals", state="waiting"))
    with pytest.raises(Conflict, match="already"):
        await Review(home.desk).accept("box", None, who="operator")


async def test_a_choice_adds_only_what_was_chosen(house: Open):
    home = await reviewed(house)
    chosen = {"clients": ["ada@okafor-ceramics.example"], "threads": [], "promises": [found(home)["promises"][0]["id"]]}
    counts = await Review(home.desk).accept("box", chosen, who="operator")
    assert counts == {"clients": 1, "threads": 0, "promises": 1, "records": 2}
    assert home.card(type="task")["title"].startswith("You promised: I will send you")
    assert home.rows("proposals") == []


async def test_a_client_who_was_added_is_known_from_now_on(house: Open):
    home, box = await connected(house, past())
    await home.until(lambda: home.card(type="review"))
    await home.choose(home.card(type="review"), "leave")
    await Review(home.desk).accept("box", {"clients": ["ada@okafor-ceramics.example"]}, who="operator")
    box.put("inbox", letter(ADA, ME, "a9", "Could you also update the opening hours on the page?", days=0))
    await home.until(lambda: home.rows("messages", message_id="a9@x.example", kind="client"))
