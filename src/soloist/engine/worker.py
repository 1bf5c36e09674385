"""Worker: calls skills that read hostile input in a limited child process, one at a time; it reads none itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from soloist.engine import calls, registry, worker_main
from soloist.engine.sandbox.calls import Sandbox
from soloist.kernel import errors

MEMORY = 1536 * 1024 * 1024
CPU = 600
IDLE = 60.0
STDERR_KEPT = 8192
AT_ONCE = 16
"""Calls that go to the child together; what someone waits for never waits for more than these."""
TOGETHER = 8 * 1024 * 1024
"""Bytes that go to the child together; one call may be larger than that."""

_ROOT = str(Path(worker_main.__file__).parents[2])
_BOOT = (
    "import json,sys\n"
    "options=json.loads(sys.argv[1])\n"
    "sys.path.extend(path for path in options['paths'] if path not in sys.path)\n"
    "from soloist.engine.worker_main import main\n"
    "sys.exit(main(options))"
)
_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    # Large blocks go back to the system when they are freed: 55 MB less after the model was loaded.
    "MALLOC_MMAP_THRESHOLD_": "1048576",
    "MALLOC_TRIM_THRESHOLD_": "16777216",
}


class Worker:
    """A child process that is started at the first call, replaced when it dies, and ended after a quiet minute.

    Usable from several threads and event loops at once: calls wait in one queue, in the order they came.
    """

    def __init__(
        self,
        *,
        memory: int = MEMORY,
        cpu: int = CPU,
        idle: float = IDLE,
        plugins: Sequence[str] = (),
        paths: Sequence[str] = (),
    ) -> None:
        """``memory`` bytes and ``cpu`` seconds are the child's limits; ``plugins`` are module:function."""
        self._options = {"memory": memory, "cpu": cpu, "plugins": [*plugins], "paths": [*paths, _ROOT]}
        self._idle = idle
        self.versions: Mapping[str, str] = {}
        """Versions of the skills of this installation by name, kept with each call of a run."""
        self.others: Sandbox | None = None
        """Who runs skills with code of others; such code never comes into the child of this worker."""
        self._queue = ThreadPoolExecutor(1, thread_name_prefix="soloist-worker")
        self._child: _Child | None = None
        self._quiet: threading.Timer | None = None
        self._last = 0.0
        self._closed = False

    async def call(
        self,
        skill: str,
        value: dict[str, Any],
        blob: bytes = b"",
        *,
        timeout: float = 20.0,  # it must kill a process, which asyncio.timeout cannot
    ) -> dict[str, Any]:
        """Run a skill in the child: JSON values in, JSON values out; ``timeout`` seconds from when its turn comes.

        BadInput (or another of soloist's errors that the skill raised) for a wrong input, WorkerTrouble when the
        child died, ran out of time or memory, or the skill failed.
        """
        if self._closed:
            raise errors.WorkerTrouble("The reading process was closed; nothing was read.")
        if len(blob) > worker_main.MAX_BLOB:
            raise errors.TooLarge(f"{len(blob)} bytes are more than the {worker_main.MAX_BLOB} that can be read.")
        answer, version = await self._answer(skill, value, blob, timeout)
        calls.note(skill, version, value, blob, answer)
        return answer

    async def shipped(
        self, skill: str, value: dict[str, Any], blob: bytes = b"", *, timeout: float = 20.0
    ) -> dict[str, Any]:
        """As ``call``, by the skill that came with this installation, whoever takes its place; nothing is noted."""
        return await asyncio.wrap_future(self._queue.submit(self._call, skill, value, blob, timeout))

    async def _answer(
        self, skill: str, value: dict[str, Any], blob: bytes, timeout: float
    ) -> tuple[dict[str, Any], str]:
        """The answer, and the version that gave it.

        Where a package takes the place of a shipped skill it has half of the time. The shipped one answers what the
        package does not, and refuses what has to be refused; the operator hears of the first only.
        """
        others, version = self.others, self.versions.get(skill, "")
        if others is None or not others.holds(skill):
            return await self.shipped(skill, value, blob, timeout=timeout), version
        own = others.places.get(skill)
        if own is None:
            return await others.call(skill, value, blob, timeout=timeout), version
        found = await others.outcome(skill, value, blob, timeout=timeout / 2)
        if not isinstance(found, errors.SoloistError):
            return found, version
        answer = await self.shipped(skill, value, blob, timeout=timeout / 2)
        if others.fell_back is not None:
            await others.fell_back(skill, found)
        return answer, own.version

    async def call_many(
        self,
        skill: str,
        values: Sequence[dict[str, Any]],
        blobs: Sequence[bytes] = (),
        *,
        timeout: float = 20.0,  # for each call, from the answer before it
    ) -> list[dict[str, Any] | errors.SoloistError]:
        """Run a skill on many inputs with few round trips; ``blobs`` is empty or has one for each value.

        One outcome an input, in order: the output, or the error it met. An input that kills the child or takes too
        long is an error of its own; those after it are answered by the next child. WorkerTrouble when closed.
        """
        if blobs and len(blobs) != len(values):
            raise ValueError(f"{len(values)} values and {len(blobs)} blobs")
        found: list[dict[str, Any] | errors.SoloistError] = []
        if self.others is not None and self.others.holds(skill):
            for value, blob in zip(values, blobs or [b""] * len(values), strict=True):
                try:
                    found.append((await self._answer(skill, value, blob, timeout))[0])
                except errors.SoloistError as error:
                    found.append(error)
            return found
        for some, parts in _portions(values, blobs or [b""] * len(values)):
            if self._closed:
                raise errors.WorkerTrouble("The reading process was closed; the rest was not read.")
            found += await asyncio.wrap_future(self._queue.submit(self._call_some, skill, some, parts, timeout))
        return found

    def close(self) -> None:
        """End the child; calls that still wait are refused."""
        self._closed = True
        if self.others is not None:
            self.others.close()
        self._queue.shutdown(wait=False, cancel_futures=True)
        if self._quiet:
            self._quiet.cancel()
        child = self._child
        if child:
            child.kill()
        self._queue.shutdown(wait=True)
        self._stop()

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is none."""
        child = self._child
        return child.process.pid if child else None

    def _call(self, skill: str, value: dict[str, Any], blob: bytes, timeout: float) -> dict[str, Any]:
        child = self._ready()
        try:
            reply = child.ask({"skill": skill, "value": value}, blob, timeout)
        except TypeError as error:
            raise errors.BadInput(f"{skill} can only be given JSON values: {error}") from error
        except _Died as death:
            self._stop()
            raise errors.WorkerTrouble(_account(skill, death, child, timeout)) from death
        if reply.get("last"):
            self._stop()
        self._watch()
        return _result(skill, reply)

    def _call_some(
        self, skill: str, values: list[dict[str, Any]], blobs: list[bytes], timeout: float
    ) -> list[dict[str, Any] | errors.SoloistError]:
        """The outcomes of one portion, with as many children as it takes."""
        pairs = zip(values, blobs, strict=True)
        found: list[dict[str, Any] | errors.SoloistError | None] = [_unfit(skill, *pair) for pair in pairs]
        while left := [index for index, outcome in enumerate(found) if outcome is None]:
            if self._closed:
                raise errors.WorkerTrouble("The reading process was closed; the rest was not read.")
            child = self._ready()
            try:
                replies = child.ask_many(skill, [values[i] for i in left], [blobs[i] for i in left], timeout)
                for index, reply in zip(left, replies, strict=False):
                    found[index] = _outcome(skill, reply)
                    if reply.get("last"):
                        self._stop()
            except _Died as death:
                self._stop()
                index = next(index for index, outcome in enumerate(found) if outcome is None)
                found[index] = errors.WorkerTrouble(_account(skill, death, child, timeout))
        self._watch()
        return [outcome for outcome in found if outcome is not None]

    def _ready(self) -> _Child:
        if self._child and self._child.process.poll() is not None:
            self._stop()
        if self._child is None:
            try:
                self._child = _Child(self._options)
            except OSError as error:
                raise errors.WorkerTrouble(f"The reading process could not be started: {error}.") from error
        return self._child

    def _stop(self) -> None:
        if self._child:
            self._child.kill()
        self._child = None

    def _watch(self) -> None:
        """Have the child ended when nothing was asked for a while; one timer serves many calls."""
        self._last = time.monotonic()
        if self._child and self._quiet is None and not self._closed:
            self._sleep(self._idle)

    def _sleep(self, seconds: float) -> None:
        self._quiet = threading.Timer(seconds, self._wake)
        self._quiet.daemon = True
        self._quiet.start()

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # closed meanwhile
            self._queue.submit(self._end_if_quiet)

    def _end_if_quiet(self) -> None:
        self._quiet = None
        left = self._idle - (time.monotonic() - self._last)
        if left <= 0.01:
            self._stop()
        elif self._child and not self._closed:
            self._sleep(left)


def _portions(
    values: Sequence[dict[str, Any]], blobs: Sequence[bytes]
) -> Iterator[tuple[list[dict[str, Any]], list[bytes]]]:
    """Inputs in groups that are small enough to go together."""
    start = size = 0
    for index, blob in enumerate(blobs):
        if index > start and (index - start == AT_ONCE or size + len(blob) > TOGETHER):
            yield [*values[start:index]], [*blobs[start:index]]
            start, size = index, 0
        size += len(blob)
    if start < len(values):
        yield [*values[start:]], [*blobs[start:]]


def _unfit(skill: str, value: dict[str, Any], blob: bytes) -> errors.SoloistError | None:
    """Why an input cannot be sent, None when it can."""
    if len(blob) > worker_main.MAX_BLOB:
        return errors.TooLarge(f"{len(blob)} bytes are more than the {worker_main.MAX_BLOB} that can be read.")
    try:
        json.dumps(value)
    except (TypeError, ValueError) as error:
        return errors.BadInput(f"{skill} can only be given JSON values: {error}")
    return None


def _outcome(skill: str, reply: dict[str, Any]) -> dict[str, Any] | errors.SoloistError:
    """As _result, with the error handed over instead of raised."""
    try:
        return _result(skill, reply)
    except errors.SoloistError as error:
        return error


class LocalWorker:
    """The same calls in this process, without limits: for tests and trusted input, never for mail from outside."""

    def __init__(self, *, plugins: Sequence[str] = ()) -> None:
        """``plugins`` (module:function) are loaded beside the installed ones."""
        self._plugins = worker_main.load(plugins)

    async def call(
        self,
        skill: str,
        value: dict[str, Any],
        blob: bytes = b"",
        *,
        timeout: float = 20.0,  # it must kill a process, which asyncio.timeout cannot
    ) -> dict[str, Any]:
        """As Worker.call; ``timeout`` is not enforced."""
        return _result(skill, worker_main.answer(self._plugins, skill, value, blob))

    async def call_many(
        self,
        skill: str,
        values: Sequence[dict[str, Any]],
        blobs: Sequence[bytes] = (),
        *,
        timeout: float = 20.0,  # for each call, from the answer before it
    ) -> list[dict[str, Any] | errors.SoloistError]:
        """As Worker.call_many; ``timeout`` is not enforced."""
        pairs = zip(values, blobs or [b""] * len(values), strict=True)
        return [_outcome(skill, worker_main.answer(self._plugins, skill, value, blob)) for value, blob in pairs]

    def close(self) -> None:
        """Nothing to end."""


class _Died(Exception):
    """The child gave no answer; ``late`` when it was stopped for taking too long."""

    def __init__(self, *, late: bool, why: str = "") -> None:
        super().__init__(why)
        self.late = late


class _Child:
    """One running process and its pipes."""

    def __init__(self, options: dict[str, Any]) -> None:
        # Nothing of the environment goes along but the choice of plugins, and what Python needs to start on Windows.
        kept = {name: os.environ[name] for name in (registry.ONLY, "SYSTEMROOT") if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-X", "utf8", "-c", _BOOT, json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**_ENVIRONMENT, **kept},
            cwd=tempfile.gettempdir(),
            start_new_session=True,
        )
        self.said = b""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        """Keep the end of what the child says on its error stream, so that it neither blocks nor fills memory."""
        stream = self.process.stderr
        with contextlib.suppress(OSError, ValueError):
            while stream and (data := stream.read1(STDERR_KEPT)):  # type: ignore[attr-defined]  # a BufferedReader
                self.said = (self.said + data)[-STDERR_KEPT:]

    def ask(self, header: dict[str, Any], blob: bytes, timeout: float) -> dict[str, Any]:
        """Send one call and wait for its answer; _Died when none comes in ``timeout`` seconds."""
        with self._in_time(timeout):
            worker_main.write_frame(_stream(self.process.stdin), header, blob)
            return self._reply()

    def ask_many(
        self, skill: str, values: list[dict[str, Any]], blobs: list[bytes], timeout: float
    ) -> Iterator[dict[str, Any]]:
        """Send calls together and give their answers as they come, fewer when one is marked as the child's last.

        _Died when an answer takes longer than ``timeout`` seconds.
        """
        header = {"skill": skill, "values": values, "sizes": [len(blob) for blob in blobs]}
        with self._in_time(timeout):
            worker_main.write_frame(_stream(self.process.stdin), header, b"".join(blobs))
        for _ in values:
            with self._in_time(timeout):
                reply = self._reply()
            yield reply
            if reply.get("last"):
                return

    @contextlib.contextmanager
    def _in_time(self, timeout: float) -> Iterator[None]:
        """Kill the child when what is done here takes longer; a child that ends meanwhile is _Died."""
        late = threading.Event()

        def stop() -> None:
            late.set()
            self.process.kill()

        timer = threading.Timer(timeout, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (OSError, ValueError, worker_main.FrameBroken) as error:
            raise _Died(late=late.is_set(), why=str(error)) from error
        finally:
            timer.cancel()

    def _reply(self) -> dict[str, Any]:
        frame = worker_main.read_frame(_stream(self.process.stdout))
        if frame is None:
            raise worker_main.FrameBroken("the stream ended")
        return frame[0]

    def kill(self) -> None:
        """End the process and wait for it; its pipes are closed."""
        self.process.kill()
        self.process.wait()
        self._listener.join(1.0)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError, ValueError):
                if stream:
                    stream.close()


def _stream(stream: Any) -> BinaryIO:
    """A pipe of the child, which is always there."""
    assert stream is not None
    pipe: BinaryIO = stream
    return pipe


def _account(skill: str, death: _Died, child: _Child, timeout: float) -> str:
    """What happened, in a sentence."""
    if death.late:
        return f"{skill} took longer than {timeout:g} s and was stopped. Nothing was changed; try it again."
    code = child.process.returncode
    how = f"signal {-code}" if code is not None and code < 0 else f"code {code}"
    said = child.said.decode("utf-8", "replace").strip().splitlines()
    tail = f" It last said: {said[-1][:200]}" if said and (code or 0) > 0 else ""
    return f"The process that runs {skill} ended before it had an answer ({how}). A new one is started.{tail}"


def _result(skill: str, reply: dict[str, Any]) -> dict[str, Any]:
    """The output of a reply; the error it carries is raised."""
    found = reply.get("ok")
    if isinstance(found, dict):
        return found
    kind = getattr(errors, str(reply.get("error", "")), errors.WorkerTrouble)
    if not (isinstance(kind, type) and issubclass(kind, errors.SoloistError)):
        kind = errors.WorkerTrouble
    raise kind(str(reply.get("message") or f"{skill} gave no usable answer."), field=reply.get("field"))
