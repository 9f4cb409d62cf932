//! What an import refuses, one row a case: each with a sentence that names the template, the field and the value.

use crate::notice::template::{KnownProviders, Problem, TemplateSet};

const SMS: &str = "kind = \"payout_credited\"\nchannel = \"sms\"\nlocale = \"zh-CN\"\n";
const MAIL: &str = "kind = \"payout_credited\"\nchannel = \"mail\"\nlocale = \"zh-CN\"\nsubject = \"到账\"\n";
const GOOD_SMS: &str = "text = \"{{policy}}{{amount}}{{account}}{{credited_at}}\"\n";
const GOOD_TEXT: &str = "{{policy}}{{amount}}{{capitals}}{{account}}{{credited_at}}{{reference}}{{application}}";

/// A set of these templates.
fn set(templates: &[&str]) -> String {
    let one = |template: &&str| format!("[[template]]\n{template}\n");
    format!("version = \"test.1\"\n{}", templates.iter().map(one).collect::<String>())
}

fn problems(source: &str) -> Vec<String> {
    let told = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect();
    TemplateSet::checked(source, &KnownProviders::Any).err().map_or_else(Vec::new, told)
}

fn sms(text: &str) -> String {
    format!("{SMS}text = '''{text}'''\n")
}

fn mail(text: &str) -> String {
    format!("{MAIL}text = '''{text}'''\n")
}

#[test]
fn a_good_set_passes_and_the_rest_comes_from_the_embedded_one() {
    let providers = "[template.providers.ali]\ncode = \"SMS_1\"\nsignature = \"鼓楼直达\"\n[template.providers.tx]\ncode = \"12345\"\n\
        parameters = [\"amount\", \"policy\", \"account\", \"credited_at\"]\n";
    let source = set(&[&format!("{SMS}{GOOD_SMS}{providers}"), &mail(GOOD_TEXT)]);
    assert_eq!(problems(&source), Vec::<String>::new());
    let read = TemplateSet::checked(&source, &KnownProviders::Any).unwrap();
    assert_eq!((read.templates.len(), read.source.as_str()), (2, source.as_str()));
    let sms = read.templates.values().find(|one| !one.providers.is_empty()).unwrap();
    assert_eq!(sms.named_form(), "${policy}${amount}${account}${credited_at}");
    assert_eq!(sms.numbered_form(&sms.providers["ali"].parameters), "{1}{2}{3}{4}");
    assert_eq!(sms.numbered_form(&sms.providers["tx"].parameters), "{2}{1}{3}{4}");
    let filled = read.clone().filled();
    assert_eq!(filled.templates.len(), TemplateSet::embedded().templates.len());
    assert_eq!(filled.version, "test.1");
    assert!(read.templates.iter().all(|(key, template)| filled.get(key) == Some(template)));
}

#[test]
fn a_file_that_is_no_set_is_refused() {
    for (source, expected) in [
        ("version = ".to_owned(), "the file: "),
        (String::new(), "missing field `version`"),
        ("version = \"a b\"\n".to_owned(), "version: `a b` is not a version; use 1 to 40 letters"),
        ("version = \"1\"\ncolour = 1\n".to_owned(), "unknown field `colour`"),
        (
            set(&["kind = \"x\"\nchannel = \"sms\"\nlocale = \"en\"\ntext = \"a\""]),
            "template 1: kind `x` is not known; use one of",
        ),
        (
            set(&["kind = \"test\"\nchannel = \"fax\"\nlocale = \"en\"\ntext = \"a\""]),
            "channel `fax` is not known; use sms or mail",
        ),
        (
            set(&["kind = \"test\"\nchannel = \"sms\"\nlocale = \"de\"\ntext = \"a\""]),
            "locale `de` is not known; use zh-CN or en",
        ),
        (set(&[&format!("{SMS}{GOOD_SMS}"), &format!("{SMS}{GOOD_SMS}")]), "payout_credited/sms/zh-CN: stands twice"),
    ] {
        let found = problems(&source);
        assert!(found.iter().any(|one| one.contains(expected)), "{source}: {found:?}");
    }
}

