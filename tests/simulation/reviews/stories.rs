//! The reviews of one history: a few applications, each with a story that may stall anywhere, and its events with the moments at
//! which they happened and at which somebody publishes them.

use jiff::{SignedDuration, Timestamp};
use zhida_core::case_file::{Actor, CaseNote, Said};
use zhida_core::ids::{ApplicationId, PayoutKey, PolicyId};
use zhida_core::money::Fen;
use zhida_core::payout::Enterprise;
use zhida_core::ports::bank::Payee;
use zhida_core::steps::{Approval, Arrival, Fact};
use zhida_schemas::review::{Decision, PauseReason, Stage};

/// The departments that review, each with its officer.
pub(super) const DEPARTMENTS: [(&str, &str); 3] = [("D-1", "O-1"), ("D-2", "O-2"), ("D-3", "O-3")];

/// An event and the moments at which it is published.
pub(super) struct Told {
    pub(super) arrival: Arrival,
    pub(super) published: Vec<Timestamp>,
}

/// A story in the making.
struct Story<'a> {
    rng: &'a mut fastrand::Rng,
    id: ApplicationId,
    at: Timestamp,
    told: &'a mut Vec<Told>,
}

/// The stories of a history that begins at `start`.
pub(super) fn stories(rng: &mut fastrand::Rng, start: Timestamp) -> Vec<Told> {
    let mut told = Vec::new();
    for number in 0..rng.usize(1..4) {
        let at = start + SignedDuration::from_mins(rng.i64(-20..4 * 1_440));
        // Sometimes one whose whole history is replayed, long after it happened.
        let at = if rng.u8(0..8) == 0 { at - SignedDuration::from_hours(24 * 200) } else { at };
        let mut story = Story { rng, id: ApplicationId(format!("A-{number}")), at, told: &mut told };
        story.tell(start);
    }
    told
}

