//! Puts the words together: 149 policies, 286 awards to 286 enterprises, 35,570,100.00 yuan. Deterministic, no clock.

use super::check_digits::{cnaps, uscc};
use super::words::{
    BANKS, BRAND_FIRST, BRAND_SECOND, CONDITIONS, DEPARTMENTS, Department, FORMS, FUNDS, MATERIALS, Measure, TRADES,
};
use std::fmt::Write;

const AWARDS: usize = 286;
const TOTAL_FEN: i64 = 3_557_010_000;
/// Fen in 10,000 yuan.
const WAN: i64 = 1_000_000;
/// The last policies but two: published once, closed since.
const CLOSED: [usize; 3] = [57, 103, 141];

/// What goes wrong on the way, and how often.
const TWISTS: [(&str, usize); 21] = [
    ("reject:AC01", 3),
    ("reject:AC04", 1),
    ("reject:AC06", 1),
    ("reject:BE01", 1),
    ("reject:RC01", 1),
    ("pays_then_silent", 4),
    ("pays_then_500", 4),
    ("pending_then_settled", 8),
    ("not_found_for_a_while", 3),
    ("reset", 4),
    ("slow", 4),
    ("garbage", 3),
    ("accepted_then_refused", 2),
    ("commitment_later", 3),
    ("commitment_never", 1),
    ("account_name_differs", 2),
    ("account_name_brackets", 2),
    ("one_officer", 1),
    ("policy_closed", 1),
    ("strange_name", 1),
    ("resent_by_sender", 5),
];

/// A generator of numbers that is the same on every machine (splitmix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// A policy as far as awards depend on it.
pub(crate) struct Policy {
    pub(crate) number: usize,
    title: &'static str,
    pub(crate) department: &'static Department,
    pub(crate) cap_fen: i64,
    measure: Measure,
    release_limit_fen: Option<i64>,
    commitment_required: bool,
}

impl Policy {
    pub(crate) fn id(&self) -> String {
        format!("P-{:03}", self.number)
    }

    pub(crate) fn is_closed(&self) -> bool {
        CLOSED.contains(&self.number)
    }

    /// Another department reviews beside the policy's own; steps are promised within a working day.
    pub(crate) fn is_joint(&self) -> bool {
        self.number.is_multiple_of(5)
    }

    /// The whole review is promised within two working days instead of three.
    pub(crate) fn is_quick(&self) -> bool {
        self.number.is_multiple_of(7)
    }
}

pub(crate) fn policies() -> Vec<Policy> {
    let all =
        DEPARTMENTS.iter().flat_map(|department| department.policies.iter().map(move |policy| (department, policy)));
    all.enumerate()
        .map(|(index, (department, (title, cap, measure)))| Policy {
            number: index + 1,
            title,
            department,
            cap_fen: cap * WAN,
            measure: *measure,
            release_limit_fen: match cap {
                60.. => Some(50 * WAN),
                30.. if index % 3 == 0 => Some(20 * WAN),
                _ => None,
            },
            commitment_required: index % 3 == 1,
        })
        .collect()
}

pub(crate) fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// The policy file of the sample district.
pub(crate) fn policies_toml() -> String {
    let mut numbers = Numbers(149);
    let mut text = String::from(
        "# Funds and policies of the sample district. Every name is invented. Made by `cargo run -p zhida-config --example sample_district`.\n",
    );
    for (id, name, appropriated, account, bank, document) in FUNDS {
        let _ = write!(
            text,
            "\n[[funds]]\nid = \"{id}\"\nname = \"云岫区{name}\"\ncurrency = \"CNY\"\nappropriated = \"{}\"\n\
             debtor_name = \"云岫区财政局\"\ndebtor_account = \"{account}\"\ndebtor_bank_code = \"{}\"\nbudget_document = \"{document}\"\n",
            yuan(appropriated * 100),
            cnaps(bank),
        );
    }
    for policy in policies() {
        policy_toml(&policy, &mut numbers, &mut text);
    }
    text
}

