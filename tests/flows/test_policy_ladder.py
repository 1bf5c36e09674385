"""The ladder in a home: trust is earned by straight approvals, offered as a grant, lost with the first correction."""

from collections.abc import Callable
from typing import Any

import pytest

from soloist.engine.store import autonomy, samples
from soloist.kernel.errors import NotFound
from tests.flows.policy_rig import Rig

Open = Callable[..., Rig]
AGENT = "api:diary"


async def straight(home: Rig, count: int) -> None:
    for _ in range(count):
        await home.say(await home.propose())


def head_start(home: Rig, operations: str, count: int, agent: str = AGENT) -> None:
    """As if so many had been approved straight."""
    row = {**rung(home, operations, agent), "straight": count}
    home.store.write_now(lambda tx: autonomy.put(tx, row, who="operator"))


def proved(home: Rig, count: int, skill: str = "draft_reply") -> None:
    """As if so much of what a skill wrote had been approved."""

    def work(tx: Any) -> None:
        for number in range(count):
            told = {"language": "en", "grouping": "enquiry", "confidence": 10_000, "label": "mail.send", "alone": 0}
            samples.judge(tx, samples.tell(tx, f"{skill} {number}", skill, **told), "approved", right=True)

    home.store.write_now(work)


async def earned(home: Rig) -> None:
    """Eleven straight approvals."""
    head_start(home, "undoable", 10)
    await straight(home, 1)


def rung(home: Rig, operations: str = "undoable", agent: str = AGENT) -> dict[str, Any]:
    return home.store.read_now(lambda conn: autonomy.get(conn, agent, operations))


async def test_eleven_straight_approvals_are_offered_and_not_ten(rig: Open):
    home = rig()
    await straight(home, 10)
    assert home.card("grant") is None
    await straight(home, 1)
    card = home.card("grant")
    assert "11 of 11" in card["why"]
    assert "at least 80 %" in card["why"].replace("80%", "80 %")
    assert [option["name"] for option in card["options"]] == ["grant", "not_now"]
    assert "at most 10 in 24 hours" in card["options"][0]["consequence"]


async def test_a_grant_that_is_given_lets_ten_a_day_go_and_says_so(rig: Open):
    home = rig()
    await earned(home)
    await home.choose(home.card("grant"), "grant")
    rows = [await home.propose() for _ in range(11)]
    assert [row["state"] for row in rows] == ["approved"] * 10 + ["waiting"]
    assert "10 times in 24 hours" in home.verdict(rows[10])["reason"]
    (grant,) = home.rows("grants")
    assert (grant["state"], grant["level"], grant["mode"], rung(home)["level"]) == (
        "live",
        "limited",
        "revert",
        "limited",
    )
    assert home.may_leave(rows[0]) == ""


@pytest.mark.parametrize("said", ["reject", "edit"])
async def test_a_correction_takes_a_grant_away_at_once(rig: Open, said: str):
    home = rig()
    await earned(home)
    await home.choose(home.card("grant"), "grant")
    gone, *_ = [await home.propose() for _ in range(10)]
    asks = await home.propose()
    edits = {"edits": {"title": "Other"}} if said == "edit" else {}
    await home.say(asks, "reject" if said == "reject" else "approve", **edits)
    assert (home.rows("grants")[0]["state"], rung(home)["level"], rung(home)["straight"]) == ("lost", "propose", 0)
    assert home.may_leave(gone).startswith("Policy asks for your word by now")
    assert (await home.propose())["state"] == "waiting"


async def test_taking_one_back_is_a_correction(rig: Open):
    home = rig()
    await earned(home)
    await home.choose(home.card("grant"), "grant")
    row = await home.propose()
    await home.desk.undo_proposal(row["id"], who="operator")
    assert home.rows("grants")[0]["state"] == "lost"


async def test_an_offer_is_off_the_table_after_a_correction(rig: Open):
    home = rig()
    await earned(home)
    await home.say(await home.propose(), "reject")
    assert (home.card("grant"), home.rows("grants")[0]["state"]) == (None, "declined")


