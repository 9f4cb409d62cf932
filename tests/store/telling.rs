//! What holds notices back, gathers them, and what people do about them.

use crate::noticing::{SECOND, accepted, answer, calls, listed, mobile, received, take, view};
use crate::ordering::stalled;
use crate::supervising::{self, assigned, decided, look, submitted};
use crate::world::{World, key};
use jiff::SignedDuration;
use jiff::civil::date;
use zhida_config::sample_district::ORGANISATION_TOML;
use zhida_core::ids::{ApplicationId, OfficerId};
use zhida_core::notice::template::{KnownProviders, Locale, Replacing, TemplateSet};
use zhida_core::notice::{Channel, Notice, NoticeKind, NoticeRequest, NoticeState, Takes};
use zhida_core::organisation::{Absence, Organisation};
use zhida_core::ports::notices::{Errand, ErrandEnd, NoticeFilter};
use zhida_core::ports::sms::{AskOutcome, DeliveryWord, Receipt, RefusalClass, Trust};
use zhida_core::rules::Rules;
use zhida_core::supervision::Alert;
use zhida_schemas::organisation_file::OrganisationFile;

/// The link to read more stands in digests.
pub(crate) fn with_a_link(rules: &mut Rules) {
    crate::noticing::sends(rules);
    rules.notices.public_url = Some("https://zhida.example".to_owned());
}

async fn make(world: &World) {
    while world.store.make_notices(100).await.unwrap() > 0 {}
}

async fn all(world: &World) -> Vec<Notice> {
    world.other.notices(&NoticeFilter { limit: 1_000, ..NoticeFilter::default() }).await.unwrap()
}

/// So many rungs of one alert, told to one person.
fn rungs(alert: &Alert, recipient: &str, count: u32) -> Vec<NoticeRequest> {
    let request = |rung: u32| NoticeRequest {
        kind: NoticeKind::ReviewOverdue,
        subject: alert.id.clone(),
        recipient: recipient.to_owned(),
        occasion: format!("by_hand_{rung}"),
        application_id: alert.application_id.clone(),
    };
    (1..=count).map(request).collect()
}

pub(crate) async fn what_gathers_for_one_recipient_becomes_one(world: World) {
    let alert = stalled(&world).await;
    world.pass(world.rules().notices.group + SECOND);
    make(&world).await;
    let before = all(&world).await.len();
    let mut asked = rungs(&alert, "O-201", 4);
    asked[3].application_id = ApplicationId::from("A-77");
    world.store.ask_for_notices(&asked).await.unwrap();
    world.store.ask_for_notices(&rungs(&alert, "O-951", 1)).await.unwrap();
    assert_eq!(world.store.make_notices(100).await.unwrap(), 0, "they wait for others");
    assert_eq!(world.other.count_requests().await.unwrap().waiting, 5);
    assert_eq!(all(&world).await.len(), before);
    world.pass(world.rules().notices.group + SECOND);
    let (one, two) = tokio::join!(world.store.make_notices(2), world.other.make_notices(2));
    assert_eq!(one.unwrap() + two.unwrap(), 5);
    let counts = world.other.count_requests().await.unwrap();
    assert_eq!((counts.waiting, counts.asked()), (0, counts.by_outcome.values().sum()));
    assert!(counts.by_outcome["made"] >= 5, "{counts:?}");
    let new = all(&world).await;
    let of = |recipient: &str| -> Vec<u32> {
        let new = new.iter().take(new.len() - before).filter(|one| one.recipient == recipient);
        new.map(|one| one.covers).collect()
    };
    assert_eq!((of("O-201"), of("O-951")), (vec![4], vec![1]));
    let combined = new.iter().find(|one| one.covers == 4).unwrap();
    assert_eq!(view(&world, &combined.id).await.requests.len(), 4);
    // It stands with each application that it is about, and there with nothing of the others.
    assert_ne!(combined.application_id.as_str(), "A-77");
    let filter = NoticeFilter { application_id: Some("A-77".to_owned()), ..NoticeFilter::default() };
    assert_eq!(world.other.notices(&filter).await.unwrap(), std::slice::from_ref(combined));
    let story = world.other.trace(&ApplicationId::from("A-77")).await.unwrap();
    let told: Vec<(&str, Option<&str>)> = story.iter().map(|row| (row.kind.as_str(), row.notice_id())).collect();
    assert_eq!(told, [("notice.made", Some(combined.id.as_str()))]);
}

