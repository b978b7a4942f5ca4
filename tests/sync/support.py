"""The sync as the tests run it: the job, over the API or straight in SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg

from jobs.sync_mentor_profiles import sync_mentor_profiles
from mentor_sync.runner import FinishedRun, run_now
from mentor_sync.settings import Settings
from tests.project import Api, Project

TARGETS = ("users", "mentors", "sync_rejects")


def settings(**values: Any) -> Settings:
    plain = Settings(_env_file=None)  # type: ignore[call-arg]  # of pydantic
    return plain.model_copy(update=values)


def sync(api: Api, chunk_size: int = 20_000, **params: Any) -> FinishedRun:
    """The job, over the API."""
    with api.database() as database:
        return run_now(database, settings(chunk_size=chunk_size), "sync_mentor_profiles", params)


def sync_in_sql(project: Project, **params: Any) -> dict[str, int]:
    """The job's verbs on a direct connection, in chunks of 1,000: counts by outcome."""
    counts: dict[str, int] = {}
    with psycopg.connect(project.dsn, autocommit=True) as connection:

        def call(query: str, *values: Any) -> Any:
            found = connection.execute(query.encode(), values).fetchone()
            return found[0] if found else None

        call("select register_jobs(%s)", json.dumps([sync_mentor_profiles.schedule()]))
        run = call("select enqueue_run('sync_mentor_profiles')")
        fence = call("select claim_runs('tests', 1, %s)", run["id"])[0]["fence"]
        cursor, done = None, False
        while not done:
            answer = call(
                "select sync_mentor_profiles(%s, %s, %s, %s, %s)",
                run["id"],
                fence,
                cursor,
                params.get("limit", 1000),
                params.get("dry_run", False),
            )
            cursor, done = answer["cursor"], answer["done"]
            for kind, n in answer["counts"].items():
                counts[kind] = counts.get(kind, 0) + n
        ended = {"id": run["id"], "fence": fence, "status": "succeeded"}
        assert call("select finish_runs(%s)", json.dumps([ended])) == {"stale": []}
    return counts


def without_triggers(project: Project) -> None:
    """Members and accounts come in unseen, as they did before mentor_sync was installed."""
    project.run(
        "alter table members disable trigger user", "alter table users_user disable trigger user"
    )


def many(project: Project, count: int, *, accounts: bool = True, members: bool = True) -> None:
    """`count` members of type mentor, in one statement; with their accounts before them."""
    if accounts:
        project.run(
            "insert into users_user (email) select 'p' || i || '@example.org'"
            f" from generate_series(1, {int(count)}) as i"
        )
    if not members:
        return
    project.run(
        "insert into members (email, name, membershiptype, industry, skills)"
        " select 'P' || i || '@Example.org', 'P ' || i, 'mentor', 'Industry ' || i % 7, 'a, b'"
        f" from generate_series(1, {int(count)}) as i"
    )


def shown(project: Project) -> list[tuple[Any, ...]]:
    """What people see of users and mentors, ids and times left out."""
    return project.rows(
        """
        select u.email, u.full_name, u.role, u.member_id, u.legacy_user_id, t.user_id, t.bio,
          t.expertise, t.is_approved, t.is_active, t.version, t.synced
        from users as u left join mentors as t on t.person_id = u.id
        order by u.email, u.id
        """
    )


def mentor_of(project: Project, member: UUID) -> dict[str, Any]:
    """The mentor's row, as JSON; empty when there is none."""
    rows = project.rows(
        "select to_jsonb(t) from mentors as t join users as u on u.id = t.person_id"
        " where u.member_id = %s",
        member,
    )
    return dict(rows[0][0]) if rows else {}


def writing(project: Project, statement: str, *, timeout: str = "0") -> list[str]:
    """What another application writes, with so much time: the warnings that it gets."""
    warnings: list[str] = []
    with psycopg.connect(project.dsn, autocommit=True) as connection:
        connection.execute("select set_config('statement_timeout', %s, false)", [timeout])
        connection.add_notice_handler(lambda notice: warnings.append(notice.message_primary or ""))
        connection.execute(statement.encode())
    return warnings


@contextmanager
def locking(project: Project, *tables: str) -> Iterator[None]:
    """Somebody else works on these tables, and does not end."""
    with psycopg.connect(project.dsn) as connection:
        for table in tables:
            connection.execute(f"lock table {table} in exclusive mode".encode())
        yield
        connection.rollback()
