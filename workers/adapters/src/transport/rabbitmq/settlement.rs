//! Which deliveries of a session are still ours to settle, and the fewest frames that settle a given set. Pure.

use std::collections::BTreeSet;

/// Deliveries handed to the worker and not yet settled, by their number.
#[derive(Default)]
pub(super) struct Unsettled(BTreeSet<u64>);

/// One frame to the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// This delivery and every earlier one that is not settled.
    UpTo(u64),
    /// This delivery.
    Only(u64),
}

impl Unsettled {
    pub(super) fn handed_out(&mut self, number: u64) {
        self.0.insert(number);
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Removes `chosen` and tells how to settle it: the oldest deliveries, as far as all of them are chosen, with one
    /// frame, each of the others with one of its own. Numbers that are not ours (any more) are left out.
    pub(super) fn settle(&mut self, chosen: &BTreeSet<u64>) -> Vec<Frame> {
        let oldest = self.0.iter().take_while(|number| chosen.contains(number)).last().copied();
        let mut frames = Vec::new();
        if let Some(last) = oldest {
            frames.push(Frame::UpTo(last));
            self.0 = self.0.split_off(&(last + 1));
        }
        for number in chosen {
            if self.0.remove(number) {
                frames.push(Frame::Only(*number));
            }
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Frame::{Only, UpTo};

    #[test]
    fn the_fewest_frames_settle_exactly_what_was_chosen() {
        // not settled, chosen, frames sent, not settled afterwards
        type Row = (&'static [u64], &'static [u64], &'static [Frame], &'static [u64]);
        let rows: [Row; 7] = [
            (&[1, 2, 3], &[1, 2, 3], &[UpTo(3)], &[]),
            (&[1, 2, 3], &[1, 2], &[UpTo(2)], &[3]),
            (&[1, 2, 3], &[2], &[Only(2)], &[1, 3]),
            (&[1, 2, 3, 4, 5], &[1, 2, 4], &[UpTo(2), Only(4)], &[3, 5]),
            (&[2, 4, 7], &[1, 2, 3, 4, 9], &[UpTo(4)], &[7]),
            (&[], &[1], &[], &[]),
            (&[5], &[], &[], &[5]),
        ];
        for (unsettled, chosen, frames, rest) in rows {
            let mut ours = Unsettled(unsettled.iter().copied().collect());
            assert_eq!(ours.settle(&chosen.iter().copied().collect()), frames, "{unsettled:?} {chosen:?}");
            assert_eq!(ours.0, rest.iter().copied().collect(), "{unsettled:?} {chosen:?}");
        }
    }
}
