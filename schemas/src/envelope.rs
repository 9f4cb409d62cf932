//! The CloudEvents 1.0 envelope (structured mode, JSON) of what comes in: attributes read and checked, everything else kept as it
//! came. The data is read by its type in `inbound`.

use crate::contract_error::{ContractError, Fault, ReasonCode};
use crate::identifiers::Sha256Hex;
use crate::signing::{self, PublicKey};
use crate::strict_json;
use crate::text::{Id, Source, checked_text};
use crate::time::Time;
use data_encoding::BASE64URL_NOPAD;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The attributes of an event that comes in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Attributes {
    /// Version of CloudEvents.
    pub specversion: SpecVersion,
    /// Unique within the source.
    pub id: Id,
    /// Who sends.
    pub source: Source,
    /// What happened; also the AMQP routing key.
    #[serde(rename = "type")]
    pub event_type: Id,
    /// What it is about.
    pub subject: Id,
    /// When the event was written. Nothing rests on it: the moments that count stand in the data.
    #[serde(default)]
    pub time: Option<Time>,
    /// Media type of the data.
    #[serde(default)]
    pub datacontenttype: Option<ContentType>,
    /// The key that signed.
    pub keyid: Id,
    /// Ed25519 over the RFC 8785 form of the event without this attribute.
    pub signature: Signature,
}

checked_text!(
    /// Always `1.0`.
    SpecVersion { check: specversion, shown: plain, schema: { "type": "string", "const": "1.0" } }
);

checked_text!(
    /// `application/json`, with or without parameters.
    ContentType { check: content_type, shown: plain, schema: {
        "type": "string",
        "pattern": "^[Aa][Pp][Pp][Ll][Ii][Cc][Aa][Tt][Ii][Oo][Nn]/[Jj][Ss][Oo][Nn]( *;.*)?$",
        "description": "application/json"
    }}
);

checked_text!(
    /// An Ed25519 signature: 64 bytes as 86 characters of base64url without padding.
    Signature { check: signature, shown: plain, schema: {
        "type": "string",
        "pattern": "^[A-Za-z0-9_-]{86}$",
        "description": "Ed25519 signature, base64url without padding"
    }}
);

impl Signature {
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        Self(BASE64URL_NOPAD.encode(bytes))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        // The text was decoded once when it was checked.
        BASE64URL_NOPAD.decode(self.0.as_bytes()).unwrap_or_default()
    }
}

/// An event that came in: an envelope that keeps its contract, around data that is not read yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// The attributes.
    pub attributes: Attributes,
    members: Map<String, Value>,
}

impl Envelope {
    /// Reads the bytes of one message.
    pub fn parse(bytes: &[u8]) -> Result<Self, ContractError> {
        Self::from_value(strict_json::parse(bytes)?)
    }

    /// Reads an event that `strict_json` has parsed.
    pub fn from_value(event: Value) -> Result<Self, ContractError> {
        let not_an_object = || ContractError::new(ReasonCode::NotAnObject, "", "is not a JSON object");
        if !event.is_object() {
            return Err(not_an_object());
        }
        let attributes = strict_json::read("", &event)?;
        let Value::Object(members) = event else { return Err(not_an_object()) };
        if members.contains_key("data_base64") {
            return Err(ContractError::new(ReasonCode::DataBase64, "data_base64", "hides the data from its contract"));
        }
        match members.get("data") {
            Some(Value::Object(_)) => Ok(Self { attributes, members }),
            Some(other) => {
                let reason = "is of the wrong JSON type: expected an object";
                Err(ContractError::new(ReasonCode::WrongType, "data", reason).with_value(other))
            }
            None => Err(ContractError::new(ReasonCode::Missing, "data", "is missing")),
        }
    }

    /// The data as it came.
    #[must_use]
    pub fn data(&self) -> &Value {
        self.members.get("data").unwrap_or(&Value::Null)
    }

    /// The whole event as it came, with the attributes that are not ours.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// A message must be published under its type, or it passed by rights that were meant for another.
    pub fn check_routing_key(&self, routing_key: &str) -> Result<(), ContractError> {
        if self.attributes.event_type.as_str() == routing_key {
            return Ok(());
        }
        let error = ContractError::new(ReasonCode::RoutingKey, "type", "is not the routing key the message came under");
        Err(error.with_value(&Value::from(self.attributes.event_type.as_str())))
    }

    /// Whether `key` signed this event.
    pub fn verify(&self, key: &PublicKey) -> Result<(), ContractError> {
        signing::verify_members(&self.members, &self.attributes.signature, key)
    }

    /// Digest by which two events of one (source, id) are told apart; see `signing::content_sha256`.
    #[must_use]
    pub fn content_sha256(&self) -> Sha256Hex {
        signing::content_sha256(&self.members)
    }
}

fn specversion(text: String) -> Result<String, Fault> {
    if text == "1.0" { Ok(text) } else { Err(Fault::new(ReasonCode::SpecVersion, "is not a version read here")) }
}

fn content_type(text: String) -> Result<String, Fault> {
    let media_type = text.split(';').next().unwrap_or_default().trim_end_matches(' ');
    let one_line = !text.contains(['\n', '\r', '\u{2028}', '\u{2029}']);
    if one_line && media_type.eq_ignore_ascii_case("application/json") {
        return Ok(text);
    }
    Err(Fault::new(ReasonCode::ContentType, "is not application/json"))
}

fn signature(text: String) -> Result<String, Fault> {
    match BASE64URL_NOPAD.decode(text.as_bytes()) {
        Ok(bytes) if bytes.len() == 64 => Ok(text),
        Ok(_) | Err(_) => Err(Fault::new(ReasonCode::SignatureForm, "is not 64 bytes of base64url without padding")),
    }
}
