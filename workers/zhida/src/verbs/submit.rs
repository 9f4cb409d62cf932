//! `zhida submit`: hands the events of a file in, through the same door as the broker and the API, and reports on each. What
//! cannot be taken in lands in quarantine with its bytes, so that nothing is lost; handing a file in twice changes nothing.

use super::event_file::{EventFile, Piece};
use super::out::Out;
use crate::wiring::Context;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use zhida_core::ports::door::{Handed, Raw};
use zhida_core::steps::{ActOutcome, Quarantined};

/// Events in one hand-in.
const BATCH: usize = 200;

/// A smaller file is done before a bar is seen.
const BAR_FROM_BYTES: u64 = 1024 * 1024;

/// Hands a file in.
pub(crate) async fn run(context: &Context, path: &Path) -> anyhow::Result<ExitCode> {
    let mut file = EventFile::open(path)?;
    let bar = bar(&file)?;
    let (mut out, mut tally) = (Out::new(), Tally::default());
    loop {
        let taken: anyhow::Result<Vec<Piece>> = file.by_ref().take(BATCH).collect();
        let pieces = taken.with_context(|| tally.so_far())?;
        if pieces.is_empty() {
            break;
        }
        let raws: Vec<Raw> =
            pieces.iter().map(|piece| Raw { body: piece.bytes.clone(), routing_key: None, way: "submit" }).collect();
        let results = context.door.hand_in(&raws).await.with_context(|| tally.so_far())?;
        let lines: Vec<String> = pieces.iter().zip(&results).map(|(piece, handed)| report(piece, handed)).collect();
        results.iter().for_each(|handed| tally.count(handed));
        bar.set_position(file.read());
        bar.suspend(|| out.lines(&lines).and_then(|()| out.flush()))?;
    }
    bar.finish_and_clear();
    anyhow::ensure!(tally.all() > 0, "{} holds no event", path.display());
    out.line(&tally.summary())?;
    out.flush()?;
    if tally.refused > 0 {
        eprintln!("zhida: {} acts were refused; the journal keeps them, nothing was done", tally.refused);
    }
    if tally.quarantined > 0 {
        eprintln!("zhida: {} events are in quarantine; `zhida quarantine list` shows them", tally.quarantined);
        if tally.unsigned > 0 {
            eprintln!(
                "zhida: {} of them are not signed; `zhida sign --key FILE --keyid ID FILE` signs",
                tally.unsigned
            );
        }
    }
    Ok(if tally.refused + tally.quarantined > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

#[derive(Default)]
struct Tally {
    accepted: u64,
    duplicates: u64,
    refused: u64,
    quarantined: u64,
    unsigned: u64,
}

impl Tally {
    fn count(&mut self, handed: &Handed) {
        match handed {
            Handed::Accepted | Handed::Acted(_) => self.accepted += 1,
            Handed::Duplicate => self.duplicates += 1,
            Handed::Refused(_) => self.refused += 1,
            Handed::Quarantined(item) => {
                self.quarantined += 1;
                let signing = matches!(item.field.as_deref(), Some("keyid" | "signature"));
                self.unsigned += u64::from(signing && item.reason_code == "missing");
            }
        }
    }

    fn all(&self) -> u64 {
        self.accepted + self.duplicates + self.refused + self.quarantined
    }

    fn summary(&self) -> String {
        let Self { accepted, duplicates, refused, quarantined, .. } = self;
        let all = self.all();
        let (acts, acts_in_english) = match refused {
            0 => (String::new(), String::new()),
            _ => (format!(",拒办 {refused}"), format!(", {refused} refused")),
        };
        format!(
            "共 {all}:接收 {accepted},重复 {duplicates},隔离 {quarantined}{acts} — {all} events: {accepted} accepted, \
             {duplicates} duplicates, {quarantined} quarantined{acts_in_english}"
        )
    }

    fn so_far(&self) -> String {
        format!(
            "stopped after {} events; hand the same file in again, what was taken in is a duplicate then",
            self.all()
        )
    }
}

/// What a report repeats of an event; a broken one has none of it.
#[derive(Default, Deserialize)]
struct Named {
    #[serde(default)]
    id: String,
    #[serde(default, rename = "type")]
    event_type: String,
}

fn report(piece: &Piece, handed: &Handed) -> String {
    let named: Named = serde_json::from_slice(&piece.bytes).unwrap_or_default();
    let line = format!("{}  {}  {} {}", piece.place, word(handed), named.event_type, named.id);
    match handed {
        Handed::Quarantined(item) => format!("{}  {}", line.trim_end(), why(item)),
        Handed::Refused(reason) => format!("{}  {reason}", line.trim_end()),
        Handed::Accepted | Handed::Duplicate | Handed::Acted(_) => line.trim_end().to_owned(),
    }
}

/// What became of an event, in a word.
pub(crate) fn word(handed: &Handed) -> &'static str {
    match handed {
        Handed::Accepted => "接收 accepted",
        Handed::Duplicate => "重复 duplicate",
        Handed::Acted(ActOutcome::Done) => "已办 done",
        Handed::Acted(ActOutcome::AwaitsSecondOfficer) => "待第二人 awaits a second officer",
        Handed::Refused(_) => "拒办 refused",
        Handed::Quarantined(_) => "隔离 quarantined",
    }
}

/// Why something is in quarantine: code, field and sentence; most sentences begin with the field.
pub(crate) fn why(item: &Quarantined) -> String {
    let code = &item.reason_code;
    match &item.field {
        Some(field) if !item.reason.starts_with(field.as_str()) => format!("[{code}] {field}: {}", item.reason),
        Some(_) | None => format!("[{code}] {}", item.reason.trim_end_matches(&format!(" [{code}]"))),
    }
}

fn bar(file: &EventFile) -> anyhow::Result<ProgressBar> {
    let Some(size) = file.size.filter(|size| *size >= BAR_FROM_BYTES && std::io::stderr().is_terminal()) else {
        return Ok(ProgressBar::hidden());
    };
    let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {eta}")?;
    Ok(ProgressBar::new(size).with_style(style))
}

#[cfg(test)]
mod tests {
    use super::why;
    use zhida_core::steps::Quarantined;

    #[test]
    fn the_field_is_named_once() {
        let item = |field: Option<&str>, reason: &str| Quarantined {
            body: Vec::new(),
            way: "submit".to_owned(),
            source: None,
            event_id: None,
            event_type: None,
            reason_code: "missing".to_owned(),
            field: field.map(str::to_owned),
            reason: reason.to_owned(),
        };
        let cases = [
            (
                item(Some("keyid"), "keyid is missing: add the field [missing]"),
                "[missing] keyid is missing: add the field",
            ),
            (item(Some("data.proof"), "is missing"), "[missing] data.proof: is missing"),
            (item(None, "the message is not JSON"), "[missing] the message is not JSON"),
        ];
        for (item, sentence) in cases {
            assert_eq!(why(&item), sentence);
        }
    }
}
