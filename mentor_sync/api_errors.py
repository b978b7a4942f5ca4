"""What an error of the Data API means: its cause, the next command, whether to try again."""

from __future__ import annotations

import re
from functools import cache

import httpx
from postgrest import APIError

from mentor_sync.errors import (
    ApiError,
    ApprovalNeeded,
    ConfigurationError,
    KeyRefused,
    MentorSyncError,
    MissingMigrations,
    Overloaded,
    RunTimedOut,
    StaleRun,
    Unreachable,
    UsageError,
)
from mentor_sync.redaction import redact
from mentor_sync.sources import sql_folder

STATEMENT_TIMEOUT = "57014"
NO_CONNECTION = "no_connection"

# What our own SQL raises.
_OURS: dict[str, type[MentorSyncError]] = {
    "MS001": StaleRun,
    "MS002": UsageError,
    "MS003": RunTimedOut,
    "MS004": UsageError,
    "MS005": ApprovalNeeded,
    "MS011": UsageError,
    "MS013": ConfigurationError,
}
_UNKNOWN_TO_API = {"PGRST202", "PGRST204", "PGRST205"}
# A trigger of the project's own may raise these in the middle of our work.
_UNDEFINED = {"42P01", "42883", "42703", "3F000"}
_KEY = {"PGRST300", "PGRST301", "PGRST302", "PGRST303", "401"}
_BUSY = {
    *("PGRST000", "PGRST001", "PGRST002", "PGRST003"),
    *("40001", "40P01", "55P03", STATEMENT_TIMEOUT, "57P01", "57P02", "57P03"),
    *("408", "429"),
}
# Answers of a web server that is no Data API, which has codes of its own.
_ELSEWHERE = {"301", "302", "303", "307", "308", "404", "405", "501", "PGRST125"}
# The gateway says these in HTML too: of a request that is too large, wherever it was sent.
_TOO_LARGE = {"413", "414", "431"}
# What only the owner of the project can end.
_STOPPED = {
    "PGRST106": "Expose the schema public: dashboard, Project Settings, Data API.",
    "402": "The organisation is over its quota or behind with a bill: dashboard, Billing.",
    "540": "The project is paused. Restore it in the dashboard, then run it again.",
}
_LATER = "Run it again in a minute. If it stays so, look at the project in the dashboard."
# A name as PostgreSQL writes it into a message: quoted, before a parenthesis, or qualified.
_NAME = re.compile(r'"([^"]+)"|([\w.]+)\(|(\w+\.\w+)')
_COMMENT_OR_TEXT = re.compile(r"--.*|'[^']*'")
# No memory, no disk, no connection left: the server's trouble, not the row's.
_BUSY_CLASSES = ("08", "53")


def explain_api_error(error: APIError, status: int | None) -> MentorSyncError:
    """Our error for one of PostgREST or of the gateway before it.

    Args:
        error: as supabase-py raised it.
        status: the HTTP status, which supabase-py does not keep.
    """
    code = error.code or str(status or "")
    said = redact(error.message or "The Data API gave no reason.")
    if code.startswith("MS"):
        return _OURS.get(code, ApiError)(said, hint=error.hint or "", code=code)
    if status == 401 or code in _KEY:
        return _explain_key(said, code)
    if code == "42501":
        return _explain_grant(said)
    if code in _UNKNOWN_TO_API or (code in _UNDEFINED and _names_ours(said)):
        return _explain_missing(said)
    if code in _BUSY or code[:2] in _BUSY_CLASSES:
        return Overloaded(f"{said} ({code})", code=code, hint="Run it again in a minute.")
    if code in _STOPPED:
        return ConfigurationError(f"{said} ({code})", hint=_STOPPED[code], code=code)
    if code in _UNDEFINED:
        return _explain_foreign(said, code)
    if code in _ELSEWHERE or _is_no_json(error):
        return wrong_address(f"it answered {code}, which is not the Data API")
    if code.startswith("5") and len(code) == 3:
        return Unreachable(f"The gateway answered: {said} ({code}).", hint=_LATER, code=code)
    return ApiError(f"{said} ({code})", hint=error.hint or "", code=code)


def _names_ours(said: str) -> bool:
    """Whether all names in a message occur in our SQL; a message without names is not of ours."""
    names = {part for name in _NAME.findall(said) for part in "".join(name).split(".")}
    return bool(names) and names <= _our_words()


@cache
def _our_words() -> frozenset[str]:
    texts = (path.read_text(encoding="utf-8") for path in sql_folder("migrations").glob("*.sql"))
    return frozenset(re.findall(r"\w+", _COMMENT_OR_TEXT.sub("", "\n".join(texts))))


def _is_no_json(error: APIError) -> bool:
    """Whether a 4xx came without JSON, which Supabase does not do: the status is its code then."""
    code = error.code or ""
    is_status = len(code) == 3 and code.startswith("4") and code not in _TOO_LARGE
    return is_status and not str(error.details or "").lstrip().startswith(("{", "["))


def _explain_key(said: str, code: str) -> KeyRefused:
    if "future" in said.lower():
        hint = "The key is from the future: set the clock of this machine or of the server."
    elif "expired" in said.lower():
        hint = "The key has expired. Take the secret key (sb_secret_...) from the dashboard."
    else:
        hint = "Check that SUPABASE_SECRET_KEY and SUPABASE_URL are of the same project."
    return KeyRefused(f"The key was refused: {said} ({code or 401}).", hint=hint)


def _explain_grant(said: str) -> ConfigurationError:
    return ConfigurationError(
        f"The key's role may not do this: {said}.",
        hint="A grant of mentor-sync was revoked. mentor-sync db print shows the grants: run "
        "the one that names it in the SQL editor.",
        code="missing_grant",
    )


def _explain_missing(said: str) -> MissingMigrations:
    return MissingMigrations(
        f"The database lacks something of mentor-sync: {said}",
        hint="Run: mentor-sync db migrate. If it was just migrated, the API may not have "
        "noticed: run notify pgrst, 'reload schema'; in the SQL editor.",
    )


def _explain_foreign(said: str, code: str) -> ApiError:
    return ApiError(
        f"{said} ({code})",
        hint="That is not of mentor-sync: a trigger or function of the project's own uses it."
        " Look at the triggers of users and mentors in the dashboard.",
        code=code,
    )


def explain_transport_error(error: httpx.HTTPError, url: str) -> MentorSyncError:
    """Our error for a request that got no answer."""
    words = str(error) or type(error).__name__
    if isinstance(error, httpx.ConnectError) and _is_unknown_host(words):
        return wrong_address("no such host")
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return Unreachable(
            f"No answer from {url} in time.",
            hint="Look whether the project is paused or busy, then run it again.",
            code="timeout",
        )
    return Unreachable(
        f"No answer from {url}: {redact(words)}.",
        hint="Check SUPABASE_URL, and that the project is up. Locally: mentor-sync local up.",
        code=NO_CONNECTION if _never_connected(error) else "",
    )


def wrong_address(why: str) -> ConfigurationError:
    """SUPABASE_URL does not lead to a Data API."""
    return ConfigurationError(
        f"SUPABASE_URL is not the address of a Supabase project: {why}.",
        hint="It looks like https://<ref>.supabase.co (dashboard, Project Settings, Data API).",
        code="wrong_url",
    )


def _never_connected(error: httpx.HTTPError) -> bool:
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)


def _is_unknown_host(words: str) -> bool:
    return any(
        part in words.lower()
        for part in ("name or service not known", "nodename nor servname", "no address associated")
    ) or ("name resolution" in words.lower())
