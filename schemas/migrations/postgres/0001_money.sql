-- The first schema: what came in, payouts and their instructions, batches, books, journal, outbox, reference data.
-- Money in minor units, times in microseconds since 1970 UTC, ids as text compared by bytes.

create table meta (
    name text collate "C" primary key,
    value text not null
);

-- ── what came in ──

create table inbox (
    source text collate "C" not null,
    event_id text collate "C" not null,
    content_sha256 text not null,
    event_type text not null,
    subject text collate "C" not null,
    keyid text not null,
    way text not null,
    received_at bigint not null,
    primary key (source, event_id)
);

-- The signed bytes carry personal data: apart, so that they can be erased.
create table inbox_bodies (
    source text collate "C" not null,
    event_id text collate "C" not null,
    body bytea not null,
    primary key (source, event_id),
    foreign key (source, event_id) references inbox
);

create table quarantine (
    id text collate "C" primary key,
    received_at bigint not null,
    digest text collate "C" not null,
    body bytea not null,
    way text not null,
    source text,
    event_id text,
    event_type text,
    reason_code text not null,
    field text,
    reason text not null,
    state text not null check (state in ('open', 'replayed', 'discarded')),
    closed_by text,
    closed_at bigint,
    closed_reason text,
    check ((state = 'open') = (closed_at is null))
);
-- The same message refused for the same reason stands here once while it is open.
create unique index quarantine_open on quarantine (digest) where state = 'open';
create index quarantine_by_code on quarantine (reason_code) where state = 'open';

create table applications (
    id text collate "C" primary key,
    ended_kind text check (ended_kind in ('withdrawn', 'rejected', 'revoked', 'cancelled')),
    ended_at bigint,
    ended_reason text,
    publicity_open boolean not null,
    objection_open boolean not null,
    check ((ended_kind is null) = (ended_at is null))
);

create table commitments (
    id text collate "C" primary key,
    uscc text not null,
    received_at bigint not null
);

create table enterprises (
    id text collate "C" primary key,
    uscc text collate "C" not null unique,
    name text not null,
    since bigint not null
);

-- ── reference data ──

create table funds (
    id text collate "C" primary key,
    name text not null,
    currency text not null check (length(currency) = 3),
    appropriated bigint not null check (appropriated >= 0),
    committed bigint not null check (committed >= 0),
    debtor_name text not null,
    debtor_account_no text not null,
    debtor_bank_code text not null,
    budget_document text
);

create table policies (
    id text collate "C" primary key,
    title text not null,
    department_id text not null,
    fund_id text collate "C" not null,
    valid_from text not null,
    valid_to text,
    cap_per_application bigint check (cap_per_application >= 0),
    cap_per_enterprise_per_year bigint check (cap_per_enterprise_per_year >= 0),
    release_limit bigint check (release_limit >= 0),
    commitment_required boolean not null,
    whole text not null
);
create index policies_by_fund on policies (fund_id);

create table caps (
    policy_id text collate "C" not null,
    uscc text collate "C" not null,
    year bigint not null,
    charged bigint not null check (charged >= 0),
    primary key (policy_id, uscc, year)
);

create table operators (
    id text collate "C" primary key,
    name text not null,
    role text not null,
    public_key text not null,
    disabled_at bigint,
    acts bigint not null default 0
);

-- The stop switch: one row, always.
create table switch (
    id bigint primary key check (id = 1),
    stopped_by text,
    stopped_reason text,
    since bigint,
    resumed_by text,
    check ((stopped_by is null) = (since is null)),
    check (resumed_by is null or stopped_by is not null)
);
insert into switch (id) values (1);

-- ── payouts ──

