"""Undoing a run: what it changed is as before, except where somebody changed it since."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest

from mentor_sync.errors import ApiError, UsageError
from mentor_sync.job import Progress
from mentor_sync.runner import FinishedRun, enqueue, run_now, run_queued
from tests.people import as_admin
from tests.project import Api, Project
from tests.sync.support import many, settings, sync, without_triggers

# All of users and mentors but the ids that we draw, and when a row was written.
ALL = """
select to_jsonb(u) - array['id', 'created_at', 'updated_at'] as person,
  to_jsonb(t) - array['id', 'person_id', 'slug', 'created_at', 'updated_at'] as mentor
from users as u full join mentors as t on t.person_id = u.id
order by u.email, u.member_id"""


class Killed(BaseException):
    """As if the process were gone: nothing is noted."""


def undo(api: Api, run: FinishedRun | UUID, **params: Any) -> FinishedRun:
    """The job, over the API."""
    run_id = run if isinstance(run, UUID) else run.id
    with api.database() as database:
        return run_now(database, settings(), "undo_run", {"run_id": str(run_id), **params})


def undone(api: Api, run: FinishedRun, **params: Any) -> tuple[dict[str, int], list[Any]]:
    """Likewise: the counts, and the rows that were kept."""
    kept: list[Any] = []

    def watch(progress: Progress) -> None:
        kept.extend(progress.records)

    with api.database() as database:
        params = {"run_id": str(run.id), **params}
        ended = run_now(database, settings(), "undo_run", params, report=watch)
    return ended.counts, kept


@pytest.fixture
def sources(project: Project) -> Project:
    """120 mentors who were there before us, and 250 who come in unseen."""
    many(project, 120)
    without_triggers(project)
    project.run(
        "insert into users_user (email) select 'q' || i || '@example.org'"
        " from generate_series(1, 250) as i",
        "insert into members (email, name, membershiptype, skills)"
        " select 'q' || i || '@example.org', 'Q ' || i, 'mentor', 'a'"
        " from generate_series(1, 250) as i",
        "update members set skills = 'c, d', city = 'Rome' where email like 'P1%'",
    )
    return project


# There and back again --------------------------------------------------------------------------


def test_undone_all_is_as_before_and_done_again_as_after(sources: Project, api: Api) -> None:
    before = sources.rows(ALL)
    first = sync(api, chunk_size=100)
    after = sources.rows(ALL)
    assert (first.counts["created"], len(after)) == (250, 370)
    ended = undo(api, first)
    assert sources.rows(ALL) == before != after
    assert (ended.status, set(ended.counts)) == ("succeeded", {"undone"})
    assert sync(api, chunk_size=100).counts == first.counts
    assert sources.rows(ALL) == after


def test_members_who_left_are_listed_again(sources: Project, api: Api) -> None:
    sync(api)
    before = sources.rows(ALL)
    sources.run("update members set is_active = false where email like 'q10%'")
    run = sync(api)
    assert run.counts["deactivated"] == 11
    assert undo(api, run).counts == {"undone": 11}
    assert sources.rows(ALL) == before


def test_only_what_that_run_changed_is_undone(sources: Project, api: Api) -> None:
    first = sync(api)
    sources.run("update members set name = 'New' where email like 'q2%'")
    between = sources.rows(ALL)
    second = sync(api)
    undo(api, second)
    assert sources.rows(ALL) == between
    assert sources.one("select count(*) from job_changes where run_id = %s", first.id) > 0


def test_a_run_that_changed_nothing_is_undone_at_once(sources: Project, api: Api) -> None:
    sync(api)
    nothing = sync(api)
    before = sources.contents("users", "mentors")
    assert undo(api, nothing).counts == {}
    assert sources.contents("users", "mentors") == before


def test_undoing_twice_in_a_row_changes_no_more(sources: Project, api: Api) -> None:
    run = sync(api)
    undo(api, run)
    before = sources.contents("users", "mentors")
    again = undo(api, run)
    assert sources.contents("users", "mentors") == before
    assert (again.status, set(again.counts)) == ("partial", {"kept"})


def test_a_dry_run_undoes_nothing(sources: Project, api: Api) -> None:
    run = sync(api, dry_run=True)
    before = sources.contents("users", "mentors")
    assert undo(api, run).counts == {}
    assert sources.contents("users", "mentors") == before


# What somebody changed since -------------------------------------------------------------------


def test_a_row_edited_since_is_kept_and_named(sources: Project, api: Api) -> None:
    run = sync(api, chunk_size=100)
    mentor, person = sources.rows(
        "update mentors set bio = 'By hand' where person_id ="
        " (select id from users where email = 'q7@example.org') returning id, person_id"
    )[0]
    counts, kept = undone(api, run)
    assert counts["kept"] == len(kept) == 2
    said = {(row["relation"], row["row_id"]): row["reason"] for row in kept}
    assert said == {
        ("mentors", str(mentor)): "changed since",
        ("users", str(person)): "mentors refers to it",
    }
    left = sources.rows("select u.email, t.bio from users u join mentors t on t.person_id = u.id")
    assert [row for row in left if row[0].startswith("q")] == [("q7@example.org", "By hand")]


def test_a_changed_row_edited_since_keeps_all_its_values(sources: Project, api: Api) -> None:
    run = sync(api)
    sources.run("update users set city = 'Oslo' where lower(email) = 'p11@example.org'")
    counts, kept = undone(api, run)
    assert [(row["relation"], row["action"], row["reason"]) for row in kept] == [
        ("users", "update", "changed since")
    ]
    cities = "select city, count(*) from users where lower(email) like 'p1%' group by 1"
    assert dict(sources.rows(cities)) == {"Oslo": 1, None: counts_of_p1(sources) - 1}
    assert counts["kept"] == 1


def test_a_row_deleted_since_is_named(sources: Project, api: Api) -> None:
    run = sync(api)
    sources.run(
        "delete from mentors using users u where u.id = person_id and u.email = 'q7@example.org'"
    )
    counts, kept = undone(api, run)
    assert [(row["relation"], row["reason"]) for row in kept] == [("mentors", "the row is gone")]
    assert sources.rows("select from users where email like 'q%'") == []
    assert counts["kept"] == 1


def test_a_person_whom_others_refer_to_is_kept(sources: Project, api: Api) -> None:
    run = sync(api)
    student = sources.person("student@example.org")
    sources.run(
        "update users set mentor_id = (select id from users where email = 'q7@example.org')"
        f" where id = '{student}'"
    )
    _counts, kept = undone(api, run)
    assert [(row["relation"], row["reason"]) for row in kept] == [("users", "users refers to it")]
    assert sources.one("select mentor_id is not null from users where id = %s", student)


def test_an_edit_that_shows_nowhere_counts_as_none(sources: Project, api: Api) -> None:
    """When a row was written is not logged, so it does not keep the row."""
    before = sources.rows(ALL)
    run = sync(api)
    sources.run("update users set updated_at = now() + interval '1 day'")
    assert undo(api, run).status == "succeeded"
    assert sources.rows(ALL) == before


def test_a_column_of_the_operator_s_keeps_the_row_once_it_is_filled_in(
    sources: Project, api: Api
) -> None:
    sources.run("alter table users add phone text, add plan text not null default 'free'")
    run = sync(api)
    sources.run("update users set phone = '030 1' where email = 'q7@example.org'")
    counts, kept = undone(api, run)
    assert [(row["relation"], row["reason"]) for row in kept] == [("users", "changed since")]
    assert sources.rows("select phone from users where email like 'q%'") == [("030 1",)]
    assert counts["kept"] == 1


def test_a_column_that_came_after_the_run_counts_too(sources: Project, api: Api) -> None:
    run = sync(api)
    sources.run("alter table users add phone text")
    sources.run("update users set phone = '030 1' where email = 'q7@example.org'")
    assert undone(api, run)[0]["kept"] == 1
    assert sources.one("select count(*) from users where email like 'q%'") == 1


def counts_of_p1(project: Project) -> int:
    return int(project.one("select count(*) from users where lower(email) like 'p1%'"))


# Dry runs, and undoing the undoing -------------------------------------------------------------


def test_a_dry_run_tells_the_same_and_changes_nothing(sources: Project, api: Api) -> None:
    run = sync(api, chunk_size=100)
    sources.run("update mentors set bio = 'By hand' where slug like 'q-7%'")
    tables = ("users", "mentors", "job_changes")
    before = sources.contents(*tables)
    dry = undone(api, run, dry_run=True)
    assert sources.contents(*tables) == before
    assert undone(api, run) == dry
    assert sources.contents(*tables) != before


def test_a_dry_run_tells_the_same_of_rows_that_changed_in_two_chunks(
    sources: Project, api: Api
) -> None:
    run_id = run_by_hand(sources, "city = 'Oslo'", "city = 'Rome'")
    dry = undo(api, run_id, dry_run=True)
    real = undo(api, run_id)
    assert real.counts == {"undone": 2 * 120}
    assert dry.counts == real.counts


def test_undoing_the_undoing_brings_back_what_was_changed(sources: Project, api: Api) -> None:
    sources.run("delete from members where email like 'q%'")
    run = sync(api, chunk_size=50)
    after = sources.rows(ALL)
    first = undo(api, run)
    assert sources.rows(ALL) != after
    assert undo(api, first).counts == first.counts
    assert sources.rows(ALL) == after


def test_undoing_the_undoing_brings_back_what_was_made(sources: Project, api: Api) -> None:
    run = sync(api)
    after = sources.rows(ALL)
    first = undo(api, run)
    undo(api, first)
    assert sources.rows(ALL) == after


def test_what_an_undoing_changed_is_logged(sources: Project, api: Api) -> None:
    run = sync(api)
    of_run = "select count(*) from job_changes where run_id = %s and action = 'update'"
    changed = sources.one(of_run, run.id)
    ended = undo(api, run)
    assert sources.one(of_run, ended.id) == changed > 0
    with as_admin(sources) as admin:
        assert admin.one(of_run, ended.id) == changed


# Killed, and again -----------------------------------------------------------------------------


def test_an_undoing_killed_in_the_middle_goes_on(sources: Project, api: Api) -> None:
    before = sources.rows(ALL)
    run = sync(api, chunk_size=100)
    with api.database() as database:
        run_id = enqueue(database, "undo_run", {"run_id": str(run.id)})

        def die(_progress: Progress) -> None:
            raise Killed

        with pytest.raises(Killed):
            run_queued(database, settings(chunk_size=50), run_id, report=die)
        assert before != sources.rows(ALL)
        sources.run(f"update job_runs set lease_expires_at = now() where id = '{run_id}'")
        ended = run_queued(database, settings(), run_id)
    assert sources.rows(ALL) == before
    changes = "select count(distinct (relation, row_id)) from job_changes where run_id = %s"
    assert ended.counts == {"undone": sources.one(changes, run.id)}


def test_an_undoing_whose_process_is_killed_is_made_good_by_another(
    project: Project, api: Api
) -> None:
    without_triggers(project)
    many(project, 3000)
    run = sync(api, chunk_size=100)
    environment = {
        **os.environ,
        "SUPABASE_URL": api.url,
        "SUPABASE_SECRET_KEY": api.keys.secret_key,
        "MENTOR_SYNC_CHUNK_SIZE": "50",
    }
    process = subprocess.Popen([sys.executable, "-c", UNDOING, str(run.id)], env=environment)
    wait_until(lambda: project.one("select count(*) from mentors") < 2800)
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = project.one("select count(*) from mentors")
    assert 0 < left < 3000
    ended = undo(api, run)
    assert project.contents("users", "mentors") == {"users": [], "mentors": []}
    # The API finishes the chunk that it was at, whether or not somebody waits for the answer.
    assert 0 < ended.counts["undone"] <= 2 * left
    assert sum(ended.counts.values()) == 2 * 3000


def test_two_undoings_at_once_undo_each_row_once(sources: Project, api: Api) -> None:
    before = sources.rows(ALL)
    run = sync(api, chunk_size=50)
    changed = sources.one("select count(*) from job_changes where run_id = %s", run.id)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: undo(api, run).counts, range(2)))
    assert sources.rows(ALL) == before
    assert sum(counts.get("undone", 0) for counts in both) == changed


UNDOING = """
import sys
from mentor_sync.database import Database
from mentor_sync.runner import run_now
from mentor_sync.settings import load_settings
settings = load_settings()
database = Database(settings.supabase_url, settings.supabase_key.get_secret_value())
run_now(database, settings, "undo_run", {"run_id": sys.argv[1]})
"""


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, "the undoing does not get going"


def test_an_answer_that_is_lost_is_given_again(sources: Project, api: Api) -> None:
    run = sync(api, chunk_size=100)
    with api.database() as database:
        undoing = enqueue(database, "undo_run", {"run_id": str(run.id)})
        asked = {"p_worker": "t", "p_run_id": str(undoing)}
        (claimed,) = database.rpc("claim_runs", asked, expect=list)
        call = {"p_run_id": str(undoing), "p_fence": claimed["fence"], "p_of": str(run.id)}
        first = database.rpc("undo_changes", call, expect=dict)
        before = sources.contents("users", "mentors")
        assert database.rpc("undo_changes", call, expect=dict) == first
    assert sources.contents("users", "mentors") == before
    progress = sources.one("select progress from job_runs where id = %s", undoing)
    assert progress["counts"] == first["counts"]


def test_a_stale_worker_undoes_nothing(sources: Project, api: Api) -> None:
    run = sync(api)
    undoing = undo(api, sync(api))
    before = sources.contents("users", "mentors")
    call = {"p_run_id": str(undoing.id), "p_fence": 1, "p_of": str(run.id)}
    with api.database() as database, pytest.raises(ApiError) as caught:
        database.rpc("undo_changes", call, expect=dict)
    assert caught.value.code == "MS001"
    assert sources.contents("users", "mentors") == before


# Poison ----------------------------------------------------------------------------------------


def test_an_undoing_of_a_run_that_never_was_is_refused(sources: Project, api: Api) -> None:
    sync(api)
    before = sources.contents("users", "mentors")
    with pytest.raises(UsageError, match="There is no run"):
        undo(api, uuid4())
    assert sources.contents("users", "mentors") == before


def test_an_undoing_of_a_run_under_way_is_refused(sources: Project, api: Api) -> None:
    run = sync(api)
    sources.run(
        "update job_runs set status = 'running', lease_expires_at = now() + interval '1 hour'"
        f" where id = '{run.id}'"
    )
    before = sources.contents("users", "mentors")
    with pytest.raises(UsageError):
        undo(api, run)
    assert sources.contents("users", "mentors") == before


@pytest.mark.parametrize("params", [{}, {"run_id": "7"}, {"run_id": None}, {"run": "x"}], ids=str)
def test_parameters_that_make_no_sense_undo_nothing(
    sources: Project, api: Api, params: dict[str, Any]
) -> None:
    before = sources.contents("users", "mentors", "job_runs")
    with api.database() as database, pytest.raises(UsageError, match="undo_run cannot run"):
        run_now(database, settings(), "undo_run", params)
    assert sources.contents("users", "mentors", "job_runs") == before


def test_a_column_that_is_gone_since_keeps_the_rows(sources: Project, api: Api) -> None:
    run = sync(api)
    sources.run("alter table mentors rename column teaching_style to style")
    try:
        mentors = sources.contents("mentors")
        assert undo(api, run).status == "partial"
        assert sources.contents("mentors") == mentors
    finally:
        sources.run("alter table mentors rename column style to teaching_style")


# The edits of others ---------------------------------------------------------------------------

PATH = "mentors?id=not.is.null"
HEADERS = [
    {},
    {"mentor_sync.run_id": "{run}"},
    {"X-Mentor-Sync-Run-Id": "{run}", "mentor-sync-run-id": "{run}"},
    {"Prefer": "params=single-object, mentor_sync.run_id={run}, tx=commit"},
    {"request.mentor_sync.run_id": "{run}", "X-Client-Info": "mentor_sync.run_id={run}"},
]


def signed_in(api: Api, auth_user: UUID, **claims: Any) -> str:
    """A token of Supabase Auth."""
    said = {"sub": str(auth_user), "role": "authenticated", "aud": "authenticated"}
    expires = int(time.time()) + 600
    return jwt.encode({**said, "exp": expires, **claims}, api.keys.jwt_secret, algorithm="HS256")


@pytest.fixture
def running(project: Project) -> str:
    """A run under way, by its id."""
    project.run("insert into job_schedules (job) values ('work')")
    return str(
        project.one(
            "insert into job_runs (job, status, fence, lease_expires_at)"
            " values ('work', 'running', 1, now() + interval '1 hour') returning id"
        )
    )


@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_a_persons_edit_is_never_logged(
    project: Project, api: Api, running: str, headers: dict[str, str]
) -> None:
    auth_user = project.sign_up(project.mentor("mentor@example.org"))
    token = signed_in(api, auth_user, **{"mentor_sync.run_id": running})
    given = {name: value.format(run=running) for name, value in headers.items()}
    for table, change in (("mentors", {"bio": "Mine"}), ("users", {"city": "Rome"})):
        path, key = f"{table}?id=not.is.null", api.keys.publishable_key
        answer = api.request("PATCH", path, key=key, token=token, headers=given, json=change)
        assert answer.status_code == 204
    assert project.rows("select bio from mentors") == [("Mine",)]
    assert project.rows("select city from users") == [("Rome",)]
    assert project.rows("select * from job_changes") == []


def test_what_others_write_on_the_connection_of_a_run_is_not_logged(
    project: Project, api: Api, running: str
) -> None:
    """PostgREST has few connections, and the run's name lasts for its transaction only."""
    project.mentor("mentor@example.org")
    with api.database() as database:
        for number in range(12):
            beat = {"p_run_id": running, "p_fence": 1}
            database.rpc("heartbeat_run", beat, expect=dict)
            answer = api.request("PATCH", PATH, json={"bio": f"By {number}"})
            assert answer.status_code == 204
    assert project.rows("select bio from mentors") == [("By 11",)]
    assert project.rows("select * from job_changes") == []


def test_what_the_triggers_of_others_do_is_not_logged(
    project: Project, api: Api, running: str
) -> None:
    project.account("new@example.org")
    row = {"email": "new@example.org", "name": "N", "membershiptype": "mentor"}
    answer = api.request("POST", "members", json=row, headers={"mentor_sync.run_id": running})
    assert answer.status_code == 201
    assert project.one("select count(*) from mentors") == 1
    assert project.rows("select * from job_changes") == []


def run_by_hand(project: Project, *chunks: str) -> UUID:
    """A run that did this to all people, a transaction each."""
    project.run("insert into job_schedules (job) values ('work') on conflict do nothing")
    run_id = project.one(
        "insert into job_runs (job, status) values ('work', 'succeeded') returning id"
    )
    for chunk in chunks:
        project.rows(
            "with named as (select set_config('mentor_sync.run_id', %s, true)),"
            f" changed as (update users set {chunk} from named returning 1)"
            " select count(*) from changed",
            str(run_id),
        )
    return UUID(str(run_id))
