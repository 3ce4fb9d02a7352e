//! What is no bundle, and what a damaged one says.

use super::*;

/// An archive of these entries, as nobody but an attacker makes it.
fn archive(entries: &[(&str, tar::EntryType, u64, &[u8])]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, kind, size, contents) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(*size);
        header.set_mode(0o644);
        if *kind == tar::EntryType::Symlink {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
        tar.extend_from_slice(contents);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.extend_from_slice(&[0; 1024]);
    gzip(&tar)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

const REGULAR: tar::EntryType = tar::EntryType::Regular;

#[rstest]
#[case::empty(Vec::new(), "cut off")]
#[case::junk(b"this is no archive".to_vec(), "no gzip archive")]
#[case::not_tar(gzip(&[7; 2048]), "damaged")]
#[case::no_member(archive(&[]), "there is no manifest.json in it")]
#[case::parent(archive(&[("../outside", REGULAR, 1, b"x")]), "leads out of the archive")]
#[case::deeper(archive(&[("data/../../outside", REGULAR, 1, b"x")]), "leads out of the archive")]
#[case::absolute(archive(&[("/etc/passwd", REGULAR, 1, b"x")]), "leads out of the archive")]
#[case::link(archive(&[("record.json", tar::EntryType::Symlink, 0, b"")]), "is no regular file")]
#[case::hard_link(archive(&[("record.json", tar::EntryType::Link, 0, b"")]), "is no regular file")]
#[case::device(archive(&[("record.json", tar::EntryType::Char, 0, b"")]), "is no regular file")]
#[case::long_name(archive(&[("././@LongLink", tar::EntryType::GNULongName, 4, b"../x")]), "is no regular file")]
#[case::twice(archive(&[("a", REGULAR, 1, b"x"), ("a", REGULAR, 1, b"y")]), "is there twice")]
#[case::ten_gigabytes(archive(&[("record.json", REGULAR, 10_000_000_000, b"x")]), "claims 10000000000 bytes")]
#[case::schema(archive(&[("manifest.json", REGULAR, 33, b"{\"schema\": \"clawgauge.bundle/9\"}\n")]), "its schema is \"clawgauge.bundle/9\"")]
#[case::bare(archive(&[("manifest.json", REGULAR, 33, b"{\"schema\": \"clawgauge.bundle/1\"}\n")]), "manifest.json: missing field")]
#[case::bomb(gzip(&vec![0; 600 << 20]), "larger than 512 MiB")]
fn what_is_no_bundle(#[case] bytes: Vec<u8>, #[case] why: &str) {
    let sandbox = Sandbox::new();
    fs::write(path(&sandbox), bytes).unwrap();
    verify(&sandbox)
        .code(2)
        .stdout(is_empty())
        .stderr(contains(why).and(contains("clawgauge run --bundle FILE")));
    assert!(!sandbox.folder.path().join("outside").exists());
}

/// Cut off anywhere, damaged anywhere, or with something after its end, it is no bundle.
#[test]
fn a_damaged_archive() {
    let sandbox = Sandbox::new();
    run(&sandbox, &["chat-completions/profile=token/**"]).code(0);
    let whole = fs::read(path(&sandbox)).unwrap();
    for part in 1..20 {
        let cut = &whole[..whole.len() * part / 20];
        assert!(Bundle::from_bytes(cut).is_err(), "{part}");
        let mut damaged = whole.clone();
        damaged[whole.len() * part / 20] ^= 0x40;
        assert!(Bundle::from_bytes(&damaged).is_err(), "{part}");
    }
    let longer = [&whole[..], b"more"].concat();
    let error = Bundle::from_bytes(&longer).unwrap_err().to_string();
    assert!(error.contains("something follows"), "{error}");
    fs::write(path(&sandbox), &whole[..whole.len() / 2]).unwrap();
    verify(&sandbox).code(2).stderr(contains("it is cut off"));
}
