//! Figures of notices.

use super::Tables;
use jiff::Timestamp;
use zhida_core::notice::making::Outcome;
use zhida_core::notice::{Notice, WaitsFor};
use zhida_core::ports::notices::{Waiting, WaitingNotices};
use zhida_core::ports::store::{ALARMS_RING, NoticeFigures};

impl Tables {
    pub(super) fn waiting_notices(&self) -> WaitingNotices {
        let mut found = WaitingNotices::new();
        for notice in self.noticing.notices.values().filter(|one| one.waiting_since().is_some()) {
            let Some(until) = notice.next_at() else { continue };
            let what = notice.waits_for();
            if what.is_none_or(WaitsFor::holds_back) {
                let waiting = found.entry(what).or_insert(Waiting { count: 0, until });
                (waiting.count, waiting.until) = (waiting.count + 1, waiting.until.min(until));
            }
        }
        found
    }

    pub(super) fn notice_figures(&self, now: Timestamp) -> NoticeFigures {
        let noticing = &self.noticing;
        let mut figures = NoticeFigures { stopped: noticing.switch.stopped.is_some(), ..NoticeFigures::default() };
        let since = now.checked_sub(ALARMS_RING).unwrap_or(Timestamp::MIN);
        for notice in noticing.notices.values().filter(|one| one.created_at > since) {
            *figures.last_hour.entry((notice.kind, notice.state())).or_default() += 1;
        }
        for (request, row) in noticing.asked.iter().filter(|(_, row)| row.made_at.is_some_and(|at| at > since)) {
            if let Some(outcome) = row.outcome.as_ref().filter(|one| !matches!(one, Outcome::Made { .. })) {
                *figures.not_made.entry((request.kind, outcome.code().to_owned())).or_default() += 1;
            }
        }
        let asked = noticing.asked.values().filter(|row| row.outcome.is_none()).map(|row| row.at);
        let unsent = noticing.notices.values().filter_map(Notice::waiting_since);
        figures.oldest_waiting = asked.chain(unsent).min().filter(|at| *at < now);
        let shut = noticing.health.iter().filter(|(_, health)| health.rests(now));
        figures.providers_shut = shut.map(|(name, _)| name.clone()).collect();
        figures.providers.clone_from(&noticing.health);
        figures
    }
}
