//! The demo's summary: what the database says, held against the bank's own ledger.

use super::events::HandedIn;
use super::found::Found;
use super::told::Told;
use crate::serve::House;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use zhida_core::ids::PayoutKey;
use zhida_core::money::Fen;
use zhida_core::payout::{Payout, PayoutState};
use zhida_core::ports::store::PayoutFilter;
use zhida_sandbox::Ledger;

/// The figures.
pub(super) struct Summary {
    policies: usize,
    approvals: u64,
    approved_total: Fen,
    counts: BTreeMap<PayoutState, u64>,
    settled_total: Fen,
    paid_twice: u64,
    unexplained: u64,
    bank_total: Fen,
    seconds: Vec<f64>,
    reasons: BTreeMap<String, u64>,
    found: Found,
    told: Told,
}

impl Summary {
    /// Reads all payouts and compares them with the ledger, which alone says what was paid.
    pub(super) async fn read(
        house: &House,
        policies: usize,
        handed_in: &HandedIn,
        ledger: &Ledger,
        found: Found,
        told: Told,
    ) -> anyhow::Result<Self> {
        let payouts = all_payouts(house).await?;
        let credits = ledger.credits_by_instruction();
        let mut summary = Self {
            policies,
            approvals: handed_in.approvals,
            approved_total: handed_in.total,
            counts: BTreeMap::new(),
            settled_total: Fen::ZERO,
            paid_twice: 0,
            unexplained: 0,
            bank_total: ledger.total(),
            seconds: Vec::new(),
            reasons: BTreeMap::new(),
            found,
            told,
        };
        let mut credited_by_payout: BTreeMap<PayoutKey, u32> = BTreeMap::new();
        let mut known = BTreeSet::new();
        for payout in &payouts {
            *summary.counts.entry(payout.state()).or_default() += 1;
            if let Some((code, _)) = payout.reason() {
                *summary.reasons.entry(format!("{} {code}", payout.state().code())).or_default() += 1;
            }
            if payout.state() == PayoutState::Settled {
                summary.settled_total = Fen(summary.settled_total.0 + payout.amount.0);
            }
            for instruction in &payout.instructions {
                known.insert(instruction.id.0.clone());
                let credited = credits.get(instruction.id.as_str()).copied().unwrap_or_default();
                *credited_by_payout.entry(payout.key.clone()).or_default() += credited;
            }
            summary.measure(payout, ledger);
        }
        summary.paid_twice = credited_by_payout.values().filter(|count| **count > 1).count() as u64;
        // Settled here and not credited there, or the other way round, and credits nobody here knows.
        let disagree = |payout: &&Payout| {
            let credited = credited_by_payout.get(&payout.key).is_some_and(|count| *count > 0);
            credited != (payout.state() == PayoutState::Settled)
        };
        let strangers = credits.iter().filter(|(id, count)| **count > 0 && !known.contains(id.as_str())).count();
        summary.unexplained = (payouts.iter().filter(disagree).count() + strangers) as u64;
        Ok(summary)
    }

    fn measure(&mut self, payout: &Payout, ledger: &Ledger) {
        let credited = payout.instructions.iter().filter_map(|one| ledger.get(one.id.as_str()));
        for entry in credited.filter(|_| payout.state() == PayoutState::Settled) {
            let seconds = entry.at.duration_since(payout.approved_at).as_secs_f64();
            self.seconds.push(seconds.max(0.0));
        }
        self.seconds.sort_by(f64::total_cmp);
    }

    fn count(&self, state: PayoutState) -> u64 {
        self.counts.get(&state).copied().unwrap_or_default()
    }

    /// Approvals that are in no state.
    fn lost(&self) -> u64 {
        self.approvals.saturating_sub(self.counts.values().sum())
    }

    fn quantile(&self, per_mille: usize) -> f64 {
        let last = self.seconds.len().saturating_sub(1);
        self.seconds.get(last * per_mille / 1000).copied().unwrap_or_default()
    }

    /// Nothing lost, nothing paid twice, our books and the bank's agree, and whoever was paid was told once.
    pub(super) fn is_sound(&self) -> bool {
        let money =
            self.lost() == 0 && self.paid_twice == 0 && self.unexplained == 0 && self.settled_total == self.bank_total;
        money && self.told.is_sound()
    }

    /// The application that is late for longest.
    pub(super) fn worst(&self) -> Option<&str> {
        self.found.worst()
    }

