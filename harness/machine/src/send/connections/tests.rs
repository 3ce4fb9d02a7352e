//! Which requests share a connection, and which answers end one.

use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

fn request(credential: &str, body: &str) -> Request {
    Request {
        method: "POST".to_owned(),
        target: "/v1/chat/completions".to_owned(),
        headers: vec![format!("Authorization: {credential}").into_bytes()],
        body: body.as_bytes().to_vec(),
    }
}

/// Answers each request with the same bytes and the number of its connection, up to `each` on one connection.
async fn server(answer: &'static str, each: usize) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for connection in 1.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut received = vec![0; 64 * 1024];
                for _ in 0..each {
                    match stream.read(&mut received).await {
                        Ok(1..) => {}
                        Ok(0) | Err(_) => return,
                    }
                    let answer = answer.replace('N', &connection.to_string());
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    address.into()
}

/// The connections that answered requests with these credentials, one after the other.
async fn connections(answer: &'static str, each: usize, credentials: &[&str]) -> Vec<String> {
    let peer = server(answer, each).await;
    let connections = Connections::default();
    let mut by = Vec::new();
    for credential in credentials {
        let request = request(credential, &format!("body {}", by.len()));
        let sent = connections.send(peer.clone(), request, Duration::from_secs(5));
        let body = sent.await.unwrap().response.body;
        by.push(String::from_utf8(body).unwrap());
        // What the server does after its answer is seen by then.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    by
}

const PLAIN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nN";

#[tokio::test]
async fn the_same_header_lines_share_a_connection_and_others_do_not() {
    let by = connections(PLAIN, 9, &["a", "a", "b", "a", "b"]).await;
    assert_eq!(by, ["1", "1", "2", "1", "2"]);
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_not_used() {
    let by = connections(PLAIN, 1, &["a", "a", "a"]).await;
    assert_eq!(by, ["1", "2", "3"]);
}

#[rstest]
#[case::more_than_it_said("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nNx")]
#[case::says_close("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nN")]
#[case::old("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nN")]
#[case::chunked("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nN\r\n0\r\n\r\n")]
#[tokio::test]
async fn an_answer_of_unsure_end_ends_the_connection(#[case] answer: &'static str) {
    let by = connections(answer, 9, &["a", "a"]).await;
    assert_eq!(by, ["1", "2"]);
}
