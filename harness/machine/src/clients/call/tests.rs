//! Calls of make-believe libraries: shell scripts that hang, crash, print junk, or tell something.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rstest::rstest;

use super::*;
use contract::scenario::sender::{Runtime, Sender};

const SECRET: &str = "cG-a-secret";

/// A sender whose script is this text, and a folder for it.
struct Bench {
    folder: tempfile::TempDir,
    ready: Ready,
    staying: Staying,
}

impl Bench {
    fn new(script: &str) -> Self {
        let sender = Arc::new(Sender {
            id: "make-believe".to_owned(),
            short: "mb".to_owned(),
            title: "a script".to_owned(),
            file: "fixtures/senders/script.sh".to_owned(),
            script: script.to_owned(),
            stays: false,
            get: String::new(),
            runtime: Runtime::Shell {
                command: "sh".to_owned(),
            },
            origin: String::new(),
        });
        let ready = Ready {
            sender,
            command: "/bin/sh".into(),
            args: Vec::new(),
            env: BTreeMap::from([("OF_ITS_OWN".to_owned(), "yes".to_owned())]),
            runtime: "sh".to_owned(),
            integrity: None,
            folder: None,
            leases: Vec::new(),
        };
        Self {
            folder: tempfile::tempdir().unwrap(),
            ready,
            staying: Staying::default(),
        }
    }

    /// The same with a script that stays.
    fn staying(script: &str) -> Self {
        let mut bench = Self::new(script);
        Arc::make_mut(&mut bench.ready.sender).stays = true;
        bench
    }

    async fn call(&self, seconds: f64) -> Result<Exchange, CallError> {
        let request = Request {
            method: "POST".to_owned(),
            target: "/v1/chat/completions".to_owned(),
            headers: vec![format!("Authorization: Bearer {SECRET}").into_bytes()],
            body: b"{\"a\":\n1}".to_vec(),
        };
        let address = "127.0.0.1:9".parse().unwrap();
        let home = self.folder.path().join("senders/make-believe");
        let timeout = Duration::from_secs_f64(seconds);
        call(&self.ready, address, request, &home, &self.staying, timeout).await
    }
}

/// Whatever the script reads comes back as the body: it is what the harness would send, and nothing else.
#[tokio::test]
async fn the_script_reads_the_request_and_its_word_is_the_answer() {
    let script = r#"printf '{"status":403,"content_type":"text/plain","body":"%s"}\n' "$(sed 's/"/\\"/g' | tr '\n' '|')""#;
    let exchange = Bench::new(script).call(20.0).await.unwrap();
    assert_eq!(exchange.response.status, 403);
    assert_eq!(
        exchange.response.headers,
        [("Content-Type".to_owned(), b"text/plain".to_vec())]
    );
    assert_eq!(
        String::from_utf8(exchange.response.body).unwrap(),
        format!(
            "POST http://127.0.0.1:9/v1/chat/completions|Authorization: Bearer {SECRET}||{{\"a\":|1}}"
        )
    );
}

#[tokio::test]
async fn what_a_library_made_of_an_answer_is_its_body() {
    let script =
        r#"cat > /dev/null; echo '{"status":200,"content_type":null,"body":{"object":"list"}}'"#;
    let exchange = Bench::new(script).call(20.0).await.unwrap();
    assert_eq!(exchange.response.body, b"{\"object\":\"list\"}");
    assert!(exchange.response.headers.is_empty());
}

/// No key, proxy or setting of the machine's; a home of its own; and no secret in the environment or on the command line.
#[tokio::test]
async fn its_environment_is_its_own() {
    let script = r#"cat > /dev/null
told=$(env | cut -d= -f1 | sort | tr '\n' ' '; echo "|$HOME $*"; tr '\0' ' ' < /proc/$$/cmdline)
printf '{"status":200,"body":"%s"}' "$(echo "$told" | tr '\n' '|')""#;
    let bench = Bench::new(script);
    let exchange = bench.call(20.0).await.unwrap();
    let told = String::from_utf8(exchange.response.body).unwrap();
    let home = bench.folder.path().join("senders/make-believe");
    let names = told.split('|').next().unwrap();
    // The shell adds PWD, and some add _, OLDPWD and SHLVL.
    let set = [
        "HOME",
        "LC_ALL",
        "NO_COLOR",
        "NO_PROXY",
        "OF_ITS_OWN",
        "PATH",
        "TMPDIR",
        "no_proxy",
    ];
    let own = |name: &&str| !["PWD", "_", "SHLVL", "OLDPWD"].contains(name);
    let mut names: Vec<&str> = names
        .split(' ')
        .filter(|name| !name.is_empty())
        .filter(own)
        .collect();
    names.sort_unstable();
    assert_eq!(names, set);
    assert!(told.contains(home.to_str().unwrap()), "{told}");
    assert!(!told.contains(SECRET), "{told}");
}

