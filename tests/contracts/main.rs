//! The contract held to its word: frozen schemas, examples and documents; bad input refused with the field named; vectors of
//! identifiers and signatures. Whole programs are tested elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail loudly

mod bad_input;
mod frozen;
mod mutations;
mod signatures;
mod vectors;

use serde_json::Value;
use std::path::PathBuf;
use zhida_schemas::signing::{SigningKey, sign};

/// `schemas/` of this checkout.
fn schemas_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

/// The example of a type, as frozen.
fn example(event_type: &str) -> Value {
    let path = schemas_dir().join("v1").join(format!("{event_type}.example.json"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&bytes).unwrap()
}

/// The key that signs examples: the first test vector of RFC 8032, so that nobody takes it for a secret.
fn example_key() -> SigningKey {
    let seed = data_encoding::HEXLOWER.decode(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    SigningKey::from_seed(seed.unwrap().try_into().unwrap()).unwrap()
}

/// Signs anew, after an edit that the sender is meant to have made.
fn resign(event: &mut Value) {
    let keyid = event["keyid"].as_str().unwrap_or("example").parse().unwrap();
    sign(event, &keyid, &example_key()).unwrap();
}
