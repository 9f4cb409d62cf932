-- Awards of an enterprise that are under way or ready, for the rule of the changed account.
create index payouts_open_by_enterprise on payouts (uscc)
    where state in ('ready', 'sending', 'unknown', 'pending');

-- What a revoked key has approved and may still be sent: also what is unknown, for it may turn out to be absent at the bank.
drop index payouts_unsent_by_key;
create index payouts_unsent_by_key on payouts (keyid) where state in ('held', 'ready', 'unknown');
