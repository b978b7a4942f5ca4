"""The breakdown of a score in words, as private.match_reasons has it.

parity.py holds the two equal.
"""

from __future__ import annotations

import re
from typing import Any

_WORDS = {
    "goals": "Goals in common: ",
    "industry": "At home in the same field: ",
    "research": "Research in common: ",
    "technical": "Skills wanted and known: ",
    "location": "Near each other: ",
    "communication": "Ways to meet in common: ",
}
_BAND = re.compile(r"UTC[+-]")


def reasons(breakdown: dict[str, Any]) -> list[str]:
    """A sentence for each factor with something in common."""
    return [
        words + ", ".join(_near(labels) if name == "location" else labels)
        for name, words in _WORDS.items()
        if name in breakdown and (labels := breakdown[name]["matched"])
    ]


def _near(labels: list[str]) -> list[str]:
    """Of the bands of time zones one is enough."""
    shown = ["time zone" if _BAND.match(label) else label for label in labels]
    return list(dict.fromkeys(shown))
