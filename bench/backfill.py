"""Reading back the past of a mailbox: mails a second into the store, and whether memory stays flat; no network."""

from __future__ import annotations

import asyncio
import os
import time
from email.message import EmailMessage

from bench import world
from bench.figures import Figure, memory
from soloist.app import App
from soloist.kernel.hashing import sha256
from soloist.sdk import Arrival, Page, Stream
from soloist.sdk.folders import MESSAGE

MAILS, PAGE = 3_000, 50
PEOPLE = 300
PAST = Stream("past:inbox", past=True)
WORDS = (
    "thank you for the draft. Could you make the heading a little larger and move the opening hours to the top? "
    "We would also like a second photo of the workshop. The text for the page about us follows on Thursday. "
)


def run() -> list[Figure]:
    """Threads of invented clients with quotes and signatures, about 4 KB each, page by page."""
    with world.home() as app:
        return asyncio.run(_measure(app))


async def _measure(app: App) -> list[Figure]:
    await app.desk.intake.observe_page("box", PAST, _page(0, PAGE))  # the reading process starts
    early = 0.0
    begun, cpu = time.perf_counter(), time.process_time()
    for start in range(PAGE, MAILS, PAGE):
        await app.desk.intake.observe_page("box", PAST, _page(start, PAGE))
        if start == MAILS // 4 // PAGE * PAGE:
            early = memory()
    spent = time.perf_counter() - begun
    own = (time.process_time() - cpu) / (MAILS - PAGE) * 1e3
    note = f"{MAILS} mails on {os.cpu_count()} cores, writing included; {own:.1f} ms CPU a mail in the main process"
    return [
        Figure("back-fill", (MAILS - PAGE) / spent, "mails/s", ">= 100", note),
        Figure("back-fill memory growth, last 3/4", memory() - early, "MB", "< 20", f"{memory():.0f} MB at the end"),
    ]


def _page(start: int, count: int) -> Page:
    mails = [_mail(number) for number in range(start, start + count)]
    arrivals = tuple(Arrival(f"raw@{sha256(raw)}", MESSAGE, raw, place=f"INBOX/1/{n}") for n, raw in enumerate(mails))
    return Page(arrivals, str(start + count), total=MAILS)


def _mail(number: int) -> bytes:
    """A client's answer in a thread of ten, with the last mail quoted below it."""
    thread, person = number // 10, number % PEOPLE
    message = EmailMessage()
    message["From"] = f"Client {person} <client{person}@company{person}.example>"
    message["To"] = "Mara Linde <mara@studio-linde.example>"
    message["Subject"] = f"Re: Website, step {thread}"
    message["Message-ID"] = f"<{number}@company{person}.example>"
    if number % 10:
        message["In-Reply-To"] = f"<{number - 1}@company{(number - 1) % PEOPLE}.example>"
    message["Date"] = "Fri, 20 Nov 2026 09:30:00 +0100"
    quoted = "".join(f"> {WORDS}\n" for _ in range(12))
    message.set_content(
        f"Hello Mara,\n\n{WORDS}({number})\n\nKind regards\nClient {person}\n\nOn Monday Mara wrote:\n{quoted}"
    )
    return message.as_bytes()
