-- Terms: the words in which goals, industries, interests and skills are compared.
-- Written once into postings; "JS", "javascript" and "Java Script" are one term. service_role
-- and operators edit the aliases; admins confirm those that suggest_aliases proposes.

create table public.match_terms (
  id integer generated always as identity primary key,
  term text not null unique,
  label text not null,
  is_known boolean not null default false,
  created_at timestamptz not null default now(),
  constraint match_terms_term_fits check (length(term) between 1 and 100)
);

comment on table public.match_terms is 'Every term that somebody has named.';
comment on column public.match_terms.id is 'The term, in postings.';
comment on column public.match_terms.term is 'The term as private.normalise_term writes it.';
comment on column public.match_terms.label is 'As people are shown it.';
comment on column public.match_terms.is_known is
  'Whether it is looked for within sentences; a word that somebody wrote alone counts anyway.';
comment on column public.match_terms.created_at is 'When it was first named.';

create table public.term_aliases (
  alias text primary key,
  term text not null,
  is_builtin boolean not null default false,
  created_at timestamptz not null default now(),
  constraint term_aliases_differ check (alias <> term),
  constraint term_aliases_fit check (length(alias) between 1 and 100 and length(term) between 1 and 100)
);

create index term_aliases_term_idx on public.term_aliases (term);

comment on table public.term_aliases is
  'Words that mean the same as a term: js is javascript. Add a row and profiles follow.';
comment on column public.term_aliases.alias is 'The word, as private.normalise_term writes it.';
comment on column public.term_aliases.term is 'What it means, likewise.';
comment on column public.term_aliases.is_builtin is 'Whether it came with mentor_sync.';
comment on column public.term_aliases.created_at is 'When it was added.';

alter table public.match_terms enable row level security;
revoke all on table public.match_terms from public, anon, authenticated, service_role;
revoke all on sequence public.match_terms_id_seq from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.match_terms to service_role;
grant select on table public.match_terms to authenticated;
-- What somebody wrote who thought that only mentors read it is not for all.
create policy "People of the programme read the vocabulary, admins every term"
on public.match_terms for select to authenticated
using (
  is_known and (select private.current_user_id()) is not null or (select private.is_admin())
);

alter table public.term_aliases enable row level security;
revoke all on table public.term_aliases from public, anon, authenticated, service_role;
grant select, insert, update, delete on table public.term_aliases to service_role;
grant select on table public.term_aliases to authenticated;
create policy "People of the programme read the aliases"
on public.term_aliases for select to authenticated
using ((select private.current_user_id()) is not null);

-- Normalising -------------------------------------------------------------------------------

-- No collation is named, as in private.normalise_email. Letters that have no decomposition are
-- spelt out. Applying it twice changes nothing.
create function private.normalise_term(p_text text) returns text
language plpgsql immutable parallel safe set search_path = '' as $$
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
comment on function private.normalise_term(text) is
  'The form in which words are compared: case, accents, punctuation and plural are gone.';

create function private.meaning_of(p_term text) returns text
language plpgsql stable set search_path = '' as $$
begin
  return coalesce((select a.term from public.term_aliases as a where a.alias = p_term), p_term);
end
$$;
comment on function private.meaning_of(text) is 'What a normalised word is an alias of, or itself.';

create function private.is_known_term(p_term text) returns boolean
language plpgsql stable set search_path = '' as $$
begin
  return exists (select from public.term_aliases as a where a.alias = p_term)
    or exists (select from public.match_terms as t where t.term = p_term and t.is_known);
end
$$;
comment on function private.is_known_term(text) is
  'Whether a normalised word is in the vocabulary, so that it is found within sentences.';

-- The longest known phrases, from left to right; four words at the most.
create function private.known_phrases(p_normalised text) returns setof text
language plpgsql stable set search_path = '' as $$
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
comment on function private.known_phrases(text) is
  'The terms of the vocabulary that a normalised sentence names.';

-- What is known as a whole is that; otherwise what is known within it; a short text that holds
-- nothing known is a term of its own; a long one says nothing that could be compared.
create function private.terms_in(p_piece text) returns table (term text, label text)
language plpgsql stable set search_path = '' as $$
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
comment on function private.terms_in(text) is
  'The terms that one piece of text names; the label where the vocabulary has none.';

