//! How notices are made: requests with what was loaded for them go in, notices with their words come out, once rendered and from
//! then on frozen. Every request is answered by an [`Outcome`]; nothing is sent here, and no clock is read.

mod address;
mod group;
mod subject;
#[cfg(test)]
mod tests;
mod whom;

pub use address::{FLAG_DAYS, Lack, Unreached, unreached_when_told_again};
pub use subject::{IntegrityFacts, Subject};
pub use whom::Whom;

use self::address::{Flags, Way};
use self::group::Group;
use super::effects::Missing;
use super::segments::segments;
use super::template::{self, Form, Locale, RenderError, Template, TemplateKey, TemplateSet};
use super::value::Values;
use super::{
    AddressWord, Channel, Effects, Essential, Known, Message, Notice, NoticeKind, NoticeRequest, NoticeRules,
    ProviderRules, Standing, standing, words,
};
use crate::payout::PayoutState;
use crate::ports::notices::Content;
use crate::rails::LargeValueRail;
use crate::supervision::District;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A request, with what was loaded for it.
#[derive(Clone)]
pub struct Asked {
    /// What is asked for.
    pub request: NoticeRequest,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// What it is about, as it stands now.
    pub subject: Subject,
    /// How its recipient is reached.
    pub addressee: Addressee,
}

/// How a recipient is reached. Personal: it prints itself nowhere.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Addressee {
    /// Phone, as it was told: in whatever spelling.
    pub mobile: Option<String>,
    /// Mail address, as it was told.
    pub email: Option<String>,
    /// `zh-CN` or `en`; Chinese where nothing else was told. Of officials nothing is told: the organisation file names no language, and
    /// the language of the office is Chinese. Mails carry the English below it in any case.
    pub locale: Option<String>,
    /// What an enterprise does not want; of what is essential nothing is turned off, whatever stands here.
    pub turned_off: BTreeSet<NoticeKind>,
    /// Addresses that were found not to work, and when.
    pub flagged: BTreeMap<Channel, Timestamp>,
    /// When these addresses were last told; none where nobody knows.
    pub told_at: Option<Timestamp>,
}

impl fmt::Debug for Addressee {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("(addressee)")
    }
}

/// What every notice is made with.
#[derive(Clone, Copy)]
pub struct Making<'a> {
    /// The rules.
    pub rules: &'a NoticeRules,
    /// The words, [`TemplateSet::filled`].
    pub templates: &'a TemplateSet,
    /// The hours of the large-value rail, for what is late because of them.
    pub rail: Option<&'a LargeValueRail>,
    /// Organisation, working time, and the database's clock.
    pub district: District<'a>,
}

/// How a request was dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in this notice.
    Made {
        /// Its id.
        notice_id: String,
    },
    /// The enterprise does not want this kind.
    TurnedOff,
    /// There is no address by a channel that is open, or none that works.
    NoAddress,
    /// What it was about has passed.
    LostItsPoint,
    /// It does not concern the recipient.
    NotTold,
    /// It was asked for so long ago that it is not sent any more, though what it tells is still so.
    TooOld,
    /// It was asked for before notices were sent at all.
    BeforeNotices,
}

impl Outcome {
    /// The name in tables and figures.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Made { .. } => "made",
            Self::TurnedOff => "turned_off",
            Self::NoAddress => "no_address",
            Self::LostItsPoint => "lost_its_point",
            Self::NotTold => "not_told",
            Self::TooOld => "too_old",
            Self::BeforeNotices => "before_notices",
        }
    }
}

/// A notice as it was made, with its words.
#[derive(Clone)]
pub struct MadeNotice {
    /// The notice.
    pub notice: Notice,
    /// One for each of its messages.
    pub contents: Vec<Content>,
}

/// What came of requests.
#[derive(Clone, Default)]
pub struct Made {
    /// New notices.
    pub notices: Vec<MadeNotice>,
    /// What became of each request that was dealt with.
    pub outcomes: Vec<(NoticeRequest, Outcome)>,
    /// When those that wait for others are to be looked at again: the earliest. They have no outcome yet.
    pub waits_until: Option<Timestamp>,
    /// Requests whose words cannot be made, with the reason: nothing a person could have done about it at import. They are to be set
    /// aside, and ring.
    pub troubles: Vec<(NoticeRequest, String)>,
    /// What is to be written beside: the journal says of each request what became of it, and what reaches nobody rings.
    pub effects: Effects,
}

