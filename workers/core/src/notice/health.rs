//! Whether a provider is of use at present: a circuit breaker. Five failures in a row shut it for a minute, doubled up to ten each
//! time that the one message which then tries fails as well; trouble with our account there shuts it for ten minutes at once.

use super::NoticeRules;
use crate::ports::notices::ErrandEnd;
use crate::ports::sms::{RefusalClass, SendOutcome};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many failures in a row shut it.
const FAILURES_MAX: u32 = 5;
/// For so long at first.
const FIRST: SignedDuration = SignedDuration::from_secs(60);
/// For so long at most, and after trouble with our account.
const LONGEST: SignedDuration = SignedDuration::from_mins(10);

/// What the last calls have shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderHealth {
    /// Failures in a row, while it is open to messages.
    pub failures: u32,
    /// How often it was shut in a row; 0: it is not.
    pub shut: u32,
    /// Since when, through all its pauses.
    #[serde(default)]
    pub shut_since: Option<Timestamp>,
    /// Until when it is shut, or was.
    pub shut_until: Option<Timestamp>,
    /// One message tries; others wait until then, or for its end.
    pub trial_until: Option<Timestamp>,
    /// What was seen last when it failed; no address.
    pub last_failure: Option<String>,
}

/// What a call says of the provider that it was made to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Well,
    Failed,
    Account,
}

impl ProviderHealth {
    /// From when on it may be tried: `now` while nothing is known against it.
    #[must_use]
    pub fn free_at(&self, now: Timestamp) -> Timestamp {
        [self.rest_until(now), self.trial_until].into_iter().flatten().max().map_or(now, |at| at.max(now))
    }

    /// It is shut, or one message tries it.
    #[must_use]
    pub fn is_shut(&self) -> bool {
        self.shut > 0
    }

    /// Until when it is shut, or was. No rest is longer than [`LONGEST`]: what lies further ahead was written by a clock that has been set
    /// right since.
    fn rest_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.shut_until.filter(|until| until.duration_since(now) <= LONGEST)
    }

    /// It is given a rest, or was until lately and nobody has tried it since: what it is worth is not known for longer.
    #[must_use]
    pub fn rests(&self, now: Timestamp) -> bool {
        let until = self.rest_until(now).and_then(|until| until.checked_add(LONGEST).ok());
        self.is_shut() && until.is_some_and(|until| now < until)
    }

    /// A call is about to be made, with a lease until then. Whoever is the first after a time of being shut tries for all.
    pub fn claim(&mut self, lease_until: Timestamp) {
        if self.is_shut() {
            self.trial_until = Some(lease_until);
        }
    }

    /// A call that was claimed was not made: whoever comes next may try.
    pub fn not_made(&mut self) {
        self.trial_until = None;
    }

    /// A call has ended.
    pub fn on(&mut self, outcome: &SendOutcome, now: Timestamp) {
        let (verdict, why) = verdict(outcome);
        match verdict {
            // Calls that began before it was shut say nothing new.
            Verdict::Well if self.is_shut() && self.trial_until.is_none() => {}
            Verdict::Well => *self = Self::default(),
            Verdict::Account => self.shut_for(LONGEST, now, why),
            Verdict::Failed => {
                // Calls that began before it was shut say nothing new.
                if self.is_shut() && self.trial_until.is_none() {
                    return;
                }
                self.failures = self.failures.saturating_add(1);
                if self.is_shut() || self.failures >= FAILURES_MAX {
                    let doubled = FIRST * 2_i32.pow(self.shut.min(8));
                    self.shut_for(doubled.min(LONGEST), now, why);
                } else {
                    self.last_failure = Some(why);
                }
            }
        }
    }

    fn shut_for(&mut self, pause: SignedDuration, now: Timestamp, why: String) {
        let until = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        *self = Self {
            failures: 0,
            shut: self.shut.saturating_add(1),
            shut_since: self.shut_since.or(Some(now)),
            shut_until: self.rest_until(now).max(Some(until)),
            trial_until: None,
            last_failure: Some(why),
        };
    }
}

/// Whether a provider that was shut is open again: what waits for one is looked at then.
#[must_use]
pub fn some_opened(before: &BTreeMap<String, ProviderHealth>, after: &BTreeMap<String, ProviderHealth>) -> bool {
    let is_open = |name: &String| after.get(name).is_none_or(|one| !one.is_shut());
    before.iter().any(|(name, one)| one.is_shut() && is_open(name))
}

/// Nothing is known against any provider of the settings: sending changes nothing of that.
#[must_use]
pub fn all_are_well(health: &BTreeMap<String, ProviderHealth>, rules: &NoticeRules) -> bool {
    let well = |name: &str| health.get(name).is_none_or(|one| *one == ProviderHealth::default());
    rules.providers.iter().all(|provider| well(&provider.name))
}

/// Whether these ends may change what is known of providers.
#[must_use]
pub fn is_told_of(health: &BTreeMap<String, ProviderHealth>, rules: &NoticeRules, ends: &[ErrandEnd]) -> bool {
    let failed = |end: &ErrandEnd| match end {
        ErrandEnd::Sent { outcome, .. } => verdict(outcome).0 != Verdict::Well,
        ErrandEnd::NotMade { .. } | ErrandEnd::Asked { .. } => false,
    };
    !all_are_well(health, rules) || ends.iter().any(failed)
}

