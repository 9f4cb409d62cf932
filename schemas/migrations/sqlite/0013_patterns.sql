-- Patterns, the health of policies, and how the enterprises of applications are reached.

-- Personal: erasable on its own. What the later event says counts, where it says something.
create table application_contacts (
    application_id text primary key,
    at integer not null,
    mobile text,
    email text,
    locale text
) strict;

-- The secret of this database by which accounts, mobiles and mail addresses become fingerprints, and patterns get their ids. It leaves
-- the database with nobody.
create table fingerprints (
    id integer primary key check (id = 1),
    secret text not null
) strict;
insert into fingerprints (id, secret)
    values (1, lower(hex(randomblob(32))));

create table patterns (
    id text primary key,
    rule text not null,
    key text not null,
    subject text not null,
    evidence text not null,
    chinese text not null,
    english text not null,
    state text not null check (state in ('new', 'looked_at', 'explained', 'confirmed')),
    found_at integer not null,
    last_found_at integer not null,
    judged text not null,
    explained text,
    unique (rule, key)
) strict;
create index patterns_newest on patterns (found_at, id);
create index patterns_by_state on patterns (state);

-- One row: who looks for patterns now, and when that was last done.
create table pattern_runs (
    id integer primary key check (id = 1),
    leased_until integer,
    running_since integer,
    began_at integer,
    finished_at integer
) strict;
insert into pattern_runs (id) values (1);

-- How policies fared at the last run.
create table policy_health (
    policy_id text primary key,
    word text not null check (word in ('unpaid', 'expired', 'favour', 'zombie', 'paper', 'alive')),
    also text not null,
    phase text not null,
    figures text not null,
    at integer not null
) strict;

-- Applications page by page, those decided long ago left out.
create index case_files_by_decision on case_files (application_id, decided_at);
