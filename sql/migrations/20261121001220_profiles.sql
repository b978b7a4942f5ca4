-- Profiles: what matching reads of students and mentors, and the terms made of it.
-- A person makes, reads and changes their own; the other side of an offer or match reads it;
-- admins read all; the sync fills the profiles of mentors from what members told.

insert into public.program_settings (key, value, description) values
  ('default_capacity', '20', 'Most students of a mentor whose capacity says nothing.');

create table public.mentorship_profiles (
  user_id uuid primary key references public.users (id) on delete cascade,
  role text not null,
  is_active boolean not null default true,
  career_goals text[] not null default '{}',
  industries text[] not null default '{}',
  research_interests text[] not null default '{}',
  skills text[] not null default '{}',
  languages text[] not null default '{}',
  channels text[] not null default '{}',
  learning_style text,
  about text not null default '',
  available_hours numeric(4, 1),
  availability jsonb not null default '{}',
  preferences jsonb not null default '{}',
  paused_until timestamptz,
  mentee_count integer not null default 0,
  synced jsonb not null default '{}',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint mentorship_profiles_role_known check (role in ('student', 'mentor')),
  constraint mentorship_profiles_style_known
    check (learning_style in ('visual', 'auditory', 'kinesthetic', 'mixed')),
  constraint mentorship_profiles_channels_known
    check (channels <@ '{video,phone,chat,email,in_person}'::text[]),
  constraint mentorship_profiles_lists_fit check (
    cardinality(career_goals) <= 50 and cardinality(industries) <= 50
    and cardinality(research_interests) <= 50 and cardinality(skills) <= 100
    and cardinality(languages) <= 30
  ),
  constraint mentorship_profiles_about_fits check (length(about) <= 5000),
  constraint mentorship_profiles_hours_fit check (available_hours between 0 and 168),
  constraint mentorship_profiles_objects check (
    jsonb_typeof(availability) in ('object', 'array') and jsonb_typeof(preferences) = 'object'
  ),
  constraint mentorship_profiles_count_not_negative check (mentee_count >= 0)
);

create index mentorship_profiles_role_idx on public.mentorship_profiles (role, user_id);

comment on table public.mentorship_profiles is 'What matching knows of students and mentors.';
comment on column public.mentorship_profiles.user_id is 'The person: users.id.';
comment on column public.mentorship_profiles.role is 'student or mentor.';
comment on column public.mentorship_profiles.is_active is 'Off: neither offered nor matched.';
comment on column public.mentorship_profiles.career_goals is
  'What a student wants to reach; what a mentor helps to reach.';
comment on column public.mentorship_profiles.industries is 'Fields of work.';
comment on column public.mentorship_profiles.research_interests is 'Subjects of research.';
comment on column public.mentorship_profiles.skills is
  'What a student wants to learn, and what a mentor knows.';
comment on column public.mentorship_profiles.languages is 'Languages spoken, as codes such as de.';
comment on column public.mentorship_profiles.channels is
  'How to meet: video, phone, chat, email, in_person.';
comment on column public.mentorship_profiles.learning_style is
  'visual, auditory, kinesthetic or mixed; of mentors, mentors.teaching_style goes before it.';
comment on column public.mentorship_profiles.about is 'About the person, in their words.';
comment on column public.mentorship_profiles.available_hours is
  'Hours a week; a mentor with 0 is offered to nobody.';
comment on column public.mentorship_profiles.availability is 'When the person can meet.';
comment on column public.mentorship_profiles.preferences is 'Further wishes of the application.';
comment on column public.mentorship_profiles.paused_until is
  'Until when a mentor takes nobody new.';
comment on column public.mentorship_profiles.mentee_count is
  'Students that a mentor has now; kept by the matches.';
comment on column public.mentorship_profiles.synced is
  'What the sync last wrote. A value that differs from it was edited, and is left alone.';
comment on column public.mentorship_profiles.created_at is 'When the row was made.';
comment on column public.mentorship_profiles.updated_at is 'When it was last changed.';

create table public.mentor_specializations (
  id uuid primary key default gen_random_uuid(),
  mentor_id uuid not null references public.users (id) on delete cascade,
  specialization text not null,
  proficiency_level integer,
  certification_url text,
  verified boolean not null default false,
  created_at timestamptz not null default now(),
  constraint mentor_specializations_once unique (mentor_id, specialization),
  constraint mentor_specializations_level_range check (proficiency_level between 1 and 5),
  constraint mentor_specializations_text_fits check (length(specialization) between 1 and 200),
  constraint mentor_specializations_url_is_web check (certification_url ~ '^[Hh][Tt][Tt][Pp][Ss]?://')
);

comment on table public.mentor_specializations is
  'What mentors are particularly good at; counts as skills and industries in matching.';
comment on column public.mentor_specializations.id is 'The entry.';
comment on column public.mentor_specializations.mentor_id is 'The mentor: users.id.';
comment on column public.mentor_specializations.specialization is 'What.';
comment on column public.mentor_specializations.proficiency_level is 'How good, 1 to 5.';
comment on column public.mentor_specializations.certification_url is 'Where it is certified.';
comment on column public.mentor_specializations.verified is 'Whether an admin has checked it.';
comment on column public.mentor_specializations.created_at is 'When it was added.';

