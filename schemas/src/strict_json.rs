//! JSON read strictly, because the same bytes must mean the same to everyone who reads them: no member twice, no NUL, bounded
//! size and depth, integers that every reader holds exactly. Not a check of any schema.

use crate::contract_error::{ContractError, ReasonCode};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};
use std::cell::RefCell;
use std::fmt;

/// Largest event, in bytes.
pub const MAX_EVENT_BYTES: usize = 256 * 1024;

/// Deepest nesting of arrays and objects; the event itself is the first level.
pub const MAX_DEPTH: usize = 64;

/// Largest integer that survives every JSON reader, and therefore the signed form (RFC 8785, I-JSON).
const MAX_INTEGER: u64 = 1 << 53;

/// Reads one event's bytes. Codes: `too_large`, `not_utf8`, `not_json`, `duplicate_member`, `too_deep`, `nul_character`,
/// `number_range`.
pub fn parse(bytes: &[u8]) -> Result<Value, ContractError> {
    let text = checked_text(bytes)?;
    let refused = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    // Our depth limit is below serde_json's own (128), so ours speaks first.
    let value = Parsing { depth: 0, refused: &refused }
        .deserialize(&mut reader)
        .map_err(|error| refused.borrow_mut().take().map_or_else(|| not_json(&error), Refusal::into_error))?;
    reader.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

/// Cuts a JSON array into the bytes of its events without reading them. The caller limits the size of the body; an error means
/// that nothing in it can be told apart.
pub fn split_events(body: &[u8]) -> Result<Vec<&[u8]>, ContractError> {
    let text = std::str::from_utf8(body).map_err(|error| not_utf8(&error))?;
    if !text.trim_start().starts_with('[') {
        return Err(ContractError::new(ReasonCode::WrongType, "", "is no JSON array"));
    }
    let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| not_json(&error))?;
    Ok(items.into_iter().map(|item| item.get().as_bytes()).collect())
}

/// Reads parsed JSON into a type; an error names the field, below `prefix`.
pub(crate) fn read<T: DeserializeOwned>(prefix: &str, value: &Value) -> Result<T, ContractError> {
    // Following the path costs time that only refused events are worth: they are read again with it.
    T::deserialize(Reading(value)).or_else(|_| {
        serde_path_to_error::deserialize(Reading(value))
            .map_err(|error| ContractError::from_serde(prefix, &error, value))
    })
}

fn checked_text(bytes: &[u8]) -> Result<&str, ContractError> {
    if bytes.len() > MAX_EVENT_BYTES {
        let reason = format!("has {} bytes", bytes.len());
        return Err(ContractError::new(ReasonCode::TooLarge, "", reason));
    }
    std::str::from_utf8(bytes).map_err(|error| not_utf8(&error))
}

fn not_utf8(error: &std::str::Utf8Error) -> ContractError {
    ContractError::new(ReasonCode::NotUtf8, "", format!("is not UTF-8 from byte {} on", error.valid_up_to()))
}

/// Serde's sentence may quote the content; the position is what a sender needs.
fn not_json(error: &serde_json::Error) -> ContractError {
    let what = if error.is_eof() { "ends too early" } else { "is not JSON" };
    let reason = format!("{what} at line {} column {}", error.line(), error.column());
    ContractError::new(ReasonCode::NotJson, "", reason)
}

/// What was refused, and the path to it, gathered from the inside out while the reader unwinds; reading costs nothing more
/// for it while all is well.
struct Refusal {
    code: ReasonCode,
    reason: String,
    path: Vec<String>,
}

impl Refusal {
    fn into_error(self) -> ContractError {
        let field = self.path.iter().rev().fold(String::new(), |mut field, part| {
            if !field.is_empty() && !part.starts_with('[') {
                field.push('.');
            }
            field.push_str(part);
            field
        });
        let field = field.chars().take(LONGEST_PATH).collect::<String>();
        ContractError::new(self.code, field, self.reason)
    }
}

/// A path that senders made long is cut, in characters.
const LONGEST_PATH: usize = 256;

#[derive(Clone, Copy)]
struct Parsing<'run> {
    depth: usize,
    refused: &'run RefCell<Option<Refusal>>,
}

