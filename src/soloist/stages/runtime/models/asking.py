"""Models: asks a configured model, keeps books before and after, falls back; the only way a model is called."""

from __future__ import annotations

import asyncio
import copy
import importlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from soloist.config import Settings, seconds
from soloist.engine import failpoint
from soloist.engine.egress import Resolver, system_resolver
from soloist.engine.store import model_calls, recordings
from soloist.engine.store.store import Store
from soloist.engine.store.tx import Tx
from soloist.engine.vault import kept_out
from soloist.kernel.agent import After
from soloist.kernel.errors import BadConfig, CapReached, ModelTrouble, NotFound, SoloistError
from soloist.kernel.model import Answer, Fault, Next, Price
from soloist.kernel.model_settings import ModelPart
from soloist.kernel.night import local
from soloist.kernel.spend import Actual, Held, Payer, Worst
from soloist.sdk.flow import Verbs
from soloist.stages.runtime.models import decide, looking, prices, usual, wire
from soloist.stages.runtime.models.at_once import AtOnce, Parking
from soloist.stages.runtime.models.looking import Seen, Tool
from soloist.stages.runtime.models.wire import Came, Sent

NOT_SET = (
    "No model is set, so nothing was written by one. Name one in soloist.toml, under [models.NAME]; "
    "docs/how-to/set-a-model.md shows how."
)
KEPT_BACK = 0.5
"""Share of a text that is left when a question was too long."""


class Waits(Protocol):
    """Who lets a question wait for the night; the answer of a batch is a recording afterwards."""

    async def kept(self, question: Question, payer: Payer, do: Verbs) -> None:
        """Come back when it is to be asked: at once, in its hours, or when the batch has answered it."""


class Books(Protocol):
    """The ledger, as this room needs it."""

    async def begin(self, payer: Payer, worst: Worst, row: Mapping[str, Any] | None = None) -> Any:
        """Write a call and hold its worst case back: a ``Held``, or what says {said, cap, card, call}."""

    def end_in(self, tx: Tx, call: str, state: str, actual: Actual, **values: Any) -> int:
        """Settle inside a transaction."""

    def saved_in(self, tx: Tx, payer: Payer, micro: int, row: Mapping[str, Any]) -> str:
        """Write a call that a recording answered."""

    def lost_in(self, tx: Tx, row: Mapping[str, Any]) -> None:
        """A call that nobody will settle any more."""


@dataclass(frozen=True)
class Question:
    """One question. ``instructions`` are ours, ``text`` may be anybody's; ``schema`` is a JSON schema of the answer.

    Models of the tiers ``least`` to ``most`` may be asked; ``model`` names the one that is asked first. ``fresh`` asks
    although there is a recording; what is ``urgent`` waits for a model whose rate limit was reached. The ``lane``
    "morning" lets it wait for the cheap hours, or lie with the provider as part of a batch. ``before`` are turns of the
    same conversation after ``text`` ({by: us | model, text}), ``failures`` an agent's own word on what follows after a
    fault, ``until`` the instant (time.monotonic) from which nobody waits any more, 0 for none. ``large`` says why the
    large tier may be asked: without a reason it is not, unless the operator asks a ``model`` by its name.
    """

    instructions: str
    text: str
    schema: Mapping[str, Any] | None = None
    least: int = 2
    most: int = 3
    model: str = ""
    max_output: int = 0
    skill: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)
    fresh: bool = False
    urgent: bool = False
    lane: str = "now"
    before: Sequence[Mapping[str, str]] = ()
    failures: Mapping[Any, After] = field(default_factory=dict)
    until: float = 0.0
    large: str = ""


@dataclass(frozen=True)
class Outcome:
    """How one try ended, small enough for a durable step; the text lies in the recording ``key``."""

    call: str = ""
    key: str = ""
    model: str = ""
    fault: str = ""
    said: str = ""
    retry_after: float = 0.0
    cost: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    recorded: bool = False
    cap: str = ""
    card: str = ""


@dataclass(frozen=True)
class Try:
    """What stays the same in all tries of one question: who pays, who may be asked, and what is kept of it."""

    payer: Payer
    order: Sequence[str]
    skill: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)
    fresh: bool = False
    urgent: bool = False
    failures: Mapping[Any, After] = field(default_factory=dict)
    until: float = 0.0


