//! What is redacted, by example and by property.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use rstest::rstest;

use super::*;

const SECRET: &str = "Ab+9/xyz";
const LONG_SECRET: &str = "Xk7_Qm\"2vT\\9wLz4 Rb8&Nd1%cY6pHs3";

fn redactor(secret: &str) -> Redactor {
    Redactor::new(&Secrets::from([("secret".to_owned(), secret.into())]))
}

#[rstest]
#[case::plain("the token Ab+9/xyz is wrong", "the token [secret:secret] is wrong")]
#[case::upper("AB+9/XYZ", "[secret:secret]")]
#[case::base64("QWIrOS94eXo=", "[secret:secret]")]
#[case::basic("Basic b3BlcmF0b3I6QWIrOS94eXo=", "Basic [secret:secret]")]
#[case::bearer("QmVhcmVyIEFiKzkveHl6.", "[secret:secret].")]
#[case::url("?token=Ab%2B9%2Fxyz&x", "?token=[secret:secret]&x")]
#[case::url_in_small_letters("?token=Ab%2b9%2fxyz&x", "?token=[secret:secret]&x")]
#[case::url_of_all("%41%62%2B9%2Fxy%7a", "[secret:secret]")]
#[case::twice("Ab%252B9%252Fxyz", "[secret:secret]")]
#[case::json(r#"{"a":"Ab+9\/xyz"}"#, r#"{"a":"[secret:secret]"}"#)]
#[case::json_codes(r"\u0041b\u002b9/xyz", "[secret:secret]")]
#[case::html("Ab&#43;9&#x2f;xyz", "[secret:secret]")]
#[case::hex("41622b392f78797a", "[secret:secret]")]
#[case::controls("A\u{0}b+\u{7f}9/\u{1}xyz", "[secret:secret]")]
#[case::lines("Ab+9\r\n/xyz", "[secret:secret]")]
#[case::colours("Ab\u{1b}[31m+9/\u{1b}[0mxyz", "[secret:secret]")]
#[case::colours_in_json(r"Ab\u001b[31m+9/\u001b[0mxyz", "[secret:secret]")]
#[case::no_width("A\u{200b}b+9\u{ad}/x\u{feff}yz\u{2060}", "[secret:secret]\u{2060}")]
#[case::no_width_percent_encoded("A%E2%80%8Bb+9/xyz", "[secret:secret]")]
#[case::innocent_lines("Ab\n\u{1b}[31", "Ab\n\u{1b}[31")]
#[case::innocent(
    "Ab+9 %41 \\u00zz &#99999999999; &;",
    "Ab+9 %41 \\u00zz &#99999999999; &;"
)]
#[case::two("Ab+9/xyzAb+9/xyz", "[secret:secret][secret:secret]")]
fn redacts(#[case] text: &str, #[case] clean: &str) {
    assert_eq!(redactor(SECRET).text(text), clean);
}

/// Parts of a secret are secrets.
#[rstest]
#[case::value("X-Proxy-Secret: 0123456789", "0123456789")]
#[case::after_the_scheme("Authorization: Bearer 0123456789", "0123456789")]
#[case::password("Authorization: Basic b3A6MDEyMzQ1Njc4OQ==", "0123456789")]
#[case::credential("Bearer 0123456789", "0123456789")]
fn parts_are_redacted(#[case] secret: &str, #[case] part: &str) {
    assert_eq!(redactor(secret).text(part), "[secret:secret]");
}

/// What looks like an escape in a secret is no way past.
#[rstest]
#[case::json_of_percent("A!\"a  Aa%0a ", r#""A!\"a  Aa%0a ""#)]
#[case::percent_of_json(r"ab\ncdefgh", r"%61b\ncdefgh")]
#[case::html("ab&amp;cdefgh", r"ab&amp;\u0063defgh")]
#[case::a_byte_that_is_no_text(r"  A  a\%a0aa", r"  A  a\\%a0aa.")]
fn secrets_with_escapes_in_them(#[case] secret: &str, #[case] text: &str) {
    assert!(redactor(secret).text(text).contains("[secret:secret]"));
}

