-- One message a person, of four kinds in turn, as their causes queue them; every fifth person
-- reads German, every seventh has a name that is not ASCII.
with person as (
  insert into public.users (email, full_name, role, timezone, locale)
  select
    'person.' || n || '@example.org',
    case when mod(n, 7) = 3 then 'Zoë ' else 'Person ' end || initcap(left(md5('name ' || n), 8)),
    'student',
    (array['Europe/Berlin', 'Africa/Nairobi', 'America/New_York', 'Asia/Kolkata'])[1 + mod(n / 4, 4)],
    case when mod(n, 5) = 2 then 'de' else 'en' end
  from generate_series(1, %(messages)s::integer) as n
  returning id, full_name, email
),
numbered as (
  select p.*, split_part(split_part(p.email, '.', 2), '@', 1)::integer as n,
    'https://mentoring.example/matches/' || md5('match ' || p.email) as page
  from person as p
)
select public.queue_message(
  (array['milestone', 'session_reminder', 'feedback_survey', 'quick_question'])[1 + mod(n, 4)],
  id,
  'bench:' || n,
  case mod(n, 4)
    when 0 then jsonb_build_object(
      'student_name', full_name, 'is_yours', mod(n, 8) = 0,
      'title', 'Finished module ' || mod(n, 9) || ', <Automated> tests & more',
      'reached_at', '2026-11-19T11:05:00+00:00', 'milestone_url', page
    )
    when 1 then jsonb_build_object(
      'title', 'Mock interview ' || n, 'other_name', 'Jörg Müller',
      'starts_at', '2026-11-26T14:30:00+00:00', 'minutes', 60,
      'meeting_url', 'https://meet.example/' || n, 'session_url', page || '?from=mail&session=' || n
    )
    when 2 then jsonb_build_object(
      'other_name', 'Lena Vogt', 'comment_url', page,
      'rating_urls', (
        select jsonb_agg(page || '?rating=' || rating) from generate_series(1, 5) as rating
      )
    )
    else jsonb_build_object(
      'student_name', 'Tomás Ibarra', 'title', 'Portfolio or certificate first? (' || n || ')',
      'question', repeat('I have two months before I apply.' || chr(10), 1 + mod(n, 5)),
      'topics', jsonb_build_array('Applications', 'Data analysis'), 'claim_url', page
    )
  end
)
from numbered
