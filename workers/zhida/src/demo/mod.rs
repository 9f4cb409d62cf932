//! `zhida demo`: the whole system in one process on SQLite and the embedded queue, with the simulated bank, vendors of SMS and mail
//! server beside it on loopback. The sample district goes through it; the bank's ledger is the judge of what was paid, phones and
//! mailboxes are of what was told.

mod events;
mod found;
mod looking;
mod notices;
mod reviews;
mod sender;
mod summary;
mod told;
mod twists;

use crate::cli::DemoArgs;
use crate::opening;
use crate::roles::Role;
use crate::serve::House;
use anyhow::Context as _;
use found::Found;
use indicatif::{ProgressBar, ProgressStyle};
use sender::Sender;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use summary::Summary;
use tokio::net::TcpListener;
use tokio::sync::watch;
use zhida_config::Settings;
use zhida_config::sample_district::{self, Award};
use zhida_core::ports::store::Figures;
use zhida_core::working_time::WorkingTime;
use zhida_sandbox::{Sandbox, SandboxSettings};
use zhida_schemas::signing::SigningKey;

/// The demo's district.
const DISTRICT: &str = "sample";
/// Its API token: everything is on loopback and invented.
const TOKEN: &str = "demo-token";
/// The review system's key id.
const KEYID: &str = "review-demo";

/// A policy is on paper when nobody applied for so many days: nobody has seen more than a month of this district.
const SEEN_DAYS: &str = "20";

