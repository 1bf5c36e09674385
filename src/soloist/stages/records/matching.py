"""Whether two descriptions are of one person or company: a weighed score, what speaks against it, and a verdict.

Pure. The weights are bits of evidence (one bit doubles the odds), set from how rare an agreement is among the contacts
of a small company; they are fixed by hand and named by RULE in every decision.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, JaroWinkler

from soloist.kernel.likeness import DIGITS, PERSONAL, Subject, same_phone
from soloist.kernel.naming import FORMS, Name

RULE = "match-1"
PRIOR = -15.0
"""Bits against two records out of tens of thousands being one."""
MERGE, REVIEW = 7.0, -3.0
"""Bits from which they are one, and from which a person is asked."""
MARGIN = 5.0
"""Bits the best has to be ahead of the second."""

Zone = Literal["merge", "review", "new"]
Verdict = Literal["agrees", "close", "differs"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One field on both sides and what it weighs."""

    field: str
    here: str
    there: str
    verdict: Verdict
    bits: float


@dataclass(frozen=True, slots=True)
class Match:
    """How alike two are: ``score`` 0..1, ``strong`` keys they share, ``hard`` and ``soft`` vetoes, the evidence.

    A veto of either sort forbids an automatic merge; a hard one means they are not even asked about, unless a strong
    key agrees all the same. ``unique``: one of those keys is of the kind that only one can have.
    """

    bits: float
    strong: tuple[str, ...] = ()
    hard: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()
    unique: bool = False
    evidence: tuple[Evidence, ...] = ()

    @property
    def score(self) -> float:
        """The bits as a probability."""
        return float(1.0 / (1.0 + 2.0 ** -max(-60.0, min(60.0, self.bits))))

    @property
    def vetoes(self) -> tuple[str, ...]:
        """Everything that forbids an automatic merge."""
        return (*self.hard, *self.soft)

    @property
    def zone(self) -> Zone:
        """Where this one alone stands, without regard to others."""
        if self.hard:
            return "review" if self.unique or (self.strong and self.bits >= REVIEW) else "new"
        if self.bits >= MERGE and self.strong and not self.soft:
            return "merge"
        return "review" if self.bits >= REVIEW else "new"


@dataclass(frozen=True)
class Resolution:
    """What is to be done with a description: merged into ``record``, looked at beside it, or new."""

    zone: Zone
    record: str = ""
    score: float = 0.0
    margin: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    strong: tuple[str, ...] = ()
    vetoes: tuple[str, ...] = ()
    others: tuple[tuple[str, float], ...] = ()
    rule: str = RULE


def decide(candidates: Sequence[tuple[str, Match]]) -> Resolution:
    """The verdict over all candidates (record, match): the best one, if it is far enough ahead of the second."""
    rank = {"merge": 0, "review": 1, "new": 2}
    order = sorted(candidates, key=lambda one: (rank[one[1].zone], -one[1].bits, one[0]))
    if not order:
        return Resolution("new")
    record, best = order[0]
    second = max((match.bits for _, match in order[1:] if not match.hard), default=PRIOR)
    margin, zone = best.bits - second, best.zone
    if zone == "merge" and margin < MARGIN:
        zone = "review"
    others = tuple((ident, match.score) for ident, match in order[1:4] if match.zone != "new")
    return Resolution(
        zone,
        record if zone != "new" else "",
        best.score,
        round(margin, 1),
        best.evidence,
        best.strong,
        best.vetoes,
        others,
    )


@dataclass(slots=True)
class _Found:
    """What is being gathered about one pair."""

    evidence: list[Evidence] = field(default_factory=list)
    strong: list[str] = field(default_factory=list)
    hard: list[str] = field(default_factory=list)
    soft: list[str] = field(default_factory=list)
    unique: bool = False
    personal: bool = False
    slip: bool = False
    named: float = 0.0

    def add(self, name: str, here: str, there: str, verdict: Verdict, bits: float) -> None:
        self.evidence.append(Evidence(name, here, there, verdict, bits))


