//! Events of notices that go out: a notice was handed to a provider, arrived, or did not. Ids and codes; never whom it went to.

use crate::occasions::occasions;
use crate::text::{Id, Name};
use crate::time::Time;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

occasions! {
    /// What became of a notice.
    NoticeOccasion:
    Sent = "notice.sent.v1": "A notice was taken in by a provider.";
    Delivered = "notice.delivered.v1": "A notice arrived.";
    Failed = "notice.failed.v1": "A notice did not arrive, and nothing more is tried.";
}

/// Data of the `notice.*` events. The subject is the application, or what the notice is about where that is no application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoticeData {
    /// The notice.
    pub notice_id: Id,
    /// What kind of notice, `payout_credited` for one.
    pub kind: Id,
    /// The application, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application_id: Option<Id>,
    /// How it travelled; of a failure, what was tried last.
    pub channel: NoticeChannel,
    /// The provider's name in the settings; absent when none was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Name>,
    /// The provider's code, or ours; of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Name>,
    /// When.
    pub at: Time,
}

/// How a notice travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeChannel {
    /// Short message.
    Sms,
    /// Mail.
    Mail,
}

/// Each type with its sentence and the schema of its data.
pub(crate) fn data_schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, &'static str, Schema)> {
    let data = generator.subschema_for::<NoticeData>();
    let row = |one: &NoticeOccasion| (one.event_type(), one.sentence(), data.clone());
    NoticeOccasion::ALL.iter().map(row).collect()
}
