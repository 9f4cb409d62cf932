//! The command line: verbs and flags, as the contract names them.

mod notices;
mod supervision;

pub(crate) use notices::{NoticeTemplatesVerb, NoticesVerb, WishArg};
pub(crate) use supervision::{
    AlertsVerb, CalendarVerb, ClockVerb, DigestVerb, EyesArgs, OrdersVerb, OrganisationVerb, PatternsVerb, WhoArgs,
};

use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// 直达 zhida: approved subsidies reach the enterprise's account within 24 hours, once and only once.
#[derive(Debug, Parser)]
#[command(name = "zhida", version, about, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Settings file (TOML); see `zhida config show`
    #[arg(long, global = true, value_name = "FILE", env = "ZHIDA_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// One setting, before every other source: `--set bank.batch_max=50`
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// 演示 The whole system in one process, with a simulated bank beside it
    Demo(DemoArgs),
    /// The workers for real
    Serve(ServeArgs),
    /// The simulated counterparties alone
    Sandbox(SandboxArgs),
    /// Validate events (JSON, JSON array or NDJSON) and hand them in
    Submit {
        /// File with events, `-` for standard input
        file: PathBuf,
    },
    /// Sign events with an Ed25519 key
    Sign(SignArgs),
    /// Funds and policies
    #[command(subcommand)]
    Policies(PoliciesVerb),
    /// Departments, officers and ladders
    #[command(subcommand)]
    Organisation(OrganisationVerb),
    /// Working days
    #[command(subcommand)]
    Calendar(CalendarVerb),
    /// One application's whole story, oldest first
    Trace {
        application_id: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Payouts, and acts of named operators on them
    #[command(subcommand)]
    Payouts(PayoutsVerb),
    /// Deadlines of reviews and payouts
    #[command(subcommand)]
    Clock(ClockVerb),
    /// What supervision found: who is late with what, and who was told
    #[command(subcommand)]
    Alerts(AlertsVerb),
    /// Supervision orders (督办单)
    #[command(subcommand)]
    Orders(OrdersVerb),
    /// What stands out when all applications are looked at together
    #[command(subcommand)]
    Patterns(PatternsVerb),
    /// The daily digest for those who supervise
    #[command(subcommand)]
    Digest(DigestVerb),
    /// Notices to enterprises and officials
    #[command(subcommand)]
    Notices(NoticesVerb),
    /// What rang
    #[command(subcommand)]
    Alarms(AlarmsVerb),
    /// What could not be taken in
    #[command(subcommand)]
    Quarantine(QuarantineVerb),
    /// Make the database's schema and the broker's queues
    Migrate,
    /// After the database was restored: nothing is sent again before it was asked for
    ///
    /// Closes sending for the rest of a bank day at least, and asks the bank for every payout that is not final. It refuses while
    /// the database holds everything that was noted of it outside (`store.incarnation_file`): nothing was lost then.
    Recover(RecoverArgs),
    /// Settings
    #[command(subcommand)]
    Config(ConfigVerb),
    /// People who act
    #[command(subcommand)]
    Operator(OperatorVerb),
    /// Print JSON Schemas, the AsyncAPI or the OpenAPI document
    Schema {
        /// An event type, `asyncapi`, `openapi`, or nothing for the list
        name: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RecoverArgs {
    /// The copy of the incarnation was lost, the database was not: note anew where it stands; sending goes on
    #[arg(long, conflicts_with = "went_back_all_the_same")]
    pub(crate) not_restored: bool,
    /// The database was restored although the copy outside fits: to a moment after the copy was last written
    #[arg(long, requires = "reason")]
    pub(crate) went_back_all_the_same: bool,
    /// How that is known; stands in the journal
    #[arg(long, requires = "went_back_all_the_same")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// End when everything is at rest
    #[arg(long)]
    pub(crate) exit: bool,
    /// Write the summary here
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Keep database and bank ledger here; else in a temporary folder
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Where API, health and metrics listen
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Only these workers, comma separated: intake,payout,supervision,notice,relay,console
    #[arg(long, value_delimiter = ',', value_name = "ROLES")]
    pub(crate) only: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SandboxArgs {
    /// Where the simulated bank listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    pub(crate) listen: SocketAddr,
    /// Where the simulated mail server listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) mail: SocketAddr,
    /// Ledger file, fsynced; printed when it exists and `--print` is given
    #[arg(long, value_name = "FILE")]
    pub(crate) ledger: Option<PathBuf>,
    /// Print the ledger and end
    #[arg(long, requires = "ledger")]
    pub(crate) print: bool,
    /// Bearer token that callers must show
    #[arg(long)]
    pub(crate) token: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SignArgs {
    /// Private key file: 32 bytes as base64url
    #[arg(long, value_name = "FILE", required_unless_present = "generate")]
    pub(crate) key: Option<PathBuf>,
    /// Key id to write into the events
    #[arg(long, value_name = "ID", required_unless_present = "generate")]
    pub(crate) keyid: Option<String>,
    /// Make a new key: the private one goes into FILE, the public one is printed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "keyid", "file"])]
    pub(crate) generate: Option<PathBuf>,
    /// File with events, `-` for standard input
    #[arg(required_unless_present = "generate")]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PoliciesVerb {
    /// Check a policy file, show what changes, and import it
    Import {
        file: PathBuf,
        /// Show what would change and stop there
        #[arg(long)]
        dry_run: bool,
    },
    /// List policies and funds
    List {
        #[arg(long)]
        json: bool,
    },
    /// How each policy fares, in a word with its figures: alive, paper, unpaid, expired, favour or zombie
    Health {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PayoutsVerb {
    /// List payouts, newest first
    List {
        /// Only this state
        #[arg(long)]
        state: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Whether sending is open, or who stopped it, since when and why
    Status {
        #[arg(long)]
        json: bool,
    },
    /// Lift holds, each named by its reason code
    Release {
        application_id: String,
        /// Reason codes to lift, comma separated; without it every hold in force that officers may lift
        #[arg(long, value_delimiter = ',')]
        codes: Vec<String>,
        #[command(flatten)]
        act: ActArgs,
    },
    /// Hold a payout
    Hold {
        application_id: String,
        #[command(flatten)]
        act: ActArgs,
    },
    /// Cancel a held or ready payout for good
    Cancel {
        application_id: String,
        #[command(flatten)]
        act: ActArgs,
    },
    /// A word of one of two officers on what evidence could not settle: settled, retry or close
    Decide {
        application_id: String,
        /// settled, retry or close
        #[arg(long)]
        decision: String,
        /// Which instruction of the payout, from 1
        #[arg(long, default_value_t = 1)]
        generation: u32,
        /// File that proves it (for `settled`); its SHA-256 is signed
        #[arg(long)]
        proof: Option<PathBuf>,
        #[command(flatten)]
        act: ActArgs,
    },
    /// Stop all sending (one officer)
    Stop {
        #[command(flatten)]
        act: SwitchArgs,
    },
    /// Open sending again (two officers)
    Resume {
        #[command(flatten)]
        act: SwitchArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ActArgs {
    /// Which part of the award
    #[arg(long, default_value_t = 1)]
    pub(crate) tranche: u32,
    #[command(flatten)]
    pub(crate) who: SwitchArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SwitchArgs {
    /// Operator who acts
    #[arg(long = "as", value_name = "OPERATOR")]
    pub(crate) operator: String,
    /// The operator's private key file
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Why; stands in the journal
    #[arg(long)]
    pub(crate) reason: String,
}

/// Who closes something: with a key it is proved; without one whoever may run this program on the database.
#[derive(Debug, Args)]
pub(crate) struct SignerArgs {
    /// Operator who does it; without it the journal says `command line`
    #[arg(long = "as", value_name = "OPERATOR", requires = "key")]
    pub(crate) operator: Option<String>,
    /// The operator's private key file
    #[arg(long, value_name = "FILE", requires = "operator")]
    pub(crate) key: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlarmsVerb {
    /// List alarms, newest first
    List {
        /// Only this kind, as in the runbook `ZhidaAlarm`: overpaid, contradiction …
        #[arg(long)]
        kind: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineVerb {
    /// List what is open
    List {
        /// Also what was replayed or discarded
        #[arg(long)]
        all: bool,
        #[arg(long)]
        json: bool,
    },
    /// Show one, with its bytes; account numbers and mobiles masked
    Show {
        id: String,
        /// The bytes as they came, and nothing else
        #[arg(long, conflicts_with = "json")]
        raw: bool,
        #[arg(long)]
        json: bool,
    },
    /// Take one in again, after what was wrong has been mended
    Replay {
        id: String,
        #[command(flatten)]
        who: SignerArgs,
        #[arg(long)]
        json: bool,
    },
    /// Close one with a reason; its bytes are kept
    Discard {
        id: String,
        #[command(flatten)]
        who: SignerArgs,
        #[arg(long)]
        reason: String,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Every setting, its value (secrets hidden) and where it came from
    Show,
    /// Whether `serve` could start
    Check,
    /// Make an API token: prints it once, and the hash for the settings
    Token,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OperatorVerb {
    /// Add a person, or replace name, role and key of one
    Add {
        id: String,
        #[arg(long)]
        name: String,
        /// operator, releaser, supervisor, inspector, officer, integrity_officer, administrator or auditor
        #[arg(long)]
        role: String,
        /// Ed25519 public key, base64url (`zhida sign --generate FILE` prints one)
        #[arg(long, allow_hyphen_values = true)]
        public_key: String,
    },
    /// The person acts no longer
    Disable { id: String },
    /// List them
    List {
        #[arg(long)]
        json: bool,
    },
}