/// By when they were asked for, not by when they were made; one that covers several by each of these.
pub(crate) async fn notices_are_listed_by_when_they_were_asked_for(world: World) {
    let alert = stalled(&world).await;
    world.pass(world.rules().notices.group + SECOND);
    make(&world).await;
    let begun = world.now().await;
    let mut moments = Vec::new();
    for request in rungs(&alert, "O-951", 3) {
        world.store.ask_for_notices(&[request]).await.unwrap();
        world.pass(SECOND);
        moments.push(world.now().await);
    }
    world.pass(world.rules().notices.group + SECOND);
    make(&world).await;
    let made = world.now().await;
    let listed = async |from, before| {
        let filter = NoticeFilter { asked_from: from, asked_before: before, ..NoticeFilter::default() };
        world.other.notices(&filter).await.unwrap().iter().map(|one| one.covers).collect::<Vec<_>>()
    };
    assert_eq!(listed(Some(begun), None).await, [3]);
    assert_eq!(listed(Some(begun), Some(moments[0])).await, [3], "the first of them");
    assert_eq!(listed(Some(moments[1]), Some(moments[2])).await, [3], "the last of them");
    assert_eq!(listed(Some(moments[2]), Some(made)).await, [0_u32; 0], "made then, and asked for before");
    assert_eq!(listed(None, Some(begun)).await.len() + 1, all(&world).await.len(), "and everything before that");
}

pub(crate) async fn whoever_stands_in_for_an_officer_on_leave_is_written_to(world: World) {
    let mut organisation: Organisation = OrganisationFile::parse(ORGANISATION_TOML).unwrap().into();
    let (away, stands_in) = (OfficerId::from("O-101"), OfficerId::from("O-202"));
    let officer = organisation.officers.get_mut(&away).unwrap();
    officer.substitute_id = Some(stands_in.clone());
    officer.absent.insert(Absence { from: date(2000, 1, 1), to: date(2100, 1, 1) });
    let other = organisation.officers.get_mut(&stands_in).unwrap();
    other.absent.clear();
    let number = other.mobile.clone().unwrap();
    world.store.import_organisation(&organisation, "test").await.unwrap();
    let now = world.now().await;
    world.take(&[submitted(now), supervising::accepted(now), assigned(now)]).await;
    look(&world).await;
    world.pass(SignedDuration::from_hours(10 * 24));
    while look(&world).await > 0 {}
    world.pass(world.rules().notices.group + SECOND);
    make(&world).await;
    let red = listed(&world, NoticeKind::ReviewOverdue).await;
    assert!(red.iter().all(|one| one.recipient != away.as_str()), "not whoever is away");
    let told = red.iter().find(|one| one.recipient == stands_in.as_str()).expect("the substitute is told");
    let written = view(&world, &told.id).await.contents;
    assert!(
        written.iter().any(|one| one.channel == Channel::Sms && one.to.ends_with(number.as_str())),
        "at the own number"
    );
    let sent: Vec<String> = take(&world)
        .await
        .into_iter()
        .filter_map(|errand| match errand {
            Errand::SendSms { notice_id, .. } => Some(notice_id),
            Errand::SendMail { .. } | Errand::Ask { .. } => None,
        })
        .collect();
    assert!(sent.contains(&told.id));
}

pub(crate) async fn an_alert_that_is_cleared_is_told_to_nobody_any_more(world: World) {
    let alert = stalled(&world).await;
    world.pass(world.rules().notices.group + SECOND);
    make(&world).await;
    let red = listed(&world, NoticeKind::ReviewOverdue).await;
    assert!(!red.is_empty(), "somebody is to be told of {}", alert.id);
    let now = world.now().await;
    world.take(&[decided(now)]).await;
    while look(&world).await > 0 {}
    let sent: Vec<String> = calls(&take(&world).await).into_iter().map(|(_, _, notice_id)| notice_id).collect();
    let stale: Vec<&Notice> = red.iter().filter(|one| sent.contains(&one.id)).collect();
    let about = |notices: Vec<NoticeRequest>| notices.iter().all(|one| one.subject == alert.id);
    for notice in stale {
        assert!(!about(view(&world, &notice.id).await.requests), "{notice:?} tells of what is cleared");
    }
    let mut ended = 0;
    for notice in &red {
        let now = view(&world, &notice.id).await;
        ended += u32::from(about(now.requests) && now.notice.state() == NoticeState::Expired);
    }
    assert!(ended > 0, "those about the cleared alert have expired");
}