-- Postings: the terms of each person, a factor each; what all three engines read.
create table private.profile_terms (
  user_id uuid not null references public.users (id) on delete cascade,
  factor smallint not null,
  term_id integer not null references public.match_terms (id),
  primary key (user_id, factor, term_id),
  constraint profile_terms_factor_known check (factor between 1 and 6)
);

create index profile_terms_posting_idx on private.profile_terms (term_id, factor, user_id);

comment on table private.profile_terms is
  'What each person named, as terms; matching compares these and nothing else.';
comment on column private.profile_terms.user_id is 'The person.';
comment on column private.profile_terms.factor is
  '1 goals, 2 industry, 3 research, 4 technical, 5 location, 6 communication.';
comment on column private.profile_terms.term_id is 'The term.';

-- Written by the triggers of tables that others write, too, so that nobody ever waits for it: rows
-- are only added, and whoever has dealt with them deletes those that they saw before.
create table private.stale_profiles (
  id bigint generated always as identity primary key,
  user_id uuid not null references public.users (id) on delete cascade,
  since timestamptz not null default now(),
  error text
);

create index stale_profiles_user_idx on private.stale_profiles (user_id);

comment on table private.stale_profiles is
  'People whose terms have to be made again; small changes are dealt with at once.';
comment on column private.stale_profiles.id is 'Place in the order of changes.';
comment on column private.stale_profiles.user_id is 'The person.';
comment on column private.stale_profiles.since is 'Since when.';
comment on column private.stale_profiles.error is
  'Why they could not be made; tried again when the person changes something.';

alter table public.mentorship_profiles enable row level security;
revoke all on table public.mentorship_profiles from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.mentorship_profiles to service_role;
grant select on table public.mentorship_profiles to authenticated;

alter table public.mentor_specializations enable row level security;
revoke all on table public.mentor_specializations from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.mentor_specializations to service_role;
grant select on table public.mentor_specializations to authenticated;

revoke all on sequence private.stale_profiles_id_seq
from public, anon, authenticated, service_role;
revoke all on table private.profile_terms, private.stale_profiles
from public, anon, authenticated, service_role;

-- A mentor who is given a student has changed nothing of their own.
create trigger mentor_sync_touch before update on public.mentorship_profiles
for each row when (old is distinct from new and old.mentee_count = new.mentee_count)
execute function private.touch_updated_at();

-- Who may read ------------------------------------------------------------------------------

-- Definer: it looks into offers and matches, which whoever asks may see in part only.
create function private.connected_people() returns uuid[]
language plpgsql stable security definer set search_path = '' as $$
begin
  return private.offered_people() || private.matched_people();
end
$$;
comment on function private.connected_people() is
  'Students offered to the caller, and the other sides of the caller''s matches.';
revoke all on function private.connected_people()
from public, anon, authenticated, service_role;
grant execute on function private.connected_people() to authenticated;

create policy "People read their own profile and those of their matches"
on public.mentorship_profiles for select to authenticated
using (
  user_id = (select private.current_user_id())
  or user_id = any ((select private.connected_people())::uuid[])
  or (select private.is_admin())
);

-- Where people are --------------------------------------------------------------------------

-- Standard time, so that the terms of a person do not change twice a year.
create function private.zone_hours(p_zone text) returns numeric
language plpgsql stable set search_path = '' as $$
declare
  hours numeric;
begin
  hours := extract(epoch from least(
    (timestamptz '2025-01-15 00:00+00' at time zone p_zone) - timestamp '2025-01-15',
    (timestamptz '2025-07-15 00:00+00' at time zone p_zone) - timestamp '2025-07-15'
  )) / 3600;
  -- PostgreSQL takes X167 for a time zone.
  return case when abs(hours) <= 14 then hours end;
exception
  when invalid_parameter_value then
    return null;
end
$$;
comment on function private.zone_hours(text) is
  'Hours east of UTC in standard time; null for a time zone that there is not.';

create function private.hours_apart(p_zone text, p_other text) returns numeric
language sql stable set search_path = '' as $$
  select least(d.hours, 24 - d.hours)
  from (
    select abs(private.zone_hours(p_zone) - private.zone_hours(p_other)) as hours
  ) as d
$$;
comment on function private.hours_apart(text, text) is
  'Hours between two time zones, the short way round; null where one is not known.';

create function private.location_terms(p_country text, p_city text, p_zone text)
returns table (term text, label text)
language plpgsql stable set search_path = '' as $$
declare
  country constant text := nullif(private.meaning_of(private.normalise_term(p_country)), '');
  city constant text := nullif(private.normalise_term(p_city), '');
  hour constant integer := floor(private.zone_hours(p_zone));
  near integer;
