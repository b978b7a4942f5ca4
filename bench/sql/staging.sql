-- The members as another application holds them before it registers them.
create schema bench;
create table bench.members (like public.members including defaults);
alter table bench.members add column n integer primary key;
