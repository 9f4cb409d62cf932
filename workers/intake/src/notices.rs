//! Acts about notices as the contract writes them, turned into those of the core.

use crate::read::ActParts;
use zhida_core::notice::{NoticeAct, NoticeKind, Preference};
use zhida_core::ports::notices::Wish;
use zhida_schemas::notice_acts::{self, PreferNotice, ResendNotice};
use zhida_schemas::operator::SwitchAct;

pub(crate) fn switch(data: &SwitchAct, act: NoticeAct) -> ActParts<'_> {
    (&data.operator_id, data.at, act.into(), &data.reason)
}

pub(crate) fn resend(data: &ResendNotice) -> ActParts<'_> {
    let act = NoticeAct::Resend { notice_id: data.notice_id.as_str().to_owned() };
    (&data.operator_id, data.at, act.into(), &data.reason)
}

/// Says what is wrong with its kind, where it is none.
pub(crate) fn prefer(data: &PreferNotice) -> Result<ActParts<'_>, String> {
    let kind = data.kind.as_str();
    let kind = NoticeKind::from_code(kind).ok_or_else(|| {
        let all: Vec<&str> = NoticeKind::ALL.iter().map(|kind| kind.code()).collect();
        format!("{kind} is no kind of notice; use one of {}", all.join(", "))
    })?;
    let wish = match data.wish {
        notice_acts::Wish::On => Wish::Told,
        notice_acts::Wish::Off => Wish::NotTold,
    };
    let preference = Preference { recipient: data.recipient_id.as_str().to_owned(), kind, wish };
    Ok((&data.operator_id, data.at, NoticeAct::Prefer(preference).into(), &data.reason))
}
