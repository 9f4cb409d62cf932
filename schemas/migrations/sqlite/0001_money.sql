-- The first schema: what came in, payouts and their instructions, batches, books, journal, outbox, reference data.
-- Money in minor units, times in microseconds since 1970 UTC, ids as text compared by bytes.

create table meta (
    name text primary key,
    value text not null
) strict;

-- ── what came in ──

create table inbox (
    source text not null,
    event_id text not null,
    content_sha256 text not null,
    event_type text not null,
    subject text not null,
    keyid text not null,
    way text not null,
    received_at integer not null,
    primary key (source, event_id)
) strict;

-- The signed bytes carry personal data: apart, so that they can be erased.
create table inbox_bodies (
    source text not null,
    event_id text not null,
    body blob not null,
    primary key (source, event_id),
    foreign key (source, event_id) references inbox
) strict;

create table quarantine (
    id text primary key,
    received_at integer not null,
    digest text not null,
    body blob not null,
    way text not null,
    source text,
    event_id text,
    event_type text,
    reason_code text not null,
    field text,
    reason text not null,
    state text not null check (state in ('open', 'replayed', 'discarded')),
    closed_by text,
    closed_at integer,
    closed_reason text,
    check ((state = 'open') = (closed_at is null))
) strict;
-- The same message refused for the same reason stands here once while it is open.
create unique index quarantine_open on quarantine (digest) where state = 'open';
create index quarantine_by_code on quarantine (reason_code) where state = 'open';

create table applications (
    id text primary key,
    ended_kind text check (ended_kind in ('withdrawn', 'rejected', 'revoked', 'cancelled')),
    ended_at integer,
    ended_reason text,
    publicity_open integer not null check (publicity_open in (0, 1)),
    objection_open integer not null check (objection_open in (0, 1)),
    check ((ended_kind is null) = (ended_at is null))
) strict;

create table commitments (
    id text primary key,
    uscc text not null,
    received_at integer not null
) strict;

create table enterprises (
    id text primary key,
    uscc text not null unique,
    name text not null,
    since integer not null
) strict;

-- ── reference data ──

create table funds (
    id text primary key,
    name text not null,
    currency text not null check (length(currency) = 3),
    appropriated integer not null check (appropriated >= 0),
    committed integer not null check (committed >= 0),
    debtor_name text not null,
    debtor_account_no text not null,
    debtor_bank_code text not null,
    budget_document text
) strict;

create table policies (
    id text primary key,
    title text not null,
    department_id text not null,
    fund_id text not null,
    valid_from text not null,
    valid_to text,
    cap_per_application integer check (cap_per_application >= 0),
    cap_per_enterprise_per_year integer check (cap_per_enterprise_per_year >= 0),
    release_limit integer check (release_limit >= 0),
    commitment_required integer not null check (commitment_required in (0, 1)),
    whole text not null
) strict;
create index policies_by_fund on policies (fund_id);

create table caps (
    policy_id text not null,
    uscc text not null,
    year integer not null,
    charged integer not null check (charged >= 0),
    primary key (policy_id, uscc, year)
) strict;

create table operators (
    id text primary key,
    name text not null,
    role text not null,
    public_key text not null,
    disabled_at integer,
    acts integer not null default 0
) strict;

-- The stop switch: one row, always.
create table switch (
    id integer primary key check (id = 1),
    stopped_by text,
    stopped_reason text,
    since integer,
    resumed_by text,
    check ((stopped_by is null) = (since is null)),
    check (resumed_by is null or stopped_by is not null)
) strict;
insert into switch (id) values (1);

-- ── payouts ──

