"""Where the seconds of a process go, step by step."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Named = str | Callable[..., str]
"""A step, or what makes its name of the call."""
_END = object()


class _Within(threading.local):
    """The seconds of the steps within each step that a thread is in."""

    def __init__(self) -> None:
        self.seconds = [0.0]


class Steps:
    """Seconds by step, without those of a step within it; and in other threads, meanwhile."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.meanwhile: dict[str, float] = defaultdict(float)
        self._within = _Within()

    def watch(self, owner: Any, name: str, step: Named) -> None:
        """Time every call of a function from now on."""
        original = getattr(owner, name)

        def timed(*given: Any, **named: Any) -> Any:
            with self._timed(step if isinstance(step, str) else step(*given)):
                return original(*given, **named)

        setattr(owner, name, timed)

    def watch_items(self, owner: Any, name: str, step: str) -> None:
        """Time what a function takes to yield its items."""
        original = getattr(owner, name)

        def timed(*given: Any, **named: Any) -> Iterator[Any]:
            items = original(*given, **named)
            while True:
                with self._timed(step):
                    item = next(items, _END)
                if item is _END:
                    return
                yield item

        setattr(owner, name, timed)

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        self._within.seconds.append(0.0)
        begun = time.perf_counter()
        try:
            yield
        finally:
            taken = time.perf_counter() - begun
            is_main = threading.current_thread() is threading.main_thread()
            found = self.seconds if is_main else self.meanwhile
            found[step] += taken - self._within.seconds.pop()
            self._within.seconds[-1] += taken
