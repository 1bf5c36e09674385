"""What the operator corrects is kept with its context, offered as wording, and the next like drafts need less."""

from __future__ import annotations

from datetime import timedelta
from statistics import mean
from typing import Any

from soloist.engine.store import calls, corrections
from soloist.flows.corrections import Corrections, Kept, examples, offered
from soloist.insight.corrections import figures
from soloist.kernel.work import WorkItem
from soloist.stages.runtime import wording
from tests.flows.by_step import Shop
from tests.flows.conftest import ASKS, mail
from tests.stages.memory.small_memory import Model

PEOPLE = ("Emily Carter", "Tom Marsh", "Ruth Field", "Ben Hollow", "Ida Stone")


async def enquiry(shop: Shop, name: str) -> dict[str, Any]:
    """The proposal on an enquiry of somebody new."""
    word = name.split()[-1].lower()
    text = ASKS.replace("Emily Carter", name)
    return await shop.proposed(mail(text, sender=f"{name} <{word}@{word}.example>", ident=f"one@{word}.example"))


async def test_an_edit_and_a_rejection_are_kept_and_an_approval_is_none(shop: Shop) -> None:
    proposal = await enquiry(shop, PEOPLE[0])
    await shop.change(proposal, "Hi Emily", "Hello Emily")
    (row,) = shop.store.read_now(corrections.listed)
    assert (row["kind"], row["skill"], row["sort"], row["language"]) == ("edit", "draft_reply", "enquiry", "en")
    assert row["context"] == proposal["context"] and row["input"]["made_with"]["agent"].startswith("intake@")
    assert 0 < row["distance"] < 50 and row["wanted"]["body"].startswith("Hello Emily")
    assert row["input"]["message"].startswith("Hello Mara,")
    made = shop.store.read_now(lambda conn: calls.whole(conn, row["input"]["calls"]))
    draft = next(call for call in made if call["skill"] == "draft_reply")
    assert draft["output"]["body"] == proposal["payload"]["body"] == row["given"]["body"]
    assert draft["version"] and "Hamburg" in draft["input"]["house_book"]
    await shop.say(await enquiry(shop, PEOPLE[1]))
    await shop.say(await enquiry(shop, PEOPLE[2]), "reject", reason="We do not work with competitors.")
    (row, _) = shop.store.read_now(corrections.listed)
    assert (row["kind"], row["reason"], row["distance"]) == ("reject", "We do not work with competitors.", 1000)
    shown = shop.store.read_now(lambda conn: examples(conn, "draft_reply", "enquiry", "en"))
    assert [one["reason"] for one in shown] == [row["reason"], ""]


async def test_the_same_edit_again_and_again_becomes_the_wording_and_less_is_changed(shop: Shop) -> None:
    for name in PEOPLE[:3]:
        first = name.split()[0]
        await shop.change(await enquiry(shop, name), f"Hi {first}", f"Good morning {first}")
    before = [row["distance"] for row in shop.store.read_now(corrections.listed)]
    (offer,) = shop.store.read_now(offered)
    assert (offer.change.old, offer.change.new) == ("Hi {first},", "Good morning {first},") and len(offer.cases) == 3
    given = {"skill": offer.skill, "language": offer.language, "old": offer.change.old, "new": offer.change.new}
    await Kept(shop.desk).use(given, who="operator")
    assert shop.store.read_now(offered) == []
    shop.past, after = timedelta(days=7), []
    for name in PEOPLE[3:]:
        proposal = await enquiry(shop, name)
        wanted = proposal["payload"]["body"].replace(f"Hi {name.split()[0]}", f"Good morning {name.split()[0]}")
        after.append(wording.distance(proposal["payload"]["body"], wanted))
        await shop.say(proposal)
    assert mean(after) == 0 < mean(before)
    (figure,) = shop.store.read_now(figures)
    assert [(period.drafts, period.as_is) for period in figure.periods] == [(3, 0), (2, 2)]
    assert figure.said.startswith("2 of 2 drafts went as they were") and "less than in" in figure.said


CASES = (
    "the kiln broke on its first day",
    "our logo looks blurred in print",
    "when is the shop open",
    "a kiln for rent",
)


async def test_a_model_is_told_of_the_cases_that_are_nearest_in_meaning(shop: Shop) -> None:
    model = Model()
    shop.desk.memory.worker = model
    for n, text in enumerate(CASES):
        new = {"skill": "draft_reply", "language": "en", "reason": f"because of {n}", "about": {"message": text}}
        kept = corrections.NewCorrection("reject", f"p{n}", {"body": "x"}, {}, 1000, "operator", sort="support", **new)
        shop.store.write_now(lambda tx, kept=kept: corrections.note(tx, kept))
    given = {"text": "the kiln broke again on its second day", "language": "en", "kind": "support"}
    item, learning = WorkItem("r", "w", "writer", "draft_reply", given), Corrections(shop.desk)
    near = [one["reason"] for one in await learning.cases(item)]
    assert near[0] == "because of 0" and len(near) == 3
    model.broken = "kiln"
    assert (await learning.cases(item))[0]["reason"] == "because of 0"
