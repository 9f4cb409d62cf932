//! How the demo tells people: settings with two vendors of SMS and a mail server, all of them the sandbox's; the templates as those vendors
//! know them; and what goes wrong on purpose. What came of it is read in [`super::told`].

use std::iter::repeat_n;
use zhida_config::sample_district::Award;
use zhida_core::notice::Channel;
use zhida_core::notice::template::{Form, KnownProviders, Replacing, TemplateSet};
use zhida_core::ports::notices::NoticeStore;
use zhida_sandbox::{Sandbox, SmsFault, SmsTarget, Vendor};

/// The vendors, the preferred first: the name in the settings, who it is at the sandbox, and the price of a segment in 0.0001 yuan.
pub(super) const VENDORS: [(&str, Vendor, i64); 2] =
    [("aliyun", Vendor::Aliyun, 450), ("tencent", Vendor::Tencent, 500)];

/// After so many messages the preferred vendor is out of service …
const TAKEN: usize = 150;
/// … for so many calls.
const REFUSED: usize = 40;
/// What it says then: the account is suspended (业务停机).
const OUT_OF_SERVICE: &str = "isv.OUT_OF_SERVICE";

/// What goes wrong with the first message to the mobile of an award, by the award's number.
const MISHAPS: [(usize, SmsFault); 8] = [
    (10, SmsFault::AcceptHang),
    (60, SmsFault::AcceptReset),
    (110, SmsFault::AcceptGarbage),
    (20, SmsFault::ReceiptFirst),
    (120, SmsFault::ReceiptFirst),
    (40, SmsFault::ReceiptTwice),
    (140, SmsFault::ReceiptTwice),
    (160, SmsFault::AcceptHang),
];
/// The award whose mobile is never reached: its mails have to do.
const UNREACHED: usize = 50;
/// The award whose mailbox is gone: its mobile has to do.
const NO_MAILBOX: usize = 70;

/// Settings that name the sandbox's vendors and mail server. There are no quiet hours, so that the demo is the same at any hour.
pub(super) fn settings(sandbox: &Sandbox, listen: &str) -> Vec<(String, String)> {
    let mail = sandbox.mail.address();
    let sms = sandbox.sms.settings();
    let mut flags = vec![
        ("notices.quiet".to_owned(), String::new()),
        ("notices.signature".to_owned(), "云岫直达".to_owned()),
        ("notices.public_url".to_owned(), format!("http://{listen}")),
        ("notices.sms_order".to_owned(), VENDORS.map(|(name, ..)| name).join(",")),
        ("notices.mail.host".to_owned(), mail.ip().to_string()),
        ("notices.mail.port".to_owned(), mail.port().to_string()),
        ("notices.mail.security".to_owned(), "none".to_owned()),
        ("notices.mail.from".to_owned(), "云岫直达 <zhida@yunxiu.example>".to_owned()),
    ];
    let quick = [
        ("group_seconds", "2"),
        // A month's worth is told within seconds.
        ("per_minute_max", "100000"),
        ("visibility_seconds", "2"),
        ("claim_lease_seconds", "12"),
        ("sweep_seconds", "1"),
        ("mail.timeout_seconds", "3"),
    ];
    flags.extend(quick.map(|(key, value)| (format!("notices.{key}"), value.to_owned())));
    for (name, vendor, price) in VENDORS {
        let of_it = [
            ("kind", vendor.word().to_owned()),
            ("url", sandbox.sms.url(vendor)),
            ("access_key_id", sms.key_id.clone()),
            ("access_key_secret", sms.secret.clone()),
            ("receipt_secret", receipt_secret(name)),
            ("timeout_seconds", "2".to_owned()),
            // A supervisor may be told more in a minute than in any month.
            ("limits", String::new()),
            ("price_per_segment", yuan(price)),
        ];
        flags.extend(of_it.map(|(key, value)| (format!("notices.sms.{name}.{key}"), value)));
        if vendor == Vendor::Tencent {
            flags.push((format!("notices.sms.{name}.app_id"), sms.app_id.clone()));
        }
    }
    flags
}

/// Everything is on loopback and invented.
fn receipt_secret(name: &str) -> String {
    format!("demo-receipts-of-{name}")
}

/// 0.0001 yuan as `12.3450`.
pub(super) fn yuan(ten_thousandths: i64) -> String {
    format!("{}.{:04}", ten_thousandths / 10_000, ten_thousandths % 10_000)
}

