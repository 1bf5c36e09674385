"""Intents: what messages want by the operator's own examples: kept, learned, told, and led to where each belongs."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from soloist.engine.store import conversations, intents, labels, runs, samples, settings, thresholds
from soloist.engine.store.tx import Tx
from soloist.flows import failing
from soloist.flows.asides import Asides
from soloist.flows.desk import Desk
from soloist.flows.giving import Asked
from soloist.flows.plans import Plans, Start
from soloist.flows.playbooks import Playbooks
from soloist.flows.roles import giving
from soloist.flows.subscribing import heard
from soloist.kernel.errors import BadInput, NotFound, SoloistError
from soloist.kernel.hashing import json_hash
from soloist.kernel.origin import Origin
from soloist.kernel.proposal import NewProposal, agent_proposal_id
from soloist.kernel.spend import Payer
from soloist.kernel.work import WorkItem
from soloist.sdk.flow import Verbs
from soloist.stages.runtime import learning, routing
from soloist.stages.runtime.models import Try
from soloist.stages.runtime.routing import SKILL, Routed

LEADS = ("way", "reply", "agent", "operation", "playbook")
"""The usual way of a kind of message; a reply by a template of the operator's; a piece of work for an agent; a call of
an operation of a connection (an API, a store, a service), a proposal like any other; a playbook by its name."""
FILE = "soloist.toml"
"""The source of intents that stand in the file; those of pages, CLI and API are "own"."""
ASIDE, ASK = "aside", "ask"
WAYS = ("enquiry", "client", "support", "billing", "scheduling", ASIDE, ASK)
MOST, LONGEST, TEXT = 200, 2_000, 2_000
"""Examples of an intent and characters of one; characters that are read of a message."""
LEARNED = 600
"""Words on messages that are learned from, the newest first."""
_MODEL, _DATA = "model.intent", "model.intent.data"
LANGUAGES = "model.intent.languages"
"""Setting: what was measured of each language at the last fit, JSON."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class Intents:
    """The intents of one home."""

    def __init__(self, desk: Desk) -> None:
        """The desk is given."""
        self._desk = desk

    # ----- what the operator says

    async def keep(self, given: Mapping[str, Any], *, who: str, source: str = "own") -> str:
        """Keep an intent: {name, title, lead, target, examples}; BadInput names the field. Answers its name."""
        row = {**self._checked(given), "source": source}
        row["examples"] = [{"text": text, "lang": await self._language(text)} for text in row["examples"]]
        await self._desk.store.write(lambda tx: intents.put(tx, row, who=who))
        return str(row["name"])

    async def from_file(self) -> list[str]:
        """Take over what stands under [intents] in soloist.toml, and end what no longer does; the names that changed.

        BadInput names the intent and what is wrong with it; the others are kept.
        """
        known = {row["name"]: row for row in await self._desk.store.read(intents.listed) if row["source"] == FILE}
        given, changed, wrong = self._desk.settings.intents, [], []
        for name in sorted(known.keys() - given.keys()):
            await self.end(name, who=FILE)
            changed.append(name)
        for name, part in sorted(given.items()):
            lead, _, target = part.leads.partition(":")
            row = {"name": name, "title": part.title, "lead": lead, "target": target, "examples": part.examples}
            try:
                if not _same(known.get(name), self._checked(row)):
                    changed.append(await self.keep(row, who=FILE, source=FILE))
            except BadInput as error:
                wrong.append(f"intents.{name}: {error.detail}")
        if wrong:
            raise BadInput(" ".join(wrong), field="intents")
        return changed

    async def _language(self, text: str) -> str:
        """The language of an example; the business's own where it is too short to tell."""
        given = {"text": text, "default": self._desk.settings.business.language}
        return str((await self._desk.runtime.bare("language", given))["language"])

    async def end(self, name: str, *, who: str) -> None:
        """Take an intent out of use (NotFound)."""

        def work(tx: Tx) -> None:
            if intents.get(tx.conn, name) is None:
                raise NotFound(f"There is no intent called {name[:60]!r}.", field="name")
            intents.end(tx, name, who=who)

        await self._desk.store.write(work)

    async def tell(self, message: str, name: str, *, who: str) -> None:
        """What a message wants, by the operator's word: an example from now on, and a label (NotFound)."""

        def work(tx: Tx) -> None:
            if intents.get(tx.conn, name) is None:
                raise NotFound(f"There is no intent called {name[:60]!r}.", field="name")
            conversations.message(tx.conn, message)
            was = samples.find(tx.conn, message, SKILL)
            labels.add(tx, message, SKILL, name, was=str((was or {}).get("label", "")), source="told", who=who)

        await self._desk.store.write(work)

    def _checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """An intent that can be kept."""
        name, lead, target = (str(given.get(key, "")).strip() for key in ("name", "lead", "target"))
        if not _NAME.fullmatch(name):
            raise BadInput("name: small letters, digits, - and _, beginning with a letter, at most 40.", field="name")
        if lead not in LEADS:
            raise BadInput(f"lead: one of {', '.join(LEADS)}.", field="lead")
        known = self.targets(lead)
        if target not in known:
            raise BadInput(f"target: one of {', '.join(known) or 'none yet'}, not {target[:60]!r}.", field="target")
        examples = list(dict.fromkeys(" ".join(str(text).split()) for text in given.get("examples") or []))
        examples = [text for text in examples if text]
        if len(examples) > MOST or any(len(text) > LONGEST for text in examples):
            raise BadInput(f"examples: at most {MOST}, each at most {LONGEST} characters.", field="examples")
        title = " ".join(str(given.get("title") or name).split())[:120]
        shown = {"name": name, "title": title, "lead": lead, "target": target, "source": "own"}
        return {**shown, "examples": examples}

    def targets(self, lead: str) -> list[str]:
        """Where a lead can lead to."""
        if lead == "way":
            return list(WAYS)
        if lead == "agent":
            return sorted(self._desk.runtime.agents)
        if lead == "playbook":
            return Playbooks(self._desk).led()
        if lead == "operation":
            parts = self._desk.settings.connectors
            return sorted(f"{one}.{name}" for one in parts for name in _names(parts[one]))
        return sorted({name.rpartition(".")[0] for name in self._desk.runtime.templates()})

    # ----- learning

    async def due(self) -> bool:
        """Whether the examples are others than those of the last fit."""

        def read(conn: Any) -> bool:
            told = self._examples(conn)
            return bool(told or settings.value(conn, _MODEL)) and settings.value(conn, _DATA) != json_hash(told)

        return await self._desk.store.read(read)

    async def fit(self) -> dict[str, Any]:
        """Fit the router anew in a process of its own; {languages, why}. WorkerTrouble leaves the one in use."""
        told = await self._desk.store.read(self._examples)
        if len({one["label"] for one in told}) < 2:
            return await self._desk.store.write(lambda tx: self._use(tx, "", told, {}))
        with closing(self._desk.runtime.fitter()) as process:
            value = {"examples": told, "bar": self._desk.settings.confidence.language_bar}
            found = await process.call("local.fit_intents", value, timeout=learning.TIMEOUT)
        name = f"intent-{found['sha256'][:16]}.npz"
        await asyncio.to_thread(learning.put, self._desk.home, name, found["file"], found["sha256"])
        return await self._desk.store.write(lambda tx: self._use(tx, name, told, found["languages"]))

    def _examples(self, conn: Any) -> list[dict[str, Any]]:
        """Everything there is to learn from: {label, text, lang}, typed examples and told messages."""
        rows = intents.listed(conn)
        found = [
            {"label": row["name"], "text": one["text"], "lang": one["lang"]}
            for row in rows
            for one in row["examples"] or []
        ]
        for row in intents.told(conn, [row["name"] for row in rows], LEARNED):
            words = (row["understanding"] or {}).get("own_text") or row["text"]
            text = f"{row['subject']}\n{words}".strip()[:TEXT]
            found.append({"label": row["label"], "text": text, "lang": row["language"] or "en"})
        return found

    @staticmethod
    def _use(tx: Tx, name: str, told: Sequence[Mapping[str, Any]], languages: Mapping[str, Any]) -> dict[str, Any]:
        """Switch over; the journal says what was measured of each language."""
        settings.put(tx, _MODEL, name)
        settings.put(tx, _DATA, json_hash(list(told)))
        measured = {
            lang: {"how": one["how"], "examples": one["examples"], "ways": one["ways"]}
            for lang, one in languages.items()
        }
        settings.put(tx, LANGUAGES, json.dumps(measured, sort_keys=True))
        shown = {"examples": len(told), "languages": measured}
        tx.append("model.refitted", subject=name or "intent", payload=shown)
        return {"model": name, **shown}

    # ----- the way of a message

    async def understand(self, run: str, message_id: str) -> dict[str, Any]:
        """What a message is, and what it wants by the local router (``way``: {} for nothing it is sure of)."""
        meaning = await self._desk.runtime.understand(run, message_id)
        if said := await heard(self._desk, message_id):
            meaning = {**meaning, "takes_back": said}
        way = {} if meaning["set_aside"] else await self.first(run, message_id)
        return {**meaning, "way": way} if way else meaning

    async def way(self, do: Verbs, message: str, meaning: Mapping[str, Any]) -> dict[str, Any]:
        """Where a message is led: {} for its usual way, else {intent, lead, target, why}.

        A language model is asked only about what the local router was not sure of.
        """
        found = meaning.get("way") or {}
        return await self._second(do, message) if found.get("ask") else dict(found)

    async def first(self, run: str, message_id: str) -> dict[str, Any]:
        """What the local router says; {ask: true} when it is not sure and a language model may be asked."""
        store, desk = self._desk.store, self._desk
        name, there = await store.read(lambda conn: (settings.value(conn, _MODEL), intents.any_there(conn)))
        if not name or not there:
            return {}
        message = await store.read(lambda conn: conversations.message(conn, message_id))
        given = {"text": _text(message), "language": message["language"], "least": 0.0}
        given["model"] = str(learning.folder(desk.home) / name)
        item = WorkItem(run, "intent", "intake", SKILL, given, flow="intake", origin=Origin(frozenset({"outside"})))
        try:
            worked = await desk.runtime.work(item)
        except SoloistError:
            return {}  # the message goes its usual way, which ends with the operator
        found = {"probabilities": worked.value.get("scores") or {}, "in_scope": worked.value.get("in_scope")}
        found |= {"model": name, "how": str(worked.value.get("how", "")).rpartition(" ")[2]}
        routed = await store.read(lambda conn: self._gated(conn, found, message["language"]))
        return await store.write(lambda tx: self._kept(tx, message, routed, ask=self._may_ask()))

    def _gated(self, conn: Any, found: Mapping[str, Any], language: str) -> Routed:
        """Both gates, with what the operator's decisions prove of where the likeliest intent leads."""
        first = routing.route(found)
        row = intents.get(conn, first.told) if first.told else None
        if row is None:
            return Routed("", first.why, first.by, first.how)
        return routing.route(found, thresholds.get(conn, SKILL, language, row["lead"]))

    def _kept(self, tx: Tx, message: Mapping[str, Any], routed: Routed, *, ask: bool = False) -> dict[str, Any]:
        """Keep what was told, and answer where it leads."""
        row = intents.get(tx.conn, routed.told) if routed.told else None
        if row is not None and routed.confidence:
            told = {"language": message["language"], "grouping": row["lead"], "label": routed.told}
            alone = int(bool(routed.intent))
            samples.tell(tx, message["id"], SKILL, **told, confidence=routed.confidence, alone=alone)
        if not routed.intent or row is None:
            return {"ask": True} if ask else {}
        tx.append("intent.told", subject=message["id"], payload={"intent": routed.intent, "why": routed.why})
        shown = {"intent": row["name"], "lead": row["lead"], "target": row["target"]}
        return {**shown, "why": f'It wants "{row["title"]}". {routed.why}'}

    # ----- the language model behind it

    def _may_ask(self) -> bool:
        """Whether a model is set and the contract of intake lets it ask one."""
        spec = self._desk.runtime.roster.working("intake")
        return bool(self._desk.models.order()) and spec.tier >= 2 and spec.limits.model_calls != 0

    async def _second(self, do: Verbs, message_id: str) -> dict[str, Any]:
        """The next model of the chain; without an answer the message goes its usual way, to the operator."""
        store, models = self._desk.store, self._desk.models
        message, rows = await store.read(lambda conn: (conversations.message(conn, message_id), intents.listed(conn)))
        payer = Payer(do.run, "intent model", agent="intake", flow="intake")
        try:
            behind = await models.for_agent(Try(payer, models.order(), skill=SKILL), do, most_requests=3)
            chain = await asyncio.to_thread(importlib.import_module, "soloist.stages.runtime.models.router")

            async def unsure(_text: str) -> dict[str, Any]:
                return {}  # it was asked a step earlier and was not sure

            names = {row["name"]: row["title"] for row in rows}
            shown = [(one["text"], row["name"]) for row in rows for one in (row["examples"] or [])[:2]]
            routed = await chain.ask(_text(message), names, chain.LocalRouter(unsure), behind, examples=shown[:40])
        except SoloistError:
            return {}
        return dict(await do.step("intent kept", self.second, message_id, routed.intent, routed.by))

    async def second(self, _run: str, message_id: str, intent: str, by: str) -> dict[str, Any]:
        """Keep what the language model read; it has no confidence, since what it says of itself is no measure."""
        message = await self._desk.store.read(lambda conn: conversations.message(conn, message_id))
        routed = Routed(intent, f"{by} read it so; your examples alone were not sure.", by, "model", intent)
        return await self._desk.store.write(lambda tx: self._kept(tx, message, routed))

    # ----- where it leads

    async def turn(self, _run: str, message_id: str, way: Mapping[str, Any]) -> dict[str, Any]:
        """The message is from now on of the kind that it is led to; what gets a reply by a template is answered."""

        def work(tx: Tx) -> dict[str, Any]:
            message = conversations.message(tx.conn, message_id)
            kind = {ASIDE: "bulk", ASK: "unsure"}.get(way["target"], way["target"])
            if way["lead"] == "reply":
                kind = message["kind"] if message["kind"] in WAYS else "client"
            read = {**(message["understanding"] or {}), "kind": kind, "kind_rule": way["why"]}
            conversations.update_message(tx, message_id, kind=kind, understanding=read)
            aside = way["target"] == ASIDE and way["lead"] == "way"
            return {"kind": kind, "rule": way["why"], "set_aside": aside, "language": message["language"]}

        return await self._desk.store.write(work)

    async def call(self, run: str, message_id: str, way: Mapping[str, Any]) -> dict[str, Any]:
        """Propose the operation that the message is led to, with what they wrote as its values; nothing is called here.

        A connection or operation that is gone, or that refuses these values, leaves a card to the operator.
        """
        connector, _, operation = str(way["target"]).partition(".")
        message = await self._desk.store.read(lambda conn: conversations.message(conn, message_id))
        new = NewProposal(
            id=agent_proposal_id(run, "intent", 0),
            connector=connector,
            operation=operation,
            payload={"intent": way["intent"], "message": message_id, "from": message["sender"], "text": _text(message)},
            reason=str(way["why"]),
            source="agent:intake",
            run=run,
            agent=self._desk.runtime.roster.working("intake").label,
            evidence={"message": message_id, "skill": SKILL, "language": message["language"], "kind": "operation"},
            conversation=message["conversation"],
            title=f"{way['intent']}: {message['subject']}"[:160],
            origin=Origin(frozenset({"outside"}), frozenset({f"message:{message_id}"})),
        )
        try:
            facts = self._desk.facts(connector, operation)

            def propose(tx: Tx) -> dict[str, Any]:
                made = partial(self._desk.approvals.propose, tx, new, facts, actor=new.agent)
                return dict(runs.once(tx, run, "call", made, given={"message": message_id}))

            return await self._desk.store.write(propose)
        except SoloistError as error:
            rule = f"{way['why']} It leads to {way['target']}, which could not take it: {error.detail}"
            return await Asides(self._desk).ask_kind(run, message_id, {"rule": rule})

    async def hand_over(self, run: str, message_id: str, way: Mapping[str, Any]) -> dict[str, Any]:
        """Give the message to the agent it is led to; one that cannot take it leaves a card to the operator."""
        origin = Origin(frozenset({"outside"}), frozenset({message_id}))
        asked = Asked(
            way["target"],
            {"message": message_id},
            wanted=str(way["why"]),
            subject=message_id,
            ref=f"{failing.origin(run)}:{way['intent']}",
            origin=origin,
        )
        try:
            given = await giving(self._desk).give(asked, who="soloist")
        except SoloistError as error:
            rule = f"{way['why']} It leads to {way['target']}, which could not take it: {error.detail}"
            return await Asides(self._desk).ask_kind(run, message_id, {"rule": rule})
        return {"work": given["id"]}

    async def begin(self, run: str, message_id: str, way: Mapping[str, Any], who: Mapping[str, Any]) -> dict[str, Any]:
        """Begin the plan of the playbook the message is led to; one that cannot begin leaves a card to the operator.

        ``who`` is whose message it is by the records. What comes from the message is from outside, in every task.
        """
        origin = Origin(frozenset({"outside"}), frozenset({f"message:{message_id}"}))
        client = str(who.get("person") or who.get("company") or "")
        start = Start({"message": message_id, "client": client}, origin, message_id, client, message_id)
        try:
            begun = await Plans(self._desk).begin(str(way["target"]), start, who=f"intent:{way['intent']}")
        except SoloistError as error:
            rule = f"{way['why']} It leads to {way['target']}, which could not begin: {error.detail}"
            return await Asides(self._desk).ask_kind(run, message_id, {"rule": rule})
        return {"plan": begun["id"]}


def _names(part: Any) -> list[str]:
    """The operations that a connection of soloist.toml declares by name."""
    return sorted(part.model_dump().get("operations") or {})


def _same(row: Mapping[str, Any] | None, given: Mapping[str, Any]) -> bool:
    """Whether an intent is kept as it stands in the file."""
    if row is None or any(row[key] != given[key] for key in ("title", "lead", "target")):
        return False
    kept: list[str] = [one["text"] for one in row["examples"] or []]
    return kept == list(given["examples"])


def _text(message: Mapping[str, Any]) -> str:
    """What is read of a message: its subject and the sender's own words."""
    words = (message["understanding"] or {}).get("own_text") or message["text"]
    return f"{message['subject']}\n{words}".strip()[:TEXT]
