"""Gates and grants in a home: what a rule may let go, what needs a grant, and that both are asked again at the door."""

from collections.abc import Callable

import pytest

from soloist.engine.store import grants, records
from soloist.flows.autonomy import Autonomy
from soloist.kernel.errors import BadInput, Conflict
from tests.flows.policy_rig import ADA, REMINDERS, Rig

ALL = '\n[[policy.rules]]\nname = "all"\nwhen = "true"\nthen = "allow"\n'
Open = Callable[..., Rig]


async def test_the_example_of_the_reference_runs_alone_without_a_grant(rig: Open):
    home = rig(REMINDERS)
    row = await home.propose()
    verdict = home.verdict(row)
    assert (row["state"], verdict["rule"], verdict["gates"]) == ("approved", "reminders may go out alone", [])
    assert home.may_leave(row) == ""


@pytest.mark.parametrize(
    ("operation", "payload", "gates"),
    [
        ("put_event", {"amount": 900, "currency": "EUR"}, ["money"]),
        ("put_event", {"amount": "9.00"}, ["money"]),
        ("create_charge", {"amount": 100, "currency": "EUR"}, ["money", "irreversible"]),
        ("notify", {"text": "x"}, ["irreversible"]),
        ("notify", {"text": "x", "to": [ADA]}, ["irreversible", "new recipient", "client contact"]),
    ],
)
async def test_a_rule_opens_no_gate(rig: Open, operation: str, payload: dict[str, object], gates: list[str]):
    home = rig(ALL)
    row = await home.propose(operation, **payload)
    assert (row["state"], home.verdict(row)["gates"]) == ("waiting", gates)
    assert 'Rule "all" allows this, but it needs your word' in home.card("proposal")["why"]


async def test_a_grant_for_money_lets_it_go_up_to_its_limit(rig: Open):
    home = rig()
    grant = home.grant("money", "irreversible", limit_minor=5000, currency="EUR")
    under = await home.propose("create_charge", amount=5000, currency="EUR")
    over = await home.propose("create_charge", amount=5001, currency="EUR")
    other = await home.propose("create_charge", amount=10, currency="USD")
    assert [row["state"] for row in (under, over, other)] == ["approved", "waiting", "waiting"]
    assert (home.verdict(under)["grant"], home.verdict(under)["gates"]) == (grant, ["money", "irreversible"])
    assert "over the limit" in home.verdict(over)["reason"]


async def test_a_revoked_grant_asks_again_right_before_it_leaves(rig: Open):
    home = rig()
    grant = home.grant("irreversible")
    row = await home.propose("notify", text="x")
    assert home.may_leave(row) == ""
    home.store.write_now(lambda tx: grants.revoke(tx, grant, "operator", "enough"))
    assert home.may_leave(row).startswith("Policy asks for your word by now")
    assert home.may_leave(row, "approve") == ""
    assert [(v["when"], v["answer"]) for v in home.rows("verdicts")] == [("proposed", "allow"), ("attempting", "ask")]
    assert [e["kind"] for e in home.rows("events") if e["subject"] == grant] == ["grant.live", "grant.revoked"]


async def test_a_grant_ends_with_its_time_and_its_daily_number(rig: Open):
    home = rig()
    home.grant("irreversible", per_day=2)
    rows = [await home.propose("notify", n=n) for n in range(3)]
    assert [row["state"] for row in rows] == ["approved", "approved", "waiting"]
    assert home.may_leave(rows[1]) == ""
    home.later(days=31)
    assert (await home.propose("notify", n=4))["state"] == "waiting"
    assert home.may_leave(rows[0])
    home.store.write_now(lambda tx: home.judging.settle(tx, who="soloist"))
    assert home.rows("grants")[0]["state"] == "expired"


async def test_deny_and_ask_win_over_a_grant(rig: Open):
    home = rig('\n[[policy.rules]]\nname = "never"\nwhen = \'proposal.payload.n == 1\'\nthen = "deny"\n')
    home.grant("irreversible")
    assert [(await home.propose("notify", n=n))["state"] for n in (1, 2)] == ["denied", "approved"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"until": ""}, "until"),
        ({"until": "2028-11-20"}, "until"),
        ({"until": "2026-01-01"}, "until"),
        ({"until": "2027-01-01", "title": ""}, "title"),
        ({"until": "2027-01-01", "colour": "red"}, "colour"),
    ],
)
def test_a_grant_that_cannot_be_is_refused(rig: Open, given: dict[str, str], field: str):
    home = rig()
    with pytest.raises(BadInput) as caught:
        home.store.write_now(lambda tx: grants.insert(tx, {"title": "x", "who": "operator", **given}))
    assert caught.value.field == field


async def test_a_known_recipient_is_not_new_although_a_script_does_not_say_so(rig: Open):
    home = rig(ALL)
    home.grant("client contact", connector="mail")
    first = await home.mail()
    assert home.verdict(first)["gates"] == ["new recipient", "client contact"]
    await home.say(first)
    assert ((await home.mail())["state"], (await home.mail("jo@x.example"))["state"]) == ("approved", "waiting")


async def test_internal_writes_go_alone_and_identity_and_own_words_ask(rig: Open):
    home = rig()
    ada = home.person(company_name="Okafor")
    assert (await home.change(ada, company_name="Okafor Ceramics"))["state"] == "approved"
    asks = [await home.change(ada, phones=["+49 40 1"]), await home.change(ada, iban="DE1")]
    assert [(row["state"], home.verdict(row)["gates"]) for row in asks] == [("waiting", ["identity"])] * 2
    home.store.write_now(lambda tx: records.write(tx, ada, 1, {"note": "kind"}, why="by hand", actor="operator"))
    own = await home.change(ada, note="unkind")
    assert (own["state"], home.verdict(own)["gates"]) == ("waiting", ["own words"])


async def test_an_internal_write_can_be_taken_back_exactly_until_somebody_changes_it_again(rig: Open):
    home = rig()
    ada = home.person(company_name="Okafor")
    row = await home.change(ada, company_name="Okafor Ceramics", role="gas")
    with pytest.raises(Conflict, match="being carried out"):
        await home.desk.undo_proposal(row["id"], who="operator")
    await home.desk.apply_change(f"proposal:{row['id']}", row["id"])
    written = home.store.read_now(lambda conn: records.history(conn, ada))[0]
    assert (written["actor"], written["body"]["role"]) == ("intake", "gas")
    await home.desk.undo_proposal(row["id"], who="operator")
    body = home.store.read_now(lambda conn: records.get(conn, ada))["body"]
    assert (body["company_name"], "role" in body) == ("Okafor", False)
    with pytest.raises(Conflict, match="changed again since"):
        await home.desk.undo_proposal(row["id"], who="operator")


async def test_a_rule_counts_what_was_sent(rig: Open):
    limit = ' && proposal.sent_hour < 2 && proposal.to_recipient_day < 5"\n'
    home = rig('\n[[policy.rules]]\nname = "few"\nthen = "allow"\nwhen = "proposal.agent == \'api:diary\'' + limit)
    states = [(await home.propose(n=n))["state"] for n in range(3)]
    home.later(hours=2)
    assert [*states, (await home.propose())["state"]] == ["approved", "approved", "waiting", "approved"]


async def test_an_agent_that_only_observes_is_told_no(rig: Open):

    home = rig(REMINDERS)
    await Autonomy(home.desk).set_level("api:diary", "undoable", "observe", who="operator")
    row = await home.propose()
    assert (row["state"], home.verdict(row)["reason"]) == (
        "denied",
        "api:diary only observes for now (undoable): nothing is sent.",
    )
