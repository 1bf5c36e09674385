"""Policy as pages over a real home: a sentence said on a card is tried on the past, then holds; grants end at once."""

import pytest

from soloist.engine.store import grants, policies
from soloist.kernel.origin import OWN
from soloist.kernel.proposal import NewProposal

ADA = "ada@okafor-ceramics.example"


@pytest.fixture
def proposal(app) -> str:
    """A mail of an agent that waits."""
    new = NewProposal(
        id="00000000-0000-5000-8000-000000000001",
        connector="mail",
        operation="mail.send",
        payload={"to": [ADA], "subject": "Your photos", "body": "They are ready."},
        reason="The photos are ready",
        source="agent:intake",
        agent="intake@1",
        origin=OWN,
    )
    facts = app.desk.facts("mail", "mail.send")
    made = app.store.write_now(lambda tx: app.desk.approvals.propose(tx, new, facts, actor="intake@1"))
    assert made["state"] == "waiting"
    return new.id


def test_a_sentence_is_tried_on_the_past_and_then_holds(app, real_console, proposal):
    assert "Let these go until" in real_console.get(f"/policy/of/{proposal}").text
    said = {"sentence": "until", "blank.until": str(app.store.clock().date()), "act": "try"}
    tried = real_console.post(f"/policy/of/{proposal}", data=said)
    assert "1 of the last 1 proposals would go differently" in tried.text
    assert app.store.read_now(grants.live) == []
    assert real_console.post(f"/policy/of/{proposal}", data={**said, "act": "keep"}).status_code == 303
    (grant,) = app.store.read_now(grants.live)
    assert (grant["gates"], grant["agent"]) == (["new recipient", "client contact"], "intake@1")
    assert "Let these go until" in real_console.get("/policy").text
    assert real_console.post(f"/policy/grants/{grant['id']}/end").status_code == 303
    assert app.store.read_now(grants.live) == []


def test_a_wrong_blank_is_named_and_nothing_holds(app, real_console, proposal):
    said = {"sentence": "until", "blank.until": "soon", "act": "keep"}
    answer = real_console.post(f"/policy/of/{proposal}", data=said)
    assert (answer.status_code, "until: a day like" in answer.text) == (422, True)
    assert app.store.read_now(grants.live) == []


def test_a_rule_is_tried_put_in_force_and_taken_out(app, real_console, proposal):
    rule = {"name": "never to Ada", "when": f'proposal.recipients.exists(one, one == "{ADA}")', "then": "deny"}
    tried = real_console.post("/policy/rules", data={**rule, "act": "try"})
    assert "1 of the last 1 proposals would go differently" in tried.text
    assert (app.home.root / "policy.toml").exists() is False
    assert real_console.post("/policy/rules", data={**rule, "act": "keep"}).status_code == 303
    assert "never to Ada" in (app.home.root / "policy.toml").read_text()
    assert app.store.read_now(policies.current)["version"] == app.judging.rules.version
    assert "never to Ada" in real_console.get("/policy").text
    assert real_console.post("/policy/rules/out", data={"name": "never to Ada"}).status_code == 303
    assert [rule.name for rule in app.judging.rules.written] == []


def test_an_unknown_field_is_refused_with_its_place(app, real_console):
    rule = {"name": "prizes", "when": "proposal.prize > 3", "then": "ask", "act": "keep"}
    answer = real_console.post("/policy/rules", data=rule)
    assert answer.status_code == 422
    assert "line" in answer.text
    assert "proposal.amount_minor" in answer.text
    assert app.judging.rules.written == []
