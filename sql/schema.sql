-- What sql/migrations make of an empty project. Made by: python -m tests.schema.dump

CREATE SCHEMA private;

COMMENT ON SCHEMA private IS 'mentor_sync: helpers that the API never exposes. Execute is granted function by function.';

CREATE TYPE private.health_change AS (
	match_id uuid,
	student_id uuid,
	mentor_id uuid,
	score integer,
	status text,
	reasons jsonb,
	at_risk_since timestamp with time zone,
	escalated_at timestamp with time zone,
	asks_for_help boolean,
	mentor_left boolean,
	last_contact_at timestamp with time zone,
	was_at_risk_since timestamp with time zone,
	was_escalated_at timestamp with time zone
);

COMMENT ON TYPE private.health_change IS 'A match whose health is another than its row says.';

CREATE TYPE private.match_signs AS (
	since timestamp with time zone,
	met_at timestamp with time zone,
	days_met integer,
	next_at timestamp with time zone,
	heard_at timestamp with time zone,
	rating numeric,
	asks_for_help boolean,
	is_well boolean,
	items integer,
	overdue integer
);

COMMENT ON TYPE private.match_signs IS 'What is known of a match: since when it runs; last and next meeting, days with one lately; last contact; mean of the latest ratings; check-ins; action items that have a date, and overdue.';

CREATE TYPE private.person_term AS (
	user_id uuid,
	factor smallint,
	term text,
	label text
);

COMMENT ON TYPE private.person_term IS 'A term that a person names, and how it is shown.';

CREATE TYPE private."placing" AS (
	place integer,
	student_id uuid,
	mentor_id uuid,
	request_id uuid,
	units integer,
	breakdown jsonb,
	rule text,
	reason text
);

COMMENT ON TYPE private."placing" IS 'A student for a mentor; the rule that keeps them apart, or failed and the reason.';

CREATE TYPE private.sync_outcome AS (
	member_id uuid,
	email text,
	name text,
	outcome text,
	reason text,
	code text,
	mentor_id uuid
);

COMMENT ON TYPE private.sync_outcome IS 'What became of one member: created, updated, exists, no_user, ambiguous, inactive, deactivated or rejected; why; for a rejected one the code of the error.';

CREATE TYPE private.undo_outcome AS (
	row_id uuid,
	relation text,
	action text,
	outcome text,
	reason text
);

COMMENT ON TYPE private.undo_outcome IS 'What became of one row of a run that is undone.';

CREATE TYPE public.mentor_listing AS (
	id uuid,
	user_id bigint,
	slug text,
	bio text,
	expertise jsonb,
	rating numeric,
	rating_count integer,
	total_sessions integer,
	is_approved boolean,
	is_active boolean,
	domain text,
	experience_years numeric,
	teaching_style text,
	timezone text,
	created_at timestamp with time zone,
	"user" jsonb,
	member jsonb
);

COMMENT ON TYPE public.mentor_listing IS 'A mentor as the directory shows it: own columns, the account, the member''s registration.';

CREATE FUNCTION private.accounts_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET lock_timeout TO '2s'
    AS $$
declare
  deadline constant timestamptz := private.trigger_deadline();
  addresses text[];
  place integer := 0;
begin
  if private.too_late_to_begin(deadline) then
    raise warning 'mentor_sync: up to % accounts wait for the next sync.',
      (select count(*) from new_rows);
    return null;
  end if;
  if tg_op = 'INSERT' then
    addresses := array(select distinct private.normalise_email(n.email) from new_rows as n);
  else
    addresses := array(
      select distinct private.normalise_email(n.email)
      from new_rows as n
      left join old_rows as o on o.id = n.id
      where n.email is distinct from o.email
    );
  end if;
  while place < cardinality(addresses) and clock_timestamp() < deadline loop
    perform private.sync_quietly(
      private.mentor_members_with(addresses[place + 1 : place + 5000])
    );
    place := place + 5000;
  end loop;
  if place < cardinality(addresses) then
    raise warning 'mentor_sync: up to % accounts wait for the next sync.',
      cardinality(addresses) - place;
  end if;
  return null;
exception
  when assert_failure or query_canceled or others then
    if private.was_cancelled(sqlstate) then
      raise;
    end if;
    raise warning 'mentor_sync: a change of users_user waits for the next sync: %', sqlerrm;
    return null;
end
$$;

COMMENT ON FUNCTION private.accounts_changed() IS 'Trigger: syncs the members whose account a statement inserted or readdressed.';

CREATE FUNCTION private.add_counts(p_left jsonb, p_right jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select coalesce(jsonb_object_agg(s.key, s.n), '{}')
  from (
    select c.key, sum(c.value::bigint) as n
    from (
      select * from jsonb_each_text(p_left)
      union all
      select * from jsonb_each_text(p_right)
    ) as c
    group by c.key
  ) as s
$$;

COMMENT ON FUNCTION private.add_counts(p_left jsonb, p_right jsonb) IS 'The sum of two sets of counts.';

CREATE FUNCTION private.alias_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  changed constant text[] := case tg_op
    when 'INSERT' then array[new.alias, new.term]
    when 'DELETE' then array[old.alias, old.term]
    else array[old.alias, old.term, new.alias, new.term]
  end;
begin
  if tg_op <> 'DELETE' then
    update public.term_aliases as a set term = new.term where a.term = new.alias;
    perform private.keep_terms(array[new.term], array[null]);
  end if;
  perform private.note_stale(array(
    select distinct p.user_id
    from public.match_terms as t
    inner join private.profile_terms as p on p.term_id = t.id
    where t.term = any (changed)
  ));
  return null;
end
$$;

COMMENT ON FUNCTION private.alias_changed() IS 'Trigger: the profiles that name the word or its meaning follow. Set where there are profiles.';


SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE public.match_weights (
    version integer NOT NULL,
    goals integer NOT NULL,
    industry integer NOT NULL,
    research integer NOT NULL,
    technical integer NOT NULL,
    location integer NOT NULL,
    communication integer NOT NULL,
    is_current boolean DEFAULT false NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT match_weights_make_a_hundred CHECK (((((((goals + industry) + research) + technical) + location) + communication) = 100)),
    CONSTRAINT match_weights_not_negative CHECK ((LEAST(goals, industry, research, technical, location, communication) >= 0))
);

COMMENT ON TABLE public.match_weights IS 'What the parts of a score count. Add a row and set is_current to change them.';

COMMENT ON COLUMN public.match_weights.version IS 'Kept with every score.';

COMMENT ON COLUMN public.match_weights.goals IS 'Career goals, in per cent.';

COMMENT ON COLUMN public.match_weights.industry IS 'Industry and expertise, in per cent.';

COMMENT ON COLUMN public.match_weights.research IS 'Research interests, in per cent.';

COMMENT ON COLUMN public.match_weights.technical IS 'Technical skills, in per cent.';

COMMENT ON COLUMN public.match_weights.location IS 'Nearness, in per cent.';

COMMENT ON COLUMN public.match_weights.communication IS 'Ways to meet and learn, in per cent.';

COMMENT ON COLUMN public.match_weights.is_current IS 'Whether scores are made by it now.';

COMMENT ON COLUMN public.match_weights.note IS 'Why it was made.';

COMMENT ON COLUMN public.match_weights.created_at IS 'When it was made.';

CREATE FUNCTION private.allowed_mentors(p_student_id uuid, p_weights public.match_weights) RETURNS TABLE(mentor_id uuid, units integer, rank bigint)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  with ranked as materialized (
    select r.mentor_id, r.units from private.ranked_mentors(p_student_id, p_weights) as r
  ),
  found as (
    select array_agg(r.mentor_id) as mentors, array_agg(p_student_id) as students,
      array_agg(null::uuid) as requests
    from ranked as r
  )
  select r.mentor_id, r.units, row_number() over (order by r.units desc, r.mentor_id)
  from found as f
  cross join lateral private.pair_rules(f.students, f.mentors, f.requests) as p
  inner join ranked as r on r.mentor_id = p.mentor_id
  where p.rule is null or p.rule = 'already_offered'
$$;

COMMENT ON FUNCTION private.allowed_mentors(p_student_id uuid, p_weights public.match_weights) IS 'The mentors whom no rule keeps from a student, ranked.';

CREATE TABLE public.matches (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    student_id uuid NOT NULL,
    mentor_id uuid NOT NULL,
    role text DEFAULT 'primary'::text NOT NULL,
    request_id uuid,
    status text DEFAULT 'active'::text NOT NULL,
    goals text[] DEFAULT '{}'::text[] NOT NULL,
    score numeric(5,2),
    breakdown jsonb,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    end_reason text,
    undone boolean DEFAULT false NOT NULL,
    last_contact_at timestamp with time zone,
    health_score integer,
    health_status text DEFAULT 'unknown'::text NOT NULL,
    health_reasons jsonb DEFAULT '[]'::jsonb NOT NULL,
    health_checked_at timestamp with time zone,
    at_risk_since timestamp with time zone,
    escalated_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT matches_ended_has_time CHECK (((status = ANY (ARRAY['completed'::text, 'dissolved'::text])) = (ended_at IS NOT NULL))),
    CONSTRAINT matches_health_known CHECK ((health_status = ANY (ARRAY['unknown'::text, 'healthy'::text, 'watch'::text, 'at_risk'::text]))),
    CONSTRAINT matches_health_range CHECK (((health_score >= 0) AND (health_score <= 100))),
    CONSTRAINT matches_not_oneself CHECK ((student_id <> mentor_id)),
    CONSTRAINT matches_reasons_are_list CHECK ((jsonb_typeof(health_reasons) = 'array'::text)),
    CONSTRAINT matches_role_known CHECK ((role = ANY (ARRAY['primary'::text, 'substitute'::text, 'peer'::text]))),
    CONSTRAINT matches_score_range CHECK (((score >= (0)::numeric) AND (score <= (100)::numeric))),
    CONSTRAINT matches_status_known CHECK ((status = ANY (ARRAY['pending'::text, 'active'::text, 'paused'::text, 'completed'::text, 'dissolved'::text])))
);

COMMENT ON TABLE public.matches IS 'Mentors and their students, now and before.';

COMMENT ON COLUMN public.matches.id IS 'The match.';

COMMENT ON COLUMN public.matches.student_id IS 'The student: users.id.';

COMMENT ON COLUMN public.matches.mentor_id IS 'The mentor: users.id.';

COMMENT ON COLUMN public.matches.role IS 'primary; substitute, for a while; or peer.';

COMMENT ON COLUMN public.matches.request_id IS 'The request that it answers, if any.';

COMMENT ON COLUMN public.matches.status IS 'pending, active, paused, completed or dissolved.';

COMMENT ON COLUMN public.matches.goals IS 'What the two want to reach.';

COMMENT ON COLUMN public.matches.score IS 'How well they suited when it began, 0 to 100.';

COMMENT ON COLUMN public.matches.breakdown IS 'The parts of that score, as calculate_match_score.';

COMMENT ON COLUMN public.matches.started_at IS 'When it began.';

COMMENT ON COLUMN public.matches.ended_at IS 'When it was completed or dissolved.';

COMMENT ON COLUMN public.matches.end_reason IS 'Why it ended; both sides read it.';

COMMENT ON COLUMN public.matches.undone IS 'The run that began it was taken back within a day: the two may be matched as if it had not been.';

COMMENT ON COLUMN public.matches.last_contact_at IS 'When the two were last heard of.';

COMMENT ON COLUMN public.matches.health_score IS 'How well it goes, 0 to 100; see health_reasons.';

COMMENT ON COLUMN public.matches.health_status IS 'unknown, healthy, watch or at_risk.';

COMMENT ON COLUMN public.matches.health_reasons IS 'What made the score: [{"part", "points", "of", "why"}].';

COMMENT ON COLUMN public.matches.health_checked_at IS 'When the health last came out otherwise.';

COMMENT ON COLUMN public.matches.at_risk_since IS 'Since when it is at risk; empty: it is not.';

COMMENT ON COLUMN public.matches.escalated_at IS 'When admins were told of it.';

COMMENT ON COLUMN public.matches.created_at IS 'When the row was made.';

COMMENT ON COLUMN public.matches.updated_at IS 'When it was last changed.';

CREATE FUNCTION private.announce_change(p_old public.matches, p_new public.matches) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select public.queue_message(
    'mentor_changed', p_old.student_id, 'match:' || p_old.id || ':ended',
    jsonb_build_object(
      'old_mentor_name', coalesce(u.full_name, ''),
      'new_mentor_name', (select n.full_name from public.users as n where n.id = p_new.mentor_id),
      'match_url', private.page_url('matches/' || coalesce(p_new.id, p_old.id))
    ),
    7
  )
  from public.users as u
  where u.id = p_old.mentor_id and p_old.role = 'primary'
$$;

COMMENT ON FUNCTION private.announce_change(p_old public.matches, p_new public.matches) IS 'Tells a student that their mentor is another one, or none for now.';

CREATE FUNCTION private.announce_match(p_match public.matches, p_actor uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select public.queue_message(
    'match_confirmed', side.id, 'match:' || p_match.id, private.match_mail(p_match, side.id), 7
  )
  from unnest(array[p_match.student_id, p_match.mentor_id]) as side (id);
  select public.queue_message(
    'new_student', p_match.mentor_id, 'match:' || p_match.id,
    jsonb_build_object(
      'student_name', coalesce(u.full_name, ''),
      'goals', nullif(array_to_string(p_match.goals, '; '), ''),
      'student_url', private.page_url('matches/' || p_match.id)
    )
  )
  from public.users as u
  where u.id = p_match.student_id and p_actor is distinct from p_match.mentor_id
$$;

COMMENT ON FUNCTION private.announce_match(p_match public.matches, p_actor uuid) IS 'Tells both sides that they are matched, and the mentor of a student whom they did not choose.';

CREATE FUNCTION private.announce_offers(p_run_id uuid, p_fence bigint, p_limit integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  due constant uuid[] := array(
    select o.id from public.match_offers as o
    where o.status = 'offered' and o.announced_at is null
    order by o.id limit p_limit
    for update skip locked
  );
begin
  update public.match_offers as o set announced_at = now() where o.id = any (due);
  return jsonb_build_object(
    'announced', private.queue_offers(due), 'done', cardinality(due) < p_limit
  );
end
$$;

COMMENT ON FUNCTION private.announce_offers(p_run_id uuid, p_fence bigint, p_limit integer) IS 'One call of announce_offers.';

CREATE FUNCTION private.answer_message(p_token text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  part constant text[] := string_to_array(private.unsigned('answer', p_token), '.');
  asked record;
begin
  select m.recipient, m.kind, q.asked, q.asked -> 'answers' ->> part[3]::integer as answer
  into asked
  from public.message_outbox as m
  cross join lateral (select m.data -> 'ask' -> part[2]::integer) as q (asked)
  where m.id = part[1]::uuid;
  if asked.answer is null or asked.asked ->> 'about' is null then
    return 'unknown';
  end if;
  if to_timestamp(part[4]::bigint) < now() then
    return 'expired';
  end if;
  insert into public.message_answers (message_id, question, user_id, kind, about, answer)
  values (
    part[1]::uuid, part[2]::integer, asked.recipient, asked.kind, asked.asked ->> 'about',
    asked.answer
  )
  on conflict do nothing;
  return case when found then 'recorded' else 'answered' end;
end
$$;

COMMENT ON FUNCTION private.answer_message(p_token text) IS 'Records the answer that a token stands for.';

CREATE FUNCTION private.answer_tokens(p_message_id uuid, p_data jsonb, p_created_at timestamp with time zone, p_expires_at timestamp with time zone) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(jsonb_agg(asked.tokens order by asked.question), '[]')
  from (
    select q.place - 1 as question, jsonb_agg(
      private.signed(
        'answer', concat_ws(
          '.', p_message_id, q.place - 1, a.place - 1,
          extract(epoch from coalesce(
            p_expires_at,
            p_created_at + make_interval(days => private.number_setting('answer_days', 30))
          ))::bigint
        )
      ) order by a.place
    ) as tokens
    from jsonb_array_elements(
      case when jsonb_typeof(p_data -> 'ask') = 'array' then p_data -> 'ask' end
    ) with ordinality as q (asked, place)
    cross join lateral jsonb_array_elements(
      case when jsonb_typeof(q.asked -> 'answers') = 'array' then q.asked -> 'answers' end
    ) with ordinality as a (answer, place)
    group by q.place
  ) as asked
$$;

COMMENT ON FUNCTION private.answer_tokens(p_message_id uuid, p_data jsonb, p_created_at timestamp with time zone, p_expires_at timestamp with time zone) IS 'A token for each answer to each question of a message: signed, good until it expires.';

CREATE TABLE public.mentorship_requests (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    student_id uuid NOT NULL,
    mentor_id uuid,
    message text DEFAULT ''::text NOT NULL,
    focus_areas text[] DEFAULT '{}'::text[] NOT NULL,
    goals text[] DEFAULT '{}'::text[] NOT NULL,
    preference_overrides jsonb DEFAULT '{}'::jsonb NOT NULL,
    required_languages text[] DEFAULT '{}'::text[] NOT NULL,
    max_timezone_hours integer,
    status text DEFAULT 'open'::text NOT NULL,
    closed_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT mentorship_requests_hours_fit CHECK (((max_timezone_hours >= 0) AND (max_timezone_hours <= 12))),
    CONSTRAINT mentorship_requests_lists_fit CHECK (((cardinality(focus_areas) <= 50) AND (cardinality(goals) <= 50))),
    CONSTRAINT mentorship_requests_message_fits CHECK ((length(message) <= 5000)),
    CONSTRAINT mentorship_requests_not_oneself CHECK ((mentor_id <> student_id)),
    CONSTRAINT mentorship_requests_overrides_are_lists CHECK ((jsonb_typeof(preference_overrides) = 'object'::text)),
    CONSTRAINT mentorship_requests_status_known CHECK ((status = ANY (ARRAY['open'::text, 'offered'::text, 'matched'::text, 'cancelled'::text, 'expired'::text])))
);

COMMENT ON TABLE public.mentorship_requests IS 'Students who look for a mentor, and looked for one.';

COMMENT ON COLUMN public.mentorship_requests.id IS 'The request.';

COMMENT ON COLUMN public.mentorship_requests.student_id IS 'Who asks: users.id.';

COMMENT ON COLUMN public.mentorship_requests.mentor_id IS 'Whom they ask: users.id; empty: whoever suits best.';

COMMENT ON COLUMN public.mentorship_requests.message IS 'What they write to the mentor.';

COMMENT ON COLUMN public.mentorship_requests.focus_areas IS 'What it is to be about; counts as goals while the request is open.';

COMMENT ON COLUMN public.mentorship_requests.goals IS 'What they want to reach; counts as career goals while the request is open.';

COMMENT ON COLUMN public.mentorship_requests.preference_overrides IS 'Lists of the profile that are others for this request: {"industries": ["law"]}.';

COMMENT ON COLUMN public.mentorship_requests.required_languages IS 'Codes of languages of which the mentor must speak one, such as de; empty: any.';

COMMENT ON COLUMN public.mentorship_requests.max_timezone_hours IS 'Most hours between the time zones of the two; empty: any.';

COMMENT ON COLUMN public.mentorship_requests.status IS 'open: waits for offers; offered: mentors look at it; matched, cancelled or expired.';

COMMENT ON COLUMN public.mentorship_requests.closed_at IS 'When it was matched or given up.';

COMMENT ON COLUMN public.mentorship_requests.expires_at IS 'When it is given up.';

COMMENT ON COLUMN public.mentorship_requests.created_at IS 'Since when the student waits.';

COMMENT ON COLUMN public.mentorship_requests.updated_at IS 'When it was last changed.';

CREATE FUNCTION private.answered_request(p_student_id uuid, p_request_id uuid, p_role text) RETURNS public.mentorship_requests
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  request public.mentorship_requests;
begin
  select r.* into request from public.mentorship_requests as r
  where r.student_id = p_student_id and case
    when p_request_id is not null then r.id = p_request_id
    else p_role = 'primary' and r.status in ('open', 'offered')
  end;
  if p_request_id is not null and request.id is null then
    raise exception 'There is no request % of this student.', p_request_id
      using errcode = 'MS011', hint = 'Give an id of the table mentorship_requests.';
  elsif request.status = 'matched' then
    raise exception 'The request was matched already.'
      using errcode = 'MS020', hint = 'Another mentor was quicker; nothing is to be done.';
  elsif request.status in ('cancelled', 'expired') then
    raise exception 'The request is %.', request.status
      using errcode = 'MS024', hint = 'This is for requests that are open or offered.';
  end if;
  return request;
end
$$;

COMMENT ON FUNCTION private.answered_request(p_student_id uuid, p_request_id uuid, p_role text) IS 'The open request that a new match answers; an error where the one given is not open.';

CREATE FUNCTION private.answers_questions() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select exists (
    select
    from public.mentors as t
    inner join public.users as u on u.id = t.person_id
    where u.id = (select private.current_user_id())
      and t.is_approved and t.is_active and u.status = 'Active'
  )
$$;

COMMENT ON FUNCTION private.answers_questions() IS 'Whether the person who is signed in is an approved, active mentor.';

CREATE FUNCTION private.apply_members(p_ids uuid[], p_auto_approve boolean) RETURNS SETOF private.sync_outcome
    LANGUAGE sql
    SET search_path TO ''
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    SET enable_memoize TO 'off'
    SET jit TO 'off'
    SET work_mem TO '32MB'
    AS $$
  with planned as materialized (
    select
      s.*,
      kind.is_mentor,
      kind.address,
      account.id as account_id,
      p.id as person_id,
      p.email as person_email,
      p.full_name as person_name,
      p.country as person_country,
      p.city as person_city,
      p.legacy_user_id as person_account_id,
      p.member_id is distinct from s.id or p.legacy_user_id is distinct from account.id
        as person_unlinked,
      t.id as mentor_id,
      t.person_id is null or t.user_id is distinct from account.id as mentor_unlinked,
      t.is_approved and t.is_active as mentor_is_listed,
      t.bio as mentor_bio,
      t.expertise as mentor_expertise,
      t.is_active as mentor_is_active,
      t.synced,
      case
        when twin.n > 1 then 'another member has the same e-mail address'
        when account.n > 1 then 'more than one account has this e-mail address'
        when account.n = 0 then null
        when other.n > 1 or (by_member.id is not null and other.n > 0)
          then 'more than one person has this account or e-mail address'
        -- A link to what is gone is free. Offset 0 keeps these from being read whole and hashed.
        when p.member_id <> s.id
          and exists (select from public.members as x where x.id = p.member_id offset 0)
          then 'the person with this account belongs to another member'
        when p.legacy_user_id <> account.id
          and exists (select from public.users_user as x where x.id = p.legacy_user_id offset 0)
          then 'the person belongs to another account'
        when t.person_id is not null and t.person_id is distinct from p.id
          then 'the mentor with this account belongs to another person'
        when t.user_id <> account.id
          and exists (select from public.users_user as x where x.id = t.user_id offset 0)
          then 'the mentor of this person has another account'
      end as problem
    from unnest(p_ids) as wanted (id)
    cross join lateral (
      select x.* from private.source_members as x where x.id = wanted.id limit 1
    ) as s
    left join lateral (
      select u.* from public.users as u where u.member_id = s.id limit 1
    ) as by_member on true
    cross join lateral (
      select
        k.is_mentor,
        case
          when s.is_active and k.is_mentor then coalesce(private.normalise_email(s.email), '')
        end as address
      from (select private.is_mentor_type(s.membershiptype) as is_mentor offset 0) as k
      offset 0
    ) as kind
    left join lateral (
      select count(*) as n
      from (
        select from public.members as x
        where private.normalise_email(x.email) = kind.address
        limit 2
      ) as x
    ) as twin on true
    left join lateral (
      select count(*) as n, min(x.id) as id
      from (
        select u.id from public.users_user as u
        where private.normalise_email(u.email) = kind.address
        limit 2
      ) as x
    ) as account on true
    -- People who have the account or the address, beside the one who has the member.
    left join lateral (
      select count(distinct x.id) as n, (array_agg(x.id))[1] as id
      from (
        select u.id from public.users as u where u.legacy_user_id = account.id
        -- Not union, which an empty, analysed table makes a walk through the primary key.
        union all
        select u.id from public.users as u
        where private.normalise_email(u.email) = kind.address and by_member.id is null
      ) as x
      where kind.address <> '' and by_member.legacy_user_id is distinct from account.id
    ) as other on true
    left join lateral (
      select by_member.* where by_member.id is not null
      union all
      select u.* from public.users as u where u.id = other.id and by_member.id is null
      limit 1
    ) as p on true
    left join lateral (
      select x.* from public.mentors as x where x.person_id = p.id
      union all
      select x.* from public.mentors as x
      where x.user_id = account.id and (p.id is null or x.person_id is distinct from p.id)
      limit 1
    ) as t on true
    where kind.is_mentor or by_member.id is not null
  ),
  judged as (
    select
      p.*,
      case
        when p.address is null and p.mentor_is_active and p.synced -> 'is_active' = 'true'
          then 'deactivated'
        when p.address is null and p.is_mentor then 'inactive'
        when p.address is null then null
        when p.address = '' then 'rejected'
        when p.problem is not null then 'ambiguous'
        when p.account_id is null then 'no_user'
        when p.mentor_id is null then 'created'
        else 'exists'
      end as outcome
    from planned as p
  ),
  -- What the member asks for, unless all that reaches the mentor is as it was last time.
  wanted as (
    select
      j.*,
      v.*,
      case when v.hash is not null then jsonb_build_object(
        'bio', v.bio, 'expertise', v.expertise, 'is_active', true, 'email', v.email_shown,
        'full_name', v.full_name, 'country', v.country_shown, 'city', v.city_shown
      ) end as wishes
    from judged as j
    left join lateral (
      select
        h.hash,
        private.trim_space(j.email) as email_shown,
        nullif(private.trim_space(j.name), '') as full_name,
        private.mentor_bio(j.experience, j.occupation, j.jobtitle) as bio,
        private.mentor_expertise(j.area_of_expertise, j.industry, j.skills) as expertise,
        nullif(private.trim_space(j.country), '') as country_shown,
        nullif(private.trim_space(j.city), '') as city_shown
      from (
        select hashtextextended(
          concat(
            j.email, chr(31), j.name, chr(31), j.area_of_expertise, chr(31), j.industry,
            chr(31), j.skills, chr(31), j.experience, chr(31), j.occupation, chr(31),
            j.jobtitle, chr(31), j.country, chr(31), j.city
          ), 0
        ) as hash
        where j.outcome in ('created', 'exists')
        offset 0
      ) as h
      where j.outcome = 'created'
        or j.person_id is null
        or not j.mentor_is_active
        or (j.synced ->> 'source')::bigint is distinct from h.hash
      offset 0
    ) as v on true
  ),
  -- A value is written only while it still is what the sync wrote last.
  changed as materialized (
    select
      w.*,
      case
        when w.outcome in ('created', 'exists') and w.person_id is null then gen_random_uuid()
      end as new_person_id,
      case when w.outcome = 'created' then gen_random_uuid() end as new_mentor_id,
      coalesce(
        case when w.hash is not null and w.outcome = 'exists' then (
          select jsonb_object_agg(wish.key, wish.value)
          from jsonb_each(w.wishes) as wish
          cross join lateral (
            select jsonb_build_object(
              'bio', w.mentor_bio, 'expertise', w.mentor_expertise,
              'is_active', w.mentor_is_active, 'email', w.person_email,
              'full_name', w.person_name, 'country', w.person_country, 'city', w.person_city
            ) -> wish.key as value
          ) as present
          where wish.value <> present.value and w.synced -> wish.key = present.value
        ) end,
        '{}'
      ) as changes
    from wanted as w
    where w.outcome is not null
  ),
  made_people as (
    insert into public.users (
      id, email, full_name, role, legacy_user_id, member_id, country, city
    )
    select
      c.new_person_id, c.email_shown, c.full_name, 'mentor', c.account_id, c.id,
      c.country_shown, c.city_shown
    from changed as c
    where c.outcome in ('created', 'exists') and c.person_id is null
    on conflict do nothing
    returning id
  ),
  changed_people as (
    update public.users as u
    set
      member_id = c.id,
      legacy_user_id = c.account_id,
      email = case when c.changes ? 'email' then c.email_shown else u.email end,
      full_name = case when c.changes ? 'full_name' then c.full_name else u.full_name end,
      country = case when c.changes ? 'country' then c.country_shown else u.country end,
      city = case when c.changes ? 'city' then c.city_shown else u.city end
    from changed as c
    where u.id = c.person_id
      and c.outcome in ('created', 'exists')
      and (c.person_unlinked or c.changes ?| array['email', 'full_name', 'country', 'city'])
  ),
  made_mentors as (
    insert into public.mentors (
      id, user_id, person_id, slug, bio, expertise, is_approved, is_active, rating,
      total_sessions, version, synced
    )
    select
      c.new_mentor_id, c.account_id, coalesce(c.person_id, c.new_person_id),
      private.slug(coalesce(c.full_name, 'mentor'), c.new_mentor_id), c.bio, c.expertise, p_auto_approve, true, 0.00,
      0, 1, c.wishes || jsonb_build_object('source', c.hash)
    from changed as c
    where c.outcome = 'created'
      and (c.person_id is not null or c.new_person_id in (select p.id from made_people as p))
    on conflict do nothing
    returning id
  ),
  -- From the first link on, the sync answers for whether the mentor is active.
  changed_mentors as (
    update public.mentors as t
    set
      person_id = coalesce(
        t.person_id,
        c.person_id,
        case when c.new_person_id in (select p.id from made_people as p) then c.new_person_id end
      ),
      user_id = c.account_id,
      bio = case when c.changes ? 'bio' then c.bio else t.bio end,
      expertise = case when c.changes ? 'expertise' then c.expertise else t.expertise end,
      is_active = t.is_active or c.changes ? 'is_active',
      version = t.version + (c.changes <> '{}')::integer,
      synced = case
        when t.synced = '{}' and t.is_active then '{"is_active": true}'::jsonb
        else t.synced
      end || c.changes || jsonb_build_object('source', c.hash)
    from changed as c
    where t.id = c.mentor_id
      and c.outcome = 'exists'
      and (c.mentor_unlinked or c.changes <> '{}')
  ),
  stopped_mentors as (
    update public.mentors as t
    set
      is_active = false,
      version = t.version + 1,
      synced = t.synced || '{"is_active": false}'
    from changed as c
    where c.outcome = 'deactivated' and t.id = c.mentor_id
  )
  select
    c.id,
    c.email,
    c.name,
    case
      when c.outcome = 'created' and c.new_mentor_id not in (select m.id from made_mentors as m)
        then 'lost'
      when c.outcome = 'exists' and c.changes <> '{}' then 'updated'
      else c.outcome
    end,
    case
      when c.outcome = 'rejected' then 'the member has no e-mail address'
      when c.outcome = 'ambiguous' then c.problem
      when c.outcome = 'no_user' and c.mentor_is_listed then
        case
          when exists (
            select from public.users_user as x where x.id = c.person_account_id offset 0
          ) then 'the account has another e-mail address; the mentor stays listed'
          else 'the account is gone; the mentor stays listed'
        end
      when c.outcome = 'no_user' then 'no account has this e-mail address'
      when c.outcome = 'deactivated' and not c.is_mentor
        then 'the membershiptype is no longer mentor'
      when c.outcome in ('deactivated', 'inactive') then 'the member is not active'
      when c.changes <> '{}' then (
        select string_agg(k.key, ', ' order by k.key) from jsonb_object_keys(c.changes) as k (key)
      )
    end,
    case when c.outcome = 'rejected' then 'MS010' end,
    case when c.outcome = 'created' then c.new_mentor_id else c.mentor_id end
  from changed as c
$$;

COMMENT ON FUNCTION private.apply_members(p_ids uuid[], p_auto_approve boolean) IS 'Makes what these members are true in users and mentors, in one statement.';

CREATE TABLE public.quick_questions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    student_id uuid NOT NULL,
    title text NOT NULL,
    question text DEFAULT ''::text NOT NULL,
    topics text[] DEFAULT '{}'::text[] NOT NULL,
    terms text[] DEFAULT '{}'::text[] NOT NULL,
    status text DEFAULT 'open'::text NOT NULL,
    claimed_by uuid,
    claimed_at timestamp with time zone,
    first_claimed_at timestamp with time zone,
    answer text,
    completed_at timestamp with time zone,
    rating integer,
    rating_comment text,
    rated_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT quick_questions_not_oneself CHECK ((claimed_by <> student_id)),
    CONSTRAINT quick_questions_rated_once_told CHECK (((rating IS NULL) = (rated_at IS NULL))),
    CONSTRAINT quick_questions_rated_when_completed CHECK (((rating IS NULL) OR (status = 'completed'::text))),
    CONSTRAINT quick_questions_rating_range CHECK (((rating >= 1) AND (rating <= 5))),
    CONSTRAINT quick_questions_status_known CHECK ((status = ANY (ARRAY['open'::text, 'claimed'::text, 'completed'::text, 'expired'::text, 'cancelled'::text]))),
    CONSTRAINT quick_questions_text_fits CHECK (((length(question) <= 5000) AND (length(answer) <= 10000) AND (length(rating_comment) <= 2000))),
    CONSTRAINT quick_questions_title_fits CHECK (((length(title) >= 1) AND (length(title) <= 200))),
    CONSTRAINT quick_questions_topics_fit CHECK ((cardinality(topics) <= 20))
);

COMMENT ON TABLE public.quick_questions IS 'Questions of students that any mentor may answer.';

COMMENT ON COLUMN public.quick_questions.id IS 'The question.';

COMMENT ON COLUMN public.quick_questions.student_id IS 'Who asks: users.id.';

COMMENT ON COLUMN public.quick_questions.title IS 'The question in a line.';

COMMENT ON COLUMN public.quick_questions.question IS 'The question.';

COMMENT ON COLUMN public.quick_questions.topics IS 'What it is about.';

COMMENT ON COLUMN public.quick_questions.terms IS 'The topics, as they are compared.';

COMMENT ON COLUMN public.quick_questions.status IS 'open, claimed, completed, expired or cancelled.';

COMMENT ON COLUMN public.quick_questions.claimed_by IS 'The mentor who took it: users.id.';

COMMENT ON COLUMN public.quick_questions.claimed_at IS 'When it was taken.';

COMMENT ON COLUMN public.quick_questions.first_claimed_at IS 'When a mentor first took it; stays when it is given back.';

COMMENT ON COLUMN public.quick_questions.answer IS 'The answer.';

COMMENT ON COLUMN public.quick_questions.completed_at IS 'When it was answered.';

COMMENT ON COLUMN public.quick_questions.rating IS 'What the student gave for it, 1 to 5.';

COMMENT ON COLUMN public.quick_questions.rating_comment IS 'What the student said of it.';

COMMENT ON COLUMN public.quick_questions.rated_at IS 'When.';

COMMENT ON COLUMN public.quick_questions.expires_at IS 'Until when it can be taken.';

COMMENT ON COLUMN public.quick_questions.created_at IS 'When it was asked.';

COMMENT ON COLUMN public.quick_questions.updated_at IS 'When it was last changed.';

CREATE FUNCTION private.ask_mentors(p_question public.quick_questions) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select public.queue_message(
    'quick_question', asked.mentor_id, 'question:' || p_question.id,
    jsonb_build_object(
      'student_name', coalesce(
        (select u.full_name from public.users as u where u.id = p_question.student_id), ''
      ),
      'title', p_question.title,
      'question', p_question.question,
      'topics', to_jsonb(p_question.topics),
      'claim_url', private.page_url('questions/' || p_question.id)
    ),
    5, null, p_question.expires_at
  )
  from (
    select f.mentor_id
    from private.mentors_for_question(p_question) as f (mentor_id)
    limit 5
  ) as asked
$$;

COMMENT ON FUNCTION private.ask_mentors(p_question public.quick_questions) IS 'Mails a question to the next five mentors whom it suits.';

CREATE FUNCTION private.ask_surveys(p_ids uuid[]) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with due as materialized (
    select d.* from private.due_surveys(p_ids) as d
  ),
  noted as (
    insert into public.match_surveys as s (match_id, user_id, period)
    select d.match_id, d.user_id, d.period from due as d order by d.match_id, d.user_id
    on conflict do nothing
    returning s.match_id, s.user_id, s.period
  ),
  mail as (
    select n.user_id, count(*) as surveys, jsonb_agg(
      jsonb_build_object(
        'about', concat_ws(
          ':', 'match', n.match_id,
          case n.period when 0 then 'final' else 'survey:' || n.period end
        ),
        'other_name', coalesce(o.full_name, ''),
        'comment_url', private.page_url('matches/' || n.match_id)
      ) order by o.full_name, n.match_id
    ) as listed
    from noted as n
    inner join due as d using (match_id, user_id, period)
    inner join public.users as o on o.id = d.other_id
    group by n.user_id
  ),
  queued as (
    select m.surveys, private.queue_surveys(m.user_id, m.listed) from mail as m
  )
  select jsonb_build_object('mails', count(*), 'surveys', coalesce(sum(q.surveys), 0))
  from queued as q
$$;

COMMENT ON FUNCTION private.ask_surveys(p_ids uuid[]) IS 'Asks these people what is due: how many mails, and surveys in them.';

CREATE FUNCTION private.asking_student() RETURNS uuid
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  me constant uuid := private.current_user_id();
begin
  if not exists (select from public.users as u where u.id = me and u.role = 'student') then
    raise exception 'Only students ask for a mentor.' using errcode = '42501';
  end if;
  if not exists (
    select from public.mentorship_profiles as p where p.user_id = me and p.role = 'student'
  ) then
    raise exception 'There is no profile of yours yet.'
      using errcode = 'MS026', hint = 'First: create_profile.';
  end if;
  return me;
end
$$;

COMMENT ON FUNCTION private.asking_student() IS 'The student who is signed in and has a profile; else an error.';

CREATE TABLE public.job_runs (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    job text NOT NULL,
    slot timestamp with time zone,
    status text DEFAULT 'queued'::text NOT NULL,
    params jsonb DEFAULT '{}'::jsonb NOT NULL,
    approved boolean DEFAULT false NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    max_attempts integer NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    worker text,
    lease_seconds integer NOT NULL,
    lease_expires_at timestamp with time zone,
    timeout_seconds integer NOT NULL,
    run_at timestamp with time zone DEFAULT now() NOT NULL,
    progress jsonb DEFAULT '{}'::jsonb NOT NULL,
    counts jsonb,
    error jsonb,
    requested_by text DEFAULT CURRENT_USER NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    claimed_at timestamp with time zone,
    finished_at timestamp with time zone,
    CONSTRAINT job_runs_attempt_range CHECK (((attempt >= 0) AND (attempt <= 1000000))),
    CONSTRAINT job_runs_attempts_range CHECK (((max_attempts >= 1) AND (max_attempts <= 100))),
    CONSTRAINT job_runs_fence_range CHECK (((fence >= 0) AND (fence <= '9007199254740992'::bigint))),
    CONSTRAINT job_runs_lease_range CHECK (((lease_seconds >= 5) AND (lease_seconds <= 86400))),
    CONSTRAINT job_runs_params_is_object CHECK ((jsonb_typeof(params) = 'object'::text)),
    CONSTRAINT job_runs_progress_is_object CHECK ((jsonb_typeof(progress) = 'object'::text)),
    CONSTRAINT job_runs_running_is_leased CHECK (((status <> 'running'::text) OR (lease_expires_at IS NOT NULL))),
    CONSTRAINT job_runs_status_known CHECK ((status = ANY (ARRAY['queued'::text, 'running'::text, 'awaiting_approval'::text, 'succeeded'::text, 'partial'::text, 'failed'::text, 'dead'::text, 'cancelled'::text]))),
    CONSTRAINT job_runs_timeout_range CHECK (((timeout_seconds >= 1) AND (timeout_seconds <= 604800))),
    CONSTRAINT job_runs_times_are_finite CHECK ((isfinite(slot) AND isfinite(run_at)))
);

COMMENT ON TABLE public.job_runs IS 'Runs of jobs, waiting, under way and past. Insert a row with `job` to run it.';

COMMENT ON COLUMN public.job_runs.id IS 'The run.';

COMMENT ON COLUMN public.job_runs.job IS 'Which job.';

COMMENT ON COLUMN public.job_runs.slot IS 'The scheduled time that this run stands for (UTC); empty for runs asked for by hand.';

COMMENT ON COLUMN public.job_runs.status IS 'queued, running, awaiting_approval, succeeded, partial, failed, dead or cancelled. Set it to cancelled to stop a run.';

COMMENT ON COLUMN public.job_runs.params IS 'Parameters, validated by the worker.';

COMMENT ON COLUMN public.job_runs.approved IS 'Set it to let a run that awaits approval do what it asked for.';

COMMENT ON COLUMN public.job_runs.attempt IS 'How often it was claimed.';

COMMENT ON COLUMN public.job_runs.max_attempts IS 'After so many claims it is dead; by default as job_schedules says.';

COMMENT ON COLUMN public.job_runs.fence IS 'Grows with every claim; a write must name the current one, so a stale worker writes nothing.';

COMMENT ON COLUMN public.job_runs.worker IS 'Who claimed it last: host, process, start.';

COMMENT ON COLUMN public.job_runs.lease_seconds IS 'How long a silent worker keeps it; by default as job_schedules says.';

COMMENT ON COLUMN public.job_runs.lease_expires_at IS 'When a silent worker loses it, by the clock of the database.';

COMMENT ON COLUMN public.job_runs.timeout_seconds IS 'How long one attempt may take; by default as job_schedules says.';

COMMENT ON COLUMN public.job_runs.run_at IS 'Not before this time.';

COMMENT ON COLUMN public.job_runs.progress IS 'How far it has come; a further attempt goes on here.';

COMMENT ON COLUMN public.job_runs.counts IS 'What came out, by kind.';

COMMENT ON COLUMN public.job_runs.error IS 'Why it failed, or waits: code, message, hint.';

COMMENT ON COLUMN public.job_runs.requested_by IS 'Who asked for it.';

COMMENT ON COLUMN public.job_runs.created_at IS 'When it was asked for.';

COMMENT ON COLUMN public.job_runs.started_at IS 'When it was first claimed.';

COMMENT ON COLUMN public.job_runs.claimed_at IS 'When it was last claimed.';

COMMENT ON COLUMN public.job_runs.finished_at IS 'When it ended, in whatever way.';

CREATE FUNCTION private.assert_run(p_run_id uuid, p_fence bigint) RETURNS public.job_runs
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  run public.job_runs;
begin
  update public.job_runs as r
  set lease_expires_at = clock_timestamp() + make_interval(secs => r.lease_seconds)
  where r.id = p_run_id and r.fence = p_fence and r.status = 'running'
  returning r.* into run;
  if not found then
    raise exception 'Run % is not yours any more; nothing was written.', p_run_id
      using errcode = 'MS001',
        hint = 'Another worker claimed it, or it was cancelled. See: mentor-sync run show '
          || p_run_id;
  end if;
  if run.claimed_at + make_interval(secs => run.timeout_seconds) < clock_timestamp() then
    raise exception 'Run % took longer than % seconds.', p_run_id, run.timeout_seconds
      using errcode = 'MS003',
        hint = 'It goes on from where it was. timeout_seconds is in job_schedules.';
  end if;
  perform set_config('mentor_sync.run_id', p_run_id::text, true);
  return run;
end
$$;

COMMENT ON FUNCTION private.assert_run(p_run_id uuid, p_fence bigint) IS 'Fence, heartbeat and lock in one: MS001 unless the caller still owns the run.';

CREATE FUNCTION private.assign_student(p_student_id uuid, p_mentor_id uuid) RETURNS public.matches
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  perform private.require_admin();
  return private.replace_mentor(
    p_student_id, p_mentor_id, 'Another mentor was assigned.', private.current_user_id()
  );
end
$$;

COMMENT ON FUNCTION private.assign_student(p_student_id uuid, p_mentor_id uuid) IS 'Gives a student this mentor, for those who may.';

CREATE FUNCTION private.assignment_settings() RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select private.matching_settings() || jsonb_build_object(
    'auto_assignment', exists (
      select from public.program_settings as s
      where s.key = 'auto_assignment' and s.value = 'true'::jsonb
    ),
    'good_units', round(private.decimal_setting('good_score', 70) * 10000),
    'offered', (
      select count(*) from public.mentorship_requests as r where r.status = 'offered'
    ),
    'rules', (
      select jsonb_object_agg(r.rule, private.rule_words(r.rule))
      from unnest(
        '{not_a_mentor,not_approved,inactive,paused,no_hours,silent,full,oneself,blocked,'
        'matched_before,already_offered,language,timezone}'::text[]
      ) as r (rule)
    )
  )
$$;

COMMENT ON FUNCTION private.assignment_settings() IS 'By what the engine assigns.';

CREATE FUNCTION private.auth_user_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET lock_timeout TO '2s'
    AS $$
begin
  if new.email_confirmed_at is not null and new.email is not null then
    perform private.link_auth_users(array[private.normalise_email(new.email)]);
  end if;
  return null;
exception
  when others then
    raise warning 'mentor_sync could not link an auth user: %', sqlerrm;
    return null;
end
$$;

COMMENT ON FUNCTION private.auth_user_changed() IS 'Trigger: a confirmed address links the Supabase Auth user to the person.';

CREATE FUNCTION private.auto_approve() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select coalesce(
    (select s.value = 'true'::jsonb from public.program_settings as s where s.key = 'auto_approve'),
    true
  )
$$;

COMMENT ON FUNCTION private.auto_approve() IS 'The switch auto_approve; on where the row is missing.';

CREATE FUNCTION private.batch_records(p_run_id uuid, p_request_ids uuid[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'request_id', b.request_id, 'student_id', b.student_id, 'student_name', u.full_name,
    'outcome', 'offered', 'mentors', offered.mentors
  ) order by p.place), '[]')
  from unnest(p_request_ids) with ordinality as p (id, place)
  cross join lateral (
    select x.* from public.match_batches as x
    where x.request_id = p.id and x.run_id = p_run_id
    order by x.number desc limit 1
  ) as b
  inner join public.users as u on u.id = b.student_id
  cross join lateral (
    select jsonb_agg(jsonb_build_object(
      'mentor_id', o.mentor_id,
      'name', (select m.full_name from public.users as m where m.id = o.mentor_id),
      'score', o.score, 'confidence', o.confidence, 'reasons', o.reasons
    ) order by o.rank) as mentors
    from public.match_offers as o
    where o.batch_id = b.id
  ) as offered
$$;

COMMENT ON FUNCTION private.batch_records(p_run_id uuid, p_request_ids uuid[]) IS 'What a run offered for these requests, for people to read.';

CREATE FUNCTION private.because(p_actor uuid, p_reason text) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select set_config(
    'mentor_sync.cause', jsonb_build_object('actor', p_actor, 'reason', p_reason)::text, true
  )
$$;

COMMENT ON FUNCTION private.because(p_actor uuid, p_reason text) IS 'Who changes matches from now on, in this transaction, and why.';

CREATE FUNCTION private.begin_alone(p_placing private."placing") RETURNS private."placing"
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform private.begin_match(
    p_placing.student_id, p_placing.mentor_id, 'primary', p_placing.request_id, null,
    round(p_placing.units / 10000.0, 2), p_placing.breakdown, null, 'Assigned by the programme.'
  )
  where p_placing.rule is null;
  return p_placing;
exception
  when others then
    p_placing.rule := 'failed';
    p_placing.reason := sqlerrm;
    return p_placing;
end
$$;

COMMENT ON FUNCTION private.begin_alone(p_placing private."placing") IS 'Matches one pair that no rule forbids; where that fails, it says why.';

CREATE FUNCTION private.begin_match(p_student_id uuid, p_mentor_id uuid, p_role text, p_request_id uuid, p_goals text[], p_score numeric, p_breakdown jsonb, p_actor uuid, p_reason text) RETURNS public.matches
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  request public.mentorship_requests;
  made public.matches;
begin
  perform private.lock_student(p_student_id, p_request_id);
  perform private.require_pair(p_student_id, p_mentor_id, p_role);
  request := private.answered_request(p_student_id, p_request_id, p_role);
  perform private.require_no_mentor(p_student_id, p_mentor_id, p_role);
  perform private.because(p_actor, p_reason);
  insert into public.matches as m (
    student_id, mentor_id, role, request_id, goals, score, breakdown
  )
  values (
    p_student_id, p_mentor_id, p_role, request.id, coalesce(p_goals, request.goals, '{}'), p_score,
    p_breakdown
  )
  returning m.* into made;
  perform set_config('mentor_sync.cause', '', true);
  perform private.close_request(request.id, 'matched', p_mentor_id) where request.id is not null;
  perform private.announce_match(made, p_actor);
  return made;
end
$$;

COMMENT ON FUNCTION private.begin_match(p_student_id uuid, p_mentor_id uuid, p_role text, p_request_id uuid, p_goals text[], p_score numeric, p_breakdown jsonb, p_actor uuid, p_reason text) IS 'Brings two together: the match. It answers the request given, or the open one of the student.';

CREATE FUNCTION private.begin_placings(p_pairs jsonb) RETURNS private."placing"[]
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  placings private.placing[];
begin
  perform private.lock_placings(
    array_agg((p.value ->> 'student_id')::uuid), array_agg((p.value ->> 'mentor_id')::uuid)
  )
  from jsonb_array_elements(p_pairs) as p (value);
  placings := array(select j from private.judged_placings(p_pairs) as j);
  begin
    perform private.begin_together(placings);
    return placings;
  exception
    -- One of them: which, is seen one by one.
    when others then null;
  end;
  return array(select private.begin_alone(p) from unnest(placings) as p order by p.place);
end
$$;

COMMENT ON FUNCTION private.begin_placings(p_pairs jsonb) IS 'Matches pairs: what became of each. One that fails does not keep the others.';

CREATE FUNCTION private.begin_together(p_placings private."placing"[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  made uuid[];
begin
  perform private.because(null, 'Assigned by the programme.');
  with begun as (
    insert into public.matches as m (student_id, mentor_id, request_id, goals, score, breakdown)
    select p.student_id, p.mentor_id, p.request_id, coalesce(r.goals, '{}'),
      round(p.units / 10000.0, 2), p.breakdown
    from unnest(p_placings) as p
    left join public.mentorship_requests as r on r.id = p.request_id
    where p.rule is null
    order by p.place
    returning m.id
  )
  select coalesce(array_agg(b.id), '{}') into made from begun as b;
  perform set_config('mentor_sync.cause', '', true);
  update public.mentorship_requests as r
  set status = 'matched', closed_at = now()
  from unnest(p_placings) as p
  where p.rule is null and r.id = p.request_id;
  perform private.note_stale(array(
    select p.student_id from unnest(p_placings) as p
    where p.rule is null and p.request_id is not null
  ));
  perform private.announce_match(m, null) from public.matches as m where m.id = any (made);
end
$$;

COMMENT ON FUNCTION private.begin_together(p_placings private."placing"[]) IS 'Matches all of these pairs that no rule forbids, or none where one fails.';

CREATE FUNCTION private.blocked_students() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select array(
    select b.student_id from public.blocked_pairs as b
    where b.mentor_id = (select private.current_user_id())
  )
$$;

COMMENT ON FUNCTION private.blocked_students() IS 'The students who are never brought together with the person who is signed in.';

CREATE FUNCTION private.blocking_rule(p_student_id uuid, p_mentor_id uuid, p_request_id uuid DEFAULT NULL::uuid) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select r.rule
  from private.pair_rules(array[p_student_id], array[p_mentor_id], array[p_request_id]) as r
$$;

COMMENT ON FUNCTION private.blocking_rule(p_student_id uuid, p_mentor_id uuid, p_request_id uuid) IS 'The hard rule that keeps these two apart; null: none does.';

CREATE FUNCTION private.calculate_match_score(p_student_id uuid, p_mentor_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  perform private.require_score(p_student_id, p_mentor_id);
  return private.score_pair(p_student_id, p_mentor_id, private.current_weights());
end
$$;

COMMENT ON FUNCTION private.calculate_match_score(p_student_id uuid, p_mentor_id uuid) IS 'The score of a pair, for those who may know it.';

CREATE FUNCTION private.calendar_feed(p_token uuid) RETURNS jsonb
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select coalesce(
    (
      select jsonb_build_object(
        'name', coalesce(u.full_name, ''),
        'timezone', private.known_zone(u.timezone),
        'meetings', coalesce(
          (
            select jsonb_agg(
              private.session_event(s) - 'attendees' || jsonb_build_object(
                'description', 'With ' || coalesce((
                  select o.full_name from public.users as o
                  where o.id = case s.mentor_id when u.id then s.user_id else s.mentor_id end
                ), '')
              ) order by s.scheduled_at, s.session_id
            )
            from public.mentorship_sessions as s
            where (s.mentor_id = u.id or s.user_id = u.id) and s.status <> 'PENDING'
              and s.scheduled_at between now() - interval '90 days' and now() + interval '2 years'
          ),
          '[]'
        )
      )
      from public.calendar_feeds as f
      inner join public.users as u on u.id = f.user_id
      where f.token = p_token
    ),
    '{}'
  )
$$;

COMMENT ON FUNCTION private.calendar_feed(p_token uuid) IS 'The calendar that a secret is of; else {}.';

CREATE FUNCTION private.cancel_question(p_id uuid) RETURNS public.quick_questions
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  cancelled public.quick_questions;
begin
  update public.quick_questions as q
  set status = 'cancelled'
  where q.id = p_id and q.status = 'open' and q.student_id = private.current_user_id()
  returning * into cancelled;
  if not found then
    perform private.refuse_question(
      p_id, 'Only who asked takes a question back, while it is open.',
      'A question that was taken is answered soon.'
    );
  end if;
  perform public.supersede_messages('question:' || p_id);
  return cancelled;
end
$$;

COMMENT ON FUNCTION private.cancel_question(p_id uuid) IS 'Takes back one''s own open question.';

CREATE FUNCTION private.cancel_request(p_request_id uuid) RETURNS public.mentorship_requests
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  request public.mentorship_requests;
begin
  select r.* into request from public.mentorship_requests as r
  where r.id = p_request_id for update;
  if not found then
    raise exception 'There is no request %.', p_request_id
      using errcode = 'MS011', hint = 'Give an id of the table mentorship_requests.';
  end if;
  if request.student_id is distinct from private.current_user_id()
    and not private.sees_everything()
  then
    raise exception 'This request is not yours.' using errcode = '42501';
  end if;
  if request.status not in ('open', 'offered') then
    raise exception 'The request is %.', request.status
      using errcode = 'MS024', hint = 'This is for requests that are open or offered.';
  end if;
  return private.close_request(p_request_id, 'cancelled');
end
$$;

COMMENT ON FUNCTION private.cancel_request(p_request_id uuid) IS 'Withdraws a request, for those who may.';

CREATE FUNCTION private.capacity_of(p_mentor_id uuid) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(
    (select t.capacity from public.mentors as t where t.person_id = p_mentor_id),
    private.number_setting('default_capacity', 20)
  )
$$;

COMMENT ON FUNCTION private.capacity_of(p_mentor_id uuid) IS 'How many students a mentor takes: as declared, or default_capacity.';

CREATE FUNCTION private.capacity_stats() RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'mentors', count(*),
    'declared', coalesce(sum(c.seats), 0),
    'used', coalesce(sum(c.taken), 0),
    'full_mentors', count(*) filter (where c.taken >= c.seats)
  )
  from (
    select
      coalesce(t.capacity, private.number_setting('default_capacity', 20)) as seats,
      coalesce(m.n, 0) as taken
    from public.mentors as t
    left join (
      select x.mentor_id, count(*) as n from public.matches as x
      where x.status in ('active', 'paused') and x.role in ('primary', 'substitute')
      group by x.mentor_id
    ) as m on m.mentor_id = t.person_id
    where t.is_approved and t.is_active
  ) as c
$$;

COMMENT ON FUNCTION private.capacity_stats() IS 'Seats of approved, active mentors, and how many are taken.';

CREATE FUNCTION private.change_log_kept() RETURNS interval
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select make_interval(days => coalesce((
    select (s.value #>> '{}')::integer from public.program_settings as s
    where s.key = 'change_log_days'
  ), 30))
$$;

COMMENT ON FUNCTION private.change_log_kept() IS 'How long a run can be undone.';

CREATE FUNCTION private.change_match(p_match_id uuid, p_from text[], p_to text, p_reason text, p_actor uuid) RETURNS public.matches
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  is_end constant boolean := p_to in ('completed', 'dissolved');
  changed public.matches;
begin
  perform private.lock_student(m.student_id) from public.matches as m where m.id = p_match_id;
  select m.* into changed from public.matches as m where m.id = p_match_id for update;
  if changed.id is null then
    raise exception 'There is no match %.', p_match_id
      using errcode = 'MS011', hint = 'Give an id of the table matches.';
  elsif changed.status <> all (p_from) then
    raise exception 'The match is %.', changed.status
      using errcode = 'MS027',
        hint = 'This is for matches that are ' || array_to_string(p_from, ' or ') || '.';
  end if;
  perform private.withdraw_match_mail(changed) where is_end;
  perform private.because(p_actor, p_reason);
  update public.matches as m
  set
    status = p_to,
    ended_at = case when is_end then now() end,
    end_reason = case when is_end then p_reason end
  where m.id = p_match_id
  returning m.* into changed;
  perform set_config('mentor_sync.cause', '', true);
  perform private.tell_of_end(changed, p_actor) where is_end;
  return changed;
end
$$;

COMMENT ON FUNCTION private.change_match(p_match_id uuid, p_from text[], p_to text, p_reason text, p_actor uuid) IS 'Takes a match from one of these states to another.';

CREATE FUNCTION private.change_run(p_run_id uuid, p_to text, p_from text[]) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  run public.job_runs;
begin
  select r.* into run from public.job_runs as r where r.id = p_run_id for update;
  if not found then
    raise exception 'There is no run %.', p_run_id
      using errcode = 'MS011', hint = 'See: mentor-sync run list';
  end if;
  if run.status <> all (p_from) then
    raise exception 'Run % is %.', p_run_id, run.status
      using errcode = 'MS004', hint = 'This is for runs that are ' || array_to_string(p_from, ', ');
  end if;
  update public.job_runs as r
  set status = case p_to when 'approved' then r.status else p_to end,
    approved = r.approved or p_to = 'approved',
    attempt = case p_to when 'queued' then 0 else r.attempt end,
    run_at = case p_to when 'queued' then clock_timestamp() else r.run_at end
  where r.id = p_run_id
  returning r.* into run;
  return to_jsonb(run);
end
$$;

COMMENT ON FUNCTION private.change_run(p_run_id uuid, p_to text, p_from text[]) IS 'Changes the state of a run, if it is in one of these states; MS004 otherwise.';

CREATE FUNCTION private.channel_for(p_user_id uuid, p_kind text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(
    (
      select p.channel from public.contact_preferences as p
      where p.user_id = p_user_id and p.kind in (p_kind, 'all')
      order by p.kind = 'all'
      limit 1
    ),
    'email'
  )
$$;

COMMENT ON FUNCTION private.channel_for(p_user_id uuid, p_kind text) IS 'How a person wants to be told this kind: by their choice for it, for all, or by e-mail.';

CREATE FUNCTION private.check_deferred() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  names constant text := (
    select string_agg(distinct format('%s.%I', c.connamespace::regnamespace, c.conname), ', ')
    from pg_catalog.pg_constraint as c
    where c.conrelid in ('public.mentors'::regclass, 'public.users'::regclass) and c.condeferred
  );
begin
  if names is not null then
    execute 'set constraints ' || names || ' immediate';
    execute 'set constraints ' || names || ' deferred';
  end if;
end
$$;

COMMENT ON FUNCTION private.check_deferred() IS 'Checks now what the tables mentors and users would check at the end of the transaction.';

CREATE FUNCTION private.check_match_health(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  ids uuid[];
  changes private.health_change[];
  counts jsonb;
begin
  if run.progress ? 'answer' and run.progress ->> 'after' is not distinct from p_after::text then
    return run.progress -> 'answer';
  end if;
  perform pg_advisory_xact_lock(hashtextextended('mentor_sync.check_match_health', 0));
  ids := array(
    select m.id from public.matches as m
    where m.status = 'active' and (p_after is null or m.id > p_after)
    order by m.id limit p_limit
  );
  begin
    changes := array(select c from private.health_changes(ids) as c);
    counts := jsonb_build_object(
      'changed', cardinality(changes),
      'unchanged', cardinality(ids) - cardinality(changes),
      'asked', private.queue_check_ins(changes),
      'escalated', private.escalate(changes),
      'recovered', (
        select count(*) from unnest(changes) as c
        where c.was_at_risk_since is not null and c.at_risk_since is null
      )
    );
    perform private.keep_health(changes);
    if p_dry_run then
      raise exception using errcode = 'MS000', message = 'dry run';
    end if;
  exception
    when sqlstate 'MS000' then null;
  end;
  return private.keep_progress(
    run, p_after, ids[cardinality(ids)], cardinality(ids), cardinality(ids) < p_limit, counts
  );
end
$$;

COMMENT ON FUNCTION private.check_match_health(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean) IS 'One chunk of the job check_match_health.';

CREATE FUNCTION private.check_overrides(p_overrides jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO ''
    AS $_$
declare
  channels constant jsonb := '["video", "phone", "chat", "email", "in_person"]';
begin
  if jsonb_typeof(p_overrides) = 'object' and not exists (
    select from jsonb_each(p_overrides) as o (name, list)
    where o.name not in
      ('career_goals', 'industries', 'research_interests', 'skills', 'channels')
      or jsonb_typeof(o.list) <> 'array'
      or o.name = 'channels' and not o.list <@ channels
      or case jsonb_typeof(o.list) when 'array' then jsonb_array_length(o.list) > 50 end
      or jsonb_path_exists(o.list, 'strict $[*] ? (@.type() != "string")', '{}', true)
  ) then
    return;
  end if;
  raise exception 'These preference overrides are none.'
    using errcode = 'MS012', hint = 'Give lists of texts, 50 at the most, by the names career_goals,'
      ' industries, research_interests, skills and channels: {"industries": ["law"]}.';
end
$_$;

COMMENT ON FUNCTION private.check_overrides(p_overrides jsonb) IS 'An error where preference overrides are not lists of texts by the names of the profile.';

CREATE FUNCTION private.claim_question(p_id uuid) RETURNS public.quick_questions
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  me constant uuid := private.current_user_id();
  claimed public.quick_questions;
begin
  if not private.answers_questions() then
    raise exception 'Only approved, active mentors take questions.' using errcode = '42501';
  end if;
  update public.quick_questions as q
  set
    status = 'claimed', claimed_by = me, claimed_at = now(),
    first_claimed_at = coalesce(q.first_claimed_at, now())
  where q.id = p_id and q.status = 'open' and q.expires_at > now() and q.student_id <> me
    and q.student_id <> all (private.blocked_students())
  returning * into claimed;
  if found then
    perform public.supersede_messages('question:' || p_id);
    perform private.tell_of_question(
      claimed, claimed.student_id, 'question_claimed', 'A mentor took your question'
    );
    return claimed;
  end if;
  select q.* into claimed from public.quick_questions as q
  where q.id = p_id and q.status = 'claimed' and q.claimed_by = me;
  if not found then
    perform private.refuse_question(
      p_id, 'The question cannot be taken any more.', 'See: get_open_questions.'
    );
  end if;
  return claimed;
end
$$;

COMMENT ON FUNCTION private.claim_question(p_id uuid) IS 'Takes an open question of somebody else.';

CREATE FUNCTION private.close_request(p_request_id uuid, p_status text, p_mentor_id uuid DEFAULT NULL::uuid) RETURNS public.mentorship_requests
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  closed public.mentorship_requests;
begin
  update public.mentorship_requests as r
  set status = p_status, closed_at = now()
  where r.id = p_request_id
  returning r.* into closed;
  perform private.supersede_offers(array(
    select o.id from public.match_offers as o
    where o.request_id = p_request_id and o.status = 'offered'
  ));
  update public.match_offers as o
  set
    status = case o.mentor_id when p_mentor_id then 'accepted' else 'withdrawn' end,
    answered_at = now()
  where o.request_id = p_request_id and o.status = 'offered';
  update public.match_batches as b
  set
    status = case when p_mentor_id is null then 'cancelled' else 'accepted' end,
    selected_by = p_mentor_id, selected_at = case when p_mentor_id is not null then now() end
  where b.request_id = p_request_id and b.status = 'offered';
  perform private.note_stale(array[closed.student_id]);
  return closed;
end
$$;

COMMENT ON FUNCTION private.close_request(p_request_id uuid, p_status text, p_mentor_id uuid) IS 'Ends a request, and with it what is still offered of it.';

CREATE FUNCTION private.compared_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET enable_nestloop TO 'off'
    AS $$
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

COMMENT ON FUNCTION private.compared_changed() IS 'Trigger: the terms of whom a statement changed are made again. Arguments: the column of the person, that of the key, then the columns that are compared.';

CREATE FUNCTION private.complete_match(p_match_id uuid, p_reason text) RETURNS public.matches
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  me constant uuid := private.current_user_id();
begin
  if not private.sees_everything() and not exists (
    select from public.matches as m
    where m.id = p_match_id and (m.student_id = me or m.mentor_id = me)
  ) then
    raise exception 'This match is not yours.' using errcode = '42501';
  end if;
  return private.without_health(private.end_match(p_match_id, 'completed', p_reason, me));
end
$$;

COMMENT ON FUNCTION private.complete_match(p_match_id uuid, p_reason text) IS 'Ends a match as completed, for those who may.';

CREATE FUNCTION private.complete_question(p_id uuid, p_answer text) RETURNS public.quick_questions
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  answered public.quick_questions;
begin
  if private.trim_space(coalesce(p_answer, '')) = '' then
    raise exception 'An answer says something.' using errcode = '22023', hint = 'Give p_answer.';
  end if;
  perform private.require_text_fits('p_answer', p_answer, 10000);
  update public.quick_questions as q
  set status = 'completed', answer = p_answer, completed_at = now()
  where q.id = p_id and q.status = 'claimed' and q.claimed_by = private.current_user_id()
  returning * into answered;
  if not found then
    perform private.refuse_question(
      p_id, 'Only who took a question answers it, and once.', 'Take it first: claim_question.'
    );
  end if;
  perform private.tell_of_question(
    answered, answered.student_id, 'question_completed', 'Your question was answered'
  );
  return answered;
end
$$;

COMMENT ON FUNCTION private.complete_question(p_id uuid, p_answer text) IS 'Answers a question that one took.';

CREATE FUNCTION private.complete_run() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  schedule public.job_schedules;
begin
  select s.* into schedule from public.job_schedules as s where s.job = new.job;
  new.max_attempts := coalesce(new.max_attempts, schedule.max_attempts, 3);
  new.lease_seconds := coalesce(new.lease_seconds, schedule.lease_seconds, 60);
  new.timeout_seconds := coalesce(new.timeout_seconds, schedule.timeout_seconds, 3600);
  return new;
end
$$;

COMMENT ON FUNCTION private.complete_run() IS 'Trigger: what a new run leaves open is as job_schedules says.';

CREATE TABLE public.term_aliases (
    alias text NOT NULL,
    term text NOT NULL,
    is_builtin boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT term_aliases_differ CHECK ((alias <> term)),
    CONSTRAINT term_aliases_fit CHECK ((((length(alias) >= 1) AND (length(alias) <= 100)) AND ((length(term) >= 1) AND (length(term) <= 100))))
);

COMMENT ON TABLE public.term_aliases IS 'Words that mean the same as a term: js is javascript. Add a row and profiles follow.';

COMMENT ON COLUMN public.term_aliases.alias IS 'The word, as private.normalise_term writes it.';

COMMENT ON COLUMN public.term_aliases.term IS 'What it means, likewise.';

COMMENT ON COLUMN public.term_aliases.is_builtin IS 'Whether it came with mentor_sync.';

COMMENT ON COLUMN public.term_aliases.created_at IS 'When it was added.';

CREATE FUNCTION private.confirm_alias(p_alias text, p_term text) RETURNS public.term_aliases
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  made public.term_aliases;
begin
  if not private.sees_everything() then
    raise exception 'Only admins may add aliases.' using errcode = '42501';
  end if;
  insert into public.term_aliases (alias, term) values (p_alias, p_term)
  on conflict (alias) do update set term = excluded.term
  returning * into made;
  return made;
end
$$;

COMMENT ON FUNCTION private.confirm_alias(p_alias text, p_term text) IS 'Adds an alias, for those who may.';

CREATE FUNCTION private.connected_people() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  return private.offered_people() || private.matched_people();
end
$$;

COMMENT ON FUNCTION private.connected_people() IS 'Students offered to the caller, and the other sides of the caller''s matches.';

CREATE FUNCTION private.count_calendar_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  new.calendar_sequence := old.calendar_sequence + 1;
  new.calendar_changed_at := now();
  return new;
end
$$;

COMMENT ON FUNCTION private.count_calendar_change() IS 'Trigger: one more change that calendars must hear of.';

CREATE FUNCTION private.count_mentees(p_ids uuid[]) RETURNS SETOF uuid
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with counted as materialized (
    select p.user_id, p.mentee_count, (
      select count(*) from public.matches as m
      where m.mentor_id = p.user_id and private.takes_seat(m.role, m.status)
    )::integer as now
    from public.mentorship_profiles as p
    where p.user_id = any (p_ids)
  ),
  written as (
    update public.mentorship_profiles as p
    set mentee_count = c.now
    from counted as c
    where p.user_id = c.user_id and c.mentee_count <> c.now
  )
  select c.user_id from counted as c where c.now > c.mentee_count
$$;

COMMENT ON FUNCTION private.count_mentees(p_ids uuid[]) IS 'Counts the students of mentors anew: those who have more than before.';

CREATE FUNCTION private.country_rates(p_least integer) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  with request as materialized (
    select r.id, r.status, nullif(private.normalise_term(u.country), '') as word,
      private.trim_space(u.country) as written
    from public.mentorship_requests as r
    inner join public.users as u on u.id = r.student_id
    where exists (select from public.match_batches as b where b.request_id = r.id)
  ),
  country as materialized (
    select w.word, private.meaning_of(w.word) as term, w.written
    from (
      select x.word, min(x.written) as written from request as x
      where x.word is not null group by x.word
    ) as w
  ),
  counted as (
    select
      c.term, coalesce(min(t.label), min(c.written)) as label,
      count(*) filter (where r.status not in ('open', 'offered')) as requests,
      count(*) filter (where r.status = 'matched') as matched,
      coalesce(sum(o.answered), 0) as offers,
      coalesce(sum(o.accepted), 0) as accepted
    from request as r
    inner join country as c on c.word = r.word
    left join public.match_terms as t on t.term = c.term
    cross join lateral (
      select
        count(*) filter (where x.status in ('accepted', 'declined', 'expired')) as answered,
        count(*) filter (where x.status = 'accepted') as accepted
      from public.match_offers as x where x.request_id = r.id
    ) as o
    group by c.term
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'country', c.label,
    'requests', case when c.requests >= p_least then c.requests end,
    'matched', case when c.requests >= p_least then c.matched end,
    'offers', case when c.offers >= p_least then c.offers end,
    'accepted', case when c.offers >= p_least then c.accepted end
  ) order by c.label, c.term), '[]')
  from counted as c
  where greatest(c.requests, c.offers) >= p_least
$$;

COMMENT ON FUNCTION private.country_rates(p_least integer) IS 'How many requests were matched and offers accepted, by country, where there are enough.';

CREATE FUNCTION private.create_manual_match(p_student_id uuid, p_mentor_id uuid, p_role text, p_reason text) RETURNS public.matches
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  perform private.require_admin();
  return private.begin_match(
    p_student_id, p_mentor_id, p_role, null, null, null, null, private.current_user_id(), p_reason
  );
end
$$;

COMMENT ON FUNCTION private.create_manual_match(p_student_id uuid, p_mentor_id uuid, p_role text, p_reason text) IS 'Matches two by hand, for those who may.';

CREATE FUNCTION private.create_notification(p_user_id uuid, p_type text, p_title text, p_message text, p_metadata jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  made uuid;
begin
  if not private.sees_everything() then
    raise exception 'Only admins may notify others.' using errcode = '42501';
  end if;
  insert into public.notifications (user_id, type, title, message, metadata)
  values (p_user_id, p_type, left(p_title, 300), coalesce(p_message, ''), coalesce(p_metadata, '{}'))
  returning id into made;
  return made;
end
$$;

COMMENT ON FUNCTION private.create_notification(p_user_id uuid, p_type text, p_title text, p_message text, p_metadata jsonb) IS 'Tells a person something, for those who may.';

CREATE FUNCTION private.current_user_id() RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select u.id from public.users as u where u.auth_user_id = (select auth.uid())
$$;

COMMENT ON FUNCTION private.current_user_id() IS 'The person who is signed in: users.id; null for anon and for people not linked yet.';

CREATE FUNCTION private.current_weights() RETURNS public.match_weights
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  current_row public.match_weights;
begin
  select w.* into current_row from public.match_weights as w where w.is_current;
  if not found then
    raise exception 'No row of match_weights is current.'
      using errcode = 'MS013', hint = 'Set is_current in one of them.';
  end if;
  return current_row;
end
$$;

COMMENT ON FUNCTION private.current_weights() IS 'The weights by which scores are made now.';

CREATE FUNCTION private.day_name(p_at timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD')
$$;

COMMENT ON FUNCTION private.day_name(p_at timestamp with time zone) IS 'The day, as reasons name it: one that stays the same tomorrow.';

CREATE FUNCTION private.day_of(p_match public.matches, p_at timestamp with time zone) RETURNS integer
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select floor(greatest(extract(epoch from p_at - p_match.started_at), 0) / 86400)::integer
$$;

COMMENT ON FUNCTION private.day_of(p_match public.matches, p_at timestamp with time zone) IS 'On which day of a match that is, from 0.';

CREATE FUNCTION private.days_since(p_at timestamp with time zone) RETURNS numeric
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select greatest(extract(epoch from now() - p_at), 0) / 86400
$$;

COMMENT ON FUNCTION private.days_since(p_at timestamp with time zone) IS 'So many days ago; the future is now.';

CREATE FUNCTION private.decimal_setting(p_key text, p_default numeric) RETURNS numeric
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(
    (
      select (s.value #>> '{}')::numeric from public.program_settings as s
      where s.key = p_key and jsonb_typeof(s.value) = 'number'
    ),
    p_default
  )
$$;

COMMENT ON FUNCTION private.decimal_setting(p_key text, p_default numeric) IS 'A number of program_settings, or the default where it is none.';

CREATE TABLE public.match_offers (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    batch_id uuid NOT NULL,
    request_id uuid NOT NULL,
    student_id uuid NOT NULL,
    mentor_id uuid NOT NULL,
    rank integer NOT NULL,
    units integer NOT NULL,
    score numeric(5,2) GENERATED ALWAYS AS (round(((units)::numeric / 10000.0), 2)) STORED NOT NULL,
    confidence integer NOT NULL,
    breakdown jsonb NOT NULL,
    reasons jsonb DEFAULT '[]'::jsonb NOT NULL,
    status text DEFAULT 'offered'::text NOT NULL,
    answered_at timestamp with time zone,
    announced_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT match_offers_confidence_range CHECK (((confidence >= 0) AND (confidence <= 100))),
    CONSTRAINT match_offers_rank_positive CHECK ((rank > 0)),
    CONSTRAINT match_offers_reasons_are_list CHECK ((jsonb_typeof(reasons) = 'array'::text)),
    CONSTRAINT match_offers_status_known CHECK ((status = ANY (ARRAY['offered'::text, 'accepted'::text, 'declined'::text, 'expired'::text, 'withdrawn'::text]))),
    CONSTRAINT match_offers_units_range CHECK (((units >= 0) AND (units <= 1000000)))
);

COMMENT ON TABLE public.match_offers IS 'Students offered to mentors, with score and reasons.';

COMMENT ON COLUMN public.match_offers.id IS 'The offer.';

COMMENT ON COLUMN public.match_offers.batch_id IS 'With which others it was made.';

COMMENT ON COLUMN public.match_offers.request_id IS 'The request.';

COMMENT ON COLUMN public.match_offers.student_id IS 'Who is offered: users.id.';

COMMENT ON COLUMN public.match_offers.mentor_id IS 'To whom: users.id.';

COMMENT ON COLUMN public.match_offers.rank IS 'Place in the batch: 1 suits best.';

COMMENT ON COLUMN public.match_offers.units IS 'The score in millionths of the whole.';

COMMENT ON COLUMN public.match_offers.score IS 'The score, 0 to 100.';

COMMENT ON COLUMN public.match_offers.confidence IS 'How much was known of both, in per cent of the weights.';

COMMENT ON COLUMN public.match_offers.breakdown IS 'The parts of the score, a factor each.';

COMMENT ON COLUMN public.match_offers.reasons IS 'Why, in words: a list.';

COMMENT ON COLUMN public.match_offers.status IS 'offered, accepted, declined, expired; withdrawn: another was quicker, or it became pointless.';

COMMENT ON COLUMN public.match_offers.answered_at IS 'When it was answered, or ended.';

COMMENT ON COLUMN public.match_offers.announced_at IS 'When the mentor was told.';

COMMENT ON COLUMN public.match_offers.created_at IS 'When it was made.';

CREATE FUNCTION private.decline_offer(p_offer_id uuid, p_reason text) RETURNS public.match_offers
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  offer public.match_offers := private.lock_offer(p_offer_id);
begin
  if offer.status = 'declined' then
    return private.without_rank(offer);
  end if;
  perform private.require_open(offer);
  update public.match_offers as o
  set status = 'declined', answered_at = now()
  where o.id = offer.id
  returning o.* into offer;
  insert into public.decline_reasons (offer_id, reason)
  select offer.id, left(private.trim_space(p_reason), 1000)
  where private.trim_space(p_reason) <> '';
  perform private.supersede_offers(array[offer.id]);
  perform private.reopen_exhausted(array[offer.batch_id]);
  return private.without_rank(offer);
end
$$;

COMMENT ON FUNCTION private.decline_offer(p_offer_id uuid, p_reason text) IS 'Declines an offer.';

CREATE FUNCTION private.departure(p_mentor text) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  leaver constant uuid := private.find_mentor(p_mentor);
  students uuid[];
  requests uuid[];
begin
  select
    coalesce(array_agg(m.student_id order by m.started_at, m.student_id), '{}'),
    coalesce(array_agg(m.request_id order by m.started_at, m.student_id), '{}')
  into students, requests
  from public.matches as m
  where m.mentor_id = leaver and m.role = 'primary' and m.status in ('active', 'paused');
  return jsonb_build_object(
    'mentor', private.packed_mentors(array[leaver]) || jsonb_build_object('quotas', '[0]'::jsonb),
    -- Who was asked for the request once may be asked again.
    'students', private.packed_students(students, requests) || jsonb_build_object(
      'forbidden', private.forbidden_pairs(students, '{}')
    ),
    'others', (
      select count(*) from public.matches as m
      where m.mentor_id = leaver and m.role <> 'primary' and m.status in ('active', 'paused')
    )
  );
end
$$;

COMMENT ON FUNCTION private.departure(p_mentor text) IS 'The answer of departure.';

CREATE FUNCTION private.departures(OUT stopping bigint, OUT active bigint) RETURNS record
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select
    count(*) filter (where not exists (
      select from public.members as m
      where m.id = u.member_id and m.is_active and private.is_mentor_type(m.membershiptype)
    )),
    count(*)
  from public.mentors as t
  inner join public.users as u on u.id = t.person_id
  where t.is_active and t.synced -> 'is_active' = 'true' and u.member_id is not null
$$;

COMMENT ON FUNCTION private.departures(OUT stopping bigint, OUT active bigint) IS 'How many active mentors a full sync would stop, and how many there are that it answers for.';

CREATE FUNCTION private.departures_allowed(p_active bigint) RETURNS bigint
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select greatest(10, floor(p_active * coalesce(
    (
      select s.max_change_ratio from public.job_schedules as s
      where s.job = 'sync_mentor_profiles'
    ), 0.2
  )))::bigint
$$;

COMMENT ON FUNCTION private.departures_allowed(p_active bigint) IS 'How many of so many mentors may stop at once without somebody being asked.';

CREATE FUNCTION private.derive_profiles(p_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.derive_profiles(p_ids uuid[]) IS 'Gives these mentors their profiles, and brings into them what the members changed.';

CREATE FUNCTION private.directory_page(p_expertise text, p_limit integer, p_offset bigint, OUT ids uuid[], OUT total bigint) RETURNS record
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  with listed as materialized (
    select t.id, t.rating, t.created_at
    from public.mentors as t
    cross join (
      select
        (select private.sees_everything()) as everything,
        (select private.current_user_id()) || (select private.matched_people()) as near
    ) as caller
    where (
      (t.is_approved and t.is_active) or caller.everything or t.person_id = any (caller.near)
    )
      and (
        p_expertise = ''
        or exists (
          select
          from jsonb_array_elements_text(
            case jsonb_typeof(t.expertise) when 'array' then t.expertise else '[]' end
          ) as word
          where strpos(lower(word), p_expertise) > 0
        )
      )
  )
  select
    array(
      select l.id from listed as l
      order by l.rating desc nulls last, l.created_at, l.id
      limit p_limit offset p_offset
    ),
    (select count(*) from listed)
$$;

COMMENT ON FUNCTION private.directory_page(p_expertise text, p_limit integer, p_offset bigint, OUT ids uuid[], OUT total bigint) IS 'The ids of one page of the directory, in its order, and how many mentors there are in all.';

CREATE FUNCTION private.dissolve_match(p_match_id uuid, p_reason text) RETURNS public.matches
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  ended public.matches;
begin
  perform private.require_admin();
  ended := private.end_match(p_match_id, 'dissolved', p_reason, private.current_user_id());
  perform private.announce_change(ended, null);
  return ended;
end
$$;

COMMENT ON FUNCTION private.dissolve_match(p_match_id uuid, p_reason text) IS 'Ends a match, for those who may.';

CREATE FUNCTION private.due_messages(p_limit integer) RETURNS TABLE(id uuid, verdict text, later timestamp with time zone)
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with candidate as materialized (
    select m.* from public.message_outbox as m
    where m.status = 'queued' and m.not_before <= now()
    order by m.priority desc, m.created_at, m.id
    limit p_limit
    for update skip locked
  ),
  judged as materialized (
    select
      c.id, c.recipient, c.priority, c.created_at, quiet.until,
      c.priority >= 8 or c.kind = 'digest' or c.data ?| array['ask', 'event']
      or coalesce(c.expires_at < now() + interval '24 hours', false) as stands_alone,
      case
        when c.expires_at < now() then 'expired'
        when exists (
          select from public.undeliverable_addresses as a
          where a.address = private.normalise_email(u.email)
        ) then 'failed'
        when c.priority < 8 and quiet.until is not null then 'quiet'
        else replace(private.route(c.kind, c.recipient, c.data), 'queued', 'sending')
      end as verdict
    from candidate as c
    inner join public.users as u on u.id = c.recipient
    left join public.contact_hours as h on h.user_id = c.recipient
    cross join lateral (
      select private.quiet_until(now(), u.timezone, h.quiet_from, h.quiet_until)
    ) as quiet (until)
  ),
  counted as (
    select
      j.*,
      row_number() over (
        partition by j.recipient, j.verdict order by j.priority desc, j.created_at, j.id
      ) + sent.n as place
    from judged as j
    cross join lateral (
      select count(*) as n from public.message_outbox as s
      where s.recipient = j.recipient and (
        s.sent_at > now() - interval '24 hours' or s.status in ('sending', 'uncertain')
      )
    ) as sent
  )
  select
    c.id,
    case
      when c.verdict = 'sending' and not c.stands_alone
        and c.place > private.number_setting('mail_daily_cap', 5) then 'digest'
      else c.verdict
    end,
    c.until
  from counted as c
$$;

COMMENT ON FUNCTION private.due_messages(p_limit integer) IS 'The next messages and what is to become of each: sending, expired, failed, quiet, digest, in_app or off.';

CREATE FUNCTION private.due_surveys(p_ids uuid[]) RETURNS TABLE(match_id uuid, user_id uuid, other_id uuid, period integer)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select m.id, p.id, m.other_id, d.period
  from (select private.survey_days() as days offset 0) as known
  cross join unnest(p_ids) as p (id)
  -- Each person's matches by their index, and not the people of every match.
  cross join lateral (
    select x.id, x.status, x.ended_at, x.mentor_id as other_id, x as row
    from public.matches as x where x.student_id = p.id
    union all
    select x.id, x.status, x.ended_at, x.student_id, x
    from public.matches as x where x.mentor_id = p.id
  ) as m
  cross join lateral (
    select case m.status
      when 'active' then private.survey_period(m.row, known.days) else 0
    end as period
    offset 0
  ) as d
  where (
    m.status = 'active' and d.period >= 1
    or m.status = 'completed' and m.ended_at > now() - interval '14 days'
  )
    and not exists (
      select from public.match_surveys as s
      where s.match_id = m.id and s.user_id = p.id and s.period = d.period
    )
    and not exists (
      select from public.mentorship_feedback as f
      where f.match_id = m.id and f.author_id = p.id and f.period = d.period
        and f.feedback_type = case d.period when 0 then 'final' else 'survey' end
    )
$$;

COMMENT ON FUNCTION private.due_surveys(p_ids uuid[]) IS 'The surveys that these people are to be asked now, and were not.';

CREATE FUNCTION private.end_match(p_match_id uuid, p_status text, p_reason text, p_actor uuid) RETURNS public.matches
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.change_match(p_match_id, '{pending,active,paused}', p_status, p_reason, p_actor)
$$;

COMMENT ON FUNCTION private.end_match(p_match_id uuid, p_status text, p_reason text, p_actor uuid) IS 'Ends a match: completed or dissolved.';

CREATE FUNCTION private.end_questions(p_limit integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  ended text[];
begin
  with late as materialized (
    select q.id from public.quick_questions as q
    where q.status = 'open' and q.expires_at <= now()
    order by q.expires_at
    limit p_limit
    for update skip locked
  ),
  expired as (
    update public.quick_questions as q
    set status = 'expired'
    from late as l
    where q.id = l.id
    returning q as question
  ),
  told as (
    select e.question, private.tell_of_question(
      e.question, (e.question).student_id, 'question_expired', 'Nobody took your question'
    )
    from expired as e
  )
  select coalesce(array_agg('question:' || (t.question).id), '{}') into ended from told as t;
  update public.message_outbox as m
  set
    status = case m.status when 'sending' then m.status else 'superseded' end,
    superseded_at = now()
  where m.kind = 'quick_question' and m.about = any (ended)
    and m.status in ('queued', 'digest', 'sending');
  return cardinality(ended);
end
$$;

COMMENT ON FUNCTION private.end_questions(p_limit integer) IS 'Ends open questions whose time is over: how many.';

CREATE FUNCTION private.escalate(p_changes private.health_change[]) RETURNS bigint
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with told as (
    select c.match_id, format(
      '%s with %s (%s)', coalesce(s.full_name, 'a student'), coalesce(t.full_name, 'a mentor'),
      case
        when c.mentor_left then 'the mentor is not active any more'
        when c.asks_for_help then 'asks for help'
        else 'health ' || c.score
      end
    ) as line, c.mentor_left
    from unnest(p_changes) as c
    inner join public.users as s on s.id = c.student_id
    inner join public.users as t on t.id = c.mentor_id
    where c.escalated_at is not null and c.escalated_at is distinct from c.was_escalated_at
  ),
  made as (
    insert into public.job_alerts (kind, job, message, hint)
    select
      'match_at_risk', 'check_match_health',
      format('Matches at risk: %s. ', count(*)) || array_to_string(
        (array_agg(t.line order by t.line, t.match_id))[:20], ', '
      ) || case when count(*) > 20 then ' and others' else '' end || '.',
      'See v_at_risk_matches.' || case when bool_or(t.mentor_left) then
        ' Who could take over from a mentor: mentor-sync simulate leave ADDRESS'
      else '' end
    from told as t
    having count(*) > 0
  )
  select count(*) from told
$$;

COMMENT ON FUNCTION private.escalate(p_changes private.health_change[]) IS 'Tells the admins of matches that are at risk for long, where somebody asks for help, or whose mentor left.';

CREATE FUNCTION private.expire_offers(p_limit integer) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  batches uuid[];
  counts jsonb;
begin
  batches := array(
    select b.id
    from public.match_batches as b
    inner join public.mentorship_requests as r on r.id = b.request_id
    where b.status = 'offered' and b.expires_at <= now()
    order by b.expires_at limit p_limit
    for update of r skip locked
  );
  -- Once more, now that nobody else answers them.
  batches := array(
    select b.id from public.match_batches as b where b.id = any (batches) and b.status = 'offered'
  );
  perform private.supersede_offers(array(
    select o.id from public.match_offers as o
    where o.batch_id = any (batches) and o.status = 'offered'
  ));
  with ended as (
    update public.match_batches as b
    set status = case
      when exists (
        select from public.match_offers as o where o.batch_id = b.id and o.status = 'declined'
      ) then 'exhausted'
      else 'expired'
    end
    where b.id = any (batches)
    returning b.request_id
  ),
  expired as (
    update public.match_offers as o
    set status = 'expired', answered_at = now()
    where o.batch_id = any (batches) and o.status = 'offered'
    returning o.id
  ),
  reopened as (
    update public.mentorship_requests as r
    set status = 'open'
    from ended as e
    where r.id = e.request_id and r.status = 'offered'
    returning r.id
  )
  select jsonb_build_object(
    'offers', (select count(*) from expired), 'reopened', (select count(*) from reopened)
  )
  into counts;
  return counts;
end
$$;

COMMENT ON FUNCTION private.expire_offers(p_limit integer) IS 'Ends offers that were not answered in time; their requests wait for the next mentors.';

CREATE FUNCTION private.expire_questions(p_limit integer DEFAULT 1000) RETURNS integer
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.reopen_questions(p_limit) + private.end_questions(p_limit)
$$;

COMMENT ON FUNCTION private.expire_questions(p_limit integer) IS 'Opens questions that were held too long, and ends those whose time is over: how many.';

CREATE FUNCTION private.expire_requests(p_limit integer) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  students uuid[];
begin
  with due as (
    select r.id from public.mentorship_requests as r
    where r.status = 'open' and r.expires_at <= now()
    order by r.expires_at limit p_limit
    for update skip locked
  ),
  expired as (
    update public.mentorship_requests as r
    set status = 'expired', closed_at = now()
    from due as d
    where r.id = d.id
    returning r.student_id
  )
  select coalesce(array_agg(e.student_id), '{}') into students from expired as e;
  -- What a student wrote keeps nobody else's request from ending.
  perform private.note_stale(students);
  return cardinality(students);
end
$$;

COMMENT ON FUNCTION private.expire_requests(p_limit integer) IS 'Gives up requests that waited too long: how many.';

CREATE FUNCTION private.expire_stale(p_run_id uuid, p_fence bigint, p_limit integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  ended jsonb;
  so_far jsonb;
begin
  ended := private.add_counts(
    private.expire_offers(p_limit), private.withdraw_pointless(p_limit)
  ) || jsonb_build_object(
    'requests', private.expire_requests(p_limit), 'questions', private.expire_questions(p_limit)
  );
  so_far := private.add_counts(coalesce(run.progress -> 'counts', '{}'), ended);
  update public.job_runs as r
  set progress = jsonb_build_object('counts', so_far)
  where r.id = p_run_id;
  return jsonb_build_object(
    'counts', so_far,
    'done', greatest(
      (ended -> 'reopened')::integer, (ended -> 'withdrawn')::integer,
      (ended -> 'requests')::integer, (ended -> 'questions')::integer
    ) < p_limit
  );
end
$$;

COMMENT ON FUNCTION private.expire_stale(p_run_id uuid, p_fence bigint, p_limit integer) IS 'One call of expire_stale.';

CREATE FUNCTION private.explain_match(p_student_id uuid, p_mentor_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  weights constant public.match_weights := private.current_weights();
  score jsonb;
  blocked_by constant text := private.told_rule(
    private.blocking_rule(p_student_id, p_mentor_id)
  );
  answer jsonb;
begin
  perform private.require_score(p_student_id, p_mentor_id);
  score := private.score_pair(p_student_id, p_mentor_id, weights);
  if not (private.sees_everything() or private.current_user_id() = p_student_id) then
    return score;
  end if;
  -- Of two who suit alike the lower id comes first.
  select jsonb_build_object(
    'rank', 1 + count(*) filter (where a.ahead),
    'of', count(*) filter (where a.mentor_id <> p_mentor_id) + 1,
    'best_total', greatest(round(max(a.units) / 10000.0, 2), (score ->> 'total')::numeric),
    'gives_up', greatest(round(max(a.units) / 10000.0, 2) - (score ->> 'total')::numeric, 0),
    'ahead', coalesce(
      jsonb_agg(jsonb_build_object(
        'mentor_id', a.mentor_id, 'mentor_name', a.full_name,
        'total', round(a.units / 10000.0, 2)
      ) order by a.rank) filter (where a.ahead and a.rank <= 3),
      '[]'
    )
  )
  into answer
  from (
    select x.*, u.full_name, x.mentor_id <> p_mentor_id
      and (x.units, p_mentor_id) > ((score ->> 'units')::integer, x.mentor_id) as ahead
    from private.allowed_mentors(p_student_id, weights) as x
    inner join public.users as u on u.id = x.mentor_id
  ) as a;
  return score || answer || jsonb_build_object(
    'rule', blocked_by, 'rule_in_words', private.rule_words(blocked_by)
  );
end
$$;

COMMENT ON FUNCTION private.explain_match(p_student_id uuid, p_mentor_id uuid) IS 'Why, or why not, these two; for those who may know.';

CREATE FUNCTION private.feedback_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  rated uuid[] := '{}';
begin
  if tg_op <> 'INSERT' then
    rated := array(select o.about_id from old_rows as o where o.author_role = 'student');
  end if;
  if tg_op <> 'DELETE' then
    rated := rated || array(select n.about_id from new_rows as n where n.author_role = 'student');
  end if;
  if tg_op = 'INSERT' then
    perform private.note_contact(array(
      select n.match_id from new_rows as n where private.is_contact(n)
    ));
  elsif tg_op = 'UPDATE' then
    perform private.note_contact(array(
      select n.match_id from new_rows as n
      inner join old_rows as o using (id)
      where private.is_contact(n) and n.author_id = private.current_user_id()
        and (n.rating, n.comment) is distinct from (o.rating, o.comment)
    ));
  end if;
  perform private.refresh_ratings(array(select distinct r.id from unnest(rated) as r (id)));
  return null;
end
$$;

COMMENT ON FUNCTION private.feedback_changed() IS 'Trigger: mentors are rated anew, and the two were heard of.';

CREATE FUNCTION private.feedback_stats(p_since timestamp with time zone) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'given', count(*),
    'mean_rating_by_students', round(avg(f.rating) filter (where f.author_role = 'student'), 2),
    'mean_rating_by_mentors', round(avg(f.rating) filter (where f.author_role = 'mentor'), 2),
    'surveys_answered', count(*) filter (where f.feedback_type = 'survey'),
    'survey_mails', (
      select count(*) from public.message_outbox as o
      where o.kind in ('feedback_survey', 'survey_digest') and o.created_at >= p_since
    )
  )
  from public.mentorship_feedback as f
  where f.created_at >= p_since
$$;

COMMENT ON FUNCTION private.feedback_stats(p_since timestamp with time zone) IS 'Feedback and surveys since then.';

CREATE FUNCTION private.find_mentor(p_mentor text) RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  named constant text := private.trim_space(p_mentor);
  found_ids uuid[];
begin
  found_ids := array(
    select u.id from public.users as u
    where (
      u.id::text = lower(named)
      or private.normalise_email(u.email) = private.normalise_email(named)
      or exists (
        select from public.mentors as t
        where t.person_id = u.id and (t.id::text = lower(named) or t.slug = named)
      )
    ) and (
      exists (select from public.mentors as t where t.person_id = u.id)
      or exists (select from public.matches as m where m.mentor_id = u.id)
    )
    limit 2
  );
  if cardinality(found_ids) = 2 then
    raise exception 'Several mentors are called %.', named
      using errcode = 'MS011', hint = 'Give the id: v_mentor_capacity has it.';
  elsif found_ids = '{}' then
    raise exception 'There is no mentor %.', named
      using errcode = 'MS011', hint = 'Give an id or an e-mail address: v_mentor_capacity has all.';
  end if;
  return found_ids[1];
end
$$;

COMMENT ON FUNCTION private.find_mentor(p_mentor text) IS 'The mentor of this id, address or slug: users.id.';

CREATE FUNCTION private.follow_primary(p_students uuid[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  update public.users as u
  set mentor_id = now.mentor_id
  from (
    select s.id, m.mentor_id
    from unnest(p_students) as s (id)
    left join public.matches as m
      on m.student_id = s.id and m.role = 'primary' and m.status in ('active', 'paused')
  ) as now
  where u.id = now.id and u.mentor_id is distinct from now.mentor_id
    and u.id::text is distinct from current_setting('mentor_sync.replacing', true)
$$;

COMMENT ON FUNCTION private.follow_primary(p_students uuid[]) IS 'Writes into users.mentor_id who mentors these students now.';

CREATE FUNCTION private.forbidden_pairs(p_students uuid[], p_requests uuid[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'places', coalesce(jsonb_agg(f.place - 1), '[]'),
    'mentors', coalesce(jsonb_agg(f.mentor_id), '[]')
  )
  from (
    select p.place, x.mentor_id
    from unnest(p_students, p_requests) with ordinality as p (student_id, request_id, place)
    cross join lateral (
      select b.mentor_id from public.blocked_pairs as b where b.student_id = p.student_id
      union
      select m.mentor_id from public.matches as m
      where m.student_id = p.student_id and not m.undone
      union
      select o.mentor_id from public.match_offers as o where o.request_id = p.request_id
    ) as x
  ) as f
$$;

COMMENT ON FUNCTION private.forbidden_pairs(p_students uuid[], p_requests uuid[]) IS 'Places of students, from 0 on, and mentors who are not for them; with the requests, if any.';

CREATE FUNCTION private.forbidden_then(p_batch_ids uuid[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'places', coalesce(jsonb_agg(f.place - 1), '[]'),
    'mentors', coalesce(jsonb_agg(f.mentor_id), '[]')
  )
  from (
    select p.place, x.mentor_id
    from unnest(p_batch_ids) with ordinality as p (id, place)
    inner join public.match_batches as b on b.id = p.id
    cross join lateral (
      select k.mentor_id from public.blocked_pairs as k
      where k.student_id = b.student_id and k.created_at < b.created_at
      union
      select m.mentor_id from public.matches as m
      where m.student_id = b.student_id and m.started_at < b.created_at
        and m.request_id is distinct from b.request_id
      union
      select o.mentor_id
      from public.match_offers as o
      inner join public.match_batches as earlier on earlier.id = o.batch_id
      where o.request_id = b.request_id and earlier.number < b.number
      union
      select b.student_id
    ) as x
  ) as f
$$;

COMMENT ON FUNCTION private.forbidden_then(p_batch_ids uuid[]) IS 'Places of batches, from 0 on, and mentors who could not be in them.';

CREATE FUNCTION private.forget_changes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  delete from public.job_changes as c
  where c.run_id in (select o.id from old_rows as o);
  return null;
end
$$;

COMMENT ON FUNCTION private.forget_changes() IS 'Trigger: what a run changed goes with the run.';

CREATE FUNCTION private.forget_departed(p_after uuid, p_until uuid, p_ids uuid[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  delete from public.sync_rejects as r
  where r.source = 'members'
    and r.source_id collate "C" > coalesce(p_after::text, '')
    and r.source_id collate "C" <= coalesce(p_until::text, 'g')
    and r.source_id not in (select present.id::text from unnest(p_ids) as present (id))
    and not exists (select from public.members as m where m.id = r.source_id::uuid offset 0)
$$;

COMMENT ON FUNCTION private.forget_departed(p_after uuid, p_until uuid, p_ids uuid[]) IS 'Forgets the rejects of members who were deleted, within a range of member ids.';

CREATE FUNCTION private.forget_stale(p_noted bigint[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  delete from private.stale_profiles as s
  where s.id in (
    select x.id from private.stale_profiles as x where x.id = any (p_noted) for update skip locked
  )
$$;

COMMENT ON FUNCTION private.forget_stale(p_noted bigint[]) IS 'Forgets notes that were dealt with; somebody else may just be forgetting some of them.';

CREATE FUNCTION private.get_all_matches(p_status text, p_mentor_id uuid, p_student_id uuid, p_health text, p_search text, p_role text) RETURNS TABLE(id uuid, role text, status text, student_id uuid, student_name text, student_email text, mentor_id uuid, mentor_name text, mentor_email text, score numeric, health_status text, health_score integer, started_at timestamp with time zone, ended_at timestamp with time zone, end_reason text, last_contact_at timestamp with time zone, at_risk_since timestamp with time zone, meetings bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  if not private.sees_everything() then
    raise exception 'Only admins see all matches.' using errcode = '42501';
  end if;
  return query
  select
    m.id, m.role, m.status, s.id, s.full_name, s.email, t.id, t.full_name, t.email,
    m.score, m.health_status, m.health_score, m.started_at, m.ended_at, m.end_reason,
    m.last_contact_at, m.at_risk_since, coalesce(held.n, 0)
  from public.matches as m
  inner join public.users as s on s.id = m.student_id
  inner join public.users as t on t.id = m.mentor_id
  left join (
    select x.match_id, count(*) as n from public.mentorship_sessions as x
    where x.status = 'COMPLETED' and not x.is_deleted and x.match_id is not null
    group by x.match_id
  ) as held on held.match_id = m.id
  where (p_status is null or m.status = p_status)
    and (p_mentor_id is null or m.mentor_id = p_mentor_id)
    and (p_student_id is null or m.student_id = p_student_id)
    and (p_health is null or m.health_status = p_health)
    and (p_role is null or m.role = p_role)
    and (p_search is null or private.is_named(p_search, s) or private.is_named(p_search, t))
  order by m.started_at desc, m.id;
end
$$;

COMMENT ON FUNCTION private.get_all_matches(p_status text, p_mentor_id uuid, p_student_id uuid, p_health text, p_search text, p_role text) IS 'The matches, for those who may see all.';

CREATE TABLE public.users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    full_name text,
    role text DEFAULT 'student'::text NOT NULL,
    status text DEFAULT 'Active'::text NOT NULL,
    auth_user_id uuid,
    legacy_user_id bigint,
    member_id uuid,
    mentor_id uuid,
    timezone text,
    country text,
    city text,
    contact_preference text,
    locale text,
    created_at timestamp with time zone DEFAULT now(),
    updated_at timestamp with time zone DEFAULT now(),
    CONSTRAINT users_role_known CHECK ((role = ANY (ARRAY['student'::text, 'mentor'::text, 'admin'::text, 'system'::text]))),
    CONSTRAINT users_status_known CHECK ((status = ANY (ARRAY['Active'::text, 'Inactive'::text, 'Passed out / Completed'::text])))
);

COMMENT ON TABLE public.users IS 'People: students, mentors, admins and system accounts.';

COMMENT ON COLUMN public.users.id IS 'The person, everywhere in mentor_sync.';

COMMENT ON COLUMN public.users.email IS 'Where the person is written to.';

COMMENT ON COLUMN public.users.full_name IS 'Name as shown.';

COMMENT ON COLUMN public.users.role IS 'student, mentor, admin or system.';

COMMENT ON COLUMN public.users.status IS 'Active, Inactive or Passed out / Completed.';

COMMENT ON COLUMN public.users.auth_user_id IS 'The Supabase Auth user who signs in as this person; linked once, by the confirmed address.';

COMMENT ON COLUMN public.users.legacy_user_id IS 'The account: users_user.id.';

COMMENT ON COLUMN public.users.member_id IS 'The member: members.id.';

COMMENT ON COLUMN public.users.mentor_id IS 'The mentor of this student: users.id.';

COMMENT ON COLUMN public.users.timezone IS 'IANA time zone, such as Europe/Berlin.';

COMMENT ON COLUMN public.users.country IS 'Country of residence.';

COMMENT ON COLUMN public.users.city IS 'City of residence.';

COMMENT ON COLUMN public.users.contact_preference IS 'How the person wishes to be reached.';

COMMENT ON COLUMN public.users.locale IS 'Language of messages, such as de; empty: English.';

COMMENT ON COLUMN public.users.created_at IS 'When the row was made.';

COMMENT ON COLUMN public.users.updated_at IS 'When something a person can see last changed.';

CREATE VIEW public.v_at_risk_matches WITH (security_invoker='on') AS
 SELECT m.id AS match_id,
    m.student_id,
    s.full_name AS student_name,
    m.mentor_id,
    t.full_name AS mentor_name,
    m.at_risk_since,
    m.escalated_at,
    m.last_contact_at,
    m.health_score,
    m.health_reasons
   FROM ((public.matches m
     JOIN public.users s ON ((s.id = m.student_id)))
     JOIN public.users t ON ((t.id = m.mentor_id)))
  WHERE ((m.status = 'active'::text) AND (m.at_risk_since IS NOT NULL));

COMMENT ON VIEW public.v_at_risk_matches IS 'Active matches that are at risk.';

COMMENT ON COLUMN public.v_at_risk_matches.match_id IS 'The match.';

COMMENT ON COLUMN public.v_at_risk_matches.student_id IS 'The student: users.id.';

COMMENT ON COLUMN public.v_at_risk_matches.student_name IS 'The student''s name.';

COMMENT ON COLUMN public.v_at_risk_matches.mentor_id IS 'The mentor: users.id.';

COMMENT ON COLUMN public.v_at_risk_matches.mentor_name IS 'The mentor''s name.';

COMMENT ON COLUMN public.v_at_risk_matches.at_risk_since IS 'Since when.';

COMMENT ON COLUMN public.v_at_risk_matches.escalated_at IS 'When admins were told of it.';

COMMENT ON COLUMN public.v_at_risk_matches.last_contact_at IS 'When the two were last heard of.';

COMMENT ON COLUMN public.v_at_risk_matches.health_score IS 'How well it goes, 0 to 100.';

COMMENT ON COLUMN public.v_at_risk_matches.health_reasons IS 'What made the score: [{"part", "points", "of", "why"}].';

CREATE FUNCTION private.get_at_risk_matches() RETURNS SETOF public.v_at_risk_matches
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  if not private.sees_everything() then
    raise exception 'Only admins may see which matches are at risk.' using errcode = '42501';
  end if;
  return query
  select v.* from public.v_at_risk_matches as v order by v.at_risk_since, v.match_id;
end
$$;

COMMENT ON FUNCTION private.get_at_risk_matches() IS 'The matches at risk, for those who may.';

CREATE FUNCTION private.get_dashboard_stats(p_days integer) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  since constant timestamptz := now() - make_interval(days => p_days);
begin
  if not private.sees_everything() then
    raise exception 'Only admins see the statistics.' using errcode = '42501';
  end if;
  if coalesce(p_days, 0) not between 1 and 3650 then
    raise exception 'p_days is 1 to 3650.' using errcode = 'MS012', hint = 'Ask for p_days=30.';
  end if;
  return jsonb_build_object(
    'days', p_days,
    'since', since,
    'requests', private.request_stats(since),
    'offers', private.offer_stats(since),
    'matches', private.match_stats(since),
    'capacity', private.capacity_stats(),
    'feedback', private.feedback_stats(since),
    'questions', private.question_stats(since)
  );
end
$$;

COMMENT ON FUNCTION private.get_dashboard_stats(p_days integer) IS 'How the programme does, for those who may see it.';

CREATE FUNCTION private.get_leaderboard(p_limit integer) RETURNS TABLE(rank integer, mentor_id uuid, name text, points integer, questions_completed integer, question_rating numeric, sessions_held integer, matches_completed integer)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  if coalesce(p_limit, 0) not between 1 and 1000 then
    raise exception 'p_limit is 1 to 1000.' using errcode = 'MS012', hint = 'Ask for p_limit=10.';
  end if;
  return query
  select
    b.rank, b.mentor_id, u.full_name, b.points, b.questions_completed, b.question_rating,
    b.sessions_held, b.matches_completed
  from public.mentor_leaderboard as b
  inner join public.mentors as t on t.person_id = b.mentor_id and t.is_approved and t.is_active
  inner join public.users as u on u.id = b.mentor_id
  order by b.rank, u.full_name, b.mentor_id
  limit p_limit;
end
$$;

COMMENT ON FUNCTION private.get_leaderboard(p_limit integer) IS 'The first of the leaderboard, by name.';

CREATE FUNCTION private.get_matches() RETURNS TABLE(id uuid, my_role text, role text, status text, other_id uuid, other_name text, other_email text, goals text[], score numeric, started_at timestamp with time zone, last_contact_at timestamp with time zone, ended_at timestamp with time zone, end_reason text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select
    m.id, case m.student_id when me.id then 'student' else 'mentor' end, m.role, m.status, o.id,
    o.full_name, case when m.status in ('active', 'paused') then private.trim_space(o.email) end,
    m.goals, m.score, m.started_at, m.last_contact_at, m.ended_at, m.end_reason
  from (select private.current_user_id()) as me (id)
  inner join public.matches as m on m.student_id = me.id or m.mentor_id = me.id
  inner join public.users as o
    on o.id = case m.student_id when me.id then m.mentor_id else m.student_id end
  order by m.ended_at desc nulls first, m.started_at desc, m.id
$$;

COMMENT ON FUNCTION private.get_matches() IS 'The matches of whoever is signed in.';

CREATE FUNCTION private.get_open_questions(p_topics text[]) RETURNS TABLE(id uuid, title text, question text, topics text[], student_name text, suits boolean, created_at timestamp with time zone, expires_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  me constant uuid := private.current_user_id();
  wanted constant text[] := array(select private.terms_of(p_topics));
  mine constant text[] := private.terms_of_mentor(me);
  blocked constant uuid[] := private.blocked_students();
begin
  if not (private.answers_questions() or private.sees_everything()) then
    raise exception 'Only approved, active mentors see open questions.' using errcode = '42501';
  end if;
  return query
  select
    q.id, q.title, q.question, q.topics, u.full_name, q.terms && mine as suits, q.created_at,
    q.expires_at
  from public.quick_questions as q
  inner join public.users as u on u.id = q.student_id
  where q.status = 'open' and q.expires_at > now() and q.student_id is distinct from me
    and q.student_id <> all (blocked)
    and (p_topics is null or q.terms && wanted)
  order by suits desc, q.created_at, q.id;
end
$$;

COMMENT ON FUNCTION private.get_open_questions(p_topics text[]) IS 'Open questions of others, those that suit the caller first.';

CREATE FUNCTION private.get_specialization_report() RETURNS TABLE(specialization text, mentors bigint, verified bigint, mean_level numeric, active_students bigint, mean_rating numeric)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  if not private.sees_everything() then
    raise exception 'Only admins read the report.' using errcode = '42501';
  end if;
  return query
  with had as (
    select s.mentor_id, s.specialization, s.verified, s.proficiency_level, t.rating,
      t.rating_count, coalesce(now_with.n, 0) as students
    from public.mentor_specializations as s
    inner join public.mentors as t on t.person_id = s.mentor_id and t.is_approved and t.is_active
    left join (
      select m.mentor_id, count(distinct m.student_id) as n
      from public.matches as m where m.status in ('active', 'paused')
      group by m.mentor_id
    ) as now_with on now_with.mentor_id = s.mentor_id
  )
  select
    min(private.trim_space(h.specialization)), count(distinct h.mentor_id),
    count(distinct h.mentor_id) filter (where h.verified), round(avg(h.proficiency_level), 2),
    sum(h.students)::bigint,
    round(sum(h.rating * h.rating_count) / nullif(sum(h.rating_count), 0), 2)
  from had as h
  group by lower(private.trim_space(h.specialization))
  order by 2 desc, 1;
end
$$;

COMMENT ON FUNCTION private.get_specialization_report() IS 'Each specialisation of listed mentors in numbers, for those who may.';

CREATE FUNCTION private.get_specializations(p_mentor_id uuid) RETURNS TABLE(id uuid, mentor_id uuid, specialization text, proficiency_level integer, certification_url text, verified boolean, created_at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select
    s.id, s.mentor_id, s.specialization, s.proficiency_level, s.certification_url, s.verified,
    s.created_at
  from public.mentor_specializations as s
  inner join public.mentors as t on t.person_id = s.mentor_id
  where s.mentor_id = p_mentor_id and (
    (t.is_approved and t.is_active)
    or t.person_id = (select private.current_user_id())
    or (select private.sees_everything())
  )
  order by s.verified desc, s.proficiency_level desc nulls last, s.specialization
$$;

COMMENT ON FUNCTION private.get_specializations(p_mentor_id uuid) IS 'What a mentor is good at, as far as the caller may see the mentor.';

CREATE FUNCTION private.hash_of_rest(p_row jsonb, p_logged text[]) RETURNS bigint
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select hashtextextended((p_row - p_logged - 'updated_at')::text, 0)
$$;

COMMENT ON FUNCTION private.hash_of_rest(p_row jsonb, p_logged text[]) IS 'Hash of the columns of a row that are not logged, but for when it was written.';

CREATE FUNCTION private.health_changes(p_ids uuid[]) RETURNS SETOF private.health_change
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select
    m.id, m.student_id, m.mentor_id, h.score, h.status, h.reasons, risk.since, risk.told,
    h.asks_for_help, h.mentor_left, m.last_contact_at, m.at_risk_since, m.escalated_at
  from private.match_health(p_ids) as h
  inner join public.matches as m on m.id = h.match_id and m.status = 'active'
  cross join lateral (
    select
      case when h.status = 'at_risk' then coalesce(m.at_risk_since, now()) end as since,
      case when h.status = 'at_risk' then coalesce(
        case when h.mentor_left and not m.health_reasons @> '[{"part": "mentor"}]' then now() end,
        m.escalated_at,
        case when h.asks_for_help or m.at_risk_since <= now() - make_interval(
          days => private.number_setting('escalate_days', 7)
        ) then now() end
      ) end as told
  ) as risk
  where (
    m.health_score, m.health_status, m.health_reasons, m.at_risk_since, m.escalated_at
  ) is distinct from (h.score, h.status, h.reasons, risk.since, risk.told)
$$;

COMMENT ON FUNCTION private.health_changes(p_ids uuid[]) IS 'Those of these matches whose rows are to be written.';

CREATE FUNCTION private.health_part(p_part text, p_share numeric, p_of integer, p_why text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'part', p_part, 'points', round(least(greatest(p_share, 0), 1) * p_of)::integer, 'of', p_of,
    'why', p_why
  )
$$;

COMMENT ON FUNCTION private.health_part(p_part text, p_share numeric, p_of integer, p_why text) IS 'A part of a health score: a share, 0 to 1, of so many points, and why.';

CREATE FUNCTION private.health_parts(p_signs private.match_signs, p_silence integer) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_array(
    private.health_part(
      'meetings',
      20.0 / 35 * case
        when p_signs.next_at is not null then 1
        when p_signs.met_at is null then 0
        else least(1, (3.0 * p_silence - private.days_since(p_signs.met_at)) / (2 * p_silence))
      end
      + 15.0 / 35 * least(
        1, p_signs.days_met
        / greatest(1, least(3, floor(private.days_since(p_signs.since) / p_silence)))
      ),
      35,
      concat_ws(
        '; ',
        coalesce('they last met on ' || private.day_name(p_signs.met_at), 'they have not met yet'),
        'meet next on ' || private.day_name(p_signs.next_at),
        p_signs.days_met || ' of the last ' || 3 * p_silence || ' days had a meeting'
      )
    ),
    private.health_part(
      'replies',
      1.5 * (p_silence - private.days_since(p_signs.heard_at)) / p_silence,
      25, 'last heard of on ' || private.day_name(p_signs.heard_at)
    ),
    private.health_part(
      'feedback', coalesce((p_signs.rating - 1) / 4, 0.6), 20,
      coalesce('the latest ratings are ' || round(p_signs.rating, 1) || ' of 5', 'no rating yet')
    ),
    private.health_part(
      'check_ins',
      case when p_signs.asks_for_help then 0 when p_signs.is_well then 1 else 0.6 end, 10,
      case
        when p_signs.asks_for_help then 'one of them asks for help'
        when p_signs.is_well then 'they say that all is well'
        else 'nobody was asked lately, or answered'
      end
    ),
    private.health_part(
      'goals',
      coalesce(1 - p_signs.overdue / nullif(p_signs.items, 0)::numeric, 0.6), 10,
      case p_signs.items
        when 0 then 'no action item has a date'
        else p_signs.overdue || ' of ' || p_signs.items || ' action items are overdue'
      end
    )
  )
$$;

COMMENT ON FUNCTION private.health_parts(p_signs private.match_signs, p_silence integer) IS 'The parts of a health score: [{"part", "points", "of", "why"}].';

CREATE FUNCTION private.held_back(p_ids uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  if cardinality(p_ids) <= 10
    or cardinality(p_ids) <= private.departures_allowed((private.departures()).active)
  then
    return '{}';
  end if;
  raise warning 'mentor_sync: % mentors left at once; they stay listed until a sync is approved.',
    cardinality(p_ids);
  insert into public.job_alerts (kind, job, message, hint)
  values (
    'held_back', 'sync_mentor_profiles',
    format('One statement made %s members stop being mentors.', cardinality(p_ids)),
    'Nothing has changed for the mentors. If it is meant: mentor-sync sync, then run approve.'
  );
  return p_ids;
end
$$;

COMMENT ON FUNCTION private.held_back(p_ids uuid[]) IS 'Those of the members who left that a trigger leaves to the next run: none, or all.';

CREATE FUNCTION private.hmac_pad(p_key bytea, p_byte integer) RETURNS bytea
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO ''
    AS $$
declare
  pad bytea := case when length(p_key) > 64 then sha256(p_key) else p_key end;
begin
  pad := pad || decode(repeat('00', 64 - length(pad)), 'hex');
  for i in 0..63 loop
    pad := set_byte(pad, i, get_byte(pad, i) # p_byte);
  end loop;
  return pad;
end
$$;

COMMENT ON FUNCTION private.hmac_pad(p_key bytea, p_byte integer) IS 'A key as HMAC-SHA256 uses it: there is no pgcrypto on every server that this builds on.';

CREATE FUNCTION private.holders_of(p_session_id uuid) RETURNS SETOF uuid
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select last.recipient
  from (
    select distinct on (m.recipient) m.recipient, m.data
    from public.message_outbox as m
    where m.kind = 'session_invite'
      and m.status in ('sending', 'uncertain', 'sent', 'bounced', 'complained')
      and starts_with(m.about, 'session:' || p_session_id || ':invite:')
    order by m.recipient, (m.data #>> '{event,sequence}')::integer desc
  ) as last
  where not (last.data -> 'is_cancelled')::boolean
$$;

COMMENT ON FUNCTION private.holders_of(p_session_id uuid) IS 'Who was told of a session and not of its end.';

CREATE FUNCTION private.hours_apart(p_zone text, p_other text) RETURNS numeric
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select least(d.hours, 24 - d.hours)
  from (
    select abs(private.zone_hours(p_zone) - private.zone_hours(p_other)) as hours
  ) as d
$$;

COMMENT ON FUNCTION private.hours_apart(p_zone text, p_other text) IS 'Hours between two time zones, the short way round; null where one is not known.';

CREATE FUNCTION private.hours_between(p_from timestamp with time zone, p_until timestamp with time zone) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select round(extract(epoch from p_until - p_from) / 3600, 1)
$$;

COMMENT ON FUNCTION private.hours_between(p_from timestamp with time zone, p_until timestamp with time zone) IS 'How many hours.';

CREATE FUNCTION private.is_admin() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select exists (
    select
    from public.users as u
    where u.auth_user_id = (select auth.uid()) and u.role = 'admin' and u.status = 'Active'
  )
$$;

COMMENT ON FUNCTION private.is_admin() IS 'Whether the person who is signed in is an active admin.';

CREATE TABLE public.mentorship_profiles (
    user_id uuid NOT NULL,
    role text NOT NULL,
    is_active boolean DEFAULT true NOT NULL,
    career_goals text[] DEFAULT '{}'::text[] NOT NULL,
    industries text[] DEFAULT '{}'::text[] NOT NULL,
    research_interests text[] DEFAULT '{}'::text[] NOT NULL,
    skills text[] DEFAULT '{}'::text[] NOT NULL,
    languages text[] DEFAULT '{}'::text[] NOT NULL,
    channels text[] DEFAULT '{}'::text[] NOT NULL,
    learning_style text,
    about text DEFAULT ''::text NOT NULL,
    available_hours numeric(4,1),
    availability jsonb DEFAULT '{}'::jsonb NOT NULL,
    preferences jsonb DEFAULT '{}'::jsonb NOT NULL,
    paused_until timestamp with time zone,
    mentee_count integer DEFAULT 0 NOT NULL,
    synced jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT mentorship_profiles_about_fits CHECK ((length(about) <= 5000)),
    CONSTRAINT mentorship_profiles_channels_known CHECK ((channels <@ '{video,phone,chat,email,in_person}'::text[])),
    CONSTRAINT mentorship_profiles_count_not_negative CHECK ((mentee_count >= 0)),
    CONSTRAINT mentorship_profiles_hours_fit CHECK (((available_hours >= (0)::numeric) AND (available_hours <= (168)::numeric))),
    CONSTRAINT mentorship_profiles_lists_fit CHECK (((cardinality(career_goals) <= 50) AND (cardinality(industries) <= 50) AND (cardinality(research_interests) <= 50) AND (cardinality(skills) <= 100) AND (cardinality(languages) <= 30))),
    CONSTRAINT mentorship_profiles_objects CHECK (((jsonb_typeof(availability) = ANY (ARRAY['object'::text, 'array'::text])) AND (jsonb_typeof(preferences) = 'object'::text))),
    CONSTRAINT mentorship_profiles_role_known CHECK ((role = ANY (ARRAY['student'::text, 'mentor'::text]))),
    CONSTRAINT mentorship_profiles_style_known CHECK ((learning_style = ANY (ARRAY['visual'::text, 'auditory'::text, 'kinesthetic'::text, 'mixed'::text])))
);

COMMENT ON TABLE public.mentorship_profiles IS 'What matching knows of students and mentors.';

COMMENT ON COLUMN public.mentorship_profiles.user_id IS 'The person: users.id.';

COMMENT ON COLUMN public.mentorship_profiles.role IS 'student or mentor.';

COMMENT ON COLUMN public.mentorship_profiles.is_active IS 'Off: neither offered nor matched.';

COMMENT ON COLUMN public.mentorship_profiles.career_goals IS 'What a student wants to reach; what a mentor helps to reach.';

COMMENT ON COLUMN public.mentorship_profiles.industries IS 'Fields of work.';

COMMENT ON COLUMN public.mentorship_profiles.research_interests IS 'Subjects of research.';

COMMENT ON COLUMN public.mentorship_profiles.skills IS 'What a student wants to learn, and what a mentor knows.';

COMMENT ON COLUMN public.mentorship_profiles.languages IS 'Languages spoken, as codes such as de.';

COMMENT ON COLUMN public.mentorship_profiles.channels IS 'How to meet: video, phone, chat, email, in_person.';

COMMENT ON COLUMN public.mentorship_profiles.learning_style IS 'visual, auditory, kinesthetic or mixed; of mentors, mentors.teaching_style goes before it.';

COMMENT ON COLUMN public.mentorship_profiles.about IS 'About the person, in their words.';

COMMENT ON COLUMN public.mentorship_profiles.available_hours IS 'Hours a week; a mentor with 0 is offered to nobody.';

COMMENT ON COLUMN public.mentorship_profiles.availability IS 'When the person can meet.';

COMMENT ON COLUMN public.mentorship_profiles.preferences IS 'Further wishes of the application.';

COMMENT ON COLUMN public.mentorship_profiles.paused_until IS 'Until when a mentor takes nobody new.';

COMMENT ON COLUMN public.mentorship_profiles.mentee_count IS 'Students that a mentor has now; kept by the matches.';

COMMENT ON COLUMN public.mentorship_profiles.synced IS 'What the sync last wrote. A value that differs from it was edited, and is left alone.';

COMMENT ON COLUMN public.mentorship_profiles.created_at IS 'When the row was made.';

COMMENT ON COLUMN public.mentorship_profiles.updated_at IS 'When it was last changed.';

CREATE FUNCTION private.is_as_derived(p_profile public.mentorship_profiles) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.is_as_derived(p_profile public.mentorship_profiles) IS 'Whether a profile holds nothing but what the sync made of the member.';

CREATE TABLE public.mentorship_feedback (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    match_id uuid,
    session_id uuid,
    author_id uuid NOT NULL,
    author_role text NOT NULL,
    about_id uuid,
    rating integer,
    comment text DEFAULT ''::text NOT NULL,
    feedback_type text DEFAULT 'general'::text NOT NULL,
    period integer DEFAULT 0 NOT NULL,
    is_shared boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT mentorship_feedback_comment_fits CHECK ((length(comment) <= 5000)),
    CONSTRAINT mentorship_feedback_of_one CHECK ((num_nonnulls(match_id, session_id) >= 1)),
    CONSTRAINT mentorship_feedback_period_not_negative CHECK ((period >= 0)),
    CONSTRAINT mentorship_feedback_rating_range CHECK (((rating >= 1) AND (rating <= 5))),
    CONSTRAINT mentorship_feedback_role_known CHECK ((author_role = ANY (ARRAY['student'::text, 'mentor'::text]))),
    CONSTRAINT mentorship_feedback_says_something CHECK (((rating IS NOT NULL) OR (comment <> ''::text))),
    CONSTRAINT mentorship_feedback_type_known CHECK ((feedback_type = ANY (ARRAY['survey'::text, 'meeting'::text, 'check_in'::text, 'final'::text, 'general'::text])))
);

COMMENT ON TABLE public.mentorship_feedback IS 'What people say of their match or a session.';

COMMENT ON COLUMN public.mentorship_feedback.id IS 'The feedback.';

COMMENT ON COLUMN public.mentorship_feedback.match_id IS 'The match that it is about.';

COMMENT ON COLUMN public.mentorship_feedback.session_id IS 'The session that it is about, if one.';

COMMENT ON COLUMN public.mentorship_feedback.author_id IS 'Who says it: users.id.';

COMMENT ON COLUMN public.mentorship_feedback.author_role IS 'student or mentor: what they are there.';

COMMENT ON COLUMN public.mentorship_feedback.about_id IS 'The other side: users.id.';

COMMENT ON COLUMN public.mentorship_feedback.rating IS '1 to 5.';

COMMENT ON COLUMN public.mentorship_feedback.comment IS 'The rest, in words; of a check-in: well or help.';

COMMENT ON COLUMN public.mentorship_feedback.feedback_type IS 'survey, meeting, check_in, final or general.';

COMMENT ON COLUMN public.mentorship_feedback.period IS 'Of a survey: the how many-eth of the match; of a check-in: on which of its days; otherwise 0.';

COMMENT ON COLUMN public.mentorship_feedback.is_shared IS 'Whether the other side may read it.';

COMMENT ON COLUMN public.mentorship_feedback.created_at IS 'When it was given.';

COMMENT ON COLUMN public.mentorship_feedback.updated_at IS 'When it was last changed.';

CREATE FUNCTION private.is_contact(p_feedback public.mentorship_feedback) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select p_feedback.feedback_type <> 'check_in' or p_feedback.comment <> 'help'
$$;

COMMENT ON FUNCTION private.is_contact(p_feedback public.mentorship_feedback) IS 'Whether feedback says that the two of a match are in contact.';

CREATE FUNCTION private.is_known_term(p_term text) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  return exists (select from public.term_aliases as a where a.alias = p_term)
    or exists (select from public.match_terms as t where t.term = p_term and t.is_known);
end
$$;

COMMENT ON FUNCTION private.is_known_term(p_term text) IS 'Whether a normalised word is in the vocabulary, so that it is found within sentences.';

CREATE FUNCTION private.is_mentor() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select exists (
    select from public.mentors as t where t.person_id = (select private.current_user_id())
  )
$$;

COMMENT ON FUNCTION private.is_mentor() IS 'Whether the person who is signed in is a mentor, approved or not.';

CREATE FUNCTION private.is_mentor_type(p_membershiptype text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
begin
  return coalesce(lower(private.trim_space(p_membershiptype)) = 'mentor', false);
end
$$;

COMMENT ON FUNCTION private.is_mentor_type(p_membershiptype text) IS 'Whether a membershiptype says mentor: trimmed, in any case.';

CREATE FUNCTION private.is_named(p_search text, p_person public.users) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select position(lower(p_search) in lower(concat_ws(' ', p_person.full_name, p_person.email))) > 0
$$;

COMMENT ON FUNCTION private.is_named(p_search text, p_person public.users) IS 'Whether name or address of a person has this in it.';

CREATE FUNCTION private.is_rows_fault(p_code text, p_context text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select left(p_code, 2) not in ('40', '53', '55', '57', '58', 'XX')
    or split_part(p_context, chr(10), 1) ~ '^PL/pgSQL.*\mRAISE\M'
$$;

COMMENT ON FUNCTION private.is_rows_fault(p_code text, p_context text) IS 'Whether an error lies in the rows, so that the others can go on without the one at fault.';

CREATE FUNCTION private.is_signed_by(p_key text, p_headers jsonb, p_body text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select coalesce(
    abs(extract(epoch from clock_timestamp()) - (p_headers ->> 'svix-timestamp')::bigint) < 300
    and exists (
      select from regexp_split_to_table(p_headers ->> 'svix-signature', '\s+') as given (signature)
      where sha256(convert_to(given.signature, 'UTF8')) = sha256(convert_to(
        'v1,' || encode(
          private.signature(
            p_key, convert_to(
              (p_headers ->> 'svix-id') || '.' || (p_headers ->> 'svix-timestamp') || '.' || p_body,
              'UTF8'
            )
          ), 'base64'
        ), 'UTF8'
      ))
    ),
    false
  )
$$;

COMMENT ON FUNCTION private.is_signed_by(p_key text, p_headers jsonb, p_body text) IS 'Whether one of the signatures in the headers is of this body, by this key, and not older than five minutes.';

CREATE FUNCTION private.is_student_now(p_user_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.is_student_now(p_user_id uuid) IS 'Whether a person has a mentor or looks for one.';

CREATE FUNCTION private.is_undo() RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select exists (
    select from public.job_runs as r
    where r.id = nullif(current_setting('mentor_sync.run_id', true), '')::uuid
      and r.job = 'undo_run'
  )
$$;

COMMENT ON FUNCTION private.is_undo() IS 'Whether a run takes back what another one did.';

CREATE FUNCTION private.judged_placings(p_pairs jsonb) RETURNS SETOF private."placing"
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  with given as materialized (
    select p.*
    from rows from (jsonb_to_recordset(p_pairs) as (
      student_id uuid, mentor_id uuid, request_id uuid, units integer, breakdown jsonb
    )) with ordinality as p (student_id, mentor_id, request_id, units, breakdown, place)
  ),
  judged as materialized (
    select r.place, r.rule
    from (
      select
        array_agg(g.student_id order by g.place) as students,
        array_agg(g.mentor_id order by g.place) as mentors,
        array_agg(g.request_id order by g.place) as requests
      from given as g
    ) as l
    cross join lateral private.pair_rules(l.students, l.mentors, l.requests) as r
  ),
  ruled as (
    select g.*, case
      when exists (
        select from public.matches as m
        where m.student_id = g.student_id and m.role = 'primary' and m.status in ('active', 'paused')
      ) then 'has_mentor'
      when r.id is distinct from g.request_id or r.status <> 'open' then 'request_changed'
      else j.rule
    end as rule
    from given as g
    inner join judged as j on j.place = g.place
    left join public.mentorship_requests as r
      on r.student_id = g.student_id and r.status in ('open', 'offered')
  ),
  numbered as (
    select x.*,
      row_number() over (partition by x.mentor_id, x.rule is null order by x.place) as seat
    from ruled as x
  )
  select n.place::integer, n.student_id, n.mentor_id, n.request_id, n.units, n.breakdown,
    coalesce(n.rule, case when n.seat > s.effective - s.taken then 'full' end), null
  from numbered as n
  inner join private.mentor_states(array(select distinct g.mentor_id from given as g)) as s
    on s.mentor_id = n.mentor_id
  order by n.place
$$;

COMMENT ON FUNCTION private.judged_placings(p_pairs jsonb) IS 'Pairs to be matched, each with the rule that forbids it by now, if any.';

CREATE FUNCTION private.keep_feedback(p_match public.matches, p_author uuid, p_rating integer, p_comment text, p_type text, p_period integer, p_session_id uuid, p_is_shared boolean) RETURNS uuid
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  insert into public.mentorship_feedback as f (
    match_id, session_id, author_id, author_role, about_id, rating, comment, feedback_type, period,
    is_shared
  )
  values (
    p_match.id, p_session_id, p_author, private.side_of(p_match, p_author),
    case p_author when p_match.student_id then p_match.mentor_id else p_match.student_id end,
    p_rating, coalesce(p_comment, ''), p_type, p_period, coalesce(p_is_shared, false)
  )
  on conflict (match_id, author_id, feedback_type, period, session_id)
  where feedback_type <> 'general'
  do update set
    rating = coalesce(excluded.rating, f.rating),
    comment = coalesce(nullif(excluded.comment, ''), f.comment),
    is_shared = coalesce(p_is_shared, f.is_shared)
  returning f.id
$$;

COMMENT ON FUNCTION private.keep_feedback(p_match public.matches, p_author uuid, p_rating integer, p_comment text, p_type text, p_period integer, p_session_id uuid, p_is_shared boolean) IS 'Keeps feedback of one side; what was said of the same before is corrected.';

CREATE FUNCTION private.keep_health(p_changes private.health_change[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select public.supersede_messages(
    private.risk_about(c.match_id, c.was_at_risk_since), array['health_check_in']
  )
  from unnest(p_changes) as c
  where c.was_at_risk_since is not null and (c.at_risk_since is null or c.mentor_left);
  update public.matches as m
  set
    health_score = c.score, health_status = c.status, health_reasons = c.reasons,
    health_checked_at = now(), at_risk_since = c.at_risk_since, escalated_at = c.escalated_at
  from unnest(p_changes) as c
  where m.id = c.match_id and m.status = 'active'
$$;

COMMENT ON FUNCTION private.keep_health(p_changes private.health_change[]) IS 'Writes the health of matches; what was not sent yet about a risk that is over is not sent.';

CREATE FUNCTION private.keep_progress(p_run public.job_runs, p_after uuid, p_cursor uuid, p_read integer, p_done boolean, p_counts jsonb) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with answer (value) as (
    values (jsonb_build_object(
      'cursor', p_cursor, 'done', p_done, 'read', p_read, 'counts', p_counts
    ))
  )
  update public.job_runs as r
  set progress = jsonb_build_object(
    'after', p_after, 'cursor', p_cursor, 'done', p_done,
    'read', coalesce((p_run.progress ->> 'read')::bigint, 0) + p_read,
    'counts', private.add_counts(coalesce(p_run.progress -> 'counts', '{}'), p_counts),
    'answer', a.value
  )
  from answer as a
  where r.id = p_run.id
  returning a.value
$$;

COMMENT ON FUNCTION private.keep_progress(p_run public.job_runs, p_after uuid, p_cursor uuid, p_read integer, p_done boolean, p_counts jsonb) IS 'Notes in its run what a chunk did: the answer of the call.';

CREATE FUNCTION private.keep_rejects(p_ids uuid[], p_outcomes private.sync_outcome[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    SET enable_nestloop TO 'off'
    AS $$
  delete from public.sync_rejects as r
  where r.source = 'members'
    and r.source_id in (select p.id::text from unnest(p_ids) as p (id))
    and r.source_id not in (
      select o.member_id::text from unnest(p_outcomes) as o where o.outcome = 'rejected'
    );
  insert into public.sync_rejects as r (source, source_id, reason, code)
  select 'members', o.member_id::text, o.reason, o.code
  from unnest(p_outcomes) as o
  where o.outcome = 'rejected'
  on conflict (source, source_id) do update
  set reason = excluded.reason, code = excluded.code, rejected_at = now()
  where (r.reason, r.code) is distinct from (excluded.reason, excluded.code);
$$;

COMMENT ON FUNCTION private.keep_rejects(p_ids uuid[], p_outcomes private.sync_outcome[]) IS 'Notes the members that were rejected now, and forgets those that no longer are.';

CREATE FUNCTION private.keep_terms(p_terms text[], p_labels text[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  insert into public.match_terms (term, label)
  select w.term, coalesce(max(w.label), w.term)
  from unnest(p_terms, p_labels) as w (term, label)
  where not exists (select from public.match_terms as t where t.term = w.term)
  group by w.term
  order by w.term
  on conflict (term) do nothing
$$;

COMMENT ON FUNCTION private.keep_terms(p_terms text[], p_labels text[]) IS 'Gives terms that are new their ids.';

CREATE FUNCTION private.kind_enabled(p_kind text) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(
    (
      select s.value <> 'false'::jsonb from public.program_settings as s
      where s.key = case p_kind
        when 'new_student' then 'NEW_STUDENT_ASSIGNMENT'
        when 'submission_received' then 'PENDING_SUBMISSION_REMINDER'
        when 'milestone' then 'STUDENT_MILESTONE_ACHIEVED'
        when 'session_reminder' then 'SESSION_REMINDERS'
        when 'overdue_feedback' then 'OVERDUE_FEEDBACK_ALERT'
      end
    ),
    true
  )
$$;

COMMENT ON FUNCTION private.kind_enabled(p_kind text) IS 'Whether the programme sends this kind at all: the switches in program_settings.';

CREATE FUNCTION private.known_phrases(p_normalised text) RETURNS SETOF text
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  words constant text[] := string_to_array(p_normalised, ' ');
  place integer := 1;
  size integer;
  phrase text;
begin
  while place <= cardinality(words) loop
    size := least(4, cardinality(words) - place + 1);
    while size > 0 loop
      phrase := array_to_string(words[place : place + size - 1], ' ');
      -- Words of their own in any sentence; alone they mean the skill or the country.
      exit when phrase <> all ('{it,us,go,r,pm}'::text[]) and private.is_known_term(phrase);
      size := size - 1;
    end loop;
    if size > 0 then
      return next private.meaning_of(phrase);
    end if;
    place := place + greatest(size, 1);
  end loop;
end
$$;

COMMENT ON FUNCTION private.known_phrases(p_normalised text) IS 'The terms of the vocabulary that a normalised sentence names.';

CREATE FUNCTION private.known_zone(p_zone text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  perform now() at time zone p_zone;
  return coalesce(p_zone, 'UTC');
exception
  when invalid_parameter_value then
    return 'UTC';
end
$$;

COMMENT ON FUNCTION private.known_zone(p_zone text) IS 'The time zone, or UTC where it is none.';

CREATE TABLE public.mentor_leaderboard (
    mentor_id uuid NOT NULL,
    rank integer NOT NULL,
    points integer NOT NULL,
    questions_completed integer DEFAULT 0 NOT NULL,
    question_rating numeric(3,2),
    sessions_held integer DEFAULT 0 NOT NULL,
    matches_completed integer DEFAULT 0 NOT NULL,
    refreshed_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.mentor_leaderboard IS 'Mentors by what they gave; the job refresh_leaderboard keeps it.';

COMMENT ON COLUMN public.mentor_leaderboard.mentor_id IS 'The mentor: users.id.';

COMMENT ON COLUMN public.mentor_leaderboard.rank IS 'Place: 1 has most points; equal points share it.';

COMMENT ON COLUMN public.mentor_leaderboard.points IS 'See private.leaderboard_points.';

COMMENT ON COLUMN public.mentor_leaderboard.questions_completed IS 'Questions answered.';

COMMENT ON COLUMN public.mentor_leaderboard.question_rating IS 'Their mean rating; empty: unrated.';

COMMENT ON COLUMN public.mentor_leaderboard.sessions_held IS 'Sessions and meetings held.';

COMMENT ON COLUMN public.mentor_leaderboard.matches_completed IS 'Matches completed in which they met.';

COMMENT ON COLUMN public.mentor_leaderboard.refreshed_at IS 'When the row last changed.';

CREATE FUNCTION private.leaderboard() RETURNS SETOF public.mentor_leaderboard
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  with counted as (
    select
      t.person_id,
      private.leaderboard_points(q.answered, q.stars, s.held, m.completed) as points,
      coalesce(q.answered, 0)::integer as answered, q.rating,
      coalesce(s.held, 0)::integer as held, coalesce(m.completed, 0)::integer as completed
    from public.mentors as t
    left join (
      select
        x.claimed_by, count(*) as answered, round(avg(x.rating), 2) as rating,
        sum(greatest(x.rating - 3, 0)) as stars
      from public.quick_questions as x where x.status = 'completed'
      group by x.claimed_by
    ) as q on q.claimed_by = t.person_id
    left join (
      select x.mentor_id, count(*) as held
      from public.mentorship_sessions as x where x.status = 'COMPLETED' and not x.is_deleted
      group by x.mentor_id
    ) as s on s.mentor_id = t.person_id
    left join (
      select x.mentor_id, count(*) as completed
      from public.matches as x
      where x.status = 'completed' and exists (
        select from public.mentorship_sessions as y
        where y.match_id = x.id and y.status = 'COMPLETED' and not y.is_deleted
      )
      group by x.mentor_id
    ) as m on m.mentor_id = t.person_id
    where t.is_approved and t.is_active and t.person_id is not null
  )
  select
    c.person_id, (rank() over (order by c.points desc))::integer, c.points, c.answered, c.rating,
    c.held, c.completed, now()
  from counted as c
  where c.points > 0
$$;

COMMENT ON FUNCTION private.leaderboard() IS 'The leaderboard as it should be: approved, active mentors with points; equals share a rank.';

CREATE FUNCTION private.leaderboard_points(p_questions bigint, p_stars bigint, p_sessions bigint, p_matches bigint) RETURNS integer
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select (
    10 * coalesce(p_questions, 0) + 2 * coalesce(p_stars, 0) + 5 * coalesce(p_sessions, 0)
    + 30 * coalesce(p_matches, 0)
  )::integer
$$;

COMMENT ON FUNCTION private.leaderboard_points(p_questions bigint, p_stars bigint, p_sessions bigint, p_matches bigint) IS 'Points: 10 a question answered, and 2 for each star above three that its rating has; 5 a session or meeting held; 30 a match completed in which they met.';

CREATE FUNCTION private.limit_waits(p_deadline timestamp with time zone) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select set_config(
    'lock_timeout',
    greatest(1, least(
      2000, floor(extract(epoch from p_deadline - clock_timestamp()) * 1000 / 2)
    ))::text,
    true
  )
$$;

COMMENT ON FUNCTION private.limit_waits(p_deadline timestamp with time zone) IS 'Sets how long this function and what it calls wait for a lock: 2 seconds at the most.';

CREATE FUNCTION private.link_auth_users(p_addresses text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
  with one_auth_user as (
    select wanted.address, (array_agg(a.id))[1] as auth_user_id
    from unnest(p_addresses) as wanted (address)
    cross join lateral (
      select u.id, u.email_confirmed_at, u.is_anonymous
      from auth.users as u
      -- The instance is a constant on Supabase; naming it lets the index serve.
      where u.instance_id = '00000000-0000-0000-0000-000000000000'
        and lower(u.email::text) = wanted.address
      limit 2
    ) as a
    where wanted.address <> ''
    group by wanted.address
    having count(*) = 1
      and bool_and(a.email_confirmed_at is not null and a.is_anonymous is not true)
  ),
  one_person as (
    select o.auth_user_id, (array_agg(p.id))[1] as id
    from one_auth_user as o
    cross join lateral (
      select u.id from public.users as u
      where private.normalise_email(u.email) = o.address
      limit 2
    ) as p
    group by o.auth_user_id
    having count(*) = 1
  )
  update public.users as u
  set auth_user_id = o.auth_user_id
  from one_person as o
  where u.id = o.id
    and u.auth_user_id is null
    and u.role in ('student', 'mentor')
    and not exists (select from public.users as t where t.auth_user_id = o.auth_user_id)
$$;

COMMENT ON FUNCTION private.link_auth_users(p_addresses text[]) IS 'Links the Supabase Auth users with these normalised addresses to people, where that is safe.';

CREATE FUNCTION private.location_terms(p_country text, p_city text, p_zone text) RETURNS TABLE(term text, label text)
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.location_terms(p_country text, p_city text, p_zone text) IS 'Country, city, region and bands of time zones as terms, so that nearness is shared terms.';

CREATE FUNCTION private.lock_mentors(p_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  missing constant uuid[] := array(
    select u.id from public.users as u
    where u.id = any (p_ids)
      and not exists (select from public.mentorship_profiles as p where p.user_id = u.id)
    order by u.id
  );
begin
  if missing <> '{}' then
    perform private.note_stale(missing);
    perform private.derive_profiles(missing);
    insert into public.mentorship_profiles (user_id, role)
    select m.id, 'mentor' from unnest(missing) as m (id)
    on conflict do nothing;
  end if;
  perform from public.mentorship_profiles as p where p.user_id = any (p_ids)
  order by p.user_id for no key update;
end
$$;

COMMENT ON FUNCTION private.lock_mentors(p_ids uuid[]) IS 'Locks mentors, in the order of their ids, so that nobody else gives them a student.';

CREATE FUNCTION private.lock_offer(p_offer_id uuid) RETURNS public.match_offers
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  offer public.match_offers;
begin
  perform private.lock_student(o.student_id, o.request_id)
  from public.match_offers as o
  where o.id = p_offer_id and o.mentor_id = private.current_user_id();
  select o.* into offer from public.match_offers as o
  where o.id = p_offer_id and o.mentor_id = private.current_user_id()
  for update;
  if not found then
    raise exception 'No such offer was made to you.'
      using errcode = 'MS023', hint = 'get_match_batch lists the offers that are open.';
  end if;
  return offer;
end
$$;

COMMENT ON FUNCTION private.lock_offer(p_offer_id uuid) IS 'The offer, with its student and request locked: MS023 unless it was made to who is signed in.';

CREATE FUNCTION private.lock_placings(p_students uuid[], p_mentors uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform from public.users as u where u.id = any (p_students) order by u.id for no key update;
  perform from public.mentorship_requests as r
  where r.student_id = any (p_students) and r.status in ('open', 'offered')
  order by r.id for update;
  perform private.lock_mentors(p_mentors);
end
$$;

COMMENT ON FUNCTION private.lock_placings(p_students uuid[], p_mentors uuid[]) IS 'Nobody else gives these students a mentor, or these mentors a student.';

CREATE FUNCTION private.lock_student(p_student_id uuid, p_request_id uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform from public.users as u where u.id = p_student_id for no key update;
  if not found then
    raise exception 'There is no person %.', p_student_id
      using errcode = 'MS011', hint = 'Give an id of the table users.';
  end if;
  perform from public.mentorship_requests as r
  where r.student_id = p_student_id
    and (r.id = p_request_id or p_request_id is null and r.status in ('open', 'offered'))
  for update;
end
$$;

COMMENT ON FUNCTION private.lock_student(p_student_id uuid, p_request_id uuid) IS 'Locks a student, then the request given or the one that is open.';

CREATE FUNCTION private.log_changes() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  run constant uuid := nullif(current_setting('mentor_sync.run_id', true), '')::uuid;
  this_chunk constant bigint := pg_catalog.pg_current_xact_id()::text::bigint;
  unlogged text[];
  has_rest boolean;
begin
  if run is null then
    return null;
  end if;
  unlogged := array(
    select a.attname::text from pg_catalog.pg_attribute as a
    where a.attrelid = tg_relid and a.attnum > 0 and not a.attisdropped
      and a.attname <> all (tg_argv)
  );
  has_rest := unlogged <> '{updated_at}';
  if tg_op = 'INSERT' then
    insert into public.job_changes (run_id, chunk, relation, row_id, action, after, rest)
    select run, this_chunk, tg_table_name, n.id, 'insert', to_jsonb(n) - unlogged,
      case when has_rest then private.hash_of_rest(to_jsonb(n), tg_argv) end
    from new_rows as n;
    return null;
  end if;
  if tg_op = 'DELETE' then
    insert into public.job_changes (run_id, chunk, relation, row_id, action, before)
    select run, this_chunk, tg_table_name, o.id, 'delete', to_jsonb(o) - unlogged
    from old_rows as o;
    return null;
  end if;
  insert into public.job_changes (run_id, chunk, relation, row_id, action, before, after)
  select run, this_chunk, tg_table_name, c.id, 'update', c.before, c.after
  from (
    select n.id, to_jsonb(o) - unlogged as before, to_jsonb(n) - unlogged as after
    from new_rows as n
    inner join old_rows as o on o.id = n.id
  ) as c
  where c.before <> c.after;
  return null;
end
$$;

COMMENT ON FUNCTION private.log_changes() IS 'Trigger: notes what a run changes, in the columns that the trigger names.';

CREATE FUNCTION private.log_match_events() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  run constant uuid := nullif(current_setting('mentor_sync.run_id', true), '')::uuid;
  cause constant jsonb := coalesce(
    nullif(current_setting('mentor_sync.cause', true), '')::jsonb,
    jsonb_build_object('actor', private.current_user_id())
  );
begin
  if tg_op = 'INSERT' then
    insert into public.match_events (match_id, new_status, reason, actor_id, run_id, created_at)
    select n.id, n.status, cause ->> 'reason', (cause ->> 'actor')::uuid, run, clock_timestamp()
    from new_rows as n;
    return null;
  end if;
  insert into public.match_events (
    match_id, old_status, new_status, reason, actor_id, run_id, created_at
  )
  select
    n.id, o.status, n.status, coalesce(cause ->> 'reason', n.end_reason),
    (cause ->> 'actor')::uuid, run, clock_timestamp()
  from old_rows as o
  inner join new_rows as n on n.id = o.id
  where o.status <> n.status;
  return null;
end
$$;

COMMENT ON FUNCTION private.log_match_events() IS 'Trigger: notes each step of a match in match_events.';

CREATE FUNCTION private.log_meeting(p_match_id uuid, p_held_at timestamp with time zone, p_minutes integer, p_format text, p_notes text, p_action_items jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  theirs constant public.matches := private.own_match(p_match_id);
  held constant timestamptz := coalesce(p_held_at, now());
  made uuid;
begin
  select s.session_id into made from public.mentorship_sessions as s
  where s.match_id = theirs.id and s.scheduled_at = held and s.status = 'COMPLETED'
    and s.logged_by = private.current_user_id() and not s.is_deleted
  limit 1;
  if found then
    return made;
  end if;
  if theirs.status not in ('active', 'paused') then
    raise exception 'This match is %.', theirs.status
      using errcode = 'MS027', hint = 'Meetings are logged while it is active or paused.';
  end if;
  perform private.require_meeting_fits(p_minutes, p_format, p_notes);
  perform private.require_time_fits(theirs, held);
  insert into public.mentorship_sessions (
    match_id, mentor_id, user_id, session_type, status, scheduled_at, completed_at,
    session_duration_minutes, format, notes, action_items, logged_by
  )
  values (
    theirs.id, theirs.mentor_id, theirs.student_id, 'MENTORSHIP', 'COMPLETED', held,
    least(held, now()), p_minutes, p_format, nullif(p_notes, ''),
    private.read_action_items(p_action_items), private.current_user_id()
  )
  returning session_id into made;
  return made;
end
$$;

COMMENT ON FUNCTION private.log_meeting(p_match_id uuid, p_held_at timestamp with time zone, p_minutes integer, p_format text, p_notes text, p_action_items jsonb) IS 'Logs a meeting, for the two of the match.';

CREATE FUNCTION private.mail_alert() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  perform public.queue_message(
    'operator_alert', u.id, 'alert:' || new.id,
    jsonb_build_object(
      'title', new.job || ': ' || replace(new.kind, '_', ' '), 'message', new.message,
      'hint', new.hint, 'occurred_at', new.created_at
    ),
    8
  )
  from public.users as u
  where u.role = 'admin' and u.status = 'Active';
  return null;
exception
  when others then
    raise warning 'mentor_sync could not queue the mail of an alert: %', sqlerrm;
    return null;
end
$$;

COMMENT ON FUNCTION private.mail_alert() IS 'Trigger: admins get an alert by mail.';

CREATE FUNCTION private.make_batches(p_run_id uuid, p_batches jsonb, p_weights_version integer) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  counts jsonb;
  made uuid[];
  stand constant interval := make_interval(days => private.number_setting('offer_days', 5));
begin
  perform from public.mentorship_requests as r
  where r.id in (
    select b.request_id from jsonb_to_recordset(p_batches) as b (request_id uuid)
  )
  order by r.id for update;
  with given as materialized (
    select
      r.id as request_id, r.student_id, b.input_hash, o.mentor_id, o.units, o.confidence,
      o.breakdown, o.reasons, row_number() over () as place, gen_random_uuid() as id
    from jsonb_to_recordset(p_batches) as b (request_id uuid, input_hash bigint, offers jsonb)
    inner join public.mentorship_requests as r on r.id = b.request_id and r.status = 'open'
    cross join lateral jsonb_to_recordset(b.offers) as o (
      mentor_id uuid, units integer, confidence integer, breakdown jsonb, reasons jsonb
    )
  ),
  judged as materialized (
    select r.place, r.rule
    from (
      select
        array_agg(g.student_id order by g.place) as students,
        array_agg(g.mentor_id order by g.place) as mentors,
        array_agg(g.request_id order by g.place) as requests
      from given as g
    ) as l
    cross join lateral private.pair_rules(l.students, l.mentors, l.requests) as r
  ),
  -- The id of a batch comes first, so that nothing has to be joined to what is inserted.
  kept as materialized (
    select g.*, row_number() over w as rank, first_value(g.id) over w as batch_id
    from given as g
    inner join judged as j on j.place = g.place and j.rule is null
    window w as (partition by g.request_id order by g.place)
  ),
  batch as (
    insert into public.match_batches (
      id, request_id, student_id, number, weights_version, input_hash, run_id, expires_at
    )
    select
      k.batch_id, k.request_id, k.student_id,
      1 + coalesce(
        (select max(b.number) from public.match_batches as b where b.request_id = k.request_id), 0
      ),
      p_weights_version, k.input_hash, p_run_id, now() + stand
    from kept as k
    where k.rank = 1
  ),
  offered as (
    insert into public.match_offers (
      batch_id, request_id, student_id, mentor_id, rank, units, confidence, breakdown, reasons,
      announced_at
    )
    select
      k.batch_id, k.request_id, k.student_id, k.mentor_id, k.rank, k.units, k.confidence,
      k.breakdown, k.reasons, now()
    from kept as k
    returning id
  ),
  changed as (
    update public.mentorship_requests as r
    set status = 'offered'
    from kept as k
    where k.rank = 1 and r.id = k.request_id
    returning r.id
  )
  select array(select o.id from offered as o), jsonb_build_object(
    'batches', (select count(*) from changed),
    'refused', (select count(*) from judged as j where j.rule is not null),
    'passed_over', jsonb_array_length(p_batches) - (select count(*) from changed)
  )
  into made, counts;
  return counts || jsonb_build_object(
    'offers', cardinality(made), 'announced', private.queue_offers(made)
  );
end
$$;

COMMENT ON FUNCTION private.make_batches(p_run_id uuid, p_batches jsonb, p_weights_version integer) IS 'Offers requests to these mentors, as far as the rules still allow it: counts.';

CREATE FUNCTION private.match_batch() RETURNS TABLE(offer_id uuid, batch_id uuid, request_id uuid, side text, person_id uuid, person_name text, rank integer, status text, score numeric, confidence integer, breakdown jsonb, reasons jsonb, message text, focus_areas text[], goals text[], expires_at timestamp with time zone, created_at timestamp with time zone)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  with me as (
    select private.current_user_id() as id
  ),
  visible as (
    select 'student' as side, o.mentor_id as person_id, o.rank as shown_rank, o
    from me
    cross join lateral (
      select b.id from public.match_batches as b
      where b.student_id = me.id
      order by b.created_at desc, b.number desc limit 1
    ) as latest
    inner join public.match_offers as o on o.batch_id = latest.id
    union all
    select 'mentor', o.student_id, null, o
    from me
    inner join public.match_offers as o on o.mentor_id = me.id and o.status = 'offered'
  )
  select
    (v.o).id, (v.o).batch_id, (v.o).request_id, v.side, v.person_id, coalesce(u.full_name, ''),
    v.shown_rank, (v.o).status, (v.o).score, (v.o).confidence, (v.o).breakdown, (v.o).reasons,
    r.message, r.focus_areas, r.goals, b.expires_at, (v.o).created_at
  from visible as v
  inner join public.match_batches as b on b.id = (v.o).batch_id
  inner join public.mentorship_requests as r on r.id = (v.o).request_id
  inner join public.users as u on u.id = v.person_id
  where v.side = 'student' or b.expires_at > now()
  order by v.side, v.shown_rank, (v.o).units desc, (v.o).id
$$;

COMMENT ON FUNCTION private.match_batch() IS 'The offers that concern who is signed in.';

CREATE FUNCTION private.match_health(p_ids uuid[]) RETURNS TABLE(match_id uuid, score integer, status text, reasons jsonb, asks_for_help boolean, mentor_left boolean)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select m.id, total.score, case
    when mentor.left then 'at_risk'
    when total.score >= known.watch and not signs.asks_for_help then 'healthy'
    when private.days_since(signs.since) < 14 then 'unknown'
    when total.score < known.at_risk or signs.asks_for_help then 'at_risk'
    else 'watch'
  end, parts.reasons || case when mentor.left then jsonb_build_array(
    private.health_part('mentor', 0, 0, 'the mentor is not active any more')
  ) else '[]' end, signs.asks_for_help, mentor.left
  from (
    select
      greatest(private.number_setting('silence_days', 21), 1) as silence,
      private.number_setting('health_at_risk', 40) as at_risk,
      private.number_setting('health_watch', 65) as watch
    offset 0
  ) as known
  cross join public.matches as m
  cross join lateral private.signs_of(m, known.silence) as signs
  cross join lateral (select private.mentor_left(m) as left offset 0) as mentor
  cross join lateral (select private.health_parts(signs, known.silence) as reasons offset 0) as parts
  cross join lateral (
    select sum((p.part ->> 'points')::integer)::integer as score
    from jsonb_array_elements(parts.reasons) as p (part)
  ) as total
  where m.id = any (p_ids)
$$;

COMMENT ON FUNCTION private.match_health(p_ids uuid[]) IS 'How well these matches go: a score, 0 to 100, the parts that it is the sum of, and the status.';

CREATE FUNCTION private.match_mail(p_match public.matches, p_person uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'other_name', coalesce(u.full_name, ''),
    'other_role', case u.id when p_match.student_id then 'student' else 'mentor' end,
    'other_email', private.trim_space(u.email),
    'match_url', private.page_url('matches/' || p_match.id)
  )
  from public.users as u
  where u.id in (p_match.student_id, p_match.mentor_id) and u.id <> p_person
$$;

COMMENT ON FUNCTION private.match_mail(p_match public.matches, p_person uuid) IS 'What the mail match_confirmed says to one side.';

CREATE FUNCTION private.match_reasons(p_breakdown jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO ''
    AS $$
declare
  names constant text[] := '{goals,industry,research,technical,location,communication}';
  words constant text[] := array[
    'Goals in common', 'At home in the same field', 'Research in common', 'Skills wanted and known',
    'Near each other', 'Ways to meet in common'
  ];
  said text[] := '{}';
  labels text[];
begin
  for place in 1 .. 6 loop
    labels := array(
      select l from jsonb_array_elements_text(p_breakdown -> names[place] -> 'matched') as l
    );
    if place = 5 then
      -- Of the bands of time zones one is enough, and no number.
      labels := array(
        select case when l.label ~ '^UTC[+-]' then 'time zone' else l.label end
        from unnest(labels) with ordinality as l (label, nth)
        group by 1 order by min(l.nth)
      );
    end if;
    if labels <> '{}' then
      said := said || (words[place] || ': ' || array_to_string(labels, ', '));
    end if;
  end loop;
  return to_jsonb(said);
end
$$;

COMMENT ON FUNCTION private.match_reasons(p_breakdown jsonb) IS 'The breakdown of a score in words: a sentence for each factor with something in common.';

CREATE FUNCTION private.match_stats(p_since timestamp with time zone) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'by_status', (
      select coalesce(jsonb_object_agg(c.status, c.n), '{}')
      from (select x.status, count(*) as n from public.matches as x group by x.status) as c
    ),
    'at_risk', count(*) filter (where m.status = 'active' and m.health_status = 'at_risk'),
    'started', count(*) filter (where m.started_at >= p_since),
    'completed', count(*) filter (where m.status = 'completed' and m.ended_at >= p_since),
    'dissolved', count(*) filter (where m.status = 'dissolved' and m.ended_at >= p_since)
  )
  from public.matches as m
$$;

COMMENT ON FUNCTION private.match_stats(p_since timestamp with time zone) IS 'Matches by status and those at risk, now; started and ended since then.';

CREATE FUNCTION private.matched_people() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  me constant uuid := private.current_user_id();
begin
  return array(
    select case m.student_id when me then m.mentor_id else m.student_id end
    from public.matches as m
    where (m.student_id = me or m.mentor_id = me) and m.status in ('active', 'paused')
  );
end
$$;

COMMENT ON FUNCTION private.matched_people() IS 'The mentors and students that the person who is signed in has now: the other sides of their matches that are active or paused.';

CREATE FUNCTION private.matches_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  students uuid[];
  mentors uuid[];
  grown uuid[];
begin
  if tg_op = 'INSERT' then
    select array_agg(n.student_id), array_agg(n.mentor_id) into students, mentors
    from new_rows as n;
  elsif tg_op = 'DELETE' then
    select array_agg(o.student_id), array_agg(o.mentor_id) into students, mentors
    from old_rows as o;
  else
    select array_agg(x.student_id), array_agg(x.mentor_id) into students, mentors
    from old_rows as o
    inner join new_rows as n on n.id = o.id
    cross join lateral (
      values (o.student_id, o.mentor_id), (n.student_id, n.mentor_id)
    ) as x (student_id, mentor_id)
    where (o.student_id, o.mentor_id, o.role, o.status)
      is distinct from (n.student_id, n.mentor_id, n.role, n.status);
  end if;
  if students is null then
    return null;
  end if;
  perform from public.users as u where u.id = any (students) order by u.id for no key update;
  perform private.lock_mentors(mentors);
  grown := array(select private.count_mentees(mentors));
  perform private.require_seats(grown);
  perform private.follow_primary(students);
  return null;
end
$$;

COMMENT ON FUNCTION private.matches_changed() IS 'Trigger: counts students, holds capacities, and lets users.mentor_id follow.';

CREATE FUNCTION private.matches_of_caller(p_running boolean) RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select array(
    select m.id from public.matches as m
    where private.current_user_id() in (m.student_id, m.mentor_id) and m.status <> 'pending'
      and (not p_running or m.status in ('active', 'paused'))
  )
$$;

COMMENT ON FUNCTION private.matches_of_caller(p_running boolean) IS 'The matches of whoever is signed in, those that go on or all.';

CREATE FUNCTION private.matching_settings() RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  weights constant public.match_weights := private.current_weights();
begin
  return jsonb_build_object(
    'auto_match', coalesce(
      (
        select s.value <> 'false'::jsonb from public.program_settings as s
        where s.key = 'auto_match'
      ),
      true
    ),
    'units_a_day', round(private.decimal_setting('waiting_credit_per_day', 0.5) * 10000),
    'units_at_most', round(private.decimal_setting('waiting_credit_most', 15) * 10000),
    'version', weights.version,
    'weights', jsonb_build_object(
      'goals', weights.goals, 'industry', weights.industry, 'research', weights.research,
      'technical', weights.technical, 'location', weights.location,
      'communication', weights.communication
    )
  );
end
$$;

COMMENT ON FUNCTION private.matching_settings() IS 'By what the engine matches.';

CREATE FUNCTION private.may_see_score(p_student_id uuid, p_mentor_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  me constant uuid := private.current_user_id();
begin
  return private.sees_everything()
    or me = p_student_id and (
      p_mentor_id = me
      or p_mentor_id = any (private.connected_people())
      or exists (
        select from public.mentors as t
        where t.person_id = p_mentor_id and t.is_approved and t.is_active and not exists (
          select from public.mentorship_profiles as p
          where p.user_id = t.person_id and p.role = 'student'
        )
      )
    )
    or me = p_mentor_id and p_student_id = any (private.connected_people());
end
$$;

COMMENT ON FUNCTION private.may_see_score(p_student_id uuid, p_mentor_id uuid) IS 'Whether the caller may know how well these two suit.';

CREATE FUNCTION private.meaning_of(p_term text) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  return coalesce((select a.term from public.term_aliases as a where a.alias = p_term), p_term);
end
$$;

COMMENT ON FUNCTION private.meaning_of(p_term text) IS 'What a normalised word is an alias of, or itself.';

CREATE FUNCTION private.meeting_terms(p_ids uuid[]) RETURNS TABLE(user_id uuid, factor smallint, term text, label text)
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.meeting_terms(p_ids uuid[]) IS 'Where these people are, how they meet, learn and teach, as terms of the factors 5 and 6.';

CREATE FUNCTION private.meetings_held() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  update public.matches as m
  set last_contact_at = held.latest
  from (
    select n.match_id, max(least(coalesce(n.completed_at, n.scheduled_at), now())) as latest
    from new_rows as n
    where n.match_id is not null and n.status = 'COMPLETED' and not n.is_deleted
    group by n.match_id
  ) as held
  where m.id = held.match_id and coalesce(m.last_contact_at < held.latest, true)
    and held.latest is not null;
  return null;
end
$$;

COMMENT ON FUNCTION private.meetings_held() IS 'Trigger: the two of a match were heard of when they last met.';

CREATE FUNCTION private.member_hash(p_area text, p_industry text, p_skills text, p_occupation text, p_jobtitle text) RETURNS bigint
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO ''
    AS $$
begin
  return hashtextextended(
    concat(
      p_area, chr(31), p_industry, chr(31), p_skills, chr(31), p_occupation, chr(31), p_jobtitle
    ), 0
  );
end
$$;

COMMENT ON FUNCTION private.member_hash(p_area text, p_industry text, p_skills text, p_occupation text, p_jobtitle text) IS 'Hash of what a mentor''s profile is made of.';

CREATE FUNCTION private.members_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET lock_timeout TO '2s'
    AS $$
declare
  deadline constant timestamptz := private.trigger_deadline();
  held uuid[];
begin
  if private.too_late_to_begin(deadline) then
    raise warning 'mentor_sync: up to % members wait for the next sync.',
      (select count(*) from new_rows);
    return null;
  end if;
  perform private.limit_waits(deadline);
  if tg_op = 'INSERT' then
    perform private.sync_quietly(array(
      select n.id from new_rows as n
      where n.is_active and private.is_mentor_type(n.membershiptype)
      order by n.id
    ));
    return null;
  end if;
  held := private.held_back(array(
    select n.id
    from new_rows as n
    inner join old_rows as o on o.id = n.id
    where (o.is_active, o.membershiptype) is distinct from (n.is_active, n.membershiptype)
      and o.is_active and private.is_mentor_type(o.membershiptype)
      and not (n.is_active and private.is_mentor_type(n.membershiptype))
  ));
  perform private.sync_quietly(array(
    select n.id
    from new_rows as n
    left join old_rows as o on o.id = n.id
    where o is distinct from n
      and n.id <> all (held)
      and (private.is_mentor_type(n.membershiptype) or private.is_mentor_type(o.membershiptype))
      and (
        (
          n.email, n.name, n.membershiptype, n.is_active, n.industry, n.skills, n.experience,
          n.occupation, n.jobtitle, n.country, n.city
        ) is distinct from (
          o.email, o.name, o.membershiptype, o.is_active, o.industry, o.skills, o.experience,
          o.occupation, o.jobtitle, o.country, o.city
        )
        -- The one column whose spelling we do not know.
        or to_jsonb(n) ->> 'areaOfExpertise' is distinct from to_jsonb(o) ->> 'areaOfExpertise'
        or to_jsonb(n) ->> 'areaofexpertise' is distinct from to_jsonb(o) ->> 'areaofexpertise'
      )
    order by n.id
  ));
  return null;
exception
  when assert_failure or query_canceled or others then
    if private.was_cancelled(sqlstate) then
      raise;
    end if;
    raise warning 'mentor_sync: a change of members waits for the next sync: %', sqlerrm;
    return null;
end
$$;

COMMENT ON FUNCTION private.members_changed() IS 'Trigger: syncs the members that a statement inserted or changed.';

CREATE FUNCTION private.members_page(p_after uuid, p_limit integer, p_email text, p_only_rejected boolean) RETURNS uuid[]
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  if p_email is not null then
    return array(
      select m.id from public.members as m
      where private.normalise_email(m.email) = private.normalise_email(p_email)
      order by m.id
    );
  end if;
  if p_only_rejected then
    return array(
      select m.id
      from public.sync_rejects as r
      inner join public.members as m on m.id = r.source_id::uuid
      where r.source = 'members' and (p_after is null or m.id > p_after)
      order by m.id
      limit p_limit
    );
  end if;
  return array(
    select m.id from public.members as m
    where m.id >= coalesce(p_after, '00000000-0000-0000-0000-000000000000')
      and m.id is distinct from p_after
    order by m.id
    limit p_limit
  );
end
$$;

COMMENT ON FUNCTION private.members_page(p_after uuid, p_limit integer, p_email text, p_only_rejected boolean) IS 'The ids of the next members to sync.';

CREATE FUNCTION private.mentor_bio(p_experience text, p_occupation text, p_jobtitle text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
begin
  return nullif(concat_ws(
    ' | ',
    'Experience: ' || nullif(private.trim_space(p_experience), ''),
    'Occupation: ' || nullif(private.trim_space(p_occupation), ''),
    'Job Title: ' || nullif(private.trim_space(p_jobtitle), '')
  ), '');
end
$$;

COMMENT ON FUNCTION private.mentor_bio(p_experience text, p_occupation text, p_jobtitle text) IS 'The bio made from a member: the parts that are there; null when none is.';

CREATE FUNCTION private.mentor_directory(p_ids uuid[] DEFAULT NULL::uuid[]) RETURNS SETOF public.mentor_listing
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select
    -- Nobody's text fills a page; the tables have it whole.
    t.id, t.user_id::bigint, t.slug, left(t.bio, 2000), t.expertise, t.rating, t.rating_count,
    t.total_sessions, t.is_approved, t.is_active, t.domain, t.experience_years,
    t.teaching_style, t.timezone, t.created_at,
    jsonb_build_object(
      'id', a.id,
      'email', case when see.contact then a.email end,
      'first_name', a.first_name,
      'last_name', a.last_name,
      'full_name', coalesce(
        nullif(private.trim_space(concat_ws(' ', a.first_name, a.last_name)), ''), p.full_name
      )
    ),
    case when m.id is not null then jsonb_build_object(
      'name', m.name,
      'country', m.country,
      'city', m.city,
      'linkedin', case when see.contact then m.linkedin end,
      'experience', left(m.experience, 2000),
      'areaOfExpertise', m.area_of_expertise,
      'school', m.school,
      'occupation', m.occupation,
      'jobtitle', m.jobtitle,
      'industry', m.industry,
      'skills', left(m.skills, 2000)
    ) end
  from public.mentors as t
  cross join (
    select
      (select private.sees_everything()) as everything,
      (select private.current_user_id()) || (select private.matched_people()) as near
  ) as caller
  cross join lateral (
    select caller.everything or coalesce(t.person_id = any (caller.near), false) as contact
  ) as see
  left join public.users as p on p.id = t.person_id
  left join public.users_user as a on a.id = t.user_id
  -- Only where the addresses agree is it the same person's registration.
  left join lateral (
    select s.* from private.source_members as s
    where s.id = p.member_id
      and private.normalise_email(s.email) = private.normalise_email(a.email)
  ) as m on true
  where (p_ids is null or t.id = any (p_ids))
    and ((t.is_approved and t.is_active) or see.contact)
$$;

COMMENT ON FUNCTION private.mentor_directory(p_ids uuid[]) IS 'The mentors that the caller may see, of these or of all, with the fields that they may see.';

CREATE FUNCTION private.mentor_edited() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    SET enable_nestloop TO 'off'
    AS $$
declare
  edited public.users[];
  mentors uuid[];
  one public.users;
  reason constant text := case
    when private.is_undo() then 'The assignment was taken back.'
    else 'users.mentor_id was edited.'
  end;
begin
  if tg_op = 'INSERT' then
    edited := array(select n from new_rows as n where n.mentor_id is not null order by n.id);
    mentors := array(select distinct n.mentor_id from new_rows as n where n.mentor_id is not null);
  else
    edited := array(
      select n from new_rows as n
      inner join old_rows as o on o.id = n.id
      where n.mentor_id is distinct from o.mentor_id
      order by n.id
    );
    mentors := array(
      select distinct e.mentor_id
      from new_rows as n
      inner join old_rows as o on o.id = n.id
      cross join lateral (values (n.mentor_id), (o.mentor_id)) as e (mentor_id)
      where n.mentor_id is distinct from o.mentor_id and e.mentor_id is not null
    );
  end if;
  if edited = '{}' then
    return null;
  end if;
  perform private.lock_mentors(mentors);
  foreach one in array edited loop
    perform private.replace_mentor(one.id, one.mentor_id, reason, private.current_user_id());
  end loop;
  return null;
end
$$;

COMMENT ON FUNCTION private.mentor_edited() IS 'Trigger: whoever sets users.mentor_id assigns the student; empty ends the match.';

CREATE FUNCTION private.mentor_expertise(p_area text, p_industry text, p_skills text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
declare
  part text;
  word text;
  words text[] := '{}';
  compared text[] := '{}';
  skills integer := 0;
begin
  foreach part in array array[p_area, p_industry] loop
    word := private.trim_space(part);
    if word <> '' and lower(word) <> all (compared) then
      words := words || word;
      compared := compared || lower(word);
    end if;
  end loop;
  foreach part in array
    coalesce(string_to_array(translate(p_skills, E';\n\r', ',,,'), ','), '{}')
  loop
    word := private.trim_space(part);
    continue when word = '';
    if lower(word) <> all (compared) then
      words := words || word;
      compared := compared || lower(word);
    end if;
    skills := skills + 1;
    exit when skills = 3;
  end loop;
  return to_jsonb(words);
end
$$;

COMMENT ON FUNCTION private.mentor_expertise(p_area text, p_industry text, p_skills text) IS 'The expertise made from a member: area, industry, the first three skills; each once.';

CREATE FUNCTION private.mentor_left(p_match public.matches) RETURNS boolean
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select p_match.role <> 'peer' and coalesce((
    select not bool_or(t.is_active and t.is_approved) from public.mentors as t
    where t.person_id = p_match.mentor_id
  ), false)
$$;

COMMENT ON FUNCTION private.mentor_left(p_match public.matches) IS 'Whether the mentor of a match is in the directory, and not active or not approved there.';

CREATE FUNCTION private.mentor_members_with(p_addresses text[]) RETURNS uuid[]
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select array(
    select m.id
    from unnest(p_addresses) as a (address)
    cross join lateral (
      select x.id from public.members as x
      where private.normalise_email(x.email) = a.address
        and x.is_active
        and private.is_mentor_type(x.membershiptype)
      limit 2
    ) as m
    where a.address <> ''
    order by m.id
  )
$$;

COMMENT ON FUNCTION private.mentor_members_with(p_addresses text[]) IS 'The active members of type mentor with these normalised addresses.';

CREATE FUNCTION private.mentor_states(p_ids uuid[]) RETURNS TABLE(mentor_id uuid, declared integer, effective integer, taken integer, answer_hours numeric, unanswered integer, rule text)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  with setting as materialized (
    select
      private.number_setting('default_capacity', 20) as default_capacity,
      private.number_setting('offer_days', 5) as offer_days,
      private.number_setting('silent_after', 3) as silent_after,
      make_interval(days => private.number_setting('silent_days', 30)) as silent_for
  ),
  state as (
    select
      wanted.id,
      t.id as directory_id, t.is_approved, t.is_active and u.status = 'Active' as is_active,
      p.role = 'mentor' as has_profile, p.is_active as profile_is_active, p.paused_until,
      p.available_hours, coalesce(p.mentee_count, 0) as taken,
      coalesce(t.capacity, s.default_capacity) as declared,
      answers.hours,
      silence.unanswered,
      silence.unanswered >= s.silent_after
        and silence.latest > now() - s.silent_for
        and silence.latest >= p.updated_at as is_silent,
      answers.hours > s.offer_days * 12 as is_slow
    from unnest(p_ids) as wanted (id)
    cross join setting as s
    left join public.users as u on u.id = wanted.id
    left join public.mentors as t on t.person_id = wanted.id
    left join public.mentorship_profiles as p on p.user_id = wanted.id
    cross join lateral (
      select
        round((percentile_cont(0.5) within group (
          order by extract(epoch from o.answered_at - o.created_at) / 3600
        ))::numeric, 1) as hours,
        max(o.answered_at) as latest
      from public.match_offers as o
      where o.mentor_id = wanted.id and o.status in ('accepted', 'declined')
        and o.created_at > now() - interval '90 days'
    ) as answers
    cross join lateral (
      select count(*)::integer as unanswered, max(o.answered_at) as latest
      from public.match_offers as o
      where o.mentor_id = wanted.id and o.status = 'expired'
        and o.created_at > coalesce(answers.latest, '-infinity')
    ) as silence
  )
  select
    s.id,
    s.declared,
    e.effective,
    s.taken,
    s.hours,
    s.unanswered,
    case
      when s.directory_id is null or s.has_profile is not true then 'not_a_mentor'
      when s.is_approved is not true then 'not_approved'
      when not s.is_active or not s.profile_is_active then 'inactive'
      when s.paused_until > now() then 'paused'
      when s.available_hours = 0 then 'no_hours'
      when s.is_silent then 'silent'
      when e.effective <= s.taken then 'full'
    end
  from state as s
  cross join lateral (
    select case
      when s.is_silent then 0
      when s.is_slow then (s.declared + 1) / 2
      else s.declared
    end as effective
  ) as e
$$;

COMMENT ON FUNCTION private.mentor_states(p_ids uuid[]) IS 'How many students these mentors take and have, how they answer, and why they get no offers.';

CREATE FUNCTION private.mentor_wishes(p_ids uuid[]) RETURNS TABLE(user_id uuid, hash bigint, wishes jsonb)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.mentor_wishes(p_ids uuid[]) IS 'What these mentors'' profiles are made of, from what the members told.';

CREATE FUNCTION private.mentors_for_question(p_question public.quick_questions) RETURNS SETOF uuid
    LANGUAGE sql STABLE
    SET search_path TO ''
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
  with topic as materialized (
    select k.id
    from unnest(p_question.terms) as named (term)
    inner join public.match_terms as k on k.term = named.term
  ),
  found as materialized (
    select distinct c.user_id
    from topic as k
    cross join (values (1::smallint), (3::smallint)) as f (factor)
    cross join (
      values
        (p_question.id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid),
        ('00000000-0000-0000-0000-000000000000'::uuid, p_question.id)
    ) as range (low, high)
    cross join lateral (
      select x.user_id
      from private.profile_terms as x
      inner join public.mentorship_profiles as p on p.user_id = x.user_id
      inner join public.mentors as t on t.person_id = x.user_id
      inner join public.users as u on u.id = x.user_id
      where x.term_id = k.id and x.factor = f.factor
        and x.user_id > range.low and x.user_id <= range.high
        and p.role = 'mentor' and p.is_active and (p.paused_until <= now()) is not false
        and t.is_approved and t.is_active and u.status = 'Active'
        and x.user_id <> p_question.student_id
        and not exists (
          select from public.blocked_pairs as b
          where b.student_id = p_question.student_id and b.mentor_id = x.user_id
        )
        and not exists (
          select from public.message_outbox as m
          where m.kind = 'quick_question' and m.recipient = x.user_id
            and m.about = 'question:' || p_question.id
        )
      order by x.user_id
      limit 100
    ) as c
  )
  select c.user_id
  from found as c
  cross join lateral (
    select count(distinct x.term_id) as n
    from topic as k
    cross join lateral (
      select y.term_id from private.profile_terms as y
      where y.user_id = c.user_id and y.term_id = k.id and y.factor in (1, 3)
    ) as x
  ) as shared
  order by shared.n desc, hashtextextended(c.user_id::text || p_question.id, 0), c.user_id
$$;

COMMENT ON FUNCTION private.mentors_for_question(p_question public.quick_questions) IS 'Mentors who know a question''s topics and were not asked yet, those who suit best first.';

CREATE FUNCTION private.mentors_to_assign(p_after uuid, p_limit integer, p_full boolean, p_without uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  page constant uuid[] := array(
    select p.user_id from public.mentorship_profiles as p
    where p.role = 'mentor' and p.is_active and (p_after is null or p.user_id > p_after)
    order by p.user_id limit p_limit
  );
  ids uuid[];
  seats integer[];
begin
  select
    coalesce(array_agg(s.mentor_id order by s.mentor_id), '{}'),
    coalesce(array_agg(greatest(s.effective - s.taken, 0) order by s.mentor_id), '{}')
  into ids, seats
  from private.mentor_states(page) as s
  where (s.rule is null or s.rule = 'full' and p_full)
    and s.mentor_id is distinct from p_without;
  return private.packed_mentors(ids) || jsonb_build_object(
    'quotas', to_jsonb(seats),
    'cursor', page[cardinality(page)],
    'done', cardinality(page) < p_limit
  );
end
$$;

COMMENT ON FUNCTION private.mentors_to_assign(p_after uuid, p_limit integer, p_full boolean, p_without uuid) IS 'One page of mentors_to_assign.';

CREATE FUNCTION private.mentors_to_match(p_after uuid, p_limit integer) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  page constant uuid[] := array(
    select p.user_id from public.mentorship_profiles as p
    where p.role = 'mentor' and p.is_active and (p_after is null or p.user_id > p_after)
    order by p.user_id limit p_limit
  );
  ids uuid[];
  quotas integer[];
begin
  select coalesce(array_agg(f.mentor_id), '{}'), array_agg(f.quota)
  into ids, quotas
  from (
    select
      s.mentor_id,
      greatest(
        (s.effective - s.taken) * private.number_setting('offers_per_seat', 3) - (
          select count(*) from public.match_offers as o
          where o.mentor_id = s.mentor_id and o.status = 'offered'
        ), 0
      )::integer as quota
    from private.mentor_states(page) as s
    where s.rule is null
    order by s.mentor_id
  ) as f;
  return private.packed_mentors(ids) || jsonb_build_object(
    'quotas', coalesce(to_jsonb(quotas), '[]'),
    'cursor', page[cardinality(page)],
    'done', cardinality(page) < p_limit
  );
end
$$;

COMMENT ON FUNCTION private.mentors_to_match(p_after uuid, p_limit integer) IS 'One page of mentors_to_match.';

CREATE FUNCTION private.next_runs(p_limit integer, p_jobs text[]) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  open_jobs text[];
  picked uuid[];
  fitting uuid[];
begin
  loop
    open_jobs := private.open_jobs(p_jobs);
    picked := array(
      select r.id from public.job_runs as r
      where r.status = 'queued' and r.run_at <= clock_timestamp() and r.job = any (open_jobs)
      order by r.run_at, r.id
      limit p_limit
      for update skip locked
    );
    perform from public.job_schedules as s
    where s.max_concurrent is not null
      and s.job in (select r.job from public.job_runs as r where r.id = any (picked))
    order by s.job
    for no key update;
    fitting := array(
      select placed.id
      from (
        select r.id, s.max_concurrent,
          row_number() over (partition by r.job order by r.run_at, r.id)
            + case when s.max_concurrent is not null then (
              select count(*) from public.job_runs as x
              where x.job = r.job and x.status = 'running'
            ) end as place
        from public.job_runs as r
        inner join public.job_schedules as s on s.job = r.job
        where r.id = any (picked)
      ) as placed
      where placed.max_concurrent is null or placed.place <= placed.max_concurrent
    );
    exit when fitting <> '{}' or picked = '{}';
  end loop;
  return fitting;
end
$$;

COMMENT ON FUNCTION private.next_runs(p_limit integer, p_jobs text[]) IS 'Runs that are due, the longest waiting first, locked; as many as may run now.';

CREATE FUNCTION private.next_step(p_step integer, p_began timestamp with time zone, p_deadline timestamp with time zone) RETURNS integer
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select case
    when f.fitting >= 1 then least(p_step * 16, greatest(f.fitting / 2, 1), 5000)::integer
    else 0
  end
  from (
    select floor(
      extract(epoch from p_deadline - clock_timestamp()) * p_step
        / greatest(extract(epoch from clock_timestamp() - p_began), 0.000001)
    ) as fitting
  ) as f
$$;

COMMENT ON FUNCTION private.next_step(p_step integer, p_began timestamp with time zone, p_deadline timestamp with time zone) IS 'How many members a trigger takes next, after a set of p_step that it began at p_began.';

CREATE FUNCTION private.normalise_email(p_email text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
begin
  return lower(private.trim_space(p_email));
end
$$;

COMMENT ON FUNCTION private.normalise_email(p_email text) IS 'The form in which two e-mail addresses are compared, everywhere: trimmed, lower case.';

CREATE FUNCTION private.normalise_term(p_text text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
declare
  plain text := lower(normalize(left(p_text, 300), nfkd));
begin
  plain := regexp_replace(plain, U&'[\0300-\036F]', '', 'g');
  plain := replace(replace(replace(plain, 'ß', 'ss'), 'æ', 'ae'), '&', ' and ');
  plain := translate(plain, 'øłđıð’''', 'oldid');
  plain := regexp_replace(plain, '[^[:alnum:]+#]+', ' ', 'g');
  plain := regexp_replace(plain, '(^| )[+#]+', '\1', 'g');
  -- English plurals, which is what most write; other words come through alike each time.
  plain := regexp_replace(plain, '([[:alnum:]]{2,})ies\M', '\1y', 'g');
  plain := regexp_replace(plain, '(ss|sh|ch|x|zz)es\M', '\1', 'g');
  plain := regexp_replace(plain, '([[:alnum:]]{2,}[^suia[:space:]+#])s\M', '\1', 'g');
  return btrim(left(btrim(regexp_replace(plain, ' +', ' ', 'g')), 100));
end
$$;

COMMENT ON FUNCTION private.normalise_term(p_text text) IS 'The form in which words are compared: case, accents, punctuation and plural are gone.';

CREATE FUNCTION private.note_contact(p_matches uuid[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  update public.matches as m
  set last_contact_at = now()
  where m.id = any (p_matches) and m.status in ('active', 'paused')
$$;

COMMENT ON FUNCTION private.note_contact(p_matches uuid[]) IS 'The two of these matches were heard of now.';

CREATE FUNCTION private.note_stale(p_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  insert into private.stale_profiles (user_id)
  select u.id from public.users as u where u.id = any (p_ids) order by u.id;
  if cardinality(p_ids) <= 100 then
    perform private.refresh_stale(p_ids);
  end if;
end
$$;

COMMENT ON FUNCTION private.note_stale(p_ids uuid[]) IS 'Says that these people''s terms are old: few are made again at once, many by the next run.';

CREATE FUNCTION private.note_stale_members(p_ids uuid[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
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

COMMENT ON FUNCTION private.note_stale_members(p_ids uuid[]) IS 'After a sync: mentors whose profile has to follow their member.';

CREATE FUNCTION private.note_undeliverable(p_event jsonb, p_status text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  known_as constant text := p_event #>> '{data,email_id}';
  said constant text := left(coalesce(
    p_event #>> '{data,bounce,message}', replace(p_event ->> 'type', 'email.', '')
  ), 1000);
  message uuid;
begin
  update public.message_outbox as m
  set status = p_status, error = said
  where m.provider_id = known_as and m.status in ('sent', 'bounced')
  returning m.id into message;
  -- A full mailbox is no reason never to write again.
  if p_event #>> '{data,bounce,type}' is distinct from 'Transient' then
    insert into public.undeliverable_addresses (address, reason, message_id)
    select private.normalise_email(coalesce(u.email, (regexp_match(given.address, '<([^<>]*)>'))[1], given.address)),
      said, message
    from jsonb_array_elements_text(
      case when jsonb_typeof(p_event #> '{data,to}') = 'array' then p_event #> '{data,to}' end
    ) as given (address)
    left join public.message_outbox as m on m.id = message
    left join public.users as u on u.id = m.recipient
    on conflict do nothing;
  end if;
end
$$;

COMMENT ON FUNCTION private.note_undeliverable(p_event jsonb, p_status text) IS 'Marks the message, and its address where it cannot be reached at all.';

CREATE FUNCTION private.notify_in_app(p_recipient uuid, p_kind text, p_data jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  insert into public.notifications (user_id, type, title, metadata)
  values (
    p_recipient, p_kind,
    left(coalesce(nullif(p_data ->> 'title', ''), replace(p_kind, '_', ' ')), 300), p_data
  )
$$;

COMMENT ON FUNCTION private.notify_in_app(p_recipient uuid, p_kind text, p_data jsonb) IS 'Tells a person inside the application what else would be a mail.';

CREATE FUNCTION private.number_setting(p_key text, p_default integer) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(
    (
      select least(greatest(round((s.value #>> '{}')::numeric), -2147483648), 2147483647)::integer
      from public.program_settings as s
      where s.key = p_key and jsonb_typeof(s.value) = 'number'
    ),
    p_default
  )
$$;

COMMENT ON FUNCTION private.number_setting(p_key text, p_default integer) IS 'A number of program_settings, rounded, or the default where it is none.';

CREATE FUNCTION private.offer_stats(p_since timestamp with time zone) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'made', count(*),
    'open', count(*) filter (where o.status = 'offered'),
    'accepted', count(*) filter (where o.status = 'accepted'),
    'declined', count(*) filter (where o.status = 'declined'),
    'expired', count(*) filter (where o.status = 'expired'),
    'withdrawn', count(*) filter (where o.status = 'withdrawn'),
    'acceptance_rate', private.part_of(
      count(*) filter (where o.status = 'accepted'),
      count(*) filter (where o.status in ('accepted', 'declined', 'expired'))
    ),
    'good_score_share', private.part_of(
      count(*) filter (where o.rank <= 3 and o.score > private.number_setting('good_score', 70)),
      count(*) filter (where o.rank <= 3)
    )
  )
  from public.match_offers as o
  where o.created_at >= p_since
$$;

COMMENT ON FUNCTION private.offer_stats(p_since timestamp with time zone) IS 'Offers since then, what became of them, and how many of the best three suit well.';

CREATE FUNCTION private.offered_people() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select array(
    select o.student_id from public.match_offers as o
    where o.mentor_id = (select private.current_user_id()) and o.status = 'offered'
  )
$$;

COMMENT ON FUNCTION private.offered_people() IS 'The students who are offered to the person who is signed in.';

CREATE FUNCTION private.offered_requests() RETURNS uuid[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  return array(
    select o.request_id from public.match_offers as o
    where o.mentor_id = (select private.current_user_id()) and o.status in ('offered', 'accepted')
  );
end
$$;

COMMENT ON FUNCTION private.offered_requests() IS 'The requests that are offered to the person who is signed in, or were taken by them.';

CREATE FUNCTION private.open_jobs(p_jobs text[]) RETURNS text[]
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select coalesce(array_agg(s.job), '{}')
  from public.job_schedules as s
  left join (
    select r.job, count(*) as n from public.job_runs as r where r.status = 'running' group by r.job
  ) as running on running.job = s.job
  where (p_jobs is null or s.job = any (p_jobs))
    and (s.max_concurrent is null or coalesce(running.n, 0) < s.max_concurrent)
$$;

COMMENT ON FUNCTION private.open_jobs(p_jobs text[]) IS 'Those of the jobs (null: of all) that may have another run now.';

CREATE FUNCTION private.outcome_counts(p_outcomes private.sync_outcome[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select coalesce(jsonb_object_agg(c.outcome, c.n), '{}')
  from (
    select o.outcome, count(*) as n from unnest(p_outcomes) as o group by o.outcome
  ) as c
$$;

COMMENT ON FUNCTION private.outcome_counts(p_outcomes private.sync_outcome[]) IS 'How many of each kind.';

CREATE FUNCTION private.outcome_records(p_outcomes private.sync_outcome[], p_most integer) RETURNS jsonb
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select coalesce(jsonb_agg(
    jsonb_strip_nulls(jsonb_build_object(
      'member_id', o.member_id, 'email', left(o.email, 320), 'name', left(o.name, 200),
      'outcome', o.outcome, 'reason', o.reason, 'code', o.code, 'mentor_id', o.mentor_id
    ))
    order by o.place
  ), '[]')
  from (
    select r.*, row_number() over (partition by r.outcome order by r.place) as nth
    from unnest(p_outcomes) with ordinality
      as r (member_id, email, name, outcome, reason, code, mentor_id, place)
  ) as o
  where p_most is null or o.nth <= p_most
$$;

COMMENT ON FUNCTION private.outcome_records(p_outcomes private.sync_outcome[], p_most integer) IS 'The outcomes as JSON, in order, at the most so many of each kind.';

CREATE FUNCTION private.outcomes(p_alive_days integer, p_good_rating numeric) RETURNS TABLE(outcome text, is_good boolean, breakdown jsonb)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select 'accepted', o.status = 'accepted', o.breakdown
  from public.match_offers as o
  where o.status in ('accepted', 'declined', 'expired')
  union all
  select
    'alive',
    m.status = 'completed' or m.ended_at is null
      or m.ended_at >= m.started_at + make_interval(days => p_alive_days),
    m.breakdown
  from public.matches as m
  where m.role = 'primary' and m.status <> 'pending' and m.breakdown is not null
    and m.started_at <= now() - make_interval(days => p_alive_days)
  union all
  select 'rated', r.rating >= p_good_rating, m.breakdown
  from public.matches as m
  cross join lateral (
    select avg(f.rating) as rating from public.mentorship_feedback as f
    where f.match_id = m.id and f.author_role = 'student'
  ) as r
  where m.breakdown is not null and r.rating is not null
$$;

COMMENT ON FUNCTION private.outcomes(p_alive_days integer, p_good_rating numeric) IS 'How offers and matches went, with the parts of their scores.';

CREATE FUNCTION private.own_match(p_match_id uuid) RETURNS public.matches
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  found_match public.matches;
begin
  select m.* into found_match from public.matches as m where m.id = p_match_id for no key update;
  if not found then
    raise exception 'There is no match %.', p_match_id
      using errcode = 'MS011', hint = 'get_matches() lists yours.';
  end if;
  if private.side_of(found_match, private.current_user_id()) is null then
    raise exception 'Only the two of a match may do this.'
      using errcode = '42501', hint = 'get_matches() lists yours.';
  end if;
  return found_match;
end
$$;

COMMENT ON FUNCTION private.own_match(p_match_id uuid) IS 'The match, locked, if whoever is signed in is a side of it; 42501 otherwise.';

CREATE FUNCTION private.packed_mentors(p_ids uuid[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select private.packed_people(p_ids) || jsonb_build_object(
    'mentors', to_jsonb(p_ids),
    'names', coalesce(jsonb_agg(coalesce(u.full_name, '') order by m.place), '[]'),
    'languages', coalesce(jsonb_agg(coalesce(p.languages, '{}') order by m.place), '[]'),
    'zones', coalesce(
      jsonb_agg(private.zone_hours(coalesce(t.timezone, u.timezone)) order by m.place), '[]'
    )
  )
  from unnest(p_ids) with ordinality as m (id, place)
  inner join public.users as u on u.id = m.id
  left join public.mentorship_profiles as p on p.user_id = m.id
  left join public.mentors as t on t.person_id = m.id
$$;

COMMENT ON FUNCTION private.packed_mentors(p_ids uuid[]) IS 'Mentors and what they have to give, packed for the engine.';

CREATE FUNCTION private.packed_people(p_ids uuid[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'terms', coalesce(string_agg(t.terms, ' ' order by t.place), ''),
    'counts', coalesce(jsonb_agg(t.n order by t.place), '[]'),
    'hashes', coalesce(jsonb_agg(t.hash order by t.place), '[]')
  )
  from private.packed_terms(p_ids) as t
$$;

COMMENT ON FUNCTION private.packed_people(p_ids uuid[]) IS 'Terms, how many each person has, and their hashes, as JSON.';

CREATE FUNCTION private.packed_requests(p_request_ids uuid[]) RETURNS TABLE(place bigint, terms text, n bigint, hash bigint)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select p.place, t.terms, t.n, hashtextextended(coalesce(t.terms, ''), 0)
  from unnest(p_request_ids) with ordinality as p (id, place)
  cross join lateral (
    select
      string_agg((x.term_id * 6 + x.factor - 1)::text, ' ' order by x.factor, x.term_id) as terms,
      count(*) as n
    from private.request_terms(p.id) as x
  ) as t
$$;

COMMENT ON FUNCTION private.packed_requests(p_request_ids uuid[]) IS 'The terms of the students of these requests, packed for the engine.';

CREATE FUNCTION private.packed_students(p_students uuid[], p_requests uuid[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  return private.packed_people(p_students) || (
    select jsonb_build_object(
      'students', to_jsonb(p_students),
      'requests', to_jsonb(p_requests),
      'names', coalesce(jsonb_agg(coalesce(u.full_name, '') order by p.place), '[]'),
      'days', coalesce(
        jsonb_agg(
          coalesce(extract(day from now() - r.created_at)::integer, 0) order by p.place
        ), '[]'
      ),
      'languages', coalesce(jsonb_agg(coalesce(r.required_languages, '{}') order by p.place), '[]'),
      'hours', coalesce(jsonb_agg(r.max_timezone_hours order by p.place), '[]'),
      'zones', coalesce(jsonb_agg(
        case when r.max_timezone_hours is not null then private.zone_hours(u.timezone) end
        order by p.place
      ), '[]'),
      'wanted', coalesce(jsonb_agg(r.mentor_id order by p.place), '[]'),
      'rules', coalesce(jsonb_agg(
        case when r.mentor_id is not null
          then private.blocking_rule(r.student_id, r.mentor_id, r.id) end
        order by p.place
      ), '[]')
    )
    from unnest(p_students, p_requests) with ordinality as p (student_id, request_id, place)
    inner join public.users as u on u.id = p.student_id
    left join public.mentorship_requests as r on r.id = p.request_id
  );
end
$$;

COMMENT ON FUNCTION private.packed_students(p_students uuid[], p_requests uuid[]) IS 'Students and what they look for, packed for the engine.';

CREATE FUNCTION private.packed_terms(p_ids uuid[]) RETURNS TABLE(place bigint, terms text, n bigint, hash bigint)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select p.place, t.terms, t.n, hashtextextended(coalesce(t.terms, ''), 0)
  from unnest(p_ids) with ordinality as p (id, place)
  cross join lateral (
    select
      string_agg((x.term_id * 6 + x.factor - 1)::text, ' ' order by x.factor, x.term_id) as terms,
      count(*) as n
    from private.profile_terms as x
    where x.user_id = p.id
  ) as t
$$;

COMMENT ON FUNCTION private.packed_terms(p_ids uuid[]) IS 'The terms of people in the order in which they are named, packed for the engine.';

CREATE FUNCTION private.page_url(p_path text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select rtrim(private.text_setting('app_url'), '/') || '/' || p_path
$$;

COMMENT ON FUNCTION private.page_url(p_path text) IS 'The address of a page of the application; null while app_url is not set.';

CREATE FUNCTION private.pair_blocked() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  offer public.match_offers;
begin
  perform private.lock_student(new.student_id);
  update public.match_offers as o
  set status = 'withdrawn', answered_at = now()
  where o.student_id = new.student_id and o.mentor_id = new.mentor_id and o.status = 'offered'
  returning o.* into offer;
  if found then
    perform private.supersede_offers(array[offer.id]);
    perform private.reopen_exhausted(array[offer.batch_id]);
  end if;
  return null;
end
$$;

COMMENT ON FUNCTION private.pair_blocked() IS 'Trigger: what is offered to a mentor who is to be kept from the student is withdrawn.';

CREATE FUNCTION private.pair_rules(p_students uuid[], p_mentors uuid[], p_requests uuid[]) RETURNS TABLE(place bigint, student_id uuid, mentor_id uuid, rule text)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  with state as materialized (
    select s.mentor_id, s.rule, p.languages, coalesce(t.timezone, u.timezone) as zone
    from private.mentor_states(array(select distinct m from unnest(p_mentors) as m)) as s
    left join public.mentorship_profiles as p on p.user_id = s.mentor_id
    left join public.mentors as t on t.person_id = s.mentor_id
    left join public.users as u on u.id = s.mentor_id
  )
  select
    pair.place,
    pair.student_id,
    pair.mentor_id,
    case
      when pair.student_id = pair.mentor_id then 'oneself'
      when s.rule is not null then s.rule
      when exists (
        select from public.blocked_pairs as b
        where b.student_id = pair.student_id and b.mentor_id = pair.mentor_id
      ) then 'blocked'
      when exists (
        select from public.matches as m
        where m.student_id = pair.student_id and m.mentor_id = pair.mentor_id and not m.undone
      ) then 'matched_before'
      when exists (
        select from public.match_offers as o
        where o.request_id = r.id and o.mentor_id = pair.mentor_id
      ) then 'already_offered'
      when r.required_languages <> '{}' and not r.required_languages && s.languages then 'language'
      when r.max_timezone_hours is not null and coalesce(
        private.hours_apart(u.timezone, s.zone) > r.max_timezone_hours, true
      ) then 'timezone'
    end
  from unnest(p_students, p_mentors, p_requests) with ordinality
    as pair (student_id, mentor_id, request_id, place)
  left join state as s on s.mentor_id = pair.mentor_id
  left join public.users as u on u.id = pair.student_id
  left join public.mentorship_requests as r
    on r.student_id = pair.student_id
    and (r.id = pair.request_id or pair.request_id is null and r.status in ('open', 'offered'))
$$;

COMMENT ON FUNCTION private.pair_rules(p_students uuid[], p_mentors uuid[], p_requests uuid[]) IS 'For each pair the hard rule that keeps the two apart; null: none does.';

CREATE FUNCTION private.part_of(p_part bigint, p_whole bigint) RETURNS numeric
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select round(p_part::numeric / nullif(p_whole, 0), 3)
$$;

COMMENT ON FUNCTION private.part_of(p_part bigint, p_whole bigint) IS 'A share, 0 to 1; null of nothing.';

CREATE FUNCTION private.pause_match(p_match_id uuid, p_reason text) RETURNS public.matches
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  perform private.require_admin();
  return private.change_match(
    p_match_id, '{active}', 'paused', p_reason, private.current_user_id()
  );
end
$$;

COMMENT ON FUNCTION private.pause_match(p_match_id uuid, p_reason text) IS 'Pauses a match, for those who may.';

CREATE FUNCTION private.pieces_of(p_texts text[]) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select p.piece
  from (
    select x.piece, sum(length(x.piece)) over (order by given.place, x.nth) as so_far,
      row_number() over (order by given.place, x.nth) as number
    from unnest(p_texts) with ordinality as given (text, place)
    cross join lateral regexp_split_to_table(left(given.text, 2000), '[,;|\n\r•·]+')
      with ordinality as x (piece, nth)
    where given.place <= 1000 and x.piece <> ''
  ) as p
  where p.number <= 500 and p.so_far <= 10000
  order by p.number
$$;

COMMENT ON FUNCTION private.pieces_of(p_texts text[]) IS 'Texts taken apart where people put several things into one.';

CREATE FUNCTION private.placing_counts(p_placings private."placing"[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(jsonb_object_agg(n.kind, n.n), '{}')
  from (
    select
      case
        when p.rule is null then 'placed'
        when p.rule = 'failed' then 'failed'
        else 'dropped_' || p.rule
      end as kind,
      count(*) as n
    from unnest(p_placings) as p
    group by 1
  ) as n
$$;

COMMENT ON FUNCTION private.placing_counts(p_placings private."placing"[]) IS 'How many were placed, failed, or were dropped by which rule.';

CREATE FUNCTION private.placing_records(p_placings private."placing"[], p_limit integer) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(jsonb_agg(jsonb_build_object(
    'outcome', case
      when p.rule is null then 'placed' when p.rule = 'failed' then 'failed' else 'dropped'
    end,
    'student_id', p.student_id, 'student_name', coalesce(s.full_name, ''),
    'mentor_id', p.mentor_id, 'mentor_name', coalesce(t.full_name, ''),
    'score', round(p.units / 10000.0, 2), 'reason', coalesce(p.reason, p.rule)
  ) order by p.place), '[]')
  from (
    select x.* from unnest(p_placings) as x
    order by x.rule is null, x.place limit p_limit
  ) as p
  inner join public.users as s on s.id = p.student_id
  inner join public.users as t on t.id = p.mentor_id
$$;

COMMENT ON FUNCTION private.placing_records(p_placings private."placing"[], p_limit integer) IS 'What became of some pairs, for people to read; those that were not placed go before.';

CREATE FUNCTION private.pointless_offers(p_limit integer) RETURNS uuid[]
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select array(
    select o.id
    from public.match_offers as o
    inner join public.users as u on u.id = o.mentor_id
    left join public.mentors as t on t.person_id = o.mentor_id
    left join public.mentorship_profiles as p on p.user_id = o.mentor_id
    where o.status = 'offered' and (
      u.status <> 'Active' or t.is_approved is not true or t.is_active is not true
      or p.is_active is not true or p.role <> 'mentor' or p.paused_until > now()
      or p.mentee_count
        >= coalesce(t.capacity, private.number_setting('default_capacity', 20))
    )
    order by o.created_at, o.id limit p_limit
  )
$$;

COMMENT ON FUNCTION private.pointless_offers(p_limit integer) IS 'Open offers to mentors who are full, not listed any more, inactive or paused.';

CREATE FUNCTION private.post_question(p_title text, p_question text, p_topics text[]) RETURNS public.quick_questions
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  me constant uuid := private.current_user_id();
  title constant text := private.trim_space(coalesce(p_title, ''));
  topics constant text[] := array(
    select t.topic
    from (
      select private.trim_space(x.topic) as topic, x.place
      from unnest(p_topics) with ordinality as x (topic, place)
    ) as t
    where t.topic <> ''
    order by t.place
  );
  made public.quick_questions;
begin
  perform private.require_may_ask(me);
  perform private.require_question_fits(title, p_question, topics);
  insert into public.quick_questions (student_id, title, question, topics, expires_at)
  values (
    me, title, coalesce(p_question, ''), topics,
    now() + make_interval(days => private.number_setting('question_days', 7))
  )
  returning * into made;
  perform private.ask_mentors(made);
  return made;
end
$$;

COMMENT ON FUNCTION private.post_question(p_title text, p_question text, p_topics text[]) IS 'Asks a question.';

CREATE FUNCTION private.primary_match(p_student_id uuid) RETURNS public.matches
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select m.* from public.matches as m
  where m.student_id = p_student_id and m.role = 'primary' and m.status in ('active', 'paused')
$$;

COMMENT ON FUNCTION private.primary_match(p_student_id uuid) IS 'The match of a student with their mentor.';

CREATE FUNCTION private.profile_lists(p_ids uuid[]) RETURNS TABLE(user_id uuid, factor smallint, texts text[])
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.profile_lists(p_ids uuid[]) IS 'What these people say that is compared, by factor 1 to 4.';

CREATE FUNCTION private.profile_owner(p_user_id uuid) RETURNS uuid
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.profile_owner(p_user_id uuid) IS 'The person that a verb is about, for those who may; 42501 for others.';

CREATE FUNCTION private.question_alias_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  changed constant text[] := case tg_op
    when 'INSERT' then array[new.alias, new.term]
    when 'DELETE' then array[old.alias, old.term]
    else array[old.alias, old.term, new.alias, new.term]
  end;
begin
  update public.quick_questions as q
  set topics = q.topics
  where q.status in ('open', 'claimed') and q.terms && changed;
  return null;
end
$$;

COMMENT ON FUNCTION private.question_alias_changed() IS 'Trigger: questions that name the word or its meaning follow.';

CREATE FUNCTION private.question_stats(p_since timestamp with time zone) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'asked', count(*),
    'open', count(*) filter (where q.status = 'open'),
    'claimed', count(*) filter (where q.status = 'claimed'),
    'completed', count(*) filter (where q.status = 'completed'),
    'expired', count(*) filter (where q.status = 'expired'),
    'claimed_within_day_share', private.part_of(
      count(*) filter (where q.first_claimed_at <= q.created_at + interval '24 hours'),
      count(*) filter (
        where q.first_claimed_at is not null
        or q.status <> 'cancelled' and q.created_at <= now() - interval '24 hours'
      )
    ),
    'mean_rating', round(avg(q.rating), 2)
  )
  from public.quick_questions as q
  where q.created_at >= p_since
$$;

COMMENT ON FUNCTION private.question_stats(p_since timestamp with time zone) IS 'Questions asked since then, and how soon they were taken.';

CREATE FUNCTION private.queue_check_ins(p_changes private.health_change[]) RETURNS bigint
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with queued as (
    select public.queue_message(
      'health_check_in', side.person, private.risk_about(c.match_id, c.at_risk_since),
      jsonb_build_object(
        'other_name', coalesce(o.full_name, ''), 'last_contact_at', c.last_contact_at,
        'ask', jsonb_build_array(jsonb_build_object(
          'about', private.risk_about(c.match_id, c.at_risk_since),
          'answers', array['well', 'help']
        ))
      )
    )
    from unnest(p_changes) as c
    cross join lateral (
      values (c.student_id, c.mentor_id), (c.mentor_id, c.student_id)
    ) as side (person, other)
    inner join public.users as u on u.id = side.person and u.status = 'Active'
    inner join public.users as o on o.id = side.other
    where c.was_at_risk_since is null and c.at_risk_since is not null
      and not c.asks_for_help and not c.mentor_left
    order by c.match_id, side.person
  )
  select count(*) from queued
$$;

COMMENT ON FUNCTION private.queue_check_ins(p_changes private.health_change[]) IS 'Asks both sides of matches that came to be at risk whether all is well: how many people.';

CREATE TABLE public.mentorship_sessions (
    session_id uuid DEFAULT gen_random_uuid() NOT NULL,
    mentor_id uuid,
    user_id uuid,
    session_type text NOT NULL,
    status text DEFAULT 'PENDING'::text NOT NULL,
    title text,
    scheduled_at timestamp with time zone,
    ends_at timestamp with time zone,
    session_duration_minutes integer,
    completed_at timestamp with time zone,
    meeting_url text,
    platform text,
    format text,
    notes text,
    request_data jsonb DEFAULT '{}'::jsonb NOT NULL,
    session_rating integer,
    session_feedback text,
    is_deleted boolean DEFAULT false NOT NULL,
    calendar_sequence integer DEFAULT 0 NOT NULL,
    calendar_changed_at timestamp with time zone DEFAULT now() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    match_id uuid,
    action_items jsonb DEFAULT '[]'::jsonb NOT NULL,
    logged_by uuid,
    CONSTRAINT mentorship_sessions_action_items_are_list CHECK (((jsonb_typeof(action_items) = 'array'::text) AND (length((action_items)::text) <= 20000))),
    CONSTRAINT mentorship_sessions_ends_after_start CHECK ((ends_at > scheduled_at)),
    CONSTRAINT mentorship_sessions_format_known CHECK ((format = ANY (ARRAY['video'::text, 'phone'::text, 'in_person'::text, 'chat'::text]))),
    CONSTRAINT mentorship_sessions_minutes_fit CHECK (((session_duration_minutes >= 1) AND (session_duration_minutes <= 1440))),
    CONSTRAINT mentorship_sessions_notes_fit CHECK ((length(notes) <= 20000)),
    CONSTRAINT mentorship_sessions_platform_known CHECK ((platform = ANY (ARRAY['zoom'::text, 'meet'::text, 'teams'::text]))),
    CONSTRAINT mentorship_sessions_scheduled_has_time CHECK (((status <> 'SCHEDULED'::text) OR (scheduled_at IS NOT NULL))),
    CONSTRAINT mentorship_sessions_session_rating_check CHECK (((session_rating >= 1) AND (session_rating <= 5))),
    CONSTRAINT mentorship_sessions_status_known CHECK ((status = ANY (ARRAY['PENDING'::text, 'SCHEDULED'::text, 'COMPLETED'::text, 'CANCELLED'::text]))),
    CONSTRAINT mentorship_sessions_type_is_upper_snake CHECK ((session_type ~ '^[A-Z][A-Z0-9_]*$'::text)),
    CONSTRAINT mentorship_sessions_url_is_web CHECK ((meeting_url ~ '^[Hh][Tt][Tt][Pp][Ss]?://[!#-;=?-\[\]_a-z~]+$'::text))
);

COMMENT ON TABLE public.mentorship_sessions IS 'Sessions of mentors with students.';

COMMENT ON COLUMN public.mentorship_sessions.session_id IS 'The session.';

COMMENT ON COLUMN public.mentorship_sessions.mentor_id IS 'The mentor: users.id.';

COMMENT ON COLUMN public.mentorship_sessions.user_id IS 'The student: users.id.';

COMMENT ON COLUMN public.mentorship_sessions.session_type IS 'Such as MOCK_INTERVIEW.';

COMMENT ON COLUMN public.mentorship_sessions.status IS 'PENDING, SCHEDULED, COMPLETED or CANCELLED.';

COMMENT ON COLUMN public.mentorship_sessions.title IS 'What it is called; else its type.';

COMMENT ON COLUMN public.mentorship_sessions.scheduled_at IS 'When it begins.';

COMMENT ON COLUMN public.mentorship_sessions.ends_at IS 'When it ends; empty: after its minutes.';

COMMENT ON COLUMN public.mentorship_sessions.session_duration_minutes IS 'How long it takes; empty: session_minutes of program_settings.';

COMMENT ON COLUMN public.mentorship_sessions.completed_at IS 'When it was held.';

COMMENT ON COLUMN public.mentorship_sessions.meeting_url IS 'The video call.';

COMMENT ON COLUMN public.mentorship_sessions.platform IS 'zoom, meet or teams.';

COMMENT ON COLUMN public.mentorship_sessions.format IS 'video, phone, in_person or chat.';

COMMENT ON COLUMN public.mentorship_sessions.notes IS 'What both sides wrote down.';

COMMENT ON COLUMN public.mentorship_sessions.request_data IS 'What the form asked.';

COMMENT ON COLUMN public.mentorship_sessions.session_rating IS '1 to 5.';

COMMENT ON COLUMN public.mentorship_sessions.session_feedback IS 'What was said of it.';

COMMENT ON COLUMN public.mentorship_sessions.is_deleted IS 'Deleted: shown to nobody, kept.';

COMMENT ON COLUMN public.mentorship_sessions.calendar_sequence IS 'Grows with each change that calendars must hear of (SEQUENCE).';

COMMENT ON COLUMN public.mentorship_sessions.calendar_changed_at IS 'When that last was.';

COMMENT ON COLUMN public.mentorship_sessions.created_at IS 'When the row was made.';

COMMENT ON COLUMN public.mentorship_sessions.updated_at IS 'When it was last changed.';

COMMENT ON COLUMN public.mentorship_sessions.match_id IS 'The match that it belongs to, if any.';

COMMENT ON COLUMN public.mentorship_sessions.action_items IS 'What is to be done next: [{"text", "due", "done"}].';

COMMENT ON COLUMN public.mentorship_sessions.logged_by IS 'Who logged it: users.id.';

CREATE FUNCTION private.queue_invitation(p_session public.mentorship_sessions, p_person uuid, p_other uuid, p_change text) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select public.queue_message(
    'session_invite', p_person,
    'session:' || p_session.session_id || ':invite:' || p_session.calendar_sequence,
    private.session_mail(p_session, p_other) || jsonb_build_object(
      'is_moved', p_change = 'moved', 'is_cancelled', p_change = 'cancelled',
      'event', private.session_event(p_session)
      || jsonb_build_object('cancelled', p_change = 'cancelled')
    ),
    8, null, p_session.scheduled_at
  )
  from public.users as u
  where u.id = p_person and u.role <> 'system'
$$;

COMMENT ON FUNCTION private.queue_invitation(p_session public.mentorship_sessions, p_person uuid, p_other uuid, p_change text) IS 'Tells one side of a session that is new, moved or cancelled.';

CREATE FUNCTION private.queue_offers(p_offer_ids uuid[]) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
declare
  queued integer;
  usual constant text := private.route('mentor_recommendation', null, '{}');
begin
  with due as materialized (
    select o.id, o.mentor_id, o.student_id, o.score, o.reasons, o.request_id, b.expires_at
    from public.match_offers as o
    inner join public.match_batches as b on b.id = o.batch_id
    where o.id = any (p_offer_ids)
  ),
  way as materialized (
    select p.user_id, private.route('mentor_recommendation', p.user_id, '{}') as status
    from public.contact_preferences as p
    where p.user_id in (select d.mentor_id from due as d)
      and p.kind in ('mentor_recommendation', 'all')
    group by p.user_id
  ),
  page as materialized (
    select private.page_url('offers/') as url
  ),
  mail as (
    insert into public.message_outbox as m (kind, recipient, about, data, status, expires_at)
    select
      'mentor_recommendation', d.mentor_id, 'offer:' || d.id,
      jsonb_build_object(
        'student_name', coalesce(u.full_name, ''), 'score', d.score, 'reasons', d.reasons,
        'message', nullif(r.message, ''), 'expires_at', d.expires_at,
        'offer_url', page.url || d.id
      ),
      coalesce(way.status, usual), d.expires_at
    from due as d
    cross join page
    inner join public.users as u on u.id = d.student_id
    inner join public.mentorship_requests as r on r.id = d.request_id
    left join way on way.user_id = d.mentor_id
    on conflict do nothing
    returning m.recipient, m.status, m.data
  ),
  told as (
    select count(private.notify_in_app(m.recipient, 'mentor_recommendation', m.data)) as n
    from mail as m where m.status = 'in_app'
  )
  select count(*) + 0 * (select told.n from told) into queued from mail;
  return queued;
end
$$;

COMMENT ON FUNCTION private.queue_offers(p_offer_ids uuid[]) IS 'Tells mentors of these offers: how many messages that are new.';

CREATE FUNCTION private.queue_reminders(p_session public.mentorship_sessions, p_person uuid, p_other uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select public.queue_message(
    'session_reminder', p_person,
    -- Moved, it is reminded of again; with another address of the call it is not.
    concat_ws(
      ':', 'session', p_session.session_id, h.hours,
      extract(epoch from p_session.scheduled_at)::bigint
    ),
    private.session_mail(p_session, p_other), 7,
    p_session.scheduled_at - h.hours * interval '1 hour', p_session.scheduled_at
  )
  from (
    select (x.value #>> '{}')::numeric as hours
    from public.program_settings as s
    cross join lateral jsonb_array_elements(s.value) as x (value)
    where s.key = 'reminder_hours' and jsonb_typeof(s.value) = 'array'
      and jsonb_typeof(x.value) = 'number'
  ) as h
  where p_session.scheduled_at - h.hours * interval '1 hour' > now()
$$;

COMMENT ON FUNCTION private.queue_reminders(p_session public.mentorship_sessions, p_person uuid, p_other uuid) IS 'Reminders of a session to one side, for those of the hours before it that are still to come.';

CREATE FUNCTION private.queue_session_mail(p_was public.mentorship_sessions, p_session public.mentorship_sessions, p_stands boolean) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  person uuid;
  holders constant uuid[] := array(select private.holders_of(p_session.session_id));
  sides constant uuid[] := case
    when p_stands then array[p_session.mentor_id, p_session.user_id] else '{}'
  end;
begin
  foreach person in array holders loop
    if person <> all (sides) then
      perform private.queue_invitation(
        p_was, person,
        case person when p_was.mentor_id then p_was.user_id else p_was.mentor_id end, 'cancelled'
      );
    end if;
  end loop;
  foreach person in array sides loop
    perform private.queue_invitation(
      p_session, person, case person when sides[1] then sides[2] else sides[1] end,
      case when person = any (holders) then 'moved' else 'new' end
    );
    perform private.queue_reminders(
      p_session, person, case person when sides[1] then sides[2] else sides[1] end
    );
  end loop;
end
$$;

COMMENT ON FUNCTION private.queue_session_mail(p_was public.mentorship_sessions, p_session public.mentorship_sessions, p_stands boolean) IS 'Tells those who have a session in the calendar, and those who take part now, what changed.';

CREATE FUNCTION private.queue_surveys(p_user_id uuid, p_surveys jsonb) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select public.queue_message(
    case when jsonb_array_length(p_surveys) = 1 then 'feedback_survey' else 'survey_digest' end,
    p_user_id,
    -- Of several, it outlives the first match.
    case when jsonb_array_length(p_surveys) = 1 then '' else 'surveys:' end
    || (p_surveys -> 0 ->> 'about'),
    jsonb_build_object('ask', asked.questions) || case
      when jsonb_array_length(p_surveys) > 1 then jsonb_build_object('surveys', asked.surveys)
      else asked.surveys -> 0
    end,
    5, null, now() + make_interval(days => private.survey_days())
  )
  from (
    select
      jsonb_agg(jsonb_build_object(
        'about', s.survey ->> 'about', 'answers', array['1', '2', '3', '4', '5']
      ) order by s.place) as questions,
      jsonb_agg(s.survey - 'about' order by s.place) as surveys
    from jsonb_array_elements(p_surveys) with ordinality as s (survey, place)
  ) as asked
$$;

COMMENT ON FUNCTION private.queue_surveys(p_user_id uuid, p_surveys jsonb) IS 'One mail with the surveys of a person: [{about, other_name, comment_url}].';

CREATE FUNCTION private.quiet_until(p_now timestamp with time zone, p_zone text, p_from time without time zone, p_until time without time zone) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  zone constant text := private.known_zone(p_zone);
  here constant timestamp := p_now at time zone zone;
  quiet constant boolean := case
    when p_from < p_until then here::time >= p_from and here::time < p_until
    else here::time >= p_from or here::time < p_until
  end;
begin
  if quiet is not true then
    return null;
  end if;
  return (here::date + p_until + interval '1 day' * (here::time >= p_until)::integer)
    at time zone zone;
end
$$;

COMMENT ON FUNCTION private.quiet_until(p_now timestamp with time zone, p_zone text, p_from time without time zone, p_until time without time zone) IS 'The end of the quiet hours that it is in at that time, in that time zone; null outside them.';

CREATE FUNCTION private.ranked_mentors(p_student_id uuid, p_weights public.match_weights) RETURNS TABLE(mentor_id uuid, units integer)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select m.user_id, sum(w.per_term)::integer
  from private.term_weights(p_student_id, p_weights) as w
  inner join private.profile_terms as s on s.user_id = p_student_id and s.factor = w.factor
  inner join private.profile_terms as m on m.term_id = s.term_id and m.factor = s.factor
  inner join public.mentorship_profiles as p on p.user_id = m.user_id and p.role = 'mentor'
  group by m.user_id
  order by 2 desc, 1
$$;

COMMENT ON FUNCTION private.ranked_mentors(p_student_id uuid, p_weights public.match_weights) IS 'Every mentor who has something in common with a student, the best first.';

CREATE FUNCTION private.rate_question(p_id uuid, p_rating integer, p_comment text) RETURNS public.quick_questions
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  rated public.quick_questions;
begin
  if p_rating is null or p_rating not between 1 and 5 then
    raise exception 'A rating of % cannot be given.', coalesce(p_rating::text, 'nothing')
      using errcode = '22023', hint = 'p_rating is 1 to 5.';
  end if;
  perform private.require_text_fits('p_comment', p_comment, 2000);
  update public.quick_questions as q
  set rating = p_rating, rating_comment = nullif(p_comment, ''), rated_at = now()
  where q.id = p_id and q.student_id = private.current_user_id()
    and q.status = 'completed' and q.rated_at is null
  returning * into rated;
  if not found then
    perform private.refuse_question(
      p_id, 'Only who asked rates the answer, and once.', 'Wait until the question is completed.'
    );
  end if;
  return rated;
end
$$;

COMMENT ON FUNCTION private.rate_question(p_id uuid, p_rating integer, p_comment text) IS 'Rates the answer to one''s own question.';

CREATE FUNCTION private.read_action_items(p_items jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  items jsonb;
begin
  select coalesce(jsonb_agg(i.item order by i.place), '[]') into items
  from (
    select x.place, case jsonb_typeof(x.item)
      when 'string' then jsonb_build_object('text', x.item)
      when 'object' then jsonb_strip_nulls(jsonb_build_object(
        'text', x.item -> 'text',
        'due', to_char((x.item ->> 'due')::date, 'YYYY-MM-DD'),
        'done', (x.item ->> 'done')::boolean
      ))
    end as item
    from jsonb_array_elements(
      case jsonb_typeof(p_items) when 'array' then p_items when 'null' then '[]' end
    ) with ordinality as x (item, place)
  ) as i;
  if jsonb_typeof(coalesce(p_items, '[]')) not in ('array', 'null') or exists (
    select from jsonb_array_elements(items) as i (item)
    where coalesce(i.item ->> 'text', '') = '' or jsonb_typeof(i.item -> 'text') <> 'string'
  ) then
    raise exception 'Action items are a list of texts, or of {"text", "due", "done"}.'
      using errcode = '22023', hint = 'Such as [{"text": "Write the CV", "due": "2026-12-01"}].';
  end if;
  if length(items::text) > 20000 then
    raise exception 'The action items have % characters.', length(items::text)
      using errcode = '22023', hint = 'They have 20000 at the most, all together.';
  end if;
  return items;
end
$$;

COMMENT ON FUNCTION private.read_action_items(p_items jsonb) IS 'Action items as they are kept: [{"text", "due", "done"}], due and done where they are given.';

CREATE FUNCTION private.receive_resend_event(p_body text, p_headers jsonb) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  event constant jsonb := p_body;
begin
  if not private.is_signed_by('resend', p_headers, p_body) then
    raise exception 'The event is not signed by Resend, or older than five minutes.'
      using errcode = 'MS008', hint = 'Give the secret of the webhook: mentor-sync email webhook.';
  end if;
  case event ->> 'type'
    when 'email.bounced', 'email.suppressed' then
      perform private.note_undeliverable(event, 'bounced');
    when 'email.complained' then
      perform private.note_undeliverable(event, 'complained');
    else
      return 'ignored';
  end case;
  return 'noted';
end
$$;

COMMENT ON FUNCTION private.receive_resend_event(p_body text, p_headers jsonb) IS 'Takes an event of Resend''s webhook, if it is signed.';

CREATE FUNCTION private.recommend_mentors(p_student_id uuid, p_k integer) RETURNS TABLE(rank bigint, mentor_id uuid, mentor_name text, score numeric, confidence integer, breakdown jsonb, reasons jsonb)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
#variable_conflict use_column
declare
  student constant uuid := coalesce(p_student_id, private.current_user_id());
  weights constant public.match_weights := private.current_weights();
begin
  perform private.require_score(student, student);
  return query
  select
    a.rank, a.mentor_id, u.full_name, (s.score ->> 'total')::numeric,
    (s.score ->> 'confidence')::integer, s.score -> 'breakdown', s.score -> 'reasons'
  from (
    select x.* from private.allowed_mentors(student, weights) as x
    order by x.rank limit least(greatest(p_k, 1), 100)
  ) as a
  inner join public.users as u on u.id = a.mentor_id
  cross join lateral (
    select private.score_pair(student, a.mentor_id, weights) as score offset 0
  ) as s
  order by a.rank;
end
$$;

COMMENT ON FUNCTION private.recommend_mentors(p_student_id uuid, p_k integer) IS 'The best mentors for a student, for those who may know.';

CREATE FUNCTION private.referring_expression(p_relation regclass) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(
    'case ' || string_agg(
      format(
        'when exists (select from %s as x where x.%I = t.id%s) then %L',
        c.conrelid::regclass, a.attname,
        -- What was made of the row alone goes with it.
        case when c.conrelid = to_regclass('public.mentorship_profiles')
          then ' and not private.is_as_derived(x)' end,
        replace(c.conrelid::regclass::text, 'public.', '')
      ),
      ' ' order by c.oid
    ) || ' end',
    'null::text'
  )
  from pg_catalog.pg_constraint as c
  inner join pg_catalog.pg_attribute as a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
  where c.contype = 'f' and c.confrelid = p_relation and cardinality(c.conkey) = 1
    and c.connamespace = 'public'::regnamespace
$$;

COMMENT ON FUNCTION private.referring_expression(p_relation regclass) IS 'SQL for the name of a table that has a foreign key to row t of this one, or null.';

CREATE FUNCTION private.refresh_profiles(p_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    SET jit TO 'off'
    AS $$
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

COMMENT ON FUNCTION private.refresh_profiles(p_ids uuid[]) IS 'Makes the terms of these people what they say now.';

CREATE FUNCTION private.refresh_ratings(p_mentors uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  perform from public.mentors as t where t.person_id = any (p_mentors)
  order by t.id for no key update;
  update public.mentors as t
  set rating = voted.rating, rating_count = voted.n
  from (
    select p.id, coalesce(round(avg(v.rating), 2), 0.00) as rating, count(v.rating)::integer as n
    from unnest(p_mentors) as p (id)
    left join lateral (
      select avg(f.rating) as rating from public.mentorship_feedback as f
      where f.about_id = p.id and f.author_role = 'student' and f.rating is not null
      group by coalesce(f.match_id, f.session_id)
    ) as v on true
    group by p.id
  ) as voted
  where t.person_id = voted.id
    and (t.rating, t.rating_count) is distinct from (voted.rating, voted.n);
end
$$;

COMMENT ON FUNCTION private.refresh_ratings(p_mentors uuid[]) IS 'Makes the rating of these mentors again: the mean over their matches of what students gave.';

CREATE FUNCTION private.refresh_stale(p_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.refresh_stale(p_ids uuid[]) IS 'Derives and refreshes these people; one at fault is set aside with its reason.';

CREATE FUNCTION private.refresh_stale_profiles(p_run_id uuid, p_fence bigint, p_limit integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.refresh_stale_profiles(p_run_id uuid, p_fence bigint, p_limit integer) IS 'One call of refresh_stale_profiles.';

CREATE FUNCTION private.refuse_question(p_id uuid, p_what text, p_hint text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  found_status text;
begin
  select q.status into found_status from public.quick_questions as q where q.id = p_id;
  if not found then
    raise exception 'There is no question %.', p_id
      using errcode = 'MS011', hint = 'See: get_open_questions.';
  end if;
  raise exception '%', p_what
    using errcode = 'MS025', detail = found_status, hint = p_hint;
end
$$;

COMMENT ON FUNCTION private.refuse_question(p_id uuid, p_what text, p_hint text) IS 'The error where a question is none, is another''s, or is not in a state for this.';

CREATE FUNCTION private.reject_quietly(p_ids uuid[], p_reason text, p_code text, p_deadline timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    SET lock_timeout TO '2s'
    AS $$
begin
  if clock_timestamp() >= p_deadline then
    return;
  end if;
  perform private.limit_waits(p_deadline);
  insert into public.sync_rejects (source, source_id, reason, code)
  select 'members', p.id::text, p_reason, p_code from unnest(p_ids) as p (id)
  on conflict do nothing;
exception
  when assert_failure or query_canceled or others then
    if private.was_cancelled(sqlstate) then
      raise;
    end if;
    raise warning 'mentor_sync: sync_rejects cannot be written: %', sqlerrm;
end
$$;

COMMENT ON FUNCTION private.reject_quietly(p_ids uuid[], p_reason text, p_code text, p_deadline timestamp with time zone) IS 'Notes rejects where even that may not fail the statement.';

CREATE FUNCTION private.release_question(p_id uuid) RETURNS public.quick_questions
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  released public.quick_questions;
begin
  update public.quick_questions as q
  set
    status = 'open', claimed_by = null, claimed_at = null,
    expires_at = q.expires_at + (now() - q.claimed_at)
  where q.id = p_id and q.status = 'claimed' and q.claimed_by = private.current_user_id()
  returning * into released;
  if not found then
    perform private.refuse_question(
      p_id, 'Only who took a question gives it back.', 'Take it first: claim_question.'
    );
  end if;
  perform private.ask_mentors(released);
  return released;
end
$$;

COMMENT ON FUNCTION private.release_question(p_id uuid) IS 'Gives back a question that one took.';

CREATE FUNCTION private.reopen_exhausted(p_batches uuid[]) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  reopened integer;
begin
  with exhausted as (
    update public.match_batches as b
    set status = 'exhausted'
    where b.id = any (p_batches) and b.status = 'offered' and not exists (
      select from public.match_offers as o where o.batch_id = b.id and o.status = 'offered'
    )
    returning b.request_id
  )
  update public.mentorship_requests as r
  set status = 'open'
  from exhausted as e
  where r.id = e.request_id and r.status = 'offered';
  get diagnostics reopened = row_count;
  return reopened;
end
$$;

COMMENT ON FUNCTION private.reopen_exhausted(p_batches uuid[]) IS 'Batches of which no offer is left are exhausted, and their requests wait for the next mentors: how many.';

CREATE FUNCTION private.reopen_questions(p_limit integer DEFAULT 100) RETURNS integer
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with late as materialized (
    select q.id, q.claimed_by, q.claimed_at
    from public.quick_questions as q
    where q.status = 'claimed'
      and q.claimed_at
      <= now() - make_interval(hours => private.number_setting('question_claim_hours', 48))
    order by q.claimed_at
    limit least(p_limit, 100)
    for update skip locked
  ),
  reopened as (
    update public.quick_questions as q
    set
      status = 'open', claimed_by = null, claimed_at = null,
      expires_at = q.expires_at + (now() - l.claimed_at)
    from late as l
    where q.id = l.id
    returning q as question, l.claimed_by as mentor_id
  ),
  told as (
    select
      private.tell_of_question(
        r.question, r.mentor_id, 'question_reopened', 'A question that you took is open again'
      ),
      private.ask_mentors(r.question)
    from reopened as r
  )
  select count(*)::integer from told
$$;

COMMENT ON FUNCTION private.reopen_questions(p_limit integer) IS 'Questions that were taken and not answered in question_claim_hours are open again: how many.';

CREATE FUNCTION private.reopen_request(p_match public.matches) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  update public.mentorship_requests as r
  set status = 'open', closed_at = null
  where r.id = p_match.request_id and r.status = 'matched' and r.expires_at > now()
    and not exists (
      select from public.mentorship_requests as x
      where x.student_id = r.student_id and x.status in ('open', 'offered')
    );
  if found then
    update public.matches as m set request_id = null where m.id = p_match.id;
    perform private.note_stale(array[p_match.student_id]);
  end if;
end
$$;

COMMENT ON FUNCTION private.reopen_request(p_match public.matches) IS 'Lets the request that a match answered wait for mentors again.';

CREATE FUNCTION private.replace_mentor(p_student_id uuid, p_mentor_id uuid, p_reason text, p_actor uuid) RETURNS public.matches
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  old_match public.matches := private.primary_match(p_student_id);
  new_match public.matches;
begin
  if old_match.mentor_id is not distinct from p_mentor_id then
    return old_match;
  end if;
  perform private.lock_student(p_student_id);
  old_match := private.primary_match(p_student_id);
  perform private.lock_mentors(array[old_match.mentor_id, p_mentor_id]);
  if old_match.id is not null and old_match.mentor_id is distinct from p_mentor_id then
    perform set_config('mentor_sync.replacing', p_student_id::text, true)
    where p_mentor_id is not null;
    old_match := private.end_match(old_match.id, 'dissolved', p_reason, p_actor);
    perform set_config('mentor_sync.replacing', '', true);
    if private.is_undo() then
      update public.matches as m
      set undone = m.ended_at < m.started_at + interval '1 day'
      where m.id = old_match.id;
      perform private.reopen_request(old_match) where p_mentor_id is null;
    end if;
  end if;
  if p_mentor_id is not null then
    new_match := private.begin_match(
      p_student_id, p_mentor_id, 'primary', null, null, null, null, p_actor, p_reason
    );
  end if;
  perform private.announce_change(old_match, new_match) where old_match.id is not null;
  return new_match;
end
$$;

COMMENT ON FUNCTION private.replace_mentor(p_student_id uuid, p_mentor_id uuid, p_reason text, p_actor uuid) IS 'Gives a student this mentor, or none, instead of whom they have.';

CREATE FUNCTION private.replay_inputs(p_batch_ids uuid[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  ids constant uuid[] := array(
    select b.id from public.match_batches as b
    inner join public.mentorship_requests as r on r.id = b.request_id
    where b.id = any (p_batch_ids)
      and exists (select from public.match_offers as o where o.batch_id = b.id)
    order by r.created_at, r.id
  );
begin
  return jsonb_build_object(
    'batches', cardinality(ids),
    'requests', private.replayed_requests(ids),
    'mentors', private.replayed_mentors(ids)
  );
end
$$;

COMMENT ON FUNCTION private.replay_inputs(p_batch_ids uuid[]) IS 'One call of replay_inputs.';

CREATE FUNCTION private.replayed_mentors(p_batch_ids uuid[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  with moment as (
    select min(b.created_at) as first, max(b.created_at) as latest
    from public.match_batches as b where b.id = any (p_batch_ids)
  ),
  here as materialized (
    select o.mentor_id, count(*) as n from public.match_offers as o
    where o.batch_id = any (p_batch_ids) group by o.mentor_id
  ),
  pool as materialized (
    select s.mentor_id, coalesce(h.n, 0) as n,
      case s.rule when 'silent' then s.declared else s.effective end as seats
    from moment as t
    cross join lateral private.mentor_states(array(
      select p.user_id from public.mentorship_profiles as p
      where p.role = 'mentor' and p.created_at <= t.latest
      union
      select x.mentor_id from here as x
    )) as s
    left join here as h on h.mentor_id = s.mentor_id
    where h.n is not null or s.rule is null or s.rule in ('full', 'silent')
  ),
  mentor as (
    select
      row_number() over (order by p.mentor_id) as place, p.mentor_id,
      greatest(
        p.n, (p.seats - taken.n) * private.number_setting('offers_per_seat', 3) - open_then.n, 0
      ) as quota
    from pool as p
    cross join moment as t
    cross join lateral (
      select count(*) as n from public.matches as m
      where m.mentor_id = p.mentor_id and m.role <> 'peer' and m.status <> 'pending'
        and m.started_at < t.first and (m.ended_at is null or m.ended_at > t.first)
    ) as taken
    cross join lateral (
      select count(*) as n from public.match_offers as o
      where o.mentor_id = p.mentor_id and o.batch_id <> all (p_batch_ids)
        and o.created_at <= t.latest and (o.answered_at is null or o.answered_at > t.first)
    ) as open_then
  ),
  ids as (
    select coalesce(array_agg(m.mentor_id order by m.place), '{}') as all_ids from mentor as m
  )
  select private.packed_people((select i.all_ids from ids as i)) || jsonb_build_object(
    'mentors', coalesce(jsonb_agg(m.mentor_id order by m.place), '[]'),
    'names', coalesce(jsonb_agg(coalesce(u.full_name, '') order by m.place), '[]'),
    'quotas', coalesce(jsonb_agg(m.quota order by m.place), '[]'),
    'languages', coalesce(jsonb_agg(coalesce(p.languages, '{}') order by m.place), '[]'),
    'zones', coalesce(
      jsonb_agg(private.zone_hours(coalesce(t.timezone, u.timezone)) order by m.place), '[]'
    )
  )
  from mentor as m
  inner join public.users as u on u.id = m.mentor_id
  left join public.mentorship_profiles as p on p.user_id = m.mentor_id
  left join public.mentors as t on t.person_id = m.mentor_id
$$;

COMMENT ON FUNCTION private.replayed_mentors(p_batch_ids uuid[]) IS 'Mentors as mentors_to_match would have had them when these batches were made.';

CREATE FUNCTION private.replayed_requests(p_batch_ids uuid[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  with batch as (
    select p.place, b.*, r.created_at as since, r.required_languages, r.max_timezone_hours,
      r.mentor_id as asked, u.timezone, u.full_name, t.terms, t.n, t.hash
    from unnest(p_batch_ids) with ordinality as p (id, place)
    inner join public.match_batches as b on b.id = p.id
    inner join public.mentorship_requests as r on r.id = b.request_id
    inner join public.users as u on u.id = b.student_id
    cross join lateral private.packed_requests(array[b.request_id]) as t
  ),
  offered as (
    select b.place, o.mentors, o.told # b.hash = b.input_hash as fits,
      exists (
        select from public.match_offers as x where x.batch_id = b.id and x.mentor_id = b.asked
      ) as was_asked
    from batch as b
    cross join lateral (
      select
        bit_xor(h.hash) as told,
        jsonb_agg(jsonb_build_object(
          'mentor_id', o.mentor_id, 'name', m.full_name, 'score', o.score
        ) order by o.rank) as mentors
      from public.match_offers as o
      inner join public.users as m on m.id = o.mentor_id
      cross join lateral private.packed_terms(array[o.mentor_id]) as h
      where o.batch_id = b.id
    ) as o
  )
  select jsonb_build_object(
    'requests', jsonb_agg(b.id order by b.place),
    'students', jsonb_agg(b.student_id order by b.place),
    'names', jsonb_agg(coalesce(b.full_name, '') order by b.place),
    'made_at', jsonb_agg(b.created_at order by b.place),
    'versions', jsonb_agg(b.weights_version order by b.place),
    'offered', jsonb_agg(o.mentors order by b.place),
    'fits', jsonb_agg(coalesce(o.fits, false) order by b.place),
    'days', jsonb_agg(extract(day from b.created_at - b.since)::integer order by b.place),
    'languages', jsonb_agg(b.required_languages order by b.place),
    'hours', jsonb_agg(b.max_timezone_hours order by b.place),
    'zones', jsonb_agg(
      case when b.max_timezone_hours is not null then private.zone_hours(b.timezone) end
      order by b.place
    ),
    'wanted', jsonb_agg(case when o.was_asked then b.asked end order by b.place),
    'rules', jsonb_agg(null::text order by b.place),
    'forbidden', private.forbidden_then(p_batch_ids),
    'terms', coalesce(string_agg(b.terms, ' ' order by b.place), ''),
    'counts', jsonb_agg(b.n order by b.place),
    'hashes', jsonb_agg(b.hash order by b.place)
  )
  from batch as b
  inner join offered as o on o.place = b.place
$$;

COMMENT ON FUNCTION private.replayed_requests(p_batch_ids uuid[]) IS 'Batches as requests_to_match would have them, and what was offered.';

CREATE FUNCTION private.request_mentor(p_message text, p_focus_areas text[], p_goals text[], p_mentor_id uuid, p_preference_overrides jsonb, p_required_languages text[], p_max_timezone_hours integer) RETURNS public.mentorship_requests
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  me constant uuid := private.asking_student();
  made public.mentorship_requests;
begin
  perform private.check_overrides(coalesce(p_preference_overrides, '{}'));
  perform private.require_pair(me, p_mentor_id) where p_mentor_id is not null;
  perform private.lock_student(me);
  perform private.require_no_mentor(me);
  insert into public.mentorship_requests as r (
    student_id, mentor_id, message, focus_areas, goals, preference_overrides, required_languages,
    max_timezone_hours, expires_at
  )
  values (
    me, p_mentor_id, coalesce(p_message, ''),
    array_remove(coalesce(p_focus_areas, '{}'), null), array_remove(coalesce(p_goals, '{}'), null),
    coalesce(p_preference_overrides, '{}'),
    array(
      select distinct lower(private.trim_space(l.code)) from unnest(p_required_languages) as l (code)
      where private.trim_space(l.code) <> '' order by 1
    ),
    p_max_timezone_hours, now() + make_interval(days => private.number_setting('request_days', 90))
  )
  on conflict (student_id) where status in ('open', 'offered') do update
  set
    mentor_id = excluded.mentor_id, message = excluded.message,
    focus_areas = excluded.focus_areas, goals = excluded.goals,
    preference_overrides = excluded.preference_overrides,
    required_languages = excluded.required_languages,
    max_timezone_hours = excluded.max_timezone_hours, expires_at = excluded.expires_at
  returning r.* into made;
  perform private.note_stale(array[me]);
  return made;
end
$$;

COMMENT ON FUNCTION private.request_mentor(p_message text, p_focus_areas text[], p_goals text[], p_mentor_id uuid, p_preference_overrides jsonb, p_required_languages text[], p_max_timezone_hours integer) IS 'Asks for a mentor, for the student who is signed in.';

CREATE FUNCTION private.request_stats(p_since timestamp with time zone) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'waiting', count(*),
    'longest_wait_hours', max(private.hours_between(r.created_at, now())),
    'mean_wait_hours', round(avg(private.hours_between(r.created_at, now())), 1),
    'made', (select count(*) from public.mentorship_requests as x where x.created_at >= p_since),
    'median_hours_to_match', (
      select round(
        (percentile_cont(0.5) within group (
          order by extract(epoch from m.started_at - x.created_at)
        ) / 3600)::numeric, 1
      )
      from public.matches as m
      inner join public.mentorship_requests as x on x.id = m.request_id
      where m.started_at >= p_since
    )
  )
  from public.mentorship_requests as r
  where r.status in ('open', 'offered')
$$;

COMMENT ON FUNCTION private.request_stats(p_since timestamp with time zone) IS 'Students who wait, and how long.';

CREATE FUNCTION private.request_terms(p_request_id uuid) RETURNS TABLE(factor smallint, term_id integer)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  with request as (
    select
      r.student_id, r.goals || r.focus_areas as goals, r.preference_overrides as changed,
      r.status in ('open', 'offered') as is_open,
      p.career_goals, p.industries, p.research_interests, p.skills
    from public.mentorship_requests as r
    inner join public.mentorship_profiles as p on p.user_id = r.student_id
    where r.id = p_request_id
  )
  select t.factor, t.term_id
  from request as r
  inner join private.profile_terms as t on t.user_id = r.student_id
  where r.is_open or t.factor >= 5
  union
  select l.factor, t.id
  from request as r
  cross join lateral (
    values
      (1::smallint, r.goals || case when r.changed ? 'career_goals'
        then private.texts_of(r.changed -> 'career_goals') else r.career_goals end),
      (2::smallint, case when r.changed ? 'industries'
        then private.texts_of(r.changed -> 'industries') else r.industries end),
      (3::smallint, case when r.changed ? 'research_interests'
        then private.texts_of(r.changed -> 'research_interests') else r.research_interests end),
      (4::smallint, case when r.changed ? 'skills'
        then private.texts_of(r.changed -> 'skills') else r.skills end)
  ) as l (factor, texts)
  cross join lateral private.terms_of(l.texts) as said (term)
  inner join public.match_terms as t on t.term = said.term
  where not r.is_open
  union
  select 6::smallint, t.id
  from request as r
  cross join lateral unnest(private.texts_of(r.changed -> 'channels')) as c (channel)
  inner join public.match_terms as t on t.term = 'channel ' || c.channel
  where not r.is_open
$$;

COMMENT ON FUNCTION private.request_terms(p_request_id uuid) IS 'What the student of a request names in it and in the profile, also where it has ended.';

CREATE FUNCTION private.requests_to_match(p_after jsonb, p_limit integer, p_student_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  ids constant uuid[] := private.waiting_requests(p_after, p_limit, p_student_id);
  students constant uuid[] := array(
    select r.student_id
    from unnest(ids) with ordinality as p (id, place)
    inner join public.mentorship_requests as r on r.id = p.id
    order by p.place
  );
begin
  return private.packed_students(students, ids) || jsonb_build_object(
    'forbidden', private.forbidden_pairs(students, ids),
    'cursor', (
      select jsonb_build_array(r.created_at, r.id) from public.mentorship_requests as r
      where r.id = ids[cardinality(ids)]
    ),
    'done', cardinality(ids) < p_limit
  );
end
$$;

COMMENT ON FUNCTION private.requests_to_match(p_after jsonb, p_limit integer, p_student_id uuid) IS 'One page of requests_to_match.';

CREATE FUNCTION private.require_active(p_student_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  if exists (
    select from public.users as u where u.id = p_student_id and u.status <> 'Active'
  ) then
    raise exception 'The student is not active any more.'
      using errcode = 'MS024', hint = 'get_match_batch lists the other offers that are open.';
  end if;
end
$$;

COMMENT ON FUNCTION private.require_active(p_student_id uuid) IS 'MS024 for a student who is not active any more.';

CREATE FUNCTION private.require_admin() RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  if not private.sees_everything() then
    raise exception 'Only admins may do this.' using errcode = '42501';
  end if;
end
$$;

COMMENT ON FUNCTION private.require_admin() IS 'An error for everybody but admins and operators.';

CREATE FUNCTION private.require_approval(p_run public.job_runs, p_stopped bigint, p_max_changes integer) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  active bigint;
  allowed bigint;
begin
  if p_run.approved or p_stopped <= coalesce(p_max_changes, 10) then
    return;
  end if;
  active := (private.departures()).active
    + coalesce((p_run.progress -> 'counts' ->> 'deactivated')::bigint, 0);
  allowed := coalesce(p_max_changes, private.departures_allowed(active));
  if p_stopped > allowed then
    raise exception 'The sync would stop % of % mentors, and may stop %; nothing was changed.',
      p_stopped, active, allowed
      using errcode = 'MS005', hint = 'Look at members. If it is meant: mentor-sync run approve '
        || p_run.id;
  end if;
end
$$;

COMMENT ON FUNCTION private.require_approval(p_run public.job_runs, p_stopped bigint, p_max_changes integer) IS 'MS005 where a run would stop more mentors than it may without approval.';

CREATE FUNCTION private.require_feedback_fits(p_match public.matches, p_type text, p_comment text, p_session_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  if p_match.status = 'pending' or p_match.ended_at < now() - interval '30 days'
    or p_type in ('survey', 'check_in') and p_match.ended_at is not null
    or p_type = 'final' and p_match.ended_at is null then
    raise exception 'This match is %; there is no feedback of this type on it now.', p_match.status
      using errcode = 'MS027', hint = 'final is for 30 days after the end, the others are before it.';
  end if;
  if p_type = 'check_in' and coalesce(p_comment, '') not in ('well', 'help') then
    raise exception 'A check-in says well or help.' using errcode = '22023', hint = 'In p_comment.';
  end if;
  if (p_type = 'meeting') <> (p_session_id is not null) or p_session_id is not null and not exists (
    select from public.mentorship_sessions as s
    where s.session_id = p_session_id and s.match_id = p_match.id and not s.is_deleted
  ) then
    raise exception 'Feedback on a meeting names a meeting of the match.'
      using errcode = 'MS011', hint = 'meeting_logs shows yours.';
  end if;
end
$$;

COMMENT ON FUNCTION private.require_feedback_fits(p_match public.matches, p_type text, p_comment text, p_session_id uuid) IS 'An error where feedback of this type cannot be given on the match now.';

CREATE FUNCTION private.require_listed(p_mentor_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  if not exists (
    select from public.mentors as t
    where t.person_id = p_mentor_id and t.is_approved and t.is_active
  ) then
    raise exception 'Only approved, active mentors accept students.'
      using errcode = 'MS022', detail = 'not_approved',
        hint = 'Ask whoever runs the programme why you are not listed any more.';
  end if;
end
$$;

COMMENT ON FUNCTION private.require_listed(p_mentor_id uuid) IS 'MS022 for a mentor who is not approved, or not active, any more.';

CREATE FUNCTION private.require_may_ask(p_student_id uuid) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  most constant integer := private.number_setting('questions_at_a_time', 5);
begin
  perform from public.users as u
  where u.id = p_student_id and u.status = 'Active' and (
    u.role = 'student' or exists (
      select from public.mentorship_profiles as p where p.user_id = u.id and p.role = 'student'
    )
  )
  for no key update;
  if not found then
    raise exception 'Only students ask questions.'
      using errcode = '42501', hint = 'Make a student profile first.';
  end if;
  if (
    select count(*) from public.quick_questions as q
    where q.student_id = p_student_id and q.status = 'open'
  ) >= most then
    raise exception 'You have % open questions already, which is the most.', most
      using errcode = 'MS025', hint = 'Wait until one is taken, or cancel one.';
  end if;
end
$$;

COMMENT ON FUNCTION private.require_may_ask(p_student_id uuid) IS 'An error where a person is no student, or has as many open questions as there may be.';

CREATE FUNCTION private.require_meeting_fits(p_minutes integer, p_format text, p_notes text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  if p_minutes not between 1 and 1440 then
    raise exception 'A meeting does not take % minutes.', p_minutes
      using errcode = '22023', hint = 'p_minutes is 1 to 1440, or left out.';
  end if;
  if p_format not in ('video', 'phone', 'in_person', 'chat') then
    raise exception 'The format "%" is not known.', left(p_format, 40)
      using errcode = '22023', hint = 'p_format is video, phone, in_person or chat, or left out.';
  end if;
  if length(p_notes) > 20000 then
    raise exception 'The notes have % characters.', length(p_notes)
      using errcode = '22023', hint = 'p_notes has 20000 at the most.';
  end if;
end
$$;

COMMENT ON FUNCTION private.require_meeting_fits(p_minutes integer, p_format text, p_notes text) IS 'An error that says what may be given, where a meeting cannot be logged so.';

CREATE FUNCTION private.require_mentor(p_user_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  if not exists (select from public.mentors as t where t.person_id = p_user_id) then
    raise exception 'Only mentors of the directory have a mentor''s profile.'
      using errcode = '42501', hint = 'Register as a member of type mentor first.';
  end if;
end
$$;

COMMENT ON FUNCTION private.require_mentor(p_user_id uuid) IS '42501 for who is no mentor of the directory.';

CREATE FUNCTION private.require_no_mentor(p_student_id uuid, p_mentor_id uuid DEFAULT NULL::uuid, p_role text DEFAULT 'primary'::text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  current uuid;
begin
  select m.id into current
  from public.matches as m
  where m.student_id = p_student_id and m.status in ('active', 'paused')
    and (m.mentor_id = p_mentor_id or p_role = 'primary' and m.role = 'primary')
  limit 1;
  if found then
    raise exception 'The student has a mentor.'
      using errcode = 'MS020', detail = 'match ' || current,
        hint = 'To change the mentor, end that match first: complete_match; admins: assign_student.';
  end if;
end
$$;

COMMENT ON FUNCTION private.require_no_mentor(p_student_id uuid, p_mentor_id uuid, p_role text) IS 'An error where a student has a mentor, or this one already.';

CREATE FUNCTION private.require_open(p_offer public.match_offers) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  if exists (
    select from public.mentorship_requests as r
    where r.id = p_offer.request_id and r.status = 'matched'
  ) then
    raise exception 'Another mentor was quicker.'
      using errcode = 'MS020', hint = 'get_match_batch lists the offers that are open.';
  end if;
  if p_offer.status <> 'offered' or not exists (
    select from public.match_batches as b
    where b.id = p_offer.batch_id and b.status = 'offered' and b.expires_at > now()
  ) then
    raise exception 'This offer is not open any more.'
      using errcode = 'MS023', hint = 'get_match_batch lists the offers that are open.';
  end if;
end
$$;

COMMENT ON FUNCTION private.require_open(p_offer public.match_offers) IS 'MS020 where another mentor was quicker, MS023 where the offer is not open otherwise.';

CREATE FUNCTION private.require_pair(p_student_id uuid, p_mentor_id uuid, p_role text DEFAULT 'primary'::text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  rule constant text := (
    select case
      when p_student_id = p_mentor_id then 'oneself'
      when u.role = 'system' or p_role <> 'peer' and u.role <> 'mentor' and not exists (
        select from public.mentors as t where t.person_id = u.id
      ) then 'not_a_mentor'
      when u.status <> 'Active' then 'inactive'
      when exists (
        select from public.blocked_pairs as b
        where b.student_id = p_student_id and b.mentor_id = p_mentor_id
      ) then private.told_rule('blocked')
      else 'none'
    end
    from public.users as u where u.id = p_mentor_id
  );
begin
  if rule is null then
    raise exception 'There is no person %.', p_mentor_id
      using errcode = 'MS011', hint = 'Give an id of the table users.';
  elsif rule <> 'none' then
    raise exception 'These two cannot be brought together: %.', replace(rule, '_', ' ')
      using errcode = 'MS022', detail = rule, hint = case
        when p_mentor_id = private.current_user_id()
          then 'get_match_batch lists the offers that are open.'
        else 'Choose another mentor: list_mentors.'
      end;
  end if;
end
$$;

COMMENT ON FUNCTION private.require_pair(p_student_id uuid, p_mentor_id uuid, p_role text) IS 'An error where two can never be matched: oneself, not_a_mentor, inactive or blocked.';

CREATE FUNCTION private.require_question_fits(p_title text, p_question text, p_topics text[]) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  if p_title = '' then
    raise exception 'A question has a title.'
      using errcode = '22023', hint = 'Give p_title: the question in a line, of 1 to 200 characters.';
  end if;
  perform private.require_text_fits('p_title', p_title, 200);
  perform private.require_text_fits('p_question', p_question, 5000);
  if cardinality(p_topics) > 20 then
    raise exception 'The question has % topics.', cardinality(p_topics)
      using errcode = '22023', hint = 'p_topics has 20 at the most.';
  end if;
end
$$;

COMMENT ON FUNCTION private.require_question_fits(p_title text, p_question text, p_topics text[]) IS 'An error that says what may be given, where a question cannot be asked so.';

CREATE FUNCTION private.require_score(p_student_id uuid, p_mentor_id uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  if private.may_see_score(p_student_id, p_mentor_id) is not true then
    raise exception 'How well these two suit is not for you to know.' using errcode = '42501';
  end if;
  if not exists (select from public.mentorship_profiles as p where p.user_id = p_student_id) then
    raise exception 'Student % has no profile.', p_student_id
      using errcode = 'MS026', hint = 'Call create_profile first.';
  end if;
  if not exists (select from public.users as u where u.id = p_mentor_id) then
    raise exception 'There is no person %.', p_mentor_id
      using errcode = 'MS011', hint = 'list_mentors has the mentors.';
  end if;
end
$$;

COMMENT ON FUNCTION private.require_score(p_student_id uuid, p_mentor_id uuid) IS 'An error for who may not know this score, or where there is none.';

CREATE FUNCTION private.require_seats(p_mentors uuid[]) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  overfull record;
begin
  select p.user_id, c.capacity into overfull
  from public.mentorship_profiles as p
  cross join lateral (select private.capacity_of(p.user_id)) as c (capacity)
  where p.user_id = any (p_mentors) and p.mentee_count > c.capacity
  limit 1;
  if found then
    raise exception 'The mentor has no seat left.'
      using errcode = 'MS021',
        detail = format('mentor %s, capacity %s', overfull.user_id, overfull.capacity),
        hint = 'Choose another mentor, or set mentors.capacity higher.';
  end if;
end
$$;

COMMENT ON FUNCTION private.require_seats(p_mentors uuid[]) IS 'An error where one of these mentors has more students than they have declared to take.';

CREATE FUNCTION private.require_text_fits(p_name text, p_text text, p_most integer) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  if length(p_text) > p_most then
    raise exception '% has % characters.', p_name, length(p_text)
      using errcode = '22023', hint = format('It has %s at the most.', p_most);
  end if;
end
$$;

COMMENT ON FUNCTION private.require_text_fits(p_name text, p_text text, p_most integer) IS 'An error that says how long a text may be, where it is longer.';

CREATE FUNCTION private.require_time_fits(p_match public.matches, p_held timestamp with time zone) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  if p_held > now() + interval '5 minutes' then
    raise exception 'A meeting is logged when it was held.'
      using errcode = '22023', hint = 'Give p_held_at a time that is over.';
  end if;
  if p_held < p_match.started_at - interval '1 day' then
    raise exception 'At % the match had not begun.', p_held
      using errcode = '22023',
        hint = 'Give p_held_at a time since it began: ' || private.day_name(p_match.started_at) || '.';
  end if;
end
$$;

COMMENT ON FUNCTION private.require_time_fits(p_match public.matches, p_held timestamp with time zone) IS 'An error where a meeting of the match cannot have been held then.';

CREATE FUNCTION private.require_undoable(p_of uuid) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  run public.job_runs;
begin
  select r.* into run from public.job_runs as r where r.id = p_of;
  if not found then
    raise exception 'There is no run %.', p_of
      using errcode = 'MS011', hint = 'See: mentor-sync run list';
  end if;
  if run.status in ('queued', 'running') then
    raise exception 'Run % is %.', p_of, run.status
      using errcode = 'MS004', hint = 'First: mentor-sync run cancel ' || p_of;
  end if;
  if run.finished_at < now() - private.change_log_kept()
    and not exists (select from public.job_changes as c where c.run_id = p_of)
  then
    raise exception 'What run % changed is not known any more.', p_of
      using errcode = 'MS004', hint = 'change_log_days in program_settings says for how long it is.';
  end if;
end
$$;

COMMENT ON FUNCTION private.require_undoable(p_of uuid) IS 'An error where a run never was, has not ended, or its change log is gone.';

CREATE FUNCTION private.require_words_fit(p_rating integer, p_comment text, p_type text) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  if (p_type in ('survey', 'meeting', 'check_in', 'final', 'general')) is not true then
    raise exception 'The type "%" of feedback is not known.', left(p_type, 40)
      using errcode = '22023', hint = 'p_type is survey, meeting, check_in, final or general.';
  end if;
  if p_rating not between 1 and 5 then
    raise exception 'A rating of % cannot be given.', p_rating
      using errcode = '22023', hint = 'p_rating is 1 to 5, or left out.';
  end if;
  if length(p_comment) > 5000 then
    raise exception 'The comment has % characters.', length(p_comment)
      using errcode = '22023', hint = 'p_comment has 5000 at the most.';
  end if;
  if p_rating is null and coalesce(p_comment, '') = '' then
    raise exception 'Feedback says something.'
      using errcode = '22023', hint = 'Give p_rating, 1 to 5, or p_comment, or both.';
  end if;
end
$$;

COMMENT ON FUNCTION private.require_words_fit(p_rating integer, p_comment text, p_type text) IS 'An error that says what may be given, where feedback cannot be kept so.';

CREATE FUNCTION private.rescue_messages() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  if not pg_try_advisory_xact_lock(hashtextextended('mentor_sync.rescue_messages', 0)) then
    return;
  end if;
  update public.message_outbox as m
  set status = 'uncertain', in_doubt = true
  where m.id in (
    select x.id
    from public.message_outbox as x
    left join public.job_runs as r on r.id = x.claimed_by
    where x.status = 'sending'
      and (r.status is distinct from 'running' or r.fence <> x.claimed_fence)
  );
end
$$;

COMMENT ON FUNCTION private.rescue_messages() IS 'Messages whose run ended, or was taken over, are uncertain.';

CREATE FUNCTION private.rescue_runs() RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  update public.job_runs as r
  set
    status = case when r.attempt >= r.max_attempts then 'dead' else 'queued' end,
    run_at = clock_timestamp(),
    error = jsonb_build_object(
      'code', 'lease_expired',
      'message', format('The worker fell silent in attempt %s of %s.', r.attempt, r.max_attempts),
      'hint', 'Look at the logs of ' || coalesce(r.worker, 'the worker') || '.'
    )
  where r.id in (
    select d.id
    from public.job_runs as d
    where d.status = 'running' and d.lease_expires_at < clock_timestamp()
    order by d.lease_expires_at
    limit 1000
    for update skip locked
  )
$$;

COMMENT ON FUNCTION private.rescue_runs() IS 'Runs whose worker fell silent wait again, or are dead after their last attempt.';

CREATE FUNCTION private.reset_calendar_feed() RETURNS uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO ''
    AS $$
  insert into public.calendar_feeds as f (user_id)
  select u.id from public.users as u where u.id = (select private.current_user_id())
  on conflict (user_id) do update set token = gen_random_uuid(), created_at = now()
  returning f.token
$$;

COMMENT ON FUNCTION private.reset_calendar_feed() IS 'A new secret for one''s own calendar.';

CREATE FUNCTION private.resume_match(p_match_id uuid, p_reason text) RETURNS public.matches
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  perform private.require_admin();
  return private.change_match(
    p_match_id, '{paused}', 'active', p_reason, private.current_user_id()
  );
end
$$;

COMMENT ON FUNCTION private.resume_match(p_match_id uuid, p_reason text) IS 'Goes on with a match, for those who may.';

CREATE FUNCTION private.retry_delay(p_attempt integer) RETURNS interval
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select make_interval(secs => least(600, 5 * 2 ^ least(p_attempt, 10)) * (0.5 + random() / 2))
$$;

COMMENT ON FUNCTION private.retry_delay(p_attempt integer) IS 'How long a run waits after an attempt that failed: 5 to 10 seconds, then twice that, and on.';

CREATE FUNCTION private.risk_about(p_match_id uuid, p_since timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select 'match:' || p_match_id || ':risk:' || private.day_name(p_since)
$$;

COMMENT ON FUNCTION private.risk_about(p_match_id uuid, p_since timestamp with time zone) IS 'What the check-ins of an episode at risk are about.';

CREATE FUNCTION private.route(p_kind text, p_recipient uuid, p_data jsonb) RETURNS text
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  channel constant text := case
    when private.kind_enabled(p_kind) then private.channel_for(p_recipient, p_kind) else 'off'
  end;
begin
  return case
    when channel = 'email' or p_kind = 'digest' and channel <> 'off' then 'queued'
    when channel = 'digest' and p_data ?| array['ask', 'event'] then 'queued'
    else channel
  end;
end
$$;

COMMENT ON FUNCTION private.route(p_kind text, p_recipient uuid, p_data jsonb) IS 'How a message goes that is due now: queued for mail, in_app, digest or off.';

CREATE FUNCTION private.rule_words(p_rule text) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select case p_rule
    when 'not_a_mentor' then 'This person is no mentor of the directory, or has no profile.'
    when 'not_approved' then 'The mentor is not approved yet.'
    when 'inactive' then 'The mentor is not active.'
    when 'paused' then 'The mentor takes nobody new for now.'
    when 'no_hours' then 'The mentor has no hours.'
    when 'silent' then 'The mentor let the latest offers pass unanswered.'
    when 'full' then 'The mentor has no seat left.'
    when 'oneself' then 'Nobody mentors themselves.'
    when 'blocked' then 'The two are not to be brought together.'
    when 'matched_before' then 'The two are or were matched.'
    when 'already_offered' then 'The mentor was asked for this request already.'
    when 'language' then 'The mentor speaks none of the languages asked for.'
    when 'timezone' then 'The time zones are further apart than asked for, or not known.'
  end
$$;

COMMENT ON FUNCTION private.rule_words(p_rule text) IS 'A hard rule in words.';

CREATE FUNCTION private.run_needs_somebody() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  what constant text := coalesce(
    new.error ->> 'message', 'Run ' || new.id || ' is ' || new.status || '.'
  );
begin
  -- A job of every minute that fails for the same reason is one alert.
  if new.slot is not null and exists (
    select from public.job_alerts as a
    where a.job = new.job and a.kind = new.status and a.message = what
      and a.acknowledged_at is null and a.kind <> 'awaiting_approval'
  ) then
    return null;
  end if;
  insert into public.job_alerts (kind, job, run_id, message, hint)
  values (
    new.status, new.job, new.id, what,
    coalesce(nullif(new.error ->> 'hint', ''), 'See: mentor-sync run show ' || new.id)
  );
  return null;
end
$$;

COMMENT ON FUNCTION private.run_needs_somebody() IS 'Trigger: a run that failed for good, or awaits approval, makes an alert.';

CREATE FUNCTION private.run_was_seen_to() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  update public.job_alerts as a
  set acknowledged_at = now()
  where a.run_id = new.id and a.acknowledged_at is null;
  return null;
end
$$;

COMMENT ON FUNCTION private.run_was_seen_to() IS 'Trigger: the alert of a run that was approved, cancelled or tried again is settled.';

CREATE FUNCTION private.save_assignments(p_run_id uuid, p_fence bigint, p_pairs jsonb, p_dry_run boolean, p_records integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  -- Of this attempt: another one looks anew.
  chunk constant text := concat_ws(':', p_fence, p_pairs #>> '{0,student_id}');
  placings private.placing[];
  answer jsonb;
begin
  -- The answer to the same call may have been lost on its way.
  if run.progress ? 'answer' and run.progress ->> 'chunk' = chunk then
    return run.progress -> 'answer';
  end if;
  begin
    placings := private.begin_placings(p_pairs);
    if p_dry_run then
      raise exception using errcode = 'MS000', message = 'dry run';
    end if;
  exception
    when sqlstate 'MS000' then null;
  end;
  answer := jsonb_build_object(
    'counts', private.placing_counts(placings),
    'records', private.placing_records(placings, p_records)
  );
  update public.job_runs as r
  set progress = jsonb_build_object(
    'chunk', chunk,
    'counts', private.add_counts(coalesce(run.progress -> 'counts', '{}'), answer -> 'counts'),
    'answer', answer
  )
  where r.id = p_run_id and not p_dry_run;
  return answer;
end
$$;

COMMENT ON FUNCTION private.save_assignments(p_run_id uuid, p_fence bigint, p_pairs jsonb, p_dry_run boolean, p_records integer) IS 'One call of save_assignments.';

CREATE FUNCTION private.save_match_batches(p_run_id uuid, p_fence bigint, p_batches jsonb, p_weights_version integer, p_dry_run boolean, p_records integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  -- Of this attempt: another one looks anew.
  chunk constant text := concat_ws(':', p_fence, p_batches #>> '{0,request_id}');
  made jsonb;
  records jsonb;
  answer jsonb;
begin
  -- The answer to the same call may have been lost on its way.
  if run.progress ? 'answer' and run.progress ->> 'chunk' = chunk then
    return run.progress -> 'answer';
  end if;
  begin
    made := private.make_batches(p_run_id, p_batches, p_weights_version);
    records := private.batch_records(p_run_id, array(
      select (p_batches -> b.place ->> 'request_id')::uuid
      from generate_series(0, least(p_records, jsonb_array_length(p_batches)) - 1) as b (place)
      order by b.place
    ));
    if p_dry_run then
      raise exception using errcode = 'MS000', message = 'dry run';
    end if;
  exception
    when sqlstate 'MS000' then null;
  end;
  answer := jsonb_build_object('counts', made, 'records', records);
  update public.job_runs as r
  set progress = jsonb_build_object(
    'chunk', chunk,
    'counts', private.add_counts(coalesce(run.progress -> 'counts', '{}'), made),
    'answer', answer
  )
  where r.id = p_run_id and not p_dry_run;
  return answer;
end
$$;

COMMENT ON FUNCTION private.save_match_batches(p_run_id uuid, p_fence bigint, p_batches jsonb, p_weights_version integer, p_dry_run boolean, p_records integer) IS 'One call of save_match_batches.';

CREATE FUNCTION private.schedule_edited() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  new.updated_at := now();
  if (new.cron, new.timezone, new.enabled) is distinct from (old.cron, old.timezone, old.enabled)
  then
    new.scheduled_until := greatest(old.scheduled_until, clock_timestamp());
  end if;
  return new;
end
$$;

COMMENT ON FUNCTION private.schedule_edited() IS 'Trigger: an edit counts from now on, and catches nothing up.';

CREATE FUNCTION private.schema_version() RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$ select '20261121001440' $$;

COMMENT ON FUNCTION private.schema_version() IS 'The version of these migrations; a daemon is not ready on an older one.';

CREATE FUNCTION private.score_factors(p_student_id uuid, p_mentor_id uuid, p_weights public.match_weights) RETURNS TABLE(name text, weight integer, named integer, share integer, units integer, mentor_named boolean, labels jsonb)
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
#variable_conflict use_column
begin
  return query
  with shared as (
    select s.factor, count(*)::integer as matched,
      jsonb_agg(t.label order by t.label collate "C", t.id) as labels
    from private.profile_terms as s
    inner join private.profile_terms as m
      on m.user_id = p_mentor_id and m.factor = s.factor and m.term_id = s.term_id
    inner join public.match_terms as t on t.id = s.term_id
    where s.user_id = p_student_id
    group by s.factor
  )
  select
    w.name, w.weight, w.named, w.share, w.per_term * coalesce(c.matched, 0),
    c.matched is not null or exists (
      select from private.profile_terms as m where m.user_id = p_mentor_id and m.factor = w.factor
    ),
    coalesce(c.labels, '[]')
  from private.term_weights(p_student_id, p_weights) as w
  left join shared as c on c.factor = w.factor;
end
$$;

COMMENT ON FUNCTION private.score_factors(p_student_id uuid, p_mentor_id uuid, p_weights public.match_weights) IS 'The factors that a student filled in, and what of each a mentor has.';

CREATE FUNCTION private.score_pair(p_student_id uuid, p_mentor_id uuid, p_weights public.match_weights) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  total integer;
  known integer;
  parts jsonb;
begin
  select
    coalesce(sum(f.units), 0),
    coalesce(sum(f.weight) filter (where f.mentor_named), 0),
    coalesce(
      jsonb_object_agg(f.name, jsonb_build_object(
        'weight', f.weight, 'share', f.share, 'named', f.named, 'matched', f.labels,
        'score', round(f.units / 10000.0, 2)
      )),
      '{}'
    )
  into total, known, parts
  from private.score_factors(p_student_id, p_mentor_id, p_weights) as f;
  return jsonb_build_object(
    'student_id', p_student_id,
    'mentor_id', p_mentor_id,
    'total', round(total / 10000.0, 2),
    'units', total,
    'confidence', known,
    'weights_version', p_weights.version,
    'breakdown', parts,
    'reasons', private.match_reasons(parts)
  );
end
$$;

COMMENT ON FUNCTION private.score_pair(p_student_id uuid, p_mentor_id uuid, p_weights public.match_weights) IS 'How well a student and a mentor suit by these weights.';

CREATE FUNCTION private.scores_of_pairs(p_students uuid[], p_mentors uuid[]) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  weights constant public.match_weights := private.current_weights();
begin
  return (
    select coalesce(jsonb_agg(
      private.score_pair(p.student_id, p.mentor_id, weights)
      || jsonb_build_object(
        'student_hash', (select t.hash from private.packed_terms(array[p.student_id]) as t),
        'mentor_hash', (select t.hash from private.packed_terms(array[p.mentor_id]) as t)
      )
      order by p.place
    ), '[]')
    from unnest(p_students, p_mentors) with ordinality as p (student_id, mentor_id, place)
  );
end
$$;

COMMENT ON FUNCTION private.scores_of_pairs(p_students uuid[], p_mentors uuid[]) IS 'The scores of pairs, one by one.';

CREATE FUNCTION private.sees_everything() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select coalesce(current_setting('role', true), 'none') in ('none', 'postgres', 'service_role')
    or private.is_admin()
$$;

COMMENT ON FUNCTION private.sees_everything() IS 'Whether the caller may see contact fields and rows that are not public.';

CREATE FUNCTION private.select_student(p_offer_id uuid) RETURNS public.matches
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  offer constant public.match_offers := private.lock_offer(p_offer_id);
  made public.matches;
begin
  if offer.status = 'accepted' then
    select m.* into made from public.matches as m where m.request_id = offer.request_id;
    return private.without_health(made);
  end if;
  perform private.require_open(offer);
  perform private.require_listed(offer.mentor_id);
  perform private.require_active(offer.student_id);
  return private.begin_match(
    offer.student_id, offer.mentor_id, 'primary', offer.request_id,
    (select r.goals from public.mentorship_requests as r where r.id = offer.request_id),
    offer.score, offer.breakdown, offer.mentor_id, 'The mentor accepted the offer.'
  );
end
$$;

COMMENT ON FUNCTION private.select_student(p_offer_id uuid) IS 'Accepts an offer, if nobody was quicker.';

CREATE FUNCTION private.send_feedback_surveys(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  ids uuid[];
  counts jsonb;
begin
  if run.progress ? 'answer' and run.progress ->> 'after' is not distinct from p_after::text then
    return run.progress -> 'answer';
  end if;
  ids := array(
    select u.id from public.users as u
    where p_after is null or u.id > p_after
    order by u.id limit p_limit
  );
  begin
    counts := private.ask_surveys(array(
      select u.id from public.users as u where u.id = any (ids) and u.status = 'Active'
    ));
    if p_dry_run then
      raise exception using errcode = 'MS000', message = 'dry run';
    end if;
  exception
    when sqlstate 'MS000' then null;
  end;
  return private.keep_progress(
    run, p_after, ids[cardinality(ids)], cardinality(ids), cardinality(ids) < p_limit, counts
  );
end
$$;

COMMENT ON FUNCTION private.send_feedback_surveys(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean) IS 'One chunk of the job send_feedback_surveys.';

CREATE FUNCTION private.session_changed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  after public.mentorship_sessions := case tg_op when 'DELETE' then old else new end;
  before public.mentorship_sessions := case tg_op when 'INSERT' then new else old end;
begin
  if tg_op = 'DELETE' then
    after.calendar_sequence := old.calendar_sequence + 1;
    after.calendar_changed_at := now();
    after.status := 'CANCELLED';
  end if;
  -- As it was in calendars, and as the change that they are to hear of.
  before.calendar_sequence := after.calendar_sequence;
  before.calendar_changed_at := after.calendar_changed_at;
  perform private.withdraw_session_mail(after.session_id);
  if greatest(before.scheduled_at, after.scheduled_at) > now() and after.status <> 'COMPLETED' then
    perform private.queue_session_mail(
      before, after,
      after.status = 'SCHEDULED' and not after.is_deleted and after.scheduled_at > now()
      and after.mentor_id is not null and after.user_id is not null
    );
  end if;
  return null;
end
$$;

COMMENT ON FUNCTION private.session_changed() IS 'Trigger: both sides get an invitation, its change or its end, and reminders.';

CREATE FUNCTION private.session_end(p_session public.mentorship_sessions) RETURNS timestamp with time zone
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(
    p_session.ends_at,
    p_session.scheduled_at + make_interval(mins => coalesce(
      p_session.session_duration_minutes, private.number_setting('session_minutes', 60)
    ))
  )
$$;

COMMENT ON FUNCTION private.session_end(p_session public.mentorship_sessions) IS 'When a session ends.';

CREATE FUNCTION private.session_event(p_session public.mentorship_sessions) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'id', p_session.session_id,
    'title', private.session_title(p_session),
    'starts_at', p_session.scheduled_at,
    'ends_at', private.session_end(p_session),
    'timezone', private.known_zone((
      select u.timezone from public.users as u where u.id = p_session.mentor_id
    )),
    'attendees', (
      select coalesce(
        jsonb_agg(jsonb_build_array(coalesce(u.full_name, ''), private.trim_space(u.email)) order by u.id),
        '[]'
      )
      from public.users as u
      where u.id in (p_session.mentor_id, p_session.user_id) and u.role <> 'system'
    ),
    'meeting_url', coalesce(p_session.meeting_url, ''),
    'sequence', p_session.calendar_sequence,
    'changed_at', p_session.calendar_changed_at,
    'cancelled', p_session.status = 'CANCELLED' or p_session.is_deleted
  )
$$;

COMMENT ON FUNCTION private.session_event(p_session public.mentorship_sessions) IS 'A session as calendars know it.';

CREATE FUNCTION private.session_mail(p_session public.mentorship_sessions, p_other uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'title', private.session_title(p_session),
    'other_name', coalesce((select u.full_name from public.users as u where u.id = p_other), ''),
    'starts_at', p_session.scheduled_at,
    'minutes', ceil(extract(
      epoch from private.session_end(p_session) - p_session.scheduled_at
    ) / 60)::integer,
    'meeting_url', p_session.meeting_url,
    'session_url', private.page_url('sessions/' || p_session.session_id)
  )
$$;

COMMENT ON FUNCTION private.session_mail(p_session public.mentorship_sessions, p_other uuid) IS 'What mails say of a session to one side of it; the other side is given.';

CREATE FUNCTION private.session_title(p_session public.mentorship_sessions) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select coalesce(
    nullif(private.trim_space(p_session.title), ''),
    initcap(left(p_session.session_type, 1)) || lower(replace(substr(p_session.session_type, 2), '_', ' '))
  )
$$;

COMMENT ON FUNCTION private.session_title(p_session public.mentorship_sessions) IS 'What a session is called: its title, or its type in words.';

CREATE FUNCTION private.set_action_items(p_meeting_id uuid, p_action_items jsonb) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  theirs public.matches;
begin
  select o.* into theirs
  from public.mentorship_sessions as s
  cross join lateral private.own_match(s.match_id) as o
  where s.session_id = p_meeting_id and s.match_id is not null and not s.is_deleted;
  if not found then
    raise exception 'There is no meeting %.', p_meeting_id
      using errcode = 'MS011', hint = 'meeting_logs shows yours.';
  end if;
  update public.mentorship_sessions as s
  set action_items = private.read_action_items(p_action_items)
  where s.session_id = p_meeting_id;
  return p_meeting_id;
end
$$;

COMMENT ON FUNCTION private.set_action_items(p_meeting_id uuid, p_action_items jsonb) IS 'Replaces the action items of a meeting, for the two of its match.';

CREATE FUNCTION private.set_resend_secret(p_secret text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $_$
begin
  if p_secret !~ '^whsec_[A-Za-z0-9+/]{16,}={0,2}$' then
    raise exception 'That is no secret of a webhook.'
      using errcode = 'MS009', hint = 'It begins with whsec_; Resend shows it with the webhook.';
  end if;
  perform private.set_signing_key('resend', decode(substr(p_secret, 7), 'base64'));
  return true;
exception
  when invalid_parameter_value then
    raise exception 'That is no secret of a webhook.'
      using errcode = 'MS009', hint = 'It was not copied whole.';
end
$_$;

COMMENT ON FUNCTION private.set_resend_secret(p_secret text) IS 'Sets the key that Resend signs with.';

CREATE FUNCTION private.set_signing_key(p_name text, p_key bytea) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  insert into private.signing_keys as k (name, inner_pad, outer_pad)
  values (p_name, private.hmac_pad(p_key, 54), private.hmac_pad(p_key, 92))
  on conflict (name) do update
  set inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad, changed_at = now()
$$;

COMMENT ON FUNCTION private.set_signing_key(p_name text, p_key bytea) IS 'Sets, or replaces, a key.';

CREATE FUNCTION private.settle_alias() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  new.alias := private.normalise_term(new.alias);
  new.term := private.meaning_of(private.normalise_term(new.term));
  if new.alias = '' or new.term = '' or new.alias = new.term then
    raise exception 'The alias % means nothing new.', new.alias
      using errcode = '23514', hint = 'Give two words that differ in more than case and plural.';
  end if;
  return new;
end
$$;

COMMENT ON FUNCTION private.settle_alias() IS 'Trigger: aliases are kept as they are compared.';

CREATE FUNCTION private.settle_lost(p_outcomes private.sync_outcome[], p_auto_approve boolean) RETURNS private.sync_outcome[]
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  lost uuid[] := array(select o.member_id from unnest(p_outcomes) as o where o.outcome = 'lost');
begin
  if lost = '{}' then
    return p_outcomes;
  end if;
  return array(
    select o from unnest(p_outcomes) as o where o.outcome <> 'lost'
    union all
    select row(
      a.member_id, a.email, a.name,
      case a.outcome when 'lost' then 'rejected' else a.outcome end,
      case a.outcome when 'lost' then 'another row holds one of its unique values' else a.reason end,
      case a.outcome when 'lost' then '23505' else a.code end,
      a.mentor_id
    )::private.sync_outcome
    from private.apply_members(lost, p_auto_approve) as a
  );
end
$$;

COMMENT ON FUNCTION private.settle_lost(p_outcomes private.sync_outcome[], p_auto_approve boolean) IS 'Decides the members whose row somebody else made at the same moment.';

CREATE FUNCTION private.settle_question() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
  new.terms := array(select t.term from private.terms_of(new.topics) as t (term) order by t.term);
  return new;
end
$$;

COMMENT ON FUNCTION private.settle_question() IS 'Trigger: the terms of a question are made once, and not whenever somebody looks at it.';

CREATE FUNCTION private.settle_run() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  if new.approved and not old.approved and new.status = 'awaiting_approval' then
    new.status := 'queued';
    new.attempt := 0;
    new.run_at := clock_timestamp();
    new.error := null;
  end if;
  if new.status = 'awaiting_approval' then
    new.approved := false;
  end if;
  if new.status <> 'running' then
    new.lease_expires_at := null;
  end if;
  if new.status in ('queued', 'running', 'awaiting_approval') then
    new.finished_at := null;
  elsif old.status in ('queued', 'running', 'awaiting_approval') then
    new.finished_at := clock_timestamp();
  end if;
  return new;
end
$$;

COMMENT ON FUNCTION private.settle_run() IS 'Trigger: keeps times and leases in step with a status, whoever changed it.';

CREATE FUNCTION private.settle_weights() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  made constant integer[] := array(select n.version from new_rows as n where n.is_current);
begin
  if cardinality(made) > 1 then
    raise exception 'Only one row of match_weights can be current.'
      using errcode = '22023', hint = 'Set is_current in one row: where version = ' || made[1] || '.';
  end if;
  if cardinality(made) = 1 then
    update public.match_weights as w set is_current = false
    where w.is_current and w.version <> made[1];
  end if;
  return null;
end
$$;

COMMENT ON FUNCTION private.settle_weights() IS 'Trigger: what becomes current takes the place of what was.';

CREATE FUNCTION private.side_of(p_match public.matches, p_person uuid) RETURNS text
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select case p_person when p_match.student_id then 'student' when p_match.mentor_id then 'mentor' end
$$;

COMMENT ON FUNCTION private.side_of(p_match public.matches, p_person uuid) IS 'What a person is in a match: student or mentor; null for others.';

CREATE FUNCTION private.signature(p_key text, p_message bytea) RETURNS bytea
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select sha256(k.outer_pad || sha256(k.inner_pad || p_message))
  from private.signing_keys as k where k.name = p_key
$$;

COMMENT ON FUNCTION private.signature(p_key text, p_message bytea) IS 'HMAC-SHA256 of a message with the key of this name; null where there is no such key.';

CREATE FUNCTION private.signed(p_purpose text, p_payload text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select p_payload || '.' || left(
    encode(private.signature('links', convert_to(p_purpose || ':' || p_payload, 'UTF8')), 'hex'), 32
  )
$$;

COMMENT ON FUNCTION private.signed(p_purpose text, p_payload text) IS 'A token: the payload and its signature. It is good for this purpose only.';

CREATE FUNCTION private.signs_of(p_match public.matches, p_silence integer) RETURNS private.match_signs
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select
    began.at, met.latest, met.days, met.next, greatest(began.at, p_match.last_contact_at, met.latest),
    (
      select avg(last.rating) from (
        select distinct on (f.author_role) f.rating from public.mentorship_feedback as f
        where f.match_id = p_match.id and f.rating is not null
        order by f.author_role, f.updated_at desc, f.id
      ) as last
    ),
    checked.help, checked.well, tasks.n, tasks.overdue
  from (
    select greatest(p_match.started_at, max(e.created_at)) as at from public.match_events as e
    where e.match_id = p_match.id and e.old_status = 'paused' and e.new_status = 'active'
  ) as began
  cross join lateral (
    select
      max(h.at) filter (where h.status = 'COMPLETED' and h.at <= now()) as latest,
      count(distinct (h.at at time zone 'UTC')::date) filter (
        where h.status = 'COMPLETED'
          and h.at between now() - make_interval(days => 3 * p_silence) and now()
      )::integer as days,
      min(h.at) filter (where h.status = 'SCHEDULED' and h.at > now()) as next
    from (
      select s.status, coalesce(s.completed_at, s.scheduled_at) as at
      from public.mentorship_sessions as s
      where s.match_id = p_match.id and not s.is_deleted
    ) as h
  ) as met
  cross join lateral (
    select
      coalesce(bool_or(
        last.comment = 'help' and coalesce(last.updated_at > met.latest, true)
      ), false) as help,
      coalesce(bool_or(last.comment = 'well'), false) as well
    from (
      select distinct on (f.author_id) f.comment, f.updated_at
      from public.mentorship_feedback as f
      where f.match_id = p_match.id and f.feedback_type = 'check_in'
      order by f.author_id, f.updated_at desc, f.id
    ) as last
    where last.updated_at > now() - make_interval(days => 3 * p_silence)
  ) as checked
  cross join lateral (
    select
      count(*)::integer as n,
      (count(*) filter (
        where i.item ->> 'due' < private.day_name(now()) and i.item -> 'done' is distinct from 'true'
      ))::integer as overdue
    from public.mentorship_sessions as s
    cross join lateral jsonb_array_elements(s.action_items) as i (item)
    where s.match_id = p_match.id and not s.is_deleted and i.item ->> 'due' is not null
  ) as tasks
$$;

COMMENT ON FUNCTION private.signs_of(p_match public.matches, p_silence integer) IS 'What is known of a match, for its health.';

CREATE FUNCTION private.slug(p_name text, p_id uuid) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
declare
  plain text := regexp_replace(
    normalize(lower(left(p_name, 60)), nfkd), U&'[\0300-\036F]', '', 'g'
  );
begin
  return btrim(regexp_replace(plain || '-' || left(p_id::text, 8), '[^a-z0-9]+', '-', 'g'), '-');
end
$$;

COMMENT ON FUNCTION private.slug(p_name text, p_id uuid) IS 'A readable part of an address: the name in plain letters and the start of the id.';

CREATE FUNCTION private.stop_departed(p_after uuid, p_until uuid, p_ids uuid[]) RETURNS SETOF private.sync_outcome
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with departed as materialized (
    select u.id, u.member_id, u.email, u.full_name
    from public.users as u
    where u.member_id >= coalesce(p_after, '00000000-0000-0000-0000-000000000000')
      and u.member_id is distinct from p_after
      and u.member_id <= coalesce(p_until, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
      -- Hashed, however few people there were when the plan was made.
      and u.member_id not in (select present.id from unnest(p_ids) as present (id))
      -- Nor came in since p_ids were read.
      and not exists (select from public.members as m where m.id = u.member_id offset 0)
  ),
  stopped as (
    update public.mentors as t
    set
      is_active = false,
      version = t.version + 1,
      synced = t.synced || '{"is_active": false}'
    from departed as d
    where t.person_id = d.id and t.is_active and t.synced -> 'is_active' = 'true'
    returning t.id, t.person_id
  )
  select d.member_id, d.email, d.full_name, 'deactivated', 'the member is gone', null, s.id
  from stopped as s
  inner join departed as d on d.id = s.person_id
$$;

COMMENT ON FUNCTION private.stop_departed(p_after uuid, p_until uuid, p_ids uuid[]) IS 'Deactivates the mentors whose member was deleted, within a range of member ids.';

CREATE FUNCTION private.students_to_assign(p_after uuid, p_limit integer, p_student_id uuid, p_unasked boolean) RETURNS jsonb
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  page constant uuid[] := array(
    select p.user_id from public.mentorship_profiles as p
    where p.role = 'student' and p.is_active and (p_after is null or p.user_id > p_after)
      and (p_student_id is null or p.user_id = p_student_id)
    order by p.user_id limit p_limit
  );
  students uuid[];
  requests uuid[];
begin
  select
    coalesce(array_agg(s.student_id order by s.student_id), '{}'),
    coalesce(array_agg(s.request_id order by s.student_id), '{}')
  into students, requests
  from private.unplaced_students(page, p_unasked) as s;
  return private.packed_students(students, requests) || jsonb_build_object(
    'forbidden', private.forbidden_pairs(students, requests),
    'cursor', page[cardinality(page)],
    'done', cardinality(page) < p_limit
  );
end
$$;

COMMENT ON FUNCTION private.students_to_assign(p_after uuid, p_limit integer, p_student_id uuid, p_unasked boolean) IS 'One page of students_to_assign.';

CREATE FUNCTION private.submit_feedback(p_match_id uuid, p_rating integer, p_comment text, p_type text, p_session_id uuid, p_is_shared boolean) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  theirs constant public.matches := private.own_match(p_match_id);
begin
  perform private.require_words_fit(p_rating, p_comment, p_type);
  perform private.require_feedback_fits(theirs, p_type, p_comment, p_session_id);
  return private.keep_feedback(
    theirs, private.current_user_id(), p_rating, p_comment, p_type,
    case p_type
      when 'survey' then private.survey_period(theirs, private.survey_days())
      when 'check_in' then private.day_of(theirs, now())
      else 0
    end,
    p_session_id, p_is_shared
  );
end
$$;

COMMENT ON FUNCTION private.submit_feedback(p_match_id uuid, p_rating integer, p_comment text, p_type text, p_session_id uuid, p_is_shared boolean) IS 'Keeps what whoever is signed in says of their match.';

CREATE FUNCTION private.suggest_aliases(p_limit integer) RETURNS TABLE(alias text, term text, similarity real, people bigint)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO ''
    SET enable_nestloop TO 'off'
    AS $_$
declare
  home constant name := (
    select e.extnamespace::regnamespace::text from pg_catalog.pg_extension as e
    where e.extname = 'pg_trgm'
  );
begin
  if not private.sees_everything() then
    raise exception 'Only admins may see what people named.' using errcode = '42501';
  end if;
  if home is null then
    raise exception 'The extension pg_trgm is not installed.'
      using errcode = '0A000', hint = 'Dashboard, Database, Extensions: enable pg_trgm.';
  end if;
  return query execute format(
    $sql$
      with used as materialized (
        select t.id, t.term, t.is_known, coalesce(n.people, 0) as people
        from public.match_terms as t
        left join (
          select p.term_id, count(distinct p.user_id) as people
          from private.profile_terms as p where p.factor <= 4
          group by p.term_id
        ) as n on n.term_id = t.id
      ),
      unknown as materialized (
        select u.*, %1$s.show_trgm(u.term) as grams,
          row_number() over (order by u.people desc, u.term) as place
        from used as u
        where not u.is_known and u.people > 0
        order by place
        limit 1000
      ),
      candidate as materialized (
        select k.id, k.term, true as is_known, k.people, %1$s.show_trgm(k.term) as grams
        from used as k where k.is_known
        union all
        select u.id, u.term, false, u.people, u.grams from unknown as u where u.place <= 200
      ),
      shared as (
        select a.id, b.id as twin_id, count(*) as n
        from (select u.id, g.gram from unknown as u cross join unnest(u.grams) as g (gram)) as a
        inner join (
          select c.id, g.gram from candidate as c cross join unnest(c.grams) as g (gram)
        ) as b on b.gram = a.gram and b.id <> a.id
        group by a.id, b.id
      ),
      twin as (
        select distinct on (u.id) u.term, k.term as twin, alike.similarity, u.people
        from shared as s
        inner join unknown as u on u.id = s.id
        inner join candidate as k on k.id = s.twin_id
        cross join lateral (
          select (
            s.n::real / (cardinality(u.grams) + cardinality(k.grams) - s.n)
          )::real as similarity
        ) as alike
        where alike.similarity >= 0.35 and abs(length(k.term) - length(u.term)) <= 6
          and (k.is_known or (k.people, k.term) > (u.people, u.term))
        order by u.id, alike.similarity desc, k.term
      )
      select t.term, t.twin, t.similarity, t.people
      from twin as t
      order by t.people desc, t.similarity desc, t.term
      limit $1
    $sql$, quote_ident(home)
  ) using p_limit;
end
$_$;

COMMENT ON FUNCTION private.suggest_aliases(p_limit integer) IS 'Words that nobody has explained yet and the terms that they are spelt like.';

CREATE FUNCTION private.supersede_offers(p_offer_ids uuid[]) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  update public.message_outbox as m
  set
    status = case m.status when 'sending' then m.status else 'superseded' end,
    superseded_at = now()
  from public.match_offers as o
  where o.id = any (p_offer_ids)
    and m.kind = 'mentor_recommendation' and m.recipient = o.mentor_id
    and m.about = 'offer:' || o.id
    and m.status in ('queued', 'digest', 'sending')
$$;

COMMENT ON FUNCTION private.supersede_offers(p_offer_ids uuid[]) IS 'The mails about these offers that are not sent yet are not sent any more.';

CREATE FUNCTION private.survey_answered() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  part constant text[] := string_to_array(new.about, ':');
  theirs public.matches;
begin
  select m.* into theirs from public.matches as m
  where m.id = part[2]::uuid and new.user_id in (m.student_id, m.mentor_id);
  if not found then
    return null;
  end if;
  if part[3] in ('survey', 'final') and new.answer in ('1', '2', '3', '4', '5') then
    perform private.keep_feedback(
      theirs, new.user_id, new.answer::integer, null, part[3],
      case part[3] when 'survey' then part[4]::integer else 0 end, null, null
    );
  elsif part[3] = 'risk' and new.answer in ('well', 'help') then
    perform private.keep_feedback(
      theirs, new.user_id, null, new.answer, 'check_in', private.day_of(theirs, now()), null, null
    );
  end if;
  if new.answer <> 'help' then
    perform private.note_contact(array[theirs.id]);
  end if;
  return null;
end
$$;

COMMENT ON FUNCTION private.survey_answered() IS 'Trigger: a click in a survey or a check-in becomes feedback.';

CREATE FUNCTION private.survey_days() RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select greatest(private.number_setting('survey_days', 30), 1)
$$;

COMMENT ON FUNCTION private.survey_days() IS 'How long a period between two surveys is.';

CREATE FUNCTION private.survey_period(p_match public.matches, p_days integer) RETURNS integer
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select private.day_of(p_match, coalesce(p_match.ended_at, now())) / p_days
$$;

COMMENT ON FUNCTION private.survey_period(p_match public.matches, p_days integer) IS 'The how many-eth survey of a match it is time for; 0: for none yet.';

CREATE FUNCTION private.sync_chunk(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean, p_auto_approve boolean, p_email text, p_only_rejected boolean, p_max_changes integer, p_records integer) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  began constant timestamptz := clock_timestamp();
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  ids constant uuid[] := private.members_page(p_after, p_limit, p_email, p_only_rejected);
  sweeps constant boolean := p_email is null and not p_only_rejected;
  found_all boolean;
  cursor_id uuid;
  outcomes private.sync_outcome[];
  taken integer;
  warning text;
  answer jsonb;
begin
  -- The answer to the same call may have been lost on its way.
  if run.progress ? 'answer' and run.progress ->> 'after' is not distinct from p_after::text then
    return run.progress -> 'answer';
  end if;
  if sweeps and p_after is null then
    begin
      perform private.require_approval(run, (private.departures()).stopping, p_max_changes);
    exception
      when sqlstate 'MS005' then
        if not p_dry_run then
          raise;
        end if;
        warning := sqlerrm;
    end;
  end if;
  begin
    select s.outcomes, s.taken into outcomes, taken
    from private.sync_members(
      ids, coalesce(p_auto_approve, private.auto_approve()), began + interval '3 seconds'
    ) as s;
    found_all := taken = cardinality(ids) and (p_email is not null or taken < p_limit);
    cursor_id := case when not found_all then ids[taken] end;
    if sweeps then
      outcomes := outcomes || array(
        select d from private.stop_departed(p_after, cursor_id, ids) as d
      );
      perform private.forget_departed(p_after, cursor_id, ids);
    end if;
    if p_dry_run then
      raise exception using errcode = 'MS000', message = 'dry run';
    end if;
  exception
    when sqlstate 'MS000' then null;
  end;
  if not p_dry_run then
    -- Once more for what left while we were at it.
    perform private.require_approval(
      run,
      coalesce((run.progress -> 'counts' ->> 'deactivated')::bigint, 0)
        + (select count(*) from unnest(outcomes) as o where o.outcome = 'deactivated'),
      p_max_changes
    );
  end if;
  answer := jsonb_build_object(
    'cursor', cursor_id,
    'done', found_all,
    'read', taken,
    'counts', private.outcome_counts(outcomes),
    'records', private.outcome_records(outcomes, p_records),
    'about', (
      select greatest(c.reltuples, 0)::bigint
      from pg_catalog.pg_class as c
      where c.oid = 'public.members'::regclass
    ),
    'warning', warning,
    'milliseconds', round(extract(epoch from clock_timestamp() - began) * 1000)
  );
  update public.job_runs as r
  set progress = jsonb_build_object(
    'after', p_after,
    'cursor', cursor_id,
    'done', found_all,
    'read', coalesce((run.progress -> 'read')::bigint, 0) + taken,
    'counts', private.add_counts(
      coalesce(run.progress -> 'counts', '{}'), answer -> 'counts'
    ),
    'answer', answer
  )
  where r.id = p_run_id;
  return answer;
end
$$;

COMMENT ON FUNCTION private.sync_chunk(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean, p_auto_approve boolean, p_email text, p_only_rejected boolean, p_max_changes integer, p_records integer) IS 'One chunk of the job sync_mentor_profiles.';

CREATE FUNCTION private.sync_members(p_ids uuid[], p_auto_approve boolean, p_deadline timestamp with time zone, OUT outcomes private.sync_outcome[], OUT taken integer) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  total constant integer := coalesce(cardinality(p_ids), 0);
  step integer := total;
  part uuid[];
  got private.sync_outcome[];
begin
  outcomes := '{}';
  taken := 0;
  while taken < total and (taken = 0 or clock_timestamp() < p_deadline) loop
    part := p_ids[taken + 1 : taken + step];
    got := private.try_members(part, p_auto_approve);
    if got is null then
      step := (cardinality(part) + 3) / 4;
      continue;
    end if;
    perform private.keep_rejects(part, got);
    outcomes := outcomes || got;
    taken := taken + cardinality(part);
    step := step * 4;
  end loop;
  perform private.link_auth_users(array(
    select private.normalise_email(o.email) from unnest(outcomes) as o where o.outcome = 'created'
  ));
  -- What matching compares is not all that the directory shows.
  perform private.note_stale_members(p_ids[1 : taken]);
end
$$;

COMMENT ON FUNCTION private.sync_members(p_ids uuid[], p_auto_approve boolean, p_deadline timestamp with time zone, OUT outcomes private.sync_outcome[], OUT taken integer) IS 'Syncs these members: what became of each, and how many were taken before the deadline.';

CREATE FUNCTION private.sync_one(p_member_id uuid) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  outcomes private.sync_outcome[];
begin
  if not private.sees_everything() then
    raise exception 'Only admins may sync a member.' using errcode = '42501';
  end if;
  select s.outcomes into outcomes
  from private.sync_members(array[p_member_id], private.auto_approve(), 'infinity') as s;
  if cardinality(outcomes) > 0 then
    return private.outcome_records(outcomes, null) -> 0;
  end if;
  if exists (select from public.members as m where m.id = p_member_id) then
    return jsonb_build_object(
      'member_id', p_member_id, 'outcome', 'not_a_mentor',
      'reason', 'the membershiptype is not mentor'
    );
  end if;
  raise exception 'There is no member %.', p_member_id
    using errcode = 'MS011', hint = 'Give an id of the table members.';
end
$$;

COMMENT ON FUNCTION private.sync_one(p_member_id uuid) IS 'Syncs one member, for those who may.';

CREATE FUNCTION private.sync_quietly(p_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  deadline constant timestamptz := private.trigger_deadline();
  total constant integer := coalesce(cardinality(p_ids), 0);
  step integer := case when deadline < clock_timestamp() + interval '1 hour' then 1 else 5000 end;
  began timestamptz;
  taken integer;
  place integer := 0;
begin
  while place < total and step > 0 and clock_timestamp() < deadline loop
    began := clock_timestamp();
    taken := private.sync_set_quietly(p_ids[place + 1 : place + step], deadline);
    exit when taken = 0;
    place := place + taken;
    step := private.next_step(step, began, deadline);
  end loop;
  if place < total then
    raise warning 'mentor_sync: % of % members wait for the next sync.', total - place, total;
  end if;
end
$$;

COMMENT ON FUNCTION private.sync_quietly(p_ids uuid[]) IS 'Syncs members from a trigger, as far as the time of the statement allows.';

CREATE FUNCTION private.sync_set_quietly(p_ids uuid[], p_deadline timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    SET search_path TO ''
    SET lock_timeout TO '2s'
    AS $$
begin
  perform private.limit_waits(p_deadline);
  return (private.sync_members(p_ids, private.auto_approve(), p_deadline)).taken;
exception
  when assert_failure or query_canceled or others then
    if private.was_cancelled(sqlstate) then
      raise;
    end if;
    raise warning 'mentor_sync: %', sqlerrm;
    perform private.reject_quietly(p_ids, sqlerrm, sqlstate, p_deadline);
    return 0;
end
$$;

COMMENT ON FUNCTION private.sync_set_quietly(p_ids uuid[], p_deadline timestamp with time zone) IS 'Syncs a set from a trigger: how many were taken; an error becomes a warning and rejects.';

CREATE FUNCTION private.take_runs(p_worker text, p_ids uuid[]) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with taken as (
    update public.job_runs as r
    set status = 'running', attempt = r.attempt + 1, fence = r.fence + 1, worker = p_worker,
      lease_expires_at = clock_timestamp() + make_interval(secs => r.lease_seconds),
      started_at = coalesce(r.started_at, clock_timestamp()), claimed_at = clock_timestamp()
    where r.id = any (p_ids)
    returning r.*
  )
  select coalesce(jsonb_agg(to_jsonb(t) order by t.run_at, t.id), '[]') from taken as t
$$;

COMMENT ON FUNCTION private.take_runs(p_worker text, p_ids uuid[]) IS 'Makes these runs the worker''s, with a new fence each. They must be locked.';

CREATE FUNCTION private.takes_seat(p_role text, p_status text) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select p_role <> 'peer' and p_status in ('active', 'paused')
$$;

COMMENT ON FUNCTION private.takes_seat(p_role text, p_status text) IS 'Whether a match of this role and status counts for the capacity of its mentor.';

CREATE FUNCTION private.tell_of_end(p_match public.matches, p_actor uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  insert into public.notifications (user_id, type, title, message, metadata)
  select
    side.id, side.kind,
    left(coalesce(nullif(u.full_name, ''), 'Somebody') || side.words, 300),
    case p_match.status when 'completed' then 'The match was completed.' else 'The match ended.' end,
    jsonb_build_object(
      'match_id', p_match.id, 'other_id', u.id,
      'match_url', private.page_url('matches/' || p_match.id)
    )
  from (
    values
      (p_match.mentor_id, p_match.student_id, 'student_left', ' is not your student any more'),
      (p_match.student_id, p_match.mentor_id, 'mentor_left', ' is not your mentor any more')
  ) as side (id, other_id, kind, words)
  inner join public.users as u on u.id = side.other_id
  -- Who is just being deleted is told nothing.
  inner join public.users as told on told.id = side.id
  where side.id is distinct from p_actor
    and (side.id = p_match.mentor_id or p_match.status = 'completed' or p_match.role <> 'primary')
$$;

COMMENT ON FUNCTION private.tell_of_end(p_match public.matches, p_actor uuid) IS 'Tells the sides who did not end a match that it is over.';

CREATE FUNCTION private.tell_of_question(p_question public.quick_questions, p_person uuid, p_type text, p_what text) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  insert into public.notifications (user_id, type, title, message, metadata)
  select
    p_person, p_type, p_what, p_question.title, jsonb_build_object('question_id', p_question.id)
  where p_person is not null
$$;

COMMENT ON FUNCTION private.tell_of_question(p_question public.quick_questions, p_person uuid, p_type text, p_what text) IS 'Tells a person inside the application what became of a question.';

CREATE FUNCTION private.term_weights(p_student_id uuid, p_weights public.match_weights) RETURNS TABLE(factor smallint, name text, weight integer, named integer, share integer, per_term integer)
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
#variable_conflict use_column
begin
  return query
  select f.factor, f.name, f.weight, f.named, f.share, f.share / f.named
  from (
    select w.factor, w.name, w.weight, s.named,
      (1000000 * w.weight / sum(w.weight) over ())::integer as share
    from (
      values
        (1::smallint, 'goals', p_weights.goals),
        (2::smallint, 'industry', p_weights.industry),
        (3::smallint, 'research', p_weights.research),
        (4::smallint, 'technical', p_weights.technical),
        (5::smallint, 'location', p_weights.location),
        (6::smallint, 'communication', p_weights.communication)
    ) as w (factor, name, weight)
    inner join (
      select t.factor, count(*)::integer as named
      from private.profile_terms as t
      where t.user_id = p_student_id
      group by t.factor
    ) as s on s.factor = w.factor
    where w.weight > 0
  ) as f;
end
$$;

COMMENT ON FUNCTION private.term_weights(p_student_id uuid, p_weights public.match_weights) IS 'What each term of a student counts, in millionths of the whole, by factor.';

CREATE FUNCTION private.terms_in(p_piece text) RETURNS TABLE(term text, label text)
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  whole constant text := private.normalise_term(p_piece);
  part text;
  found_any boolean := false;
begin
  if whole = '' then
    return;
  end if;
  if private.is_known_term(whole) then
    return query select private.meaning_of(whole), null::text;
    return;
  end if;
  if p_piece like '%/%' then
    foreach part in array string_to_array(p_piece, '/') loop
      return query select t.* from private.terms_in(part) as t;
    end loop;
    return;
  end if;
  for part in select distinct k from private.known_phrases(whole) as k loop
    found_any := true;
    return query select part, null::text;
  end loop;
  if not found_any and cardinality(string_to_array(whole, ' ')) <= 4 then
    return query select whole, left(private.trim_space(p_piece), 100);
  end if;
end
$$;

COMMENT ON FUNCTION private.terms_in(p_piece text) IS 'The terms that one piece of text names; the label where the vocabulary has none.';

CREATE FUNCTION private.terms_of(p_texts text[]) RETURNS SETOF text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select distinct t.term
  from private.pieces_of(p_texts) as piece
  cross join lateral private.terms_in(piece) as t
$$;

COMMENT ON FUNCTION private.terms_of(p_texts text[]) IS 'The terms that these texts name, each once.';

CREATE FUNCTION private.terms_of_mentor(p_mentor_id uuid) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select array(
    select distinct t.term
    from public.mentorship_profiles as p
    inner join private.profile_terms as x on x.user_id = p.user_id and x.factor <= 4
    inner join public.match_terms as t on t.id = x.term_id
    where p.user_id = p_mentor_id and p.role = 'mentor'
  )
$$;

COMMENT ON FUNCTION private.terms_of_mentor(p_mentor_id uuid) IS 'What a mentor knows, as topics of questions are compared with it.';

CREATE FUNCTION private.terms_of_people(p_ids uuid[]) RETURNS SETOF private.person_term
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.terms_of_people(p_ids uuid[]) IS 'The terms of these people, each once a factor.';

CREATE FUNCTION private.text_setting(p_key text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select nullif(s.value #>> '{}', '') from public.program_settings as s where s.key = p_key
$$;

COMMENT ON FUNCTION private.text_setting(p_key text) IS 'A text of program_settings; null where empty.';

CREATE FUNCTION private.texts_of(p_list jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE
    SET search_path TO ''
    AS $$
  select coalesce(array_agg(t.value), '{}')
  from jsonb_array_elements_text(
    case when jsonb_typeof(p_list) = 'array' then p_list else '[]' end
  ) as t
$$;

COMMENT ON FUNCTION private.texts_of(p_list jsonb) IS 'A JSON list as texts; none where it is no list.';

CREATE FUNCTION private.told_rule(p_rule text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select case
    when p_rule = 'blocked' and not private.sees_everything() then 'inactive'
    else p_rule
  end
$$;

COMMENT ON FUNCTION private.told_rule(p_rule text) IS 'A hard rule as the caller may read it.';

CREATE FUNCTION private.too_late_to_begin(p_deadline timestamp with time zone) RETURNS boolean
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select clock_timestamp() + (clock_timestamp() - statement_timestamp()) / 3 >= p_deadline
$$;

COMMENT ON FUNCTION private.too_late_to_begin(p_deadline timestamp with time zone) IS 'Whether a statement has taken so much of its time that a trigger of ours leaves it alone.';

CREATE FUNCTION private.touch_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  new.updated_at := now();
  return new;
end
$$;

COMMENT ON FUNCTION private.touch_updated_at() IS 'Trigger: notes when a row was last changed.';

CREATE FUNCTION private.trigger_deadline() RETURNS timestamp with time zone
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select least(
    statement_timestamp() + nullif(current_setting('statement_timeout')::interval, '0') * 2 / 3,
    transaction_timestamp()
      + nullif(current_setting('transaction_timeout', true)::interval, '0') * 2 / 3,
    clock_timestamp() + interval '1 day'
  )
$$;

COMMENT ON FUNCTION private.trigger_deadline() IS 'Until when a trigger of ours may work without endangering the statement that fired it.';

CREATE FUNCTION private.trim_space(p_text text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    SET search_path TO ''
    AS $$
begin
  return btrim(
    p_text,
    U&'\0020\0009\000A\000B\000C\000D\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006'
    '\2007\2008\2009\200A\200B\2028\2029\202F\205F\3000\FEFF'
  );
end
$$;

COMMENT ON FUNCTION private.trim_space(p_text text) IS 'The text without white space at both ends, no-break and zero-width spaces included.';

CREATE FUNCTION private.try_members(p_ids uuid[], p_auto_approve boolean) RETURNS private.sync_outcome[]
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  outcomes private.sync_outcome[];
  message text;
  context text;
begin
  outcomes := private.settle_lost(
    array(select a from private.apply_members(p_ids, p_auto_approve) as a), p_auto_approve
  );
  perform private.check_deferred();
  return outcomes;
exception
  when assert_failure or query_canceled or others then
    get stacked diagnostics message = message_text, context = pg_exception_context;
    if not private.is_rows_fault(sqlstate, context) then
      raise;
    end if;
    if cardinality(p_ids) > 1 then
      return null;
    end if;
    return array(
      select row(m.id, m.email, m.name, 'rejected', message, sqlstate, null)::private.sync_outcome
      from public.members as m
      where m.id = p_ids[1]
    );
end
$$;

COMMENT ON FUNCTION private.try_members(p_ids uuid[], p_auto_approve boolean) IS 'The outcomes of a set of members; null when one of several rows is at fault.';

CREATE FUNCTION private.uncertain_messages() RETURNS TABLE(id uuid, verdict text, later timestamp with time zone)
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with first as materialized (
    select m.batch from public.message_outbox as m
    where m.status = 'uncertain' and not exists (
      select from public.message_outbox as x
      where x.batch = m.batch and x.status = 'uncertain'
        and (x.id < m.id or x.not_before > now())
    )
      and m.not_before <= now()
    order by m.created_at, m.id
    limit 1
    for update skip locked
  )
  select
    m.id,
    case when m.attempt >= m.max_attempts then 'dead' else 'sending' end,
    null::timestamptz
  from first
  inner join public.message_outbox as m on m.batch = first.batch and m.status = 'uncertain'
$$;

COMMENT ON FUNCTION private.uncertain_messages() IS 'A batch that may have been sent, to be sent again as it was: no rule looks at it anew.';

CREATE FUNCTION private.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint, p_limit integer, p_dry_run boolean) RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  began constant timestamptz := clock_timestamp();
  latest_chunk bigint;
  cursor_chunk bigint := p_before;
  outcomes private.undo_outcome[] := '{}';
  answer jsonb;
begin
  if run.progress ? 'answer' and run.progress ->> 'before' is not distinct from p_before::text then
    return run.progress -> 'answer';
  end if;
  perform private.require_undoable(p_of);
  begin
    -- Several chunks, while that takes no time: a dry run that sees them together counts exactly.
    loop
      select c.chunk into latest_chunk from public.job_changes as c
      where c.run_id = p_of and (cursor_chunk is null or c.chunk < cursor_chunk)
      order by c.chunk desc limit 1;
      exit when not found;
      outcomes := outcomes || array(select u from private.undo_chunk(p_of, latest_chunk) as u);
      cursor_chunk := latest_chunk;
      exit when cardinality(outcomes) >= p_limit
        or clock_timestamp() > began + interval '1 second';
    end loop;
    if p_dry_run then
      raise exception using errcode = 'MS000', message = 'dry run';
    end if;
  exception
    when sqlstate 'MS000' then null;
  end;
  answer := jsonb_build_object(
    'cursor', cursor_chunk,
    'done', latest_chunk is null,
    'counts', (
      select coalesce(jsonb_object_agg(n.outcome, n.n), '{}')
      from (select o.outcome, count(*) as n from unnest(outcomes) as o group by 1) as n
    ),
    'kept', (
      select coalesce(jsonb_agg(to_jsonb(k)), '[]')
      from (
        select o.relation, o.row_id, o.action, o.reason
        from unnest(outcomes) as o where o.outcome = 'kept' limit 1000
      ) as k
    )
  );
  update public.job_runs as r
  set progress = jsonb_build_object(
    'before', p_before, 'cursor', answer -> 'cursor', 'done', answer -> 'done',
    'counts', private.add_counts(coalesce(run.progress -> 'counts', '{}'), answer -> 'counts'),
    'answer', answer
  )
  where r.id = p_run_id;
  return answer;
end
$$;

COMMENT ON FUNCTION private.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint, p_limit integer, p_dry_run boolean) IS 'One call of the job undo_run.';

CREATE FUNCTION private.undo_chunk(p_of uuid, p_chunk bigint) RETURNS SETOF private.undo_outcome
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  changed text;
begin
  for changed in
    select c.relation
    from (
      select x.relation, bool_or(x.action = 'delete') over () as brings_back
      from public.job_changes as x
      where x.run_id = p_of and x.chunk = p_chunk
    ) as c
    group by c.relation, c.brings_back
    order by (c.relation = 'users') <> c.brings_back, c.relation
  loop
    return query select u.* from private.undo_table(p_of, p_chunk, changed) as u;
  end loop;
end
$$;

COMMENT ON FUNCTION private.undo_chunk(p_of uuid, p_chunk bigint) IS 'Takes back one chunk of a run.';

CREATE FUNCTION private.undo_table(p_of uuid, p_chunk bigint, p_relation text) RETURNS SETOF private.undo_outcome
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $_$
declare
  relation constant regclass := format('public.%I', p_relation)::regclass;
  -- The columns that were logged then. One that is gone by now makes every row a changed one.
  logged constant text[] := array(
    select jsonb_object_keys(coalesce(c.after, c.before))
    from (
      select x.before, x.after from public.job_changes as x
      where x.run_id = p_of and x.chunk = p_chunk and x.relation = p_relation
      limit 1
    ) as c
  );
  restorable text;
  unlogged text[];
  -- Columns that came after the run, and that nobody has filled in.
  nothing bigint;
  statement text;
begin
  select
    string_agg(format('%I', a.attname), ', ' order by a.attnum)
      filter (where a.attname = any (logged) and a.attname <> 'id'),
    coalesce(array_agg(a.attname::text) filter (where a.attname <> all (logged)), '{}')
  into restorable, unlogged
  from pg_catalog.pg_attribute as a
  where a.attrelid = relation and a.attnum > 0 and not a.attisdropped;
  select private.hash_of_rest(coalesce(jsonb_object_agg(c.name, null), '{}'), '{}') into nothing
  from unnest(unlogged) as c (name)
  where c.name <> 'updated_at';
  statement := $sql$
    with net as materialized (
      select distinct on (c.row_id)
        c.row_id, first_value(c.action) over w as action, first_value(c.before) over w as before,
        c.after, first_value(c.rest) over w as rest
      from public.job_changes as c
      where c.run_id = $1 and c.chunk = $2 and c.relation = $3
      window w as (partition by c.row_id order by c.id)
      order by c.row_id, c.id desc
    ),
    seen as materialized (
      select n.*, t.id is not null as present,
        coalesce(to_jsonb(t) - $4 = n.after, false) as untouched,
        case when n.before is null then %3$s end as referring
      from net as n
      left join %1$s as t on t.id = n.row_id
    ),
    deleted as (
      delete from %1$s as t using seen as s
      where t.id = s.row_id and s.before is null and s.referring is null
        and to_jsonb(t) - $4 = s.after
        and coalesce(s.rest, $6) = private.hash_of_rest(to_jsonb(t), $5)
      returning t.id
    ),
    restored as (
      update %1$s as t set (%2$s) = (
        select %2$s from jsonb_populate_record(null::%1$s, s.before)
      )
      from seen as s
      where t.id = s.row_id and s.before is not null and to_jsonb(t) - $4 = s.after
      returning t.id
    ),
    brought_back as (
      insert into %1$s (id, %2$s)
      select r.id, %4$s
      from seen as s
      cross join lateral jsonb_populate_record(null::%1$s, s.before) as r
      where s.before is not null and s.after is null and not s.present
      on conflict do nothing
      returning id
    )
    select s.row_id, $3, s.action,
      case when done.so then 'undone' else 'kept' end,
      case
        when done.so then null
        when not s.present and s.after is null then 'another row has taken its place'
        when not s.present then 'the row is gone'
        when s.untouched and s.referring is not null then s.referring || ' refers to it'
        else 'changed since'
      end
    from seen as s
    -- Hashed, however few rows were expected.
    cross join lateral (
      select (s.before is null and s.after is null)
        or s.row_id in (select d.id from deleted as d)
        or s.row_id in (select r.id from restored as r)
        or s.row_id in (select b.id from brought_back as b) as so
    ) as done
    order by s.row_id
  $sql$;
  return query execute format(
    statement, relation, restorable, private.referring_expression(relation),
    'r.' || replace(restorable, ', ', ', r.')
  ) using p_of, p_chunk, p_relation, unlogged, logged, nothing;
end
$_$;

COMMENT ON FUNCTION private.undo_table(p_of uuid, p_chunk bigint, p_relation text) IS 'Takes back what one chunk of a run did to one table: what became of each row.';

CREATE FUNCTION private.unplaced_students(p_ids uuid[], p_unasked boolean) RETURNS TABLE(student_id uuid, request_id uuid)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select p.id, r.id
  from unnest(p_ids) as p (id)
  inner join public.users as u on u.id = p.id and u.status = 'Active'
  left join public.mentorship_requests as r
    on r.student_id = p.id and r.status in ('open', 'offered')
  where not exists (
      select from public.matches as m
      where m.student_id = p.id and m.role = 'primary' and m.status in ('active', 'paused')
    )
    and case
      when r.id is not null then r.status = 'open' and r.expires_at > now()
      else p_unasked
        and not coalesce((
          select x.status = 'cancelled' from public.mentorship_requests as x
          where x.student_id = p.id order by x.created_at desc limit 1
        ), false)
        and not coalesce((
          select m.status = 'completed' from public.matches as m
          where m.student_id = p.id and m.role = 'primary'
          order by m.started_at desc limit 1
        ), false)
    end
$$;

COMMENT ON FUNCTION private.unplaced_students(p_ids uuid[], p_unasked boolean) IS 'Which of these students are to be assigned, with their open requests, if any.';

CREATE FUNCTION private.unsigned(p_purpose text, p_token text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO ''
    AS $$
  select given.payload
  from (select left(p_token, -33)) as given (payload)
  where length(p_token) between 34 and 500
    and sha256(convert_to(p_token, 'UTF8'))
    = sha256(convert_to(private.signed(p_purpose, given.payload), 'UTF8'))
$$;

COMMENT ON FUNCTION private.unsigned(p_purpose text, p_token text) IS 'The payload of a token that was signed here for this purpose; null of any other.';

CREATE FUNCTION private.unsubscribe(p_token text) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  payload constant text := private.unsigned('unsubscribe', p_token);
  person constant uuid := split_part(payload, '.', 1);
  -- From a digest nobody wants what it gathers either.
  ended constant text := case split_part(payload, '.', 2)
    when 'digest' then 'all' else split_part(payload, '.', 2)
  end;
begin
  insert into public.contact_preferences as p (user_id, kind, channel)
  select u.id, ended, 'off' from public.users as u where u.id = person
  on conflict (user_id, kind) do update set channel = 'off';
  update public.contact_preferences as p
  set channel = 'off'
  where p.user_id = person and ended = 'all' and p.channel <> 'off';
  update public.message_outbox as m
  set status = 'off'
  where m.recipient = person and (m.kind = ended or ended = 'all')
    and m.status in ('queued', 'digest');
  return true;
end
$$;

COMMENT ON FUNCTION private.unsubscribe(p_token text) IS 'Switches a kind off for the person of the token. Says the same of a token that is none.';

CREATE FUNCTION private.unsubscribe_token(p_user_id uuid, p_kind text) RETURNS text
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select private.signed('unsubscribe', p_user_id || '.' || p_kind)
$$;

COMMENT ON FUNCTION private.unsubscribe_token(p_user_id uuid, p_kind text) IS 'Whoever has it may end mails of this kind to this person.';

CREATE FUNCTION private.unverify() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  new.verified := false;
  return new;
end
$$;

COMMENT ON FUNCTION private.unverify() IS 'Trigger: what was checked is not what it says now.';

CREATE TABLE public.mentor_specializations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    mentor_id uuid NOT NULL,
    specialization text NOT NULL,
    proficiency_level integer,
    certification_url text,
    verified boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT mentor_specializations_level_range CHECK (((proficiency_level >= 1) AND (proficiency_level <= 5))),
    CONSTRAINT mentor_specializations_text_fits CHECK (((length(specialization) >= 1) AND (length(specialization) <= 200))),
    CONSTRAINT mentor_specializations_url_is_web CHECK ((certification_url ~ '^[Hh][Tt][Tt][Pp][Ss]?://'::text))
);

COMMENT ON TABLE public.mentor_specializations IS 'What mentors are particularly good at; counts as skills and industries in matching.';

COMMENT ON COLUMN public.mentor_specializations.id IS 'The entry.';

COMMENT ON COLUMN public.mentor_specializations.mentor_id IS 'The mentor: users.id.';

COMMENT ON COLUMN public.mentor_specializations.specialization IS 'What.';

COMMENT ON COLUMN public.mentor_specializations.proficiency_level IS 'How good, 1 to 5.';

COMMENT ON COLUMN public.mentor_specializations.certification_url IS 'Where it is certified.';

COMMENT ON COLUMN public.mentor_specializations.verified IS 'Whether an admin has checked it.';

COMMENT ON COLUMN public.mentor_specializations.created_at IS 'When it was added.';

CREATE FUNCTION private.verify_specialization(p_id uuid, p_verified boolean) RETURNS public.mentor_specializations
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
declare
  verified public.mentor_specializations;
begin
  if not private.sees_everything() then
    raise exception 'Only admins verify specialisations.' using errcode = '42501';
  end if;
  update public.mentor_specializations as s set verified = p_verified
  where s.id = p_id
  returning * into verified;
  if not found then
    raise exception 'There is no specialisation %.', p_id
      using errcode = 'MS011', hint = 'Give an id of the table mentor_specializations.';
  end if;
  return verified;
end
$$;

COMMENT ON FUNCTION private.verify_specialization(p_id uuid, p_verified boolean) IS 'Says whether a specialisation is verified, for those who may.';

CREATE FUNCTION private.waiting_requests(p_after jsonb, p_limit integer, p_student_id uuid) RETURNS uuid[]
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select array(
    select r.id
    from public.mentorship_requests as r
    inner join public.users as u on u.id = r.student_id and u.status = 'Active'
    inner join public.mentorship_profiles as p on p.user_id = r.student_id and p.is_active
    where r.status = 'open' and r.expires_at > now()
      and (p_student_id is null or r.student_id = p_student_id)
      and (
        p_after is null
        or (r.created_at, r.id) > ((p_after ->> 0)::timestamptz, (p_after ->> 1)::uuid)
      )
    order by r.created_at, r.id
    limit p_limit
  )
$$;

COMMENT ON FUNCTION private.waiting_requests(p_after jsonb, p_limit integer, p_student_id uuid) IS 'The next open requests of active students, those that wait longest first.';

CREATE FUNCTION private.was_cancelled(p_code text) RETURNS boolean
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select p_code = '57014' and coalesce(
    clock_timestamp() - statement_timestamp()
      < nullif(current_setting('statement_timeout')::interval, '0') * 0.9,
    true
  )
$$;

COMMENT ON FUNCTION private.was_cancelled(p_code text) IS 'Whether an error with this code is somebody cancelling the statement.';

CREATE FUNCTION private.withdraw_match_mail(p_match public.matches) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  update public.message_outbox as m
  set
    status = case m.status when 'sending' then m.status else 'superseded' end,
    superseded_at = now()
  where m.recipient in (p_match.student_id, p_match.mentor_id)
    and m.status in ('queued', 'digest', 'sending')
    and starts_with(m.about || ':', 'match:' || p_match.id || ':')
$$;

COMMENT ON FUNCTION private.withdraw_match_mail(p_match public.matches) IS 'Takes back what was not sent yet about a match.';

CREATE FUNCTION private.withdraw_pointless(p_limit integer) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  pointless constant uuid[] := private.pointless_offers(p_limit);
  requests constant uuid[] := array(
    select r.id from public.mentorship_requests as r
    where r.id in (select o.request_id from public.match_offers as o where o.id = any (pointless))
    order by r.id for update skip locked
  );
  ended uuid[];
  batches uuid[];
begin
  with withdrawn as (
    update public.match_offers as o
    set status = 'withdrawn', answered_at = now()
    where o.id = any (pointless) and o.request_id = any (requests) and o.status = 'offered'
    returning o.id, o.batch_id
  )
  select coalesce(array_agg(w.id), '{}'), array_agg(distinct w.batch_id) into ended, batches
  from withdrawn as w;
  perform private.supersede_offers(ended);
  return jsonb_build_object(
    'withdrawn', cardinality(ended), 'reopened', private.reopen_exhausted(batches)
  );
end
$$;

COMMENT ON FUNCTION private.withdraw_pointless(p_limit integer) IS 'Withdraws offers to mentors who cannot accept any more: how many, and how many requests wait for the next mentors.';

CREATE FUNCTION private.withdraw_session_mail(p_session_id uuid) RETURNS void
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  delete from public.message_outbox as m
  where m.kind = 'session_reminder' and m.status in ('queued', 'digest', 'superseded')
    and starts_with(m.about, 'session:' || p_session_id || ':');
  update public.message_outbox as m
  set
    status = case m.status when 'sending' then m.status else 'superseded' end,
    superseded_at = now()
  where m.kind in ('session_invite', 'session_reminder')
    and m.status in ('queued', 'digest', 'sending')
    and starts_with(m.about, 'session:' || p_session_id || ':')
$$;

COMMENT ON FUNCTION private.withdraw_session_mail(p_session_id uuid) IS 'Takes back what was not sent yet about a session.';

CREATE FUNCTION private.without_health(p_match public.matches) RETURNS public.matches
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO ''
    AS $$
begin
  p_match.health_score := null;
  p_match.health_status := null;
  p_match.health_reasons := null;
  p_match.health_checked_at := null;
  p_match.at_risk_since := null;
  p_match.escalated_at := null;
  return p_match;
end
$$;

COMMENT ON FUNCTION private.without_health(p_match public.matches) IS 'A match as its two sides may see it: neither reads the health in the table.';

CREATE FUNCTION private.without_rank(p_offer public.match_offers) RETURNS public.match_offers
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO ''
    AS $$
begin
  p_offer.rank := null;
  p_offer.batch_id := null;
  return p_offer;
end
$$;

COMMENT ON FUNCTION private.without_rank(p_offer public.match_offers) IS 'An offer as its mentor may see it: with neither its place nor the others.';

CREATE FUNCTION private.write_profile(p_user_id uuid, p_values jsonb, p_is_new boolean) RETURNS public.mentorship_profiles
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.write_profile(p_user_id uuid, p_values jsonb, p_is_new boolean) IS 'Writes the given columns of a profile, for those who may: the row.';

CREATE FUNCTION private.zone_hours(p_zone text) RETURNS numeric
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION private.zone_hours(p_zone text) IS 'Hours east of UTC in standard time; null for a time zone that there is not.';

CREATE FUNCTION public.accept_schedules(p_verdicts jsonb) RETURNS integer
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with verdict as (
    select * from jsonb_to_recordset(p_verdicts) as v (
      job text, error text, cron text, timezone text, next_slot_at timestamptz
    )
  ),
  changed as (
    update public.job_schedules as s
    set error = v.error, accepted_cron = v.cron, accepted_timezone = v.timezone,
      next_slot_at = v.next_slot_at
    from verdict as v
    where s.job = v.job
      and (s.error, s.accepted_cron, s.accepted_timezone, s.next_slot_at)
        is distinct from (v.error, v.cron, v.timezone, v.next_slot_at)
    returning 1
  )
  select count(*)::integer from changed
$$;

COMMENT ON FUNCTION public.accept_schedules(p_verdicts jsonb) IS 'What a daemon made of the schedules: which is in effect, since when not the edited one, why.';

CREATE FUNCTION public.announce_offers(p_run_id uuid, p_fence bigint, p_limit integer DEFAULT 10000) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.announce_offers(p_run_id, p_fence, least(greatest(p_limit, 1), 20000))
$$;

COMMENT ON FUNCTION public.announce_offers(p_run_id uuid, p_fence bigint, p_limit integer) IS 'Tells mentors of offers that were made by hand: how many. Again until done.';

CREATE FUNCTION public.answer_message(p_token text) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select jsonb_build_object('outcome', private.answer_message(p_token))
$$;

COMMENT ON FUNCTION public.answer_message(p_token text) IS 'One click: {outcome}, which is recorded; answered, if the question was before; expired; unknown. Anybody with the token.';

CREATE FUNCTION public.approve_run(p_run_id uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.change_run(p_run_id, 'approved', '{awaiting_approval}')
$$;

COMMENT ON FUNCTION public.approve_run(p_run_id uuid) IS 'Lets a run do what it asked for.';

CREATE FUNCTION public.assign_student(p_student_id uuid, p_mentor_id uuid) RETURNS public.matches
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.assign_student(p_student_id, p_mentor_id)
$$;

COMMENT ON FUNCTION public.assign_student(p_student_id uuid, p_mentor_id uuid) IS 'Gives a student this mentor instead of whom they have: the match. For admins.';

CREATE FUNCTION public.assignment_settings() RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$ select private.assignment_settings() $$;

COMMENT ON FUNCTION public.assignment_settings() IS 'matching_settings, and with them auto_assignment; good_units: from where a score is good; offered: how many requests mentors look at; and the hard rules in words.';

CREATE FUNCTION public.calculate_match_score(p_student_id uuid, p_mentor_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  return private.calculate_match_score(p_student_id, p_mentor_id);
end
$$;

COMMENT ON FUNCTION public.calculate_match_score(p_student_id uuid, p_mentor_id uuid) IS 'How well a student and a mentor suit: total of 100, breakdown by factor, reasons, confidence.';

CREATE FUNCTION public.calendar_feed(p_token uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$ select private.calendar_feed(p_token) $$;

COMMENT ON FUNCTION public.calendar_feed(p_token uuid) IS 'A person''s sessions of the last 90 days and the next two years, by the secret of their calendar: {name, timezone, meetings}; {} where there is none.';

CREATE FUNCTION public.cancel_question(p_id uuid) RETURNS public.quick_questions
    LANGUAGE sql
    SET search_path TO ''
    AS $$ select private.cancel_question(p_id) $$;

COMMENT ON FUNCTION public.cancel_question(p_id uuid) IS 'Takes back one''s own question, while nobody has taken it.';

CREATE FUNCTION public.cancel_request(p_request_id uuid) RETURNS public.mentorship_requests
    LANGUAGE sql
    SET search_path TO ''
    AS $$ select private.cancel_request(p_request_id) $$;

COMMENT ON FUNCTION public.cancel_request(p_request_id uuid) IS 'Withdraws a request and what is offered of it. For its student and admins.';

CREATE FUNCTION public.cancel_run(p_run_id uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.change_run(p_run_id, 'cancelled', '{queued,running,awaiting_approval}')
$$;

COMMENT ON FUNCTION public.cancel_run(p_run_id uuid) IS 'Stops a run: what its worker has not committed by now is refused.';

CREATE FUNCTION public.changes_of_run(p_run_id uuid, p_after_chunk bigint, p_after bigint, p_limit integer) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(jsonb_agg(to_jsonb(c) order by c.chunk, c.id), '[]')
  from (
    select x.id, x.chunk, x.relation, x.row_id, x.action, x.before, x.after, x.changed_at
    from public.job_changes as x
    where x.run_id = p_run_id and (x.chunk, x.id) > (p_after_chunk, p_after)
    -- A run's transactions follow each other, so both grow together.
    order by x.chunk, x.id
    limit least(p_limit, 1000)
  ) as c
$$;

COMMENT ON FUNCTION public.changes_of_run(p_run_id uuid, p_after_chunk bigint, p_after bigint, p_limit integer) IS 'What a run changed, in order, after this chunk and id; 1,000 at the most.';

CREATE FUNCTION public.check_match_health(p_run_id uuid, p_fence bigint, p_after uuid DEFAULT NULL::uuid, p_limit integer DEFAULT 1000, p_dry_run boolean DEFAULT false) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.check_match_health(
    p_run_id, p_fence, p_after, least(greatest(p_limit, 1), 20000), p_dry_run
  )
$$;

COMMENT ON FUNCTION public.check_match_health(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean) IS 'Looks at the active matches after p_after, p_limit of them: counts, cursor, done.';

CREATE FUNCTION public.claim_messages(p_run_id uuid, p_fence bigint, p_limit integer DEFAULT 500) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  claimed jsonb;
begin
  perform private.rescue_messages();
  with again as materialized (
    select u.* from private.uncertain_messages() as u
  ),
  due as materialized (
    select a.* from again as a
    union all
    select d.* from private.due_messages(least(greatest(p_limit, 1), 5000)) as d
    where not exists (select from again)
  ),
  -- A message that goes alone is known by its own id.
  handed_over (batch) as materialized (
    select case when count(*) = 1 then (array_agg(d.id))[1] else gen_random_uuid() end
    from due as d where d.verdict = 'sending'
  ),
  taken as (
    update public.message_outbox as m
    set
      status = case d.verdict when 'quiet' then 'queued' else d.verdict end,
      not_before = case d.verdict when 'quiet' then d.later else m.not_before end,
      attempt = m.attempt + (d.verdict = 'sending')::integer,
      error = case d.verdict
        when 'failed' then 'The address is in undeliverable_addresses.'
        when 'dead' then coalesce(m.error, 'No worker lived to tell what became of it.')
        else m.error
      end,
      claimed_by = case d.verdict when 'sending' then p_run_id else m.claimed_by end,
      claimed_fence = case d.verdict when 'sending' then p_fence else m.claimed_fence end,
      batch = case
        when m.status = 'queued' and d.verdict = 'sending' then (select h.batch from handed_over as h)
        else m.batch
      end
    from due as d
    where m.id = d.id
    returning m.*
  ),
  told as (
    select private.notify_in_app(t.recipient, t.kind, t.data) from taken as t
    where t.status = 'in_app'
  )
  select jsonb_build_object(
    'told', (select count(*) from told),
    'looked_at', (select count(*) from due),
    'messages', coalesce(
      jsonb_agg(
        jsonb_build_object(
          'id', t.id, 'kind', t.kind, 'data', t.data, 'attempt', t.attempt, 'batch', t.batch,
          'in_doubt', t.in_doubt,
          'address', private.trim_space(u.email), 'name', u.full_name,
          'timezone', private.known_zone(u.timezone),
          'locale', u.locale,
          'unsubscribe', private.unsubscribe_token(t.recipient, t.kind),
          'asked', private.answer_tokens(t.id, t.data, t.created_at, t.expires_at)
        )
        order by t.priority desc, t.created_at, t.id
      ) filter (where t.status = 'sending'),
      '[]'
    )
  ) into claimed
  from taken as t
  inner join public.users as u on u.id = t.recipient;
  return claimed;
end
$$;

COMMENT ON FUNCTION public.claim_messages(p_run_id uuid, p_fence bigint, p_limit integer) IS 'Takes messages that are due for a run of deliver_messages, and puts off those that are not.';

CREATE FUNCTION public.claim_question(p_id uuid) RETURNS public.quick_questions
    LANGUAGE sql
    SET search_path TO ''
    AS $$ select private.claim_question(p_id) $$;

COMMENT ON FUNCTION public.claim_question(p_id uuid) IS 'Takes a question, to answer it: the question; MS025 where somebody was quicker. For approved, active mentors.';

CREATE FUNCTION public.claim_runs(p_worker text, p_limit integer DEFAULT 1, p_run_id uuid DEFAULT NULL::uuid, p_jobs text[] DEFAULT NULL::text[], p_holding uuid[] DEFAULT '{}'::uuid[]) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  claimed jsonb;
  due uuid[];
begin
  perform private.rescue_runs();

  -- The answer to an earlier claim of the same worker may have been lost.
  select jsonb_agg(to_jsonb(r) order by r.run_at, r.id) into claimed
  from public.job_runs as r
  where r.status = 'running' and r.worker = p_worker and r.id <> all (p_holding)
    and (p_run_id is null or r.id = p_run_id);
  if claimed is not null then
    return claimed;
  end if;

  if p_run_id is not null then
    due := array(
      select r.id from public.job_runs as r
      where r.id = p_run_id and r.status = 'queued' and r.run_at <= clock_timestamp()
      for update skip locked
    );
    return private.take_runs(p_worker, due);
  end if;

  claimed := '[]';
  while jsonb_array_length(claimed) < p_limit loop
    due := private.next_runs(p_limit - jsonb_array_length(claimed), p_jobs);
    exit when due = '{}';
    claimed := claimed || private.take_runs(p_worker, due);
  end loop;
  return claimed;
end
$$;

COMMENT ON FUNCTION public.claim_runs(p_worker text, p_limit integer, p_run_id uuid, p_jobs text[], p_holding uuid[]) IS 'Takes runs that are due, p_limit at the most, as a JSON list. A run that is asked for by its id is taken alone, and beyond max_concurrent. p_holding: what the worker knows it has.';

CREATE FUNCTION public.complete_match(p_match_id uuid, p_reason text DEFAULT NULL::text) RETURNS public.matches
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.complete_match(p_match_id, p_reason)
$$;

COMMENT ON FUNCTION public.complete_match(p_match_id uuid, p_reason text) IS 'Ends a match as completed. For either side and admins.';

CREATE FUNCTION public.complete_question(p_id uuid, p_answer text) RETURNS public.quick_questions
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.complete_question(p_id, p_answer)
$$;

COMMENT ON FUNCTION public.complete_question(p_id uuid, p_answer text) IS 'Answers a question that one took: the question. The student is told.';

CREATE FUNCTION public.compose_digests(p_run_id uuid, p_fence bigint, p_limit integer DEFAULT 500) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  composed integer;
begin
  update public.message_outbox as m
  set status = 'expired'
  where m.status = 'digest' and m.expires_at <= now();
  with waiting as materialized (
    select distinct on (m.recipient) m.recipient, here.at::date as day
    from public.message_outbox as m
    inner join public.users as u on u.id = m.recipient
    cross join lateral (
      select now() at time zone private.known_zone(u.timezone) as at
    ) as here
    where m.status = 'digest' and coalesce(m.expires_at > now(), true)
      and not exists (
        select from public.message_outbox as d
        where d.kind = 'digest' and d.recipient = m.recipient
          and d.about = 'digest:' || here.at::date
      )
      and extract(hour from here.at) >= private.number_setting('digest_hour', 8)
    limit p_limit
  ),
  mine as materialized (
    select m.id, m.recipient, w.day, m.kind, m.data, m.created_at
    from waiting as w
    inner join public.message_outbox as m
      on m.recipient = w.recipient and m.status = 'digest' and coalesce(m.expires_at > now(), true)
    for update of m skip locked
  ),
  made as (
    insert into public.message_outbox (kind, recipient, about, data)
    select 'digest', m.recipient, 'digest:' || m.day, jsonb_build_object(
      'messages', jsonb_agg(
        jsonb_build_object('kind', m.kind, 'data', m.data) order by m.created_at, m.id
      )
    )
    from mine as m
    group by m.recipient, m.day
    on conflict do nothing
    returning recipient
  ),
  marked as (
    update public.message_outbox as m
    set status = 'digested'
    from mine as x
    where m.id = x.id and x.recipient in (select made.recipient from made)
  )
  select count(*) into composed from made;
  return jsonb_build_object('digests', composed);
end
$$;

COMMENT ON FUNCTION public.compose_digests(p_run_id uuid, p_fence bigint, p_limit integer) IS 'Makes one message of those that wait for a person''s digest, once a day there.';

CREATE FUNCTION public.confirm_alias(p_alias text, p_term text) RETURNS SETOF public.term_aliases
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select c.* from private.confirm_alias(p_alias, p_term) as c
$$;

COMMENT ON FUNCTION public.confirm_alias(p_alias text, p_term text) IS 'Says that a word means the same as a term; profiles follow. For admins and service_role.';

CREATE FUNCTION public.create_manual_match(p_student_id uuid, p_mentor_id uuid, p_role text DEFAULT 'primary'::text, p_reason text DEFAULT NULL::text) RETURNS public.matches
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.create_manual_match(p_student_id, p_mentor_id, p_role, p_reason)
$$;

COMMENT ON FUNCTION public.create_manual_match(p_student_id uuid, p_mentor_id uuid, p_role text, p_reason text) IS 'Matches two by hand, as primary, substitute or peer. Capacity and blocked pairs hold. For admins.';

CREATE FUNCTION public.create_notification(user_id uuid, type text, title text, message text DEFAULT ''::text, metadata jsonb DEFAULT '{}'::jsonb) RETURNS uuid
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.create_notification(user_id, type, title, message, metadata)
$$;

COMMENT ON FUNCTION public.create_notification(user_id uuid, type text, title text, message text, metadata jsonb) IS 'Tells a person something: the id of the notification. For admins and service_role.';

CREATE FUNCTION public.create_profile(p_role text DEFAULT NULL::text, p_career_goals text[] DEFAULT NULL::text[], p_industries text[] DEFAULT NULL::text[], p_research_interests text[] DEFAULT NULL::text[], p_skills text[] DEFAULT NULL::text[], p_languages text[] DEFAULT NULL::text[], p_channels text[] DEFAULT NULL::text[], p_learning_style text DEFAULT NULL::text, p_about text DEFAULT NULL::text, p_available_hours numeric DEFAULT NULL::numeric, p_availability jsonb DEFAULT NULL::jsonb, p_preferences jsonb DEFAULT NULL::jsonb, p_user_id uuid DEFAULT NULL::uuid) RETURNS SETOF public.mentorship_profiles
    LANGUAGE sql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION public.create_profile(p_role text, p_career_goals text[], p_industries text[], p_research_interests text[], p_skills text[], p_languages text[], p_channels text[], p_learning_style text, p_about text, p_available_hours numeric, p_availability jsonb, p_preferences jsonb, p_user_id uuid) IS 'Makes one''s own profile, a student''s unless p_role says mentor, or changes what is given of the one that is there; an admin''s p_user_id may be anybody.';

CREATE FUNCTION public.decline_offer(p_offer_id uuid, p_reason text DEFAULT NULL::text) RETURNS public.match_offers
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.decline_offer(p_offer_id, p_reason)
$$;

COMMENT ON FUNCTION public.decline_offer(p_offer_id uuid, p_reason text) IS 'A mentor does not take the student who was offered to them. The student never sees why.';

CREATE FUNCTION public.departure(p_mentor text) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$ select private.departure(p_mentor) $$;

COMMENT ON FUNCTION public.departure(p_mentor text) IS 'A mentor and their students, packed for the engine as mentors_to_match and requests_to_match; and how many they are a substitute or peer of.';

CREATE FUNCTION public.dissolve_match(p_match_id uuid, p_reason text DEFAULT NULL::text) RETURNS public.matches
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.dissolve_match(p_match_id, p_reason)
$$;

COMMENT ON FUNCTION public.dissolve_match(p_match_id uuid, p_reason text) IS 'Ends a match that did not reach its goals; the student is told. For admins.';

CREATE FUNCTION public.enqueue_run(p_job text, p_params jsonb DEFAULT '{}'::jsonb, p_id uuid DEFAULT gen_random_uuid(), p_max_attempts integer DEFAULT NULL::integer, p_requested_by text DEFAULT NULL::text, p_worker text DEFAULT NULL::text) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  run public.job_runs;
begin
  insert into public.job_runs (id, job, params, max_attempts, requested_by)
  select p_id, s.job, p_params, p_max_attempts, coalesce(p_requested_by, current_user)
  from public.job_schedules as s
  where s.job = p_job
  on conflict do nothing
  returning * into run;
  if found and p_worker is not null then
    perform private.rescue_runs();
    return private.take_runs(p_worker, array[p_id]) -> 0;
  end if;
  if not found then
    select r.* into run from public.job_runs as r where r.id = p_id;
  end if;
  if not found then
    raise exception 'There is no job %.', p_job
      using errcode = 'MS002', hint = 'job_schedules lists the jobs.';
  end if;
  return to_jsonb(run);
end
$$;

COMMENT ON FUNCTION public.enqueue_run(p_job text, p_params jsonb, p_id uuid, p_max_attempts integer, p_requested_by text, p_worker text) IS 'Asks for a run, and gives it to p_worker at once if one is named. The same id gives the run that is there already.';

CREATE FUNCTION public.enqueue_slots(p_due jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  due record;
  schedule public.job_schedules;
  latest timestamptz;
  made jsonb := '[]';
begin
  for due in
    select d.job, d.slots, d.until
    from jsonb_to_recordset(p_due) as d (job text, slots timestamptz[], until timestamptz)
    order by d.job
  loop
    select s.* into schedule from public.job_schedules as s where s.job = due.job for update;
    continue when not found or not schedule.enabled
      or schedule.scheduled_until >= least(due.until, clock_timestamp());
    with slot as (
      insert into public.job_runs (job, slot, params, run_at, requested_by)
      select
        schedule.job, s.at, schedule.params,
        s.at + random() * make_interval(secs => schedule.jitter_seconds), 'schedule'
      from unnest(due.slots) as s (at)
      where s.at > schedule.scheduled_until and s.at <= clock_timestamp()
      on conflict (job, slot) do nothing
      returning job_runs.slot
    )
    select made || coalesce(jsonb_agg(jsonb_build_object('job', due.job, 'slot', s.slot)), '[]'),
      max(s.slot)
    into made, latest
    from slot as s;
    if schedule.coalesce_slots and schedule.catch_up <> 'all' then
      update public.job_runs as r
      set status = 'cancelled', error = jsonb_build_object(
        'code', 'coalesced', 'message', 'The next slot came before this one had begun.',
        'hint', 'coalesce_slots in job_schedules says so.'
      )
      where r.id in (
        -- One that is locked is just being claimed, by somebody who waits for our schedule.
        select x.id from public.job_runs as x
        where x.job = due.job and x.status = 'queued' and x.slot < latest and x.attempt = 0
          and not x.approved
        for update skip locked
      );
    end if;
    update public.job_schedules as s
    set scheduled_until = least(due.until, clock_timestamp())
    where s.job = due.job;
  end loop;
  return made;
end
$$;

COMMENT ON FUNCTION public.enqueue_slots(p_due jsonb) IS 'Makes runs of these slots, [{job, slots, until}], each once: the job and slot of those made.';

CREATE FUNCTION public.expire_stale(p_run_id uuid, p_fence bigint, p_limit integer DEFAULT 1000) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.expire_stale(p_run_id, p_fence, least(greatest(p_limit, 1), 1000))
$$;

COMMENT ON FUNCTION public.expire_stale(p_run_id uuid, p_fence bigint, p_limit integer) IS 'Ends offers, requests and questions whose time is over, and offers to mentors who cannot accept any more: how many in this run so far, and whether that was all.';

CREATE FUNCTION public.explain_match(p_student_id uuid, p_mentor_id uuid) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
begin
  return private.explain_match(p_student_id, p_mentor_id);
end
$$;

COMMENT ON FUNCTION public.explain_match(p_student_id uuid, p_mentor_id uuid) IS 'The score of a pair; to the student and admins also its rank for the student, the rule that keeps the two apart, and what the student would give up against the best.';

CREATE FUNCTION public.find_people(p_who text) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $_$
  select coalesce(jsonb_agg(to_jsonb(found)), '[]')
  from (
    select
      u.id, u.full_name, u.email, u.role, u.status,
      (
        select r.status from public.mentorship_requests as r where r.student_id = u.id
        order by r.created_at desc, r.id limit 1
      ) as request
    from public.users as u
    where case
      when btrim(p_who) ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then u.id = btrim(p_who)::uuid
      else private.normalise_email(p_who) <> ''
        and private.normalise_email(u.email) = private.normalise_email(p_who)
    end
    limit 2
  ) as found
$_$;

COMMENT ON FUNCTION public.find_people(p_who text) IS 'The people of this id or address, two at the most, with the state of their latest request.';

CREATE FUNCTION public.find_runs(p_beginning text) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select coalesce(jsonb_agg(to_jsonb(found)), '[]')
  from (
    select r.* from public.job_runs as r
    where r.id >= (rpad(replace(p_beginning, '-', ''), 32, '0'))::uuid
      and r.id <= (rpad(replace(p_beginning, '-', ''), 32, 'f'))::uuid
    limit 2
  ) as found
$$;

COMMENT ON FUNCTION public.find_runs(p_beginning text) IS 'The runs whose id begins so, two at the most: one is the answer, two are too many.';

CREATE FUNCTION public.finish_messages(p_run_id uuid, p_fence bigint, p_results jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  counts jsonb;
begin
  with given as (
    select * from jsonb_to_recordset(p_results) as g (
      id uuid, outcome text, alone boolean, provider_id text, reason text,
      retry_after double precision
    )
  ),
  ended as (
    update public.message_outbox as m
    set
      status = case
        when g.outcome in ('sent', 'failed') then g.outcome
        when g.outcome not in ('released', 'held') and m.attempt >= m.max_attempts then 'dead'
        when g.outcome = 'uncertain' or m.in_doubt then 'uncertain'
        when m.superseded_at is not null then 'superseded'
        else 'queued'
      end,
      in_doubt = m.in_doubt or g.outcome = 'uncertain',
      attempt = m.attempt - (g.outcome in ('released', 'held'))::integer,
      batch = case when g.alone then m.id else m.batch end,
      not_before = case
        when g.outcome = 'held' then clock_timestamp() + interval '5 minutes'
        when g.outcome in ('retry', 'uncertain') then clock_timestamp() + greatest(
          private.retry_delay(m.attempt), make_interval(secs => least(coalesce(g.retry_after, 0), 86400))
        )
        else m.not_before
      end,
      provider_id = coalesce(nullif(g.provider_id, ''), m.provider_id),
      error = nullif(left(g.reason, 1000), ''),
      sent_at = case g.outcome when 'sent' then clock_timestamp() end
    from given as g
    where m.id = g.id and m.status = 'sending' and m.claimed_by = p_run_id
      and m.claimed_fence = p_fence and g.outcome in ('sent', 'retry', 'uncertain', 'failed', 'released', 'held')
    returning m.status
  )
  select coalesce(jsonb_object_agg(e.status, e.n), '{}') into counts
  from (select x.status, count(*) as n from ended as x group by x.status) as e;
  return counts;
end
$$;

COMMENT ON FUNCTION public.finish_messages(p_run_id uuid, p_fence bigint, p_results jsonb) IS 'What became of messages that this run had: how many of each status.';

CREATE FUNCTION public.finish_runs(p_results jsonb) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  stale jsonb;
  unknown text;
begin
  select g.status into unknown
  from jsonb_to_recordset(p_results) as g (status text)
  where g.status is null or g.status <> all (
    '{succeeded,partial,failed,cancelled,awaiting_approval,released}'::text[]
  )
  limit 1;
  if found then
    raise exception 'A run cannot end as %.', coalesce(unknown, 'null')
      using errcode = '23514', hint = 'See the comment of finish_runs.';
  end if;
  with given as (
    select g.*, coalesce((g.error ->> 'retryable')::boolean, false) as retryable
    from jsonb_to_recordset(p_results) as g (
      id uuid, fence bigint, status text, counts jsonb, error jsonb
    )
  ),
  -- Likewise an answer that was lost: the same worker says the same again.
  known as (
    select r.id
    from public.job_runs as r
    inner join given as g on g.id = r.id and g.fence = r.fence
    where r.status = g.status
      or (g.status = 'failed' and r.status in ('queued', 'dead'))
      or (g.status = 'released' and r.status = 'queued')
  ),
  ended as (
    update public.job_runs as r
    set
      status = case
        when g.status = 'released' then 'queued'
        when g.status <> 'failed' or not g.retryable then g.status
        when r.attempt < r.max_attempts then 'queued'
        when r.max_attempts > 1 then 'dead'
        else 'failed'
      end,
      attempt = r.attempt - (g.status = 'released')::integer,
      run_at = case
        when g.status = 'released' then clock_timestamp()
        when g.status = 'failed' and g.retryable
          then clock_timestamp() + private.retry_delay(r.attempt)
        else r.run_at
      end,
      counts = coalesce(g.counts, r.counts),
      error = g.error,
      progress = r.progress - 'answer'
    from given as g
    where r.id = g.id and r.fence = g.fence and r.status = 'running'
    returning r.id
  )
  select coalesce(jsonb_agg(g.id), '[]') into stale
  from given as g
  where g.id not in (select e.id from ended as e union all select k.id from known as k);
  return jsonb_build_object('stale', stale);
end
$$;

COMMENT ON FUNCTION public.finish_runs(p_results jsonb) IS 'Ends runs: succeeded, partial, failed, cancelled, awaiting_approval or released. Those that somebody else has by now are left alone and listed as stale.';

CREATE FUNCTION public.get_all_matches(p_status text DEFAULT NULL::text, p_mentor_id uuid DEFAULT NULL::uuid, p_student_id uuid DEFAULT NULL::uuid, p_health text DEFAULT NULL::text, p_search text DEFAULT NULL::text, p_role text DEFAULT NULL::text) RETURNS TABLE(id uuid, role text, status text, student_id uuid, student_name text, student_email text, mentor_id uuid, mentor_name text, mentor_email text, score numeric, health_status text, health_score integer, started_at timestamp with time zone, ended_at timestamp with time zone, end_reason text, last_contact_at timestamp with time zone, at_risk_since timestamp with time zone, meetings bigint)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select * from private.get_all_matches(
    p_status, p_mentor_id, p_student_id, p_health, p_search, p_role
  )
$$;

COMMENT ON FUNCTION public.get_all_matches(p_status text, p_mentor_id uuid, p_student_id uuid, p_health text, p_search text, p_role text) IS 'Matches, the latest first: by status, side, health, role, or a part of a name or address of either side. For admins and service_role.';

CREATE FUNCTION public.get_at_risk_matches() RETURNS SETOF public.v_at_risk_matches
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$ select * from private.get_at_risk_matches() $$;

COMMENT ON FUNCTION public.get_at_risk_matches() IS 'The matches at risk, with names, since when, score and reasons. For admins and service_role.';

CREATE FUNCTION public.get_dashboard_stats(p_days integer DEFAULT 30) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$ select private.get_dashboard_stats(p_days) $$;

COMMENT ON FUNCTION public.get_dashboard_stats(p_days integer) IS 'How the programme does: what is now, and what happened in the last p_days days: requests, offers, matches, capacity, feedback, questions. For admins and service_role.';

CREATE FUNCTION public.get_feedback(p_match_id uuid) RETURNS SETOF public.mentorship_feedback
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select f.* from public.mentorship_feedback as f
  where f.match_id = p_match_id
  order by f.created_at, f.id
$$;

COMMENT ON FUNCTION public.get_feedback(p_match_id uuid) IS 'Feedback on a match: one''s own and what the other side shared; admins see all.';

CREATE FUNCTION public.get_leaderboard(p_limit integer DEFAULT 10) RETURNS TABLE(rank integer, mentor_id uuid, name text, points integer, questions_completed integer, question_rating numeric, sessions_held integer, matches_completed integer)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select * from private.get_leaderboard(p_limit)
$$;

COMMENT ON FUNCTION public.get_leaderboard(p_limit integer) IS 'The mentors with most points, as of the last run of refresh_leaderboard. For signed-in people.';

CREATE FUNCTION public.get_match_batch() RETURNS TABLE(offer_id uuid, batch_id uuid, request_id uuid, side text, person_id uuid, person_name text, rank integer, status text, score numeric, confidence integer, breakdown jsonb, reasons jsonb, message text, focus_areas text[], goals text[], expires_at timestamp with time zone, created_at timestamp with time zone)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select b.* from private.match_batch() as b
$$;

COMMENT ON FUNCTION public.get_match_batch() IS 'For a student: the mentors of their latest batch. For a mentor: the students offered to them.';

CREATE FUNCTION public.get_matches() RETURNS TABLE(id uuid, my_role text, role text, status text, other_id uuid, other_name text, other_email text, goals text[], score numeric, started_at timestamp with time zone, last_contact_at timestamp with time zone, ended_at timestamp with time zone, end_reason text)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$ select * from private.get_matches() $$;

COMMENT ON FUNCTION public.get_matches() IS 'One''s own matches, now and before, as student and as mentor: those that go on first.';

CREATE FUNCTION public.get_mentors_with_member_data() RETURNS SETOF public.mentor_listing
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select * from private.mentor_directory(null)
$$;

COMMENT ON FUNCTION public.get_mentors_with_member_data() IS 'The directory as rows, for the filters, the order and the paging of the API.';

CREATE FUNCTION public.get_open_questions(p_topics text[] DEFAULT NULL::text[]) RETURNS TABLE(id uuid, title text, question text, topics text[], student_name text, suits boolean, created_at timestamp with time zone, expires_at timestamp with time zone)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select * from private.get_open_questions(p_topics)
$$;

COMMENT ON FUNCTION public.get_open_questions(p_topics text[]) IS 'Questions that can be taken, those first whose topics the caller knows, then the oldest; with p_topics: only those about one of them. For approved, active mentors and admins.';

CREATE FUNCTION public.get_profile() RETURNS SETOF public.mentorship_profiles
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select p.* from public.mentorship_profiles as p
  where p.user_id = (select private.current_user_id())
$$;

COMMENT ON FUNCTION public.get_profile() IS 'One''s own profile.';

CREATE FUNCTION public.get_profile_by_id(p_user_id uuid) RETURNS SETOF public.mentorship_profiles
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select p.* from public.mentorship_profiles as p where p.user_id = p_user_id
$$;

COMMENT ON FUNCTION public.get_profile_by_id(p_user_id uuid) IS 'The profile of a person, for admins and the other side of an offer or match.';

CREATE TABLE public.mentorship_resources (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    match_id uuid NOT NULL,
    shared_by uuid NOT NULL,
    kind text NOT NULL,
    title text NOT NULL,
    url text,
    storage_path text,
    description text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT mentorship_resources_has_target CHECK ((((kind = 'link'::text) AND (url IS NOT NULL) AND (storage_path IS NULL)) OR ((kind = 'file'::text) AND (storage_path IS NOT NULL) AND (url IS NULL)))),
    CONSTRAINT mentorship_resources_kind_known CHECK ((kind = ANY (ARRAY['link'::text, 'file'::text]))),
    CONSTRAINT mentorship_resources_texts_fit CHECK (((length(url) <= 2000) AND (length(storage_path) <= 1000) AND (length(description) <= 5000))),
    CONSTRAINT mentorship_resources_title_fits CHECK (((length(title) >= 1) AND (length(title) <= 300))),
    CONSTRAINT mentorship_resources_url_is_web CHECK ((url ~ '^[Hh][Tt][Tt][Pp][Ss]?://'::text))
);

COMMENT ON TABLE public.mentorship_resources IS 'Links and files shared within a match.';

COMMENT ON COLUMN public.mentorship_resources.id IS 'The resource.';

COMMENT ON COLUMN public.mentorship_resources.match_id IS 'Within which match.';

COMMENT ON COLUMN public.mentorship_resources.shared_by IS 'Who shared it: users.id.';

COMMENT ON COLUMN public.mentorship_resources.kind IS 'link or file.';

COMMENT ON COLUMN public.mentorship_resources.title IS 'What it is called.';

COMMENT ON COLUMN public.mentorship_resources.url IS 'Of a link: its address.';

COMMENT ON COLUMN public.mentorship_resources.storage_path IS 'Of a file: its path in the storage of the project, bucket first.';

COMMENT ON COLUMN public.mentorship_resources.description IS 'What it is good for.';

COMMENT ON COLUMN public.mentorship_resources.created_at IS 'When it was shared.';

CREATE FUNCTION public.get_resources(p_match_id uuid) RETURNS SETOF public.mentorship_resources
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select r.* from public.mentorship_resources as r
  where r.match_id = p_match_id
  order by r.created_at desc, r.id
$$;

COMMENT ON FUNCTION public.get_resources(p_match_id uuid) IS 'What was shared within a match, the latest first. For both sides, and admins.';

CREATE FUNCTION public.get_specialization_report() RETURNS TABLE(specialization text, mentors bigint, verified bigint, mean_level numeric, active_students bigint, mean_rating numeric)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select * from private.get_specialization_report()
$$;

COMMENT ON FUNCTION public.get_specialization_report() IS 'Each specialisation, in any case: approved, active mentors who name it, those verified, their mean level, the students they have now, and the mean of all their ratings. For admins and service_role.';

CREATE FUNCTION public.get_specializations(p_mentor_id uuid) RETURNS TABLE(id uuid, mentor_id uuid, specialization text, proficiency_level integer, certification_url text, verified boolean, created_at timestamp with time zone)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select * from private.get_specializations(p_mentor_id)
$$;

COMMENT ON FUNCTION public.get_specializations(p_mentor_id uuid) IS 'What an approved, active mentor is particularly good at, verified entries first. For signed-in people.';

CREATE FUNCTION public.heartbeat_run(p_run_id uuid, p_fence bigint) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'lease_expires_at', (private.assert_run(p_run_id, p_fence)).lease_expires_at
  )
$$;

COMMENT ON FUNCTION public.heartbeat_run(p_run_id uuid, p_fence bigint) IS 'Keeps a run alive while its worker is busy outside the database; MS001 when it is lost.';

CREATE FUNCTION public.list_mentors(expertise text DEFAULT NULL::text, page integer DEFAULT 1, page_size integer DEFAULT 12) RETURNS jsonb
    LANGUAGE plpgsql STABLE
    SET search_path TO ''
    AS $$
declare
  page_found record;
begin
  if coalesce(page, 0) < 1 or coalesce(page_size, 0) not between 1 and 100 then
    raise exception 'page starts at 1; page_size is 1 to 100.'
      using errcode = 'MS012', hint = 'Ask for page=1 and page_size=12.';
  end if;
  select d.ids, d.total into page_found
  from private.directory_page(
    lower(private.trim_space(coalesce(list_mentors.expertise, ''))),
    list_mentors.page_size,
    (list_mentors.page - 1)::bigint * list_mentors.page_size
  ) as d;
  return jsonb_build_object(
    'results', coalesce(
      (
        select jsonb_agg(to_jsonb(m) order by array_position(page_found.ids, m.id))
        from private.mentor_directory(page_found.ids) as m
      ),
      '[]'
    ),
    'count', page_found.total,
    'page', list_mentors.page,
    'page_size', list_mentors.page_size
  );
end
$$;

COMMENT ON FUNCTION public.list_mentors(expertise text, page integer, page_size integer) IS 'One page of the directory: results, count, page, page_size; expertise is any part of a word.';

CREATE FUNCTION public.log_meeting(p_match_id uuid, p_held_at timestamp with time zone DEFAULT NULL::timestamp with time zone, p_minutes integer DEFAULT NULL::integer, p_format text DEFAULT NULL::text, p_notes text DEFAULT NULL::text, p_action_items jsonb DEFAULT '[]'::jsonb) RETURNS uuid
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.log_meeting(
    p_match_id, p_held_at, p_minutes, p_format, p_notes, p_action_items
  )
$$;

COMMENT ON FUNCTION public.log_meeting(p_match_id uuid, p_held_at timestamp with time zone, p_minutes integer, p_format text, p_notes text, p_action_items jsonb) IS 'Logs a meeting that was held, by either side of a match: its id, and the same one where it is called again with the same p_held_at. Action items are texts, or {"text", "due", "done"}.';

CREATE FUNCTION public.match_outcomes(p_alive_days integer DEFAULT 60, p_good_rating numeric DEFAULT 4, p_least_group integer DEFAULT 10) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  with told as materialized (
    select x.* from private.outcomes(p_alive_days, p_good_rating) as x
  ),
  reached as (
    select t.outcome, f.key as factor, t.is_good,
      least((f.value ->> 'score')::numeric * 10000 / (f.value ->> 'share')::numeric, 1) as part
    from told as t
    cross join lateral jsonb_each(t.breakdown) as f
    where (f.value ->> 'share')::numeric > 0
  )
  select jsonb_build_object(
    'outcomes', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'outcome', o.outcome, 'good', o.good, 'other', o.other
      ) order by o.outcome), '[]')
      from (
        select t.outcome, count(*) filter (where t.is_good) as good,
          count(*) filter (where not t.is_good) as other
        from told as t group by t.outcome
      ) as o
    ),
    'factors', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'outcome', f.outcome, 'factor', f.factor, 'good', f.good, 'other', f.other,
        'good_reached', f.good_reached, 'other_reached', f.other_reached
      ) order by f.outcome, f.factor), '[]')
      from (
        select r.outcome, r.factor, count(*) filter (where r.is_good) as good,
          count(*) filter (where not r.is_good) as other,
          round(avg(r.part) filter (where r.is_good), 4) as good_reached,
          round(avg(r.part) filter (where not r.is_good), 4) as other_reached
        from reached as r group by r.outcome, r.factor
      ) as f
    ),
    'countries', private.country_rates(p_least_group)
  )
$$;

COMMENT ON FUNCTION public.match_outcomes(p_alive_days integer, p_good_rating numeric, p_least_group integer) IS 'Offers accepted, matches alive after some days, ratings of students: by factor the share of its points that good and other ones had reached; and rates by country.';

CREATE FUNCTION public.matching_settings() RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$ select private.matching_settings() $$;

COMMENT ON FUNCTION public.matching_settings() IS 'auto_match; units_a_day and units_at_most of waiting; weights and their version.';

CREATE FUNCTION public.mentors_to_assign(p_after uuid DEFAULT NULL::uuid, p_limit integer DEFAULT 5000, p_full boolean DEFAULT false, p_without uuid DEFAULT NULL::uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select private.mentors_to_assign(
    p_after, least(greatest(p_limit, 1), 20000), p_full, p_without
  )
$$;

COMMENT ON FUNCTION public.mentors_to_assign(p_after uuid, p_limit integer, p_full boolean, p_without uuid) IS 'Mentors with free seats, as mentors_to_match, the quotas being seats; with p_full also those who have none, and without one mentor, if given.';

CREATE FUNCTION public.mentors_to_match(p_after uuid DEFAULT NULL::uuid, p_limit integer DEFAULT 5000) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select private.mentors_to_match(p_after, least(greatest(p_limit, 1), 20000))
$$;

COMMENT ON FUNCTION public.mentors_to_match(p_after uuid, p_limit integer) IS 'Mentors who may be offered students, as parallel lists: how many, and what they named.';

CREATE FUNCTION public.pause_match(p_match_id uuid, p_reason text DEFAULT NULL::text) RETURNS public.matches
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.pause_match(p_match_id, p_reason)
$$;

COMMENT ON FUNCTION public.pause_match(p_match_id uuid, p_reason text) IS 'Lets a match rest; the mentor keeps the seat. For admins.';

CREATE FUNCTION public.post_question(p_title text, p_question text DEFAULT ''::text, p_topics text[] DEFAULT '{}'::text[]) RETURNS public.quick_questions
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.post_question(p_title, p_question, p_topics)
$$;

COMMENT ON FUNCTION public.post_question(p_title text, p_question text, p_topics text[]) IS 'Asks a question: the question. For students; up to five mentors whom its topics suit get a mail.';

CREATE FUNCTION public.prune_runs(p_limit integer DEFAULT 20000) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  changes integer;
  runs integer;
begin
  -- Run by run: of half a log nothing could be undone rightly.
  delete from public.job_changes as c
  where c.run_id in (
    select r.id from public.job_runs as r
    where r.finished_at < now() - private.change_log_kept()
      and exists (select from public.job_changes as x where x.run_id = r.id)
    order by r.finished_at
    limit 5
  );
  get diagnostics changes = row_count;
  delete from public.job_runs as r
  where r.id in (
    select x.id
    from public.job_runs as x
    inner join public.job_schedules as s on s.job = x.job
    where x.finished_at < now() - make_interval(days => s.keep_days)
      and not exists (select from public.job_changes as c where c.run_id = x.id)
    order by x.finished_at limit least(p_limit, 5000)
    for update of x skip locked
  );
  get diagnostics runs = row_count;
  delete from public.job_alerts as a
  where a.run_id is null and a.created_at < now() - interval '90 days';
  return jsonb_build_object('changes', changes, 'runs', runs);
end
$$;

COMMENT ON FUNCTION public.prune_runs(p_limit integer) IS 'Deletes change logs and ended runs that are past their time: how many. Again until none.';

CREATE FUNCTION public.queue_message(p_kind text, p_recipient uuid, p_about text, p_data jsonb DEFAULT '{}'::jsonb, p_priority integer DEFAULT 5, p_not_before timestamp with time zone DEFAULT NULL::timestamp with time zone, p_expires_at timestamp with time zone DEFAULT NULL::timestamp with time zone) RETURNS uuid
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  how constant text := case
    when p_not_before > now() then 'queued' else private.route(p_kind, p_recipient, p_data)
  end;
  made uuid;
begin
  insert into public.message_outbox (
    kind, recipient, about, data, priority, not_before, expires_at, status
  )
  values (
    p_kind, p_recipient, p_about, p_data, p_priority, coalesce(p_not_before, now()), p_expires_at,
    how
  )
  on conflict do nothing
  returning id into made;
  if made is null then
    return (
      select m.id from public.message_outbox as m
      where m.kind = p_kind and m.recipient = p_recipient and m.about = p_about
    );
  end if;
  if how = 'in_app' then
    perform private.notify_in_app(p_recipient, p_kind, p_data);
  end if;
  return made;
end
$$;

COMMENT ON FUNCTION public.queue_message(p_kind text, p_recipient uuid, p_about text, p_data jsonb, p_priority integer, p_not_before timestamp with time zone, p_expires_at timestamp with time zone) IS 'Queues a mail, in the transaction of its cause: its id. The same kind, recipient and about give the message that is there.';

CREATE FUNCTION public.rate_question(p_id uuid, p_rating integer, p_comment text DEFAULT NULL::text) RETURNS public.quick_questions
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.rate_question(p_id, p_rating, p_comment)
$$;

COMMENT ON FUNCTION public.rate_question(p_id uuid, p_rating integer, p_comment text) IS 'Rates the answer to one''s own question, 1 to 5: once, when it is completed.';

CREATE FUNCTION public.recommend_mentors(p_student_id uuid DEFAULT NULL::uuid, p_k integer DEFAULT 3) RETURNS TABLE(rank bigint, mentor_id uuid, mentor_name text, score numeric, confidence integer, breakdown jsonb, reasons jsonb)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select r.* from private.recommend_mentors(p_student_id, p_k) as r
$$;

COMMENT ON FUNCTION public.recommend_mentors(p_student_id uuid, p_k integer) IS 'The best mentors for a student now, by default for oneself, with scores and reasons.';

CREATE FUNCTION public.refresh_leaderboard(p_run_id uuid, p_fence bigint) RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  run constant public.job_runs := private.assert_run(p_run_id, p_fence);
  answer jsonb;
begin
  if run.progress ? 'answer' then
    return run.progress -> 'answer';
  end if;
  with wanted as materialized (
    select w.* from private.leaderboard() as w
  ),
  written as (
    insert into public.mentor_leaderboard as b
    select w.* from wanted as w
    on conflict (mentor_id) do update
    set
      rank = excluded.rank, points = excluded.points,
      questions_completed = excluded.questions_completed,
      question_rating = excluded.question_rating, sessions_held = excluded.sessions_held,
      matches_completed = excluded.matches_completed, refreshed_at = excluded.refreshed_at
    where to_jsonb(b) - 'refreshed_at' <> to_jsonb(excluded) - 'refreshed_at'
    returning b.mentor_id
  ),
  removed as (
    delete from public.mentor_leaderboard as b
    where not exists (select from wanted as w where w.mentor_id = b.mentor_id)
    returning b.mentor_id
  )
  select jsonb_build_object('counts', jsonb_build_object(
    'written', (select count(*) from written),
    'removed', (select count(*) from removed),
    'unchanged', (select count(*) from wanted) - (select count(*) from written)
  ))
  into answer;
  update public.job_runs as r
  set progress = jsonb_build_object('answer', answer, 'counts', answer -> 'counts')
  where r.id = p_run_id;
  return answer;
end
$$;

COMMENT ON FUNCTION public.refresh_leaderboard(p_run_id uuid, p_fence bigint) IS 'The job refresh_leaderboard: writes the rows that changed: counts.';

CREATE FUNCTION public.refresh_stale_profiles(p_run_id uuid, p_fence bigint, p_limit integer DEFAULT 2000) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.refresh_stale_profiles(p_run_id, p_fence, p_limit)
$$;

COMMENT ON FUNCTION public.refresh_stale_profiles(p_run_id uuid, p_fence bigint, p_limit integer) IS 'Makes the terms of people who changed, some at a time: how many, and whether that was all.';

CREATE FUNCTION public.register_jobs(p_jobs jsonb) RETURNS integer
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with registered as (
    insert into public.job_schedules (
      job, description, cron, catch_up, max_age_seconds, coalesce_slots, max_concurrent,
      jitter_seconds, timeout_seconds, lease_seconds, max_attempts, keep_days
    )
    select
      j.job, j.description, j.cron, j.catch_up, j.max_age_seconds, j.coalesce_slots,
      j.max_concurrent, j.jitter_seconds, j.timeout_seconds, j.lease_seconds, j.max_attempts,
      j.keep_days
    from jsonb_populate_recordset(null::public.job_schedules, p_jobs) as j
    where not exists (select from public.job_schedules as s where s.job = j.job)
    on conflict (job) do nothing
    returning 1
  )
  select count(*)::integer from registered
$$;

COMMENT ON FUNCTION public.register_jobs(p_jobs jsonb) IS 'Adds the jobs that job_schedules lacks, with the defaults of the code. Returns how many.';

CREATE FUNCTION public.release_question(p_id uuid) RETURNS public.quick_questions
    LANGUAGE sql
    SET search_path TO ''
    AS $$ select private.release_question(p_id) $$;

COMMENT ON FUNCTION public.release_question(p_id uuid) IS 'Gives back a question that one took and does not answer: others may take it.';

CREATE FUNCTION public.replay_inputs(p_batch_ids uuid[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$ select private.replay_inputs(p_batch_ids) $$;

COMMENT ON FUNCTION public.replay_inputs(p_batch_ids uuid[]) IS 'What batches of one run were made of, and what they offered; profiles are those of now.';

CREATE FUNCTION public.request_mentor(p_message text DEFAULT ''::text, p_focus_areas text[] DEFAULT '{}'::text[], p_goals text[] DEFAULT '{}'::text[], p_mentor_id uuid DEFAULT NULL::uuid, p_preference_overrides jsonb DEFAULT '{}'::jsonb, p_required_languages text[] DEFAULT '{}'::text[], p_max_timezone_hours integer DEFAULT NULL::integer) RETURNS public.mentorship_requests
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.request_mentor(
    p_message, p_focus_areas, p_goals, p_mentor_id, p_preference_overrides, p_required_languages,
    p_max_timezone_hours
  )
$$;

COMMENT ON FUNCTION public.request_mentor(p_message text, p_focus_areas text[], p_goals text[], p_mentor_id uuid, p_preference_overrides jsonb, p_required_languages text[], p_max_timezone_hours integer) IS 'Asks for a mentor, whoever suits best or one in particular. Asked again while the request is open, it says what is to be looked for from now on. For students.';

CREATE FUNCTION public.requests_to_match(p_after jsonb DEFAULT NULL::jsonb, p_limit integer DEFAULT 20000, p_student_id uuid DEFAULT NULL::uuid) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select private.requests_to_match(p_after, least(greatest(p_limit, 1), 20000), p_student_id)
$$;

COMMENT ON FUNCTION public.requests_to_match(p_after jsonb, p_limit integer, p_student_id uuid) IS 'Open requests that wait for mentors, as parallel lists, with what their students named.';

CREATE FUNCTION public.resend_webhook(json) RETURNS text
    LANGUAGE sql
    SET search_path TO ''
    AS $_$
  select private.receive_resend_event($1::text, current_setting('request.headers', true)::jsonb)
$_$;

COMMENT ON FUNCTION public.resend_webhook(json) IS 'The address for Resend''s webhook: bounces and complaints mark messages and addresses.';

CREATE FUNCTION public.reset_calendar_feed() RETURNS uuid
    LANGUAGE sql
    SET search_path TO ''
    AS $$ select private.reset_calendar_feed() $$;

COMMENT ON FUNCTION public.reset_calendar_feed() IS 'The secret of one''s own calendar, made anew: what was subscribed with the old one ends.';

CREATE FUNCTION public.resume_match(p_match_id uuid, p_reason text DEFAULT NULL::text) RETURNS public.matches
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.resume_match(p_match_id, p_reason)
$$;

COMMENT ON FUNCTION public.resume_match(p_match_id uuid, p_reason text) IS 'Goes on with a paused match. For admins.';

CREATE FUNCTION public.retry_run(p_run_id uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.change_run(p_run_id, 'queued', '{failed,dead,cancelled}')
$$;

COMMENT ON FUNCTION public.retry_run(p_run_id uuid) IS 'A run that did not end well goes on from where it was.';

CREATE FUNCTION public.save_assignments(p_run_id uuid, p_fence bigint, p_pairs jsonb, p_dry_run boolean DEFAULT false, p_records integer DEFAULT 200) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.save_assignments(p_run_id, p_fence, p_pairs, p_dry_run, p_records)
$$;

COMMENT ON FUNCTION public.save_assignments(p_run_id uuid, p_fence bigint, p_pairs jsonb, p_dry_run boolean, p_records integer) IS 'Matches students with mentors, [{student_id, mentor_id, request_id, units, breakdown}], as far as the rules still allow it: counts, and what became of some, at the most p_records.';

CREATE FUNCTION public.save_match_batches(p_run_id uuid, p_fence bigint, p_batches jsonb, p_weights_version integer, p_dry_run boolean DEFAULT false, p_records integer DEFAULT 20) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.save_match_batches(
    p_run_id, p_fence, p_batches, p_weights_version, p_dry_run, p_records
  )
$$;

COMMENT ON FUNCTION public.save_match_batches(p_run_id uuid, p_fence bigint, p_batches jsonb, p_weights_version integer, p_dry_run boolean, p_records integer) IS 'Offers requests to mentors, [{request_id, input_hash, offers: [{mentor_id, units, confidence, breakdown, reasons}]}], the best first: counts, and what was offered for the first p_records.';

CREATE FUNCTION public.scheduler_state() RETURNS jsonb
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
begin
  return jsonb_build_object(
    'now', clock_timestamp(),
    'schema', private.schema_version(),
    'timezone', coalesce(
      (select s.value #>> '{}' from public.program_settings as s where s.key = 'timezone'), 'UTC'
    ),
    'schedules', (select coalesce(jsonb_agg(to_jsonb(s) order by s.job), '[]')
      from public.job_schedules as s),
    'queue', (
      select coalesce(jsonb_agg(to_jsonb(q) order by q.job), '[]')
      from (
        select r.job, count(*) as queued,
          extract(epoch from clock_timestamp() - min(r.run_at)) as oldest_seconds
        from public.job_runs as r
        where r.status = 'queued' and r.run_at <= clock_timestamp()
        group by r.job
      ) as q
    )
  );
end
$$;

COMMENT ON FUNCTION public.scheduler_state() IS 'The schema''s version, the schedules, the time, and how many runs wait for how long.';

CREATE FUNCTION public.scores_of_pairs(p_students uuid[], p_mentors uuid[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select private.scores_of_pairs(p_students, p_mentors)
$$;

COMMENT ON FUNCTION public.scores_of_pairs(p_students uuid[], p_mentors uuid[]) IS 'calculate_match_score of each pair of two parallel lists, as a list, with hashes of the terms.';

CREATE FUNCTION public.select_student(p_offer_id uuid) RETURNS public.matches
    LANGUAGE sql
    SET search_path TO ''
    AS $$ select private.select_student(p_offer_id) $$;

COMMENT ON FUNCTION public.select_student(p_offer_id uuid) IS 'A mentor takes the student who was offered to them: the match. The first to accept has it.';

CREATE FUNCTION public.send_feedback_surveys(p_run_id uuid, p_fence bigint, p_after uuid DEFAULT NULL::uuid, p_limit integer DEFAULT 1000, p_dry_run boolean DEFAULT false) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.send_feedback_surveys(
    p_run_id, p_fence, p_after, least(greatest(p_limit, 1), 20000), p_dry_run
  )
$$;

COMMENT ON FUNCTION public.send_feedback_surveys(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean) IS 'Asks people after p_after, p_limit of them, how their matches go: counts, cursor, done.';

CREATE FUNCTION public.set_action_items(p_meeting_id uuid, p_action_items jsonb) RETURNS uuid
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.set_action_items(p_meeting_id, p_action_items)
$$;

COMMENT ON FUNCTION public.set_action_items(p_meeting_id uuid, p_action_items jsonb) IS 'Replaces the action items of a meeting, by either side: done, added, put off.';

CREATE FUNCTION public.set_resend_secret(p_secret text) RETURNS boolean
    LANGUAGE sql
    SET search_path TO ''
    AS $$ select private.set_resend_secret(p_secret) $$;

COMMENT ON FUNCTION public.set_resend_secret(p_secret text) IS 'Sets the signing secret of the webhook at Resend, whsec_...; it cannot be read back.';

CREATE FUNCTION public.share_resource(p_match_id uuid, p_kind text, p_title text, p_url text DEFAULT NULL::text, p_storage_path text DEFAULT NULL::text, p_description text DEFAULT ''::text) RETURNS public.mentorship_resources
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  shared public.mentorship_resources;
begin
  if p_match_id = any (private.matches_of_caller(false))
    and not p_match_id = any (private.matches_of_caller(true))
  then
    raise exception 'The match is over.'
      using errcode = 'MS027', hint = 'What was shared before stays there: get_resources.';
  end if;
  insert into public.mentorship_resources (
    match_id, shared_by, kind, title, url, storage_path, description
  )
  values (
    p_match_id, private.current_user_id(), p_kind, private.trim_space(p_title), p_url,
    p_storage_path, coalesce(p_description, '')
  )
  returning * into shared;
  return shared;
end
$$;

COMMENT ON FUNCTION public.share_resource(p_match_id uuid, p_kind text, p_title text, p_url text, p_storage_path text, p_description text) IS 'Shares a link (p_url) or a file (p_storage_path) within one''s own match: the resource.';

CREATE FUNCTION public.students_to_assign(p_after uuid DEFAULT NULL::uuid, p_limit integer DEFAULT 20000, p_student_id uuid DEFAULT NULL::uuid, p_unasked boolean DEFAULT true) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select private.students_to_assign(
    p_after, least(greatest(p_limit, 1), 20000), p_student_id, p_unasked
  )
$$;

COMMENT ON FUNCTION public.students_to_assign(p_after uuid, p_limit integer, p_student_id uuid, p_unasked boolean) IS 'Students without a mentor, as requests_to_match; with p_unasked also those who did not ask.';

CREATE FUNCTION public.submit_feedback(p_match_id uuid, p_rating integer DEFAULT NULL::integer, p_comment text DEFAULT NULL::text, p_type text DEFAULT 'general'::text, p_session_id uuid DEFAULT NULL::uuid, p_is_shared boolean DEFAULT NULL::boolean) RETURNS uuid
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.submit_feedback(
    p_match_id, p_rating, p_comment, p_type, p_session_id, p_is_shared
  )
$$;

COMMENT ON FUNCTION public.submit_feedback(p_match_id uuid, p_rating integer, p_comment text, p_type text, p_session_id uuid, p_is_shared boolean) IS 'Feedback of either side on a match: its id. Given again, that of a survey, a meeting, a check-in or the end is corrected. The other side reads it if p_is_shared.';

CREATE FUNCTION public.suggest_aliases(p_limit integer DEFAULT 50) RETURNS TABLE(alias text, term text, similarity real, people bigint)
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select s.* from private.suggest_aliases(p_limit) as s
$$;

COMMENT ON FUNCTION public.suggest_aliases(p_limit integer) IS 'Unknown words with the term that each may mean, to be confirmed by confirm_alias. For admins.';

CREATE FUNCTION public.supersede_messages(p_about text, p_kinds text[] DEFAULT NULL::text[]) RETURNS integer
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  with superseded as (
    update public.message_outbox as m
    set
      status = case m.status when 'sending' then m.status else 'superseded' end,
      superseded_at = now()
    where m.about = p_about and (p_kinds is null or m.kind = any (p_kinds))
      and m.status in ('queued', 'digest', 'sending')
    returning m.status
  )
  select count(*)::integer from superseded as s where s.status = 'superseded'
$$;

COMMENT ON FUNCTION public.supersede_messages(p_about text, p_kinds text[]) IS 'What is not sent yet about this is not sent any more: how many.';

CREATE FUNCTION public.sync_mentor_from_member(p_member_id uuid) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.sync_one(p_member_id)
$$;

COMMENT ON FUNCTION public.sync_mentor_from_member(p_member_id uuid) IS 'Syncs one member by hand: its outcome. For admins.';

CREATE FUNCTION public.sync_mentor_profiles(p_run_id uuid, p_fence bigint, p_after uuid DEFAULT NULL::uuid, p_limit integer DEFAULT 20000, p_dry_run boolean DEFAULT false, p_auto_approve boolean DEFAULT NULL::boolean, p_email text DEFAULT NULL::text, p_only_rejected boolean DEFAULT false, p_max_changes integer DEFAULT NULL::integer, p_records integer DEFAULT 20) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.sync_chunk(
    p_run_id, p_fence, p_after, least(greatest(p_limit, 1), 20000), p_dry_run, p_auto_approve,
    p_email, p_only_rejected, p_max_changes, p_records
  )
$$;

COMMENT ON FUNCTION public.sync_mentor_profiles(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean, p_auto_approve boolean, p_email text, p_only_rejected boolean, p_max_changes integer, p_records integer) IS 'Syncs the members after p_after, p_limit of them: counts, records, the next cursor, done.';

CREATE FUNCTION public.term_labels(p_term_ids integer[]) RETURNS jsonb
    LANGUAGE sql STABLE
    SET search_path TO ''
    AS $$
  select jsonb_build_object(
    'ids', coalesce(jsonb_agg(t.id order by t.label collate "C", t.id), '[]'),
    'labels', coalesce(jsonb_agg(t.label order by t.label collate "C", t.id), '[]')
  )
  from public.match_terms as t
  where t.id = any (p_term_ids)
$$;

COMMENT ON FUNCTION public.term_labels(p_term_ids integer[]) IS 'How terms are shown, as two parallel lists in the order in which they are listed.';

CREATE FUNCTION public.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint DEFAULT NULL::bigint, p_limit integer DEFAULT 20000, p_dry_run boolean DEFAULT false) RETURNS jsonb
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.undo_changes(p_run_id, p_fence, p_of, p_before, p_limit, p_dry_run)
$$;

COMMENT ON FUNCTION public.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint, p_limit integer, p_dry_run boolean) IS 'Takes back chunks of a run, the latest before p_before first, until that is p_limit rows: counts, the rows that were kept, the cursor.';

CREATE FUNCTION public.unsubscribe(p_token text) RETURNS boolean
    LANGUAGE sql
    SET search_path TO ''
    AS $$ select private.unsubscribe(p_token) $$;

COMMENT ON FUNCTION public.unsubscribe(p_token text) IS 'One click: no more messages of this kind to whom this one went. Anybody with the token.';

CREATE FUNCTION public.update_profile(p_career_goals text[] DEFAULT NULL::text[], p_industries text[] DEFAULT NULL::text[], p_research_interests text[] DEFAULT NULL::text[], p_skills text[] DEFAULT NULL::text[], p_languages text[] DEFAULT NULL::text[], p_channels text[] DEFAULT NULL::text[], p_learning_style text DEFAULT NULL::text, p_about text DEFAULT NULL::text, p_available_hours numeric DEFAULT NULL::numeric, p_availability jsonb DEFAULT NULL::jsonb, p_preferences jsonb DEFAULT NULL::jsonb, p_is_active boolean DEFAULT NULL::boolean, p_paused_until timestamp with time zone DEFAULT NULL::timestamp with time zone, p_user_id uuid DEFAULT NULL::uuid) RETURNS SETOF public.mentorship_profiles
    LANGUAGE sql
    SET search_path TO ''
    AS $$
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

COMMENT ON FUNCTION public.update_profile(p_career_goals text[], p_industries text[], p_research_interests text[], p_skills text[], p_languages text[], p_channels text[], p_learning_style text, p_about text, p_available_hours numeric, p_availability jsonb, p_preferences jsonb, p_is_active boolean, p_paused_until timestamp with time zone, p_user_id uuid) IS 'Changes what is given of one''s own profile: the row. MS026 where there is none yet.';

CREATE FUNCTION public.verify_specialization(p_id uuid, p_verified boolean DEFAULT true) RETURNS public.mentor_specializations
    LANGUAGE sql
    SET search_path TO ''
    AS $$
  select private.verify_specialization(p_id, p_verified)
$$;

COMMENT ON FUNCTION public.verify_specialization(p_id uuid, p_verified boolean) IS 'Says that a specialisation was checked, or was not: the entry. For admins and service_role.';

CREATE FUNCTION public.withdraw_resource(p_id uuid) RETURNS public.mentorship_resources
    LANGUAGE plpgsql
    SET search_path TO ''
    AS $$
declare
  withdrawn public.mentorship_resources;
begin
  delete from public.mentorship_resources as r
  where r.id = p_id and r.shared_by = private.current_user_id()
  returning * into withdrawn;
  if found then
    return withdrawn;
  end if;
  if exists (select from public.mentorship_resources as r where r.id = p_id) then
    raise exception 'Only who shared it takes it back.' using errcode = '42501';
  end if;
  raise exception 'There is no resource %.', p_id
    using errcode = 'MS011', hint = 'See: get_resources.';
end
$$;

COMMENT ON FUNCTION public.withdraw_resource(p_id uuid) IS 'Takes back what one shared: the resource as it was. A file stays in the storage.';

CREATE TABLE private.profile_terms (
    user_id uuid NOT NULL,
    factor smallint NOT NULL,
    term_id integer NOT NULL,
    CONSTRAINT profile_terms_factor_known CHECK (((factor >= 1) AND (factor <= 6)))
);

COMMENT ON TABLE private.profile_terms IS 'What each person named, as terms; matching compares these and nothing else.';

COMMENT ON COLUMN private.profile_terms.user_id IS 'The person.';

COMMENT ON COLUMN private.profile_terms.factor IS '1 goals, 2 industry, 3 research, 4 technical, 5 location, 6 communication.';

COMMENT ON COLUMN private.profile_terms.term_id IS 'The term.';

CREATE TABLE private.signing_keys (
    name text NOT NULL,
    inner_pad bytea NOT NULL,
    outer_pad bytea NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE private.signing_keys IS 'Secret keys. links: made here, signs what mails link to. resend: of the provider''s webhook.';

COMMENT ON COLUMN private.signing_keys.name IS 'What it is for.';

COMMENT ON COLUMN private.signing_keys.inner_pad IS 'The key as HMAC''s inner pad (RFC 2104).';

COMMENT ON COLUMN private.signing_keys.outer_pad IS 'The key as HMAC''s outer pad.';

COMMENT ON COLUMN private.signing_keys.changed_at IS 'When it was last changed.';

CREATE TABLE public.members (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    membershiptype text NOT NULL,
    "areaOfExpertise" text,
    skills text,
    experience text,
    occupation text,
    jobtitle text,
    industry text,
    is_active boolean DEFAULT true,
    country text,
    city text,
    linkedin text,
    school text
);

COMMENT ON TABLE public.members IS 'Community members, as registered. Another application writes them.';

COMMENT ON COLUMN public.members.id IS 'The member.';

COMMENT ON COLUMN public.members.email IS 'Address given at registration; finds the account.';

COMMENT ON COLUMN public.members.name IS 'Full name.';

COMMENT ON COLUMN public.members.membershiptype IS 'mentor, mentee, student ...; mentor makes a mentor.';

COMMENT ON COLUMN public.members."areaOfExpertise" IS 'Area of expertise; first entry of the expertise.';

COMMENT ON COLUMN public.members.skills IS 'Skills, separated by commas; the first three count.';

COMMENT ON COLUMN public.members.experience IS 'Experience in words; part of the bio.';

COMMENT ON COLUMN public.members.occupation IS 'Occupation; part of the bio.';

COMMENT ON COLUMN public.members.jobtitle IS 'Job title; part of the bio.';

COMMENT ON COLUMN public.members.industry IS 'Industry; second entry of the expertise.';

COMMENT ON COLUMN public.members.is_active IS 'Only active members become mentors.';

COMMENT ON COLUMN public.members.country IS 'Country of residence.';

COMMENT ON COLUMN public.members.city IS 'City of residence.';

COMMENT ON COLUMN public.members.linkedin IS 'Address of the LinkedIn profile; shown to admins only.';

COMMENT ON COLUMN public.members.school IS 'School or university.';

CREATE VIEW private.source_members WITH (security_invoker='on') AS
 SELECT id,
    email,
    name,
    membershiptype,
    (is_active IS TRUE) AS is_active,
    "areaOfExpertise" AS area_of_expertise,
    industry,
    skills,
    experience,
    occupation,
    jobtitle,
    country,
    city,
    school,
    linkedin
   FROM public.members;

COMMENT ON VIEW private.source_members IS 'members with the columns that mentor_sync maps, under one spelling.';

CREATE TABLE private.stale_profiles (
    id bigint NOT NULL,
    user_id uuid NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL,
    error text
);

COMMENT ON TABLE private.stale_profiles IS 'People whose terms have to be made again; small changes are dealt with at once.';

COMMENT ON COLUMN private.stale_profiles.id IS 'Place in the order of changes.';

COMMENT ON COLUMN private.stale_profiles.user_id IS 'The person.';

COMMENT ON COLUMN private.stale_profiles.since IS 'Since when.';

COMMENT ON COLUMN private.stale_profiles.error IS 'Why they could not be made; tried again when the person changes something.';

ALTER TABLE private.stale_profiles ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME private.stale_profiles_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.blocked_pairs (
    student_id uuid NOT NULL,
    mentor_id uuid NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    blocked_by uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT blocked_pairs_differ CHECK ((student_id <> mentor_id))
);

COMMENT ON TABLE public.blocked_pairs IS 'Students and mentors who are never brought together.';

COMMENT ON COLUMN public.blocked_pairs.student_id IS 'The student: users.id.';

COMMENT ON COLUMN public.blocked_pairs.mentor_id IS 'The mentor: users.id.';

COMMENT ON COLUMN public.blocked_pairs.reason IS 'Why; only admins read it.';

COMMENT ON COLUMN public.blocked_pairs.blocked_by IS 'Who said so: users.id.';

COMMENT ON COLUMN public.blocked_pairs.created_at IS 'When.';

CREATE TABLE public.calendar_feeds (
    user_id uuid NOT NULL,
    token uuid DEFAULT gen_random_uuid() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.calendar_feeds IS 'The secret of each person''s calendar; another one ends the subscriptions with the old one.';

COMMENT ON COLUMN public.calendar_feeds.user_id IS 'Whose calendar.';

COMMENT ON COLUMN public.calendar_feeds.token IS 'Whoever has it reads the calendar.';

COMMENT ON COLUMN public.calendar_feeds.created_at IS 'When the secret was made.';

CREATE TABLE public.contact_hours (
    user_id uuid NOT NULL,
    quiet_from time without time zone NOT NULL,
    quiet_until time without time zone NOT NULL,
    CONSTRAINT contact_hours_differ CHECK ((quiet_from <> quiet_until))
);

COMMENT ON TABLE public.contact_hours IS 'When a person does not want mail. What comes then waits until it is over.';

COMMENT ON COLUMN public.contact_hours.user_id IS 'The person.';

COMMENT ON COLUMN public.contact_hours.quiet_from IS 'From, by the clock of users.timezone.';

COMMENT ON COLUMN public.contact_hours.quiet_until IS 'Until; before quiet_from: on the next day.';

CREATE TABLE public.contact_preferences (
    user_id uuid NOT NULL,
    kind text NOT NULL,
    channel text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT contact_preferences_channel_known CHECK ((channel = ANY (ARRAY['email'::text, 'in_app'::text, 'digest'::text, 'off'::text])))
);

COMMENT ON TABLE public.contact_preferences IS 'How a person wants to be told what. Without a row: by e-mail.';

COMMENT ON COLUMN public.contact_preferences.user_id IS 'The person.';

COMMENT ON COLUMN public.contact_preferences.kind IS 'A kind of message, or all for the others.';

COMMENT ON COLUMN public.contact_preferences.channel IS 'email; in_app: a notification only; digest: one mail a day; off.';

COMMENT ON COLUMN public.contact_preferences.updated_at IS 'When it was last changed.';

CREATE TABLE public.decline_reasons (
    offer_id uuid NOT NULL,
    reason text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT decline_reasons_reason_fits CHECK (((length(reason) >= 1) AND (length(reason) <= 1000)))
);

COMMENT ON TABLE public.decline_reasons IS 'Why mentors declined offers, where they said so.';

COMMENT ON COLUMN public.decline_reasons.offer_id IS 'The offer.';

COMMENT ON COLUMN public.decline_reasons.reason IS 'Why; the student never reads it.';

COMMENT ON COLUMN public.decline_reasons.created_at IS 'When.';

CREATE TABLE public.job_alerts (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    job text NOT NULL,
    run_id uuid,
    message text NOT NULL,
    hint text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    acknowledged_at timestamp with time zone,
    CONSTRAINT job_alerts_kind_known CHECK ((kind = ANY (ARRAY['failed'::text, 'dead'::text, 'awaiting_approval'::text, 'held_back'::text, 'match_at_risk'::text])))
);

COMMENT ON TABLE public.job_alerts IS 'What an operator should look at. Set acknowledged_at when it has been seen to.';

COMMENT ON COLUMN public.job_alerts.id IS 'The alert.';

COMMENT ON COLUMN public.job_alerts.kind IS 'failed, dead, awaiting_approval; held_back: a trigger left a large change to the next run; match_at_risk: matches that need an admin.';

COMMENT ON COLUMN public.job_alerts.job IS 'Which job it is about.';

COMMENT ON COLUMN public.job_alerts.run_id IS 'Which run, if one.';

COMMENT ON COLUMN public.job_alerts.message IS 'What happened.';

COMMENT ON COLUMN public.job_alerts.hint IS 'What to do next.';

COMMENT ON COLUMN public.job_alerts.created_at IS 'When it happened.';

COMMENT ON COLUMN public.job_alerts.acknowledged_at IS 'When somebody had seen to it.';

CREATE TABLE public.job_changes (
    id bigint NOT NULL,
    run_id uuid NOT NULL,
    chunk bigint NOT NULL,
    relation text NOT NULL,
    row_id uuid NOT NULL,
    action text NOT NULL,
    before jsonb,
    after jsonb,
    rest bigint,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT job_changes_action_known CHECK ((action = ANY (ARRAY['insert'::text, 'update'::text, 'delete'::text]))),
    CONSTRAINT job_changes_images_fit CHECK ((((before IS NULL) = (action = 'insert'::text)) AND ((after IS NULL) = (action = 'delete'::text))))
);

COMMENT ON TABLE public.job_changes IS 'What runs changed: a row each, before and after, in the columns that are logged.';

COMMENT ON COLUMN public.job_changes.id IS 'Place in the order of changes.';

COMMENT ON COLUMN public.job_changes.run_id IS 'The run.';

COMMENT ON COLUMN public.job_changes.chunk IS 'The transaction: what was changed together.';

COMMENT ON COLUMN public.job_changes.relation IS 'Which table of the schema public.';

COMMENT ON COLUMN public.job_changes.row_id IS 'Which row: its id.';

COMMENT ON COLUMN public.job_changes.action IS 'insert, update or delete.';

COMMENT ON COLUMN public.job_changes.before IS 'The row before; empty where it is new.';

COMMENT ON COLUMN public.job_changes.after IS 'The row after; empty where it is gone.';

COMMENT ON COLUMN public.job_changes.rest IS 'Hash of the columns of a new row that are not logged, where the table has such: undoing does not delete a row in which one has been filled in since.';

COMMENT ON COLUMN public.job_changes.changed_at IS 'When the transaction began.';

ALTER TABLE public.job_changes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.job_changes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.job_schedules (
    job text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    cron text,
    timezone text,
    enabled boolean DEFAULT true NOT NULL,
    params jsonb DEFAULT '{}'::jsonb NOT NULL,
    catch_up text DEFAULT 'one'::text NOT NULL,
    max_age_seconds integer DEFAULT 86400 NOT NULL,
    coalesce_slots boolean DEFAULT true NOT NULL,
    max_concurrent integer DEFAULT 1,
    jitter_seconds integer DEFAULT 0 NOT NULL,
    timeout_seconds integer DEFAULT 3600 NOT NULL,
    lease_seconds integer DEFAULT 60 NOT NULL,
    max_attempts integer DEFAULT 3 NOT NULL,
    max_change_ratio numeric(4,3) DEFAULT 0.2 NOT NULL,
    keep_days integer DEFAULT 90 NOT NULL,
    error text,
    accepted_cron text,
    accepted_timezone text,
    scheduled_until timestamp with time zone DEFAULT now() NOT NULL,
    next_slot_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT job_schedules_attempts_range CHECK (((max_attempts >= 1) AND (max_attempts <= 100))),
    CONSTRAINT job_schedules_catch_up_known CHECK ((catch_up = ANY (ARRAY['skip'::text, 'one'::text, 'all'::text]))),
    CONSTRAINT job_schedules_change_ratio_range CHECK (((max_change_ratio >= (0)::numeric) AND (max_change_ratio <= (1)::numeric))),
    CONSTRAINT job_schedules_concurrent_range CHECK (((max_concurrent >= 1) AND (max_concurrent <= 1000))),
    CONSTRAINT job_schedules_cron_fits CHECK ((length(cron) <= 200)),
    CONSTRAINT job_schedules_jitter_range CHECK (((jitter_seconds >= 0) AND (jitter_seconds <= 86400))),
    CONSTRAINT job_schedules_keep_range CHECK (((keep_days >= 1) AND (keep_days <= 3650))),
    CONSTRAINT job_schedules_lease_range CHECK (((lease_seconds >= 5) AND (lease_seconds <= 86400))),
    CONSTRAINT job_schedules_max_age_range CHECK (((max_age_seconds >= 60) AND (max_age_seconds <= 2678400))),
    CONSTRAINT job_schedules_params_is_object CHECK ((jsonb_typeof(params) = 'object'::text)),
    CONSTRAINT job_schedules_timeout_range CHECK (((timeout_seconds >= 1) AND (timeout_seconds <= 604800))),
    CONSTRAINT job_schedules_timezone_fits CHECK ((length(timezone) <= 100)),
    CONSTRAINT job_schedules_until_is_finite CHECK (isfinite(scheduled_until))
);

COMMENT ON TABLE public.job_schedules IS 'The jobs. Filled from the defaults of the code; an edit here takes effect within seconds.';

COMMENT ON COLUMN public.job_schedules.job IS 'Name of the job.';

COMMENT ON COLUMN public.job_schedules.description IS 'What the job does.';

COMMENT ON COLUMN public.job_schedules.cron IS 'When it runs, in five fields or as @daily; empty: only by hand.';

COMMENT ON COLUMN public.job_schedules.timezone IS 'IANA time zone of cron; empty: that of the programme, in program_settings.';

COMMENT ON COLUMN public.job_schedules.enabled IS 'Off: paused. No further runs are scheduled; those asked for by hand still run.';

COMMENT ON COLUMN public.job_schedules.params IS 'Parameters of scheduled runs.';

COMMENT ON COLUMN public.job_schedules.catch_up IS 'What becomes of slots that passed while no daemon ran: skip, one (the latest) or all of them.';

COMMENT ON COLUMN public.job_schedules.max_age_seconds IS 'A slot that is older than this is not caught up.';

COMMENT ON COLUMN public.job_schedules.coalesce_slots IS 'On: a slot that still waits when the next one is due is dropped.';

COMMENT ON COLUMN public.job_schedules.max_concurrent IS 'Most runs at a time that daemons take; empty: any number.';

COMMENT ON COLUMN public.job_schedules.jitter_seconds IS 'A scheduled run starts up to so much later, by chance, to spread the load.';

COMMENT ON COLUMN public.job_schedules.timeout_seconds IS 'An attempt that takes longer than this fails.';

COMMENT ON COLUMN public.job_schedules.lease_seconds IS 'A worker that is silent for this long has lost the run.';

COMMENT ON COLUMN public.job_schedules.max_attempts IS 'After so many claims the run is dead.';

COMMENT ON COLUMN public.job_schedules.max_change_ratio IS 'A run that would stop a larger part of what there is (and more than 10 rows) asks first.';

COMMENT ON COLUMN public.job_schedules.keep_days IS 'So long runs that ended are kept.';

COMMENT ON COLUMN public.job_schedules.error IS 'Why the latest edit is not in effect; the schedule before it still is.';

COMMENT ON COLUMN public.job_schedules.accepted_cron IS 'The cron that is in effect.';

COMMENT ON COLUMN public.job_schedules.accepted_timezone IS 'The time zone that is in effect.';

COMMENT ON COLUMN public.job_schedules.scheduled_until IS 'Every slot up to here has been dealt with.';

COMMENT ON COLUMN public.job_schedules.next_slot_at IS 'When it runs next.';

COMMENT ON COLUMN public.job_schedules.created_at IS 'When the row was made.';

COMMENT ON COLUMN public.job_schedules.updated_at IS 'When somebody last edited the row.';

CREATE TABLE public.match_batches (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    request_id uuid NOT NULL,
    student_id uuid NOT NULL,
    number integer DEFAULT 1 NOT NULL,
    weights_version integer NOT NULL,
    input_hash bigint NOT NULL,
    status text DEFAULT 'offered'::text NOT NULL,
    selected_by uuid,
    selected_at timestamp with time zone,
    run_id uuid,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT match_batches_number_positive CHECK ((number > 0)),
    CONSTRAINT match_batches_status_known CHECK ((status = ANY (ARRAY['offered'::text, 'accepted'::text, 'exhausted'::text, 'expired'::text, 'cancelled'::text])))
);

COMMENT ON TABLE public.match_batches IS 'The best mentors for a request, offered together; the first to accept has it.';

COMMENT ON COLUMN public.match_batches.id IS 'The batch.';

COMMENT ON COLUMN public.match_batches.request_id IS 'The request.';

COMMENT ON COLUMN public.match_batches.student_id IS 'Whose it is: users.id.';

COMMENT ON COLUMN public.match_batches.number IS 'The first, second ... of the request.';

COMMENT ON COLUMN public.match_batches.weights_version IS 'By which match_weights it was scored.';

COMMENT ON COLUMN public.match_batches.input_hash IS 'Hash of what the student and the mentors had told when it was scored.';

COMMENT ON COLUMN public.match_batches.status IS 'offered, accepted; exhausted: all declined or were withdrawn; expired: none answered in time; cancelled.';

COMMENT ON COLUMN public.match_batches.selected_by IS 'The mentor who accepted: users.id.';

COMMENT ON COLUMN public.match_batches.selected_at IS 'When.';

COMMENT ON COLUMN public.match_batches.run_id IS 'The run that made it.';

COMMENT ON COLUMN public.match_batches.expires_at IS 'Until when the mentors may answer.';

COMMENT ON COLUMN public.match_batches.created_at IS 'When it was made.';

CREATE TABLE public.match_events (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    match_id uuid NOT NULL,
    old_status text,
    new_status text NOT NULL,
    reason text,
    actor_id uuid,
    run_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.match_events IS 'What became of each match, step by step.';

COMMENT ON COLUMN public.match_events.id IS 'The step.';

COMMENT ON COLUMN public.match_events.match_id IS 'The match.';

COMMENT ON COLUMN public.match_events.old_status IS 'Its status before; empty: it was made.';

COMMENT ON COLUMN public.match_events.new_status IS 'Its status after.';

COMMENT ON COLUMN public.match_events.reason IS 'Why, where somebody said so.';

COMMENT ON COLUMN public.match_events.actor_id IS 'Who did it; empty: a job or an operator.';

COMMENT ON COLUMN public.match_events.run_id IS 'The run that did it, if one did.';

COMMENT ON COLUMN public.match_events.created_at IS 'When.';

CREATE TABLE public.match_surveys (
    match_id uuid NOT NULL,
    user_id uuid NOT NULL,
    period integer NOT NULL,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT match_surveys_period_not_negative CHECK ((period >= 0))
);

COMMENT ON TABLE public.match_surveys IS 'Who was asked how a match goes, and when: nobody twice for the same period.';

COMMENT ON COLUMN public.match_surveys.match_id IS 'The match.';

COMMENT ON COLUMN public.match_surveys.user_id IS 'Who was asked: users.id.';

COMMENT ON COLUMN public.match_surveys.period IS 'The how many-eth survey of the match; 0: the last one, after it was completed.';

COMMENT ON COLUMN public.match_surveys.asked_at IS 'When.';

CREATE TABLE public.match_terms (
    id integer NOT NULL,
    term text NOT NULL,
    label text NOT NULL,
    is_known boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT match_terms_term_fits CHECK (((length(term) >= 1) AND (length(term) <= 100)))
);

COMMENT ON TABLE public.match_terms IS 'Every term that somebody has named.';

COMMENT ON COLUMN public.match_terms.id IS 'The term, in postings.';

COMMENT ON COLUMN public.match_terms.term IS 'The term as private.normalise_term writes it.';

COMMENT ON COLUMN public.match_terms.label IS 'As people are shown it.';

COMMENT ON COLUMN public.match_terms.is_known IS 'Whether it is looked for within sentences; a word that somebody wrote alone counts anyway.';

COMMENT ON COLUMN public.match_terms.created_at IS 'When it was first named.';

ALTER TABLE public.match_terms ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.match_terms_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.match_weights ALTER COLUMN version ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.match_weights_version_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW public.meeting_logs WITH (security_invoker='on') AS
 SELECT session_id AS id,
    match_id,
    mentor_id,
    user_id AS student_id,
    COALESCE(completed_at, scheduled_at) AS meeting_date,
    session_duration_minutes AS duration_minutes,
    format AS meeting_type,
    notes,
    action_items,
    logged_by,
    created_at
   FROM public.mentorship_sessions s
  WHERE ((match_id IS NOT NULL) AND (status = 'COMPLETED'::text) AND (NOT is_deleted));

COMMENT ON VIEW public.meeting_logs IS 'Meetings of matches that were held.';

COMMENT ON COLUMN public.meeting_logs.id IS 'The meeting: mentorship_sessions.session_id.';

COMMENT ON COLUMN public.meeting_logs.match_id IS 'The match.';

COMMENT ON COLUMN public.meeting_logs.mentor_id IS 'The mentor: users.id.';

COMMENT ON COLUMN public.meeting_logs.student_id IS 'The student: users.id.';

COMMENT ON COLUMN public.meeting_logs.meeting_date IS 'When it was held.';

COMMENT ON COLUMN public.meeting_logs.duration_minutes IS 'How long it took.';

COMMENT ON COLUMN public.meeting_logs.meeting_type IS 'video, phone, in_person or chat.';

COMMENT ON COLUMN public.meeting_logs.notes IS 'What both sides wrote down.';

COMMENT ON COLUMN public.meeting_logs.action_items IS 'What is to be done next.';

COMMENT ON COLUMN public.meeting_logs.logged_by IS 'Who logged it: users.id.';

COMMENT ON COLUMN public.meeting_logs.created_at IS 'When it was logged.';

CREATE TABLE public.mentors (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id integer,
    person_id uuid,
    slug text,
    bio text,
    expertise jsonb DEFAULT '[]'::jsonb,
    is_approved boolean DEFAULT false,
    is_active boolean DEFAULT true NOT NULL,
    rating numeric(3,2) DEFAULT 0.00,
    rating_count integer DEFAULT 0 NOT NULL,
    total_sessions integer DEFAULT 0,
    version integer DEFAULT 1,
    capacity integer,
    availability jsonb,
    timezone text,
    domain text,
    experience_years numeric(4,1),
    teaching_style text,
    synced jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now(),
    updated_at timestamp with time zone DEFAULT now(),
    CONSTRAINT mentors_capacity_not_negative CHECK ((capacity >= 0)),
    CONSTRAINT mentors_experience_not_negative CHECK ((experience_years >= (0)::numeric)),
    CONSTRAINT mentors_expertise_is_list CHECK ((jsonb_typeof(expertise) = 'array'::text)),
    CONSTRAINT mentors_teaching_style_known CHECK ((teaching_style = ANY (ARRAY['visual'::text, 'auditory'::text, 'kinesthetic'::text, 'mixed'::text])))
);

COMMENT ON TABLE public.mentors IS 'Mentors as the directory shows them.';

COMMENT ON COLUMN public.mentors.id IS 'The directory row.';

COMMENT ON COLUMN public.mentors.user_id IS 'The account: users_user.id.';

COMMENT ON COLUMN public.mentors.person_id IS 'The person: users.id.';

COMMENT ON COLUMN public.mentors.slug IS 'Readable part of the address of the mentor''s page.';

COMMENT ON COLUMN public.mentors.bio IS 'About the mentor; first made from the member.';

COMMENT ON COLUMN public.mentors.expertise IS 'JSON list of words; first made from the member.';

COMMENT ON COLUMN public.mentors.is_approved IS 'Only approved mentors are listed.';

COMMENT ON COLUMN public.mentors.is_active IS 'Off: not listed; set off when the member stops being a mentor, or by hand.';

COMMENT ON COLUMN public.mentors.rating IS 'Mean rating, 0 to 5; unrated while rating_count is 0.';

COMMENT ON COLUMN public.mentors.rating_count IS 'How many ratings the mean is of.';

COMMENT ON COLUMN public.mentors.total_sessions IS 'Sessions held.';

COMMENT ON COLUMN public.mentors.version IS 'Grows when the sync changes what the row shows.';

COMMENT ON COLUMN public.mentors.capacity IS 'Most students at a time; empty: the default.';

COMMENT ON COLUMN public.mentors.availability IS 'When the mentor can meet.';

COMMENT ON COLUMN public.mentors.timezone IS 'IANA time zone, such as Europe/Berlin.';

COMMENT ON COLUMN public.mentors.domain IS 'Field of work.';

COMMENT ON COLUMN public.mentors.experience_years IS 'Years of experience.';

COMMENT ON COLUMN public.mentors.teaching_style IS 'visual, auditory, kinesthetic or mixed.';

COMMENT ON COLUMN public.mentors.synced IS 'What the sync last wrote. A value that differs from it was edited, and is left alone.';

COMMENT ON COLUMN public.mentors.created_at IS 'When the row was made.';

COMMENT ON COLUMN public.mentors.updated_at IS 'When something the row shows last changed.';

CREATE TABLE public.message_answers (
    message_id uuid NOT NULL,
    question integer NOT NULL,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    about text NOT NULL,
    answer text NOT NULL,
    answered_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.message_answers IS 'What people answered by a click in a mail: the first click on a question counts.';

COMMENT ON COLUMN public.message_answers.message_id IS 'The message: message_outbox.id.';

COMMENT ON COLUMN public.message_answers.question IS 'Which of its questions, from 0 on.';

COMMENT ON COLUMN public.message_answers.user_id IS 'Who answered.';

COMMENT ON COLUMN public.message_answers.kind IS 'Which kind of message asked.';

COMMENT ON COLUMN public.message_answers.about IS 'What the question is about, such as match:<id>.';

COMMENT ON COLUMN public.message_answers.answer IS 'The answer, such as 4.';

COMMENT ON COLUMN public.message_answers.answered_at IS 'When.';

CREATE TABLE public.message_outbox (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    recipient uuid NOT NULL,
    about text NOT NULL,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    priority integer DEFAULT 5 NOT NULL,
    status text DEFAULT 'queued'::text NOT NULL,
    not_before timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    attempt integer DEFAULT 0 NOT NULL,
    max_attempts integer DEFAULT 8 NOT NULL,
    claimed_by uuid,
    claimed_fence bigint,
    batch uuid,
    in_doubt boolean DEFAULT false NOT NULL,
    superseded_at timestamp with time zone,
    provider_id text,
    error text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    sent_at timestamp with time zone,
    CONSTRAINT message_outbox_data_is_object CHECK ((jsonb_typeof(data) = 'object'::text)),
    CONSTRAINT message_outbox_status_known CHECK ((status = ANY (ARRAY['queued'::text, 'sending'::text, 'uncertain'::text, 'sent'::text, 'failed'::text, 'dead'::text, 'superseded'::text, 'expired'::text, 'off'::text, 'in_app'::text, 'digest'::text, 'digested'::text, 'bounced'::text, 'complained'::text])))
);

COMMENT ON TABLE public.message_outbox IS 'Mails: a row each. The same kind to the same person about the same thing is one row for ever.';

COMMENT ON COLUMN public.message_outbox.id IS 'The message: part of its Message-ID, and the key by which the provider knows it again.';

COMMENT ON COLUMN public.message_outbox.kind IS 'Which template.';

COMMENT ON COLUMN public.message_outbox.recipient IS 'Whom it is for.';

COMMENT ON COLUMN public.message_outbox.about IS 'What it is about, such as session:<id>:24h.';

COMMENT ON COLUMN public.message_outbox.data IS 'What the template shows.';

COMMENT ON COLUMN public.message_outbox.priority IS 'Higher goes first; from 8 on it ignores caps.';

COMMENT ON COLUMN public.message_outbox.status IS 'queued, sending, sent; uncertain: it may have been sent, and is sent again as the very same; failed: it cannot be sent; dead: it could not in all attempts; superseded, expired; off, in_app, digest: as the person prefers; digested; bounced, complained.';

COMMENT ON COLUMN public.message_outbox.not_before IS 'Not sent before this time.';

COMMENT ON COLUMN public.message_outbox.expires_at IS 'Not worth sending after this time.';

COMMENT ON COLUMN public.message_outbox.attempt IS 'How often it was handed over.';

COMMENT ON COLUMN public.message_outbox.max_attempts IS 'After so many it is dead.';

COMMENT ON COLUMN public.message_outbox.claimed_by IS 'The run that sends it, or sent it.';

COMMENT ON COLUMN public.message_outbox.claimed_fence IS 'The fence of that run.';

COMMENT ON COLUMN public.message_outbox.batch IS 'With which others it was handed over: the provider knows them again as the same set only.';

COMMENT ON COLUMN public.message_outbox.in_doubt IS 'It may have been sent: no rule holds it back any more, and it is sent as the very same.';

COMMENT ON COLUMN public.message_outbox.superseded_at IS 'When it became pointless while it was being sent: it is not tried again.';

COMMENT ON COLUMN public.message_outbox.provider_id IS 'What the provider calls it.';

COMMENT ON COLUMN public.message_outbox.error IS 'Why it was not sent.';

COMMENT ON COLUMN public.message_outbox.created_at IS 'When its cause was.';

COMMENT ON COLUMN public.message_outbox.sent_at IS 'When the provider took it.';

CREATE TABLE public.notifications (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    type text NOT NULL,
    title text NOT NULL,
    message text DEFAULT ''::text NOT NULL,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    read_at timestamp with time zone,
    sent_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT notifications_message_fits CHECK ((length(message) <= 10000)),
    CONSTRAINT notifications_metadata_is_object CHECK ((jsonb_typeof(metadata) = 'object'::text)),
    CONSTRAINT notifications_title_fits CHECK (((length(title) >= 1) AND (length(title) <= 300)))
);

COMMENT ON TABLE public.notifications IS 'What people are told inside the application.';

COMMENT ON COLUMN public.notifications.id IS 'The notification.';

COMMENT ON COLUMN public.notifications.user_id IS 'Who is told.';

COMMENT ON COLUMN public.notifications.type IS 'Which kind, such as session_reminder.';

COMMENT ON COLUMN public.notifications.title IS 'One line.';

COMMENT ON COLUMN public.notifications.message IS 'The rest.';

COMMENT ON COLUMN public.notifications.metadata IS 'What the application needs to link it.';

COMMENT ON COLUMN public.notifications.read_at IS 'When the person read it.';

COMMENT ON COLUMN public.notifications.sent_at IS 'When the same was sent by mail, if it was.';

COMMENT ON COLUMN public.notifications.created_at IS 'When it was made.';

CREATE TABLE public.program_settings (
    key text NOT NULL,
    value jsonb NOT NULL,
    description text NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT program_settings_days_are_whole CHECK (((key <> 'change_log_days'::text) OR ((value)::text ~ '^[1-9][0-9]{0,3}$'::text))),
    CONSTRAINT program_settings_switch_is_boolean CHECK (((key <> 'auto_approve'::text) OR (jsonb_typeof(value) = 'boolean'::text))),
    CONSTRAINT program_settings_timezone_is_text CHECK (((key <> 'timezone'::text) OR (jsonb_typeof(value) = 'string'::text)))
);

COMMENT ON TABLE public.program_settings IS 'Settings of the programme. Edit a value here; it holds from the next statement on.';

COMMENT ON COLUMN public.program_settings.key IS 'Name of the setting.';

COMMENT ON COLUMN public.program_settings.value IS 'Its value, as JSON: true, 20, "UTC".';

COMMENT ON COLUMN public.program_settings.description IS 'What the setting does.';

COMMENT ON COLUMN public.program_settings.updated_at IS 'When it was last changed.';

CREATE TABLE public.sync_rejects (
    source text NOT NULL,
    source_id text NOT NULL,
    reason text NOT NULL,
    code text NOT NULL,
    rejected_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT sync_rejects_source_known CHECK ((source = ANY (ARRAY['members'::text, 'users_user'::text])))
);

COMMENT ON TABLE public.sync_rejects IS 'Rows of the sources that could not be synced, and why. A row goes when its cause has gone.';

COMMENT ON COLUMN public.sync_rejects.source IS 'members or users_user.';

COMMENT ON COLUMN public.sync_rejects.source_id IS 'Its id there.';

COMMENT ON COLUMN public.sync_rejects.reason IS 'What the database said, or what is missing.';

COMMENT ON COLUMN public.sync_rejects.code IS 'SQLSTATE, or MS010 for a row without an address.';

COMMENT ON COLUMN public.sync_rejects.rejected_at IS 'When this reason was first seen.';

CREATE TABLE public.undeliverable_addresses (
    address text NOT NULL,
    reason text NOT NULL,
    message_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.undeliverable_addresses IS 'Addresses that bounced, or whose owner complained: nothing is sent there. Delete a row to try again.';

COMMENT ON COLUMN public.undeliverable_addresses.address IS 'The address as private.normalise_email writes it.';

COMMENT ON COLUMN public.undeliverable_addresses.reason IS 'What the provider said.';

COMMENT ON COLUMN public.undeliverable_addresses.message_id IS 'The message it was about.';

COMMENT ON COLUMN public.undeliverable_addresses.created_at IS 'When it was noted.';

CREATE TABLE public.users_user (
    id integer NOT NULL,
    email text NOT NULL,
    first_name text,
    last_name text
);

COMMENT ON TABLE public.users_user IS 'Accounts of the Django application, which writes them.';

COMMENT ON COLUMN public.users_user.id IS 'The account.';

COMMENT ON COLUMN public.users_user.email IS 'Address of the account.';

COMMENT ON COLUMN public.users_user.first_name IS 'Given name.';

COMMENT ON COLUMN public.users_user.last_name IS 'Family name.';

ALTER TABLE public.users_user ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.users_user_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW public.v_members_without_mentor WITH (security_invoker='on') AS
 SELECT m.id AS member_id,
    m.email,
    m.name,
        CASE
            WHEN (m.address = ''::text) THEN 'rejected'::text
            WHEN (verdict.problem IS NOT NULL) THEN 'ambiguous'::text
            WHEN (account.n = 0) THEN 'no_user'::text
            WHEN (r.reason IS NOT NULL) THEN 'rejected'::text
            ELSE 'waiting'::text
        END AS state,
        CASE
            WHEN (m.address = ''::text) THEN 'the member has no e-mail address'::text
            WHEN (verdict.problem IS NOT NULL) THEN verdict.problem
            WHEN (account.n = 0) THEN 'no account has this e-mail address'::text
            WHEN (r.reason IS NOT NULL) THEN r.reason
            ELSE 'the next sync makes the mentor'::text
        END AS reason
   FROM ((((((((( SELECT x.id,
            x.email,
            x.name,
            COALESCE(private.normalise_email(x.email), ''::text) AS address
           FROM public.members x
          WHERE (x.is_active AND private.is_mentor_type(x.membershiptype) AND (NOT (EXISTS ( SELECT
                   FROM (public.users u
                     JOIN public.mentors t_1 ON ((t_1.person_id = u.id)))
                  WHERE (u.member_id = x.id)))))
         OFFSET 0) m
     LEFT JOIN public.sync_rejects r ON (((r.source = 'members'::text) AND (r.source_id = (m.id)::text))))
     LEFT JOIN public.users by_member ON ((by_member.member_id = m.id)))
     CROSS JOIN LATERAL ( SELECT count(*) AS n
           FROM ( SELECT
                   FROM public.members x_1
                  WHERE (private.normalise_email(x_1.email) = m.address)
                 LIMIT 2) x) twin)
     CROSS JOIN LATERAL ( SELECT count(*) AS n,
            min(x.id) AS id
           FROM ( SELECT u.id
                   FROM public.users_user u
                  WHERE (private.normalise_email(u.email) = m.address)
                 LIMIT 2) x) account)
     CROSS JOIN LATERAL ( SELECT count(DISTINCT x.id) AS n,
            (array_agg(x.id))[1] AS id
           FROM ( SELECT u.id
                   FROM public.users u
                  WHERE (u.legacy_user_id = account.id)
                UNION ALL
                 SELECT u.id
                   FROM public.users u
                  WHERE ((private.normalise_email(u.email) = m.address) AND (by_member.id IS NULL))) x
          WHERE ((m.address <> ''::text) AND (twin.n = 1) AND (account.n = 1) AND (by_member.legacy_user_id IS DISTINCT FROM account.id))) other)
     LEFT JOIN LATERAL ( SELECT u.id,
            u.member_id,
            u.legacy_user_id
           FROM public.users u
          WHERE ((u.id = COALESCE(by_member.id, other.id)) AND (account.n = 1))) p ON (true))
     LEFT JOIN LATERAL ( SELECT x.person_id,
            x.user_id
           FROM public.mentors x
          WHERE (x.person_id = p.id)
        UNION ALL
         SELECT x.person_id,
            x.user_id
           FROM public.mentors x
          WHERE ((x.user_id = account.id) AND (account.n = 1) AND (x.person_id IS DISTINCT FROM p.id))
 LIMIT 1) t ON (true))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (twin.n > 1) THEN 'another member has the same e-mail address'::text
                    WHEN (account.n > 1) THEN 'more than one account has this e-mail address'::text
                    WHEN (account.n = 0) THEN NULL::text
                    WHEN ((other.n > 1) OR ((by_member.id IS NOT NULL) AND (other.n > 0))) THEN 'more than one person has this account or e-mail address'::text
                    WHEN ((p.member_id <> m.id) AND (EXISTS ( SELECT
                       FROM public.members x
                      WHERE (x.id = p.member_id)
                     OFFSET 0))) THEN 'the person with this account belongs to another member'::text
                    WHEN ((p.legacy_user_id <> account.id) AND (EXISTS ( SELECT
                       FROM public.users_user x
                      WHERE (x.id = p.legacy_user_id)
                     OFFSET 0))) THEN 'the person belongs to another account'::text
                    WHEN ((t.person_id IS NOT NULL) AND (t.person_id IS DISTINCT FROM p.id)) THEN 'the mentor with this account belongs to another person'::text
                    WHEN ((t.user_id <> account.id) AND (EXISTS ( SELECT
                       FROM public.users_user x
                      WHERE (x.id = t.user_id)
                     OFFSET 0))) THEN 'the mentor of this person has another account'::text
                    ELSE NULL::text
                END AS problem) verdict);

COMMENT ON VIEW public.v_members_without_mentor IS 'Active members of type mentor who have no mentor profile, and why.';

COMMENT ON COLUMN public.v_members_without_mentor.member_id IS 'The member.';

COMMENT ON COLUMN public.v_members_without_mentor.email IS 'Address of the member.';

COMMENT ON COLUMN public.v_members_without_mentor.name IS 'Name of the member.';

COMMENT ON COLUMN public.v_members_without_mentor.state IS 'rejected, ambiguous, no_user or waiting.';

COMMENT ON COLUMN public.v_members_without_mentor.reason IS 'Why, in words.';

CREATE VIEW public.v_mentor_capacity WITH (security_invoker='on') AS
 SELECT u.id AS mentor_id,
    u.full_name AS mentor_name,
    s.declared,
    s.effective,
    s.taken,
    GREATEST((s.effective - s.taken), 0) AS free,
    s.answer_hours,
    s.unanswered,
    s.rule
   FROM (private.mentor_states(ARRAY( SELECT t.person_id
           FROM public.mentors t
          WHERE (t.person_id IS NOT NULL))) s(mentor_id, declared, effective, taken, answer_hours, unanswered, rule)
     JOIN public.users u ON ((u.id = s.mentor_id)));

COMMENT ON VIEW public.v_mentor_capacity IS 'How many students each mentor takes, has and may be offered, and what keeps offers away.';

COMMENT ON COLUMN public.v_mentor_capacity.mentor_id IS 'The mentor: users.id.';

COMMENT ON COLUMN public.v_mentor_capacity.mentor_name IS 'Name as shown.';

COMMENT ON COLUMN public.v_mentor_capacity.declared IS 'As declared, or default_capacity.';

COMMENT ON COLUMN public.v_mentor_capacity.effective IS 'Cut by how the mentor answers.';

COMMENT ON COLUMN public.v_mentor_capacity.taken IS 'Students now.';

COMMENT ON COLUMN public.v_mentor_capacity.free IS 'Seats that are offered.';

COMMENT ON COLUMN public.v_mentor_capacity.answer_hours IS 'Median hours from offer to answer, of the last 90 days.';

COMMENT ON COLUMN public.v_mentor_capacity.unanswered IS 'Offers that passed since the last answer.';

COMMENT ON COLUMN public.v_mentor_capacity.rule IS 'Why there are no offers; empty: there are.';

CREATE VIEW public.v_mentors_without_account WITH (security_invoker='on') AS
 SELECT mentor_id,
    member_id,
    email,
    name,
        CASE
            WHEN is_gone THEN 'the account is gone'::text
            ELSE 'the account has another e-mail address'::text
        END AS reason
   FROM ( SELECT t.id AS mentor_id,
            m.id AS member_id,
            m.email,
            m.name,
            m.membershiptype,
            (a.id IS NULL) AS is_gone
           FROM (((public.mentors t
             JOIN public.users p ON ((p.id = t.person_id)))
             JOIN public.members m ON ((m.id = p.member_id)))
             LEFT JOIN public.users_user a ON ((a.id = p.legacy_user_id)))
          WHERE (t.is_approved AND t.is_active AND m.is_active AND (a.email IS DISTINCT FROM m.email))
         OFFSET 0) l
  WHERE (private.is_mentor_type(membershiptype) AND (private.normalise_email(email) <> ''::text) AND (NOT (EXISTS ( SELECT
           FROM public.users_user x
          WHERE (private.normalise_email(x.email) = private.normalise_email(l.email))
         OFFSET 0))));

COMMENT ON VIEW public.v_mentors_without_account IS 'Listed mentors whose member''s address no account has any more. They stay listed.';

COMMENT ON COLUMN public.v_mentors_without_account.mentor_id IS 'The mentor.';

COMMENT ON COLUMN public.v_mentors_without_account.member_id IS 'The member.';

COMMENT ON COLUMN public.v_mentors_without_account.email IS 'Address of the member.';

COMMENT ON COLUMN public.v_mentors_without_account.name IS 'Name of the member.';

COMMENT ON COLUMN public.v_mentors_without_account.reason IS 'Whether the account is gone or has another address.';

CREATE VIEW public.v_sync_health WITH (security_invoker='on') AS
 SELECT ( SELECT count(*) AS count
           FROM public.members m
          WHERE (m.is_active AND private.is_mentor_type(m.membershiptype))) AS mentor_members,
    ( SELECT count(*) AS count
           FROM public.mentors) AS mentor_profiles,
    ( SELECT count(*) AS count
           FROM public.mentors t
          WHERE (t.is_approved AND t.is_active)) AS listed_mentors,
    without.members_without_mentor,
    without.members_without_account,
    without.members_ambiguous,
    ( SELECT count(*) AS count
           FROM public.v_mentors_without_account) AS mentors_without_account,
    ( SELECT count(*) AS count
           FROM public.sync_rejects) AS rejects,
    last_run.status AS last_status,
    last_run.finished_at AS last_finished_at,
    ( SELECT max(r.finished_at) AS max
           FROM public.job_runs r
          WHERE ((r.job = 'sync_mentor_profiles'::text) AND (r.status = ANY (ARRAY['succeeded'::text, 'partial'::text])) AND ((r.params -> 'dry_run'::text) IS DISTINCT FROM 'true'::jsonb))) AS last_success_at
   FROM (( SELECT count(*) AS members_without_mentor,
            count(*) FILTER (WHERE (w.state = 'no_user'::text)) AS members_without_account,
            count(*) FILTER (WHERE (w.state = 'ambiguous'::text)) AS members_ambiguous
           FROM public.v_members_without_mentor w) without
     LEFT JOIN LATERAL ( SELECT r.status,
            r.finished_at
           FROM public.job_runs r
          WHERE (r.job = 'sync_mentor_profiles'::text)
          ORDER BY r.created_at DESC, r.id
         LIMIT 1) last_run ON (true));

COMMENT ON VIEW public.v_sync_health IS 'One row: how far members and mentors are in step.';

COMMENT ON COLUMN public.v_sync_health.mentor_members IS 'Active members of type mentor.';

COMMENT ON COLUMN public.v_sync_health.mentor_profiles IS 'Rows of mentors.';

COMMENT ON COLUMN public.v_sync_health.listed_mentors IS 'Approved and active mentors.';

COMMENT ON COLUMN public.v_sync_health.members_without_mentor IS 'Active members of type mentor without a profile.';

COMMENT ON COLUMN public.v_sync_health.members_without_account IS 'Those of them whose address no account has.';

COMMENT ON COLUMN public.v_sync_health.members_ambiguous IS 'Those of them whose address or account more than one member, account or person has.';

COMMENT ON COLUMN public.v_sync_health.mentors_without_account IS 'Listed mentors whose member''s address no account has any more.';

COMMENT ON COLUMN public.v_sync_health.rejects IS 'Rows in sync_rejects.';

COMMENT ON COLUMN public.v_sync_health.last_status IS 'Status of the latest sync run.';

COMMENT ON COLUMN public.v_sync_health.last_finished_at IS 'When the latest sync run ended.';

COMMENT ON COLUMN public.v_sync_health.last_success_at IS 'When a sync run last ended well, dry runs left out.';

ALTER TABLE ONLY private.profile_terms
    ADD CONSTRAINT profile_terms_pkey PRIMARY KEY (user_id, factor, term_id);

ALTER TABLE ONLY private.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (name);

ALTER TABLE ONLY private.stale_profiles
    ADD CONSTRAINT stale_profiles_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.blocked_pairs
    ADD CONSTRAINT blocked_pairs_pkey PRIMARY KEY (student_id, mentor_id);

ALTER TABLE ONLY public.calendar_feeds
    ADD CONSTRAINT calendar_feeds_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.calendar_feeds
    ADD CONSTRAINT calendar_feeds_token_key UNIQUE (token);

ALTER TABLE ONLY public.contact_hours
    ADD CONSTRAINT contact_hours_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.contact_preferences
    ADD CONSTRAINT contact_preferences_pkey PRIMARY KEY (user_id, kind);

ALTER TABLE ONLY public.decline_reasons
    ADD CONSTRAINT decline_reasons_pkey PRIMARY KEY (offer_id);

ALTER TABLE ONLY public.job_alerts
    ADD CONSTRAINT job_alerts_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.job_changes
    ADD CONSTRAINT job_changes_pkey PRIMARY KEY (run_id, chunk, id);

ALTER TABLE ONLY public.job_runs
    ADD CONSTRAINT job_runs_one_a_slot UNIQUE (job, slot);

ALTER TABLE ONLY public.job_runs
    ADD CONSTRAINT job_runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.job_schedules
    ADD CONSTRAINT job_schedules_pkey PRIMARY KEY (job);

ALTER TABLE ONLY public.match_batches
    ADD CONSTRAINT match_batches_once UNIQUE (request_id, number);

ALTER TABLE ONLY public.match_batches
    ADD CONSTRAINT match_batches_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.match_batches
    ADD CONSTRAINT match_batches_whole UNIQUE (id, request_id, student_id);

ALTER TABLE ONLY public.match_events
    ADD CONSTRAINT match_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.match_offers
    ADD CONSTRAINT match_offers_once UNIQUE (request_id, mentor_id);

ALTER TABLE ONLY public.match_offers
    ADD CONSTRAINT match_offers_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.match_offers
    ADD CONSTRAINT match_offers_rank_once UNIQUE (batch_id, request_id, student_id, rank);

ALTER TABLE ONLY public.match_surveys
    ADD CONSTRAINT match_surveys_pkey PRIMARY KEY (match_id, user_id, period);

ALTER TABLE ONLY public.match_terms
    ADD CONSTRAINT match_terms_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.match_terms
    ADD CONSTRAINT match_terms_term_key UNIQUE (term);

ALTER TABLE ONLY public.match_weights
    ADD CONSTRAINT match_weights_one_current EXCLUDE USING btree (is_current WITH =) WHERE (is_current) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.match_weights
    ADD CONSTRAINT match_weights_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.matches
    ADD CONSTRAINT matches_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.matches
    ADD CONSTRAINT matches_request_id_key UNIQUE (request_id);

ALTER TABLE ONLY public.members
    ADD CONSTRAINT members_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.mentor_leaderboard
    ADD CONSTRAINT mentor_leaderboard_pkey PRIMARY KEY (mentor_id);

ALTER TABLE ONLY public.mentor_specializations
    ADD CONSTRAINT mentor_specializations_once UNIQUE (mentor_id, specialization);

ALTER TABLE ONLY public.mentor_specializations
    ADD CONSTRAINT mentor_specializations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.mentors
    ADD CONSTRAINT mentors_person_id_key UNIQUE (person_id);

ALTER TABLE ONLY public.mentors
    ADD CONSTRAINT mentors_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.mentors
    ADD CONSTRAINT mentors_slug_key UNIQUE (slug);

ALTER TABLE ONLY public.mentors
    ADD CONSTRAINT mentors_user_id_key UNIQUE (user_id);

ALTER TABLE ONLY public.mentorship_feedback
    ADD CONSTRAINT mentorship_feedback_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.mentorship_profiles
    ADD CONSTRAINT mentorship_profiles_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.mentorship_requests
    ADD CONSTRAINT mentorship_requests_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.mentorship_resources
    ADD CONSTRAINT mentorship_resources_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.mentorship_sessions
    ADD CONSTRAINT mentorship_sessions_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY public.message_answers
    ADD CONSTRAINT message_answers_pkey PRIMARY KEY (message_id, question);

ALTER TABLE ONLY public.message_outbox
    ADD CONSTRAINT message_outbox_once UNIQUE (kind, recipient, about);

ALTER TABLE ONLY public.message_outbox
    ADD CONSTRAINT message_outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.program_settings
    ADD CONSTRAINT program_settings_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.quick_questions
    ADD CONSTRAINT quick_questions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sync_rejects
    ADD CONSTRAINT sync_rejects_pkey PRIMARY KEY (source, source_id);

ALTER TABLE ONLY public.term_aliases
    ADD CONSTRAINT term_aliases_pkey PRIMARY KEY (alias);

ALTER TABLE ONLY public.undeliverable_addresses
    ADD CONSTRAINT undeliverable_addresses_pkey PRIMARY KEY (address);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_auth_user_id_key UNIQUE (auth_user_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_legacy_user_id_key UNIQUE (legacy_user_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_member_id_key UNIQUE (member_id);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.users_user
    ADD CONSTRAINT users_user_pkey PRIMARY KEY (id);

CREATE INDEX profile_terms_posting_idx ON private.profile_terms USING btree (term_id, factor, user_id);

CREATE INDEX stale_profiles_user_idx ON private.stale_profiles USING btree (user_id);

CREATE INDEX blocked_pairs_blocked_by_idx ON public.blocked_pairs USING btree (blocked_by);

CREATE INDEX blocked_pairs_mentor_idx ON public.blocked_pairs USING btree (mentor_id);

CREATE INDEX idx_users_mentor_id ON public.users USING btree (mentor_id);

CREATE INDEX job_alerts_open_idx ON public.job_alerts USING btree (created_at) WHERE (acknowledged_at IS NULL);

CREATE INDEX job_alerts_run_idx ON public.job_alerts USING btree (run_id);

CREATE INDEX job_runs_ended_idx ON public.job_runs USING btree (job, finished_at) WHERE (finished_at IS NOT NULL);

CREATE INDEX job_runs_history_idx ON public.job_runs USING btree (created_at DESC, id);

CREATE INDEX job_runs_lease_idx ON public.job_runs USING btree (lease_expires_at) WHERE (status = 'running'::text);

CREATE INDEX job_runs_queued_idx ON public.job_runs USING btree (run_at, id) WHERE (status = 'queued'::text);

CREATE INDEX job_runs_running_idx ON public.job_runs USING btree (job) WHERE (status = 'running'::text);

CREATE INDEX match_batches_expiring_idx ON public.match_batches USING btree (expires_at) WHERE (status = 'offered'::text);

CREATE UNIQUE INDEX match_batches_one_open_idx ON public.match_batches USING btree (request_id) WHERE (status = 'offered'::text);

CREATE INDEX match_batches_selected_idx ON public.match_batches USING btree (selected_by);

CREATE INDEX match_batches_student_idx ON public.match_batches USING btree (student_id);

CREATE INDEX match_batches_weights_idx ON public.match_batches USING btree (weights_version);

CREATE INDEX match_events_actor_idx ON public.match_events USING btree (actor_id);

CREATE INDEX match_events_match_idx ON public.match_events USING btree (match_id, created_at);

CREATE INDEX match_offers_mentor_idx ON public.match_offers USING btree (mentor_id, status);

CREATE INDEX match_offers_student_idx ON public.match_offers USING btree (student_id);

CREATE INDEX match_offers_unannounced_idx ON public.match_offers USING btree (id) WHERE ((status = 'offered'::text) AND (announced_at IS NULL));

CREATE INDEX match_surveys_user_idx ON public.match_surveys USING btree (user_id);

CREATE INDEX matches_active_idx ON public.matches USING btree (id) WHERE (status = 'active'::text);

CREATE INDEX matches_mentor_idx ON public.matches USING btree (mentor_id);

CREATE UNIQUE INDEX matches_one_primary_idx ON public.matches USING btree (student_id) WHERE ((role = 'primary'::text) AND (status = ANY (ARRAY['active'::text, 'paused'::text])));

CREATE INDEX matches_student_idx ON public.matches USING btree (student_id);

CREATE INDEX members_normalised_email_idx ON public.members USING btree (private.normalise_email(email));

CREATE INDEX mentor_leaderboard_rank_idx ON public.mentor_leaderboard USING btree (rank);

CREATE INDEX mentorship_feedback_about_idx ON public.mentorship_feedback USING btree (about_id);

CREATE INDEX mentorship_feedback_author_idx ON public.mentorship_feedback USING btree (author_id);

CREATE INDEX mentorship_feedback_match_idx ON public.mentorship_feedback USING btree (match_id, created_at);

CREATE UNIQUE INDEX mentorship_feedback_once_idx ON public.mentorship_feedback USING btree (match_id, author_id, feedback_type, period, session_id) NULLS NOT DISTINCT WHERE (feedback_type <> 'general'::text);

CREATE INDEX mentorship_feedback_session_idx ON public.mentorship_feedback USING btree (session_id);

CREATE INDEX mentorship_profiles_role_idx ON public.mentorship_profiles USING btree (role, user_id);

CREATE INDEX mentorship_requests_mentor_idx ON public.mentorship_requests USING btree (mentor_id);

CREATE UNIQUE INDEX mentorship_requests_one_open_idx ON public.mentorship_requests USING btree (student_id) WHERE (status = ANY (ARRAY['open'::text, 'offered'::text]));

CREATE INDEX mentorship_requests_student_idx ON public.mentorship_requests USING btree (student_id);

CREATE INDEX mentorship_requests_waiting_idx ON public.mentorship_requests USING btree (created_at, id) WHERE (status = ANY (ARRAY['open'::text, 'offered'::text]));

CREATE INDEX mentorship_resources_match_idx ON public.mentorship_resources USING btree (match_id, created_at);

CREATE INDEX mentorship_resources_shared_idx ON public.mentorship_resources USING btree (shared_by);

CREATE INDEX mentorship_sessions_logged_idx ON public.mentorship_sessions USING btree (logged_by);

CREATE INDEX mentorship_sessions_match_idx ON public.mentorship_sessions USING btree (match_id, completed_at);

CREATE INDEX mentorship_sessions_mentor_idx ON public.mentorship_sessions USING btree (mentor_id);

CREATE INDEX mentorship_sessions_scheduled_idx ON public.mentorship_sessions USING btree (scheduled_at);

CREATE INDEX mentorship_sessions_type_idx ON public.mentorship_sessions USING btree (session_type);

CREATE INDEX mentorship_sessions_updated_idx ON public.mentorship_sessions USING btree (updated_at);

CREATE INDEX mentorship_sessions_user_idx ON public.mentorship_sessions USING btree (user_id);

CREATE INDEX message_answers_about_idx ON public.message_answers USING btree (about);

CREATE INDEX message_answers_user_idx ON public.message_answers USING btree (user_id);

CREATE INDEX message_outbox_about_idx ON public.message_outbox USING btree (about) WHERE (status = ANY (ARRAY['queued'::text, 'digest'::text, 'sending'::text]));

CREATE INDEX message_outbox_claimed_idx ON public.message_outbox USING btree (claimed_by) WHERE (claimed_by IS NOT NULL);

CREATE INDEX message_outbox_digest_idx ON public.message_outbox USING btree (recipient) WHERE (status = 'digest'::text);

CREATE INDEX message_outbox_provider_idx ON public.message_outbox USING btree (provider_id) WHERE (provider_id IS NOT NULL);

CREATE INDEX message_outbox_queued_idx ON public.message_outbox USING btree (priority DESC, created_at, id) WHERE (status = 'queued'::text);

CREATE INDEX message_outbox_recipient_idx ON public.message_outbox USING btree (recipient, sent_at);

CREATE INDEX message_outbox_sending_idx ON public.message_outbox USING btree (claimed_by) WHERE (status = 'sending'::text);

CREATE INDEX message_outbox_uncertain_idx ON public.message_outbox USING btree (batch, id) WHERE (status = 'uncertain'::text);

CREATE INDEX notifications_user_idx ON public.notifications USING btree (user_id, created_at DESC);

CREATE INDEX quick_questions_claimed_idx ON public.quick_questions USING btree (claimed_by);

CREATE INDEX quick_questions_expiring_idx ON public.quick_questions USING btree (expires_at) WHERE (status = 'open'::text);

CREATE INDEX quick_questions_held_idx ON public.quick_questions USING btree (claimed_at) WHERE (status = 'claimed'::text);

CREATE INDEX quick_questions_open_idx ON public.quick_questions USING btree (created_at) WHERE (status = 'open'::text);

CREATE INDEX quick_questions_student_idx ON public.quick_questions USING btree (student_id);

CREATE INDEX term_aliases_term_idx ON public.term_aliases USING btree (term);

CREATE INDEX undeliverable_addresses_message_idx ON public.undeliverable_addresses USING btree (message_id);

CREATE INDEX users_normalised_email_idx ON public.users USING btree (private.normalise_email(email));

CREATE INDEX users_user_normalised_email_idx ON public.users_user USING btree (private.normalise_email(email));

CREATE TRIGGER mentor_sync_alerts AFTER UPDATE ON public.job_runs FOR EACH ROW WHEN (((new.status = ANY (ARRAY['failed'::text, 'dead'::text, 'awaiting_approval'::text])) AND (old.status IS DISTINCT FROM new.status))) EXECUTE FUNCTION private.run_needs_somebody();

CREATE TRIGGER mentor_sync_answered AFTER INSERT ON public.message_answers FOR EACH ROW WHEN ((new.about ~ '^match:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}:(survey:[0-9]{1,6}|final|risk:[0-9-]+)$'::text)) EXECUTE FUNCTION private.survey_answered();

CREATE TRIGGER mentor_sync_assigned_inserted AFTER INSERT ON public.users REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.mentor_edited();

CREATE TRIGGER mentor_sync_assigned_updated AFTER UPDATE ON public.users REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.mentor_edited();

CREATE TRIGGER mentor_sync_blocked AFTER INSERT OR UPDATE ON public.blocked_pairs FOR EACH ROW EXECUTE FUNCTION private.pair_blocked();

CREATE TRIGGER mentor_sync_changed AFTER INSERT OR DELETE OR UPDATE ON public.term_aliases FOR EACH ROW EXECUTE FUNCTION private.alias_changed();

CREATE TRIGGER mentor_sync_completed BEFORE INSERT ON public.job_runs FOR EACH ROW EXECUTE FUNCTION private.complete_run();

CREATE TRIGGER mentor_sync_counted_deleted AFTER DELETE ON public.matches REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.matches_changed();

CREATE TRIGGER mentor_sync_counted_inserted AFTER INSERT ON public.matches REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.matches_changed();

CREATE TRIGGER mentor_sync_counted_updated AFTER UPDATE ON public.matches REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.matches_changed();

CREATE TRIGGER mentor_sync_edited BEFORE UPDATE ON public.job_schedules FOR EACH ROW WHEN (((((((((((((((old.cron IS DISTINCT FROM new.cron) OR (old.timezone IS DISTINCT FROM new.timezone)) OR (old.enabled IS DISTINCT FROM new.enabled)) OR (old.params IS DISTINCT FROM new.params)) OR (old.catch_up IS DISTINCT FROM new.catch_up)) OR (old.max_age_seconds IS DISTINCT FROM new.max_age_seconds)) OR (old.coalesce_slots IS DISTINCT FROM new.coalesce_slots)) OR (old.max_concurrent IS DISTINCT FROM new.max_concurrent)) OR (old.jitter_seconds IS DISTINCT FROM new.jitter_seconds)) OR (old.timeout_seconds IS DISTINCT FROM new.timeout_seconds)) OR (old.lease_seconds IS DISTINCT FROM new.lease_seconds)) OR (old.max_attempts IS DISTINCT FROM new.max_attempts)) OR (old.max_change_ratio IS DISTINCT FROM new.max_change_ratio)) OR (old.keep_days IS DISTINCT FROM new.keep_days))) EXECUTE FUNCTION private.schedule_edited();

CREATE TRIGGER mentor_sync_events_inserted AFTER INSERT ON public.matches REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.log_match_events();

CREATE TRIGGER mentor_sync_events_updated AFTER UPDATE ON public.matches REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.log_match_events();

CREATE TRIGGER mentor_sync_forgotten AFTER DELETE ON public.job_runs REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.forget_changes();

CREATE TRIGGER mentor_sync_gone AFTER DELETE ON public.mentorship_sessions FOR EACH ROW WHEN ((old.status = 'SCHEDULED'::text)) EXECUTE FUNCTION private.session_changed();

CREATE TRIGGER mentor_sync_held_inserted AFTER INSERT ON public.mentorship_sessions REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.meetings_held();

CREATE TRIGGER mentor_sync_held_updated AFTER UPDATE ON public.mentorship_sessions REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.meetings_held();

CREATE TRIGGER mentor_sync_inserted AFTER INSERT ON public.members REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.members_changed();

CREATE TRIGGER mentor_sync_inserted AFTER INSERT ON public.users_user REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.accounts_changed();

CREATE TRIGGER mentor_sync_log_deleted AFTER DELETE ON public.mentors REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.log_changes('id', 'user_id', 'person_id', 'slug', 'bio', 'expertise', 'is_approved', 'is_active', 'rating', 'rating_count', 'total_sessions', 'version', 'capacity', 'availability', 'timezone', 'domain', 'experience_years', 'teaching_style', 'synced', 'created_at');

CREATE TRIGGER mentor_sync_log_deleted AFTER DELETE ON public.users REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.log_changes('id', 'email', 'full_name', 'role', 'status', 'auth_user_id', 'legacy_user_id', 'member_id', 'mentor_id', 'timezone', 'country', 'city', 'contact_preference', 'locale', 'created_at');

CREATE TRIGGER mentor_sync_log_inserted AFTER INSERT ON public.mentors REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.log_changes('id', 'user_id', 'person_id', 'slug', 'bio', 'expertise', 'is_approved', 'is_active', 'rating', 'rating_count', 'total_sessions', 'version', 'capacity', 'availability', 'timezone', 'domain', 'experience_years', 'teaching_style', 'synced', 'created_at');

CREATE TRIGGER mentor_sync_log_inserted AFTER INSERT ON public.users REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.log_changes('id', 'email', 'full_name', 'role', 'status', 'auth_user_id', 'legacy_user_id', 'member_id', 'mentor_id', 'timezone', 'country', 'city', 'contact_preference', 'locale', 'created_at');

CREATE TRIGGER mentor_sync_log_updated AFTER UPDATE ON public.mentors REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.log_changes('id', 'user_id', 'person_id', 'slug', 'bio', 'expertise', 'is_approved', 'is_active', 'rating', 'rating_count', 'total_sessions', 'version', 'capacity', 'availability', 'timezone', 'domain', 'experience_years', 'teaching_style', 'synced', 'created_at');

CREATE TRIGGER mentor_sync_log_updated AFTER UPDATE ON public.users REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.log_changes('id', 'email', 'full_name', 'role', 'status', 'auth_user_id', 'legacy_user_id', 'member_id', 'mentor_id', 'timezone', 'country', 'city', 'contact_preference', 'locale', 'created_at');

CREATE TRIGGER mentor_sync_mailed AFTER INSERT ON public.job_alerts FOR EACH ROW EXECUTE FUNCTION private.mail_alert();

CREATE TRIGGER mentor_sync_questions AFTER INSERT OR DELETE OR UPDATE ON public.term_aliases FOR EACH ROW EXECUTE FUNCTION private.question_alias_changed();

CREATE TRIGGER mentor_sync_rated_deleted AFTER DELETE ON public.mentorship_feedback REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.feedback_changed();

CREATE TRIGGER mentor_sync_rated_inserted AFTER INSERT ON public.mentorship_feedback REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.feedback_changed();

CREATE TRIGGER mentor_sync_rated_updated AFTER UPDATE ON public.mentorship_feedback REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.feedback_changed();

CREATE TRIGGER mentor_sync_rescheduled AFTER UPDATE ON public.mentorship_sessions FOR EACH ROW WHEN (((old.calendar_sequence <> new.calendar_sequence) OR (old.status <> new.status))) EXECUTE FUNCTION private.session_changed();

CREATE TRIGGER mentor_sync_scheduled AFTER INSERT ON public.mentorship_sessions FOR EACH ROW WHEN ((new.status = 'SCHEDULED'::text)) EXECUTE FUNCTION private.session_changed();

CREATE TRIGGER mentor_sync_seen_to AFTER UPDATE ON public.job_runs FOR EACH ROW WHEN (((old.status = ANY (ARRAY['failed'::text, 'dead'::text, 'awaiting_approval'::text])) AND (old.status IS DISTINCT FROM new.status))) EXECUTE FUNCTION private.run_was_seen_to();

CREATE TRIGGER mentor_sync_sequence BEFORE UPDATE ON public.mentorship_sessions FOR EACH ROW WHEN ((((old.status <> 'SCHEDULED'::text) AND (new.status = 'SCHEDULED'::text)) OR ((old.status = 'SCHEDULED'::text) AND (((((((((old.scheduled_at IS DISTINCT FROM new.scheduled_at) OR (old.ends_at IS DISTINCT FROM new.ends_at)) OR (old.session_duration_minutes IS DISTINCT FROM new.session_duration_minutes)) OR (old.meeting_url IS DISTINCT FROM new.meeting_url)) OR (old.title IS DISTINCT FROM new.title)) OR (old.mentor_id IS DISTINCT FROM new.mentor_id)) OR (old.user_id IS DISTINCT FROM new.user_id)) OR (old.is_deleted IS DISTINCT FROM new.is_deleted)) OR (new.status = ANY (ARRAY['PENDING'::text, 'CANCELLED'::text])))))) EXECUTE FUNCTION private.count_calendar_change();

CREATE TRIGGER mentor_sync_settled BEFORE UPDATE ON public.job_runs FOR EACH ROW WHEN (((old.status IS DISTINCT FROM new.status) OR (old.approved <> new.approved))) EXECUTE FUNCTION private.settle_run();

CREATE TRIGGER mentor_sync_settled BEFORE INSERT OR UPDATE OF topics, terms ON public.quick_questions FOR EACH ROW EXECUTE FUNCTION private.settle_question();

CREATE TRIGGER mentor_sync_settled BEFORE INSERT OR UPDATE OF alias, term ON public.term_aliases FOR EACH ROW EXECUTE FUNCTION private.settle_alias();

CREATE TRIGGER mentor_sync_settled_inserted AFTER INSERT ON public.match_weights REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.settle_weights();

CREATE TRIGGER mentor_sync_settled_updated AFTER UPDATE ON public.match_weights REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.settle_weights();

CREATE TRIGGER mentor_sync_terms_deleted AFTER DELETE ON public.mentor_specializations REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION private.compared_changed('mentor_id', 'id');

CREATE TRIGGER mentor_sync_terms_inserted AFTER INSERT ON public.mentor_specializations REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.compared_changed('mentor_id', 'id');

CREATE TRIGGER mentor_sync_terms_inserted AFTER INSERT ON public.mentors REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.compared_changed('person_id', 'id');

CREATE TRIGGER mentor_sync_terms_inserted AFTER INSERT ON public.mentorship_profiles REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.compared_changed('user_id', 'user_id');

CREATE TRIGGER mentor_sync_terms_updated AFTER UPDATE ON public.mentor_specializations REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.compared_changed('mentor_id', 'id', 'specialization');

CREATE TRIGGER mentor_sync_terms_updated AFTER UPDATE ON public.mentors REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.compared_changed('person_id', 'id', 'person_id', 'expertise', 'teaching_style', 'timezone');

CREATE TRIGGER mentor_sync_terms_updated AFTER UPDATE ON public.mentorship_profiles REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.compared_changed('user_id', 'user_id', 'role', 'career_goals', 'industries', 'research_interests', 'skills', 'channels', 'learning_style');

CREATE TRIGGER mentor_sync_terms_updated AFTER UPDATE ON public.users REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.compared_changed('id', 'id', 'timezone', 'country', 'city', 'contact_preference');

CREATE TRIGGER mentor_sync_touch BEFORE UPDATE ON public.contact_preferences FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION private.touch_updated_at();

CREATE TRIGGER mentor_sync_touch BEFORE UPDATE ON public.matches FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION private.touch_updated_at();

CREATE TRIGGER mentor_sync_touch BEFORE UPDATE ON public.mentors FOR EACH ROW WHEN (((((((((((((((old.slug IS DISTINCT FROM new.slug) OR (old.bio IS DISTINCT FROM new.bio)) OR (old.expertise IS DISTINCT FROM new.expertise)) OR (old.is_approved IS DISTINCT FROM new.is_approved)) OR (old.is_active IS DISTINCT FROM new.is_active)) OR (old.rating IS DISTINCT FROM new.rating)) OR (old.rating_count IS DISTINCT FROM new.rating_count)) OR (old.total_sessions IS DISTINCT FROM new.total_sessions)) OR (old.capacity IS DISTINCT FROM new.capacity)) OR (old.availability IS DISTINCT FROM new.availability)) OR (old.timezone IS DISTINCT FROM new.timezone)) OR (old.domain IS DISTINCT FROM new.domain)) OR (old.experience_years IS DISTINCT FROM new.experience_years)) OR (old.teaching_style IS DISTINCT FROM new.teaching_style))) EXECUTE FUNCTION private.touch_updated_at();

CREATE TRIGGER mentor_sync_touch BEFORE UPDATE ON public.mentorship_feedback FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION private.touch_updated_at();

CREATE TRIGGER mentor_sync_touch BEFORE UPDATE ON public.mentorship_profiles FOR EACH ROW WHEN (((old.* IS DISTINCT FROM new.*) AND (old.mentee_count = new.mentee_count))) EXECUTE FUNCTION private.touch_updated_at();

CREATE TRIGGER mentor_sync_touch BEFORE UPDATE ON public.mentorship_requests FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION private.touch_updated_at();

CREATE TRIGGER mentor_sync_touch BEFORE UPDATE ON public.mentorship_sessions FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION private.touch_updated_at();

CREATE TRIGGER mentor_sync_touch BEFORE UPDATE ON public.program_settings FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION private.touch_updated_at();

CREATE TRIGGER mentor_sync_touch BEFORE UPDATE ON public.quick_questions FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION private.touch_updated_at();

CREATE TRIGGER mentor_sync_touch BEFORE UPDATE ON public.users FOR EACH ROW WHEN (((((((((((old.email IS DISTINCT FROM new.email) OR (old.full_name IS DISTINCT FROM new.full_name)) OR (old.role IS DISTINCT FROM new.role)) OR (old.status IS DISTINCT FROM new.status)) OR (old.mentor_id IS DISTINCT FROM new.mentor_id)) OR (old.timezone IS DISTINCT FROM new.timezone)) OR (old.country IS DISTINCT FROM new.country)) OR (old.city IS DISTINCT FROM new.city)) OR (old.contact_preference IS DISTINCT FROM new.contact_preference)) OR (old.locale IS DISTINCT FROM new.locale))) EXECUTE FUNCTION private.touch_updated_at();

CREATE TRIGGER mentor_sync_unverify BEFORE UPDATE ON public.mentor_specializations FOR EACH ROW WHEN ((old.verified AND new.verified AND (((old.specialization IS DISTINCT FROM new.specialization) OR (old.proficiency_level IS DISTINCT FROM new.proficiency_level)) OR (old.certification_url IS DISTINCT FROM new.certification_url)))) EXECUTE FUNCTION private.unverify();

CREATE TRIGGER mentor_sync_updated AFTER UPDATE ON public.members REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.members_changed();

CREATE TRIGGER mentor_sync_updated AFTER UPDATE ON public.users_user REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION private.accounts_changed();

ALTER TABLE ONLY private.profile_terms
    ADD CONSTRAINT profile_terms_term_id_fkey FOREIGN KEY (term_id) REFERENCES public.match_terms(id);

ALTER TABLE ONLY private.profile_terms
    ADD CONSTRAINT profile_terms_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY private.stale_profiles
    ADD CONSTRAINT stale_profiles_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.blocked_pairs
    ADD CONSTRAINT blocked_pairs_blocked_by_fkey FOREIGN KEY (blocked_by) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.blocked_pairs
    ADD CONSTRAINT blocked_pairs_mentor_id_fkey FOREIGN KEY (mentor_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.blocked_pairs
    ADD CONSTRAINT blocked_pairs_student_id_fkey FOREIGN KEY (student_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.calendar_feeds
    ADD CONSTRAINT calendar_feeds_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact_hours
    ADD CONSTRAINT contact_hours_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.contact_preferences
    ADD CONSTRAINT contact_preferences_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.decline_reasons
    ADD CONSTRAINT decline_reasons_offer_id_fkey FOREIGN KEY (offer_id) REFERENCES public.match_offers(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.job_alerts
    ADD CONSTRAINT job_alerts_run_id_fkey FOREIGN KEY (run_id) REFERENCES public.job_runs(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.job_runs
    ADD CONSTRAINT job_runs_job_fkey FOREIGN KEY (job) REFERENCES public.job_schedules(job) ON UPDATE CASCADE;

ALTER TABLE ONLY public.match_batches
    ADD CONSTRAINT match_batches_request_id_fkey FOREIGN KEY (request_id) REFERENCES public.mentorship_requests(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.match_batches
    ADD CONSTRAINT match_batches_selected_by_fkey FOREIGN KEY (selected_by) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.match_batches
    ADD CONSTRAINT match_batches_student_id_fkey FOREIGN KEY (student_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.match_batches
    ADD CONSTRAINT match_batches_weights_version_fkey FOREIGN KEY (weights_version) REFERENCES public.match_weights(version);

ALTER TABLE ONLY public.match_events
    ADD CONSTRAINT match_events_actor_id_fkey FOREIGN KEY (actor_id) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.match_events
    ADD CONSTRAINT match_events_match_id_fkey FOREIGN KEY (match_id) REFERENCES public.matches(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.match_offers
    ADD CONSTRAINT match_offers_mentor_id_fkey FOREIGN KEY (mentor_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.match_offers
    ADD CONSTRAINT match_offers_of_batch FOREIGN KEY (batch_id, request_id, student_id) REFERENCES public.match_batches(id, request_id, student_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.match_surveys
    ADD CONSTRAINT match_surveys_match_id_fkey FOREIGN KEY (match_id) REFERENCES public.matches(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.match_surveys
    ADD CONSTRAINT match_surveys_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.matches
    ADD CONSTRAINT matches_mentor_id_fkey FOREIGN KEY (mentor_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.matches
    ADD CONSTRAINT matches_request_id_fkey FOREIGN KEY (request_id) REFERENCES public.mentorship_requests(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.matches
    ADD CONSTRAINT matches_student_id_fkey FOREIGN KEY (student_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.mentor_leaderboard
    ADD CONSTRAINT mentor_leaderboard_mentor_id_fkey FOREIGN KEY (mentor_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.mentor_specializations
    ADD CONSTRAINT mentor_specializations_mentor_id_fkey FOREIGN KEY (mentor_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.mentors
    ADD CONSTRAINT mentors_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.mentors
    ADD CONSTRAINT mentors_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users_user(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.mentorship_feedback
    ADD CONSTRAINT mentorship_feedback_about_id_fkey FOREIGN KEY (about_id) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.mentorship_feedback
    ADD CONSTRAINT mentorship_feedback_author_id_fkey FOREIGN KEY (author_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.mentorship_feedback
    ADD CONSTRAINT mentorship_feedback_match_id_fkey FOREIGN KEY (match_id) REFERENCES public.matches(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.mentorship_feedback
    ADD CONSTRAINT mentorship_feedback_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.mentorship_sessions(session_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.mentorship_profiles
    ADD CONSTRAINT mentorship_profiles_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.mentorship_requests
    ADD CONSTRAINT mentorship_requests_mentor_id_fkey FOREIGN KEY (mentor_id) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.mentorship_requests
    ADD CONSTRAINT mentorship_requests_student_id_fkey FOREIGN KEY (student_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.mentorship_resources
    ADD CONSTRAINT mentorship_resources_match_id_fkey FOREIGN KEY (match_id) REFERENCES public.matches(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.mentorship_resources
    ADD CONSTRAINT mentorship_resources_shared_by_fkey FOREIGN KEY (shared_by) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.mentorship_sessions
    ADD CONSTRAINT mentorship_sessions_logged_by_fkey FOREIGN KEY (logged_by) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.mentorship_sessions
    ADD CONSTRAINT mentorship_sessions_match_id_fkey FOREIGN KEY (match_id) REFERENCES public.matches(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.mentorship_sessions
    ADD CONSTRAINT mentorship_sessions_mentor_id_fkey FOREIGN KEY (mentor_id) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.mentorship_sessions
    ADD CONSTRAINT mentorship_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.message_answers
    ADD CONSTRAINT message_answers_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.message_outbox
    ADD CONSTRAINT message_outbox_claimed_by_fkey FOREIGN KEY (claimed_by) REFERENCES public.job_runs(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.message_outbox
    ADD CONSTRAINT message_outbox_recipient_fkey FOREIGN KEY (recipient) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notifications
    ADD CONSTRAINT notifications_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.quick_questions
    ADD CONSTRAINT quick_questions_claimed_by_fkey FOREIGN KEY (claimed_by) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.quick_questions
    ADD CONSTRAINT quick_questions_student_id_fkey FOREIGN KEY (student_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.undeliverable_addresses
    ADD CONSTRAINT undeliverable_addresses_message_id_fkey FOREIGN KEY (message_id) REFERENCES public.message_outbox(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_auth_user_id_fkey FOREIGN KEY (auth_user_id) REFERENCES auth.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_mentor_id_fkey FOREIGN KEY (mentor_id) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE private.signing_keys ENABLE ROW LEVEL SECURITY;

CREATE POLICY "Admins read the alerts" ON public.job_alerts FOR SELECT TO authenticated USING (( SELECT private.is_admin() AS is_admin));

CREATE POLICY "Admins read the blocked pairs" ON public.blocked_pairs FOR SELECT TO authenticated USING (( SELECT private.is_admin() AS is_admin));

CREATE POLICY "Admins read the changes" ON public.job_changes FOR SELECT TO authenticated USING (( SELECT private.is_admin() AS is_admin));

CREATE POLICY "Admins read the rejects" ON public.sync_rejects FOR SELECT TO authenticated USING (( SELECT private.is_admin() AS is_admin));

CREATE POLICY "Admins read the runs" ON public.job_runs FOR SELECT TO authenticated USING (( SELECT private.is_admin() AS is_admin));

CREATE POLICY "Admins read the schedules" ON public.job_schedules FOR SELECT TO authenticated USING (( SELECT private.is_admin() AS is_admin));

CREATE POLICY "Admins read who was asked" ON public.match_surveys FOR SELECT TO authenticated USING (( SELECT private.is_admin() AS is_admin));

CREATE POLICY "Authors read theirs, the other side what is shared, admins all" ON public.mentorship_feedback FOR SELECT TO authenticated USING (((author_id = ( SELECT private.current_user_id() AS current_user_id)) OR (is_shared AND (about_id = ( SELECT private.current_user_id() AS current_user_id))) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "Both sides of a match read its resources, admins all" ON public.mentorship_resources FOR SELECT TO authenticated USING (((match_id = ANY (( SELECT private.matches_of_caller(false) AS matches_of_caller)::uuid[])) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "Both sides of a match share resources while it goes on" ON public.mentorship_resources FOR INSERT TO authenticated WITH CHECK (((shared_by = ( SELECT private.current_user_id() AS current_user_id)) AND (match_id = ANY (( SELECT private.matches_of_caller(true) AS matches_of_caller)::uuid[]))));

CREATE POLICY "Both sides read their matches, admins all" ON public.matches FOR SELECT TO authenticated USING (((student_id = ( SELECT private.current_user_id() AS current_user_id)) OR (mentor_id = ( SELECT private.current_user_id() AS current_user_id)) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "Both sides read their sessions, admins all" ON public.mentorship_sessions FOR SELECT TO authenticated USING (((((mentor_id = ( SELECT private.current_user_id() AS current_user_id)) OR (user_id = ( SELECT private.current_user_id() AS current_user_id))) AND (NOT is_deleted)) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "Both sides read what became of their matches, admins all" ON public.match_events FOR SELECT TO authenticated USING ((EXISTS ( SELECT
   FROM public.matches m
  WHERE (m.id = match_events.match_id))));

CREATE POLICY "Mentors add their own specialisations" ON public.mentor_specializations FOR INSERT TO authenticated WITH CHECK (((mentor_id = ( SELECT private.current_user_id() AS current_user_id)) AND ( SELECT private.is_mentor() AS is_mentor)));

CREATE POLICY "Mentors change their own row" ON public.mentors FOR UPDATE TO authenticated USING ((person_id = ( SELECT private.current_user_id() AS current_user_id))) WITH CHECK ((person_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "Mentors change their own specialisations" ON public.mentor_specializations FOR UPDATE TO authenticated USING ((mentor_id = ( SELECT private.current_user_id() AS current_user_id))) WITH CHECK ((mentor_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "Mentors read the reasons that they gave, admins all" ON public.decline_reasons FOR SELECT TO authenticated USING (((EXISTS ( SELECT
   FROM public.match_offers o
  WHERE ((o.id = decline_reasons.offer_id) AND (o.mentor_id = ( SELECT private.current_user_id() AS current_user_id))))) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "Mentors read their own row, admins every row" ON public.mentors FOR SELECT TO authenticated USING (((person_id = ( SELECT private.current_user_id() AS current_user_id)) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "Mentors read their own specialisations, admins all" ON public.mentor_specializations FOR SELECT TO authenticated USING (((mentor_id = ( SELECT private.current_user_id() AS current_user_id)) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "Mentors remove their own specialisations" ON public.mentor_specializations FOR DELETE TO authenticated USING ((mentor_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People add their own preferences" ON public.contact_preferences FOR INSERT TO authenticated WITH CHECK ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People add their own quiet hours" ON public.contact_hours FOR INSERT TO authenticated WITH CHECK ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People change their own preferences" ON public.contact_preferences FOR UPDATE TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id))) WITH CHECK ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People change their own quiet hours" ON public.contact_hours FOR UPDATE TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id))) WITH CHECK ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People change their own row" ON public.users FOR UPDATE TO authenticated USING ((id = ( SELECT private.current_user_id() AS current_user_id))) WITH CHECK ((id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People drop their own preferences" ON public.contact_preferences FOR DELETE TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People drop their own quiet hours" ON public.contact_hours FOR DELETE TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People end their own calendar" ON public.calendar_feeds FOR DELETE TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People mark their own notifications as read" ON public.notifications FOR UPDATE TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id))) WITH CHECK ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People of the programme read the aliases" ON public.term_aliases FOR SELECT TO authenticated USING ((( SELECT private.current_user_id() AS current_user_id) IS NOT NULL));

CREATE POLICY "People of the programme read the vocabulary, admins every term" ON public.match_terms FOR SELECT TO authenticated USING (((is_known AND (( SELECT private.current_user_id() AS current_user_id) IS NOT NULL)) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "People of the programme read the weights" ON public.match_weights FOR SELECT TO authenticated USING ((( SELECT private.current_user_id() AS current_user_id) IS NOT NULL));

CREATE POLICY "People read their own answers, admins all" ON public.message_answers FOR SELECT TO authenticated USING (((user_id = ( SELECT private.current_user_id() AS current_user_id)) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "People read their own notifications" ON public.notifications FOR SELECT TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People read their own preferences" ON public.contact_preferences FOR SELECT TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People read their own profile and those of their matches" ON public.mentorship_profiles FOR SELECT TO authenticated USING (((user_id = ( SELECT private.current_user_id() AS current_user_id)) OR (user_id = ANY (( SELECT private.connected_people() AS connected_people)::uuid[])) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "People read their own quiet hours" ON public.contact_hours FOR SELECT TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People read their own secret" ON public.calendar_feeds FOR SELECT TO authenticated USING ((user_id = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "People read their questions, mentors the open ones, admins all" ON public.quick_questions FOR SELECT TO authenticated USING (((student_id = ( SELECT private.current_user_id() AS current_user_id)) OR (claimed_by = ( SELECT private.current_user_id() AS current_user_id)) OR ((status = 'open'::text) AND ( SELECT private.answers_questions() AS answers_questions) AND (student_id <> ALL (( SELECT private.blocked_students() AS blocked_students)::uuid[]))) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "People read themselves and their matches, admins everybody" ON public.users FOR SELECT TO authenticated USING (((id = ( SELECT private.current_user_id() AS current_user_id)) OR (id = ANY (( SELECT private.matched_people() AS matched_people)::uuid[])) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "People take back what they shared" ON public.mentorship_resources FOR DELETE TO authenticated USING ((shared_by = ( SELECT private.current_user_id() AS current_user_id)));

CREATE POLICY "Signed-in people read the leaderboard" ON public.mentor_leaderboard FOR SELECT TO authenticated USING (true);

CREATE POLICY "Students and mentors read their own offers, admins all" ON public.match_offers FOR SELECT TO authenticated USING (((student_id = ( SELECT private.current_user_id() AS current_user_id)) OR (mentor_id = ( SELECT private.current_user_id() AS current_user_id)) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "Students read their own batches, admins all" ON public.match_batches FOR SELECT TO authenticated USING (((student_id = ( SELECT private.current_user_id() AS current_user_id)) OR ( SELECT private.is_admin() AS is_admin)));

CREATE POLICY "Students read their own, mentors those offered, admins all" ON public.mentorship_requests FOR SELECT TO authenticated USING (((student_id = ( SELECT private.current_user_id() AS current_user_id)) OR (id = ANY (( SELECT private.offered_requests() AS offered_requests)::uuid[])) OR ( SELECT private.is_admin() AS is_admin)));

ALTER TABLE public.blocked_pairs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.calendar_feeds ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contact_hours ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.contact_preferences ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.decline_reasons ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.job_alerts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.job_changes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.job_runs ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.job_schedules ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.match_batches ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.match_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.match_offers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.match_surveys ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.match_terms ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.match_weights ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.matches ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.members ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mentor_leaderboard ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mentor_specializations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mentors ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mentorship_feedback ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mentorship_profiles ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mentorship_requests ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mentorship_resources ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mentorship_sessions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.message_answers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.message_outbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.notifications ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.program_settings ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.quick_questions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.sync_rejects ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.term_aliases ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.undeliverable_addresses ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.users_user ENABLE ROW LEVEL SECURITY;

GRANT USAGE ON SCHEMA private TO PUBLIC;

REVOKE ALL ON FUNCTION private.accounts_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.add_counts(p_left jsonb, p_right jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.alias_changed() FROM PUBLIC;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.match_weights TO service_role;
GRANT SELECT ON TABLE public.match_weights TO authenticated;

REVOKE ALL ON FUNCTION private.allowed_mentors(p_student_id uuid, p_weights public.match_weights) FROM PUBLIC;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.matches TO service_role;

GRANT SELECT(id) ON TABLE public.matches TO authenticated;

GRANT SELECT(student_id) ON TABLE public.matches TO authenticated;

GRANT SELECT(mentor_id) ON TABLE public.matches TO authenticated;

GRANT SELECT(role) ON TABLE public.matches TO authenticated;

GRANT SELECT(request_id) ON TABLE public.matches TO authenticated;

GRANT SELECT(status) ON TABLE public.matches TO authenticated;

GRANT SELECT(goals) ON TABLE public.matches TO authenticated;

GRANT SELECT(score) ON TABLE public.matches TO authenticated;

GRANT SELECT(breakdown) ON TABLE public.matches TO authenticated;

GRANT SELECT(started_at) ON TABLE public.matches TO authenticated;

GRANT SELECT(ended_at) ON TABLE public.matches TO authenticated;

GRANT SELECT(end_reason) ON TABLE public.matches TO authenticated;

GRANT SELECT(last_contact_at) ON TABLE public.matches TO authenticated;

GRANT SELECT(created_at) ON TABLE public.matches TO authenticated;

GRANT SELECT(updated_at) ON TABLE public.matches TO authenticated;

REVOKE ALL ON FUNCTION private.announce_change(p_old public.matches, p_new public.matches) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.announce_match(p_match public.matches, p_actor uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.announce_offers(p_run_id uuid, p_fence bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.announce_offers(p_run_id uuid, p_fence bigint, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION private.answer_message(p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.answer_message(p_token text) TO anon;
GRANT ALL ON FUNCTION private.answer_message(p_token text) TO authenticated;
GRANT ALL ON FUNCTION private.answer_message(p_token text) TO service_role;

REVOKE ALL ON FUNCTION private.answer_tokens(p_message_id uuid, p_data jsonb, p_created_at timestamp with time zone, p_expires_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION private.answer_tokens(p_message_id uuid, p_data jsonb, p_created_at timestamp with time zone, p_expires_at timestamp with time zone) TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.mentorship_requests TO service_role;
GRANT SELECT ON TABLE public.mentorship_requests TO authenticated;

REVOKE ALL ON FUNCTION private.answered_request(p_student_id uuid, p_request_id uuid, p_role text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.answers_questions() FROM PUBLIC;
GRANT ALL ON FUNCTION private.answers_questions() TO authenticated;

REVOKE ALL ON FUNCTION private.apply_members(p_ids uuid[], p_auto_approve boolean) FROM PUBLIC;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.quick_questions TO service_role;
GRANT SELECT ON TABLE public.quick_questions TO authenticated;

REVOKE ALL ON FUNCTION private.ask_mentors(p_question public.quick_questions) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.ask_surveys(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.asking_student() FROM PUBLIC;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.job_runs TO service_role;
GRANT SELECT ON TABLE public.job_runs TO authenticated;

REVOKE ALL ON FUNCTION private.assert_run(p_run_id uuid, p_fence bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION private.assert_run(p_run_id uuid, p_fence bigint) TO service_role;

REVOKE ALL ON FUNCTION private.assign_student(p_student_id uuid, p_mentor_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.assign_student(p_student_id uuid, p_mentor_id uuid) TO authenticated;
GRANT ALL ON FUNCTION private.assign_student(p_student_id uuid, p_mentor_id uuid) TO service_role;

REVOKE ALL ON FUNCTION private.assignment_settings() FROM PUBLIC;
GRANT ALL ON FUNCTION private.assignment_settings() TO service_role;

REVOKE ALL ON FUNCTION private.auth_user_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.auto_approve() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.batch_records(p_run_id uuid, p_request_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.because(p_actor uuid, p_reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.begin_alone(p_placing private."placing") FROM PUBLIC;

REVOKE ALL ON FUNCTION private.begin_match(p_student_id uuid, p_mentor_id uuid, p_role text, p_request_id uuid, p_goals text[], p_score numeric, p_breakdown jsonb, p_actor uuid, p_reason text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.begin_placings(p_pairs jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.begin_together(p_placings private."placing"[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.blocked_students() FROM PUBLIC;
GRANT ALL ON FUNCTION private.blocked_students() TO authenticated;

REVOKE ALL ON FUNCTION private.blocking_rule(p_student_id uuid, p_mentor_id uuid, p_request_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.calculate_match_score(p_student_id uuid, p_mentor_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.calculate_match_score(p_student_id uuid, p_mentor_id uuid) TO authenticated;
GRANT ALL ON FUNCTION private.calculate_match_score(p_student_id uuid, p_mentor_id uuid) TO service_role;

REVOKE ALL ON FUNCTION private.calendar_feed(p_token uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.calendar_feed(p_token uuid) TO anon;
GRANT ALL ON FUNCTION private.calendar_feed(p_token uuid) TO authenticated;
GRANT ALL ON FUNCTION private.calendar_feed(p_token uuid) TO service_role;

REVOKE ALL ON FUNCTION private.cancel_question(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.cancel_question(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION private.cancel_request(p_request_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.cancel_request(p_request_id uuid) TO authenticated;
GRANT ALL ON FUNCTION private.cancel_request(p_request_id uuid) TO service_role;

REVOKE ALL ON FUNCTION private.capacity_of(p_mentor_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.capacity_stats() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.change_log_kept() FROM PUBLIC;
GRANT ALL ON FUNCTION private.change_log_kept() TO service_role;

REVOKE ALL ON FUNCTION private.change_match(p_match_id uuid, p_from text[], p_to text, p_reason text, p_actor uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.change_run(p_run_id uuid, p_to text, p_from text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.change_run(p_run_id uuid, p_to text, p_from text[]) TO service_role;

REVOKE ALL ON FUNCTION private.channel_for(p_user_id uuid, p_kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.channel_for(p_user_id uuid, p_kind text) TO service_role;

REVOKE ALL ON FUNCTION private.check_deferred() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.check_match_health(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION private.check_match_health(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean) TO service_role;

REVOKE ALL ON FUNCTION private.check_overrides(p_overrides jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.claim_question(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.claim_question(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION private.close_request(p_request_id uuid, p_status text, p_mentor_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.compared_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.complete_match(p_match_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.complete_match(p_match_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION private.complete_match(p_match_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION private.complete_question(p_id uuid, p_answer text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.complete_question(p_id uuid, p_answer text) TO authenticated;

REVOKE ALL ON FUNCTION private.complete_run() FROM PUBLIC;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.term_aliases TO service_role;
GRANT SELECT ON TABLE public.term_aliases TO authenticated;

REVOKE ALL ON FUNCTION private.confirm_alias(p_alias text, p_term text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.confirm_alias(p_alias text, p_term text) TO authenticated;
GRANT ALL ON FUNCTION private.confirm_alias(p_alias text, p_term text) TO service_role;

REVOKE ALL ON FUNCTION private.connected_people() FROM PUBLIC;
GRANT ALL ON FUNCTION private.connected_people() TO authenticated;

REVOKE ALL ON FUNCTION private.count_calendar_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.count_mentees(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.country_rates(p_least integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.country_rates(p_least integer) TO service_role;

REVOKE ALL ON FUNCTION private.create_manual_match(p_student_id uuid, p_mentor_id uuid, p_role text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.create_manual_match(p_student_id uuid, p_mentor_id uuid, p_role text, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION private.create_manual_match(p_student_id uuid, p_mentor_id uuid, p_role text, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION private.create_notification(p_user_id uuid, p_type text, p_title text, p_message text, p_metadata jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION private.create_notification(p_user_id uuid, p_type text, p_title text, p_message text, p_metadata jsonb) TO authenticated;
GRANT ALL ON FUNCTION private.create_notification(p_user_id uuid, p_type text, p_title text, p_message text, p_metadata jsonb) TO service_role;

REVOKE ALL ON FUNCTION private.current_user_id() FROM PUBLIC;
GRANT ALL ON FUNCTION private.current_user_id() TO authenticated;
GRANT ALL ON FUNCTION private.current_user_id() TO service_role;

REVOKE ALL ON FUNCTION private.current_weights() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.day_name(p_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.day_of(p_match public.matches, p_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.days_since(p_at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.decimal_setting(p_key text, p_default numeric) FROM PUBLIC;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.match_offers TO service_role;

GRANT SELECT(id) ON TABLE public.match_offers TO authenticated;

GRANT SELECT(request_id) ON TABLE public.match_offers TO authenticated;

GRANT SELECT(student_id) ON TABLE public.match_offers TO authenticated;

GRANT SELECT(mentor_id) ON TABLE public.match_offers TO authenticated;

GRANT SELECT(units) ON TABLE public.match_offers TO authenticated;

GRANT SELECT(score) ON TABLE public.match_offers TO authenticated;

GRANT SELECT(confidence) ON TABLE public.match_offers TO authenticated;

GRANT SELECT(breakdown) ON TABLE public.match_offers TO authenticated;

GRANT SELECT(reasons) ON TABLE public.match_offers TO authenticated;

GRANT SELECT(status) ON TABLE public.match_offers TO authenticated;

GRANT SELECT(answered_at) ON TABLE public.match_offers TO authenticated;

GRANT SELECT(announced_at) ON TABLE public.match_offers TO authenticated;

GRANT SELECT(created_at) ON TABLE public.match_offers TO authenticated;

REVOKE ALL ON FUNCTION private.decline_offer(p_offer_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.decline_offer(p_offer_id uuid, p_reason text) TO authenticated;

REVOKE ALL ON FUNCTION private.departure(p_mentor text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.departure(p_mentor text) TO service_role;

REVOKE ALL ON FUNCTION private.departures(OUT stopping bigint, OUT active bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.departures_allowed(p_active bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.derive_profiles(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.directory_page(p_expertise text, p_limit integer, p_offset bigint, OUT ids uuid[], OUT total bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION private.directory_page(p_expertise text, p_limit integer, p_offset bigint, OUT ids uuid[], OUT total bigint) TO anon;
GRANT ALL ON FUNCTION private.directory_page(p_expertise text, p_limit integer, p_offset bigint, OUT ids uuid[], OUT total bigint) TO authenticated;
GRANT ALL ON FUNCTION private.directory_page(p_expertise text, p_limit integer, p_offset bigint, OUT ids uuid[], OUT total bigint) TO service_role;

REVOKE ALL ON FUNCTION private.dissolve_match(p_match_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.dissolve_match(p_match_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION private.dissolve_match(p_match_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION private.due_messages(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.due_messages(p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION private.due_surveys(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.end_match(p_match_id uuid, p_status text, p_reason text, p_actor uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.end_questions(p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.escalate(p_changes private.health_change[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.expire_offers(p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.expire_questions(p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.expire_requests(p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.expire_stale(p_run_id uuid, p_fence bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.expire_stale(p_run_id uuid, p_fence bigint, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION private.explain_match(p_student_id uuid, p_mentor_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.explain_match(p_student_id uuid, p_mentor_id uuid) TO authenticated;
GRANT ALL ON FUNCTION private.explain_match(p_student_id uuid, p_mentor_id uuid) TO service_role;

REVOKE ALL ON FUNCTION private.feedback_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.feedback_stats(p_since timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.find_mentor(p_mentor text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.follow_primary(p_students uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.forbidden_pairs(p_students uuid[], p_requests uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.forbidden_then(p_batch_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.forget_changes() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.forget_departed(p_after uuid, p_until uuid, p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.forget_stale(p_noted bigint[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.get_all_matches(p_status text, p_mentor_id uuid, p_student_id uuid, p_health text, p_search text, p_role text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.get_all_matches(p_status text, p_mentor_id uuid, p_student_id uuid, p_health text, p_search text, p_role text) TO authenticated;
GRANT ALL ON FUNCTION private.get_all_matches(p_status text, p_mentor_id uuid, p_student_id uuid, p_health text, p_search text, p_role text) TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users TO service_role;
GRANT SELECT ON TABLE public.users TO authenticated;

GRANT UPDATE(full_name) ON TABLE public.users TO authenticated;

GRANT UPDATE(timezone) ON TABLE public.users TO authenticated;

GRANT UPDATE(country) ON TABLE public.users TO authenticated;

GRANT UPDATE(city) ON TABLE public.users TO authenticated;

GRANT UPDATE(contact_preference) ON TABLE public.users TO authenticated;

GRANT UPDATE(locale) ON TABLE public.users TO authenticated;

GRANT SELECT ON TABLE public.v_at_risk_matches TO service_role;

REVOKE ALL ON FUNCTION private.get_at_risk_matches() FROM PUBLIC;
GRANT ALL ON FUNCTION private.get_at_risk_matches() TO authenticated;
GRANT ALL ON FUNCTION private.get_at_risk_matches() TO service_role;

REVOKE ALL ON FUNCTION private.get_dashboard_stats(p_days integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.get_dashboard_stats(p_days integer) TO authenticated;
GRANT ALL ON FUNCTION private.get_dashboard_stats(p_days integer) TO service_role;

REVOKE ALL ON FUNCTION private.get_leaderboard(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.get_leaderboard(p_limit integer) TO authenticated;
GRANT ALL ON FUNCTION private.get_leaderboard(p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION private.get_matches() FROM PUBLIC;
GRANT ALL ON FUNCTION private.get_matches() TO authenticated;

REVOKE ALL ON FUNCTION private.get_open_questions(p_topics text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.get_open_questions(p_topics text[]) TO authenticated;
GRANT ALL ON FUNCTION private.get_open_questions(p_topics text[]) TO service_role;

REVOKE ALL ON FUNCTION private.get_specialization_report() FROM PUBLIC;
GRANT ALL ON FUNCTION private.get_specialization_report() TO authenticated;
GRANT ALL ON FUNCTION private.get_specialization_report() TO service_role;

REVOKE ALL ON FUNCTION private.get_specializations(p_mentor_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.get_specializations(p_mentor_id uuid) TO authenticated;
GRANT ALL ON FUNCTION private.get_specializations(p_mentor_id uuid) TO service_role;

REVOKE ALL ON FUNCTION private.hash_of_rest(p_row jsonb, p_logged text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.health_changes(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.health_part(p_part text, p_share numeric, p_of integer, p_why text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.health_parts(p_signs private.match_signs, p_silence integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.held_back(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.hmac_pad(p_key bytea, p_byte integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.holders_of(p_session_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.hours_apart(p_zone text, p_other text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.hours_between(p_from timestamp with time zone, p_until timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_admin() FROM PUBLIC;
GRANT ALL ON FUNCTION private.is_admin() TO authenticated;
GRANT ALL ON FUNCTION private.is_admin() TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.mentorship_profiles TO service_role;
GRANT SELECT ON TABLE public.mentorship_profiles TO authenticated;

REVOKE ALL ON FUNCTION private.is_as_derived(p_profile public.mentorship_profiles) FROM PUBLIC;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.mentorship_feedback TO service_role;
GRANT SELECT ON TABLE public.mentorship_feedback TO authenticated;

REVOKE ALL ON FUNCTION private.is_contact(p_feedback public.mentorship_feedback) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_known_term(p_term text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_mentor() FROM PUBLIC;
GRANT ALL ON FUNCTION private.is_mentor() TO authenticated;

REVOKE ALL ON FUNCTION private.is_mentor_type(p_membershiptype text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.is_mentor_type(p_membershiptype text) TO service_role;

REVOKE ALL ON FUNCTION private.is_named(p_search text, p_person public.users) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_rows_fault(p_code text, p_context text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_signed_by(p_key text, p_headers jsonb, p_body text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_student_now(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.is_undo() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.judged_placings(p_pairs jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.keep_feedback(p_match public.matches, p_author uuid, p_rating integer, p_comment text, p_type text, p_period integer, p_session_id uuid, p_is_shared boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.keep_health(p_changes private.health_change[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.keep_progress(p_run public.job_runs, p_after uuid, p_cursor uuid, p_read integer, p_done boolean, p_counts jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.keep_rejects(p_ids uuid[], p_outcomes private.sync_outcome[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.keep_terms(p_terms text[], p_labels text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.kind_enabled(p_kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.kind_enabled(p_kind text) TO service_role;

REVOKE ALL ON FUNCTION private.known_phrases(p_normalised text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.known_zone(p_zone text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.known_zone(p_zone text) TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.mentor_leaderboard TO service_role;
GRANT SELECT ON TABLE public.mentor_leaderboard TO authenticated;

REVOKE ALL ON FUNCTION private.leaderboard() FROM PUBLIC;
GRANT ALL ON FUNCTION private.leaderboard() TO service_role;

REVOKE ALL ON FUNCTION private.leaderboard_points(p_questions bigint, p_stars bigint, p_sessions bigint, p_matches bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION private.leaderboard_points(p_questions bigint, p_stars bigint, p_sessions bigint, p_matches bigint) TO service_role;

REVOKE ALL ON FUNCTION private.limit_waits(p_deadline timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.link_auth_users(p_addresses text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.location_terms(p_country text, p_city text, p_zone text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.lock_mentors(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.lock_offer(p_offer_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.lock_placings(p_students uuid[], p_mentors uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.lock_student(p_student_id uuid, p_request_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.log_changes() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.log_match_events() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.log_meeting(p_match_id uuid, p_held_at timestamp with time zone, p_minutes integer, p_format text, p_notes text, p_action_items jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION private.log_meeting(p_match_id uuid, p_held_at timestamp with time zone, p_minutes integer, p_format text, p_notes text, p_action_items jsonb) TO authenticated;

REVOKE ALL ON FUNCTION private.mail_alert() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.make_batches(p_run_id uuid, p_batches jsonb, p_weights_version integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.match_batch() FROM PUBLIC;
GRANT ALL ON FUNCTION private.match_batch() TO authenticated;

REVOKE ALL ON FUNCTION private.match_health(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.match_mail(p_match public.matches, p_person uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.match_reasons(p_breakdown jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.match_stats(p_since timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.matched_people() FROM PUBLIC;
GRANT ALL ON FUNCTION private.matched_people() TO authenticated;

REVOKE ALL ON FUNCTION private.matches_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.matches_of_caller(p_running boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION private.matches_of_caller(p_running boolean) TO authenticated;

REVOKE ALL ON FUNCTION private.matching_settings() FROM PUBLIC;
GRANT ALL ON FUNCTION private.matching_settings() TO service_role;

REVOKE ALL ON FUNCTION private.may_see_score(p_student_id uuid, p_mentor_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.meaning_of(p_term text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.meaning_of(p_term text) TO service_role;

REVOKE ALL ON FUNCTION private.meeting_terms(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.meetings_held() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.member_hash(p_area text, p_industry text, p_skills text, p_occupation text, p_jobtitle text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.members_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.members_page(p_after uuid, p_limit integer, p_email text, p_only_rejected boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.mentor_bio(p_experience text, p_occupation text, p_jobtitle text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.mentor_directory(p_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.mentor_directory(p_ids uuid[]) TO anon;
GRANT ALL ON FUNCTION private.mentor_directory(p_ids uuid[]) TO authenticated;
GRANT ALL ON FUNCTION private.mentor_directory(p_ids uuid[]) TO service_role;

REVOKE ALL ON FUNCTION private.mentor_edited() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.mentor_expertise(p_area text, p_industry text, p_skills text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.mentor_left(p_match public.matches) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.mentor_members_with(p_addresses text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.mentor_states(p_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.mentor_states(p_ids uuid[]) TO service_role;

REVOKE ALL ON FUNCTION private.mentor_wishes(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.mentors_for_question(p_question public.quick_questions) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.mentors_to_assign(p_after uuid, p_limit integer, p_full boolean, p_without uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.mentors_to_assign(p_after uuid, p_limit integer, p_full boolean, p_without uuid) TO service_role;

REVOKE ALL ON FUNCTION private.mentors_to_match(p_after uuid, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.mentors_to_match(p_after uuid, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION private.next_runs(p_limit integer, p_jobs text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.next_runs(p_limit integer, p_jobs text[]) TO service_role;

REVOKE ALL ON FUNCTION private.next_step(p_step integer, p_began timestamp with time zone, p_deadline timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.normalise_term(p_text text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.normalise_term(p_text text) TO service_role;

REVOKE ALL ON FUNCTION private.note_contact(p_matches uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.note_stale(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.note_stale_members(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.note_undeliverable(p_event jsonb, p_status text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.notify_in_app(p_recipient uuid, p_kind text, p_data jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION private.notify_in_app(p_recipient uuid, p_kind text, p_data jsonb) TO service_role;

REVOKE ALL ON FUNCTION private.number_setting(p_key text, p_default integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.number_setting(p_key text, p_default integer) TO service_role;

REVOKE ALL ON FUNCTION private.offer_stats(p_since timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.offered_people() FROM PUBLIC;
GRANT ALL ON FUNCTION private.offered_people() TO authenticated;

REVOKE ALL ON FUNCTION private.offered_requests() FROM PUBLIC;
GRANT ALL ON FUNCTION private.offered_requests() TO authenticated;

REVOKE ALL ON FUNCTION private.open_jobs(p_jobs text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.open_jobs(p_jobs text[]) TO service_role;

REVOKE ALL ON FUNCTION private.outcome_counts(p_outcomes private.sync_outcome[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.outcome_records(p_outcomes private.sync_outcome[], p_most integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.outcomes(p_alive_days integer, p_good_rating numeric) FROM PUBLIC;
GRANT ALL ON FUNCTION private.outcomes(p_alive_days integer, p_good_rating numeric) TO service_role;

REVOKE ALL ON FUNCTION private.own_match(p_match_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.packed_mentors(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.packed_people(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.packed_requests(p_request_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.packed_students(p_students uuid[], p_requests uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.packed_terms(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.page_url(p_path text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.pair_blocked() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.pair_rules(p_students uuid[], p_mentors uuid[], p_requests uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.part_of(p_part bigint, p_whole bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.pause_match(p_match_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.pause_match(p_match_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION private.pause_match(p_match_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION private.pieces_of(p_texts text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.placing_counts(p_placings private."placing"[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.placing_records(p_placings private."placing"[], p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.pointless_offers(p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.post_question(p_title text, p_question text, p_topics text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.post_question(p_title text, p_question text, p_topics text[]) TO authenticated;

REVOKE ALL ON FUNCTION private.primary_match(p_student_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.profile_lists(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.profile_owner(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.question_alias_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.question_stats(p_since timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_check_ins(p_changes private.health_change[]) FROM PUBLIC;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.mentorship_sessions TO service_role;
GRANT SELECT ON TABLE public.mentorship_sessions TO authenticated;

REVOKE ALL ON FUNCTION private.queue_invitation(p_session public.mentorship_sessions, p_person uuid, p_other uuid, p_change text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_offers(p_offer_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_reminders(p_session public.mentorship_sessions, p_person uuid, p_other uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_session_mail(p_was public.mentorship_sessions, p_session public.mentorship_sessions, p_stands boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.queue_surveys(p_user_id uuid, p_surveys jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.quiet_until(p_now timestamp with time zone, p_zone text, p_from time without time zone, p_until time without time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION private.quiet_until(p_now timestamp with time zone, p_zone text, p_from time without time zone, p_until time without time zone) TO service_role;

REVOKE ALL ON FUNCTION private.ranked_mentors(p_student_id uuid, p_weights public.match_weights) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.rate_question(p_id uuid, p_rating integer, p_comment text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.rate_question(p_id uuid, p_rating integer, p_comment text) TO authenticated;

REVOKE ALL ON FUNCTION private.read_action_items(p_items jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.receive_resend_event(p_body text, p_headers jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION private.receive_resend_event(p_body text, p_headers jsonb) TO anon;
GRANT ALL ON FUNCTION private.receive_resend_event(p_body text, p_headers jsonb) TO authenticated;
GRANT ALL ON FUNCTION private.receive_resend_event(p_body text, p_headers jsonb) TO service_role;

REVOKE ALL ON FUNCTION private.recommend_mentors(p_student_id uuid, p_k integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.recommend_mentors(p_student_id uuid, p_k integer) TO authenticated;
GRANT ALL ON FUNCTION private.recommend_mentors(p_student_id uuid, p_k integer) TO service_role;

REVOKE ALL ON FUNCTION private.referring_expression(p_relation regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refresh_profiles(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refresh_ratings(p_mentors uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refresh_stale(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.refresh_stale_profiles(p_run_id uuid, p_fence bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.refresh_stale_profiles(p_run_id uuid, p_fence bigint, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION private.refuse_question(p_id uuid, p_what text, p_hint text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.reject_quietly(p_ids uuid[], p_reason text, p_code text, p_deadline timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.release_question(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.release_question(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION private.reopen_exhausted(p_batches uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.reopen_questions(p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.reopen_request(p_match public.matches) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.replace_mentor(p_student_id uuid, p_mentor_id uuid, p_reason text, p_actor uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.replay_inputs(p_batch_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.replay_inputs(p_batch_ids uuid[]) TO service_role;

REVOKE ALL ON FUNCTION private.replayed_mentors(p_batch_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.replayed_requests(p_batch_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.request_mentor(p_message text, p_focus_areas text[], p_goals text[], p_mentor_id uuid, p_preference_overrides jsonb, p_required_languages text[], p_max_timezone_hours integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.request_mentor(p_message text, p_focus_areas text[], p_goals text[], p_mentor_id uuid, p_preference_overrides jsonb, p_required_languages text[], p_max_timezone_hours integer) TO authenticated;

REVOKE ALL ON FUNCTION private.request_stats(p_since timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.request_terms(p_request_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.requests_to_match(p_after jsonb, p_limit integer, p_student_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.requests_to_match(p_after jsonb, p_limit integer, p_student_id uuid) TO service_role;

REVOKE ALL ON FUNCTION private.require_active(p_student_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_admin() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_approval(p_run public.job_runs, p_stopped bigint, p_max_changes integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_feedback_fits(p_match public.matches, p_type text, p_comment text, p_session_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_listed(p_mentor_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_may_ask(p_student_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_meeting_fits(p_minutes integer, p_format text, p_notes text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_mentor(p_user_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_no_mentor(p_student_id uuid, p_mentor_id uuid, p_role text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_open(p_offer public.match_offers) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_pair(p_student_id uuid, p_mentor_id uuid, p_role text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_question_fits(p_title text, p_question text, p_topics text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_score(p_student_id uuid, p_mentor_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_seats(p_mentors uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_text_fits(p_name text, p_text text, p_most integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_time_fits(p_match public.matches, p_held timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_undoable(p_of uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.require_words_fit(p_rating integer, p_comment text, p_type text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.rescue_messages() FROM PUBLIC;
GRANT ALL ON FUNCTION private.rescue_messages() TO service_role;

REVOKE ALL ON FUNCTION private.rescue_runs() FROM PUBLIC;
GRANT ALL ON FUNCTION private.rescue_runs() TO service_role;

REVOKE ALL ON FUNCTION private.reset_calendar_feed() FROM PUBLIC;
GRANT ALL ON FUNCTION private.reset_calendar_feed() TO authenticated;

REVOKE ALL ON FUNCTION private.resume_match(p_match_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.resume_match(p_match_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION private.resume_match(p_match_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION private.retry_delay(p_attempt integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.retry_delay(p_attempt integer) TO service_role;

REVOKE ALL ON FUNCTION private.risk_about(p_match_id uuid, p_since timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.route(p_kind text, p_recipient uuid, p_data jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION private.route(p_kind text, p_recipient uuid, p_data jsonb) TO service_role;

REVOKE ALL ON FUNCTION private.rule_words(p_rule text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.run_needs_somebody() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.run_was_seen_to() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.save_assignments(p_run_id uuid, p_fence bigint, p_pairs jsonb, p_dry_run boolean, p_records integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.save_assignments(p_run_id uuid, p_fence bigint, p_pairs jsonb, p_dry_run boolean, p_records integer) TO service_role;

REVOKE ALL ON FUNCTION private.save_match_batches(p_run_id uuid, p_fence bigint, p_batches jsonb, p_weights_version integer, p_dry_run boolean, p_records integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.save_match_batches(p_run_id uuid, p_fence bigint, p_batches jsonb, p_weights_version integer, p_dry_run boolean, p_records integer) TO service_role;

REVOKE ALL ON FUNCTION private.schedule_edited() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.schema_version() FROM PUBLIC;
GRANT ALL ON FUNCTION private.schema_version() TO service_role;

REVOKE ALL ON FUNCTION private.score_factors(p_student_id uuid, p_mentor_id uuid, p_weights public.match_weights) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.score_pair(p_student_id uuid, p_mentor_id uuid, p_weights public.match_weights) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.scores_of_pairs(p_students uuid[], p_mentors uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.scores_of_pairs(p_students uuid[], p_mentors uuid[]) TO service_role;

REVOKE ALL ON FUNCTION private.sees_everything() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.select_student(p_offer_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.select_student(p_offer_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION private.send_feedback_surveys(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION private.send_feedback_surveys(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean) TO service_role;

REVOKE ALL ON FUNCTION private.session_changed() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.session_end(p_session public.mentorship_sessions) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.session_event(p_session public.mentorship_sessions) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.session_mail(p_session public.mentorship_sessions, p_other uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.session_title(p_session public.mentorship_sessions) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.set_action_items(p_meeting_id uuid, p_action_items jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION private.set_action_items(p_meeting_id uuid, p_action_items jsonb) TO authenticated;

REVOKE ALL ON FUNCTION private.set_resend_secret(p_secret text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.set_resend_secret(p_secret text) TO service_role;

REVOKE ALL ON FUNCTION private.set_signing_key(p_name text, p_key bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_alias() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_lost(p_outcomes private.sync_outcome[], p_auto_approve boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_question() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_run() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.settle_weights() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.side_of(p_match public.matches, p_person uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.signature(p_key text, p_message bytea) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.signed(p_purpose text, p_payload text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.signed(p_purpose text, p_payload text) TO service_role;

REVOKE ALL ON FUNCTION private.signs_of(p_match public.matches, p_silence integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.slug(p_name text, p_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.stop_departed(p_after uuid, p_until uuid, p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.students_to_assign(p_after uuid, p_limit integer, p_student_id uuid, p_unasked boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION private.students_to_assign(p_after uuid, p_limit integer, p_student_id uuid, p_unasked boolean) TO service_role;

REVOKE ALL ON FUNCTION private.submit_feedback(p_match_id uuid, p_rating integer, p_comment text, p_type text, p_session_id uuid, p_is_shared boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION private.submit_feedback(p_match_id uuid, p_rating integer, p_comment text, p_type text, p_session_id uuid, p_is_shared boolean) TO authenticated;

REVOKE ALL ON FUNCTION private.suggest_aliases(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.suggest_aliases(p_limit integer) TO authenticated;
GRANT ALL ON FUNCTION private.suggest_aliases(p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION private.supersede_offers(p_offer_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.survey_answered() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.survey_days() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.survey_period(p_match public.matches, p_days integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.sync_chunk(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean, p_auto_approve boolean, p_email text, p_only_rejected boolean, p_max_changes integer, p_records integer) FROM PUBLIC;
GRANT ALL ON FUNCTION private.sync_chunk(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean, p_auto_approve boolean, p_email text, p_only_rejected boolean, p_max_changes integer, p_records integer) TO service_role;

REVOKE ALL ON FUNCTION private.sync_members(p_ids uuid[], p_auto_approve boolean, p_deadline timestamp with time zone, OUT outcomes private.sync_outcome[], OUT taken integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.sync_one(p_member_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION private.sync_one(p_member_id uuid) TO authenticated;
GRANT ALL ON FUNCTION private.sync_one(p_member_id uuid) TO service_role;

REVOKE ALL ON FUNCTION private.sync_quietly(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.sync_set_quietly(p_ids uuid[], p_deadline timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.take_runs(p_worker text, p_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION private.take_runs(p_worker text, p_ids uuid[]) TO service_role;

REVOKE ALL ON FUNCTION private.takes_seat(p_role text, p_status text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.tell_of_end(p_match public.matches, p_actor uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.tell_of_question(p_question public.quick_questions, p_person uuid, p_type text, p_what text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.term_weights(p_student_id uuid, p_weights public.match_weights) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.terms_in(p_piece text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.terms_of(p_texts text[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.terms_of_mentor(p_mentor_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.terms_of_people(p_ids uuid[]) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.text_setting(p_key text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.texts_of(p_list jsonb) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.told_rule(p_rule text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.too_late_to_begin(p_deadline timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.touch_updated_at() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.trigger_deadline() FROM PUBLIC;

REVOKE ALL ON FUNCTION private.try_members(p_ids uuid[], p_auto_approve boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.uncertain_messages() FROM PUBLIC;
GRANT ALL ON FUNCTION private.uncertain_messages() TO service_role;

REVOKE ALL ON FUNCTION private.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint, p_limit integer, p_dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION private.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint, p_limit integer, p_dry_run boolean) TO service_role;

REVOKE ALL ON FUNCTION private.undo_chunk(p_of uuid, p_chunk bigint) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.undo_table(p_of uuid, p_chunk bigint, p_relation text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.unplaced_students(p_ids uuid[], p_unasked boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.unsigned(p_purpose text, p_token text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.unsubscribe(p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.unsubscribe(p_token text) TO anon;
GRANT ALL ON FUNCTION private.unsubscribe(p_token text) TO authenticated;
GRANT ALL ON FUNCTION private.unsubscribe(p_token text) TO service_role;

REVOKE ALL ON FUNCTION private.unsubscribe_token(p_user_id uuid, p_kind text) FROM PUBLIC;
GRANT ALL ON FUNCTION private.unsubscribe_token(p_user_id uuid, p_kind text) TO service_role;

REVOKE ALL ON FUNCTION private.unverify() FROM PUBLIC;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.mentor_specializations TO service_role;
GRANT SELECT,DELETE ON TABLE public.mentor_specializations TO authenticated;

GRANT INSERT(mentor_id) ON TABLE public.mentor_specializations TO authenticated;

GRANT INSERT(specialization),UPDATE(specialization) ON TABLE public.mentor_specializations TO authenticated;

GRANT INSERT(proficiency_level),UPDATE(proficiency_level) ON TABLE public.mentor_specializations TO authenticated;

GRANT INSERT(certification_url),UPDATE(certification_url) ON TABLE public.mentor_specializations TO authenticated;

REVOKE ALL ON FUNCTION private.verify_specialization(p_id uuid, p_verified boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION private.verify_specialization(p_id uuid, p_verified boolean) TO authenticated;
GRANT ALL ON FUNCTION private.verify_specialization(p_id uuid, p_verified boolean) TO service_role;

REVOKE ALL ON FUNCTION private.waiting_requests(p_after jsonb, p_limit integer, p_student_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.was_cancelled(p_code text) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.withdraw_match_mail(p_match public.matches) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.withdraw_pointless(p_limit integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.withdraw_session_mail(p_session_id uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.without_health(p_match public.matches) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.without_rank(p_offer public.match_offers) FROM PUBLIC;

REVOKE ALL ON FUNCTION private.write_profile(p_user_id uuid, p_values jsonb, p_is_new boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION private.write_profile(p_user_id uuid, p_values jsonb, p_is_new boolean) TO authenticated;
GRANT ALL ON FUNCTION private.write_profile(p_user_id uuid, p_values jsonb, p_is_new boolean) TO service_role;

REVOKE ALL ON FUNCTION private.zone_hours(p_zone text) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.accept_schedules(p_verdicts jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.accept_schedules(p_verdicts jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.announce_offers(p_run_id uuid, p_fence bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.announce_offers(p_run_id uuid, p_fence bigint, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION public.answer_message(p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.answer_message(p_token text) TO anon;
GRANT ALL ON FUNCTION public.answer_message(p_token text) TO authenticated;
GRANT ALL ON FUNCTION public.answer_message(p_token text) TO service_role;

REVOKE ALL ON FUNCTION public.approve_run(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.approve_run(p_run_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.assign_student(p_student_id uuid, p_mentor_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.assign_student(p_student_id uuid, p_mentor_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.assign_student(p_student_id uuid, p_mentor_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.assignment_settings() FROM PUBLIC;
GRANT ALL ON FUNCTION public.assignment_settings() TO service_role;

REVOKE ALL ON FUNCTION public.calculate_match_score(p_student_id uuid, p_mentor_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.calculate_match_score(p_student_id uuid, p_mentor_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.calculate_match_score(p_student_id uuid, p_mentor_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.calendar_feed(p_token uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.calendar_feed(p_token uuid) TO anon;
GRANT ALL ON FUNCTION public.calendar_feed(p_token uuid) TO authenticated;
GRANT ALL ON FUNCTION public.calendar_feed(p_token uuid) TO service_role;

REVOKE ALL ON FUNCTION public.cancel_question(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.cancel_question(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.cancel_request(p_request_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.cancel_request(p_request_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.cancel_request(p_request_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.cancel_run(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.cancel_run(p_run_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.changes_of_run(p_run_id uuid, p_after_chunk bigint, p_after bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.changes_of_run(p_run_id uuid, p_after_chunk bigint, p_after bigint, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION public.check_match_health(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.check_match_health(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean) TO service_role;

REVOKE ALL ON FUNCTION public.claim_messages(p_run_id uuid, p_fence bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_messages(p_run_id uuid, p_fence bigint, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION public.claim_question(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_question(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.claim_runs(p_worker text, p_limit integer, p_run_id uuid, p_jobs text[], p_holding uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_runs(p_worker text, p_limit integer, p_run_id uuid, p_jobs text[], p_holding uuid[]) TO service_role;

REVOKE ALL ON FUNCTION public.complete_match(p_match_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.complete_match(p_match_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.complete_match(p_match_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.complete_question(p_id uuid, p_answer text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.complete_question(p_id uuid, p_answer text) TO authenticated;

REVOKE ALL ON FUNCTION public.compose_digests(p_run_id uuid, p_fence bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.compose_digests(p_run_id uuid, p_fence bigint, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION public.confirm_alias(p_alias text, p_term text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.confirm_alias(p_alias text, p_term text) TO authenticated;
GRANT ALL ON FUNCTION public.confirm_alias(p_alias text, p_term text) TO service_role;

REVOKE ALL ON FUNCTION public.create_manual_match(p_student_id uuid, p_mentor_id uuid, p_role text, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_manual_match(p_student_id uuid, p_mentor_id uuid, p_role text, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.create_manual_match(p_student_id uuid, p_mentor_id uuid, p_role text, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.create_notification(user_id uuid, type text, title text, message text, metadata jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_notification(user_id uuid, type text, title text, message text, metadata jsonb) TO authenticated;
GRANT ALL ON FUNCTION public.create_notification(user_id uuid, type text, title text, message text, metadata jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.create_profile(p_role text, p_career_goals text[], p_industries text[], p_research_interests text[], p_skills text[], p_languages text[], p_channels text[], p_learning_style text, p_about text, p_available_hours numeric, p_availability jsonb, p_preferences jsonb, p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.create_profile(p_role text, p_career_goals text[], p_industries text[], p_research_interests text[], p_skills text[], p_languages text[], p_channels text[], p_learning_style text, p_about text, p_available_hours numeric, p_availability jsonb, p_preferences jsonb, p_user_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.create_profile(p_role text, p_career_goals text[], p_industries text[], p_research_interests text[], p_skills text[], p_languages text[], p_channels text[], p_learning_style text, p_about text, p_available_hours numeric, p_availability jsonb, p_preferences jsonb, p_user_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.decline_offer(p_offer_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.decline_offer(p_offer_id uuid, p_reason text) TO authenticated;

REVOKE ALL ON FUNCTION public.departure(p_mentor text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.departure(p_mentor text) TO service_role;

REVOKE ALL ON FUNCTION public.dissolve_match(p_match_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.dissolve_match(p_match_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.dissolve_match(p_match_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.enqueue_run(p_job text, p_params jsonb, p_id uuid, p_max_attempts integer, p_requested_by text, p_worker text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.enqueue_run(p_job text, p_params jsonb, p_id uuid, p_max_attempts integer, p_requested_by text, p_worker text) TO service_role;

REVOKE ALL ON FUNCTION public.enqueue_slots(p_due jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.enqueue_slots(p_due jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.expire_stale(p_run_id uuid, p_fence bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.expire_stale(p_run_id uuid, p_fence bigint, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION public.explain_match(p_student_id uuid, p_mentor_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.explain_match(p_student_id uuid, p_mentor_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.explain_match(p_student_id uuid, p_mentor_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.find_people(p_who text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_people(p_who text) TO service_role;

REVOKE ALL ON FUNCTION public.find_runs(p_beginning text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.find_runs(p_beginning text) TO service_role;

REVOKE ALL ON FUNCTION public.finish_messages(p_run_id uuid, p_fence bigint, p_results jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.finish_messages(p_run_id uuid, p_fence bigint, p_results jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.finish_runs(p_results jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.finish_runs(p_results jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.get_all_matches(p_status text, p_mentor_id uuid, p_student_id uuid, p_health text, p_search text, p_role text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_all_matches(p_status text, p_mentor_id uuid, p_student_id uuid, p_health text, p_search text, p_role text) TO authenticated;
GRANT ALL ON FUNCTION public.get_all_matches(p_status text, p_mentor_id uuid, p_student_id uuid, p_health text, p_search text, p_role text) TO service_role;

REVOKE ALL ON FUNCTION public.get_at_risk_matches() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_at_risk_matches() TO authenticated;
GRANT ALL ON FUNCTION public.get_at_risk_matches() TO service_role;

REVOKE ALL ON FUNCTION public.get_dashboard_stats(p_days integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_dashboard_stats(p_days integer) TO authenticated;
GRANT ALL ON FUNCTION public.get_dashboard_stats(p_days integer) TO service_role;

REVOKE ALL ON FUNCTION public.get_feedback(p_match_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_feedback(p_match_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.get_feedback(p_match_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.get_leaderboard(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_leaderboard(p_limit integer) TO authenticated;
GRANT ALL ON FUNCTION public.get_leaderboard(p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION public.get_match_batch() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_match_batch() TO authenticated;

REVOKE ALL ON FUNCTION public.get_matches() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_matches() TO authenticated;

REVOKE ALL ON FUNCTION public.get_mentors_with_member_data() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_mentors_with_member_data() TO anon;
GRANT ALL ON FUNCTION public.get_mentors_with_member_data() TO authenticated;
GRANT ALL ON FUNCTION public.get_mentors_with_member_data() TO service_role;

REVOKE ALL ON FUNCTION public.get_open_questions(p_topics text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_open_questions(p_topics text[]) TO authenticated;
GRANT ALL ON FUNCTION public.get_open_questions(p_topics text[]) TO service_role;

REVOKE ALL ON FUNCTION public.get_profile() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_profile() TO authenticated;
GRANT ALL ON FUNCTION public.get_profile() TO service_role;

REVOKE ALL ON FUNCTION public.get_profile_by_id(p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_profile_by_id(p_user_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.get_profile_by_id(p_user_id uuid) TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.mentorship_resources TO service_role;
GRANT SELECT,INSERT,DELETE ON TABLE public.mentorship_resources TO authenticated;

REVOKE ALL ON FUNCTION public.get_resources(p_match_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_resources(p_match_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.get_resources(p_match_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.get_specialization_report() FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_specialization_report() TO authenticated;
GRANT ALL ON FUNCTION public.get_specialization_report() TO service_role;

REVOKE ALL ON FUNCTION public.get_specializations(p_mentor_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.get_specializations(p_mentor_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.get_specializations(p_mentor_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.heartbeat_run(p_run_id uuid, p_fence bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.heartbeat_run(p_run_id uuid, p_fence bigint) TO service_role;

REVOKE ALL ON FUNCTION public.list_mentors(expertise text, page integer, page_size integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_mentors(expertise text, page integer, page_size integer) TO anon;
GRANT ALL ON FUNCTION public.list_mentors(expertise text, page integer, page_size integer) TO authenticated;
GRANT ALL ON FUNCTION public.list_mentors(expertise text, page integer, page_size integer) TO service_role;

REVOKE ALL ON FUNCTION public.log_meeting(p_match_id uuid, p_held_at timestamp with time zone, p_minutes integer, p_format text, p_notes text, p_action_items jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.log_meeting(p_match_id uuid, p_held_at timestamp with time zone, p_minutes integer, p_format text, p_notes text, p_action_items jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.match_outcomes(p_alive_days integer, p_good_rating numeric, p_least_group integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.match_outcomes(p_alive_days integer, p_good_rating numeric, p_least_group integer) TO service_role;

REVOKE ALL ON FUNCTION public.matching_settings() FROM PUBLIC;
GRANT ALL ON FUNCTION public.matching_settings() TO service_role;

REVOKE ALL ON FUNCTION public.mentors_to_assign(p_after uuid, p_limit integer, p_full boolean, p_without uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.mentors_to_assign(p_after uuid, p_limit integer, p_full boolean, p_without uuid) TO service_role;

REVOKE ALL ON FUNCTION public.mentors_to_match(p_after uuid, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.mentors_to_match(p_after uuid, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION public.pause_match(p_match_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.pause_match(p_match_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.pause_match(p_match_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.post_question(p_title text, p_question text, p_topics text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.post_question(p_title text, p_question text, p_topics text[]) TO authenticated;

REVOKE ALL ON FUNCTION public.prune_runs(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.prune_runs(p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION public.queue_message(p_kind text, p_recipient uuid, p_about text, p_data jsonb, p_priority integer, p_not_before timestamp with time zone, p_expires_at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.queue_message(p_kind text, p_recipient uuid, p_about text, p_data jsonb, p_priority integer, p_not_before timestamp with time zone, p_expires_at timestamp with time zone) TO service_role;

REVOKE ALL ON FUNCTION public.rate_question(p_id uuid, p_rating integer, p_comment text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.rate_question(p_id uuid, p_rating integer, p_comment text) TO authenticated;

REVOKE ALL ON FUNCTION public.recommend_mentors(p_student_id uuid, p_k integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.recommend_mentors(p_student_id uuid, p_k integer) TO authenticated;
GRANT ALL ON FUNCTION public.recommend_mentors(p_student_id uuid, p_k integer) TO service_role;

REVOKE ALL ON FUNCTION public.refresh_leaderboard(p_run_id uuid, p_fence bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.refresh_leaderboard(p_run_id uuid, p_fence bigint) TO service_role;

REVOKE ALL ON FUNCTION public.refresh_stale_profiles(p_run_id uuid, p_fence bigint, p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.refresh_stale_profiles(p_run_id uuid, p_fence bigint, p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION public.register_jobs(p_jobs jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.register_jobs(p_jobs jsonb) TO service_role;

REVOKE ALL ON FUNCTION public.release_question(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.release_question(p_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.replay_inputs(p_batch_ids uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.replay_inputs(p_batch_ids uuid[]) TO service_role;

REVOKE ALL ON FUNCTION public.request_mentor(p_message text, p_focus_areas text[], p_goals text[], p_mentor_id uuid, p_preference_overrides jsonb, p_required_languages text[], p_max_timezone_hours integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.request_mentor(p_message text, p_focus_areas text[], p_goals text[], p_mentor_id uuid, p_preference_overrides jsonb, p_required_languages text[], p_max_timezone_hours integer) TO authenticated;

REVOKE ALL ON FUNCTION public.requests_to_match(p_after jsonb, p_limit integer, p_student_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.requests_to_match(p_after jsonb, p_limit integer, p_student_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.resend_webhook(json) FROM PUBLIC;
GRANT ALL ON FUNCTION public.resend_webhook(json) TO anon;
GRANT ALL ON FUNCTION public.resend_webhook(json) TO authenticated;
GRANT ALL ON FUNCTION public.resend_webhook(json) TO service_role;

REVOKE ALL ON FUNCTION public.reset_calendar_feed() FROM PUBLIC;
GRANT ALL ON FUNCTION public.reset_calendar_feed() TO authenticated;

REVOKE ALL ON FUNCTION public.resume_match(p_match_id uuid, p_reason text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.resume_match(p_match_id uuid, p_reason text) TO authenticated;
GRANT ALL ON FUNCTION public.resume_match(p_match_id uuid, p_reason text) TO service_role;

REVOKE ALL ON FUNCTION public.retry_run(p_run_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.retry_run(p_run_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.save_assignments(p_run_id uuid, p_fence bigint, p_pairs jsonb, p_dry_run boolean, p_records integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.save_assignments(p_run_id uuid, p_fence bigint, p_pairs jsonb, p_dry_run boolean, p_records integer) TO service_role;

REVOKE ALL ON FUNCTION public.save_match_batches(p_run_id uuid, p_fence bigint, p_batches jsonb, p_weights_version integer, p_dry_run boolean, p_records integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.save_match_batches(p_run_id uuid, p_fence bigint, p_batches jsonb, p_weights_version integer, p_dry_run boolean, p_records integer) TO service_role;

REVOKE ALL ON FUNCTION public.scheduler_state() FROM PUBLIC;
GRANT ALL ON FUNCTION public.scheduler_state() TO service_role;

REVOKE ALL ON FUNCTION public.scores_of_pairs(p_students uuid[], p_mentors uuid[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.scores_of_pairs(p_students uuid[], p_mentors uuid[]) TO service_role;

REVOKE ALL ON FUNCTION public.select_student(p_offer_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.select_student(p_offer_id uuid) TO authenticated;

REVOKE ALL ON FUNCTION public.send_feedback_surveys(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.send_feedback_surveys(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean) TO service_role;

REVOKE ALL ON FUNCTION public.set_action_items(p_meeting_id uuid, p_action_items jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_action_items(p_meeting_id uuid, p_action_items jsonb) TO authenticated;

REVOKE ALL ON FUNCTION public.set_resend_secret(p_secret text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.set_resend_secret(p_secret text) TO service_role;

REVOKE ALL ON FUNCTION public.share_resource(p_match_id uuid, p_kind text, p_title text, p_url text, p_storage_path text, p_description text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.share_resource(p_match_id uuid, p_kind text, p_title text, p_url text, p_storage_path text, p_description text) TO authenticated;

REVOKE ALL ON FUNCTION public.students_to_assign(p_after uuid, p_limit integer, p_student_id uuid, p_unasked boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.students_to_assign(p_after uuid, p_limit integer, p_student_id uuid, p_unasked boolean) TO service_role;

REVOKE ALL ON FUNCTION public.submit_feedback(p_match_id uuid, p_rating integer, p_comment text, p_type text, p_session_id uuid, p_is_shared boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.submit_feedback(p_match_id uuid, p_rating integer, p_comment text, p_type text, p_session_id uuid, p_is_shared boolean) TO authenticated;

REVOKE ALL ON FUNCTION public.suggest_aliases(p_limit integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.suggest_aliases(p_limit integer) TO authenticated;
GRANT ALL ON FUNCTION public.suggest_aliases(p_limit integer) TO service_role;

REVOKE ALL ON FUNCTION public.supersede_messages(p_about text, p_kinds text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.supersede_messages(p_about text, p_kinds text[]) TO service_role;

REVOKE ALL ON FUNCTION public.sync_mentor_from_member(p_member_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sync_mentor_from_member(p_member_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.sync_mentor_from_member(p_member_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.sync_mentor_profiles(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean, p_auto_approve boolean, p_email text, p_only_rejected boolean, p_max_changes integer, p_records integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sync_mentor_profiles(p_run_id uuid, p_fence bigint, p_after uuid, p_limit integer, p_dry_run boolean, p_auto_approve boolean, p_email text, p_only_rejected boolean, p_max_changes integer, p_records integer) TO service_role;

REVOKE ALL ON FUNCTION public.term_labels(p_term_ids integer[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.term_labels(p_term_ids integer[]) TO service_role;

REVOKE ALL ON FUNCTION public.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint, p_limit integer, p_dry_run boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.undo_changes(p_run_id uuid, p_fence bigint, p_of uuid, p_before bigint, p_limit integer, p_dry_run boolean) TO service_role;

REVOKE ALL ON FUNCTION public.unsubscribe(p_token text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.unsubscribe(p_token text) TO anon;
GRANT ALL ON FUNCTION public.unsubscribe(p_token text) TO authenticated;
GRANT ALL ON FUNCTION public.unsubscribe(p_token text) TO service_role;

REVOKE ALL ON FUNCTION public.update_profile(p_career_goals text[], p_industries text[], p_research_interests text[], p_skills text[], p_languages text[], p_channels text[], p_learning_style text, p_about text, p_available_hours numeric, p_availability jsonb, p_preferences jsonb, p_is_active boolean, p_paused_until timestamp with time zone, p_user_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.update_profile(p_career_goals text[], p_industries text[], p_research_interests text[], p_skills text[], p_languages text[], p_channels text[], p_learning_style text, p_about text, p_available_hours numeric, p_availability jsonb, p_preferences jsonb, p_is_active boolean, p_paused_until timestamp with time zone, p_user_id uuid) TO authenticated;
GRANT ALL ON FUNCTION public.update_profile(p_career_goals text[], p_industries text[], p_research_interests text[], p_skills text[], p_languages text[], p_channels text[], p_learning_style text, p_about text, p_available_hours numeric, p_availability jsonb, p_preferences jsonb, p_is_active boolean, p_paused_until timestamp with time zone, p_user_id uuid) TO service_role;

REVOKE ALL ON FUNCTION public.verify_specialization(p_id uuid, p_verified boolean) FROM PUBLIC;
GRANT ALL ON FUNCTION public.verify_specialization(p_id uuid, p_verified boolean) TO authenticated;
GRANT ALL ON FUNCTION public.verify_specialization(p_id uuid, p_verified boolean) TO service_role;

REVOKE ALL ON FUNCTION public.withdraw_resource(p_id uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.withdraw_resource(p_id uuid) TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.members TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.blocked_pairs TO service_role;
GRANT SELECT ON TABLE public.blocked_pairs TO authenticated;

GRANT SELECT,DELETE ON TABLE public.calendar_feeds TO authenticated;
GRANT SELECT,DELETE ON TABLE public.calendar_feeds TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_hours TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_hours TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_preferences TO authenticated;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.contact_preferences TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.decline_reasons TO service_role;
GRANT SELECT ON TABLE public.decline_reasons TO authenticated;

GRANT SELECT,DELETE,UPDATE ON TABLE public.job_alerts TO service_role;
GRANT SELECT ON TABLE public.job_alerts TO authenticated;

GRANT SELECT,DELETE ON TABLE public.job_changes TO service_role;
GRANT SELECT ON TABLE public.job_changes TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.job_schedules TO service_role;
GRANT SELECT ON TABLE public.job_schedules TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.match_batches TO service_role;
GRANT SELECT ON TABLE public.match_batches TO authenticated;

GRANT SELECT,INSERT,DELETE ON TABLE public.match_events TO service_role;
GRANT SELECT ON TABLE public.match_events TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.match_surveys TO service_role;
GRANT SELECT ON TABLE public.match_surveys TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.match_terms TO service_role;
GRANT SELECT ON TABLE public.match_terms TO authenticated;

GRANT SELECT ON TABLE public.meeting_logs TO authenticated;
GRANT SELECT ON TABLE public.meeting_logs TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.mentors TO service_role;
GRANT SELECT ON TABLE public.mentors TO authenticated;

GRANT UPDATE(bio) ON TABLE public.mentors TO authenticated;

GRANT UPDATE(expertise) ON TABLE public.mentors TO authenticated;

GRANT UPDATE(capacity) ON TABLE public.mentors TO authenticated;

GRANT UPDATE(availability) ON TABLE public.mentors TO authenticated;

GRANT UPDATE(timezone) ON TABLE public.mentors TO authenticated;

GRANT UPDATE(domain) ON TABLE public.mentors TO authenticated;

GRANT UPDATE(experience_years) ON TABLE public.mentors TO authenticated;

GRANT UPDATE(teaching_style) ON TABLE public.mentors TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.message_answers TO service_role;
GRANT SELECT ON TABLE public.message_answers TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.message_outbox TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.notifications TO service_role;
GRANT SELECT ON TABLE public.notifications TO authenticated;

GRANT UPDATE(read_at) ON TABLE public.notifications TO authenticated;

GRANT SELECT,INSERT,UPDATE ON TABLE public.program_settings TO service_role;

GRANT SELECT,DELETE ON TABLE public.sync_rejects TO service_role;
GRANT SELECT ON TABLE public.sync_rejects TO authenticated;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.undeliverable_addresses TO service_role;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users_user TO service_role;

GRANT SELECT ON TABLE public.v_members_without_mentor TO service_role;

GRANT SELECT ON TABLE public.v_mentor_capacity TO service_role;

GRANT SELECT ON TABLE public.v_mentors_without_account TO service_role;

GRANT SELECT ON TABLE public.v_sync_health TO service_role;

CREATE TRIGGER mentor_sync_auth_user_confirmed AFTER UPDATE ON auth.users FOR EACH ROW WHEN (((((old.email)::text IS DISTINCT FROM (new.email)::text) OR (old.email_confirmed_at IS DISTINCT FROM new.email_confirmed_at)) OR (old.is_anonymous IS DISTINCT FROM new.is_anonymous))) EXECUTE FUNCTION private.auth_user_changed();

CREATE TRIGGER mentor_sync_auth_user_inserted AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION private.auth_user_changed();
