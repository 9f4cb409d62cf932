//! A district in which notices are made: its rules, its people, its clock, and things to be told of.

use crate::case_file::ClockKind;
use crate::ids::{ApplicationId, DepartmentId, OfficerId, OperatorId, OrderId, PolicyId};
use crate::notice::making::{Addressee, Asked, Made, MadeNotice, Making, Outcome, Subject, make};
use crate::notice::template::TemplateSet;
use crate::notice::{Channel, NoticeKind, NoticeRequest, NoticeRules, ProviderRules, hold_occasion};
use crate::organisation::{Absence, Department, Officer, OfficerRole, Organisation};
use crate::payout::Payout;
use crate::ports::notices::Content;
use crate::rails::LargeValueRail;
use crate::scenery::{Story, at, rules};
use crate::supervision::{Alert, Audience, District, Level, Occasion, Order, Raised, SupervisionRules};
use crate::working_time::WorkingTime;
use crate::working_time::tests::{china, local};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// Where notices are made.
pub(super) struct World {
    pub(super) rules: NoticeRules,
    pub(super) rail: Option<LargeValueRail>,
    pub(super) now: Timestamp,
    supervision: SupervisionRules,
    organisation: Organisation,
    time: WorkingTime,
}

impl World {
    /// With a provider of SMS and one of mail, a minute after the approval of [`paid`].
    pub(super) fn new() -> Self {
        let time = china();
        let mut rules = NoticeRules::with_defaults(time.zone.clone());
        rules.signature = Some("鼓楼直达".to_owned());
        rules.public_url = Some("https://zhida.example.gov.cn/".to_owned());
        rules.providers =
            vec![ProviderRules::of_texts("ali", Channel::Sms), ProviderRules::of_texts("mail", Channel::Mail)];
        let mut organisation = Organisation::default();
        let id = DepartmentId::from("D-SCI");
        let department = Department { id: id.clone(), name: "区科技局".to_owned(), parent_id: None };
        organisation.departments.insert(id, department);
        let supervision = SupervisionRules::default();
        Self { rules, rail: None, now: at(60), supervision, organisation, time }
    }

    /// Somebody of its people.
    pub(super) fn knows(&mut self, id: &str, name: &str, role: OfficerRole, department: &str) {
        let officer = Officer {
            id: OfficerId::from(id),
            name: name.to_owned(),
            department_id: DepartmentId::from(department),
            role,
            mobile: None,
            email: None,
            substitute_id: None,
            absent: BTreeSet::new(),
        };
        self.organisation.officers.insert(officer.id.clone(), officer);
    }

    /// Somebody is away on a day, and somebody else stands in.
    pub(super) fn absent(&mut self, id: &str, substitute: &str, on: Date) {
        let officer = self.organisation.officers.get_mut(&OfficerId::from(id)).unwrap();
        officer.substitute_id = Some(OfficerId::from(substitute));
        officer.absent.insert(Absence { from: on, to: on });
    }

    pub(super) fn make(&self, asked: Vec<Asked>) -> Made {
        let district =
            District { rules: &self.supervision, organisation: &self.organisation, time: &self.time, now: self.now };
        let templates = TemplateSet::embedded();
        let making = Making { rules: &self.rules, templates, rail: self.rail.as_ref(), district };
        let mut number = 0;
        make(asked, making, &mut || {
            number += 1;
            format!("n-{number}")
        })
    }

    /// What becomes of one request.
    pub(super) fn outcome(&self, asked: Asked) -> Outcome {
        let mut made = self.make(vec![asked]);
        assert!(made.troubles.is_empty(), "{:?}", made.troubles);
        made.outcomes.pop().unwrap().1
    }

    /// The notice that is made of one request.
    pub(super) fn notice(&self, asked: Asked) -> MadeNotice {
        self.notice_of(vec![asked])
    }

    /// The last notice that is made of some requests.
    pub(super) fn notice_of(&self, asked: Vec<Asked>) -> MadeNotice {
        let mut made = self.make(asked);
        assert!(made.troubles.is_empty(), "{:?}", made.troubles);
        made.notices.pop().unwrap()
    }

    /// What is asked for now.
    pub(super) fn asked(&self, kind: NoticeKind, subject: Subject) -> Asked {
        let request = NoticeRequest {
            kind,
            subject: "X".to_owned(),
            recipient: "91350100M000100Y43".to_owned(),
            occasion: occasion(kind, &subject),
            application_id: ApplicationId::from("A-1"),
        };
        Asked { request, asked_at: self.now, subject, addressee: reachable() }
    }
}

