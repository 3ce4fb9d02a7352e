//! `clawgauge doctor`: what this machine lacks, for which cells, and the command that installs it. Nothing is launched or installed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;

use super::args::release_of;
use super::session::Session;
use crate::cli::output::{Failure, Output};
use crate::cli::reference::reference;
use crate::cli::select::selected;
use base::text::count;
use clawgauge::project::Project;
use contract::plan::{Missing, NETWORK, Plan, requirements};
use contract::release::{GatewayRef, Version};
use contract::scenario::sender::Runtime;
use contract::scenario::{Catalogue, Problems};
use machine::clients::{Senders, used};
use machine::install::{EntryState, InstallContext, entry_name};
use machine::tools;
use record::{Ending, MaySkip};

/// Name and version of what `--json` prints.
const SCHEMA: &str = "clawgauge.doctor/1";
/// At most so many scenarios are named for one thing.
const MAX_SCENARIOS: usize = 4;
/// How the tool is called that makes virtual environments.
const PYTHON: &str = "python3 with venv";

/// Arguments of `doctor`. What is not given is taken from `clawgauge.toml`, as `run` takes it.
#[derive(Debug, Args)]
pub(in crate::cli) struct DoctorArgs {
    /// Only cells whose id matches; `*` stops at a slash, `**` does not
    #[arg(value_name = "CELL-GLOB")]
    globs: Vec<String>,

    /// Only cells with these values: axis=value,value or axis!=value
    #[arg(long = "where", value_name = "EXPR")]
    conditions: Vec<String>,

    /// The gateway that is to be run [default: reference]
    #[arg(long, value_name = "REF")]
    gateway: Option<GatewayRef>,

    /// The release whose contract is meant [default: that of the gateway]
    #[arg(long, value_name = "VERSION")]
    release: Option<Version>,

    /// What this machine may lack, as `run` takes it; may be repeated
    #[arg(long, value_name = "NAME|CELL-GLOB")]
    may_skip: Vec<String>,

    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// What a machine can ask.
#[derive(Debug, Serialize)]
struct Report {
    schema: &'static str,
    gateway: String,
    release: String,
    /// Selected cells that can be asked of the release.
    cells: usize,
    /// Of these, those that this machine can ask.
    askable: usize,
    /// Of the others, those that may be skipped.
    expected: usize,
    needs: Vec<Need>,
}

/// Something that cells take.
#[derive(Debug, Serialize)]
struct Need {
    name: String,
    found: bool,
    /// Cells that take it.
    cells: usize,
    /// The same by scenario.
    scenarios: BTreeMap<String, usize>,
    /// Whether all these cells may be skipped.
    expected: bool,
    /// Why it is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Whether it is what others are installed with.
    #[serde(skip)]
    tool: bool,
    /// The command that installs it, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    install: Option<String>,
}

/// Says what is there and what is missing: 0 if a run is complete here, 4 if it is not.
pub(super) fn doctor(
    args: DoctorArgs,
    project: &Project,
    catalogue: &Catalogue,
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    let args = args.with_defaults(project)?;
    let gateway = args.gateway.clone().unwrap_or(GatewayRef::Reference);
    let release = release_of(&gateway, args.release.as_ref())?;
    let selection = selected(catalogue, &args.globs, &args.conditions)?;
    let may_skip = MaySkip::parse(&args.may_skip, catalogue)?;
    let context = InstallContext::from_env(reference()?, catalogue.needs.clone());
    let plan = Plan::new(catalogue, &release, &selection);
    let used = used(catalogue, &selection);
    let clients = session.run(async |_| Ok(Senders::find(used, &context).await))?;
    let mut missing = tools::missing(&plan.needs(catalogue), &gateway);
    missing.extend(clients.missing.clone());
    let mut report = Report {
        schema: SCHEMA,
        gateway: gateway.to_string(),
        release: release.to_string(),
        cells: 0,
        askable: 0,
        expected: 0,
        needs: Vec::new(),
    };
    report.plan(&plan, &missing, &may_skip, catalogue);
    report.tools(&gateway, &context, catalogue);
    let told = match args.json {
        true => output.json(&report),
        false => output.result(&report.text()),
    };
    output.first([report.ended(), told])
}

impl DoctorArgs {
    fn with_defaults(mut self, project: &Project) -> Result<Self, Failure> {
        let file = &project.file.run;
        if self.globs.is_empty() {
            self.globs.clone_from(&file.cells);
        }
        if self.conditions.is_empty() {
            self.conditions.clone_from(&file.conditions);
        }
        if self.may_skip.is_empty() {
            self.may_skip.clone_from(&file.may_skip);
        }
        let named = file.gateway.iter().flatten().next();
        if let (None, Some(text)) = (&self.gateway, named) {
            self.gateway = Some(project.value(text).map_err(Problems::from)?);
        }
        if let (None, Some(text)) = (&self.release, &file.release) {
            self.release = Some(project.value(text).map_err(Problems::from)?);
        }
        Ok(self)
    }
}

impl Report {
    /// Counts the cells, and what they take.
    fn plan(&mut self, plan: &Plan, missing: &Missing, may_skip: &MaySkip, catalogue: &Catalogue) {
        let mut needs: BTreeMap<String, Need> = BTreeMap::new();
        let launches = plan.launches.iter();
        for cell in launches.flat_map(|launch| launch.cells.askable()) {
            let expected = may_skip.accepts(&cell.id());
            let mut lacks = false;
            for name in requirements(catalogue, &cell) {
                lacks |= missing.contains_key(name);
                let need = needs.entry(name.to_owned()).or_insert_with(|| Need {
                    name: name.to_owned(),
                    found: !missing.contains_key(name),
                    cells: 0,
                    scenarios: BTreeMap::new(),
                    expected: true,
                    why: missing.get(name).cloned(),
                    tool: false,
                    install: install(name, catalogue),
                });
                need.cells += 1;
                *need.scenarios.entry(cell.scenario.id.clone()).or_default() += 1;
                need.expected &= expected;
            }
            self.cells += 1;
            self.askable += usize::from(!lacks);
            self.expected += usize::from(lacks && expected);
        }
        self.needs = needs.into_values().collect();
    }

