-- Payouts that the closed large-value rail puts at risk, counted apart from those whose time runs out.

alter table payouts add column rail_closed boolean not null default false;
create index payouts_rail_closed on payouts (approved_at) where live and rail_closed;
