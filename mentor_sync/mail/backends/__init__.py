"""Who carries the mails: an SMTP server, Resend, a folder, or the terminal."""

from mentor_sync.mail.backends.backend import (
    Backend,
    Delivery,
    MailConfigurationError,
    MailUnreachable,
)
from mentor_sync.mail.backends.console import Console
from mentor_sync.mail.backends.file import File
from mentor_sync.mail.backends.opening import open_backend
from mentor_sync.mail.backends.rate import RateLimit
from mentor_sync.mail.backends.resend import Resend
from mentor_sync.mail.backends.smtp import Smtp

__all__ = [
    "Backend",
    "Console",
    "Delivery",
    "File",
    "MailConfigurationError",
    "MailUnreachable",
    "RateLimit",
    "Resend",
    "Smtp",
    "open_backend",
]
