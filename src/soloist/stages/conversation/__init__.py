"""Conversation: what went out is put on its thread, and a follow-up waits for an answer."""

from soloist.stages.conversation.steps import Conversation

__all__ = ["Conversation"]
