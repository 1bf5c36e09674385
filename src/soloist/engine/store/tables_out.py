"""Tables of the way out: policy, grants, autonomy, ways back, mismatches, failures, codes for decisions."""

from __future__ import annotations

import sqlalchemy as sa

from soloist.engine.store.columns import integer as _int
from soloist.engine.store.columns import json_text as _json
from soloist.engine.store.columns import metadata
from soloist.engine.store.columns import text as _text

policies = sa.Table(
    "policies",
    metadata,
    _text("version", primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False, autoincrement=False),
    _json("rules"),
    _text("source"),
    _text("who"),
    _text("why"),
    _text("at"),
    sa.Index("ix_policies_n", "n"),
)

grants = sa.Table(
    "grants",
    metadata,
    _text("id", primary_key=True),
    _text("state"),
    _text("title"),
    _text("connector"),
    _text("operation"),
    _text("agent"),
    _text("level"),
    _json("gates"),
    _text("when"),
    _text("mode"),
    _text("window"),
    _int("limit_minor"),
    _text("currency"),
    _int("per_day"),
    _text("source"),
    _text("proposal"),
    _json("basis"),
    _text("who"),
    _text("why"),
    _text("created"),
    _text("until"),
    _text("ended"),
    _text("ended_why"),
    sa.Index("ix_grants_state", "state", "connector", "operation"),
)

autonomy = sa.Table(
    "autonomy",
    metadata,
    _text("agent", primary_key=True),
    _text("operations", primary_key=True),
    _text("level"),
    _int("straight"),
    _int("decided"),
    _int("edited"),
    _text("offered"),
    _text("changed"),
    _text("why"),
)

sagas = sa.Table(
    "sagas",
    metadata,
    _text("id", primary_key=True),
    _text("bundle"),
    _text("state"),
    _json("steps"),
    _text("who"),
    _text("why"),
    _text("created"),
    _text("updated"),
    sa.Index("ix_sagas_bundle", "bundle"),
)

mismatches = sa.Table(
    "mismatches",
    metadata,
    _text("id", primary_key=True),
    _text("connector"),
    _text("kind"),
    _text("state"),
    _text("title"),
    _text("ref"),
    _text("effect"),
    _text("record"),
    _json("inside"),
    _json("outside"),
    _json("fields"),
    _json("decision"),
    _text("first_seen"),
    _text("last_seen"),
    _text("closed"),
    sa.Index("ix_mismatches_state", "state", "connector"),
)

failures = sa.Table(
    "failures",
    metadata,
    _text("id", primary_key=True),
    _text("kind"),
    _text("state"),
    _text("title"),
    _text("why"),
    _text("where"),
    _text("input"),
    _text("trace"),
    _text("done"),
    _json("options"),
    _json("runs"),
    _int("times"),
    _text("first_seen"),
    _text("last_seen"),
    _text("closed"),
    sa.Index("ix_failures_state", "state", "last_seen"),
)

decision_codes = sa.Table(
    "decision_codes",
    metadata,
    _text("id", primary_key=True),
    _text("card"),
    _text("option"),
    _text("payload_hash"),
    _text("kind"),
    _text("sent_to"),
    _text("created"),
    _text("expires"),
    _text("used"),
    _text("outcome"),
    sa.Index("ix_decision_codes_card", "card"),
)
