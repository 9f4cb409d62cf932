//! Vectors of identifiers, amounts and times. Larger tables are read as a second opinion where a checkout has them beside it.

use std::path::Path;
use zhida_schemas::ReasonCode::{self, *};
use zhida_schemas::amount::Money;
use zhida_schemas::identifiers::{AccountNo, CnapsCode, Email, Mobile, Phone, Sha256Hex, Uscc};
use zhida_schemas::text::{Id, Name, Source, Text};
use zhida_schemas::time::{Date, Time};

type Row<'text> = (&'text str, Result<(), ReasonCode>);

fn check<T, F>(rows: &[Row], parse: F)
where
    F: Fn(&str) -> Result<T, zhida_schemas::Fault>,
{
    for (text, wanted) in rows {
        let found = parse(text).map(drop).map_err(|fault| fault.code);
        assert_eq!(&found, wanted, "{} {text:?}", std::any::type_name::<T>());
    }
}

#[test]
fn identifiers() {
    check(
        &[
            ("914403001922038216", Ok(())),
            ("91350100M000100Y43", Ok(())),
            ("914403001922038217", Err(UsccCheckDigit)),
            ("914403001922083216", Err(UsccCheckDigit)),
            ("9144030O1922038216", Err(UsccCharacter)),
            ("91350100m000100y43", Err(UsccCharacter)),
            ("９14403001922038216", Err(UsccCharacter)),
            ("91440300192203821", Err(UsccLength)),
            ("", Err(UsccLength)),
        ],
        str::parse::<Uscc>,
    );
    check(
        &[
            ("102100099996", Ok(())),
            ("308584000013", Ok(())),
            ("999000000001", Err(CnapsCheckDigit)),
            ("120100099996", Err(CnapsCheckDigit)),
            ("10210009999", Err(CnapsForm)),
            ("10210009999X", Err(CnapsForm)),
            ("１02100099996", Err(CnapsForm)),
        ],
        str::parse::<CnapsCode>,
    );
    check(
        &[
            ("4000020109000000001", Ok(())),
            ("1-2", Ok(())),
            ("GB82WEST12345698765432", Ok(())),
            ("GB82WEST12345698765433", Err(AccountNoForm)),
            ("4000 0201", Err(AccountNoForm)),
            ("---", Err(AccountNoForm)),
            ("", Err(AccountNoForm)),
            ("12345678901234567890123456789012345", Err(AccountNoForm)),
            ("４000", Err(AccountNoForm)),
        ],
        str::parse::<AccountNo>,
    );
    check(
        &[
            ("finance@example.com", Ok(())),
            ("a@b", Err(EmailForm)),
            ("a@b..cn", Err(EmailForm)),
            ("a@b.cn\r\nBcc: x@y.cn", Err(EmailForm)),
            ("a@b.cn,c@d.cn", Err(EmailForm)),
        ],
        str::parse::<Email>,
    );
    check(&[("00", Err(Sha256Form))], str::parse::<Sha256Hex>);
    assert_eq!(Sha256Hex::parse("AB".repeat(32)).unwrap().as_str(), "ab".repeat(32));
    assert_eq!(AccountNo::parse("4000020109000000001").unwrap().masked(), "****0001");
    assert!(!format!("{:?}", AccountNo::parse("4000020109000000001").unwrap()).contains("4000"));
}

#[test]
fn texts() {
    let (longest, too_long) = ("a".repeat(64), "a".repeat(65));
    check(&[("A-1_b.2", Ok(())), (&longest, Ok(())), (&too_long, Err(IdForm)), ("", Err(IdForm))], str::parse::<Id>);
    check(&[("a b", Err(IdForm)), ("a/b", Err(IdForm)), ("甲", Err(IdForm)), ("a\n", Err(IdForm))], str::parse::<Id>);
    let (longest, too_long) = ("企".repeat(140), "企".repeat(141));
    check(
        &[
            ("'; drop table payouts; --", Ok(())),
            ("<script>alert(1)</script>", Ok(())),
            ("=HYPERLINK(\"http://x\")", Ok(())),
            (&longest, Ok(())),
            (&too_long, Err(TextTooLong)),
            ("", Err(TextEmpty)),
            (" \u{3000}", Err(TextEmpty)),
            ("a\nb", Err(ControlCharacter)),
            ("a\u{FFFF}", Err(ControlCharacter)),
        ],
        str::parse::<Name>,
    );
    check(&[("line\nline\t", Ok(())), ("bell\u{7}", Err(ControlCharacter))], str::parse::<Text>);
    check(&[("/review/district", Ok(())), ("a b", Err(UriForm)), ("", Err(UriForm))], str::parse::<Source>);
}

