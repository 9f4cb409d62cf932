//! A pattern as it is kept: found once, however often it is found again; looked at, explained or confirmed by people with a name and
//! a reason. What was explained is asked anew only when there is more of it than was explained.

use super::{Evidence, Found, Growth, Rule, Seal, Subject};
use crate::ids::{ApplicationId, OperatorId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;

/// How people stand to a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatternState {
    /// Nobody has looked at it since it was found, or since more was found than had been explained.
    New,
    /// Somebody looks at it.
    LookedAt,
    /// There is an innocent explanation.
    Explained,
    /// It is what it looks like; what follows is done elsewhere.
    Confirmed,
}

impl PatternState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::New, Self::LookedAt, Self::Explained, Self::Confirmed];

    /// The name in tables and messages.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::LookedAt => "looked_at",
            Self::Explained => "explained",
            Self::Confirmed => "confirmed",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// What people call it, Chinese and English.
    #[must_use]
    pub fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::New => ("新发现", "new"),
            Self::LookedAt => ("核实中", "looked at"),
            Self::Explained => ("已说明", "explained"),
            Self::Confirmed => ("已确认", "confirmed"),
        }
    }
}

/// What somebody says of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// They look at it.
    LookedAt,
    /// It has an innocent explanation.
    Explained,
    /// It is what it looks like.
    Confirmed,
}

impl Judgement {
    /// The state that it leads to.
    #[must_use]
    pub fn state(self) -> PatternState {
        match self {
            Self::LookedAt => PatternState::LookedAt,
            Self::Explained => PatternState::Explained,
            Self::Confirmed => PatternState::Confirmed,
        }
    }
}

/// A judgement with its author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// What.
    pub judgement: Judgement,
    /// By whom.
    pub by: OperatorId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Its id, short enough to be typed; nobody can tell from it whom it is about.
    pub id: String,
    /// By which rule.
    pub rule: Rule,
    /// What makes it this one.
    pub key: String,
    /// What it is about.
    pub subject: Subject,
    /// What it rests on.
    pub evidence: Evidence,
    /// A plain sentence, Chinese.
    pub chinese: String,
    /// The same in English.
    pub english: String,
    /// How people stand to it.
    pub state: PatternState,
    /// When it was found first.
    pub found_at: Timestamp,
    /// When it was found last. Earlier than the last run: it is found no more, late events or the passing of time have ended it.
    pub last_found_at: Timestamp,
    /// Who said what of it, oldest first.
    pub judged: Vec<Judged>,
    /// What the last explanation explained.
    pub explained: Option<Explained>,
}

/// How much was explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// The marks of the evidence then.
    pub marks: BTreeSet<String>,
    /// How many there were beyond those.
    #[serde(default)]
    pub further: u64,
    /// Its strength then.
    pub strength: u64,
}

/// What finding a pattern again has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing but when it was last found, and perhaps its figures.
    Same,
    /// There is more evidence.
    Grown,
    /// There is more evidence than was explained: it is new again.
    Reopened,
}

/// Why a judgement was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotJudged {
    /// It is about themselves.
    #[error("the pattern {0} concerns whoever acts; somebody else has to judge it")]
    OwnMatter(String),
    /// It is so already.
    #[error("the pattern {pattern} is {state} already")]
    Already {
        /// Which.
        pattern: String,
        /// Its state.
        state: &'static str,
    },
    /// It was judged.
    #[error("the pattern {pattern} is {state}; that somebody looks at it is behind it")]
    Behind {
        /// Which.
        pattern: String,
        /// Its state.
        state: &'static str,
    },
}

impl Pattern {
    /// A pattern that was found for the first time.
    #[must_use]
    pub fn new(found: Found, seal: &Seal, now: Timestamp) -> Self {
        let Found { rule, key, subject, evidence, chinese, english } = found;
        let id = pattern_id(rule, &key, seal);
        let (state, judged, explained) = (PatternState::New, Vec::new(), None);
        let (found_at, last_found_at) = (now, now);
        Self { id, rule, key, subject, evidence, chinese, english, state, found_at, last_found_at, judged, explained }
    }

