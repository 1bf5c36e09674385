"""One signed-in IMAP connection over imapclient, for use in a thread; it keeps no cursor and tries nothing twice."""

from __future__ import annotations

import base64
import contextlib
import imaplib
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import imapclient
from imapclient.response_parser import parse_fetch_response

from soloist.plugins.connectors.mail.server import Credential, Server, own_computer
from soloist.plugins.connectors.mail.words import APP_NEEDED, short, temporary
from soloist.sdk import Trouble

logging.getLogger("imapclient").setLevel(logging.WARNING)  # it logs whole conversations at lower levels

READ = 60.0
"""Seconds a server may be silent in the middle of an answer."""
LARGEST = 128 * 1024 * 1024
"""Bytes a server may announce for one piece of an answer; more is a lie or an attack."""
SEQUENCE_STEP = 5000
"""Mails looked at by one SEARCH, so that no line grows beyond a few tens of kilobytes."""


@dataclass(frozen=True)
class Folder:
    """A folder as EXAMINE shows it; ``uidnext`` is the number the next mail will get."""

    name: str
    exists: int
    uidnext: int
    uidvalidity: int
    modseq: int


class _Imap4(imaplib.IMAP4):
    """imaplib over a line that is already open; it takes no literal larger than ``LARGEST``."""

    def __init__(self, host: str, port: int, ready: socket.socket) -> None:
        self._ready = ready
        super().__init__(host, port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return self._ready

    def read(self, size: int) -> bytes:
        """At most ``LARGEST`` bytes: the number comes from outside and is allocated before anything arrives."""
        if size > LARGEST:
            raise self.abort(f"announced {size} bytes")
        return super().read(size)


class _Client(imapclient.IMAPClient):  # type: ignore[misc]  # the library has no types
    """imapclient over a line that is already open."""

    def __init__(self, server: Server, ready: socket.socket) -> None:
        self._open_line = ready
        super().__init__(server.host, server.port, ssl=server.security == "tls", timeout=READ)
        self._imap.debug = 0

    def _create_IMAP4(self) -> _Imap4:
        return _Imap4(self.host, self.port, self._open_line)


class Line:
    """The connection; every method but ``kill`` blocks. They raise what the libraries raise, or Trouble."""

    def __init__(self, server: Server, sock: socket.socket) -> None:
        """``sock`` is connected to a checked address; ``open`` makes it a mail connection."""
        self.server, self.sock = server, sock
        self.used = 0.0
        self.name = server.host
        self.sent = ""
        self._client: Any = None
        self._open_folder: Folder | None = None

    def open(self, credential: Credential) -> None:
        """TLS with the host's name, the greeting and the sign-in; nothing is said before TLS is verified."""
        server = self.server
        self.sock.settimeout(READ)
        if server.security == "none" and not own_computer(self.sock):
            raise Trouble(
                "auth", f'{server.host} is reached without encryption, so the password was not sent. Use "tls".'
            )
        if server.security == "tls":
            self.sock = server.tls().wrap_socket(self.sock, server_hostname=server.host)
        self._client = _Client(server, self.sock)
        if server.security == "starttls":
            self._start_tls()
        self._sign_in(credential)
        self.name = self._server_name()

    def _start_tls(self) -> None:
        client, host = self._client, self.server.host
        if client._imap.state != "NONAUTH":
            raise Trouble("protocol_drift", f"{host} lets one in before the line is secure, so nothing was sent.")
        if not client.has_capability("STARTTLS"):
            raise Trouble("unavailable", f"{host} offers no encryption (STARTTLS), so the password was not sent.")
        client.starttls(self.server.tls())
        self.sock = client.socket()

    def _sign_in(self, credential: Credential) -> None:
        """AUTHENTICATE where it is offered, else LOGIN; Trouble says what is wrong in the operator's words."""
        client, host = self._client, self.server.host
        try:
            if credential.token:
                self._authenticate("XOAUTH2", credential.xoauth2())
            elif client.has_capability("AUTH=PLAIN"):
                self._authenticate("PLAIN", credential.plain())
            elif client.has_capability("LOGINDISABLED"):
                raise Trouble("unavailable", f"{host} takes no password on this line; nothing was sent.")
            else:
                client._imap._encoding = "utf-8"
                client.login(credential.username, credential.secret)
        except (imaplib.IMAP4.abort, Trouble):
            raise
        except imaplib.IMAP4.error as error:
            raise _not_let_in(host, credential, short(error)) from error
        client._cached_capabilities = None  # they differ after the sign-in

    def _authenticate(self, mechanism: str, words: bytes) -> None:
        """SASL with the words in the first command when the server takes them there; any challenge gets silence."""
        imap = self._client._imap
        said = [words]
        if not self._client.has_capability("SASL-IR"):
            typ, data = imap.authenticate(mechanism, lambda _challenge: said.pop() if said else b"")
        else:
            silent: Callable[[bytes], bytes] = lambda _challenge: b""  # noqa: E731  # imaplib wants a method of its own
            imap.literal = imaplib._Authenticator(silent).process  # as imaplib itself does
            typ, data = imap._simple_command("AUTHENTICATE", mechanism, base64.b64encode(words).decode())
            if typ == "OK":
                imap.state = "AUTH"
        if typ != "OK":
            raise imap.error(data[-1])

    def _server_name(self) -> str:
        """The host and, when the server tells, its make."""
        if not self._client.has_capability("ID"):
            return self.server.host
        try:
            told = self._client.id_(None)
        except imaplib.IMAP4.error:
            return self.server.host
        pairs = told[0] if told and isinstance(told[0], tuple) else ()
        named = {str(k, "ascii", "replace").lower(): v for k, v in zip(pairs[::2], pairs[1::2], strict=False)}
        make = named.get("name")
        return f"{self.server.host} ({short(make)[:40]})" if isinstance(make, bytes) else self.server.host

    def can(self, capability: str) -> bool:
        """Whether the server offers it after the sign-in."""
        return bool(self._client.has_capability(capability))

    def folders(self) -> list[tuple[tuple[bytes, ...], str, str]]:
        """(marks, separator, name) of every folder; special uses are asked for when a plain list does not tell."""
        found = list(self._client.list_folders())
        if self.can("SPECIAL-USE") and not any(b"\\sent" in _low(marks) for marks, _, _ in found):
            found += self._client.list_special_folders()
        return [(tuple(marks), _text(separator), _text(name)) for marks, separator, name in found]

    def folder(self, name: str) -> Folder:
        """The folder as it was when it was opened on this line, opened now if it is not."""
        seen = self._open_folder
        return seen if seen is not None and seen.name == name else self.examine(name)

    def examine(self, folder: str) -> Folder:
        """Open a folder for reading and see what is new; Trouble "not_found" when there is none of that name."""
        self._open_folder = None
        try:
            told = self._client.select_folder(folder, readonly=True)
        except (imaplib.IMAP4.abort, imaplib.IMAP4.readonly):
            raise
        except imaplib.IMAP4.error as error:
            words = short(error)
            raise temporary(self.server.host, words) or Trouble(
                "not_found", f"The folder {folder} cannot be opened on {self.server.host}: {words}"
            ) from error
        if not told.get(b"UIDVALIDITY"):
            raise Trouble("protocol_drift", f"{self.server.host} gives the mails of {folder} no lasting numbers.")
        exists = int(told.get(b"EXISTS", 0))
        following = int(told.get(b"UIDNEXT") or 0) or self._last(exists) + 1
        modseq = int(told.get(b"HIGHESTMODSEQ") or 0)
        self._open_folder = Folder(folder, exists, following, int(told[b"UIDVALIDITY"]), modseq)
        return self._open_folder

    def _last(self, exists: int) -> int:
        """The highest number, for servers that do not say which comes next."""
        return max((uid for uid, _ in self._fetch("*", "(UID)", by="FETCH")), default=0) if exists else 0

    def numbers(self, low: int, high: int, since: str = "") -> list[int]:
        """The numbers from ``low`` to ``high`` that exist, ascending; ``since`` is a day as IMAP writes it."""
        terms = [f"UID {low}:{high}", *([f"SINCE {since}"] if since else [])]
        typ, data = self._client._imap.uid("SEARCH", " ".join(terms))
        _check(typ, data)
        found = sorted({int(word) for part in data if part for word in part.split()})
        return [uid for uid in found if low <= uid <= high]

    def count(self, exists: int, since: str, top: int) -> int:
        """How many mails of the open folder up to the number ``top`` arrived since a day."""
        imap, total = self._client._imap, 0
        for start in range(1, exists + 1, SEQUENCE_STEP):
            typ, data = imap.search(None, f"{start}:{min(start + SEQUENCE_STEP - 1, exists)} SINCE {since} UID 1:{top}")
            _check(typ, data)
            total += sum(len(part.split()) for part in data if part)
        return total

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Bytes by number, as the server counts them; what was deleted meanwhile is missing."""
        found = self._fetch(_set(uids), "(UID RFC822.SIZE)")
        return {uid: int(told[b"RFC822.SIZE"]) for uid, told in found if b"RFC822.SIZE" in told}

    def bodies(self, uids: Sequence[int], *, first: int = 0) -> dict[int, tuple[bytes, tuple[str, ...]]]:
        """(bytes, flags) by number, whole or the ``first`` bytes; reading marks nothing as read."""
        part = f"BODY.PEEK[]<0.{first}>" if first else "BODY.PEEK[]"
        name = b"BODY[]<0>" if first else b"BODY[]"
        found: dict[int, tuple[bytes, tuple[str, ...]]] = {}
        for uid, told in self._fetch(_set(uids), f"(UID FLAGS {part})"):
            if name not in told:
                continue
            raw = told[name] or b""
            if uid not in uids:
                raise Trouble("protocol_drift", f"{self.server.host} sent mail {uid}, which was not asked for.")
            flags = tuple(_text(flag) for flag in told.get(b"FLAGS") or () if flag.lower() != b"\\recent")
            found[uid] = (raw if isinstance(raw, bytes) else str(raw).encode(), flags)
        return found

    def subjects(self, uids: Sequence[int]) -> dict[int, bytes]:
        """The Subject header lines, raw."""
        return self.heads(uids, ("SUBJECT",))

    def heads(self, uids: Sequence[int], names: Sequence[str]) -> dict[int, bytes]:
        """These header lines, raw, by number; reading marks nothing as read."""
        found = self._fetch(_set(uids), f"(UID BODY.PEEK[HEADER.FIELDS ({' '.join(names)})])")
        return {
            uid: value
            for uid, told in found
            for key, value in told.items()
            if key.startswith(b"BODY[HEADER") and isinstance(value, bytes)
        }

    def with_header(self, name: str, value: str) -> list[int]:
        """The numbers of the mails in the open folder with this header."""
        return [int(uid) for uid in self._client.search(["HEADER", name, value])]

    def append(self, folder: str, message: bytes) -> None:
        """Put a mail into a folder, marked as read."""
        self._client.append(folder, message, (b"\\Seen",), datetime.now(UTC))

    def noop(self) -> None:
        """Ask whether the line still lives; it gets a short time."""
        self.sock.settimeout(10.0)
        self._client.noop()
        self.sock.settimeout(READ)

    def _fetch(self, numbers: str, items: str, *, by: str = "UID") -> list[tuple[int, dict[bytes, Any]]]:
        """(number, items) of every mail told about; what comes without a number is news nobody asked for."""
        imap = self._client._imap
        typ, data = imap.fetch(numbers, items) if by == "FETCH" else imap.uid("FETCH", numbers, items)
        _check(typ, data)
        told = parse_fetch_response(data, False, False)
        return [(int(one[b"UID"]), one) for one in told.values() if b"UID" in one]

    def kill(self) -> None:
        """End the line from any thread; whoever waits on it wakes up with an error."""
        try:
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)  # not the TLS one: that is not safe across threads
        except (OSError, ValueError):
            return

    def drop(self) -> None:
        """Close the line without a word."""
        self.kill()
        held = vars(self._client._imap) if self._client is not None else {}
        buffers = [held[name] for name in ("file", "_file") if name in held]  # its name differs between Pythons
        for one in (*buffers, self.sock):
            with contextlib.suppress(OSError, ValueError):
                one.close()

    def leave(self) -> None:
        """Say goodbye and close."""
        try:
            self.sock.settimeout(2.0)
            self._client.logout()
        except (OSError, imaplib.IMAP4.error, AttributeError):
            pass
        self.drop()


def _not_let_in(host: str, credential: Credential, words: str) -> Trouble:
    """A refused sign-in: a fault that passes, or a credential that is wrong."""
    passing = temporary(host, words)
    if passing:
        return passing
    if credential.token:
        return Trouble("auth", f"{host} does not accept the permission for {credential.username}: {words}")
    return Trouble(
        "auth", f"{host} does not accept this user name and password for {credential.username}: {words}. {APP_NEEDED}"
    )


def _check(typ: str, data: Sequence[Any]) -> None:
    if typ != "OK":
        raise imaplib.IMAP4.error(short(data[-1] if data and isinstance(data[-1], bytes) else str(data).encode()))


def _set(uids: Sequence[int]) -> str:
    """Numbers as an IMAP set, runs joined."""
    runs: list[list[int]] = []
    for uid in sorted(uids):
        if runs and uid == runs[-1][1] + 1:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ",".join(str(low) if low == high else f"{low}:{high}" for low, high in runs)


def _low(marks: Sequence[bytes]) -> list[bytes]:
    return [mark.lower() for mark in marks]


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
