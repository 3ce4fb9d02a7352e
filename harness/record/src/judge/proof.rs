//! What a launch's denials prove: whether calls of the model were seen, and whether each of them has an explanation.

use serde::{Deserialize, Serialize};

/// Whether the denials of a launch prove anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// At least one request of the launch reached the model, or its profile says why none can.
    Shown,
    /// None did.
    Missing,
    /// The model was called, and no request that was let in explains it: any denial may have been the cause.
    Void,
}

/// The calls that reached the model during a launch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ModelCalls {
    /// All of them, on whatever path.
    pub calls: u32,
    /// Those before the first request was sent, which are no caller's.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub before: u32,
    /// Those that no request explains that was let in.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub unexplained: u32,
    /// Where the first of these went: method and path.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub places: Vec<String>,
    /// Connections to the model that were still open after the gateway had stopped.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub open: u32,
    /// How long late calls were waited for, in milliseconds: after the last denial, before the gateway was stopped.
    pub settled_ms: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl ModelCalls {
    /// Why the denials of the launch prove nothing, if they do not.
    pub fn doubt(&self) -> Option<String> {
        if self.unexplained > 0 {
            let calls = match self.unexplained {
                1 => "1 call".to_owned(),
                count => format!("{count} calls"),
            };
            let places = self.places.join(", ");
            return Some(format!(
                "{calls} of the model that no request explains which was let in ({places}): its denials prove nothing"
            ));
        }
        (self.open > 0).then(|| {
            "something still held a connection to the model after the gateway had stopped: its denials prove nothing".to_owned()
        })
    }
}

impl Proof {
    /// What a launch proves: `reached` says whether one of its requests reached the model, or none can.
    pub fn of(reached: bool, calls: &ModelCalls) -> Self {
        match (calls.doubt(), reached) {
            (Some(_), _) => Self::Void,
            (None, true) => Self::Shown,
            (None, false) => Self::Missing,
        }
    }

    /// Why a denial proves nothing, if it does not.
    pub fn objection(self) -> Option<&'static str> {
        match self {
            Self::Shown => None,
            Self::Missing => Some(
                "refused as it must be, but nothing in this launch reached the model, so the refusal proves nothing",
            ),
            Self::Void => Some(
                "denied as it must be, but the model was called in this launch by no request that was let in, so the denial proves nothing",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::shown(true, 0, 0, Proof::Shown)]
    #[case::missing(false, 0, 0, Proof::Missing)]
    #[case::unexplained(true, 1, 0, Proof::Void)]
    #[case::unexplained_and_missing(false, 2, 0, Proof::Void)]
    #[case::still_connected(true, 0, 1, Proof::Void)]
    fn a_launch_proves(
        #[case] reached: bool,
        #[case] unexplained: u32,
        #[case] open: u32,
        #[case] proof: Proof,
    ) {
        let calls = ModelCalls {
            unexplained,
            open,
            ..ModelCalls::default()
        };
        assert_eq!(Proof::of(reached, &calls), proof);
        assert_eq!(calls.doubt().is_some(), proof == Proof::Void);
        assert_eq!(proof.objection().is_none(), proof == Proof::Shown);
    }
}
