//! The one place where a test waits for something that happens in another process, which no port of time can move.
//! Not for anything inside the test's own process: there, await the thing itself.

use std::time::{Duration, Instant};

/// Asks twenty times a second until `condition` has an answer, and gives it; panics after `limit`.
/// `what` completes the sentence "waited … for {what}".
pub async fn wait_until<T>(what: &str, limit: Duration, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        if let Some(answer) = condition().await {
            return answer;
        }
        assert!(start.elapsed() < limit, "waited {} s for {what}", limit.as_secs());
    }
}
