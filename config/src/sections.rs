//! Every setting with a fixed name, one struct per concern. A field here is a key there: `section.field`, described for
//! people in `config/default.toml`. How layers are merged is [`crate::layers`]; named entries (keys, tokens) are
//! [`crate::trusted_keys`] and [`crate::tokens`].

use crate::address::{DatabaseUrl, HttpUrl, QueueUrl};
use crate::form::{Amount, FromZero, Secrecy, Secret, Setting, choice};
use crate::layers::Key;
use crate::office::{OfficeHours, Part};
use crate::schedule::Schedule;
use crate::settings::Reader;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Declares the struct of one section, its keys and its reading, so that the three cannot drift apart.
macro_rules! section {
    ($(#[$doc:meta])* $name:ident = $section:literal { $($(#[$field_doc:meta])* $field:ident: $form:ty,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name { $($(#[$field_doc])* pub $field: $form,)+ }

        impl $name {
            pub(crate) const KEYS: &[Key] = &[$(Key {
                path: concat!($section, ".", stringify!($field)),
                secrecy: <$form as Setting>::SECRECY,
            },)+];

            /// Reads every field before giving up, so that every problem is reported at once.
            pub(crate) fn read(reader: &mut Reader) -> Option<Self> {
                $(let $field = reader.read::<$form>(concat!($section, ".", stringify!($field)));)+
                Some(Self { $($field: $field?,)+ })
            }
        }
    };
}
pub(crate) use section;

choice!(
    /// What the installation is for; written into the database at `migrate`.
    Environment {
        /// Real money.
        Live = "live",
        /// Simulated counterparties; bare keys and the single API token are allowed.
        Sandbox = "sandbox",
    }
);
choice!(
    /// How the bank is reached.
    BankKind {
        /// ISO 20022 messages over HTTP.
        Http = "iso20022-http",
        /// ISO 20022 messages in a pair of folders.
        Files = "iso20022-files",
    }
);
choice!(
    /// What the bank takes as the key of idempotency.
    Idempotency {
        /// An EndToEndId the bank knows is never paid again, under any MsgId.
        EndToEndId = "end-to-end-id",
        /// Only a whole message is recognised.
        MessageId = "message-id",
    }
);
choice!(
    /// The status that means credited.
    SettledStatus {
        /// Settlement completed on the debtor's side.
        Acsc = "ACSC",
        /// Credited to the creditor's account.
        Accc = "ACCC",
    }
);
choice!(
    /// A rule that can be switched.
    Switch {
        /// In force.
        On = "on",
        /// Not in force.
        Off = "off",
    }
);
choice!(
    /// How much is logged.
    LogLevel {
        /// Failures only.
        Error = "error",
        /// And what needs attention.
        Warn = "warn",
        /// And each thing done.
        Info = "info",
        /// And how it was done.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
);
choice!(
    /// The form of a log line.
    LogFormat {
        /// One JSON object a line.
        Json = "json",
        /// For people at a terminal.
        Text = "text",
    }
);

/// The short name of a district: `[a-z0-9-]{2,16}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistrictId(String);

impl DistrictId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for DistrictId {
    const EXPECTED: &'static str = "a short name of 2 to 16 characters out of a-z, 0-9 and -";

    fn from_text(text: &str) -> Option<Self> {
        let fits = (2..=16).contains(&text.len())
            && text.bytes().all(|each| each.is_ascii_lowercase() || each.is_ascii_digit() || each == b'-');
        fits.then(|| Self(text.to_owned()))
    }

    fn shown(&self) -> String {
        self.0.clone()
    }
}

section!(
    /// Whose installation this is.
    District = "district" {
        /// Part of every instruction id; `serve` refuses without it.
        id: Option<DistrictId>,
    }
);
section!(
    /// The database.
    Database = "database" {
        /// Where it is.
        url: DatabaseUrl,
        /// Connections one process holds at most (PostgreSQL).
        connections: u32,
    }
);
section!(
    /// What is kept beside the database.
    Store = "store" {
        /// Copy of the database's incarnation and journal head, kept outside of it so that a restore is noticed.
        incarnation_file: PathBuf,
    }
);
section!(
    /// The queue.
    Queue = "queue" {
        /// Where it is.
        url: QueueUrl,
        /// Messages a consumer holds unacknowledged at most.
        prefetch: u32,
        /// Time limit on every single operation with the broker.
        operation_timeout_seconds: u32,
        /// Longest pause between two attempts to connect.
        reconnect_max_seconds: u32,
    }
);
section!(
    /// API, console and figures over HTTP.
    Http = "http" {
        /// Where it listens.
        listen: SocketAddr,
        /// One token with every scope; environment `sandbox` only.
        api_token: Option<Secret>,
    }
);
section!(
    /// Taking events in.
    Intake = "intake" {
        /// An approval older than this at its first arrival is held for a person.
        max_age_days: u32,
        /// Events taken in by one transaction at most.
        batch_max: u32,
        /// How long to wait for a batch to fill.
        batch_wait_milliseconds: u32,
    }
);
section!(
    /// The link to the bank.
    Bank = "bank" {
        /// Which link; `serve` refuses without it.
        kind: Option<BankKind>,
        /// Address of the HTTP link.
        url: Option<HttpUrl>,
        /// Bearer token that we show to the bank.
        token: Option<Secret>,
        /// Bearer token that the bank shows to us when it pushes.
        push_token: Option<Secret>,
        /// Our certificate for mutual TLS, PEM, with the chain up to the bank's authority.
        client_certificate_file: Option<PathBuf>,
        /// Its private key, PEM.
        client_key_file: Option<PathBuf>,
        /// Roots that alone are trusted, PEM; without it those of the operating system.
        ca_file: Option<PathBuf>,
        /// Folder of the file link that we write to.
        out_dir: Option<PathBuf>,
        /// Folder of the file link that we read from.
        in_dir: Option<PathBuf>,
        /// On the file link: when silence becomes `unknown`.
        answer_by_minutes: u32,
        /// Transfers in one message at most.
        batch_max: u32,
        /// Time limit of one call.
        timeout_seconds: u32,
        /// This long after the end of the last call the bank's "not found" is definitive.
        visibility_seconds: u32,
        /// What the bank recognises a repetition by.
        idempotency: Idempotency,
        /// Never resend after this without a statement check.
        idempotency_days: u32,
        /// The status that means credited.
        settled_status: SettledStatus,
        /// Pause before the first enquiry; each later pause is twice the one before.
        enquiry_first_seconds: u32,
        /// Longest pause between two enquiries.
        enquiry_max_seconds: u32,
        /// How long a claim holds before another worker may take the batch over.
        claim_lease_seconds: u32,
        /// Calls open at once, in one process.
        parallel_calls: u32,
        /// A transfer of more than this travels by the large-value system.
        large_value_above: Amount,
        /// That opens at this time of the evening before each working day …
        large_value_opens: Time,
        /// … and closes at this time of the working day.
        large_value_closes: Time,
    }
);
section!(
    /// How much may be sent; sending pauses at a limit and goes on when its hour or day is over.
    Limits = "limits" {
        /// In any hour by the clock.
        per_hour: Option<Amount>,
        /// In any day of the district's time zone.
        per_day: Option<Amount>,
        /// In any day out of any one fund.
        per_fund_per_day: Option<Amount>,
    }
);
section!(
    /// Four eyes.
    Release = "release" {
        /// Above this, two different officers must have approved, where the policy has no release limit of its own.
        second_officer_above: Option<Amount>,
    }
);
section!(
    /// Rules of holding that can be switched.
    Holds = "holds" {
        /// Hold when the account differs from the one the enterprise was last paid on.
        changed_payee: Switch,
    }
);
section!(
    /// Working days.
    Calendar = "calendar" {
        /// Zone of days and hours.
        timezone: TimeZone,
    }
);
section!(
    /// Supervision of reviews: how deadlines are counted and when they ring.
    Supervision = "supervision" {
        /// Pause between looks at what is due.
        sweep_seconds: u32,
        /// Applications in one transaction at most.
        batch_max: u32,
        /// The hours of a working day.
        hours: OfficeHours,
        /// Working days from application to acceptance.
        acceptance_working_days: u32,
        /// Working days of a step whose length nobody has stated.
        step_working_days: u32,
        /// Working days for the enterprise to bring what is missing.
        supplement_working_days: u32,
        /// Working days by which all pauses of a clock together move its deadline at most.
        pause_max_working_days: u32,
        /// Working days before its deadline at which a clock is due soon.
        due_soon_working_days: u32,
        /// Part of its time after which a clock by natural time is due soon.
        due_soon_part: Part,
        /// Working hours for which an acknowledgement rests a ladder at most.
        acknowledge_max_working_hours: u32,
        /// Minutes that a deadline waits which was past when its clock was heard of.
        replay_minutes: FromZero,
    }
);
section!(
    /// The daily digest for those who supervise.
    Digest = "digest" {
        /// When it is due; made on working days only.
        cron: Schedule,
    }
);
section!(
    /// The 24 hours.
    Payout = "payout" {
        /// Hours after the approval at which an unpaid one is reported as at risk, ascending, below 24.
        at_risk_hours: Vec<u32>,
    }
);
section!(
    /// How often the database is swept for what a doorbell could have lost.
    Sweeps = "sweeps" {
        /// Payouts ready to be sent, holds that end, payouts at risk or overdue.
        ready_seconds: u32,
        /// Instructions due for an enquiry.
        enquiry_seconds: u32,
        /// Figures for `/metrics`.
        figures_seconds: u32,
    }
);
section!(
    /// Sending the outbox.
    Relay = "relay" {
        /// Rows sent in one go at most.
        batch_max: u32,
        /// Pause when there was nothing to send.
        idle_milliseconds: u32,
    }
);
section!(
    /// Logs.
    Logging = "logging" {
        /// How much.
        level: LogLevel,
        /// In which form.
        format: LogFormat,
    }
);

/// `environment` stands alone at the top.
pub(crate) const ENVIRONMENT: Key = Key { path: "environment", secrecy: Secrecy::Open };
