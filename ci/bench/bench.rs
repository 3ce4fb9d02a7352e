//! The other half of `ci/bench/race`: a stub gateway, and the cells that it is asked, for each tool. Nothing but std.
//!
//!     bench gateway run --port PORT      the stub; each request appends one byte to the file that RACE_COUNT names
//!     bench write FOLDER CELLS           cells.hurl, cells.curl, and root/, the data of clawgauge; its stub counts in root/count
//!
//! The contract: whoever has the token and declares no scopes, or one that may write, gets an answer.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions, create_dir_all, write};
use std::io::{BufRead, BufReader, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What callers show, by name; none shows no header.
const CREDENTIALS: [(&str, Option<&str>); 10] = [
    ("token", Some("Bearer race-token-0001")),
    ("other-token", Some("Bearer race-token-0002")),
    ("nothing", None),
    ("no-token", Some("Bearer x")),
    ("basic", Some("Basic cmFjZS10b2tlbi0wMDAx")),
    ("without-scheme", Some("race-token-0001")),
    ("too-long", Some("Bearer race-token-00011")),
    ("upper-case", Some("Bearer RACE-TOKEN-0001")),
    ("too-short", Some("Bearer race-token-000")),
    ("other-scheme", Some("Digest race-token-0001")),
];
/// What callers declare, by name.
const SCOPES: [(&str, Option<&str>); 10] = [
    ("nothing", None),
    ("write", Some("operator.write")),
    ("read", Some("operator.read")),
    ("admin", Some("operator.admin")),
    ("read-and-write", Some("operator.read,operator.write")),
    ("approvals", Some("operator.approvals")),
    ("upper-case", Some("OPERATOR.WRITE")),
    ("pairing", Some("operator.pairing")),
    ("write-and-read", Some("operator.write, operator.read")),
    ("unknown", Some("nobody.knows")),
];
/// The port that curl and hurl ask; `race` starts the stub there.
const PORT: u16 = 18_977;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["write", folder, cells] => write_cells(Path::new(folder), number(cells)?),
        ["gateway", "run", "--port", port, ..] => serve(number(port)?),
        ["--version"] => {
            println!("2026.9.6");
            Ok(())
        }
        _ => Err(wrong("usage: bench write FOLDER CELLS, or bench gateway run --port PORT")),
    }
}

fn wrong(why: &str) -> std::io::Error {
    std::io::Error::other(why)
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| wrong("not a number"))
}

/// Whether the contract lets a caller in: 200, 401 or 403.
fn status(credential: Option<&str>, scopes: Option<&str>) -> u16 {
    let may_write = |scope: &str| ["operator.write", "operator.admin"].contains(&scope.trim());
    match scopes {
        _ if credential != CREDENTIALS[0].1 => 401,
        Some(scopes) if !scopes.split(',').any(may_write) => 403,
        _ => 200,
    }
}

/// `error.type` of a refusal.
fn error_type(status: u16) -> &'static str {
    if status == 401 { "unauthorized" } else { "forbidden" }
}

/// Answers until it is killed, one thread for each connection.
fn serve(port: u16) -> Result<()> {
    let count = match std::env::var_os("RACE_COUNT") {
        Some(path) => Some(OpenOptions::new().create(true).append(true).open(path)?),
        None => None,
    };
    let count = Arc::new(count);
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    println!("listening");
    for stream in listener.incoming() {
        let count = Arc::clone(&count);
        std::thread::spawn(move || {
            // Whoever goes away in the middle of a request is asked nothing any more.
            let _ = stream.and_then(|stream| converse(stream, count.as_ref().as_ref()));
        });
    }
    Ok(())
}

