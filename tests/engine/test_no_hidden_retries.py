"""No library repeats a write by itself: the client for HTTP has no retries, and none that has is imported."""

import ast
from pathlib import Path

from soloist.engine.egress import Egress, _Line, parse_url

SOURCE = Path(__file__).parents[2] / "src/soloist"
REPEATING = {"requests", "urllib3", "stripe", "boto3", "botocore", "tenacity", "backoff", "httpx", "aiohttp"}
"""Libraries that repeat calls by themselves, or are asked to as a matter of course."""


def test_the_http_client_neither_repeats_nor_keeps_lines():
    egress = Egress.for_url("http://shop.example")
    pool = egress._pool(_Line(["203.0.113.9"]), parse_url("http://shop.example/charges"))
    assert (pool._retries, pool._max_keepalive_connections) == (0, 0)


def test_no_library_that_repeats_is_imported():
    found = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {(path.name, name) for name in names if name.partition(".")[0] in REPEATING}
    assert found == set()