    /// It was found again. Marks stay when they have left the window; figures are those of the last finding.
    pub fn found_again(&mut self, found: Found, now: Timestamp) -> Change {
        self.last_found_at = now;
        (self.subject, self.chinese, self.english) = (found.subject, found.chinese, found.english);
        let mut evidence = found.evidence;
        let grown = evidence.goes_beyond(&self.evidence.marks, self.evidence.further);
        match self.rule.growth() {
            Growth::EachMark => {
                evidence.with_marks_of(&self.evidence);
                let named: BTreeSet<ApplicationId> = &evidence.applications | &self.evidence.applications;
                evidence = evidence.naming(named);
            }
            Growth::ByHalf => {}
        }
        self.evidence = evidence;
        if self.state == PatternState::Explained && self.is_beyond_explanation() {
            self.state = PatternState::New;
            return Change::Reopened;
        }
        match (self.rule.growth(), grown) {
            (Growth::EachMark, true) => Change::Grown,
            (Growth::EachMark, false) | (Growth::ByHalf, _) => Change::Same,
        }
    }

    /// The application, where it is about one alone.
    #[must_use]
    pub fn application_id(&self) -> Option<&ApplicationId> {
        match &self.subject {
            Subject::Application(id) => Some(id),
            Subject::Enterprise(_)
            | Subject::Policy(_)
            | Subject::Fund(_)
            | Subject::Officer(_)
            | Subject::Pair(..)
            | Subject::Fingerprint(_) => None,
        }
    }

    /// There is more than was explained: a further mark, or half as much again where strength is measured.
    fn is_beyond_explanation(&self) -> bool {
        let Some(explained) = &self.explained else { return true };
        match self.rule.growth() {
            Growth::EachMark => self.evidence.goes_beyond(&explained.marks, explained.further),
            Growth::ByHalf => self.evidence.strength.saturating_mul(2) >= explained.strength.saturating_mul(3),
        }
    }

    /// Somebody says what it is; that they may was checked before, but nobody does of a pattern about themselves. From explained to
    /// confirmed and back is a change of mind, with its own reason.
    ///
    /// # Errors
    /// [`NotJudged`]; nothing is changed then.
    pub fn judge(
        &mut self,
        by: &OperatorId,
        judgement: Judgement,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), NotJudged> {
        if self.subject.is_about(by.as_str()) {
            return Err(NotJudged::OwnMatter(self.id.clone()));
        }
        let (pattern, state) = (self.id.clone(), self.state.code());
        match (self.state, judgement) {
            (PatternState::LookedAt, Judgement::LookedAt)
            | (PatternState::Explained, Judgement::Explained)
            | (PatternState::Confirmed, Judgement::Confirmed) => return Err(NotJudged::Already { pattern, state }),
            (PatternState::Explained | PatternState::Confirmed, Judgement::LookedAt) => {
                return Err(NotJudged::Behind { pattern, state });
            }
            (PatternState::New, Judgement::LookedAt)
            | (PatternState::New | PatternState::LookedAt | PatternState::Confirmed, Judgement::Explained)
            | (PatternState::New | PatternState::LookedAt | PatternState::Explained, Judgement::Confirmed) => {}
        }
        if judgement == Judgement::Explained {
            let Evidence { marks, further, strength, .. } = self.evidence.clone();
            self.explained = Some(Explained { marks, further, strength });
        }
        self.state = judgement.state();
        self.judged.push(Judged { judgement, by: by.clone(), at: now, reason: reason.to_owned() });
        Ok(())
    }
}

/// The id of a pattern: the same whoever finds it.
pub(super) fn pattern_id(rule: Rule, key: &str, seal: &Seal) -> String {
    format!("PA-{}", seal.mark(rule.code(), key))
}
