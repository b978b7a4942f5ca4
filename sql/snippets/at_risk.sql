-- Matches at risk, and why: what each part of the score gave. Talk to the two, or end the match.
select
  v.student_name, v.mentor_name, v.at_risk_since, v.escalated_at, v.last_contact_at, v.health_score,
  p.part ->> 'part' as part, p.part ->> 'points' as points, p.part ->> 'of' as most,
  p.part ->> 'why' as why
from v_at_risk_matches as v
cross join lateral jsonb_array_elements(v.health_reasons) with ordinality as p (part, place)
order by v.at_risk_since, v.match_id, p.place
limit 500;