class Models:
    """The models of one home. Without any every question ends with "no model is set"."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        books: Books,
        *,
        secret: Callable[[str], str],
        hidden: Callable[[], Sequence[str]] = tuple,
        resolver: Resolver = system_resolver,
        replay: bool = False,
    ) -> None:
        """``secret`` opens one by name, ``hidden`` gives all that may never be in a prompt.

        With ``replay`` only recordings answer and nothing leaves the house.
        """
        self._store, self._books, self._secret, self._hidden = store, books, secret, hidden
        self.parts: Mapping[str, ModelPart] = settings.models
        self._currency, self._rates = settings.business.currency, settings.budgets.rates
        self._resolver, self.replay = resolver, replay
        self._built: dict[str, tuple[str, Any]] = {}
        self._limited: dict[str, float] = {}
        self._loaded = False
        self._zone = settings.business.zone
        self.night: Waits | None = None

    def only(self, name: str) -> Models:
        """The same with one model alone, so that no other answers in its place."""
        alone = copy.copy(self)
        alone.parts = {name: self.parts[name]}
        return alone

    # ----- what a question would cost

    def price(self, name: str, size: int = 0) -> Price:
        """The price of a model (BadConfig)."""
        return prices.of(self.parts[name], self._currency, self._rates, size=size)

    def take(self, settings: Settings) -> None:
        """Take over [models] and the rates of [budgets] as they are now; calls that run keep theirs."""
        changed = [name for name, part in settings.models.items() if self.parts.get(name) != part]
        for name in {*changed, *(set(self.parts) - set(settings.models))}:
            self._built.pop(name, None)
        self.parts = settings.models
        self._rates = settings.budgets.rates

    def share(self, name: str, *instants: datetime) -> str:
        """The share of a model's price that counts when all of these instants lie in its cheap hours, else "1"."""
        part = self.parts[name]
        if part.off_peak is None:
            return "1"
        inside = (part.off_peak.hours.holds(local(at, self._zone)) for at in instants)
        return part.off_peak.share if all(inside) else "1"

    def order(self, least: int = 2, most: int = 3, first: str = "") -> list[str]:
        """The models that may be asked, in their order."""
        return decide.chain(self.parts, least, most, first=first)

    def open_to(self, question: Question) -> list[str]:
        """The same for a question: the large tier is among them where it has a reason or was asked for by name."""
        most = decide.topmost(question.most, reason=question.large or question.model)
        return self.order(question.least, most, question.model)

    def estimate(self, question: Question, usual_out: int | None = None) -> dict[str, Any]:
        """{model, tokens_in, tokens_out, micro, worst_micro, currency} of asking; the model "" when none is set."""
        order = self.open_to(question)
        if not order:
            return {"model": "", "tokens_in": 0, "tokens_out": 0, "micro": 0, "worst_micro": 0, "currency": ""}
        part, price = self.parts[order[0]], self.price(order[0])
        told = {"messages": [question.instructions, question.text], "schema": question.schema}
        most = min(question.max_output or part.max_output, part.max_output)
        tokens, out = decide.likely_tokens(told), most // 3
        size = usual.size(question.instructions, question.text, question.schema, question.before)
        if known := usual.learned(
            self._store.read_now(lambda conn: model_calls.lengths(conn, question.skill, part.model))
        ):
            tokens, out = known.asked.at(size), known.answered.at(size)
        out = min(most, out if usual_out is None else usual_out)
        worst = worst_of(price, decide.most_tokens(told), most)
        price = prices.shared(price, part.batch_share if question.lane == "morning" and part.batches else "1")
        return {
            "model": order[0],
            "tokens_in": tokens,
            "tokens_out": out,
            "micro": worst_of(price, tokens, out).micro,
            "worst_micro": worst.micro,
            "currency": self._currency,
        }

    # ----- asking

    async def ask(self, question: Question, payer: Payer, do: Verbs | AtOnce | None = None) -> Answer:
        """Ask, and go down the chain where a model fails. CapReached, ModelTrouble (``extra["fault"]``).

        Inside a run ``do`` makes each try one durable step; the steps carry ids, the texts stay in the recordings.
        """
        verbs = do or AtOnce(payer.run)
        await self.load(question)
        tried = self.tried(question, payer)
        if self.night is not None and do is not None and not isinstance(do, AtOnce) and not self.replay:
            await self.night.kept(question, payer, do)
        model, done, notes, text = tried.order[0], list[Next](), list[str](), question.text
        turns, n = [{"by": "us", "text": text}, *question.before], 0
        parks = isinstance(verbs, Parking)
        longest = decide.LONGEST_PARK if parks else decide.LONGEST_WAIT
        while True:
            sent, n = self._sent(question, model, turns), n + 1
            at = replace(tried, order=[model, *(name for name in tried.order if name != model)])
            outcome = await self.attempt(sent, at, verbs, n)
            value, fault, said = await self._judged(outcome, question)
            if not fault:
                return self._answer(value, outcome, notes)
            if outcome.recorded and not self.replay:  # a recording that does not fit: this time the model is asked
                tried = replace(tried, fresh=True)
                continue
            if fault == "cap":
                raise CapReached(outcome.said, cap=outcome.cap, card=outcome.card, call=outcome.call)
            notes.append(f"{outcome.model or model}: {said}")
            own = question.failures.get(fault)
            at_model = outcome.model or model
            way = decide.after(fault, at_model, tried.order, done, outcome.retry_after, own=own, longest=longest)
            done.append(way.do)
            if way.do == "operator" or (not parks and decide.over(question.until, time.monotonic(), way.wait)):
                raise ModelTrouble(said, fault=fault, call=outcome.call, tried=notes)
            if way.do == "repair":
                turns = [*turns, {"by": "model", "text": str(value)}, {"by": "us", "text": decide.correction(said)}]
            elif way.do == "shorten":
                text = decide.shorter(text, int(len(text) * KEPT_BACK))
                turns = [{"by": "us", "text": text}]
            elif way.do in ("other", "smaller"):
                turns = turns[: 1 + len(question.before)]
            if way.wait:
                await verbs.sleep(way.wait)
            model = way.model

    def tried(self, question: Question, payer: Payer) -> Try:
        """What stays the same in all tries of a question (ModelTrouble when nobody may be asked)."""
        return Try(
            payer,
            self._may(question),
            question.skill,
            question.origin,
            question.fresh,
            question.urgent,
            question.failures,
            question.until,
        )

    async def for_agent(self, tried: Try, do: Verbs | AtOnce | None = None, *, most_requests: int = 20) -> Any:
        """One model of the agent library for one run of an agent (``durable.Asking``); ModelTrouble when none is set.

        Every request is held back, recorded and settled like any other question; ``do`` makes it durable.
        """
        if not tried.order:
            raise ModelTrouble(NOT_SET, fault="not_configured")
        durable = await asyncio.to_thread(importlib.import_module, "soloist.stages.runtime.models.durable")
        try:
            first = self._model(tried.order[0])
        except SoloistError as error:
            raise ModelTrouble(error.detail, fault="not_configured") from error
        return durable.Asking(self, first, tried, do or AtOnce(tried.payer.run), most_requests=most_requests)

    async def look_up(
        self,
        question: Question,
        payer: Payer,
        do: Verbs | AtOnce | None,
        tools: Sequence[Tool],
        *,
        name: str,
        most_requests: int,
    ) -> tuple[Answer, list[Seen]]:
        """As ``ask``, by an agent of the library called ``name`` that may look things up first."""
        await self.load(question)
        model = await self.for_agent(self.tried(question, payer), do, most_requests=most_requests)
        value, seen = await looking.answer(model, question, tools, name)
        notes = [f"{one.model}: {one.said}" for one in model.asked if one.fault]
        return self._answer(value, model.asked[-1], notes), seen

    async def stream(self, question: Question, payer: Payer) -> AsyncIterator[str | Answer]:
        """Ask for the operator who looks on: the text as it comes, and the recorded answer as the last thing.

        ModelTrouble and CapReached as ``ask``; nothing is tried again once a word was shown.
        """
        await self.load(question)
        order = self._may(question)
        turns = [{"by": "us", "text": question.text}]
        sent = self._masked(self._sent(question, order[0], turns))
        begun = await self._begin(sent, Try(payer, order, question.skill, question.origin, question.fresh), order[0])
        if isinstance(begun, Outcome):
            value, fault, said = await self._judged(begun, question)
            if fault:
                raise ModelTrouble(said, fault=fault, call=begun.call)
            yield str(value)
            yield self._answer(value, begun, [])
            return
        came, started, part = Came(fault="transient", said="Nobody looked on any more."), time.monotonic(), begun.part
        try:
            async for piece in wire.stream(begun.model, sent, seconds(part.timeout)):
                if isinstance(piece, Came):
                    came = piece
                else:
                    yield piece
        finally:
            outcome = await asyncio.shield(self._end(begun, came, started))
        if outcome.fault:
            raise ModelTrouble(outcome.said, fault=outcome.fault, call=outcome.call)
        value, fault, said = await self._judged(outcome, replace(question, schema=None))
        yield self._answer(value, outcome, [])

    async def load(self, question: Question) -> None:
        """Load the library on a thread, the first time that there is somebody to ask: it takes a second or two."""
        if not self._loaded and self.open_to(question):
            await asyncio.to_thread(wire.load)
            self._loaded = True

    def _may(self, question: Question) -> list[str]:
        """Who may be asked, those whose rate limit was reached last (ModelTrouble when nobody)."""
        order = self.open_to(question)
        if not order:
            wanted = f" of the tiers {question.least} to {question.most}" if self.parts else ""
            said = f"No model{wanted} is set, so nothing was asked." if self.parts else NOT_SET
            raise ModelTrouble(said, fault="not_configured")
        return order

    def _sent(self, question: Question, model: str, turns: Sequence[Mapping[str, str]]) -> Sent:
        """A question as the library takes it."""
        part = self.parts[model]
        most = min(question.max_output or part.max_output, part.max_output)
        settings = {"max_tokens": most, "temperature": 0.0, "timeout": seconds(part.timeout)}
        messages = wire.question(question.instructions, turns)
        return Sent(messages, settings, wire.parameters(part, question.instructions, question.schema))

    async def _judged(self, outcome: Outcome, question: Question) -> tuple[Any, Fault | None, str]:
        """The value of an answer with what is wrong with it."""
        if outcome.fault:
            return "", outcome.fault, outcome.said  # type: ignore[return-value]  # a Fault as text
        text = wire.text_of(await self.response(outcome))
        if decide.repeats(text):
            return text, "looping", "The model said the same again and again."
        if question.schema is None:
            return text, None, ""
        try:
            value = decide.parsed(text)
        except ValueError as error:
            return text, "malformed", f"The answer is no JSON ({error})."
        wrong = decide.fits(value, question.schema)
        return (text, "malformed", f"The answer does not fit: {wrong}.") if wrong else (value, None, "")

    def _answer(self, value: Any, outcome: Outcome, notes: Sequence[str]) -> Answer:
        part = self.parts[outcome.model]
        return Answer(
            value,
            author(part),
            outcome.recorded,
            outcome.call,
            outcome.tokens_in,
            outcome.tokens_out,
            outcome.cost,
            self._currency,
            tuple(notes),
        )

    # ----- one try

    async def attempt(self, sent: Sent, tried: Try, do: Verbs | AtOnce, n: int) -> Outcome:
        """One try as one durable step; a fault is an outcome. The first model of the order that is free is asked."""
        at = replace(tried, payer=replace(tried.payer, step=f"{tried.payer.step}/{n}"))

        async def work(_run: str) -> dict[str, Any]:
            outcome = await self._attempt(sent, at)
            return {name: value for name, value in asdict(outcome).items() if value}

        return Outcome(**(await do.step(f"model.{n}", work)))

    async def response(self, outcome: Outcome) -> dict[str, Any]:
        """The recorded answer of a try (ModelTrouble when it was erased in between)."""
        kept = await self._store.read(lambda conn: recordings.get(conn, outcome.key))
        if kept is None or kept["response"] is None:
            raise ModelTrouble(
                "The recording of this answer is gone: it was erased, or it belongs to another version of the "
                "question. Ask again with a new run.",
                fault="malformed",
                call=outcome.call,
            )
        return dict(kept["response"])

    async def _attempt(self, sent: Sent, tried: Try) -> Outcome:
        name = self._free(tried)
        sent = self._masked(sent)
        begun = await self._begin(sent, tried, name)
        if isinstance(begun, Outcome):
            return begun
        failpoint.hit("model reserved")
        started, patience = time.monotonic(), seconds(begun.part.timeout)
        patience = min(patience, max(0.0, tried.until - started)) if tried.until else patience
        try:
            came = await wire.request(begun.model, sent, patience)
        except asyncio.CancelledError:  # whoever waited is gone; what it may have cost is not
            await asyncio.shield(self._store.write(lambda tx: self._lost(tx, begun)))
            raise
        failpoint.hit("model came")
        return await self._end(begun, came, started)

    def _lost(self, tx: Tx, begun: _Begun) -> None:
        """A call nobody waited for: the worst case counts as spent, and whoever comes back asks again."""
        self._books.lost_in(tx, model_calls.get(tx.conn, begun.held.call))

    def _free(self, tried: Try) -> str:
        """The first model that is not limited just now; what is urgent waits for its own."""
        now = time.monotonic()
        free = [name for name in tried.order if self._limited.get(name, 0.0) <= now]
        return tried.order[0] if tried.urgent or not free else free[0]

    def _masked(self, sent: Sent) -> Sent:
        """The same without any secret: what is not in a prompt cannot come back out of a model."""
        hidden = self._hidden()
        found, given = kept_out(sent.messages, hidden), sent.parameters
        if given is not None and given.instruction_parts:
            parts = [replace(one, content=kept_out(one.content, hidden)) for one in given.instruction_parts]
            if parts != list(given.instruction_parts):
                sent = replace(sent, parameters=replace(given, instruction_parts=parts))
        return sent if found is sent.messages else replace(sent, messages=found)

    async def _begin(self, sent: Sent, tried: Try, name: str) -> _Begun | Outcome:
        """Everything before the call: an earlier end of this step, a recording, the books."""
        part, told = self.parts[name], wire.told(sent)
        key = decide.key(part.kind, part.model, {**told, "messages": decide.lasting(sent.messages)})
        payer = tried.payer
        rows = await self._store.read(lambda conn: model_calls.attempts(conn, payer.run, payer.step))
        if rows and rows[-1]["state"] not in (model_calls.OPEN, "lost"):
            return _ended(rows[-1])
        payer = replace(payer, attempt=len(rows))
        row = {"key": key, "tier": part.stage, "provider": name, "model": part.model, "skill": tried.skill}
        row["origin"] = dict(tried.origin)
        row["detail"] = {"bytes": _size(sent, told)}
        kept = None if tried.fresh else await self._store.read(lambda conn: recordings.get(conn, key))
        try:
            price = self.price(name)
            if kept is not None and kept["response"] is not None:
                return await self._recorded(payer, row, price, rows)
            if self.replay:
                said = "There is no recording of this question, and without one no model is asked here."
                return Outcome(model=name, fault="not_configured", said=said)
            model = self._model(name)
        except SoloistError as error:
            return Outcome(model=name, fault="not_configured", said=error.detail)
        most = int(sent.settings.get("max_tokens") or part.max_output)
        if decide.likely_tokens(told) + most > part.window:
            said = f"The question has about {decide.likely_tokens(told)} tokens; {name} takes {part.window - most}."
            return Outcome(model=name, fault="too_long", said=said)
        worst = worst_of(price, decide.most_tokens(told), most)
        row |= {"request": told, "price": asdict(price)}
        if rows:
            await self._store.write(lambda tx: self._books.lost_in(tx, rows[-1]))
        held = await self._books.begin(payer, worst, row)
        if not isinstance(held, Held):
            return Outcome(held.call, key, name, "cap", held.said, cap=held.cap, card=held.card)
        return _Begun(held, key, name, part, model, self._store.clock())

    async def _recorded(
        self, payer: Payer, row: Mapping[str, Any], price: Price, rows: Sequence[Mapping[str, Any]]
    ) -> Outcome:
        """A recording answers: nothing is asked, nothing is spent, and what it would have cost is counted as saved."""

        def work(tx: Tx) -> Outcome:
            kept = recordings.get(tx.conn, row["key"]) or {}
            usage = (kept.get("response") or {}).get("usage") or {}
            tokens = int(usage.get("input_tokens") or 0), int(usage.get("output_tokens") or 0)
            recordings.use(tx, row["key"])
            if rows:
                self._books.lost_in(tx, rows[-1])
            paid = _paid(tx, kept)
            saved = max(0, worst_of(price, *tokens).micro - paid)
            call = self._books.saved_in(tx, payer, saved, {**row, "recording": row["key"]})
            return Outcome(call, row["key"], row["provider"], "", "", 0.0, paid, *tokens, recorded=True)

        return await self._store.write(work)

    async def _end(self, begun: _Begun, came: Came, started: float) -> Outcome:
        """Everything after the call, in one commit: the books, the recording, what was said."""
        if came.fault == "rate_limited":
            self._limited[begun.name] = time.monotonic() + min(came.retry_after or decide.USUAL_WAIT, 60.0)
        size = came.actual.tokens_in or 0
        share = self.share(begun.name, begun.at, self._store.clock()) if begun.name in self.parts else "1"
        price = prices.shared(prices.of(begun.part, self._currency, self._rates, size=size), share)
        response = self._clean(came.response)
        values = {
            "fault": came.fault or "",
            "said": kept_out(came.said, self._hidden()),
            "response": response if came.fault else None,
            "recording": "" if came.fault else begun.key,
            "milliseconds": int((time.monotonic() - started) * 1000),
            "priced": price,
        }

        def work(tx: Tx) -> int:
            state = "failed" if came.fault else "answered"
            cost = self._books.end_in(tx, begun.held.call, state, came.actual, **values)
            if response is not None and not came.fault:
                row = {"key": begun.key, "provider": begun.name, "model": begun.part.model, "response": response}
                recordings.put(tx, {**row, "author": author(begun.part), "call": begun.held.call, "source": "call"})
            return cost

        cost = await self._store.write(work)
        tokens = came.actual.tokens_in or 0, came.actual.tokens_out or 0
        said, fault = kept_out(came.said, self._hidden())[:300], came.fault or ""
        return Outcome(begun.held.call, begun.key, begun.name, fault, said, came.retry_after, cost, *tokens)

    def _clean(self, response: dict[str, Any] | None) -> dict[str, Any] | None:
        """An answer without secrets: a model may say one it has seen elsewhere."""
        if response is None:
            return None
        return dict(kept_out(response, self._hidden()))

    def _model(self, name: str) -> Any:
        """The library's model with the secret it needs (NotFound, BadConfig)."""
        part = self.parts[name]
        try:
            secret = self._secret(part.key) if part.key else ""
        except NotFound as error:
            raise BadConfig(f"models.{name}: {error.detail}", field=f"models.{name}.key") from error
        known = self._built.get(name)
        if known is None or known[0] != secret:
            known = self._built[name] = (secret, wire.build(part, name, secret, self._resolver))
        return known[1]


