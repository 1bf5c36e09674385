"""A certificate authority of one certificate, for servers on loopback."""

import datetime
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@pytest.fixture
def certificate(tmp_path: Path) -> Callable[[str], tuple[Path, ssl.SSLContext]]:
    """Makes a self-signed certificate for a name: the PEM file with its key, and a client context that trusts it."""

    def make(name: str) -> tuple[Path, ssl.SSLContext]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
        builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now - day, now + day)
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        made = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
        own = made.public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = tmp_path / f"{name}.pem"
        path.write_bytes(private + own)
        return path, ssl.create_default_context(cadata=own.decode())

    return make
