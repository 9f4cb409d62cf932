//! Alibaba Cloud's signature ACS3-HMAC-SHA256 over one request. It knows nothing of SMS and reads no clock.

use data_encoding::HEXLOWER;
use ring::{digest, hmac};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// A request as it is signed.
pub(super) struct Unsigned<'a> {
    /// `POST`.
    pub(super) method: &'a str,
    /// Of the address, as it stands there.
    pub(super) path: &'a str,
    /// Parameters, not yet encoded.
    pub(super) query: &'a BTreeMap<&'a str, String>,
    /// `host`, `content-type` and everything that begins with `x-acs-`; names in lower case.
    pub(super) headers: &'a BTreeMap<&'a str, String>,
    /// SHA-256 of the body in hexadecimal.
    pub(super) body_hash: &'a str,
}

/// SHA-256 in hexadecimal.
pub(super) fn hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// The query exactly as it has to stand in the address.
pub(super) fn query(parameters: &BTreeMap<&str, String>) -> String {
    let pairs = parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// The value of the header `authorization`.
pub(super) fn authorization(request: &Unsigned<'_>, key_id: &str, secret: &str) -> String {
    let signed_headers = request.headers.keys().copied().collect::<Vec<_>>().join(";");
    let text = format!("{ALGORITHM}\n{}", hash(canonical(request, &signed_headers).as_bytes()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = HEXLOWER.encode(hmac::sign(&key, text.as_bytes()).as_ref());
    format!("{ALGORITHM} Credential={key_id},SignedHeaders={signed_headers},Signature={signature}")
}

fn canonical(request: &Unsigned<'_>, signed_headers: &str) -> String {
    let headers: String = request.headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    format!(
        "{}\n{}\n{}\n{headers}\n{signed_headers}\n{}",
        request.method,
        request.path,
        query(request.query),
        request.body_hash
    )
}

/// Everything but unreserved characters (RFC 3986) as `%XX` of its UTF-8.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a test may fail loudly
    use super::{Unsigned, authorization, canonical, encode, hash};
    use std::collections::BTreeMap;

    fn vector<'a>(query: &'a BTreeMap<&'a str, String>, headers: &'a BTreeMap<&'a str, String>) -> Unsigned<'a> {
        Unsigned { method: "POST", path: "/", query, headers, body_hash: headers["x-acs-content-sha256"].as_str() }
    }

    /// The example of the vendor's documentation of the signature.
    #[test]
    fn the_vendor_s_own_example_is_signed_alike() {
        let query = BTreeMap::from([
            ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd".to_owned()),
            ("RegionId", "cn-shanghai".to_owned()),
        ]);
        let headers = BTreeMap::from([
            ("host", "ecs.cn-shanghai.aliyuncs.com".to_owned()),
            ("x-acs-action", "RunInstances".to_owned()),
            ("x-acs-content-sha256", hash(b"")),
            ("x-acs-date", "2023-10-26T10:22:32Z".to_owned()),
            ("x-acs-signature-nonce", "3156853299f313e23d1673dc12e1703d".to_owned()),
            ("x-acs-version", "2014-05-26".to_owned()),
        ]);
        let request = vector(&query, &headers);
        let signed_headers = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version";
        assert_eq!(
            hash(canonical(&request, signed_headers).as_bytes()),
            "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259"
        );
        assert_eq!(
            authorization(&request, "YourAccessKeyId", "YourAccessKeySecret"),
            format!(
                "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders={signed_headers},\
                 Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
            )
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
        let vector = &vectors["acs3"];
        let pairs = |of: &'static str| -> Vec<(String, String)> {
            let object = vector[of].as_object().unwrap();
            object.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
        };
        let (query, headers) = (pairs("query"), pairs("headers"));
        let query: BTreeMap<&str, String> = query.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        let mut headers: BTreeMap<&str, String> =
            headers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        headers.insert("host", vector["host"].as_str().unwrap().to_owned());
        headers.insert("x-acs-content-sha256", hash(vector["body"].as_str().unwrap().as_bytes()));
        let request = super::tests::vector(&query, &headers);
        let (key_id, secret) = (vector["akid"].as_str().unwrap(), vector["secret"].as_str().unwrap());
        let signature = vector["signature"].as_str().unwrap();
        assert!(authorization(&request, key_id, secret).ends_with(&format!("Signature={signature}")));
    }

    #[test]
    fn awkward_characters_are_encoded_by_their_bytes() {
        for (text, encoded) in [
            ("a b", "a%20b"),
            ("*", "%2A"),
            ("~-_.", "~-_."),
            ("+/=&?#%'\"", "%2B%2F%3D%26%3F%23%25%27%22"),
            ("到账", "%E5%88%B0%E8%B4%A6"),
            ("🎉", "%F0%9F%8E%89"),
            ("\n\u{0}", "%0A%00"),
        ] {
            assert_eq!(encode(text), encoded, "{text:?}");
        }
    }
}
