//! Which cells a command is about: globs over ids, conditions on values, or the cells themselves.

use std::collections::BTreeSet;

use globset::{GlobBuilder, GlobSet};

use super::{Cell, Places, cells};
use crate::cell_id::CellId;
use crate::scenario::Catalogue;
use base::nearest::nearest;

/// Which cells a command is about.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    globs: Vec<GlobSet>,
    conditions: Vec<WhereExpr>,
    /// Cells by id, beside those that the globs match.
    only: Option<BTreeSet<String>>,
}

/// `axis=value,value` or `axis!=value,value`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct WhereExpr {
    axis: String,
    values: Vec<String>,
    negated: bool,
}

/// A filter that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// The glob does not parse.
    #[error("`{0}` is not a glob: {1}")]
    Glob(String, String),
    /// The glob selects nothing.
    #[error("no cell matches `{glob}`{}", .nearest.as_ref().map(|glob| format!("; did you mean `{glob}`?")).unwrap_or_default())]
    Unmatched {
        /// The glob as given.
        glob: String,
        /// The same glob with its first slip fixed.
        nearest: Option<String>,
    },
    /// The expression has no `=`.
    #[error("`{0}` is not a condition; write axis=value,value or axis!=value")]
    Where(String),
    /// No scenario has the axis.
    #[error("no scenario has an axis `{axis}`{}", .nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    Axis {
        /// The axis as given.
        axis: String,
        /// A name that resembles it.
        nearest: Option<String>,
    },
    /// The axis has no such value.
    #[error("axis `{axis}` has no value `{value}`{}", .nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    Value {
        /// The axis.
        axis: String,
        /// The value as given.
        value: String,
        /// A name that resembles it.
        nearest: Option<String>,
    },
}

impl Selection {
    /// Reads globs over cell ids and `--where` expressions, and refuses those that cannot select anything.
    ///
    /// A glob without `/` or `*` is taken as the beginning of an id. `*` does not cross a `/`, `**` does.
    ///
    /// # Errors
    /// A [`SelectionError`] that names the nearest thing there is.
    pub fn parse(
        catalogue: &Catalogue,
        globs: &[String],
        wheres: &[String],
    ) -> Result<Self, SelectionError> {
        // Of thousands of cells by name each is looked up, not matched.
        let places = Places::of(catalogue);
        let (exact, globs): (Vec<&String>, Vec<&String>) =
            globs.iter().partition(|glob| places.find(glob).is_some());
        let only = (!exact.is_empty()).then(|| exact.into_iter().cloned().collect());
        let globs = globs
            .into_iter()
            .map(|glob| parse_glob(glob, catalogue))
            .collect::<Result<_, _>>()?;
        let conditions = wheres
            .iter()
            .map(|text| parse_where(text, catalogue))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            globs,
            conditions,
            only,
        })
    }

    /// Selects the cells with these ids and no others.
    pub fn only(ids: impl IntoIterator<Item = String>) -> Self {
        Self {
            only: Some(ids.into_iter().collect()),
            ..Self::default()
        }
    }

    /// Whether the cell is selected: by its id or any glob (if there are any) and by every condition.
    pub fn accepts(&self, cell: &Cell) -> bool {
        let id = match self.only.is_some() || !self.globs.is_empty() {
            true => cell.id(),
            false => String::new(),
        };
        self.accepts_named(&id, &|axis| {
            let mut axes = cell.axes();
            axes.find(|(name, _)| *name == axis).map(|(_, value)| value)
        })
    }

    /// As [`Selection::accepts`], of a cell that is known by its id and its values only, as records have it.
    pub fn accepts_named<'a>(&self, id: &str, value: &dyn Fn(&str) -> Option<&'a str>) -> bool {
        let every = self.only.is_none() && self.globs.is_empty();
        let named = || self.only.as_ref().is_some_and(|only| only.contains(id));
        (every || named() || self.globs.iter().any(|glob| glob.is_match(id)))
            && self.conditions.iter().all(|condition| {
                value(&condition.axis).is_some_and(|value| {
                    condition.values.iter().any(|wanted| wanted == value) != condition.negated
                })
            })
    }
}

