"""The feed of open pages: what a commit makes old is told at once, to everyone, and only then."""

import asyncio
import time
from datetime import timedelta

import pytest

from soloist.engine.store import reading, tasks
from soloist.engine.store.clock import iso
from soloist.insight import live
from soloist.insight.live import Feed


async def heard(stream, seconds=60.0):
    return await asyncio.wait_for(anext(stream), seconds)


@pytest.fixture
async def feed(app):
    made = Feed(app.store)
    yield made
    made.close()


def head(app):
    return app.store.read_now(lambda c: reading.last_seq(c))


async def test_a_commit_is_told_at_once(app, feed, monkeypatch):
    monkeypatch.setattr(live, "GLANCE", 30.0)  # the look that would find it without being told
    stream = feed.listen("s", head(app))
    waits = asyncio.ensure_future(heard(stream))
    await asyncio.sleep(0.2)
    begun = time.perf_counter()
    await app.store.write(lambda tx: tx.append("card.opened") and None)
    news = await waits
    assert time.perf_counter() - begun < 15
    assert (news.seq, news.topics) == (head(app), ("activity", "inbox", "records", "runs"))
    await stream.aclose()


async def test_a_page_that_was_away_hears_what_it_missed(app, feed):
    await app.store.write(lambda tx: tx.append("record.changed") and None)
    news = await heard(feed.listen("s", 0))
    assert "records" in news.topics


async def test_a_page_of_another_journal_is_old_altogether(app, feed):
    news = await heard(feed.listen("s", 10**9))
    assert (news.seq, set(news.topics)) == (head(app), {"activity", "inbox", "records", "runs", "settings"})


async def test_rows_of_another_process_are_seen_without_being_told(app, feed):
    stream = feed.listen("s", head(app))
    waits = asyncio.ensure_future(heard(stream))
    await asyncio.sleep(0.1)
    app.store.writer.on_commit.clear()
    await app.store.write(lambda tx: tx.append("token.created") and None)
    assert (await waits).topics == ("activity", "settings")


async def test_many_commits_become_few_messages(app, feed):
    stream = feed.listen("s", head(app))
    waits = asyncio.ensure_future(heard(stream))
    await asyncio.sleep(0.1)
    await asyncio.gather(*(app.store.write(lambda tx: tx.append("card.opened") and None) for _ in range(200)))
    told = 1
    news = await waits
    while news.seq < head(app):
        news, told = await heard(stream), told + 1
    assert told < 100


async def test_a_card_that_wakes_by_itself_is_told(app, feed):
    def asleep(tx):
        tasks.open_card(tx, "c1", "question", "What is this?")
        tasks.snooze(tx, "c1", iso(app.store.clock() + timedelta(seconds=1.2)), actor="operator")

    await app.store.write(asleep)
    stream = feed.listen("s", head(app))
    assert "inbox" in (await heard(stream)).topics


async def test_the_newest_tabs_of_a_session_are_the_ones_that_hear(app, feed):
    streams = [feed.listen("s", head(app)) for _ in range(live.MOST + 1)]
    waits = []
    for stream in streams:
        waits.append(asyncio.ensure_future(heard(stream)))
        await asyncio.sleep(0.05)
    assert (await waits[0]).topics == ()
    with pytest.raises(StopAsyncIteration):
        await anext(streams[0])
    await app.store.write(lambda tx: tx.append("card.opened") and None)
    assert len(await asyncio.gather(*waits[1:])) == live.MOST


async def test_a_closing_server_ends_its_streams(app, feed):
    waits = asyncio.ensure_future(heard(feed.listen("s", head(app))))
    await asyncio.sleep(0.1)
    feed.close()
    with pytest.raises(StopAsyncIteration):
        await waits


async def test_silence_is_told_too(app, feed, monkeypatch):
    monkeypatch.setattr(live, "BEAT", 0.05)
    assert await heard(feed.listen("s", head(app))) is None


def test_events_are_sorted_by_what_they_make_old():
    assert live.topics([]) == ()
    assert live.topics(["skill.refit"]) == ("activity",)
    assert live.topics(["session.opened"]) == ("settings", "activity")
