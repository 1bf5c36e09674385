"""Prompts and answers of people leave with them and with time; what the calls cost stays; secrets are never there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from soloist.engine.store import dumping, erasing, model_calls, recordings, records, retention, spent
from soloist.engine.store.clock import later
from soloist.engine.store.store import Store
from soloist.engine.store.tables import records as record_rows
from soloist.engine.store.tables import runs
from soloist.engine.store.tables_spend import model_calls as calls
from soloist.engine.store.tables_spend import recordings as kept
from soloist.kernel.spend import Payer
from soloist.stages.memory import retaining
from soloist.stages.runtime.models import Models, Question

Make = Callable[..., Models]
NAME = "Zebulon Quartzmire"


def person(store: Store) -> str:
    def work(tx: Any) -> str:
        zeb = records.create(tx, "custom", "x", {}, why="x")
        tx.run(record_rows.update().where(record_rows.c.id == zeb).values(kind="person", title=NAME))
        about = {"flow": "reply", "input": zeb, "subject": zeb, "started": tx.now, "ended": tx.now, "state": "done"}
        tx.run(runs.insert(), {"id": "theirs", **about})
        return zeb

    return store.write_now(work)


def erase(store: Store, folder: Path) -> None:
    who = store.read_now(lambda conn: erasing.subject(conn, NAME))
    told = {"erasure": "e1", "keyed": "k", "actor": "operator", "folder": folder}
    store.write_now(lambda tx: (erasing.take_out(tx, who, **told), None)[1])


def everything(store: Store) -> str:
    def read(conn: Any) -> str:
        return "".join(str(tuple(row)) for table in (calls, kept) for row in conn.execute(sa.select(table)))

    return store.read_now(read)


async def ask(models: Models, run: str, text: str, **more: Any) -> None:
    await models.ask(Question("Be short.", text), Payer(run, "draft", agent="writer", **more))


async def test_what_was_asked_for_a_person_leaves_with_them_and_keeps_its_sums(
    store: Store, house: Make, provider: Any, tmp_path: Path
) -> None:
    zeb, models = person(store), house()
    provider.reply = lambda _p, body: f"About {body['messages'][-1]['content'][-9:]}"
    await ask(models, "theirs", "He wants a green door.")
    await ask(models, "another", "He wants a red roof.", client=zeb)
    await ask(models, "of others", f"Ada met {NAME} at noon.")
    await ask(models, "of nobody", "What is a ceiling?")
    before = store.read_now(lambda conn: spent.read(conn, [spent.GATE]))
    cost = [row["cost_micro"] for row in store.read_now(lambda conn: model_calls.listed(conn))]
    erase(store, tmp_path)
    left = everything(store)
    assert [word for word in (NAME, "green door", "red roof") if word in left] == []
    assert "What is a ceiling?" in left
    assert store.read_now(lambda conn: spent.read(conn, [spent.GATE])) == before
    rows = store.read_now(lambda conn: model_calls.listed(conn))
    assert [row["cost_micro"] for row in rows] == cost
    assert store.read_now(lambda conn: recordings.figures(conn))["recordings"] == 2


async def test_texts_leave_by_the_policy_of_retention_and_sums_stay(store: Store, house: Make) -> None:
    await ask(house(), "r1", "Something said in May.")
    days = retaining.defaults()

    def work(tx: Any, now: str) -> list[int]:
        at = retention.moment(tx.conn, now, days)
        jobs = [job for job in retention.jobs([]) if job.rule == "models.texts"]
        return [retention.some_of(tx, job, at)[0] for job in jobs]

    now = store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert store.write_now(lambda tx: work(tx, now)) == [0, 0]
    assert store.write_now(lambda tx: work(tx, later(now, 86_400 * (days["models.texts"] + 1)))) == [1, 1]
    assert "Something said" not in everything(store)
    assert store.read_now(lambda conn: model_calls.listed(conn))[0]["cost_micro"] > 0


async def test_calls_and_recordings_are_in_a_copy_of_the_house(store: Store, house: Make) -> None:
    await ask(house(), "r1", "Something.")
    assert {"model_calls", "recordings", "spent", "night_jobs"} <= {*dumping.names()}
    rows = store.read_now(lambda conn: list(dumping.rows(conn, "model_calls")))
    assert [row["run"] for row in rows] == ["r1"]


async def test_no_secret_is_in_what_is_kept(store: Store, house: Make, provider: Any) -> None:
    provider.reply = "The word is sesame-9911, as you know."
    models = house(hidden=lambda: ["sesame-9911"])
    await ask(models, "r1", "The password is sesame-9911, keep it.")
    assert "sesame-9911" not in everything(store)
    assert "sesame-9911" not in str(provider.asked)