impl Parsing<'_> {
    fn refuse<E: de::Error>(&self, code: ReasonCode, reason: &str, member: Option<&str>) -> E {
        let path = member.map(shortened).into_iter().collect();
        *self.refused.borrow_mut() = Some(Refusal { code, reason: reason.to_owned(), path });
        E::custom(reason)
    }

    /// Adds a step of the way to what was refused; the way to the bottom of a pit helps nobody.
    fn note(&self, part: impl FnOnce() -> String) {
        if let Some(refusal) = self.refused.borrow_mut().as_mut()
            && refusal.code != ReasonCode::TooDeep
        {
            refusal.path.push(part());
        }
    }

    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(ReasonCode::TooDeep, "is nested deeper than 64 levels", None));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn text<E: de::Error>(&self, text: &str) -> Result<(), E> {
        if text.as_bytes().contains(&0) {
            return Err(self.refuse(ReasonCode::NulCharacter, "holds the character U+0000", None));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Parsing<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Parsing<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        if number > MAX_INTEGER {
            return Err(self.refuse(ReasonCode::NumberRange, "is an integer beyond 2^53", None));
        }
        Ok(Value::Number(number.into()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        if number.unsigned_abs() > MAX_INTEGER {
            return Err(self.refuse(ReasonCode::NumberRange, "is an integer beyond 2^53", None));
        }
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        // An integer too long for 64 bits arrives here as well; it has lost digits, or soon would.
        if number.fract() == 0.0 && number.abs() > MAX_INTEGER as f64 {
            return Err(self.refuse(ReasonCode::NumberRange, "is a number beyond 2^53", None));
        }
        // 1.0 and 1 have one signed form (RFC 8785), so they are one number here as well.
        if number.fract() == 0.0 {
            return Ok(Value::Number((number as i64).into()));
        }
        Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| self.refuse(ReasonCode::NumberRange, "is not a finite number", None))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        self.text(text)?;
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Value, E> {
        self.text(&text)?;
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        loop {
            match items.next_element_seed(inner) {
                Ok(Some(item)) => list.push(item),
                Ok(None) => return Ok(Value::Array(list)),
                Err(error) => {
                    self.note(|| format!("[{}]", list.len()));
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name.as_bytes().contains(&0) {
                let reason = "has a member whose name holds U+0000";
                return Err(self.refuse(ReasonCode::NulCharacter, reason, None));
            }
            if object.contains_key(&name) {
                return Err(self.refuse(ReasonCode::DuplicateMember, "stands twice in its object", Some(&name)));
            }
            match members.next_value_seed(inner) {
                Ok(value) => object.insert(name, value),
                Err(error) => {
                    self.note(|| shortened(&name));
                    return Err(error);
                }
            };
        }
        Ok(Value::Object(object))
    }
}

/// Senders choose the names of unknown members, so an error repeats 64 characters at most.
fn shortened(name: &str) -> String {
    name.chars().take(64).map(|letter| if letter.is_control() { '\u{FFFD}' } else { letter }).collect()
}

/// Parsed JSON as types read it, more strictly than serde_json offers it: a structure comes from an object only (never from an array
/// by position) and a word of a list from a string only. The schemas say so.
#[derive(Clone, Copy)]
struct Reading<'de>(&'de Value);

impl<'de> IntoDeserializer<'de, serde_json::Error> for Reading<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Reading<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, serde_json::Error> {
        match self.0 {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => self.0.deserialize_any(visitor),
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.iter().map(Reading))),
            Value::Object(members) => {
                let members = members.iter().map(|(name, value)| (name.as_str(), Reading(value)));
                visitor.visit_map(MapDeserializer::new(members))
            }
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, serde_json::Error> {
        match self.0 {
            Value::Array(_) => Err(de::Error::invalid_type(Unexpected::Seq, &visitor)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                self.deserialize_any(visitor)
            }
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, serde_json::Error> {
        match self.0 {
            Value::String(word) => visitor.visit_enum(word.as_str().into_deserializer()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Err(de::Error::invalid_type(Unexpected::Other("another type"), &"a string"))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, serde_json::Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, serde_json::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, serde_json::Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}
