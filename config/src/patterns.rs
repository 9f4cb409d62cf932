//! Settings of pattern rules: one section a rule, with the thresholds that its finder reads. What a rule looks for is decided in
//! the core, which takes its thresholds from here, so that what is documented is what counts.

use crate::form::Setting;
use crate::layers::Key;
use crate::problem::ConfigError;
use crate::sections::{Switch, section};
use crate::settings::{Reader, Settings};

section!(
    /// How often patterns are looked for, and where.
    Runs = "patterns" {
        /// Minutes between two runs.
        every_minutes: u32,
        /// Days back: what was decided before them is not looked at.
        window_days: u32,
        /// Applications that one transaction reads at most.
        page_max: u32,
    }
);
section!(
    /// A supplement was asked for more than once.
    SecondSupplement = "patterns.second_supplement" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Requests from which on.
        min_requests: u32,
    }
);
section!(
    /// Sent back between departments.
    PingPong = "patterns.ping_pong" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Returns from which on.
        min_returns: u32,
    }
);
section!(
    /// A later application approved in a step in which an earlier equal one waits.
    QueueJump = "patterns.queue_jump" {
        /// Whether it is looked for.
        enabled: Switch,
        /// The later one was submitted so many working hours later at least, and approved so many earlier.
        margin_working_hours: u32,
    }
);
section!(
    /// An officer whose times stand far from those of peers.
    OfficerTimes = "patterns.officer_times" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Steps of the officer at least.
        min_sample: u32,
        /// Steps of the peers together at least.
        min_peer_sample: u32,
        /// Peers with three steps or more at least.
        min_peers: u32,
        /// So many times the peers' median absolute deviation.
        deviations: u32,
        /// So many times as long, or as short.
        times: u32,
        /// So many working minutes away at least.
        floor_working_minutes: u32,
    }
);
section!(
    /// An officer whose refusals stand far from those of peers.
    OfficerRefusals = "patterns.officer_refusals" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Decisions of each officer at least.
        min_sample: u32,
        /// Peers with so many decisions at least.
        min_peers: u32,
        /// So many times the peers' median absolute deviation.
        deviations: u32,
        /// So many percentage points away at least.
        floor_percent: u32,
    }
);
section!(
    /// Refused, and nowhere a reason.
    RefusalWithoutReason = "patterns.refusal_without_reason" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Letters and digits that a reason has at least.
        min_characters: u32,
        /// Working hours that an open application is given for the reason to come in.
        grace_working_hours: u32,
    }
);
section!(
    /// One account for several enterprises.
    SharedAccount = "patterns.shared_account" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Enterprises from which on.
        min_enterprises: u32,
    }
);
section!(
    /// One mobile for several enterprises.
    SharedMobile = "patterns.shared_mobile" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Enterprises from which on.
        min_enterprises: u32,
    }
);
section!(
    /// One mail address for several enterprises.
    SharedEmail = "patterns.shared_email" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Enterprises from which on.
        min_enterprises: u32,
    }
);
section!(
    /// Many awards just under the sum from which a second officer is needed.
    UnderReleaseLimit = "patterns.under_release_limit" {
        /// Whether it is looked for.
        enabled: Switch,
        /// How near the limit, in percent of it.
        within_percent: u32,
        /// Awards from which on.
        min_awards: u32,
        /// So many times as many as equally near above the limit.
        times_above: u32,
    }
);
section!(
    /// Two approvers who approve with each other alone.
    SameApprovers = "patterns.same_approvers" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Awards of the two from which on.
        min_awards: u32,
        /// So many percent of what either approves.
        min_share_percent: u32,
        /// Colleagues of each who approve as well.
        min_colleagues: u32,
    }
);
section!(
    /// One enterprise awarded twice under one policy in one calendar year.
    RepeatAward = "patterns.repeat_award" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Awarded applications from which on.
        min_awards: u32,
    }
);
section!(
    /// Approved within seconds of its submission.
    InstantApproval = "patterns.instant_approval" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Seconds up to which.
        max_seconds: u32,
    }
);
section!(
    /// A policy to which nobody applies.
    PolicyUnused = "patterns.policy_unused" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Days from which on.
        days: u32,
    }
);
section!(
    /// A policy that takes applications after its last day.
    ListedAfterExpiry = "patterns.listed_after_expiry" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Applications from which on.
        min_applications: u32,
    }
);
section!(
    /// Awards of a policy that was over.
    PaidAfterExpiry = "patterns.paid_after_expiry" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Days after the last one in which what was applied for in time may be approved.
        grace_days: u32,
    }
);
section!(
    /// Awards that were not paid.
    ApprovedUnpaid = "patterns.approved_unpaid" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Hours beyond the 24.
        hours: u32,
    }
);
section!(
    /// A fund hardly used when its year ends.
    AppropriationUnused = "patterns.appropriation_unused" {
        /// Whether it is looked for.
        enabled: Switch,
        /// Days before the end of the year from which on it is asked.
        before_year_end_days: u32,
        /// Percent of the appropriation that are used by then.
        min_used_percent: u32,
        /// Days for which one of its policies was open in the year.
        min_open_days: u32,
    }
);
section!(
    /// What is said of the health of a policy beside its patterns.
    Health = "policy_health" {
        /// Working days without any movement of its open applications.
        zombie_working_days: u32,
    }
);

