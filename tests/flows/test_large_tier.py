"""The large tier in a running house: held letters never go alone, other work stays with a smaller one and says why."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from soloist.insight import runs
from soloist.stages.policy import gates
from soloist.stages.runtime.models import wire
from tests.flows.conftest import House, Open
from tests.flows.test_written_by_model import provider, says, work_of  # noqa: F401  # fixture


async def opened(house: Open, provider: Any, *, small: bool = True) -> House:  # noqa: F811
    """A house whose writer may use the large tier, with a large model and, unless left out, a small one."""
    price = 'price = { input = "1", output = "4", currency = "EUR" }'
    part = f'base_url = "{provider.url}"\nallow_private_network = true\ntimeout = "60s"\n{price}'
    models = f'[models.big]\n{part}\nmodel = "huge"\ntier = 4\n'
    wire.load()
    home = await house(models + (f'[models.small]\n{part}\nmodel = "tiny"\n' if small else ""))
    home.until = partial(home.until, seconds=90.0)  # type: ignore[method-assign]  # a model is slower than rules
    specs = home.desk.runtime.roster.specs
    for name in ("intake", "writer"):
        specs[name] = specs[name].model_copy(update={"tier": 4})
    return home


async def test_a_letter_of_the_large_tier_waits_whatever_rule_allows_it(house: Open, provider: Any) -> None:  # noqa: F811
    provider.reply = says()
    home = await opened(house, provider)
    proposal = await home.proposed()
    assert {body["model"] for body in provider.asked} == {"huge"}
    assert (proposal["state"], proposal["evidence"]["large"]) == ("waiting", "held")
    (verdict,) = home.rows("verdicts", proposal=proposal["id"])
    assert (verdict["answer"], "large model" in verdict["gates"]) == ("ask", True)
    assert "the letter waits for your word" in work_of(home)[0]["why"]
    assert "large model" in gates.SHUT, "no rule and no grant opens it"


async def test_work_that_waits_for_nobody_stays_with_the_smaller_and_says_why(
    house: Open,
    provider: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider.reply = says()
    home = await opened(house, provider)
    replying = home.desk.runtime._replying
    item = replying._item
    monkeypatch.setattr(replying, "_item", lambda *given, **more: item(*given, **{**more, "held": False}))
    proposal = await home.proposed()
    assert {body["model"] for body in provider.asked} == {"tiny"}
    assert "large" not in proposal["evidence"]
    first = work_of(home)[0]
    assert [(one["model"], one["fault"]) for one in first["tries"]] == [("big", "large")]
    assert "its worth is not shown" in first["tries"][0]["said"]
    page = home.app.store.read_now(lambda conn: runs.run(conn, proposal["run"]))
    assert "its worth is not shown" in page.work[0].tries[0]
    (card,) = home.rows("tasks", subject_kind="large")
    assert card["title"] == "Try the large model for writer?"


async def test_with_no_smaller_model_it_is_the_template(house: Open, provider: Any, monkeypatch: Any) -> None:  # noqa: F811
    home = await opened(house, provider, small=False)
    replying = home.desk.runtime._replying
    item = replying._item
    monkeypatch.setattr(replying, "_item", lambda *given, **more: item(*given, **{**more, "held": False}))
    proposal = await home.proposed()
    assert (provider.asked, proposal["evidence"]["author"]) == ([], "rules")
