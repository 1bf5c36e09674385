"""Durable execution behind a few verbs; the only importer of dbos."""

from soloist.engine.durable.engine import Engine, sender

__all__ = ["Engine", "sender"]
