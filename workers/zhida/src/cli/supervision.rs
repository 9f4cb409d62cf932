//! The command line of supervision and of what it counts by: clocks, alerts, the organisation, the calendar.

use clap::Subcommand;
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
    /// Check a calendar file, show which days change, and import it
    Import {
        file: PathBuf,
        /// Show what would change and stop there
        #[arg(long)]
        dry_run: bool,
    },
    /// Print working days, one a line
    Workdays {
        #[arg(long)]
        from: jiff::civil::Date,
        /// Last day of the range
        #[arg(long, required_unless_present = "add", conflicts_with = "add")]
        to: Option<jiff::civil::Date>,
        /// The n-th working day after `--from`
        #[arg(long)]
        add: Option<usize>,
    },
}