def score(a: Subject, b: Subject, shared: Collection[str] = ()) -> Match:
    """Compare two of one kind; ``shared`` are addresses, and last digits of phones, that many people have in common."""
    found = _Found()
    _numbers(a, b, found)
    named = _title(a, b, found) if a.kind == "company" else _person(a, b, found)
    _mail(a, b, found, named, shared)
    _phones(a, b, found, named, shared)
    if a.kind == "company":
        _domains(a, b, found, named)
    else:
        _born(a, b, found, named)
        _words(found, "company", a, b, (5.0, 3.0, -1.0))
    _place(a, b, found)
    if a.kind == "company" and found.named >= 13 and a.street and (a.street, a.number) == (b.street, b.number):
        found.strong.append("name and address")
    bits = PRIOR + sum(one.bits for one in found.evidence)
    strong, hard, soft = (tuple(dict.fromkeys(names)) for names in (found.strong, found.hard, found.soft))
    return Match(round(bits, 2), strong, hard, soft, found.unique, tuple(found.evidence))


# ----- names


def _person(a: Subject, b: Subject, found: _Found) -> int:
    """Evidence of two names; answers 2 when they agree, 1 when they are close, 0 when unknown, -1 when they differ."""
    if not a.name or not b.name:
        return 0
    straight = _within(a.name, b.name) or _named(a.name, b.name)
    turned = _named(a.name, Name(b.name.family, b.name.given))
    swap = sum(turned) - 1.0 > max(4.0, sum(straight))
    given, family = turned if swap else straight
    bits = given + family - (1.0 if swap else 0.0)
    both = bool(a.name.given and b.name.given and a.name.family and b.name.family)
    level = 2 if given >= 4 and family >= 5 else 1 if both and given > 2 and family > 0 else -1 if bits < 0 else 0
    verdict: Verdict = "agrees" if level == 2 else "differs" if bits < 0 else "close"
    found.add("name", a.said.get("name", ""), b.said.get("name", ""), verdict, bits)
    found.named = bits
    if both and not found.personal and given <= -5.0:
        found.hard.append("another given name")
    elif both and not found.personal and family <= -5.0 and given < 4.0:  # the same given name: people marry
        found.hard.append("another family name")
    if a.name.generation != b.name.generation and a.name.generation and b.name.generation:
        found.hard.append("junior and senior")
    if a.name.sex and b.name.sex and a.name.sex != b.name.sex:
        found.hard.append("a man and a woman")
    return level


def _within(a: Name, b: Name) -> tuple[float, float] | None:
    """Bits when all of a name stands in a longer one: a second given name, a second family name; else None."""
    short, long = sorted(((*a.given, *a.family), (*b.given, *b.family)), key=len)
    if 2 <= len(short) < len(long) and set(short) <= set(long) and min(map(len, short)) > 1:
        return 4.0, 6.0
    return None


def _named(a: Name, b: Name) -> tuple[float, float]:
    """Bits of the given names and of the family names."""
    return _part(a.given, b.given, given=True), _part(a.family, b.family, given=False)


def _part(a: tuple[str, ...], b: tuple[str, ...], *, given: bool) -> float:
    """Bits of one part of a name: equal, one within the other, an initial, a short form, a slip, or different."""
    if not a or not b:
        return 0.0
    one, other = "".join(a), "".join(b)
    full = 6.0 if given else 8.0
    if one == other:
        return full if len(one) > 1 else 2.0
    if len(a[0]) == 1 or len(b[0]) == 1:
        return 2.0 if a[0][0] == b[0][0] else -5.0
    if set(a) <= set(b) or set(b) <= set(a):
        return full - 2.0
    if given and FORMS.get(a[0], -1) == FORMS.get(b[0], -2):
        return 4.0
    near = JaroWinkler.similarity(one, other)
    slips = OSA.distance(one, other)
    if slips == 1 and min(len(one), len(other)) >= 4:
        return full - 2.5
    if near >= 0.92:
        return full - 3.0
    if near >= 0.85 and slips <= 2:
        return full - 4.0
    return 0.0 if near >= 0.8 else -5.0