fn policy_toml(policy: &Policy, numbers: &mut Numbers, text: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\n[[policies]]\nid = \"{}\"\ntitle = \"{}\"\ndepartment_id = \"{}\"\n",
        policy.id(),
        policy.title,
        policy.department.id,
    );
    if policy.is_joint() {
        let _ = writeln!(text, "joint_department_ids = [\"{}\"]", policy.department.joint);
    }
    let valid_from = ["2023-07-01", "2024-01-01", "2024-03-01", "2024-07-01"][numbers.below(4)];
    let _ = writeln!(text, "fund_id = \"{}\"\nvalid_from = \"{valid_from}\"", policy.department.fund);
    if policy.is_closed() {
        text.push_str("valid_to = \"2024-12-31\"\n");
    } else if policy.number.is_multiple_of(4) {
        text.push_str("valid_to = \"2035-12-31\"\n");
    }
    let _ = writeln!(text, "cap_per_application = \"{}\"", yuan(policy.cap_fen));
    if policy.number.is_multiple_of(3) {
        let _ = writeln!(text, "cap_per_enterprise_per_year = \"{}\"", yuan(policy.cap_fen * 2));
    }
    if let Some(limit) = policy.release_limit_fen {
        let _ = writeln!(text, "release_limit = \"{}\"", yuan(limit));
    }
    let _ = writeln!(text, "commitment_required = {}", policy.commitment_required);
    let _ = writeln!(text, "conditions = \"{}\"", numbers.pick(&CONDITIONS));
    let mut materials = MATERIALS[2..].to_vec();
    numbers.shuffle(&mut materials);
    materials.truncate(1 + numbers.below(3));
    let _ = writeln!(text, "materials = [\"营业执照\", \"申报表\", \"{}\"]", materials.join("\", \""));
    if policy.is_quick() {
        text.push_str("review_working_days = 2\n");
    }
    if policy.is_joint() {
        text.push_str("step_working_days = { first = 1, joint = 1, final = 1 }\n");
    }
    if policy.number.is_multiple_of(2) {
        text.push_str("legal_working_days = 20\n");
    }
}

/// One award on its way to becoming a line.
struct Award {
    policy: usize,
    fen: i64,
    twist: &'static str,
}

/// The approved applications of the sample district.
pub(crate) fn awards_csv() -> String {
    let policies = policies();
    let mut numbers = Numbers(286);
    let awards = awards(&policies, &mut numbers);
    let names = names(&mut numbers);
    let mut text = String::from(
        "application_id,policy_id,uscc,enterprise_name,amount,account_name,account_no,bank_code,bank_name,mobile,email,locale,department_id,officer_ids,commitment_id,twist\n",
    );
    for (index, (award, name)) in awards.iter().zip(names).enumerate() {
        let number = index + 1;
        let policy = &policies[award.policy];
        let (name, account_name) = both_names(name, award.twist);
        let (bank, bank_name) = numbers.pick(&BANKS);
        let first = numbers.below(3);
        let officers = match policy.release_limit_fen {
            Some(limit) if award.fen > limit && award.twist != "one_officer" => {
                format!("{};{}", policy.department.officers[first], policy.department.officers[(first + 1) % 3])
            }
            Some(_) | None => policy.department.officers[first].to_owned(),
        };
        let commitment = if policy.commitment_required { format!("C-2026-{number:04}") } else { String::new() };
        let _ = writeln!(
            text,
            "A-2026-{number:06},{},{},{name},{},{account_name},40000201{number:011},{},{bank_name},{},finance-{number:03}@example.com,{},{},{officers},{commitment},{}",
            policy.id(),
            uscc("91", "350100", &format!("M0{:06}", number * 3_491 % 1_000_000)),
            yuan(award.fen),
            cnaps(bank),
            mobile(number),
            locale(number),
            policy.department.id,
            award.twist,
        );
    }
    text
}

