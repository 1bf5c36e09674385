"""The limited worker with a real child process: it answers, it is replaced when it dies, and its limits hold."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soloist.engine.worker import LocalWorker, Worker
from soloist.kernel.errors import BadInput, NotFound, SoloistError, TooLarge, WorkerTrouble

MAIL = b"From: Ada Okafor <ada@okafor-ceramics.example>\r\nSubject: Website\r\n\r\nHello Mara"

SKILLS = '''
"""Skills that behave badly."""
import os, socket, sys, time
from pydantic import BaseModel
from soloist.kernel.errors import TooLarge
from soloist.sdk import skill

class In(BaseModel):
    what: str = ""
    seconds: float = 0.0

class Out(BaseModel):
    said: str

def rise(error):
    raise error

def fill():
    held = []
    while True:
        held.append(bytearray(50_000_000))

ACTS = {
    "sleep": lambda v: time.sleep(v.seconds) or "slept",
    "fill": lambda v: fill(),
    "abort": lambda v: os.abort(),
    "exit": lambda v: os._exit(3),
    "noise": lambda v: (print("x" * 500_000), sys.stderr.write("y" * 500_000)) and "quiet",
    "raise": lambda v: rise(ValueError("no good")),
    "refuse": lambda v: rise(TooLarge("too much of it")),
    "recurse": lambda v: ACTS["recurse"](v),
    "environment": lambda v: ",".join(sorted(os.environ)),
    "connect": lambda v: socket.create_connection(("127.0.0.1", 9)) and "connected",
    "program": lambda v: str(os.system("true")),
    "write": lambda v: str(open("/tmp/soloist-worker-wrote", "w").write("x" * 9)),
    "files": lambda v: [open(os.devnull) for _ in range(80)] and "opened",
    "surrogate": lambda v: "\\\\ud800",
    "pid": lambda v: str(os.getpid()),
}

@skill("act", version="1")
def act(value: In, blob: bytes) -> Out:
    """Do one bad thing."""
    return Out(said=ACTS[value.what](value))

def register(registry):
    registry.add_skill(act)
'''


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder: Path = tmp_path_factory.mktemp("skills")
    (folder / "bad_skills.py").write_text(SKILLS)
    made = Worker(plugins=["bad_skills:register"], paths=[str(folder)], memory=700 << 20)
    yield made
    made.close()


async def said(worker: Worker, what: str, *, within: float = 20.0, seconds: float = 0.0) -> str:
    """Have the child do one of the bad things."""
    return str((await worker.call("act", {"what": what, "seconds": seconds}, timeout=within))["said"])


async def test_a_mail_is_read(worker: Worker) -> None:
    assert (await worker.call("read_mail", {}, MAIL))["subject"] == "Website"


async def test_the_local_worker_answers_alike(worker: Worker) -> None:
    local = LocalWorker()
    assert await local.call("read_mail", {}, MAIL) == await worker.call("read_mail", {}, MAIL)
    with pytest.raises(BadInput):
        await local.call("read_mail", {"max_parts": "x"}, MAIL)


async def test_a_warm_call_is_quick(worker: Worker) -> None:
    await worker.call("read_mail", {}, MAIL)
    times = []
    for _ in range(30):
        started = time.perf_counter()
        await worker.call("read_mail", {}, MAIL)
        times.append(time.perf_counter() - started)
    assert sorted(times)[15] < 0.2  # a child that is started takes longer


async def test_a_wrong_field_is_named(worker: Worker) -> None:
    with pytest.raises(BadInput, match="max_parts") as caught:
        await worker.call("read_mail", {"max_parts": 0}, MAIL)
    assert caught.value.field == "max_parts"


async def test_what_is_no_json_is_refused_and_the_child_lives(worker: Worker) -> None:
    before = await said(worker, "pid")
    with pytest.raises(BadInput, match="JSON"):
        await worker.call("read_mail", {"max_parts": b"x"}, MAIL)
    assert await said(worker, "pid") == before


async def test_a_child_killed_from_outside_is_replaced(worker: Worker) -> None:
    pid = int(await said(worker, "pid"))
    os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.2)
    assert int(await said(worker, "pid")) != pid


async def test_an_unknown_skill_is_not_found(worker: Worker) -> None:
    with pytest.raises(NotFound, match="no skill called dream"):
        await worker.call("dream", {})


async def test_a_skill_that_raises_is_told_and_the_child_lives(worker: Worker) -> None:
    before = await said(worker, "pid")
    for what, told in (("raise", "ValueError: no good"), ("recurse", "RecursionError")):
        with pytest.raises(WorkerTrouble, match=told):
            await said(worker, what)
    assert await said(worker, "pid") == before


async def test_errors_of_ours_keep_their_kind(worker: Worker) -> None:
    with pytest.raises(TooLarge, match="too much of it"):
        await said(worker, "refuse")


async def test_a_call_over_its_time_is_stopped_and_the_next_one_works(worker: Worker) -> None:
    started = time.perf_counter()
    with pytest.raises(WorkerTrouble, match=r"longer than 0\.3 s"):
        await said(worker, "sleep", seconds=30, within=0.3)
    assert time.perf_counter() - started < 25
    assert (await worker.call("read_mail", {}, MAIL))["text"] == "Hello Mara"


@pytest.mark.parametrize(
    ("what", "told"), [("abort", "signal 6"), ("exit", "code 3"), ("fill", "more memory than the 700")]
)
async def test_a_child_that_dies_is_replaced(worker: Worker, what: str, told: str) -> None:
    with pytest.raises(WorkerTrouble, match=told):
        await said(worker, what)
    assert (await worker.call("read_mail", {}, MAIL))["text"] == "Hello Mara"


async def test_other_calls_go_on_beside_one_that_dies(worker: Worker) -> None:
    calls = [worker.call("read_mail", {}, MAIL), said(worker, "exit"), worker.call("read_mail", {}, MAIL)]
    first, second, third = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(second, WorkerTrouble)
    assert isinstance(first, dict)
    assert first == third


async def test_many_mails_are_read_in_order(worker: Worker) -> None:
    mails = [MAIL.replace(b"Website", b"No %d" % number) for number in range(50)]
    found = await worker.call_many("read_mail", [{}] * 50, mails)
    assert [isinstance(one, dict) and one["subject"] for one in found] == [f"No {number}" for number in range(50)]


@pytest.mark.parametrize(
    ("bad", "told", "within"),
    [({"what": "raise"}, "no good", 60), ({"what": "exit"}, "code 3", 60), ({"what": b"x"}, "JSON", 60),
     ({"what": 1}, "string", 60), ({"what": "sleep", "seconds": 90}, "longer than", 12),
     ({"what": "fill"}, "more memory", 60)],
)  # fmt: skip
async def test_one_bad_input_fails_alone(worker: Worker, bad: dict[str, Any], told: str, within: float) -> None:
    await said(worker, "pid")  # a child that runs: its start is none of these calls
    values = [{"what": "pid"}, bad, {"what": "pid"}]
    first, second, third = await worker.call_many("act", values, timeout=within)
    assert isinstance(first, dict)
    assert isinstance(third, dict)
    with pytest.raises(SoloistError, match=told):
        raise second if isinstance(second, SoloistError) else AssertionError(second)


async def test_a_call_comes_in_between_many(worker: Worker) -> None:
    many = asyncio.create_task(worker.call_many("act", [{"what": "sleep", "seconds": 0.04}] * 64))
    await asyncio.sleep(0.05)
    assert await said(worker, "pid")
    assert not many.done()
    assert len(await many) == 64


async def test_many_too_large_ones_are_split(worker: Worker) -> None:
    large = MAIL + b"x" * (5 << 20)
    found = await worker.call_many("read_mail", [{}] * 4, [large] * 4)
    assert all(isinstance(one, dict) and one["subject"] == "Website" for one in found)
    with pytest.raises(ValueError, match="2 values and 1 blobs"):
        await worker.call_many("read_mail", [{}, {}], [MAIL])


async def test_the_local_worker_answers_many_alike(worker: Worker) -> None:
    values = [{}, {"max_parts": 0}]
    mine, theirs = (
        await LocalWorker().call_many("read_mail", values, [MAIL] * 2),
        await worker.call_many("read_mail", values, [MAIL] * 2),
    )
    assert mine[0] == theirs[0]
    assert str(mine[1]) == str(theirs[1])


async def test_what_a_skill_prints_disturbs_nothing(worker: Worker) -> None:
    assert await said(worker, "noise") == "quiet"


async def test_the_child_sees_nothing_of_the_environment(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLOIST_SECRET", "x")
    with pytest.raises(WorkerTrouble):
        await said(worker, "exit")
    assert "SOLOIST" not in await said(worker, "environment")


@pytest.mark.parametrize("what", ["connect", "program", "write", "files"])
async def test_the_child_may_not(worker: Worker, what: str) -> None:
    with pytest.raises(WorkerTrouble, match=r"PermissionError|OSError"):
        await said(worker, what)


def test_calls_from_several_threads_and_loops_are_served(worker: Worker) -> None:
    async def side_by_side() -> list[str]:
        async def in_a_thread() -> str:
            return await asyncio.to_thread(lambda: asyncio.run(said(worker, "pid")))

        return await asyncio.gather(*(in_a_thread() for _ in range(8)))

    assert len(set(asyncio.run(side_by_side()))) == 1


async def test_many_parts_and_nested_parts_are_read_in_the_child(worker: Worker) -> None:
    bomb = MAIL[:-10] + b"X: y\r\n" * 50_000
    parts = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 50_000
    assert (await worker.call("read_mail", {}, bomb))["truncated"]
    assert (await worker.call("read_mail", {}, parts))["truncated"]


async def test_it_ends_when_nothing_was_asked_for_a_while() -> None:
    worker = Worker(idle=0.3)
    await worker.call("read_mail", {}, MAIL)
    first = worker.pid
    assert first is not None
    for _ in range(1200):
        await asyncio.sleep(0.05)
        if worker.pid is None:
            break
    assert worker.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    assert (await worker.call("read_mail", {}, MAIL))["subject"] == "Website"
    worker.close()


async def test_close_stops_a_running_call_and_refuses_others(tmp_path: Path) -> None:
    (tmp_path / "bad_skills.py").write_text(SKILLS)
    worker = Worker(plugins=["bad_skills:register"], paths=[str(tmp_path)])
    await said(worker, "pid")
    running = asyncio.create_task(said(worker, "sleep", seconds=30))
    await asyncio.sleep(0.2)
    worker.close()
    with pytest.raises(WorkerTrouble):
        await running
    with pytest.raises(WorkerTrouble, match="closed"):
        await worker.call("read_mail", {}, MAIL)


async def test_many_go_on_in_the_next_child_at_the_processor_limit() -> None:
    worker = Worker(cpu=4)
    mail = b"From: a@b.example\r\nSubject: X\r\nContent-Type: text/html\r\n\r\n" + b"<a " * 50_000
    await worker.call("read_mail", {}, MAIL)
    first, found = worker.pid, []
    for _ in range(30):
        found += await worker.call_many("read_mail", [{}] * 8, [mail] * 8)
        if worker.pid != first:
            break
    assert worker.pid != first
    assert all(isinstance(one, dict) and one["subject"] == "X" for one in found)
    worker.close()


async def test_close_ends_many_too(tmp_path: Path) -> None:
    (tmp_path / "bad_skills.py").write_text(SKILLS)
    closing = Worker(plugins=["bad_skills:register"], paths=[str(tmp_path)])
    running = asyncio.create_task(closing.call_many("act", [{"what": "sleep", "seconds": 0.2}] * 20))
    await asyncio.sleep(1)
    closing.close()
    with pytest.raises(WorkerTrouble, match="closed"):
        await running
    assert closing.pid is None


async def test_a_child_near_its_processor_limit_is_replaced_between_calls() -> None:
    worker = Worker(cpu=3)
    mail = b"From: a@b.example\r\nContent-Type: text/html\r\n\r\n" + b"<a " * 20_000
    for _ in range(1000):  # a fast machine needs many calls for three seconds
        await worker.call("read_mail", {}, mail)
        if worker.pid is None:
            break
    assert worker.pid is None
    worker.close()