#[test]
fn an_sms_that_would_not_do_is_refused() {
    let good = "{{policy}}{{amount}}{{account}}{{credited_at}}";
    for (template, expected) in [
        (sms("{{policy}}{{account}}{{credited_at}}"), "payout_credited/sms/zh-CN text: it lacks {{ amount }}, which payout_credited must say; add it"),
        (sms(&format!("{good}{{{{amout}}}}")), "the variable `amout` is not known here; use one of application, policy"),
        (sms(&format!("{good}¥")), "text: `¥` is in it"),
        (sms(&format!("{good}￥")), "text: `￥` is in it"),
        (format!("{SMS}text = \"{good}\\u0007\"\n"), "text: the control character '\\u{7}' is in it"),
        (sms(&format!("a\n{good}")), "text: the control character '\\n' is in it"),
        (sms(&format!("{good} {{{{")), "is not closed"),
        (sms(&format!("{good} }}}}")), "`}}` is left over"),
        (sms(&format!("{good} ${{amount}}")), "`{` or `}` is in the text"),
        (sms(&format!("{good}{{% if amount %}}a{{% endif %}}")), "an SMS has no conditions and no loops"),
        (sms(&format!("【鼓楼】{good}")), "`【` is in the text"),
        (sms(&format!("{good} 登录 https://x.example/login")), "`https://` is in it; no address is written out"),
        (sms(&format!("{good}{}", "长".repeat(500))), "characters, more than 500"),
        (format!("{}segments_max = 1\n", sms(good)), "segments_max: with the longest values it is 2 segments, more than segments_max 1"),
        (sms(""), "text: it is empty; write a text"),
        (format!("subject = \"a\"\n{}", sms(good)), "subject: an SMS has no subject"),
        (format!("html = \"a\"\n{}", sms(good)), "html: an SMS has no HTML"),
        (format!("combined = true\n{}", sms(good)), "combined: payout_credited is never combined"),
        (format!("{}[template.providers.ali]\ncode = \"SMS 1\"\n", sms(good)), "providers.ali: code `SMS 1` is not a vendor's name"),
        (format!("{}[template.providers.ali]\ncode = \"1\"\nsignature = \"【a】\"\n", sms(good)), "providers.ali: signature `【a】`"),
        (format!("{}[template.providers.ali]\ncode = \"1\"\nparameters = [\"amount\"]\n", sms(good)), "parameters are amount, the text uses policy, amount, account, credited_at"),
        (format!("{}[template.providers.ali]\nkode = \"1\"\n", sms(good)), "unknown field `kode`"),
        (
            "kind = \"review_overdue\"\ncombined = true\nchannel = \"sms\"\nlocale = \"en\"\ntext = \"{{count}} {{items}}\"\n".to_owned(),
            "`items` is a list, which an SMS cannot hold",
        ),
    ] {
        let found = problems(&set(&[&template]));
        assert!(found.iter().any(|one| one.contains(expected)), "{template}: {found:?}");
    }
}

#[test]
fn a_mail_that_would_not_do_is_refused() {
    let overdue = "kind = \"review_overdue\"\ncombined = true\nchannel = \"mail\"\nlocale = \"en\"\nsubject = \"a\"\n";
    for (template, expected) in [
        (mail("{{policy}}"), "payout_credited/mail/zh-CN text: it lacks {{ capitals }}"),
        (mail(&format!("{GOOD_TEXT}{{% if amount %}}")), "text: it cannot be rendered"),
        (mail(&format!("{GOOD_TEXT}{{% set x = 1 %}}")), "only if, elif, else, endif, for and endfor"),
        (mail(&format!("{GOOD_TEXT}{{% for x in range(1000000) %}}a{{% endfor %}}")), "a loop is `for item in items`"),
        (mail(&format!("{GOOD_TEXT}{{{{ amount | safe }}}}")), "there is no filter safe"),
        (mail(&format!("{GOOD_TEXT}{{{{ amount.__class__ }}}}")), "only what a loop goes over has parts"),
        (mail(&format!("{GOOD_TEXT} http://x.example")), "`http://` is in it"),
        (mail(GOOD_TEXT).replace("subject = \"到账\"\n", ""), "subject: a mail needs a subject"),
        (mail(GOOD_TEXT).replace("到账", "a\\nBcc: b"), "subject: the control character '\\n' is in it"),
        (mail(GOOD_TEXT).replace("到账", &"长".repeat(121)), "subject: it has more than 120 characters"),
        (mail(GOOD_TEXT).replace("到账", "{{ nobody }}"), "subject: the variable `nobody` is not known here"),
        (mail(GOOD_TEXT).replace("到账", "¥"), "subject: `¥` is in it"),
        (format!("{}html = '<p>a</p>'\n", mail(GOOD_TEXT)), "html: it lacks {{ policy }}"),
        (format!("{}html = '<script>{GOOD_TEXT}</script>'\n", mail(GOOD_TEXT)), "html: <script> is not allowed"),
        (
            format!("{}html = '<p>{GOOD_TEXT}</p><a href=\"/login\">a</a>'\n", mail(GOOD_TEXT)),
            "html: a link leads to `/login`",
        ),
        (
            format!("{}[template.providers.ali]\ncode = \"1\"\n", mail(GOOD_TEXT)),
            "providers: only SMS are approved by vendors",
        ),
        (
            format!(
                "{overdue}text = '{{{{count}}}}{{{{more}}}}{{% for x in items %}}{{{{ x.policy }}}}{{{{ x.price }}}}{{% endfor %}}'\n"
            ),
            "the variable `items.price` is not known here; use one of matter, policy",
        ),
        (
            format!(
                "{overdue}text = '{{{{count}}}}{{{{more}}}}{}{}'\n",
                "{% for x in items %}".repeat(4),
                "{% endfor %}".repeat(4)
            ),
            "it cannot be rendered: ",
        ),
    ] {
        let found = problems(&set(&[&template]));
        assert!(found.iter().any(|one| one.contains(expected)), "{template}: {found:?}");
    }
}

