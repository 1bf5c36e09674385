"""Work: one piece of work for an agent, and what came of it; it carries nothing out.

A work item says who does what with which input, for whom, by when, and what it may take; its result says who wrote
it, on what grounds, what it was estimated at and what it came to. Both are kept with the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from soloist.kernel.agent import Sla
from soloist.kernel.model import Tier
from soloist.kernel.origin import Origin
from soloist.kernel.spend import Payer

Lane = Literal["now", "morning"]
"""Done at once, or in the cheap hours before the next morning."""
Came = Literal["done", "fallback", "waits", "operator"]
"""As wanted; without the model that was wanted; put off to the night; nobody but the operator can."""
UNLABELLED = Origin()


@dataclass(frozen=True)
class WorkItem:
    """One skill of one agent on one input.

    ``step`` is unique in the run (the payer's key); ``wanted`` says in words what the output is for, ``schema`` what
    must hold beside the skill's own output ({} for nothing); ``timeout`` 0 is the agent's; ``origin`` is that of
    everything in ``input`` and ``blob`` (bytes, for a skill that reads files); ``context`` is the id of the context it
    was put together from. ``given_by`` are the agents who handed it on, the first one first, and ``work`` the name
    under which the last of them did; ``sort`` and ``language`` tell which cases are like this one. ``held``: what
    comes of it is a proposal that nothing lets go without the operator's word where a large model wrote it.
    """

    run: str
    step: str
    agent: str
    skill: str
    input: Mapping[str, Any]
    wanted: str = ""
    schema: Mapping[str, Any] = field(default_factory=dict)
    sla: Sla = "day"
    lane: Lane = "now"
    timeout: float = 0.0
    least: Tier | None = None
    origin: Origin = UNLABELLED
    context: str = ""
    flow: str = ""
    client: str = ""
    task: str = ""
    parents: tuple[str, ...] = ()
    blob: bytes = field(default=b"", repr=False, compare=False)
    given_by: tuple[str, ...] = ()
    work: str = ""
    sort: str = ""
    language: str = ""
    held: bool = False

    @property
    def payer(self) -> Payer:
        """Who pays for the models it asks."""
        return Payer(
            self.run,
            self.step,
            agent=self.agent,
            flow=self.flow,
            client=self.client,
            task=self.task,
            parents=self.parents,
        )


@dataclass(frozen=True)
class Worked:
    """What came of a work item.

    ``author`` is "rules" when no model wrote any of it, else "provider/model"; ``origin`` is the union of the item's
    and what was added; ``estimate`` and ``cost`` are {micro, currency, tokens_in, tokens_out, seconds}; ``tries``
    tell in order what was attempted and why it did not do: [{what, model, fault, said}].
    """

    came: Came
    value: Mapping[str, Any]
    author: str
    tier: Tier
    origin: Origin
    rationale: str
    estimate: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    tries: tuple[Mapping[str, Any], ...] = ()
    large: str = ""
    """Why the large tier might write it, "" where it did not: "worth" was shown, a "grant", its result is "held"."""
