"""A whole mail house on loopback: Dovecot (IMAP with IDLE, XOAUTH2) and Postfix (submission, delivery into Dovecot).

Needs root, postfix and dovecot; run alone it prints its ports and waits: ``python -m tests.servers.dovecot_postfix``.
Users are mara, ada, bob and guest01 to guest99 @studio-linde.example with the same password.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from tests.acceptance.ports import free_port
from tests.servers.mail_server import DOMAIN, MASTER, PASSWORD, PATH, POSTFIX, MailServer

USERS = ("mara", "ada", "bob", *(f"guest{number:02}" for number in range(1, 100)))
OWNER = 65534

DOVECOT = """
base_dir = {root}/dovecot/run
state_dir = {root}/dovecot/state
log_path = {root}/dovecot/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{root}/cert.pem
ssl_key = <{root}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_username_format = %Ln
auth_failure_delay = 0
auth_verbose = yes
mail_location = maildir:{root}/mail/%n
mail_max_userip_connections = 50
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = {root}/dovecot/users
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {root}/dovecot/oauth2.conf
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home={root}/mail/%n
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    auto = subscribe
    special_use = \\Drafts
  }}
  mailbox Gesendet {{
    auto = subscribe
    special_use = {sent}
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service auth {{
  inet_listener sasl {{
    address = 127.0.0.1
    port = {sasl}
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  unix_listener stats-reader {{
    mode = 0666
  }}
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
{more}
"""

OAUTH = """
introspection_url = {introspect}
introspection_mode = auth
username_attribute = username
active_attribute = active
active_value = true
"""


class MailHouse(MailServer):
    """``imap`` takes STARTTLS, ``imaps`` is TLS, ``submission`` sends; all with the certificate of localhost.

    ``introspect`` is the address where Dovecot asks whether an access token is good; ``more`` is put at the end of its
    configuration.
    """

    def __init__(self, *, introspect: str = "http://127.0.0.1:9/none", more: str = "", sent: str = "\\Sent") -> None:
        super().__init__()
        self.imap, self.imaps = free_port(), free_port()
        self._introspect, self._more, self._sent = introspect, more, sent
        self._guests = iter(user for user in USERS if user.startswith("guest"))

    def start(self) -> None:
        """Write the configuration and start both servers; RuntimeError with their words when they do not come up."""
        self.root.chmod(0o755)
        for name in ("dovecot/run", "dovecot/state", "postfix", "data", "spool", "log", "mail"):
            (self.root / name).mkdir(parents=True)
        os.chown(self.root / "data", pwd.getpwnam("postfix").pw_uid, -1)
        os.chown(self.root / "mail", OWNER, OWNER)
        self._certificate()
        names = {
            "root": self.root,
            "domain": DOMAIN,
            "sasl": self._sasl,
            "smtp": self.smtp,
            "submission": self.submission,
            "imap": self.imap,
            "imaps": self.imaps,
            "sent": self._sent,
            "introspect": self._introspect,
            "more": self._more,
        }
        users = "".join(f"{user}:{{PLAIN}}{PASSWORD}::::::\n" for user in USERS)
        (self.root / "dovecot/users").write_text(users)
        (self.root / "dovecot/oauth2.conf").write_text(OAUTH.format(**names))
        (self.root / "postfix/mailboxes").write_text("".join(f"{u}@{DOMAIN} {u}/\n" for u in USERS))
        (self.root / "dovecot/dovecot.conf").write_text(DOVECOT.format(**names))
        (self.root / "postfix/main.cf").write_text(POSTFIX.format(**names))
        (self.root / "postfix/master.cf").write_text(MASTER.format(**names))
        self._run("dovecot", "-c", f"{self.root}/dovecot/dovecot.conf")
        self._run("postfix", "-c", f"{self.root}/postfix", "start")
        for port in (self.smtp, self.submission, self._sasl, self.imap, self.imaps):
            self._await(port)

    def guest(self) -> str:
        """A user nobody else has."""
        return next(self._guests)

    def deliver(self, user: str, *mails: bytes, read: bool = False, at: float = 0.0) -> None:
        """Put mails into an inbox as a delivery program does, moved into place whole; ``at`` is when they came."""
        box = self.box(user)
        for name in ("tmp", "new", "cur"):
            (box / name).mkdir(parents=True, exist_ok=True)
        stamp = time.time_ns()
        for number, raw in enumerate(mails):
            name = f"{stamp // 10**9}.M{stamp % 10**9 // 1000}P{number:07d}.house"
            (box / "tmp" / name).write_bytes(raw)
            if at:
                os.utime(box / "tmp" / name, (at, at))
            os.rename(box / "tmp" / name, box / ("cur" if read else "new") / (f"{name}:2,S" if read else name))
        self._own([box, *(box / name for name in ("tmp", "new", "cur"))])

    def box(self, user: str) -> Path:
        """The Maildir of a user."""
        return self.root / "mail" / user

    def doveadm(self, *words: str) -> str:
        """Run doveadm against this house; its output."""
        command = ["doveadm", "-c", f"{self.root}/dovecot/dovecot.conf", *words]
        done = subprocess.run(
            command, env={**os.environ, "PATH": PATH}, capture_output=True, text=True, check=False, timeout=240
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def renumber(self, user: str) -> None:
        """Forget every number of the inbox: the server gives new ones under a new UIDVALIDITY."""
        self.doveadm("kick", user)
        ended = time.monotonic() + 120
        while self.connections(user) and time.monotonic() < ended:  # a session that still ends writes its index anew
            time.sleep(0.05)
        for path in self.box(user).glob("dovecot*"):
            path.unlink() if path.is_file() else shutil.rmtree(path)

    def connections(self, user: str) -> int:
        """How many IMAP connections of a user are open."""
        lines = self.doveadm("who", "-1").splitlines()[1:]
        return sum(line.split()[0] == user for line in lines if line.strip())

    @staticmethod
    def _own(paths: Iterable[Path]) -> None:
        for path in paths:
            os.chown(path, OWNER, OWNER)


if __name__ == "__main__":
    house = MailHouse()
    house.start()
    print(f"imap {house.imap}  imaps {house.imaps}  submission {house.submission}  smtp {house.smtp}  {house.root}")
    print(f"users {USERS} password {PASSWORD!r}  certificate {house.certificate}")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        house.stop()
