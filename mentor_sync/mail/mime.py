"""The parts of a mail (RFC 2045 to 2047): ASCII, in lines that every relay takes as they are."""

from __future__ import annotations

import base64
import binascii
import re

_LINE_END = re.compile(rb"\r\n?")
_LINE = 76


def text_part(kind: str, text: str, **parameters: str) -> str:
    """Words, as they stand where they can, and else in the shorter of the two encodings."""
    lines = _LINE_END.sub(b"\n", text.encode()).rstrip(b"\n") + b"\n"
    encoding, body = ("7bit", lines) if _can_stand(lines) else _encoded(lines)
    return _part(f"text/{kind}", {"charset": "utf-8", **parameters}, encoding, body)


def attachment(kind: str, content: bytes, name: str) -> str:
    disposition = f'Content-Disposition: attachment; filename="{name}"\r\n'
    return disposition + _part(kind, {}, "base64", base64.encodebytes(content))


def multipart(kind: str, parts: list[str], mark: str) -> str:
    """Several parts; `mark` is another one in each mail."""
    # What is encoded never holds =_ and what is not is asked for it, so no part ends early.
    boundary = f"=_{kind}_{mark}"
    opened = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return (
        f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n{opened}--{boundary}--\r\n'
    )


def _can_stand(lines: bytes) -> bool:
    plain = lines.isascii() and b"\0" not in lines and b"=_" not in lines
    return plain and max(map(len, lines.split(b"\n"))) <= _LINE


def _encoded(lines: bytes) -> tuple[str, bytes]:
    quoted = binascii.b2a_qp(lines, istext=True)
    if len(quoted) * 3 <= len(lines) * 4:
        return "quoted-printable", quoted
    return "base64", base64.encodebytes(lines.replace(b"\n", b"\r\n"))


def _part(kind: str, parameters: dict[str, str], encoding: str, body: bytes) -> str:
    given = "".join(f'; {name}="{value}"' for name, value in parameters.items())
    head = f"Content-Type: {kind}{given}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head + body.decode("ascii").replace("\n", "\r\n")
