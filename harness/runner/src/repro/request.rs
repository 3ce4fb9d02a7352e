//! What a script sends: in curl's own notation where curl can send it byte for byte, else through a helper in node.

use std::fmt::Write as _;

use serde_json::json;

use super::Repro;
use super::json::pretty;
use super::script::document;
use super::shell::{Place, shell};
use contract::request::Written;
use contract::scenario::model::Protocol;

/// How a request leaves the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By curl.
    Curl,
    /// By node, as raw bytes.
    Raw,
    /// By node, over a WebSocket.
    Socket,
}

/// The steps' ways, and the control's.
pub(super) fn ways(repro: &Repro) -> Vec<Way> {
    let steps = repro
        .steps
        .iter()
        .map(|step| way(step.protocol, &step.request));
    steps
        .chain(
            repro
                .control
                .iter()
                .map(|request| way(Protocol::Http, request)),
        )
        .collect()
}

/// Whether the model stand-in is part of the script: where a request can be recognised by it.
pub(super) fn has_model(repro: &Repro) -> bool {
    let canary = |request: &Written| {
        request
            .headers
            .iter()
            .chain([&request.body])
            .any(|text| text.contains("${canary}"))
    };
    repro.control.is_some() || repro.steps.iter().any(|step| canary(&step.request))
}

/// curl takes a header line as it is, unless its value is nothing but blanks or holds control characters.
fn way(protocol: Protocol, request: &Written) -> Way {
    let fine = |line: &String| {
        let token = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        let Some((name, value)) = line.split_once(':') else {
            return false;
        };
        let control = value
            .chars()
            .any(|letter| letter.is_control() && letter != '\t');
        !name.is_empty()
            && name.chars().all(token)
            && !control
            && (value.is_empty() || !value.trim().is_empty())
    };
    let plain = |text: &str| !text.chars().any(char::is_control);
    match protocol {
        Protocol::Websocket => Way::Socket,
        Protocol::Http
            if request.headers.iter().all(fine)
                && plain(&request.target)
                && (request.method != "HEAD" || request.body.is_empty()) =>
        {
            Way::Curl
        }
        Protocol::Http => Way::Raw,
    }
}

/// One request: its body and what sends it to `name`.
fn request(way: Way, written: &Written, name: &str) -> String {
    let mut out = String::new();
    if way != Way::Curl {
        let what = if way == Way::Raw {
            "send_raw"
        } else {
            "send_frames"
        };
        let value = json!({
            "method": written.method, "target": written.target, "headers": written.headers, "body": written.body,
        });
        let text = pretty(&value);
        if way == Way::Raw {
            out.push_str("  # curl cannot send such a line, so node writes the request to the socket as it stands here.\n");
        }
        let _ = write!(
            out,
            "  {what} {name} <<EOF\n{}\nEOF\n",
            shell(&text, Place::Document)
        );
        return out;
    }
    let post = written.method == "POST";
    let mut lines = Vec::new();
    match written.method.as_str() {
        "HEAD" => lines.push("head".to_owned()),
        method => lines.push(format!("request = \"{method}\"")),
    }
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._~%?=&:-${}|".contains(letter);
    let target = shell(&written.target, Place::Curl);
    if written.target.starts_with('/')
        && !written.target.starts_with("//")
        && written.target.chars().all(plain)
    {
        lines.push(format!("url = \"http://127.0.0.1:$PORT{target}\""));
    } else {
        lines.push("url = \"http://127.0.0.1:$PORT/\"".to_owned());
        lines.push(format!("request-target = \"{target}\""));
    }
    let typed = |line: &String| line.to_ascii_lowercase().starts_with("content-type:");
    if (post || !written.body.is_empty()) && !written.headers.iter().any(typed) {
        lines.push("header = \"Content-Type:\"".to_owned());
    }
    for line in &written.headers {
        let line = shell(line, Place::Curl);
        match line.strip_suffix(':') {
            // curl's way to write a header without a value.
            Some(name) if !name.contains(':') => lines.push(format!("header = \"{name};\"")),
            _ => lines.push(format!("header = \"{line}\"")),
        }
    }
    if !written.body.is_empty() {
        let _ = write!(
            out,
            "  payload <<EOF\n{}\nEOF\n",
            shell(&written.body, Place::Document)
        );
        lines.push("data-binary = \"@$WORK/body\"".to_owned());
    } else if post {
        lines.push("data-binary = \"\"".to_owned());
    }
    let _ = write!(out, "  send {name} <<EOF\n{}\nEOF\n", lines.join("\n"));
    out
}

/// The function that sends what the cell asks.
pub(super) fn ask(repro: &Repro) -> String {
    let Some((last, earlier)) = repro.steps.split_last() else {
        return String::new();
    };
    let mut out = String::from(
        "# The request. A header that ends in a semicolon is sent with an empty value: that is how curl writes it.\n",
    );
    if !earlier.is_empty() {
        out = "# The requests, in order; the last one is the one in question.\n".to_owned();
    } else if way(last.protocol, &last.request) != Way::Curl {
        out = "# The request.\n".to_owned();
    }
    out.push_str("ask() {\n");
    for index in 0..earlier.len() {
        out.push_str(&one(repro, index, "step"));
    }
    out.push_str(&one(repro, earlier.len(), "answer"));
    out + "}\n\n"
}

fn one(repro: &Repro, index: usize, name: &str) -> String {
    let (step, number, of) = (&repro.steps[index], index + 1, repro.steps.len());
    let mut out = String::new();
    if of > 1 {
        let _ = writeln!(
            out,
            "  # {number} of {of}: {}\n  say \"{number} of {of}: {}\"",
            step.title,
            shell(&step.title, Place::Quotes)
        );
    }
    if step
        .change
        .as_object()
        .is_some_and(|table| !table.is_empty())
    {
        let _ = write!(
            out,
            "  change_config <<EOF\n{}\nEOF\n",
            document(&step.change)
        );
    }
    if !step.wait.is_zero() {
        let _ = writeln!(out, "  sleep {}", step.wait.as_secs_f64().ceil());
    }
    let way = way(step.protocol, &step.request);
    let canary = if has_model(repro) {
        "  CANARY=$(random_canary)\n"
    } else {
        ""
    };
    let failed = "  [ \"$SENT\" -eq 0 ] || unsure \"the gateway did not answer\"\n";
    let text = canary.to_owned() + &request(way, &step.request, name) + failed;
    if step.repeat > 1 {
        let times: Vec<String> = (1..=step.repeat).map(|time| time.to_string()).collect();
        let _ = write!(out, "  for _ in {}; do\n{text}  done\n", times.join(" "));
    } else {
        out.push_str(&text);
    }
    if of > 1 && name == "step" {
        out.push_str("  say \"  $(head -n 1 \"$WORK/step.seen\")\"\n");
    }
    out
}

/// The function that sends the positive control.
pub(super) fn control(repro: &Repro) -> String {
    let Some(written) = &repro.control else {
        return String::new();
    };
    format!(
        "# A caller who must be let in. If the model does not hear of it, a refusal proves nothing.\ncontrol() {{\n{}}}\n\n",
        request(way(Protocol::Http, written), written, "control")
    )
}