@dataclass(frozen=True)
class _Begun:
    """A call whose worst case is held back."""

    held: Held
    key: str
    name: str
    part: ModelPart
    model: Any
    at: datetime


def author(part: ModelPart) -> str:
    """Who wrote an answer."""
    return f"{part.kind}/{part.model}"


def worst_of(price: Price, tokens_in: int, most_out: int) -> Worst:
    """What these tokens cost at most, rounded up."""
    whole = tokens_in * price.tokens_in + most_out * price.tokens_out
    return Worst(-(-whole // 1_000_000), tokens_in + most_out, price.currency)


def _size(sent: Sent, told: Mapping[str, Any]) -> int:
    """Bytes of a question as they are counted for estimates."""
    first = str(sent.messages[0].get("instructions") or "") if sent.messages else ""
    parts = [part for message in sent.messages for part in message.get("parts", ())]
    texts = [{"text": part["content"]} for part in parts if isinstance(part.get("content"), str)]
    return usual.size(first, "", told.get("schema"), texts)


def _paid(tx: Tx, kept: Mapping[str, Any]) -> int:
    """What an answer that was asked for in a batch has cost, told to the first who takes it; else nothing."""
    if kept.get("source") != "batch" or kept.get("uses"):
        return 0
    return int(model_calls.get(tx.conn, kept["call"])["cost_micro"])


def _ended(row: Mapping[str, Any]) -> Outcome:
    """The outcome of a try that had ended before the process did."""
    done = (row["cost_micro"], row["tokens_in"], row["tokens_out"], row["state"] == "recorded")
    return Outcome(row["id"], row["key"], row["provider"], row["fault"], row["said"][:300], 0.0, *done)
