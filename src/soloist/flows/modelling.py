"""Modelling: the configured models listed, checked with one small question, and talked to by the operator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from soloist.engine.keyring import Keyring
from soloist.engine.store import spent
from soloist.engine.vault import Vault
from soloist.flows.desk import Desk
from soloist.insight import spend as figures
from soloist.insight.spend import ModelLine
from soloist.kernel.errors import BadConfig, NotFound
from soloist.kernel.ids import derived
from soloist.kernel.model import Answer, Price
from soloist.kernel.model_settings import ModelPart
from soloist.kernel.spend import MICRO, Payer
from soloist.stages.runtime.models import Models, Question
from soloist.stages.runtime.models.wire import address


class Modelling:
    """The models of one desk, for those who look after them."""

    def __init__(self, desk: Desk) -> None:
        """The desk is given and only used."""
        self._desk = desk
        self._keyring = Keyring(desk.store, Vault(desk.home.keys))

    def lines(self) -> list[ModelLine]:
        """Every configured model with its price and how it went in the last 30 days."""
        now = self._desk.store.clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        seen = self._desk.store.read_now(lambda conn: figures.figures(conn, now))
        names = self._keyring.names()
        return [self._line(name, part, seen.get(name, {}), names) for name, part in self._desk.models.parts.items()]

    def _line(self, name: str, part: ModelPart, seen: dict[str, Any], secrets: Sequence[str]) -> ModelLine:
        trouble = ""
        if part.key and part.key not in secrets:
            trouble = f"The secret {part.key} is missing. Store it with: soloist secret set {part.key}"
        try:
            price = self._desk.models.price(name)
            each = (f"{amount / MICRO:g}" for amount in (price.tokens_in, price.tokens_out))
            said = f"{' in, '.join(each)} out {price.currency} for a million tokens; {price.source}"
            known, trouble = price.known, trouble or self._above(name, part, price)
        except BadConfig as error:
            said, known, trouble = "unknown", False, trouble or error.detail
        free = part.local and part.price is None
        return ModelLine(
            name,
            part.kind,
            part.model,
            urlsplit(address(part)).netloc or "soloist.toml",
            part.stage,
            figures.tier_said(part.stage),
            "nothing by the token: it runs on your own machine" if free else said,
            known,
            part.window,
            part.key,
            trouble,
            **seen,
        )

    def _above(self, name: str, part: ModelPart, price: Price) -> str:
        """What is said of a model that billed more than the most a call could cost, "" of any other."""
        call = {"provider": name, "model": part.model, "price": asdict(price)}
        times = self._desk.store.read_now(lambda conn: spent.times(conn, call)) / spent.WITHIN
        if times <= 1:
            return ""
        return (
            f"It billed up to {times:.1f} times the most that a call could cost by its price and its longest answer, "
            "so that much is held back before each call now. Put its price or max_output right in soloist.toml."
        )

    async def check(self, name: str) -> Answer:
        """Ask a model for one word, with books kept like any other question (NotFound, ModelTrouble, CapReached)."""
        self._there(name)
        question = Question("Answer with the one word that is asked for.", "Say: ready", model=name, max_output=16)
        alone = Question(**{**vars(question), "least": 0, "most": 4, "fresh": True})
        return await self._only(name).ask(alone, Payer(self._run("check", name), "ask", flow="check"))

    async def say(self, name: str, text: str) -> AsyncIterator[str | Answer]:
        """What a model answers to words of the operator, as it comes, and the answer with its cost as the last thing.

        NotFound, ModelTrouble and CapReached as ``check``.
        """
        self._there(name)
        question = Question("Answer in a few plain sentences.", text, model=name, least=0, most=4, fresh=True)
        async for piece in self._only(name).stream(question, Payer(self._run("say", name), "ask", flow="say")):
            yield piece

    def _only(self, name: str) -> Models:
        """The models with this one alone, so that no other answers in its place."""
        return self._desk.models.only(name)

    def _there(self, name: str) -> None:
        if name not in self._desk.models.parts:
            known = ", ".join(self._desk.models.parts) or "none"
            raise NotFound(f"There is no model {name!r} in soloist.toml. Known: {known}.")

    def _run(self, what: str, name: str) -> str:
        return derived(what, f"{name}:{self._desk.store.clock().isoformat()}")
