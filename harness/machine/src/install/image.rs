//! A gateway in a container image: which image, as whom, and how it is started.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use super::Program;
use super::installer::Installer;
use super::problem::InstallError;
use super::version::say_version;
use crate::container::{OF_THE_CLIENT, WORD};
use crate::which::which;

/// How long the engine may take to say what it knows.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a first container may take to say its version.
const FIRST: Duration = Duration::from_secs(60);

impl Installer<'_> {
    /// An image that the engine of this machine has: nothing is pulled.
    pub(super) async fn image(&self, image: &str) -> Result<Program, InstallError> {
        let wrong = |why: &str, help: &str| InstallError::Image {
            image: image.to_owned(),
            why: why.to_owned(),
            help: help.to_owned(),
        };
        let client = which("docker").ok_or_else(|| {
            let help = "install Docker (on Debian: apt-get install docker.io); without it, run clawgauge inside the image";
            wrong("there is no `docker` on PATH", help)
        })?;
        let asked = self.docker(&client, &["image", "inspect", image]).await;
        let told = asked.map_err(|said| {
            let help = match said.to_lowercase().contains("no such image") {
                true => format!("docker pull {image}"),
                false => "start the engine, and see that `docker info` answers without an error"
                    .to_owned(),
            };
            wrong(&said, &help)
        })?;
        let told: Value = serde_json::from_str(&told).unwrap_or_default();
        let words = words(&told[0]["Config"]);
        let (Some(id), false) = (told[0]["Id"].as_str(), words.is_empty()) else {
            let help =
                "name an image with an entry point, or a command that has the word `gateway` in it";
            return Err(wrong(
                "it does not say how a gateway is started in it",
                help,
            ));
        };
        // Without root of its own, an engine's root is the caller.
        let options = ["info", "--format", "{{.SecurityOptions}}"];
        let options = self.docker(&client, &options).await.unwrap_or_default();
        let user = match options.contains("rootless") {
            true => "0:0".to_owned(),
            false => {
                let (user, group) = (rustix::process::getuid(), rustix::process::getgid());
                format!("{}:{}", user.as_raw(), group.as_raw())
            }
        };
        let mut args: Vec<OsString> = vec![WORD.into(), client.into(), id.into(), user.into()];
        args.extend(words.into_iter().map(OsString::from));
        let env = OF_THE_CLIENT.into_iter().filter_map(|name| {
            let value = std::env::var(name).ok()?;
            Some((name.to_owned(), value))
        });
        let program = Program {
            command: self.context.reference.command.clone(),
            args,
            integrity: Some(id.to_owned()),
            notes: vec!["it runs in a container, on the machine's own network".to_owned()],
            env: env.collect(),
            ..Program::default()
        };
        let version = say_version(&program, FIRST).await;
        Ok(Program { version, ..program })
    }

    /// What the client of Docker prints, or the last line of what it says instead.
    async fn docker(&self, client: &Path, args: &[&str]) -> Result<String, String> {
        let mut command = Command::new(client);
        command.args(args).stdin(Stdio::null()).kill_on_drop(true);
        let done = tokio::select! {
            () = self.cancel.cancelled() => return Err("cancelled".to_owned()),
            done = tokio::time::timeout(PATIENCE, command.output()) => done,
        };
        let silent = |_| format!("the engine does not answer within {} s", PATIENCE.as_secs());
        let done = done.map_err(silent)?.map_err(|error| error.to_string())?;
        if done.status.success() {
            return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&done.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty());
        Err(last.unwrap_or("docker says nothing").to_owned())
    }
}

/// The words before those of a gateway: entry point and command up to the word `gateway`; else the entry point.
fn words(config: &Value) -> Vec<String> {
    let list = |name: &str| -> Vec<String> {
        let words = config[name].as_array().into_iter().flatten();
        let words = words.filter_map(Value::as_str);
        words.map(str::to_owned).collect()
    };
    let entry = list("Entrypoint");
    let mut all = [entry.clone(), list("Cmd")].concat();
    match all.iter().position(|word| word == "gateway") {
        Some(end) => {
            all.truncate(end);
            all
        }
        None => entry,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::as_published(
        json!({"Entrypoint": ["docker-entrypoint.sh"], "Cmd": ["node", "openclaw.mjs", "gateway", "--allow-unconfigured"]}),
        &["docker-entrypoint.sh", "node", "openclaw.mjs"]
    )]
    #[case::an_entry_point(json!({"Entrypoint": ["openclaw"], "Cmd": ["--help"]}), &["openclaw"])]
    #[case::a_command(json!({"Entrypoint": null, "Cmd": ["openclaw", "gateway"]}), &["openclaw"])]
    #[case::another_program(json!({"Cmd": ["bash"]}), &[])]
    fn how_a_gateway_is_started(#[case] config: Value, #[case] meant: &[&str]) {
        assert_eq!(words(&config), meant);
    }
}
