"""The loop that the source document's management command is: a member at a time."""

from __future__ import annotations

import time
from typing import Any

from bench.project import Api, Database, statement
from supabase import Client, create_client

Row = dict[str, Any]


def seconds_for_all(database: Database, api: Api, sample: int, *, any_case: bool = False) -> float:
    """The time for `sample` members, extrapolated to all active mentors of the database.

    With `any_case` it finds accounts whose address is spelt in other letters, as the job does.
    """
    # Django indexes its addresses; without it each look-up would read the whole table.
    database.run(b"create index if not exists users_user_email on public.users_user (email)")
    client = create_client(api.url, api.secret_key)
    client.table("members").select("id").limit(1).execute()  # connects
    begun = time.perf_counter()
    members = _active_mentors(client, sample)
    for member in members:
        _sync(client, member, any_case)
    taken = time.perf_counter() - begun
    (candidates,) = database.row(statement("candidates"))
    return taken / len(members) * int(candidates)


def _active_mentors(client: Client, limit: int) -> list[Row]:
    query = client.table("members").select("*").eq("is_active", True)
    rows: Any = query.ilike("membershiptype", "mentor").limit(limit).execute().data
    return list(rows)


def _sync(client: Client, member: Row, any_case: bool) -> None:
    look_up = client.table("users_user").select("id")
    same = look_up.ilike if any_case else look_up.eq
    accounts = _rows(same("email", member["email"]))
    if not accounts:
        return
    account = accounts[0]["id"]
    if _rows(client.table("mentors").select("id").eq("user_id", account)):
        return
    (person,) = _rows(client.table("users").insert(_person(member, account)))
    _rows(client.table("mentors").insert(_mentor(member, account, person["id"])))


def _rows(query: Any) -> list[Row]:
    return list(query.execute().data)


def _person(member: Row, account: int) -> Row:
    return {
        "email": member["email"],
        "full_name": member["name"],
        "role": "mentor",
        "legacy_user_id": account,
        "member_id": member["id"],
        "country": member["country"],
        "city": member["city"],
    }


def _mentor(member: Row, account: int, person: str) -> Row:
    skills = (member["skills"] or "").split(",")[:3]
    words = [member["areaOfExpertise"], member["industry"], *skills]
    parts = {
        "Experience": member["experience"],
        "Occupation": member["occupation"],
        "Job Title": member["jobtitle"],
    }
    return {
        "user_id": account,
        "person_id": person,
        "bio": " | ".join(f"{name}: {value}" for name, value in parts.items() if value),
        "expertise": [word.strip() for word in words if word],
        "is_approved": True,
    }
