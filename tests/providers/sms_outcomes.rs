//! Every outcome of the port of SMS, met over real sockets at every vendor: one row a case. The vendors' ledger says what was sent,
//! whatever the answer said.

use super::sms_scenery::{
    HASTY, Listener, NUMBER, PATIENT, Treatment, ask, ask_by, open, provider, sandbox, send, sms, with_variables,
};
use zhida_core::ports::sms::SendOutcome;
use zhida_sandbox::{SmsFault, SmsTarget, Vendor};

/// What a sending that met these faults is told as, how often it was taken in, and what a question brings then, by vendor.
struct Row {
    faults: Vec<SmsFault>,
    outcome: [&'static str; 3],
    sent: usize,
    question: [&'static str; 3],
}

/// At Tencent, what is not listed may have been sent all the same.
const ABSENT: [&str; 3] = ["not found", "no answer", "not found"];
const ARRIVED: [&str; 3] = ["delivered"; 3];
const DOUBTFUL: [&str; 3] = ["doubtful"; 3];

fn refused(codes: [&str; 3], outcome: [&'static str; 3]) -> [Row; 3] {
    // Each vendor has codes of its own: a row for each, of which that vendor's column is looked at.
    codes.map(|code| Row {
        faults: vec![SmsFault::Refuse { code: code.to_owned() }],
        outcome,
        sent: 0,
        question: ABSENT,
    })
}

fn before(fault: SmsFault, outcome: [&'static str; 3]) -> Row {
    Row { faults: vec![fault], outcome, sent: 0, question: ABSENT }
}

fn after(fault: SmsFault) -> Row {
    Row { faults: vec![fault], outcome: DOUBTFUL, sent: 1, question: ARRIVED }
}

fn rows() -> Vec<Row> {
    let accepted = ["accepted"; 3];
    vec![
        Row { faults: vec![], outcome: accepted, sent: 1, question: ARRIVED },
        before(
            SmsFault::Limit,
            ["Limit isv.BUSINESS_LIMIT_CONTROL", "Limit LimitExceeded.PhoneNumberDailyLimit", "Limit per_number"],
        ),
        before(SmsFault::Throttle, ["Busy Throttling.User", "Busy RequestLimitExceeded", "Busy 429"]),
        before(SmsFault::Status { status: 429 }, ["Busy 429"; 3]),
        before(SmsFault::Status { status: 500 }, DOUBTFUL),
        before(SmsFault::Status { status: 503 }, DOUBTFUL),
        before(SmsFault::Status { status: 302 }, DOUBTFUL),
        before(SmsFault::Status { status: 404 }, DOUBTFUL),
        before(SmsFault::Hang, DOUBTFUL),
        before(SmsFault::Reset, DOUBTFUL),
        before(SmsFault::Garbage, DOUBTFUL),
        after(SmsFault::AcceptHang),
        after(SmsFault::AcceptReset),
        after(SmsFault::AcceptStatus { status: 500 }),
        after(SmsFault::AcceptStatus { status: 504 }),
        after(SmsFault::AcceptGarbage),
        after(SmsFault::AcceptUnclear),
        Row {
            faults: vec![SmsFault::NoReceipt],
            outcome: accepted,
            sent: 1,
            question: ["on the way", "no answer", "on the way"],
        },
        Row {
            faults: vec![SmsFault::AcceptReset, SmsFault::NoReceipt],
            outcome: DOUBTFUL,
            sent: 1,
            question: ["on the way", "no answer", "on the way"],
        },
        Row {
            faults: vec![SmsFault::Undelivered { code: "MOBILE_IN_BLACK".to_owned() }],
            outcome: accepted,
            sent: 1,
            question: [
                "undelivered Recipient MOBILE_IN_BLACK",
                "undelivered Busy MOBILE_IN_BLACK",
                "undelivered Recipient MOBILE_IN_BLACK",
            ],
        },
    ]
}

async fn check(vendor: Vendor, place: usize, row: &Row) {
    let case = format!("{vendor:?} {:?}", row.faults);
    let sandbox = sandbox().await;
    let silent = [SmsFault::Hang, SmsFault::AcceptHang].iter().any(|fault| row.faults.contains(fault));
    sandbox.sms.script(SmsTarget::Number(NUMBER.to_owned()), [row.faults.clone()]);
    let sender = provider(&sandbox, vendor, if silent { HASTY } else { PATIENT });
    assert_eq!(send(&sender, &sms("n-1")).await, row.outcome[place], "{case}");
    let asker = provider(&sandbox, vendor, PATIENT);
    assert_eq!(ask(&asker, "n-1").await, row.question[place], "{case}");
    assert_eq!(sandbox.sms.ledger().len(), row.sent, "{case}");
    assert_eq!(sandbox.sms.calls(), [(vendor, "n-1".to_owned())], "{case}: on the wire once");
    sandbox.stop().await;
}

#[tokio::test]
async fn every_end_of_a_sending_at_every_vendor() {
    for row in rows() {
        for (place, vendor) in Vendor::ALL.into_iter().enumerate() {
            check(vendor, place, &row).await;
        }
    }
}

#[tokio::test]
async fn every_class_of_refusal_at_every_vendor() {
    for (codes, outcome) in [
        (
            ["isv.MOBILE_NUMBER_ILLEGAL", "FailedOperation.PhoneNumberInBlacklist", "recipient:gone"],
            [
                "Recipient isv.MOBILE_NUMBER_ILLEGAL",
                "Recipient FailedOperation.PhoneNumberInBlacklist",
                "Recipient gone",
            ],
        ),
        (
            ["isv.SMS_TEMPLATE_ILLEGAL", "FailedOperation.TemplateIncorrectOrUnapproved", "template:code"],
            [
                "Template isv.SMS_TEMPLATE_ILLEGAL",
                "Template FailedOperation.TemplateIncorrectOrUnapproved",
                "Template code",
            ],
        ),
        (
            ["isv.BLACK_KEY_CONTROL_LIMIT", "FailedOperation.ContainSensitiveWord", "content:words"],
            ["Content isv.BLACK_KEY_CONTROL_LIMIT", "Content FailedOperation.ContainSensitiveWord", "Content words"],
        ),
        (
            ["isv.BUSINESS_LIMIT_CONTROL", "LimitExceeded.PhoneNumberOneHourLimit", "limit:hour"],
            ["Limit isv.BUSINESS_LIMIT_CONTROL", "Limit LimitExceeded.PhoneNumberOneHourLimit", "Limit hour"],
        ),
        (
            ["isv.AMOUNT_NOT_ENOUGH", "FailedOperation.InsufficientBalanceInSmsPackage", "account:money"],
            [
                "Account isv.AMOUNT_NOT_ENOUGH",
                "Account FailedOperation.InsufficientBalanceInSmsPackage",
                "Account money",
            ],
        ),
        (
            ["Throttling", "RequestLimitExceeded", "busy:later"],
            ["Busy Throttling", "Busy RequestLimitExceeded", "Busy later"],
        ),
    ] {
        let rows = refused(codes, outcome);
        for (place, vendor) in Vendor::ALL.into_iter().enumerate() {
            check(vendor, place, &rows[place]).await;
        }
    }
}

#[tokio::test]
async fn every_end_of_a_question() {
    for vendor in Vendor::ALL {
        let sandbox = sandbox().await;
        let patient = provider(&sandbox, vendor, PATIENT);
        assert_eq!(send(&patient, &sms("n-1")).await, "accepted");
        for fault in
            [SmsFault::Reset, SmsFault::Status { status: 500 }, SmsFault::Status { status: 404 }, SmsFault::Garbage]
        {
            sandbox.sms.script(SmsTarget::Questions(vendor), [vec![fault.clone()]]);
            assert_eq!(ask(&patient, "n-1").await, "no answer", "{vendor:?} {fault:?}");
        }
        sandbox.sms.script(SmsTarget::Questions(vendor), [vec![SmsFault::Hang]]);
        assert_eq!(ask(&provider(&sandbox, vendor, HASTY), "n-1").await, "no answer", "{vendor:?}");
        assert_eq!(ask(&patient, "n-1").await, "delivered", "{vendor:?}");
        assert_eq!(ask(&patient, "n-2").await, if vendor == Vendor::Tencent { "no answer" } else { "not found" });
        sandbox.stop().await;
    }
}

#[tokio::test]
async fn what_cannot_be_seen_yet_is_not_found_and_then_found() {
    for vendor in [Vendor::Aliyun, Vendor::Webhook] {
        let sandbox = sandbox().await;
        let unseen = vec![SmsFault::AcceptReset, SmsFault::Unseen { questions: 1 }];
        sandbox.sms.script(SmsTarget::Message("n-1".to_owned()), [unseen]);
        let provider = provider(&sandbox, vendor, PATIENT);
        assert_eq!(send(&provider, &sms("n-1")).await, "doubtful");
        assert_eq!(ask(&provider, "n-1").await, "not found", "{vendor:?}");
        assert_eq!(ask(&provider, "n-1").await, "delivered", "{vendor:?}");
        sandbox.stop().await;
    }
}

#[tokio::test]
async fn a_vendor_that_is_down_takes_nothing_in() {
    let sandbox = sandbox().await;
    sandbox.bank.down().await;
    for vendor in Vendor::ALL {
        let provider = provider(&sandbox, vendor, PATIENT);
        assert_eq!(send(&provider, &sms("n-1")).await, "not connected", "{vendor:?}");
        assert_eq!(ask(&provider, "n-1").await, "no answer", "{vendor:?}");
    }
    assert_eq!(sandbox.sms.calls(), []);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_connection_that_closes_is_not_tried_again() {
    for (kind, fields) in [
        ("aliyun", &[("access_key_id", "id"), ("access_key_secret", "geheimgeheim")][..]),
        ("tencent", &[("access_key_id", "id"), ("access_key_secret", "geheimgeheim"), ("app_id", "1")][..]),
        ("webhook", &[("key", "geheimgeheim")][..]),
    ] {
        let listener = Listener::start(&[Treatment::Close]).await;
        let provider = open(kind, &listener.url, PATIENT, fields);
        assert_eq!(send(&provider, &sms("n-1")).await, "doubtful", "{kind}");
        assert_eq!(listener.waiting(), 1, "{kind}: on the wire once");
    }
}

#[tokio::test]
async fn awkward_variables_arrive_as_they_are() {
    for vendor in Vendor::ALL {
        let sandbox = sandbox().await;
        let provider = provider(&sandbox, vendor, PATIENT);
        for (number, policy) in
            ["a b", "*~-_.", "+%25&=;/?#", "到账🎉", "行\n二", "\"'\\<b>{{x}}", "=cmd|' /C calc'!A0"]
                .into_iter()
                .enumerate()
        {
            let sms = with_variables(&format!("n-{number}"), "1.00", policy);
            assert_eq!(send(&provider, &sms).await, "accepted", "{vendor:?} {policy}");
            assert_eq!(sandbox.sms.ledger().last().unwrap().text, sms.text, "{vendor:?}");
        }
        let long = with_variables("n-long", "1.00", &"长".repeat(5_000));
        assert!(send(&provider, &long).await.starts_with("Content "), "{vendor:?}");
        sandbox.stop().await;
    }
}

#[tokio::test]
async fn what_does_not_fit_a_vendor_is_refused_in_its_class() {
    let sandbox = sandbox().await;
    let aliyun = provider(&sandbox, Vendor::Aliyun, PATIENT);
    let tencent = provider(&sandbox, Vendor::Tencent, PATIENT);
    let mut unknown = sms("n-1");
    unknown.template_code = Some("SMS_2".to_owned());
    assert_eq!(send(&aliyun, &unknown).await, "Template isv.SMS_TEMPLATE_ILLEGAL");
    assert_eq!(send(&tencent, &unknown).await, "Template FailedOperation.TemplateIncorrectOrUnapproved");
    unknown.template_code = None;
    let calls = sandbox.sms.calls().len();
    assert_eq!(send(&aliyun, &unknown).await, "Template no_template");
    assert_eq!(send(&tencent, &unknown).await, "Template no_template");
    assert_eq!(sandbox.sms.calls().len(), calls, "nothing was handed in");
    let mut short = sms("n-1");
    short.parameters.pop();
    assert_eq!(send(&aliyun, &short).await, "Template isv.TEMPLATE_MISSING_PARAMETERS");
    let mut unsigned = sms("n-1");
    unsigned.signature = "【鼓楼】".to_owned();
    assert_eq!(send(&aliyun, &unsigned).await, "Template isv.SMS_SIGNATURE_ILLEGAL");
    let mut nobody = sms("n-1");
    nobody.to = "13800000000".to_owned();
    assert_eq!(send(&aliyun, &nobody).await, "Recipient not_e164");
    assert_eq!(send(&tencent, &nobody).await, "Recipient InvalidParameterValue.IncorrectPhoneNumber");
    let mut abroad = sms("n-1");
    abroad.to = "+85298765432".to_owned();
    for provider in [&aliyun, &tencent] {
        assert_eq!(send(provider, &abroad).await, "accepted");
    }
    assert!(sandbox.sms.ledger().iter().all(|entry| entry.to == abroad.to));
    sandbox.stop().await;
}

#[tokio::test]
async fn a_stranger_is_told_that_the_account_is_wrong() {
    let sandbox = sandbox().await;
    let known = sandbox.sms.settings();
    let (id, secret) = (known.key_id.as_str(), known.secret.as_str());
    for (kind, fields, outcome) in [
        (
            "aliyun",
            vec![("access_key_id", id), ("access_key_secret", "another-secret")],
            "Account SignatureDoesNotMatch",
        ),
        ("aliyun", vec![("access_key_id", "x"), ("access_key_secret", secret)], "Account InvalidAccessKeyId.NotFound"),
        (
            "tencent",
            vec![("access_key_id", id), ("access_key_secret", "another-secret"), ("app_id", known.app_id.as_str())],
            "Account AuthFailure.SignatureFailure",
        ),
        (
            "tencent",
            vec![("access_key_id", id), ("access_key_secret", secret), ("app_id", "1")],
            "Account UnauthorizedOperation.SmsSdkAppIdVerifyFail",
        ),
        ("webhook", vec![("key", "another-key")], "Account 401"),
    ] {
        let stranger = open(kind, &format!("{}/sms/{kind}", sandbox.url()), PATIENT, &fields);
        assert_eq!(send(&stranger, &sms("n-1")).await, outcome);
        assert_eq!(ask(&stranger, "n-1").await, "no answer");
    }
    assert_eq!(sandbox.sms.calls(), []);
    sandbox.stop().await;
}

#[tokio::test]
async fn a_number_has_as_many_as_the_vendor_allows() {
    let sandbox = sandbox().await;
    for vendor in Vendor::ALL {
        sandbox.sms.limit_per_number(vendor, Some(1));
        let provider = provider(&sandbox, vendor, PATIENT);
        assert_eq!(send(&provider, &sms("n-1")).await, "accepted");
        assert!(send(&provider, &sms("n-2")).await.starts_with("Limit "), "{vendor:?}");
    }
    sandbox.stop().await;
}

/// The vendors send what they are told twice; the webhook does not.
#[tokio::test]
async fn only_the_webhook_knows_a_repetition() {
    let sandbox = sandbox().await;
    for (vendor, sent) in [(Vendor::Aliyun, 2), (Vendor::Tencent, 2), (Vendor::Webhook, 1)] {
        let provider = provider(&sandbox, vendor, PATIENT);
        for _ in 0..2 {
            assert_eq!(send(&provider, &sms("n-1")).await, "accepted");
        }
        let count = sandbox.sms.ledger().iter().filter(|entry| entry.vendor == vendor).count();
        assert_eq!(count, sent, "{vendor:?}");
    }
    assert_eq!(sandbox.sms.reproaches(), [""; 0]);
    sandbox.stop().await;
}

#[tokio::test]
async fn one_message_is_found_among_many_pages() {
    let sandbox = sandbox().await;
    let provider = provider(&sandbox, Vendor::Aliyun, PATIENT);
    let SendOutcome::Accepted { provider_id, .. } = provider.send(&sms("n-0")).await else { panic!("accepted") };
    for number in 1..=100 {
        assert_eq!(send(&provider, &sms(&format!("n-{number}"))).await, "accepted");
    }
    let before = sandbox.sms.questions();
    assert_eq!(ask(&provider, "n-0").await, "delivered", "on the third page");
    assert_eq!(sandbox.sms.questions() - before, 3);
    assert_eq!(ask_by(&provider, "n-0", provider_id).await, "delivered");
    assert_eq!(sandbox.sms.questions() - before, 4, "by the vendor's own name it is one row");
    assert_eq!(ask(&provider, "n-101").await, "not found");
    sandbox.stop().await;
}
