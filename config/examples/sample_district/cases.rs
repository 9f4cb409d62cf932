//! The applications that are not approved, and what supervision has to find: the month's bad cases, each with its truth beside it,
//! and the ordinary ones around them (rejected with a reason, declined, withdrawn, waiting in time), in which nothing is to be found.
//!
//! A case is written with `@1` for the first officer of the policy's department, `@0` for its head, `@J1` for an officer of the
//! department that reviews beside it, and `#1` for an officer's id alone.

use super::make::{Numbers, Policy};
use super::month::{Applicant, Month};
use super::ordinary::{At, History};

/// Policies that nobody has ever applied for, although they are open: on paper.
pub(crate) const ON_PAPER: [usize; 4] = [24, 48, 74, 132];
/// Policies of the cases below.
const TAKEN: [usize; 14] = [16, 20, 36, 40, 52, 60, 68, 76, 80, 104, 109, 113, 128, 144];
/// Four enterprises with one mobile, three with one mail address: somebody applies for all of them.
const ONE_MOBILE: [usize; 4] = [8, 44, 88, 122];
const ONE_EMAIL: [usize; 3] = [12, 56, 136];
/// Enterprises that were awarded something and apply under one more policy, with their own mobile and mail, as they may.
const ONCE_MORE: [(usize, usize); 3] = [(92, 5), (116, 18), (148, 102)];

/// Writes all of them.
pub(crate) fn write(month: &mut Month, policies: &[Policy], awarded: &[usize]) {
    stalled(month);
    zombie(month);
    asked_twice(month);
    sent_to_and_fro(month);
    overtaken(month);
    without_a_reason(month);
    slow_officer(month);
    ends_soon(month);
    ordinary(month, policies, awarded);
    month.pattern("shared_mobile", "", &ONE_MOBILE.map(|policy| month.under(policy)).concat());
    month.pattern("shared_email", "", &ONE_EMAIL.map(|policy| month.under(policy)).concat());
    month.pattern("instant_approval", "A-2026-000003", &["A-2026-000003".to_owned()]);
    month.pattern("instant_approval", "A-2026-000146", &["A-2026-000146".to_owned()]);
    for policy in ON_PAPER {
        month.pattern("policy_unused", &format!("P-{policy:03}"), &[]);
        month.health("paper", policy);
    }
    // Closed at the end of 2024, and applied for all the same. The other two closed policies are over, and nobody says otherwise.
    let late = month.awarded_under("P-057");
    month.pattern("listed_after_expiry", "P-057", &late);
    month.health("expired", 57);
}

/// One department says nothing: in joint reviews, at the door, at the last step.
fn stalled(month: &mut Month) {
    for (policy, day, silent) in [(20, 7, "D-IND"), (40, 8, "D-FIN"), (80, 6, "D-COM")] {
        let next = day - 1;
        let id = month.case(
            policy,
            &format!(
                "-{day}T09:20 submitted ordinary; -{day}T10:30 accepted @1; -{day}T10:40 assigned first @2; \
                 -{day}T15:10 decided first @2 approve; -{day}T15:30 assigned joint @3; -{day}T15:30 assigned joint @J2; \
                 -{next}T11:00 decided joint @3 approve"
            ),
        );
        month.overdue(&id, &format!("step:joint:{silent}:1"));
        month.overdue(&id, "review:1");
    }
    let id = month.case(76, "-5T10:05 submitted ordinary");
    month.overdue(&id, "acceptance:1");
    month.overdue(&id, "review:1");
    let id = month.case(
        68,
        "-6T09:40 submitted ordinary; -6T10:20 accepted @3; -6T10:30 assigned first @3; -6T14:50 decided first @3 approve; \
         -6T16:00 assigned final @1",
    );
    month.overdue(&id, "step:final:D-DRC:1");
    month.overdue(&id, "review:1");
}

/// Three applications under one policy, and for weeks nothing moves: one lies with an officer, one at the door, one was accepted and
/// given to nobody.
fn zombie(month: &mut Month) {
    let given = "-15T09:15 submitted ordinary; -15T11:10 accepted @1; -15T11:20 assigned first @1";
    let at_the_door = "-14T14:25 submitted ordinary";
    let accepted = "-14T15:05 submitted ordinary; -14T16:00 accepted @2";
    for (history, lies) in [(given, Some("step:first:D-IND:1")), (at_the_door, Some("acceptance:1")), (accepted, None)]
    {
        let id = month.case(16, history);
        if let Some(clock) = lies {
            month.overdue(&id, clock);
        }
        month.overdue(&id, "review:1");
    }
    month.health("zombie", 16);
}

