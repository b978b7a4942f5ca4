"""Every error that a person may see, in one tree.

    MentorSyncError                 exit 1
    ├── UsageError                  exit 2   the command's words are off
    ├── ConfigurationError          exit 4   settings, keys, grants, migrations
    │   ├── KeyRefused                       a key of the wrong kind, expired or unknown
    │   ├── MissingMigrations                the database lacks something of ours
    │   └── DatabaseUnreachable              no answer from PostgreSQL at SUPABASE_DB_URL
    ├── ChangesPending              exit 5   there is something to apply
    ├── LocalStackError             exit 1   the embedded stack did not come up
    ├── MigrationError              exit 1   a file failed, or was edited after it was applied
    └── ApiError                    exit 1   an answer of the Data API that is not success
        ├── Unreachable                      no answer, or the gateway's 5xx     (retryable)
        ├── Overloaded                       429, no free connection, timeouts   (retryable)
        ├── BadAnswer                        truncated, empty or of the wrong type (retryable)
        ├── StaleRun                         MS001: another worker owns the run now
        ├── RunTimedOut                      MS003: the attempt took too long      (retryable)
        └── ApprovalNeeded      exit 5       MS005: the run would stop too much unasked

The docstring of a class is its default message. `code` is stable and goes into `--json`.
"""

from __future__ import annotations

import inspect
from typing import ClassVar


class MentorSyncError(Exception):
    """Something went wrong."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False
    default_code: ClassVar[str] = "failed"

    def __init__(self, message: str = "", *, hint: str = "", code: str = "") -> None:
        self.message = message or inspect.cleandoc(type(self).__doc__ or "")
        self.hint = hint
        self.code = code or self.default_code
        super().__init__(self.message)

    def as_json(self) -> dict[str, str | bool]:
        """The entry of `errors` in a `--json` document."""
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
        }


class UsageError(MentorSyncError):
    """The command cannot be understood."""

    exit_code = 2
    default_code = "usage"


class ConfigurationError(MentorSyncError):
    """A setting is missing or wrong."""

    exit_code = 4
    default_code = "configuration"


class KeyRefused(ConfigurationError):
    """The key is not one that mentor-sync can work with."""

    default_code = "key_refused"


class MissingMigrations(ConfigurationError):
    """The database lacks tables or functions of mentor-sync."""

    default_code = "missing_migrations"


class DatabaseUnreachable(ConfigurationError):
    """PostgreSQL does not answer."""

    default_code = "database_unreachable"


class ChangesPending(MentorSyncError):
    """There are changes to apply."""

    exit_code = 5
    default_code = "changes_pending"


class LocalStackError(MentorSyncError):
    """The local stack did not come up."""

    default_code = "local_stack"


class MigrationError(MentorSyncError):
    """A migration could not be applied."""

    default_code = "migration"


class ApiError(MentorSyncError):
    """The Data API refused the request."""

    default_code = "api"


class Unreachable(ApiError):
    """The Data API does not answer."""

    retryable = True
    default_code = "unreachable"


class Overloaded(ApiError):
    """The Data API is too busy, or the statement took too long."""

    retryable = True
    default_code = "overloaded"


class BadAnswer(ApiError):
    """The Data API answered with something that is not an answer."""

    retryable = True
    default_code = "bad_answer"


class StaleRun(ApiError):
    """Another worker owns this run now; nothing was written."""

    default_code = "MS001"


class RunTimedOut(ApiError):
    """The run took longer than it may."""

    retryable = True
    default_code = "MS003"


class ApprovalNeeded(ApiError):
    """The run would change more than it may without approval."""

    exit_code = 5
    default_code = "MS005"