pub(crate) async fn a_call_that_was_not_made_is_certainly_not_sent(world: World) {
    received(&world, [1]).await;
    let (out_id, _, notice_id) = calls(&take(&world).await).into_iter().next().unwrap();
    let end = ErrandEnd::NotMade { notice_id: notice_id.clone(), out_id };
    world.other.book_errands(&[end.clone(), end]).await.unwrap();
    world.pass(SignedDuration::from_mins(2));
    let again = calls(&take(&world).await);
    assert_eq!(again.len(), 1);
    assert_eq!(view(&world, &notice_id).await.notice.messages[0].attempts.len(), 2);
}

pub(crate) async fn templates_are_in_force_from_their_import(world: World) {
    let embedded = world.store.templates().await.unwrap();
    assert_eq!(&embedded, TemplateSet::embedded());
    received(&world, [1]).await;
    let own = "version = \"district-2\"\n\n[[template]]\nkind = \"payout_received\"\nchannel = \"sms\"\nlocale = \"zh-CN\"\n\
        text = \"收到{{ application }}。\"\n";
    let set = TemplateSet::read(own).unwrap();
    assert_eq!(world.store.import_templates(&set, &embedded, "R-1").await.unwrap(), Replacing::Imported);
    assert_eq!(world.other.import_templates(&set, &embedded, "R-1").await.unwrap(), Replacing::Same, "once more");
    assert_eq!(world.other.templates().await.unwrap(), set);
    received(&world, [2]).await;
    let notices = listed(&world, NoticeKind::PayoutReceived).await;
    let of = |number: u32| notices.iter().find(|one| one.application_id == key(number).application_id).unwrap();
    assert_eq!(of(1).template_version, embedded.version, "what was written stays as it was written");
    assert_eq!((of(2).template_version.as_str(), of(2).locale.as_str()), ("district-2", Locale::Chinese.code()));
    assert_eq!(view(&world, &of(2).id).await.contents[0].text, "收到A-2。");
}

/// Two people change different templates of what both have seen: whoever comes second would take back what the first has changed.
pub(crate) async fn of_two_imports_of_the_same_sight_the_second_changes_nothing(world: World) {
    let seen = world.store.templates().await.unwrap();
    let change = |version: &str, locale: &str| {
        let file = format!(
            "version = \"{version}\"\n\n[[template]]\nkind = \"test\"\nchannel = \"sms\"\nlocale = \"{locale}\"\n\
             providers.one.code = \"SMS_1\"\n"
        );
        seen.changed(&file, &KnownProviders::Any).unwrap()
    };
    let (first, second) = (change("first", "zh-CN"), change("second", "en"));
    let both = tokio::join!(
        world.store.import_templates(&first, &seen, "R-1"),
        world.other.import_templates(&second, &seen, "R-2")
    );
    let (won, version, lost) = match (both.0.unwrap(), both.1.unwrap()) {
        (Replacing::Imported, Replacing::Overtaken { version }) => (&first, version, &second),
        (Replacing::Overtaken { version }, Replacing::Imported) => (&second, version, &first),
        other => panic!("one of them, and one alone: {other:?}"),
    };
    let in_force = world.store.templates().await.unwrap();
    assert_eq!((&version, &in_force.version, &in_force.source), (&won.version, &won.version, &won.source));
    let again = Replacing::Overtaken { version };
    assert_eq!(world.store.import_templates(lost, &seen, "R-2").await.unwrap(), again, "it stays so");
    assert_eq!(world.store.import_templates(lost, &in_force, "R-2").await.unwrap(), Replacing::Imported);
}

