//! One worker process per SQLite file: a lock beside the database that the operating system lets go when the process ends,
//! however it ends. Other commands do without it: their short transactions are safe beside a worker.

use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Held while a worker process runs.
#[derive(Debug)]
pub struct WorkerLock {
    // Locked as long as it is open.
    _file: File,
}

/// Why a worker may not run.
#[derive(Debug, Error)]
pub enum WorkerLockError {
    /// Another one runs.
    #[error("another worker process works on {0} already; stop it first, or use PostgreSQL for several processes")]
    Taken(PathBuf),
    /// The lock file cannot be used.
    #[error("the lock file {path} cannot be used: {error}; check the rights of its folder")]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl WorkerLock {
    /// Takes the lock of the database that `url` names. None for PostgreSQL, where any number of workers may run.
    ///
    /// # Errors
    /// [`WorkerLockError`].
    pub fn take(url: &str) -> Result<Option<Self>, WorkerLockError> {
        let Some(path) = super::pools::sqlite_path(url) else { return Ok(None) };
        let mut name = path.into_os_string();
        name.push(".worker-lock");
        let path = PathBuf::from(name);
        let opened = File::options().create(true).truncate(false).write(true).open(&path);
        let file = opened.map_err(|error| WorkerLockError::Unusable { path: path.clone(), error })?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Err(WorkerLockError::Taken(path)),
            Err(TryLockError::Error(error)) => Err(WorkerLockError::Unusable { path, error }),
        }
    }
}
