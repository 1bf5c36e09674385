"""View models: exactly what each page of the console shows, as plain values; no query, no rule, no HTML.

Instants are UTC ISO 8601 text ("" for none), money is already text. ``tone`` is one of "", "go", "warn", "bad";
``icon`` is the name of a symbol in ``static/icons.svg``. Text from outside is carried as it came: the templates
escape it and mark what cannot be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from soloist.engine.stopping import Halted
from soloist.insight.marking import Recipient


@dataclass(frozen=True)
class Frame:
    """What surrounds every page: whose desk it is, how much waits, whether everything outbound is stopped."""

    business: str
    zone: str = "UTC"
    language: str = "en"
    waiting: int = 0
    stopped: str = ""
    sample: bool = False
    who: str = "operator"
    now: str = ""
    seq: int = 0
    halted: tuple[Halted, ...] = ()


@dataclass(frozen=True)
class Link:
    """Words that lead to another page of the console."""

    text: str
    href: str
    tone: str = ""


@dataclass(frozen=True)
class Tab:
    """One choice of a filter line."""

    text: str
    href: str
    current: bool = False


@dataclass(frozen=True)
class Number:
    """A small figure of the header: label, value and a word beside it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Piece:
    """A run of words in a comparison; ``op`` is "same", "del" or "ins"."""

    op: str
    text: str


@dataclass(frozen=True)
class FieldDiff:
    """One field before and after, with the words that differ."""

    label: str
    before: str
    after: str
    pieces: tuple[Piece, ...] = ()


@dataclass(frozen=True)
class Row:
    """One waiting card in the queue; ``tone`` colours the reason, ``mark``: "new", "changed" or "back" since then."""

    id: str
    kind: str
    icon: str
    title: str
    reason: str
    tone: str = ""
    value: str = ""
    due: str = ""
    estimate: str = ""
    state: str = "open"
    mark: str = ""


@dataclass(frozen=True)
class DraftField:
    """A field of the draft the operator may change; ``name`` is its key in the payload."""

    name: str
    label: str
    value: str
    multiline: bool = False
    editable: bool = True
    hint: str = ""


@dataclass(frozen=True)
class Option:
    """One answer to a card: its consequence in one line and the literal effect it would start ("" for none)."""

    id: str
    label: str
    consequence: str = ""
    recommended: bool = False
    will_run: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Step:
    """One link of the provenance: trigger, memory, skill or policy; ``note`` is an id or version in small print."""

    label: str
    text: str
    note: str = ""
    href: str = ""


@dataclass(frozen=True)
class Message:
    """A message as it arrived: the sender's own words, the quoted part folded, attachments by name.

    ``summary`` is sentences of the message itself, word for word, for those who read on only then.
    """

    sender: str
    address: str
    at: str
    subject: str
    own_text: str
    quoted: str = ""
    warning: str = ""
    attachments: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()


@dataclass(frozen=True)
class AnswerLine:
    """A criterion of the qualification: ``answer`` is "met", "not_met" or "unknown"; ``words`` are quoted verbatim."""

    criterion: str
    wanted: str
    answer: str
    reason: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class CitationLine:
    """A line of the house book that the draft rests on, counted from 1."""

    line: int
    text: str


