//! Which requests go together: those of one kind for one recipient, where the kind is grouped and enough have gathered.

use super::Asked;
use crate::notice::rules::NoticeRules;
use crate::notice::{Grouping, NoticeKind};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Requests that are dealt with together.
pub(super) enum Group {
    /// Not yet: more may come until then.
    Waits(Timestamp),
    /// Now: one, or several that become one notice.
    Ready(Vec<Asked>),
}

/// Groups, in the order in which their first requests came.
pub(super) fn groups(asked: Vec<Asked>, rules: &NoticeRules, now: Timestamp) -> Vec<Group> {
    let mut alone = Vec::new();
    let mut together: BTreeMap<(NoticeKind, String), Vec<Asked>> = BTreeMap::new();
    for one in asked {
        match one.request.kind.traits().grouping {
            Grouping::Alone => alone.push(one),
            Grouping::Together => {
                let key = (one.request.kind, one.request.recipient.clone());
                together.entry(key).or_default().push(one);
            }
        }
    }
    let mut groups: Vec<Group> = alone.into_iter().map(|one| Group::Ready(vec![one])).collect();
    for mut gathered in together.into_values() {
        gathered.sort_by(|one, other| (one.asked_at, &one.request).cmp(&(other.asked_at, &other.request)));
        // The window begins with the first: who keeps coming does not keep it open.
        let ends = gathered.first().and_then(|first| first.asked_at.checked_add(rules.group).ok());
        match ends.filter(|ends| *ends > now) {
            Some(ends) => groups.push(Group::Waits(ends)),
            None if usize::try_from(rules.group_from).is_ok_and(|from| gathered.len() >= from.max(2)) => {
                groups.push(Group::Ready(gathered));
            }
            None => groups.extend(gathered.into_iter().map(|one| Group::Ready(vec![one]))),
        }
    }
    groups
}
