//! What is defined once and used by name: the values of the axes.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use toml::Spanned;

use super::before;
use super::files::AxisFile;
use super::model::{AxisValue, DIRECT};
use super::parse::{
    check_header, check_id, check_placeholders, parse_toml, placeholders, read_body, schema_version,
};
use super::profile::Profiles;
use super::proxy::Proxies;
use super::sender::{OWN_SENDER, Senders};
use super::{Problem, Problems, SourceFile};
use crate::data::Data;

/// Axis name to its values by id.
pub(super) type Axes = BTreeMap<String, IndexMap<String, Arc<AxisValue>>>;

/// Reads one axis file into `axes`; `data` holds the bodies, `secrets` are the placeholders for secrets.
pub(super) fn axis(
    file: &SourceFile,
    data: &Data,
    secrets: &[String],
    axes: &mut Axes,
) -> Result<(), Problems> {
    let raw: AxisFile = parse_toml(file)?;
    let mut problems = Problems::default();
    schema_version(file, &raw.schema, &mut problems);
    if axes.contains_key(raw.axis.get_ref()) {
        problems.0.push(Problem::at(
            file,
            raw.axis.span(),
            format!(
                "axis `{}` is defined in more than one file",
                raw.axis.get_ref()
            ),
            "the second one",
        ));
    }
    let mut values = IndexMap::new();
    let needs: Arc<[String]> = raw.needs.into();
    for table in raw.value {
        let mut known = placeholders(secrets, table.vars.keys().chain(&*needs));
        let mut kept = Vec::new();
        let before = before::steps(file, table.before, data, &known, &mut kept, &mut problems);
        known.extend(kept.iter().map(String::as_str));
        let texts = table.headers.iter().chain(&table.query).chain(&table.path);
        for text in texts.chain(table.vars.values()) {
            check_placeholders(file, text, &known, &mut problems);
        }
        let body = table
            .body
            .as_ref()
            .map(|name| read_body(file, data, name, &mut problems));
        for header in &table.headers {
            check_header(file, header, &mut problems);
        }
        check_id(file, &table.id, &mut problems);
        let id = table.id.get_ref().clone();
        let value = AxisValue {
            short: table.short.unwrap_or_else(|| id.clone()),
            title: table.title,
            headers: table.headers.into_iter().map(Spanned::into_inner).collect(),
            query: table.query.map(Spanned::into_inner),
            method: table.method,
            path: table.path.map(Spanned::into_inner),
            body,
            before,
            needs: Arc::clone(&needs),
            vars: table
                .vars
                .into_iter()
                .map(|(name, text)| (name, text.into_inner()))
                .collect(),
            sender: None,
            from: table.from,
            repeat: table.repeat,
            set_config: table.set_config.into(),
            wait: std::time::Duration::try_from_secs_f64(table.wait).unwrap_or_default(),
            listens: table.listens,
            origin: format!("{}:{}", file.name, file.line(table.id.span().start)),
            id: id.clone(),
        };
        if values.insert(id.clone(), Arc::new(value)).is_some() {
            problems.0.push(Problem::at(
                file,
                table.id.span(),
                format!("value `{id}` is defined twice"),
                "the second one",
            ));
        }
    }
    axes.insert(raw.axis.into_inner(), values);
    problems.into_result(())
}

/// Makes the profile axis out of the profiles.
pub(super) fn profile_axis(profiles: &Profiles) -> IndexMap<String, Arc<AxisValue>> {
    profiles
        .values()
        .map(|profile| {
            let value = AxisValue {
                id: profile.id.clone(),
                short: profile.short.clone().unwrap_or_else(|| profile.id.clone()),
                title: profile.title.clone(),
                repeat: 1,
                origin: profile.origin.clone(),
                ..AxisValue::default()
            };
            (profile.id.clone(), Arc::new(value))
        })
        .collect()
}

/// Makes the sender axis out of the senders, clawgauge's own first.
pub(super) fn sender_axis(senders: &Senders) -> IndexMap<String, Arc<AxisValue>> {
    let own = AxisValue {
        id: OWN_SENDER.to_owned(),
        short: "own".to_owned(),
        title: "clawgauge's own sender, byte for byte".to_owned(),
        repeat: 1,
        origin: "built in".to_owned(),
        ..AxisValue::default()
    };
    let clients = senders.values().map(|sender| AxisValue {
        id: sender.id.clone(),
        short: sender.short.clone(),
        title: sender.full_title(),
        sender: Some(sender.id.clone()),
        repeat: 1,
        origin: sender.origin.clone(),
        ..AxisValue::default()
    });
    std::iter::once(own)
        .chain(clients)
        .map(|value| (value.id.clone(), Arc::new(value)))
        .collect()
}

/// Makes the proxy axis out of the proxies.
pub(super) fn proxy_axis(proxies: &Proxies) -> IndexMap<String, Arc<AxisValue>> {
    let direct = AxisValue {
        id: DIRECT.to_owned(),
        short: DIRECT.to_owned(),
        title: "no proxy: the caller comes past it".to_owned(),
        repeat: 1,
        origin: "built in".to_owned(),
        ..AxisValue::default()
    };
    let values = proxies.values().map(|proxy| AxisValue {
        id: proxy.id.clone(),
        short: proxy.short.clone().unwrap_or_else(|| proxy.id.clone()),
        title: proxy.title.clone(),
        repeat: 1,
        origin: proxy.origin.clone(),
        ..AxisValue::default()
    });
    std::iter::once(direct)
        .chain(values)
        .map(|value| (value.id.clone(), Arc::new(value)))
        .collect()
}