-- As much as anybody says who means it: each piece costs look-ups, and whoever writes is not the
-- only one who waits for them.
create function private.pieces_of(p_texts text[]) returns setof text
language sql immutable set search_path = '' as $$
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
comment on function private.pieces_of(text[]) is
  'Texts taken apart where people put several things into one.';

create function private.terms_of(p_texts text[]) returns setof text
language sql stable set search_path = '' as $$
  select distinct t.term
  from private.pieces_of(p_texts) as piece
  cross join lateral private.terms_in(piece) as t
$$;
comment on function private.terms_of(text[]) is 'The terms that these texts name, each once.';

-- Ids in the order of the terms, so that two who add the same words do not wait in a ring.
create function private.keep_terms(p_terms text[], p_labels text[]) returns void
language sql volatile set search_path = '' as $$
  insert into public.match_terms (term, label)
  select w.term, coalesce(max(w.label), w.term)
  from unnest(p_terms, p_labels) as w (term, label)
  where not exists (select from public.match_terms as t where t.term = w.term)
  group by w.term
  order by w.term
  on conflict (term) do nothing
$$;
comment on function private.keep_terms(text[], text[]) is 'Gives terms that are new their ids.';

-- Aliases -----------------------------------------------------------------------------------

-- One step leads to the meaning: an alias of an alias becomes one of what that means.
create function private.settle_alias() returns trigger
language plpgsql volatile set search_path = '' as $$
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
comment on function private.settle_alias() is 'Trigger: aliases are kept as they are compared.';

create trigger mentor_sync_settled before insert or update of alias, term on public.term_aliases
for each row execute function private.settle_alias();

-- Definer: whoever edits aliases need not read people's terms.
create function private.alias_changed() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
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
comment on function private.alias_changed() is
  'Trigger: the profiles that name the word or its meaning follow. Set where there are profiles.';

-- Definer, for admins, who may not write the table.
create function private.confirm_alias(p_alias text, p_term text) returns public.term_aliases
language plpgsql volatile security definer set search_path = '' as $$
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
comment on function private.confirm_alias(text, text) is 'Adds an alias, for those who may.';

create function public.confirm_alias(p_alias text, p_term text) returns setof public.term_aliases
language sql volatile set search_path = '' as $$
  select c.* from private.confirm_alias(p_alias, p_term) as c
$$;
comment on function public.confirm_alias(text, text) is
  'Says that a word means the same as a term; profiles follow. For admins and service_role.';

-- The extension is where the project put it, or nowhere.
do $$
begin
  if not exists (select from pg_catalog.pg_extension where extname = 'pg_trgm')
    and exists (select from pg_catalog.pg_available_extensions where name = 'pg_trgm')
    and to_regnamespace('extensions') is not null
  then
    create extension pg_trgm with schema extensions;
  end if;
exception
  when insufficient_privilege then
    raise notice 'pg_trgm was not installed: %', sqlerrm;
end
$$;

-- Definer, for admins: it counts people's terms. A thousand words that are not known are compared
-- with those that are, and with the 200 of their own that most people name; by the trigrams that
-- two share, so that what has none in common takes no time.
create function private.suggest_aliases(p_limit integer)
returns table (alias text, term text, similarity real, people bigint)
language plpgsql stable security definer
set search_path = '' set enable_nestloop = off as $$
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
$$;
comment on function private.suggest_aliases(integer) is
  'Words that nobody has explained yet and the terms that they are spelt like.';

create function public.suggest_aliases(p_limit integer default 50)
returns table (alias text, term text, similarity real, people bigint)
language sql stable set search_path = '' as $$
  select s.* from private.suggest_aliases(p_limit) as s
$$;
comment on function public.suggest_aliases(integer) is
  'Unknown words with the term that each may mean, to be confirmed by confirm_alias. For admins.';

