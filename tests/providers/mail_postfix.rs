//! Mail through Postfix, a server that is not ours: protected, delivered, signed so that dkimpy believes it, refused, and returned.

use super::mail_scenery::{mail, send, settings};
use data_encoding::BASE64;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use zhida_adapters::providers::mail::{ClearText, Dkim, MailSettings, MailboxFolder, Security, SmtpMail};
use zhida_core::ports::mail::{BounceReader, Mail};
use zhida_core::ports::sms::{DeliveryWord, Receipt, RefusalClass};
use zhida_sandbox::{Sandbox, SandboxSettings};
use zhida_tests::mail_server::MailServer;
use zhida_tests::waiting::wait_until;

/// A key for these tests alone, written by `openssl genrsa 2048`, and its public half.
const RSA_KEY: &str = include_str!("mail_key.pem");
const RSA_PUBLIC: &str = include_str!("mail_key.public");

/// A folder for certificates, removed when dropped.
struct Papers {
    directory: PathBuf,
    roots: Vec<u8>,
}

impl Papers {
    /// A certificate for `localhost` and the authority that vouches for it.
    fn new() -> Self {
        let directory = std::env::temp_dir().join(format!("zhida-mail-papers-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let mut authority = CertificateParams::new(Vec::<String>::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let roots = authority.self_signed(&authority_key).unwrap().pem().into_bytes();
        let key = KeyPair::generate().unwrap();
        let names = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = names.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
        std::fs::write(directory.join("certificate.pem"), certificate.pem()).unwrap();
        std::fs::write(directory.join("key.pem"), key.serialize_pem()).unwrap();
        Self { directory, roots }
    }
}

impl Drop for Papers {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn protected(port: u16, papers: &Papers, dkim: Option<Dkim>) -> MailSettings {
    MailSettings { ca_pem: Some(papers.roots.clone()), dkim, ..settings(port, Security::StartTls) }
}

fn signed_with(key_pem: &[u8]) -> Option<Dkim> {
    Some(Dkim { domain: "district.test".to_owned(), selector: "s1".to_owned(), key_pem: key_pem.to_vec() })
}

/// The one mail in a Maildir whose content holds `mark`.
async fn delivered(maildir: &Path, mark: &str) -> Vec<u8> {
    let look = async || {
        let names = std::fs::read_dir(maildir.join("new")).ok()?;
        let mails = names.filter_map(|name| std::fs::read(name.ok()?.path()).ok());
        mails.into_iter().find(|mail| String::from_utf8_lossy(mail).contains(mark))
    };
    wait_until(&format!("the mail {mark}"), Duration::from_secs(60), look).await
}

/// What dkimpy says of a mail, when the domain's DNS says `record`.
fn dkimpy(mail: &[u8], record: &str) -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("servers/unpack");
    let unpacked = Command::new(here).output().unwrap();
    let root = String::from_utf8(unpacked.stdout).unwrap().trim().to_owned();
    let file = std::env::temp_dir().join(format!("zhida-signed-{}.eml", std::process::id()));
    std::fs::write(&file, mail).unwrap();
    let program = "import dkim,sys\n\
        asked=[]\n\
        def dns(name, timeout=5):\n    asked.append(name.decode())\n    return sys.argv[2].encode()\n\
        print(dkim.verify(open(sys.argv[1],'rb').read(), dnsfunc=dns, minkey=1024), *asked)\n";
    let verified = Command::new("/usr/bin/python3")
        .args(["-c", program, file.to_str().unwrap(), record])
        .env("PYTHONPATH", format!("{root}/usr/lib/python3/dist-packages"))
        .output()
        .unwrap();
    let _ = std::fs::remove_file(&file);
    let said = String::from_utf8_lossy(&verified.stdout).trim().to_owned();
    assert!(!said.is_empty(), "{}", String::from_utf8_lossy(&verified.stderr));
    said
}

#[tokio::test]
async fn mails_go_through_postfix_and_what_it_returns_is_read() {
    let papers = Papers::new();
    let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
    let next_hop = sandbox.mail.address().port();
    let paths = [papers.directory.join("certificate.pem"), papers.directory.join("key.pem")];
    let started = tokio::task::spawn_blocking(move || MailServer::start(&paths[0], &paths[1], next_hop)).await.unwrap();
    let Some(server) = started else { return };

    is_delivered_and_signed(&server, &papers).await;
    is_protected_or_not_sent(&server, &papers).await;
    is_refused_or_returned(&server, &papers, &sandbox).await;
}

async fn is_delivered_and_signed(server: &MailServer, papers: &Papers) {
    let link = SmtpMail::new(&protected(server.port(), papers, signed_with(RSA_KEY.as_bytes()))).unwrap();
    let digest = Mail {
        unsubscribe: Some("https://district.test/unsubscribe/abc".to_owned()),
        ..mail("n1", "finance@example.test")
    };
    assert_eq!(send(&link, &digest).await, "accepted");
    let bytes = delivered(&server.maildir("finance"), "<n1@district.test>").await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(text.contains("TLSv1.3"), "Postfix says how it came: {text}");
    assert!(text.starts_with("Return-Path: <notice@district.test>\n"), "{text}");
    for header in [
        "X-Zhida-Attempt: n1-m1",
        "Auto-Submitted: auto-generated",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    ] {
        assert!(text.contains(&format!("\n{header}\n")), "{header} in {text}");
    }
    let read = mail_parser::MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(read.subject(), Some(digest.subject.as_str()));
    assert_eq!(read.body_text(0).unwrap().replace("\r\n", "\n").trim_end(), digest.text.trim_end());
    assert_eq!(read.body_html(0).unwrap().replace("\r\n", "\n").trim_end(), digest.html);
    let record = format!("v=DKIM1; k=rsa; p={}", RSA_PUBLIC.trim());
    assert_eq!(dkimpy(&bytes, &record), "True s1._domainkey.district.test.");
    let forged = text.replace("auto-generated", "no");
    assert_ne!(forged, text);
    assert!(dkimpy(forged.as_bytes(), &record).starts_with("False"), "what is signed cannot be changed");

    // The other kind of key, over the same connection's server.
    let document = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).unwrap();
    let public = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap().public_key().as_ref().to_vec();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64.encode(document.as_ref()));
    let link = SmtpMail::new(&protected(server.port(), papers, signed_with(pem.as_bytes()))).unwrap();
    assert_eq!(send(&link, &mail("n2", "finance@example.test")).await, "accepted");
    let bytes = delivered(&server.maildir("finance"), "<n2@district.test>").await;
    let record = format!("v=DKIM1; k=ed25519; p={}", BASE64.encode(&public));
    assert_eq!(dkimpy(&bytes, &record), "True s1._domainkey.district.test.");
}

