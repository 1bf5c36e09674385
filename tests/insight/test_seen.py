"""What changed since the operator last looked: a visit is a visit, a look in the background is none."""

from hypothesis import given
from hypothesis import strategies as st

from soloist.engine.store.clock import later
from soloist.insight import inbox
from soloist.insight.inbox import Seen, after_look

MORNING = "2026-11-21T08:10:00.000000Z"


def at(minutes):
    return later(MORNING, minutes * 60)


def test_looks_within_a_visit_leave_the_line_where_it_is():
    first = after_look(Seen(), 10, MORNING)
    second = after_look(first, 14, at(3))
    assert (second.seq, second.at, second.look_seq) == (0, "", 14)


def test_the_next_visit_begins_where_the_last_one_ended():
    last = after_look(after_look(Seen(), 10, MORNING), 14, at(3))
    back = after_look(last, 60, at(200))
    assert (back.seq, back.at) == (14, at(3))
    assert (after_look(back, 61, at(205)).seq, after_look(back, 61, at(300)).seq) == (14, 60)


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 60)), max_size=30))
def test_it_never_goes_back_and_never_passes_what_was_looked_at(looks):
    found, minutes = Seen(), 0
    for seq, wait in looks:
        minutes += wait
        new = after_look(found, seq, at(minutes))
        assert found.seq <= new.seq <= new.look_seq
        assert found.look_seq <= new.look_seq
        found = new


async def test_a_look_reaches_no_further_than_the_journal(app):
    await app.store.write(lambda tx: inbox.look(tx, "operator", 10**9))
    kept = await app.store.read(lambda c: inbox.seen(c))
    assert kept.look_seq == await app.store.read(lambda c: inbox.reading.last_seq(c))


async def test_the_since_line_leads_to_what_came_since(app, reply):
    await app.store.write(inbox.mark_seen)
    await app.store.write(lambda tx: tx.append("effect.failed") and None)
    page = await app.store.read(lambda c: inbox.page(c, now=app.store.clock().isoformat()))
    (link,) = page.since
    assert link.text == "1 failed"
    group, after = (part.partition("=")[2] for part in link.href.partition("?")[2].split("&"))
    shown = await app.store.read(lambda c: inbox_activity(c, group, after))
    assert len(shown.entries) == 1


def inbox_activity(conn, group, after):
    from soloist.insight import activity

    return activity.page(conn, group=group, after=after)


async def test_a_card_whose_content_moved_is_marked(app, reply):
    from soloist.engine.store.tables import proposals

    await app.store.write(inbox.mark_seen)
    moved = later(app.store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ"), 5)
    await app.store.write(lambda tx: tx.run(proposals.update().values(updated=moved)) and None)
    page = await app.store.read(lambda c: inbox.page(c, now=moved))
    assert [row.mark for row in page.rows] == ["changed"]
