//! How the recipients of requests are reached: an enterprise as the latest of its application's events says, an official as the
//! organisation file does; what each has turned off, and which of the addresses are left alone.

use super::fault::Fault;
use super::link::Tx;
use super::notice_making::By;
use super::{notice_surroundings, patterns};
use std::collections::{BTreeMap, BTreeSet};
use zhida_core::contacts::Contacts;
use zhida_core::ids::{ApplicationId, OfficerId};
use zhida_core::notice::making::Addressee;
use zhida_core::notice::{Audience, Channel, NoticeRequest, Number};
use zhida_core::patterns::Seal;
use zhida_schemas::identifiers::{Email, Mobile};

/// How the recipients of these requests are reached, in their order.
pub(super) async fn addressees(
    tx: &mut Tx,
    by: &By,
    requests: impl Iterator<Item = &NoticeRequest> + Clone,
) -> Result<Vec<Addressee>, Fault> {
    let seal = patterns::seal(tx).await?;
    let of_enterprises = requests.clone().filter(|one| one.kind.traits().audience == Audience::Enterprise);
    let applications: BTreeSet<String> = of_enterprises.map(|one| one.application_id.0.clone()).collect();
    let contacts = patterns::contacts(tx, applications.into_iter().collect()).await?;
    let recipients = requests.clone().map(|one| one.recipient.clone()).collect();
    let turned_off = notice_surroundings::turned_off(tx, recipients).await?;
    let mut addressees: Vec<Addressee> = requests
        .map(|request| Addressee {
            turned_off: turned_off.get(&request.recipient).cloned().unwrap_or_default(),
            ..reached(request, &contacts, by)
        })
        .collect();
    let marks: Vec<BTreeMap<Channel, String>> = addressees.iter().map(|one| fingerprints(one, &seal)).collect();
    let all = marks.iter().flat_map(|one| one.values().cloned()).collect();
    let known = notice_surroundings::known_of(tx, all).await?;
    for (addressee, marks) in addressees.iter_mut().zip(&marks) {
        let flagged = |(channel, mark): (&Channel, &String)| {
            known.get(mark).and_then(|facts| facts.flagged.as_ref()).map(|(at, _)| (*channel, *at))
        };
        addressee.flagged = marks.iter().filter_map(flagged).collect();
    }
    Ok(addressees)
}

/// How the recipient of a request is reached.
fn reached(request: &NoticeRequest, contacts: &BTreeMap<ApplicationId, Contacts>, by: &By) -> Addressee {
    match request.kind.traits().audience {
        Audience::Enterprise => {
            let Some(contacts) = contacts.get(&request.application_id) else { return Addressee::default() };
            Addressee {
                mobile: contacts.mobile().map(str::to_owned),
                email: contacts.email().map(str::to_owned),
                locale: contacts.locale().map(str::to_owned),
                told_at: Some(contacts.at()),
                ..Addressee::default()
            }
        }
        Audience::Official => {
            let officer = OfficerId::from(request.recipient.as_str());
            let Some(officer) = by.circumstances.organisation.officers.get(&officer) else {
                return Addressee::default();
            };
            Addressee {
                mobile: officer.mobile.as_ref().map(Mobile::as_str).map(str::to_owned),
                email: officer.email.as_ref().map(Email::as_str).map(str::to_owned),
                told_at: by.officials_told_at,
                ..Addressee::default()
            }
        }
        Audience::Anybody => {
            let address = by.trial.as_ref().unwrap_or(&request.recipient).clone();
            let (mobile, email) = if address.contains('@') { (None, Some(address)) } else { (Some(address), None) };
            Addressee { mobile, email, ..Addressee::default() }
        }
    }
}

/// Fingerprints of the addresses in the form in which they are written to.
fn fingerprints(addressee: &Addressee, seal: &Seal) -> BTreeMap<Channel, String> {
    let number = addressee.mobile.as_deref().and_then(|mobile| Number::parse(mobile).ok());
    let sms = number.map(|one| (Channel::Sms, notice_surroundings::fingerprint(seal, Channel::Sms, one.e164())));
    let mail = addressee.email.as_deref().map(str::trim);
    let mail = mail.map(|address| (Channel::Mail, notice_surroundings::fingerprint(seal, Channel::Mail, address)));
    sms.into_iter().chain(mail).collect()
}