async fn is_protected_or_not_sent(server: &MailServer, papers: &Papers) {
    let stranger = |port, security| MailSettings { ca_pem: None, ..settings(port, security) };
    let from_the_start = MailSettings { security: Security::Tls, ..protected(server.tls_port(), papers, None) };
    let in_clear = stranger(server.port(), Security::None(ClearText::ToThisMachine));
    let other_name = MailSettings { host: "127.0.0.1".to_owned(), ..protected(server.port(), papers, None) };
    for (case, settings, expected) in [
        ("TLS from the first byte", from_the_start, "accepted"),
        ("an authority that nobody trusts", stranger(server.port(), Security::StartTls), "refused Account tls"),
        ("the same, from the first byte", stranger(server.tls_port(), Security::Tls), "refused Account tls"),
        ("a certificate for another name", other_name, "refused Account tls"),
        ("no STARTTLS there", protected(server.clear_port(), papers, None), "refused Account no_starttls"),
        ("a server that insists on TLS", in_clear, "refused Account 530 5.7.0"),
    ] {
        let link = SmtpMail::new(&settings).unwrap();
        assert_eq!(send(&link, &mail("n3", "finance@example.test")).await, expected, "{case}");
    }
}

async fn is_refused_or_returned(server: &MailServer, papers: &Papers, sandbox: &Sandbox) {
    sandbox.mail.refuse("full@next.test", 552, "5.2.2 mailbox full");
    let link = SmtpMail::new(&protected(server.port(), papers, None)).unwrap();
    for (id, to, expected) in [
        ("n4", "nobody@example.test", "refused Recipient 550 5.1.1"),
        ("n5", "finance@dead.test", "accepted"),
        ("n6", "full@next.test", "accepted"),
        ("n7", "finance@next.test", "accepted"),
    ] {
        assert_eq!(send(&link, &mail(id, to)).await, expected, "{to}");
    }
    sandbox.mail.until(|sandbox| sandbox.mails().iter().any(|mail| mail.to == ["finance@next.test"])).await;
    let reader = MailboxFolder::new(server.maildir("notice"), "notice@district.test");
    let returned = async || reader.read(10).await.ok().filter(|found| found.len() == 2);
    let found = wait_until("two mails that come back", Duration::from_secs(60), returned).await;
    let mut receipts: Vec<&Receipt> = found.iter().map(|(_, receipt)| receipt).collect();
    receipts.sort_by(|one, other| one.out_id.cmp(&other.out_id));
    let expected = [
        ("n5-m1", "finance@dead.test", RefusalClass::Busy, "4.4.1"),
        ("n6-m1", "full@next.test", RefusalClass::Busy, "5.2.2"),
    ];
    for (receipt, (out_id, to, class, code)) in receipts.iter().zip(expected) {
        assert_eq!((receipt.out_id.as_str(), receipt.to.as_deref()), (out_id, Some(to)));
        let DeliveryWord::Undelivered { class: found, code: said, text } = &receipt.word else { panic!("{receipt:?}") };
        assert_eq!((*found, said.as_str()), (class, code), "{text}");
    }
    let names: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
    reader.done(&names).await.unwrap();
    assert!(reader.read(10).await.unwrap().is_empty());
}
