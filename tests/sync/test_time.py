"""A statement of another application that has little time, on tables that somebody is busy with."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest

from tests.project import Project
from tests.sync.support import locking, many, sync_in_sql, writing

MEMBERS = (
    "insert into members (email, name, membershiptype)"
    " select 'p' || i || '@example.org', 'P', 'mentor' from generate_series(1, {}) as i"
)
TWENTY = MEMBERS.format(20)


@pytest.mark.parametrize("tables", [["mentors"], ["mentors", "sync_rejects"], ["sync_rejects"]])
def test_locked_tables_cost_a_part_of_the_time(project: Project, tables: list[str]) -> None:
    many(project, 20, members=False)
    with locking(project, *tables):
        warnings = writing(project, TWENTY, timeout="1500ms")
    assert project.one("select count(*) from members") == 20
    assert "mentor_sync: 20 of 20 members wait for the next sync." in warnings
    assert sync_in_sql(project) == {"created": 20}


def test_a_slow_check_of_an_operator_stops_us_in_time(project: Project) -> None:
    many(project, 20, members=False)
    project.run("alter table mentors add constraint slow check (pg_sleep(0.3)::text = '')")
    warnings = writing(project, TWENTY, timeout="3s")
    made = project.one("select count(*) from mentors")
    assert project.one("select count(*) from members") == 20
    assert 3 <= made <= 8
    assert warnings == [f"mentor_sync: {20 - made} of 20 members wait for the next sync."]


def test_a_check_that_outlasts_the_time_costs_the_mentor_only(project: Project) -> None:
    account = project.account("ann@example.org")
    project.run("alter table mentors add constraint slow check (pg_sleep(60)::text = '')")
    began = time.monotonic()
    insert = "insert into members (email, name, membershiptype) values ('{}', 'P', 'mentor')"
    warnings = writing(project, insert.format("ann@example.org"), timeout="1s")
    assert time.monotonic() - began < 5
    assert "mentor_sync: 1 of 1 members wait for the next sync." in warnings
    assert project.rows("select email from members") == [("ann@example.org",)]
    update = f"update users_user set email = 'Ann@Example.org' where id = {account}"
    assert len(writing(project, update, timeout="1s")) == 2


def test_who_cancels_the_statement_is_obeyed(project: Project) -> None:
    project.account("ann@example.org")
    project.run("alter table mentors add constraint slow check (pg_sleep(60)::text = '')")
    with psycopg.connect(project.dsn) as connection:
        threading.Timer(1, connection.cancel).start()
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute(
                "insert into members (email, name, membershiptype)"
                " values ('ann@example.org', 'Ann', 'mentor')"
            )
    assert project.one("select count(*) from members") == 0


@pytest.mark.parametrize("kind", ["members", "accounts"])
def test_no_time_is_taken_where_most_of_it_is_gone(project: Project, kind: str) -> None:
    members = "members (email, name, membershiptype) select 'p' || i, 'P', 'mentor'"
    into = {"members": members, "accounts": "users_user (email) select 'p' || i"}[kind]
    late = "from generate_series(1, 20000) as i, (select pg_sleep(2.8)) as spent"
    warnings = writing(project, f"insert into {into} {late}", timeout="4s")
    assert warnings == [f"mentor_sync: up to 20000 {kind} wait for the next sync."]
    assert project.one("select count(*) from sync_rejects") == 0


def test_many_in_one_statement_are_synced_as_far_as_the_time_goes(project: Project) -> None:
    many(project, 6000)
    assert project.one("select count(*) from mentors") == 6000
    sleepy = "alter table mentors add constraint slow check (pg_sleep(0.001)::text = '')"
    project.run("delete from mentors", sleepy)
    warnings = writing(project, "update members set name = name || '!'", timeout="5s")
    made = project.one("select count(*) from mentors")
    assert 100 < made < 6000
    assert warnings == [f"mentor_sync: {6000 - made} of 6000 members wait for the next sync."]


def test_what_is_done_stays_done_when_a_later_set_fails(project: Project) -> None:
    many(project, 200, members=False)
    project.run(
        "create table theirs ()",
        """create function busy() returns trigger language plpgsql as $$ begin
          if (select count(*) from public.mentors) > 17 then
            lock table public.theirs nowait;
          end if;
          return new;
        end $$""",
        "create trigger busy before insert on mentors for each row execute function busy()",
    )
    with locking(project, "theirs"):
        warnings = writing(project, MEMBERS.format(200), timeout="60s")
    assert project.one("select count(*) from mentors") == 17
    assert warnings[-1] == "mentor_sync: 183 of 200 members wait for the next sync."
