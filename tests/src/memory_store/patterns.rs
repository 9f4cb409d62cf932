//! Patterns, kept as the real stores do.

use super::{MemoryStore, Tables};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use zhida_core::case_file::{CaseEvent, policy_named};
use zhida_core::ids::ApplicationId;
use zhida_core::money::Fen;
use zhida_core::patterns::{self, CaseFacts, CaseSource, Found, Health, Pattern, PatternState, Rule, Seal};
use zhida_core::payout::Payout;
use zhida_core::ports::patterns::{BACKLOG, CasePage, PatternFilter, PatternRun, PatternStore, PatternSurroundings};
use zhida_core::ports::store::StoreError;
use zhida_core::steps::Changes;

/// What is stored of patterns.
#[derive(Clone, Debug, Default)]
pub struct PatternTables {
    /// By id.
    pub patterns: BTreeMap<String, Pattern>,
    /// A run is somebody's until then.
    pub leased_until: Option<Timestamp>,
    /// When it began.
    pub running_since: Option<Timestamp>,
    /// The last one that ended.
    pub last: Option<PatternRun>,
    /// How policies fared then.
    pub health: BTreeMap<String, Health>,
}

#[async_trait]
impl PatternStore for MemoryStore {
    async fn begin_pattern_run(&self, pause: SignedDuration, lease: SignedDuration) -> Result<bool, StoreError> {
        let (mut tables, now) = (self.tables(), self.clock());
        let leased = tables.patterns.leased_until.is_some_and(|until| now < until && until <= now + lease);
        let fresh = |last: PatternRun| last.finished_at <= now && now < last.finished_at + pause;
        if leased || tables.patterns.last.is_some_and(fresh) {
            return Ok(false);
        }
        // When something was marked is not known here.
        if tables.cases.look_at.values().flatten().any(|at| *at <= now - BACKLOG) {
            return Ok(false);
        }
        (tables.patterns.leased_until, tables.patterns.running_since) = (Some(now + lease), Some(now));
        Ok(true)
    }

    async fn pattern_cases(
        &self,
        since: Timestamp,
        after: Option<&ApplicationId>,
        max: u32,
    ) -> Result<CasePage, StoreError> {
        let tables = self.tables();
        let later = tables.cases.look_at.keys().filter(|id| after.is_none_or(|after| *id > after));
        let mut page = CasePage::default();
        for id in later {
            if page.cases.len() >= max as usize {
                page.next = page.cases.last().map(|case| case.application_id.clone());
                break;
            }
            let case = self.facts(&tables, id);
            page.cases.extend(case.decided_at.is_none_or(|at| at >= since).then_some(case));
        }
        Ok(page)
    }

    async fn pattern_surroundings(&self) -> Result<PatternSurroundings, StoreError> {
        let tables = self.tables();
        Ok(PatternSurroundings {
            policies: tables.policies.clone(),
            funds: tables.funds.values().cloned().collect(),
            time: self.working_time(&tables)?,
            second_officer_above: self.protocol.rules.second_officer_above.map(Fen),
            now: self.clock(),
        })
    }

    async fn put_patterns(&self, found: &[Found]) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let known = tables.patterns.patterns.clone();
        let seen = patterns::settle(known, found.to_vec(), &seal(), self.clock());
        tables.patterns.patterns.extend(seen.patterns.into_iter().map(|one| (one.id.clone(), one)));
        self.write(&mut tables, Changes { journal: seen.journal, world: seen.world, ..Changes::default() });
        Ok(())
    }

    async fn drop_pattern_run(&self) -> Result<(), StoreError> {
        self.tables().patterns.leased_until = None;
        Ok(())
    }

    async fn end_pattern_run(&self, health: &[Health]) -> Result<(), StoreError> {
        let (mut tables, finished_at) = (self.tables(), self.clock());
        tables.patterns.leased_until = None;
        tables.patterns.last = tables.patterns.running_since.map(|began_at| PatternRun { began_at, finished_at });
        tables.patterns.health.extend(health.iter().map(|one| (one.policy_id.0.clone(), one.clone())));
        Ok(())
    }

    async fn last_pattern_run(&self) -> Result<Option<PatternRun>, StoreError> {
        Ok(self.tables().patterns.last)
    }

    async fn patterns(&self, filter: &PatternFilter) -> Result<Vec<Pattern>, StoreError> {
        let wanted = |one: &&Pattern| {
            filter.rule.is_none_or(|rule| rule == one.rule) && filter.state.is_none_or(|state| state == one.state)
        };
        let mut found: Vec<Pattern> = self.tables().patterns.patterns.values().filter(wanted).cloned().collect();
        found.sort_by_key(|one| std::cmp::Reverse((one.found_at, one.id.clone())));
        found.truncate(filter.limit as usize);
        Ok(found)
    }

    async fn pattern(&self, id: &str) -> Result<Option<Pattern>, StoreError> {
        Ok(self.tables().patterns.patterns.get(id).cloned())
    }

    async fn pattern_counts(&self) -> Result<BTreeMap<(Rule, PatternState), u64>, StoreError> {
        let mut counts = BTreeMap::new();
        for one in self.tables().patterns.patterns.values() {
            *counts.entry((one.rule, one.state)).or_default() += 1;
        }
        Ok(counts)
    }

    async fn policy_health(&self) -> Result<Vec<Health>, StoreError> {
        Ok(self.tables().patterns.health.values().cloned().collect())
    }
}

impl MemoryStore {
    fn facts(&self, tables: &Tables, id: &ApplicationId) -> CaseFacts {
        let of_case = tables.cases.events.values().filter(|(of, _)| of == id);
        let events: Vec<CaseEvent> = of_case.map(|(_, event)| event.clone()).collect();
        let payouts: Vec<Payout> =
            tables.payouts.values().filter(|one| one.key.application_id == *id).cloned().collect();
        let source = CaseSource {
            application_id: id,
            events: &events,
            payouts: &payouts,
            policy: policy_named(&events).and_then(|id| tables.policies.get(id)),
            contacts: tables.cases.contacts.get(id),
        };
        CaseFacts::of(&source, &self.protocol.rules.supervision, &seal(), self.clock())
    }
}

/// The secret of this store.
#[must_use]
pub fn seal() -> Seal {
    Seal::new("the secret of a store in memory")
}
