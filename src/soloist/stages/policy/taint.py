"""Taint: which values of a proposal made from outside words no trusted source names; deterministic, it reads nothing.

Control arguments come from trusted values or the operator is asked; text for people may hold anything but a new link
or a new account number. What a value steers is the connector's declaration; what nobody declared is control.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from soloist.kernel.origin import Origin, Sort
from soloist.kernel.verdict import Doubt
from soloist.stages.policy.gates import guarded
from soloist.stages.policy.links import Link, account, accounts, host_of, links, plain

MOST = 20
"""Doubtful values that are kept of one proposal; one is enough to ask."""
_NUMBER = re.compile(r"\d{1,5}\Z")
_NAMED = r"(?:\b(?:ids?|no|nr|nos|number|numbers|nummer)\b[ .:#]{0,3}|#|[\"'`\u201c\u2018\u201e])"
_MONEY = re.compile(r"\d[\d.,' ]*\d|\d")


@dataclass(frozen=True)
class Source:
    """A text that somebody may have taken a value from: its id and words for a person."""

    ref: str
    told: str
    text: str


@dataclass(frozen=True)
class Trusted:
    """What a tainted run may name. ``known`` gives by sort each value and the id of where it stands.

    ``domains`` are those of the operator's allow list ("@example.com"); ``hosts`` may begin with a dot for all below.
    ``words`` are texts of the operator and the house; ``thread`` those of people who are on the thread already, from
    which links may be repeated; ``outside`` is where an untrusted value may have come from.
    """

    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    domains: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    words: tuple[Source, ...] = ()
    thread: tuple[Source, ...] = ()
    outside: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Argument:
    """One value that steers a proposal, and where it stands: "" when no trusted source names it."""

    place: str
    sort: str
    value: str
    source: str


def leaves(payload: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a payload with its dotted place; items of a list stand at the place of the list."""
    if isinstance(payload, Mapping):
        for name, value in payload.items():
            yield from leaves(value, f"{place}.{name}" if place else str(name))
    elif isinstance(payload, list | tuple):
        for value in payload:
            yield from leaves(value, place)
    else:
        yield place, payload


def sort_of(place: str, control: Mapping[str, Sort], words: Sequence[str]) -> str:
    """What a place steers, "words" for text for people; a place that nobody declared is "value"."""
    if found := _declared(place, control):
        return found
    return "words" if any(_covers(pattern, place) for pattern in words) else "value"


def _declared(place: str, control: Mapping[str, Sort]) -> str:
    if place in control:
        return control[place]
    return next((sort for pattern, sort in control.items() if _covers(pattern, place)), "")


def _covers(pattern: str, place: str) -> bool:
    """Whether a pattern names a place or something above it; a star is any one name."""
    wanted, has = pattern.split("."), place.split(".")
    return len(wanted) <= len(has) and all(one in ("*", other) for one, other in zip(wanted, has, strict=False))


def steered(
    payload: Mapping[str, Any], control: Mapping[str, Sort], words: Sequence[str], trusted: Trusted
) -> Iterator[Argument]:
    """Every control argument of a payload, in its order, with the trusted source that names its value."""
    for place, value in leaves(payload):
        sort = sort_of(place, control, words)
        if sort != "words" and value is not None and value != "":
            yield Argument(place, sort, _shown(value), _source(sort, value, trusted))


def arguments(
    payload: Mapping[str, Any], control: Mapping[str, Sort], words: Sequence[str], trusted: Trusted
) -> list[Argument]:
    """The same, each once."""
    return list(dict.fromkeys(steered(payload, control, words, trusted)))


def doubts(
    origin: Origin, payload: Mapping[str, Any], control: Mapping[str, Sort], words: Sequence[str], trusted: Trusted
) -> tuple[Doubt, ...]:
    """What of a proposal nobody trusted has named; nothing for one that holds no word from outside."""
    if not origin.tainted:
        return ()
    found: dict[Doubt, None] = {}
    for argument in arguments(payload, control, words, trusted):
        if not argument.source:
            found.setdefault(_doubt(argument.place, argument.sort, argument.value, trusted))
    known = _links_of((*trusted.thread, *trusted.words))
    for place, value in leaves(payload):
        if sort_of(place, control, words) == "words":
            for doubt in _in_words(place, value, known, trusted):
                found.setdefault(doubt)
    return tuple(found)[:MOST]


def _in_words(place: str, value: Any, known: frozenset[Link], trusted: Trusted) -> Iterator[Doubt]:
    """What a field of text may not hold: guarded names, new hosts, links with data, new account numbers."""
    name = place.rpartition(".")[2]
    text = value if isinstance(value, str) else ""
    if place.startswith("fields.") and guarded(name) and value not in (None, ""):
        yield _doubt(place, "guarded", f"{name} = {_shown(value)}", trusted, look_for=_shown(value))
    hosts = {link.host for link in known}
    whole = {link.whole for link in known}
    for link in links(text):
        if not (link.host in hosts or allowed_host(link.host, trusted.hosts)):
            yield _doubt(place, "link", link.host, trusted)
        elif link.query and link.whole not in whole:
            yield _doubt(place, "query", link.whole[:200], trusted)
    for number in accounts(text):
        if not _account(number, trusted):
            yield _doubt(place, "account", number, trusted)


