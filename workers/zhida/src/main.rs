//! The binary: verbs and wiring. What it decides is which parts run together; everything else is decided elsewhere.

mod cli;
mod demo;
#[cfg(test)]
mod documents;
mod figures;
mod notice_rules;
mod notice_wiring;
mod opening;
mod restore_watch;
mod roles;
mod rules;
mod sandbox_verb;
mod serve;
mod verbs;
mod wiring;

use clap::Parser;
use cli::{AlarmsVerb, CalendarVerb, Cli, ClockVerb, ConfigVerb, NoticesVerb, OrganisationVerb, PoliciesVerb, Verb};
use std::process::ExitCode;
use wiring::Context;
use zhida_config::{QueueUrl, Settings};
use zhida_monitoring::logging::{self, LogForm};

/// Wrong usage, as the contract numbers it.
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("zhida: the system gives no threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("zhida: {}", sentence(&error));
            if error.is::<verbs::Usage>() { ExitCode::from(WRONG_USAGE) } else { ExitCode::FAILURE }
        }
    }
}

/// An error with its causes; one that repeats the sentence before it is left out.
fn sentence(error: &anyhow::Error) -> String {
    let mut sentence = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if sentence.is_empty() {
            sentence = cause;
        } else if !sentence.contains(&cause) {
            sentence = format!("{sentence}: {cause}");
        }
    }
    sentence
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let settings = load(&cli)?;
    let verb = match cli.verb {
        Verb::Serve(arguments) => {
            logging::init(serve::log_form(&settings), settings.logging.level.word())?;
            return serve::run(settings, &arguments.only).await;
        }
        other => other,
    };
    logging::init(LogForm::Compact, "warn")?;
    match verb {
        Verb::Demo(arguments) => demo::run(arguments).await,
        Verb::Sandbox(arguments) => sandbox_verb::run(arguments).await,
        Verb::Sign(arguments) => verbs::sign::run(&arguments),
        Verb::Calendar(CalendarVerb::Export { year }) => verbs::calendar::export(&settings, year).await,
        Verb::Calendar(CalendarVerb::Workdays { from, to, add }) => {
            verbs::calendar::workdays(&settings, from, to, add).await
        }
        Verb::Schema { name } => verbs::schema::run(name.as_deref()),
        Verb::Config(verb) => config(&settings, &verb),
        Verb::Migrate => migrate(&settings).await,
        Verb::Notices(NoticesVerb::Templates(verb)) => match verbs::notice_templates::without_store(&settings, &verb) {
            Some(done) => done,
            None => verbs::notice_templates::run(&Context::open(settings).await?, &verb).await,
        },
        verb => with_store(settings, verb).await,
    }
}

async fn with_store(settings: Settings, verb: Verb) -> anyhow::Result<ExitCode> {
    let context = Context::open(settings).await?;
    match verb {
        Verb::Submit { file } => verbs::submit::run(&context, &file).await,
        Verb::Policies(PoliciesVerb::Import { file, dry_run }) => {
            verbs::policies::import(&context, &file, dry_run).await
        }
        Verb::Policies(PoliciesVerb::List { json }) => verbs::policies::list(&context, json).await,
        Verb::Policies(PoliciesVerb::Health { json }) => verbs::patterns::health(&context, json.into()).await,
        Verb::Organisation(OrganisationVerb::Import { file, dry_run }) => {
            verbs::organisation::import(&context, &file, dry_run).await
        }
        Verb::Organisation(OrganisationVerb::List { json }) => verbs::organisation::list(&context, json).await,
        Verb::Calendar(CalendarVerb::Import { file, dry_run, json }) => {
            verbs::calendar_import::run(&context, &file, dry_run, json).await
        }
        Verb::Trace { application_id, json } => verbs::trace::run(&context, &application_id, json).await,
        Verb::Payouts(verb) => verbs::payouts::run(&context, &verb).await,
        Verb::Clock(ClockVerb::Explain { application_id, clock, json }) => {
            verbs::clock::explain(&context, &application_id, clock.as_deref(), json).await
        }
        Verb::Alerts(verb) => verbs::alerts::run(&context, &verb).await,
        Verb::Orders(verb) => verbs::orders::run(&context, &verb).await,
        Verb::Patterns(verb) => verbs::patterns::run(&context, &verb).await,
        Verb::Digest(verb) => verbs::digest::run(&context, &verb).await,
        Verb::Notices(verb) => verbs::notices::run(&context, &verb).await,
        Verb::Quarantine(verb) => verbs::quarantine::run(&context, &verb).await,
        Verb::Operator(verb) => verbs::operator::run(&context, &verb).await,
        Verb::Alarms(AlarmsVerb::List { kind, limit, json }) => {
            verbs::alarms::list(&context, kind.as_deref(), limit, json).await
        }
        Verb::Recover(arguments) if arguments.not_restored => verbs::recover::not_restored(&context).await,
        Verb::Recover(arguments) => verbs::recover::run(&context, arguments.reason.as_deref()).await,
        Verb::Demo(_)
        | Verb::Serve(_)
        | Verb::Sandbox(_)
        | Verb::Sign(_)
        | Verb::Calendar(CalendarVerb::Workdays { .. } | CalendarVerb::Export { .. })
        | Verb::Schema { .. }
        | Verb::Config(_)
        | Verb::Migrate => Ok(ExitCode::from(WRONG_USAGE)),
    }
}

async fn migrate(settings: &Settings) -> anyhow::Result<ExitCode> {
    opening::migrate(settings).await?;
    println!("已就绪 ready: {}", settings.database.url);
    if let QueueUrl::Broker(url) = &settings.queue.url {
        println!("已就绪 ready: {url} (exchanges and queues)");
    }
    Ok(ExitCode::SUCCESS)
}

fn config(settings: &Settings, verb: &ConfigVerb) -> anyhow::Result<ExitCode> {
    verbs::config::run(settings, verb)
}

fn load(cli: &Cli) -> anyhow::Result<Settings> {
    let mut flags = Vec::with_capacity(cli.set.len());
    for flag in &cli.set {
        let Some((key, value)) = flag.split_once('=') else {
            return Err(verbs::Usage(format!("--set {flag}: write KEY=VALUE, as in --set bank.batch_max=50")).into());
        };
        flags.push((key.to_owned(), value.to_owned()));
    }
    // Only our own names: another program's variable that is no UTF-8 is none of our business.
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let ours = environment.filter(|(name, _)| name.starts_with("ZHIDA_"));
    Ok(Settings::load(&flags, ours, cli.config.as_deref())?)
}