def _title(a: Subject, b: Subject, found: _Found) -> int:
    """The same for names of companies, without their legal forms; the order of words does not matter."""
    if not a.title or not b.title:
        return 0
    near = fuzz.token_sort_ratio(a.title, b.title) / 100
    tight = fuzz.ratio(a.title.replace(" ", ""), b.title.replace(" ", "")) / 100
    near = max(near, tight)
    inside = fuzz.token_set_ratio(a.title, b.title) == 100
    if near == 1.0:
        bits, level = 13.0, 2
    elif near >= 0.9:
        bits, level = 8.0, 2
    elif inside or near >= 0.8:
        bits, level = 5.0, 1
    else:
        bits, level = (0.0, 0) if near >= 0.6 else (-6.0, -1)
    verdict: Verdict = "agrees" if level == 2 else "differs" if level < 0 else "close"
    found.add("name", a.said.get("name", ""), b.said.get("name", ""), verdict, bits)
    found.named = bits
    return level


# ----- numbers and addresses that few or one can have


def _numbers(a: Subject, b: Subject, found: _Found) -> None:
    """Tax, register and outside ids: one agreement is as good as proof, another number of one scheme forbids it."""
    for source, value in sorted(a.external & b.external):
        found.add(f"id at {source}", value, value, "agrees", 26.0)
        found.strong.append(f"id at {source}")
        found.unique = True
    ours, theirs = dict(a.ids), dict(b.ids)
    for scheme in sorted(ours.keys() & theirs.keys()):
        here, there = ours[scheme], theirs[scheme]
        said = scheme.replace("_", " ")
        if here == there:
            found.add(said, here, there, "agrees", 26.0)
            found.strong.append(said)
            found.unique = True
            found.personal = found.personal or scheme in PERSONAL
        elif OSA.distance(here, there) == 1 and not (checked(here) and checked(there)):
            found.add(said, here, there, "close", 9.0)
            found.slip = True
        else:
            found.add(said, here, there, "differs", -10.0)
            found.hard.append(f"another {said}")


def checked(value: str) -> bool:
    """Whether a number proves by its own check digit that it was not mistyped: VAT of DE, FR, BE, IT."""
    country, digits = value[:2], value[2:]
    if not digits.isdigit():
        return False
    if country == "DE" and len(digits) == 9:
        product = 10
        for digit in digits[:8]:
            total = (int(digit) + product) % 10 or 10
            product = 2 * total % 11
        return (11 - product) % 10 == int(digits[8])
    if country == "FR" and len(digits) == 11:
        return (12 + 3 * (int(digits[2:]) % 97)) % 97 == int(digits[:2])
    if country == "BE" and len(digits) == 10:
        return 97 - int(digits[:8]) % 97 == int(digits[8:])
    if country == "IT" and len(digits) == 11:
        odd = sum(map(int, digits[:10:2]))
        even = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[1:10:2])
        return (10 - (odd + even) % 10) % 10 == int(digits[10])
    return False


def _mail(a: Subject, b: Subject, found: _Found, named: int, shared: Collection[str]) -> None:
    """A mailbox of one's own is a strong key; two at one domain are two people until somebody says otherwise."""
    both = sorted(a.emails & b.emails)
    if both:
        if both[0] in shared:
            found.add("e-mail used by several", both[0], both[0], "agrees", 4.0)
        else:
            found.add("e-mail", both[0], both[0], "agrees", 25.0)
            found.strong.append("e-mail")
            found.unique = True
        return
    here, there = _domains_of(a), _domains_of(b)
    if not here or not there:
        return
    together = sorted(here.keys() & there.keys())
    said = ", ".join(sorted(a.emails)), ", ".join(sorted(b.emails))
    if together and a.kind != "company":
        found.soft.append(f"two addresses at {together[0]}")
        found.add("e-mail", *said, "differs", -2.0)
        if a.domains & b.domains and named >= 1:
            found.add("domain of the e-mail", together[0], together[0], "agrees", 5.0)
    else:
        found.add("e-mail", *said, "differs", -0.5)


def _domains_of(subject: Subject) -> dict[str, str]:
    return {address.partition("@")[2]: address for address in sorted(subject.emails)}