    /// The keys of the contract.
    pub(super) fn json(&self) -> Value {
        let mut summary = json!({
            "policies": self.policies, "applications": self.approvals, "approved_total": self.approved_total.to_string(),
            "settled": self.count(PayoutState::Settled), "settled_total": self.settled_total.to_string(),
            "refused": self.count(PayoutState::Refused), "held": self.count(PayoutState::Held),
            "unknown": self.count(PayoutState::Unknown), "paid_twice": self.paid_twice, "lost": self.lost(),
            "approve_to_credit_seconds": {"p50": self.quantile(500), "p99": self.quantile(990), "max": self.quantile(1000)},
            "bank_ledger_total": self.bank_total.to_string(), "unexplained": self.unexplained, "reasons": self.reasons,
        });
        self.found.extend(&mut summary);
        summary["notices"] = self.told.json();
        summary
    }

    /// For people.
    pub(super) fn print(&self, took: Duration) {
        let line = |chinese: &str, english: &str, value: String| println!("  {chinese}  {english:<28} {value:>16}");
        println!("\n结果 Result after {:.1} s", took.as_secs_f64());
        line("政策", "policies", self.policies.to_string());
        line("审定", "approved applications", self.approvals.to_string());
        line("金额", "approved, yuan", grouped(self.approved_total));
        line("到账", "settled", self.count(PayoutState::Settled).to_string());
        line("到账", "settled, yuan", grouped(self.settled_total));
        line("账簿", "the bank's ledger, yuan", grouped(self.bank_total));
        line("拒付", "refused by the bank", self.count(PayoutState::Refused).to_string());
        line("暂缓", "held", self.count(PayoutState::Held).to_string());
        line("不明", "unknown", self.count(PayoutState::Unknown).to_string());
        line("重付", "paid twice", self.paid_twice.to_string());
        line("遗失", "lost", self.lost().to_string());
        line("差异", "our books against the bank's", self.unexplained.to_string());
        line("用时", "approval to credit, median s", format!("{:.2}", self.quantile(500)));
        line("用时", "approval to credit, slowest s", format!("{:.2}", self.quantile(1000)));
        println!("  原因 reasons:");
        for (reason, count) in &self.reasons {
            println!("    {reason:<40} {count:>4}");
        }
        self.found.print();
        self.told.print();
    }
}

/// A sum as people read it: `35,570,100.00`.
pub(super) fn grouped(sum: Fen) -> String {
    let text = sum.to_string();
    let (yuan, fen) = text.split_once('.').unwrap_or((&text, "00"));
    let mut grouped = String::new();
    for (place, digit) in yuan.chars().enumerate() {
        if place > 0 && (yuan.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped}.{fen}")
}

async fn all_payouts(house: &House) -> anyhow::Result<Vec<Payout>> {
    let mut payouts = Vec::new();
    let mut filter = PayoutFilter { limit: 1000, ..PayoutFilter::default() };
    loop {
        let page = house.store.payouts(&filter).await?;
        payouts.extend(page.items);
        match page.next {
            Some(next) => filter.before = Some(next),
            None => return Ok(payouts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fen, Found, PayoutState, Summary, Told, grouped};
    use std::collections::BTreeMap;

    fn sound() -> Summary {
        Summary {
            policies: 1,
            approvals: 3,
            approved_total: Fen(300),
            counts: BTreeMap::from([(PayoutState::Settled, 2), (PayoutState::Held, 1)]),
            settled_total: Fen(200),
            paid_twice: 0,
            unexplained: 0,
            bank_total: Fen(200),
            seconds: vec![1.0, 2.0, 3.0],
            reasons: BTreeMap::new(),
            found: Found::default(),
            told: Told::default(),
        }
    }

    #[test]
    fn one_thing_amiss_is_enough_to_be_unsound() {
        assert!(sound().is_sound());
        for (what, amiss) in [
            ("lost", Summary { approvals: 4, ..sound() }),
            ("paid twice", Summary { paid_twice: 1, ..sound() }),
            ("unexplained", Summary { unexplained: 1, ..sound() }),
            ("another total at the bank", Summary { bank_total: Fen(201), ..sound() }),
        ] {
            assert!(!amiss.is_sound(), "{what}");
        }
    }

    #[test]
    fn quantiles_of_nothing_are_nothing() {
        assert_eq!([500, 990, 1000].map(|per_mille| sound().quantile(per_mille)), [2.0, 2.0, 3.0]);
        assert_eq!(Summary { seconds: Vec::new(), ..sound() }.quantile(990), 0.0);
    }

    #[test]
    fn sums_are_grouped_by_thousands() {
        for (fen, text) in [(0, "0.00"), (99_950, "999.50"), (100_000, "1,000.00"), (3_557_010_000, "35,570,100.00")] {
            assert_eq!(grouped(Fen(fen)), text);
        }
    }
}
