//! "Did you mean": the valid name closest to a mistyped one.

/// The candidate closest to `wrong`, if one is close enough to be a likely slip.
pub fn nearest<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(wrong, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().max(wrong.len()) / 3)
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", or the whole list where nothing is near.
pub fn advice<'a>(wrong: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(wrong, candidates.clone()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => {
            let mut names: Vec<&str> = candidates.into_iter().collect();
            names.sort_unstable();
            if names.is_empty() {
                "nothing has that name here".to_owned()
            } else {
                format!("known: {}", names.join(", "))
            }
        }
    }
}
