"""Flows: straight-line durable work, and the only place where stages meet."""

from collections.abc import Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from soloist.flows import erasing, house_copy, plans, roles, safety, sparing, spending, standing, training, troubles
from soloist.flows.autonomy import Autonomy
from soloist.flows.backups import Backups
from soloist.flows.briefing import Briefing, brief
from soloist.flows.calendars import Calendars
from soloist.flows.checkpoints import Marks
from soloist.flows.confidence import Confidence
from soloist.flows.corrections import Corrections
from soloist.flows.deciding import Deciding
from soloist.flows.desk import Desk
from soloist.flows.effect import effect
from soloist.flows.elsewhere import sent
from soloist.flows.embedding import Embedding
from soloist.flows.fixing import Fixing
from soloist.flows.followup import followup
from soloist.flows.importing import Importing, importing
from soloist.flows.intake import intake, reply
from soloist.flows.keeping import Keeping
from soloist.flows.late import Lates, late
from soloist.flows.merging import Merging
from soloist.flows.night import Night
from soloist.flows.objectives import Objectives
from soloist.flows.office import Office
from soloist.flows.outcomes import Outcomes
from soloist.flows.packages import PLACE
from soloist.flows.paying import Paying
from soloist.flows.playbooks import Playbooks
from soloist.flows.proposal import proposal
from soloist.flows.publishing import Publishing
from soloist.flows.reconciling import Reconciling, reconcile
from soloist.flows.remembering import Remembering
from soloist.flows.replaying import trial
from soloist.flows.restoring import Restoring
from soloist.flows.saga import saga
from soloist.flows.scheduling import Scheduling
from soloist.flows.sessions import Sessions
from soloist.flows.takeover import Review, takeover
from soloist.flows.trying import trying
from soloist.flows.urgent import Urgent
from soloist.sdk.flow import Flow

__all__ = ["beside", "equipped", "every"]


def equipped(desk: Desk, playbooks: Mapping[str, Path] | None = None) -> Desk:
    """The desk with those who carry out what needs more than its own stages, and files of playbooks by name."""
    desk = replace(spending.equipped(desk), playbooks=playbooks or {})
    Night(desk)
    desk.runtime.roster.looks.append(desk.packages.look)
    desk.records.declare(desk.home, desk.settings)
    desk.judging.attach(desk.store, desk.facts)
    desk.judging.observe_only = desk.observe_only
    Review(desk)
    Merging(desk)
    Autonomy(desk)
    Confidence(desk).equip()
    standing.equip(desk)
    Corrections(desk)
    Fixing(desk)
    Outcomes(desk)
    Lates(desk)
    Importing(desk)
    Calendars(desk)
    Office(desk)
    desk.effects.fill = Deciding(desk).fill
    desk.takers["failure"] = troubles.take
    desk.takers[PLACE] = desk.packages.take
    Remembering(desk)
    roles.equip(desk)
    plans.equip(desk)
    erasing.equip(desk)
    return desk


def beside(desk: Desk, kind: str) -> list[Coroutine[Any, Any, None]]:
    """What the one server does beside its flows: the brief of the morning, learning from the operator's answers.

    The file that stops everything is looked for in every process.
    """
    both = [desk.judging.follow(kind), safety.StopFile(desk, kind).follow()]
    if kind != "server":
        return both
    kept = [Restoring(desk).follow(), Backups(desk.store, desk.home, desk.settings).follow(), Marks(desk).follow()]
    told = [Briefing(desk).follow(), Urgent(desk).follow(), training.follow(desk), Reconciling(desk).follow()]
    told += [erasing.follow(desk), Keeping.of(desk).follow(desk.settings.business.zone)]
    told += [
        Objectives(desk).follow(),
        Paying(desk).follow(),
        Scheduling(desk).follow(),
        Publishing(desk).at_start(),
        Playbooks(desk).at_start(),
        desk.packages.at_start(),
        spending.follow(desk),
        Night(desk).follow(),
    ]
    known = [
        roles.tending(desk).follow(),
        roles.tending(desk).by_the_clock(),
        plans.Plans(desk).follow(),
        Remembering(desk).follow(),
        Sessions(desk).follow(),
        Merging(desk).follow(),
        Embedding(desk.store, desk.memory).follow(),
        sparing.follow(),
    ]
    return [*both, *kept, *told, *known]


def every(desk: Desk) -> list[Flow]:
    """Every flow of a server; a home that came in by an export is settled before the first of them begins."""
    house_copy.arrived(desk)
    ours = (
        intake,
        reply,
        sent,
        proposal,
        effect,
        followup,
        takeover,
        brief,
        reconcile,
        saga,
        late,
        importing,
        trial,
        trying,
    )
    return [*(make(desk) for make in ours), roles.giving(desk).flow(), plans.Plans(desk).flow()]
