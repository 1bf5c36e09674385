"""Sessions, one-time links, tokens, password, switches and steps as rows, the same on both stores."""

from __future__ import annotations

import asyncio

import pytest

from soloist.engine.store import events, runs, settings
from soloist.engine.store.access import AccessRows
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.kernel.access import Session, secret_hash
from soloist.kernel.errors import BadInput, Conflict, NotFound

NOW = 1_795_000_000.0


@pytest.fixture
def rows(store: Store) -> AccessRows:
    return AccessRows(store)


def session(ident: str) -> Session:
    return Session(ident, NOW, NOW, "Firefox", False)


async def test_session_lives_until_it_is_revoked(rows: AccessRows) -> None:
    await rows.create_session(session("a"))
    await rows.create_session(session("b"))
    await rows.touch("a", NOW + 60)
    await rows.revoke("b")
    found = await rows.session("a")
    assert found is not None
    assert (found.seen_at, found.revoked) == (NOW + 60, False)
    assert [one.id_hash for one in await rows.sessions()] == ["a"]
    ended = await rows.session("b")
    assert ended is not None
    assert ended.revoked
    assert await rows.session("c") is None


async def test_new_password_ends_every_session(rows: AccessRows) -> None:
    assert await rows.password_hash() == ""
    await rows.create_session(session("a"))
    for hashed in ("one", "two"):
        await rows.set_password(hashed)
    assert await rows.password_hash() == "two"
    assert await rows.sessions() == []


async def test_link_is_used_once_and_in_time(rows: AccessRows) -> None:
    secret = await asyncio.to_thread(rows.issue_link, NOW, sets_password=True)
    digest = secret_hash(secret)
    assert await rows.use_link(digest, NOW + 1) is None  # too late
    used = await rows.use_link(digest, NOW - 1)
    assert used is not None
    assert used.sets_password
    assert await rows.use_link(digest, NOW - 1) is None
    assert await rows.use_link("unknown", NOW) is None


async def test_token_is_kept_as_a_hash_with_its_scopes(rows: AccessRows, store: Store) -> None:
    token = await asyncio.to_thread(rows.issue_token, "n8n", frozenset({"events:write"}), NOW)
    found = await rows.token(secret_hash(token))
    assert found is not None
    assert (found.name, found.scopes, found.expires_at, found.revoked) == ("n8n", {"events:write"}, NOW, False)
    assert token not in str(store.read_now(lambda c: events.after(c, 0, 99)))
    with pytest.raises(BadInput, match="already"):
        await asyncio.to_thread(rows.issue_token, "n8n", frozenset(), None)


async def test_revoked_token_is_known_as_such(rows: AccessRows) -> None:
    token = await asyncio.to_thread(rows.issue_token, "", frozenset(), None)
    (listed,) = await rows.tokens()
    assert listed.name.startswith("token-")
    await asyncio.to_thread(rows.revoke_token, listed.name)
    found = await rows.token(secret_hash(token))
    assert found is not None
    assert found.revoked
    with pytest.raises(NotFound):
        await asyncio.to_thread(rows.revoke_token, "unknown")


def test_switch_survives_and_can_be_cleared(store: Store) -> None:
    assert not store.read_now(settings.stopped)
    for text, stopped in (("now", True), ("again", True), ("", False)):
        store.write_now(lambda tx, t=text: settings.put(tx, settings.STOP, t))  # type: ignore[misc]
        assert store.read_now(settings.stopped) is stopped


def test_step_keeps_its_answer(store: Store) -> None:
    done: list[int] = []

    def work(tx: Tx, n: int = 0) -> object:
        return runs.once(
            tx, "r", "read", lambda: done.append(1) or {"n": len(done)}, given="m1", detail=lambda: done, n=n
        )

    answers = [store.write_now(work), store.write_now(work), store.write_now(lambda tx: work(tx, 1))]
    assert answers == [{"n": 1}, {"n": 1}, {"n": 2}]
    steps = store.read_now(lambda c: runs.steps_of(c, "r"))
    assert [(s["step"], s["n"], s["position"], s["input"], s["detail"]) for s in steps] == [
        ("read", 0, 0, "m1", [1]),
        ("read", 1, 1, "m1", [1, 1]),
    ]


def test_run_moves_along_its_life(store: Store) -> None:
    store.write_now(lambda tx: tx.start("r", "flow", "1"))
    with pytest.raises(Conflict, match="pending cannot become done"):
        store.write_now(lambda tx: runs.move(tx, "r", "done"))
    store.write_now(lambda tx: runs.begin(tx, "r"))
    for state in ("waiting", "running", "done", "failed"):
        store.write_now(lambda tx, s=state: runs.move(tx, "r", s, note=s))  # type: ignore[misc]
    row = store.read_now(lambda c: runs.get(c, "r"))
    assert (row["state"], row["note"], bool(row["ended"])) == ("done", "done", True)  # an end is an end
    assert store.read_now(lambda c: runs.asked_for(c, "r")) is None
