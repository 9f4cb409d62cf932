-- Messages overtake each other: what counts is when a notice began or ended and when a correction was confirmed, not which came last.

alter table payouts add column corrected_at bigint;
alter table applications add column publicity_started_at bigint;
alter table applications add column publicity_objected_at bigint;
alter table applications add column publicity_ended_at bigint;
-- When those began that are open now was not kept: any end closes them.
update applications set publicity_started_at = 0 where publicity_open;
update applications set publicity_objected_at = 0 where objection_open;
