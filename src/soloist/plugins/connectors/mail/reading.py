"""Pages of mail from an IMAP folder and the cursors between them; it reads only, and marks nothing as read.

A live cursor goes up and a past one goes down, both from the same number: whichever of the two is made first fixes the
border for the other (``Borders``), so that no mail is in neither of them or in both.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from soloist.kernel.hashing import sha256
from soloist.plugins.connectors.mail.imap import Folder, Line
from soloist.sdk import Arrival, Page, Trouble
from soloist.sdk.folders import BEGINNING, MESSAGE, PAGE, TOO_LARGE

BUDGET = 8 * 1024 * 1024
"""Bytes of mail on one page, unless a single one is larger."""
WIDTH, WIDEST = 500, 100_000
"""Numbers looked through at once: few where mails lie densely, more where they are far apart."""
MEET_WITHIN = 600.0
"""Seconds for which a border is remembered for the other side."""
LOOKS = 64
"""Looks at empty ranges before a page ends, so that a page is never slow."""

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@dataclass(frozen=True)
class Cursor:
    """Where a stream stands. Live: ``uid`` is the last one read. Past: ``uid`` is the next one to look at.

    ``since`` (a day) limits the reading up to ``top``. ``total`` and ``done`` count mails.
    """

    v: int = 1
    uidvalidity: int = 0
    uid: int = 0
    modseq: int = 0
    since: str = ""
    top: int = 0
    total: int = 0
    done: int = 0

    def text(self) -> str:
        """As it is kept; what has its usual value is left out."""
        usual = asdict(Cursor(v=0, uidvalidity=-1, uid=-1, modseq=-1))
        return json.dumps({k: value for k, value in asdict(self).items() if value != usual[k]}, sort_keys=True)

    @staticmethod
    def read(text: str) -> Cursor | None:
        """None for an empty or unreadable one."""
        try:
            value = json.loads(text or "null")
            found = Cursor(**value)
        except (ValueError, TypeError):
            return None
        whole = all(type(getattr(found, k)) is type(usual) for k, usual in asdict(Cursor()).items())
        return found if whole and found.v == 1 else None


@dataclass(frozen=True)
class Limits:
    """``max_bytes`` of one mail; ``since`` is the instant from which the past is read; ``border`` is asked once."""

    max_bytes: int
    since: datetime
    border: Callable[[Folder, str], int]


class Borders:
    """Where past and live meet in each folder, from the first cursor of the one to the first cursor of the other."""

    def __init__(self) -> None:
        self._fixed: dict[tuple[object, ...], tuple[str, int, float]] = {}

    def fix(self, mailbox: tuple[object, ...], folder: Folder, side: str) -> int:
        """The last number of the past; ``side`` is live or past. A border the other side left waits ten minutes.

        It lives in memory: after a restart between the two, the live cursor must be the one that was made.
        """
        key, now = (*mailbox, folder.name, folder.uidvalidity), time.monotonic()
        by, last, at = self._fixed.pop(key, ("", 0, 0.0))
        if by not in ("", side) and now - at < MEET_WITHIN:
            return last
        self._fixed[key] = (side, folder.uidnext - 1, now)
        return folder.uidnext - 1


def live_page(line: Line, folder: Folder, text: str, limits: Limits) -> Page:
    """The next mails above the cursor; without one nothing but the cursor, which stands at the folder's end."""
    cursor, note = Cursor.read(text), ""
    if cursor is None and not text:
        border = limits.border(folder, "live")
        first = Cursor(uidvalidity=folder.uidvalidity, uid=border, modseq=folder.modseq)
        return Page((), first.text(), complete=border >= folder.uidnext - 1)
    if cursor is None or cursor.uidvalidity != folder.uidvalidity:
        cursor, note = _again(folder, limits), _renumbered(folder.name, limits)
    uids, reached = _above(line, folder, cursor)
    arrivals, taken = _mails(line, folder, uids, limits)
    last = reached if len(taken) == len(uids) else max(taken)
    ended = last >= cursor.top
    after = replace(cursor, uid=last, modseq=folder.modseq, since="" if ended else cursor.since)
    after = replace(after, top=0) if ended else after
    return Page(tuple(arrivals), after.text(), complete=last >= folder.uidnext - 1, note=note)


def past_page(line: Line, folder: Folder, text: str, limits: Limits) -> Page:
    """The next older mails, newest first, down to the day where the past begins; complete at the end."""
    cursor, note = Cursor.read(text), ""
    if cursor is None or cursor.uidvalidity != folder.uidvalidity:
        note = _renumbered(folder.name, limits) if text else ""
        cursor = _from_the_end(line, folder, limits)
    uids, reached = _below(line, cursor)
    arrivals, taken = _mails(line, folder, uids, limits)
    lowest = reached if len(taken) == len(uids) else min(taken)
    done = cursor.done + len(arrivals)
    after = replace(cursor, uid=lowest - 1, done=done, total=max(cursor.total, done), modseq=folder.modseq)
    return Page(tuple(arrivals), after.text(), complete=after.uid < 1, total=after.total, note=note)


def since_day(instant: datetime) -> str:
    """A day as IMAP writes it; the day before, because servers compare days in zones of their own."""
    day = instant.date() - timedelta(days=1)
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"


