"""Sign-in by OAuth: a real token server, and a Dovecot that asks it whether an access token holds, for both servers."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from soloist.sdk import Ctx, Done, Trouble
from tests.servers import token_server
from tests.servers.dovecot_postfix import MailHouse
from tests.servers.mail_house import MAIL, ctx_for, mail, pulled

pytestmark = pytest.mark.servers
LETTER = {"to": ["ada@studio-linde.example"], "subject": "Größe", "body": "Guten Tag"}
AT = "2026-11-21T09:30:00+00:00"


@pytest.fixture(scope="module")
def permissions() -> Iterator[token_server.Permissions]:
    with token_server.running() as found:
        yield found


@pytest.fixture(scope="module")
def house(permissions: token_server.Permissions) -> Iterator[MailHouse]:
    made = MailHouse(introspect=permissions.introspect)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
async def left() -> AsyncIterator[None]:
    yield
    await MAIL.close()


def by_token(house: MailHouse, permissions: token_server.Permissions, secrets: dict[str, str], **more: Any) -> Ctx:
    """Each refresh token makes a mailbox of its own, since tokens are kept in memory."""
    given = {"auth": "xoauth2", "token_url": permissions.token_url, "client_id": f"id-{secrets['refresh']}"}
    return ctx_for(house, "mara", secrets=secrets, password_secret="", refresh_secret="refresh", **given, **more)


async def test_a_token_opens_both_servers_and_is_fetched_once(house: MailHouse, permissions: Any) -> None:
    ctx = by_token(house, permissions, {"refresh": "good"}, scope="mail")
    house.deliver("mara", mail(1))
    found = await MAIL.check(ctx)
    assert (found.state, found.samples) == ("ok", ("Enquiry 1",))
    assert abs(found.skew) < 60  # what a slow answer took counts as well
    done = await MAIL.execute(ctx, MAIL.prepare(ctx, "mail.send", LETTER, "key-token-001", AT))
    assert isinstance(done, Done)
    asked = permissions.answered()["asked"]
    wanted = {"grant_type": "refresh_token", "refresh_token": "good", "client_id": "id-good", "scope": "mail"}
    assert {key: asked[key] for key in wanted} == wanted
    permissions.withdraw()  # its answer is the next line, so there was one request only


async def test_an_access_token_that_ended_early_is_fetched_anew(house: MailHouse, permissions: Any) -> None:
    ctx = by_token(house, permissions, {"refresh": "early"})
    await pulled(ctx, "inbox:INBOX")
    assert permissions.answered()["status"] == 200
    permissions.withdraw()
    await MAIL.close()
    await pulled(ctx, "inbox:INBOX")
    assert permissions.answered()["status"] == 200
    permissions.withdraw()
    done = await MAIL.execute(ctx, MAIL.prepare(ctx, "mail.send", LETTER, "key-token-002", AT))
    assert isinstance(done, Done)
    assert permissions.answered()["status"] == 200


async def test_a_withdrawn_permission_is_auth_and_says_what_to_do(house: MailHouse, permissions: Any) -> None:
    ctx = by_token(house, permissions, {"refresh": "revoked"})
    assert (await MAIL.check(ctx)).state == "auth"
    with pytest.raises(Trouble, match="withdrawn.*invalid_grant.*soloist connect mail") as caught:
        await pulled(ctx, "inbox:INBOX")
    assert caught.value.fault == "auth"
    refused = await MAIL.execute(ctx, MAIL.prepare(ctx, "mail.send", LETTER, "key-token-003", AT))
    assert refused.auth
    assert [permissions.answered()["status"] for _ in range(3)] == [400] * 3


@pytest.mark.parametrize("kept", [True, False])
async def test_a_refresh_token_that_rotates_is_kept(house: MailHouse, permissions: Any, kept: bool) -> None:
    """The vault keeps it; without leave to keep it, the process does."""
    secrets = {"refresh": f"once-{kept}"}
    renewed: list[str] = []

    def renew(name: str, value: str) -> None:
        renewed.append(value)
        if kept:
            secrets[name] = value

    ctx = by_token(house, permissions, secrets, renew=renew)
    for _ in range(3):
        await pulled(ctx, "inbox:INBOX")
        assert permissions.answered()["status"] == 200
        permissions.withdraw()
        await MAIL.close()
    assert renewed == [f"once-{kept}+", f"once-{kept}++", f"once-{kept}+++"]


async def test_a_token_the_mail_server_refuses_is_auth(house: MailHouse, permissions: Any) -> None:
    ctx = by_token(house, permissions, {"refresh": "other"})
    wrong = type(ctx)(**{**vars(ctx), "settings": {**ctx.settings, "username": "ada"}})
    with pytest.raises(Trouble, match="does not accept the permission") as caught:
        await pulled(wrong, "inbox:INBOX")
    assert caught.value.fault == "auth"
    assert permissions.answered()["status"] == 200


async def test_a_token_server_that_is_away_is_unavailable(house: MailHouse, permissions: Any) -> None:
    ctx = ctx_for(
        house, "mara", auth="xoauth2", token_url="http://127.0.0.1:9/token", refresh_secret="refresh", client_id="x"
    )
    with pytest.raises(Trouble) as caught:
        await pulled(ctx, "inbox:INBOX")
    assert caught.value.fault == "unavailable"
    assert (await MAIL.check(ctx)).state == "down"
