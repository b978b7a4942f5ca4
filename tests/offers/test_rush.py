"""Two hundred mentors accept a hundred students at the same moment."""

from __future__ import annotations

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg

from tests.offers.support import mentors, students
from tests.project import Project

PLACES = 24
"""Connections at a time, each with the next mentor as soon as it is free."""

_OFFERED = """
with batch as (
  insert into match_batches (request_id, student_id, weights_version, input_hash, expires_at)
  select id, student_id, 1, 0, now() + interval '5 days' from mentorship_requests returning *
),
mentor as (
  select user_id, row_number() over (order by user_id) - 1 as place
  from mentorship_profiles where role = 'mentor'
),
student as (
  select b.*, row_number() over (order by b.id) - 1 as place from batch as b
)
insert into match_offers (
  batch_id, request_id, student_id, mentor_id, rank, units, confidence, breakdown
)
select s.id, s.request_id, s.student_id, m.user_id, k.rank, 700000, 80, '{}'
from student as s
cross join generate_series(1, 3) as k (rank)
-- Half of the mentors are offered to many, the others to few.
inner join mentor as m on m.place = (case k.rank
  when 1 then s.place % 40 when 2 then 40 + s.place % 60 else 100 + s.place end)
"""


def sign_everybody_up(project: Project) -> None:
    project.run(
        "insert into auth.users (instance_id, id, aud, role, email, email_confirmed_at)"
        " select '00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated',"
        " 'authenticated', email, now() from users where role = 'mentor'"
    )


def accept(
    project: Project, start: threading.Barrier, mine: list[tuple[UUID, UUID]]
) -> Counter[str]:
    """What became of each of these offers, accepted one after the other on one connection."""
    heard: Counter[str] = Counter()
    with psycopg.connect(project.authenticator_dsn) as connection:
        start.wait(30)
        for auth_user, offer in mine:
            claims = json.dumps({"role": "authenticated", "sub": str(auth_user)})
            try:
                with connection.transaction():
                    connection.execute(
                        "select set_config('role', 'authenticated', true),"
                        " set_config('request.jwt.claims', %s, true)",
                        [claims],
                    )
                    connection.execute("select select_student(%s)", [offer])
                heard["ok"] += 1
            except psycopg.Error as error:
                heard[str(error.sqlstate)] += 1
    return heard


def test_each_student_has_one_mentor_and_nobody_has_too_many(project: Project) -> None:
    # One seat each, though many have several offers: without the check somebody would be overfull.
    mentors(project, 200, "Python", capacity=1)
    students(project, 100, "Python")
    project.run(_OFFERED)
    sign_everybody_up(project)
    asked = project.rows(
        "select u.auth_user_id, o.id from match_offers as o"
        " inner join users as u on u.id = o.mentor_id order by random()"
    )
    start = threading.Barrier(PLACES)
    with ThreadPoolExecutor(PLACES) as pool:
        shares = [asked[place::PLACES] for place in range(PLACES)]
        heard = sum(pool.map(lambda mine: accept(project, start, mine), shares), Counter())
    assert set(heard) <= {"ok", "MS020", "MS021", "MS023"}
    assert min(heard["MS020"], heard["MS021"]) > 0
    assert heard["ok"] == project.one("select count(*) from matches") == 100
    assert len(asked) == sum(heard.values()) == 300
    everything_agrees(project)


def everything_agrees(project: Project) -> None:
    most = "select max(n) from (select count(*) as n from matches group by {}) as x"
    assert project.one(most.format("student_id")) == 1
    assert project.one(most.format("mentor_id")) == 1
    odd = project.rows(
        "select r.id from mentorship_requests as r"
        " inner join matches as m on m.request_id = r.id"
        " inner join match_batches as b on b.request_id = r.id"
        " inner join match_offers as o on o.request_id = r.id and o.status = 'accepted'"
        " inner join users as u on u.id = r.student_id"
        " where r.status = 'matched' and b.status = 'accepted' and m.status = 'active'"
        " and (o.mentor_id, b.selected_by, u.mentor_id) = (m.mentor_id, m.mentor_id, m.mentor_id)"
    )
    assert len(odd) == 100
    assert project.rows("select status, count(*) from match_offers group by 1 order by 1") == [
        ("accepted", 100),
        ("withdrawn", 200),
    ]
    miscounted = (
        "select p.user_id from mentorship_profiles as p where p.mentee_count <>"
        " (select count(*) from matches as m where m.mentor_id = p.user_id)"
    )
    assert project.rows(miscounted) == []