    /// What gateways and clients are installed with, and Node.
    fn tools(&mut self, gateway: &GatewayRef, context: &InstallContext, catalogue: &Catalogue) {
        let there = |gateway: &GatewayRef| {
            let Ok(Some((package, version))) = entry_name(gateway) else {
                return false;
            };
            let entries = context.cache.iter().flat_map(|cache| cache.entries());
            let mut whole = entries.filter(|entry| matches!(entry.state, EntryState::Whole));
            whole.any(|entry| entry.package == package && entry.version == version)
        };
        let (needs_npm, needs_node) = match gateway {
            GatewayRef::Reference | GatewayRef::Image(_) => (false, false),
            // A path may be an executable that brings everything along.
            GatewayRef::Path(path) if !gateway.is_installed() => {
                let script = path.extension().is_some_and(|end| end == "mjs");
                (false, script || path.is_dir())
            }
            other => (!there(other), false),
        };
        let of_clients = |wanted: fn(&Runtime) -> bool| {
            let mine = self.needs.iter().filter(|need| {
                let sender = catalogue.senders.get(&need.name);
                !need.found && sender.is_some_and(|sender| wanted(&sender.runtime))
            });
            let scenarios = mine.flat_map(|need| &need.scenarios);
            scenarios.fold(BTreeMap::new(), |mut all, (scenario, cells)| {
                *all.entry(scenario.clone()).or_default() += cells;
                all
            })
        };
        let node_clients = of_clients(|runtime| matches!(runtime, Runtime::Node { .. }));
        let python_clients = of_clients(|runtime| matches!(runtime, Runtime::Python { .. }));
        let every = || BTreeMap::from([("every scenario".to_owned(), self.cells)]);
        let docker = matches!(gateway, GatewayRef::Image(_)).then(|| {
            (
                "docker",
                tools::has("docker"),
                true,
                BTreeMap::new(),
                "apt-get install docker.io",
            )
        });
        let tools = [
            (
                "npm",
                tools::has("npm"),
                needs_npm,
                node_clients,
                "apt-get install npm",
            ),
            (
                "node",
                tools::has("node"),
                needs_node,
                BTreeMap::new(),
                "apt-get install nodejs",
            ),
            (
                PYTHON,
                tools::python_makes_environments(),
                false,
                python_clients,
                "apt-get install python3-venv",
            ),
        ];
        let mut lost = false;
        let mut told = Vec::new();
        for (name, found, for_gateway, for_clients, install) in docker.into_iter().chain(tools) {
            lost |= for_gateway && !found;
            let scenarios = match for_gateway {
                true => every(),
                false => for_clients,
            };
            told.push(Need {
                name: name.to_owned(),
                found,
                cells: scenarios.values().sum(),
                scenarios,
                // Whatever may be skipped, without the gateway nothing is asked; the rest is counted with the clients.
                expected: !for_gateway,
                why: (!found).then(|| match name {
                    PYTHON => "`python3 -m venv` does not work here".to_owned(),
                    _ => format!("no `{name}` on PATH"),
                }),
                tool: true,
                install: Some(install.to_owned()),
            });
        }
        self.needs.extend(told);
        if lost {
            (self.askable, self.expected) = (0, 0);
        }
    }

