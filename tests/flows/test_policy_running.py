"""Policy in a running home: what was let go comes back when its grant ends, and a changed file counts at once."""

import pytest

from soloist.engine.store import grants
from soloist.flows import judging
from tests.flows.conftest import Open, mail

DENY = '[[policy.rules]]\nname = "closed"\nwhen = "now.hour >= 0"\nthen = "deny"\n'


async def test_a_grant_that_is_revoked_while_a_mail_is_held_brings_it_back_as_a_card(house: Open):
    home = await house(hold="3s")
    grant = home.grant("client contact", "new recipient", "new skill")
    await home.take_in(mail())
    await home.until(lambda: home.rows("effects", state="intended"))
    await home.app.store.write(lambda tx: grants.revoke(tx, grant, "operator", "enough"))
    await home.until(lambda: home.rows("proposals", state="waiting"))
    assert (home.sent(), home.rows("proposals", state="superseded")[0]["id"]) == (
        [],
        home.rows("effects")[0]["proposal"],
    )
    assert home.rows("verdicts", when="attempting")[0]["answer"] == "ask"


async def test_a_changed_file_counts_while_the_server_runs(house: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(judging, "LOOK_EVERY", 0.05)
    home = await house()
    (home.root / "policy.toml").write_text(DENY.replace("now.hour", "now.our"))
    card = await home.until(lambda: home.card(subject="policy.toml"))
    assert "policy.toml, line 3, column 12" in card["why"]
    (home.root / "policy.toml").write_text(DENY)
    await home.until(lambda: not home.card(subject="policy.toml"))
    await home.take_in(mail())
    await home.until(lambda: home.rows("proposals", state="denied"))
    assert [e["kind"] for e in home.rows("events", kind="policy.changed")] == ["policy.changed"] * 2
