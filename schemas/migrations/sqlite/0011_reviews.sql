-- Reviews: the events of applications as supervision needs them, case files, clocks, alerts, and who is to be told.

-- How a policy's applications are reviewed, in JSON; none: as the district promises.
alter table policies add column review text;

create table case_events (
    source text not null,
    event_id text not null,
    application_id text not null,
    at integer not null,
    received_at integer not null,
    said text not null,
    primary key (source, event_id)
) strict;
create index case_events_by_application on case_events (application_id);

-- What changed: an application to be looked at. Only inserted into while money moves, so that nobody waits for it.
create table case_marks (
    id integer primary key autoincrement,
    application_id text not null,
    at integer not null
) strict;

create table case_files (
    application_id text primary key,
    policy_id text,
    uscc text,
    standing text not null check (standing in
        ('not_seen', 'submitted', 'in_review', 'approved', 'declined', 'rejected', 'withdrawn', 'revoked')),
    submitted_at integer,
    accepted_at integer,
    decided_at integer,
    returns integer not null check (returns >= 0),
    supplements integer not null check (supplements >= 0),
    findings text not null,
    calendar_version text,
    looked_at integer,
    look_at integer
) strict;
create index case_files_due on case_files (look_at, application_id) where look_at is not null;
create index case_files_open on case_files (submitted_at) where standing in ('submitted', 'in_review');
create index case_files_by_policy on case_files (policy_id, submitted_at);

create table clocks (
    application_id text not null references case_files,
    clock text not null,
    kind text not null check (kind in ('acceptance', 'step', 'supplement', 'review', 'legal', 'payout')),
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
create index clocks_open on clocks (state, deadline) where ended_at is null;

create table alerts (
    id text primary key,
    application_id text not null references case_files,
    cause text not null,
    clock text not null,
    kind text not null,
    episode integer not null check (episode >= 1),
    department_id text,
    officer_id text,
    deadline integer not null,
    level text not null,
    acknowledged text not null,
    raised_at integer not null,
    cleared_at integer,
    cleared_because text check (cleared_because in ('met', 'void', 'moved', 'gone')),
    unique (application_id, cause, episode),
    check ((cleared_at is null) = (cleared_because is null))
) strict;
-- One open alert for each cause.
create unique index alerts_one_open on alerts (application_id, cause) where cleared_at is null;
create index alerts_open on alerts (deadline, id) where cleared_at is null;
create index alerts_newest on alerts (raised_at, id);

-- One row for each rung that an alert has reached.
create table alert_rungs (
    alert_id text not null references alerts,
    level text not null,
    place integer not null,
    due_at integer not null,
    raised_at integer not null,
    told text not null,
    note text,
    primary key (alert_id, level)
) strict;

-- Who is to be told what: once for each kind, subject, recipient and occasion.
create table notice_requests (
    kind text not null,
    subject text not null,
    recipient text not null,
    occasion text not null,
    application_id text not null,
    at integer not null,
    primary key (kind, subject, recipient, occasion)
) strict;
