"""A mailbox of twenty thousand mails: nothing old floods in, memory stays flat, and a second sees a hundred mails."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from soloist.plugins.connectors.mail.reading import Cursor
from tests.servers.dovecot_postfix import MailHouse
from tests.servers.mail_house import MAIL, ctx_for, mail, pulled, raws

pytestmark = pytest.mark.servers
MANY = 20_000


@pytest.fixture(scope="module")
def house() -> Iterator[MailHouse]:
    made = MailHouse()
    try:
        made.start()
        for start in range(0, MANY, 2000):
            made.deliver("mara", *(mail(n) for n in range(start, start + 2000)), read=True)
        made.doveadm("index", "-u", "mara", "INBOX")
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
async def left() -> AsyncIterator[None]:
    yield
    await MAIL.close()


def memory() -> float:
    """Resident megabytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


async def test_the_live_stream_lists_nothing_and_the_past_comes_newest_first(house: MailHouse) -> None:
    ctx = ctx_for(house, "mara")
    (first,) = await pulled(ctx, "inbox:INBOX")
    assert (first.arrivals, Cursor.read(first.cursor).uid) == ((), MANY)
    page = await anext(MAIL.pull(ctx, "past:inbox:INBOX", ""))
    assert (page.total, page.arrivals[0].place.endswith(f"/{MANY}")) == (MANY, True)


async def test_the_past_is_read_fast_and_in_flat_memory(house: MailHouse) -> None:
    ctx = ctx_for(house, "mara")
    seen, began, before, most = 0, time.process_time(), memory(), 0.0
    async for page in MAIL.pull(ctx, "past:inbox:INBOX", ""):
        seen, most = seen + len(page.arrivals), max(most, memory())
    took = time.process_time() - began
    assert seen == MANY
    assert seen / took > 100, f"{seen / took:.0f} mails a second of computing"
    assert most - before < 30, f"{most - before:.0f} MB more"


async def test_new_mail_at_the_top_is_found_at_once(house: MailHouse) -> None:
    ctx = ctx_for(house, "mara")
    cursor = (await pulled(ctx, "inbox:INBOX"))[-1].cursor
    house.deliver("mara", mail(MANY))
    began = time.process_time()
    assert raws(await pulled(ctx, "inbox:INBOX", cursor)) == [mail(MANY)]
    assert time.process_time() - began < 3