/// Some enterprises gave no mobile: they are told by mail.
fn mobile(number: usize) -> String {
    if number % 23 == 7 { String::new() } else { format!("+8613800000{number:03}") }
}

/// Some wish to be told in English.
fn locale(number: usize) -> &'static str {
    if number % 29 == 4 { "en" } else { "zh-CN" }
}

/// Chooses policies, twists that fit them, and sums that add up to the total.
fn awards(policies: &[Policy], numbers: &mut Numbers) -> Vec<Award> {
    // A quarter of the policies was never applied for, as in life.
    let open: Vec<usize> =
        (0..policies.len()).filter(|index| !policies[*index].is_closed() && index % 4 != 3).collect();
    let mut twists: Vec<&'static str> =
        TWISTS.iter().flat_map(|(twist, count)| std::iter::repeat_n(*twist, *count)).collect();
    twists.resize(AWARDS, "");
    numbers.shuffle(&mut twists);
    let mut awards: Vec<Award> = twists
        .into_iter()
        .map(|twist| {
            let policy = loop {
                let policy = if twist == "policy_closed" { CLOSED[0] - 1 } else { *numbers.pick(&open) };
                let fits = match twist {
                    "commitment_later" | "commitment_never" => policies[policy].commitment_required,
                    "one_officer" => policies[policy].cap_fen >= 60 * WAN && policies[policy].measure == Measure::Fixed,
                    _ => true,
                };
                if fits {
                    break policy;
                }
            };
            let cap = policies[policy].cap_fen;
            let fen = match policies[policy].measure {
                Measure::Fixed if twist == "one_officer" => cap,
                Measure::Fixed => *numbers.pick(&[cap, cap / 2, cap / 2, cap / 5 * 2, cap / 5]),
                Measure::Share => cap / 10 + numbers.below((cap - cap / 10) as usize) as i64,
            };
            Award { policy, fen, twist }
        })
        .collect();
    balance(policies, &mut awards);
    awards
}

/// Moves the measured sums, within their policy's cap, until the whole is exact.
fn balance(policies: &[Policy], awards: &mut [Award]) {
    for award in 0..usize::MAX {
        let missing = TOTAL_FEN - awards.iter().map(|award| award.fen).sum::<i64>();
        if missing == 0 {
            return;
        }
        let award = &mut awards[award % AWARDS];
        let policy = &policies[award.policy];
        if policy.measure == Measure::Share {
            let step = missing.clamp(-policy.cap_fen / 20, policy.cap_fen / 20);
            award.fen = (award.fen + step).clamp(policy.cap_fen / 20, policy.cap_fen);
        }
    }
}

fn names(numbers: &mut Numbers) -> Vec<String> {
    let mut brands: Vec<String> = BRAND_FIRST
        .iter()
        .flat_map(|first| BRAND_SECOND.iter().map(move |second| format!("{first}{second}")))
        .collect();
    numbers.shuffle(&mut brands);
    brands
        .into_iter()
        .take(AWARDS)
        .map(|brand| {
            let place = numbers.pick(&["云岫", "云岫区", "云岫", ""]);
            format!("{place}{brand}{}{}", numbers.pick(&TRADES), numbers.pick(&FORMS))
        })
        .collect()
}

/// The registered name and the name on the account.
fn both_names(name: String, twist: &str) -> (String, String) {
    match twist {
        // Another enterprise's name: the payout is held.
        "account_name_differs" => {
            let other = format!("{name}分公司");
            (name, other)
        }
        // Brackets of another width are the same name: it is paid.
        "account_name_brackets" => {
            let stem = name.trim_start_matches("云岫区").trim_start_matches("云岫");
            (format!("云岫（东岸）{stem}"), format!("云岫(东岸){stem}"))
        }
        // Lawful but strange: quotes, markup and a formula are a name.
        "strange_name" => {
            let strange = "=云岫“A&B”<创新>'工坊'有限公司".to_owned();
            (strange.clone(), strange)
        }
        _ => (name.clone(), name),
    }
}
