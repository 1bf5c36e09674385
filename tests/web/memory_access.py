"""MemoryAccess: the wall's rows kept in dictionaries, with the promises the store gives."""

from dataclasses import replace

from soloist.kernel.access import Link, Session, Token, secret_hash


class MemoryAccess:
    def __init__(self):
        self.sessions, self.links, self.tokens, self.password, self.touched = {}, {}, {}, "", []

    def add_link(self, text, **more):
        self.links[secret_hash(text)] = Link(secret_hash(text), **{"expires_at": 2e9, **more})

    def add_token(self, text, *scopes, **more):
        self.tokens[secret_hash(text)] = Token("laptop", secret_hash(text), frozenset(scopes), **more)

    def add_session(self, text, at):
        self.sessions[secret_hash(text)] = Session(secret_hash(text), at, at)

    async def session(self, id_hash):
        return self.sessions.get(id_hash)

    async def touch(self, id_hash, now):
        self.touched.append(now)
        self.sessions[id_hash] = replace(self.sessions[id_hash], seen_at=now)

    async def create_session(self, session):
        self.sessions[session.id_hash] = session

    async def revoke(self, id_hash):
        self.sessions[id_hash] = replace(self.sessions[id_hash], revoked=True)

    async def password_hash(self):
        return self.password

    async def set_password(self, password_hash):
        self.password = password_hash
        self.sessions = {key: replace(row, revoked=True) for key, row in self.sessions.items()}

    async def link(self, token_hash):
        return self.links.get(token_hash)

    async def use_link(self, token_hash, now):
        found = self.links.get(token_hash)
        if found is None or not found.live(now):
            return None
        self.links[token_hash] = replace(found, used=True)
        return found

    async def token(self, token_hash):
        return self.tokens.get(token_hash)
