//! The README's first payment, pasted into a shell in an empty folder as its reader does it, only the ports are others; and its
//! example files, read.

use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use zhida_config::{Calendar, Settings};
use zhida_core::notice::template::{KnownProviders, TemplateSet};
use zhida_schemas::organisation_file::OrganisationFile;
use zhida_tests::waiting::wait_until;

const README: &str = include_str!("../../README.md");

/// The shell commands of the section with this head, without the indentation of its list.
fn commands(head: &str) -> String {
    let section = README.split("\n## ").find(|section| section.starts_with(head)).expect("the section");
    let mut commands = String::new();
    let mut lines = section.lines();
    while let Some(line) = lines.next() {
        let Some(indent) = line.strip_suffix("```sh") else { continue };
        for line in lines.by_ref().take_while(|line| line.trim() != "```") {
            commands.extend([line.strip_prefix(indent).unwrap_or(line), "\n"]);
        }
    }
    commands
}

fn free_port() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// An empty folder, removed at the end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn the_first_payment_by_hand_is_as_the_readme_says() {
    let folder = Folder(std::env::temp_dir().join(format!("zhida-readme-{}", std::process::id())));
    fs::create_dir_all(&folder.0).unwrap();
    let script = commands("A first payment").replace(":8080", &format!(":{}", free_port()));
    let bank = free_port();
    let script = script.replace(":8090", &format!(":{bank}"));
    // Its servers end with the shell, and the shell with its input.
    let script = format!("trap 'kill $(jobs -p)' EXIT\n{script}\necho all pasted\nread -r _ || true\n");
    let binary = Path::new(env!("CARGO_BIN_EXE_zhida"));
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let screen = folder.0.join("screen");
    let file = File::create(&screen).unwrap();
    let mut shell = Command::new("bash")
        .args(["-euc", &script])
        .current_dir(&folder.0)
        .env("PATH", &path)
        .stdin(Stdio::piped())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
    // A character may be half written.
    let shown = || String::from_utf8_lossy(&fs::read(&screen).unwrap()).into_owned();
    wait_until("everything to be pasted", Duration::from_secs(120), async || {
        assert!(
            shell.try_wait().unwrap().is_none() || shown().contains("all pasted"),
            "the shell gave up:\n{}",
            shown()
        );
        shown().contains("all pasted").then_some(())
    })
    .await;
    wait_until("three payouts to be settled", Duration::from_secs(60), async || {
        let mut list = Command::new(binary);
        let listed = list.args(["--config", "zhida.toml", "payouts", "list", "--json"]).current_dir(&folder.0).output();
        let payouts: Vec<Value> = serde_json::from_slice(&listed.unwrap().stdout).unwrap_or_default();
        (payouts.iter().filter(|payout| payout["state"] == "settled").count() == 3).then_some(())
    })
    .await;
    // The phone of its enterprise says so three times, once for each award, whatever else it says.
    let phone = format!("http://127.0.0.1:{bank}/phone/8613800000000.json");
    wait_until("the phone to have rung for each", Duration::from_secs(60), async || {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let shown = reqwest::get(&phone).await.ok()?.text().await.ok()?;
        let received: Vec<Value> = serde_json::from_str(&shown).ok()?;
        let credited = |one: &&Value| one["text"].as_str().is_some_and(|text| text.starts_with("到账通知"));
        (received.iter().filter(credited).count() == 3).then_some(())
    })
    .await;
    drop(shell.stdin.take());
    shell.wait().unwrap();
    for told in ["待付 ready", "account_name", "key_unknown", "is closed as replayed", "payout_credited"] {
        assert!(shown().contains(told), "{told} in\n{}", shown());
    }
}

/// What stands in a section, by its head, between this fence and the next; `place` counts from 0.
fn block(head: &str, fence: &str, place: usize) -> &'static str {
    let section = README.split("\n## ").find(|section| section.starts_with(head)).expect("the section");
    section.split(fence).nth(place + 1).expect("a block").split("```").next().unwrap()
}

#[test]
fn the_settings_and_templates_of_notices_in_the_readme_are_lawful() {
    let file = std::env::temp_dir().join(format!("zhida-readme-notices-{}.toml", std::process::id()));
    fs::write(&file, block("Notices", "```toml\n", 0)).unwrap();
    let secrets = ["SMS__main__ACCESS_KEY_SECRET", "SMS__spare__KEY", "MAIL__PASSWORD"];
    let secrets = secrets.map(|name| (format!("ZHIDA__NOTICES__{name}"), "only-for-this-test".to_owned()));
    let settings = Settings::load(&[], secrets, Some(&file));
    fs::remove_file(&file).unwrap();
    let refusals = settings.unwrap().check_for_serve();
    let of_notices: Vec<_> = refusals.iter().filter(|refusal| refusal.contains("notices.")).collect();
    assert!(of_notices.is_empty(), "{of_notices:?}");
    let set = TemplateSet::checked(block("Notices", "```toml\n", 1), &KnownProviders::Any).unwrap();
    assert!(set.templates.values().all(|template| template.providers.contains_key("main")));
}

#[test]
fn the_settings_of_the_simulated_vendors_in_the_readme_are_lawful() {
    let shell = block("The simulated bank", "```sh\n", 0);
    let file_named = |name: &str| {
        let begun = shell.split(&format!("cat > {name} <<'END'\n")).nth(1).expect("the file");
        begun.split("END\n").next().unwrap()
    };
    let file = std::env::temp_dir().join(format!("zhida-readme-vendors-{}.toml", std::process::id()));
    fs::write(&file, file_named("zhida.toml")).unwrap();
    let settings = Settings::load(&[], [], Some(&file));
    fs::remove_file(&file).unwrap();
    let settings = settings.unwrap();
    assert_eq!(settings.check_for_serve(), [""; 0]);
    let known = KnownProviders::of(settings.sms.keys().cloned());
    let set = TemplateSet::checked(file_named("codes.toml"), &known).unwrap();
    let template = set.templates.values().next().unwrap();
    for form in [template.named_form(), template.numbered_form(&[])] {
        assert!(shell.contains(&form), "the vendors' form {form}");
    }
}

#[test]
fn the_example_files_of_the_readme_are_lawful() {
    let block = |fence: &str| block("Organisation", fence, 0);
    // Its ladder and its people hold together; whom a district puts into supervision is its own affair.
    assert_eq!(OrganisationFile::parse(block("```toml\n")).unwrap().officers.len(), 2);
    let calendar = Calendar::parse(&format!("version{}", block("```\nversion"))).unwrap();
    assert_eq!(calendar.days().len(), 2);
}
