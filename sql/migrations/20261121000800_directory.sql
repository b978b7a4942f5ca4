-- Directory: the list of mentors, in the shape of the source document.
-- Everybody sees the public fields of approved, active mentors; a signed-in person also the row
-- and the contact fields of themselves and of mentors they are matched with; admins and
-- service_role see every row and the contact fields.

-- One column list for the verb and for what stands behind it.
create type public.mentor_listing as (
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
  created_at timestamptz,
  "user" jsonb,
  member jsonb
);
comment on type public.mentor_listing is
  'A mentor as the directory shows it: own columns, the account, the member''s registration.';

-- Definer, because anon has no right on any table: this column list is all there is to see.
-- One plan for both kinds of caller would read e-mail addresses for all; the case does not.
create function private.mentor_directory(p_ids uuid[] default null)
returns setof public.mentor_listing
language sql stable security definer set search_path = '' as $$
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
comment on function private.mentor_directory(uuid[]) is
  'The mentors that the caller may see, of these or of all, with the fields that they may see.';

-- Definer, likewise. Only ids: the rest is put together for the page that is asked for.
create function private.directory_page(
  p_expertise text,
  p_limit integer,
  p_offset bigint,
  out ids uuid[],
  out total bigint
)
language sql stable security definer set search_path = '' as $$
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
comment on function private.directory_page(text, integer, bigint) is
  'The ids of one page of the directory, in its order, and how many mentors there are in all.';

create function public.get_mentors_with_member_data()
returns setof public.mentor_listing
language sql stable set search_path = '' as $$
  select * from private.mentor_directory(null)
$$;
comment on function public.get_mentors_with_member_data() is
  'The directory as rows, for the filters, the order and the paging of the API.';

-- The words of the document's request: expertise, page, page_size.
create function public.list_mentors(
  expertise text default null,
  page integer default 1,
  page_size integer default 12
) returns jsonb
language plpgsql stable set search_path = '' as $$
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
comment on function public.list_mentors(text, integer, integer) is
  'One page of the directory: results, count, page, page_size; expertise is any part of a word.';

revoke all on function
  private.mentor_directory(uuid[]),
  private.directory_page(text, integer, bigint),
  public.get_mentors_with_member_data(),
  public.list_mentors(text, integer, integer)
from public, anon, authenticated, service_role;
grant execute on function
  private.mentor_directory(uuid[]),
  private.directory_page(text, integer, bigint),
  public.get_mentors_with_member_data(),
  public.list_mentors(text, integer, integer)
to anon, authenticated, service_role;
