//! What is in flight and at rest: the events that come in and go out, as types that cannot be wrong once they exist, their
//! schemas, signatures and documents. Decides nothing: the rules of the district stand in `zhida-core`.

pub mod amount;
pub mod application;
pub mod approved;
mod asyncapi;
mod canonical;
pub mod commitment;
mod contract_error;
pub mod enterprise;
pub mod envelope;
pub mod identifiers;
pub mod inbound;
pub mod integrity;
mod json_schemas;
pub mod notice_acts;
pub mod notices;
mod occasions;
pub mod operator;
pub mod organisation_file;
pub mod outbound;
pub mod parts;
pub mod payee;
pub mod policy_file;
pub mod publicity;
pub mod reference_file;
pub mod review;
pub mod signing;
pub mod strict_json;
pub mod supervision;
pub mod supervision_acts;
pub mod text;
pub mod time;

pub use asyncapi::asyncapi;
pub use canonical::canonical;
pub use contract_error::{ContractError, Fault, ReasonCode};
pub use envelope::Envelope;
pub use inbound::InboundEvent;
pub use json_schemas::{EventSchema, inbound_schemas, outbound_schemas};
