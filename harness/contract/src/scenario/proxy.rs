//! Proxies: real programs that stand between a caller and the gateway, as data.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::model::DIRECT;
use super::parse::{check_id, check_placeholders, parse_toml, schema_version};
use super::{Problem, Problems, SourceFile};

/// What the arguments may name.
const IN_ARGS: [&str; 2] = ["config", "folder"];
/// What the configuration may name, beside the launch's secrets.
const IN_CONFIG: [&str; 5] = [
    "listen",
    "listen-address",
    "listen-port",
    "gateway",
    "folder",
];
/// Stands for the rules of one of a program's proxies.
const RULES: &str = "${rules}";

/// One program and the ways to configure it: each is a value of the axis `proxy`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ProxiesFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    schema: Spanned<u32>,
    /// The program, looked for on PATH.
    program: String,
    /// The command that installs it.
    install: String,
    /// Its arguments, with placeholders: `${config}` is the path of its configuration, `${folder}` its own folder.
    #[schemars(with = "Vec<String>")]
    args: Vec<Spanned<String>>,
    /// Words of the pages that it sends itself (502, 503, 504) where it gets no answer from the gateway.
    #[serde(default)]
    no_answer: Vec<String>,
    /// Its configuration, with placeholders: `${listen}` and `${gateway}` are addresses with ports (`${listen-address}` and
    /// `${listen-port}` are the parts), `${folder}` its own folder, `${rules}` what one proxy does; and the launch's secrets by name.
    #[schemars(with = "String")]
    config: Spanned<String>,
    /// The ways to configure it.
    proxy: Vec<ProxyTable>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProxyTable {
    /// Name of the proxy, as the axis `proxy` has it.
    #[schemars(with = "String")]
    id: Spanned<String>,
    /// What it does, in one line.
    title: String,
    /// At most five characters for the head of a matrix column.
    short: Option<String>,
    /// Its part of the configuration.
    #[schemars(with = "String")]
    rules: Spanned<String>,
}

/// A program that forwards requests to the gateway, configured in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Name, as the axis `proxy` has it.
    pub id: String,
    /// What it does, in one line.
    pub title: String,
    /// Head of a matrix column.
    pub short: Option<String>,
    /// The program, looked for on `PATH`.
    pub program: String,
    /// The command that installs it.
    pub install: String,
    /// Arguments, with placeholders.
    pub args: Vec<String>,
    /// Words of the pages that it sends where it gets no answer.
    pub no_answer: Vec<String>,
    /// The whole configuration, with placeholders.
    pub config: String,
    /// `file:line` of the proxy.
    pub origin: String,
}

/// Proxies by name, in the order of their files.
pub(super) type Proxies = IndexMap<String, Proxy>;

/// Reads the proxies of one program into `proxies`; `secrets` are the placeholders for secrets.
pub(super) fn proxies(
    file: &SourceFile,
    secrets: &[String],
    proxies: &mut Proxies,
) -> Result<(), Problems> {
    let raw: ProxiesFile = parse_toml(file)?;
    let mut problems = Problems::default();
    schema_version(file, &raw.schema, &mut problems);
    let secrets = secrets.iter().map(String::as_str);
    let in_config: Vec<&str> = IN_CONFIG.into_iter().chain(secrets).collect();
    for arg in &raw.args {
        check_placeholders(file, arg, &IN_ARGS, &mut problems);
    }
    let with_rules: Vec<&str> = in_config.iter().copied().chain(["rules"]).collect();
    check_placeholders(file, &raw.config, &with_rules, &mut problems);
    for table in raw.proxy {
        check_id(file, &table.id, &mut problems);
        check_placeholders(file, &table.rules, &in_config, &mut problems);
        let (id, span) = (table.id.get_ref().clone(), table.id.span());
        let proxy = Proxy {
            id: id.clone(),
            title: table.title,
            short: table.short,
            program: raw.program.clone(),
            install: raw.install.clone(),
            args: raw.args.iter().map(|arg| arg.get_ref().clone()).collect(),
            no_answer: raw.no_answer.clone(),
            config: with_rules_in(raw.config.get_ref(), table.rules.get_ref()),
            origin: format!("{}:{}", file.name, file.line(span.start)),
        };
        let twin = match id.as_str() {
            DIRECT => Some("the name of no proxy at all".to_owned()),
            _ => proxies
                .get(&id)
                .map(|twin| format!("also at {}", twin.origin)),
        };
        if let Some(twin) = twin {
            let what = format!("proxy `{id}` is defined twice");
            problems.0.push(Problem::at(file, span, what, twin));
        }
        proxies.insert(id, proxy);
    }
    problems.into_result(())
}

/// A configuration with one proxy's rules, each line as far in as the placeholder.
fn with_rules_in(config: &str, rules: &str) -> String {
    let mut out = String::new();
    for line in config.lines() {
        match line.find(RULES) {
            Some(at) if line.trim() == RULES => {
                for rule in rules.trim_end().lines() {
                    out.push_str(&line[..at]);
                    out.push_str(rule);
                    out.push('\n');
                }
            }
            Some(_) | None => {
                out.push_str(&line.replace(RULES, rules.trim_end()));
                out.push('\n');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_take_their_place() {
        let config = "a {\n    ${rules}\n}\nb ${rules}\n";
        assert_eq!(
            with_rules_in(config, "x 1;\ny 2;\n"),
            "a {\n    x 1;\n    y 2;\n}\nb x 1;\ny 2;\n"
        );
    }
}
