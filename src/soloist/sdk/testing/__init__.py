"""Fakes and the conformance suite for plugin authors; needs nothing but the sdk and a test runner of your choice."""

from soloist.sdk.testing.conformance import Case, StreamCase, check_connector, check_stream
from soloist.sdk.testing.failures import ANSWERS, Broken, check_failures
from soloist.sdk.testing.fakes import BrokenHttp, FakeHttp, MemoryFiles

__all__ = [
    "ANSWERS",
    "Broken",
    "BrokenHttp",
    "Case",
    "FakeHttp",
    "MemoryFiles",
    "StreamCase",
    "check_connector",
    "check_failures",
    "check_stream",
]
