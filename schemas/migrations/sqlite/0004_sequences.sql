-- The number of an event that goes out is counted per subject, over all tranches of an application: one row per subject, raised
-- in the transaction that announces.

create table sequences (
    subject text primary key,
    last integer not null check (last >= 1)
) strict;
insert into sequences (subject, last)
select subject, max(sequence) from outbox where subject is not null group by subject;

-- Acts of an operator are numbered there as well.
alter table operators drop column acts;
