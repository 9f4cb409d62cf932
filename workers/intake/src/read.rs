//! From bytes to facts: one message read, verified and turned into what the core understands; or the reason why not.

use crate::keyring::{Keyring, payee};
use crate::{notices, supervising};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::case_file::CaseNote;
use zhida_core::contacts::Contacts;
use zhida_core::ids::{ApplicationId, FundId, InstructionId, OperatorId, PayoutKey, PolicyId};
use zhida_core::money::Fen;
use zhida_core::notice::NoticeAct;
use zhida_core::payout::{Decision, EndKind, Ended, Enterprise, HoldCode};
use zhida_core::ports::door::Raw;
use zhida_core::ports::store::{AnyAct, SignedAct};
use zhida_core::steps::{Act, Approval, Arrival, Fact, Operator, Quarantined};
use zhida_schemas::approved::Approved;
use zhida_schemas::operator::{Decide, PayoutAct, Release, Verdict};
use zhida_schemas::parts::Tranche;
use zhida_schemas::signing::PublicKey;
use zhida_schemas::strict_json::MAX_EVENT_BYTES;
use zhida_schemas::text::{Id, Source};
use zhida_schemas::{ContractError, Envelope, InboundEvent, application};

/// What a message turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Understood {
    /// An event of a review system.
    Arrival(Box<Arrival>),
    /// An act of an operator.
    Act(Box<SignedAct>),
}

/// Why a message could not be understood or trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For the quarantine.
    pub item: Box<Quarantined>,
}

/// How old an operator's act may be when it arrives, and how far ahead its clock may run.
const ACT_MAX_AGE: SignedDuration = SignedDuration::from_hours(1);
const ACT_MAX_AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// The oldest approval that somebody may mean: not before 2000-01-01T00:00Z, and at most ten years ago.
const APPROVALS_BEGIN: Timestamp = Timestamp::constant(946_684_800, 0);
const APPROVAL_MAX_AGE: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);

/// What reading needs beside the message.
pub struct Reader<'a> {
    /// Whose events are believed.
    pub keyring: &'a Keyring,
    /// Who may act, by id.
    pub operators: &'a BTreeMap<String, Operator>,
    /// Part of every instruction id.
    pub district: &'a str,
    /// Now.
    pub now: Timestamp,
}

/// Reads one message.
///
/// # Errors
/// [`Refusal`] with the reason that names the field and the remedy.
pub fn read(reader: &Reader<'_>, raw: &Raw) -> Result<Understood, Refusal> {
    let envelope = Envelope::parse(&raw.body).map_err(|error| refusal(raw, None, &error))?;
    if let Some(routing_key) = &raw.routing_key {
        envelope.check_routing_key(routing_key).map_err(|error| refusal(raw, Some(&envelope), &error))?;
    }
    // The signature before the contract: what is not authentic must not learn from our answers, nor poison an id.
    let by_operator = envelope.attributes.event_type.as_str().starts_with("operator.");
    if by_operator {
        check_operator(reader, raw, &envelope)?;
    } else {
        check_review(reader, raw, &envelope)?;
    }
    let event = InboundEvent::parse(&envelope).map_err(|error| refusal(raw, Some(&envelope), &error))?;
    check_time(reader, raw, &envelope, &event)?;
    if by_operator {
        return act(reader, raw, &envelope, &event).map(|act| Understood::Act(Box::new(act)));
    }
    Ok(Understood::Arrival(Box::new(arrival(raw, &envelope, &event))))
}

fn check_operator(reader: &Reader<'_>, raw: &Raw, envelope: &Envelope) -> Result<(), Refusal> {
    let keyid = envelope.attributes.keyid.as_str();
    let Some(operator) = reader.operators.get(keyid) else {
        let reason =
            format!("no operator {keyid} is known; the key id of an act is the operator's id (`zhida operator list`)");
        return Err(because(raw, envelope, "operator_unknown", "keyid", &reason));
    };
    let verified = operator.public_key.parse::<PublicKey>().map(|key| envelope.verify(&key));
    match verified {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(because(raw, envelope, "signature_invalid", "signature", &error.to_string())),
        Err(error) => return Err(because(raw, envelope, "operator_key_unusable", "keyid", &error.to_string())),
    }
    // Source and id name an event for good: nobody may use up a name that is another's.
    let (source, own) = (envelope.attributes.source.as_str(), format!("{OPERATOR_SOURCES}{keyid}"));
    if source != own {
        let reason =
            format!("the acts of {keyid} come from {own}, not from {source}; sign the act anew with that source");
        return Err(because(raw, envelope, "key_not_entitled", "source", &reason));
    }
    Ok(())
}

