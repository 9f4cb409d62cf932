//! What every store must do: one suite over the ports of `zhida_core::ports::store`, told to the store in memory, to SQLite and
//! to PostgreSQL. It speaks to the ports alone; how a store does it is its own affair.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod acting;
mod alarms;
mod belief;
mod digesting;
mod evidence;
mod forgetting;
mod judging;
mod noticing;
mod ordering;
mod organising;
mod patterns;
mod place;
mod rail;
mod reaching;
mod restoring;
mod sending;
mod supervising;
mod taking_in;
mod telling;
mod telling_again;
mod trying;
mod withstanding;
mod wording;
mod world;

use place::Place;
use std::future::Future;
use std::pin::Pin;
use world::World;
use zhida_core::rules::Rules;

type Told = Pin<Box<dyn Future<Output = ()>>>;

/// A case: its name, what it changes of the default rules, and the story.
type Case = (&'static str, fn(&mut Rules), fn(World) -> Told);

macro_rules! cases {
    ($($module:ident::$name:ident $(with $rules:expr)?;)*) => {
        const CASES: &[Case] = &[$((
            concat!(stringify!($module), "::", stringify!($name)),
            cases!(@rules $($rules)?),
            |world| Box::pin($module::$name(world)),
        ),)*];
    };
    (@rules) => { |_| {} };
    (@rules $rules:expr) => { $rules };
}

cases! {
    taking_in::the_same_event_a_thousand_times_is_one_payout;
    taking_in::events_in_any_order_come_to_the_same;
    taking_in::messages_that_were_overtaken_change_nothing;
    taking_in::the_same_id_with_other_content_is_quarantined;
    taking_in::a_second_approval_with_another_account_is_quarantined;
    taking_in::a_second_identical_approval_is_a_duplicate;
    taking_in::two_equal_awards_of_one_enterprise_are_both_paid;
    taking_in::a_short_fund_pays_when_it_is_filled;
    taking_in::a_yearly_cap_holds_what_exceeds_it;
    taking_in::two_handles_never_overdraw_a_fund;
    taking_in::a_policy_imported_late_and_a_late_commitment_release;
    taking_in::an_end_before_the_approval_holds_it;
    taking_in::an_approval_after_the_end_is_a_conflict;
    taking_in::a_tranche_approved_after_the_end_is_a_conflict;
    taking_in::quarantine_is_kept_until_it_is_closed;
    sending::concurrent_claims_share_nothing;
    sending::the_oldest_deadline_goes_first;
    sending::an_expired_lease_is_unknown_and_a_stale_booking_changes_no_claim;
    sending::what_was_not_taken_in_goes_again_with_the_same_bytes;
    sending::a_definitive_not_found_sends_the_same_bytes_again;
    sending::not_found_within_the_window_proves_nothing;
    sending::three_definitive_not_found_give_a_new_message_for_the_same_instruction;
    sending::a_batch_with_a_refused_member_is_closed;
    sending::lack_of_funds_and_a_closed_window_give_the_next_generation;
    sending::a_message_refused_whole_is_split_until_the_culprit_is_alone;
    sending::limits_let_the_rest_wait with |rules| rules.limits.per_hour = Some(25_000);
    sending::two_handles_never_pass_a_limit with |rules| rules.limits.per_hour = Some(25_000);
    sending::another_account_waits_for_confirmation;
    sending::a_days_limit_lets_the_rest_wait with |rules| rules.limits.per_day = Some(25_000);
    sending::one_funds_limit_holds_up_no_other_fund with |rules| rules.limits.per_fund_per_day = Some(25_000);
    sending::an_answer_that_names_others_is_heard;
    sending::a_call_that_was_not_made_leaves_nothing;
    sending::repeated_bookings_after_unknown_commits_change_nothing;
    sending::an_edited_payee_is_never_paid;
    evidence::a_late_debit_after_a_refusal_settles_and_rings;
    evidence::a_return_may_come_before_its_debit;
    evidence::a_refused_payee_is_corrected_and_paid;
    evidence::evidence_for_nobody_is_kept_and_rings;
    evidence::withdrawal_at_every_state;
    evidence::too_late_for_a_repetition_rings_and_waits
        with |rules| rules.bank.idempotency_window = jiff::SignedDuration::from_hours(1);
    evidence::what_waited_beyond_the_time_of_repetitions_is_not_sent
        with |rules| rules.bank.idempotency_window = jiff::SignedDuration::from_hours(1);
    acting::holds_and_releases_by_two_officers;
    acting::the_stop_switch_needs_two_to_open;
    acting::cancel_works_from_held_and_ready_alone;
    acting::two_officers_close_what_is_absent;
    acting::acts_are_done_once_and_refusals_leave_a_trace;
    acting::a_revoked_key_holds_what_it_approved;
    acting::a_key_revoked_later_holds_what_may_still_go;
    acting::what_a_revoked_key_signed_is_not_sent_before_the_sweep_comes;
    acting::alerts_of_the_24_hours_are_given_once;
    acting::a_closed_rail_is_told_at_once_and_counted_apart with |rules| rail::that_never_opens(rules);
    acting::the_outbox_loses_nothing_between_two_relays;
    acting::events_of_one_application_are_numbered_without_gaps_over_its_tranches;
    acting::lost_doorbells_are_rung_again;
    acting::alarms_are_figures_for_an_hour;
    alarms::what_rings_is_listed_and_stands_in_the_story;
    alarms::what_keeps_sending_back_is_told with |rules| rules.limits.per_hour = Some(25_000);
    acting::one_key_is_one_person;
    acting::a_payout_with_two_holds_counts_under_both;
    acting::figures_and_pages_tell_the_state;
    supervising::events_in_any_order_make_one_case_file;
    supervising::a_stalled_review_is_told_once_however_many_look;
    supervising::a_decision_ends_the_alert_and_it_stays_on_record;
    supervising::a_credit_ends_the_clock_of_its_payout;
    supervising::amended_calendars_and_policies_are_looked_at;
    supervising::other_rules_are_looked_by_and_the_same_are_not;
    ordering::an_alert_acknowledged_twice_at_once_is_acknowledged_once;
    ordering::nobody_acknowledges_for_those_above;
    ordering::an_order_is_answered_and_closed;
    ordering::an_unanswered_order_rings_until_it_is_answered;
    ordering::orders_issued_at_once_have_numbers_of_their_own;
    patterns::applications_are_read_page_by_page_and_those_of_long_ago_left_out;
    patterns::contacts_are_kept_apart_and_the_later_word_counts;
    patterns::a_pattern_is_found_once_whoever_looks_and_how_often;
    patterns::what_is_found_twice_in_one_run_is_one_pattern;
    patterns::an_account_has_one_fingerprint_and_stands_nowhere_in_clear;
    patterns::one_worker_at_a_time_looks_for_patterns;
    patterns::half_a_history_is_not_looked_at_for_patterns;
    patterns::how_policies_fare_is_kept_with_its_figures;
    judging::a_pattern_is_judged_by_those_who_may_and_asked_anew_when_there_is_more;
    judging::what_is_about_officers_is_for_discipline_inspection_alone;
    judging::an_order_is_issued_from_a_pattern;
    withstanding::what_is_due_does_not_wait_for_what_an_import_concerns;
    withstanding::a_year_of_history_is_recorded_and_not_sent;
    withstanding::a_clock_that_is_set_back_unsees_nothing;
    organising::the_organisation_is_replaced_whole_and_journalled_without_contacts;
    organising::calendars_amend_each_other_in_the_order_of_their_imports;
    organising::imports_at_once_leave_one_whole_state;
    digesting::a_digest_is_made_once_however_many_make_it;
    digesting::days_that_passed_without_anybody_are_missed;
    digesting::what_is_overdue_and_what_was_paid_stands_in_the_digest;
    digesting::every_approval_stands_in_one_digest;
    digesting::a_clock_that_ran_ahead_silences_no_digest;
    digesting::what_has_not_rung_yet_is_counted_as_such;
    digesting::a_missing_year_rings_once_ahead_of_time;
    digesting::what_an_amendment_moves_is_told_before;
    noticing::a_notice_is_made_once_whatever_is_repeated with |rules| noticing::sends(rules);
    noticing::two_workers_never_take_one_message_twice with |rules| noticing::sends(rules);
    noticing::a_lease_that_runs_out_is_asked_for_before_anything_is_sent_again with |rules| noticing::sends(rules);
    noticing::receipts_count_before_the_answer_and_again with |rules| noticing::sends(rules);
    noticing::a_receipt_that_only_the_provider_can_name_waits_for_its_answer with |rules| noticing::sends(rules);
    noticing::an_unsigned_receipt_is_a_reason_to_ask with |rules| noticing::sends(rules);
    noticing::an_address_that_nothing_reaches_is_not_written_to_again with |rules| noticing::sends(rules);
    forgetting::a_name_that_a_question_brought_is_known with |rules| noticing::sends(rules);
    forgetting::what_nobody_needs_any_more_is_forgotten with |rules| noticing::with_limits(rules);
    noticing::what_was_not_made_uses_up_no_ceiling with |rules| noticing::with_a_ceiling(rules);
    noticing::ceilings_are_exact_with_two_workers with |rules| noticing::with_a_ceiling(rules);
    noticing::one_number_is_not_written_to_more_often_than_its_provider_allows with |rules| noticing::with_limits(rules);
    telling::what_gathers_for_one_recipient_becomes_one with |rules| noticing::sends(rules);
    telling::notices_are_listed_by_when_they_were_asked_for with |rules| noticing::sends(rules);
    telling::whoever_stands_in_for_an_officer_on_leave_is_written_to with |rules| noticing::sends(rules);
    telling::an_alert_that_is_cleared_is_told_to_nobody_any_more with |rules| noticing::sends(rules);
    telling::a_call_that_was_not_made_is_certainly_not_sent with |rules| noticing::sends(rules);
    telling::templates_are_in_force_from_their_import with |rules| noticing::sends(rules);
    telling::of_two_imports_of_the_same_sight_the_second_changes_nothing with |rules| noticing::sends(rules);
    wording::a_version_of_templates_is_used_for_one_content with |rules| noticing::sends(rules);
    telling::the_other_channel_takes_over with |rules| noticing::sends(rules);
    telling::without_a_receipt_for_half_an_hour_the_mail_goes with |rules| noticing::sends(rules);
    telling::without_a_receipt_and_without_mail_another_provider_is_tried with |rules| noticing::sends(rules);
    telling::a_code_that_is_imported_later_frees_what_waits with |rules| telling::by_codes(rules);
    telling::a_bounce_of_what_is_served_waits_for_a_person with |rules| telling_again::served(rules);
    telling_again::one_operator_stops_all_sending_and_another_resumes_it with |rules| noticing::sends(rules);
    telling_again::what_did_not_arrive_is_told_again_by_a_notice_of_its_own with |rules| noticing::sends(rules);
    telling_again::nothing_goes_twice_because_two_ask_for_it with |rules| telling_again::served(rules);
    telling_again::whoever_cannot_be_reached_is_on_record_and_is_tried_when_somebody_wants_it with |rules| noticing::sends(rules);
    telling_again::what_somebody_does_not_want_is_not_told_and_money_is with |rules| noticing::sends(rules);
    telling_again::figures_show_what_waits_and_who_is_of_no_use with |rules| noticing::sends(rules);
    telling_again::what_waits_for_a_provider_goes_when_one_is_open_again with |rules| telling_again::by_one(rules);
    reaching::who_could_not_be_told_of_money_is_told_when_contacts_come with |rules| noticing::sends(rules);
    reaching::contacts_that_come_while_it_is_decided_are_not_overlooked with |rules| noticing::sends(rules);
    reaching::an_official_is_told_when_an_import_brings_an_address with |rules| noticing::sends(rules);
    telling_again::how_many_wait_and_for_what_is_counted with |rules| noticing::with_a_ceiling(rules);
    trying::a_try_keeps_its_address_with_what_was_written_alone with |rules| noticing::sends(rules);
    telling::digests_are_unsubscribed_from_with_their_own_key with |rules| telling::with_a_link(rules);
    restoring::going_back_is_noticed_and_going_on_is_not;
    restoring::sending_closes_until_a_bank_day_after_the_recovery;
    restoring::a_backup_of_a_recovered_database_is_recovered_again;
    restoring::an_approval_ahead_of_the_clock_is_from_before_the_restore;
    restoring::what_a_lost_history_paid_is_found_and_not_paid_again;
    restoring::the_first_stays_while_its_successor_is_not_known_to_be_absent;
    restoring::an_approval_from_before_the_restore_is_asked_for_first;
    restoring::evidence_that_came_before_its_approval_is_heard;
    restoring::what_was_paid_before_its_policy_is_known_is_charged_when_it_is;
    restoring::a_claim_of_a_lost_history_means_nothing;
    restoring::a_refusal_after_a_restore_waits_for_its_successors_absence;
    restoring::a_statement_check_lets_what_is_too_old_go_again
        with |rules| rules.bank.idempotency_window = jiff::SignedDuration::from_hours(1);
}

async fn suite(mut fresh: impl AsyncFnMut() -> Place) {
    let wanted = std::env::var("ZHIDA_CASE").unwrap_or_default();
    for (name, change, story) in CASES.iter().filter(|(name, _, _)| name.contains(&wanted)) {
        println!("{name}");
        let mut rules = Rules::with_defaults("example");
        change(&mut rules);
        let place = fresh().await;
        let world = World::new(&place, rules).await;
        let afterwards = world.clone();
        story(world).await;
        afterwards.books_balance().await;
    }
}

#[tokio::test]
async fn the_store_in_memory_conforms() {
    suite(async || Place::memory()).await;
}

#[tokio::test]
async fn sqlite_conforms() {
    suite(async || Place::sqlite()).await;
}

#[tokio::test]
async fn postgresql_conforms() {
    suite(async || Place::postgres().await).await;
}
