"""What a call may cost, which caps it is held against and whether it fits; pure, it reads and writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from soloist.kernel.errors import BadConfig, BadInput
from soloist.kernel.model import Price
from soloist.kernel.model_settings import Budgets, Limits
from soloist.kernel.spend import MICRO, SPANS, Actual, Cap, Payer, Scope, Span, Sums, Worst, limit, rate

Key = tuple[str, str, str]
"""Scope, subject, period."""
NEVER_ENDS = "9999-12-31T00:00:00.000000Z"


@dataclass(frozen=True)
class When:
    """The periods that an instant lies in: the operator's day and month, and all time ("")."""

    day: str
    month: str
    total: str = ""

    def of(self, span: str) -> str:
        """The period of a span."""
        return str(getattr(self, span))


@dataclass(frozen=True)
class Held:
    """A cap as one call meets it: for a concrete subject, against one row of sums (None: the call alone)."""

    cap: Cap
    subject: str
    key: Key | None


@dataclass(frozen=True)
class Refusal:
    """The cap that a call would pass: what is used, what would be used, and the most; in the unit of the measure."""

    held: Held
    used: int
    needed: int
    most: int


def moment(now: str, zone: ZoneInfo) -> When:
    """The periods of an instant."""
    local = datetime.fromisoformat(now).astimezone(zone)
    return When(local.strftime("%Y-%m-%d"), local.strftime("%Y-%m"))


