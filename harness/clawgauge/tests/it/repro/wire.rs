//! What a script sends is, byte for byte, what a run sends.

use super::*;
use std::collections::BTreeMap;

/// The same header lines, byte for byte, as a run sends them.
#[rstest]
#[case::nothing(SEED)]
#[case::empty("chat-completions/profile=none/credential=absent/scopes=empty")]
#[case::blank("chat-completions/profile=none/credential=absent/scopes=spaces")]
#[case::two_lines("chat-completions/profile=none/credential=absent/scopes=two-lines")]
#[case::comma("chat-completions/profile=none/credential=absent/scopes=trailing-comma")]
#[case::duplicates("chat-completions/profile=token/credential=duplicate-wrong-first/scopes=absent")]
#[case::trailing("chat-completions/profile=token/credential=trailing-spaces/scopes=absent")]
#[case::bare_scheme("chat-completions/profile=token/credential=empty-bearer/scopes=absent")]
#[case::derived("chat-completions/profile=token/credential=basic/scopes=absent")]
#[case::query("chat-completions/profile=token/credential=query-token/scopes=absent")]
#[case::tab("credential-shapes/profile=token/odd-credential=tab-before-value")]
#[case::quotes("credential-shapes/profile=token/odd-credential=quoted")]
#[case::longer("credential-shapes/profile=token/odd-credential=longer")]
#[case::very_long("credential-shapes/profile=token/odd-credential=very-long")]
#[case::beyond_ascii("credential-shapes/profile=token/odd-credential=non-ascii")]
#[case::control("credential-shapes/profile=token/odd-credential=control-character")]
#[case::nul("credential-shapes/profile=token/odd-credential=nul")]
#[case::dots("targets/profile=token/target=dot-segments/credential=absent")]
#[case::brackets("targets/profile=token/target=broken-brackets/credential=absent")]
#[case::absolute("targets/profile=token/target=absolute-other-host/credential=absent")]
#[case::slashes("targets/profile=token/target=double-slash/credential=absent")]
#[case::host("targets/profile=token/target=host-foreign/credential=absent")]
#[case::get("order-of-checks/profile=none/shape=get/credential=absent/scopes=absent")]
#[case::options("order-of-checks/profile=none/shape=options/credential=absent/scopes=absent")]
#[case::no_body("order-of-checks/profile=none/shape=empty-body/credential=absent/scopes=absent")]
#[case::head("probes/profile=none/probe=ready/method=head/credential=absent")]
#[case::events(
    "endpoints/profile=none/endpoint=session-history-events/credential=absent/scopes=read"
)]
fn sends_what_a_run_sends(#[case] cell: &str) {
    let catalogue = catalogue();
    let known = cells(&catalogue)
        .find(|known| known.id() == cell)
        .unwrap_or_else(|| panic!("no cell {cell}"));
    let sandbox = Sandbox::new();
    let (sent, port, text) = captured(&sandbox, &rendered(cell, "2026.9.6"));
    let (secrets, canary) = placeholders(&sent, &catalogue);
    let words = BTreeMap::new();
    let place = clawgauge::contract::request::Place {
        words: &words,
        secrets: &secrets,
        canary: &canary,
        port,
    };
    let caller = &catalogue.profiles[known.profile()].caller;
    let request = clawgauge::contract::request::build(&known, caller, &place).unwrap();
    let wanted = request.encode(([127, 0, 0, 1], port).into(), false);
    let (sent, wanted) = (
        String::from_utf8_lossy(&sent),
        String::from_utf8_lossy(&wanted),
    );
    assert_eq!(sent, wanted, "{text}");
}

/// What a script sends to a gateway that keeps it: the bytes, the port, and what the script says.
pub(super) fn captured(sandbox: &Sandbox, script: &str) -> (Vec<u8>, u16, String) {
    let sent = sandbox.folder.path().join("sent");
    let gateway = sandbox.script(
        "capture",
        &CAPTURE.replace("@sent@", sent.to_str().unwrap()),
    );
    let path = write(sandbox, script);
    let output = command(sandbox, &path, &gateway).output().unwrap();
    sandbox.assert_clean();
    let text = format!("{output:?}");
    let sent = std::fs::read(&sent).unwrap_or_else(|error| panic!("{error}: {text}"));
    let port = std::fs::read_to_string(sandbox.folder.path().join("sent.port")).unwrap();
    (sent, port.parse().unwrap(), text)
}

/// What the script has put in place of canary and secrets, read from what it sent.
fn placeholders(sent: &[u8], catalogue: &Catalogue) -> (base::secret::Secrets, String) {
    let text = String::from_utf8_lossy(sent).into_owned();
    let after = |start: &str, length: usize| {
        text.find(start)
            .and_then(|at| text.get(at..at + length))
            .map(str::to_owned)
    };
    let basic = text.split("Authorization: Basic ").nth(1).and_then(|rest| {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(rest.split("\r\n").next()?)
            .ok()?;
        String::from_utf8(bytes)
            .ok()?
            .strip_prefix("operator:")
            .map(str::to_owned)
    });
    let query = text
        .split("token=cG%2D")
        .nth(1)
        .and_then(|rest| Some(format!("cG-{}", rest.get(..36)?)));
    let secret = basic
        .or(query)
        .or_else(|| after("cG-", 39))
        .unwrap_or_default();
    let secrets = catalogue
        .base
        .secrets
        .iter()
        .map(|name| (name.clone(), secret.clone().into()))
        .collect();
    (secrets, after("canary-", 23).unwrap_or_default())
}

/// A gateway that is ready at once and keeps the first request that is neither a probe for readiness nor the control.
const CAPTURE: &str = r#"#!/usr/bin/env node
const fs = require('fs');
const port = Number(process.argv[process.argv.indexOf('--port') + 1]);
if (process.argv[2] === '--version') { console.log('2026.9.6'); process.exit(); }
require('net').createServer((socket) => {
  let bytes = Buffer.alloc(0);
  socket.on('error', () => {});
  socket.on('data', (part) => {
    bytes = Buffer.concat([bytes, part]);
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = bytes.toString('latin1', 0, end);
    const length = Number((/content-length: ([0-9]+)/i.exec(head) || [0, 0])[1]);
    if (bytes.length < end + 4 + length) return;
    const isControl = bytes.includes('control canary-');
    if (!/^GET \/(readyz|ready|health|healthz) HTTP/.test(head) && !isControl && !fs.existsSync('@sent@')) {
      fs.writeFileSync('@sent@', bytes);
      fs.writeFileSync('@sent@.port', String(port));
    }
    socket.end('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}');
  });
}).listen(port, '127.0.0.1');
"#;