/// A glob of cells is no longer than this; the longest cell id has some 200 characters.
const MAX_GLOB: usize = 2_000;

fn parse_glob(text: &str, catalogue: &Catalogue) -> Result<GlobSet, SelectionError> {
    let (pattern, glob) = glob_of(text)?;
    let mut ids = cells(catalogue).map(|cell| cell.id());
    if ids.any(|id| glob.is_match(id)) {
        return Ok(glob);
    }
    let ids: Vec<String> = cells(catalogue).map(|cell| cell.id()).collect();
    Err(SelectionError::Unmatched {
        glob: text.to_owned(),
        nearest: fixed(&pattern, &ids),
    })
}

/// A glob over cell ids, as a whole pattern and ready to match.
///
/// # Errors
/// It does not parse.
pub(crate) fn glob_of(text: &str) -> Result<(String, GlobSet), SelectionError> {
    let pattern = if text.contains(['/', '*', '?', '[', '{']) {
        text.to_owned()
    } else {
        format!("{text}/**")
    };
    let wrong = |why: String| SelectionError::Glob(text.chars().take(MAX_GLOB).collect(), why);
    if pattern.len() > MAX_GLOB {
        return Err(wrong(format!("longer than {MAX_GLOB} characters")));
    }
    let glob = GlobBuilder::new(&pattern).literal_separator(true).build();
    // A set, unlike a matcher, says so if it cannot be made of what was parsed.
    let glob = glob.and_then(|glob| GlobSet::builder().add(glob).build());
    let glob = glob.map_err(|error| wrong(error.kind().to_string()))?;
    Ok((pattern, glob))
}

/// A glob with its first slip fixed: the first part that no cell has becomes the one that resembles it.
fn fixed(pattern: &str, ids: &[String]) -> Option<String> {
    let mut parts: Vec<&str> = pattern.split('/').collect();
    let mut mine: Vec<&String> = ids.iter().collect();
    for (place, part) in parts.iter().enumerate() {
        if part.contains(['*', '?', '[', '{']) {
            continue;
        }
        let has = |id: &&String| match place {
            0 => CellId::of(id).scenario() == *part,
            _ => CellId::of(id).parts().skip(1).any(|other| other == *part),
        };
        let left: Vec<&String> = mine.iter().copied().filter(has).collect();
        if left.is_empty() {
            let others = mine.iter().flat_map(|id| {
                let skip = usize::from(place > 0);
                let take = if place == 0 { 1 } else { usize::MAX };
                CellId::of(id).parts().skip(skip).take(take)
            });
            parts[place] = nearest(part, others)?;
            return Some(parts.join("/"));
        }
        mine = left;
    }
    None
}

fn parse_where(text: &str, catalogue: &Catalogue) -> Result<WhereExpr, SelectionError> {
    let (axis, values) = text
        .split_once('=')
        .ok_or_else(|| SelectionError::Where(text.to_owned()))?;
    let (axis, negated) = axis
        .strip_suffix('!')
        .map_or((axis, false), |axis| (axis, true));
    let axis = axis.trim().to_owned();
    let values: Vec<String> = values
        .split(',')
        .map(|value| value.trim().to_owned())
        .collect();
    let axes = || {
        catalogue
            .scenarios
            .iter()
            .flat_map(|scenario| &scenario.axes)
    };
    if !axes().any(|known| known.name == axis) {
        let nearest = nearest(&axis, axes().map(|known| known.name.as_str())).map(str::to_owned);
        return Err(SelectionError::Axis { axis, nearest });
    }
    let known: Vec<&str> = axes()
        .filter(|known| known.name == axis)
        .flat_map(|known| &known.values)
        .map(|value| value.id.as_str())
        .collect();
    if let Some(value) = values.iter().find(|value| !known.contains(&value.as_str())) {
        let nearest = nearest(value, known.iter().copied()).map(str::to_owned);
        return Err(SelectionError::Value {
            axis,
            value: value.clone(),
            nearest,
        });
    }
    Ok(WhereExpr {
        axis,
        values,
        negated,
    })
}
