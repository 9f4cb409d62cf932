-- What a restore of the database asks for: sending closed until it is recovered, payouts that a lost history may have sent, and
-- the statement check that lets an absent instruction go again.

alter table switch add column restore_noticed_at bigint;
alter table switch add column restore_opens_from bigint;
alter table payouts add column restored boolean not null default false;
alter table instructions add column resend_allowed_until bigint;
alter table instructions add column successor_in_doubt boolean not null default false;
