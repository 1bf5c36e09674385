"""Sessions, tokens, one-time links and the operator's password as rows; only hashes of what lets one in are kept."""

from __future__ import annotations

from datetime import UTC, datetime
from secrets import token_urlsafe
from typing import Any

import sqlalchemy as sa

from soloist.engine.store.clock import from_iso, iso
from soloist.engine.store.store import Store
from soloist.engine.store.tables import links, operators, sessions, tokens
from soloist.engine.store.tx import Tx
from soloist.kernel.access import SECRET_BYTES, TOKEN_PREFIX, Link, Scope, Session, Token, secret_hash
from soloist.kernel.errors import BadInput, NotFound

OPERATOR = "operator"


def _instant(seconds: float) -> str:
    return iso(datetime.fromtimestamp(seconds, UTC))


def _seconds(text: str) -> float:
    return from_iso(text).timestamp()


class AccessRows:
    """What the doors ask about who may come in, answered from the store."""

    def __init__(self, store: Store) -> None:
        """The store is given."""
        self._store = store

    async def session(self, id_hash: str) -> Session | None:
        """The session of a cookie's hash, also one that is over."""
        row = await self._store.read(lambda c: c.execute(sa.select(sessions).where(sessions.c.id == id_hash)).first())
        return _session(row) if row else None

    async def sessions(self) -> list[Session]:
        """Every session that was not revoked, newest first."""
        query = sa.select(sessions).where(sessions.c.ended == "").order_by(sessions.c.created.desc()).limit(100)
        return [_session(row) for row in await self._store.read(lambda c: c.execute(query).all())]

    async def create_session(self, session: Session) -> None:
        """Keep a new session."""
        row = {
            "id": session.id_hash,
            "created": _instant(session.created_at),
            "used": _instant(session.seen_at),
            "agent": session.client[:200],
        }

        def work(tx: Tx) -> None:
            tx.run(sessions.insert(), row)
            tx.append("session.opened", actor=OPERATOR, payload={"client": session.client[:200]})

        await self._store.write(work)

    async def touch(self, id_hash: str, now: float) -> None:
        """Note that a session was used."""
        change = sessions.update().where(sessions.c.id == id_hash).values(used=_instant(now))
        await self._store.write(lambda tx: tx.run(change) and None, full=False)

    async def revoke(self, id_hash: str) -> None:
        """End a session."""
        change = sessions.update().where(sessions.c.id == id_hash)

        def work(tx: Tx) -> None:
            tx.run(change.values(ended=tx.now))
            tx.append("session.closed", actor=OPERATOR)

        await self._store.write(work)

    async def revoke_all(self) -> None:
        """End every session."""

        def work(tx: Tx) -> None:
            tx.run(sessions.update().where(sessions.c.ended == "").values(ended=tx.now))
            tx.append("session.closed", actor=OPERATOR, payload={"all": True})

        await self._store.write(work)

    async def password_hash(self) -> str:
        """The operator's password hash, "" when none is set."""
        query = sa.select(operators.c.password).where(operators.c.id == OPERATOR)
        return str(await self._store.read(lambda c: c.execute(query).scalar()) or "")

    async def set_password(self, hashed: str) -> None:
        """Set the operator's password and end every session, in one commit."""

        def work(tx: Tx) -> None:
            tx.run(sessions.update().where(sessions.c.ended == "").values(ended=tx.now))
            change = operators.update().where(operators.c.id == OPERATOR).values(password=hashed)
            if tx.run(change).rowcount == 0:
                tx.run(operators.insert(), {"id": OPERATOR, "password": hashed})
            tx.append("password.set", actor=OPERATOR)

        await self._store.write(work)

    async def link(self, token_hash: str) -> Link | None:
        """A one-time link as it stands."""
        row = await self._store.read(lambda c: c.execute(sa.select(links).where(links.c.id == token_hash)).first())
        return _link(row) if row else None

    async def use_link(self, token_hash: str, now: float) -> Link | None:
        """Use a one-time link up at an instant; None when it is unknown, used or over."""

        def work(tx: Tx) -> Any:
            row = tx.conn.execute(sa.select(links).where(links.c.id == token_hash)).first()
            fresh = (links.c.id == token_hash) & (links.c.used == "") & (links.c.expires > _instant(now))
            return row if tx.run(links.update().where(fresh).values(used=tx.now)).rowcount == 1 else None

        row = await self._store.write(work)
        return _link(row) if row else None

    async def token(self, token_hash: str) -> Token | None:
        """The API token of a hash, also one that is over."""
        row = await self._store.read(lambda c: c.execute(sa.select(tokens).where(tokens.c.id == token_hash)).first())
        return _token(row) if row else None

    async def tokens(self) -> list[Token]:
        """Every API token, newest first."""
        query = sa.select(tokens).order_by(tokens.c.created.desc()).limit(100)
        return [_token(row) for row in await self._store.read(lambda c: c.execute(query).all())]

    def issue_link(self, expires_at: float, *, sets_password: bool) -> str:
        """A new one-time link's secret; only its hash is kept."""
        secret = token_urlsafe(SECRET_BYTES)
        self.add_link(secret_hash(secret), expires_at, sets_password=sets_password)
        return secret

    def issue_token(self, name: str, scopes: frozenset[Scope], expires_at: float | None) -> str:
        """A new API token; only its hash is kept. An empty name gets one made from the hash."""
        token = TOKEN_PREFIX + token_urlsafe(SECRET_BYTES)
        digest = secret_hash(token)
        self.add_token(name or f"token-{digest[:8]}", digest, scopes, expires_at)
        return token

    def add_link(self, token_hash: str, expires_at: float, *, sets_password: bool) -> None:
        """Keep a new one-time link."""
        row = {"id": token_hash, "purpose": "password" if sets_password else "sign in", "expires": _instant(expires_at)}
        self._store.write_now(lambda tx: tx.run(links.insert(), {**row, "created": tx.now}) and None)

    def add_token(self, name: str, token_hash: str, scopes: frozenset[Scope], expires_at: float | None) -> None:
        """Keep a new API token (BadInput when the name is taken)."""
        expires = _instant(expires_at) if expires_at else ""

        def work(tx: Tx) -> None:
            if tx.conn.execute(sa.select(tokens.c.id).where(tokens.c.name == name)).first():
                raise BadInput(f"name: there is a token called {name!r} already; revoke it or choose another name.")
            row = {"id": token_hash, "name": name, "scopes": sorted(scopes), "created": tx.now, "expires": expires}
            tx.run(tokens.insert(), row)
            tx.append("token.created", actor=OPERATOR, payload={"name": name, "scopes": sorted(scopes)})

        self._store.write_now(work)

    def revoke_token(self, name: str) -> None:
        """End an API token (NotFound)."""

        def work(tx: Tx) -> None:
            if tx.run(tokens.update().where(tokens.c.name == name).values(ended=tx.now)).rowcount == 0:
                raise NotFound(f"There is no token called {name!r}.")
            tx.append("token.revoked", actor=OPERATOR, payload={"name": name})

        self._store.write_now(work)


def _session(row: Any) -> Session:
    return Session(row.id, _seconds(row.created), _seconds(row.used), row.agent, bool(row.ended))


def _link(row: Any) -> Link:
    return Link(row.id, _seconds(row.expires), row.purpose == "password", bool(row.used))


def _token(row: Any) -> Token:
    expires = _seconds(row.expires) if row.expires else None
    return Token(row.name, row.id, frozenset(row.scopes), expires, bool(row.ended))
