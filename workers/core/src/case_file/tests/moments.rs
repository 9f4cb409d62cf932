//! Moments that are easily mistaken: those that coincide, and those that another zone calls otherwise.

use super::story::Story;
use crate::case_file::{CaseEvent, CaseNote, Clock};

#[test]
fn steps_that_begin_at_one_moment_are_causes_of_their_own() {
    let story = Story::begins()
        .submitted("2026-11-23T09:00")
        .accepted("2026-11-23T09:10", "D1")
        .returned("2026-11-23T10:00", "first", "D1", "D1")
        .returned("2026-11-23T10:00", "first", "D1", "D1");
    let steps: Vec<Clock> =
        story.file().clocks.into_iter().filter(|clock| clock.id.to_string().starts_with("step")).collect();
    assert_eq!(steps.len(), 2);
    assert_ne!(steps[0].cause(), steps[1].cause());
}

/// Eight on a Monday morning here is seven on Sunday evening there.
#[test]
fn an_event_with_another_offset_counts_by_the_districts_days() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/v1/application.submitted.v1.example.json");
    let example = std::fs::read_to_string(file).unwrap();
    let sent = |at: &str| {
        let event = example.replace("2026-11-16T09:30:00+08:00", at);
        let envelope = zhida_schemas::envelope::Envelope::parse(event.as_bytes()).unwrap();
        CaseNote::of(&zhida_schemas::InboundEvent::parse(&envelope).unwrap()).unwrap()
    };
    let (theirs, ours) = (sent("2026-11-22T19:00:00-05:00"), sent("2026-11-23T08:00:00+08:00"));
    assert_eq!(theirs, ours);
    let event = CaseEvent {
        source: "/review".to_owned(),
        event_id: "e".to_owned(),
        at: theirs.at,
        received_at: theirs.at,
        said: theirs.said,
    };
    assert_eq!(Story::of(event).deadline("review:1"), "2026-11-26T17:30", "counting begins with Tuesday");
}
