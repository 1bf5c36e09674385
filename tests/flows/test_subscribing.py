"""Who takes back that they get the newsletter, and minutes that come as a file."""

from typing import Any

import pytest

from soloist.engine.store import records
from soloist.flows import roles, subscribing
from tests.flows.conftest import House, Open, mail
from tests.flows.test_roles import come_of_it

ADA = "Ada Okafor <Ada@okafor-ceramics.example>"
PROTOCOL = "Protokoll vom 12. November\n\nBeschluss: das blaue Logo.\nAufgabe: Mara schickt das Angebot.\n"


def enter(home: House, said: str) -> str:
    body = {"name": "Ada", "emails": ["ada@okafor-ceramics.example"], "newsletter": said}
    make = lambda tx: records.create(tx, "person", "Ada", body, why="test", actor="operator")  # noqa: E731
    return str(home.app.store.write_now(make))


@pytest.mark.parametrize(
    ("subject", "text", "found"),
    [
        ("unsubscribe", "", (True, True)),
        ("AW: News", "Bitte abmelden!", (True, True)),
        ("Re: Lettre", "Me désinscrire.", (True, True)),
        ("Boletín", "Darme de baja", (True, True)),
        ("unsubscribe", "And where is my invoice?", (True, False)),
        ("News", "How do I unsubscribe my customers from a list on our site?", (False, False)),
        ("Ich möchte mein Auto abmelden", "Hallo Mara", (False, False)),
    ],
)
def test_only_the_exact_words_take_it_back(subject: str, text: str, found: tuple[bool, bool]) -> None:
    assert subscribing.takes_back(subject, text) == found


async def test_a_reader_who_unsubscribes_is_written_down_and_nobody_is_asked(house: Open) -> None:
    home = await house()
    ada = enter(home, "agreed")
    await home.take_in(mail("\n", sender=ADA, subject="unsubscribe"))
    (person,) = home.rows("records", id=ada)
    assert person["body"]["newsletter"] == "no"
    assert len(home.rows("events", kind="record.changed", subject=ada)) == 1
    reasons = [one["reason"] for one in home.rows("record_versions", record=ada)]
    assert reasons[-1].startswith("said so in the message ")
    assert (home.card(), home.rows("proposals")) == (None, [])
    assert home.app.verify_journal().faults == []


async def test_another_address_takes_nothing_back(house: Open) -> None:
    home = await house()
    ada = enter(home, "agreed")
    await home.take_in(mail("unsubscribe ada@okafor-ceramics.example\n", subject="unsubscribe"))
    (person,) = home.rows("records", id=ada)
    assert person["body"]["newsletter"] == "agreed"


async def test_minutes_in_a_file_are_listed_like_those_in_a_mail(house: Open) -> None:
    home = await house()
    await roles.tending(home.desk).turn()
    message: Any = mail("Hello Mara,\n\nplease find the file attached.\n\nAda\n", sender=ADA, subject="Our logo")
    message.add_attachment(PROTOCOL.encode(), maintype="text", subtype="plain", filename="Protokoll_Logo.txt")
    await home.take_in(message)
    found = await come_of_it(home, "planner")
    assert [one["words"]["text"] for one in found["value"]["decisions"]] == ["das blaue Logo."], found
    assert home.card(type="list") is not None