create table payouts (
    application_id text not null,
    tranche integer not null check (tranche >= 1),
    state text not null check (state in
        ('held', 'ready', 'sending', 'unknown', 'pending', 'settled', 'refused', 'returned', 'cancelled')),
    reason_code text,
    live integer not null check (live in (0, 1)),
    claimable integer not null check (claimable in (0, 1)),
    policy_id text not null,
    fund_id text references funds,
    named_fund_id text,
    uscc text not null,
    enterprise_name text not null,
    amount integer not null check (amount > 0),
    currency text not null check (length(currency) = 3),
    account_name text not null,
    account_no text not null,
    bank_code text not null,
    bank_name text not null,
    approved_payee text not null,
    approved_at integer not null,
    received_at integer not null,
    due_at integer not null,
    commitment_id text,
    officers integer not null check (officers >= 0),
    approval_source text not null,
    approval_id text not null,
    correction_source text,
    correction_id text,
    keyid text not null,
    epoch integer not null check (epoch >= 0),
    sequence integer not null check (sequence >= 0),
    holds text not null,
    waived text not null,
    ended_kind text check (ended_kind in ('withdrawn', 'rejected', 'revoked', 'cancelled')),
    ended_at integer,
    ended_reason text,
    correction text,
    funded integer not null check (funded in (0, 1)),
    reserved integer not null check (reserved >= 0),
    overpaid integer not null check (overpaid in (0, 1)),
    told text not null,
    credited_at integer,
    paid_account_no text,
    wake_at integer,
    reconsider_at integer,
    primary key (application_id, tranche),
    check ((ended_kind is null) = (ended_at is null)),
    check ((correction_source is null) = (correction_id is null)),
    check (not funded or fund_id is not null),
    check (not claimable or (live and funded and ended_kind is null)),
    check ((state = 'settled') = (credited_at is not null))
) strict;
create index payouts_claimable on payouts (due_at, application_id, tranche) where claimable;
create index payouts_wake on payouts (wake_at) where wake_at is not null;
create index payouts_reconsider on payouts (due_at, application_id, tranche) where reconsider_at is not null;
create index payouts_unpaid on payouts (approved_at) where live;
create index payouts_unsent_by_key on payouts (keyid) where state in ('held', 'ready');
create index payouts_open_by_policy on payouts (policy_id) where state not in ('settled', 'cancelled');
create index payouts_open_by_commitment on payouts (commitment_id)
    where commitment_id is not null and state not in ('settled', 'cancelled');
create index payouts_unfunded_by_fund on payouts (fund_id) where not funded and state not in ('settled', 'cancelled');
create index payouts_paid_by_enterprise on payouts (uscc, credited_at) where credited_at is not null;
create index payouts_by_credit on payouts (credited_at) where credited_at is not null;
create index payouts_by_state on payouts (state, reason_code, amount);
create index payouts_newest on payouts (received_at, application_id, tranche);
create index payouts_newest_of_state on payouts (state, received_at, application_id, tranche);
create index payouts_newest_of_policy on payouts (policy_id, received_at, application_id, tranche);

create table batches (
    msg_id text primary key,
    created_at integer not null,
    bytes blob not null,
    calls integer not null check (calls >= 0),
    closed text,
    examine_at integer
) strict;
create index batches_examine on batches (examine_at) where closed is null and examine_at is not null;

create table instructions (
    id text primary key,
    application_id text not null,
    tranche integer not null,
    generation integer not null check (generation >= 1),
    state text not null check (state in
        ('fresh', 'sending', 'unknown', 'pending', 'settled', 'refused', 'returned', 'closed')),
    live integer not null check (live in (0, 1)),
    minted_at integer not null,
    payee text not null,
    transfer text,
    claim_epoch integer,
    lease_until integer,
    first_claimed_at integer,
    doubt integer not null check (doubt in (0, 1)),
    last_call_ended_at integer,
    msg_id text references batches,
    batch_limit integer check (batch_limit >= 1),
    on_the_way_since integer,
    rejection text,
    credited_at integer,
    observed_at integer,
    bank_reference text,
    debit_carrier text,
    returned_at integer,
    returned_reason text,
    known_to_bank integer not null check (known_to_bank in (0, 1)),
    not_found integer not null check (not_found >= 0),
    absent integer not null check (absent in (0, 1)),
    resend_expired integer not null check (resend_expired in (0, 1)),
    contradiction integer not null check (contradiction in (0, 1)),
    decision_by text,
    decision text,
    closed_at integer,
    enquire_at integer,
    enquiries integer not null check (enquiries >= 0),
    in_transit integer not null check (in_transit >= 0),
    paid integer not null check (paid >= 0),
    unique (application_id, tranche, generation),
    foreign key (application_id, tranche) references payouts,
    check (live = (state in ('fresh', 'sending', 'unknown', 'pending'))),
    check ((claim_epoch is null) = (lease_until is null)),
    check ((credited_at is null) = (observed_at is null)),
    check ((credited_at is null) = (debit_carrier is null)),
    check ((returned_at is null) = (returned_reason is null)),
    check ((decision_by is null) = (decision is null))
) strict;
-- One live instruction per payout: generation n+1 exists only when all before it are dead.
create unique index instructions_one_live on instructions (application_id, tranche) where live;
create index instructions_enquire on instructions (enquire_at) where enquire_at is not null;
create index instructions_lease on instructions (lease_until) where lease_until is not null;
create index instructions_unknown on instructions (last_call_ended_at) where state = 'unknown';
create index instructions_pending on instructions (on_the_way_since) where state = 'pending';

