//! Faults as they are written in JSON.

#![allow(clippy::unwrap_used)] // a failing unwrap is the finding

use super::{Chance, Fault, OF_ANSWERS, OF_CALLS, OF_TRANSFERS, magic};
use serde_json::json;

#[test]
fn a_fault_is_read_by_its_name_and_a_wrong_name_is_told_the_right_ones() {
    let details = |name: &str| {
        json!({"fault": name, "reason": "AC01", "enquiries": 1, "code": "X", "status": 500, "milliseconds": 1,
            "retry_after_seconds": null, "per_mille": 3})
    };
    for name in [&OF_TRANSFERS[..], &OF_CALLS[..]].concat() {
        let fault: Chance = serde_json::from_value(details(name)).unwrap();
        assert_eq!(serde_json::to_value(&fault).unwrap()["fault"], name);
    }
    for name in OF_ANSWERS {
        let status = if name == "pay_status" { json!(500) } else { json!("ACCP") };
        let mut fault = details(name);
        fault["status"] = status;
        let fault: Fault = serde_json::from_value(fault).unwrap();
        assert!(matches!(fault, Fault::Answer(_)), "{name}");
    }
    let wrong = serde_json::from_value::<Fault>(json!({"fault": "pay_hangs"})).unwrap_err().to_string();
    assert!(wrong.contains("pay_hang,") && wrong.contains("\"pay_hangs\""), "{wrong}");
    let incomplete = serde_json::from_value::<Fault>(json!({"fault": "refuse"})).unwrap_err().to_string();
    assert_eq!(incomplete, "the fault refuse: missing field `reason`");
}

#[test]
fn every_magic_fault_is_read_as_it_is_written() {
    for fault in (0..100).filter_map(magic) {
        let written = serde_json::to_value(&fault).unwrap();
        assert_eq!(serde_json::from_value::<Fault>(written).unwrap(), fault);
    }
}
