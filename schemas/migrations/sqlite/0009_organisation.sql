-- The organisation, stated whole by each import, and the calendars that amend the one built into the program.
-- Days are texts, 2026-11-23.

create table departments (
    id text primary key,
    name text not null,
    parent_id text references departments deferrable initially deferred,
    check (parent_id <> id)
) strict;

-- Mobile and mail are personal: they stand here and nowhere else.
create table officers (
    id text primary key,
    name text not null,
    department_id text not null references departments deferrable initially deferred,
    role text not null check (role in ('officer', 'head', 'supervisor', 'inspector')),
    mobile text,
    email text,
    substitute_id text references officers deferrable initially deferred,
    check (substitute_id <> id)
) strict;

create table absences (
    officer_id text not null references officers deferrable initially deferred,
    first_day text not null check (length(first_day) = 10),
    last_day text not null check (length(last_day) = 10),
    primary key (officer_id, first_day, last_day),
    check (first_day <= last_day)
) strict;

-- Rungs without a department make the ladder of all who have no other.
create table ladder_rungs (
    department_id text references departments deferrable initially deferred,
    position integer not null check (position >= 0),
    role text check (role in ('officer', 'head', 'supervisor', 'inspector')),
    officer_id text references officers deferrable initially deferred,
    after_working_hours integer not null check (after_working_hours between 0 and 400),
    check ((role is null) <> (officer_id is null))
) strict;
create unique index ladder_rungs_position on ladder_rungs (coalesce(department_id, ''), position);
create unique index ladder_rungs_hours on ladder_rungs (coalesce(department_id, ''), after_working_hours);

create table calendars (
    version text primary key,
    -- The order of imports, from 1: each amends those before it.
    number integer not null unique check (number >= 1),
    imported_at integer not null,
    imported_by text not null,
    text text not null
) strict;
