//! Postfix for tests, as `tests/servers/postfix` starts it: a mail server that is not ours. Not a fake.

use crate::servers::PrivateServer;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A Postfix of this test alone: an independent mail server, which takes mails in, delivers them into Maildirs, and returns
/// what it cannot deliver. Stopped and removed when dropped.
pub struct MailServer {
    _server: PrivateServer,
    facts: HashMap<String, String>,
}

impl MailServer {
    /// Starts one with this certificate (PEM files). What is for `next.test` it hands to `next_hop`, a port of this machine.
    /// None where Postfix cannot run, which is said.
    pub fn start(certificate: &Path, key: &Path, next_hop: u16) -> Option<Self> {
        let paths = [certificate, key].map(|path| path.to_str().expect("a path in UTF-8"));
        let started = PrivateServer::try_start("postfix", &[paths[0], paths[1], &next_hop.to_string()]);
        match started {
            Ok((server, facts)) => Some(Self { _server: server, facts }),
            Err(why) => {
                println!("skipped, {why}");
                None
            }
        }
    }

    /// Where it insists on STARTTLS.
    pub fn port(&self) -> u16 {
        self.port_named("port")
    }

    /// Where it begins with TLS.
    pub fn tls_port(&self) -> u16 {
        self.port_named("tls_port")
    }

    /// Where it offers no STARTTLS.
    pub fn clear_port(&self) -> u16 {
        self.port_named("clear_port")
    }

    /// The Maildir of somebody: `finance` (`finance@example.test`) or `notice` (`notice@district.test`).
    pub fn maildir(&self, name: &str) -> PathBuf {
        Path::new(&self.facts["mail"]).join(name)
    }

    fn port_named(&self, name: &str) -> u16 {
        self.facts[name].parse().expect("a port")
    }
}
