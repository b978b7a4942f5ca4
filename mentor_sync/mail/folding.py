"""Headers in lines of ASCII (RFC 2047, 5322).

Python 3.11's own policy loses the quotes of a long name, whose comma then makes two people, and
encodes a long URL, which no mail program decodes.
"""

from __future__ import annotations

from email.header import Header
from email.headerregistry import Address

_LONGEST_WORD = 60
_LONGEST_NAME = 200
_LINE = 76


def person(header: str, who: Address) -> str:
    if _is_plain(who.display_name) and len(who.display_name) < _LONGEST_NAME:
        return str(who)
    return f"{_encoded(header, who.display_name, 'utf-8')} <{who.addr_spec}>"


def words(header: str, text: str) -> str:
    if not _is_plain(text):
        return _encoded(header, text, "utf-8")
    fits = len(header) + len(": ") + len(text) <= _LINE
    return text if fits else _encoded(header, text, "us-ascii")


def _is_plain(text: str) -> bool:
    """Whether lines can be made of it as it stands."""
    return text.isascii() and all(len(word) < _LONGEST_WORD for word in text.split(" "))


def _encoded(header: str, text: str, charset: str) -> str:
    made = Header(text, charset, maxlinelen=_LINE, header_name=header)
    return made.encode(splitchars=" ", linesep="\r\n")