begin
  return query
  select left('country ' || country, 100), coalesce(
    (select t.label from public.match_terms as t where t.term = country),
    left(private.trim_space(p_country), 100)
  )
  where country is not null;
  -- A city is one of its country: there are many Londons.
  return query
  select left(concat_ws(' ', 'city', city, 'in', country), 100), left(private.trim_space(p_city), 100)
  where city is not null;
  if hour is null then
    return;
  end if;
  return query
  select 'region ' || lower(split_part(p_zone, '/', 1)), split_part(p_zone, '/', 1)
  where p_zone ~ '^(Africa|America|Asia|Atlantic|Australia|Europe|Indian|Pacific)/';
  -- Three bands each: the same hour shares three, the next two, one further one.
  foreach near in array array[hour - 1, hour, hour + 1] loop
    near := (near + 36) % 24 - 12;
    return query select 'zone ' || near, 'UTC' || to_char(near, 'SG00');
  end loop;
end
$$;
comment on function private.location_terms(text, text, text) is
  'Country, city, region and bands of time zones as terms, so that nearness is shared terms.';

-- What people say, piece by piece -----------------------------------------------------------

create function private.texts_of(p_list jsonb) returns text[]
language sql immutable set search_path = '' as $$
  select coalesce(array_agg(t.value), '{}')
  from jsonb_array_elements_text(
    case when jsonb_typeof(p_list) = 'array' then p_list else '[]' end
  ) as t
$$;
comment on function private.texts_of(jsonb) is 'A JSON list as texts; none where it is no list.';

-- A student's terms are what they look for, a mentor's what they have to give: a mentor helps to
-- reach what they know and do. An open request adds to the goals, and goes before the profile
-- where it names a list of its own.
create function private.profile_lists(p_ids uuid[])
returns table (user_id uuid, factor smallint, texts text[])
language plpgsql stable set search_path = '' as $$
#variable_conflict use_column
begin
  return query
  with profile as (
    select
      p.*,
      r.goals as request_goals,
      r.focus_areas,
      coalesce(r.preference_overrides, '{}') as overrides,
      private.texts_of(t.expertise) as expertise,
      coalesce(s.texts, '{}') as specializations
    from public.mentorship_profiles as p
    left join public.mentorship_requests as r
      on r.student_id = p.user_id and r.status in ('open', 'offered') and p.role = 'student'
    left join public.mentors as t on t.person_id = p.user_id and p.role = 'mentor'
    left join lateral (
      select array_agg(x.specialization) as texts
      from public.mentor_specializations as x
      where x.mentor_id = p.user_id and p.role = 'mentor'
    ) as s on true
    where p.user_id = any (p_ids)
  )
  select p.user_id, l.factor, l.texts
  from profile as p
  cross join lateral (
    select
      case when p.overrides ? 'career_goals'
        then private.texts_of(p.overrides -> 'career_goals') else p.career_goals end as goals,
      case when p.overrides ? 'industries'
        then private.texts_of(p.overrides -> 'industries') else p.industries end as industries,
      case when p.overrides ? 'research_interests'
        then private.texts_of(p.overrides -> 'research_interests')
        else p.research_interests end as research,
      case when p.overrides ? 'skills'
        then private.texts_of(p.overrides -> 'skills') else p.skills end as skills
  ) as o
  cross join lateral (
    values
      (1::smallint, case p.role
        when 'student' then o.goals || p.request_goals || p.focus_areas
        else p.career_goals || p.industries || p.skills || p.expertise || p.specializations end),
      (2::smallint, case p.role
        when 'student' then o.industries else p.industries || p.expertise || p.specializations end),
      (3::smallint, case p.role
        when 'student' then o.research
        else p.research_interests || p.expertise || p.skills end),
      (4::smallint, case p.role
        when 'student' then o.skills else p.skills || p.specializations end)
  ) as l (factor, texts);
end
$$;
comment on function private.profile_lists(uuid[]) is
  'What these people say that is compared, by factor 1 to 4.';

create function private.meeting_terms(p_ids uuid[])
returns table (user_id uuid, factor smallint, term text, label text)
language plpgsql stable set search_path = '' as $$
#variable_conflict use_column
begin
  return query
  with profile as (
    select p.user_id, p.channels || coalesce(r.channels, '{}') as channels,
      lower(private.trim_space(u.contact_preference)) as preference,
      case p.role when 'mentor' then coalesce(t.teaching_style, p.learning_style)
        else p.learning_style end as style,
      p.role, u.country, u.city,
      case p.role when 'mentor' then coalesce(t.timezone, u.timezone) else u.timezone end as zone
    from public.mentorship_profiles as p
    inner join public.users as u on u.id = p.user_id
    left join public.mentors as t on t.person_id = p.user_id
    left join lateral (
      select private.texts_of(x.preference_overrides -> 'channels') as channels
      from public.mentorship_requests as x
      where x.student_id = p.user_id and x.status in ('open', 'offered') and p.role = 'student'
    ) as r on true
    where p.user_id = any (p_ids)
  )
  select p.user_id, 5::smallint, l.term, l.label
  from profile as p
  cross join lateral private.location_terms(p.country, p.city, p.zone) as l
  union
  select p.user_id, 6::smallint, 'channel ' || c.channel, replace(c.channel, '_', ' ')
  from profile as p
  cross join lateral unnest(p.channels || p.preference) as c (channel)
  where c.channel in ('video', 'phone', 'chat', 'email', 'in_person')
  union
  select p.user_id, 6::smallint, 'style ' || s.style, s.style
  from profile as p
  cross join lateral unnest('{visual,auditory,kinesthetic}'::text[]) as s (style)
  -- Whoever learns in every way asks for none; whoever teaches in every way has each.
  where s.style = p.style or (p.style = 'mixed' and p.role = 'mentor');
