//! Findings: where the events of an application contradict each other or leave something out. A finding accuses nobody and
//! changes nothing; it stands in the case file until the events explain it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// When, by the event that shows it.
    pub at: Timestamp,
    /// What.
    pub code: FindingCode,
    /// About what: a step, a department, a cause; may be empty.
    pub about: String,
}

macro_rules! findings {
    ($($(#[$doc:meta])* $name:ident = $code:literal: $chinese:literal, $english:literal;)*) => {
        /// What does not fit.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FindingCode {
            $($(#[$doc])* $name,)*
        }

        impl FindingCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in tables and messages.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// A sentence, Chinese and English.
            #[must_use]
            pub fn sentences(self) -> (&'static str, &'static str) {
                match self { $(Self::$name => ($chinese, $english),)* }
            }
        }
    };
}

findings! {
    /// No application was seen.
    NotSubmitted = "not_submitted": "未见申报记录", "no application was seen";
    /// Something is told to have happened before the application.
    BeforeSubmission = "before_submission": "办理记录早于申报时间", "something happened before the application was submitted";
    /// It was submitted twice.
    SubmittedTwice = "submitted_twice": "同一申请有两次申报记录", "the application was submitted twice";
    /// The review began without acceptance.
    NotAccepted = "not_accepted": "未见受理即进入审核", "the review began without an acceptance";
    /// It was accepted or declined twice.
    AcceptedTwice = "accepted_twice": "重复受理", "it was accepted or declined before";
    /// A step was given out that is under way in that department.
    AssignedTwice = "assigned_twice": "该环节已在办理中又被分派", "a step was assigned that was under way";
    /// A step was decided that nobody was given.
    DecidedWithoutAssignment = "decided_without_assignment": "未见分派即作出审核意见", "a step was decided that was assigned to nobody";
    /// Another officer decided than the one who had it.
    DecidedByAnother = "decided_by_another": "审核人与经办人不一致", "a step was decided by another officer than it was assigned to";
    /// The joint review began without a department that the policy names.
    JointDepartmentMissing = "joint_department_missing": "联审已开始，政策指定的部门未获分派", "a department that the policy names was given no step of the joint review";
    /// Approved while a department had not decided.
    StepOvertaken = "step_overtaken": "部门审核未完即已办结", "the application was decided while a department had not decided its step";
    /// A second supplement was asked for: it is to be asked for once (一次性告知).
    SupplementTwice = "supplement_twice": "补正要求超过一次（应一次性告知）", "a supplement was asked for more than once";
    /// A supplement came that nobody had asked for.
    SupplementUnasked = "supplement_unasked": "收到未要求的补正", "a supplement came that was not asked for";
    /// Paused for a cause that was pausing already.
    PausedTwice = "paused_twice": "重复暂停", "paused for a cause that was pausing it already";
    /// Resumed without a pause.
    ResumedWithoutPause = "resumed_without_pause": "未暂停即恢复", "resumed without a pause";
    /// A public notice ended that had not begun, or an objection to none.
    NoPublicity = "no_publicity": "未见公示开始记录", "a public notice was objected to or ended that had not begun";
    /// The pauses have moved a deadline as far as they may.
    PausesUsedUp = "pauses_used_up": "暂停时间已达上限，时限恢复计算", "the pauses have reached their limit: the clock runs again";
    /// The assignment allows the step more time than the policy promises.
    TermExceedsPolicy = "term_exceeds_policy": "分派时限长于政策承诺，按政策计算", "the assignment allows more time than the policy promises: the policy counts";
    /// A pause or a decision from before a deadline came to be known after it.
    HeardAfterDeadline = "heard_after_deadline": "期限过后才补报期限前的暂停或办结", "a pause or a decision from before the deadline was told after it";
    /// An event is dated ahead of the clock: it counts when its time has come.
    DatedAhead = "dated_ahead": "事件时间晚于当前时间，到时再计", "an event is dated ahead of the clock: it counts when its time has come";
    /// Something happened after the end.
    AfterEnd = "after_end": "办结后仍有办理记录", "something happened after the application was decided";
    /// Two events contradict each other about the end.
    EndedTwice = "ended_twice": "办结结论前后不一", "the application was decided twice";
    /// The approval names another policy or enterprise than the application.
    ApprovalDiffers = "approval_differs": "批复与申报的政策或企业不一致", "the approval names another policy or enterprise than the application";
}