/// What is missing is to be asked for once.
fn asked_twice(month: &mut Month) {
    let on_notice = "-12T09:30 submitted ordinary; -12T10:40 accepted @1; -12T11:00 assigned first @1 3; \
                     -11T10:10 supplement_requested @1 参展合同; -9T10:15 supplement_received; \
                     -8T11:20 supplement_requested @1 展位费发票; -5T10:30 supplement_received; -5T15:10 decided first @1 approve; \
                     -5T15:20 assigned final @2; -5T16:20 decided final @2 approve; -5T16:40 publicity_started now+30h";
    let waiting = "-5T09:50 submitted ordinary; -5T10:30 accepted @2; -5T14:10 assigned first @2 3; \
                   -4T09:40 supplement_requested @2 专利证书; -3T10:20 supplement_received; -2T11:05 supplement_requested @2 缴费凭证";
    for (policy, history) in [(52, on_notice), (104, waiting)] {
        let id = month.case(policy, history);
        month.finding("supplement_twice", &id);
        month.pattern("second_supplement", &id, std::slice::from_ref(&id));
    }
}

/// Sent back between two departments three times: one lies there since, one was rejected in time with a reason.
fn sent_to_and_fro(month: &mut Month) {
    let lying = month.case(
        60,
        "-8T09:05 submitted ordinary; -8T09:50 accepted @1; -8T10:00 assigned first @2; -8T14:40 decided first @2 approve; \
         -8T15:00 assigned joint @J1; -7T11:00 decided joint @J1 return D-COM 请补充首店认定依据; -7T11:20 assigned first @2; \
         -7T15:40 decided first @2 approve; -7T16:00 assigned joint @J1; -6T11:10 decided joint @J1 return D-COM 依据与申报年度不符; \
         -6T14:05 assigned first @2; -6T15:30 decided first @2 approve; -6T16:00 assigned joint @J1; \
         -5T10:40 decided joint @J1 return D-COM 请主管部门明确意见; -5T11:10 assigned first @2",
    );
    month.overdue(&lying, "step:first:D-COM:4");
    month.overdue(&lying, "review:1");
    let rejected = month.case(
        128,
        "-12T09:00 submitted ordinary; -12T09:20 accepted @1; -12T09:30 assigned first @2; -12T10:30 decided first @2 approve; \
         -12T10:40 assigned verification @J1; -12T14:30 decided verification @J1 return D-TAL 实训人数无法核实; \
         -12T14:40 assigned first @2; -12T16:10 decided first @2 approve; -12T16:20 assigned verification @J1; \
         -11T09:40 decided verification @J1 return D-TAL 名单缺身份信息; -11T09:50 assigned first @2; \
         -11T11:00 decided first @2 approve; -11T11:10 assigned verification @J1; \
         -11T15:00 decided verification @J1 return D-TAL 同一批学员已由他处申报; -11T15:10 assigned first @2; \
         -11T16:40 decided first @2 reject 同一批学员已享受实训补助; -11T17:00 rejected #2 同一批学员已享受实训补助",
    );
    for id in [lying, rejected] {
        month.pattern("ping_pong", &id, std::slice::from_ref(&id));
    }
}

/// An application waits while a later one of the same policy is approved. Beside it, under another policy, one that waits for its
/// own enterprise while a later one is approved: as it should be.
fn overtaken(month: &mut Month) {
    let id = month.case(
        13,
        "-9T09:10 submitted ordinary; -9T10:00 accepted @2; -9T10:10 assigned first @2; -9T15:20 decided first @2 approve; \
         -9T15:30 assigned final @3",
    );
    month.overdue(&id, "step:final:D-IND:1");
    month.overdue(&id, "review:1");
    month.pattern("queue_jump", &id, &[id.clone(), "A-2026-000181".to_owned()]);
    month.health("favour", 13);
    month.case(
        58,
        "-5T09:25 submitted ordinary; -5T10:45 accepted @2; -4T09:30 assigned first @2 3; \
         -3T10:00 supplement_requested @2 入统证明",
    );
    // The enterprise withdrew its first application and was awarded its second: one award, not two.
    month.case_of(
        Applicant::Awarded(205),
        38,
        "-6T09:35 submitted ordinary; -6T10:50 accepted @1; -6T11:00 assigned first @1; -6T16:15 withdrawn 企业 申报表填写有误，重新申报",
    );
}

/// Not approved, and nobody says why.
fn without_a_reason(month: &mut Month) {
    for (policy, history) in [
        (
            36,
            "-5T09:10 submitted ordinary; -5T09:40 accepted @1; -5T09:50 assigned first @2; -5T15:30 decided first @2 reject; \
             -5T16:10 rejected #2 无",
        ),
        (113, "-7T14:20 submitted ordinary; -7T16:10 declined @3 无"),
    ] {
        let id = month.case(policy, history);
        month.pattern("refusal_without_reason", &id, std::slice::from_ref(&id));
    }
}

