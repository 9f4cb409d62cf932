-- For people who query: yuan and readable times, no account numbers.

create view payouts_report as
select
    application_id, tranche, state, reason_code, policy_id, fund_id, uscc, enterprise_name,
    printf('%d.%02d', amount / 100, amount % 100) as amount_yuan, currency,
    datetime(approved_at / 1000000, 'unixepoch') as approved_at,
    datetime(received_at / 1000000, 'unixepoch') as received_at,
    datetime(due_at / 1000000, 'unixepoch') as due_at,
    datetime(credited_at / 1000000, 'unixepoch') as credited_at,
    round((credited_at - approved_at) / 3600000000.0, 3) as hours_to_credit
from payouts;

create view funds_report as
select
    id, name, currency,
    printf('%d.%02d', appropriated / 100, appropriated % 100) as appropriated_yuan,
    printf('%d.%02d', committed / 100, committed % 100) as committed_yuan,
    printf('%.2f', (appropriated - committed) / 100.0) as left_yuan
from funds;

create view journal_report as
select sequence, datetime(at / 1000000, 'unixepoch') as at, kind, subject, by, detail from journal;