/// By SMS and by mail.
pub(super) fn reachable() -> Addressee {
    Addressee {
        mobile: Some("138 0000 0000".to_owned()),
        email: Some("finance@example.com".to_owned()),
        ..Addressee::default()
    }
}

pub(super) fn about(payout: &Payout) -> Subject {
    Subject::Payout {
        payout: Box::new(payout.clone()), policy_title: Some("高新技术企业认定奖励".to_owned())
    }
}

/// A payout of 1,409.50 yuan, ready to be sent.
pub(super) fn award() -> Story {
    let mut story = Story::ready(rules());
    story.payout.payee.account_no = "4000020109000000001".to_owned();
    for one in &mut story.payout.instructions {
        one.payee.account_no = "4000020109000000001".to_owned();
    }
    story
}

pub(super) fn text_of(made: &MadeNotice, channel: Channel) -> &str {
    &content_of(made, channel).text
}

pub(super) fn content_of(made: &MadeNotice, channel: Channel) -> &Content {
    made.contents.iter().find(|one| one.channel == channel).unwrap()
}

/// Everything that is written, in one text.
pub(super) fn all_of(made: &MadeNotice) -> String {
    let one = |content: &Content| {
        format!("{:?}\n{}\n{:?}\n{:?}\n", content.subject, content.text, content.html, content.parameters)
    };
    made.contents.iter().map(one).collect()
}

/// An alert of a department's step, beyond its deadline.
pub(super) fn alert(number: u32, deadline: &str) -> Alert {
    let rung = |level| Raised {
        level,
        due_at: local(deadline),
        raised_at: local(deadline),
        told: vec![OfficerId::from("O-1")],
        note: None,
    };
    Alert {
        id: format!("AL-{number}"),
        application_id: ApplicationId(format!("A-{number}")),
        cause: "c".to_owned(),
        clock: "step:first:D-SCI:1".to_owned(),
        kind: ClockKind::Step,
        episode: 1,
        department_id: Some(DepartmentId::from("D-SCI")),
        officer_id: Some(OfficerId::from("O-1")),
        deadline: local(deadline),
        raised: vec![rung(Level::DueSoon), rung(Level::Rung(0))],
        acknowledged: Vec::new(),
        cleared: None,
    }
}

/// The occasion as the protocol writes it.
fn occasion(kind: NoticeKind, subject: &Subject) -> String {
    match subject {
        Subject::Payout { payout, .. } if kind == NoticeKind::PayoutHeld => {
            let told = payout.holds.iter().find(|(code, _)| code.concerns_enterprise());
            told.map_or_else(|| "none.0".to_owned(), |(code, hold)| hold_occasion(*code, hold.since))
        }
        Subject::Payout { payout, .. } => {
            let what = kind.code().trim_start_matches("payout_");
            payout.speaking().map_or(what.to_owned(), |one| format!("{what}_{}", one.generation))
        }
        Subject::Order(order) => format!("{}_{}", kind.code().trim_start_matches("order_"), order.steps.len()),
        _ => "1".to_owned(),
    }
}

pub(super) fn about_alert(alert: Alert) -> Subject {
    let policy = Some((PolicyId::from("P-1"), Some("高新技术企业认定奖励".to_owned())));
    Subject::Alert { alert: Box::new(alert), policy, order: None }
}

/// What one official is asked to be told of an alert.
pub(super) fn told_of(world: &World, kind: NoticeKind, alert: Alert, recipient: &str, seconds_ago: i64) -> Asked {
    let mut asked = world.asked(kind, Subject::Nothing);
    asked.request.recipient = recipient.to_owned();
    asked.request.subject = alert.id.clone();
    asked.request.occasion = alert.level().to_string();
    asked.request.application_id = alert.application_id.clone();
    asked.asked_at = world.now - SignedDuration::from_secs(seconds_ago);
    asked.subject = about_alert(alert);
    asked
}

pub(super) fn order(audience: Audience) -> Order {
    Order {
        id: OrderId(17),
        occasion: Occasion::Alert("AL-1".to_owned()),
        application_id: Some(ApplicationId::from("A-SECRET")),
        audience,
        addressee: OfficerId::from("O-SECRET"),
        department_id: DepartmentId::from("D-SCI"),
        issued_by: OperatorId::from("S-SECRET"),
        issued_at: local("2026-11-23T09:00"),
        working_days: 3,
        demand: "请说明秘密事项".to_owned(),
        steps: Vec::new(),
        closed: None,
    }
}
