//! From settings to the core's rules.

use crate::notice_rules::notice_rules;
use jiff::SignedDuration;
use std::sync::Arc;
use zhida_config::sections::{self, Idempotency, Switch};
use zhida_config::{Calendar, Settings};
use zhida_core::case_file::Counting;
use zhida_core::money::Fen;
use zhida_core::rails::LargeValueRail;
use zhida_core::rules::{self, BankRules, ChangedPayee, Enquiries, Limits, Rules};
use zhida_core::supervision::SupervisionRules;
use zhida_core::working_time::Hours;

/// The rules that these settings state, for `district`, with its working-day calendar.
pub(crate) fn rules(settings: &Settings, district: &str, calendar: Calendar) -> Rules {
    let seconds = |count: u32| SignedDuration::from_secs(i64::from(count));
    let days = |count: u32| SignedDuration::from_hours(24 * i64::from(count));
    let bank = &settings.bank;
    let defaults = Rules::with_defaults(district);
    Rules {
        bank: BankRules {
            batch_max: bank.batch_max,
            lease: seconds(bank.claim_lease_seconds),
            timeout: seconds(bank.timeout_seconds),
            visibility: seconds(bank.visibility_seconds),
            idempotency: match bank.idempotency {
                Idempotency::EndToEndId => rules::Idempotency::EndToEndId,
                Idempotency::MessageId => rules::Idempotency::MessageId,
            },
            idempotency_window: days(bank.idempotency_days),
            enquiries: Enquiries::Offered,
            enquiry_first: seconds(bank.enquiry_first_seconds),
            enquiry_max: seconds(bank.enquiry_max_seconds),
            ..defaults.bank
        },
        max_age: days(settings.intake.max_age_days),
        changed_payee: match settings.holds.changed_payee {
            Switch::On => ChangedPayee::Hold,
            Switch::Off => ChangedPayee::Pay,
        },
        at_risk_after: settings
            .payout
            .at_risk_hours
            .iter()
            .map(|hours| SignedDuration::from_hours(i64::from(*hours)))
            .collect(),
        second_officer_above: settings.release.second_officer_above.as_ref().map(|amount| amount.fen),
        limits: Limits {
            per_hour: settings.limits.per_hour.as_ref().map(|amount| amount.fen),
            per_day: settings.limits.per_day.as_ref().map(|amount| amount.fen),
            per_fund_per_day: settings.limits.per_fund_per_day.as_ref().map(|amount| amount.fen),
        },
        large_value: Some(LargeValueRail {
            above: Fen(bank.large_value_above.fen),
            opens: bank.large_value_opens,
            closes: bank.large_value_closes,
            calendar: Arc::new(calendar),
            zone: settings.calendar.timezone.clone(),
        }),
        zone: settings.calendar.timezone.clone(),
        supervision: supervision(&settings.supervision),
        digest: Some(settings.digest.cron.clone()),
        notices: notice_rules(settings),
        ..defaults
    }
}

fn supervision(settings: &sections::Supervision) -> SupervisionRules {
    let days = |count: u32| u16::try_from(count).unwrap_or(u16::MAX);
    let part = settings.due_soon_part;
    SupervisionRules {
        hours: hours(settings),
        counting: Counting {
            pause_max_working_days: settings.pause_max_working_days,
            due_soon_working_days: days(settings.due_soon_working_days),
            due_soon_part: (part.numerator, part.denominator),
        },
        acceptance_working_days: days(settings.acceptance_working_days),
        supplement_working_days: days(settings.supplement_working_days),
        step_working_days: days(settings.step_working_days),
        acknowledge_max_working_hours: settings.acknowledge_max_working_hours,
        replay_pause: SignedDuration::from_mins(i64::from(settings.replay_minutes.0)),
        ..SupervisionRules::default()
    }
}

/// The hours of a working day.
pub(crate) fn hours(settings: &sections::Supervision) -> Vec<Hours> {
    settings.hours.stretches().iter().map(|(from, to)| Hours { from: *from, to: *to }).collect()
}