fn verdict(outcome: &SendOutcome) -> (Verdict, String) {
    match outcome {
        SendOutcome::Accepted { .. } => (Verdict::Well, String::new()),
        SendOutcome::Refused { class, code, .. } => match class {
            // It answered, and about this message.
            RefusalClass::Recipient
            | RefusalClass::Unreachable
            | RefusalClass::Template
            | RefusalClass::Content
            | RefusalClass::Limit => (Verdict::Well, String::new()),
            RefusalClass::Account => (Verdict::Account, code.clone()),
            RefusalClass::Busy => (Verdict::Failed, code.clone()),
        },
        SendOutcome::NotConnected { why } | SendOutcome::Doubtful { why } => (Verdict::Failed, why.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Channel, NoticeRules, ProviderRules};
    use super::{ProviderHealth, is_told_of, some_opened};
    use crate::ports::notices::ErrandEnd;
    use crate::ports::sms::{RefusalClass, SendOutcome};
    use jiff::tz::TimeZone;
    use jiff::{SignedDuration, Timestamp};
    use std::collections::BTreeMap;

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
    }

    fn failed() -> SendOutcome {
        SendOutcome::NotConnected { why: "refused".to_owned() }
    }

    fn refused(class: RefusalClass) -> SendOutcome {
        SendOutcome::Refused { class, code: "X".to_owned(), text: String::new() }
    }

    fn accepted() -> SendOutcome {
        SendOutcome::Accepted { provider_id: None, segments: None }
    }

    /// Shut for how long from `second` on.
    fn shut_for(health: &ProviderHealth, second: i64) -> i64 {
        health.free_at(at(second)).duration_since(at(second)).as_secs()
    }

    #[test]
    fn five_failures_in_a_row_shut_it_and_one_message_tries() {
        let mut health = ProviderHealth::default();
        for _ in 0..4 {
            health.on(&failed(), at(0));
        }
        health.on(&refused(RefusalClass::Content), at(0));
        for second in 0..4 {
            health.on(&failed(), at(second));
            assert_eq!(shut_for(&health, second), 0, "a success in between counts");
        }
        health.on(&failed(), at(10));
        assert_eq!(shut_for(&health, 10), 60);
        health.on(&failed(), at(11));
        assert_eq!(shut_for(&health, 11), 59, "late ends change nothing");
        let mut second = 70;
        for pause in [120, 240, 480, 600, 600] {
            assert_eq!(shut_for(&health, second), 0, "half open");
            health.claim(at(second + 60));
            assert_eq!(shut_for(&health, second), 60, "one tries, the others wait");
            health.on(&failed(), at(second));
            assert_eq!(shut_for(&health, second), pause);
            assert_eq!(health.shut_since, Some(at(10)), "since it was shut first");
            second += pause;
        }
        health.claim(at(second + 60));
        health.not_made();
        assert_eq!(shut_for(&health, second), 0, "the next one tries");
        health.claim(at(second + 60));
        health.on(&accepted(), at(second));
        assert_eq!(health, ProviderHealth::default());
    }

    #[test]
    fn a_rest_that_a_wrong_clock_gave_is_over_when_it_was_set_right() {
        let mut health = ProviderHealth::default();
        for _ in 0..5 {
            health.on(&failed(), at(3 * 3600));
        }
        assert_eq!((shut_for(&health, 3 * 3600), shut_for(&health, 0)), (60, 0));
        health.claim(at(60));
        health.on(&failed(), at(0));
        assert_eq!(shut_for(&health, 0), 120, "and it is given another by the right one");
        let shut = BTreeMap::from([("a".to_owned(), health.clone())]);
        assert!(!some_opened(&shut, &shut));
        health.claim(at(180));
        health.on(&accepted(), at(130));
        assert!(some_opened(&shut, &BTreeMap::from([("a".to_owned(), health)])));
    }

    #[test]
    fn what_says_nothing_new_of_a_provider_is_known_before() {
        let end = |outcome| ErrandEnd::Sent { notice_id: "n".to_owned(), out_id: "n".to_owned(), outcome };
        let well = BTreeMap::from([("a".to_owned(), ProviderHealth::default())]);
        let mut rules = NoticeRules::with_defaults(TimeZone::UTC);
        rules.providers.push(ProviderRules::of_texts("a", Channel::Mail));
        let quiet = [end(accepted()), end(refused(RefusalClass::Content))];
        assert!(!is_told_of(&well, &rules, &quiet));
        for outcome in [failed(), refused(RefusalClass::Busy), refused(RefusalClass::Account)] {
            assert!(is_told_of(&well, &rules, &[end(accepted()), end(outcome)]));
        }
        let mut failing = well.clone();
        failing.entry("a".to_owned()).or_default().on(&failed(), at(0));
        assert!(is_told_of(&failing, &rules, &quiet), "a success ends a run of failures");
        rules.providers.clear();
        assert!(!is_told_of(&failing, &rules, &quiet), "it is gone from the settings");
    }

    #[test]
    fn trouble_with_the_account_shuts_it_at_once() {
        let mut health = ProviderHealth::default();
        health.on(&refused(RefusalClass::Account), at(0));
        assert_eq!(shut_for(&health, 0), 600);
        health.on(&accepted(), at(0));
        assert_eq!(shut_for(&health, 0), 600, "a call that began before says nothing new");
        assert!(health.is_shut());
        assert!(
            health.rests(at(0)) && health.rests(at(1199)) && !health.rests(at(1200)),
            "10 minutes, and as many untried"
        );
    }
}