revoke all on function
  private.normalise_term(text),
  private.meaning_of(text),
  private.is_known_term(text),
  private.known_phrases(text),
  private.terms_in(text),
  private.pieces_of(text[]),
  private.terms_of(text[]),
  private.keep_terms(text[], text[]),
  private.settle_alias(),
  private.alias_changed(),
  private.confirm_alias(text, text),
  private.suggest_aliases(integer),
  public.confirm_alias(text, text),
  public.suggest_aliases(integer)
from public, anon, authenticated, service_role;
-- To service_role, because it edits the aliases and the triggers call them.
grant execute on function private.normalise_term(text), private.meaning_of(text) to service_role;
grant execute on function
  private.confirm_alias(text, text),
  private.suggest_aliases(integer),
  public.confirm_alias(text, text),
  public.suggest_aliases(integer)
to authenticated, service_role;

-- The vocabulary that comes with us --------------------------------------------------------

do $$
declare
  entry record;
begin
  for entry in
    select v.label, v.aliases from (values
      ('JavaScript', 'js,java script,ecmascript,es6'),
      ('TypeScript', 'ts,type script'),
      ('Python', 'py,python3,python 3,python programming'),
      ('Java', 'jvm,java programming'),
      ('Kotlin', ''),
      ('Swift', 'swiftui'),
      ('Go', 'golang'),
      ('Rust', 'rustlang'),
      ('C++', 'cpp,c plus plus'),
      ('C#', 'csharp,c sharp'),
      ('.NET', 'dotnet,dot net,asp net'),
      ('PHP', 'laravel'),
      ('Ruby', 'ruby on rails,rails'),
      ('R', 'r programming,rstats,r language'),
      ('MATLAB', ''),
      ('SQL', 'postgresql,postgres,mysql,sql server,t sql'),
      ('Node.js', 'node,nodejs,node js'),
      ('React', 'reactjs,react js,react native'),
      ('Vue', 'vuejs,vue js'),
      ('Angular', 'angularjs,angular js'),
      ('HTML', 'html5,html css'),
      ('CSS', 'css3,sass,tailwind'),
      ('Docker', 'containers,containerization'),
      ('Kubernetes', 'k8s'),
      ('AWS', 'amazon web services,amazon aws'),
      ('Azure', 'microsoft azure'),
      ('Google Cloud', 'gcp,google cloud platform'),
      ('Cloud computing', 'cloud,cloud infrastructure,cloud architecture'),
      ('DevOps', 'dev ops,ci cd,ci/cd,continuous integration,continuous delivery'),
      ('Site reliability', 'sre,site reliability engineering'),
      ('Linux', 'unix,bash,shell scripting'),
      ('Git', 'github,gitlab,version control'),
      ('Excel', 'ms excel,microsoft excel,spreadsheets'),
      ('Power BI', 'powerbi'),
      ('Tableau', ''),
      ('Machine learning', 'ml,machine learning engineering,scikit learn'),
      ('Deep learning', 'neural networks,pytorch,tensorflow'),
      ('Artificial intelligence', 'ai,a i,generative ai,gen ai'),
      ('Natural language processing', 'nlp,computational linguistics,llm,large language models'),
      ('Computer vision', 'image processing,image recognition'),
      ('Data science', 'data scientist,datascience'),
      ('Data analysis', 'data analytics,data analyst,analytics,data analysing,analysis of data,data analyses'),
      ('Data engineering', 'data engineer,etl,data pipelines'),
      ('Big data', 'hadoop,spark'),
      ('Data visualisation', 'data visualization,data viz,dataviz,dashboards'),
      ('Statistics', 'statistical analysis,statistician,biostatistics'),
      ('Business intelligence', 'bi'),
      ('Business analysis', 'business analyst,business analytics'),
      ('Software engineering', 'software development,software engineer,software developer,programming,coding,swe,developer'),
      ('Web development', 'web dev,web developer,full stack,fullstack,full stack development,full stack developer'),
      ('Frontend development', 'frontend,front end,front end development,front end developer,frontend developer,frontend engineer'),
      ('Backend development', 'backend,back end,back end development,back end developer,backend developer,backend engineer'),
      ('Mobile development', 'mobile,app development,android,ios,mobile apps,ios development,android development'),
      ('Game development', 'game dev,gamedev,unity,unreal engine'),
      ('Embedded systems', 'embedded,firmware,microcontrollers,iot,internet of things'),
      ('Robotics', 'robots,mechatronics'),
      ('Cybersecurity', 'cyber security,infosec,information security,it security,network security,security engineering'),
      ('Networking', 'networks,computer networks,network engineering'),
      ('Blockchain', 'web3,crypto,cryptocurrency'),
      ('Quality assurance', 'qa,software testing,test automation,testing,tester'),
      ('Product management', 'product manager,product mgmt,pm,product owner,product'),
      ('Project management', 'project manager,project mgmt,pmp,programme management,program management'),
      ('Agile', 'scrum,kanban,agile methods,scrum master'),
      ('UX design', 'ux,user experience,ux designer,user experience design,ux research,ux/ui,ux ui'),
      ('UI design', 'ui,user interface,interface design,ui designer,user interface design'),
      ('Graphic design', 'graphic designer,visual design,illustration'),
      ('Product design', 'product designer'),
      ('Figma', ''),
      ('Photoshop', 'adobe photoshop'),
      ('Architecture', 'architect,building design'),
      ('Marketing', 'digital marketing,online marketing,marketer,growth marketing'),
      ('SEO', 'search engine optimization,search engine optimisation'),
      ('Social media', 'social media marketing,social media management'),
      ('Content writing', 'content creation,copywriting,copywriter,content marketing'),
      ('Public relations', 'pr,corporate communications'),
      ('Journalism', 'journalist,reporting,media'),
      ('Sales', 'selling,business development,account management,sales management'),
      ('Customer service', 'customer support,customer success,customer care'),
      ('Human resources', 'hr,people operations,talent management,talent acquisition,recruiting,recruitment,recruiter'),
      ('Leadership', 'leading teams,team leadership,team lead,people management,leadership skills,leading people'),
      ('Management', 'manager,general management'),
      ('Entrepreneurship', 'entrepreneur,startup,start up,startups,founder,founding a company,start a business,starting a business'),
      ('Strategy', 'business strategy,strategic planning'),
      ('Consulting', 'management consulting,consultant,consultancy'),
      ('Finance', 'financial services,corporate finance,financial analysis,financial analyst'),
      ('Investment banking', 'investment banker'),
      ('Banking', 'banker,bank'),
      ('Accounting', 'accountant,bookkeeping,audit,auditing,auditor'),
      ('Fintech', 'fin tech,financial technology'),
      ('Insurance', 'actuary,actuarial science'),
      ('Economics', 'economist,econ'),
      ('Real estate', 'property management'),
      ('Law', 'legal,lawyer,attorney,law practice'),
      ('Public policy', 'policy,government,public administration,public sector'),
      ('Non-profit', 'nonprofit,ngo,non profit organization,charity,third sector,social impact'),
      ('International development', 'development cooperation,humanitarian aid'),
      ('Education', 'teaching,teacher,pedagogy,edtech,ed tech'),
      ('Higher education', 'academia,university teaching'),
      ('Research', 'researcher,scientific research'),
      ('Health care', 'healthcare,health,medical,public health,medicine,physician,doctor'),
      ('Nursing', 'nurse'),
      ('Pharmacy', 'pharmaceuticals,pharma,pharmacist'),
      ('Biotechnology', 'biotech,bioengineering'),
      ('Biology', 'life sciences,molecular biology'),
      ('Genetics', 'genomics'),
      ('Neuroscience', 'neurosciences,brain research'),
      ('Psychology', 'psychologist,mental health'),
      ('Chemistry', 'chemist,chemical science'),
      ('Physics', 'physicist'),
      ('Mathematics', 'maths,math,mathematician'),
      ('Computer science', 'cs,comp sci,informatics,computing'),
      ('Information technology', 'it,information systems,tech,technology'),
      ('Environmental science', 'environment,ecology,environmental studies'),
      ('Sustainability', 'esg,sustainable development,climate,climate change,climate action,green energy'),
      ('Renewable energy', 'solar energy,wind energy,clean energy'),
      ('Energy', 'oil and gas,power engineering,utilities'),
      ('Civil engineering', 'civil engineer,structural engineering'),
      ('Mechanical engineering', 'mechanical engineer'),
      ('Electrical engineering', 'electrical engineer,electronics'),
      ('Chemical engineering', 'chemical engineer,process engineering'),
      ('Industrial engineering', 'manufacturing,production,lean,six sigma'),
      ('Aerospace', 'aviation,aeronautics'),
      ('Automotive', 'cars,car industry'),
      ('Supply chain', 'logistics,supply chain management,procurement,purchasing'),
      ('Construction', 'building industry'),
      ('Agriculture', 'farming,agribusiness,agritech,agronomy'),
      ('Hospitality', 'hotels,tourism,travel'),
      ('Retail', 'ecommerce,e commerce,online retail'),
      ('Fashion', 'textiles,apparel'),
      ('Arts', 'fine arts,art,culture'),
      ('Music', 'musician'),
      ('Film', 'film making,filmmaking,video production,video editing,cinema'),
      ('Photography', 'photographer'),
      ('Writing', 'author,creative writing,technical writing'),
      ('Translation', 'translator,interpreting'),
      ('Public speaking', 'presentation,presentations,presentation skills,presenting,speaking'),
      ('Communication', 'communication skills,interpersonal skills'),
      ('Negotiation', 'negotiating,conflict resolution'),
      ('Time management', 'organisation skills,productivity'),
      ('Career change', 'changing careers,career switch,career transition,switch careers'),
      ('Career planning', 'career development,career growth,career advice,career guidance'),
      ('Job search', 'finding a job,find a job,job hunting,job applications'),
      ('Interview preparation', 'interviews,interview skills,mock interview,mock interviews,interviewing'),
      ('CV writing', 'cv,resume,resumes,resume review,resume writing,curriculum vitae'),
      ('Networking skills', 'professional networking,building a network'),
      ('Work-life balance', 'work life balance'),
      ('Women in tech', 'women in technology'),
      ('Diversity and inclusion', 'diversity,dei,inclusion'),
      ('Scholarships', 'grants,funding,fundraising'),
      ('Graduate school', 'grad school,phd,ph d,ph d applications,phd applications,masters degree,doctorate,postgraduate study'),
      ('Study abroad', 'studying abroad'),
      ('Internship', 'internships,intern,find an internship'),
      ('Germany', 'deutschland,federal republic of germany'),
      ('Austria', 'osterreich'),
      ('Switzerland', 'schweiz,suisse'),
      ('France', 'frankreich'),
      ('Spain', 'espana'),
      ('Italy', 'italia'),
      ('Netherlands', 'the netherlands,holland,nederland'),
      ('Poland', 'polska'),
      ('Turkey', 'turkiye'),
      ('United Kingdom', 'uk,u k,great britain,england,gb'),
      ('United States', 'usa,u s a,us,united states of america,america'),
      ('Brazil', 'brasil'),
      ('Mexico', ''),
      ('India', 'bharat'),
      ('China', 'people s republic of china,prc,中国'),
      ('Japan', 'nippon,日本'),
      ('South Korea', 'korea,republic of korea,korea republic of'),
      ('Vietnam', 'viet nam'),
      ('Egypt', 'مصر'),
      ('Ethiopia', 'ኢትዮጵያ'),
      ('Nigeria', ''),
      ('Kenya', ''),
      ('Ghana', ''),
      ('South Africa', ''),
      ('Canada', ''),
      ('Australia', ''),
      ('Ireland', 'eire'),
      ('Sweden', 'sverige'),
      ('Norway', 'norge'),
      ('Denmark', 'danmark'),
      ('Finland', 'suomi'),
      ('Portugal', ''),
      ('Ukraine', 'україна'),
      ('Russia', 'russian federation'),
      ('United Arab Emirates', 'uae')
    ) as v (label, aliases)
  loop
    insert into public.match_terms (term, label, is_known)
    values (private.normalise_term(entry.label), entry.label, true);
    insert into public.term_aliases (alias, term, is_builtin)
    select distinct private.normalise_term(a.alias), private.normalise_term(entry.label), true
    from unnest(string_to_array(nullif(entry.aliases, ''), ',')) as a (alias)
    where private.normalise_term(a.alias) not in ('', private.normalise_term(entry.label));
  end loop;
end
$$;
