"""Tables of models and money: every call of a model, what was recorded, caps, and what is reserved and spent.

Amounts are millionths of the money unit named in ``currency`` (``*_micro``). Texts of prompts and answers lie in
``model_calls`` and ``recordings`` only, so that an erasure reaches them.
"""

from __future__ import annotations

import sqlalchemy as sa

from soloist.engine.store.columns import integer as _int
from soloist.engine.store.columns import json_text as _json
from soloist.engine.store.columns import metadata
from soloist.engine.store.columns import text as _text

model_calls = sa.Table(
    "model_calls",  # unique by run, step, attempt: a step that is done again finds its row
    metadata,
    _text("id", primary_key=True),
    _text("run"),
    _text("step"),
    _int("attempt"),
    _text("key"),
    _text("agent"),
    _text("skill"),
    _text("flow"),
    _text("client"),
    _text("task"),
    _int("tier"),
    _text("provider"),
    _text("model"),
    _text("state"),
    _json("request"),
    _json("response"),
    _text("recording"),
    _text("fault"),
    _text("said"),
    _int("tokens_in"),
    _int("tokens_out"),
    _int("tokens_cached"),
    _int("reserved_micro"),
    _int("cost_micro"),
    _text("currency"),
    _json("price"),
    _int("milliseconds"),
    _json("origin"),
    _json("detail"),
    _text("worker"),
    _text("created"),
    _text("ended"),
    sa.UniqueConstraint("run", "step", "attempt", name="uq_model_calls_attempt"),
    sa.Index("ix_model_calls_created", "created", "id"),
    sa.Index("ix_model_calls_state", "state", "created"),
    sa.Index("ix_model_calls_agent", "agent", "created"),
    sa.Index("ix_model_calls_key", "key"),
)

recordings = sa.Table(
    "recordings",  # answers by the content of the question and the model; ``author`` is a model or "by hand"
    metadata,
    _text("key", primary_key=True),
    _text("provider"),
    _text("model"),
    _text("author"),
    _json("request"),
    _json("response"),
    _text("call"),
    _text("source"),
    _int("uses"),
    _text("created"),
    _text("used"),
    sa.Index("ix_recordings_model", "model", "created"),
)

caps = sa.Table(
    "caps",  # ``measure``: money, tokens, calls, runs; ``span``: call, run, day, month, or "" for all time
    metadata,
    _text("id", primary_key=True),
    _text("scope"),
    _text("subject"),
    _text("span"),
    _text("measure"),
    _int("most"),
    _int("extra"),
    _text("extra_until"),
    _text("currency"),
    _json("alerts"),
    _text("state"),
    _text("who"),
    _text("why"),
    _text("at"),
    _text("event"),
    sa.UniqueConstraint("scope", "subject", "span", "measure", name="uq_caps_scope"),
)

spent = sa.Table(
    "spent",  # sums that a cap is held against, moved in the transaction of the reservation or its settling
    metadata,
    _text("scope", primary_key=True),
    _text("subject", primary_key=True),
    _text("period", primary_key=True),
    _int("held_micro"),
    _int("held_tokens"),
    _int("spent_micro"),
    _int("spent_tokens"),
    _int("calls"),
    _int("runs"),
    _int("saved_micro"),
    _text("at"),
)

cap_alerts = sa.Table(
    "cap_alerts",
    metadata,
    _text("cap", primary_key=True),
    _text("period", primary_key=True),
    sa.Column("share", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("card"),
    _text("at"),
)

night_jobs = sa.Table(
    "night_jobs",  # work that may wait until the morning: the next quiet window, or a provider's batch
    metadata,
    _text("id", primary_key=True),
    _text("run"),
    _text("task"),
    _text("provider"),
    _text("batch"),
    _text("state"),
    _json("request"),
    _json("response"),
    _text("due"),
    _text("created"),
    _text("sent"),
    _text("ended"),
    sa.Index("ix_night_jobs_state", "state", "due"),
)
