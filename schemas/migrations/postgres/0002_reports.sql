-- For people who query: yuan and readable times, no account numbers.

create view payouts_report as
select
    application_id, tranche, state, reason_code, policy_id, fund_id, uscc, enterprise_name,
    (amount / 100.0)::numeric(20, 2) as amount_yuan, currency,
    to_timestamp(approved_at / 1000000.0) as approved_at,
    to_timestamp(received_at / 1000000.0) as received_at,
    to_timestamp(due_at / 1000000.0) as due_at,
    to_timestamp(credited_at / 1000000.0) as credited_at,
    round((credited_at - approved_at) / 3600000000.0, 3) as hours_to_credit
from payouts;

create view funds_report as
select
    id, name, currency,
    (appropriated / 100.0)::numeric(20, 2) as appropriated_yuan,
    (committed / 100.0)::numeric(20, 2) as committed_yuan,
    ((appropriated - committed) / 100.0)::numeric(20, 2) as left_yuan
from funds;

create view journal_report as
select sequence, to_timestamp(at / 1000000.0) as at, kind, subject, by, detail from journal;
