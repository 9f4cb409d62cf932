//! Writes the month of reviews, one application a line, and its truth: what supervision has to find in it, as the cases state it.
//! Nothing of the truth is computed from what is to find it.

use super::check_digits::uscc;
use super::make::{self, Numbers, Policy, yuan};
use super::ordinary::{self, Awarded};
use super::words::{FORMS, TRADES};
use super::{cases, organisation};
use std::fmt::Write;

/// Second characters of brands that no awarded enterprise has.
const BRANDS: [&str; 25] = [
    "信", "达", "远", "华", "立", "明", "泰", "通", "安", "福", "海", "宁", "清", "茂", "祥", "同", "和", "顺", "恩",
    "丰", "越", "汇", "利", "江", "宏",
];
const FIRST: [&str; 5] = ["青", "闽", "榕", "北", "南"];

/// Who applies.
pub(crate) enum Applicant {
    /// An enterprise that was not heard of.
    New,
    /// Such a one, with another's mobile.
    WithMobile(&'static str),
    /// Such a one, with another's mail address.
    WithEmail(&'static str),
    /// An enterprise that is awarded something: the number of that application.
    Awarded(usize),
}

/// The month in the making.
pub(crate) struct Month {
    awards: Vec<Vec<String>>,
    policies: Vec<Policy>,
    lines: String,
    truth: String,
    /// Applications beside the awards: id and number of the policy.
    beside: Vec<(String, usize)>,
}

/// The review file and the truth about it.
pub(crate) fn files() -> (String, String) {
    let text = make::awards_csv();
    let awards: Vec<Vec<String>> =
        text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect();
    let lines = String::from("application_id,policy_id,uscc,enterprise_name,amount,mobile,email,locale,history\n");
    let truth = String::from("what,which,subject,applications\n");
    let policies = make::policies();
    let mut month = Month { awards, policies, lines, truth, beside: Vec::new() };
    let awarded = month.write_awarded();
    cases::write(&mut month, &make::policies(), &awarded);
    (month.lines, month.truth)
}

impl Month {
    /// The reviews of the awards; says which policies have any.
    fn write_awarded(&mut self) -> Vec<usize> {
        let mut numbers = Numbers(30);
        let mut awarded = Vec::new();
        for (place, award) in self.awards.iter().enumerate() {
            let policy = self.policies.iter().find(|policy| policy.id() == award[1]);
            let Some(policy) = policy else { continue };
            awarded.push(policy.number);
            let approvers = award[13].split(';').collect();
            let history = ordinary::history(&Awarded { number: place + 1, policy, approvers }, &mut numbers);
            let [id, of, code, name, amount] = [0, 1, 2, 3, 4].map(|column| &award[column]);
            let contacts = award[9..=11].join(",");
            // Writing to a String cannot fail.
            let _ = writeln!(self.lines, "{id},{of},{code},{name},{amount},{contacts},{history}");
        }
        awarded
    }

    /// An application of a new enterprise; returns its id.
    pub(crate) fn case(&mut self, policy: usize, history: &str) -> String {
        self.case_of(Applicant::New, policy, history)
    }

    /// An application; returns its id.
    pub(crate) fn case_of(&mut self, applicant: Applicant, number: usize, history: &str) -> String {
        let place = self.beside.len();
        let id = format!("A-2026-{:06}", 301 + place);
        let policy = &self.policies[number - 1];
        let brand = format!("{}{}", FIRST[place % FIRST.len()], BRANDS[place / FIRST.len()]);
        let name = format!("云岫{brand}{}{}", TRADES[place % TRADES.len()], FORMS[place % FORMS.len()]);
        let code = uscc("91", "350100", &format!("M0{:06}", (300 + place) * 3_491 % 1_000_000));
        let mut who = [code, name, format!("+86138000003{place:02}"), format!("finance-3{place:02}@example.com")];
        match applicant {
            Applicant::New => {}
            Applicant::WithMobile(mobile) => mobile.clone_into(&mut who[2]),
            Applicant::WithEmail(email) => email.clone_into(&mut who[3]),
            Applicant::Awarded(number) => who = [2, 3, 9, 10].map(|column| self.awards[number - 1][column].clone()),
        }
        let [code, name, mobile, email] = who;
        let amount = yuan(policy.cap_fen / 2);
        let history = with_officers(history, policy);
        let _ = writeln!(self.lines, "{id},{},{code},{name},{amount},{mobile},{email},zh-CN,{history}", policy.id());
        self.beside.push((id.clone(), number));
        id
    }

    /// The applications beside the awards under a policy.
    pub(crate) fn under(&self, policy: usize) -> Vec<String> {
        self.beside.iter().filter(|(_, number)| *number == policy).map(|(id, _)| id.clone()).collect()
    }

    /// The awards under a policy.
    pub(crate) fn awarded_under(&self, policy: &str) -> Vec<String> {
        self.awards.iter().filter(|award| award[1] == policy).map(|award| award[0].clone()).collect()
    }

    /// To be found: a deadline that was missed.
    pub(crate) fn overdue(&mut self, application: &str, clock: &str) {
        self.truth("alert", "overdue", clock, &[application.to_owned()]);
    }

    /// To be found: a deadline that comes near.
    pub(crate) fn due_soon(&mut self, application: &str, clock: &str) {
        self.truth("alert", "due_soon", clock, &[application.to_owned()]);
    }

    /// To be found: a finding of a case file.
    pub(crate) fn finding(&mut self, code: &str, application: &str) {
        self.truth("finding", code, "", &[application.to_owned()]);
    }

    /// To be found: a pattern.
    pub(crate) fn pattern(&mut self, rule: &str, subject: &str, applications: &[String]) {
        self.truth("pattern", rule, subject, applications);
    }

    /// The word for a policy; all others are alive.
    pub(crate) fn health(&mut self, word: &str, policy: usize) {
        self.truth("health", word, &format!("P-{policy:03}"), &[]);
    }

    fn truth(&mut self, what: &str, which: &str, subject: &str, applications: &[String]) {
        let mut applications = applications.to_vec();
        applications.sort();
        let _ = writeln!(self.truth, "{what},{which},{subject},{}", applications.join(";"));
    }
}

/// Names the officers that a case leaves open.
fn with_officers(history: &str, policy: &Policy) -> String {
    let (own, beside) = (policy.department.id, policy.department.joint);
    let mut text = history.replace("@0", &format!("{own}/O-{}", organisation::head(own)));
    for place in 1..4 {
        let officer = &organisation::officers(own)[place - 1];
        let other = &organisation::officers(beside)[place - 1];
        text = text
            .replace(&format!("@J{place}"), &format!("{beside}/{other}"))
            .replace(&format!("@{place}"), &format!("{own}/{officer}"))
            .replace(&format!("#{place}"), officer);
    }
    text
}
