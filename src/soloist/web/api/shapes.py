"""Shapes: what the API takes and answers, field by field; unknown fields of a request are refused."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from soloist.web.api.asking import no_nul

T = TypeVar("T")


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("use printable characters only")
    return text


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
Reason = Annotated[str, Field(max_length=4000), AfterValidator(no_nul)]
Digest = Annotated[
    str, Field(max_length=64, pattern=r"^[0-9a-f]{64}$", description="SHA-256, 64 lower-case hex digits")
]
Json = dict[str, Any]


class Taken(BaseModel):
    """A request body."""

    model_config = ConfigDict(extra="forbid")


class NewEvent(Taken):
    """Something that happened outside, named by its source and by the id of this delivery."""

    source: str = Field(min_length=1, max_length=100)
    external_id: str = Field(min_length=1, max_length=500)
    kind: str = Field(min_length=1, max_length=100)
    payload: Json


class NewProposalBody(Taken):
    """An intended outside change; ``source_ref`` is your own name for it, unique for your token."""

    connector: Name
    operation: Name
    payload: Json
    reason: Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(no_nul)]
    source_ref: Name
    bundle: str = Field(
        default="", max_length=100, description="what belongs together: done in order, taken back whole"
    )
    place: int = Field(default=0, ge=0, le=1000, description="order within the bundle")
    written_from: Literal["own", "outside"] = Field(
        default="own", description="outside: it holds words of others, so new recipients, links and payees ask"
    )


class UndoBody(Taken):
    """What to take back: this effect alone, or everything it was proposed together with."""

    bundle: bool = False


class ApprovalBody(Taken):
    """A decision, bound to the payload that was looked at."""

    decision: Literal["approve", "reject", "defer"]
    payload_hash: Digest
    edits: Json | None = Field(default=None, description="fields of the payload to change before it is approved")
    reason: Reason = ""


class CardDecision(Taken):
    """The option chosen on a card; cards of proposals and uncertain outcomes need the payload_hash they show."""

    option: Name
    payload_hash: Digest | None = None
    edits: Json | None = None
    reason: Reason = ""


class Resolution(Taken):
    """Your word on an uncertain outcome."""

    outcome: Literal["happened", "did_not_happen", "send_again"]
    payload_hash: Digest


class RecordBody(Taken):
    """The fields of a record, all of them: what is left out is gone in the new version."""

    body: Json


class Page(BaseModel, Generic[T]):
    """A page of a list; ``next`` goes into ``after`` for the page that follows, null at the end."""

    items: list[T]
    next: str | None


class Tail(BaseModel, Generic[T]):
    """A page of a list that grows at its end; ``next`` can always be asked again later."""

    items: list[T]
    next: str


class EventId(BaseModel):
    """Where an event stands in the journal."""

    id: str
    seq: int


class EventRow(BaseModel):
    """An event; ``payload`` is null when it was erased."""

    id: str
    seq: int
    source: str
    external_id: str
    kind: str
    subject: str
    run: str
    actor: str
    at: str
    hash: str
    payload: Json | None


class RunRow(BaseModel):
    """One execution of a flow."""

    id: str
    flow: str
    version: str
    parent: str
    input: str
    subject: str
    state: str
    note: str
    error: str
    started: str
    ended: str


class StepRow(BaseModel):
    """One recorded step of a run."""

    step: str
    n: int
    position: int
    input: Any
    output: Any
    detail: Any
    started: str
    ended: str
    error: str


class RunWithSteps(RunRow):
    """A run with its steps in order."""

    steps: list[StepRow]


class CardRow(BaseModel):
    """A task that waits for the operator; ``payload_hash`` is what a decision has to name, "" when none is needed."""

    id: str
    type: str
    state: str
    title: str
    subject: str
    subject_kind: str
    payload_hash: str
    record: str
    conversation: str
    run: str
    why: str
    detail: Any
    options: list[Json] | None
    estimate: Any
    value_minor: int
    currency: str
    judgement: int
    deadline: str
    at_expiry: str
    snoozed_until: str
    created: str
    updated: str
    closed: str
    decision: Json | None


class Decided(BaseModel):
    """What became of a decision; members that do not apply are left out."""

    card: str | None = None
    option: str | None = None
    id: str | None = None
    state: str | None = None
    payload_hash: str | None = None
    proposal: str | None = None


class ApprovalAnswer(BaseModel):
    """The state after a decision and the hash that holds now."""

    id: str
    state: str
    payload_hash: str


class ProposalRow(BaseModel):
    """One intended outside change."""

    id: str
    noun: str
    state: str
    source: str
    source_ref: str
    run: str
    agent: str
    connector: str
    operation: str
    payload: Json
    payload_hash: str
    version: int
    class_: str = Field(alias="class")
    risk: str
    undo: str
    way_back: str
    reason: str
    evidence: Any
    questions: Any
    cost_micro: int
    record: str
    conversation: str
    policy_version: str
    expires: str
    created: str
    updated: str
    superseded_by: str
    hold_ms: int


class VersionRow(BaseModel):
    """One version of a payload."""

    version: int
    payload: Json
    payload_hash: str
    actor: str
    at: str


class VerdictRow(BaseModel):
    """Policy's answer on one version."""

    payload_hash: str
    answer: str
    rule: str
    reason: str
    policy_version: str
    mode: str
    when: str
    trace: Any
    at: str