/// 36 applications under one policy, all on public notice now: one officer took a day for what the others, and the head, do in two hours,
/// and was in time all the same.
fn slow_officer(month: &mut Month) {
    let mut slow = Vec::new();
    for place in 0..36 {
        let mut numbers = Numbers(place as u64 + 7_000);
        let officer = place % 4;
        let minutes = if officer == 2 { 430 + numbers.below(40) } else { 80 + numbers.below(60) } as i64;
        let submitted = At::day(8, place as i64 * 3);
        let given = submitted.later(40);
        let decided = given.later(minutes);
        let mut history = History::default();
        history.add(submitted, "submitted ordinary");
        history.add(submitted.later(30), "accepted @3");
        history.add(given, format!("assigned first @{officer}"));
        history.add(decided, format!("decided first @{officer} approve"));
        history.add(At::day(6, 60), "publicity_started now+30h");
        let id = month.case(109, &history.text());
        if officer == 2 {
            slow.push(id);
        }
    }
    month.pattern("officer_times", "O-802", &slow);
}

/// A supplement that was asked for forty hours ago and is expected within ten: due soon, on whatever day.
fn ends_soon(month: &mut Month) {
    let id = month.case(
        144,
        "-3T09:15 submitted ordinary; -3T10:05 accepted @2; -3T10:15 assigned first @2 3; \
         now-40h supplement_requested @2 平台经营许可 now+10h",
    );
    month.due_soon(&id, "supplement:1");
}

/// One application under each open policy that has no award and no case of its own, so that none of them is on paper.
fn ordinary(month: &mut Month, policies: &[Policy], awarded: &[usize]) {
    let waits = |number: usize| !awarded.contains(&number) && !ON_PAPER.contains(&number) && !TAKEN.contains(&number);
    for (place, policy) in policies.iter().filter(|one| !one.is_closed() && waits(one.number)).enumerate() {
        let history = ordinary_history(place, policy);
        let applicant = match ONCE_MORE.iter().find(|(number, _)| *number == policy.number) {
            Some((_, award)) => Applicant::Awarded(*award),
            None if ONE_MOBILE.contains(&policy.number) => Applicant::WithMobile("+8613800000901"),
            None if ONE_EMAIL.contains(&policy.number) => Applicant::WithEmail("agency@example.com"),
            None => Applicant::New,
        };
        month.case_of(applicant, policy.number, &history);
    }
}

fn ordinary_history(place: usize, policy: &Policy) -> String {
    let (officer, other) = (place % 3 + 1, (place + 1) % 3 + 1);
    let start = At::day(4 + place as i64 % 14, place as i64 * 7 % 60);
    let mut history = History::default();
    let mut submitted = |at: At| history.add(at, "submitted ordinary");
    let runs_on = !policy.is_joint() && !policy.is_quick();
    match place % 6 {
        0 | 3 => {
            submitted(start);
            history.add(start.later(45), format!("accepted @{officer}"));
            history.add(start.later(60), format!("assigned first @{officer}"));
            let why = ["支出凭证不在申报年度内", "项目未在本区备案", "同一事项已获市级补助"][place / 3 % 3];
            history.add(start.later(170), format!("decided first @{officer} reject {why}"));
            history.add(start.later(200), format!("rejected #{officer} {why}"));
        }
        1 => {
            submitted(start);
            history.add(start.later(120), format!("declined @{officer} 企业注册地不在本区"));
        }
        2 if runs_on => {
            let start = At::day(1, place as i64 * 7 % 60);
            submitted(start);
            history.add(start.later(60), format!("accepted @{officer}"));
            history.add(start.later(90), format!("assigned first @{officer} 3"));
        }
        4 => {
            submitted(start);
            history.add(start.later(50), format!("accepted @{officer}"));
            history.add(start.later(70), format!("assigned first @{officer}"));
            history.add(start.later(300), "withdrawn 企业 项目计划调整");
        }
        _ => {
            let start = At::day(2 + place as i64 % 3, place as i64 * 7 % 60);
            submitted(start);
            history.add(start.later(30), format!("accepted @{officer}"));
            history.add(start.later(40), format!("assigned first @{officer}"));
            history.add(start.later(150), format!("decided first @{officer} approve"));
            history.add(start.later(160), format!("assigned final @{other}"));
            history.add(start.later(260), format!("decided final @{other} approve"));
            history.add(start.later(280), "publicity_started now+30h");
        }
    }
    history.text()
}