impl Story<'_> {
    fn tell(&mut self, start: Timestamp) {
        let policy = ["P-1", "P-2", "P-9"][self.rng.usize(0..3)];
        let (policy_id, uscc) = (PolicyId::from(policy), format!("91350100M00010{}Y43", self.rng.u8(0..3)));
        let begun = self.told.len();
        self.say(Said::Submitted { policy_id: policy_id.clone(), uscc: uscc.clone(), mode: None });
        let first = self.actor();
        if self.goes_on(12) && self.rng.u8(0..10) > 0 {
            self.say(Said::Accepted(first.clone()));
        }
        for _ in 0..self.rng.usize(0..7) {
            if !self.goes_on(8) {
                break;
            }
            self.happens(&first);
        }
        if self.goes_on(4) {
            self.ends(&policy_id, &uscc);
        }
        let replayed = self.at < start;
        for told in &mut self.told[begun..] {
            if replayed {
                let late = SignedDuration::from_mins(self.rng.i64(0..20));
                told.published = vec![start + late];
            }
        }
    }

    /// Whether the review goes on; in so many cases one stalls.
    fn goes_on(&mut self, of: u8) -> bool {
        self.rng.u8(0..of) > 0
    }

    fn actor(&mut self) -> Actor {
        let (department, officer) = DEPARTMENTS[self.rng.usize(0..DEPARTMENTS.len())];
        Actor { department_id: department.to_owned(), officer_id: officer.to_owned() }
    }

    fn happens(&mut self, first: &Actor) {
        let department = Some(self.actor().department_id).filter(|_| self.rng.bool());
        let reason = [PauseReason::Hearing, PauseReason::Inspection][self.rng.usize(0..2)];
        let (by, evidence) = ("O-1".to_owned(), "minutes".to_owned());
        match self.rng.u8(0..9) {
            0 => self.steps(Stage::First, std::slice::from_ref(first)),
            1 => {
                let other = self.actor();
                self.steps(Stage::Joint, &[first.clone(), other]);
            }
            2 => {
                let due_at = Some(self.at + SignedDuration::from_hours(60)).filter(|_| self.rng.bool());
                self.say(Said::SupplementRequested { by: first.clone(), items: vec!["x".to_owned()], due_at });
                if self.goes_on(5) {
                    self.say(Said::SupplementReceived);
                }
            }
            3 => {
                self.say(Said::Paused { reason, evidence, by: by.clone(), department_id: department.clone() });
                if self.goes_on(4) {
                    self.say(Said::Resumed { by, department_id: department });
                }
            }
            4 => self.say(Said::Resumed { by, department_id: department }),
            5 => {
                let ends_at = self.at;
                self.say(Said::PublicityStarted { ends_at });
                if self.goes_on(6) {
                    self.say(Said::PublicityEnded);
                }
            }
            6 => {
                let (by, to) = (first.clone(), self.actor().department_id);
                let (stage, decision, reason) = (Stage::First, Decision::Return, None);
                self.say(Said::Decided { by, stage, decision, reason, return_to: Some(to) });
            }
            // A sender whose clock is ahead by days.
            7 if self.rng.u8(0..3) == 0 => {
                let at = self.at;
                self.at += SignedDuration::from_hours(40);
                self.say(Said::Accepted(first.clone()));
                self.told.last_mut().expect("just said").published = vec![at];
                self.at = at;
            }
            _ => self.time_passes(),
        }
    }

    /// Steps side by side, of which some may never be decided.
    fn steps(&mut self, stage: Stage, actors: &[Actor]) {
        for to in actors {
            let due_working_days = [None, Some(1), Some(2)][self.rng.usize(0..3)];
            self.say(Said::Assigned { to: to.clone(), stage, due_working_days });
        }
        for by in actors {
            if self.goes_on(5) {
                let (decision, by) = (Decision::Approve, by.clone());
                self.say(Said::Decided { by, stage, decision, reason: None, return_to: None });
            }
        }
    }

    fn ends(&mut self, policy_id: &PolicyId, uscc: &str) {
        let (by, reason) = ("O-1".to_owned(), "so decided".to_owned());
        match self.rng.u8(0..6) {
            0 => self.say(Said::Rejected { by, reason }),
            1 => self.say(Said::Withdrawn { by, reason }),
            2 => {
                let by = self.actor();
                self.say(Said::Declined { by, reason });
            }
            _ => {
                let (policy_id, uscc, at) = (policy_id.clone(), uscc.to_owned(), self.at);
                let fact = self.approval(&policy_id, &uscc);
                let amount = Fen(100_000);
                self.say(Said::Approved { policy_id, uscc, tranche: 1, amount, approvals: Vec::new() });
                let told = self.told.last_mut().expect("just said");
                told.arrival.fact = fact;
                self.at = self.at.max(at);
                if self.rng.u8(0..4) == 0 {
                    let (by, reason) = ("O-1".to_owned(), "found to be wrong".to_owned());
                    self.say(Said::Revoked { by, reason });
                }
            }
        }
    }

    fn approval(&self, policy_id: &PolicyId, uscc: &str) -> Fact {
        let name = "示例有限公司".to_owned();
        Fact::Approved(Box::new(Approval {
            key: PayoutKey { application_id: self.id.clone(), tranche: 1 },
            policy_id: policy_id.clone(),
            fund_id: None,
            enterprise: Enterprise { uscc: uscc.to_owned(), name: name.clone() },
            amount: Fen(100_000),
            currency: "CNY".to_owned(),
            payee: Payee {
                account_name: name,
                account_no: "6222000000000000".to_owned(),
                bank_code: "102100099996".to_owned(),
                bank_name: "示例银行".to_owned(),
            },
            approved_at: self.at,
            officers: 2,
            commitment_id: None,
        }))
    }

    fn time_passes(&mut self) {
        let minutes = [1, 30, 300, 1_440, 3_000, 6_000];
        let most = minutes[self.rng.usize(0..minutes.len())];
        self.at += SignedDuration::from_mins(self.rng.i64(0..=most));
    }

    /// Says it now, mostly at once, sometimes late, twice, or under a second name; then time passes.
    fn say(&mut self, said: Said) {
        let (at, id) = (self.at, self.id.clone());
        let names = if self.rng.u8(0..25) == 0 { 2 } else { 1 };
        for _ in 0..names {
            let note = CaseNote { application_id: id.clone(), at, said: said.clone() };
            let late = match self.rng.u8(0..8) {
                0 => SignedDuration::from_hours(self.rng.i64(1..100)),
                1 => SignedDuration::from_mins(self.rng.i64(0..60)),
                _ => SignedDuration::ZERO,
            };
            let mut published = vec![at + late];
            if self.rng.u8(0..6) == 0 {
                published.push(at + late + SignedDuration::from_mins(self.rng.i64(0..3_000)));
            }
            let arrival = arrival(self.told.len(), &id, note);
            self.told.push(Told { arrival, published });
        }
        self.time_passes();
    }
}

fn arrival(place: usize, id: &ApplicationId, note: CaseNote) -> Arrival {
    Arrival {
        contacts: None,
        case: Some(note),
        source: "/review/sim".to_owned(),
        event_id: format!("e-{place}"),
        event_type: "sim".to_owned(),
        subject: id.0.clone(),
        keyid: "key-1".to_owned(),
        content_sha256: place.to_string(),
        body: place.to_string().into_bytes(),
        way: "amqp".to_owned(),
        fact: Fact::Other,
    }
}
