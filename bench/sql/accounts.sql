-- In an order of their own: accounts are made when people sign up, not when they register.
insert into public.users_user (email, first_name, last_name)
select 'person.' || n || '@example.org', 'Person', initcap(left(md5('name ' || n), 8))
from bench.members
where mod(n / 5, 5) < 4
order by md5('account ' || n)