end
$$;
comment on function private.meeting_terms(uuid[]) is
  'Where these people are, how they meet, learn and teach, as terms of the factors 5 and 6.';

-- Postings ----------------------------------------------------------------------------------

create type private.person_term as (user_id uuid, factor smallint, term text, label text);
comment on type private.person_term is 'A term that a person names, and how it is shown.';

-- Each distinct piece of text is looked at once, however many people wrote it.
create function private.terms_of_people(p_ids uuid[]) returns setof private.person_term
language sql stable set search_path = '' as $$
  with piece as materialized (
    select distinct l.user_id, l.factor, p as text
    from private.profile_lists(p_ids) as l
    cross join lateral private.pieces_of(l.texts) as p
  ),
  named as materialized (
    select d.text, t.term, t.label
    from (select distinct p.text from piece as p) as d
    cross join lateral private.terms_in(d.text) as t
  )
  select p.user_id, p.factor, n.term, min(n.label collate "C")
  from piece as p
  inner join named as n on n.text = p.text
  group by p.user_id, p.factor, n.term
  union all
  select m.user_id, m.factor, m.term, min(m.label collate "C")
  from private.meeting_terms(p_ids) as m
  group by m.user_id, m.factor, m.term
$$;
comment on function private.terms_of_people(uuid[]) is 'The terms of these people, each once a factor.';

-- Only what differs is written.
-- Without jit, which takes longer than the work where tables were never analysed.
create function private.refresh_profiles(p_ids uuid[]) returns void
language plpgsql volatile set search_path = '' set jit = off as $$
declare
  wanted private.person_term[];
begin
  -- Two who refresh the same person take turns.
  perform from public.mentorship_profiles as p
  where p.user_id = any (p_ids) order by p.user_id for no key update;
  wanted := array(select t from private.terms_of_people(p_ids) as t);
  perform private.keep_terms(array_agg(w.term), array_agg(w.label)) from unnest(wanted) as w;
  with due as materialized (
    select w.user_id, w.factor, t.id as term_id
    from unnest(wanted) as w
    inner join public.match_terms as t on t.term = w.term
  ),
  dropped as (
    delete from private.profile_terms as p
    where p.user_id = any (p_ids) and (p.user_id, p.factor, p.term_id) not in (
      select d.user_id, d.factor, d.term_id from due as d
    )
  )
  insert into private.profile_terms (user_id, factor, term_id)
  select d.user_id, d.factor, d.term_id from due as d
  on conflict do nothing;
end
$$;
comment on function private.refresh_profiles(uuid[]) is
  'Makes the terms of these people what they say now.';

-- From members to profiles ------------------------------------------------------------------

create function private.member_hash(
  p_area text, p_industry text, p_skills text, p_occupation text, p_jobtitle text
) returns bigint
language plpgsql immutable set search_path = '' as $$
begin
  return hashtextextended(
    concat(
      p_area, chr(31), p_industry, chr(31), p_skills, chr(31), p_occupation, chr(31), p_jobtitle
    ), 0
  );
end
$$;
comment on function private.member_hash(text, text, text, text, text) is
  'Hash of what a mentor''s profile is made of.';

-- What the sync would write of each mentor: from the member where there is one, otherwise from
-- nothing but the directory row, whose expertise counts anyway.
create function private.mentor_wishes(p_ids uuid[])
returns table (user_id uuid, hash bigint, wishes jsonb)
language sql stable set search_path = '' as $$
  select
    u.id,
    private.member_hash(
      m.area_of_expertise, m.industry, m.skills, m.occupation, m.jobtitle
    ),
    jsonb_build_object(
      'career_goals', to_jsonb(array_remove(array[
        nullif(private.trim_space(left(m.area_of_expertise, 2000)), ''),
        nullif(private.trim_space(left(m.occupation, 2000)), ''),
        nullif(private.trim_space(left(m.jobtitle, 2000)), '')
      ], null)),
      'industries', to_jsonb(array_remove(array[
        nullif(private.trim_space(left(m.industry, 2000)), ''),
        nullif(private.trim_space(left(m.area_of_expertise, 2000)), '')
      ], null)),
      'skills', to_jsonb(array(
        select left(private.trim_space(s), 200)
        from regexp_split_to_table(left(m.skills, 10000), '[,;\n\r]+') as s
        where private.trim_space(s) <> ''
        limit 100
      ))
    )
  from public.users as u
  inner join public.mentors as t on t.person_id = u.id
  left join private.source_members as m on m.id = u.member_id
  where u.id = any (p_ids)