/// Puts the sections together, so that struct, keys and reading cannot drift apart.
macro_rules! together {
    ($($(#[$doc:meta])* $field:ident: $section:ty,)+) => {
        /// `patterns.*` and `policy_health.*`
        #[derive(Clone, Debug)]
        pub struct Patterns { $($(#[$doc])* pub $field: $section,)+ }

        impl Patterns {
            /// The keys of each section.
            pub(crate) const KEYS: &[&[Key]] = &[$(<$section>::KEYS,)+];

            pub(crate) fn read(reader: &mut Reader) -> Option<Self> {
                $(let $field = <$section>::read(reader);)+
                Some(Self { $($field: $field?,)+ })
            }
        }
    };
}

together! {
    /// How often and where.
    runs: Runs,
    /// See [`SecondSupplement`].
    second_supplement: SecondSupplement,
    /// See [`PingPong`].
    ping_pong: PingPong,
    /// See [`QueueJump`].
    queue_jump: QueueJump,
    /// See [`OfficerTimes`].
    officer_times: OfficerTimes,
    /// See [`OfficerRefusals`].
    officer_refusals: OfficerRefusals,
    /// See [`RefusalWithoutReason`].
    refusal_without_reason: RefusalWithoutReason,
    /// See [`SharedAccount`].
    shared_account: SharedAccount,
    /// See [`SharedMobile`].
    shared_mobile: SharedMobile,
    /// See [`SharedEmail`].
    shared_email: SharedEmail,
    /// See [`UnderReleaseLimit`].
    under_release_limit: UnderReleaseLimit,
    /// See [`SameApprovers`].
    same_approvers: SameApprovers,
    /// See [`RepeatAward`].
    repeat_award: RepeatAward,
    /// See [`InstantApproval`].
    instant_approval: InstantApproval,
    /// See [`PolicyUnused`].
    policy_unused: PolicyUnused,
    /// See [`ListedAfterExpiry`].
    listed_after_expiry: ListedAfterExpiry,
    /// See [`PaidAfterExpiry`].
    paid_after_expiry: PaidAfterExpiry,
    /// See [`ApprovedUnpaid`].
    approved_unpaid: ApprovedUnpaid,
    /// See [`AppropriationUnused`].
    appropriation_unused: AppropriationUnused,
    /// See [`Health`].
    health: Health,
}

impl Patterns {
    /// As documented in `config/default.toml`.
    ///
    /// # Errors
    /// [`ConfigError`] when the documented defaults cannot be read, which a test holds.
    pub fn documented() -> Result<Self, ConfigError> {
        Settings::load(&[], [], None).map(|settings| settings.patterns)
    }
}
