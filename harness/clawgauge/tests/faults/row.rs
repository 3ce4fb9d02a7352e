//! One row of the table: what goes wrong, what is typed, and how that must end.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use super::relay;
use super::support::releases::Machine;
use super::support::{Sandbox, processes_of, repository};

/// The cells that a row asks where it says nothing: four callers who are let in, ten who are denied.
const CELLS: [&str; 4] = ["--where", "profile=token", "--where", "scopes=absent"];
/// So long may something stay after the end of a command that was killed.
const LATE: Duration = Duration::from_secs(5);
/// So long a command may take where its row says nothing.
const WITHIN: f64 = 120.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    title: String,
    /// Its place among the tables of the guide.
    order: u8,
    fault: Vec<Row>,
}

/// All rows, by group and in their order.
pub(super) fn all() -> Vec<Row> {
    let rows = tables().into_iter().flat_map(|(group, table)| {
        let in_group = move |row| Row {
            group: group.clone(),
            ..row
        };
        table.fault.into_iter().map(in_group)
    });
    rows.collect()
}

/// The tables as the guide shows them.
pub(super) fn page() -> String {
    let mut page = String::new();
    for (_, table) in tables() {
        page += &format!(
            "## {}\n\n| What goes wrong | Exit code | What is said |\n| --- | --- | --- |\n",
            table.title
        );
        for row in table.fault {
            page += &format!("| {} | {} | {} |\n", row.what, row.ends(), row.says());
        }
        page += "\n";
    }
    page
}

