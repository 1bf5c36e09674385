"""Nightly: a question on its way through a provider's batch, with books kept as for one that is asked at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from soloist.engine.store import model_calls, recordings
from soloist.engine.store.tx import Tx
from soloist.engine.vault import kept_out
from soloist.kernel.errors import BadConfig, NotFound
from soloist.kernel.spend import Actual, Held, Payer
from soloist.stages.runtime.models import asking, decide, prices, wire
from soloist.stages.runtime.models.asking import Models, Question
from soloist.stages.runtime.models.wire import Came, Sent

if TYPE_CHECKING:
    from soloist.stages.runtime.models.batches import Batches

STEP = "/night"
"""What the step of a payer ends with when its call went by a batch."""


class Nightly:
    """The batches of the models of one home."""

    def __init__(self, models: Models) -> None:
        """The models are given and only used."""
        self._models = models

    def batches(self, name: str) -> Batches:
        """The endpoint of a model (BadConfig, NotFound for its secret or when it is no longer configured)."""
        from soloist.stages.runtime.models.batches import Batches

        part = self._part(name)
        return Batches(part, name, self._models._secret(part.key) if part.key else "", self._models._resolver)

    def asked(self, question: Question, name: str) -> tuple[Sent, str]:
        """A question as a model gets it at its first try, with the key of its recording."""
        part, turns = self._part(name), [{"by": "us", "text": question.text}, *question.before]
        sent = self._models._masked(self._models._sent(question, name, turns))
        told = wire.told(sent)
        return sent, decide.key(part.kind, part.model, {**told, "messages": decide.lasting(sent.messages)})

    def clean(self, question: Question) -> Question:
        """The same without any secret, as it may be kept."""
        hidden = self._models._hidden()
        turns = [{**turn, "text": kept_out(turn["text"], hidden)} for turn in question.before]
        return replace(question, text=kept_out(question.text, hidden), before=turns)

    def recorded(self, tx: Tx, key: str) -> bool:
        """Whether a question has its answer already."""
        kept = recordings.get(tx.conn, key)
        return kept is not None and kept["response"] is not None

    async def begin(self, question: Question, payer: Payer, name: str) -> str:
        """Hold the worst case by day back for a question in a batch; the id of its call, "" when a cap says no."""
        part, (sent, key) = self._part(name), self.asked(question, name)
        told, price = wire.told(sent), self._models.price(name)
        worst = asking.worst_of(price, decide.most_tokens(told), int(sent.settings["max_tokens"]))
        row = {"key": key, "tier": part.stage, "provider": name, "model": part.model, "skill": question.skill}
        row |= {"origin": dict(question.origin), "request": told, "price": asdict(price), "state": model_calls.BATCHED}
        with_step = replace(payer, step=payer.step + STEP)
        found = await self._models._books.begin(with_step, worst, row)
        return found.call if isinstance(found, Held) else ""

    def end_in(self, tx: Tx, call: str, came: Came) -> None:
        """Settle a call of a batch at the batch's price, and keep what it answered."""
        row = model_calls.get(tx.conn, call)
        part, values = self._models.parts.get(row["provider"]), {"fault": came.fault or "", "said": came.said}
        response = self._models._clean(came.response)
        if part is not None:
            price = prices.of(part, self._models._currency, self._models._rates, size=came.actual.tokens_in or 0)
            values |= {"priced": prices.shared(price, part.batch_share)}  # type: ignore[dict-item]  # a price among texts
        good = response is not None and not came.fault
        values |= {"recording": row["key"] if good else ""}
        self._models._books.end_in(tx, call, "answered" if good else "failed", came.actual, **values)
        if good and part is not None:
            kept = {"key": row["key"], "provider": row["provider"], "model": row["model"], "response": response}
            recordings.put(tx, {**kept, "author": asking.author(part), "call": call, "source": "batch"})

    def lost_in(self, tx: Tx, call: str) -> None:
        """A call of a batch that nobody can look at any more: the worst case counts as spent."""
        self._models._books.lost_in(tx, {"id": call})

    def free_in(self, tx: Tx, call: str, said: str) -> None:
        """A call of a batch that was never answered and never will be: it costs nothing."""
        self._models._books.end_in(tx, call, "failed", Actual(0, 0, 0), fault="transient", said=said)

    async def came(self, name: str, question: Question, row: Mapping[str, Any]) -> Came:
        """What a line of a batch's files says about one question."""
        answer = row.get("response") or {}
        body, status = answer.get("body"), int(answer.get("status_code") or 0)
        if status == 200 and isinstance(body, dict):
            return await self.batches(name).came(self.asked(question, name)[0], body)
        said = str((row.get("error") or {}).get("message") or f"the batch says {status or 'nothing'}")[:300]
        return Came(actual=Actual(0, 0, 0), fault="transient", said=f"Not answered in the batch: {said}")

    def _part(self, name: str) -> Any:
        part = self._models.parts.get(name)
        if part is None:
            raise NotFound(f"models.{name} is no longer in soloist.toml.")
        return part


def first(models: Models, question: Question) -> str:
    """The model that a question would be asked of first, "" when there is none or its price cannot be counted."""
    order = models.order(question.least, question.most, question.model)
    try:
        return order[0] if order and models.price(order[0]) else ""
    except BadConfig:
        return ""
