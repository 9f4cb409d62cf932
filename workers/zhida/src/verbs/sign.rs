//! `zhida sign`: signs events for tests and small senders, or makes a key. Signed events go to standard output as NDJSON; one
//! that breaks the contract is signed all the same and named on standard error, for receivers must be tried with those too.

use super::event_file::{EventFile, Piece};
use super::out::{Out, plain};
use super::{Usage, key_file, typed_id};
use crate::cli::SignArgs;
use serde_json::Value;
use std::path::Path;
use std::process::ExitCode;
use zhida_schemas::signing::{SigningKey, sign};
use zhida_schemas::text::Id;
use zhida_schemas::{ContractError, Envelope, InboundEvent, strict_json};

/// Signs, or makes a key.
pub(crate) fn run(arguments: &SignArgs) -> anyhow::Result<ExitCode> {
    if let Some(path) = &arguments.generate {
        return generate(path);
    }
    let (Some(key), Some(keyid), Some(file)) = (&arguments.key, &arguments.keyid, &arguments.file) else {
        return Err(Usage("give --key FILE, --keyid ID and a file of events, or --generate FILE".to_owned()).into());
    };
    let keyid = typed_id("--keyid", keyid)?;
    let key = key_file::read(key)?;
    let (mut out, mut signed_events) = (Out::new(), 0_u64);
    for piece in EventFile::open(file)? {
        let piece = piece?;
        signed_events += 1;
        let event = signed(&piece, &keyid, &key).map_err(|error| {
            anyhow::anyhow!(
                "{}: {}; events before it are signed, this one and what follows are not",
                piece.place,
                plain(&error.to_string())
            )
        })?;
        out.json_line(&event)?;
        if let Err(error) = keeps_the_contract(event) {
            eprintln!("zhida: {}: signed, but it will be quarantined: {}", piece.place, plain(&error.to_string()));
        }
    }
    out.flush()?;
    anyhow::ensure!(signed_events > 0, "{} holds no event", file.display());
    Ok(ExitCode::SUCCESS)
}

fn signed(piece: &Piece, keyid: &Id, key: &SigningKey) -> Result<Value, ContractError> {
    let mut event = strict_json::parse(&piece.bytes)?;
    sign(&mut event, keyid, key)?;
    Ok(event)
}

fn keeps_the_contract(event: Value) -> Result<(), ContractError> {
    InboundEvent::parse(&Envelope::from_value(event)?).map(|_| ())
}

fn generate(path: &Path) -> anyhow::Result<ExitCode> {
    let key = key_file::create(path)?;
    let mut out = Out::new();
    out.line(&key.public_key().to_string())?;
    out.flush()?;
    let file = path.display();
    eprintln!("私钥已写入 {file}(仅本人可读),请勿外传;上面一行是公钥。");
    eprintln!("The private key is in {file}, readable by you alone; the line above is the public key. Where it goes:");
    eprintln!();
    eprintln!("# a sender's key, in the settings (sandbox: KEYID = \"{}\" does)", key.public_key());
    eprintln!("[intake.trusted_keys.KEYID]");
    eprintln!("key = \"{}\"", key.public_key());
    eprintln!("sources = [\"/review/district\"]");
    eprintln!("types = [\"application.*\", \"commitment.signed.v1\"]");
    eprintln!();
    eprintln!("# an operator's key");
    eprintln!("zhida operator add ID --name NAME --role releaser --public-key={}", key.public_key());
    Ok(ExitCode::SUCCESS)
}