#[test]
fn every_problem_is_told_at_once() {
    let source = set(&[&sms("¥{{nobody}}"), &mail("￥{{nobody}}")]);
    let found = problems(&source);
    for place in ["payout_credited/sms/zh-CN text", "payout_credited/mail/zh-CN text"] {
        assert!(found.iter().filter(|one| one.starts_with(place)).count() >= 3, "{place}: {found:?}");
    }
}

#[test]
fn no_fault_of_form_hides_another() {
    let source = "colour = 1\n[[template]]\nkind = \"x\"\nchannel = 1\ncolour = 2\n[[template]]\nkind = \"test\"\nchannel = \"fax\"\n\
        locale = \"en\"\ntext = 5\nsegments_max = 0\n[template.providers.ali]\nkode = \"1\"\nparameters = [1]\n[[template]]\n\
        kind = \"payout_credited\"\nchannel = \"sms\"\nlocale = \"en\"\ntext = \"¥\"\n";
    let found = problems(source);
    for expected in [
        "the file: missing field `version`; add it",
        "the file: unknown field `colour`",
        "template 1: kind `x` is not known",
        "template 1: `channel` is 1; write a text in quotes",
        "template 1: missing field `locale`",
        "template 1: unknown field `colour`",
        "template 2: channel `fax` is not known",
        "template 2: `text` is 5; write a text in quotes",
        "template 2: `segments_max` is 0; write a whole number from 1 on",
        "template 2 providers.ali: `parameters` is [1]; write a list of texts",
        "template 2 providers.ali: unknown field `kode`",
        "payout_credited/sms/en text: `¥` is in it",
    ] {
        assert!(found.iter().any(|one| one.starts_with(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn the_sign_of_the_yuan_is_refused_however_it_is_written() {
    let html = |sign: &str| format!("{}html = '<p>{GOOD_TEXT}{sign}</p>'\n", mail(GOOD_TEXT));
    for sign in ["¥", "￥", "&#165;", "&#xA5;", "&#xffe5;", "&#65509;", "&yen;", "&yen"] {
        let found = problems(&set(&[&html(sign)]));
        assert!(found.iter().any(|one| one.contains("html: `") && one.contains("write 元")), "{sign}: {found:?}");
        let found = problems(&set(&[&mail(&format!("{GOOD_TEXT}{sign}"))]));
        assert!(found.iter().any(|one| one.contains("text: `")), "{sign}: {found:?}");
    }
    assert_eq!(problems(&set(&[&html("A &amp; B&#8364;")])), Vec::<String>::new());
}

#[test]
fn vendors_that_the_settings_do_not_know_are_refused_by_name() {
    let of = |providers: &str| set(&[&format!("{SMS}{GOOD_SMS}{providers}")]);
    let known = KnownProviders::of(["main".to_owned(), "spare".to_owned()]);
    let told = |source: &str| -> Vec<String> {
        let checked = TemplateSet::checked(source, &known);
        checked.err().unwrap_or_default().iter().map(ToString::to_string).collect()
    };
    assert_eq!(told(&of("providers.main.code = \"1\"\n")), Vec::<String>::new());
    assert_eq!(
        told(&of("providers.mian.code = \"1\"\n")),
        [
            "payout_credited/sms/zh-CN providers.mian: the settings know no provider of SMS `mian`, only main, spare; use one of these \
             names, or add notices.sms.mian"
        ]
    );
    assert_eq!(told(&of("providers.gone.code = \"\"\n")), Vec::<String>::new(), "what is gone may be taken away");
    assert_eq!(KnownProviders::of([]), KnownProviders::Any);
}
