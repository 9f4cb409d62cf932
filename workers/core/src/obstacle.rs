//! Why a payout that is ready is not sent: what may keep every payout from being sent, held against this one. What stands against
//! one payout alone is a hold.

use crate::ids::OperatorId;
use crate::payout::{Payout, PayoutState};
use crate::ports::store::Sending;
use jiff::Timestamp;

/// What a ready payout waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The stop switch is on.
    Stopped {
        /// Who stopped sending.
        by: OperatorId,
        /// Since when.
        since: Option<Timestamp>,
        /// Why.
        why: String,
    },
    /// A limit leaves no room for it in this hour or on this day.
    UsedUp(&'static str),
    /// Its amount is above a limit itself: it will never fit.
    AboveLimit(&'static str),
}

impl Obstacle {
    /// What keeps this payout from being sent now; none also where nothing but time or a worker is missing.
    #[must_use]
    pub fn of(payout: &Payout, sending: &Sending) -> Option<Self> {
        if payout.state() != PayoutState::Ready {
            return None;
        }
        if let Some((by, why)) = &sending.switch.stopped_by {
            return Some(Self::Stopped { by: by.clone(), since: sending.switch.since, why: why.clone() });
        }
        let (limits, spent, amount) = (&sending.limits, &sending.spent, payout.amount.0);
        let of_fund = payout.fund_id.as_ref().and_then(|id| spent.today_by_fund.get(id)).map_or(0, |sum| sum.0);
        // What was counted once is not counted again, and goes as long as anything is left.
        let goes_again = payout.latest().is_some_and(|one| one.first_claimed_at.is_some());
        let windows = [
            ("limits.per_hour", limits.per_hour, spent.this_hour.0),
            ("limits.per_day", limits.per_day, spent.today.0),
            ("limits.per_fund_per_day", limits.per_fund_per_day, of_fund),
        ];
        let against = |(name, limit, sum): (&'static str, Option<i64>, i64)| {
            let limit = limit?;
            if goes_again {
                (sum >= limit).then_some(Self::UsedUp(name))
            } else if amount > limit {
                Some(Self::AboveLimit(name))
            } else {
                (sum.saturating_add(amount) > limit).then_some(Self::UsedUp(name))
            }
        };
        let all: Vec<Self> = windows.into_iter().filter_map(against).collect();
        // What never ends by itself is told before what does.
        let lasting = all.iter().find(|one| matches!(one, Self::AboveLimit(_)));
        lasting.or(all.first()).cloned()
    }

    /// The kind, for programs: `stopped`, `limit_used_up` or `above_limit`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Stopped { .. } => "stopped",
            Self::UsedUp(_) => "limit_used_up",
            Self::AboveLimit(_) => "above_limit",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::Obstacle;
    use crate::money::Fen;
    use crate::ports::store::Sending;
    use crate::rules::Limits;
    use crate::scenery::{Story, rules};
    use crate::steps::{Spent, Switch};

    #[test]
    fn a_ready_payout_says_what_it_waits_for() {
        let mut payout = Story::ready(rules()).payout;
        payout.fund_id = Some("F-1".into());
        let amount = payout.amount.0;
        let per_hour = |limit: i64| Limits { per_hour: Some(limit), ..Limits::default() };
        let per_fund = |limit: i64| Limits { per_fund_per_day: Some(limit), ..Limits::default() };
        let fund = payout.fund_id.clone().unwrap();
        let spent = |hour: i64, of_fund: i64| Spent {
            this_hour: Fen(hour),
            today: Fen(hour),
            today_by_fund: [(fund.clone(), Fen(of_fund))].into(),
        };
        let on = Switch { stopped_by: Some(("wang".into(), "对账".to_owned())), ..Switch::default() };
        for (switch, limits, spent, expected) in [
            (Switch::default(), Limits::default(), spent(amount * 9, amount * 9), None),
            (on, per_hour(1), spent(0, 0), Some("stopped")),
            (Switch::default(), per_hour(amount * 2), spent(amount, 0), None),
            (Switch::default(), per_hour(amount * 2), spent(amount + 1, 0), Some("limit_used_up")),
            (Switch::default(), per_hour(amount - 1), spent(0, 0), Some("above_limit")),
            (Switch::default(), per_fund(amount), spent(0, 1), Some("limit_used_up")),
        ] {
            let sending = Sending { switch, limits, spent };
            assert_eq!(Obstacle::of(&payout, &sending).map(|one| one.code()), expected, "{sending:?}");
        }
    }
}
