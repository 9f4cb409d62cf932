//! The folder: whole files, once for each id, receipts found, and nothing learnt from a folder that is not there.
#![allow(clippy::unwrap_used)] // a test may fail loudly

use super::Folder;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use zhida_core::ports::sms::{AskOutcome, Question, SendOutcome, Sms, SmsProvider};

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("zhida-sms-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn folder(&self) -> Folder {
        Folder { dir: self.0.clone(), timeout: Duration::from_secs(20) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn sms(out_id: &str, text: &str) -> Sms {
    Sms {
        out_id: out_id.to_owned(),
        to: "+8613800000000".to_owned(),
        signature: "鼓楼直达".to_owned(),
        text: text.to_owned(),
        template_code: None,
        parameters: vec![("amount".to_owned(), "1409.50元".to_owned())],
    }
}

async fn ask(folder: &Folder, out_id: &str) -> String {
    let sent_at = "2026-11-23T01:30:00Z".parse().unwrap();
    let question = Question { out_id: out_id.to_owned(), provider_id: None, to: "+8613800000000".to_owned(), sent_at };
    match folder.ask(&question).await {
        AskOutcome::Found { word, .. } => format!("{word:?}"),
        AskOutcome::NotFound => "not found".to_owned(),
        AskOutcome::NoAnswer { why } => why,
        AskOutcome::NotOffered => "not offered".to_owned(),
    }
}

fn accepted() -> SendOutcome {
    SendOutcome::Accepted { provider_id: None, segments: None }
}

#[tokio::test]
async fn a_message_is_written_once_and_asked_for() {
    let place = Place::new("once");
    let folder = place.folder();
    assert_eq!(ask(&folder, "n-1").await, "not found");
    assert_eq!(folder.send(&sms("n-1", "一")).await, accepted());
    assert_eq!(folder.send(&sms("n-1", "二")).await, accepted(), "it is there already");
    let file = place.0.join("n-1.json");
    let written: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!((written["text"].as_str(), written["to"].as_str()), (Some("一"), Some("+8613800000000")));
    assert_eq!(written["parameters"][0][1].as_str(), Some("1409.50元"));
    assert_eq!(fs::read_dir(&place.0).unwrap().count(), 1, "nothing is left beside it");
    assert_eq!(ask(&folder, "n-1").await, "OnTheWay");

    fs::rename(&file, place.0.join("n-1.taken.json")).unwrap();
    assert_eq!(ask(&folder, "n-1").await, "OnTheWay");
    assert_eq!(folder.send(&sms("n-1", "三")).await, accepted(), "it was taken already");
    assert!(!file.exists());
    for (receipt, word) in [
        (r#"{"status":"delivered"}"#, "Delivered { at: None }"),
        (
            r#"{"status":"undelivered","class":"recipient","code":"gone"}"#,
            "Undelivered { class: Recipient, code: \"gone\", text: \"\" }",
        ),
        (r#"{"status":"lost"}"#, "a receipt with a status of its own"),
        (r#"{"status":"#, "a receipt that cannot be read"),
    ] {
        fs::write(place.0.join("n-1.receipt.json"), receipt).unwrap();
        assert_eq!(ask(&folder, "n-1").await, word, "{receipt}");
    }
}

#[tokio::test]
async fn a_folder_that_is_not_there_takes_nothing_in_and_knows_nothing() {
    let place = Place::new("gone");
    let folder = place.folder();
    fs::remove_dir_all(&place.0).unwrap();
    assert!(matches!(folder.send(&sms("n-1", "一")).await, SendOutcome::NotConnected { .. }));
    assert_eq!(ask(&folder, "n-1").await, "the folder is not there");
}

#[tokio::test]
async fn an_id_names_no_other_place() {
    let place = Place::new("names");
    for id in ["../n-1", "a/b", "", ".", "n 1"] {
        assert!(matches!(place.folder().send(&sms(id, "一")).await, SendOutcome::Refused { .. }), "{id}");
    }
    assert_eq!(fs::read_dir(&place.0).unwrap().count(), 0);
}
