-- Patterns, the health of policies, and how the enterprises of applications are reached.

-- Personal: erasable on its own. What the later event says counts, where it says something.
create table application_contacts (
    application_id text collate "C" primary key,
    at bigint not null,
    mobile text,
    email text,
    locale text
);

-- The secret of this database by which accounts, mobiles and mail addresses become fingerprints, and patterns get their ids. It leaves
-- the database with nobody.
create table fingerprints (
    id bigint primary key check (id = 1),
    secret text not null
);
insert into fingerprints (id, secret)
    values (1, replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''));

create table patterns (
    id text collate "C" primary key,
    rule text collate "C" not null,
    key text collate "C" not null,
    subject text not null,
    evidence text not null,
    chinese text not null,
    english text not null,
    state text not null check (state in ('new', 'looked_at', 'explained', 'confirmed')),
    found_at bigint not null,
    last_found_at bigint not null,
    judged text not null,
    explained text,
    unique (rule, key)
);
create index patterns_newest on patterns (found_at, id);
create index patterns_by_state on patterns (state);

-- One row: who looks for patterns now, and when that was last done.
create table pattern_runs (
    id bigint primary key check (id = 1),
    leased_until bigint,
    running_since bigint,
    began_at bigint,
    finished_at bigint
);
insert into pattern_runs (id) values (1);

-- How policies fared at the last run.
create table policy_health (
    policy_id text collate "C" primary key,
    word text not null check (word in ('unpaid', 'expired', 'favour', 'zombie', 'paper', 'alive')),
    also text not null,
    phase text not null,
    figures text not null,
    at bigint not null
);

-- Applications page by page, those decided long ago left out.
create index case_files_by_decision on case_files (application_id, decided_at);
