"""Keyring: secrets of connectors, sealed in the store and opened by the vault for the moment of a call."""

from __future__ import annotations

from soloist.engine.store import secrets
from soloist.engine.store.store import Store
from soloist.engine.vault import LEAST, Vault
from soloist.kernel.errors import BadInput


class Keyring:
    """Secrets by name."""

    def __init__(self, store: Store, vault: Vault) -> None:
        """The store keeps them, the vault opens them."""
        self._store, self._vault = store, vault

    def secret(self, name: str) -> str:
        """A secret in the clear (NotFound says how to store it)."""
        return self._vault.open(name, self._store.read_now(lambda conn: secrets.get(conn, name)))

    def put(self, name: str, text: str) -> None:
        """Seal and keep a secret (BadInput for one so short that it could not be kept out of texts)."""
        if len(text) < LEAST:
            raise BadInput(
                f"A secret has at least {LEAST} characters, and this one has {len(text)}; nothing was stored. A "
                "shorter one stands in ordinary words, so it could not be kept out of prompts and logs.",
                field=name,
            )
        sealed = self._vault.seal(name, text)
        self._store.write_now(lambda tx: secrets.put(tx, name, sealed))

    def remove(self, name: str) -> None:
        """Forget a secret; one that is not there is no fault."""
        self._store.write_now(lambda tx: secrets.remove(tx, name))

    def names(self) -> list[str]:
        """The names there are."""
        return self._store.read_now(secrets.names)