pub(crate) async fn digests_are_unsubscribed_from_with_their_own_key(world: World) {
    crate::supervising::organisation(&world).await;
    let outlook = world.store.digest_outlook().await.unwrap();
    world.pass(outlook.next_due.unwrap().duration_since(outlook.now) + SECOND);
    world.store.make_due_digest().await.unwrap();
    make(&world).await;
    let digests = listed(&world, NoticeKind::Digest).await;
    assert!(!digests.is_empty());
    let errands = take(&world).await;
    let mails = errands.iter().filter_map(|errand| match errand {
        Errand::SendMail { notice_id, mail, .. } => Some((notice_id, mail)),
        Errand::SendSms { .. } | Errand::Ask { .. } => None,
    });
    let (notice_id, mail) = mails.into_iter().next().expect("a digest is sent");
    let link = mail.unsubscribe.clone().expect("it can be unsubscribed from");
    let key = link.rsplit('/').next().unwrap();
    assert_eq!(link, format!("https://zhida.example/v1/notices/unsubscribe/{notice_id}/{key}"));
    let other = digests.iter().find(|one| one.id != *notice_id).expect("two people supervise");
    for (id, key, right) in [(notice_id, "AAAA", false), (&other.id, key, false), (notice_id, key, true)] {
        assert_eq!(world.store.unsubscribes(id, key).await.unwrap(), right, "a key is for one notice");
        assert_eq!(world.other.unsubscribe(id, key).await.unwrap(), right);
    }
    let outlook = world.store.digest_outlook().await.unwrap();
    world.pass(outlook.next_due.unwrap().duration_since(outlook.now) + SECOND);
    world.store.make_due_digest().await.unwrap();
    make(&world).await;
    assert_eq!(listed(&world, NoticeKind::Digest).await.len(), digests.len() * 2 - 1);
}

pub(crate) async fn the_other_channel_takes_over(world: World) {
    let award = world.award(1).await;
    let arrival = crate::noticing::reached(&award, Some("finance@example.com"));
    world.take(&[arrival]).await;
    make(&world).await;
    let errands = take(&world).await;
    assert!(errands.iter().all(|errand| matches!(errand, Errand::SendSms { sms, .. } if sms.to == mobile(1))));
    answer(&world, &errands, |_| crate::noticing::refused(zhida_core::ports::sms::RefusalClass::Recipient)).await;
    let mails = take(&world).await;
    assert!(matches!(&mails[..], [Errand::SendMail { mail, .. }] if mail.to == "finance@example.com"));
    answer(&world, &mails, accepted).await;
    let notice = listed(&world, NoticeKind::PayoutReceived).await.remove(0);
    assert_eq!(notice.state(), NoticeState::Sent);
    assert_eq!(notice.messages.iter().map(|one| one.channel).collect::<Vec<_>>(), [Channel::Sms, Channel::Mail]);
}

/// What is taken while nothing is answered but that a provider has it.
async fn half_an_hour_without_a_receipt(world: &World) -> Vec<Errand> {
    let errands = take(world).await;
    answer(world, &errands, accepted).await;
    world.pass(world.rules().notices.switch_after);
    let questions = take(world).await;
    let [Errand::Ask { notice_id, question, begun_at, .. }] = &questions[..] else { panic!("it is asked for") };
    let (notice_id, out_id, begun_at) = (notice_id.clone(), question.out_id.clone(), *begun_at);
    let outcome = AskOutcome::Found { provider_id: None, word: DeliveryWord::OnTheWay };
    world.other.book_errands(&[ErrandEnd::Asked { notice_id, out_id, begun_at, outcome }]).await.unwrap();
    take(world).await
}

pub(crate) async fn without_a_receipt_for_half_an_hour_the_mail_goes(world: World) {
    let award = world.award(1).await;
    world.take(&[crate::noticing::reached(&award, Some("finance@example.com"))]).await;
    make(&world).await;
    let mails = half_an_hour_without_a_receipt(&world).await;
    assert!(matches!(&mails[..], [Errand::SendMail { mail, .. }] if mail.to == "finance@example.com"));
    answer(&world, &mails, accepted).await;
    assert_eq!(take(&world).await.len(), 0);
    let notice = listed(&world, NoticeKind::PayoutReceived).await.remove(0);
    assert_eq!(notice.messages.iter().map(|one| one.attempts.len()).collect::<Vec<_>>(), [1, 1]);
}

pub(crate) async fn without_a_receipt_and_without_mail_another_provider_is_tried(world: World) {
    received(&world, [1]).await;
    let sent = half_an_hour_without_a_receipt(&world).await;
    let notice = listed(&world, NoticeKind::PayoutReceived).await.remove(0);
    let [first, second] = &notice.messages[0].attempts[..] else { panic!("two attempts") };
    assert_eq!(
        calls(&sent).into_iter().map(|(out_id, ..)| out_id).collect::<Vec<_>>(),
        std::slice::from_ref(&second.out_id)
    );
    assert_ne!(first.provider, second.provider);
    assert!(second.beside_doubt, "the record says that it may arrive twice");
}

