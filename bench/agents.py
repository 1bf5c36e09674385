"""What an agent's work costs beside the skills: three skills under a contract, without a model; CPU, not wall."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from typing import Any

from bench import world
from bench.figures import Figure, cpu_seconds
from soloist.app import App
from soloist.kernel.work import WorkItem

RUNS = 200
LIBRARIES = ("pydantic_ai", "openai", "anthropic", "google.genai", "genai_prices", "onnxruntime", "sklearn", "numpy")
TEXT = "Hello Mara, please call me at +49 40 1234567 about the invoice over 1,200 EUR."
GIVEN = {
    "draft": {"subject": "Re: Website", "body": "Hello", "language": "en", "template": "enquiry.en"},
    "house_book": "## Prices\n- Website: from 2,800 EUR.\n",
    "message_text": TEXT,
    "recipient": "ada@okafor-ceramics.example",
    "allowed_recipients": ["ada@okafor-ceramics.example"],
}
CLAIMS = {"text": "Hello", "house_book": GIVEN["house_book"], "language": "en"}


class Nothing:
    """A reading process that answers at once: what is left is ours."""

    def __init__(self, answers: dict[str, dict[str, Any]]) -> None:
        self._answers = answers

    async def call(
        self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 20.0
    ) -> dict[str, Any]:
        return dict(self._answers[skill])


async def _measured(app: App, many: int) -> list[float]:
    """CPU milliseconds of each run: writer, then two checks of the supervisor, with the hand-over of intake."""
    runtime, found = app.desk.runtime, []
    reminder = {"templates": {}, "language": "en", "subject": "Website", "first_sent": "2026-03-02"}
    for n in range(many):
        run, begun = f"bench:{n}", time.process_time()
        handed: dict[str, Any] = {"given_by": ("intake",), "work": "write a reminder"}
        await runtime.work(WorkItem(run, "1", "writer", "draft_follow_up", reminder, **handed))
        await runtime.work(WorkItem(run, "2", "supervisor", "check_draft", GIVEN))
        await runtime.work(WorkItem(run, "3", "supervisor", "check_claims", CLAIMS))
        found.append((time.process_time() - begun) * 1000)
    return found


def _opened(answers: dict[str, dict[str, Any]] | None) -> tuple[list[float], float]:
    """Milliseconds of our CPU for each run, and of the reading process for all; ``answers`` takes its place."""
    with world.folder() as home:
        app = App(home)
        try:
            if answers is not None:
                app.desk.runtime._working._worker = Nothing(answers)  # type: ignore[attr-defined]  # the bench's
            else:
                asyncio.run(_measured(app, 1))
            child = app.worker.pid
            before = cpu_seconds(child) if child else 0.0
            found = asyncio.run(_measured(app, RUNS))
            return sorted(found), ((cpu_seconds(child) - before) * 1000 if child else 0.0)
        finally:
            app.close()


def loaded() -> list[str]:
    """Libraries of models that importing the command line loads; none is right."""
    code = f"import sys, soloist.cli.main; print(*[n for n in {LIBRARIES!r} if n in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return told.stdout.split()


def run() -> list[Figure]:
    """Our own share with skills that answer at once, then the same with the real ones in the reading process."""
    answers = {"draft_follow_up": GIVEN["draft"], "check_draft": {"ok": True, "faults": []}}
    answers["check_claims"] = {"ok": True, "language": "en", "findings": []}
    bare, _ = _opened(answers)
    whole, child = _opened(None)
    said = f"p95 {bare[int(len(bare) * 0.95)]:.2f} ms, {RUNS} runs: contract, hand-over, checks of form, result"
    beside = f"p95 {whole[int(len(whole) * 0.95)]:.2f} ms; the skills themselves {child / RUNS:.1f} ms in their process"
    libraries = loaded()
    return [
        Figure("a run with 3 skills and no model, our CPU", statistics.median(bare), "ms", "< 20", said),
        Figure("the same with the reading process, our CPU", statistics.median(whole), "ms", "< 20", beside),
        Figure("model libraries the command line imports", len(libraries), "", "< 1", ", ".join(libraries) or "none"),
    ]
