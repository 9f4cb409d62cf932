//! The command line of notices.

use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum NoticesVerb {
    /// The words of notices
    #[command(subcommand)]
    Templates(NoticeTemplatesVerb),
}

#[derive(Debug, Subcommand)]
pub(crate) enum NoticeTemplatesVerb {
    /// Say everything that is wrong with a file of templates, all at once
    Check {
        /// Templates (TOML), in the form of config/notices/templates.toml; `-` for standard input
        file: PathBuf,
    },
    /// Show each template with values: the text, its segments and their cost, and the form in which vendors register it
    #[command(group(clap::ArgGroup::new("which").required(true).args(["file", "current"])))]
    Preview {
        /// Templates (TOML); what it leaves out is not shown
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
    /// Check a file of templates, show what changes, and let it be in force
    Import {
        /// Templates (TOML)
        file: PathBuf,
        /// Show what would change and stop there
        #[arg(long)]
        dry_run: bool,
    },
}