/// Makes notices. Of a kind that is grouped, `asked` holds all requests for a recipient that were not dealt with, whether or not
/// their time has come.
///
/// `new_id` gives a random id of at most 30 characters of `[a-z0-9-]`.
#[must_use]
pub fn make(asked: Vec<Asked>, making: Making<'_>, new_id: &mut dyn FnMut() -> String) -> Made {
    let mut made = Made::default();
    let mut standing = Vec::new();
    for one in asked {
        match making.refuses(&one) {
            Some(outcome) => {
                made.effects.dropped(&one.request, &outcome);
                made.outcomes.push((one.request, outcome));
            }
            None => standing.push(one),
        }
    }
    for group in group::groups(standing, making.rules, making.district.now) {
        match group {
            Group::Waits(until) => made.waits_until = made.waits_until.into_iter().chain([until]).min(),
            Group::Ready(asked) => making.write(&asked, new_id, &mut made),
        }
    }
    made
}

impl Making<'_> {
    /// Why nothing is made of a request.
    fn refuses(&self, asked: &Asked) -> Option<Outcome> {
        let kind = asked.request.kind;
        let Some(present) = asked.subject.present() else { return Some(Outcome::LostItsPoint) };
        if let Subject::Payout { payout, .. } = &asked.subject {
            let held = kind == NoticeKind::PayoutHeld && payout.state() == PayoutState::Held;
            let refused = kind == NoticeKind::PayoutRefused && payout.state() == PayoutState::Refused;
            let others = (held && words::first_told(&payout.holds).is_none())
                || (refused && !subject::refused_for_the_enterprise(payout));
            if others {
                return Some(Outcome::NotTold);
            }
        }
        if standing([(&asked.request, present)]) != Standing::Stands {
            return Some(Outcome::LostItsPoint);
        }
        let may = match kind.traits().essential {
            Essential::Yes => false,
            Essential::No => asked.addressee.turned_off.contains(&kind),
        };
        if may {
            return Some(Outcome::TurnedOff);
        }
        let over = asked.asked_at.checked_add(kind.expires_after()).is_ok_and(|ends| ends <= self.district.now);
        over.then_some(Outcome::TooOld)
    }

    /// Writes one notice about these requests, which have one recipient and one kind.
    fn write(&self, asked: &[Asked], new_id: &mut dyn FnMut() -> String, made: &mut Made) {
        let Some(first) = asked.first() else { return };
        let flags = Flags::of(asked, self.rules, self.district.now);
        let ways = match address::ways(first.request.kind, &first.addressee, self.rules, flags) {
            Ok(ways) => ways,
            Err(unreached) => {
                let missing = |one| Missing { unreached: &unreached, whom: Whom::of(one, self.district.organisation) };
                let requests: Vec<&NoticeRequest> = asked.iter().map(|one| &one.request).collect();
                made.effects.nobody_reached(&requests, &missing(first));
                for one in asked {
                    made.effects.not_made(&one.request, &Outcome::NoAddress, Some(&missing(one)));
                    made.outcomes.push((one.request.clone(), Outcome::NoAddress));
                }
                return;
            }
        };
        match self.notice(asked, first, &ways, new_id()) {
            Err(error) => made.troubles.extend(asked.iter().map(|one| (one.request.clone(), error.to_string()))),
            Ok(one) => {
                let outcome = Outcome::Made { notice_id: one.notice.id.clone() };
                made.outcomes.extend(asked.iter().map(|one| (one.request.clone(), outcome.clone())));
                made.effects.made(&one.notice);
                // Who is written to in spite of a flag has it no more.
                let lifted = ways.iter().filter(|way| first.addressee.flagged.contains_key(&way.channel));
                made.effects.addresses.extend(lifted.map(|way| AddressWord {
                    notice_id: one.notice.id.clone(),
                    channel: way.channel,
                    known: Known::Lifted,
                }));
                made.notices.push(one);
            }
        }
    }

    fn notice(&self, asked: &[Asked], first: &Asked, ways: &[Way], id: String) -> Result<MadeNotice, RenderError> {
        let (kind, now) = (first.request.kind, self.district.now);
        let form = if asked.len() > 1 { Form::Combined } else { Form::Single };
        let locale = first.addressee.locale.as_deref().and_then(Locale::from_code).unwrap_or(Locale::Chinese);
        let words = Words { making: *self, asked, kind, form };
        let (mut messages, mut contents) = (Vec::new(), Vec::new());
        for way in ways {
            let (segments, content) = match way.channel {
                Channel::Sms => words.sms(way, locale)?,
                Channel::Mail => (0, words.mail(way)?),
            };
            messages.push(match way.standby {
                true => Message::standby(way.channel, segments),
                false => Message::first(way.channel, segments, now),
            });
            contents.push(content);
        }
        let last = asked.iter().map(|one| one.asked_at).max().unwrap_or(now);
        let notice = Notice {
            id,
            kind,
            subject: first.request.subject.clone(),
            recipient: first.request.recipient.clone(),
            application_id: first.request.application_id.clone(),
            covers: u32::try_from(asked.len()).unwrap_or(u32::MAX),
            locale: locale.code().to_owned(),
            template_version: self.templates.version.clone(),
            created_at: now,
            expires_at: last.checked_add(kind.expires_after()).unwrap_or(Timestamp::MAX),
            messages,
        };
        Ok(MadeNotice { notice, contents })
    }
}

