-- Notices: what became of requests, notices with their messages, what was written to whom, receipts, and what sending goes by.

-- What became of a request; null while it waits. Those that stand here were asked for before anybody sent: they are never sent.
alter table notice_requests add column made_at integer;
alter table notice_requests add column outcome text check (outcome in
    ('made', 'turned_off', 'no_address', 'lost_its_point', 'not_told', 'too_old', 'before_notices'))
    check ((outcome is null) = (made_at is null) or (outcome = 'before_notices' and made_at is null));
alter table notice_requests add column notice_id text references notices
    check (coalesce(outcome = 'made', 0) = (notice_id is not null));
-- When its time comes: at once, or later for what waits for company or could not be read.
alter table notice_requests add column look_at integer not null default 0;
update notice_requests set outcome = 'before_notices';
create index notice_requests_waiting on notice_requests (look_at, kind, subject, recipient, occasion) where outcome is null;
create index notice_requests_company on notice_requests (kind, recipient) where outcome is null;
-- For the figures of the last hour: few are not made.
create index notice_requests_not_made on notice_requests (made_at, kind, outcome) where outcome <> 'made';
create index notice_requests_by_notice on notice_requests (notice_id) where notice_id is not null;
create index notice_requests_by_application on notice_requests (application_id) where notice_id is not null;
-- What reached nobody is looked at again when an address comes.
create index notice_requests_of_nobody on notice_requests (application_id) where outcome = 'no_address';
create index notice_requests_of_nobody_there on notice_requests (recipient) where outcome = 'no_address';

-- Whose address came: what could not be told them is looked at again. Only inserted into by whoever brings one, so that nobody waits for it.
create table notice_marks (
    id integer primary key autoincrement,
    application_id text,
    officer_id text,
    check ((application_id is null) <> (officer_id is null))
) strict;

create table notices (
    id text primary key check (length(id) <= 36),
    kind text not null,
    -- What it is about; of several requests, that of the first.
    subject text not null,
    recipient text not null,
    application_id text not null,
    covers integer not null check (covers >= 1),
    locale text not null check (locale in ('zh-CN', 'en')),
    template_version text not null,
    created_at integer not null,
    expires_at integer not null check (expires_at >= created_at),
    -- Messages with their attempts, in JSON. The columns below are derived from them.
    messages text not null,
    state text not null check (state in ('created', 'sending', 'sent', 'delivered', 'failed', 'gave_up', 'expired')),
    priority integer not null check (priority between 0 and 2),
    next_at integer,
    -- From when on it should have been sent; null once it was, or is over.
    waiting_since integer,
    -- For people, and for what is due as soon as sending is resumed; null: its turn, or nothing.
    waits_for text check (waits_for in ('call', 'word', 'quiet', 'ceiling', 'limit', 'provider', 'switch'))
) strict;
create index notices_due on notices (priority, next_at, id) where next_at is not null;
create index notices_newest on notices (created_at, id);
create index notices_waiting on notices (waiting_since) where waiting_since is not null;
create index notices_by_recipient on notices (recipient, created_at);
-- Most are delivered: those are found by the other indexes.
create index notices_by_state on notices (state, created_at) where state <> 'delivered';

-- Personal: erasable on its own.
create table notice_contents (
    notice_id text not null references notices,
    channel text not null check (channel in ('sms', 'mail')),
    address text not null,
    subject text,
    text text not null,
    html text,
    parameters text not null,
    -- The text of the SMS template that it was written from: a code that is imported later frees it where that is still the same.
    template text,
    -- What vendors are told of the template, in JSON.
    providers text not null,
    primary key (notice_id, channel)
) strict;

-- What came, once each: `digest` is keyed, and tells the same from another. The address is personal: erasable on its own.
create table notice_receipts (
    provider text not null,
    digest text not null,
    at integer not null,
    trust text not null check (trust in ('signed', 'hint')),
    out_id text not null,
    provider_id text,
    address text,
    word text not null,
    -- None: it speaks of nothing we know, or of another number.
    notice_id text references notices,
    primary key (provider, digest)
) strict;
create index notice_receipts_by_notice on notice_receipts (notice_id, at) where notice_id is not null;
-- What a provider said of something by a name that we had not heard from it yet.
create index notice_receipts_kept on notice_receipts (provider, provider_id) where notice_id is null;
-- What spoke of nothing we know is forgotten after a time.
create index notice_receipts_unmatched on notice_receipts (at) where notice_id is null;

-- How providers call what they took in: some name nothing else in their receipts.
create table notice_provider_ids (
    provider text not null,
    provider_id text not null,
    notice_id text not null references notices,
    primary key (provider, provider_id)
) strict;

-- How providers fare, for the circuit breaker.
create table notice_providers (
    name text primary key,
    health text not null
) strict;

-- What was sent, for ceilings and for what providers allow one address (a keyed fingerprint): a count or moments, in JSON.
create table notice_counters (
    name text primary key,
    tally text not null,
    -- When it last counted: what lies behind every window is forgotten.
    at integer not null
) strict;

-- Sets of templates as they were imported; the last one is in force.
create table notice_templates (
    number integer primary key autoincrement,
    version text not null,
    body text not null,
    imported_at integer not null,
    imported_by text not null
) strict;

-- What a recipient does not want to be told; null: it is told again.
create table notice_preferences (
    recipient text not null,
    kind text not null,
    turned_off_at integer,
    by text not null,
    primary key (recipient, kind)
) strict;

-- Addresses by their keyed fingerprint: those at which something arrived, and those at which nothing can.
create table notice_addresses (
    fingerprint text primary key,
    verified_at integer,
    flagged_at integer,
    flagged_code text,
    check ((flagged_at is null) = (flagged_code is null))
) strict;

-- One row: whether sending is stopped, and when what concerns all notices last rang.
create table notice_switch (
    id integer primary key check (id = 1),
    stopped_by text,
    stopped_reason text,
    stopped_at integer,
    rung text not null,
    check ((stopped_by is null) = (stopped_reason is null)),
    check ((stopped_by is null) = (stopped_at is null))
) strict;
insert into notice_switch (id, rung) values (1, '{}');

-- Notice workers have a doorbell of their own. SQLite changes no check of a table: it is made anew, with every row.
create table outbox_anew (
    id text primary key,
    destination text not null check (destination in ('world', 'payout_doorbell', 'notice_doorbell')),
    event_type text,
    subject text,
    sequence integer,
    body blob not null,
    created_at integer not null,
    claimed_until integer not null default 0,
    sent_at integer,
    check ((destination = 'world') = (event_type is not null)),
    check ((destination = 'world') = (subject is not null)),
    check ((destination = 'world') = (sequence is not null))
) strict;
insert into outbox_anew select id, destination, event_type, subject, sequence, body, created_at, claimed_until, sent_at from outbox;
drop table outbox;
alter table outbox_anew rename to outbox;
create index outbox_unsent on outbox (id) where sent_at is null;
create index outbox_doorbells on outbox (id) where destination <> 'world';
create unique index outbox_by_subject on outbox (subject, sequence, event_type) where subject is not null;