$$;
comment on function private.mentor_wishes(uuid[]) is
  'What these mentors'' profiles are made of, from what the members told.';

create function private.is_student_now(p_user_id uuid) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return exists (
    select from public.mentorship_requests as r
    where r.student_id = p_user_id and r.status in ('open', 'offered')
  ) or exists (
    select from public.matches as m
    where m.student_id = p_user_id and m.status in ('active', 'paused')
  );
end
$$;
comment on function private.is_student_now(uuid) is
  'Whether a person has a mentor or looks for one.';

-- A value is written only while it still is what the sync wrote last, as in mentors. A student who
-- has become a mentor is one, unless somebody mentors them or is looked for.
create function private.derive_profiles(p_ids uuid[]) returns void
language plpgsql volatile set search_path = '' as $$
begin
  perform set_config('mentor_sync.deriving', 'on', true);
  insert into public.mentorship_profiles as p (
    user_id, role, career_goals, industries, skills, synced
  )
  select w.user_id, 'mentor', private.texts_of(w.wishes -> 'career_goals'),
    private.texts_of(w.wishes -> 'industries'), private.texts_of(w.wishes -> 'skills'),
    w.wishes || jsonb_build_object('source', w.hash)
  from private.mentor_wishes(p_ids) as w
  on conflict (user_id) do nothing;
  update public.mentorship_profiles as p
  set
    role = case when p.role = 'student' and not private.is_student_now(p.user_id)
      then 'mentor' else p.role end,
    career_goals = case when c.changes ? 'career_goals'
      then private.texts_of(c.changes -> 'career_goals') else p.career_goals end,
    industries = case when c.changes ? 'industries'
      then private.texts_of(c.changes -> 'industries') else p.industries end,
    skills = case when c.changes ? 'skills'
      then private.texts_of(c.changes -> 'skills') else p.skills end,
    synced = p.synced || c.changes || jsonb_build_object('source', c.hash)
  from (
    select w.user_id, w.hash, coalesce(jsonb_object_agg(x.key, x.value)
      filter (where x.value <> now_there.value and o.synced -> x.key = now_there.value), '{}') as changes
    from private.mentor_wishes(p_ids) as w
    inner join public.mentorship_profiles as o on o.user_id = w.user_id
    cross join lateral jsonb_each(w.wishes) as x
    cross join lateral (
      select jsonb_build_object(
        'career_goals', o.career_goals, 'industries', o.industries, 'skills', o.skills
      ) -> x.key as value
    ) as now_there
    where (o.synced ->> 'source')::bigint is distinct from w.hash
    group by w.user_id, w.hash
  ) as c
  where p.user_id = c.user_id;
  perform set_config('mentor_sync.deriving', '', true);
end
$$;
comment on function private.derive_profiles(uuid[]) is
  'Gives these mentors their profiles, and brings into them what the members changed.';

create function private.is_as_derived(p_profile public.mentorship_profiles) returns boolean
language sql immutable set search_path = '' as $$
  select p_profile.synced ? 'source'
    and p_profile.synced - 'source' = jsonb_build_object(
      'career_goals', p_profile.career_goals, 'industries', p_profile.industries,
      'skills', p_profile.skills
    )
    and p_profile.role = 'mentor' and p_profile.mentee_count = 0 and p_profile.about = ''
    and p_profile.research_interests = '{}' and p_profile.languages = '{}'
    and p_profile.channels = '{}' and p_profile.preferences = '{}' and p_profile.availability = '{}'
    and num_nonnulls(p_profile.learning_style, p_profile.available_hours, p_profile.paused_until) = 0
$$;
comment on function private.is_as_derived(public.mentorship_profiles) is
  'Whether a profile holds nothing but what the sync made of the member.';

create function private.note_stale(p_ids uuid[]) returns void
language plpgsql volatile set search_path = '' as $$
begin
  insert into private.stale_profiles (user_id)
  select u.id from public.users as u where u.id = any (p_ids) order by u.id;
  if cardinality(p_ids) <= 100 then
    perform private.refresh_stale(p_ids);
  end if;
end
$$;
comment on function private.note_stale(uuid[]) is
  'Says that these people''s terms are old: few are made again at once, many by the next run.';

create function private.forget_stale(p_noted bigint[]) returns void
language sql volatile set search_path = '' as $$
  delete from private.stale_profiles as s
  where s.id in (
    select x.id from private.stale_profiles as x where x.id = any (p_noted) for update skip locked
  )
$$;
comment on function private.forget_stale(bigint[]) is
  'Forgets notes that were dealt with; somebody else may just be forgetting some of them.';

-- Never fails: whoever changed a row need not know of terms. One that cannot be read is set aside.
-- Nor does it wait for a profile: who has it locked may wait for what the caller has noted, and
-- finds that then, or the next run does.
create function private.refresh_stale(p_ids uuid[]) returns void
language plpgsql volatile set search_path = '' as $$
declare
  one uuid;
  free constant uuid[] := array(
    select w.id from unnest(p_ids) as w (id)
    where not exists (select from public.mentorship_profiles as p where p.user_id = w.id)
  ) || array(
    select p.user_id from public.mentorship_profiles as p
    where p.user_id = any (p_ids) order by p.user_id for no key update skip locked
  );
  -- What is noted from here on may be about what we do not see any more.
  noted constant bigint[] := array(
    select s.id from private.stale_profiles as s where s.user_id = any (free) order by s.id
  );
