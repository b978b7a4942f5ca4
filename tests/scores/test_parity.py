"""The engine and calculate_match_score come to the same number, to the last unit."""

from __future__ import annotations

import numpy as np

from mentor_sync.matching.breakdown import breakdown
from mentor_sync.matching.pool import Mentors, Pool, Requests
from mentor_sync.matching.proposals import Labels, breakdowns
from mentor_sync.matching.scorer import Scorer
from mentor_sync.matching.weights import Weights
from tests.project import Project

STUDENTS, MENTORS = 200, 100

# People who each name some of 400 words; some say nothing in some list.
WORLD = (
    """
    create function some_words(most integer) returns text[] language sql volatile as $$
      select array_agg('word ' || (random() * 20 * random() * 20)::integer)
      from generate_series(1, (random() * most)::integer)
    $$""",
    f"""
    insert into users (email, full_name, role, timezone, country, city)
    select n || '@x.org', n, case when n <= {STUDENTS} then 'student' else 'mentor' end,
      (array['Europe/Berlin', 'Asia/Tokyo', 'Africa/Lagos', null])[1 + n % 4],
      (array['Germany', 'Deutschland', 'Kenya', null])[1 + n % 4],
      (array['Berlin', 'Köln', null])[1 + n % 3]
    from generate_series(1, {STUDENTS + MENTORS}) as n""",
    """
    insert into mentors (person_id, is_approved, teaching_style)
    select id, true, (array['visual', 'mixed', null])[1 + (random() * 2)::integer]
    from users where role = 'mentor'""",
    """
    insert into mentorship_profiles as p (
      user_id, role, career_goals, industries, research_interests, skills, channels, learning_style
    )
    select u.id, u.role, coalesce(some_words(9), '{}'), coalesce(some_words(5), '{}'),
      coalesce(some_words(3), '{}'), coalesce(some_words(14), '{}'),
      (array['{}', '{video}', '{video,chat}'])[1 + (random() * 2)::integer]::text[],
      (array['visual', 'mixed', null])[1 + (random() * 2)::integer]
    from users as u
    on conflict (user_id) do update set (
      career_goals, industries, research_interests, skills, channels, learning_style
    ) = (
      excluded.career_goals, excluded.industries, excluded.research_interests, excluded.skills,
      excluded.channels, excluded.learning_style
    )""",
    "select private.refresh_profiles(array(select user_id from mentorship_profiles))",
    """
    insert into mentorship_requests (student_id, expires_at)
    select id, now() + interval '1 day' from users where role = 'student'""",
)
ALL_PAIRS = """
select s.id::text, m.id::text, (c ->> 'units')::integer, (c ->> 'confidence')::integer,
  c -> 'breakdown'
from users as s
cross join users as m
cross join lateral calculate_match_score(s.id, m.id) as c
where s.role = 'student' and m.role = 'mentor'"""


def test_twenty_thousand_pairs_agree(project: Project) -> None:
    project.run(*WORLD)
    pool = Pool(
        Requests.of([project.one("select private.requests_to_match(null, 5000, null)")]),
        Mentors.of([project.one("select private.mentors_to_match(null, 5000)")]),
    )
    weights = project.one("select private.matching_settings()")
    scorer = Scorer(
        pool.requests.postings,
        pool.mentors.postings,
        Weights.of(weights["version"], weights["weights"]),
    )
    student, mentor = (a.ravel() for a in np.mgrid[0:STUDENTS, 0:MENTORS])
    found = breakdown(scorer, student, mentor)
    terms = np.unique(found.term).tolist()
    labels = Labels.of(project.one("select term_labels(%s::integer[])", terms))
    parts = breakdowns(found, scorer.weights, labels, 0, len(student))
    people = (pool.requests.students, pool.mentors.ids)
    ours = {
        (people[0][s], people[1][m]): (units, known, part)
        for s, m, units, known, part in zip(
            student, mentor, found.total.tolist(), found.confidence.tolist(), parts, strict=True
        )
    }
    defined = {(s, m): (units, known, part) for s, m, units, known, part in project.rows(ALL_PAIRS)}
    assert len(defined) == STUDENTS * MENTORS
    assert ours == defined
    # That by which a batch is ranked, and that by which a pair is: computed in other ways.
    assert np.array_equal(scorer.scores(slice(None)).ravel(), found.total)
    assert np.array_equal(scorer.score_pairs(student, mentor), found.total)
    assert len({units for units, _, _ in defined.values()}) > 100
