"""Flows: straight-line durable work, and the only place where stages meet."""
