"""A real Postfix (with Dovecot for passwords) on loopback, started in a folder of its own and stopped again.

Needs root, postfix and dovecot; run alone it prints its ports and waits: ``python -m tests.servers.mail_server``.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.acceptance.ports import free_port

DOMAIN = "studio-linde.example"
PASSWORD = "a calm desk"
USERS = ("mara", "ada")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"

DOVECOT = """
base_dir = {root}/dovecot/run
state_dir = {root}/dovecot/state
log_path = {root}/dovecot/log
protocols =
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Ln
passdb {{
  driver = passwd-file
  args = {root}/dovecot/users
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home={root}/mail/%u
}}
service auth {{
  inet_listener sasl {{
    address = 127.0.0.1
    port = {sasl}
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
"""

POSTFIX = """
compatibility_level = 3.6
queue_directory = {root}/spool
data_directory = {root}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.{domain}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = texthash:{root}/postfix/mailboxes
virtual_mailbox_base = {root}/mail
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_transport = virtual
default_transport = error:nothing leaves this computer
smtpd_tls_cert_file = {root}/cert.pem
smtpd_tls_key_file = {root}/key.pem
smtpd_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{sasl}
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_reject_unlisted_recipient = yes
message_size_limit = 1000000
maillog_file = {root}/log/postfix.log
maillog_file_prefixes = {root}
alias_maps =
alias_database =
"""

MASTER = """
{smtp} inet n - n - - smtpd
{submission} inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
showq unix n - n - - showq
"""


class MailServer:
    """``submission`` wants STARTTLS and a password, ``smtp`` takes mail for the domain from anyone on this computer."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="soloist-mail-"))
        self.smtp, self.submission, self._sasl = free_port(), free_port(), free_port()
        self.certificate = self.root / "cert.pem"

    def start(self) -> None:
        """Write the configuration and start both servers; RuntimeError with their words when they do not come up."""
        self.root.chmod(0o755)
        for name in ("dovecot/run", "dovecot/state", "postfix", "data", "spool", "log", "mail"):
            (self.root / name).mkdir(parents=True)
        os.chown(self.root / "data", pwd.getpwnam("postfix").pw_uid, -1)
        os.chown(self.root / "mail", 65534, 65534)
        self._certificate()
        names = {
            "root": self.root,
            "domain": DOMAIN,
            "sasl": self._sasl,
            "smtp": self.smtp,
            "submission": self.submission,
        }
        (self.root / "dovecot/users").write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}::::::\n" for user in USERS))
        (self.root / "postfix/mailboxes").write_text("".join(f"{u}@{DOMAIN} {u}/\n" for u in USERS))
        (self.root / "dovecot/dovecot.conf").write_text(DOVECOT.format(**names))
        (self.root / "postfix/main.cf").write_text(POSTFIX.format(**names))
        (self.root / "postfix/master.cf").write_text(MASTER.format(**names))
        self._run("dovecot", "-c", f"{self.root}/dovecot/dovecot.conf")
        self._run("postfix", "-c", f"{self.root}/postfix", "start")
        for port in (self.smtp, self.submission, self._sasl):
            self._await(port)

    def stop(self) -> None:
        """Stop both and remove the folder."""
        for command in (
            ["postfix", "-c", f"{self.root}/postfix", "stop"],
            ["doveadm", "-c", f"{self.root}/dovecot/dovecot.conf", "stop"],
        ):
            subprocess.run(command, env={**os.environ, "PATH": PATH}, capture_output=True, check=False)
        shutil.rmtree(self.root, ignore_errors=True)

    def mails(self, user: str, *, wait: float = 0.0) -> list[bytes]:
        """The mails in a user's box; waits up to ``wait`` seconds for the first."""
        until = time.monotonic() + wait
        box = self.root / "mail" / user / "new"
        while True:
            found = [path.read_bytes() for path in sorted(box.iterdir())] if box.is_dir() else []
            if found or time.monotonic() >= until:
                return found
            time.sleep(0.05)

    def _run(self, *command: str) -> None:
        """Run a start command; its words go to a file, since the daemon it leaves behind would keep a pipe open."""
        words = self.root / "log/start"
        with words.open("wb") as out:
            done = subprocess.run(
                command, env={**os.environ, "PATH": PATH}, stdout=out, stderr=out, check=False, timeout=240
            )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {words.read_text()}{self._log()}")

    def _await(self, port: int) -> None:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with socket.socket() as sock:
                if sock.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"nothing listens on port {port}: {self._log()}")

    def _log(self) -> str:
        found = [path for path in (self.root / "log/postfix.log", self.root / "dovecot/log") if path.exists()]
        return "\n".join(path.read_text()[-2000:] for path in found)

    def _certificate(self) -> None:
        key = rsa.generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
        names = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        )
        made = (
            x509.CertificateBuilder(subject, subject, key.public_key(), 1, now - day, now + day)
            .add_extension(names, critical=False)
            .sign(key, hashes.SHA256())
        )
        self.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        (self.root / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


if __name__ == "__main__":
    server = MailServer()
    server.start()
    print(f"smtp {server.smtp}  submission {server.submission}  users {USERS} password {PASSWORD!r}  {server.root}")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        server.stop()
