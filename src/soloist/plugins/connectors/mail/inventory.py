"""What lies in the folder of sent mail, for reconciling: headers only, page by page; it marks nothing as read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial

from soloist.plugins.connectors.mail.imap import Line
from soloist.plugins.connectors.mail.mailbox import Mailbox
from soloist.sdk import Ctx, Thing, Trouble
from soloist.sdk.sent import HEADERS, thing

WIDTH = 50_000
"""Numbers looked through by one search."""
PAGE = 200
"""Mails whose headers are asked for at once."""
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


async def sent(mailbox: Mailbox, ctx: Ctx, since: datetime) -> AsyncIterator[Thing]:
    """Every mail in the folder of sent mail since the day of an instant (Trouble when there is none, or no answer)."""
    low, end = 1, 0
    while low == 1 or low <= end:
        uids, end = await mailbox.lines.use(ctx, "inventory", partial(_numbers, mailbox, ctx, low, since))
        for start in range(0, len(uids), PAGE):
            page = uids[start : start + PAGE]
            for found in await mailbox.lines.use(ctx, "inventory", partial(_things, mailbox, ctx, page)):
                yield found
        low += WIDTH


def _folder(mailbox: Mailbox, ctx: Ctx, line: Line) -> str:
    folder = mailbox._sent(ctx, line)
    if not folder:
        raise Trouble("not_found", "There is no folder for sent mail, so nothing can be compared.")
    return folder


def _numbers(mailbox: Mailbox, ctx: Ctx, low: int, since: datetime, line: Line) -> tuple[list[int], int]:
    """The numbers of one range that arrived since the day, and the last number there is."""
    opened = line.examine(_folder(mailbox, ctx, line))
    high = min(low + WIDTH - 1, opened.uidnext - 1)
    day = (since.astimezone(UTC) - timedelta(days=1)).date()  # the server counts days in a zone of its own
    found = line.numbers(low, high, f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}") if low <= high else []
    return found, opened.uidnext - 1


def _things(mailbox: Mailbox, ctx: Ctx, uids: list[int], line: Line) -> list[Thing]:
    opened = line.folder(_folder(mailbox, ctx, line))
    heads = line.heads(uids, HEADERS)
    place = f"{opened.name}/{opened.uidvalidity}"
    return [thing(head, ref=f"{place}/{uid}", domain=ctx.home_domain) for uid, head in sorted(heads.items())]
