//! The sample district's departments and people. Every name is invented; any likeness to a real person is chance.

use super::words::DEPARTMENTS;
use std::fmt::Write;

/// Id, name, number of the head; the officers' numbers follow it.
const NAMED: [(&str, &str, u32); 13] = [
    ("D-IND", "工业和信息化局", 100),
    ("D-SCI", "科学技术局", 200),
    ("D-HRS", "人力资源和社会保障局", 300),
    ("D-COM", "商务局", 400),
    ("D-DRC", "发展和改革局", 500),
    ("D-CUL", "文化体育和旅游局", 600),
    ("D-AGR", "农业农村局", 700),
    ("D-MKT", "市场监督管理局", 800),
    ("D-FGB", "金融服务办公室", 900),
    ("D-TAL", "人才工作办公室", 110),
    ("D-HOU", "住房和城乡建设局", 120),
    ("D-TRA", "交通运输局", 130),
    ("D-FIN", "财政局", 140),
];

/// Who is away, from when to when.
const ABSENT: (&str, &str, &str) = ("O-202", "2026-11-23", "2026-12-04");

const FAMILY: [&str; 20] = [
    "林", "陈", "黄", "郑", "吴", "许", "叶", "苏", "江", "方", "邱", "柯", "傅", "卢", "施", "庄", "潘", "纪", "翁",
    "蓝",
];
const GIVEN: [&str; 17] = [
    "云舟", "知远", "若岚", "景行", "书言", "海宁", "明澈", "思齐", "予安", "静川", "向晚", "怀瑾", "清和", "望舒",
    "亦辰", "南乔", "文朗",
];

/// The organisation file of the sample district.
pub(crate) fn organisation_toml() -> String {
    let mut text = String::from(
        "# Departments, officers and the ladder of the sample district. Every name is invented. Made by `cargo run -p zhida-config --example sample_district`.\n",
    );
    department(&mut text, "D-GOV", "人民政府", None);
    department(&mut text, "D-SUP", "人民政府督查室", Some("D-GOV"));
    department(&mut text, "D-DIS", "纪委监委", None);
    for (id, name, _) in NAMED {
        department(&mut text, id, name, Some("D-GOV"));
    }
    for (id, _, head) in NAMED {
        let officers = officers(id);
        let first = officers[0].clone();
        officer(&mut text, &format!("O-{head}"), id, "head", Some(&first));
        for (place, number) in officers.iter().enumerate() {
            officer(&mut text, number, id, "officer", officers.get(place + 1).map(String::as_str));
        }
    }
    officer(&mut text, "O-951", "D-SUP", "supervisor", Some("O-952"));
    officer(&mut text, "O-952", "D-SUP", "supervisor", None);
    officer(&mut text, "O-971", "D-DIS", "inspector", Some("O-972"));
    officer(&mut text, "O-972", "D-DIS", "inspector", None);
    text.push_str("\n[[ladder]]\nrungs = [\n");
    for (role, hours) in [("officer", 0), ("head", 4), ("supervisor", 8), ("inspector", 16)] {
        let _ = writeln!(text, "    {{ role = \"{role}\", after_working_hours = {hours} }},");
    }
    text.push_str("]\n");
    text
}

/// The officers of a department.
pub(crate) fn officers(department: &str) -> [String; 3] {
    // Finance reviews beside others and has no policies of its own.
    let own = DEPARTMENTS.iter().find(|one| one.id == department).map(|one| one.officers.map(str::to_owned));
    own.unwrap_or_else(|| [1, 2, 3].map(|number| format!("O-{}", head(department) + number)))
}

/// The number of a department's head.
pub(crate) fn head(department: &str) -> u32 {
    NAMED.iter().find(|(id, _, _)| *id == department).map_or(0, |(_, _, head)| *head)
}

fn department(text: &mut String, id: &str, name: &str, parent: Option<&str>) {
    let _ = write!(text, "\n[[departments]]\nid = \"{id}\"\nname = \"云岫区{name}\"\n");
    if let Some(parent) = parent {
        let _ = writeln!(text, "parent_id = \"{parent}\"");
    }
}

fn officer(text: &mut String, id: &str, department: &str, role: &str, substitute: Option<&str>) {
    let number: usize = id.trim_start_matches("O-").parse().unwrap_or_default();
    // The two lists have no common divisor, so that nobody has another's name.
    let before = text.matches("[[officers]]").count();
    let name = format!("{}{}", FAMILY[before % FAMILY.len()], GIVEN[before % GIVEN.len()]);
    let _ = write!(
        text,
        "\n[[officers]]\nid = \"{id}\"\nname = \"{name}\"\ndepartment_id = \"{department}\"\nrole = \"{role}\"\n\
         mobile = \"+8613800009{number:03}\"\nemail = \"o-{number}@example.com\"\n"
    );
    if let Some(substitute) = substitute {
        let _ = writeln!(text, "substitute_id = \"{substitute}\"");
    }
    let (absent, from, to) = ABSENT;
    if id == absent {
        let _ = writeln!(text, "absent = [{{ from = {from}, to = {to} }}]");
    }
}
