//! Starts what looks and tells: the workers of supervision.

use super::House;
use crate::wiring::RealTime;
use std::sync::Arc;
use std::time::Duration;
use zhida_supervision::{PatternWorker, SupervisionWorker};

impl House {
    fn supervision(&self) -> SupervisionWorker {
        let settings = &self.settings.supervision;
        SupervisionWorker {
            store: self.store.clone(),
            time: RealTime::new(),
            batch_max: settings.batch_max,
            every: Duration::from_secs(u64::from(settings.sweep_seconds)),
            metrics: self.metrics.clone(),
        }
    }

    /// Starts the worker that looks at case files.
    pub(crate) fn start_looks(&mut self) {
        let (worker, stopped) = (self.supervision(), self.stopped.clone());
        self.tasks.spawn(async {
            zhida_supervision::run(worker, stopped).await;
            "supervision"
        });
    }

    /// Starts the worker that makes digests.
    pub(crate) fn start_digests(&mut self) {
        let (worker, stopped) = (self.supervision(), self.stopped.clone());
        self.tasks.spawn(async {
            zhida_supervision::digests::run(worker, stopped).await;
            "digest"
        });
    }

    /// Starts the worker that looks for patterns.
    pub(crate) fn start_patterns(&mut self) {
        let worker = PatternWorker {
            store: self.store.clone(),
            time: RealTime::new(),
            thresholds: Arc::new(self.settings.patterns.clone()),
            metrics: self.metrics.clone(),
        };
        let stopped = self.stopped.clone();
        self.tasks.spawn(async {
            zhida_supervision::run_patterns(worker, stopped).await;
            "patterns"
        });
    }
}
