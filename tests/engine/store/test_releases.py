"""Versions and releases on both stores: kept whole, used once published, counted among the newest runs."""

from __future__ import annotations

from typing import Any

import pytest

from soloist.engine.store import autonomy, published, releases, runs
from soloist.engine.store.store import Store
from soloist.engine.store.tables import proposals
from soloist.engine.store.tx import Tx
from soloist.insight import roles
from soloist.kernel.errors import NotFound


def version(number: str, digest: str = "", kind: str = "agent") -> dict[str, Any]:
    content = {"toml": f"version {number}"}
    return {
        "kind": kind, "name": "sorter", "version": number, "hash": digest or number * 8, "content": content,
        "source": "home",
    }  # fmt: skip


def publish(store: Store, number: str, *, use: bool = True) -> str:
    def work(tx: Tx) -> str:
        ident = published.add(tx, version(number), who="operator", why="a try")
        if use:
            releases.use(tx, "agent", "sorter", number, who="operator", why="a try")
        return ident

    return store.write_now(work)


def test_a_version_is_kept_once(store: Store):
    assert publish(store, "1") == publish(store, "1")
    assert [v["version"] for v in store.read_now(lambda c: published.versions(c, "agent", "sorter"))] == ["1"]
    with pytest.raises(NotFound, match="published: 1"):
        store.read_now(lambda c: published.get(c, "agent", "sorter", "2"))


def test_what_is_in_use_comes_with_its_content(store: Store):
    publish(store, "1")
    publish(store, "2")
    (row,) = store.read_now(lambda c: releases.in_use(c, "agent"))
    assert (row["version"], row["content"]["toml"], row["state"]) == ("2", "version 2", "active")
    assert store.read_now(lambda c: releases.get(c, "agent", "sorter"))["before"] == "1"
    store.write_now(lambda tx: releases.use(tx, "agent", "sorter", "2", who="operator", why="", pinned=True))
    again = store.read_now(lambda c: releases.get(c, "agent", "sorter"))
    assert (again["before"], again["pinned"]) == ("1", 1)
    with pytest.raises(NotFound, match="to use"):
        store.write_now(lambda tx: releases.use(tx, "agent", "sorter", "9", who="operator", why=""))


def test_how_the_examples_went_stands_at_the_version(store: Store):
    publish(store, "1")
    store.write_now(lambda tx: published.tested(tx, "agent", "sorter", "1" * 8, {"held": 3, "failed": 1}))
    told = store.read_now(lambda c: published.outcomes(c, "agent"))[("sorter", "1")]
    assert (told["held"], told["failed"], bool(told["at"])) == (3, 1, True)


def test_a_run_names_what_it_is_made_with(store: Store):
    def work(tx: Tx) -> None:
        tx.start("intake:1", "intake", "e1")

    store.write_now(work)
    facts = {"agent": "sorter@1", "skills": {"kind": "1"}, "policy": "p1"}
    store.write_now(lambda tx: releases.made_with(tx, "intake:1", facts))
    store.write_now(lambda tx: releases.made_with(tx, "intake:1", {"skills": {"check_draft": "1"}}))
    store.write_now(lambda tx: releases.made_with(tx, "not there", facts))
    row = store.read_now(lambda c: runs.get(c, "intake:1"))
    assert row["agent"] == "sorter@1"
    assert row["made_with"] == {**facts, "skills": {"kind": "1", "check_draft": "1"}}
    assert [r["id"] for r in store.read_now(lambda c: releases.runs_of(c, "sorter"))] == ["intake:1"]
    assert store.read_now(lambda c: releases.runs_of(c, "sort")) == []
    assert store.read_now(releases.figures)["sorter"]["runs"] == 1


def test_edits_are_counted_over_all_versions(store: Store):
    for label, decided, edited in (("sorter@1", 4, 1), ("sorter@2", 6, 2)):
        row = {**autonomy._START, "agent": label, "operations": "mail", "decided": decided, "edited": edited}
        store.write_now(lambda tx, row=row: autonomy.put(tx, row, who="operator"))
    assert store.read_now(releases.edited)["sorter"] == (10, 3)


def test_work_within_the_runs_of_others_is_counted(store: Store):
    done = {"writer": {"n": 2, "micro": 1500, "tokens": 90}, "supervisor": {"n": 1, "micro": 0, "tokens": 0}}

    def work(tx: Tx) -> None:
        for number, facts in enumerate(({"agent": "intake@2", "pieces": done}, {"agent": "intake@2"})):
            releases.made_with(tx, f"intake:{number}", facts)
        for ident, run, version in (("p1", "intake:0", 2), ("p2", "intake:1", 1)):
            row = {"id": ident, "run": run, "version": version, "state": "approved", "created": tx.now}
            tx.run(proposals.insert(), row)

    store.write_now(lambda tx: [tx.start(f"intake:{number}", "intake", "e1") for number in (0, 1)])
    store.write_now(work)
    found = store.read_now(releases.pieces)
    assert set(found) == {"writer", "supervisor"}
    last = found["writer"].pop("last")
    assert found["writer"] == {"pieces": 2, "cost_micro": 1500, "tokens": 90, "decided": 1, "edited": 1}
    assert last
    counted = store.read_now(roles.used)
    assert (counted["intake"]["runs"], counted["writer"]["runs"], counted["writer"]["pieces"]) == (2, 0, 2)
