-- Reviews: the events of applications as supervision needs them, case files, clocks, alerts, and who is to be told.

-- How a policy's applications are reviewed, in JSON; none: as the district promises.
alter table policies add column review text;

create table case_events (
    source text collate "C" not null,
    event_id text collate "C" not null,
    application_id text collate "C" not null,
    at bigint not null,
    received_at bigint not null,
    said text not null,
    primary key (source, event_id)
);
create index case_events_by_application on case_events (application_id);

-- What changed: an application to be looked at. Only inserted into while money moves, so that nobody waits for it.
create table case_marks (
    id bigint generated always as identity primary key,
    application_id text collate "C" not null,
    at bigint not null
);

create table case_files (
    application_id text collate "C" primary key,
    policy_id text collate "C",
    uscc text collate "C",
    standing text not null check (standing in
        ('not_seen', 'submitted', 'in_review', 'approved', 'declined', 'rejected', 'withdrawn', 'revoked')),
    submitted_at bigint,
    accepted_at bigint,
    decided_at bigint,
    returns bigint not null check (returns >= 0),
    supplements bigint not null check (supplements >= 0),
    findings text not null,
    calendar_version text,
    looked_at bigint,
    look_at bigint
);
create index case_files_due on case_files (look_at, application_id) where look_at is not null;
create index case_files_open on case_files (submitted_at) where standing in ('submitted', 'in_review');
create index case_files_by_policy on case_files (policy_id, submitted_at);

create table clocks (
    application_id text collate "C" not null references case_files,
    clock text collate "C" not null,
    kind text not null check (kind in ('acceptance', 'step', 'supplement', 'review', 'legal', 'payout')),
    department_id text collate "C",
    officer_id text collate "C",
    state text not null check (state in ('running', 'due_soon', 'overdue', 'paused', 'met', 'met_late', 'void')),
    started_at bigint not null,
    due_soon_at bigint not null,
    deadline bigint not null,
    ended_at bigint,
    provisional boolean not null,
    primary key (application_id, clock),
    check ((state in ('met', 'met_late', 'void')) = (ended_at is not null))
);
create index clocks_open on clocks (state, deadline) where ended_at is null;

create table alerts (
    id text collate "C" primary key,
    application_id text collate "C" not null references case_files,
    cause text collate "C" not null,
    clock text not null,
    kind text not null,
    episode bigint not null check (episode >= 1),
    department_id text collate "C",
    officer_id text collate "C",
    deadline bigint not null,
    level text not null,
    acknowledged text not null,
    raised_at bigint not null,
    cleared_at bigint,
    cleared_because text check (cleared_because in ('met', 'void', 'moved', 'gone')),
    unique (application_id, cause, episode),
    check ((cleared_at is null) = (cleared_because is null))
);
-- One open alert for each cause.
create unique index alerts_one_open on alerts (application_id, cause) where cleared_at is null;
create index alerts_open on alerts (deadline, id) where cleared_at is null;
create index alerts_newest on alerts (raised_at, id);

-- One row for each rung that an alert has reached.
create table alert_rungs (
    alert_id text collate "C" not null references alerts,
    level text not null,
    place bigint not null,
    due_at bigint not null,
    raised_at bigint not null,
    told text not null,
    note text,
    primary key (alert_id, level)
);

-- Who is to be told what: once for each kind, subject, recipient and occasion.
create table notice_requests (
    kind text collate "C" not null,
    subject text collate "C" not null,
    recipient text collate "C" not null,
    occasion text collate "C" not null,
    application_id text collate "C" not null,
    at bigint not null,
    primary key (kind, subject, recipient, occasion)
);
