"""The mentor who was made for a student is found among many who are nearly so."""

from __future__ import annotations

import json
import random
from typing import Any
from uuid import UUID

from mentor_sync.runner import run_now
from tests.project import Api, Project
from tests.sync.support import settings

STUDENTS, DECOYS = 60, 6
# Each a word and the ways in which people write it; the first ones are in the vocabulary.
KNOWN: tuple[tuple[str, ...], ...] = (
    ("JavaScript", "js", "JAVA SCRIPT", "ECMAScript"),
    ("Machine learning", "ML", "machine-learning", "Machine  Learning"),
    ("Human resources", "HR", "People operations", "Talent Acquisition"),
    ("User experience", "UX", "UX Design", "ux designer"),
    ("Data analysis", "Data Analytics", "data analyst", "ANALYTICS"),
    ("Accounting", "accountant", "Book-keeping, bookkeeping", "Auditing"),
    ("Law", "Lawyer", "LEGAL", "attorneys"),
    ("Health care", "Healthcare", "Public Health", "physicians"),
    ("Kubernetes", "K8s", "kubernetes", "KUBERNETES"),
    ("Cybersecurity", "InfoSec", "IT security", "Cyber-Security"),
    ("Entrepreneurship", "Start-ups", "founder", "Startups"),
    ("Supply chain", "Logistics", "procurement", "Supply-Chain Management"),
    ("Renewable energy", "Solar Energy", "wind energy", "clean energy"),
    ("Non-profit", "NGO", "third sector", "Charity"),
    ("Software engineering", "programming", "Software Developers", "coding"),
    ("Project management", "PMP", "project managers", "Project-Manager"),
)
OTHERS: tuple[tuple[str, ...], ...] = (
    ("Élan vital", "elan vital", "ÉLAN VITALS", "Elan-Vital"),
    *((f"Subject {n}", f"subject {n}", f"SUBJECTS {n}", f"  Subject-{n}. ") for n in range(300)),
)


def _messy(words: list[tuple[str, ...]], dice: random.Random) -> list[str]:
    return [dice.choice(word) for word in dice.sample(words, len(words))]


def _make(project: Project, people: list[dict[str, Any]]) -> None:
    """All of them in three statements: the job makes their terms."""
    given = json.dumps(people)
    project.rows(
        "insert into users (id, email, full_name, role) select id, id || '@x.org', id, role"
        " from jsonb_to_recordset(%s) as p (id uuid, role text) returning 1",
        given,
    )
    project.run(
        "insert into mentors (person_id, is_approved, capacity)"
        " select id, true, 3 from users where role = 'mentor'"
    )
    project.rows(
        "insert into mentorship_profiles as m (user_id, role, career_goals, industries, skills)"
        " select id, role, goals, industries, skills from jsonb_to_recordset(%s)"
        " as p (id uuid, role text, goals text[], industries text[], skills text[])"
        " on conflict (user_id) do update set (career_goals, industries, skills)"
        " = (excluded.career_goals, excluded.industries, excluded.skills) returning 1",
        given,
    )


def _person(role: str, said: list[list[tuple[str, ...]]], dice: random.Random) -> dict[str, Any]:
    lists = zip(("goals", "industries", "skills"), (_messy(w, dice) for w in said), strict=True)
    return {"id": str(UUID(int=dice.getrandbits(128), version=4)), "role": role, **dict(lists)}


def test_the_planted_mentor_is_in_the_top_three(project: Project, api: Api) -> None:
    dice, planted, people = random.Random(7), {}, []
    for _ in range(STUDENTS):
        said = [dice.sample(KNOWN, size) + dice.sample(OTHERS, 1) for size in (3, 2, 4)]
        twin = [[*words[:-1], *dice.sample(OTHERS, 2)] for words in said]
        half = [[*words[-2:], *dice.sample(OTHERS, 3)] for words in said]
        student, mentor = _person("student", said, dice), _person("mentor", twin, dice)
        planted[student["id"]] = mentor["id"]
        people += [student, mentor, *(_person("mentor", half, dice) for _ in range(DECOYS))]
    _make(project, people)
    project.run(
        "insert into mentorship_requests (student_id, expires_at)"
        " select id, now() + interval '1 day' from users where role = 'student'"
    )
    with api.database() as database:
        run_now(database, settings(), "build_match_batches", {})
    offered = project.rows("select student_id::text, mentor_id::text from match_offers")
    found = sum((student, mentor) in offered for student, mentor in planted.items())
    assert len(offered) == 3 * STUDENTS
    assert found >= 0.95 * STUDENTS
