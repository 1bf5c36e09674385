"""Safety without a store: a restored home in safe mode, with a backup that was tried."""

from __future__ import annotations

from dataclasses import replace

from soloist.engine.stopping import Halted
from soloist.engine.store.journal import Mark
from soloist.insight.safety import Leaving, RestoredView, SafetyPage

AT = "2026-11-20T03:00:12.000000Z"
READY = (Leaving("p1", "Your new shop", "ada@okafor-ceramics.example", "mail", "intended"),)
RESTORED = RestoredView(
    restored=True, safe=True, since=AT, cut_at=AT, cut_seq=4711, looked_at=AT, found=2, withdrawn=1, unclear=1,
    foreign=1, lines=("shop.create_charge 01 happened: the list of shop shows it (ch_1)",),
    troubles=("diary: the server cannot be reached",), asked=1, unsure=0, ready=READY,
)  # fmt: skip
BACKUP = {"at": AT, "size": 3_400_000, "path": "backups/soloist-20261120-030012.backup", "copied": "", "fault": ""}
DRILL = {"at": AT, "ok": True, "seconds": 1.4, "events": 4711, "assets": 12, "opened": 3, "secrets": 3, "faults": []}
PAGE = SafetyPage(
    halted=(Halted("button", AT, "console"), Halted("safe mode", AT, "a backup was restored")),
    restored=RESTORED, backup=BACKUP, drill=DRILL, sheet="", late="The newest backup is 4.0 days old.", every="1d",
    keep=14, second="", home="backups", events=4720, mark=Mark(4700, "ab" * 32, AT, "cd" * 64),
    exported_to=("checkpoints.log",),
)  # fmt: skip


class FakeSafety:
    """Acts are remembered in order."""

    def __init__(self) -> None:
        self.view = PAGE
        self.done: list[str] = []

    async def page(self) -> SafetyPage:
        return self.view

    async def back_up(self) -> None:
        self.done.append("backup")

    async def drill(self) -> None:
        self.done.append("drill")

    async def look_outside(self) -> None:
        self.done.append("look")

    async def leave(self, who: str) -> None:
        self.done.append(f"leave {who}")
        self.view = replace(self.view, restored=replace(RESTORED, safe=False, ready=()))
