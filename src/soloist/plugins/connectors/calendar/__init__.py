"""Calendar: a published calendar (an address that gives an .ics file) is read again and again; nothing is written back.

The address is a secret: who has it can read the calendar. Only what changed is handed on, object by object.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from soloist.sdk import Arrival, Base, Ctx, Health, HttpAnswer, Manifest, MaybeSent, NotSent, Page, Stream, Trouble
from soloist.sdk.calendars import Cut, Object, cut, is_calendar

KIND = "calendar.object"
STREAM = "calendar"
PAGE = 25
"""Objects on one page."""
READ_WITHIN = 60.0
BACK, AHEAD = 90, 365
"""Days that are looked at."""
PAUSES: Mapping[str, float] = {"15m": 900.0, "hourly": 3600.0, "by hand": 315_360_000.0}
"""How often it is read: fresher costs the provider more requests; by hand, and when Soloist starts."""
_DAYS = re.compile(r"^DT(?:START|END)[^:\r\n]*:(\d{8})", re.IGNORECASE | re.MULTILINE)


class CalendarConnector(Base):
    """The adapter; ``url_secret`` names the secret with the address, ``base_url`` is its server."""

    kind = "calendar"
    manifest = Manifest(
        title="Published calendar",
        capabilities=("calendar",),
        urls=("base_url",),
        secrets=("url_secret",),
        quality="silver",
        consistency="What changes in the calendar is here after the next reading; nothing is written back.",
    )

    def streams(self, ctx: Ctx) -> Mapping[str, Stream]:
        """One stream, at the pace that was chosen."""
        pause = PAUSES.get(str(ctx.settings.get("every", "15m")), 900.0)
        return {STREAM: Stream(STREAM, deletes="full compare", every=pause)}

    async def check(self, ctx: Ctx) -> Health:
        """Read it once; the titles of some events as a sign that it is the right one."""
        try:
            _answer, found = await _fetched(ctx, {})
        except Trouble as error:
            return Health("auth" if error.fault in ("auth", "forbidden") else "down", error.reason)
        except (NotSent, MaybeSent) as error:
            return Health("down", str(error))
        assert found is not None
        titles = [title for one in found.objects.values() if (title := _title(one))]
        counted = f"{len(found.objects)} events"
        return Health("ok", counted, samples=tuple(titles[-5:]))

    async def pull(self, ctx: Ctx, stream: str, cursor: str) -> AsyncIterator[Page]:
        """What changed since the cursor, in pages; repeated events once a week again, because their days move on."""
        before = _read(cursor)
        week = ctx.clock().strftime("%G-%V")
        ask: dict[str, str] = {}
        if before.get("week") == week:
            ask |= {"if-none-match": before["etag"]} if before.get("etag") else {}
            ask |= {"if-modified-since": before["modified"]} if before.get("modified") else {}
        answer, found = await _fetched(ctx, ask)
        if found is None:
            yield Page((), cursor)
            return
        known: dict[str, str] = dict(before.get("known", {}))
        present = {_name(one.uid): one for one in found.objects.values()}
        changed = [(name, one) for name, one in present.items() if _due(one, ctx.clock())]
        changed = [(name, one) for name, one in changed if known.get(name) != _mark(one, week)]
        gone = tuple(sorted(set(known) - set(present)))
        total = len(changed)
        while len(changed) > PAGE:
            part, changed = changed[:PAGE], changed[PAGE:]
            known |= {name: _mark(one, week) for name, one in part}
            yield Page(_arrivals(found, part, week), _said({"known": known}), complete=False, total=total)
        known = {name: mark for name, mark in known.items() if name in present}
        known |= {name: _mark(one, week) for name, one in changed}
        done = {"known": known, "week": week, "etag": answer.headers.get("etag", "")}
        done["modified"] = answer.headers.get("last-modified", "")
        note = f"{len(found.faults)} parts of the calendar cannot be read." if found.faults else ""
        note = note if note != before.get("note", "") else ""
        done |= {"note": note or before.get("note", "")}
        yield Page(_arrivals(found, changed, week), _said(done), gone=gone, total=total, note=note)


def _arrivals(found: Cut, part: list[tuple[str, Object]], week: str) -> tuple[Arrival, ...]:
    return tuple(
        Arrival(f"{name}@{_mark(one, week)}", KIND, found.alone(one).encode(), origin=one.uid[:200])
        for name, one in part
    )


def _mark(one: Object, week: str) -> str:
    """What of an object is known: its bytes, and for a repeated one the week in which its days were counted."""
    return f"{one.digest}.{week}" if one.repeats else one.digest


def _name(uid: str) -> str:
    return hashlib.sha256(uid.encode()).hexdigest()[:24]


def _due(one: Object, now: datetime) -> bool:
    """Whether an object can happen in the days that are looked at."""
    days = _DAYS.findall("\n".join(one.parts))
    first, last = (now - timedelta(days=BACK + 1)), (now + timedelta(days=AHEAD + 1))
    if one.repeats or not days:
        return not days or bool(min(days) <= f"{last:%Y%m%d}")
    return bool(max(days) >= f"{first:%Y%m%d}" and min(days) <= f"{last:%Y%m%d}")


def _title(one: Object) -> str:
    found = re.search(r"^SUMMARY[^:\r\n]*:(.+)$", one.parts[0], re.IGNORECASE | re.MULTILINE)
    return found[1].strip()[:120] if found else ""


def _read(cursor: str) -> dict[str, Any]:
    """The cursor as it was written; one that cannot be read begins anew."""
    try:
        found = json.loads(cursor) if cursor else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("known", {}), dict) else {}


def _said(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


async def _fetched(ctx: Ctx, ask: Mapping[str, str]) -> tuple[HttpAnswer, Cut | None]:
    """The calendar, None when it has not changed; Trouble in words for every other answer."""
    if ctx.http is None:
        raise Trouble("invalid", "This calendar has no server.")
    try:
        url = ctx.secrets[str(ctx.settings.get("url_secret", ""))]
    except KeyError as error:
        raise Trouble("auth", "The address of this calendar is not in the vault; connect it again.") from error
    headers = {"accept": "text/calendar", **ask}
    try:
        answer = await ctx.http.send("GET", plain(url), headers=headers, body=None, timeout=READ_WITHIN)
    except MaybeSent as error:
        if "not read to its end" in str(error):
            raise Trouble("protocol_drift", "The calendar is larger than 5 MB, so it was not read.") from error
        raise Trouble("unavailable", "The calendar's server did not answer in full.") from error
    except NotSent as error:
        raise Trouble("unavailable", f"The calendar's server was not reached: {_without(str(error), url)}") from error
    if answer.status == 304 and ask:
        return answer, None
    _judge(answer)
    try:
        return answer, cut(answer.body.decode("utf-8", "replace"))
    except ValueError as error:
        raise Trouble("protocol_drift", f"{error} Nothing was changed here.") from error


def _judge(answer: HttpAnswer) -> None:
    """Trouble for an answer that is no calendar."""
    status = answer.status
    if status in (401, 403):
        raise Trouble("auth", f"The calendar is not shared under this address any more ({status}).")
    if status in (404, 410):
        raise Trouble("forbidden", f"There is no calendar under this address any more ({status}). Publish it again.")
    if status == 429 or status >= 500:
        wait = answer.headers.get("retry-after", "")
        after = float(wait) if wait.isascii() and wait.isdigit() and len(wait) < 6 else None
        raise Trouble(
            "rate_limited" if status == 429 else "unavailable", f"The server said {status}.", retry_after=after
        )
    if status in (301, 302, 303, 307, 308):
        raise Trouble("protocol_drift", f"The address leads elsewhere ({status}); paste the one it leads to.")
    if status != 200:
        raise Trouble("protocol_drift", f"The server said {status} instead of giving a calendar.")
    if not is_calendar(answer.body):
        raise Trouble(
            "protocol_drift",
            "The address gives a page instead of a calendar, as behind a sign-in. Take the address in iCal format.",
        )


def plain(url: str) -> str:
    """The address as one that can be asked: webcal:// is https://."""
    url = url.strip()
    scheme, sign, rest = url.partition("://")
    return f"https://{rest}" if sign and scheme.lower() in ("webcal", "webcals") else url


def _without(text: str, url: str) -> str:
    """A text without the address, which is a secret."""
    return text.replace(url, "[address]").replace(plain(url), "[address]")


CONNECTOR = CalendarConnector()
