//! What the cases of mail share: a mail, a link to a server on this machine, and outcomes in words short enough for a table.

use std::time::Duration;
use zhida_adapters::providers::mail::{ClearText, MailSettings, Security, SmtpMail};
use zhida_core::ports::mail::{Mail, MailProvider};
use zhida_core::ports::sms::SendOutcome;

pub(crate) fn mail(id: &str, to: &str) -> Mail {
    Mail {
        out_id: format!("{id}-m1"),
        message_id: id.to_owned(),
        to: to.to_owned(),
        subject: "资金已到账 The money has arrived".to_owned(),
        text: "您好:\n500000.00元(伍拾万元整)已到账。\n.\n..\nThe money is there.\n".to_owned(),
        html: "<p>您好:500000.00元已到账。</p>\n<p>The money is there.</p>".to_owned(),
        unsubscribe: None,
    }
}

pub(crate) fn settings(port: u16, security: Security) -> MailSettings {
    MailSettings {
        host: "localhost".to_owned(),
        port,
        security,
        credentials: None,
        from: "鼓楼直达 <notice@district.test>".to_owned(),
        reply_to: None,
        dkim: None,
        ca_pem: None,
        timeout: Duration::from_secs(20),
    }
}

pub(crate) fn in_clear(port: u16) -> MailSettings {
    MailSettings { host: "127.0.0.1".to_owned(), ..settings(port, Security::None(ClearText::ToThisMachine)) }
}

/// For a server that is known not to answer.
pub(crate) fn hasty(port: u16) -> MailSettings {
    MailSettings { timeout: Duration::from_secs(2), ..in_clear(port) }
}

pub(crate) async fn send(link: &SmtpMail, mail: &Mail) -> String {
    words(&link.send(mail).await)
}

/// The outcome without the server's own words; no outcome holds an address.
pub(crate) fn words(outcome: &SendOutcome) -> String {
    assert!(!format!("{outcome:?}").contains('@'), "an address: {outcome:?}");
    match outcome {
        SendOutcome::Accepted { .. } => "accepted".to_owned(),
        SendOutcome::Refused { class, code, .. } => format!("refused {class:?} {code}"),
        SendOutcome::NotConnected { .. } => "not connected".to_owned(),
        SendOutcome::Doubtful { .. } => "doubtful".to_owned(),
    }
}
