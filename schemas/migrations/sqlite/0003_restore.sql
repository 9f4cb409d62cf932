-- What a restore of the database asks for: sending closed until it is recovered, payouts that a lost history may have sent, and
-- the statement check that lets an absent instruction go again.

alter table switch add column restore_noticed_at integer;
alter table switch add column restore_opens_from integer;
alter table payouts add column restored integer not null default 0 check (restored in (0, 1));
alter table instructions add column resend_allowed_until integer;
alter table instructions add column successor_in_doubt integer not null default 0 check (successor_in_doubt in (0, 1));