begin
  if free = '{}' then
    return;
  end if;
  begin
    perform private.derive_profiles(free);
    perform private.refresh_profiles(free);
    perform private.forget_stale(noted);
    return;
  exception
    when others then
      perform set_config('mentor_sync.deriving', '', true);
      if sqlstate like '40%' or sqlstate like '55%' then
        raise warning 'mentor_sync: terms wait for the next run: %', sqlerrm;
        return;
      end if;
      if cardinality(free) = 1 then
        perform private.forget_stale(noted);
        insert into private.stale_profiles (user_id, error) values (free[1], sqlerrm);
        return;
      end if;
  end;
  foreach one in array free loop
    perform private.refresh_stale(array[one]);
  end loop;
end
$$;
comment on function private.refresh_stale(uuid[]) is
  'Derives and refreshes these people; one at fault is set aside with its reason.';

-- The mentors among these members whose profile is not what the member tells now.
create function private.note_stale_members(p_ids uuid[]) returns void
language sql volatile
set search_path = ''
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
  select private.note_stale(array(
    select u.id
    from unnest(p_ids) as wanted (id)
    cross join lateral (select x.* from public.users as x where x.member_id = wanted.id limit 1) as u
    cross join lateral (
      select x.id from public.mentors as x where x.person_id = u.id and x.is_active limit 1
    ) as t
    cross join lateral (
      select x.* from private.source_members as x where x.id = wanted.id limit 1
    ) as m
    left join lateral (
      select x.synced from public.mentorship_profiles as x where x.user_id = u.id limit 1
    ) as p on true
    where (p.synced ->> 'source')::bigint is distinct from private.member_hash(
      m.area_of_expertise, m.industry, m.skills, m.occupation, m.jobtitle
    )
    order by u.id
  ))
$$;
comment on function private.note_stale_members(uuid[]) is
  'After a sync: mentors whose profile has to follow their member.';

-- Definer: terms are for nobody to write by hand.
create function private.refresh_stale_profiles(p_run_id uuid, p_fence bigint, p_limit integer)
returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
declare
  due uuid[];
begin
  perform private.assert_run(p_run_id, p_fence);
  due := array(
    select distinct s.user_id
    from (
      select x.user_id from private.stale_profiles as x
      where x.error is null order by x.id limit p_limit
    ) as s
    order by s.user_id
  );
  perform private.refresh_stale(due);
  return jsonb_build_object(
    'refreshed', cardinality(due) - (
      select count(distinct s.user_id) from private.stale_profiles as s
      where s.user_id = any (due) and s.error is null
    ),
    'done', not exists (select from private.stale_profiles as s where s.error is null)
  );
end
$$;
comment on function private.refresh_stale_profiles(uuid, bigint, integer) is
  'One call of refresh_stale_profiles.';

create function public.refresh_stale_profiles(
  p_run_id uuid, p_fence bigint, p_limit integer default 2000
) returns jsonb
language sql volatile set search_path = '' as $$
  select private.refresh_stale_profiles(p_run_id, p_fence, p_limit)
$$;
comment on function public.refresh_stale_profiles(uuid, bigint, integer) is
  'Makes the terms of people who changed, some at a time: how many, and whether that was all.';

-- Triggers: whoever changes what is compared ------------------------------------------------

-- Definer: people write their rows, and the terms are not theirs to write. The argument names the
-- column that holds the person.
create function private.compared_changed() returns trigger
language plpgsql volatile security definer
-- The plan stays that of the first statement, which may have changed a single row.
set search_path = '' set enable_nestloop = off as $$
declare
  changed uuid[];
begin
  if current_setting('mentor_sync.deriving', true) = 'on' then
    return null;
  end if;
  if tg_op = 'DELETE' then
    select array_agg(distinct (to_jsonb(o) ->> tg_argv[0])::uuid) into changed from old_rows as o;
  elsif tg_op = 'INSERT' then
    select array_agg(distinct (to_jsonb(n) ->> tg_argv[0])::uuid) into changed from new_rows as n;
  else
    select array_agg(distinct (n.image ->> tg_argv[0])::uuid) into changed
    from (
      select to_jsonb(x) as image, to_jsonb(x) -> tg_argv[1] as id from new_rows as x
    ) as n
    left join (
      select to_jsonb(x) as image, to_jsonb(x) -> tg_argv[1] as id from old_rows as x
    ) as o on o.id = n.id
    where exists (
      select from unnest(tg_argv[2:]) as c (name)
      where n.image -> c.name is distinct from o.image -> c.name
    );
  end if;
  perform private.note_stale(array_remove(changed, null));
  return null;
end
$$;
comment on function private.compared_changed() is
  'Trigger: the terms of whom a statement changed are made again. Arguments: the column of the'
  ' person, that of the key, then the columns that are compared.';

