"""Trusting: what a proposal may name although it was made from outside words, looked up by id; it judges nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from soloist.config import Home, Settings
from soloist.engine.store import assets, contexts, conversations, origins
from soloist.kernel.errors import NotFound
from soloist.kernel.origin import Origin, of
from soloist.kernel.proposal import LETTERS
from soloist.stages.policy import taint
from soloist.stages.policy.links import account
from soloist.stages.policy.taint import Source, Trusted

CHARACTERS = 200_000
"""Of one text in which a value is looked for."""
ARGUMENTS = 100
"""Control arguments of one proposal whose sources are kept."""


def origin_of(row: Mapping[str, Any]) -> Origin:
    """The origin that is kept with a proposal; one that has none counts as outside."""
    return of(row.get("origin"))


class Trusting:
    """Looks up the trusted values of one home."""

    def __init__(self, home: Home, settings: Settings) -> None:
        """``settings.trust`` is the operator's allow list."""
        self._home, self._settings, self.own = home, settings, settings.business.email.casefold()

    def of(self, conn: Any, row: Mapping[str, Any]) -> Trusted:
        """What a proposal may name: the thread it is on, the operator's lists, words and records.

        Nothing is believed that the proposal says of itself, except which of the operator's words it carries out.
        """
        thread = conversations.of(conn, row["conversation"]) if row["conversation"] else []
        people = origins.people_on(thread)
        trust, own = self._settings.trust, self._settings.business.email
        listed = {one: "settings: trust.recipients" for one in trust.recipients if not one.startswith("@")}
        to = {str(address).casefold() for address in row.get("recipients") or ()}
        return Trusted(
            known={
                "recipient": {**people, **listed, own.casefold(): "settings: business.email"},
                "account": {account(one): "settings: trust.accounts" for one in trust.accounts},
                "thread": _ids(thread),
                "id": {str(row["record"]).casefold(): f"record:{row['record']}"} if row["record"] else {},
                "value": {},
            },
            domains=frozenset(one for one in trust.recipients if one.startswith("@")),
            hosts=frozenset(trust.hosts),
            words=tuple(self._words(conn, row, thread)),
            thread=tuple(_source(one) for one in thread if str(one["sender"]).casefold() in to & set(people)),
            outside=tuple(_source(one) for one in thread if one["direction"] == "in"),
        )

    def _words(self, conn: Any, row: Mapping[str, Any], thread: Sequence[Mapping[str, Any]]) -> list[Source]:
        """Words of the operator: on the thread, in the house book and templates, in their records and instructions."""
        found = [_source(one) for one in thread if origins.of_message(one).labels == {"operator"}]
        context = contexts.get(conn, row["context"]) if row["context"] else None
        if context and context["house_book"]:
            found.append(Source("house book", "your house book", self._asset(conn, context["house_book"])))
        if (row.get("evidence") or {}).get("template"):
            found += [Source(f"template:{name}", "your template", text) for name, text in self._templates()]
        for ref in (row.get("origin") or {}).get("trusted") or ():
            found.append(Source(str(ref), "your own words", origins.words_of(conn, str(ref))))
        for name, value in origins.own_fields(conn, row["record"]).items():
            found.append(Source(f"record:{row['record']}.{name}", f"{name} in your records", str(value)))
        return [Source(one.ref, one.told, one.text[:CHARACTERS]) for one in found if one.text]

    def _asset(self, conn: Any, digest: str) -> str:
        try:
            return assets.load(conn, self._home.assets, digest).decode("utf-8", "replace")
        except NotFound:
            return ""

    def _templates(self) -> list[tuple[str, str]]:
        folder = Path(self._home.path(self._settings.intake.templates))
        files = sorted(folder.glob("*"))[:100] if folder.is_dir() else []
        return [(one.name, one.read_text("utf-8", "replace")[:CHARACTERS]) for one in files if one.is_file()]


def _ids(thread: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Message-IDs of a thread, and those its messages point at."""
    found: dict[str, str] = {}
    for row in thread:
        for ident in (row["message_id"], *(row["references"] or ())):
            found.setdefault(taint.normal("thread", str(ident)), f"message:{row['id']}")
    found.pop("", None)
    return found


def _source(row: Mapping[str, Any]) -> Source:
    """A message as a source: who wrote it and when, in words."""
    who = str(row["sender_name"] or row["sender"] or "somebody")
    day = f"{datetime.fromisoformat(row['at']):%d.%m.%Y}"
    told = f"your letter of {day}" if row["direction"] == "out" else f"the letter of {who} of {day}"
    return Source(f"message:{row['id']}", told, f"{row['subject']}\n{row['text']}\n{row['sender']}"[:CHARACTERS])


def doubted(
    conn: Any, trusting: Trusting, row: Mapping[str, Any], payload: Mapping[str, Any], facts: Any
) -> dict[str, Any]:
    """What policy must know of where a proposal comes from: {tainted, doubts, by}.

    ``facts`` is what the connector declares of the operation, None when nobody declares it: then all is control. A
    letter of ours to the operator alone carries outside words home, not out.
    """
    origin = origin_of(row)
    if not origin.tainted:
        return {"tainted": False}
    trusted = trusting.of(conn, {**row, "recipients": _to(payload, facts)})
    control, words = (facts.control, facts.words) if facts else ({}, ())
    found = taint.doubts(origin, payload, control, words, trusted)
    if row["source"] in LETTERS and _home_only(payload, trusting):
        found = ()
    by = next((one.told for one in reversed(trusted.outside)), "") or taint.whose(origin)
    return {"tainted": True, "doubts": found, "by": by}


def steering(
    conn: Any, trusting: Trusting, row: Mapping[str, Any], payload: Mapping[str, Any], facts: Any
) -> list[dict[str, str]]:
    """Which source names each control argument of a proposal that holds outside words: [{place, sort, source}].

    In the order of the payload and without the values, which stay in it; ``source`` "" where nobody trusted names it.
    """
    if not origin_of(row).tainted:
        return []
    trusted = trusting.of(conn, {**row, "recipients": _to(payload, facts)})
    control, words = (facts.control, facts.words) if facts else ({}, ())
    found = islice(taint.steered(payload, control, words, trusted), ARGUMENTS)
    return [{"place": one.place, "sort": one.sort, "source": one.source} for one in found]


def _to(payload: Mapping[str, Any], facts: Any) -> list[str]:
    places = [place for place, sort in (facts.control if facts else {}).items() if sort == "recipient"]
    return [taint.address(str(value)) for place, value in taint.leaves(payload) if place in places]


def _home_only(payload: Mapping[str, Any], trusting: Trusting) -> bool:
    """Whether everybody a letter goes to is the operator."""
    to = [taint.address(str(value)) for place, value in taint.leaves(payload) if place in ("to", "cc", "envelope_to")]
    return bool(to) and set(to) == {trusting.own}
