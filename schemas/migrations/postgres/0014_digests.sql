-- Jobs that are due by the clock, and the daily digests as they were made.

-- Each moment at which a job was due is dealt with once, whoever comes first.
create table job_runs (
    job text collate "C" not null,
    scheduled_at bigint not null,
    outcome text not null check (outcome in ('made', 'missed', 'day_off', 'before_start')),
    at bigint not null,
    primary key (job, scheduled_at)
);

-- Written once and never changed. Days are texts, 2026-11-23.
create table digests (
    id text collate "C" primary key,
    scheduled_at bigint not null unique,
    day text collate "C" not null check (length(day) = 10),
    made_at bigint not null,
    calendar_version text not null,
    body text not null
);
create index digests_by_day on digests (day, scheduled_at);

-- Deadlines that a year without data makes provisional are few, or none.
create index clocks_provisional on clocks (deadline) where ended_at is null and provisional;
