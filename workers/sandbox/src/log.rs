//! The ledger's file: lines appended, one sync for all that waits (group commit), nothing answered before its line is safe.
//! It knows bytes only; what a line means is the ledger's affair.

use crate::ledger::LedgerError;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use tokio::sync::{mpsc, oneshot};

/// Lines on their way to the disk, and who waits for them.
struct Job {
    lines: Vec<u8>,
    done: oneshot::Sender<()>,
}

/// A promise that everything handed in so far is on the disk.
pub(crate) struct Durable(Option<oneshot::Receiver<()>>);

impl Durable {
    /// Waits for the disk. `false` says that the disk failed; nothing may be answered then.
    pub(crate) async fn kept(self) -> bool {
        match self.0 {
            None => true,
            Some(done) => done.await.is_ok(),
        }
    }
}

/// The file, or nothing for a ledger that lives in memory only.
pub(crate) struct Log(Option<mpsc::UnboundedSender<Job>>);

impl Log {
    /// A log that keeps nothing.
    pub(crate) fn in_memory() -> Self {
        Self(None)
    }

    /// Opens the file for appending; a torn last line is cut off.
    pub(crate) fn open(path: &Path) -> Result<Self, LedgerError> {
        let named = |source| LedgerError::File { path: path.display().to_string(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(named)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(named)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        file.set_len(whole as u64).map_err(named)?;
        file.seek(SeekFrom::End(0)).map_err(named)?;
        let (sender, receiver) = mpsc::unbounded_channel();
        std::thread::Builder::new()
            .name("sandbox-ledger".to_owned())
            .spawn(move || write_all(file, receiver))
            .map_err(named)?;
        Ok(Self(Some(sender)))
    }

    /// Hands lines in, possibly none; the promise covers everything handed in before as well.
    pub(crate) fn append(&self, lines: Vec<u8>) -> Durable {
        Durable(self.0.as_ref().map(|sender| {
            let (done, receiver) = oneshot::channel();
            // If the writer has given up, the promise breaks when it drops `done`.
            let _ = sender.send(Job { lines, done });
            receiver
        }))
    }
}

/// Writes what waits, syncs once, lets all waiters go; ends when the log is dropped or the disk fails.
fn write_all(mut file: File, mut jobs: mpsc::UnboundedReceiver<Job>) {
    while let Some(first) = jobs.blocking_recv() {
        let mut batch = vec![first];
        while let Ok(next) = jobs.try_recv() {
            batch.push(next);
        }
        let lines: Vec<u8> = batch.iter().flat_map(|job| job.lines.iter().copied()).collect();
        if !lines.is_empty()
            && let Err(error) = file.write_all(&lines).and_then(|()| file.sync_data())
        {
            tracing::error!(%error, "the sandbox's ledger cannot be written; it answers 500 from now on");
            return;
        }
        for job in batch {
            // A waiter that went away needs no word.
            let _ = job.done.send(());
        }
    }
}
