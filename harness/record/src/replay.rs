//! What a record tells of gateways, launches and observations, as the run told it.

use std::time::Duration;

use super::{GatewayRecord, LaunchRecord, ObservedRecord};
use crate::events::{GatewayInfo, LaunchInfo, LaunchLog};
use crate::observe::Observation;
use contract::release::Version;

impl GatewayRecord {
    /// That the gateway was ready to be launched; `selected` cells were asked for, and `unselected` were not.
    pub fn ready(&self, release: &Version, selected: usize, unselected: usize) -> GatewayInfo {
        GatewayInfo {
            gateway: self.reference.clone(),
            version: release.clone(),
            integrity: self.integrity.clone(),
            node: self.node.clone(),
            notes: self.notes.clone(),
            measured: self.measured.clone(),
            senders: self.senders.clone(),
            missing: self.missing.clone(),
            selected,
            launches: Vec::new(),
            unselected,
        }
    }
}

impl LaunchRecord {
    /// That the launch ended; what the gateway wrote is not in a record.
    pub fn ended(&self, gateway: &str) -> LaunchInfo {
        LaunchInfo {
            gateway: gateway.to_owned(),
            profile: self.profile.clone(),
            attempt: self.attempt,
            ready: self.ready_ms.map(Duration::from_millis),
            stop: self.stop_ms.map(Duration::from_millis),
            exit: self.exit,
            killed: self.killed,
            failure: self.failure.clone(),
            proof: self.proof,
            model: self.model.clone(),
            log: LaunchLog::default(),
        }
    }
}

impl ObservedRecord {
    /// What was observed, with its normalised answer.
    pub fn observation(&self, answer: &str) -> Observation {
        Observation {
            outcome: self.outcome.clone(),
            direction: self.direction.unwrap_or_default(),
            grants: self.granted(),
            status: self.status,
            start: self.start,
            error_type: self.error_type.clone(),
            message: self.message.clone(),
            model_calls: self.model_calls,
            late_calls: self.late_calls,
            answer: answer.to_owned(),
            took: Duration::try_from_secs_f64(self.ms / 1000.0).unwrap_or_default(),
        }
    }
}