/// Enters templates and the addresses for receipts at the vendors, as somebody does once in their consoles, and brings the codes in.
pub(super) async fn register(sandbox: &Sandbox, store: &dyn NoticeStore, console: &str) -> anyhow::Result<()> {
    let set = with_codes(TemplateSet::embedded())?;
    for (name, vendor, _) in VENDORS {
        for template in set.templates.values() {
            let known =
                template.providers.get(name).and_then(|known| Some((known.code.as_deref()?, &known.parameters)));
            let Some((code, parameters)) = known else { continue };
            let text = match vendor {
                Vendor::Aliyun => template.named_form(),
                Vendor::Tencent => template.numbered_form(parameters),
                Vendor::Webhook => template.text.clone(),
            };
            sandbox.sms.register_template(vendor, code, &text);
        }
        let receipts = format!("{console}/v1/sms/receipts/{name}/{}", receipt_secret(name));
        sandbox.sms.set_receipts_url(vendor, Some(&receipts));
    }
    let seen = store.templates().await?;
    match store.import_templates(&set, &seen, "demo").await? {
        Replacing::Imported | Replacing::Same => Ok(()),
        Replacing::Overtaken { version } => anyhow::bail!("somebody imports templates beside the demo: {version}"),
        Replacing::VersionUsed => {
            anyhow::bail!("another demo has used {} for other templates: begin with an empty folder", set.version)
        }
    }
}

/// The SMS of a set, with a code for each at each vendor.
fn with_codes(embedded: &TemplateSet) -> anyhow::Result<TemplateSet> {
    use std::fmt::Write as _;
    let mut source = format!("version = \"{}-demo\"\n", embedded.version);
    let of_sms = embedded.templates.values().filter(|template| template.key.channel == Channel::Sms);
    for (place, template) in of_sms.enumerate() {
        let key = template.key;
        let combined = key.form == Form::Combined;
        // A text in JSON is one in TOML.
        let text = serde_json::Value::from(template.text.as_str());
        let (kind, locale, most) = (key.kind.code(), key.locale.code(), template.segments_max);
        // Writing to a String cannot fail.
        let _ = writeln!(
            source,
            "[[template]]\nkind = \"{kind}\"\nchannel = \"sms\"\nlocale = \"{locale}\"\ncombined = {combined}\n\
             text = {text}\nsegments_max = {most}\nproviders.aliyun.code = \"SMS_{0}\"\nproviders.tencent.code = \"{0}\"",
            2_026_001 + place
        );
    }
    TemplateSet::checked(&source, &KnownProviders::Any).map_err(|problems| {
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the demo's templates: {}", told.join("; "))
    })
}

/// Arranges what goes wrong.
pub(super) fn arrange_mishaps(sandbox: &Sandbox, awards: &[Award]) {
    let refused = vec![SmsFault::Refuse { code: OUT_OF_SERVICE.to_owned() }];
    let steps = repeat_n(Vec::new(), TAKEN).chain(repeat_n(refused, REFUSED));
    sandbox.sms.script(SmsTarget::Vendor(Vendor::Aliyun), steps);
    let mobile = |number: usize| awards.get(number - 1).and_then(|award| award.mobile.clone());
    for (number, fault) in MISHAPS {
        if let Some(mobile) = mobile(number) {
            sandbox.sms.script(SmsTarget::Number(mobile), [vec![fault]]);
        }
    }
    if let Some(mobile) = mobile(UNREACHED) {
        let unreached = vec![SmsFault::Undelivered { code: "MOBILE_NOT_ON_SERVICE".to_owned() }];
        sandbox.sms.script(SmsTarget::Number(mobile), repeat_n(unreached, 12));
    }
    if let Some(award) = awards.get(NO_MAILBOX - 1) {
        sandbox.mail.refuse(&award.email, 550, "5.1.1 no such mailbox");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::{MISHAPS, NO_MAILBOX, UNREACHED, VENDORS, with_codes, yuan};
    use std::collections::BTreeSet;
    use zhida_config::sample_district;
    use zhida_core::notice::Channel;
    use zhida_core::notice::template::TemplateSet;

    #[test]
    fn every_sms_has_a_code_of_its_own_at_each_vendor() {
        let set = with_codes(TemplateSet::embedded()).unwrap();
        let sms = TemplateSet::embedded().templates.keys().filter(|key| key.channel == Channel::Sms).count();
        assert_eq!(set.templates.len(), sms);
        for (name, ..) in VENDORS {
            let codes: BTreeSet<_> =
                set.templates.values().map(|one| one.providers[name].code.clone().unwrap()).collect();
            assert_eq!(codes.len(), sms, "{name}");
        }
        for (key, template) in &set.templates {
            assert_eq!(template.text, TemplateSet::embedded().templates[key].text, "{key}");
        }
    }

    #[test]
    fn what_goes_wrong_befalls_awards_that_are_paid_and_can_be_told_otherwise() {
        let awards = sample_district::awards().unwrap();
        for number in MISHAPS.map(|(number, _)| number).into_iter().chain([UNREACHED, NO_MAILBOX]) {
            let award = &awards[number - 1];
            assert!(award.twist.is_none() && award.mobile.is_some(), "{}", award.application_id);
        }
    }

    #[test]
    fn prices_have_four_decimals() {
        assert_eq!([450, 123_450].map(yuan), ["0.0450", "12.3450"]);
    }
}