/// One provider, which takes nothing without the code of a template.
pub(crate) fn by_codes(rules: &mut Rules) {
    crate::noticing::sends(rules);
    rules.notices.providers.retain(|one| one.name == "one");
    rules.notices.providers[0].takes = Takes::Templates;
}

pub(crate) async fn a_code_that_is_imported_later_frees_what_waits(world: World) {
    received(&world, [1]).await;
    assert_eq!(take(&world).await.len(), 0, "no provider has a code");
    let key =
        TemplateSet::embedded().templates.keys().find(|key| key.to_string() == "payout_received/sms/zh-CN").unwrap();
    let text = &TemplateSet::embedded().templates[key].text;
    for (version, text, expected) in [("other", "收到{{ application }}。", None), ("coded", text, Some("SMS_7"))] {
        let own = format!(
            "version = \"{version}\"\n\n[[template]]\nkind = \"payout_received\"\nchannel = \"sms\"\nlocale = \"zh-CN\"\n\
             text = \"{text}\"\n\n[template.providers.one]\ncode = \"SMS_7\"\n"
        );
        let set = TemplateSet::read(&own).unwrap();
        let seen = world.store.templates().await.unwrap();
        world.store.import_templates(&set, &seen, "R-1").await.unwrap();
        world.pass(SignedDuration::from_mins(16));
        let codes: Vec<Option<String>> = take(&world)
            .await
            .into_iter()
            .filter_map(|errand| match errand {
                Errand::SendSms { sms, .. } => Some(sms.template_code),
                Errand::SendMail { .. } | Errand::Ask { .. } => None,
            })
            .collect();
        assert_eq!(codes.first().cloned().flatten().as_deref(), expected, "{version}");
    }
    let notice = listed(&world, NoticeKind::PayoutReceived).await.remove(0);
    let sent_as = notice.messages[0].attempts[0].sent_as.clone().unwrap();
    assert_eq!(sent_as.way.code.as_deref(), Some("SMS_7"), "what was sent stays on record");
}

pub(crate) async fn a_bounce_of_what_is_served_waits_for_a_person(world: World) {
    let award = world.award(1).await;
    world.take(&[crate::noticing::reached(&award, Some("finance@example.com"))]).await;
    make(&world).await;
    let errands = take(&world).await;
    let mails = errands.iter().filter_map(|errand| match errand {
        Errand::SendMail { mail, .. } => Some(mail.out_id.clone()),
        Errand::SendSms { .. } | Errand::Ask { .. } => None,
    });
    let out_id = mails.into_iter().next().expect("a mail goes beside");
    answer(&world, &errands, accepted).await;
    let word = DeliveryWord::Undelivered { class: RefusalClass::Busy, code: "5.2.2".to_owned(), text: String::new() };
    let bounce = |to: Option<&str>| Receipt {
        out_id: out_id.clone(),
        provider_id: None,
        to: to.map(str::to_owned),
        word: word.clone(),
    };
    let nobody = world.other.book_receipts("mail", Trust::Hint, &[bounce(None)]).await.unwrap();
    assert_eq!((nobody.booked, nobody.unmatched), (0, 1), "whoever forges it has to know the address");
    for _ in 0..2 {
        world.other.book_receipts("mail", Trust::Hint, &[bounce(Some("finance@example.com"))]).await.unwrap();
        world.pass(SignedDuration::from_mins(5));
        assert_eq!(calls(&take(&world).await), [], "nothing goes again");
    }
    let rung = world.store.figures().await.unwrap().alarms_by_kind;
    assert_eq!(rung.get("notice_in_doubt"), Some(&1), "{rung:?}");
    let notice = listed(&world, NoticeKind::PayoutReceived).await.remove(0);
    let view = view(&world, &notice.id).await;
    assert_eq!(view.receipts.iter().map(|(.., trust)| *trust).collect::<Vec<_>>(), [Trust::Hint]);
    let mail = notice.messages.iter().find(|one| one.channel == Channel::Mail).unwrap();
    assert!(mail.is_said_lost(&mail.attempts[0]), "{mail:?}");
}
