//! The files as they are written: serde types, spans kept, nothing resolved yet.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use toml::Spanned;

/// A scenario: one question, its matrix and its decision table.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScenarioFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    pub(crate) schema: Spanned<u32>,
    /// Name of the scenario, the first part of every cell id.
    #[schemars(with = "String")]
    pub(crate) id: Spanned<String>,
    /// The question in one sentence.
    pub(crate) title: String,
    /// The first release that the decision table speaks about; earlier ones are not applicable.
    #[schemars(with = "Option<String>")]
    pub(crate) since: Option<Spanned<String>>,
    /// What a cell does: send a request, send its requests one after the other, or only start.
    #[serde(default)]
    pub(crate) kind: super::model::Kind,
    /// Why its cells are asked of gateways that are launched for them alone, and never by `clawgauge attach`; none where they may be.
    #[serde(rename = "own-gateway")]
    pub(crate) own_gateway: Option<String>,
    /// Whether `clawgauge contract` shows, row by row, what each release answers.
    #[serde(default)]
    pub(crate) history: bool,
    /// The request that every cell sends, before its axis values add to it.
    #[serde(default)]
    pub(crate) request: RequestTable,
    /// The axes and the values of each that take part; their product is the matrix.
    #[schemars(with = "BTreeMap<String, Vec<String>>")]
    pub(crate) axes: IndexMap<Spanned<String>, Vec<Spanned<String>>>,
    /// Named groups of values by axis, referred to as `@name`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, BTreeMap<String, Vec<String>>>")]
    pub(crate) sets: SetTables,
    /// Outcomes that depend on the value of one axis: name to axis to value to outcome; rules refer to them as `@name`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>")]
    pub(crate) answers: AnswerTables,
    /// Combinations that are left out of the matrix, each with a reason.
    #[serde(default)]
    pub(crate) exclude: Vec<ExcludeTable>,
    /// The decision table.
    pub(crate) rule: Vec<RuleTable>,
}

/// The request of a scenario; what an axis value says goes before it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RequestTable {
    /// How it is sent; HTTP where nothing is said.
    #[serde(default)]
    pub(crate) protocol: super::model::Protocol,
    /// The placeholder that holds the port which the request goes to, where that is not the gateway's own: a request before keeps it.
    #[schemars(with = "Option<String>")]
    pub(crate) port: Option<Spanned<String>>,
    /// Whether cells with the same header lines may share a connection, one after the other; for matrices of many thousand cells
    /// that differ in their bodies. Where nothing is said each request has its own.
    #[serde(default, rename = "keep-alive")]
    pub(crate) keep_alive: bool,
    /// Requests that every cell sends before it, in this order; those of its axis values follow.
    #[serde(default)]
    pub(crate) before: Vec<BeforeTable>,
    /// Whether what the model saw is part of the answer: which model was asked for, and whether words of the requests before came
    /// along. Outcomes say it in `model-saw`.
    #[serde(default, rename = "model-view")]
    pub(crate) model_view: bool,
    /// HTTP method; GET where nothing is said.
    #[schemars(with = "Option<String>")]
    pub(crate) method: Option<Spanned<String>>,
    /// Path, without a query; it may be left to the values of an axis.
    #[schemars(with = "Option<String>")]
    pub(crate) path: Option<Spanned<String>>,
    /// Header lines sent by every cell, byte for byte.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) headers: Vec<Spanned<String>>,
    /// File under `fixtures/` that holds the body; placeholders are expanded in it.
    #[schemars(with = "Option<String>")]
    pub(crate) body: Option<Spanned<String>>,
}

/// A request that comes before the one that is judged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BeforeTable {
    /// What it is for, in a few words.
    pub(crate) title: String,
    /// How it is sent; HTTP where nothing is said.
    #[serde(default)]
    pub(crate) protocol: super::model::Protocol,
    /// HTTP method; GET where nothing is said.
    #[schemars(with = "Option<String>")]
    pub(crate) method: Option<Spanned<String>>,
    /// Path and query.
    #[schemars(with = "String")]
    pub(crate) path: Spanned<String>,
    /// Header lines, byte for byte.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) headers: Vec<Spanned<String>>,
    /// File under `fixtures/` that holds the body.
    #[schemars(with = "Option<String>")]
    pub(crate) body: Option<Spanned<String>>,
    /// The status that it must have, 200 where nothing is said; otherwise the cell cannot be asked.
    #[serde(default = "ok")]
    pub(crate) status: u16,
    /// How often it is sent, once where nothing is said.
    #[serde(default = "once")]
    pub(crate) repeat: u32,
    /// Placeholders for what comes later, each with the place of its text in the answer: a JSON pointer, or the name of a header.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(crate) keep: BTreeMap<String, Spanned<String>>,
    /// Of a kept text, by its placeholder, only what follows this.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(crate) after: BTreeMap<String, Spanned<String>>,
    /// Of a kept text, by its placeholder, only what stands before this.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(crate) until: BTreeMap<String, Spanned<String>>,
    /// Whether its WebSocket connection stays open until the request that is judged is answered.
    #[serde(default)]
    #[schemars(with = "bool")]
    pub(crate) stays: Option<Spanned<bool>>,
}

