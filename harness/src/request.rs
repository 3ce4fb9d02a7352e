//! From a cell to the request that asks it. Pure.

use std::collections::BTreeMap;

use crate::plan::Cell;
use crate::scenario::model::RequestTemplate;
use crate::send::Request;
use crate::template::{TemplateError, expand};

/// Builds a cell's request: the scenario's own header lines, then those of each axis value in the order of the axes.
///
/// `secrets` are the launch's secrets by name, `canary` the word by which the model stand-in recognises this request.
///
/// # Errors
/// A placeholder that stands for nothing; the catalogue's checks rule that out for requests.
pub fn build(
    cell: &Cell,
    secrets: &BTreeMap<String, String>,
    canary: &str,
) -> Result<Request, TemplateError> {
    let headers = cell.values().flat_map(|value| &value.headers);
    let queries = cell.values().filter_map(|value| value.query.as_deref());
    assemble(&cell.scenario.request, headers, queries, secrets, canary)
}

/// Builds a launch's positive control: the scenario's request with the profile's control headers.
///
/// # Errors
/// A placeholder in the control headers that stands for nothing.
pub fn build_control(
    template: &RequestTemplate,
    control: &[String],
    secrets: &BTreeMap<String, String>,
    canary: &str,
) -> Result<Request, TemplateError> {
    assemble(template, control, [], secrets, canary)
}

fn assemble<'a>(
    template: &'a RequestTemplate,
    headers: impl IntoIterator<Item = &'a String>,
    queries: impl IntoIterator<Item = &'a str>,
    secrets: &BTreeMap<String, String>,
    canary: &str,
) -> Result<Request, TemplateError> {
    let lookup = |name: &str| match name {
        "canary" => Some(canary.to_owned()),
        name => secrets.get(name).cloned(),
    };
    let line = |line: &String| expand(line, &lookup).map(String::into_bytes);
    let mut target = expand(&template.path, &lookup)?;
    for (index, query) in queries.into_iter().enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        target.push_str(&expand(query, &lookup)?);
    }
    Ok(Request {
        method: template.method.clone(),
        target,
        headers: template
            .headers
            .iter()
            .chain(headers)
            .map(line)
            .collect::<Result<_, _>>()?,
        body: expand(&template.body, &lookup)?.into_bytes(),
    })
}
