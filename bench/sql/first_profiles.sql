-- The profiles by which mentors are matched, as the job derives them from the members.
insert into public.mentorship_profiles (user_id, role, career_goals, industries, skills, synced)
select
  w.user_id, 'mentor', private.texts_of(w.wishes -> 'career_goals'),
  private.texts_of(w.wishes -> 'industries'), private.texts_of(w.wishes -> 'skills'),
  w.wishes || jsonb_build_object('source', w.hash)
from private.mentor_wishes(array(select t.person_id from public.mentors as t)) as w
