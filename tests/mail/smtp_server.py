"""An SMTP server on loopback that keeps what it takes and misbehaves on request."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HOST = "127.0.0.1"
USER, PASSWORD = "mentoring", "p@ss/w#rd"

Tls = Literal["none", "starttls", "smtps"]


@dataclass(frozen=True)
class Received:
    """A mail, and the envelope that it came in."""

    sender: str
    to: str
    message: EmailMessage


@dataclass
class SmtpServer:
    """What it got, and what it shall do."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    refusals: dict[str, str] = field(default_factory=dict)
    """By recipient: the answer to RCPT."""
    sender_answers: deque[str] = field(default_factory=deque)
    """To the next MAILs; an empty one is yes."""
    cuts: int = 0
    """How many times to cut the connection in the middle of DATA."""
    lost_answers: int = 0
    """How many times to take a mail, then cut the connection without a word."""
    farewells: int = 0
    """How many times to answer MAIL with 421 and hang up."""
    pipelining: bool = False
    """Whether to offer it, and then to wait for a mail even if nobody may get it."""
    resets: int = 0
    """How many times it was asked to forget."""
    needs_login: bool = False
    login_answer: str = ""

    def url(self, scheme: str = "smtp", query: str = "", user: str = "") -> str:
        login = f"{user}@" if user else ""
        return f"{scheme}://{login}{HOST}:{self.port}{query}"

    def message_ids(self) -> list[str]:
        return [str(one.message["Message-ID"]) for one in self.received]

    # What aiosmtpd asks of a handler.
    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Any, _envelope: Any, hostname: str, answers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        offered = ["250-PIPELINING"] * self.pipelining
        return [*answers[:-1], *offered, answers[-1]]

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        (recipient,) = envelope.rcpt_tos
        self.received.append(Received(envelope.mail_from, recipient, message))
        if self.lost_answers:
            self.lost_answers -= 1
            _hang_up(server)
        return "250 OK"


class _Session(SMTP):
    """One connection."""

    def __init__(self, owner: SmtpServer, context: ssl.SSLContext | None) -> None:
        super().__init__(
            owner,
            hostname="localhost",
            tls_context=context,
            require_starttls=context is not None,
            auth_require_tls=False,
            authenticator=self._check,
        )
        self._owner = owner
        self._auth_required = owner.needs_login  # as an argument it warns of logins without TLS
        owner.connections += 1

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        if self._owner.farewells:
            self._owner.farewells -= 1
            await self.push("421 4.3.2 closing")
            assert self.transport
            self.transport.close()
        elif self._owner.sender_answers and (answer := self._owner.sender_answers.popleft()):
            await self.push(answer)
        else:
            await super().smtp_MAIL(arg)

    async def smtp_RSET(self, arg: str) -> None:  # noqa: N802
        self._owner.resets += 1
        await super().smtp_RSET(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if self._owner.pipelining and self.envelope and not self.envelope.rcpt_tos:
            await self._data_to_nobody()
        elif self._owner.cuts:
            self._owner.cuts -= 1
            await self.push("354 go on")
            await self._reader.readline()
            _hang_up(self)
        else:
            await super().smtp_DATA(arg)

    async def _data_to_nobody(self) -> None:
        await self.push("354 go on")
        while await self._reader.readline() != b".\r\n":
            pass
        await self.push("554 5.5.1 no valid recipients")

    def _check(self, _server: Any, _session: Any, _envelope: Any, _how: str, data: Any) -> Any:
        good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        answer = self._owner.login_answer
        if answer:
            return AuthResult(success=False, handled=False, message=answer)
        return AuthResult(success=good, handled=False)


def _hang_up(server: SMTP) -> None:
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()


@contextmanager
def smtp_server(
    tls: Tls = "none", context: ssl.SSLContext | None = None, **behaviour: Any
) -> Iterator[SmtpServer]:
    """A server in a thread of its own, gone at the end."""
    owner = SmtpServer(**behaviour)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> asyncio.Server:
        starttls = context if tls == "starttls" else None
        return await loop.create_server(
            lambda: _Session(owner, starttls), HOST, 0, ssl=context if tls == "smtps" else None
        )

    async def stop() -> None:
        listening.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    try:
        listening = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        owner.port = listening.sockets[0].getsockname()[1]
        yield owner
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server of this address shows, and who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    file = folder / "server.pem"
    clear = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key.private_bytes(pem, *clear) + signed.public_bytes(pem))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=file)