def end_of(span: str, now: str, zone: ZoneInfo) -> str:
    """When the period of a span is over, as ISO text in UTC; a cap for all time, a run or a task never ends."""
    local = datetime.fromisoformat(now).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if span == "day":
        local += timedelta(days=1)
    elif span == "month":
        local = (local.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        return NEVER_ENDS
    plain = datetime(local.year, local.month, local.day, tzinfo=zone)
    return plain.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# ----- caps


def configured(budgets: Budgets, currency: str) -> list[Cap]:
    """The caps of soloist.toml in the house's currency (BadConfig when a rate is missing)."""
    found = _caps("house", "", budgets, (budgets, currency))
    groups: tuple[tuple[Scope, Mapping[str, Limits]], ...] = (
        ("agent", budgets.agents),
        ("flow", budgets.flows),
        ("client", budgets.clients),
    )
    for scope, limits in groups:
        for subject, given in limits.items():
            found += _caps(scope, "" if subject == "*" else subject, given, (budgets, currency))
    return found


def worth(old: str, new: str, budgets: Budgets) -> int:
    """Millionths of the house's currency that one unit of the books' counts (BadConfig when nobody said)."""
    found = rate(old or new, new, budgets.rates)
    if found is None:
        raise BadConfig(
            f"business.currency: what models cost was counted in {old} so far. To go on in {new}, write what one {old} "
            f'counts: [budgets.rates] {old} = "..."',
            field="budgets.rates",
        )
    return found


def cap_of(given: Mapping[str, str], budgets: Budgets, currency: str) -> Cap:
    """A cap as an operator gives it: most, span, and at most one of agent, flow, client ("*" is each); BadInput."""
    named = [(scope, given[scope]) for scope in ("agent", "flow", "client") if given.get(scope)]
    if len(named) > 1:
        raise BadInput(f"{named[1][0]}: a cap is for one agent, one flow or one client.", field=named[1][0])
    span = given.get("span") or "month"
    if span not in SPANS:
        raise BadInput(f"span: one of {', '.join(SPANS)}, not {span[:40]!r}.", field="span")
    try:
        written = Limits.model_validate({span: str(given.get("most", ""))})
    except ValueError as error:
        raise BadInput(f'most: write a limit like "2 {currency}" or "200k tokens".', field="most") from error
    scope, subject = named[0] if named else ("house", "")
    found = _caps(cast("Scope", scope), "" if subject == "*" else subject, written, (budgets, currency))
    return found[0]


def _caps(scope: Scope, subject: str, given: Limits, house: tuple[Budgets, str]) -> list[Cap]:
    budgets, ours = house
    found = []
    for span in SPANS:
        for text in given.of(span):
            measure, most, currency = limit(text, ours)
            if measure == "money":
                known = rate(currency, ours, budgets.rates)
                if known is None:
                    raise BadConfig(
                        f'budgets: "{text}" cannot be counted in {ours}. Write what one {currency} counts: '
                        f'[budgets.rates] {currency} = "..."',
                        field="budgets.rates",
                    )
                most = -(-most * known // MICRO)
            # What one run may use is a cap of the run, so that its extension is that of one run.
            place: tuple[Scope, str, Span] = (scope, subject, span)
            if scope == "house" and span == "run":
                place = ("run", "", "total")
            found.append(Cap(*place, measure, most, ours, tuple(given.alerts), "soloist.toml"))
    return found


def effective(written: Iterable[Cap], rows: Iterable[Cap]) -> list[Cap]:
    """The caps in force: the operator's own rows before soloist.toml, extensions on top of either."""
    found = {cap.place: cap for cap in written}
    for row in rows:
        if row.source != "extended":
            found[row.place] = row
        elif row.place in found:
            found[row.place] = replace(found[row.place], extra=row.extra, extra_until=row.extra_until)
        elif (row.scope, "", row.span, row.measure) in found:  # an extension of "*" for one subject
            general = found[(row.scope, "", row.span, row.measure)]
            found[row.place] = replace(general, subject=row.subject, extra=row.extra, extra_until=row.extra_until)
    return list(found.values())


def keys(payer: Payer, chain: Sequence[str], when: When) -> list[Key]:
    """Every row of sums that a call moves; ``chain`` is the run with all runs it was forked from."""
    subjects = [("house", ""), ("agent", payer.agent), ("flow", payer.flow), ("client", payer.client)]
    found = [
        (scope, subject, period)
        for scope, subject in subjects
        if subject or scope == "house"
        for period in (when.day, when.month, when.total)
    ]
    found += [("run", run, "") for run in chain if run]
    found += dict.fromkeys(("run", cap.subject, "") for cap in payer.limits)
    return [*found, *([("task", payer.task, "")] if payer.task else [])]


def held_against(caps: Sequence[Cap], payer: Payer, chain: Sequence[str], when: When) -> list[Held]:
    """The caps that a call must fit under; one for a named subject takes the place of one for each."""
    subjects = {
        "house": [""],
        "agent": [payer.agent],
        "flow": [payer.flow],
        "client": [payer.client],
        "run": [*chain],
        "task": [payer.task],
    }
    places = {cap.place for cap in caps}
    found = [Held(cap, cap.subject, ("run", cap.subject, "")) for cap in payer.limits]
    for cap in caps:
        for subject in subjects[cap.scope]:
            meant = cap.subject == subject if cap.subject else bool(subject) or cap.scope == "house"
            own = not cap.subject and subject and (cap.scope, subject, cap.span, cap.measure) in places
            if meant and not own:
                found += _rows(cap, subject, chain, when)
    return found


def _rows(cap: Cap, subject: str, chain: Sequence[str], when: When) -> list[Held]:
    """The rows of sums that a cap is held against for one subject."""
    if cap.span == "call":
        return [Held(cap, subject, None)]
    if cap.span == "run":
        return [Held(cap, subject, ("run", run, "")) for run in chain if run]
    if cap.scope in ("run", "task"):
        return [Held(cap, subject, (cap.scope, subject, ""))]
    return [Held(cap, subject, (cap.scope, subject, when.of(cap.span)))]


def refusal(
    against: Sequence[Held], sums: Mapping[Key, Sums], worst: Worst, fresh: frozenset[Key], now: str
) -> Refusal | None:
    """The first cap that a call would pass at worst, or None. ``fresh`` are rows in which its run is a new one."""
    for held in against:
        most = held.cap.at(now)
        if most is None:
            continue
        used = sums[held.key].of(held.cap.measure) if held.key else 0
        needed = used + _more(held, worst, fresh)
        if needed > most:
            return Refusal(held, used, needed, most)
    return None


def _more(held: Held, worst: Worst, fresh: frozenset[Key]) -> int:
    """What a call adds at worst, in the unit of the measure."""
    return {
        "money": worst.micro,
        "tokens": worst.tokens,
        "calls": 1,
        "runs": int(held.key in fresh or held.key is None),
    }[held.cap.measure]


def crossed(against: Sequence[Held], sums: Mapping[Key, Sums], now: str) -> list[tuple[Held, int, int]]:
    """Alerts that are due by what is used and held: (cap, share, used), the highest share of each cap."""
    found = []
    for held in against:
        most = held.cap.at(now)
        if held.key is None or held.key not in sums or not most:
            continue
        used = sums[held.key].of(held.cap.measure)
        if due := [share for share in held.cap.alerts if used * 100 >= share * most]:
            found.append((held, max(due), used))
    return found


# ----- prices


def cost(price: Price, tokens_in: int, tokens_out: int, tokens_cached: int = 0) -> int:
    """Millionths that these tokens cost, rounded up; cached ones are part of ``tokens_in``."""
    cached = min(tokens_cached, tokens_in)
    whole = (tokens_in - cached) * price.tokens_in + cached * price.tokens_cached + tokens_out * price.tokens_out
    return -(-whole // 1_000_000)


def worst(price: Price, tokens_in: int, most_out: int) -> Worst:
    """What a call may come to: nothing cached, the whole answer written."""
    return Worst(cost(price, tokens_in, most_out), tokens_in + most_out, price.currency)


def widened(held: Worst, times: int) -> Worst:
    """The worst case of a model that has billed more than it before, ``times`` in thousandths."""
    return replace(held, micro=-(-held.micro * times // 1000), tokens=-(-held.tokens * times // 1000))


def above(held: Worst, came: tuple[int, int], times: int) -> int:
    """How many thousandths of the plain worst case (millionths, tokens) came to; ``times`` were held back."""
    micro, tokens = came
    return max(
        -(-micro * times // held.micro) if held.micro else 0,
        -(-tokens * times // held.tokens) if held.tokens else 0,
    )


def settled(price: Price, held: Worst, actual: Actual) -> tuple[int, int]:
    """(millionths, tokens) that a call counts with; what the provider did not say counts as the worst."""
    known = actual.tokens_in is not None and actual.tokens_out is not None
    tokens = (actual.tokens_in or 0) + (actual.tokens_out or 0) if known else held.tokens
    if actual.micro is not None:
        return actual.micro, tokens
    if not known:
        return held.micro, tokens
    return cost(price, actual.tokens_in or 0, actual.tokens_out or 0, actual.tokens_cached), tokens


def expected(price: Price, characters: int, most_out: int, usual_out: int | None = None) -> int:
    """An estimate for a work item in millionths: four characters a token, and as long an answer as is usual."""
    out = min(most_out, usual_out if usual_out is not None else most_out // 3)
    return cost(price, characters // 4 + 1, out)


@dataclass(frozen=True)
class Forecast:
    """What a month will come to in millionths: likely, and the span in which four months of five end.

    ``days`` are the full days that are known; below ``enough`` it is a guess and the span is wide.
    """

    likely: int
    low: int
    high: int
    days: int
    enough: int = 10


def forecast(days: Mapping[str, int], today: str, length: int) -> Forecast:
    """The month by what is spent and by the same weekdays of up to five weeks before.

    ``days`` are millionths by local date; a day without spending inside the known stretch counts as nothing.
    """
    month, date = today[:7], datetime.fromisoformat(today)
    spent = sum(micro for day, micro in days.items() if day.startswith(month))
    known = _full_days(days, date)
    if not known:
        return Forecast(spent, spent, spent, 0)
    mean = sum(known.values()) / len(known)
    by_day = {n: [micro for day, micro in known.items() if day.weekday() == n] for n in range(7)}
    usual = {n: (sum(found) + mean) / (len(found) + 1) for n, found in by_day.items()}
    left = [date + timedelta(days=n) for n in range(1, length - date.day + 1)]
    rest = max(0.0, usual[date.weekday()] - days.get(today, 0)) + sum(usual[day.weekday()] for day in left)
    off = [(micro - usual[day.weekday()]) ** 2 for day, micro in known.items()]
    spread = (sum(off) / max(1, len(off) - 1)) ** 0.5 if len(off) > 1 else mean
    wide = 1.28 * spread * (len(left) + 1) ** 0.5 * (1 + 3 / len(known))
    return Forecast(int(spent + rest), int(max(spent, spent + rest - wide)), int(spent + rest + wide), len(known))


def _full_days(days: Mapping[str, int], date: datetime) -> dict[datetime, int]:
    """Every day from the first one known, at most 35 ago, to yesterday."""
    first = min((datetime.fromisoformat(day) for day in days), default=date)
    first = max(first, date - timedelta(days=35))
    every = (first + timedelta(days=n) for n in range((date - first).days))
    return {day: days.get(day.strftime("%Y-%m-%d"), 0) for day in every}
