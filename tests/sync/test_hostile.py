"""Rows that are at fault, or that somebody made up to hurt: set aside, and the rest lands."""

from __future__ import annotations

import psycopg
import pytest

from tests.project import Api, Project
from tests.sync.support import many, mentor_of, sync, sync_in_sql, without_triggers

THEIR_CHECK = (
    "alter table mentors add constraint theirs check (bio is distinct from 'Job Title: No')"
)
RAISING = ["assert false, 'theirs'", "raise 'theirs' using errcode = '57014'", "raise 'theirs'"]


def test_an_operators_check_costs_one_mentor_of_500(project: Project) -> None:
    project.run(THEIR_CHECK)
    many_with_poison(project)
    assert project.one("select count(*) from members") == 500
    assert project.one("select count(*) from mentors") == 499
    ((source, code, reason),) = project.rows("select source, code, reason from sync_rejects")
    assert (source, code) == ("members", "23514")
    assert "theirs" in reason


def test_the_same_through_the_job(project: Project, api: Api) -> None:
    without_triggers(project)
    project.run(THEIR_CHECK)
    many_with_poison(project)
    run = sync(api)
    assert (run.status, run.counts) == ("partial", {"created": 499, "rejected": 1})
    assert project.one("select count(*) from sync_rejects") == 1
    project.run("alter table mentors drop constraint theirs")
    assert sync(api).counts == {"created": 1, "exists": 499}
    assert project.rows("select * from sync_rejects") == []


def test_a_chunk_in_which_every_row_is_at_fault_ends(project: Project) -> None:
    without_triggers(project)
    many(project, 300)
    project.run("alter table mentors add constraint theirs check (false)")
    assert sync_in_sql(project) == {"rejected": 300}
    assert project.one("select count(*) from sync_rejects") == 300
    assert project.one("select count(*) from users") == 0


def test_a_value_that_another_row_holds_is_told(project: Project) -> None:
    without_triggers(project)
    project.run("alter table mentors add constraint theirs unique (bio)")
    for name in ("ann", "bob"):
        project.account(f"{name}@example.org")
        project.member(f"{name}@example.org", jobtitle="Lead")
    assert sync_in_sql(project) == {"created": 1, "rejected": 1}
    assert project.one("select code from sync_rejects") == "23505"


@pytest.mark.parametrize(
    "values",
    [
        {"experience": "x" * 10_000_000},
        {"skills": ", ".join(f"skill {i}" for i in range(10_000))},
        {"skills": ",;,,\n;"},
        {"name": ""},
        {"name": "[bold]Robert'); drop table mentors;--\u202e\x1b[31m"},
        {"areaOfExpertise": "\u0130stanbul \U0001f9d1\u200d\U0001f52c", "city": " \u00a0"},
    ],
    ids=["10 MB", "10,000 skills", "no skills", "no name", "injection", "unicode"],
)
def test_hostile_values_lose_nothing_and_stop_nothing(
    project: Project, values: dict[str, str]
) -> None:
    hostile = project.one("select id from users where id = %s", project.mentor("x@y.org", **values))
    neighbour = project.mentor("neighbour@example.org", skills="Python")
    bio = project.one("select bio from mentors where person_id = %s", hostile)
    assert bio == (f"Experience: {values['experience']}" if "experience" in values else None)
    assert project.one("select expertise from mentors where person_id = %s", neighbour) == [
        "Python"
    ]
    assert sync_in_sql(project) == {"exists": 2}
    assert project.rows("select * from sync_rejects") == []


def test_ten_megabytes_through_the_job(project: Project, api: Api) -> None:
    without_triggers(project)
    project.account("big@example.org")
    big = project.member("big@example.org", experience="x" * 10_000_000)
    many(project, 200)
    assert sync(api).counts == {"created": 201}
    assert len(mentor_of(project, big)["bio"]) == 10_000_012


def test_strange_addresses_find_their_accounts(project: Project) -> None:
    addresses = ["o'hara\"+ü,ß@exämple.org", "a+b&c=d#e@example.org", "100%_@example.org"]
    for address in addresses:
        project.account(address.upper() if address.isascii() else address)
    members = [project.member(f"\t{address}\u00a0") for address in addresses]
    assert all(mentor_of(project, member) for member in members)
    assert project.one("select count(*) from mentors") == 3


def test_nul_is_refused_by_the_api_and_its_neighbours_land(project: Project, api: Api) -> None:
    project.account("ann@example.org")

    def insert(email: str, name: str) -> int:
        row = {"email": email, "name": name, "membershiptype": "mentor"}
        return api.request("POST", "members", json=row).status_code

    assert insert("nul@example.org", "N\x00L") == 400
    assert insert("ann@example.org", "Ann") == 201
    assert project.rows("select email from members") == [("ann@example.org",)]
    assert project.one("select count(*) from mentors") == 1


@pytest.mark.parametrize("statement", RAISING)
@pytest.mark.parametrize("deferred", [False, True])
def test_a_trigger_of_an_operator_costs_one_mentor(
    project: Project, api: Api, statement: str, deferred: bool
) -> None:
    project.run(*their_trigger("mentors", "new.bio = 'Job Title: No'", statement, deferred))
    many_with_poison(project)
    assert project.one("select count(*) from members") == 500
    assert project.one("select count(*) from mentors") == 499
    assert project.one("select reason from sync_rejects") == "theirs"
    without_triggers(project)
    project.run("delete from mentors", "delete from sync_rejects")
    run = sync(api)
    assert (run.status, run.counts) == ("partial", {"created": 499, "rejected": 1})


def test_a_deferred_trigger_on_people_costs_one_mentor(project: Project) -> None:
    project.run(*their_trigger("users", "new.full_name = 'Eve'", "raise 'theirs'", True))
    project.mentor("ann@example.org")
    project.account("eve@example.org")
    project.member("eve@example.org")
    assert project.rows("select full_name from users") == [("Ann",)]
    assert project.one("select reason from sync_rejects") == "theirs"


def test_what_the_application_deferred_stays_deferred(project: Project) -> None:
    project.account("ann@example.org")
    project.run(
        "create table theirs (id int primary key, next int references theirs deferrable"
        " initially deferred)",
        "alter table mentors add theirs int references theirs deferrable initially deferred",
    )
    with psycopg.connect(project.dsn) as connection:
        connection.execute("insert into theirs values (1, 2)")
        connection.execute(
            "insert into members (email, name, membershiptype)"
            " values ('ann@example.org', 'Ann', 'mentor')"
        )
        connection.execute("update mentors set theirs = 2")
        connection.execute("insert into theirs values (2, 1)")
    assert project.one("select count(*) from mentors where theirs = 2") == 1


def their_trigger(table: str, when: str, statement: str, deferred: bool) -> list[str]:
    """A trigger of the operator's own, that some rows do not please."""
    kind = (
        "constraint trigger theirs after insert or update"
        if deferred
        else ("trigger theirs before insert or update")
    )
    late = "deferrable initially deferred" if deferred else ""
    raising = f"$$ begin {statement}; return new; end $$"
    return [
        f"create function theirs() returns trigger language plpgsql as {raising}",
        f"create {kind} on {table} {late} for each row when ({when}) execute function theirs()",
    ]


def many_with_poison(project: Project) -> None:
    """500 members in one statement, one of them at fault."""
    project.run(
        "insert into users_user (email) select 'p' || i || '@example.org'"
        " from generate_series(1, 500) as i",
        "insert into members (email, name, membershiptype, jobtitle)"
        " select 'p' || i || '@example.org', 'P', 'mentor', case when i = 377 then 'No' end"
        " from generate_series(1, 500) as i",
    )