/// Sources below this are operators' own, followed by the operator's id.
const OPERATOR_SOURCES: &str = "/operator/";

fn check_review(reader: &Reader<'_>, raw: &Raw, envelope: &Envelope) -> Result<(), Refusal> {
    let checked = reader.keyring.check(envelope, reader.now);
    checked.map_err(|(code, field, reason)| because(raw, envelope, code, field, &reason))?;
    if envelope.attributes.source.as_str().starts_with(OPERATOR_SOURCES) {
        let reason = "sources below /operator/ are operators' own; send it with the source of the review system";
        return Err(because(raw, envelope, "key_not_entitled", "source", reason));
    }
    Ok(())
}

/// The 24 hours and every rule of money count from the approval: one in another century is a slip that nobody meant.
fn check_time(reader: &Reader<'_>, raw: &Raw, envelope: &Envelope, event: &InboundEvent) -> Result<(), Refusal> {
    let InboundEvent::ApplicationApproved(approved) = event else { return Ok(()) };
    let at = approved.approved_at.timestamp();
    let oldest = reader.now.checked_sub(APPROVAL_MAX_AGE).unwrap_or(Timestamp::MIN).max(APPROVALS_BEGIN);
    if at >= oldest {
        return Ok(());
    }
    let reason = format!(
        "{at} is before 2000 or more than ten years ago, which no approval is meant to be; mend approved_at, sign the event anew \
         and send it under a new id"
    );
    Err(because(raw, envelope, "implausible_time", "data.approved_at", &reason))
}

fn arrival(raw: &Raw, envelope: &Envelope, event: &InboundEvent) -> Arrival {
    let attributes = &envelope.attributes;
    Arrival {
        source: attributes.source.as_str().to_owned(),
        event_id: attributes.id.as_str().to_owned(),
        event_type: attributes.event_type.as_str().to_owned(),
        subject: attributes.subject.as_str().to_owned(),
        keyid: attributes.keyid.as_str().to_owned(),
        content_sha256: envelope.content_sha256().as_str().to_owned(),
        body: raw.body.clone(),
        way: raw.way.to_owned(),
        fact: fact(event),
        case: CaseNote::of(event),
        contacts: Contacts::of(event),
    }
}

fn fact(event: &InboundEvent) -> Fact {
    match event {
        InboundEvent::ApplicationApproved(approved) => Fact::Approved(Box::new(approval(approved))),
        InboundEvent::ApplicationRejected(ended) => end(EndKind::Rejected, ended),
        InboundEvent::ApplicationWithdrawn(ended) => end(EndKind::Withdrawn, ended),
        InboundEvent::ApplicationRevoked(ended) => end(EndKind::Revoked, ended),
        InboundEvent::PublicityStarted(started) => {
            Fact::PublicityStarted(application(&started.application_id), started.at.timestamp())
        }
        InboundEvent::PublicityObjected(objected) => {
            Fact::PublicityObjected(application(&objected.application_id), objected.at.timestamp())
        }
        InboundEvent::PublicityEnded(ended) => {
            Fact::PublicityEnded(application(&ended.application_id), ended.at.timestamp())
        }
        InboundEvent::PayeeCorrected(corrected) => {
            let key = key(&corrected.application_id, corrected.tranche);
            Fact::PayeeCorrected(key, payee(&corrected.payee), corrected.at.timestamp())
        }
        InboundEvent::CommitmentSigned(signed) => Fact::CommitmentSigned {
            commitment_id: signed.commitment_id.as_str().to_owned(),
            uscc: signed.enterprise.uscc.as_str().to_owned(),
        },
        InboundEvent::ApplicationSubmitted(_)
        | InboundEvent::ApplicationAccepted(_)
        | InboundEvent::ApplicationDeclined(_)
        | InboundEvent::ReviewAssigned(_)
        | InboundEvent::ReviewDecided(_)
        | InboundEvent::SupplementRequested(_)
        | InboundEvent::SupplementReceived(_)
        | InboundEvent::ReviewPaused(_)
        | InboundEvent::ReviewResumed(_)
        | InboundEvent::EnterpriseChanged(_)
        | InboundEvent::IntegrityAlleged(_)
        | InboundEvent::IntegrityObjected(_)
        | InboundEvent::IntegrityRepairRequested(_)
        | InboundEvent::OperatorHold(_)
        | InboundEvent::OperatorRelease(_)
        | InboundEvent::OperatorCancel(_)
        | InboundEvent::OperatorStop(_)
        | InboundEvent::OperatorResume(_)
        | InboundEvent::OperatorDecide(_)
        | InboundEvent::OperatorAcknowledge(_)
        | InboundEvent::OperatorIssueOrder(_)
        | InboundEvent::OperatorReplyOrder(_)
        | InboundEvent::OperatorReturnOrder(_)
        | InboundEvent::OperatorCloseOrder(_)
        | InboundEvent::OperatorJudgePattern(_)
        | InboundEvent::OperatorStopNotices(_)
        | InboundEvent::OperatorResumeNotices(_)
        | InboundEvent::OperatorResendNotice(_)
        | InboundEvent::OperatorPreferNotice(_) => Fact::Other,
    }
}

