-- Terms that nobody had named before.
select private.keep_terms(array_agg(n.term), array_agg(n.label)) from named as n
