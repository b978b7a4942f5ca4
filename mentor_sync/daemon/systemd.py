"""systemd: says that the daemon is ready, alive or stopping, where systemd started it."""

from __future__ import annotations

import os
import socket

_SEND_SECONDS = 1.0  # a socket that nobody reads must not hold up the daemon


def notify(*states: str) -> bool:
    """Send states such as "READY=1" or "STATUS=3 runs"; whether they were sent. Never raises.

    False where there is no NOTIFY_SOCKET, or nobody takes them within a second.
    """
    address = _address(os.environ.get("NOTIFY_SOCKET", ""))
    if address is None:
        return False
    message = "\n".join(" ".join(state.splitlines()) for state in states)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(_SEND_SECONDS)
            sender.sendto(message.encode(errors="replace"), address)
    except OSError:
        return False
    return True


def watchdog_seconds() -> float | None:
    """Seconds after which to say WATCHDOG=1 again: half of what systemd waits.

    None where systemd does not wait for it, or waits for another process.
    """
    if os.environ.get("WATCHDOG_PID", "") not in ("", str(os.getpid())):
        return None
    try:
        microseconds = int(os.environ.get("WATCHDOG_USEC", ""))
    except ValueError:
        return None
    return microseconds / 2_000_000 if microseconds > 0 else None


def _address(name: str) -> bytes | None:
    """A path, or with an @ a name in Linux's abstract namespace; other kinds we do not speak."""
    if name.startswith("/"):
        return os.fsencode(name)
    return b"\0" + os.fsencode(name[1:]) if name.startswith("@") else None
