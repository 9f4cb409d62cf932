//! Whether `serve` can honour the settings as they stand together. The form of each one was checked when it was read.

use crate::address::{DatabaseKind, QueueUrl};
use crate::problem::Origin;
use crate::sections::{BankKind, Environment};
use crate::settings::Settings;

impl Settings {
    /// Every reason why `serve` refuses to start, each one sentence with its remedy; empty when it may start.
    #[must_use]
    pub fn check_for_serve(&self) -> Vec<String> {
        let mut refusals = Vec::new();
        if self.district.id.is_none() {
            refusals.push(
                "district.id is missing: set the short name of the district, 2 to 16 characters out of a-z, 0-9 and -"
                    .to_owned(),
            );
        }
        self.check_bank(&mut refusals);
        self.check_limits(&mut refusals);
        self.check_unread(&mut refusals);
        self.check_notices(&mut refusals);
        if self.queue.url == QueueUrl::Embedded && self.database.url.kind() == DatabaseKind::Postgres {
            refusals.push(
                "queue.url = \"embedded\" rings inside one process only and database.url is PostgreSQL: set queue.url to the broker, or use SQLite"
                    .to_owned(),
            );
        }
        match self.environment {
            Environment::Live => self.check_live(&mut refusals),
            Environment::Sandbox => {}
        }
        let hours = &self.payout.at_risk_hours;
        if !hours.is_sorted_by(|one, next| one < next) || hours.last().is_some_and(|last| *last >= 24) {
            refusals.push(format!(
                "payout.at_risk_hours = {hours:?} cannot be used: give ascending hours below 24, such as [12, 18, 23]"
            ));
        }
        refusals
    }

    /// Every trusted key that the environment does not allow, one sentence each. Whatever opens the door asks, not only `serve`.
    #[must_use]
    pub fn check_trusted_keys(&self) -> Vec<String> {
        match self.environment {
            Environment::Sandbox => Vec::new(),
            Environment::Live => {
                let unbounded = self.trusted_keys.iter().filter(|(_, key)| key.is_unbounded());
                unbounded
                    .map(|(name, _)| {
                        format!(
                            "intake.trusted_keys.{name} is trusted for every source or every type, which only environment = \"sandbox\" allows: \
                             give it sources and types"
                        )
                    })
                    .collect()
            }
        }
    }

    /// Nothing would ever be sent, and nobody would be told why.
    fn check_limits(&self, refusals: &mut Vec<String>) {
        let limits = &self.limits;
        let all =
            [("per_hour", limits.per_hour), ("per_day", limits.per_day), ("per_fund_per_day", limits.per_fund_per_day)];
        for (name, _) in all.into_iter().filter(|(_, limit)| limit.is_some_and(|limit| limit.fen == 0)) {
            refusals.push(format!(
                "limits.{name} = \"0.00\" would let nothing be sent: leave it out, or stop sending with `zhida payouts stop`"
            ));
        }
    }

    /// Settings that only links to come will read: whoever sets one expects something that does not happen.
    fn check_unread(&self, refusals: &mut Vec<String>) {
        const TO_COME: [(&str, &str); 4] = [
            ("bank.push_token", "taking in what the bank pushes"),
            ("bank.out_dir", "the file link"),
            ("bank.in_dir", "the file link"),
            ("bank.answer_by_minutes", "the file link"),
        ];
        for (key, what) in TO_COME {
            let row = self.show().iter().find(|row| row.key == key);
            if row.is_some_and(|row| !matches!(row.origin, Origin::Default | Origin::NotSet)) {
                refusals.push(format!("{key} is set, and {what} is not built yet in this version: leave it out"));
            }
        }
    }

    fn check_bank(&self, refusals: &mut Vec<String>) {
        match self.bank.kind {
            None => refusals.push(
                "bank.kind is missing: set it to \"iso20022-http\" and bank.url to the bank's address".to_owned(),
            ),
            Some(BankKind::Files) => refusals.push(
                "bank.kind = \"iso20022-files\" is not built yet in this version: use \"iso20022-http\"".to_owned(),
            ),
            Some(BankKind::Http) if self.bank.url.is_none() => {
                refusals.push(
                    "bank.url is missing: with bank.kind = \"iso20022-http\" set it to http://… or https://…"
                        .to_owned(),
                );
            }
            Some(BankKind::Http) => self.check_bank_certificates(refusals),
        }
        // A claim must outlive its call, or two workers could call for the same batch.
        let (lease, timeout) = (self.bank.claim_lease_seconds, self.bank.timeout_seconds);
        if lease < timeout.saturating_mul(2) {
            refusals.push(format!(
                "bank.claim_lease_seconds = {lease} is too short: set it to at least twice bank.timeout_seconds ({timeout})"
            ));
        }
        let (first, max) = (self.bank.enquiry_first_seconds, self.bank.enquiry_max_seconds);
        if first > max {
            refusals.push(format!(
                "bank.enquiry_first_seconds = {first} is above bank.enquiry_max_seconds = {max}: lower the first or raise the second"
            ));
        }
    }

    /// Whether the files can be read shows when the link is set up.
    fn check_bank_certificates(&self, refusals: &mut Vec<String>) {
        let bank = &self.bank;
        let given = [
            ("client_certificate_file", &bank.client_certificate_file),
            ("client_key_file", &bank.client_key_file),
            ("ca_file", &bank.ca_file),
        ];
        if let [(one, Some(_)), (other, None), _] | [(other, None), (one, Some(_)), _] = given {
            refusals.push(format!("bank.{one} is set and bank.{other} is not: a certificate and its key go together"));
        }
        let plain = bank.url.as_ref().is_some_and(|url| !url.expose().starts_with("https://"));
        if let (true, Some((name, _))) = (plain, given.iter().find(|(_, file)| file.is_some())) {
            refusals.push(format!("bank.{name} counts for https only: write bank.url as https://…, or leave it out"));
        }
    }

    /// What is convenient in a sandbox and dangerous where money is real.
    fn check_live(&self, refusals: &mut Vec<String>) {
        if self.http.api_token.is_some() {
            refusals.push(
                "http.api_token is for environment = \"sandbox\" only: make a token with `zhida config token` and put it under http.api_tokens"
                    .to_owned(),
            );
        }
        if self.bank.url.as_ref().is_some_and(|url| is_plain_and_elsewhere(url.expose())) {
            refusals.push(
                "bank.url is plain http:// to another machine, where anybody on the way may read and change payments: write https://…, \
                 or use environment = \"sandbox\" for a simulated bank"
                    .to_owned(),
            );
        }
        refusals.extend(self.check_trusted_keys());
    }
}

/// What is sent there would leave this machine unencrypted.
pub(crate) fn is_plain_and_elsewhere(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    !loopback && !host.eq_ignore_ascii_case("localhost")
}