def subjects(line: Line, name: str, count: int) -> tuple[bytes, ...]:
    """The raw Subject header lines of the newest mails, newest first."""
    folder = line.examine(name)
    cursor = Cursor(uid=folder.uidnext - 1)
    found: list[int] = []
    while cursor.uid >= 1 and len(found) < min(count, folder.exists):
        uids, reached = _below(line, cursor)
        found += uids
        cursor = replace(cursor, uid=reached - 1)
    chosen = found[:count]
    told = line.subjects(chosen) if chosen else {}
    return tuple(told.get(uid, b"") for uid in chosen)


def _again(folder: Folder, limits: Limits) -> Cursor:
    """A live cursor that reads the past days once more, from the bottom."""
    day = since_day(limits.since)
    return Cursor(uidvalidity=folder.uidvalidity, uid=0, since=day, top=folder.uidnext - 1)


def _from_the_end(line: Line, folder: Folder, limits: Limits) -> Cursor:
    day, top = since_day(limits.since), limits.border(folder, "past")
    total = line.count(folder.exists, day, top) if top else 0
    return Cursor(uidvalidity=folder.uidvalidity, uid=top, since=day, top=top, total=total)


def _renumbered(name: str, limits: Limits) -> str:
    return (
        f"The server has numbered the mails of {name} anew, so those since {limits.since.date()} are read again; "
        "what is already here is not taken twice."
    )


def _above(line: Line, folder: Folder, cursor: Cursor) -> tuple[list[int], int]:
    """The next numbers above the cursor, ascending, and up to where was looked."""
    end, low, width = folder.uidnext - 1, cursor.uid + 1, WIDTH
    for _ in range(LOOKS):
        if low > end:
            break
        bounded = bool(cursor.since) and low <= cursor.top
        high = min(low + width - 1, cursor.top if bounded else end)
        found = line.numbers(low, high, cursor.since if bounded else "")
        if found:
            return found, high
        low, width = high + 1, min(width * 2, WIDEST)
    return [], max(low - 1, cursor.uid)


def _below(line: Line, cursor: Cursor) -> tuple[list[int], int]:
    """The next numbers at and below the cursor, descending, and down to where was looked."""
    high, width = cursor.uid, WIDTH
    for _ in range(LOOKS):
        if high < 1:
            break
        low = max(1, high - width + 1)
        found = line.numbers(low, high, cursor.since)
        if found:
            return found[::-1], low
        high, width = low - 1, min(width * 2, WIDEST)
    return [], high + 1


def _mails(line: Line, folder: Folder, uids: Sequence[int], limits: Limits) -> tuple[list[Arrival], list[int]]:
    """As many mails as one page holds, in the order given, and the numbers that are dealt with.

    A number without a mail was deleted meanwhile and is dealt with; Trouble "protocol_drift" when the server lies.
    """
    asked = list(uids[:PAGE])
    sizes = line.sizes(asked) if asked else {}
    taken = _within_budget(asked, sizes, limits)
    whole = [uid for uid in taken if sizes.get(uid, 0) <= limits.max_bytes]
    large = [uid for uid in taken if sizes.get(uid, 0) > limits.max_bytes]
    bodies = line.bodies(whole) if whole else {}
    _not_short(line, bodies, sizes)
    bodies |= line.bodies(large, first=BEGINNING) if large else {}
    _still_deleted(line, [uid for uid in taken if uid not in bodies])
    return [_arrival(folder, uid, *bodies[uid], large=uid in large) for uid in taken if uid in bodies], taken


def _within_budget(uids: Sequence[int], sizes: dict[int, int], limits: Limits) -> list[int]:
    taken: list[int] = []
    room = BUDGET
    for uid in uids:
        size = sizes.get(uid, 0)
        room -= size if size <= limits.max_bytes else BEGINNING
        if room < 0 and taken:
            break
        taken.append(uid)
    return taken


def _not_short(line: Line, bodies: dict[int, tuple[bytes, tuple[str, ...]]], sizes: dict[int, int]) -> None:
    """Fewer bytes than announced are asked for again: the same bytes twice are a server that counts badly.

    Exchange is known to announce sizes that are only about right; a server that loses bytes does not lose the same.
    """
    short = [uid for uid, (raw, _) in bodies.items() if len(raw) < sizes.get(uid, 0)]
    second = line.bodies(short) if short else {}
    for uid in short:
        raw, first = second.get(uid, (b"", ()))[0], bodies[uid][0]
        if not raw or raw != first:
            raise Trouble(
                "protocol_drift",
                f"{line.server.host} announced {sizes[uid]} bytes for a mail and sent {len(first)}; nothing was taken.",
            )


def _still_deleted(line: Line, missing: Sequence[int]) -> None:
    """A mail the server lists and does not hand out is a lie; one it no longer lists was deleted."""
    if missing and (there := line.sizes(missing)):
        raise Trouble(
            "protocol_drift",
            f"{line.server.host} lists {len(there)} mails that it does not hand out; nothing was taken.",
        )


def _arrival(folder: Folder, uid: int, raw: bytes, flags: tuple[str, ...], *, large: bool) -> Arrival:
    place = f"{folder.name}/{folder.uidvalidity}/{uid}"
    kind = TOO_LARGE if large else MESSAGE
    return Arrival(f"raw@{sha256(raw)}", kind, raw, origin=place, place=place, flags=flags)
