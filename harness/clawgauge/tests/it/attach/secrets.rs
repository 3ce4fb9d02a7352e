//! A credential that is given reaches the gateway and nothing else, however it comes back.

use super::*;

#[test]
fn the_secret_is_in_no_artefact() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    // This one shows what it was sent.
    let gateway = closed(&["--fault", "refusal-shows-secret"]);
    let flags = [
        "--credential-file",
        file.to_str().unwrap(),
        "--verbose",
        "--wrong-credentials",
        "100",
    ];
    let got = attach(&gateway.url(), None, &flags);
    assert!(!got.text.contains("can read"), "{}", got.text);
    assert!(got.counts("selected") > 0, "{}", got.text);
    let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(TOKEN);
    let encoded = "an%2DOperators%2Down%2BToken%2F7";
    for text in artefacts(&got) {
        for secret in [TOKEN, &base64, encoded] {
            assert!(!text.contains(secret), "{secret} in\n{text}");
        }
    }
}

/// All that attaching wrote.
fn artefacts(got: &Attached) -> Vec<String> {
    let mut texts = vec![got.text.clone()];
    for entry in std::fs::read_dir(got.sandbox.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
    }
    assert!(
        texts.len() > Format::value_variants().len() + 1,
        "{} artefacts",
        texts.len()
    );
    texts
}

/// A gateway that tells what it was sent, in one way after the other.
#[test]
fn a_credential_that_comes_back_encoded() {
    const ODD: &str = r#"an-Operators"own\To ken/7+%41-and-more"#;
    let each = |one: &dyn Fn(u8) -> String| ODD.bytes().map(one).collect::<String>();
    let base64 = base64::engine::general_purpose::STANDARD;
    let forms = [
        ODD.to_owned(),
        json!(ODD).to_string(),
        json!(json!(ODD).to_string()).to_string(),
        each(&|byte| format!("%{byte:02x}")),
        each(&|byte| format!("{byte:02X}")),
        each(&|byte| format!("\\u{byte:04X}")),
        each(&|byte| format!("&#{byte};")),
        base64.encode(format!("Bearer {ODD}")),
        base64.encode(format!("who came: {ODD}")),
        ODD.to_uppercase(),
        ODD[..ODD.len() - 1].to_owned(),
        ODD[5..].to_owned(),
    ];
    let gateway = gateway(&[], json!({ "mode": "token", "token": ODD }), json!({}));
    let (port, told) = (gateway.port, std::sync::atomic::AtomicUsize::new(0));
    let echoes = forms.clone();
    let front = Server::start(move |head, stream| {
        // The probe is answered; then each answer tells the credential in another way and place.
        let count = told.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        if count < 12 {
            let mut inner = TcpStream::connect(("127.0.0.1", port)).unwrap();
            inner.write_all(head.as_bytes()).unwrap();
            let _ = std::io::copy(&mut inner, stream);
            return;
        }
        let echo = &echoes[count / 4 % echoes.len()];
        match count % 4 {
            0 => reply(stream, "418 I see", "text/plain", echo),
            1 => drop(stream.write_all(echo.as_bytes())),
            2 => reply(
                stream,
                "403 Forbidden",
                "application/json",
                &json!({ "error": { "type": "forbidden", "message": echo } }).to_string(),
            ),
            _ => {
                let head = format!(
                    "HTTP/1.1 302 Found\r\nLocation: /?{echo}\r\nContent-Length: 0\r\n\r\n"
                );
                let _ = stream.write_all(head.as_bytes());
            }
        }
    });
    let got = attach(&front.url(), Some(ODD), &["--verbose"]);
    got.says("[secret:secret]");
    let count = front.asked().len();
    assert!(count > 12 + 4 * forms.len(), "{count} requests");
    for text in artefacts(&got) {
        for form in &forms {
            assert!(!text.contains(form.as_str()), "{form} in\n{text}");
        }
        for piece in ODD
            .as_bytes()
            .windows(12)
            .chain(ODD.to_uppercase().as_bytes().windows(12))
        {
            let piece = std::str::from_utf8(piece).unwrap();
            assert!(!text.contains(piece), "{piece} in\n{text}");
        }
    }
}