fn converse(mut stream: TcpStream, count: Option<&File>) -> Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut body) = (String::new(), Vec::new());
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let probe = line.starts_with("GET /readyz ");
        let (mut credential, mut scopes, mut length) = (None, None, 0);
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "authorization" => credential = Some(value.to_owned()),
                "x-openclaw-scopes" => scopes = Some(value.to_owned()),
                "content-length" => length = number(value)?,
                _ => {}
            }
        }
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
        let status = match probe {
            true => 200,
            false => status(credential.as_deref(), scopes.as_deref()),
        };
        if let Some(mut count) = count.filter(|_| !probe) {
            count.write_all(b".")?;
        }
        let json = match status {
            200 => r#"{"id":"chatcmpl-race","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}]}"#.to_owned(),
            _ => format!(r#"{{"error":{{"message":"this caller may not write","type":"{}"}}}}"#, error_type(status)),
        };
        let length = json.len();
        let answer = format!("HTTP/1.1 {status} Race\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{json}");
        stream.write_all(answer.as_bytes())?;
    }
}

/// A text in quotes, as TOML, JSON and curl's configuration have it; the texts here need nothing but these escapes.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn body(model: &str) -> String {
    format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"hello"}}]}}"#)
}

/// Writes the cells for every tool.
fn write_cells(folder: &Path, cells: usize) -> Result<()> {
    let models = (cells / (CREDENTIALS.len() * SCOPES.len())).max(1);
    let models: Vec<String> = (1..=models).map(|number| format!("model-{number}")).collect();
    create_dir_all(folder)?;
    let (mut hurl, mut curl) = (String::new(), String::new());
    let url = format!("http://127.0.0.1:{PORT}/v1/chat/completions");
    for (_, credential) in CREDENTIALS {
        for (_, scopes) in SCOPES {
            for model in &models {
                let headers = [("Authorization", credential), ("x-openclaw-scopes", scopes)];
                let headers = headers.iter().filter_map(|(name, value)| Some(format!("{name}: {}", (*value)?)));
                let headers: Vec<String> = std::iter::once("Content-Type: application/json".to_owned()).chain(headers).collect();
                let (body, status) = (body(model), status(credential, scopes));
                let check = match status {
                    200 => r#"jsonpath "$.object" == "chat.completion""#.to_owned(),
                    _ => format!(r#"jsonpath "$.error.type" == "{}""#, error_type(status)),
                };
                let _ = writeln!(hurl, "POST {url}\n{}\n{body}\nHTTP {status}\n[Asserts]\n{check}\n", headers.join("\n"));
                let separator = if curl.is_empty() { "" } else { "next\n" };
                let _ = writeln!(curl, "{separator}url = {url}\nsilent\noutput = /dev/null\nwrite-out = \"%{{http_code}}\\n\"\ndata = {}", quoted(&body));
                for header in &headers {
                    let _ = writeln!(curl, "header = {}", quoted(header));
                }
            }
        }
    }
    write(folder.join("cells.hurl"), hurl)?;
    write(folder.join("cells.curl"), curl)?;
    write_root(&folder.join("root"), &models)
}

/// The same cells as data of clawgauge.
fn write_root(root: &Path, models: &[String]) -> Result<()> {
    for folder in ["scenarios/axes", "fixtures/profiles", "fixtures/requests", "snapshots"] {
        create_dir_all(root.join(folder))?;
    }
    let axis = |name: &str, values: Vec<(&str, String)>| {
        let mut text = format!("schema = 1\naxis = \"{name}\"\ntitle = \"{name}\"\n");
        for (id, says) in &values {
            let _ = writeln!(text, "\n[[value]]\nid = \"{id}\"\ntitle = \"{id}\"\n{says}");
        }
        write(root.join(format!("scenarios/axes/{name}.toml")), text)?;
        let ids: Vec<String> = values.iter().map(|(id, _)| quoted(id)).collect();
        Ok::<_, std::io::Error>(ids.join(", "))
    };
    let header = |name: &str, value: Option<&str>| {
        value.map_or(String::new(), |value| format!("headers = [{}]", quoted(&format!("{name}: {value}"))))
    };
    let credentials = CREDENTIALS.map(|(id, value)| (id, header("Authorization", value)));
    let scopes = SCOPES.map(|(id, value)| (id, header("x-openclaw-scopes", value)));
    let credentials = axis("credential", credentials.to_vec())?;
    let scopes = axis("scopes", scopes.to_vec())?;
    let vars = models.iter().map(|model| (model.as_str(), format!("vars = {{ model = {} }}", quoted(model))));
    let models = axis("model", vars.collect())?;
    let may = SCOPES.iter().filter(|(_, scopes)| status(CREDENTIALS[0].1, *scopes) == 200);
    let may: Vec<String> = may.map(|(id, _)| quoted(id)).collect();
    let may = may.join(", ");
    let file = |name: &str, text: &str| write(root.join(name), text);
    file("fixtures/requests/chat.json", &body("${model}"))?;
    file("fixtures/releases.toml", "schema = 1\n")?;
    file("scenarios/survivors.toml", "schema = 1\n")?;
    file("scenarios/relations.toml", "schema = 1\nrelation = []\n")?;
    let mut outcomes = "schema = 1\n\n[[outcome]]\nid = \"answered\"\ntitle = \"the model's answer\"\ndirection = \"allow\"\nstatus = 200\njson = { \"/object\" = \"chat.completion\" }\n".to_owned();
    for status in [401, 403] {
        let name = error_type(status);
        let _ = write!(outcomes, "\n[[outcome]]\nid = \"{name}\"\ntitle = \"{name}\"\ndirection = \"deny\"\nstatus = {status}\nerror-type = \"{name}\"\n");
    }
    file("scenarios/outcomes.toml", &outcomes)?;
    let rule = |id: &str, when: &str, expect: &str| {
        format!("\n[[rule]]\nid = \"{id}\"\ntitle = \"{id}\"\nwhen = {{ {when} }}\nexpect = \"{expect}\"\nsource = \"ci/bench/bench.rs\"\n")
    };
    let mut scenario = format!(
        "schema = 1\nid = \"race\"\ntitle = \"The cells of the race\"\n\n[request]\nkeep-alive = true\nmethod = \"POST\"\npath = \"/v1/chat/completions\"\n\
         headers = [\"Content-Type: application/json\"]\nbody = \"requests/chat.json\"\n\n[axes]\nprofile = [\"stub\"]\n\
         credential = [{credentials}]\nscopes = [{scopes}]\nmodel = [{models}]\n\n[sets.scopes]\nmay-write = [{may}]\n"
    );
    scenario += &rule("let-in", "credential = \"token\", scopes = [\"@may-write\"]", "answered");
    scenario += &rule("may-not-write", "credential = \"token\", scopes = { not = [\"@may-write\"] }", "forbidden");
    scenario += &rule("not-known", "credential = { not = [\"token\"] }", "unauthorized");
    file("scenarios/race.toml", &scenario)?;
    let count = root.canonicalize()?.join("count");
    file(
        "fixtures/profiles/base.toml",
        &"schema = 1\nsecrets = [\"secret\"]\nrefusals = []\nargs = [\"gateway\", \"run\", \"--port\", \"${port}\"]\nready = [\"/readyz\"]\n\n\
         [control]\nmethod = \"POST\"\npath = \"/v1/chat/completions\"\nheaders = [\"Content-Type: application/json\", \"${caller}\"]\n\
         body = '{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"${canary}\"}]}'\n\n[env]\nHOME = \"${home}\"\nRACE_COUNT = @FILE\n\n[config]\n"
            .replace("@FILE", &quoted(&count.to_string_lossy())),
    )?;
    file(
        "fixtures/profiles/stub.toml",
        &format!(
            "schema = 1\n\n[[profile]]\nid = \"stub\"\ntitle = \"the stub\"\nmode = \"token\"\ncaller = [{}]\n\
             no-control = \"the stub has no model\"\n\n[[profile.launch]]\n",
            quoted(&format!("Authorization: {}", CREDENTIALS[0].1.unwrap_or_default()))
        ),
    )
}