/// Runs the demo.
pub(crate) async fn run(arguments: DemoArgs) -> anyhow::Result<ExitCode> {
    if let Some(path) = &arguments.json {
        // Before the run, for a summary that cannot be written is a run for nothing.
        std::fs::File::create(path).with_context(|| cannot_write(path))?;
    }
    let folder = Folder::new(arguments.dir.as_deref())?;
    let awards = sample_district::awards()?;
    let key = SigningKey::generate()?;
    let sandbox = start_sandbox(&folder.path, &awards).await?;
    let listener = TcpListener::bind(arguments.listen).await.with_context(|| {
        format!("{} is taken; choose another address with --listen, or 127.0.0.1:0 for a free one", arguments.listen)
    })?;
    let address = listener.local_addr()?;
    let of_notices = notices::settings(&sandbox, &address.to_string());
    let flags = flags(&folder.path, &key, &sandbox.url(), &address.to_string(), of_notices);
    let settings = Settings::load(&flags, std::iter::empty(), None)?;
    looking::write_environment(&folder.path, &flags)?;
    opening::migrate(&settings).await?;
    let guard = opening::guard(&settings)?;
    let (stop, stopped) = watch::channel(false);
    let mut house = House::open(settings, stopped).await?;
    println!("直达 zhida 演示 — {} 项政策, {} 家企业; 模拟银行 {}", 149, awards.len(), sandbox.url());
    println!(
        "The sample district goes through intake, supervision, payout and a simulated bank; phones and mailboxes are told."
    );
    println!(
        "API http://{address} (token \"{TOKEN}\"), 手机 phones {}, 邮箱 mail {}",
        sandbox.sms.phone_url(),
        looking::mail_url(&sandbox)
    );
    let policies = crate::verbs::policies::import_text(&*house.store, sample_district::POLICIES_TOML, "demo").await?;
    crate::verbs::organisation::import_text(&*house.store, sample_district::ORGANISATION_TOML, "demo").await?;
    notices::register(&sandbox, &*house.store, &format!("http://{address}")).await?;
    let others: BTreeSet<Role> = Role::ALL.into_iter().filter(|role| *role != Role::Supervision).collect();
    house.start(&others, listener).await?;
    let began = std::time::Instant::now();
    let mut sender = Sender::new(format!("http://{address}"), &key, house.store.now().await?)?;
    let time = working_time(&house).await?;
    let reviews = sample_district::reviews()?;
    let events_of_reviews = reviews::hand_in(&sender, &reviews, &time).await?;
    // The way from approval to credit is measured without the month before it.
    sender.now = house.store.now().await?;
    let handed_in = events::hand_in(&sender, &awards).await?;
    // It begins when the whole month is in, for it would ring for what the next message ends.
    house.start_looks();
    let at_rest = watch_until_at_rest(&house, handed_in.approvals, &sandbox);
    let ((), findings) = tokio::try_join!(at_rest, found::findings(&house, &reviews))?;
    // Rules look at what the looks have seen.
    house.start_patterns();
    let found = Found::read(&house, findings, events_of_reviews, &time).await?;
    let told = told::read(&*house.store, &sandbox, &awards).await?;
    let summary = Summary::read(&house, policies, &handed_in, &sandbox.bank.ledger(), found, told).await?;
    summary.print(began.elapsed());
    if let Some(path) = &arguments.json {
        std::fs::write(path, format!("{}\n", summary.json())).with_context(|| cannot_write(path))?;
    }
    let sound = summary.is_sound();
    if !arguments.exit {
        // When there is something to be told, a digest that is due tells it.
        house.start_digests();
        looking::around(&address.to_string(), &folder.path, summary.worst());
        looking::at_phones(&sandbox, &awards);
        tokio::signal::ctrl_c().await?;
    }
    stop.send_replace(true);
    house.drain().await?;
    sandbox.stop().await;
    drop(guard);
    folder.leave()?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn cannot_write(path: &Path) -> String {
    format!("the summary cannot be written to {}", path.display())
}

/// Where database and ledger lie; a temporary one is removed at the end.
struct Folder {
    path: PathBuf,
    temporary: bool,
}

impl Folder {
    fn new(chosen: Option<&Path>) -> anyhow::Result<Self> {
        let temporary = chosen.is_none();
        let path = match chosen {
            Some(path) => path.to_owned(),
            None => std::env::temp_dir().join(format!("zhida-demo-{}", uuid::Uuid::new_v4().simple())),
        };
        std::fs::create_dir_all(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        if path.join("zhida.db").exists() {
            anyhow::bail!("{} holds an earlier demo; give an empty folder, or remove it", path.display());
        }
        Ok(Self { path, temporary })
    }

    fn leave(&self) -> anyhow::Result<()> {
        if self.temporary {
            std::fs::remove_dir_all(&self.path)?;
        }
        Ok(())
    }
}

async fn start_sandbox(folder: &Path, awards: &[Award]) -> anyhow::Result<Sandbox> {
    let ledger = Some(folder.join("bank-ledger.ndjson"));
    let sandbox = Sandbox::start(SandboxSettings { ledger, ..SandboxSettings::default() }).await?;
    for award in awards {
        twists::script(&sandbox.bank, award);
    }
    notices::arrange_mishaps(&sandbox, awards);
    Ok(sandbox)
}

/// As a district would write them, with a bank that is quick to forget and quick to be asked.
fn flags(
    folder: &Path,
    key: &SigningKey,
    bank: &str,
    listen: &str,
    of_notices: Vec<(String, String)>,
) -> Vec<(String, String)> {
    let database = format!("sqlite:{}", folder.join("zhida.db").display());
    let trusted = format!("intake.trusted_keys.{KEYID}");
    let incarnation = folder.join("incarnation").display().to_string();
    let public_key = key.public_key().to_string();
    let flags = [
        ("environment", "sandbox"),
        ("district.id", DISTRICT),
        ("database.url", &database),
        ("store.incarnation_file", &incarnation),
        ("http.listen", listen),
        ("http.api_token", TOKEN),
        (&trusted, &public_key),
        ("bank.kind", "iso20022-http"),
        ("bank.url", bank),
        // A call that hangs is given up after three seconds, and the bank shows what it has after two more.
        ("bank.timeout_seconds", "3"),
        ("bank.claim_lease_seconds", "10"),
        ("bank.visibility_seconds", "2"),
        ("bank.enquiry_first_seconds", "1"),
        ("bank.enquiry_max_seconds", "2"),
        ("bank.batch_max", "20"),
        // What the month's reviews missed is past already, and all of them are in when supervision begins.
        ("supervision.replay_minutes", "0"),
        ("supervision.sweep_seconds", "1"),
        ("patterns.policy_unused.days", SEEN_DAYS),
        ("sweeps.ready_seconds", "1"),
        ("sweeps.enquiry_seconds", "1"),
        ("sweeps.figures_seconds", "1"),
    ];
    let flags = flags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    flags.chain(of_notices).collect()
}

/// The district's working time, by the calendar in force.
async fn working_time(house: &House) -> anyhow::Result<WorkingTime> {
    let calendar = Arc::new(house.store.calendar().await?);
    let hours = crate::rules::hours(&house.settings.supervision);
    Ok(WorkingTime { calendar, zone: house.settings.calendar.timezone.clone(), hours })
}

/// Shows progress until nothing moves any more: every approval is settled, refused, held, or unknown with a reason that only
/// a person can end, supervision has looked at every application, and everybody was told, as far as they can be.
async fn watch_until_at_rest(house: &House, approvals: u64, sandbox: &Sandbox) -> anyhow::Result<()> {
    let bar = ProgressBar::new(approvals);
    // Eighty columns hold it.
    let style = ProgressStyle::with_template("{bar:20} {pos}/{len} 已有结论 at rest  {msg}")?;
    bar.set_style(style);
    loop {
        let figures = house.store.figures().await?;
        let count = |state: &str| figures.by_state.get(state).map_or(0, |(count, _)| *count);
        let resting = ["settled", "refused", "held", "returned", "cancelled"].into_iter().map(count).sum();
        bar.set_position(resting);
        let credited = summary::grouped(sandbox.bank.with_ledger(|ledger| ledger.total()));
        bar.set_message(format!("到账 settled {} = {credited}", count("settled")));
        if is_at_rest(&figures, approvals, resting) && told::everybody_is(&*house.store).await? {
            bar.finish();
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Holds that end by themselves at a time are still under way.
fn is_at_rest(figures: &Figures, approvals: u64, resting: u64) -> bool {
    let count = |code: &str| figures.held_by_code.get(code).copied().unwrap_or_default();
    let looked = figures.oldest_case_due.is_none() && figures.outbox.0 == 0;
    resting >= approvals && count("bank_funds") == 0 && count("bank_window") == 0 && looked
}
