"""Failures: one row and one card a fault, tries without the operator, what is set aside, what the engine gave up."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from soloist.engine.durable import suspects
from soloist.engine.store import failures
from soloist.flows import failing, troubles
from soloist.kernel.errors import NotFound
from tests.flows.conftest import House, Open, mail

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def cases(*minutes_ago: float, origin: str = "intake:1") -> list[dict[str, str]]:
    return [
        {"run": origin, "origin": origin, "at": (NOW - timedelta(minutes=m)).isoformat(), "next": ""}
        for m in minutes_ago
    ]


def test_two_tries_then_a_word_then_aside():
    assert failing.decide(cases(0), "intake:1", NOW) == ("retry", 60.0)
    assert failing.decide(cases(2, 0), "intake:1:again:x", NOW) == ("retry", 600.0)
    assert failing.decide(cases(14, 12, 0), "intake:1:again:y", NOW) == ("tell", 0.0)
    many = [case for n in range(5) for case in cases(n, origin=f"intake:{n}")]
    assert failing.decide(many, "intake:0", NOW) == ("set aside", 0.0)


def fault(text: str) -> Exception:
    try:
        raise NotFound(text)
    except NotFound as error:
        return error


def test_the_same_fault_with_other_inputs_is_the_same_fault():
    one, two = (
        fault("There is no mail 'a' of ada@okafor.example (17)"),
        fault("There is no mail 'b' of jo@x.example (4)"),
    )
    assert failing.signature(one) == failing.signature(two)
    assert failing.signature(one) != failing.signature(fault("The house book is gone"))


def spoiled(home: House) -> Path:
    """Make every intake fail."""
    book = home.root / "house-book.md"
    shutil.copy(book, home.root / "kept.md")
    book.unlink()
    book.mkdir()
    return book


def mend(home: House, book: Path) -> None:
    book.rmdir()
    (home.root / "kept.md").rename(book)


async def test_ten_of_the_same_are_one_failure_and_nothing_is_lost(house: Open):
    home = await house()
    book = spoiled(home)
    for number in range(5):
        await home.take_in(mail(ident=f"m{number}@carter-bakery.example"))
    (row,) = home.rows("failures")
    card = home.card(type="failure")
    assert card
    assert (row["times"], row["state"], card["waits_for"], len(row["runs"])) == (5, "quarantined", "operator", 5)
    assert "Traceback" in row["trace"]
    assert home.app.store.read_now(failures.held) == ["intake"]
    folder = home.root / "mail/in"
    (folder / "tmp/held.eml").write_bytes(mail(ident="held@carter-bakery.example").as_bytes())
    (folder / "tmp/held.eml").rename(folder / "new/held.eml")
    await home.until(lambda: home.rows("runs", flow="intake", state="pending"))
    mend(home, book)
    await home.choose(card, "retry")
    await home.until(lambda: len(home.rows("runs", flow="intake", state="done")) == 6)
    assert len(home.rows("messages")) == 6
    assert home.rows("failures")[0]["state"] == "closed"


async def test_a_try_that_works_closes_the_failure_by_itself(house: Open):
    home = await house()
    book = spoiled(home)
    await home.take_in(mail())
    mend(home, book)

    def due(tx) -> None:
        (row,) = failures.listed(tx.conn, ["open"])
        failures.keep(tx, row["id"], [{**case, "next": tx.now} for case in row["runs"]])

    await home.app.store.write(due)
    await troubles.Supervisor(home.app.store, nothing_dead).once()
    await home.until(lambda: home.rows("failures")[0]["state"] == "closed")
    (card,) = home.rows("tasks", type="failure")
    assert (card["state"], card["decision"]["reason"]) == ("withdrawn", "It worked when it was tried again.")


async def nothing_dead() -> list[tuple[str, str]]:
    return []


async def test_a_run_the_engine_gave_up_is_on_the_board(house: Open):
    home = await house()
    proposal = await home.proposed()
    run = f"proposal:{proposal['id']}"
    given_up = sa.text("UPDATE workflow_status SET status='MAX_RECOVERY_ATTEMPTS_EXCEEDED' WHERE workflow_uuid=:run")
    # The library may not have taken the run up yet when the card is there.
    await home.until(lambda: home.rows("runs", id=run)[0]["state"] == "waiting")
    home.app.store.write_now(lambda tx: tx.run(given_up, {"run": run}))
    await troubles.Supervisor(home.app.store, home.app.engine.dead_letters).once()
    (row,) = home.rows("failures")
    assert "given it up" in row["why"]
    assert home.rows("runs", id=run)[0]["state"] == "failed"


async def test_a_suspect_counts_only_ends_in_the_middle_of_itself(house: Open):
    home = await house()
    store, run = home.app.store, "intake:poison"

    def ends() -> int:
        return store.write_now(lambda tx: suspects.count(tx, [run]))[run]

    assert [ends(), ends(), ends(), ends(), ends()] == [1, 2, 3, 3, 3]
    for wanted in (4, 5):
        store.write_now(lambda tx: suspects.goes_on(tx, run))
        assert ends() == wanted
    assert store.write_now(lambda tx: suspects.count(tx, [])) == {}


async def test_the_first_fault_waits_on_the_board_and_not_in_the_inbox(house: Open):
    home = await house()
    spoiled(home)
    await home.take_in(mail())
    assert [row["waits_for"] for row in home.rows("tasks", type="failure")] == ["board"]
