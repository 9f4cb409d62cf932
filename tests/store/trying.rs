//! A try of a channel: asked for, made and taken at once, and its address stands with what was written and nowhere else.

use crate::noticing::calls;
use crate::world::World;
use zhida_core::ids::ApplicationId;
use zhida_core::notice::{NoticeKind, NoticeRequest};
use zhida_core::ports::notices::NoticeFilter;

pub(crate) async fn a_try_keeps_its_address_with_what_was_written_alone(world: World) {
    let request = NoticeRequest {
        kind: NoticeKind::Test,
        subject: "T-1".to_owned(),
        recipient: "138****0000".to_owned(),
        occasion: "command line".to_owned(),
        application_id: ApplicationId::from("T-1"),
    };
    let errands = world.store.try_notice(&request, "+8613800000000").await.unwrap();
    assert_eq!(calls(&errands).len(), 1);
    let notice = world.store.notices(&NoticeFilter::default()).await.unwrap().remove(0);
    assert_eq!(notice.recipient, "138****0000");
    let view = world.store.notice(&notice.id).await.unwrap().unwrap();
    assert_eq!(view.contents[0].to, "+8613800000000");
    assert_eq!(view.requests[0].recipient, "138****0000");
    assert!(world.store.try_notice(&request, "+8613900000000").await.unwrap().is_empty(), "once for its subject");
}
