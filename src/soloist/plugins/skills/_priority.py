"""Urgency and priority of a message as the sum of reasons that are each told; it sorts nothing and hides nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Literal

from pydantic import Field

from soloist.kernel.message import Frozen, MessageKind, Money, Span
from soloist.plugins.skills._dates import find_dates, local_day
from soloist.plugins.skills._language import tell
from soloist.plugins.skills._text import sentence_at, span

_URGENT = re.compile(
    r"\b(?:urgent(?:ly)?|asap|a\.s\.a\.p\.|as soon as possible|right away|immediately|at once|emergency"
    r"|time[- ]critical"
    r"|dringend\w*|eilig\w*|eilt|sofort|schnellstmöglich|so schnell wie möglich|umgehend|notfall|urgence|urgents?"
    r"|d['’]urgence|au plus vite|dès que possible|immédiatement|urgentes?|urgentemente|cuanto antes|lo antes posible"
    r"|inmediatamente|emergencia)\b",
    re.IGNORECASE,
)
_CALM = re.compile(
    r"\b(?:not urgent|no (?:rush|hurry|urgency)|whenever (?:you|it)|take your time|when you have time|nicht (?:dringend"
    r"|eilig)|keine eile|eilt nicht|hat zeit|wenn sie (?:mal )?zeit haben|pas (?:urgent|pressé)|rien ne presse"
    r"|quand vous (?:pourrez|aurez le temps)|no es urgente|sin prisas?|no corre prisa|cuando (?:pueda|puedas"
    r"|tenga tiempo))",
    re.IGNORECASE,
)
_BROKEN = re.compile(
    r"\b(?:(?:is|are|was|went|site|server|shop) (?:\w+ )?(?:down|offline|broken)|not working|does(?:n['’]t| not) work"
    r"|stopped working|can(?:['’]t|not) (?:log ?in|access|open|pay|order)|hacked|data (?:loss|lost)|error 5\d\d"
    r"|funktioniert (?:nicht|nicht mehr)|geht nicht(?: mehr)?|nicht erreichbar|ausgefallen|gehackt|kaputt"
    r"|ne (?:fonctionne|marche) (?:pas|plus)|en panne|hors ligne|pirat[ée]|inaccessible|no funciona"
    r"|ha dejado de funcionar"
    r"|caíd[oa]|hackead[oa]|no puedo (?:entrar|acceder|pagar))",
    re.IGNORECASE,
)
_AGAIN = re.compile(
    r"\b(?:(?:second|third|another) (?:time|reminder|message)|reminder|any (?:news|update)|still waiting|following up"
    r"|haven['’]t heard|no (?:reply|answer) (?:yet|so far)|(?:noch )?keine (?:antwort|rückmeldung)|erinnerung"
    r"|warte(?:n)? "
    r"(?:noch |immer noch )|nachfrage|mahnung|relance|toujours (?:pas|en attente)|sans (?:réponse|nouvelles)|rappel"
    r"|recordatorio|sigo esperando|(?:aún|todavía) no (?:he|hemos) recibido|sin respuesta)",
    re.IGNORECASE,
)
_DEADLINE = re.compile(
    r"\b(?:by|until|before|deadline|due|no later than|latest|expires?|bis|spätestens|frist|fällig|vor|avant"
    r"|d['’]ici|au "
    r"plus tard|échéance|expire|antes del?|hasta|plazo|vence|a más tardar|para el)\b",
    re.IGNORECASE,
)
_NEVER_URGENT = frozenset({"bulk", "automatic", "spam"})
ReasonKind = Literal["deadline", "words", "trouble", "waiting", "asked again", "client", "value", "calm", "kind"]
Urgency = Literal["now", "today", "this week", "later"]


class In(Frozen):
    """A message and what is known of its sender; instants are ISO 8601 with offset, "" for unknown.

    ``value`` is what the client brought in twelve months, ``typical`` what a client usually does.
    """

    text: str
    subject: str = ""
    language: str = ""
    kind: MessageKind | Literal[""] = ""
    now: str
    received: str = ""
    timezone: str = "UTC"
    known_client: bool = False
    value: Money | None = None
    typical: Money | None = None
    unanswered: int = Field(default=0, ge=0)


class Reason(Frozen):
    """One reason with the points it adds to urgency and to priority; ``words`` are verbatim where it rests on words."""

    kind: ReasonKind
    urgency: int
    priority: int
    text: str
    words: Span | None = None


class Out(Frozen):
    """How soon it wants an answer and how much it matters; the points are the sum of the reasons. Offsets point into
    ``text``. ``due`` is the nearest day named as a deadline (ISO 8601)."""

    urgency: Urgency
    priority: Literal["high", "normal", "low"]
    urgency_points: int
    priority_points: int
    due: str = ""
    reasons: list[Reason] = Field(default=[])


def judge(value: In) -> Out:
    """Add up the reasons; ValueError when an instant is not ISO 8601."""
    today = local_day(value.now, value.timezone)
    if value.kind in _NEVER_URGENT:
        why = f"It is {'advertising' if value.kind == 'spam' else 'a mailing or automatic'}, so its words do not count."
        return Out(
            urgency="later",
            priority="low",
            urgency_points=0,
            priority_points=0,
            reasons=[Reason(kind="kind", urgency=0, priority=0, text=why)],
        )
    due, found = _deadline(value, today)
    reasons = [*found, *_words(value), *_waiting(value), *_client(value)]
    urgency, priority = (sum(getattr(one, name) for one in reasons) for name in ("urgency", "priority"))
    steps: tuple[tuple[int, Urgency], ...] = ((6, "now"), (4, "today"), (2, "this week"))
    return Out(
        urgency=next((name for least, name in steps if urgency >= least), "later"),
        priority="high" if priority >= 4 else "normal" if priority >= 1 else "low",
        urgency_points=urgency,
        priority_points=priority,
        due=due,
        reasons=reasons,
    )


def _deadline(value: In, today: date) -> tuple[str, list[Reason]]:
    """The nearest day that is named as a deadline and not long past."""
    language = value.language or tell(value.text, "en").language
    days = []
    for one in find_dates(value.text, today, language):
        left = (date.fromisoformat(one.day) - today).days
        start, end = sentence_at(value.text, one.span.start)
        if left >= -14 and _DEADLINE.search(value.text[max(start, one.span.start - 40) : min(end, one.span.end)]):
            days.append((left, one))
    if not days:
        return "", []
    left, one = min(days, key=lambda pair: pair[0])
    points = 4 if left <= 0 else 3 if left == 1 else 2 if left <= 3 else 1 if left <= 7 else 0
    when = (
        "has passed" if left < 0 else "is today" if left == 0 else "is tomorrow" if left == 1 else f"is in {left} days"
    )
    text = f"The deadline {one.span.text!r} ({one.day}) {when}."
    return one.day, [Reason(kind="deadline", urgency=points, priority=min(points, 1), text=text, words=one.span)]


def _words(value: In) -> Iterator[Reason]:
    """What the words say; a stranger's "urgent" counts half."""
    calm = _hit(value.text, _CALM)
    if calm:
        yield Reason(kind="calm", urgency=-2, priority=0, text=f"They say {calm.text!r}.", words=calm)
    urgent = None if calm else _hit(value.text, _URGENT)
    if urgent or (not calm and _URGENT.search(value.subject)):
        points = 2 if value.known_client else 1
        said = urgent.text if urgent else value.subject[:80]
        who = "a client" if value.known_client else "somebody you do not know yet"
        yield Reason(kind="words", urgency=points, priority=0, text=f"It says {said!r}, from {who}.", words=urgent)
    broken = _hit(value.text, _BROKEN)
    if broken:
        points = 4 if value.known_client else 2
        yield Reason(
            kind="trouble", urgency=points, priority=2, text=f"Something does not work: {broken.text!r}.", words=broken
        )
    again = _hit(value.text, _AGAIN)
    if again or value.unanswered:
        told = f"{value.unanswered} earlier messages have no answer." if value.unanswered else "They ask again."
        yield Reason(kind="asked again", urgency=2, priority=1, text=told, words=again)