/// The words of one notice.
struct Words<'a> {
    making: Making<'a>,
    asked: &'a [Asked],
    kind: NoticeKind,
    form: Form,
}

impl Words<'_> {
    fn template(&self, channel: Channel, locale: Locale) -> Result<&Template, RenderError> {
        let key = TemplateKey { kind: self.kind, form: self.form, channel, locale };
        self.making.templates.get(&key).ok_or_else(|| RenderError::missing(&key))
    }

    fn values(&self, locale: Locale) -> Values {
        match (self.asked, self.form) {
            ([one], Form::Single) => subject::values(one, locale, self.making),
            (all, _) => subject::combined(all, self.kind, locale, self.making),
        }
    }

    fn sms(&self, way: &Way, locale: Locale) -> Result<(u32, Content), RenderError> {
        let template = self.template(Channel::Sms, locale)?;
        let sms = template::sms(template, &self.values(locale))?;
        let (shared, rules) = (self.making.rules.signature.as_deref(), self.making.rules);
        // Who takes it is not known yet: what is said of it beforehand is the most that it may be.
        let own = |provider: &ProviderRules| {
            let of_template = template.providers.get(&provider.name).and_then(|one| one.signature.as_deref());
            let signature = of_template.or(provider.signature.as_deref()).or(shared).unwrap_or_default();
            segments(signature, &sms.text)
        };
        let most = rules.providers_of(Channel::Sms).map(own).max();
        let most = most.unwrap_or_else(|| segments(shared.unwrap_or_default(), &sms.text));
        let content = Content {
            channel: Channel::Sms,
            to: way.to.clone(),
            subject: None,
            text: sms.text,
            html: None,
            parameters: sms.parameters,
            template: Some(template.text.clone()),
            providers: template.providers.clone(),
        };
        Ok((most, content))
    }

    fn mail(&self, way: &Way) -> Result<Content, RenderError> {
        let part = |locale| Ok::<_, RenderError>((self.template(Channel::Mail, locale)?, self.values(locale)));
        let (chinese, english) = (part(Locale::Chinese)?, part(Locale::English)?);
        let mail = template::mail((chinese.0, &chinese.1), (english.0, &english.1))?;
        Ok(Content {
            channel: Channel::Mail,
            to: way.to.clone(),
            subject: Some(mail.subject),
            text: mail.text,
            html: Some(mail.html),
            parameters: Vec::new(),
            template: None,
            providers: BTreeMap::new(),
        })
    }
}