@dataclass(frozen=True)
class Changed:
    """What moved between the version the operator saw and the one that counts now."""

    text: str
    fields: tuple[FieldDiff, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """One card in full: everything needed to decide it, and the hash the decision is bound to.

    ``rank`` says why it stands where it stands, ``later`` are the mornings it can be put off to (name, words),
    ``observed``: its connector only reads for now, so it cannot be approved.
    """

    id: str
    kind: str
    icon: str
    title: str
    payload_hash: str
    agent: str = ""
    counterpart: str = ""
    address: str = ""
    address_warning: str = ""
    value: str = ""
    state: str = "open"
    state_line: str = ""
    successor: str = ""
    """The open card whose draft took the place of this one's; "" for none."""
    why_you: str = ""
    if_wrong: str = ""
    way_back: str = ""
    will_run: tuple[str, ...] = ()
    due: str = ""
    at_expiry: str = ""
    draft: tuple[DraftField, ...] = ()
    notes: tuple[str, ...] = ()
    changes: tuple[FieldDiff, ...] = ()
    replaced: Changed | None = None
    questions: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    primary: str = "Approve"
    twice: bool = False
    can_defer: bool = True
    message: Message | None = None
    answers: tuple[AnswerLine, ...] = ()
    citations: tuple[CitationLine, ...] = ()
    provenance: tuple[Step, ...] = ()
    links: tuple[Link, ...] = ()
    rank: str = ""
    later: tuple[tuple[str, str], ...] = ()
    observed: bool = False
    connector: str = ""
    recipients: tuple[Recipient, ...] = ()
    amount: str = ""
    doubts: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    bundle: int = 0
    """How many waiting cards it is decided together with, itself among them; 0 for one that stands alone."""
    people: tuple[tuple[str, str], ...] = ()
    """Whom it may be handed to: short name and name."""
    remarks: tuple[tuple[str, str, str], ...] = ()
    """What people said about it without deciding: who, words, when."""
    held_by: str = ""
    held_until: str = ""
    files: tuple[tuple[str, str], ...] = ()
    """Names of files with what is odd about each ("" for nothing)."""

    @property
    def mark(self) -> str:
        """Changes when something the operator decides on changes; the page compares it with the one it shows."""
        told = (self.payload_hash, self.state, self.title, self.why_you, self.draft, self.changes, self.questions)
        more = (self.options, self.message, self.answers, self.address_warning, self.observed)
        return sha256(repr((told, more)).encode("utf-8", "replace")).hexdigest()[:16]

    @property
    def choose(self) -> bool:
        """Whether the operator picks one of several options instead of approving one draft."""
        return bool(self.options)


@dataclass(frozen=True)
class InboxPage:
    """The desk: the count, what happened since the last look, the queue, and the card that is open."""

    waiting: int
    rows: tuple[Row, ...] = ()
    current: Sheet | None = None
    since_at: str = ""
    since: tuple[Link, ...] = ()
    numbers: tuple[Number, ...] = ()
    review: str = ""
    next_planned: str = ""
    next: str = ""
    here: str = "/"


@dataclass(frozen=True)
class Outcome:
    """What a decision led to, as the toast says it; ``undo`` is True while it can still be taken back."""

    card: str
    text: str
    undo: bool = False
    tone: str = "go"


@dataclass(frozen=True)
class Entry:
    """One line of the activity: when, who, what, and where to read more."""

    seq: int
    at: str
    icon: str
    who: str
    text: str
    href: str = ""
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class ActivityPage:
    """Everything that happened, newest first, one page of it."""

    entries: tuple[Entry, ...]
    tabs: tuple[Tab, ...] = ()
    query: str = ""
    next: str = ""
    after: str = ""


@dataclass(frozen=True)
class TableRow:
    """One line of a table: the first cell leads to ``href``."""

    href: str
    cells: tuple[str, ...]
    at: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Head:
    """The head of a column: where it leads to be sorted by it, and how it is sorted now ("", "ascending" ...)."""

    text: str
    href: str
    sorted: str = ""
    key: str = ""


@dataclass(frozen=True)
class RecordsPage:
    """Records of one kind as a table; ``totals`` counts all that fit, ``csv`` leads to all of them as a file."""

    kind: str
    tabs: tuple[Tab, ...]
    columns: tuple[str, ...] = ()
    rows: tuple[TableRow, ...] = ()
    query: str = ""
    next: str = ""
    heads: tuple[Head, ...] = ()
    states: tuple[str, ...] = ()
    state: str = ""
    sort: str = ""
    direction: str = ""
    totals: str = ""
    csv: str = ""


@dataclass(frozen=True)
class FieldLine:
    """One field of a record: value, where it came from, and whether someone has confirmed it."""

    label: str
    value: str
    source: str = ""
    unverified: bool = False
    href: str = ""


@dataclass(frozen=True)
class Version:
    """One version of a record: who wrote it, when, and what changed."""

    number: int
    at: str
    who: str
    changes: tuple[FieldDiff, ...] = ()
    href: str = ""


@dataclass(frozen=True)
class RecordPage:
    """One record with its history."""

    kind: str
    id: str
    title: str
    version: int
    fields: tuple[FieldLine, ...] = ()
    versions: tuple[Version, ...] = ()
    identities: tuple[FieldLine, ...] = ()
    related: tuple[Link, ...] = ()
    warning: str = ""
    note: str = ""
    client: str = ""


@dataclass(frozen=True)
class RunsPage:
    """Executions of flows, newest first."""

    tabs: tuple[Tab, ...]
    rows: tuple[TableRow, ...] = ()
    next: str = ""


@dataclass(frozen=True)
class RunStep:
    """One step of a run: what went in, what came out, how long it took (milliseconds), what went wrong."""

    name: str
    at: str
    state: str
    ms: int = 0
    inputs: str = ""
    outputs: str = ""
    error: str = ""
    tone: str = ""


@dataclass(frozen=True)
class WorkLine:
    """One piece of work in a run: who did what for whom, who wrote it, what it was to cost and did, and why."""

    agent: str
    skill: str
    wanted: str
    came: str
    author: str
    estimate: str
    cost: str
    within: str
    why: str
    tries: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunPage:
    """One run: its steps, what it cost and what can be done now."""

    id: str
    flow: str
    state: str
    started: str
    tone: str = ""
    took: str = ""
    cost: str = ""
    trigger: str = ""
    trigger_href: str = ""
    steps: tuple[RunStep, ...] = ()
    now_what: tuple[Link, ...] = ()
    links: tuple[Link, ...] = ()
    work: tuple[WorkLine, ...] = ()
    read: str = ""
    """Whose words it has read."""
    withheld: str = ""
    """What of memory its roles were not given, in a sentence."""


@dataclass(frozen=True)
class Attempt:
    """One try at the outside: state, what was answered, our key and the other side's reference."""

    at: str
    state: str
    text: str
    key: str = ""
    provider_ref: str = ""
    tone: str = ""


@dataclass(frozen=True)
class ApprovalLine:
    """A decision: who, when, what it said and what was edited before."""

    at: str
    who: str
    text: str
    reason: str = ""
    edits: tuple[FieldDiff, ...] = ()


@dataclass(frozen=True)
class WhyPage:
    """One action explained so that it is read in two minutes."""

    id: str
    title: str
    happened: str
    at: str
    tone: str = ""
    message: Message | None = None
    who: tuple[FieldLine, ...] = ()
    knew: tuple[FieldLine, ...] = ()
    reasons: tuple[AnswerLine, ...] = ()
    citations: tuple[CitationLine, ...] = ()
    rules: tuple[Step, ...] = ()
    verdict: str = ""
    approvals: tuple[ApprovalLine, ...] = ()
    sent: tuple[DraftField, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    way_back: str = ""
    can_undo: bool = False
    payload_hash: str = ""
    links: tuple[Link, ...] = ()
    changes: tuple[FieldDiff, ...] = ()
    undo_label: str = "Take it back"
    bundle: int = 0
    """How many parts its bundle has that can be taken back together, 0 for none."""


@dataclass(frozen=True)
class RuleLine:
    """A policy rule as it stands: who wrote it, when it holds, what it answers."""

    name: str
    when: str
    then: str
    origin: str = "soloist.toml"


@dataclass(frozen=True)
class ConnectorLine:
    """A connector: its kind, whether it answers, what it can do outside."""

    name: str
    kind: str
    state: str
    tone: str = ""
    detail: str = ""
    operations: tuple[str, ...] = ()


@dataclass(frozen=True)
class AccessLine:
    """A session or token that can be ended; ``id`` names it in the form."""

    id: str
    text: str
    note: str = ""
    at: str = ""
    current: bool = False


@dataclass(frozen=True)
class FormLine:
    """A public form: its address and the snippet that embeds it."""

    name: str
    title: str
    url: str
    snippet: str


@dataclass(frozen=True)
class SettingsPage:
    """What is set, who has access, and the stop button."""

    facts: tuple[FieldLine, ...] = ()
    stopped: str = ""
    sessions: tuple[AccessLine, ...] = ()
    tokens: tuple[AccessLine, ...] = ()
    rules: tuple[RuleLine, ...] = ()
    connectors: tuple[ConnectorLine, ...] = ()
    forms: tuple[FormLine, ...] = ()
    home: str = ""
