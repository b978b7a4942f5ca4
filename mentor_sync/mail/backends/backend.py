"""What every backend does, and what became of a mail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar
from uuid import UUID

from mentor_sync.errors import ApiError, ConfigurationError
from mentor_sync.mail.backends.rate import RateLimit
from mentor_sync.mail.message import BadAddress, BadSender, Email, Mail, as_email

SETTING = "MENTOR_SYNC_MAIL"


class MailConfigurationError(ConfigurationError):
    """No mail can be sent with these settings."""

    default_code = "mail_configuration"


class MailUnreachable(ApiError):
    """The mail server does not answer."""

    retryable = True
    default_code = "mail_unreachable"


@dataclass(frozen=True)
class Delivery:
    """What became of one mail."""

    id: UUID
    outcome: Literal["sent", "retry", "uncertain", "failed"]
    provider_id: str = ""
    reason: str = ""
    retry_after: float | None = None  # seconds
    alone: bool = False  # not as a part of its batch, so it may be sent again alone


class Known(Protocol):
    """What has the id of a mail."""

    @property
    def id(self) -> UUID: ...


Letter = TypeVar("Letter", bound=Known)


class Backend(Protocol):
    """Sends mails; one worker at a time uses it."""

    name: str
    sends_batches: bool
    """Whether mails of a batch are one request, known again as the very same set only."""

    def send(self, mails: Iterable[Mail]) -> list[Delivery]:
        """Send each of them: one delivery a mail, in their order.

        Raises:
            MailConfigurationError: no mail can be sent so; none was.
            MailUnreachable: nobody answers; none was sent.
        """

    def close(self) -> None:
        """Let go of connections."""


def composed(mail: Mail) -> Email:
    """As `as_email`; the sender is the same for all mails, so if it is wrong none can go.

    Raises:
        BadAddress: of the recipient or the reply.
        MailConfigurationError: of the sender.
    """
    try:
        return as_email(mail)
    except BadSender as error:
        raise MailConfigurationError(
            error.message,
            hint="MENTOR_SYNC_MAIL_FROM looks like Mentoring <mentoring@example.org>.",
        ) from error


def send_each(
    given: Iterable[Letter], deliver: Callable[[Letter], Delivery], limit: RateLimit | None = None
) -> list[Delivery]:
    """Deliver one by one, for a backend that knows no batches."""
    done: list[Delivery] = []
    mails = iter(given)
    for mail in mails:
        if limit:
            limit.wait()
        try:
            done.append(deliver(mail))
        except BadAddress as error:
            done.append(Delivery(mail.id, "failed", reason=error.message))
        except (MailConfigurationError, MailUnreachable) as error:
            # Once one has gone out the caller must learn of it: the next call raises.
            if not any(delivery.outcome in ("sent", "uncertain") for delivery in done):
                raise
            return done + put_off([mail, *mails], error.message)
    return done


def put_off(
    mails: Iterable[Known], reason: str, retry_after: float | None = None
) -> list[Delivery]:
    return [Delivery(mail.id, "retry", reason=reason, retry_after=retry_after) for mail in mails]