def _phones(a: Subject, b: Subject, found: _Found, named: int, shared: Collection[str]) -> None:
    """The same number is strong when the names fit too and few have it."""
    pair = next(((x, y) for x in sorted(a.phones) for y in sorted(b.phones) if same_phone(x, y)), None)
    if pair is None:
        if a.phones and b.phones:
            found.add("phone", ", ".join(sorted(a.phones)), ", ".join(sorted(b.phones)), "differs", -0.5)
        return
    if pair[0][-DIGITS:] in shared or pair[1][-DIGITS:] in shared:
        found.add("phone used by several", *pair, "agrees", 4.0)
        return
    found.add("phone", *pair, "agrees", 16.0)
    if named >= 1:
        found.strong.append("phone and name")


def _domains(a: Subject, b: Subject, found: _Found, named: int) -> None:
    """The same domain with a name that fits is a strong key for a company."""
    both = sorted(a.domains & b.domains)
    if both:
        found.add("domain", both[0], both[0], "agrees", 18.0)
        if named >= 1:
            found.strong.append("domain and name")
    elif a.domains and b.domains:
        found.add("domain", ", ".join(sorted(a.domains)), ", ".join(sorted(b.domains)), "differs", -1.0)


def _born(a: Subject, b: Subject, found: _Found, named: int) -> None:
    """A birth date is strong together with the whole name; another one forbids, one slip of the pen does not."""
    if not a.born or not b.born:
        return
    if a.born == b.born:
        found.add("birth date", a.born, b.born, "agrees", 12.0)
        if named >= 1:
            found.strong.append("birth date and name")
        if found.slip and not found.hard and found.named >= 3.5:
            found.strong.append("birth date and a number with one slip")
    elif OSA.distance(a.born, b.born) == 1 or _two_of_three(a.born, b.born):
        found.add("birth date", a.born, b.born, "close", 6.0)
        if not found.unique:
            found.soft.append("perhaps another birth date")
    else:
        found.add("birth date", a.born, b.born, "differs", -8.0)
        if not (found.personal and found.named > 0):  # the number and the name are the same: one date is mistyped
            found.hard.append("another birth date")


def _two_of_three(a: str, b: str) -> bool:
    """Whether two of day, month and year are the same, or day and month only changed places."""
    one, other = (a[:4], a[4:6], a[6:]), (b[:4], b[4:6], b[6:])
    return sum(x == y for x, y in zip(one, other, strict=True)) == 2 or one == (other[0], other[2], other[1])


# ----- places


def _place(a: Subject, b: Subject, found: _Found) -> None:
    """Where they are; people move, so what differs says little."""
    _words(found, "street", a, b, (6.0, 3.5, -1.0))
    for name, bits, other in (("number", 2.0, -0.5), ("region", 1.0, -0.5)):
        here, there = getattr(a, name), getattr(b, name)
        if here and there:
            found.add(name, here, there, "agrees" if here == there else "differs", bits if here == there else other)
    if a.postcode and b.postcode:
        slips = OSA.distance(a.postcode, b.postcode)
        verdict: Verdict = "agrees" if slips == 0 else "close" if slips == 1 else "differs"
        found.add("postcode", a.postcode, b.postcode, verdict, (6.0, 2.5)[slips] if slips < 2 else -1.0)
    _words(found, "city", a, b, (3.0, 2.0, -1.0))


def _words(found: _Found, name: str, a: Subject, b: Subject, weights: tuple[float, float, float]) -> None:
    """A field of words: equal, close, different."""
    here, there = getattr(a, name), getattr(b, name)
    if not here or not there:
        return
    near = max(JaroWinkler.similarity(here, there), fuzz.token_sort_ratio(here, there) / 100)
    place = 0 if near == 1.0 else 1 if near >= 0.88 else 2
    verdicts: tuple[Verdict, Verdict, Verdict] = ("agrees", "close", "differs")
    found.add(name, a.said.get(name, here), b.said.get(name, there), verdicts[place], weights[place])


def told(found: Sequence[Evidence]) -> Iterator[str]:
    """The evidence in words, what weighs most first."""
    for one in sorted(found, key=lambda e: -abs(e.bits)):
        yield f"{one.field} {one.verdict}: {one.here}" + (f" and {one.there}" if one.here != one.there else "")