async def test_not_now_doubles_the_number_before_the_next_offer(rig: Open):
    home = rig()
    await earned(home)
    await home.choose(home.card("grant"), "not_now")
    await straight(home, 10)
    assert home.card("grant") is None
    await straight(home, 1)
    assert "22 of 22" in home.card("grant")["why"]


async def test_the_same_number_again_offers_the_full_rung(rig: Open):
    home = rig()
    await earned(home)
    await home.choose(home.card("grant"), "grant")
    [await home.propose() for _ in range(10)]
    await straight(home, 11)
    await home.choose(home.card("grant"), "grant")
    assert [(g["state"], g["level"], g["per_day"]) for g in home.rows("grants")] == [
        ("revoked", "limited", 10),
        ("live", "full", 0),
    ]
    assert {(await home.propose())["state"] for _ in range(12)} == {"approved"}


@pytest.mark.parametrize(("operation", "payload"), [("create_charge", {"amount": 1}), ("notify", {"text": "x"})])
async def test_money_and_what_cannot_be_undone_are_never_offered(rig: Open, operation: str, payload: dict[str, Any]):
    home = rig()
    head_start(home, "other", 500)
    await home.say(await home.propose(operation, **payload))
    assert (home.rows("grants"), rung(home, "other")["straight"]) == ([], 501)


async def test_mail_to_clients_needs_fifty_two_and_opens_only_client_contact(rig: Open):
    home = rig()
    head_start(home, "client mail", 50)
    await home.say(await home.mail())
    assert home.card("grant") is None
    await home.say(await home.mail())
    await home.choose(home.card("grant"), "grant")
    assert ((await home.mail())["state"], (await home.mail("new@x.example"))["state"]) == ("approved", "waiting")


async def test_template_mail_on_known_threads_goes_alone_after_twenty_five_and_is_held(rig: Open):
    home = rig()
    head_start(home, "template mail", 24, "intake@1")
    proved(home, 24)
    await home.say(await home.reply())
    assert "at least 90%" in home.card("grant")["why"]
    await home.choose(home.card("grant"), "grant")
    row = await home.reply()
    assert (row["state"], row["hold_ms"]) == ("approved", 600_000)
    asks = [await home.reply(thread_known=False), await home.reply(questions=({"text": "When?"},))]
    assert [(r["state"], home.verdict(r)["gates"]) for r in asks] == [
        ("waiting", ["client contact", "new skill"]),
        ("waiting", ["client contact", "unsure"]),
    ]


async def test_a_new_skill_asks_whatever_is_granted_and_writes_inside_with_audit(rig: Open):
    home = rig()
    home.grant("client contact", connector="mail", title="all mail")
    first = await home.reply()
    assert (first["state"], home.verdict(first)["gates"]) == ("waiting", ["client contact", "new skill"])
    assert 'Grant "all mail" does not cover this: it says nothing about new skill.' in home.verdict(first)["reason"]
    inside = home.verdict(await home.change(home.person(), note="likes blue"))
    assert (inside["answer"], inside["mode"], inside["gates"]) == ("allow", "audit", [])
    proved(home, 24)
    await home.say(first)
    assert (await home.reply())["state"] == "approved", "25 right decisions prove template mail"
    await home.say(await home.reply(thread_known=False), "reject", reason="not like this")
    fresh = await home.reply(evidence={"template": "", "skill": "draft_by_model"})
    assert fresh["state"] == "waiting", "another skill of the same agent is as new as ever"


async def test_a_deferred_card_and_the_house_itself_teach_nothing(rig: Open):
    home = rig()
    row = await home.propose()
    await home.say(row, "defer")
    await home.store.write(lambda tx: home.desk.approvals.withdraw(tx, row["id"], actor="soloist", why="over"))
    assert rung(home)["decided"] == 0


async def test_an_unknown_card_of_a_grant_is_not_found(rig: Open):
    with pytest.raises(NotFound):
        await rig().choose({"id": "nothing"}, "grant")