#[test]
fn amounts() {
    check(
        &[
            ("0.01", Ok(())),
            ("500000.00", Ok(())),
            ("10000000000000.00", Ok(())),
            ("10000000000000.01", Err(AmountTooLarge)),
            ("100000000000000000000.00", Err(AmountTooLarge)),
            ("0.00", Err(AmountZero)),
            ("-1.00", Err(AmountNegative)),
            ("--1.00", Err(AmountForm)),
            ("1e6", Err(AmountExponent)),
            ("1.5E+3", Err(AmountExponent)),
            ("1.000", Err(AmountDecimals)),
            ("1.0", Err(AmountDecimals)),
            ("1", Err(AmountDecimals)),
            ("01.00", Err(AmountForm)),
            ("+1.00", Err(AmountForm)),
            ("1,000.00", Err(AmountForm)),
            (" 1.00", Err(AmountForm)),
            (".50", Err(AmountForm)),
            ("", Err(AmountForm)),
            ("NaN", Err(AmountForm)),
            ("１００.００", Err(AmountDigits)),
            ("٣.00", Err(AmountDigits)),
        ],
        str::parse::<Money>,
    );
    assert_eq!("35570100.00".parse::<Money>().unwrap().minor_units(), 3_557_010_000);
    assert_eq!(Money::from_minor_units(1).unwrap().to_string(), "0.01");
    assert_eq!(Money::from_minor_units(i64::MAX).unwrap_err().code, AmountTooLarge);
}

#[test]
fn times() {
    check(
        &[
            ("2026-11-23T09:30:00+08:00", Ok(())),
            ("2026-11-23t01:30:00.5z", Ok(())),
            ("2026-11-23T09:30:00", Err(TimeOffsetMissing)),
            ("2026-11-23T09:30:00.25", Err(TimeOffsetMissing)),
            ("2026-11-23", Err(TimeForm)),
            ("2026-11-23 09:30:00+08:00", Err(TimeForm)),
            ("2026-11-23T09:30:00+08:00[Asia/Shanghai]", Err(TimeForm)),
            ("2026-11-23T09:30:00+08", Err(TimeForm)),
            ("2026-02-30T09:30:00Z", Err(TimeForm)),
            ("2026-11-23T24:00:00Z", Err(TimeForm)),
            ("1795397400", Err(TimeForm)),
        ],
        str::parse::<Time>,
    );
    let time: Time = "2026-11-23T09:30:00.1234567+08:00".parse().unwrap();
    assert_eq!(time.to_string(), "2026-11-23T01:30:00.123456Z");
    assert_eq!(time, "2026-11-23T01:30:00.123456Z".parse().unwrap());
    check(&[("2026-11-23", Ok(())), ("2026-02-29", Err(DateForm)), ("2026-2-9", Err(DateForm))], str::parse::<Date>);
}

#[test]
fn second_opinions() {
    second_opinion("uscc_vectors.csv", |text| Uscc::parse(text).is_ok());
    second_opinion("cnaps_vectors.csv", |text| CnapsCode::parse(text).is_ok());
}

fn second_opinion(file: &str, accepted: impl Fn(&str) -> bool) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(file);
    let Ok(table) = std::fs::read_to_string(&path) else {
        println!("skipped: {file} is not beside this checkout");
        return;
    };
    for line in table.lines().skip(1).filter(|line| !line.is_empty()) {
        let mut cells = line.split(',');
        let (code, valid) = (cells.next().unwrap(), cells.next().unwrap());
        assert_eq!(accepted(code), valid == "1", "{file}: {line}");
    }
}

#[test]
fn phone_numbers() {
    check(
        &[("+8613800000000", Ok(())), ("13800000000", Ok(())), ("12800000000", Err(MobileForm))],
        str::parse::<Mobile>,
    );
    let spellings = [
        "+8613800000000",
        "13800000000",
        "0086 138-0000-0000",
        "１３８　００００　００００",
        "(86)138 0000 0000",
        "+44 (0)7700 900123",
        "0551-62691111转8001",
        "0551-62691111 分机8001",
        "138.0000.0000",
        "\u{2066}13800000000\u{2069}",
        "\u{200e}138\u{a0}0000 0000",
    ];
    check(&spellings.map(|spelling| (spelling, Ok(()))), str::parse::<Phone>);
    let none = ["call me", "1234", "", "138 0000 0000\r\nBcc: x", "138<b>00000000", "1234567890123456789012345"];
    check(&none.map(|text| (text, Err(MobileForm))), str::parse::<Phone>);
    check(&[("+86 13800000000", Err(MobileForm)), ("+0123456789", Err(MobileForm))], str::parse::<Mobile>);
}
