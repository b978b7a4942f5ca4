"""So many mails a second, and no more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class RateLimit:
    """A token bucket; threads may share it.

    Args:
        per_second: how fast it fills.
        burst: how much it holds.
    """

    def __init__(
        self,
        per_second: float,
        *,
        burst: int = 1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        if not per_second > 0 or burst < 1:
            raise ValueError("A rate is above 0, and a burst at least 1.")
        self._per_second = per_second
        self._burst = float(burst)
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._tokens = float(burst)
        self._filled_at = clock()

    def wait(self) -> None:
        """Take a token; sleep until there is one."""
        seconds = self._take()
        if seconds > 0:
            self._sleep(seconds)

    def _take(self) -> float:
        """Below zero tokens are promised to those who wait: each sleeps for its own."""
        with self._lock:
            now = self._clock()
            filled = self._tokens + (now - self._filled_at) * self._per_second
            self._tokens = min(self._burst, filled) - 1
            self._filled_at = now
            return max(0.0, -self._tokens / self._per_second)