create trigger mentor_sync_terms_inserted after insert on public.mentorship_profiles
referencing new table as new_rows
for each statement execute function private.compared_changed('user_id', 'user_id');
create trigger mentor_sync_terms_updated after update on public.mentorship_profiles
referencing old table as old_rows new table as new_rows
for each statement execute function private.compared_changed(
  'user_id', 'user_id', 'role', 'career_goals', 'industries', 'research_interests', 'skills',
  'channels', 'learning_style'
);
create trigger mentor_sync_terms_updated after update on public.users
referencing old table as old_rows new table as new_rows
for each statement execute function private.compared_changed(
  'id', 'id', 'timezone', 'country', 'city', 'contact_preference'
);
create trigger mentor_sync_terms_inserted after insert on public.mentors
referencing new table as new_rows
for each statement execute function private.compared_changed('person_id', 'id');
create trigger mentor_sync_terms_updated after update on public.mentors
referencing old table as old_rows new table as new_rows
for each statement execute function private.compared_changed(
  'person_id', 'id', 'person_id', 'expertise', 'teaching_style', 'timezone'
);
create trigger mentor_sync_terms_inserted after insert on public.mentor_specializations
referencing new table as new_rows
for each statement execute function private.compared_changed('mentor_id', 'id');
create trigger mentor_sync_terms_updated after update on public.mentor_specializations
referencing old table as old_rows new table as new_rows
for each statement execute function private.compared_changed(
  'mentor_id', 'id', 'specialization'
);
create trigger mentor_sync_terms_deleted after delete on public.mentor_specializations
referencing old table as old_rows
for each statement execute function private.compared_changed('mentor_id', 'id');
create trigger mentor_sync_changed after insert or update or delete on public.term_aliases
for each row execute function private.alias_changed();

-- Mentors who were there before us.
insert into private.stale_profiles (user_id)
select t.person_id from public.mentors as t where t.person_id is not null;

-- Verbs -------------------------------------------------------------------------------------

-- Whose profile a verb is about: one's own; an admin may name anybody.
create function private.profile_owner(p_user_id uuid) returns uuid
language plpgsql stable set search_path = '' as $$
declare
  me constant uuid := private.current_user_id();
begin
  if p_user_id is not null and p_user_id is distinct from me and not private.sees_everything() then
    raise exception 'This profile is not yours.' using errcode = '42501';
  end if;
  if coalesce(p_user_id, me) is null then
    raise exception 'You are not a person of this programme yet.'
      using errcode = '42501', hint = 'Confirm the e-mail address by which the programme knows you.';
  end if;
  return coalesce(p_user_id, me);
end
$$;
comment on function private.profile_owner(uuid) is
  'The person that a verb is about, for those who may; 42501 for others.';

create function private.require_mentor(p_user_id uuid) returns void
language plpgsql stable set search_path = '' as $$
begin
  if not exists (select from public.mentors as t where t.person_id = p_user_id) then
    raise exception 'Only mentors of the directory have a mentor''s profile.'
      using errcode = '42501', hint = 'Register as a member of type mentor first.';
  end if;
end
$$;
comment on function private.require_mentor(uuid) is '42501 for who is no mentor of the directory.';

-- Definer: people write their profile through this, and nothing else of it.
create function private.write_profile(p_user_id uuid, p_values jsonb, p_is_new boolean)
returns public.mentorship_profiles
language plpgsql volatile security definer set search_path = '' as $$
declare
  owner constant uuid := private.profile_owner(p_user_id);
  written public.mentorship_profiles;
begin
  if p_values ->> 'role' = 'mentor' then
    perform private.require_mentor(owner);
  end if;
  if p_is_new then
    insert into public.mentorship_profiles (user_id, role)
    values (owner, coalesce(p_values ->> 'role', 'student'))
    on conflict (user_id) do nothing;
  end if;
  select p.* into written from public.mentorship_profiles as p where p.user_id = owner for update;
  if not found then
    raise exception 'There is no profile yet.'
      using errcode = 'MS026', hint = 'Call create_profile first.';
  end if;
  written := jsonb_populate_record(written, (
    select jsonb_object_agg(v.key, v.value) from jsonb_each(p_values) as v where v.value <> 'null'
  ));
  update public.mentorship_profiles as p
  set (
    role, is_active, career_goals, industries, research_interests, skills, languages, channels,
    learning_style, about, available_hours, availability, preferences, paused_until
  ) = (
    written.role, written.is_active, written.career_goals, written.industries,
    written.research_interests, written.skills,
    array(select distinct lower(private.trim_space(l)) from unnest(written.languages) as l order by 1),
    written.channels, written.learning_style, written.about, written.available_hours,
    written.availability, written.preferences, written.paused_until
  )
  where p.user_id = owner
  returning p.* into written;
  return written;
end
$$;
comment on function private.write_profile(uuid, jsonb, boolean) is
  'Writes the given columns of a profile, for those who may: the row.';