create table payouts (
    application_id text collate "C" not null,
    tranche bigint not null check (tranche >= 1),
    state text not null check (state in
        ('held', 'ready', 'sending', 'unknown', 'pending', 'settled', 'refused', 'returned', 'cancelled')),
    reason_code text,
    live boolean not null,
    claimable boolean not null,
    policy_id text collate "C" not null,
    fund_id text collate "C" references funds,
    named_fund_id text,
    uscc text collate "C" not null,
    enterprise_name text not null,
    amount bigint not null check (amount > 0),
    currency text not null check (length(currency) = 3),
    account_name text not null,
    account_no text not null,
    bank_code text not null,
    bank_name text not null,
    approved_payee text not null,
    approved_at bigint not null,
    received_at bigint not null,
    due_at bigint not null,
    commitment_id text collate "C",
    officers bigint not null check (officers >= 0),
    approval_source text not null,
    approval_id text not null,
    correction_source text,
    correction_id text,
    keyid text not null,
    epoch bigint not null check (epoch >= 0),
    sequence bigint not null check (sequence >= 0),
    holds text not null,
    waived text not null,
    ended_kind text check (ended_kind in ('withdrawn', 'rejected', 'revoked', 'cancelled')),
    ended_at bigint,
    ended_reason text,
    correction text,
    funded boolean not null,
    reserved bigint not null check (reserved >= 0),
    overpaid boolean not null,
    told text not null,
    credited_at bigint,
    paid_account_no text,
    wake_at bigint,
    reconsider_at bigint,
    primary key (application_id, tranche),
    check ((ended_kind is null) = (ended_at is null)),
    check ((correction_source is null) = (correction_id is null)),
    check (not funded or fund_id is not null),
    check (not claimable or (live and funded and ended_kind is null)),
    check ((state = 'settled') = (credited_at is not null))
);
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
create index payouts_by_state on payouts (state, reason_code) include (amount);
create index payouts_newest on payouts (received_at, application_id, tranche);
create index payouts_newest_of_state on payouts (state, received_at, application_id, tranche);
create index payouts_newest_of_policy on payouts (policy_id, received_at, application_id, tranche);

create table batches (
    msg_id text collate "C" primary key,
    created_at bigint not null,
    bytes bytea not null,
    calls bigint not null check (calls >= 0),
    closed text,
    examine_at bigint
);
create index batches_examine on batches (examine_at) where closed is null and examine_at is not null;

create table instructions (
    id text collate "C" primary key,
    application_id text collate "C" not null,
    tranche bigint not null,
    generation bigint not null check (generation >= 1),
    state text not null check (state in
        ('fresh', 'sending', 'unknown', 'pending', 'settled', 'refused', 'returned', 'closed')),
    live boolean not null,
    minted_at bigint not null,
    payee text not null,
    transfer text,
    claim_epoch bigint,
    lease_until bigint,
    first_claimed_at bigint,
    doubt boolean not null,
    last_call_ended_at bigint,
    msg_id text collate "C" references batches,
    batch_limit bigint check (batch_limit >= 1),
    on_the_way_since bigint,
    rejection text,
    credited_at bigint,
    observed_at bigint,
    bank_reference text,
    debit_carrier text,
    returned_at bigint,
    returned_reason text,
    known_to_bank boolean not null,
    not_found bigint not null check (not_found >= 0),
    absent boolean not null,
    resend_expired boolean not null,
    contradiction boolean not null,
    decision_by text,
    decision text,
    closed_at bigint,
    enquire_at bigint,
    enquiries bigint not null check (enquiries >= 0),
    in_transit bigint not null check (in_transit >= 0),
    paid bigint not null check (paid >= 0),
    unique (application_id, tranche, generation),
    foreign key (application_id, tranche) references payouts,
    check (live = (state in ('fresh', 'sending', 'unknown', 'pending'))),
    check ((claim_epoch is null) = (lease_until is null)),
    check ((credited_at is null) = (observed_at is null)),
    check ((credited_at is null) = (debit_carrier is null)),
    check ((returned_at is null) = (returned_reason is null)),
    check ((decision_by is null) = (decision is null))
);
-- One live instruction per payout: generation n+1 exists only when all before it are dead.
create unique index instructions_one_live on instructions (application_id, tranche) where live;
create index instructions_enquire on instructions (enquire_at) where enquire_at is not null;
create index instructions_lease on instructions (lease_until) where lease_until is not null;
create index instructions_unknown on instructions (last_call_ended_at) where state = 'unknown';
create index instructions_pending on instructions (on_the_way_since) where state = 'pending';

