//! What a file changes of what is in force, and what stays.

use crate::notice::template::{KnownProviders, Template, TemplateSet};

const KEY: &str = "[[template]]\nkind = \"order_closed\"\nchannel = \"sms\"\nlocale = \"zh-CN\"\n";
const TEXT: &str = "text = \"督办单{{order}}已于{{closed_at}}销号。\"\n";
const OTHER_TEXT: &str = "text = \"督办单{{order}}已办结，时间{{closed_at}}。\"\n";

fn changed(before: &TemplateSet, source: &str) -> Result<TemplateSet, Vec<String>> {
    let after = before.changed(source, &KnownProviders::Any);
    after.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// What was in force, and each of these files after it, by versions 1, 2 …
fn after(files: &[String]) -> TemplateSet {
    let mut set = TemplateSet::embedded().clone();
    for (place, file) in files.iter().enumerate() {
        let after = changed(&set, &format!("version = \"{}\"\n{file}", place + 1)).unwrap();
        // What is kept says the same as what was brought in.
        assert_eq!(TemplateSet::read(&after.source).unwrap().filled().templates, after.templates);
        set = TemplateSet::read(&after.source).unwrap();
    }
    set.filled()
}

fn closed(set: &TemplateSet) -> Template {
    let mut of_kind = set.templates.values().filter(|one| one.key.to_string() == "order_closed/sms/zh-CN");
    of_kind.next().unwrap().clone()
}

#[test]
fn what_a_file_leaves_out_stays_as_it_is_in_force() {
    let first = format!("{KEY}{TEXT}providers.ali.code = \"SMS_1\"\nproviders.ali.signature = \"鼓楼直达\"\n");
    let codes = format!("{KEY}providers.tx.code = \"7\"\nproviders.tx.parameters = [\"closed_at\", \"order\"]\n");
    let other =
        "[[template]]\nkind = \"test\"\nchannel = \"sms\"\nlocale = \"zh-CN\"\nproviders.ali.code = \"SMS_9\"\n"
            .to_owned();
    let set = after(&[first.clone(), codes, other]);
    let one = closed(&set);
    assert_eq!(one.text, "督办单{{order}}已于{{closed_at}}销号。");
    let ali = &one.providers["ali"];
    assert_eq!((ali.code.as_deref(), ali.signature.as_deref()), (Some("SMS_1"), Some("鼓楼直达")));
    assert_eq!(one.numbered_form(&one.providers["tx"].parameters), "督办单{2}已于{1}销号。");
    assert_eq!(set.version, "3");
    assert_eq!(set.templates.len(), TemplateSet::embedded().templates.len());
    assert!(
        set.templates
            .values()
            .any(|one| one.providers.get("ali").is_some_and(|ali| ali.code.as_deref() == Some("SMS_9")))
    );

    let set = after(&[first, format!("{KEY}providers.ali.code = \"SMS_2\"\nproviders.ali.signature = \"\"\n")]);
    let ali = &closed(&set).providers["ali"];
    assert_eq!((ali.code.as_deref(), ali.signature.as_deref()), (Some("SMS_2"), None), "an empty one takes it away");
}

#[test]
fn no_text_travels_unsaid_under_the_code_of_another() {
    let set = after(&[format!("{KEY}{TEXT}providers.ali.code = \"SMS_1\"\nproviders.tx.code = \"7\"\n")]);
    let told = changed(&set, &format!("version = \"2\"\n{KEY}{OTHER_TEXT}providers.tx.code = \"8\"\n")).unwrap_err();
    let expected =
        "order_closed/sms/zh-CN: its text changes, and ali had the code of the old one: say providers.ali.code";
    assert!(told.len() == 1 && told[0].starts_with(expected), "{told:?}");
    let file = format!("version = \"2\"\n{KEY}{OTHER_TEXT}providers.ali.code = \"SMS_2\"\nproviders.tx.code = \"\"\n");
    let one = closed(&changed(&set, &file).unwrap());
    assert_eq!(one.providers.len(), 1, "tx has none any longer");
    assert_eq!(one.providers["ali"].code.as_deref(), Some("SMS_2"));
}

#[test]
fn the_way_back_to_the_program_s_own_words_is_said() {
    let own = closed(TemplateSet::embedded());
    let changes = [format!("{KEY}{OTHER_TEXT}"), format!("{KEY}words = \"program\"\n")];
    let set = after(&changes);
    assert_eq!(closed(&set), own);
    assert_eq!(set.source, "version = \"2\"\n", "what is as it came with the program is not kept beside it");
    for (entry, expected) in [
        ("", "changes nothing; give a `text`"),
        ("words = \"mine\"\n", "words `mine` is not known"),
        ("words = \"program\"\ntext = \"a\"\n", "keep one of the two"),
        ("segments_max = 3\n", "go with a text of its own"),
    ] {
        let told = changed(&set, &format!("version = \"3\"\n{KEY}{entry}")).unwrap_err();
        assert!(told.iter().any(|one| one.contains(expected)), "{entry}: {told:?}");
    }
    let kept = TemplateSet::read(&format!("version = \"1\"\n{KEY}providers.a.code = \"1\"\n")).unwrap_err();
    assert!(kept[0].what.starts_with("has no text yet"), "what is kept is whole");
}
