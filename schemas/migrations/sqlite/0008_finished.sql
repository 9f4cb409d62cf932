-- Figures at any size: payouts that are at their end are counted as they get there, so that only the rest is ever counted.

-- A state's count is the sum of its shards; a shard alone may be negative.
create table finished_payouts (
    state text not null check (state in ('settled', 'cancelled')),
    shard integer not null,
    count integer not null,
    amount integer not null,
    primary key (state, shard)
) strict;
insert into finished_payouts (state, shard, count, amount)
select state, 0, count(*), sum(amount) from payouts where state in ('settled', 'cancelled') group by state;

drop index payouts_by_state;
create index payouts_unfinished on payouts (state, reason_code, amount)
    where state not in ('settled', 'cancelled');
-- Nobody asks for credits by time.
drop index payouts_by_credit;