fn ok() -> u16 {
    200
}

/// Cells that are not asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExcludeTable {
    /// Which cells.
    #[schemars(with = "WhenSchema")]
    pub(crate) when: Spanned<OneOrMany<WhenTable>>,
    /// Why they are not asked.
    pub(crate) reason: String,
}

/// A row of the decision table.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleTable {
    /// Name of the rule, unique in the scenario.
    #[schemars(with = "String")]
    pub(crate) id: Spanned<String>,
    /// The rule in one sentence.
    #[serde(default)]
    pub(crate) title: String,
    /// The cells it speaks about: a table of conditions, or a list of such tables of which one must hold.
    #[schemars(with = "WhenSchema")]
    pub(crate) when: Spanned<OneOrMany<WhenTable>>,
    /// Name of the outcome that those cells must have, or `@name` of one of the scenario's answers.
    #[schemars(with = "String")]
    pub(crate) expect: Spanned<String>,
    /// First release for which the rule holds.
    #[schemars(with = "Option<String>")]
    pub(crate) since: Option<Spanned<String>>,
    /// First release for which it no longer holds.
    #[schemars(with = "Option<String>")]
    pub(crate) until: Option<Spanned<String>>,
    /// In a sequence: how soon after another step its cells must have answers to be judged.
    pub(crate) within: Option<WithinTable>,
    /// On whose authority: a document of a release, an issue, an advisory.
    pub(crate) source: String,
}

/// What a gateway does for some time only: an answer that comes later says nothing about it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithinTable {
    /// So many seconds it lasts.
    pub(crate) seconds: f64,
    /// The step with whose last request it begins, at the earliest.
    #[schemars(with = "String")]
    pub(crate) after: Spanned<String>,
}

/// Axis name to set name to the values of the set.
pub(crate) type SetTables =
    IndexMap<Spanned<String>, IndexMap<Spanned<String>, Vec<Spanned<String>>>>;

/// Name of an answer to axis to value to the name of the outcome.
pub(crate) type AnswerTables = IndexMap<
    Spanned<String>,
    IndexMap<Spanned<String>, IndexMap<Spanned<String>, Spanned<String>>>,
>;

/// Axis name to the values it must have.
pub(crate) type WhenTable = IndexMap<Spanned<String>, Spanned<Selector>>;

/// How `when` looks in the JSON Schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the format, is never built")]
pub(crate) enum WhenSchema {
    One(BTreeMap<String, SelectorSchema>),
    Many(Vec<BTreeMap<String, SelectorSchema>>),
}

/// How a selector looks in the JSON Schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes the format, is never built")]
pub(crate) enum SelectorSchema {
    /// One value, or `@set`.
    One(String),
    /// Any of these values or sets.
    Many(Vec<String>),
    /// All values of the axis but these.
    Not { not: Vec<String> },
}

/// Which values of an axis a condition accepts.
#[derive(Debug)]
pub(crate) enum Selector {
    /// `"value"`
    One(String),
    /// `["value", "@set"]`
    Many(Vec<Spanned<String>>),
    /// `{ not = ["value"] }`
    Not(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SelectorVisitor;

        impl<'de> Visitor<'de> for SelectorVisitor {
            type Value = Selector;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value, a list of values, or { not = [values] }")
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Selector, E> {
                Ok(Selector::One(value.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Selector, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    values.push(value);
                }
                Ok(Selector::Many(values))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Selector, A::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Not {
                    not: Vec<Spanned<String>>,
                }
                Not::deserialize(MapAccessDeserializer::new(map)).map(|not| Selector::Not(not.not))
            }
        }

        deserializer.deserialize_any(SelectorVisitor)
    }
}

/// A value, or a list of such values.
#[derive(Debug)]
pub(crate) struct OneOrMany<T>(pub(crate) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrManyVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of conditions, or a list of such tables")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany<T>, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = seq.next_element()? {
                    values.push(value);
                }
                Ok(OneOrMany(values))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OneOrMany<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|value| OneOrMany(vec![value]))
            }
        }

        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

/// The values of an axis, each defined once for all scenarios.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AxisFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    pub(crate) schema: Spanned<u32>,
    /// Name of the axis.
    #[schemars(with = "String")]
    pub(crate) axis: Spanned<String>,
    /// What the axis varies, in one line.
    #[serde(rename = "title")]
    pub(crate) _title: String,
    /// Placeholders that its texts use, and that a request before must keep in each scenario that uses the axis.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    /// The values.
    pub(crate) value: Vec<ValueTable>,
}

