//! A large-value rail for the cases that need one.

use jiff::Timestamp;
use std::sync::Arc;
use zhida_config::Calendar;
use zhida_core::money::Fen;
use zhida_core::rails::LargeValueRail;
use zhida_core::rules::Rules;

/// A rail for awards of 100 yuan that is closed whenever it is asked: its calendar knows holidays only.
pub(crate) fn that_never_opens(rules: &mut Rules) {
    let mut text = "version,closed\n".to_owned();
    let today = rules.zone.to_datetime(Timestamp::now()).date();
    for year in today.year() - 1..=today.year() + 1 {
        text.push_str(&format!("year,{year},closed\n"));
        let days = jiff::civil::date(year, 1, 1).series(jiff::Span::new().days(1));
        days.take_while(|day| day.year() == year).for_each(|day| text.push_str(&format!("off,{day},closed\n")));
    }
    rules.large_value = Some(LargeValueRail {
        above: Fen(9_999),
        opens: jiff::civil::time(20, 30, 0, 0),
        closes: jiff::civil::time(17, 15, 0, 0),
        calendar: Arc::new(Calendar::parse(&text).unwrap()),
        zone: rules.zone.clone(),
    });
}
