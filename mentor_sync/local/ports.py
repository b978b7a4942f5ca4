"""Free ports on this machine's own address."""

from __future__ import annotations

import random
import socket

from mentor_sync.errors import LocalStackError

HOST = "127.0.0.1"

# Below the range that systems take for outgoing connections: a remembered port is then
# not lost to some client while its server is down.
_RANGE = (15_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
        return True


def is_answering(port: int, seconds: float = 1.0) -> bool:
    """Whether something accepts connections there."""
    try:
        socket.create_connection((HOST, port), timeout=seconds).close()
    except OSError:
        return False
    return True


def free_port(*, taken: frozenset[int] | set[int] = frozenset()) -> int:
    """A free port that is not among the taken.

    Raises:
        LocalStackError: two hundred ports in a row were in use.
    """
    for _ in range(200):
        port = random.randint(*_RANGE)  # noqa: S311  # a port is no secret
        if port not in taken and is_free(port):
            return port
    raise LocalStackError(
        "No free port found on this machine.", hint="End servers that are not needed, then retry."
    )