def _links_of(sources: Sequence[Source]) -> frozenset[Link]:
    return frozenset(link for source in sources for link in links(source.text))


def allowed_host(host: str, hosts: frozenset[str]) -> bool:
    """Whether a host is on a list; an entry that begins with a dot is the domain and all below it."""
    if host in hosts:
        return True
    parts = host.split(".")
    return any("." + ".".join(parts[n:]) in hosts for n in range(len(parts)))


def address(text: str) -> str:
    """A mail address as it is compared, without the name before it."""
    bare = plain(text).strip()
    inner = re.fullmatch(r".*<([^<>]*)>\s*", bare, re.DOTALL)
    return (inner[1] if inner else bare).strip().casefold()


def _source(sort: str, value: Any, trusted: Trusted) -> str:
    """The id of the trusted source that names a value, "" for none."""
    text = _shown(value)
    known = trusted.known.get(sort, {})
    if found := known.get(_normal(sort, text)):
        return found
    if sort == "recipient":
        domain = f"@{address(text).rpartition('@')[2]}"
        if domain in trusted.domains:
            return "settings: trust.recipients"
    if sort == "account":
        return _account(text, trusted)
    if sort == "url":
        return _url(text, trusted)
    return next((source.ref for source in trusted.words if _names(source.text, sort, text)), "")


def _account(text: str, trusted: Trusted) -> str:
    number = account(text)
    if found := trusted.known.get("account", {}).get(number):
        return found
    return next((source.ref for source in trusted.words if number and number in account(source.text)), "")


def _url(text: str, trusted: Trusted) -> str:
    """A whole address must be named by a trusted text; on an allowed host it may not carry data."""
    found = links(text) or [Link(host_of(text), "")]
    named = {link.whole: source.ref for source in trusted.words for link in links(source.text)}
    refs = [
        named.get(link.whole)
        or ("settings: trust.hosts" if allowed_host(link.host, trusted.hosts) and not link.query else "")
        for link in found
    ]
    return refs[0] if all(refs) else ""


def _names(text: str, sort: str, value: str) -> bool:
    """Whether a trusted text names a value as a word of its own; a short number only with "no." or in quotes."""
    text, value = plain(text).casefold(), plain(value).strip().casefold()
    if not value:
        return False
    if sort == "amount":
        return _figure(value) in {_figure(match[0]) for match in _MONEY.finditer(text)}
    lead = _NAMED if sort in ("id", "value", "path") and _NUMBER.match(value) else ""
    return re.search(rf"{lead}(?<![\w@]){re.escape(value)}(?![\w@])", text) is not None


def _figure(text: str) -> str:
    """An amount as it is compared: its digits without what groups them, its cents behind a point."""
    bare = re.sub(r"[\s']", "", text)
    whole, _, cents = bare.replace(",", ".").rpartition(".") if re.search(r"[.,]\d{1,2}\Z", bare) else (bare, "", "")
    digits = re.sub(r"\D", "", whole).lstrip("0") or "0"
    cents = cents.rstrip("0")
    return f"{digits}.{cents}" if cents else digits


def _normal(sort: str, text: str) -> str:
    if sort == "recipient":
        return address(text)
    if sort == "account":
        return account(text)
    if sort == "thread":
        return text.strip().strip("<>")
    return plain(text).strip().casefold()


def normal(sort: str, text: str) -> str:
    """A value as it is compared: for those who put together what is trusted."""
    return _normal(sort, text)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.2f}" if isinstance(value, float) else str(value)


def _doubt(place: str, sort: str, value: str, trusted: Trusted, *, look_for: str = "") -> Doubt:
    """A doubt with the outside text that holds the value, as far as one does."""
    wanted = account(value) if sort == "account" else plain(look_for or value).strip().casefold()
    for source in trusted.outside:
        text = account(source.text) if sort == "account" else plain(source.text).casefold()
        if wanted and (wanted in text or (sort == "recipient" and address(value) in text)):
            return Doubt(place, sort, value[:200], source.ref, source.told)
    return Doubt(place, sort, value[:200])


def because(found: Sequence[Doubt], by: str) -> str:
    """Why the operator is asked: what the proposal was written from, and the values nobody trusted has named."""
    told = "; ".join(doubt.words for doubt in found[:3])
    more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
    return f"It was written from {by}, and it names {told}{more}. No rule and no grant lets that go without you."


def whose(origin: Origin) -> str:
    """Where something comes from, in words, as the middle of a sentence."""
    labels = origin.labels
    if "outside" in labels:
        return "words of somebody unknown"
    if "contact" in labels:
        return "a letter of somebody you know"
    if "operator" in labels:
        return "your own words"
    return "what Soloist keeps itself" if "own" in labels else "words nobody has labelled"
