"""What the roles do by themselves in a running house, and what they are handed."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from soloist.engine.store import records
from soloist.flows import roles, tending, watching
from soloist.flows.giving import Asked
from soloist.flows.standing import StandingRules
from soloist.insight import suggesting
from tests.flows.conftest import House, Open, mail
from tests.flows.test_giving import given

HELP = "Hello Mara,\n\nour shop has been down since this morning, please help today. Where is the login page?\n\nAda\n"
MINUTES = "Hello Mara,\n\nhere are the minutes.\n\nDecision: the blue logo.\nTask: Mara sends the offer.\n\nAda\n"


async def come_of_it(home: House, agent: str) -> dict[str, Any]:
    """What came of the work an agent was given by itself."""
    await roles.tending(home.desk).turn()
    await home.until(lambda: home.rows("runs", flow="work", agent=f"{agent}@1"))
    runs = await home.until(
        lambda: [r for r in home.rows("runs", flow="work", agent=f"{agent}@1") if r["state"] != "pending"]
    )
    await home.until(lambda: all(r["state"] in ("done", "failed") for r in home.rows("runs", flow="work")))
    (step,) = home.rows("run_steps", run=runs[-1]["id"], step="work")
    return dict(step["output"])


async def test_messages_are_triaged_and_minutes_are_listed(house: Open) -> None:
    home = await house()
    await roles.tending(home.desk).turn()
    await home.take_in(mail(HELP, subject="Support: our shop is down", ident="a@okafor.example"))
    await home.take_in(mail(MINUTES, subject="Minutes of our meeting", ident="b@okafor.example"))
    found = await come_of_it(home, "planner")
    assert [one["words"]["text"] for one in found["value"]["decisions"]] == ["the blue logo."], found
    assert home.card(type="list") is not None
    notes = home.rows("notes", kind="triage")
    assert notes and notes[0]["body"].startswith("Priority"), [(r["kind"], r["subject"]) for r in home.rows("messages")]


async def test_the_house_is_tidied_asked_and_reported_on(house: Open) -> None:
    home = await house()
    await roles.tending(home.desk).turn()

    def enter(tx: Any) -> str:
        body = {"name": "Carter Bakery", "domain": "carter-bakery.example"}
        company = records.create(tx, "company", "Carter Bakery", body, why="test", actor="operator")
        records.link(tx, "domain", "carter-bakery.example", company, rule="test", evidence={})
        person = {"name": "Emily Carter", "emails": ["emily@carter-bakery.example"], "phones": ["040 3344556"]}
        return records.create(tx, "person", "Emily Carter", person, why="test", actor="operator")

    ident = home.app.store.write_now(enter)
    await come_of_it(home, "enrichment")
    (person,) = home.rows("records", id=ident)
    assert person["body"]["phones"] == ["+49403344556"]
    assert person["body"]["company"]
    assert home.card() is None

    await home.desk.memory.remember(_items("The glaze is blue and has to dry for two days."), actor="test")
    found = await given(home, agent="researcher", input={"question": "How long does the glaze dry?"})
    assert found["value"]["points"][0]["slice"] == found["value"]["slices"][0]["id"]
    assert "dry for two days" in found["value"]["points"][0]["text"]
    nothing = await given(home, agent="researcher", input={"question": "zebra quartz"})
    assert nothing["came"] == "done"

    found = await given(home, agent="publisher", input={"week": "2026-11-16"})
    assert found["value"]["strange"] == []
    (document,) = home.rows("records", kind="document")
    assert document["body"]["tags"] == ["report of the week"]
    assert await roles.tending(home.desk).weekly() == []  # the home is younger than the week before

    none = await given(home, agent="competitor_watcher", input={})
    assert none["came"] == "operator" and "no page under [watch]" in none["said"]
    other = await given(home, agent="competitor_watcher", input={"page": "http://127.0.0.1:1/"})
    assert "is none of the pages" in other["said"]


def _items(text: str) -> list[Any]:
    from soloist.kernel.memory import NewMemory

    return [NewMemory(text=text, source="document", tier="session", ref="document:1", at="2026-11-01T10:00:00.000000Z")]


async def test_a_newsletter_goes_only_to_those_who_agreed_after_one_tick(house: Open) -> None:
    home = await house()
    await roles.tending(home.desk).turn()

    def enter(tx: Any) -> None:
        for name, said in (("Ada", "agreed"), ("Jonas", "no"), ("Emily", "")):
            body = {"name": name, "emails": [f"{name.lower()}@studio.example"], "newsletter": said}
            records.create(tx, "person", name, {k: v for k, v in body.items() if v}, why="test", actor="operator")
        draft = {"name": "A new logo", "text": "We drew a new logo for a ceramics studio."}
        records.create(tx, "draft", "A new logo", draft, state="ready", why="test", actor="operator")
        news = {"name": "News of November", "channel": "newsletter"}
        records.create(tx, "publication", "News of November", news, state="planned", why="test", actor="operator")

    home.app.store.write_now(enter)
    rules = StandingRules(home.desk)
    said = 'Write "mark" instead of "logo"'
    await rules.use((await rules.say(said, who="operator")).rule, who="operator")
    found = await come_of_it(home, "publisher")
    assert "We drew a new mark for a ceramics studio." in found["value"]["text"]
    assert [one["address"] for one in found["value"]["recipients"]] == ["ada@studio.example"], found
    card = home.card(type="issue")
    assert card is not None and not home.rows("proposals")
    assert f"Your rule 1, “{said}”" in card["why"]
    assert "Other subjects: “" in card["why"] and "“News of November”" not in card["why"]
    assert 1 <= len(found["value"]["subjects"]) <= 3
    await home.choose(card, "send")
    (sent,) = await home.until(home.sent)
    assert sent["To"] == "ada@studio.example" and "unsubscribe" in sent.get_content()
    (issue,) = await home.until(
        lambda: [r for r in home.rows("records", kind="publication") if r["state"] == "published"]
    )
    assert issue["body"]["published_on"]


def test_the_week_before_is_the_whole_one() -> None:
    assert tending.week_before(datetime(2026, 11, 22, 23, 30, tzinfo=UTC), "Europe/Berlin") == date(2026, 11, 16)
    assert tending.week_before(datetime(2026, 11, 22, 20, 30, tzinfo=UTC), "Europe/Berlin") == date(2026, 11, 9)


def test_new_sentences_of_a_page_are_told_and_moved_ones_are_not() -> None:
    before, now = "We build sites. Call us.", "Call us! New: a fixed price. We build sites."
    assert watching.added(before, now) == ["New: a fixed price."]


@pytest.mark.parametrize(
    ("subject", "text", "is_one"),
    [
        ("Minutes of our call", "Decision: blue.", True),
        ("Protokoll", "Beschluss: blau\nAufgabe: Angebot", True),
        ("Question", "Do you have minutes? I have a task for you.", False),
        ("Last minutes offer", "Buy now.", False),
    ],
)
def test_minutes_are_told_from_other_mail(subject: str, text: str, *, is_one: bool) -> None:
    assert tending.minutes(subject, text) is is_one


async def test_work_waits_while_a_role_is_paused(rig: Any) -> None:
    desk = rig().app.desk
    look = roles.tending(desk)
    await look.turn()
    desk.runtime.roster.states["enrichment"] = ("paused", "")
    made = {"name": "Ada", "emails": ["ada@okafor-ceramics.example"], "phones": ["040 3344556"]}
    desk.store.write_now(lambda tx: records.create(tx, "person", "Ada", made, why="test", actor="operator"))
    await look.turn()
    begun = lambda: [r for r in desk.store.read_now(_runs) if ":enrichment:" in r]  # noqa: E731
    assert begun() == []
    desk.runtime.roster.states.pop("enrichment")
    await look.turn()
    assert len(begun()) == 1


def _runs(conn: Any) -> list[str]:
    from soloist.engine.store import runs

    return runs.pending_runs(conn)


def test_asked_is_the_operators_unless_said() -> None:
    assert not Asked("planner", {}).origin.tainted


def test_a_house_in_which_nothing_repeats_gets_no_line(rig: Any) -> None:
    app = rig().app
    now, roster = datetime(2026, 11, 21, 12, tzinfo=UTC), app.desk.runtime.roster
    assert app.store.read_now(lambda conn: suggesting.suggestion(conn, now, roster.specs, roster.states)) is None
