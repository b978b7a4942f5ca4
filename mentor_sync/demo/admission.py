"""Makes students of members of the invented community: people, profiles, and open requests.

Over a direct connection, in one statement: all of it or nothing is there.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg.types.json import Jsonb

from mentor_sync.connection import connect
from mentor_sync.demo.students import Student, students

# A few, since whoever tries things out may delete one.
_LANDMARKS = 10

_ARE_THERE = "select exists (select from public.users where id = any (%s))"
_ADMIT = """
with wanted as materialized (
  select s.* from jsonb_to_recordset(%s) as s (
    id uuid, email text, full_name text, member_id uuid, account_id bigint, country text,
    city text, career_goals text[], industries text[], research_interests text[], skills text[],
    channels text[], message text, goals text[], days integer
  )
  inner join public.members as m on m.id = s.member_id
),
person as (
  insert into public.users (
    id, email, full_name, role, member_id, legacy_user_id, country, city
  )
  select id, email, full_name, 'student', member_id, account_id, country, city from wanted
  on conflict do nothing
  returning id
),
profile as (
  insert into public.mentorship_profiles (
    user_id, role, career_goals, industries, research_interests, skills, channels
  )
  select
    w.id, 'student', w.career_goals, w.industries, w.research_interests, w.skills, w.channels
  from wanted as w
  inner join person as p on p.id = w.id
),
request as (
  insert into public.mentorship_requests (student_id, message, goals, created_at, expires_at)
  select w.id, w.message, w.goals, now() - make_interval(days => w.days), now() + interval '90 days'
  from wanted as w
  inner join person as p on p.id = w.id
)
select count(*) from person
"""


def admit(dsn: str, members: int) -> int:
    """Have the students of a community of at least this size: how many are new.

    Whoever is there stays as they are; of those who were admitted before, nobody is brought back
    who was deleted since.
    """
    wanted = list(students(members))
    with connect(dsn) as connection:
        known = [one.id for one in wanted[-_LANDMARKS:]]
        if connection.execute(_ARE_THERE, [known]).fetchone() == (True,):
            return 0
        row = connection.execute(_ADMIT, [_as_json(wanted)]).fetchone() or (0,)
        return int(str(row[0]))


def _as_json(wanted: Sequence[Student]) -> Jsonb:
    rows = [one._asdict() for one in wanted]
    return Jsonb([row | {"id": str(row["id"]), "member_id": str(row["member_id"])} for row in rows])
