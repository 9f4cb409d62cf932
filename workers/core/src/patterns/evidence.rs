//! What a pattern rests on: marks, figures, applications to look at. It stays small however much there is of it, for every run writes it.

use crate::ids::{ApplicationId, PolicyId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A figure of the evidence: a name, a value, a unit (`working_minutes`, `per_mille`, `fen`, `days`, or empty for a count).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    /// What it measures.
    pub name: String,
    /// How much.
    pub value: i64,
    /// In what.
    pub unit: String,
}

/// What a pattern rests on. No names, no clear accounts, mobiles or mail addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Under which policy, if under one.
    pub policy_id: Option<PolicyId>,
    /// What it consists of, each thing once: an application, a pair of them, an enterprise. More of them is more evidence. The first
    /// two hundred.
    pub marks: BTreeSet<String>,
    /// How many marks there are beyond those: these are counted, not kept.
    #[serde(default)]
    pub further: u64,
    /// The applications to look at; the first two hundred.
    pub applications: BTreeSet<ApplicationId>,
    /// The figures.
    pub figures: Vec<Figure>,
    /// What it was compared with, one line each.
    pub peers: Vec<String>,
    /// How many cases were compared.
    pub sample: u64,
    /// How much it is, in the unit of the rule: for rules whose growth is measured.
    pub strength: u64,
}

/// Marks that evidence keeps at most.
const MARKS_MAX: usize = 200;

/// Applications that evidence names at most; its figures count all.
const APPLICATIONS_MAX: usize = 200;

impl Evidence {
    pub(super) fn figure(mut self, name: &str, value: impl TryInto<i64>, unit: &str) -> Self {
        let value = value.try_into().unwrap_or(i64::MAX);
        self.figures.push(Figure { name: name.to_owned(), value, unit: unit.to_owned() });
        self
    }

    pub(super) fn naming(mut self, applications: impl IntoIterator<Item = ApplicationId>) -> Self {
        self.applications = applications.into_iter().take(APPLICATIONS_MAX).collect();
        self
    }

    /// Every mark, kept or counted.
    pub(super) fn extent(&self) -> u64 {
        (self.marks.len() as u64).saturating_add(self.further)
    }

    /// Keeps no more marks than it may, and counts the others.
    pub(super) fn bound(&mut self) {
        while self.marks.len() > MARKS_MAX {
            self.marks.pop_last();
            self.further = self.further.saturating_add(1);
        }
    }

    /// Takes in the marks of before, which may have left the window. Where some are only counted the greater number counts: which of
    /// them are the same nobody can tell any more.
    pub(super) fn with_marks_of(&mut self, before: &Self) {
        let extent = self.extent().max(before.extent());
        let all_are_kept = self.further == 0 && before.further == 0;
        self.marks.extend(before.marks.iter().cloned());
        self.bound();
        if !all_are_kept {
            self.further = extent.saturating_sub(self.marks.len() as u64);
        }
    }

    /// It has marks that are not among these, of which there are so many in all.
    pub(super) fn goes_beyond(&self, marks: &BTreeSet<String>, further: u64) -> bool {
        if self.further == 0 && further == 0 {
            !self.marks.is_subset(marks)
        } else {
            self.extent() > (marks.len() as u64).saturating_add(further)
        }
    }

    /// The same pattern, found a second time in one run: its marks and applications count too.
    pub(super) fn join(&mut self, mut other: Self) {
        self.marks.append(&mut other.marks);
        self.further = self.further.max(other.further);
        self.bound();
        self.applications = &self.applications | &other.applications;
        self.applications = self.applications.iter().take(APPLICATIONS_MAX).cloned().collect();
        (self.sample, self.strength) = (self.sample.max(other.sample), self.strength.max(other.strength));
    }

    /// Each of these applications is a mark.
    pub(super) fn of_each(applications: BTreeSet<ApplicationId>) -> Self {
        let marks: BTreeSet<String> = applications.iter().map(ToString::to_string).collect();
        let (sample, strength) = (marks.len() as u64, marks.len() as u64);
        Self { marks, sample, strength, ..Self::default() }.naming(applications)
    }
}
