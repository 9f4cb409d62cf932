//! The command line of notices.

use super::{EyesArgs, SwitchArgs};
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum NoticesVerb {
    /// The words of notices
    #[command(subcommand)]
    Templates(NoticeTemplatesVerb),
    /// List notices, newest first
    List {
        /// Only those of this application
        #[arg(long, value_name = "ID")]
        application: Option<String>,
        /// Only of this kind, such as payout_credited
        #[arg(long)]
        kind: Option<String>,
        /// Only in this state: created, sending, sent, delivered, failed, gave_up or expired
        #[arg(long)]
        state: Option<String>,
        /// Only to this recipient: the USCC of an enterprise, or the id of an officer
        #[arg(long, value_name = "ID")]
        recipient: Option<String>,
        /// Only what was asked for on this day of the district or later, or from this time on (RFC 3339)
        #[arg(long, value_name = "DATE|TIME")]
        since: Option<String>,
        /// Only what was asked for up to and with this day, or before this time
        #[arg(long, value_name = "DATE|TIME")]
        until: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        #[command(flatten)]
        eyes: EyesArgs,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one with its whole proof: what was asked for and written, every attempt, every receipt; addresses masked
    Show {
        id: String,
        #[command(flatten)]
        eyes: EyesArgs,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Whether notices are sent, or who stopped them, since when and why; and how each provider stands
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Tell again what a notice told that did not arrive: by a new one, with the address and words of now
    Resend {
        id: String,
        #[command(flatten)]
        act: SwitchArgs,
    },
    /// Stop all sending of notices; receipts and questions go on
    Stop {
        #[command(flatten)]
        act: SwitchArgs,
    },
    /// Send notices again
    Resume {
        #[command(flatten)]
        act: SwitchArgs,
    },
    /// Turn a kind of notice off or on for somebody; what is about money, or served, cannot be turned off
    Preference {
        /// The USCC of an enterprise; for digests the id of an officer
        recipient: String,
        /// The kind, such as payout_received
        kind: String,
        wish: WishArg,
        #[command(flatten)]
        act: SwitchArgs,
    },
    /// Send a message of no consequence, and show every step
    Test {
        /// A mobile number or a mail address
        #[arg(long, value_name = "NUMBER|ADDRESS")]
        to: String,
        /// By this provider alone, as the settings name it; `mail` is the mail server
        #[arg(long, value_name = "NAME")]
        provider: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// Whether somebody wants to be told.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum WishArg {
    /// They do
    On,
    /// They do not
    Off,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NoticeTemplatesVerb {
    /// Say everything that is wrong with a file of templates, all at once; `import --dry-run` tries it on what is in force
    Check {
        /// Templates (TOML), in the form of config/notices/templates.toml; `-` for standard input
        file: PathBuf,
    },
    /// Show each template with values: the text, its segments and their cost, and the form in which vendors register it
    #[command(group(clap::ArgGroup::new("which").required(true).args(["file", "current"])))]
    Preview {
        /// Templates (TOML); what it leaves out is not shown, and words that it does not give are the program's own
        file: Option<PathBuf>,
        /// What is in force, with all that comes with the program
        #[arg(long)]
        current: bool,
        /// Only this kind
        #[arg(long, value_name = "KIND")]
        kind: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Check a file of templates, show what changes and what stays, and let it be in force; what it leaves out stays as it is
    Import {
        /// Templates (TOML)
        file: PathBuf,
        /// Show what would change and stop there
        #[arg(long)]
        dry_run: bool,
    },
}
