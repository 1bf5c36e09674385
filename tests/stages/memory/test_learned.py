"""What the operator made of drafts raises or lowers the memory they were made with: little, explained, and undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from soloist.engine.store import corrections, memories
from soloist.engine.store.corrections import NewCorrection
from soloist.engine.store.store import Store
from soloist.engine.store.tables import proposals
from soloist.engine.store.tables_memory import context_memories
from soloist.insight import ranked
from soloist.kernel.memory import NewMemory
from soloist.stages.memory import Memory, Search
from tests.stages.memory.small_memory import memory

TEXTS = ("The kiln opens on Monday at nine.", "The kiln opens on Tuesday at nine.")


def used(store: Store, ident: str, item: str, state: str, kind: str = "", distance: int = 1000) -> str:
    """A decided draft that had an item, and what the operator said against it; the id of that correction."""

    def work(tx: Any) -> str:
        row = {"id": ident, "agent": "intake@1", "state": state, "context": f"c-{ident}", "updated": tx.now}
        tx.run(proposals.insert(), {**row, "noun": "effect"})
        n = memories.get(tx.conn, item)["n"]
        tx.run(context_memories.insert(), {"context": f"c-{ident}", "place": 0, "n": n, "memory": item})
        new = NewCorrection(kind, ident, {"body": "a"}, {}, distance, "operator")
        return corrections.note(tx, new) if kind else ""

    return store.write_now(work)


async def asked(opened: Memory, run: str = "r1") -> tuple[list[str], dict[str, int], str]:
    """Texts in order, what the operator's word added to each, and the id of the look-up."""
    found = await opened.search(Search("When does the kiln open?", 5, records=("ada",), run=run))
    return (
        [one["text"] for one in found.items],
        {i["text"]: i["parts"].get("learned", 0) for i in found.items},
        found.id,
    )


async def test_overridden_drafts_lower_and_approved_ones_raise(store: Store, tmp_path: Path) -> None:
    opened = memory(store, tmp_path)
    items = [NewMemory(text=text, record="ada", tier="canonical") for text in TEXTS]
    first, second = await opened.remember(items, actor="test")
    order, none, _ = await asked(opened)
    assert order == [*TEXTS] and none == dict.fromkeys(TEXTS, 0)
    slip = used(store, "p1", first, "approved", "edit", 400)
    used(store, "p2", second, "approved")
    used(store, "p3", second, "approved", "edit", 20)
    order, learned, ident = await asked(opened)
    assert order == [*reversed(TEXTS)]
    assert learned == {TEXTS[0]: -33_334, TEXTS[1]: 50_000}
    shown = store.read_now(lambda conn: ranked.page(conn, ident))
    said = [part.said for answer in shown.answers for part in answer.parts if part.name == "Your word"]
    assert said == [
        "raised, since 2 drafts that had it went as written",
        "lowered, since you changed or rejected 1 draft that had it",
    ]
    assert (await asked(opened, run=""))[1] == dict.fromkeys(TEXTS, 0)
    await store.write(lambda tx: corrections.drop(tx, slip, who="operator"))
    assert (await asked(opened))[1] == {TEXTS[0]: 33_333, TEXTS[1]: 50_000}
    assert (await opened.replay(ident))["identical"]


async def test_many_overrides_never_take_more_than_the_bound(store: Store, tmp_path: Path) -> None:
    opened = memory(store, tmp_path)
    (item,) = await opened.remember([NewMemory(text=TEXTS[0], record="ada", tier="canonical")], actor="test")
    for n in range(40):
        used(store, f"p{n}", item, "rejected", "reject")
    (lost,) = (await asked(opened))[1].values()
    assert -100_000 < lost < -90_000
