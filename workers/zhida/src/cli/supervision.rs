//! The command line of supervision and of what it counts by: clocks, alerts, patterns, the organisation, the calendar.

use super::SwitchArgs;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum ClockVerb {
    /// How the deadlines of an application came about, day by day
    Explain {
        application_id: String,
        /// Only this clock, such as `review:1`
        #[arg(long)]
        clock: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlertsVerb {
    /// List open alerts, the oldest deadline first
    List {
        /// Also those that are cleared, newest first
        #[arg(long)]
        all: bool,
        /// Only this department's
        #[arg(long, value_name = "ID")]
        department: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one with its rungs, who was told and who took notice
    Show {
        id: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Take notice of one: its ladder rests for a while, its clock runs on
    Acknowledge {
        id: String,
        /// The ladder rests for so many working hours
        #[arg(long, value_name = "HOURS")]
        working_hours: u16,
        #[command(flatten)]
        act: SwitchArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrdersVerb {
    /// List orders that are not closed, newest first; those that discipline inspection alone sees with an inspector's key only
    List {
        /// Also those that are closed
        #[arg(long)]
        all: bool,
        /// Only those addressed to this officer
        #[arg(long, value_name = "OFFICER")]
        to: Option<String>,
        #[command(flatten)]
        eyes: EyesArgs,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one with its demand, answers and term
    Show {
        id: String,
        #[command(flatten)]
        eyes: EyesArgs,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Issue an order from an alert or a pattern
    Issue {
        /// The alert it is about
        #[arg(long, value_name = "ID", required_unless_present = "pattern", conflicts_with = "pattern")]
        alert: Option<String>,
        /// The pattern it is about
        #[arg(long, value_name = "ID")]
        pattern: Option<String>,
        /// The officer or head who has to answer
        #[arg(long, value_name = "OFFICER")]
        to: String,
        /// Working days for the answer
        #[arg(long, default_value_t = 3)]
        working_days: u16,
        #[command(flatten)]
        who: WhoArgs,
        /// What is demanded
        #[arg(long)]
        demand: String,
    },
    /// Answer an order that is addressed to you
    Reply {
        id: String,
        #[command(flatten)]
        who: WhoArgs,
        /// How it came about
        #[arg(long)]
        cause: String,
        /// What is done about it
        #[arg(long)]
        measure: String,
    },
    /// Send an answer back that does not do
    Return {
        id: String,
        /// Working days for the next answer
        #[arg(long, default_value_t = 2)]
        working_days: u16,
        #[command(flatten)]
        act: SwitchArgs,
    },
    /// Close an order (only those who supervise)
    Close {
        id: String,
        #[command(flatten)]
        act: SwitchArgs,
    },
}

/// Who acts, where the act says more than a reason.
#[derive(Debug, Args)]
pub(crate) struct WhoArgs {
    /// Who acts
    #[arg(long = "as", value_name = "OPERATOR")]
    pub(crate) operator: String,
    /// Their private key file
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
}

/// Whose eyes read: without a key what the supervision office sees.
#[derive(Debug, Args)]
pub(crate) struct EyesArgs {
    /// Who reads; an inspector also sees what is for discipline inspection alone
    #[arg(long = "as", value_name = "OPERATOR", requires = "key")]
    pub(crate) operator: Option<String>,
    /// Their private key file
    #[arg(long, value_name = "FILE", requires = "operator")]
    pub(crate) key: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PatternsVerb {
    /// List patterns, newest first; those about officers for inspectors alone
    List {
        /// Only of this rule, such as queue_jump
        #[arg(long)]
        rule: Option<String>,
        /// Only in this state: new, looked_at, explained or confirmed
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        eyes: EyesArgs,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one with its evidence, its peers, and who said what of it
    Show {
        id: String,
        #[command(flatten)]
        eyes: EyesArgs,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// What a rule would find in past data, also while it is off; nothing is written (thresholds: --set patterns.RULE.KEY=VALUE)
    Try {
        rule: String,
        /// Only what is open or was decided from this day on
        #[arg(long, value_name = "DATE")]
        since: jiff::civil::Date,
        #[command(flatten)]
        eyes: EyesArgs,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Say that you look at one
    Look {
        id: String,
        #[command(flatten)]
        act: SwitchArgs,
    },
    /// Say that one has an innocent explanation: it is asked anew only when there is more of it
    Explain {
        id: String,
        #[command(flatten)]
        act: SwitchArgs,
    },
    /// Say that one is what it looks like
    Confirm {
        id: String,
        #[command(flatten)]
        act: SwitchArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DigestVerb {
    /// Show the newest digest, or that of a day, and say when the next is due
    Show {
        /// The day, as 2026-11-26
        #[arg(long)]
        date: Option<jiff::civil::Date>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what a digest would say now; nothing is kept and nobody is told
    Preview {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrganisationVerb {
    /// Check an organisation file, show what changes, and let it replace the organisation
    Import {
        file: PathBuf,
        /// Show what would change and stop there
        #[arg(long)]
        dry_run: bool,
    },
    /// List departments, officers and ladders, contacts masked
    List {
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CalendarVerb {
    /// Check a calendar file, show which days change and which running deadlines move, and import it
    Import {
        file: PathBuf,
        /// Show what would change and stop there
        #[arg(long)]
        dry_run: bool,
        /// As JSON, with every deadline that moves
        #[arg(long)]
        json: bool,
    },
    /// Print the calendar in force in the form of a calendar file, so that an amendment can be made from it
    Export {
        /// Only this year
        #[arg(long)]
        year: Option<i16>,
    },
    /// Print working days, one a line
    #[command(group(clap::ArgGroup::new("end").required(true).args(["to", "add"])))]
    Workdays {
        #[arg(long)]
        from: jiff::civil::Date,
        /// Last day of the range
        #[arg(long)]
        to: Option<jiff::civil::Date>,
        /// The n-th working day after `--from`
        #[arg(long)]
        add: Option<usize>,
    },
}
