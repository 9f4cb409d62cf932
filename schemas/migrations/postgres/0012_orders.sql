-- Supervision orders, and their answers' clocks.

create table orders (
    number bigint primary key check (number >= 1),
    matter text collate "C" not null,
    application_id text collate "C",
    alert_id text collate "C" references alerts,
    pattern_id text collate "C",
    audience text not null check (audience in ('supervision', 'inspection')),
    addressee text collate "C" not null,
    department_id text collate "C" not null,
    issued_by text collate "C" not null,
    issued_at bigint not null,
    working_days bigint not null check (working_days >= 1),
    demand text not null,
    steps text not null,
    state text not null check (state in ('issued', 'replied', 'closed')),
    closed text,
    check ((alert_id is null) <> (pattern_id is null)),
    check ((state = 'closed') = (closed is not null))
);
create index orders_by_matter on orders (matter);
create index orders_open on orders (number) where state <> 'closed';

alter table clocks drop constraint clocks_kind_check;
alter table clocks add constraint clocks_kind_check
    check (kind in ('acceptance', 'step', 'supplement', 'review', 'legal', 'payout', 'order'));
