"""Every rule that routes on one page: read from code and settings, each with the place where it is changed."""

from __future__ import annotations

from soloist.engine.local.model import KINDS
from soloist.kernel.inbound import STARTS
from soloist.stages.policy import GATES

RULE = '[[policy.rules]]\nname = "no gambling"\nwhen = "proposal.connector == \'shop\'"\nthen = "deny"\n'


def test_every_rule_that_routes_is_there_with_its_place(app, real_console):
    text = real_console.get("/routing").text
    said = [*(kind.capitalize() for kind in KINDS), *STARTS, *(gate.capitalize() for gate in GATES)]
    assert [one for one in said if one not in text] == []
    assert [name for name in app.desk.connections if f"{name}: " not in text] == []
    assert [name for name in app.settings.forms if f"/f/{name}" not in text] == []
    assert [subject for subject in app.desk.takers if subject.replace("_", " ").capitalize() not in text] == []
    for place in ("[intake] reply_within", "[attention] windows", "[mail] hold", "Canonical"):
        assert place in text


def test_a_rule_of_the_operator_stands_on_it(app, real_console):
    (app.home.root / "policy.toml").write_text(RULE)
    app.judging.reread()
    text = real_console.get("/routing").text
    assert "no gambling" in text
    assert "deny when" in text
    assert 'href="/routing"' in real_console.get("/settings").text
