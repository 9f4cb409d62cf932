//! Logging to stderr: JSON lines for services, short lines for people. What is logged (ids, never personal data) is decided
//! where it is logged; a library that would write personal data by itself is silenced here. No files, no rotation: the service
//! manager keeps stderr.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogForm {
    /// Programs: one JSON object a line (`serve`).
    Json,
    /// People: one short line (every other command).
    Compact,
}

/// A level that cannot be honoured.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A word that is no level. (The filter would take it for a module's name and silence everything else.)
    #[error(
        "log level `{0}` is unknown; use error, warn, info, debug, trace or off, or a list like `info,zhida_payout=debug`"
    )]
    UnknownLevel(String),
    /// A directive that cannot be read.
    #[error("log level `{level}` cannot be read ({reason}); write it like `info` or `info,zhida_payout=debug`")]
    Unreadable {
        /// As it was set.
        level: String,
        /// What was wrong.
        reason: ParseError,
    },
}

/// Starts logging. The first call of a process decides; later ones change nothing, so tests and commands may all call it.
///
/// # Errors
/// When `level` is neither a level nor a list of `module=level`.
pub fn init(form: LogForm, level: &str) -> Result<(), LogError> {
    let builder = tracing_subscriber::fmt().with_env_filter(filter(level)?).with_writer(std::io::stderr);
    // An error says only that logging is on already.
    let _already_on = match form {
        LogForm::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
        LogForm::Compact => builder.compact().without_time().with_ansi(std::io::stderr().is_terminal()).try_init(),
    };
    Ok(())
}

/// lapin logs a returned message with its whole body, which holds names and account numbers. What we need to know of a broken
/// connection the transport says itself. A level that names lapin is somebody's explicit wish.
const SILENCED: &str = "lapin=off";

fn filter(level: &str) -> Result<EnvFilter, LogError> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    let mut directives = level.split(',').map(str::trim).collect::<Vec<&str>>();
    for word in directives.iter().filter(|directive| !directive.contains('=')) {
        if !LEVELS.contains(word) {
            return Err(LogError::UnknownLevel((*word).to_owned()));
        }
    }
    if !directives.iter().any(|directive| directive.starts_with("lapin")) {
        directives.push(SILENCED);
    }
    EnvFilter::try_new(directives.join(",")).map_err(|reason| LogError::Unreadable { level: level.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    // A test says what it expects and stops where it is not so.
    #![allow(clippy::unwrap_used)]

    use super::{LogForm, filter, init};
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What is written at `level` of one line of lapin's and one of ours.
    fn logged(level: &str) -> String {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter(level).unwrap())
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(target: "lapin::channel", "a returned message: account 4000020109000000001");
            tracing::error!(target: "zhida_relay", "one row stays");
        });
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn lapin_writes_no_line_unless_it_is_asked_to_by_name() {
        for level in ["error", "info", "trace", "info,zhida_payout=debug"] {
            let lines = logged(level);
            assert!(lines.contains("one row stays") && !lines.contains("account"), "{level}: {lines}");
        }
        assert!(logged("info,lapin=warn").contains("account"));
    }

    #[test]
    fn a_level_that_cannot_be_honoured_is_an_error_that_names_it() {
        for good in ["info", "off", "info,zhida_payout=debug", "warn, sqlx=error"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for (bad, named) in [("inof", "`inof`"), ("", "``"), ("info,zhida_payout=loud", "zhida_payout=loud")] {
            let message = filter(bad).unwrap_err().to_string();
            assert!(message.contains(named), "{bad}: {message}");
        }
    }

    #[test]
    fn starting_twice_is_no_error() {
        init(LogForm::Json, "warn").unwrap();
        init(LogForm::Compact, "info").unwrap();
    }
}