/// Words that stand in every header are none.
#[test]
fn a_long_secret_is_found_backwards() {
    let secret = "Xk7QmT2vTR9wLz4aRb8xNd1cY6pHs3";
    let backwards: String = secret.chars().rev().collect();
    let redactor = redactor(secret);
    assert_eq!(redactor.text(&backwards), "[secret:secret]");
    assert!(redactor.tells(&format!("it is {}", &backwards[5..20])));
    assert!(!redactor.tells(&backwards[..8]));
}

#[test]
fn short_parts_are_words() {
    assert_eq!(redactor("X-Forwarded-Proto: https").text("https"), "https");
}

#[test]
fn the_longest_gives_its_name() {
    let secrets = [("short", "token-12345"), ("long", "token-12345-and-more")];
    let secrets = secrets.map(|(name, secret)| (name.to_owned(), secret.into()));
    let redactor = Redactor::new(&Secrets::from(secrets));
    assert_eq!(redactor.text("token-12345-and-more"), "[secret:long]");
    assert_eq!(redactor.text("token-12345-an"), "[secret:long]");
    assert_eq!(redactor.text("token-12345!"), "[secret:short]!");
}

type Encoding = (&'static str, fn(&str) -> String);

/// In whatever way an answer tells a secret.
fn encodings() -> Vec<Encoding> {
    fn each(text: &str, one: impl Fn(char) -> String) -> String {
        text.chars().map(one).collect()
    }
    fn bytes(text: &str, one: impl Fn(u8) -> String) -> String {
        text.bytes().map(one).collect()
    }
    vec![
        ("plain", str::to_owned),
        ("upper", |text| text.to_ascii_uppercase()),
        ("json", |text| {
            serde_json::to_string(text).unwrap_or_default()
        }),
        ("rust", |text| format!("{text:?}")),
        ("json codes", |text| {
            each(text, |letter| format!("\\u{:04X}", u32::from(letter)))
        }),
        ("percent", |text| {
            utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
        }),
        ("percent of all", |text| {
            bytes(text, |byte| format!("%{byte:02x}"))
        }),
        ("html", |text| {
            each(text, |letter| format!("&#{};", u32::from(letter)))
        }),
        ("hex", |text| bytes(text, |byte| format!("{byte:02X}"))),
        ("base64", |text| STANDARD.encode(text)),
        ("base64 for URLs", |text| URL_SAFE_NO_PAD.encode(text)),
        ("base64 of a credential", |text| {
            STANDARD.encode(format!("Bearer {text}"))
        }),
        ("base64 within", |text| {
            STANDARD.encode(format!("ab{text}yz!"))
        }),
    ]
}

/// Whether so much of a secret is told that it can be used.
fn told(text: &str, secret: &str, piece: usize) -> bool {
    let letters: Vec<char> = secret.chars().collect();
    letters
        .windows(piece.min(letters.len()))
        .any(|piece| text.contains(&piece.iter().collect::<String>()))
}

proptest! {
    /// Whatever is around it, and however it is encoded, twice too.
    #[test]
    fn in_every_encoding(
        secret in "[ -~]{12,60}", before in "[a-z ]{0,9}[ .:]", after in "[ .:][a-z ]{0,9}",
        inner in 0..13_usize, outer in 0..8_usize,
    ) {
        let (name, encode) = encodings()[inner];
        let (other, again) = encodings()[outer];
        let text = again(&format!("{before}{}{after}", encode(&secret)));
        let clean = redactor(&secret).text(&text).into_owned();
        prop_assert!(clean.contains("[secret:secret]"), "{name} in {other}: {text} -> {clean}");
        prop_assert!(!clean.contains(&again(&encode(&secret))), "{name} in {other}: {clean}");
    }

    /// A cut leaves less than a piece.
    #[test]
    fn a_cut_leaves_little(start in 0..32_usize, length in 0..32_usize) {
        let end = (start + length).min(LONG_SECRET.len());
        let cut = &LONG_SECRET[start.min(end)..end];
        let clean = redactor(LONG_SECRET).text(cut).into_owned();
        prop_assert!(!told(&clean, LONG_SECRET, PIECE), "{cut} -> {clean}");
    }

    /// What holds no secret stays as it is.
    #[test]
    fn others_stay(text in "[ -~é\u{202e}\n]{0,200}") {
        prop_assert_eq!(&*redactor(LONG_SECRET).text(&text), &*text);
    }
}
