//! Conditions of rules and exclusions: names of axes, values and sets become masks over a scenario's axes.

use toml::Spanned;

use super::files::{OneOrMany, Selector, SetTables, WhenTable};
use super::model::{Condition, ScenarioAxis, ValueSet};
use super::parse::{unknown_axis, unknown_value};
use super::{Problem, Problems, SourceFile};
use base::nearest::advice;

/// Resolves conditions against the axes and sets of one scenario.
pub(super) struct Resolver<'a> {
    pub(super) file: &'a SourceFile,
    pub(super) axes: &'a [ScenarioAxis],
    /// Sets as the scenario's own file has them.
    pub(super) sets: &'a SetTables,
    /// Sets of a scenario that is resolved already, for files that speak about it.
    pub(super) resolved: &'a [ValueSet],
}

impl Resolver<'_> {
    pub(super) fn conditions(
        &self,
        when: &Spanned<OneOrMany<WhenTable>>,
        problems: &mut Problems,
    ) -> Vec<Condition> {
        if when.get_ref().0.is_empty() {
            problems.0.push(Problem::at(
                self.file,
                when.span(),
                "an empty list of conditions",
                "nothing can match",
            ));
        }
        when.get_ref()
            .0
            .iter()
            .map(|table| self.condition(table, problems))
            .collect()
    }

    fn condition(&self, table: &WhenTable, problems: &mut Problems) -> Condition {
        let mut accepted = vec![None; self.axes.len()];
        for (name, selector) in table {
            let Some(position) = self
                .axes
                .iter()
                .position(|axis| axis.name == *name.get_ref())
            else {
                problems.0.push(unknown_axis(self.file, name, self.axes));
                continue;
            };
            let axis = &self.axes[position];
            let mut mask = vec![false; axis.values.len()];
            let negated = match selector.get_ref() {
                Selector::One(value) => {
                    self.accept(
                        axis,
                        &Spanned::new(selector.span(), value.clone()),
                        &mut mask,
                        problems,
                    );
                    false
                }
                Selector::Many(values) => {
                    values
                        .iter()
                        .for_each(|value| self.accept(axis, value, &mut mask, problems));
                    false
                }
                Selector::Not(values) => {
                    values
                        .iter()
                        .for_each(|value| self.accept(axis, value, &mut mask, problems));
                    true
                }
            };
            if negated {
                mask.iter_mut().for_each(|accepted| *accepted = !*accepted);
            }
            if !mask.contains(&true) {
                problems.0.push(Problem::at(
                    self.file,
                    selector.span(),
                    format!("no value of axis `{}` is left", axis.name),
                    "accepts nothing",
                ));
            }
            accepted[position] = Some(mask);
        }
        Condition(accepted)
    }

    fn accept(
        &self,
        axis: &ScenarioAxis,
        name: &Spanned<String>,
        mask: &mut [bool],
        problems: &mut Problems,
    ) {
        if let Some(set) = name.get_ref().strip_prefix('@') {
            let sets = self
                .sets
                .iter()
                .find(|(key, _)| *key.get_ref() == axis.name)
                .map(|(_, sets)| sets);
            let resolved = self
                .resolved
                .iter()
                .find(|known| known.axis == axis.name && known.name == set);
            if let Some(known) = resolved {
                for value in &known.values {
                    let index = axis.values.iter().position(|other| other.id == *value);
                    index.into_iter().for_each(|index| mask[index] = true);
                }
                return;
            }
            match sets.and_then(|sets| sets.iter().find(|(key, _)| key.get_ref() == set)) {
                Some((_, values)) => values
                    .iter()
                    .for_each(|value| self.accept(axis, value, mask, problems)),
                None => {
                    let known: Vec<&str> = sets
                        .into_iter()
                        .flatten()
                        .map(|(key, _)| key.get_ref().as_str())
                        .chain(
                            self.resolved
                                .iter()
                                .filter(|known| known.axis == axis.name)
                                .map(|known| known.name.as_str()),
                        )
                        .collect();
                    problems.0.push(
                        Problem::at(
                            self.file,
                            name.span(),
                            format!("unknown set `@{set}` of axis `{}`", axis.name),
                            "not under [sets]",
                        )
                        .help(advice(set, known.iter().copied())),
                    );
                }
            }
            return;
        }
        match axis
            .values
            .iter()
            .position(|value| value.id == *name.get_ref())
        {
            Some(index) => mask[index] = true,
            None => problems.0.push(unknown_value(self.file, name, axis)),
        }
    }

    /// Sets may hold plain values of their axis only, so that no set can contain itself.
    pub(super) fn check_sets(&self, problems: &mut Problems) {
        for (axis_name, sets) in self.sets {
            let Some(axis) = self
                .axes
                .iter()
                .find(|axis| axis.name == *axis_name.get_ref())
            else {
                problems
                    .0
                    .push(unknown_axis(self.file, axis_name, self.axes));
                continue;
            };
            for value in sets.values().flatten() {
                if !axis.values.iter().any(|known| known.id == *value.get_ref()) {
                    problems.0.push(unknown_value(self.file, value, axis));
                }
            }
        }
    }
}
