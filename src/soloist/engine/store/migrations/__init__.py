"""Alembic's environment and the numbered, forward-only migrations of our own tables."""
