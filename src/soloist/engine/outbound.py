"""Outbound: the one door to the outside; only ``stages.effects`` may import it. It records and decides nothing.

The caller has committed "attempting" before it calls ``execute`` and commits the outcome after it. This module adds
what every connector shares: rate, breaker, an overall time limit, and the rule that a fault of an adapter while it
was calling is an unknown outcome, never a success and never a refusal.
"""

from __future__ import annotations

import asyncio
import difflib
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from soloist.config import Settings
from soloist.engine.connections import Connection, Secrets, connections, context, credential_of
from soloist.engine.rate import begin, limits_of
from soloist.engine.stopping import Halt
from soloist.engine.vault import mask
from soloist.kernel.errors import BadInput, Conflict, NotFound, SoloistError
from soloist.sdk import (
    Absent,
    CannotTell,
    Connector,
    Ctx,
    Done,
    Found,
    Lookup,
    Operation,
    Outcome,
    Plan,
    Receipt,
    Refused,
    Registry,
    Unknown,
)

STOPPED = 1.0
"""Seconds after which what the stop button caught in the last instant is looked at again; it then parks."""
MOST_MEASURED = 1000
"""Calls of unknown outcome whose look-ups are timed, at the most."""
SHORT_WAIT = 2.0
"""Seconds the door waits for its own rate limit before it refuses with ``retry_after``."""


