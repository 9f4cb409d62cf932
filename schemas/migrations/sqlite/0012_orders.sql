-- Supervision orders, and their answers' clocks.

create table orders (
    number integer primary key check (number >= 1),
    matter text not null,
    application_id text,
    alert_id text references alerts,
    pattern_id text,
    audience text not null check (audience in ('supervision', 'inspection')),
    addressee text not null,
    department_id text not null,
    issued_by text not null,
    issued_at integer not null,
    working_days integer not null check (working_days >= 1),
    demand text not null,
    steps text not null,
    state text not null check (state in ('issued', 'replied', 'closed')),
    closed text,
    check ((alert_id is null) <> (pattern_id is null)),
    check ((state = 'closed') = (closed is not null))
) strict;
create index orders_by_matter on orders (matter);
create index orders_open on orders (number) where state <> 'closed';

-- SQLite changes no check of a table: it is made anew. Every row of it is made anew by the next look.
create table clocks_anew (
    application_id text not null references case_files,
    clock text not null,
    kind text not null check (kind in ('acceptance', 'step', 'supplement', 'review', 'legal', 'payout', 'order')),
    department_id text,
    officer_id text,
    state text not null check (state in ('running', 'due_soon', 'overdue', 'paused', 'met', 'met_late', 'void')),
    started_at integer not null,
    due_soon_at integer not null,
    deadline integer not null,
    ended_at integer,
    provisional integer not null check (provisional in (0, 1)),
    primary key (application_id, clock),
    check ((state in ('met', 'met_late', 'void')) = (ended_at is not null))
) strict;
insert into clocks_anew select application_id, clock, kind, department_id, officer_id, state, started_at, due_soon_at,
    deadline, ended_at, provisional from clocks;
drop table clocks;
alter table clocks_anew rename to clocks;
create index clocks_open on clocks (state, deadline) where ended_at is null;