#[rstest]
#[case::junk(
    "cat > /dev/null; echo hello; echo world",
    "it must print one JSON line with status and body, and it printed \"hello\\nworld\": expected value at line 1 column 1"
)]
#[case::nothing(
    "cat > /dev/null",
    "it must print one JSON line with status and body, and it printed \"\": EOF while parsing a value at line 1 column 0"
)]
#[case::two_lines(
    "cat > /dev/null; echo '{\"status\":200,\"body\":1}'; echo '{}'",
    "trailing characters"
)]
#[case::another_shape("cat > /dev/null; echo '{\"state\":200}'", "unknown field `state`")]
#[case::no_body(
    "cat > /dev/null; echo '{\"status\":200}'",
    "status or body is missing"
)]
#[case::crash(
    "echo one >&2; echo two >&2; echo >&2; exit 7",
    "it ended with exit status: 7: two"
)]
#[case::silent_crash("kill -9 $$", "it ended with signal: 9 (SIGKILL): it said nothing")]
#[case::no_answer(
    "cat > /dev/null; echo '{\"no_answer\":\"APIConnectionError: gone\"}'",
    "APIConnectionError: gone"
)]
#[case::cannot(
    "cat > /dev/null; echo '{\"cannot\":\"two keys\"}'",
    "it cannot send this: two keys"
)]
#[tokio::test]
async fn what_is_no_answer_is_an_error_that_says_why(#[case] script: &str, #[case] said: &str) {
    let error = Bench::new(script).call(20.0).await.unwrap_err();
    assert!(error.to_string().contains(said), "{error}");
    assert_eq!(error.is_failure(), !said.starts_with("it cannot"));
}

/// One that hangs is killed, with what it has started, also where it has closed its own output.
#[rstest]
#[case::hangs("sleep 300 & echo $! > \"$HOME/child\"; sleep 300")]
#[case::leaves_a_child("sleep 300 & echo $! > \"$HOME/child\"; echo '{\"status\":200,\"body\":1}'")]
#[tokio::test]
async fn the_time_is_limited_and_nothing_outlives_it(#[case] script: &str) {
    let bench = Bench::new(script);
    let started = std::time::Instant::now();
    let error = bench.call(1.5).await.unwrap_err();
    assert_eq!(error.to_string(), "it did not answer within 1.5 s");
    assert!(started.elapsed() < Duration::from_secs(20));
    let child = bench.folder.path().join("senders/make-believe/child");
    let child = std::fs::read_to_string(child).unwrap();
    let state = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).ok()?;
        stat.rsplit(')').next()?.trim().chars().next()
    };
    for _ in 0..100 {
        // Gone, or dead and not yet collected.
        if state().is_none_or(|state| state == 'Z') {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it still runs: {:?}", state());
}

/// A flood is read to its end and not kept.
#[tokio::test]
async fn a_flood_is_bounded() {
    let script = "cat > /dev/null; head -c 20000000 /dev/zero | tr '\\0' x";
    let error = Bench::new(script).call(60.0).await.unwrap_err();
    assert!(
        error.to_string().len() < 10_000,
        "{}",
        error.to_string().len()
    );
}

/// One process takes all requests, one after the other, and ends when nothing more comes.
#[tokio::test]
async fn a_script_that_stays_is_started_once() {
    let script = r#"
        while read -r line; do
            echo noise >&2
            printf '{"status":200,"body":"%s"}\n' $$
        done
        echo end > ended"#;
    let bench = Bench::staying(script);
    let mut bodies = Vec::new();
    for _ in 0..3 {
        bodies.push(bench.call(20.0).await.unwrap().response.body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    bench.staying.end().await;
    let home = bench.folder.path().join("senders/make-believe");
    assert_eq!(
        std::fs::read_to_string(home.join("ended")).unwrap(),
        "end\n"
    );
}

/// What it reads is one line with the request as a JSON string.
#[tokio::test]
async fn a_script_that_stays_reads_a_request_a_line() {
    let script = r#"while read -r line; do printf '{"status":200,"body":%s}\n' "$line"; done"#;
    let bench = Bench::staying(script);
    let body = bench.call(20.0).await.unwrap().response.body;
    let text = String::from_utf8(body).unwrap();
    assert!(
        text.starts_with("POST http://127.0.0.1:9/v1/chat/completions\n"),
        "{text}"
    );
    assert!(text.ends_with("\n\n{\"a\":\n1}"), "{text}");
}

/// One that fails is not asked again: the next request gets a new one.
#[rstest]
#[case::ends("echo because >&2; exit 3", "it ended with exit status: 3: because")]
#[case::hangs("sleep 60", "it did not answer within 2 s")]
#[case::says_junk("echo junk; read -r line", "it must print one JSON line")]
#[case::says_too_much(
    "echo '{\"status\":200,\"body\":\"a\"}\n{}'; read -r line",
    "it must print one JSON line"
)]
#[case::ends_within_a_line(
    "printf '{\"status\"'; echo because >&2; exit 3",
    "it ended with exit status: 3: because"
)]
#[tokio::test]
async fn a_script_that_stays_and_fails_is_replaced(#[case] then: &str, #[case] told: &str) {
    let script = format!(
        "read -r line; [ -e was-here ] || {{ touch was-here; {then}; }}\n\
         printf '{{\"status\":200,\"body\":\"well\"}}\\n'; read -r line"
    );
    let bench = Bench::staying(&script);
    let error = bench.call(2.0).await.unwrap_err().to_string();
    assert!(error.starts_with(told), "{error}");
    let body = bench.call(20.0).await.unwrap().response.body;
    assert_eq!(body, b"well");
}