create table batch_members (
    msg_id text not null references batches,
    position integer not null,
    application_id text not null,
    tranche integer not null,
    instruction_id text not null references instructions,
    primary key (msg_id, position),
    unique (msg_id, instruction_id)
) strict;

-- The bank's words as they came, also about ids nobody knows: no foreign key.
create table evidence (
    id integer primary key autoincrement,
    at integer not null,
    instruction_id text not null,
    word text not null,
    detail text not null,
    carrier text not null,
    line_identity text
) strict;
create index evidence_by_instruction on evidence (instruction_id);
create unique index evidence_line on evidence (line_identity) where line_identity is not null;

-- ── books: every row moves an amount from one account to another, so that all of them sum to zero ──

create table postings (
    id integer primary key autoincrement,
    at integer not null,
    fund_id text not null references funds,
    application_id text not null,
    tranche integer not null,
    instruction_id text,
    from_account text not null check (from_account in ('available', 'reserved', 'in_transit', 'paid', 'overpaid')),
    to_account text not null check (to_account in ('available', 'reserved', 'in_transit', 'paid', 'overpaid')),
    amount integer not null check (amount > 0),
    check (from_account <> to_account),
    foreign key (application_id, tranche) references payouts
) strict;
create index postings_by_payout on postings (application_id, tranche);

-- First sendings by fund and clock hour, for the limits.
create table sent_amounts (
    fund_id text not null,
    hour_at integer not null,
    amount integer not null check (amount > 0),
    primary key (fund_id, hour_at)
) strict;
create index sent_amounts_by_hour on sent_amounts (hour_at);

-- ── journal, alarms, outbox, work to come ──

create table journal (
    sequence integer primary key autoincrement,
    version integer not null,
    kind text not null,
    subject text not null,
    at integer not null,
    by text not null,
    detail text not null,
    leaf_algorithm text not null,
    leaf blob not null,
    block integer
) strict;
create index journal_by_subject on journal (subject, sequence);
create index journal_unsealed on journal (sequence) where block is null;

create trigger journal_no_update before update of sequence, version, kind, subject, at, by, detail, leaf_algorithm, leaf
    on journal begin select raise(abort, 'the journal is append-only'); end;
create trigger journal_no_second_block before update of block on journal when old.block is not null
    begin select raise(abort, 'the journal is append-only'); end;
create trigger journal_no_delete before delete on journal
    begin select raise(abort, 'the journal is append-only'); end;

create table alarms (
    id integer primary key autoincrement,
    at integer not null,
    kind text not null,
    application_id text,
    tranche integer,
    instruction_id text,
    text text not null
) strict;
create index alarms_by_kind on alarms (kind);

create table outbox (
    id text primary key,
    destination text not null check (destination in ('world', 'payout_doorbell')),
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
create index outbox_unsent on outbox (id) where sent_at is null;
create index outbox_doorbells on outbox (id) where destination = 'payout_doorbell';
create unique index outbox_by_subject on outbox (subject, sequence, event_type) where subject is not null;

-- Payouts to be judged again, by what changed; turned into payouts.reconsider_at by the next judgement.
create table reconsiderations (
    id integer primary key autoincrement,
    kind text not null check (kind in ('application', 'commitment', 'fund')),
    subject text not null,
    at integer not null
) strict;
