//! Mail: handing one to a server over SMTP ([`SmtpMail`]), and reading what comes back to a mailbox folder ([`MailboxFolder`]).
//! Nothing is decided or kept here: an outcome says what was seen on the wire, a receipt what a bounce says.

mod bounces;
mod dkim_key;
mod letter;
mod report;
mod session;
mod smtp;
mod smtp_codes;
mod wire;

pub use bounces::MailboxFolder;
pub use dkim_key::DkimKeyError;
pub use smtp::{ClearText, Dkim, MailSettings, MailSettingsError, Security, SmtpMail};
