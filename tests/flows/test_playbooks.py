"""Playbooks: files are published in versions, one flow carries any plan out, and a message can begin one."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from soloist.app import App
from soloist.engine.store import intents as intent_rows
from soloist.engine.store import records, releases, runs, tables, tasks
from soloist.flows import planning
from soloist.flows.giving import WORKED, item_of
from soloist.flows.intents import Intents
from soloist.flows.plans import Plans, Start, stand, take, whole
from soloist.flows.playbooks import Playbooks
from soloist.insight import playbooks as view
from soloist.insight import suggesting
from soloist.kernel.errors import BadConfig, BadInput, Conflict, NotFound
from tests.flows.conftest import House, Open, mail

BOOK = """
name = "digest"
version = "{version}"
title = "Digest of a text"
[trigger]
values = {{ text = "What is to be told" }}
[[tasks]]
id = "short"
agent = "researcher"
skill = "summary"
input = {{ text = {{ from = "trigger.text" }}, most = {most} }}
[[tasks]]
id = "points"
agent = "researcher"
skill = "key_points"
input = {{ text = {{ from = "tasks.short.value.sentences.0.text" }} }}
after = ["short"]
[[tasks]]
id = "read"
title = "Read it"
agent = "operator"
input = {{ found = {{ from = "tasks.points.said" }} }}
after = ["points"]
due = "2d"
"""
TEXT = "The bakery wants a new page. It opens in March. The oven is blue. Ada asked for an offer until Friday."


def book(version: str = "1", most: int = 1) -> str:
    return BOOK.format(version=version, most=most)


def work_done(home: Any, plan: str, task: str, **more: Any) -> None:
    """What the engine would write when the work of a task has ended."""
    agent = {"short": "researcher", "points": "researcher", "reads": "publisher"}[task]
    found = {"came": "done", "value": {"sentences": [{"text": "Hello there."}]}, "said": "Told.", "records": [], **more}
    home.store.write_now(lambda tx: runs.once(tx, f"work:{agent}:{plan}:{task}", WORKED, lambda: found))


@pytest.fixture
def home(rig: Any) -> Any:
    return rig()


async def begun(home: Any, text: str = "", **start: Any) -> tuple[Plans, str]:
    plans = Plans(home.desk)
    await plans.books.publish(text or book(), who="operator")
    made = await plans.begin("digest", Start({"text": TEXT}, **start), who="operator")
    return plans, str(made["id"])


def given(home: Any) -> list[str]:
    """The tasks of which work was given, once each."""
    return [row["id"].split(":")[-1] for row in home.rows("runs", flow="work")]


async def test_tasks_are_given_in_their_order_and_never_twice(home: Any) -> None:
    plans, plan = await begun(home, ref="one")
    assert (await plans.begin("digest", Start({"text": "x"}, ref="one"), who="operator"))["new"] is False
    for _ in range(3):  # a turn that is made again after a crash
        assert (await plans.turn(plan))["over"] is False
    assert given(home) == ["short"]
    item = home.store.read_now(lambda conn: item_of(conn, f"work:researcher:{plan}:short"))
    assert item.input == {"text": TEXT, "most": 1} and item.origin.labels == {"operator"}
    (row,) = home.rows("runs", flow="work")
    assert row["parent"] == plan, "what it costs counts for the plan too"
    work_done(home, plan, "short", origin={"labels": ["outside"], "sources": []})
    await plans.turn(plan)
    assert given(home) == ["short", "points"]
    item = home.store.read_now(lambda conn: item_of(conn, f"work:researcher:{plan}:points"))
    assert item.input == {"text": "Hello there."}
    assert "outside" in item.origin.labels, "a result from outside words keeps its origin"
    work_done(home, plan, "points")
    await plans.turn(plan)
    await plans.turn(plan)
    (card,) = home.rows("tasks", type="manual")
    assert card["title"] == "Read it" and "found: Told." in card["why"]
    home.store.write_now(lambda tx: take(tx, card, "done", "operator"))
    assert (await plans.turn(plan))["over"] is True
    (row,) = home.rows("runs", flow="plan")
    assert row["made_with"]["plan"] == {"came": "done", "tasks": 3, "done": 3, "helped": 0}
    assert len(home.rows("events", kind="plan.done")) == 1


async def test_a_plan_keeps_its_version_when_another_is_published(home: Any) -> None:
    plans, old = await begun(home, ref="old")
    await plans.books.publish(book("2", most=2), who="operator", why="longer")
    await plans.turn(old)
    new = (await plans.begin("digest", Start({"text": TEXT}, ref="new"), who="operator"))["id"]
    await plans.turn(new)
    wanted = {old: 1, new: 2}
    for plan, most in wanted.items():
        item = home.store.read_now(lambda conn, plan=plan: item_of(conn, f"work:researcher:{plan}:short"))
        assert item.input["most"] == most
    assert [row["made_with"]["playbook"] for row in home.rows("runs", flow="plan")] == ["digest@1", "digest@2"]
    await plans.books.back("digest", who="operator")
    row = home.store.read_now(lambda conn: releases.get(conn, "playbook", "digest"))
    assert (row["version"], row["before"], row["pinned"]) == ("1", "2", 1)
    with pytest.raises(Conflict, match="a version is never changed.*such as '3'"):
        await plans.books.publish(book("2", most=4), who="operator")


async def test_what_an_agent_could_not_do_is_a_card_and_goes_on_from_there(home: Any) -> None:
    plans, plan = await begun(home, ref="one")
    await plans.turn(plan)
    work_done(home, plan, "short", came="operator", value={}, said="Nothing could be read.")
    await plans.turn(plan)
    (card,) = home.rows("tasks", state="open")
    assert "Nothing could be read. The tasks after it wait." in card["why"]
    home.store.write_now(lambda tx: take(tx, card, "again", "operator"))
    await plans.turn(plan)
    assert given(home) == ["short", "1"], "the second time under an id of its own"
    work = f"work:researcher:{plan}:short:1"
    home.store.write_now(lambda tx: runs.move(tx, work, "running"))
    home.store.write_now(lambda tx: runs.move(tx, work, "failed", error="ValueError: no\n\ntrace"))
    await plans.turn(plan)
    (card,) = home.rows("tasks", state="open")
    assert card["why"].startswith("ValueError: no")
    home.store.write_now(lambda tx: take(tx, card, "end", "operator"))
    assert (await plans.turn(plan))["over"] is True
    assert home.rows("tasks", state="open") == []
    (row,) = home.rows("runs", flow="plan")
    assert row["made_with"]["plan"] == {"came": "ended", "tasks": 3, "done": 0, "helped": 1}


async def test_a_plan_whose_words_were_erased_ends(home: Any) -> None:
    plans, plan = await begun(home)
    home.store.write_now(lambda tx: tx.run(tables.run_steps.update().values(input=None)))
    assert home.store.read_now(lambda conn: whole(conn, plan)) == (None, {})
    assert (await plans.turn(plan))["over"] is True


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('agent = "researcher"\nskill = "summary"', 'agent = "reseacher"', "did you mean 'researcher'"),
        ('skill = "summary"', 'skill = "translate"', "may not use the skill translate"),
        ('skill = "summary"', "", "'most', which is not foreseen"),
        ("most = 1", 'most = "many"', "input: most: Input should be a valid integer"),
        ("most = 1", "mots = 1", "did you mean 'most'"),
        ('agent = "researcher"\nskill = "summary"', 'agent = "writer"', "say which skill"),
    ],
)
async def test_what_does_not_fit_its_agent_is_refused_with_what_would(
    home: Any, before: str, after: str, said: str
) -> None:
    assert before in book()
    with pytest.raises(BadConfig, match=said):
        await Playbooks(home.desk).publish(book().replace(before, after), who="operator")
    assert home.store.read_now(lambda conn: releases.all_of(conn, "playbook")) == []


async def test_values_that_are_missing_or_unknown_begin_nothing(home: Any) -> None:
    plans, _ = await begun(home)
    with pytest.raises(BadInput, match=r"text is missing \(What is to be told\)"):
        await plans.begin("digest", Start(), who="operator")
    with pytest.raises(BadInput, match="takes text, not 'txt'"):
        await plans.begin("digest", Start({"txt": "x"}), who="operator")
    with pytest.raises(NotFound, match="did you mean 'new-client'"):
        await plans.begin("new-clients", Start(), who="operator")
    assert len(home.rows("runs", flow="plan")) == 1


async def test_files_of_the_home_are_published_and_a_wrong_one_is_told(home: Any) -> None:
    folder, books = home.root / "playbooks", Playbooks(home.desk)
    folder.mkdir()
    (folder / "digest.toml").write_text(book())
    (folder / "wrong.toml").write_text(book())
    (wrong,) = await books.take_files()
    assert "name: 'digest', but its file is called 'wrong.toml'" in wrong
    (folder / "wrong.toml").unlink()
    (folder / "digest.toml").write_text(book(most=3))
    (told,) = await books.take_files()
    assert "published before with another content" in told and "'2'" in told
    (folder / "digest.toml").write_text(book("2", most=3))
    assert await books.take_files() == []
    row = home.store.read_now(lambda conn: releases.get(conn, "playbook", "digest"))
    assert (row["version"], row["before"]) == ("2", "1")
    assert [one["name"] for one in home.store.read_now(lambda c: releases.all_of(c, "playbook"))] == ["digest"]


async def test_a_record_that_reaches_a_state_begins_a_plan_once(home: Any) -> None:
    plans = Plans(home.desk)
    await plans.look()
    trigger = '[trigger]\nby = "record"\nkind = "offer"\nstate = "accepted"\n'
    text = '[[tasks]]\nid = "a"\nagent = "operator"\ntitle = "Begin"\ninput = {offer = {from = "trigger.title"}}\n'
    head = 'name = "won"\nversion = "1"\ntitle = "An offer was accepted"\n'
    await plans.books.publish(head + trigger + text, who="operator")
    await plans.look()

    def changed(record: str, version: int, state: str) -> None:
        body = {"subject": "Website", "text": f"{version}"}
        home.store.write_now(lambda tx: records.write(tx, record, version, body, state=state, why="t", actor="test"))

    made = {"why": "t", "actor": "test"}
    offer = home.store.write_now(lambda tx: records.create(tx, "offer", "Website", {"subject": "Website"}, **made))
    changed(offer, 1, "sent")
    await plans.look()
    assert home.rows("runs", flow="plan") == []
    changed(offer, 2, "accepted")
    changed(offer, 3, "accepted")
    assert await plans.look() is True
    await plans.look()
    (plan,) = home.rows("runs", flow="plan")
    await plans.turn(plan["id"])
    (card,) = home.rows("tasks", type="manual")
    assert "offer: Website" in card["why"] and plan["subject"] == offer


async def test_a_plan_that_went_well_is_kept_and_offered_when_it_repeats(home: Any) -> None:
    books, lines = Playbooks(home.desk), ["Book the stand", "Print the cards"]

    def carried_out(n: int, *, well: bool = True) -> str:
        def work(tx: Any) -> str:
            told = [planning.Line(text).told() for text in lines]
            options = [planning.TAKE, planning.NONE]
            card = tasks.open_card(
                tx, f"list{n}", "list", "Tasks for your goal: fair", detail={"lines": told}, options=options
            )
            done = planning.tick(tx, card, "take", [0, 1], who="operator")
            for task in done["tasks"] if well else []:
                tasks.close(tx, task, "done", {"option": "done"}, actor="operator")
            return card

        return str(home.store.write_now(work))

    def offered() -> list[tuple[str, int]]:
        return [(one.card, one.times) for one in home.store.read_now(lambda c: view.likely(c, view.titles(c)))]

    first = carried_out(1)
    with pytest.raises(Conflict, match="Nothing of this plan was done"):
        await books.save(carried_out(2, well=False), "fair", who="operator")
    assert offered() == [(first, 1)]
    carried_out(3)
    month = (home.moment.replace(day=28) + timedelta(days=5)).replace(day=2)
    look = lambda: home.store.read_now(lambda c: suggesting.suggestion(c, month, {}, {}))  # noqa: E731
    assert look() is None, "twice is no habit"
    newest = carried_out(4)
    assert offered() == [(newest, 3)] and "3 plans like it" in look().text
    made = await books.save(newest, "fair", who="operator")
    assert (made["name"], made["version"]) == ("fair", "1")
    kept, _ = books.read(home.root / "playbooks/fair.toml")
    assert [(task.title, task.agent, task.due) for task in kept.tasks] == [(text, "operator", "7d") for text in lines]
    assert offered() == [] and look() is None, "what is kept is not offered again"
    with pytest.raises(Conflict, match="already"):
        await books.save(newest, "fair", who="operator")


# ----- with an engine


async def test_a_plan_is_carried_out_by_agents_and_the_operator(house: Open) -> None:
    home = await house()
    plans = Plans(home.desk)
    await plans.books.publish(book(), who="operator")
    plan = (await plans.begin("digest", Start({"text": TEXT}), who="operator"))["id"]
    card = await home.until(lambda: home.card(type="manual"))
    done = await home.choose(card, "done")
    assert done["plan"] == plan
    await home.until(lambda: [row for row in home.rows("runs", flow="plan") if row["state"] == "done"])
    (row,) = home.rows("runs", flow="plan")
    assert row["made_with"]["plan"] == {"came": "done", "tasks": 3, "done": 3, "helped": 0}
    assert len(home.rows("runs", flow="work", parent=plan)) == 2


async def test_a_plan_goes_on_after_the_process_ended(house: Open) -> None:
    home = await house()
    plans = Plans(home.desk)
    await plans.books.publish(book(), who="operator")
    plan = (await plans.begin("digest", Start({"text": TEXT}), who="operator"))["id"]
    await home.app.stop()  # wherever it was just then
    home.app.close()
    home.app = App(home.root)  # the fixture ends it
    home.desk = home.app.desk
    await home.app.start()
    await home.choose(await home.until(lambda: home.card(type="manual")), "done")
    await home.until(lambda: home.rows("runs", id=plan)[0]["state"] == "done")
    assert len(home.rows("runs", flow="work")) == 2 and len(home.rows("events", kind="work.given")) == 2


async def test_a_mail_begins_the_playbook_its_intent_leads_to(house: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    home: House = await house()
    assert "new-client" in Intents(home.desk).targets("playbook")
    shown = {"name": "join", "title": "They want to begin", "lead": "playbook", "target": "new-client"}
    await Intents(home.desk).keep({**shown, "examples": ["We want to work with you."]}, who="operator")
    assert home.app.store.read_now(lambda conn: intent_rows.get(conn, "join"))["target"] == "new-client"
    way = {"intent": "join", "lead": "playbook", "target": "new-client", "why": "It reads like your examples."}

    async def sure(_self: Any, _run: str, _message: str) -> dict[str, Any]:
        return way

    monkeypatch.setattr(Intents, "first", sure)
    run = await home.take_in(mail())
    assert run["state"] == "done", run["error"]
    card = await home.until(lambda: home.card(type="manual"))
    assert card["title"].startswith("Agree on scope") and "we need a new website" in card["why"]
    (plan,) = home.rows("runs", flow="plan")
    assert plan["id"].startswith("plan:new-client:") and plan["made_with"]["playbook"] == "new-client@1"
    works = home.rows("runs", flow="work", parent=plan["id"])
    assert sorted(row["id"].split(":")[1] for row in works) == [
        "crm_keeper",
        "enrichment",
        "researcher",
        "support_triage",
    ]
    for row in works:
        item = home.app.store.read_now(partial(item_of, run=row["id"]))
        assert item.origin.tainted, "what came from the mail is from outside in every task"
    assert home.rows("proposals") == [], "nothing is sent by it"
    await home.choose(card, "end")
    await home.until(lambda: home.rows("runs", flow="plan")[0]["state"] == "done")
    assert home.app.store.read_now(lambda c: stand(c, plan["id"], whole(c, plan["id"])[0].tasks[-2])).state == "to do"
