//! What can go wrong inside a transaction, and what it means for the caller: again, later, or never.

use sqlx::error::ErrorKind;
use std::fmt::Display;
use tracing::error;
use zhida_core::ports::store::StoreError;

/// A failure inside a transaction.
#[derive(Debug)]
pub(super) enum Fault {
    /// The database said so, or is gone.
    Database(sqlx::Error),
    /// What is stored cannot be read.
    Corrupt { place: String, what: String },
    /// What is to be written contradicts what is stored.
    Conflict(String),
}

/// What to do about a failure before the commit.
pub(super) enum Verdict {
    /// Nothing happened; the whole transaction may be done again at once.
    Again(StoreError),
    /// Nothing happened; the caller decides.
    Told(StoreError),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl Fault {
    pub(super) fn corrupt(place: &str, what: &dyn Display) -> Self {
        Self::Corrupt { place: place.to_owned(), what: what.to_string() }
    }

    /// Says more closely which row cannot be read; other faults are not a row's.
    pub(super) fn at(self, table: &str, key: &dyn Display) -> Self {
        match self {
            Self::Corrupt { place, what } => Self::Corrupt { place: format!("{table} {key}: {place}"), what },
            Self::Database(_) | Self::Conflict(_) => self,
        }
    }

    /// Where it is unreadable, without what stands there: it may be personal.
    pub(super) fn place(&self) -> String {
        match self {
            Self::Corrupt { place, .. } => place.clone(),
            Self::Database(_) | Self::Conflict(_) => String::new(),
        }
    }

    /// As the port tells it.
    pub(super) fn told(self) -> StoreError {
        match self.verdict() {
            Verdict::Again(error) | Verdict::Told(error) => error,
        }
    }

    /// Read before a commit was tried: nothing has happened.
    pub(super) fn verdict(self) -> Verdict {
        match self {
            Self::Corrupt { place, what } => Verdict::Told(StoreError::Corrupt { place, what }),
            Self::Conflict(why) => Verdict::Told(StoreError::Conflict(why)),
            Self::Database(error) => before_commit(&error),
        }
    }
}

/// Of many rows those that can be read, and how many cannot.
pub(super) struct Readable<T> {
    pub(super) rows: Vec<T>,
    pub(super) unreadable: u64,
}

/// What tells of many leaves out what cannot be read, logs it and counts it: one row holds up no list. Whoever decides by rows
/// reads all of them or none.
pub(super) fn readable<T>(rows: impl IntoIterator<Item = Result<T, Fault>>) -> Result<Readable<T>, Fault> {
    let mut read = Readable { rows: Vec::new(), unreadable: 0 };
    for row in rows {
        match row {
            Ok(row) => read.rows.push(row),
            Err(Fault::Corrupt { place, what }) => {
                error!(%place, %what, "a row cannot be read and is left out");
                read.unreadable += 1;
            }
            Err(fault @ (Fault::Database(_) | Fault::Conflict(_))) => return Err(fault),
        }
    }
    Ok(read)
}

/// Serialization failures and deadlocks: the database chose this transaction to give way.
const GIVES_WAY: [&str; 2] = ["40001", "40P01"];

fn before_commit(error: &sqlx::Error) -> Verdict {
    let text = error.to_string();
    let Some(database) = error.as_database_error() else { return Verdict::Told(StoreError::Unavailable(text)) };
    let code = database.code().unwrap_or_default();
    if GIVES_WAY.contains(&code.as_ref()) {
        return Verdict::Again(StoreError::Unavailable(text));
    }
    match database.kind() {
        // Somebody else has just written the same: the second look sees it.
        ErrorKind::UniqueViolation => Verdict::Again(StoreError::Conflict(text)),
        ErrorKind::ForeignKeyViolation | ErrorKind::NotNullViolation | ErrorKind::CheckViolation => {
            Verdict::Told(StoreError::Conflict(text))
        }
        // PostgreSQL's classes 22 (data exception) and 23 (integrity) speak of a row, everything else of the database.
        _ if code.len() == 5 && (code.starts_with("22") || code.starts_with("23")) => {
            Verdict::Told(StoreError::Conflict(text))
        }
        _ => Verdict::Told(StoreError::Unavailable(text)),
    }
}

/// Read after COMMIT was sent: only an answer of the database itself says that nothing happened.
pub(super) fn after_commit(error: &sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|database| database.code()).unwrap_or_default().into_owned();
    if GIVES_WAY.contains(&code.as_str()) {
        return StoreError::Unavailable(error.to_string());
    }
    StoreError::Unknown(error.to_string())
}