class Door:
    """Prepares, executes, finds and undoes operations of the configured connections."""

    def __init__(
        self,
        settings: Settings,
        home: Path,
        registry: Registry,
        secrets: Secrets,
        renew: Callable[[str, str], None] | None = None,
    ) -> None:
        """``secrets`` looks a secret up by name, only while a request is being sent; ``renew`` keeps a new one."""
        self._renew = renew
        self._settings, self._home, self._registry, self._secrets = settings, home, registry, secrets
        self._connections = connections(settings)
        self._contexts: dict[str, Ctx] = {}
        self.lines = begin(home)
        self.breakers = self.lines.breakers
        self._calls: dict[str, float] = {}
        """By key: when a call of unknown outcome ended; a look-up that finds it tells how late it showed."""
        self._declare()
        self.halt = Halt(home)
        self.last_look: Callable[[], Awaitable[str]] = _nothing_halts

    def operation(self, connector: str, operation: str) -> Operation:
        """The declaration of an operation; NotFound names the known ones and the nearest."""
        adapter, ctx = self._pair(connector)
        known = adapter.operations(ctx)
        if operation not in known:
            raise NotFound(_nothing_called("operation", operation, known, of=connector), field="operation")
        return known[operation]

    def prepare(self, connector: str, operation: str, payload: Mapping[str, Any], key: str, created_at: str) -> Plan:
        """The exact request, rendered from (payload, key, created_at) alone; BadInput names the field at fault."""
        self.operation(connector, operation)
        adapter, ctx = self._pair(connector)
        try:
            return adapter.prepare(ctx, operation, payload, key, created_at)
        except ValueError as error:
            field = str(error).partition(":")[0]
            raise BadInput(
                str(error), field=field if field.replace("_", "").replace(".", "").isalnum() else None
            ) from error

    def page(self, connector: str, plan: Plan, ref: str) -> str:
        """The provider's own page of what a plan does, for a person; "" when there is none or its id is not known."""
        template = str(plan.data.get("page_of") or plan.data.get("page") or "")
        if "{ref}" in template and not ref:
            return ""
        return template.replace("{ref}", urllib.parse.quote(ref, safe=""))

    async def execute(self, connector: str, plan: Plan, *, urgent: bool = True) -> Outcome:
        """Call once. Refused when nothing left the house, Unknown when nobody can say; never raises for the outside.

        ``urgent``: a person just decided it. Near the rate limit what is not waits for the next window.
        """
        adapter, ctx = self._pair(connector)
        held_up = await self._held_up(connector, urgent)
        if held_up:
            return held_up
        if why := await self.last_look():
            self.breakers.skipped(connector)
            return Refused(f"{why} Nothing was sent.", retry_after=STOPPED, limited=True)
        try:
            async with asyncio.timeout(plan.operation.timeout):
                outcome = await adapter.execute(ctx, plan)
        except TimeoutError:
            outcome = Unknown(f"No answer came within {plan.operation.timeout:g} seconds.")
        except Exception as error:  # noqa: BLE001  # an adapter's fault while calling: it may have been sent
            outcome = Unknown(f"The adapter failed while it was calling ({type(error).__name__}).", str(error)[:300])
        except asyncio.CancelledError:
            self.breakers.skipped(connector)
            raise
        if isinstance(outcome, Unknown) and len(self._calls) < MOST_MEASURED:
            self._calls[plan.key] = time.monotonic()
        self._note(connector, outcome)
        return self._masked(ctx, outcome)

    async def find(self, connector: str, plan: Plan) -> Lookup:
        """Look a write up by its key; a failure of the look-up is CannotTell, never absence."""
        adapter, ctx = self._pair(connector)
        begun = time.monotonic()
        try:
            async with asyncio.timeout(plan.operation.timeout):
                if wait := await self._taken(connector, urgent=True, at_most=plan.operation.timeout / 2):
                    return CannotTell(f"The rate limit is used up for {wait:.0f} more seconds.")
                found = await adapter.find(ctx, plan)
        except TimeoutError:
            return CannotTell(f"The look-up had no answer within {plan.operation.timeout:g} seconds.")
        except Exception as error:  # noqa: BLE001  # an adapter's fault: the look-up failed, which is not absence
            return CannotTell(mask(f"The look-up failed ({type(error).__name__}: {error}).", _known(ctx)))
        self._measure(connector, plan, found, begun)
        return found

    def _measure(self, connector: str, plan: Plan, found: Lookup, begun: float) -> None:
        """How long a write was still invisible: the last look-up that did not find what a later one found."""
        called = self._calls.get(plan.key)
        if called is None:
            return
        unseen = f"{plan.key} unseen"
        if isinstance(found, Absent):
            self._calls[unseen] = begun - called
        elif isinstance(found, Found):
            place = (connector, plan.operation.name)
            self.lines.lags[place] = max(self.lines.lags.get(place, 0.0), self._calls.pop(unseen, 0.0))
            del self._calls[plan.key]

    def undo(self, connector: str, plan: Plan, receipt: Receipt) -> Plan | None:
        """The plan of the forward operation that takes it back, or None when there is no way back."""
        adapter, ctx = self._pair(connector)
        try:
            return adapter.undo(ctx, plan, receipt)
        except ValueError as error:
            raise Conflict(f"It cannot be taken back as declared: {error}.") from error

    def _pair(self, connector: str) -> tuple[Connector, Ctx]:
        """Adapter and Ctx of a connection; NotFound names the known ones."""
        connection = self._connections.get(connector)
        if connection is None:
            raise NotFound(_nothing_called("connector", connector, self._connections), field="connector")
        adapter = self._registry.connectors.get(connection.kind)
        if adapter is None:
            raise NotFound(
                f"The connector {connector} needs an adapter of the kind {connection.kind!r}, which is not installed "
                "or did not load. Run: soloist doctor",
                field="connector",
            )
        return adapter, self._context(connection, adapter)

    def _context(self, connection: Connection, adapter: Connector) -> Ctx:
        if connection.name not in self._contexts:
            self._declare_one(connection, adapter)
            self._contexts[connection.name] = context(
                connection,
                adapter.manifest,
                settings=self._settings,
                home=self._home,
                secrets=self._secrets,
                renew=self._renew,
                gated=False,
            )
        return self._contexts[connection.name]

    def _declare(self) -> None:
        """The allowance of every connection, so that those who only read keep to it too."""
        for connection in self._connections.values():
            if adapter := self._registry.connectors.get(connection.kind):
                self._declare_one(connection, adapter)

    def _declare_one(self, connection: Connection, adapter: Connector) -> None:
        manifest, credential = adapter.manifest, credential_of(connection, adapter.manifest)
        usual = f"{manifest.per_second}/s, {manifest.per_minute}/m"
        own = str(connection.settings.get("rate") or "")
        self.lines.shared[connection.name] = credential
        self.lines.rates.declare(credential, limits_of(own or usual), connection.name)

    async def _taken(self, connector: str, *, urgent: bool, at_most: float) -> float:
        credential = self.lines.shared.get(connector, connector)
        return await self.lines.rates.taken(credential, urgent=urgent, at_most=at_most)

    def connect(self, settings: Settings) -> None:
        """Take over changed settings: connections that are new or different are opened afresh at their next use."""
        found = connections(settings)
        for name in {*found, *self._connections}:
            if found.get(name) != self._connections.get(name):
                self._contexts.pop(name, None)
                self.breakers.reset(name)
        self._settings, self._connections = settings, found
        self._declare()

    async def _held_up(self, connector: str, urgent: bool) -> Refused | None:
        """A refusal by breaker or rate; nothing left the house."""
        pause = self.breakers.wait(connector)
        if pause:
            why = self.breakers.why(connector)
            return Refused(f"{connector} is paused after repeated trouble: {why}", retry_after=pause, limited=True)
        wait = await self._taken(connector, urgent=urgent, at_most=SHORT_WAIT)
        if wait:
            self.breakers.skipped(connector)
            return Refused(f"{connector} has used up its rate limit; nothing was sent.", retry_after=wait, limited=True)
        return None

    def _note(self, connector: str, outcome: Outcome) -> None:
        """Tell the breaker: a final refusal is a working line, a refused sign-in or an unknown is not."""
        if isinstance(outcome, Refused) and outcome.limited:
            self.breakers.skipped(connector)
        elif isinstance(outcome, Unknown) or (isinstance(outcome, Refused) and (outcome.auth or outcome.retry_after)):
            self.breakers.failed(connector, outcome.reason, auth=isinstance(outcome, Refused) and outcome.auth)
        else:
            self.breakers.worked(connector)

    def _masked(self, ctx: Ctx, outcome: Outcome) -> Outcome:
        """The same outcome with every granted secret masked in reason and evidence."""
        known = _known(ctx)
        if not known:
            return outcome
        if isinstance(outcome, Done):
            receipt = outcome.receipt
            return Done(Receipt(mask(receipt.provider_ref, known), mask(receipt.detail, known)))
        reason, evidence = mask(outcome.reason, known), mask(outcome.evidence, known)
        if isinstance(outcome, Refused):
            return replace(outcome, reason=reason, evidence=evidence)
        return Unknown(reason, evidence)


async def _nothing_halts() -> str:
    """Until the stage of effects says what to look at."""
    return ""


def _known(ctx: Ctx) -> list[str]:
    """The secrets that could have been sent; one that cannot be had could not leak."""
    known = []
    for name in ctx.secrets:
        try:
            known.append(ctx.secrets[name])
        except SoloistError:
            continue
    return known


def _nothing_called(what: str, name: str, known: Mapping[str, Any], *, of: str = "") -> str:
    """There is no such thing; the known ones and the nearest."""
    near = difflib.get_close_matches(name, list(known), 1, 0.5)
    listed = ", ".join(sorted(known)) or "none"
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"There is no {what} {name[:100]!r}{f' in {of}' if of else ''}. Known: {listed}.{hint}"
