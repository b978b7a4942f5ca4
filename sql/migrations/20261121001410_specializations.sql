-- Specialisations: what mentors are particularly good at.
-- A mentor adds, edits and removes their own; an admin says which are verified; signed-in people
-- see those of listed mentors through get_specializations() only; admins read all.

-- Definer: it is asked by policies of those who read no row of mentors.
create function private.is_mentor() returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (
    select from public.mentors as t where t.person_id = (select private.current_user_id())
  )
$$;
comment on function private.is_mentor() is
  'Whether the person who is signed in is a mentor, approved or not.';

grant insert (mentor_id, specialization, proficiency_level, certification_url)
on table public.mentor_specializations to authenticated;
grant update (specialization, proficiency_level, certification_url)
on table public.mentor_specializations to authenticated;
grant delete on table public.mentor_specializations to authenticated;

create policy "Mentors read their own specialisations, admins all"
on public.mentor_specializations for select to authenticated
using (mentor_id = (select private.current_user_id()) or (select private.is_admin()));

create policy "Mentors add their own specialisations"
on public.mentor_specializations for insert to authenticated
with check (mentor_id = (select private.current_user_id()) and (select private.is_mentor()));

create policy "Mentors change their own specialisations"
on public.mentor_specializations for update to authenticated
using (mentor_id = (select private.current_user_id()))
with check (mentor_id = (select private.current_user_id()));

create policy "Mentors remove their own specialisations"
on public.mentor_specializations for delete to authenticated
using (mentor_id = (select private.current_user_id()));

create function private.unverify() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  new.verified := false;
  return new;
end
$$;
comment on function private.unverify() is
  'Trigger: what was checked is not what it says now.';

create trigger mentor_sync_unverify before update on public.mentor_specializations
for each row when (
  old.verified and new.verified
  and (old.specialization, old.proficiency_level, old.certification_url)
  is distinct from (new.specialization, new.proficiency_level, new.certification_url)
) execute function private.unverify();

-- Definer: admins may not write the table.
create function private.verify_specialization(p_id uuid, p_verified boolean)
returns public.mentor_specializations
language plpgsql volatile security definer set search_path = '' as $$
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
comment on function private.verify_specialization(uuid, boolean) is
  'Says whether a specialisation is verified, for those who may.';

create function public.verify_specialization(p_id uuid, p_verified boolean default true)
returns public.mentor_specializations
language sql volatile set search_path = '' as $$
  select private.verify_specialization(p_id, p_verified)
$$;
comment on function public.verify_specialization(uuid, boolean) is
  'Says that a specialisation was checked, or was not: the entry. For admins and service_role.';

-- Definer, because nobody reads the rows of others: this column list is all there is to see.
create function private.get_specializations(p_mentor_id uuid)
returns table (
  id uuid, mentor_id uuid, specialization text, proficiency_level integer,
  certification_url text, verified boolean, created_at timestamptz
)
language sql stable security definer set search_path = '' as $$
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
comment on function private.get_specializations(uuid) is
  'What a mentor is good at, as far as the caller may see the mentor.';

create function public.get_specializations(p_mentor_id uuid)
returns table (
  id uuid, mentor_id uuid, specialization text, proficiency_level integer,
  certification_url text, verified boolean, created_at timestamptz
)
language sql stable set search_path = '' as $$
  select * from private.get_specializations(p_mentor_id)
$$;
comment on function public.get_specializations(uuid) is
  'What an approved, active mentor is particularly good at, verified entries first. For signed-in'
  ' people.';

-- Definer: it tells of all mentors and matches.
create function private.get_specialization_report()
returns table (
  specialization text, mentors bigint, verified bigint, mean_level numeric,
  active_students bigint, mean_rating numeric
)
language plpgsql stable security definer set search_path = '' as $$
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
comment on function private.get_specialization_report() is
  'Each specialisation of listed mentors in numbers, for those who may.';

create function public.get_specialization_report()
returns table (
  specialization text, mentors bigint, verified bigint, mean_level numeric,
  active_students bigint, mean_rating numeric
)
language sql stable set search_path = '' as $$
  select * from private.get_specialization_report()
$$;
comment on function public.get_specialization_report() is
  'Each specialisation, in any case: approved, active mentors who name it, those verified, their'
  ' mean level, the students they have now, and the mean of all their ratings. For admins and'
  ' service_role.';

revoke all on function
  private.is_mentor(),
  private.unverify(),
  private.verify_specialization(uuid, boolean),
  private.get_specializations(uuid),
  private.get_specialization_report(),
  public.verify_specialization(uuid, boolean),
  public.get_specializations(uuid),
  public.get_specialization_report()
from public, anon, authenticated, service_role;
grant execute on function private.is_mentor() to authenticated;
grant execute on function
  private.verify_specialization(uuid, boolean),
  private.get_specializations(uuid),
  private.get_specialization_report(),
  public.verify_specialization(uuid, boolean),
  public.get_specializations(uuid),
  public.get_specialization_report()
to authenticated, service_role;
