//! `zhida sandbox`: the simulated counterparties alone, until interrupted.

use crate::cli::SandboxArgs;
use std::process::ExitCode;
use zhida_sandbox::{FaultSettings, Ledger, MagicAmounts, MailboxSettings, Sandbox, SandboxSettings};

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
        mail: MailboxSettings { listen: arguments.mail, ..MailboxSettings::default() },
        ledger: arguments.ledger,
        token: arguments.token,
        // By hand faults are chosen with the last two digits of an amount; the README lists them.
        faults: FaultSettings { magic: MagicAmounts::On, ..FaultSettings::default() },
        ..SandboxSettings::default()
    };
    let sandbox = Sandbox::start(settings).await?;
    let url = sandbox.url();
    println!("模拟银行 simulated bank: {url} (Ctrl-C ends it)");
    println!("模拟短信渠道 simulated vendors of SMS: {url}/sms/aliyun, {url}/sms/tencent, {url}/sms/webhook");
    println!("模拟手机 simulated phones: {}", sandbox.sms.phone_url());
    println!("模拟邮件服务器 simulated mail server: {}", sandbox.mail.address());
    println!("模拟邮箱 its mailbox: {url}/mail");
    tokio::signal::ctrl_c().await?;
    sandbox.stop().await;
    Ok(ExitCode::SUCCESS)
}