fn approval(approved: &Approved) -> Approval {
    let officers: BTreeSet<&str> = approved.approvals.as_slice().iter().map(|one| one.officer_id.as_str()).collect();
    Approval {
        key: key(&approved.application_id, approved.tranche),
        policy_id: PolicyId::from(approved.policy_id.as_str()),
        fund_id: approved.fund_id.as_ref().map(|id| FundId::from(id.as_str())),
        enterprise: Enterprise {
            uscc: approved.enterprise.uscc.as_str().to_owned(),
            name: approved.enterprise.name.as_str().to_owned(),
        },
        amount: Fen(approved.amount.minor_units()),
        currency: approved.amount.currency.as_str().to_owned(),
        payee: payee(&approved.payee),
        approved_at: approved.approved_at.timestamp(),
        officers: u32::try_from(officers.len()).unwrap_or(u32::MAX),
        commitment_id: approved.commitment_id.as_ref().map(|id| id.as_str().to_owned()),
    }
}

fn end(kind: EndKind, ended: &application::Ended) -> Fact {
    let reason = ended.reason.as_str().to_owned();
    Fact::Ended(application(&ended.application_id), Ended { kind, at: ended.at.timestamp(), reason })
}

fn act(reader: &Reader<'_>, raw: &Raw, envelope: &Envelope, event: &InboundEvent) -> Result<SignedAct, Refusal> {
    let (operator_id, at, act, reason) = match event {
        InboundEvent::OperatorHold(data) => on_payout(data, Act::Hold),
        InboundEvent::OperatorCancel(data) => on_payout(data, Act::Cancel),
        InboundEvent::OperatorRelease(data) => release(raw, envelope, data)?,
        InboundEvent::OperatorStop(data) => (&data.operator_id, data.at, Act::Stop.into(), &data.reason),
        InboundEvent::OperatorResume(data) => (&data.operator_id, data.at, Act::Resume.into(), &data.reason),
        InboundEvent::OperatorDecide(data) => decide(reader, raw, envelope, data)?,
        InboundEvent::OperatorAcknowledge(data) => supervising::acknowledge(data),
        InboundEvent::OperatorIssueOrder(data) => supervising::issue(data),
        InboundEvent::OperatorReplyOrder(data) => supervising::reply(data),
        InboundEvent::OperatorReturnOrder(data) => supervising::send_back(data),
        InboundEvent::OperatorCloseOrder(data) => supervising::close(data),
        InboundEvent::OperatorJudgePattern(data) => supervising::judge(data),
        InboundEvent::OperatorStopNotices(data) => notices::switch(data, NoticeAct::Stop),
        InboundEvent::OperatorResumeNotices(data) => notices::switch(data, NoticeAct::Resume),
        InboundEvent::OperatorResendNotice(data) => notices::resend(data),
        InboundEvent::OperatorPreferNotice(data) => {
            let known = notices::prefer(data);
            known.map_err(|reason| because(raw, envelope, "unknown_value", "data.kind", &reason))?
        }
        _ => return Err(because(raw, envelope, "unknown_type", "type", "is not an act of an operator")),
    };
    if operator_id.as_str() != envelope.attributes.keyid.as_str() {
        let reason = "the act is signed with another operator's key; sign it with your own";
        return Err(because(raw, envelope, "operator_mismatch", "data.operator_id", reason));
    }
    let at = at.timestamp();
    let age = reader.now.duration_since(at);
    if age > ACT_MAX_AGE || age < -ACT_MAX_AHEAD {
        let reason = format!("the act is of {at}, which is too old or ahead of the clock here; act again");
        return Err(because(raw, envelope, "act_stale", "data.at", &reason));
    }
    let attributes = &envelope.attributes;
    Ok(SignedAct {
        source: attributes.source.as_str().to_owned(),
        event_id: attributes.id.as_str().to_owned(),
        event_type: attributes.event_type.as_str().to_owned(),
        content_sha256: envelope.content_sha256().as_str().to_owned(),
        body: raw.body.clone(),
        operator_id: OperatorId::from(operator_id.as_str()),
        act,
        reason: reason.as_str().to_owned(),
    })
}

