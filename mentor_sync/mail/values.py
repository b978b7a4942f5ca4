"""What a mail may show: plain data, without what cannot be seen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mentor_sync.errors import MentorSyncError

_LINE_ENDS = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]")
# Controls, halves of surrogates, and what turns the direction of the text around it; the marks
# U+200E and U+200F, which right-to-left scripts need, only concern their neighbours.
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


class BadValue(MentorSyncError):
    """A value cannot be shown in a mail."""

    default_code = "mail_value_bad"


def plain(value: Any, name: str) -> Any:
    """A copy of plain data: objects would bring methods, and markup of their own, with them.

    Raises:
        BadValue: it is something else.
    """
    if value is None or isinstance(value, bool | int | float | datetime):
        return value
    if isinstance(value, str):
        return value if value.isprintable() else printable(_LINE_ENDS.sub("\n", value))
    if isinstance(value, Mapping):
        present = {str(key): item for key, item in value.items() if item is not None}
        return {key: plain(item, f"{name}.{key}") for key, item in present.items()}
    if isinstance(value, list | tuple):
        return [plain(item, name) for item in value]
    raise BadValue(
        f"The value {name} of a mail is a {type(value).__name__}.",
        hint="Pass text, numbers, datetimes, and lists and dicts of them.",
    )


def printable(text: str) -> str:
    """The text without what cannot be seen."""
    return _UNPRINTABLE.sub("", text)
