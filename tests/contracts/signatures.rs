//! Frozen vectors of the signed form, so that senders in other languages and later versions of ours agree byte for byte.

use crate::{example, example_key, resign};
use serde_json::json;
use zhida_schemas::signing::{KeyError, PublicKey, SigningKey, sign, verify};
use zhida_schemas::{Envelope, ReasonCode, canonical};

const PUBLIC_KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

#[test]
fn the_example_key_is_the_first_vector_of_rfc_8032() {
    assert_eq!(example_key().public_key().to_string(), PUBLIC_KEY);
    assert_eq!(example_key().seed_text(), "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
}

#[test]
fn the_signed_form_is_frozen() {
    let mut event =
        json!({"type": "t", "id": "1", "data": {"b": "示例\n\"", "a": [1.50, 1e21, true, null]}, "signature": "old"});
    sign(&mut event, &"k-1".parse().unwrap(), &example_key()).unwrap();
    assert_eq!(
        event["signature"],
        "YcRoKcvFFsmBH6W-Nd-vh_ulzW7IQEtLGeZvsJup-3Gk8iGdqEzvDif5Sy-CZKKlfaz3g4gsJ-wcpFx14w9CDw"
    );
    event.as_object_mut().unwrap().remove("signature");
    let form = r#"{"data":{"a":[1.5,1e+21,true,null],"b":"示例\n\""},"id":"1","keyid":"k-1","type":"t"}"#;
    assert_eq!(String::from_utf8(canonical(&event)).unwrap(), form);
}

#[test]
fn any_change_of_a_signed_event_is_seen() {
    let key = example_key().public_key();
    let signed = example("application.approved.v1");
    verify(&signed, &key).unwrap();
    for (pointer, changed) in [
        ("/data/amount/value", json!("500000.01")),
        ("/data/payee/account_no", json!("4000020109000000002")),
        ("/subject", json!("A-2026-000124")),
        ("/keyid", json!("another")),
        ("/id", json!("another")),
        ("/signature", json!("A".repeat(86))),
    ] {
        let mut event = signed.clone();
        *event.pointer_mut(pointer).unwrap() = changed;
        assert_eq!(verify(&event, &key).unwrap_err().code, ReasonCode::SignatureInvalid, "{pointer}");
    }
    let mut event = signed.clone();
    event["added"] = json!(1);
    assert_eq!(verify(&event, &key).unwrap_err().code, ReasonCode::SignatureInvalid);
    let other = SigningKey::generate().unwrap().public_key();
    assert_eq!(verify(&signed, &other).unwrap_err().code, ReasonCode::SignatureInvalid);
}

/// Order, blanks and escapes of the sender's text do not matter; the content does.
#[test]
fn the_same_content_signed_again_is_the_same() {
    let content = |event: &serde_json::Value| Envelope::from_value(event.clone()).unwrap().content_sha256();
    let first = example("application.approved.v1");
    assert_eq!(content(&first).as_str(), "3d493e155a52a665e2ad0c2c1f1f2d56d01737b28b429f93cbc755dea346c531");

    let mut again = first.clone();
    sign(&mut again, &"successor".parse().unwrap(), &SigningKey::generate().unwrap()).unwrap();
    assert_ne!(again["signature"], first["signature"]);
    assert_eq!(content(&again), content(&first));

    let respelt = first.to_string().replace("示例", "\\u793a\\u4f8b");
    assert_ne!(respelt, first.to_string());
    let respelt = Envelope::parse(format!(" \n{respelt}\t").as_bytes()).unwrap();
    respelt.verify(&example_key().public_key()).unwrap();
    assert_eq!(respelt.content_sha256(), content(&first));

    let mut other = first.clone();
    other["data"]["future_member"] = json!("changed");
    resign(&mut other);
    assert_ne!(content(&other), content(&first));
}

#[test]
fn keys_are_read_strictly_and_never_shown() {
    let key: SigningKey = format!("{}\n", example_key().seed_text()).parse().unwrap();
    assert_eq!(key.public_key(), PUBLIC_KEY.parse::<PublicKey>().unwrap());
    assert!(!format!("{key:?}").contains(&key.seed_text()));
    for text in
        ["", "short", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo"]
    {
        assert_eq!(text.parse::<PublicKey>(), Err(KeyError::Form), "{text}");
    }
}
