//! `zhida sandbox`: the simulated counterparties alone, until interrupted.

use crate::cli::SandboxArgs;
use std::process::ExitCode;
use zhida_sandbox::{FaultSettings, Ledger, MagicAmounts, Sandbox, SandboxSettings};

/// Runs the sandbox, or prints a ledger.
pub(crate) async fn run(arguments: SandboxArgs) -> anyhow::Result<ExitCode> {
    if let (true, Some(path)) = (arguments.print, &arguments.ledger) {
        let ledger = Ledger::read(path)?;
        for entry in ledger.entries() {
            println!("{}", serde_json::to_string(entry)?);
        }
        eprintln!("{} orders, {} credited", ledger.entries().len(), ledger.total());
        return Ok(ExitCode::SUCCESS);
    }
    let settings = SandboxSettings {
        listen: arguments.listen,
        ledger: arguments.ledger,
        token: arguments.token,
        // By hand faults are chosen with the last two digits of an amount; the README lists them.
        faults: FaultSettings { magic: MagicAmounts::On, ..FaultSettings::default() },
        ..SandboxSettings::default()
    };
    let sandbox = Sandbox::start(settings).await?;
    eprintln!("模拟银行 simulated bank at {} — Ctrl-C ends it", sandbox.url());
    eprintln!("模拟手机 simulated phones at {}", sandbox.sms.phone_url());
    eprintln!("模拟邮箱 simulated mail server at {}, its mailbox at {}/mail", sandbox.mail.address(), sandbox.url());
    tokio::signal::ctrl_c().await?;
    sandbox.stop().await;
    Ok(ExitCode::SUCCESS)
}