    fn ended(&self) -> Result<(), Failure> {
        let lacking = self.cells - self.askable - self.expected;
        if lacking == 0 && self.askable > 0 {
            return Ok(());
        }
        let cells = count(self.cells, "cell");
        let why = match lacking {
            0 => format!("this machine can ask none of {cells}"),
            _ => format!("this machine lacks what {lacking} of {cells} take"),
        };
        Err(Failure::new(Ending::Incomplete, why))
    }

    fn text(&self) -> String {
        let mut out = format!(
            "{}, as {}: this machine can ask {} of {}\n",
            self.gateway,
            self.release,
            self.askable,
            count(self.cells, "cell")
        );
        let (there, missing): (Vec<&Need>, Vec<&Need>) =
            self.needs.iter().partition(|need| need.found);
        for need in &missing {
            let _ = writeln!(out, "\nmissing: {}{}", need.name, need.for_what());
            if let Some(why) = &need.why {
                let _ = writeln!(out, "  {why}");
            }
            if need.expected && need.cells > 0 && !need.tool {
                out.push_str(
                    "  these cells may be skipped, and the run is complete without them\n",
                );
            }
        }
        if !there.is_empty() {
            let names: Vec<&str> = there.iter().map(|need| need.name.as_str()).collect();
            let _ = writeln!(out, "\nthere: {}", names.join(", "));
        }
        let wanted: Vec<&&Need> = missing.iter().filter(|need| need.cells > 0).collect();
        let mut commands: Vec<&str> = Vec::new();
        // What clients are installed with comes before the clients.
        for command in wanted
            .iter()
            .rev()
            .filter_map(|need| need.install.as_deref())
        {
            if !commands.contains(&command) {
                commands.push(command);
            }
        }
        if !commands.is_empty() {
            out.push_str("\nto ask every cell:\n");
            commands
                .iter()
                .for_each(|command| out.push_str(&format!("  {command}\n")));
        }
        let unexpected = wanted.iter().filter(|need| !need.expected && !need.tool);
        let names: Vec<String> = unexpected.map(|need| format!("{:?}", need.name)).collect();
        if !names.is_empty() {
            let names = names.join(", ");
            let _ = writeln!(
                out,
                "\nto go without, in clawgauge.toml, beside what is there already:\n  [run]\n  may-skip = [{names}]"
            );
        }
        out
    }
}

impl Need {
    /// How many cells take it, and of which scenarios.
    fn for_what(&self) -> String {
        if self.cells == 0 {
            return ", which nothing takes that was asked for".to_owned();
        }
        let mut scenarios: Vec<_> = self.scenarios.iter().collect();
        scenarios.sort_by_key(|(_, cells)| std::cmp::Reverse(**cells));
        let named = scenarios.iter().take(MAX_SCENARIOS);
        let mut named: Vec<String> = named
            .map(|(scenario, cells)| format!("{scenario} {cells}"))
            .collect();
        if scenarios.len() > MAX_SCENARIOS {
            named.push(format!(
                "{} more scenarios",
                scenarios.len() - MAX_SCENARIOS
            ));
        }
        format!(", for {} ({})", count(self.cells, "cell"), named.join(", "))
    }
}

/// The command that installs a requirement.
fn install(name: &str, catalogue: &Catalogue) -> Option<String> {
    if let Some(sender) = catalogue.senders.get(name) {
        return Some(match sender.command() {
            Some(command) if !tools::has(command) => sender.get.clone(),
            _ => format!("clawgauge clients install {name}"),
        });
    }
    if name == NETWORK {
        return (!tools::has("ip")).then(|| "apt-get install iproute2".to_owned());
    }
    let mut proxies = catalogue.proxies.values();
    let proxy = proxies.find(|proxy| proxy.program == name);
    proxy.map(|proxy| proxy.install.clone())
}
