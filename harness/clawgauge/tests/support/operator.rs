//! A gateway that somebody runs: started as an operator would, with a configuration of their own and a model that counts.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A running gateway; it is stopped when this is dropped.
pub(crate) struct Operator {
    child: Child,
    pub(crate) port: u16,
    model: Arc<AtomicUsize>,
    pub(crate) folder: TempDir,
}

impl Operator {
    /// Starts `command gateway run --port P` with this `gateway.auth`; `more` is merged into `gateway`.
    pub(crate) fn start(mut command: Command, auth: Value, more: Value) -> Self {
        let folder = TempDir::with_prefix("operator-").unwrap();
        let model = TcpListener::bind("127.0.0.1:0").unwrap();
        let model_port = model.local_addr().unwrap().port();
        let calls = count_connections(model);
        let port = free_port();
        let mut gateway = json!({
            "mode": "local", "port": port, "bind": "loopback", "auth": auth,
            "http": { "endpoints": { "chatCompletions": { "enabled": true }, "responses": { "enabled": true } } },
            "controlUi": { "enabled": false },
        });
        for (key, value) in more.as_object().unwrap() {
            gateway[key] = value.clone();
        }
        let config = json!({
            "gateway": gateway,
            "models": { "mode": "replace", "providers": { "mock": {
                "baseUrl": format!("http://127.0.0.1:{model_port}/v1"), "apiKey": "sk-x", "api": "openai-completions",
                "models": [{ "id": "fake-model", "name": "fake", "reasoning": false, "input": ["text"],
                    "cost": { "input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0 }, "contextWindow": 32000, "maxTokens": 1000 }],
            } } },
            "agents": { "defaults": { "model": { "primary": "mock/fake-model" },
                "workspace": folder.path().join("workspace"), "heartbeat": { "every": "0m" }, "skipBootstrap": true } },
            "plugins": { "enabled": false, "slots": { "memory": "none" } },
            "browser": { "enabled": false },
            "discovery": { "mdns": { "mode": "off" } },
            "update": { "checkOnStart": false, "auto": { "enabled": false } },
            "logging": { "file": folder.path().join("gateway.log") },
        });
        let path = folder.path().join("openclaw.json");
        std::fs::write(&path, serde_json::to_vec(&config).unwrap()).unwrap();
        let log = std::fs::File::create(folder.path().join("output")).unwrap();
        let search = command_path(&command);
        command
            .args(["gateway", "run", "--port", &port.to_string()])
            .env_clear()
            .env("PATH", search)
            .env("HOME", folder.path())
            .env("OPENCLAW_STATE_DIR", folder.path().join("state"))
            .env("OPENCLAW_CONFIG_PATH", &path)
            .env("TMPDIR", folder.path())
            .env("NO_COLOR", "1");
        for name in [
            "SKIP_CHANNELS",
            "SKIP_CRON",
            "DISABLE_BONJOUR",
            "NO_RESPAWN",
            "SKIP_BROWSER_CONTROL_SERVER",
            "SKIP_CANVAS_HOST",
        ] {
            command.env(format!("OPENCLAW_{name}"), "1");
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut operator = Self {
            child,
            port,
            model: calls,
            folder,
        };
        operator.wait();
        operator
    }

    fn wait(&mut self) {
        let started = Instant::now();
        while !is_live(self.port) {
            let ended = self.child.try_wait().unwrap();
            let log = std::fs::read_to_string(self.folder.path().join("output")).unwrap();
            assert!(
                ended.is_none() && started.elapsed() < Duration::from_secs(120),
                "{ended:?}\n{log}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How often anything connected to its model.
    pub(crate) fn model_calls(&self) -> usize {
        self.model.load(Ordering::SeqCst)
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        let id = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(10) {
            if self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The PATH that the command was given, or that of this process.
fn command_path(command: &Command) -> std::ffi::OsString {
    let given = command.get_envs().find(|(name, _)| *name == "PATH");
    let given = given.and_then(|(_, value)| value.map(ToOwned::to_owned));
    given.unwrap_or_else(|| std::env::var_os("PATH").unwrap())
}

/// A port that nobody listens on now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn is_live(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
    let _ = stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer.starts_with("HTTP/1.1 200")
}

/// A model that answers nothing useful and counts who comes.
fn count_connections(listener: TcpListener) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut stream: TcpStream = stream;
            let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
            let mut request = [0; 4096];
            while stream.read(&mut request).is_ok_and(|count| count > 0) {}
            let _ = stream.write_all(
                b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
    });
    count
}
