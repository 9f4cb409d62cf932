//! Addresses of servers. They may carry a password, so they are printed without it. Nothing here connects.

use crate::form::{Secrecy, Setting};
use std::fmt;

/// Declares an address that begins in one of the given ways.
macro_rules! address {
    ($(#[$doc:meta])* $name:ident begins $beginnings:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The whole address, password included, for the one place that connects.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&without_password(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&without_password(&self.0))
            }
        }

        impl Setting for $name {
            const EXPECTED: &'static str = $expected;
            const SECRECY: Secrecy = Secrecy::Secret;

            fn from_text(text: &str) -> Option<Self> {
                let beginnings: &[&str] = &$beginnings;
                let known = beginnings.iter().any(|each| text.starts_with(each) && text.len() > each.len());
                let clean = text.len() <= 1000 && text.chars().all(|each| !each.is_control() && each != ' ');
                (known && clean).then(|| Self(text.to_owned()))
            }

            fn repeated(text: &str) -> String {
                scheme_only(text)
            }

            fn shown(&self) -> String {
                self.to_string()
            }
        }
    };
}

address!(
    /// The database: a SQLite file or a PostgreSQL server.
    DatabaseUrl begins ["sqlite:", "postgres://", "postgresql://"],
    "sqlite:FILE or postgres://…"
);
address!(
    /// An HTTP server.
    HttpUrl begins ["http://", "https://"],
    "http://… or https://…"
);
address!(
    /// A RabbitMQ server with its vhost.
    BrokerUrl begins ["amqp://", "amqps://"],
    "amqp://… or amqps://…"
);

impl DatabaseUrl {
    /// Which kind of database it is.
    #[must_use]
    pub fn kind(&self) -> DatabaseKind {
        if self.0.starts_with("sqlite:") { DatabaseKind::Sqlite } else { DatabaseKind::Postgres }
    }
}

/// The databases there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    /// One file, one worker process.
    Sqlite,
    /// A server, any number of worker processes.
    Postgres,
}

/// The queue: inside the process, or RabbitMQ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueUrl {
    /// The outbox table is the queue; one worker process.
    Embedded,
    /// A RabbitMQ server with its vhost.
    Broker(BrokerUrl),
}

impl Setting for QueueUrl {
    const EXPECTED: &'static str = "\"embedded\", amqp://… or amqps://…";
    const SECRECY: Secrecy = Secrecy::Secret;

    fn from_text(text: &str) -> Option<Self> {
        if text == "embedded" { Some(Self::Embedded) } else { BrokerUrl::from_text(text).map(Self::Broker) }
    }

    fn repeated(text: &str) -> String {
        scheme_only(text)
    }

    fn shown(&self) -> String {
        match self {
            Self::Embedded => "embedded".to_owned(),
            Self::Broker(url) => url.to_string(),
        }
    }
}

/// Hides whatever could be or hold a password. Errs towards hiding: where an address can be read in two ways, only its
/// scheme is shown.
fn without_password(url: &str) -> String {
    let plain = !url.contains(['@', '?']);
    match url.split_once("//") {
        _ if plain => url.to_owned(),
        Some((scheme, rest)) if !rest.contains('?') && rest.matches('@').count() == 1 => {
            let host = rest.split_once('@').map_or("", |(_, host)| host);
            format!("{scheme}//(hidden)@{host}")
        }
        Some((scheme, _)) => format!("{scheme}//(hidden)"),
        None => format!("{}:(hidden)", url.split(':').next().unwrap_or_default()),
    }
}

/// Of an address in an unknown form only the scheme is safe to repeat.
fn scheme_only(text: &str) -> String {
    match text.split_once(':') {
        Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => format!("{scheme}:(hidden)"),
        Some(_) | None => "(hidden)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failing unwrap is the finding

    use super::*;

    #[test]
    fn no_password_is_ever_printed() {
        for (text, shown) in [
            ("sqlite:zhida.db", "sqlite:zhida.db"),
            ("sqlite:zhida.db?key=geheim", "sqlite:(hidden)"),
            ("postgres://db:5432/zhida", "postgres://db:5432/zhida"),
            ("postgres://zhida:geheim@db/zhida", "postgres://(hidden)@db/zhida"),
            ("postgres://zhida:gehe@im@db/zhida", "postgres://(hidden)"),
            ("postgres://zhida:ge?heim@db/zhida", "postgres://(hidden)"),
            ("postgres://db/zhida?password=gehe@im", "postgres://(hidden)"),
        ] {
            let url = DatabaseUrl::from_text(text).unwrap();
            assert_eq!((url.to_string().as_str(), format!("{url:?}").as_str()), (shown, shown));
            assert_eq!(url.expose(), text);
        }
    }

    #[test]
    fn only_known_schemes_are_taken() {
        assert_eq!(QueueUrl::from_text("embedded"), Some(QueueUrl::Embedded));
        assert_eq!(QueueUrl::from_text("amqps://u:p@h/v").unwrap().shown(), "amqps://(hidden)@h/v");
        for wrong in ["", "Embedded", "kafka://h", "amqp://"] {
            assert_eq!(QueueUrl::from_text(wrong), None, "{wrong}");
        }
        for wrong in ["", "mysql://h/d", "zhida.db", "sqlite:", "postgres:// h"] {
            assert_eq!(DatabaseUrl::from_text(wrong), None, "{wrong}");
        }
        assert_eq!(DatabaseUrl::from_text("postgresql://h/d").unwrap().kind(), DatabaseKind::Postgres);
        assert_eq!(DatabaseUrl::from_text("sqlite::memory:").unwrap().kind(), DatabaseKind::Sqlite);
    }
}
