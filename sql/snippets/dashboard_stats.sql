-- How the programme does: what is now, and what happened in the last 30 days.
select s.part, f.figure, f.value
from jsonb_each(get_dashboard_stats(30)) as s (part, figures)
cross join lateral jsonb_each(s.figures) as f (figure, value)
where jsonb_typeof(s.figures) = 'object'
order by s.part, f.figure;
