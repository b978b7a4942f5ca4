"""Whom the words of a command mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mentor_sync.errors import UsageError

if TYPE_CHECKING:
    from mentor_sync.database import Database


def find_person(database: Database, who: str) -> dict[str, Any]:
    """The one person of this id or e-mail address: id, full_name, email, role, request.

    Raises:
        UsageError: there is none, or more than one.
    """
    found = database.rpc("find_people", {"p_who": who}, expect=list)
    if len(found) != 1:
        many = "There is nobody" if not found else "There is more than one person"
        raise UsageError(
            f"{many} {who}.", hint="Give the id or the e-mail address of somebody in users."
        )
    return dict(found[0])


def name_of(person: dict[str, Any]) -> str:
    return on_one_line(person["full_name"] or person["email"])


def on_one_line(name: str | None) -> str:
    """A name within a sentence, however it was typed."""
    return " ".join((name or "").split()) or "(no name)"
