"""Ports for the servers of tests; it starts nothing.

They lie below those that the system gives to outgoing lines, so that nobody takes one while its server is away.
"""

from __future__ import annotations

import itertools
import os
import socket

FIRST, COUNT = 15_000, 17_000
_offsets = itertools.count(os.getpid() * 1009)


def free_port() -> int:
    """A port of loopback that nobody listens on and that this process has not given out before."""
    while True:
        port = FIRST + next(_offsets) % COUNT
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