def _hit(text: str, rule: re.Pattern[str]) -> Span | None:
    found = rule.search(text[:20_000])
    return span(text, *found.span()) if found else None


def _waiting(value: In) -> Iterator[Reason]:
    """How long the message has been lying here."""
    if not value.received:
        return
    passed = datetime.fromisoformat(value.now) - datetime.fromisoformat(value.received)
    hours = int(passed.total_seconds() // 3600)
    if hours >= 24:
        points = 3 if hours >= 120 else 2 if hours >= 48 else 1
        yield Reason(
            kind="waiting", urgency=points, priority=0, text=f"It has waited {hours // 24} days ({hours} hours)."
        )


def _client(value: In) -> Iterator[Reason]:
    """Who writes, and what they have brought in."""
    if value.known_client or value.kind == "client":
        yield Reason(kind="client", urgency=0, priority=2, text="It is from a client.")
    elif value.kind == "enquiry":
        yield Reason(kind="kind", urgency=1, priority=2, text="It asks about new work.")
    elif value.kind in {"support", "billing", "scheduling"}:
        yield Reason(kind="kind", urgency=0, priority=1, text=f"It is about {value.kind}.")
    worth, usual = value.value, value.typical
    if worth and usual and worth.currency == usual.currency and usual.minor > 0 and worth.minor >= 2 * usual.minor:
        text = f"This client brought in {_money(worth)}, a usual one {_money(usual)}."
        yield Reason(kind="value", urgency=0, priority=2, text=text)


def _money(money: Money) -> str:
    return f"{money.minor / 100:,.2f} {money.currency}".replace(".00 ", " ")
