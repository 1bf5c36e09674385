"""The outbound door: rate, breaker and time limit hold for every connector, and a fault while calling is unknown."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from soloist.config import Settings, parse
from soloist.engine.connections import Granted, connections
from soloist.engine.outbound import Door
from soloist.engine.registry import load
from soloist.kernel.errors import BadConfig, BadInput, NotFound
from soloist.sdk import (
    Absent,
    Base,
    CannotTell,
    Ctx,
    Done,
    Found,
    Lookup,
    Manifest,
    Operation,
    Outcome,
    Plan,
    Receipt,
    Refused,
    Registry,
    Unknown,
)

KEY = "k2f7q0a9example"
AT = "2026-11-21T09:30:00+00:00"
MAIL = {"to": ["ada@okafor-ceramics.example"], "subject": "Hi", "body": "Hello Ada"}
SHOP = {"kind": "http", "base_url": "https://shop.example", "headers": {"Authorization": "{secret.shop}"}}


class Fake(Base):
    """An adapter in place of the http one; ``does`` is an outcome, an exception, or a coroutine function."""

    kind = "http"
    manifest = Manifest(urls=("base_url",))

    def __init__(self) -> None:
        self.does: Any = Done(Receipt("ch_1"))
        self.calls = 0

    def operations(self, ctx: Ctx) -> Mapping[str, Operation]:
        return {"charge": Operation("charge", "A", timeout=0.2)}

    def prepare(self, ctx: Ctx, operation: str, payload: Mapping[str, Any], key: str, created_at: str) -> Plan:
        if "amount" not in payload:
            raise ValueError("amount: is missing")
        return Plan(self.operations(ctx)[operation], key, b"{}", "charge")

    async def execute(self, ctx: Ctx, plan: Plan) -> Outcome:
        self.calls += 1
        return await self._do()

    async def find(self, ctx: Ctx, plan: Plan) -> Lookup:
        return await self._do()

    async def _do(self) -> Any:
        if isinstance(self.does, Exception):
            raise self.does
        return await self.does() if callable(self.does) else self.does


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def door(fake: Fake, tmp_path: Path) -> Door:
    registry = Registry()
    registry.add_connector(fake)
    return Door(parse({"connectors": {"shop": SHOP}}), tmp_path, registry, {"shop": "sk_live_1"}.__getitem__)


@pytest.fixture
def real(tmp_path: Path) -> Door:
    """A door with the shipped connectors and no configuration."""
    return Door(
        parse({"business": {"email": "mara@studio-linde.example", "owner": "Mara Linde"}}), tmp_path, load(), str
    )


def plan(door: Door) -> Plan:
    return door.prepare("shop", "charge", {"amount": 1}, KEY, AT)


async def slow() -> None:
    await asyncio.sleep(5)


async def test_mail_goes_out_without_configuration_exactly_once(real: Door, tmp_path: Path) -> None:
    prepared = real.prepare("mail", "mail.send", MAIL, KEY, AT)
    assert isinstance(await real.find("mail", prepared), Absent)
    for _ in range(2):
        assert isinstance(await real.execute("mail", prepared), Done)
    assert isinstance(await real.find("mail", prepared), Found)
    (file,) = (tmp_path / "mail/out/new").iterdir()
    assert file.read_bytes() == prepared.request
    assert real.undo("mail", prepared, Receipt("x")) is None


def test_a_prepared_request_is_the_same_in_another_process_life(real: Door, tmp_path: Path) -> None:
    settings = parse({"business": {"email": "mara@studio-linde.example", "owner": "Mara Linde"}})
    again = Door(settings, tmp_path, load(), str)
    first = real.prepare("mail", "mail.send", MAIL, KEY, AT)
    assert first.request == again.prepare("mail", "mail.send", MAIL, KEY, AT).request


def test_a_configured_mail_connector_takes_the_built_in_ones_place() -> None:
    settings = parse({"connectors": {"mail": {"kind": "smtp", "host": "mail.example"}}})
    assert connections(Settings())["mail"].kind == "maildir"
    assert connections(settings)["mail"].kind == "smtp"
    assert connections(settings)["mail"].settings["hold"] == 30.0


def test_an_unknown_connector_names_the_nearest(door: Door) -> None:
    with pytest.raises(NotFound, match=r"no connector 'shopp'.*Known: .*shop.*Did you mean 'shop'\?"):
        door.operation("shopp", "charge")


def test_an_unknown_operation_names_the_nearest(door: Door) -> None:
    with pytest.raises(NotFound, match=r"no operation 'charges' in shop. Known: charge. Did you mean 'charge'\?"):
        door.prepare("shop", "charges", {}, KEY, AT)


def test_a_connector_whose_adapter_did_not_load_says_so(door: Door) -> None:
    with pytest.raises(NotFound, match="kind 'maildir', which is not installed or did not load"):
        door.operation("mail", "mail.send")


def test_a_payload_fault_names_the_field(door: Door) -> None:
    with pytest.raises(BadInput, match="amount: is missing") as caught:
        door.prepare("shop", "charge", {}, KEY, AT)
    assert caught.value.field == "amount"


def test_a_base_url_that_breaks_the_rules_is_a_configuration_fault(tmp_path: Path, fake: Fake) -> None:
    registry = Registry()
    registry.add_connector(fake)
    door = Door(parse({"connectors": {"shop": {**SHOP, "base_url": "http://127.1/"}}}), tmp_path, registry, str)
    with pytest.raises(BadConfig, match=r"connectors\.shop\.base_url: .*odd spelling"):
        door.operation("shop", "charge")


async def test_a_done_is_handed_on(door: Door) -> None:
    assert await door.execute("shop", plan(door)) == Done(Receipt("ch_1"))


@pytest.mark.parametrize("fault", [ValueError("odd"), KeyError("x"), RuntimeError("bug"), ConnectionError("cut")])
async def test_any_fault_of_an_adapter_while_calling_is_unknown(door: Door, fake: Fake, fault: Exception) -> None:
    fake.does = fault
    found = await door.execute("shop", plan(door))
    assert isinstance(found, Unknown)
    assert type(fault).__name__ in found.reason


async def test_a_call_that_takes_too_long_is_unknown(door: Door, fake: Fake) -> None:
    fake.does = slow
    found = await door.execute("shop", plan(door))
    assert isinstance(found, Unknown)
    assert "within 0.2 seconds" in found.reason


@pytest.mark.parametrize("does", [RuntimeError("sk_live_1"), slow])
async def test_a_look_up_that_fails_is_not_absence(door: Door, fake: Fake, does: Any) -> None:
    fake.does = does
    found = await door.find("shop", plan(door))
    assert isinstance(found, CannotTell)
    assert "sk_live_1" not in found.reason


async def test_a_secret_is_masked_wherever_an_adapter_lets_it_out(door: Door, fake: Fake) -> None:
    for fake.does in (
        Unknown("r sk_live_1", "e sk_live_1"),
        Refused("sk_live_1", evidence="sk_live_1"),
        RuntimeError("sk_live_1"),
    ):
        assert "sk_live_1" not in str(await door.execute("shop", plan(door)))


async def test_a_refused_sign_in_stops_the_connector_at_once(door: Door, fake: Fake) -> None:
    fake.does = Refused("401", auth=True)
    await door.execute("shop", plan(door))
    found = await door.execute("shop", plan(door))
    assert isinstance(found, Refused)
    assert "paused" in found.reason
    assert (fake.calls, found.retry_after) == (1, 900.0)
    door.breakers.reset("shop")
    await door.execute("shop", plan(door))
    assert fake.calls == 2


async def test_five_unknowns_pause_the_connector(door: Door, fake: Fake) -> None:
    fake.does = Unknown("no answer")
    for _ in range(7):
        await door.execute("shop", plan(door))
    assert fake.calls == 5
    assert door.breakers.state("shop") == "open"


async def test_final_refusals_do_not_pause_it(door: Door, fake: Fake) -> None:
    fake.does = Refused("422")
    for _ in range(7):
        await door.execute("shop", plan(door))
    assert fake.calls == 7


async def test_a_short_wait_for_the_rate_is_waited_and_a_long_one_refused(door: Door, fake: Fake) -> None:
    fake.manifest = Manifest(per_second=1, per_minute=2)
    found = [await door.execute("shop", plan(door)) for _ in range(3)]
    assert [type(outcome) for outcome in found] == [Done, Done, Refused]
    assert "rate limit" in found[2].reason
    assert found[2].retry_after > 2
    assert fake.calls == 2


async def test_a_cancelled_call_is_not_swallowed(door: Door, fake: Fake) -> None:
    fake.does = slow
    task = asyncio.ensure_future(door.execute("shop", plan(door)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_secret_that_is_not_in_the_vault_is_a_refusal_not_an_unknown(tmp_path: Path) -> None:
    def look_up(name: str) -> str:
        raise NotFound(f"There is no secret {name}.")

    operations = {"charge": {"method": "POST", "path": "/c", "class": "C"}}
    settings = parse({"connectors": {"shop": {**SHOP, "operations": operations}}})
    door = Door(settings, tmp_path, load(), look_up)
    found = await door.execute("shop", door.prepare("shop", "charge", {"amount": 1}, KEY, AT))
    assert isinstance(found, Refused)
    assert "There is no secret shop" in found.reason


def test_a_connection_sees_only_the_secrets_it_names() -> None:
    granted = Granted(frozenset({"shop"}), lambda name: f"value of {name}")
    assert granted["shop"] == "value of shop"
    assert list(granted) == ["shop"]
    with pytest.raises(KeyError):
        granted["bank"]
