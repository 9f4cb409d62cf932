//! Unsubscribing with one click (RFC 8058): of digests alone. The address carries the notice and a key that only this database can
//! make, so that nobody unsubscribes another.

use super::{Essential, Notice, NoticeKind, NoticeRules};
use crate::patterns::Seal;

/// The key of a notice's address for unsubscribing.
#[must_use]
pub fn unsubscribe_key(notice_id: &str, seal: &Seal) -> String {
    seal.mark("unsubscribe", notice_id)
}

/// Whether an address with that key unsubscribes from the kind of this notice: the key is the notice's own, and what is told may be
/// turned off.
#[must_use]
pub fn unsubscribes(notice: &Notice, key: &str, seal: &Seal) -> bool {
    let may_be_turned_off = match notice.kind.traits().essential {
        Essential::Yes => false,
        Essential::No => true,
    };
    may_be_turned_off && unsubscribe_key(&notice.id, seal) == key
}

/// Where the recipient of a notice unsubscribes from its kind; none for what cannot be unsubscribed from, or without
/// `notices.public_url`.
#[must_use]
pub fn unsubscribe_url(notice: &Notice, rules: &NoticeRules, seal: &Seal) -> Option<String> {
    let url = rules.public_url.as_deref().filter(|_| notice.kind == NoticeKind::Digest)?;
    let (url, key) = (url.trim_end_matches('/'), unsubscribe_key(&notice.id, seal));
    Some(format!("{url}/v1/notices/unsubscribe/{}/{key}", notice.id))
}
