"""SMTP servers that say yes to everything and keep what they take, each in a process of its own.

`python -m bench.smtp_servers NAME FOLDER` prints its port. Neither the floor nor the delivery
shares an interpreter with it. None of them stores a mail before it answers, which real servers
must (RFC 5321, 6.1) and which takes them milliseconds: so both make the floor lower than it would
be, and the ratio higher.

`aiosmtpd` is a whole server, and the one of our tests. `nothing` is the least that a client takes
for one, and faster than any: it finds the ends of lines, undoes the dots and answers. It offers
PIPELINING as Postfix, Exim and Sendmail do.

After a client's QUIT, what its connection brought becomes FOLDER/NUMBER.json.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from aiosmtpd.smtp import SMTP

HOST = "127.0.0.1"
_OFFERS = b"250-nothing\r\n250-PIPELINING\r\n250 8BITMIME\r\n"


class Taken(NamedTuple):
    """A mail as it came: its envelope and its bytes, which are ASCII."""

    sender: str
    to: str
    mail: str


Keep = Callable[[list[Taken]], None]


class Server:
    """A running one, seen by who started it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._files = (folder / f"{number}.json" for number in count())

    def taken(self) -> list[Taken]:
        """What the next connection, of those that are over, brought."""
        file = next(self._files)
        for _ in range(1000):
            if file.exists():
                return [Taken(*one) for one in json.loads(file.read_bytes())]
            time.sleep(0.01)
        raise TimeoutError("The connection to the SMTP server did not end.")


@contextmanager
def smtp_server(name: str, folder: Path) -> Iterator[Server]:
    folder.mkdir()
    command = [sys.executable, "-m", __name__, name, str(folder)]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, text=True) as process:
        try:
            assert process.stdout
            yield Server(folder, int(process.stdout.readline()))
        finally:
            process.kill()


def _keeper(folder: Path) -> Keep:
    numbers = count()

    def keep(taken: list[Taken]) -> None:
        half = folder / "half"
        half.write_text(json.dumps(taken), encoding="ascii")
        half.rename(folder / f"{next(numbers)}.json")

    return keep


class _Handler:
    """What aiosmtpd asks of one, for a connection."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._taken: list[Taken] = []

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        (recipient,) = envelope.rcpt_tos
        mail = envelope.content.decode("ascii")
        self._taken.append(Taken(envelope.mail_from, recipient, mail))
        return "250 OK"

    async def handle_QUIT(self, _server: SMTP, _session: Any, _envelope: Any) -> str:  # noqa: N802
        # Later: nobody shall wait for it.
        asyncio.get_running_loop().call_later(0.1, self._keep, self._taken)
        return "221 bye"


async def _aiosmtpd(keep: Keep) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(_Handler(keep), hostname="localhost"), HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def _nothing(keep: Keep) -> None:
    with socket.create_server((HOST, 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            connection, _ = listening.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection:
                taken = list(_session(connection))
            keep(taken)


def _session(connection: socket.socket) -> Iterator[Taken]:
    connection.sendall(b"220 nothing\r\n")
    buffer = sender = to = b""
    while True:
        # The answers to commands that came together go together, as RFC 2920 wants it.
        commands, answers = buffer.split(b"\r\n"), []
        buffer = commands.pop()
        for command in commands:
            match command[:4].upper():
                case b"EHLO":
                    answers.append(_OFFERS)
                    continue
                case b"DATA":
                    connection.sendall(b"".join(answers) + b"354 go on\r\n")
                    yield Taken(_address(sender), _address(to), _mail(connection))
                    answers = []
                case b"QUIT":
                    connection.sendall(b"221 bye\r\n")
                    return
                case b"MAIL":
                    sender = command
                case b"RCPT":
                    to = command
            answers.append(b"250 OK\r\n")
        connection.sendall(b"".join(answers))
        buffer += connection.recv(1 << 16)


def _mail(connection: socket.socket) -> str:
    """Up to the line with a dot. Clients say nothing after it before they are answered."""
    mail = b""
    while not mail.endswith(b"\r\n.\r\n"):
        mail += connection.recv(1 << 16)
    return mail[:-3].replace(b"\n..", b"\n.").decode("ascii")


def _address(command: bytes) -> str:
    return command.decode("ascii").partition("<")[2].partition(">")[0]


if __name__ == "__main__":
    keep = _keeper(Path(sys.argv[2]))
    if sys.argv[1] == "aiosmtpd":
        asyncio.run(_aiosmtpd(keep))
    else:
        _nothing(keep)