create table batch_members (
    msg_id text collate "C" not null references batches,
    position bigint not null,
    application_id text collate "C" not null,
    tranche bigint not null,
    instruction_id text collate "C" not null references instructions,
    primary key (msg_id, position),
    unique (msg_id, instruction_id)
);

-- The bank's words as they came, also about ids nobody knows: no foreign key.
create table evidence (
    id bigint generated always as identity primary key,
    at bigint not null,
    instruction_id text collate "C" not null,
    word text not null,
    detail text not null,
    carrier text not null,
    line_identity text
);
create index evidence_by_instruction on evidence (instruction_id);
create unique index evidence_line on evidence (line_identity) where line_identity is not null;

-- ── books: every row moves an amount from one account to another, so that all of them sum to zero ──

create table postings (
    id bigint generated always as identity primary key,
    at bigint not null,
    fund_id text collate "C" not null references funds,
    application_id text collate "C" not null,
    tranche bigint not null,
    instruction_id text collate "C",
    from_account text not null check (from_account in ('available', 'reserved', 'in_transit', 'paid', 'overpaid')),
    to_account text not null check (to_account in ('available', 'reserved', 'in_transit', 'paid', 'overpaid')),
    amount bigint not null check (amount > 0),
    check (from_account <> to_account),
    foreign key (application_id, tranche) references payouts
);
create index postings_by_payout on postings (application_id, tranche);

-- First sendings by fund and clock hour, for the limits.
create table sent_amounts (
    fund_id text collate "C" not null,
    hour_at bigint not null,
    amount bigint not null check (amount > 0),
    primary key (fund_id, hour_at)
);
create index sent_amounts_by_hour on sent_amounts (hour_at);

-- ── journal, alarms, outbox, work to come ──

create table journal (
    sequence bigint generated always as identity primary key,
    version bigint not null,
    kind text not null,
    subject text collate "C" not null,
    at bigint not null,
    by text not null,
    detail text not null,
    leaf_algorithm text not null,
    leaf bytea not null,
    block bigint
);
create index journal_by_subject on journal (subject, sequence);
create index journal_unsealed on journal (sequence) where block is null;

create function journal_is_append_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.block is null and to_jsonb(old) - 'block' = to_jsonb(new) - 'block'
    then
        return new;
    end if;
    raise exception 'the journal is append-only';
end
$$;
create trigger journal_append_only before update or delete on journal
    for each row execute function journal_is_append_only();

create table alarms (
    id bigint generated always as identity primary key,
    at bigint not null,
    kind text not null,
    application_id text collate "C",
    tranche bigint,
    instruction_id text collate "C",
    text text not null
);
create index alarms_by_kind on alarms (kind);

create table outbox (
    id text collate "C" primary key,
    destination text not null check (destination in ('world', 'payout_doorbell')),
    event_type text,
    subject text collate "C",
    sequence bigint,
    body bytea not null,
    created_at bigint not null,
    claimed_until bigint not null default 0,
    sent_at bigint,
    check ((destination = 'world') = (event_type is not null)),
    check ((destination = 'world') = (subject is not null)),
    check ((destination = 'world') = (sequence is not null))
);
create index outbox_unsent on outbox (id) where sent_at is null;
create index outbox_doorbells on outbox (id) where destination = 'payout_doorbell';
create unique index outbox_by_subject on outbox (subject, sequence, event_type) where subject is not null;

-- Payouts to be judged again, by what changed; turned into payouts.reconsider_at by the next judgement.
create table reconsiderations (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('application', 'commitment', 'fund')),
    subject text collate "C" not null,
    at bigint not null
);