create function public.create_profile(
  p_role text default null,
  p_career_goals text[] default null,
  p_industries text[] default null,
  p_research_interests text[] default null,
  p_skills text[] default null,
  p_languages text[] default null,
  p_channels text[] default null,
  p_learning_style text default null,
  p_about text default null,
  p_available_hours numeric default null,
  p_availability jsonb default null,
  p_preferences jsonb default null,
  p_user_id uuid default null
) returns setof public.mentorship_profiles
language sql volatile set search_path = '' as $$
  select w.* from private.write_profile(
    p_user_id,
    jsonb_build_object(
      'role', p_role, 'career_goals', p_career_goals, 'industries', p_industries,
      'research_interests', p_research_interests, 'skills', p_skills, 'languages', p_languages,
      'channels', p_channels, 'learning_style', p_learning_style, 'about', p_about,
      'available_hours', p_available_hours, 'availability', p_availability,
      'preferences', p_preferences
    ),
    true
  ) as w
$$;
comment on function public.create_profile(
  text, text[], text[], text[], text[], text[], text[], text, text, numeric, jsonb, jsonb, uuid
) is
  'Makes one''s own profile, a student''s unless p_role says mentor, or changes what is given of the'
  ' one that is there; an admin''s p_user_id may be anybody.';

create function public.update_profile(
  p_career_goals text[] default null,
  p_industries text[] default null,
  p_research_interests text[] default null,
  p_skills text[] default null,
  p_languages text[] default null,
  p_channels text[] default null,
  p_learning_style text default null,
  p_about text default null,
  p_available_hours numeric default null,
  p_availability jsonb default null,
  p_preferences jsonb default null,
  p_is_active boolean default null,
  p_paused_until timestamptz default null,
  p_user_id uuid default null
) returns setof public.mentorship_profiles
language sql volatile set search_path = '' as $$
  select w.* from private.write_profile(
    p_user_id,
    jsonb_build_object(
      'career_goals', p_career_goals, 'industries', p_industries,
      'research_interests', p_research_interests, 'skills', p_skills, 'languages', p_languages,
      'channels', p_channels, 'learning_style', p_learning_style, 'about', p_about,
      'available_hours', p_available_hours, 'availability', p_availability,
      'preferences', p_preferences, 'is_active', p_is_active, 'paused_until', p_paused_until
    ),
    false
  ) as w
$$;
comment on function public.update_profile(
  text[], text[], text[], text[], text[], text[], text, text, numeric, jsonb, jsonb, boolean,
  timestamptz, uuid
) is
  'Changes what is given of one''s own profile: the row. MS026 where there is none yet.';

create function public.get_profile() returns setof public.mentorship_profiles
language sql stable set search_path = '' as $$
  select p.* from public.mentorship_profiles as p
  where p.user_id = (select private.current_user_id())
$$;
comment on function public.get_profile() is 'One''s own profile.';

create function public.get_profile_by_id(p_user_id uuid) returns setof public.mentorship_profiles
language sql stable set search_path = '' as $$
  select p.* from public.mentorship_profiles as p where p.user_id = p_user_id
$$;
comment on function public.get_profile_by_id(uuid) is
  'The profile of a person, for admins and the other side of an offer or match.';

revoke all on function
  private.zone_hours(text),
  private.hours_apart(text, text),
  private.location_terms(text, text, text),
  private.texts_of(jsonb),
  private.profile_lists(uuid[]),
  private.meeting_terms(uuid[]),
  private.terms_of_people(uuid[]),
  private.refresh_profiles(uuid[]),
  private.member_hash(text, text, text, text, text),
  private.mentor_wishes(uuid[]),
  private.is_student_now(uuid),
  private.derive_profiles(uuid[]),
  private.is_as_derived(public.mentorship_profiles),
  private.note_stale(uuid[]),
  private.forget_stale(bigint[]),
  private.refresh_stale(uuid[]),
  private.note_stale_members(uuid[]),
  private.refresh_stale_profiles(uuid, bigint, integer),
  private.compared_changed(),
  private.profile_owner(uuid),
  private.require_mentor(uuid),
  private.write_profile(uuid, jsonb, boolean),
  public.refresh_stale_profiles(uuid, bigint, integer),
  public.create_profile(
    text, text[], text[], text[], text[], text[], text[], text, text, numeric, jsonb, jsonb, uuid
  ),
  public.update_profile(
    text[], text[], text[], text[], text[], text[], text, text, numeric, jsonb, jsonb, boolean,
    timestamptz, uuid
  ),
  public.get_profile(),
  public.get_profile_by_id(uuid)
from public, anon, authenticated, service_role;
grant execute on function
  private.refresh_stale_profiles(uuid, bigint, integer),
  public.refresh_stale_profiles(uuid, bigint, integer)
to service_role;
grant execute on function
  private.write_profile(uuid, jsonb, boolean),
  public.create_profile(
    text, text[], text[], text[], text[], text[], text[], text, text, numeric, jsonb, jsonb, uuid
  ),
  public.update_profile(
    text[], text[], text[], text[], text[], text[], text, text, numeric, jsonb, jsonb, boolean,
    timestamptz, uuid
  ),
  public.get_profile(),
  public.get_profile_by_id(uuid)
to authenticated, service_role;
