//! Conditions on cells, resolved: which values of each axis are accepted.

/// One condition on a cell: for each axis of the scenario the accepted values, or `None` for all of them.
#[derive(Debug, Clone, Default)]
pub struct Condition(pub Vec<Option<Vec<bool>>>);

impl Condition {
    /// Whether a combination (value index by axis) meets the condition.
    pub fn matches(&self, combination: &[u16]) -> bool {
        self.0.iter().zip(combination).all(|(accepted, value)| {
            accepted
                .as_ref()
                .is_none_or(|accepted| accepted.get(usize::from(*value)).copied().unwrap_or(false))
        })
    }
}

/// Which of so many values of the first axis any of the conditions accepts.
pub fn first_values(conditions: &[Condition], values: usize) -> Vec<bool> {
    let accepts = |value: usize| {
        conditions.iter().any(|condition| {
            let first = condition.0.first().and_then(Option::as_ref);
            first.is_none_or(|accepted| accepted.get(value).copied().unwrap_or(false))
        })
    };
    (0..values).map(accepts).collect()
}

/// Whether any of the conditions is met.
pub fn any_matches(conditions: &[Condition], combination: &[u16]) -> bool {
    conditions
        .iter()
        .any(|condition| condition.matches(combination))
}
