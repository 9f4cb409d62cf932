//! Tencent Cloud's signature TC3-HMAC-SHA256 over one POST request with a JSON body. It knows nothing of SMS and reads no clock.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use ring::hmac;

const ALGORITHM: &str = "TC3-HMAC-SHA256";
const SIGNED_HEADERS: &str = "content-type;host";
/// The content type that is signed and has to be sent.
pub(super) const CONTENT_TYPE: &str = "application/json; charset=utf-8";

/// A request as it is signed.
pub(super) struct Unsigned<'a> {
    /// `sms`.
    pub(super) service: &'a str,
    /// As in the header.
    pub(super) host: &'a str,
    /// Of the address.
    pub(super) path: &'a str,
    /// When; goes into the header `x-tc-timestamp` as seconds.
    pub(super) at: Timestamp,
    /// JSON.
    pub(super) body: &'a [u8],
}

/// The value of the header `authorization`.
pub(super) fn authorization(request: &Unsigned<'_>, key_id: &str, secret: &str) -> String {
    let date = request.at.strftime("%Y-%m-%d").to_string();
    let scope = format!("{date}/{}/tc3_request", request.service);
    let hashed = super::acs3::hash(canonical(request).as_bytes());
    let text = format!("{ALGORITHM}\n{}\n{scope}\n{hashed}", request.at.as_second());
    let mut key = mac(format!("TC3{secret}").as_bytes(), &date);
    for part in [request.service, "tc3_request"] {
        key = mac(key.as_ref(), part);
    }
    let signature = HEXLOWER.encode(mac(key.as_ref(), &text).as_ref());
    format!("{ALGORITHM} Credential={key_id}/{scope}, SignedHeaders={SIGNED_HEADERS}, Signature={signature}")
}

fn mac(key: &[u8], text: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes())
}

fn canonical(request: &Unsigned<'_>) -> String {
    let Unsigned { host, path, body, .. } = request;
    let hashed = super::acs3::hash(body);
    format!("POST\n{path}\n\ncontent-type:{CONTENT_TYPE}\nhost:{host}\n\n{SIGNED_HEADERS}\n{hashed}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test may fail loudly
    use super::{Unsigned, authorization, canonical};
    use crate::providers::sms::acs3::hash;
    use jiff::Timestamp;

    const BODY: &str = r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;

    fn example(body: &str) -> Unsigned<'_> {
        let at = Timestamp::from_second(1_551_113_065).unwrap();
        Unsigned { service: "cvm", host: "cvm.tencentcloudapi.com", path: "/", at, body: body.as_bytes() }
    }

    /// The example of the vendor's documentation of the signature.
    #[test]
    fn the_vendor_s_own_example_is_signed_alike() {
        assert_eq!(hash(BODY.as_bytes()), "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064");
        assert_eq!(
            hash(canonical(&example(BODY)).as_bytes()),
            "5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031"
        );
        assert_eq!(
            authorization(&example(BODY), "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"),
            "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, \
             SignedHeaders=content-type;host, Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
        );
    }

    /// The same figures from a file beside the repository, where there is one.
    #[test]
    fn the_vector_file_agrees() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/signing_vectors.json");
        let Ok(text) = std::fs::read_to_string(path) else {
            println!("skipped: no file of signing vectors beside the repository");
            return;
        };
        let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
        let vector = &vectors["tc3"];
        let text = |name: &str| vector[name].as_str().unwrap();
        let request = Unsigned {
            service: text("service"),
            host: text("host"),
            path: "/",
            at: Timestamp::from_second(vector["timestamp"].as_i64().unwrap()).unwrap(),
            body: text("payload").as_bytes(),
        };
        assert!(authorization(&request, "id", text("secret_key")).ends_with(text("signature")));
    }

    #[test]
    fn the_day_of_the_scope_is_that_of_utc() {
        let at = "2026-11-23T23:59:59Z".parse().unwrap();
        let signed = authorization(&Unsigned { at, ..example("{}") }, "id", "secret");
        assert!(signed.contains("/2026-11-23/cvm/"), "{signed}");
    }
}
