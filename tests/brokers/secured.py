"""A listener of Kafka with TLS and SASL, beside the plain one: a certificate that is its own authority, and one user."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.brokers import ports

USER, PASSWORD = "worker", "s3cret-of-the-test"
_LOGIN = "org.apache.kafka.common.security"
_PROPERTIES = """\
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512,OAUTHBEARER
ssl.keystore.type=PEM
ssl.keystore.location={store}
listener.name.secured.plain.sasl.jaas.config={login}.plain.PlainLoginModule required user_{user}="{password}";
listener.name.secured.scram-sha-512.sasl.jaas.config={login}.scram.ScramLoginModule required;
listener.name.secured.oauthbearer.sasl.jaas.config={login}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
"""


@dataclass
class Secured:
    """Made once a module of tests.

    Attributes:
        folder: holds ``ca.pem``, for clients, and the broker's key.
        port: of the listener.
    """

    folder: Path
    port: int = field(default_factory=ports.choose)

    def __post_init__(self) -> None:
        """Make the certificate, for localhost."""
        self.folder.mkdir(exist_ok=True)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "ca.pem",
             "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
            cwd=self.folder, check=True, capture_output=True, timeout=30,
        )  # fmt: skip
        both = (self.folder / "key.pem").read_text() + (self.folder / "ca.pem").read_text()
        (self.folder / "broker.pem").write_text(both)

    def url(self, password: str = PASSWORD) -> str:
        """Its address, for the user."""
        return f"kafka://{USER}:{password}@localhost:{self.port}"

    def users(self) -> list[str]:
        """What formatting the broker's folder takes to make the user known for SCRAM."""
        return ["--add-scram", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"]

    def added_to(self, properties: str) -> str:
        """A broker's properties with this listener."""
        added = {
            "listeners": f"SECURED://{ports.HOST}:{self.port}",
            "advertised.listeners": f"SECURED://localhost:{self.port}",
            "listener.security.protocol.map": "SECURED:SASL_SSL",
        }
        lines = []
        for line in properties.splitlines():
            name = line.partition("=")[0]
            lines.append(f"{line},{added[name]}" if name in added else line)
        own = _PROPERTIES.format(store=self.folder / "broker.pem", login=_LOGIN, user=USER, password=PASSWORD)
        return "\n".join(lines) + "\n" + own