/// The tables by the names of their files, in the order of the guide.
fn tables() -> Vec<(String, Table)> {
    let folder = repository().join("harness/clawgauge/tests/faults");
    let files = fs::read_dir(folder).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "toml"));
    let mut tables: Vec<(String, Table)> = files
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let table = toml::from_str(&text);
            let table = table.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (
                path.file_stem().unwrap().to_str().unwrap().to_owned(),
                table,
            )
        })
        .collect();
    tables.sort_by_key(|(_, table)| table.order);
    tables
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Row {
    #[serde(skip)]
    group: String,
    id: String,
    /// What goes wrong, in words: the guide shows it.
    what: String,
    /// What the relay before the reference gateway does.
    relay: Option<String>,
    /// Flags of the reference gateway.
    #[serde(default)]
    flags: String,
    /// A script that is the gateway; `{gauge}` stands for clawgauge's executable, `{here}` for the folder of the row, `{sleep}` for
    /// a number of seconds by which a process that hides is known.
    script: Option<String>,
    /// A script that is npm; an empty one is the usual make-believe npm.
    npm: Option<String>,
    /// Whether all scenarios are there, and not only `chat-completions`.
    #[serde(default)]
    whole: bool,
    /// Files that are there, with their texts.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// A script that is run first, in the folder of the row.
    before: Option<String>,
    /// Words of `run`, beside the gateway and the cells.
    #[serde(default)]
    run: Vec<String>,
    /// The words of the command, where it is no `run` of [`CELLS`]; `{gateway}` stands for the gateway.
    command: Option<Vec<String>>,
    /// A script that runs the command, which is `"$@"` in it.
    within_shell: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// What must be possible here, or the row is left out.
    needs: Option<String>,
    /// So many of the same at once.
    #[serde(default = "one")]
    at_once: usize,
    /// Sent while it runs.
    signal: Option<Sent>,
    /// The exit code; none where it is killed.
    pub(super) code: Option<i32>,
    /// How its last line ends.
    #[serde(default)]
    last_line: String,
    /// What else it says.
    #[serde(default)]
    told: Vec<String>,
    /// What it does not say.
    #[serde(default)]
    not_told: Vec<String>,
    /// What the record `r.json` holds, by JSON pointer.
    #[serde(default)]
    record: BTreeMap<String, serde_json::Value>,
    /// Seconds within which it must have ended.
    within: Option<f64>,
    /// So many times over.
    #[serde(default = "one")]
    times: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Sent {
    name: String,
    /// A file that is there when the time has come.
    #[serde(default)]
    file: String,
    /// Milliseconds more each time it is done again.
    #[serde(default)]
    later: u64,
}

const fn one() -> usize {
    1
}

/// How a command ended.
struct End {
    code: Option<i32>,
    signal: Option<i32>,
    stdout: String,
    stderr: String,
    took: Duration,
}

impl Row {
    pub(super) fn name(&self) -> String {
        format!("{}::{}", self.group, self.id)
    }

    fn ends(&self) -> String {
        self.code
            .map_or("killed".to_owned(), |code| code.to_string())
    }

    /// The last line, or what else tells the reader most; in the guide's words for what is made up anew each time.
    fn says(&self) -> String {
        let code = format!("(exit code {})", self.ends());
        let line = self.last_line.trim_end_matches(&code).trim();
        let line = line.trim_start_matches("clawgauge: ");
        let said = self.told.first().map_or("", String::as_str);
        let line = if line.is_empty() { said } else { line };
        line.replace('|', "\\|").replace('<', "&lt;")
    }

    /// Whether this machine can do what the row needs.
    pub(super) fn can_be_run(&self) -> bool {
        self.needs.as_ref().is_none_or(|needs| {
            let mut shell = Command::new("sh");
            let shell = shell.args(["-c", needs]).stdout(Stdio::null());
            shell.stderr(Stdio::null()).status().unwrap().success()
        })
    }

    /// Does what the row says, and how long it took.
    pub(super) fn check(&self) -> Result<Duration, String> {
        let mut longest = Duration::ZERO;
        for time in 0..self.times {
            longest = longest.max(self.once(time)?);
        }
        Ok(longest)
    }

    fn once(&self, time: usize) -> Result<Duration, String> {
        let machine = self.npm.as_ref().map(|_| Machine::new());
        let own;
        let sandbox = match &machine {
            Some(machine) => &machine.sandbox,
            None => {
                own = match self.whole {
                    true => Sandbox::whole(),
                    false => Sandbox::new(),
                };
                &own
            }
        };
        let here = sandbox.folder.path().to_str().unwrap().to_owned();
        let gauge = assert_cmd::cargo::cargo_bin!("clawgauge");
        let sleep = sleep();
        let filled = |text: &str| {
            text.replace("{gauge}", gauge.to_str().unwrap())
                .replace("{here}", &here)
                .replace("{sleep}", &sleep)
        };
        if let (Some(machine), Some(npm)) = (&machine, &self.npm)
            && !npm.is_empty()
        {
            super::support::executable(&machine.bin().join("npm"), &filled(npm));
        }
        // The data are copied when they are asked for.
        let mut names = self.files.keys();
        if names.any(|name| name.starts_with("data/"))
            || self.before.iter().any(|before| before.contains("data/"))
        {
            sandbox.root();
        }
        for (name, text) in &self.files {
            let path = sandbox.folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, filled(text)).unwrap();
        }
        if let Some(before) = &self.before {
            let mut shell = Command::new("sh");
            let shell = shell.args(["-ec", &filled(before)]).current_dir(&here);
            let shell = shell
                .env_clear()
                .env("PATH", path(machine.as_ref()))
                .env("HOME", &here)
                .env("TMPDIR", sandbox.temp());
            let output = shell.output().unwrap();
            assert!(output.status.success(), "before: {output:?}");
        }
        let gateway = self.gateway(sandbox, &filled);
        let commands: Vec<_> = (0..self.at_once)
            .map(|_| self.command(sandbox, machine.as_ref(), &gateway, &filled))
            .collect();
        let ends: Vec<_> = thread::scope(|scope| {
            let all = commands.into_iter().map(|command| {
                let here = &here;
                scope.spawn(move || self.run(command, here, time))
            });
            let all: Vec<_> = all.collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        for end in &ends {
            self.judge(end)?;
        }
        self.leaves_nothing(sandbox, &sleep)?;
        self.judge_record(sandbox)?;
        Ok(ends.iter().map(|end| end.took).max().unwrap())
    }

    fn gateway(&self, sandbox: &Sandbox, filled: &dyn Fn(&str) -> String) -> String {
        match (&self.relay, &self.script) {
            (Some(fault), _) => relay::faulty_with(sandbox, fault, &self.flags),
            (None, Some(script)) => sandbox.script("gateway", &filled(script)),
            (None, None) if !self.flags.is_empty() => sandbox.gateway("gateway", &self.flags),
            (None, None) => "reference".to_owned(),
        }
    }

    fn command(
        &self,
        sandbox: &Sandbox,
        machine: Option<&Machine>,
        gateway: &str,
        filled: &dyn Fn(&str) -> String,
    ) -> Command {
        let gauge = assert_cmd::cargo::cargo_bin!("clawgauge");
        let mut command = match &self.within_shell {
            Some(script) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &filled(script), "sh"]).arg(gauge);
                shell
            }
            None => Command::new(gauge),
        };
        command
            .env_clear()
            .env("PATH", path(machine))
            .env("HOME", sandbox.folder.path())
            .env("TMPDIR", sandbox.temp())
            .env("LC_ALL", "C")
            .env("NO_COLOR", "1")
            .envs(self.env.iter().map(|(name, value)| (name, filled(value))))
            .current_dir(sandbox.folder.path())
            .arg("--root")
            .arg(sandbox.root());
        match &self.command {
            Some(words) => {
                let words = words.iter().map(|word| filled(word));
                command.args(words.map(|word| word.replace("{gateway}", gateway)));
            }
            None => {
                command.args(["run", "--gateway", gateway]);
                command.args(self.run.iter().map(|word| filled(word)));
                if self.run.first().is_none_or(|word| word.starts_with("--")) {
                    command.args(CELLS);
                }
                if !self.record.is_empty() {
                    command.args(["--report", "json=r.json"]);
                }
            }
        }
        command
    }

    /// Runs it to its end, and sends it what the row says.
    fn run(&self, mut command: Command, here: &str, time: usize) -> End {
        let begun = Instant::now();
        let within = Duration::from_secs_f64(self.within.unwrap_or(WITHIN));
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = drained(child.stdout.take().unwrap());
        let stderr = drained(child.stderr.take().unwrap());
        if let Some(sent) = &self.signal {
            sent.send(&child, here, time);
        }
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > within {
                child.kill().unwrap();
                let status = child.wait().unwrap();
                let _ = writeln!(std::io::stderr(), "{}: took too long", self.name());
                break status;
            }
            thread::sleep(Duration::from_millis(10));
        };
        let took = begun.elapsed();
        End {
            code: status.code(),
            signal: status.signal(),
            stdout: stdout.join().unwrap(),
            stderr: stderr.join().unwrap(),
            took,
        }
    }

    fn judge(&self, end: &End) -> Result<(), String> {
        let said = format!("{}\n{}", end.stdout, end.stderr);
        let fail = |what: String| Err(format!("{what}\nof\n{said}"));
        if end.code != self.code {
            return fail(format!(
                "exit code {:?} (signal {:?}) instead of {:?} after {:?}",
                end.code, end.signal, self.code, end.took
            ));
        }
        let last = end.stderr.trim_end().lines().last().unwrap_or_default();
        if !last.ends_with(&self.last_line) {
            return fail(format!("{last:?} does not end with {:?}", self.last_line));
        }
        if let Some(word) = self.told.iter().find(|word| !said.contains(&**word)) {
            return fail(format!("it does not say {word:?}"));
        }
        let not = self.not_told.iter().map(String::as_str);
        let mut not = not.chain(["a bug in clawgauge", "panicked at"]);
        match not.find(|word| said.contains(word)) {
            Some(word) => fail(format!("it says {word:?}")),
            None => Ok(()),
        }
    }

    /// Nothing is left: at once, or of a run that was killed, soon. Its folder goes with the next run at the latest.
    fn leaves_nothing(&self, sandbox: &Sandbox, sleep: &str) -> Result<(), String> {
        let killed = self.code.is_none();
        let deadline = Instant::now() + if killed { LATE } else { Duration::ZERO };
        let mut again = killed;
        loop {
            let entries = fs::read_dir(sandbox.temp()).into_iter().flatten();
            let left: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
            let mut processes = processes_of(&sandbox.temp());
            processes.extend(sleepers(sleep));
            if left.is_empty() && processes.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                if !std::mem::take(&mut again) || !processes.is_empty() {
                    return Err(format!("left: {left:?}, processes {processes:?}"));
                }
                let mut next = sandbox.clawgauge();
                next.args(["run", "--where", "profile=none", "--quiet"]);
                next.output().unwrap();
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn judge_record(&self, sandbox: &Sandbox) -> Result<(), String> {
        if self.record.is_empty() {
            return Ok(());
        }
        let record = fs::read(sandbox.folder.path().join("r.json")).unwrap();
        let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
        let zero = serde_json::Value::from(0);
        for (pointer, expected) in &self.record {
            let is = record.pointer(pointer).unwrap_or(&zero);
            if is != expected {
                return Err(format!("{pointer} is {is} instead of {expected}"));
            }
        }
        Ok(())
    }
}

impl Sent {
    /// Waits until the time has come, and sends it.
    fn send(&self, child: &Child, here: &str, time: usize) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let folder = std::path::Path::new(here);
        let has_come = || match self.file.as_str() {
            // A process of the run, which carries its folder in the environment.
            "" => !processes_of(&folder.join("tmp/clawgauge-")).is_empty(),
            file => folder.join(file).exists(),
        };
        while !has_come() {
            assert!(Instant::now() < deadline, "the time never came");
            thread::sleep(Duration::from_millis(10));
        }
        let later = self.later * u64::try_from(time).unwrap();
        thread::sleep(Duration::from_millis(100 + later));
        let signal = match self.name.as_str() {
            "KILL" => Signal::KILL,
            "INT" => Signal::INT,
            "TERM" => Signal::TERM,
            "HUP" => Signal::HUP,
            other => panic!("{other} is no signal of this table"),
        };
        kill_process(Pid::from_child(child), signal).unwrap();
    }
}

/// So many seconds sleeps nobody else.
fn sleep() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("4{:07}{number}.5", std::process::id())
}

/// Processes that sleep so long.
fn sleepers(seconds: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let sleeps = |line: &[u8]| line == format!("sleep\0{seconds}\0").as_bytes();
    entries
        .filter(|entry| fs::read(entry.path().join("cmdline")).is_ok_and(|line| sleeps(&line)))
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

/// Everything that is written to a pipe, read as it comes.
fn drained(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn path(machine: Option<&Machine>) -> String {
    let rest = std::env::var("PATH").unwrap_or_default();
    machine.map_or(rest, Machine::path)
}
