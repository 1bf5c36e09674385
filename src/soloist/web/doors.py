"""Door: everything the console asks of the application, as one Protocol; the pages know nothing else of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from soloist.insight import views
from soloist.insight.live import News
from soloist.insight.takeover import TakeoverPage
from soloist.web.actions_door import ActionsDoor
from soloist.web.attention_door import Time
from soloist.web.bills_door import Bills
from soloist.web.confidence_door import Proved
from soloist.web.failures_door import Failures
from soloist.web.giving_door import Handing
from soloist.web.intents_door import Wanted
from soloist.web.keeping_door import Kept
from soloist.web.learning_door import Learning
from soloist.web.letters_door import Letters
from soloist.web.library_door import Library
from soloist.web.memory_door import Remembering
from soloist.web.merging_door import Merges
from soloist.web.packages_door import Packaged
from soloist.web.playbooks_door import Books
from soloist.web.policy_door import Policies
from soloist.web.reconcile_door import Reconcile
from soloist.web.records_door import Book
from soloist.web.registry_door import Registered
from soloist.web.rules_door import Rules
from soloist.web.safety_door import Safety
from soloist.web.spend_door import Spending
from soloist.web.talking_door import Talks
from soloist.web.work_door import Work


@dataclass(frozen=True)
class Decision:
    """What the operator's form says: the option, the hash of what was shown, changed fields, and the reason."""

    option: str
    payload_hash: str = ""
    edits: dict[str, str] = field(default_factory=dict)
    reason: str = ""
    who: str = "operator"
    until: str = "tomorrow"
    """For "defer": the name of the morning the card comes back."""


class Door(Protocol):
    """The application as the console sees it. Every method raises kernel errors (NotFound, StaleHash, Conflict)."""

    library: Library
    letters: Letters
    """What is kept about clients: pages, files, tables as CSV, search."""
    merges: Merges
    """Records that may be one."""
    book: Book
    """Records as they are written: forms, versions, owners."""
    reconcile: Reconcile
    """What differs between inside and outside."""
    policies: Policies
    """What may leave alone and why."""

    failures: Failures
    """What does not work."""

    kept: Kept
    """How long what is kept, snapshots, erasures, what a decision knew."""
    actions: ActionsDoor
    """Everything that can be done, and the pace of every connection."""

    handing: Handing
    """Work that is handed to agents."""
    talks: Talks
    """Work that is given in plain words."""
    packages: Packaged
    """Skills with code of others, and the walls around them."""
    registry: Registered
    """Agents and skills: contracts, versions, what is in use."""
    books: Books
    """Playbooks: saved plans, their versions and what became of them."""
    memory: Remembering
    """What is remembered, about whom, and why something was found."""
    work: Work
    """Working sessions, and what ways of working led to."""
    safety: Safety
    """Backups, the stop button, safe mode."""
    learning: Learning
    """Corrections, wordings, trials."""
    spending: Spending
    """Models, what they may cost and did cost."""
    rules: Rules
    """What the operator said once."""
    wanted: Wanted
    """What messages want, by the operator's own examples."""
    proved: Proved
    """What may go alone by the operator's own decisions."""
    time: Time
    """The operator's time: what is planned for it and measured of it, sittings, cards decided together."""

    bills: Bills
    """Invoices to pay and to be paid."""

    async def frame(self) -> views.Frame:
        """What surrounds every page."""

    async def inbox(self, current: str = "", after: str = "") -> views.InboxPage:
        """The queue in the order of judgement; ``current`` is the open card ("" = the first)."""

    async def sheet(self, card: str) -> views.Sheet:
        """One card, open or decided."""

    async def decide(self, card: str, decision: Decision) -> views.Outcome:
        """Commit a decision; StaleHash when the payload is not the one that was shown."""

    async def outcome(self, card: str) -> views.Outcome | None:
        """What became of a card that was just decided, for the toast."""

    async def undo(self, card: str, who: str, bundle: bool = False) -> views.Outcome:
        """Take back what a card or proposal led to, alone or with its bundle: while held, or by its way back."""

    async def seen(self) -> None:
        """Start the "since" line anew from this moment."""

    async def looked(self, who: str, seq: int) -> None:
        """Somebody is in front of a page that shows the journal up to ``seq``."""

    def live(self, owner: str, after: int) -> AsyncIterator[News | None]:
        """What became old after a place in the journal, for one open page of a session; None when all is quiet."""

    async def takeover(self, connection: str) -> TakeoverPage:
        """What a mailbox that was read back holds."""

    async def take_over(self, connection: str, chosen: Mapping[str, Sequence[str]], who: str) -> None:
        """Add what was ticked; Conflict when it was taken over already."""

    async def stop(self, on: bool, who: str) -> None:
        """Halt everything outbound, or let it go on."""

    async def activity(self, group: str = "", query: str = "", before: str = "", after: str = "") -> views.ActivityPage:
        """A page of what happened, newest first."""

    async def records(
        self,
        kind: str = "",
        query: str = "",
        after: str = "",
        *,
        state: str = "",
        sort: str = "",
        direction: str = "",
    ) -> views.RecordsPage:
        """A page of records of one kind ("" = the first kind there is)."""

    async def record(self, kind: str, ident: str) -> views.RecordPage:
        """One record with its history."""

    async def runs(self, state: str = "", before: str = "") -> views.RunsPage:
        """A page of runs, newest first."""

    async def run(self, ident: str) -> views.RunPage:
        """One run with its steps."""

    async def why(self, ident: str) -> views.WhyPage:
        """Any proposal, effect, card or event explained."""

    async def settings(self, session: str = "") -> views.SettingsPage:
        """Settings, access and connectors; ``session`` is the one asking."""

    async def end_access(self, what: str, ident: str) -> None:
        """End a session or an API token (``what`` is "sessions" or "tokens")."""
