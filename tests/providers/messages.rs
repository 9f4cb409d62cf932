//! Writes the messages that `tests/all/iso20022.sh` validates against the schemas, into `iso20022/` below cargo's folder for
//! files of tests, and looks at them itself only as far as the sandbox's bank reads them.

use super::scenery::{PATIENT, http, link, message, pay, transfer};
use std::path::PathBuf;
use zhida_core::ports::bank::Transfer;
use zhida_sandbox::{Fault, Sandbox, SandboxSettings, Target, TransferFault};

fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("iso20022");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Names that are lawful and strange, as long as the standard allows, and several debtor accounts.
fn strange_transfers() -> Vec<Transfer> {
    let names = [
        "示例科技有限责任公司",
        "<script>alert('1')</script> & Co. \"示例\"",
        "=HYPERLINK(\"http://example.com\";\"x\")",
        "'; drop table payouts; --",
        "]]> &amp; &#0; <!-- x -->",
        "示例🚀𠮷科技\u{200b}（福州）",
        "one\ttwo\nthree\rfour",
    ];
    let mut transfers: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(number, name)| {
            let mut one = transfer(&format!("E{number}"), 1 + 12_345_678_901 * i64::try_from(number).unwrap());
            one.payee.account_name = (*name).to_owned();
            one.debtor.account_no = format!("3500-{}", number % 2);
            one
        })
        .collect();
    let mut longest = transfer("AKG56JKNTPZOMQWGJB4SLNGRHTORGZRO", 999_999_999_999_999);
    longest.payee.account_name = "𠮷".repeat(140);
    longest.payee.account_no = "1".repeat(34);
    longest.payee.bank_name = "行".repeat(140);
    longest.remittance = "策".repeat(200);
    transfers.push(longest);
    let mut foreign = transfer("E-iban", 1);
    foreign.payee.account_no = "DE89370400440532013000".to_owned();
    foreign.payee.bank_name = String::new();
    transfers.push(foreign);
    transfers
}

#[test]
fn credit_transfer_initiations() {
    let strange = strange_transfers();
    std::fs::write(folder().join("pain.001.001.09-one.xml"), message("M1", &strange[..1])).unwrap();
    let longest_id = "M".repeat(35);
    std::fs::write(folder().join("pain.001.001.09-strange.xml"), message(&longest_id, &strange)).unwrap();
    let many: Vec<_> = (0..200).map(|number| transfer(&format!("E{number}"), number + 1)).collect();
    std::fs::write(folder().join("pain.001.001.09-many.xml"), message("M200", &many)).unwrap();
}

#[tokio::test]
async fn reports_and_statements_of_the_sandbox() {
    let sandbox = Sandbox::start(SandboxSettings::default()).await.unwrap();
    let bank = link(&sandbox.url(), PATIENT);
    let reject = Fault::Transfer(TransferFault::Refuse { reason: "AC01".to_owned() });
    sandbox.bank.script(Target::Instruction("E1".to_owned()), [Some(reject)]);
    let strange = strange_transfers();
    assert_eq!(pay(&bank, "M1", &strange).await.matches("settled").count(), strange.len() - 1);
    let ledger = sandbox.bank.ledger();
    for order in &strange {
        let entry = ledger.get(order.instruction_id.as_str()).unwrap();
        assert_eq!(order.payee.account_name, entry.name, "the bank reads the very name");
        assert_eq!(order.payee.account_no, entry.account);
        assert_eq!(
            (order.amount, &order.uscc, &order.debtor.account_no),
            (entry.amount, &entry.uscc, &entry.debtor_account)
        );
    }
    for (name, target) in [
        ("pain.002.001.10-settled.xml", "/payments/E0"),
        ("pain.002.001.10-rejected.xml", "/payments/E1"),
        ("camt.053.001.08-some.xml", "/statements?from=2020-01-01&to=2100-01-01"),
        ("camt.053.001.08-none.xml", "/statements?from=2020-01-01&to=2020-01-01"),
    ] {
        let (head, body) = http(&sandbox.url(), "GET", target, "").await;
        assert!(head.starts_with("HTTP/1.1 200"), "{name}: {head}");
        std::fs::write(folder().join(name), body).unwrap();
    }
    sandbox.stop().await;
}
