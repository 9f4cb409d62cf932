//! What a stored event entitles to when it is read again before a claim: the key counts as of the first arrival.

use crate::world::{World, trusted};
use std::collections::BTreeMap;
use zhida_config::trusted_keys::TrustedKey;
use zhida_core::ports::store::{AuthorityReader as _, StoredEvent};
use zhida_intake::Keyring;
use zhida_schemas::signing::{SigningKey, sign};
use zhida_schemas::text::Id;

#[tokio::test]
async fn an_approval_entitles_to_what_it_says_while_its_key_was_valid_at_its_first_arrival() {
    let world = World::new().await;
    let key = SigningKey::generate().unwrap();
    let mut event = world.approval("A-1");
    sign(&mut event, &Id::parse("review").unwrap(), &key).unwrap();
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let stored = StoredEvent { body: event.to_string().into_bytes(), received_at: at("2026-03-01T00:00:00Z") };
    let ends = |text| Some(at(text));
    let other = SigningKey::generate().unwrap();
    let rows: [(&str, TrustedKey, bool); 7] = [
        ("valid", trusted(&key), true),
        ("not valid yet", TrustedKey { not_before: ends("2026-03-02T00:00:00Z"), ..trusted(&key) }, false),
        ("expired before", TrustedKey { not_after: ends("2026-02-28T00:00:00Z"), ..trusted(&key) }, false),
        ("expired since", TrustedKey { not_after: ends("2026-03-02T00:00:00Z"), ..trusted(&key) }, true),
        ("revoked before", TrustedKey { revoked_at: ends("2026-02-28T00:00:00Z"), ..trusted(&key) }, false),
        // Its approvals stand; what is not sent is held, by another rule.
        ("revoked since", TrustedKey { revoked_at: ends("2026-03-02T00:00:00Z"), ..trusted(&key) }, true),
        ("another key by now", trusted(&other), false),
    ];
    for (name, trusted, entitles) in rows {
        let keyring = Keyring::new(&BTreeMap::from([("review".to_owned(), trusted)]));
        let authority = keyring.read(&stored, None);
        assert_eq!(authority.is_some(), entitles, "{name}");
        if let Some(authority) = authority {
            assert_eq!((authority.amount.0, authority.payee.account_no.as_str()), (10_000, "4000020109000000001"));
        }
    }
    let keyring = Keyring::new(&BTreeMap::from([("review".to_owned(), trusted(&key))]));
    let mut altered = stored.clone();
    altered.body = event.to_string().replace("100.00", "900.00").into_bytes();
    assert_eq!(keyring.read(&altered, None), None, "edited in the database");
    assert_eq!(keyring.read(&stored, Some(&stored)), None, "an approval is no correction");
    assert_eq!(Keyring::default().read(&stored, None), None, "a key nobody trusts any more");
}
