"""Tables of agents and of what is learnt: versions in use, standing rules, corrections and trials of them.

A version is never changed: another text is another version. What is in use is one row of ``releases``; its history is
the journal. ``wanted`` of a correction is what the operator made of ``given``; both with the exact input.
"""

from __future__ import annotations

import sqlalchemy as sa

from soloist.engine.store.columns import integer as _int
from soloist.engine.store.columns import json_text as _json
from soloist.engine.store.columns import metadata
from soloist.engine.store.columns import text as _text

published = sa.Table(
    "published",  # versions of agents and skills; ``content`` is the whole text of an agent, the contract of a skill
    metadata,
    _text("id", primary_key=True),
    _text("kind"),
    _text("name"),
    _text("version"),
    _text("hash"),
    _json("content"),
    _text("source"),
    _json("tested"),
    _text("who"),
    _text("why"),
    _text("at"),
    _text("event"),
    sa.UniqueConstraint("kind", "name", "version", "hash", name="uq_published_name"),
    sa.Index("ix_published_hash", "hash"),
)

releases = sa.Table(
    "releases",  # which version is in use; ``pinned`` keeps an upgrade from moving it
    metadata,
    _text("kind", primary_key=True),
    _text("name", primary_key=True),
    _text("version"),
    _text("before"),
    _int("pinned"),
    _text("state"),
    _text("state_why"),
    _text("who"),
    _text("why"),
    _text("at"),
    _text("event"),
)

packages = sa.Table(
    "packages",  # skills with code of others: every content that was installed by file, pinned by its hash
    metadata,
    _text("name", primary_key=True),
    _text("hash", primary_key=True),
    _text("version"),
    _text("state"),
    _text("source"),
    _json("content"),
    _json("granted"),
    _json("contracts"),
    _json("tried"),
    _text("why"),
    _text("who"),
    _text("at"),
    _text("decided"),
    _text("event"),
    sa.Index("ix_packages_state", "state", "name"),
)

standing_rules = sa.Table(
    "standing_rules",
    metadata,
    _text("id", primary_key=True),
    _text("rule"),
    _int("version"),
    _text("state"),
    _text("scope"),
    _text("subject"),
    _text("said"),
    _json("reading"),
    _text("hash"),
    _json("tried"),
    _int("repeats"),
    _text("who"),
    _text("at"),
    _text("event"),
    _text("ended"),
    _text("ended_why"),
    sa.UniqueConstraint("rule", "version", name="uq_standing_rules_version"),
    sa.Index("ix_standing_rules_state", "state", "scope", "subject"),
)

rule_uses = sa.Table(
    "rule_uses",
    metadata,
    _text("rule", primary_key=True),
    _text("object", primary_key=True),
    _text("run"),
    _text("what"),
    _text("at"),
    sa.Index("ix_rule_uses_object", "object"),
)

corrections = sa.Table(
    "corrections",
    metadata,
    _text("id", primary_key=True),
    _text("kind"),
    _text("object"),
    _text("run"),
    _text("agent"),
    _text("skill"),
    _text("sort"),
    _text("language"),
    _text("context"),
    _json("input"),
    _json("given"),
    _json("wanted"),
    _text("reason"),
    _int("distance"),
    _text("state"),
    _text("who"),
    _text("at"),
    _text("event"),
    sa.UniqueConstraint("object", "event", name="uq_corrections_event"),
    sa.Index("ix_corrections_agent", "agent", "at"),
    sa.Index("ix_corrections_skill", "skill", "sort", "at"),
    sa.Index("ix_corrections_state", "state", "at"),
)

skill_calls = sa.Table(
    "skill_calls",  # what every skill was given and answered in a run; long values stand in call_values by their hash
    metadata,
    _text("run", primary_key=True),
    _text("step", primary_key=True),
    sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("skill"),
    _text("version"),
    _json("input"),
    _text("blob"),
    _json("output"),
    _text("at"),
    sa.Index("ix_skill_calls_skill", "skill", "at"),
)

call_values = sa.Table(
    "call_values",  # a long value once, however often it was given; ``at`` is when it was used last
    metadata,
    _text("hash", primary_key=True),
    _text("value"),
    _int("pinned"),
    _text("at"),
    sa.Index("ix_call_values_at", "pinned", "at"),
)

wordings = sa.Table(
    "wordings",  # what the operator makes of the same words again and again, once they said that it holds
    metadata,
    _text("id", primary_key=True),
    _text("skill"),
    _text("sort"),
    _text("language"),
    _text("old"),
    _text("new"),
    _int("cases"),
    _text("state"),
    _text("who"),
    _text("at"),
    _text("event"),
    _text("ended"),
    sa.Index("ix_wordings_state", "state", "language"),
)

trials = sa.Table(
    "trials",  # corrections, cases or recorded runs done again with a candidate; nothing of it has an effect
    metadata,
    _text("id", primary_key=True),
    _text("kind"),
    _text("name"),
    _text("candidate"),
    _text("baseline"),
    _text("state"),
    _json("totals"),
    _text("who"),
    _text("started"),
    _text("ended"),
    _text("event"),
    sa.Index("ix_trials_name", "kind", "name", "started"),
)

trial_rows = sa.Table(
    "trial_rows",
    metadata,
    _text("trial", primary_key=True),
    sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("object"),
    _text("outcome"),
    _json("before"),
    _json("after"),
    _json("detail"),
    sa.Index("ix_trial_rows_outcome", "trial", "outcome"),
)

thresholds = sa.Table(
    "thresholds",  # from the operator's own decisions: from which confidence on a skill may go alone
    metadata,
    _text("skill", primary_key=True),
    _text("language", primary_key=True),
    _text("grouping", primary_key=True),
    _int("value"),
    _int("labels"),
    _int("right"),
    _int("bound"),
    _text("state"),
    _json("detail"),
    _text("at"),
    _text("event"),
)

samples = sa.Table(
    "samples",  # what a skill told about an object, and what the operator said of it; ``drawn`` are looked at for drift
    metadata,
    _text("id", primary_key=True),
    _text("object"),
    _text("skill"),
    _text("language"),
    _text("grouping"),
    _int("confidence"),
    _text("label"),
    _text("outcome"),
    _text("card"),
    _text("at"),
    _text("judged"),
    _int("alone"),
    _text("wanted"),
    _text("drawn"),
    sa.UniqueConstraint("object", "skill", name="uq_samples_object"),
    sa.Index("ix_samples_skill", "skill", "at"),
    sa.Index("ix_samples_drawn", "drawn", "outcome"),
)

intents = sa.Table(
    "intents",  # what messages want, by the operator's own examples, and where each leads
    metadata,
    _text("name", primary_key=True),
    _text("title"),
    _text("lead"),
    _text("target"),
    _json("examples"),
    _text("source"),
    _text("who"),
    _text("at"),
    _text("event"),
    _text("ended"),
)