class ApprovalRow(BaseModel):
    """One decision about a proposal."""

    payload_hash: str
    decision: str
    who: str
    via: str
    reason: str
    edits: Any
    at: str


class EffectRow(BaseModel):
    """The life of an approved proposal at the outside; ``attempts`` counts, ``key`` is the same for every attempt."""

    id: str
    proposal: str
    source_ref: str
    run: str
    connector: str
    operation: str
    class_: str = Field(alias="class")
    state: str
    attempts: int
    key: str
    provider_ref: str
    payload_hash: str


class AttemptRow(BaseModel):
    """One call to the outside."""

    n: int
    boot: str
    request_hash: str
    started: str
    ended: str
    outcome: str
    evidence: str


class EffectWhole(EffectRow):
    """One effect with the states it went through and every call that was made."""

    group: str
    request_hash: str
    not_before: str
    undoes: str
    created: str
    updated: str
    evidence: list[Json] | None
    attempt_log: list[AttemptRow]


class ProposalWhole(ProposalRow):
    """A proposal with everything that hangs on it."""

    versions: list[VersionRow]
    verdicts: list[VerdictRow]
    approvals: list[ApprovalRow]
    effects: list[EffectRow]


class EffectState(BaseModel):
    """The state of an effect after an act; ``again`` is the proposal that took the place of the one taken back."""

    id: str
    state: str
    held: bool | None = None
    proposal: str | None = None
    again: str | None = None
    saga: str | None = None


class HaltedBy(BaseModel):
    """One thing that halts what is outbound: button, file or safe mode."""

    way: str
    since: str
    by: str


class StopState(BaseModel):
    """Whether everything outbound is halted, since when ("" while it is not), and by what."""

    stopped: bool
    since: str
    by: list[HaltedBy] = []


class RecordRow(BaseModel):
    """A versioned business object."""

    id: str
    kind: str
    version: int
    title: str
    state: str
    body: Json
    created: str
    updated: str


class WayBack(BaseModel):
    """How an action can be taken back."""

    kind: str
    sentence: str
    possible_now: bool


class Explanation(BaseModel):
    """What happened and why, from stored rows alone; facts that do not apply are null or empty."""

    id: str
    about: str
    title: str
    happened: str
    at: str
    trigger: Json | None = None
    agent: Json | None = None
    context: Json | None = None
    evidence: Json = {}
    questions: list[Any] = []
    proposal: Json | None = None
    card: Json | None = None
    run: Json | None = None
    verdicts: list[VerdictRow] = []
    approvals: list[Json] = []
    effects: list[EffectWhole] = []
    way_back: WayBack | None = None
    history: list[EventRow] = []


class OperationRow(BaseModel):
    """What can be done; times in seconds, uses among the newest 10,000, ``success`` of those that ended."""

    connector: str
    kind: str
    name: str
    primitive: str
    audience: str
    class_: str = Field(alias="class")
    risk: str
    undo: str
    way_back: str
    hold: float
    timeout: float
    window: float
    lag: float
    lag_seen: float | None
    split: str
    summary: str
    recipients: list[str]
    amount: str
    control: dict[str, str] = Field(description="fields that steer what happens, and what each steers")
    words: list[str] = Field(description="fields that hold text for a person and steer nothing")
    contract: list[Json]
    proposers: list[str]
    decides: str
    uses: int
    unclear: int
    success: float | None
    last_use: str
    audit: str


class ConnectorRow(BaseModel):
    """A connection to one outside system."""

    connector: str
    kind: str
    operations: list[str]


class PolicyRow(BaseModel):
    """One rule of the operator; ``version`` is that of all rules together."""

    version: str
    name: str
    when: str
    then: str
    mode: str
    window: str
