//! Acts of supervision as the contract writes them, turned into those of the core.

use crate::read::ActParts;
use zhida_core::ids::OfficerId;
use zhida_core::patterns::Judgement;
use zhida_core::supervision::{NewOrder, Occasion, SupervisionAct};
use zhida_schemas::parts::Count;
use zhida_schemas::supervision_acts::{
    self, Acknowledge, CloseOrder, IssueOrder, JudgePattern, ReplyOrder, ReturnOrder,
};
use zhida_schemas::text::Id;

pub(crate) fn acknowledge(data: &Acknowledge) -> ActParts<'_> {
    let act = SupervisionAct::Acknowledge { alert_id: text(&data.alert_id), working_hours: data.working_hours.get() };
    (&data.operator_id, data.at, act.into(), &data.reason)
}

pub(crate) fn issue(data: &IssueOrder) -> ActParts<'_> {
    let id = text(&data.occasion_id);
    let occasion = match data.occasion {
        supervision_acts::Occasion::Alert => Occasion::Alert(id),
        supervision_acts::Occasion::Pattern => Occasion::Pattern(id),
    };
    let new =
        NewOrder { occasion, addressee: OfficerId(text(&data.addressee_id)), working_days: days(data.working_days) };
    (&data.operator_id, data.at, SupervisionAct::IssueOrder(new).into(), &data.demand)
}

pub(crate) fn reply(data: &ReplyOrder) -> ActParts<'_> {
    let measure = data.measure.as_str().to_owned();
    let act = SupervisionAct::ReplyOrder { order_id: text(&data.order_id), measure };
    (&data.operator_id, data.at, act.into(), &data.cause)
}

pub(crate) fn send_back(data: &ReturnOrder) -> ActParts<'_> {
    let working_days = days(data.working_days);
    let act = SupervisionAct::ReturnOrder { order_id: text(&data.order_id), working_days };
    (&data.operator_id, data.at, act.into(), &data.reason)
}

pub(crate) fn close(data: &CloseOrder) -> ActParts<'_> {
    let act = SupervisionAct::CloseOrder { order_id: text(&data.order_id) };
    (&data.operator_id, data.at, act.into(), &data.reason)
}

pub(crate) fn judge(data: &JudgePattern) -> ActParts<'_> {
    let judgement = match data.judgement {
        supervision_acts::Judgement::LookedAt => Judgement::LookedAt,
        supervision_acts::Judgement::Explained => Judgement::Explained,
        supervision_acts::Judgement::Confirmed => Judgement::Confirmed,
    };
    let act = SupervisionAct::JudgePattern { pattern_id: text(&data.pattern_id), judgement };
    (&data.operator_id, data.at, act.into(), &data.reason)
}

fn text(id: &Id) -> String {
    id.as_str().to_owned()
}

fn days(count: Count) -> u16 {
    u16::try_from(count.get()).unwrap_or(u16::MAX)
}