/// One value of an axis: what it adds to the request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ValueTable {
    /// Name of the value.
    #[schemars(with = "String")]
    pub(crate) id: Spanned<String>,
    /// At most five characters for the head of a matrix column; the id where it is short enough.
    pub(crate) short: Option<String>,
    /// What it means, in a few words.
    pub(crate) title: String,
    /// Header lines, byte for byte, in this order, duplicates kept.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub(crate) headers: Vec<Spanned<String>>,
    /// Appended to the path behind a question mark.
    #[schemars(with = "Option<String>")]
    pub(crate) query: Option<Spanned<String>>,
    /// HTTP method instead of the scenario's.
    pub(crate) method: Option<String>,
    /// Path instead of the scenario's.
    #[schemars(with = "Option<String>")]
    pub(crate) path: Option<Spanned<String>>,
    /// File under `fixtures/` that holds the body instead of the scenario's.
    #[schemars(with = "Option<String>")]
    pub(crate) body: Option<Spanned<String>>,
    /// Requests that are sent before it, in this order, after those of the scenario.
    #[serde(default)]
    pub(crate) before: Vec<BeforeTable>,
    /// Texts for placeholders of their own in body, path and headers.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub(crate) vars: BTreeMap<String, Spanned<String>>,
    /// Where the request comes from, in a profile with `own-network`: `caller` (past the proxies), or `gateway` (from its own machine, at
    /// an address of its own). Elsewhere, and without this, it comes from where a proxy is.
    pub(crate) from: Option<super::model::Standpoint>,
    /// In a sequence: how often the request is sent; the last answer is the one that counts.
    #[serde(default = "once")]
    pub(crate) repeat: u32,
    /// In a sequence: configuration merged into the gateway's file before the request.
    #[serde(default)]
    pub(crate) set_config: serde_json::Map<String, serde_json::Value>,
    /// In a sequence: seconds to wait before the request.
    #[serde(default)]
    pub(crate) wait: f64,
    /// In a sequence: the answer is read while the later steps are sent, and what has come by their end is the answer.
    #[serde(default)]
    pub(crate) listens: bool,
}

fn once() -> u32 {
    1
}

/// The answers that rules may expect.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutcomesFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    pub(crate) schema: Spanned<u32>,
    /// What holds for the header lines of every answer, by name in small letters; `*` at the end of a name stands for the rest.
    #[serde(default)]
    pub(crate) headers: super::Headers,
    /// What denials may tell, by name.
    #[serde(default)]
    pub(crate) tells: super::Tellable,
    /// The outcomes.
    pub(crate) outcome: Vec<OutcomeTable>,
}

/// A named answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct OutcomeTable {
    /// Name of the outcome.
    #[schemars(with = "String")]
    pub(crate) id: Spanned<String>,
    /// What it means for the caller.
    pub(crate) title: String,
    /// What it lets the caller do; of several privileges that may stand behind it, the least.
    pub(crate) grants: Option<super::Privilege>,
    /// What a denial tells, by the names under `[tells]`.
    #[schemars(with = "Option<Vec<String>>")]
    pub(crate) tells: Option<Vec<Spanned<String>>>,
    /// Whether the caller got in: what files said before there was `grants`.
    #[schemars(skip)]
    pub(crate) direction: Option<super::model::Direction>,
    /// HTTP status.
    pub(crate) status: Option<u16>,
    /// Whether the gateway started; instead of a status, for scenarios of kind `start`.
    pub(crate) start: Option<super::model::Start>,
    /// The exit code of a start that is refused.
    pub(crate) exit: Option<i32>,
    /// `error.type` of the JSON body.
    pub(crate) error_type: Option<String>,
    /// `error.message` of the JSON body.
    pub(crate) message: Option<String>,
    /// Words that the message must contain; for a start that is refused, what the gateway must say.
    pub(crate) message_has: Option<String>,
    /// Words that the body must not contain.
    pub(crate) lacks: Option<String>,
    /// How `Content-Type` must begin.
    pub(crate) content_type: Option<String>,
    /// JSON pointers to parts of the body that differ from run to run, or "" for all of it: a snapshot names them only. With a `?` at
    /// the end the part may be missing, and a snapshot leaves it out.
    #[serde(default)]
    pub(crate) volatile: Vec<String>,
    /// JSON pointers and the values they must have.
    #[serde(default)]
    pub(crate) json: BTreeMap<String, serde_json::Value>,
    /// JSON pointers that must lead nowhere.
    #[serde(default)]
    pub(crate) without: Vec<String>,
    /// Whether the body must be empty.
    #[serde(default)]
    pub(crate) empty: bool,
    /// What holds for its header lines instead of what holds for every answer.
    #[serde(default)]
    pub(crate) headers: super::Headers,
    /// Calls that reach the model; 0 where nothing is said.
    #[serde(default)]
    pub(crate) model_calls: u32,
    /// What the model saw, in scenarios where that is part of the answer; only there.
    pub(crate) model_saw: Option<super::model::ModelSaw>,
    /// Whether the gateway answers first and calls its model afterwards: those calls are waited for.
    #[serde(default)]
    pub(crate) runs_later: bool,
}
