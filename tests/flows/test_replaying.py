"""Kept runs and corrections are done again: the same with the same versions, and told apart with others."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.engine.store import trials
from soloist.flows.publishing import Publishing
from soloist.flows.replaying import Asked, Replaying
from soloist.kernel.errors import BadInput, Conflict, NotFound
from soloist.stages.runtime import kinds
from tests.flows.by_step import Shop
from tests.flows.conftest import ASKS, mail

EFFECTLESS = ("proposals", "effects", "records", "record_versions", "tasks", "messages", "approvals", "verdicts")
KINDLY = "Many thanks for"
NEVER = """
[[policy.rules]]
name = "nothing about websites"
when = 'proposal.payload.subject.contains("website")'
then = "deny"
"""


@pytest.fixture
async def shop(shop: Shop) -> Shop:
    """One enquiry whose draft was changed."""
    await shop.change(await shop.proposed(mail()), "Thank you for", KINDLY)
    return shop


async def other_templates(shop: Shop, version: str, new: str, without: str = "") -> None:
    """Another version of intake, with another phrase in its templates or a skill less; it is not put in use."""
    content = dict(shop.desk.runtime.roster.contents["intake"])
    now = shop.desk.runtime.roster.specs["intake"].version
    content["toml"] = content["toml"].replace(f'version = "{now}"', f'version = "{version}"', 1).replace(without, "", 1)
    content["templates"] = {name: text.replace("Thank you for", new) for name, text in content["templates"].items()}
    await Publishing(shop.desk).publish(content, who="operator", why="a try", use=False)


async def test_runs_come_out_the_same_and_nothing_else_is_written(shop: Shop) -> None:
    await shop.take_in(mail(ASKS, sender="Bulk <n@news.example>", ident="b@news.example", List_Id="<all.news.example>"))
    before = {name: len(shop.rows(name)) for name in EFFECTLESS}
    row, rows = await shop.tried(kind="run")
    assert (row["totals"]["same"], len(rows), row["totals"]["unexplained"]) == (2, 2, 0), rows
    skills = {step["skill"] for one in rows for step in one["detail"]["steps"]}
    assert {"read_mail", "understand", "local.classify", "runtime.kind", "draft_reply", "policy.judge"} <= skills
    assert before == {name: len(shop.rows(name)) for name in EFFECTLESS}


async def test_a_verdict_or_a_kind_that_comes_out_otherwise_is_explained(shop: Shop, monkeypatch: Any) -> None:
    (shop.app.home.root / "policy.toml").write_text(NEVER)
    shop.desk.judging.reread()
    _, (one,) = await shop.tried(kind="run")
    (why,) = one["detail"]["why"]
    assert one["outcome"] == "differs" and not one["detail"]["unexplained"]
    assert "'nothing about websites' says deny instead of ask" in why
    (shop.app.home.root / "policy.toml").unlink()
    shop.desk.judging.reread()
    monkeypatch.setattr(kinds, "again", lambda given: {**again(given), "kind": "support"})
    _, (one,) = await shop.tried(kind="run")
    assert one["detail"]["unexplained"] == ["runtime.kind", "draft_reply"] and one["outcome"] == "worse"
    monkeypatch.setattr(kinds, "VERSION", "2")
    _, (one,) = await shop.tried(kind="run")
    assert one["detail"]["why"] == ["runtime.kind@1 is runtime.kind@2 now"] and not one["detail"]["unexplained"]


again = kinds.again


async def test_a_version_is_told_from_what_is_in_use_and_a_worse_one_asks_first(shop: Shop) -> None:
    await other_templates(shop, "98", KINDLY)
    row, (one,) = await shop.tried(kind="agent", name="intake", version="98", corrected=True)
    assert one["outcome"] == "better" and one["detail"]["after"] < one["detail"]["before"], row["totals"]
    assert one["after"]["text"].count(KINDLY) == 1 and "templates of intake@98" in one["detail"]["why"]
    assert row["totals"]["distance_after"] < row["totals"]["distance_before"] and not row["totals"]["unexplained"]
    await other_templates(shop, "99", "Yo ho ho,")
    publishing = Publishing(shop.desk)
    with pytest.raises(Conflict, match="worse than what is in use on 1 of 1") as told:
        await publishing.use("intake", "99", who="operator")
    worse = told.value.extra["trial"]
    (row,) = shop.rows("trials", id=worse)
    (one,) = shop.store.read_now(lambda conn: trials.rows_of(conn, worse))
    assert (row["totals"]["worse"], row["state"], one["outcome"]) == (1, "done", "worse")
    assert "Yo ho ho" in one["after"]["text"]
    in_use = await publishing.use("intake", "99", who="operator", anyway="We are pirates now.")
    assert in_use["version"] == "99" and "pirates" in in_use["why"]


async def test_what_cannot_be_tried_says_why(shop: Shop) -> None:
    await other_templates(shop, "97", "Thank you for", without='"qualify", ')
    _, (one,) = await shop.tried(kind="agent", name="intake", version="97", corrected=True)
    assert (one["outcome"], one["detail"]["cannot"]) == ("cannot", "intake@97 may not use qualify.")
    before, replaying = shop.rows("trials"), Replaying(shop.desk)
    with pytest.raises(BadInput, match="agent, skill, model, policy, run"):
        await replaying.begin(Asked("weather"), who="operator")
    for wrong in (Asked("skill", "no_such"), Asked("model", "gpt-none"), Asked("agent", "nobody"), Asked("run", "x")):
        with pytest.raises(NotFound):
            await replaying.begin(wrong, who="operator")
    assert shop.rows("trials") == before