pub(crate) type ActParts<'a> = (&'a Id, zhida_schemas::time::Time, AnyAct, &'a zhida_schemas::text::Text);

fn on_payout(data: &PayoutAct, act: impl FnOnce(PayoutKey) -> Act) -> ActParts<'_> {
    (&data.operator_id, data.at, act(key(&data.application_id, data.tranche)).into(), &data.reason)
}

fn release<'a>(raw: &Raw, envelope: &Envelope, data: &'a Release) -> Result<ActParts<'a>, Refusal> {
    let mut codes = Vec::new();
    for code in data.reason_codes.as_slice() {
        let Some(known) = HoldCode::from_code(code.as_str()) else {
            let reason = format!("{code} is not a reason code of a hold; `zhida trace` shows the holds in force");
            return Err(because(raw, envelope, "unknown_value", "data.reason_codes", &reason));
        };
        codes.push(known);
    }
    let act = Act::Release(key(&data.application_id, data.tranche), codes);
    Ok((&data.operator_id, data.at, act.into(), &data.reason))
}

fn decide<'a>(reader: &Reader<'_>, raw: &Raw, envelope: &Envelope, data: &'a Decide) -> Result<ActParts<'a>, Refusal> {
    let decision = match data.decision {
        Verdict::Settled if data.proof.is_none() => {
            let reason = "is missing: two officers may call a payout settled only with a written proof";
            return Err(because(raw, envelope, "missing", "data.proof", reason));
        }
        Verdict::Settled => Decision::Settled,
        Verdict::Retry => Decision::Retry,
        Verdict::Close => Decision::Close,
    };
    let key = key(&data.application_id, data.tranche);
    let id = InstructionId::derive(reader.district, &key, data.generation.get());
    Ok((&data.operator_id, data.at, Act::Decide(key, id, decision).into(), &data.reason))
}

fn application(id: &Id) -> ApplicationId {
    ApplicationId::from(id.as_str())
}

pub(crate) fn key(id: &Id, tranche: Tranche) -> PayoutKey {
    PayoutKey { application_id: application(id), tranche: tranche.get() }
}

fn refusal(raw: &Raw, envelope: Option<&Envelope>, error: &ContractError) -> Refusal {
    let field = if error.field.is_empty() { None } else { Some(error.field.as_str()) };
    Refusal { item: Box::new(item(raw, envelope, error.code.as_str(), field, &error.to_string())) }
}

fn because(raw: &Raw, envelope: &Envelope, code: &str, field: &str, reason: &str) -> Refusal {
    Refusal { item: Box::new(item(raw, Some(envelope), code, Some(field), reason)) }
}

pub(crate) fn item(
    raw: &Raw,
    envelope: Option<&Envelope>,
    code: &str,
    field: Option<&str>,
    reason: &str,
) -> Quarantined {
    let name = match envelope.map(|one| &one.attributes) {
        Some(attributes) => Name {
            source: Some(attributes.source.as_str().to_owned()),
            event_id: Some(attributes.id.as_str().to_owned()),
            event_type: Some(attributes.event_type.as_str().to_owned()),
        },
        None => Name::claimed_in(&raw.body),
    };
    Quarantined {
        body: raw.body.clone(),
        way: raw.way.to_owned(),
        source: name.source,
        event_id: name.event_id,
        event_type: name.event_type,
        reason_code: code.to_owned(),
        field: field.map(str::to_owned),
        reason: reason.to_owned(),
    }
}

/// What an event is called.
#[derive(Default)]
struct Name {
    source: Option<String>,
    event_id: Option<String>,
    event_type: Option<String>,
}

impl Name {
    /// What a message that was refused early calls itself, as far as it can be read and has the form of a name. Nobody has
    /// verified it; the reason code says so.
    fn claimed_in(body: &[u8]) -> Self {
        if body.len() > MAX_EVENT_BYTES {
            return Self::default();
        }
        let Ok(event) = serde_json::from_slice::<serde_json::Value>(body) else { return Self::default() };
        let text = |member: &str| event.get(member).and_then(serde_json::Value::as_str);
        Self {
            source: text("source").and_then(|text| Source::parse(text).ok()).map(|source| source.as_str().to_owned()),
            event_id: text("id").and_then(|text| Id::parse(text).ok()).map(Id::into_string),
            event_type: text("type").and_then(|text| Id::parse(text).ok()).map(Id::into_string),
        }
    }
}
