//! Which of the requests a launch can afford: one that reaches the model takes a gateway some hundred to some thousand times as long as
//! one that it denies.

use std::collections::BTreeSet;

use contract::request::written;
use contract::scenario::model::Kind;
use record::events::CellResult;

use super::{Candidate, Combo, Questions};

/// What is asked, with at most so many requests in each launch of a kind that reaches the model, whether or not they are let in: an older
/// release may let in whom `answers` say to be denied. The plainest stay, and of the others the seed says which. Sequences stay whole.
#[must_use]
pub fn affordable<'a>(
    mut asked: Questions<'a>,
    answers: &[CellResult],
    most: usize,
    seed: u64,
) -> Questions<'a> {
    let kind = |result: &CellResult| {
        let request = written(&result.cell);
        (request.method.clone(), request.path().to_owned())
    };
    let calls = answers.iter().filter(|result| {
        let observed = result.facts.observed.as_ref();
        observed.is_some_and(|observed| observed.model_calls.is_some_and(|calls| calls > 0))
    });
    let kinds: BTreeSet<(String, String)> = calls.map(kind).collect();
    let costly = answers.iter().filter(|result| {
        result.cell.scenario.kind == Kind::Requests && kinds.contains(&kind(result))
    });
    let costly: BTreeSet<String> = costly.map(|result| result.cell.id()).collect();
    let mut random = fastrand::Rng::with_seed(seed);
    for (tried, asks) in &mut asked {
        let id = |ask, combo: &Combo| {
            let request = Some((ask, combo.clone()));
            let tried = tried.clone();
            Candidate { tried, request }.id()
        };
        let mut own: Vec<(bool, String)> = Vec::new();
        for (ask, combos) in asks.iter() {
            let cells = combos.iter().map(|combo| {
                let is_plain = combo.iter().all(|place| *place == 0);
                (!is_plain, id(*ask, combo))
            });
            own.extend(cells.filter(|(_, cell)| costly.contains(cell)));
        }
        random.shuffle(&mut own);
        own.sort_by_key(|(is_odd, _)| *is_odd);
        let left_out: BTreeSet<String> = own.into_iter().skip(most).map(|(_, cell)| cell).collect();
        for (ask, combos) in asks.iter_mut() {
            combos.retain(|combo| !left_out.contains(&id(*ask, combo)));
        }
    }
    asked
}
