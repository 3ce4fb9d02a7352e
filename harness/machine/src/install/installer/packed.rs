//! Forks, tarballs and checkouts.

use super::*;
use crate::install::cache::Entry;

/// Installs `@scope/fork@1.2.3`, or what is in an archive, with what its lines say.
const INSTALLS_ANY: &str = r#"
case $2 in
  ./archive.tgz) tar xzf archive.tgz; name=$(sed 's/.*"name":"\([^"]*\)".*/\1/' package/package.json); mkdir -p node_modules/${name%/*}; rm -rf node_modules/$name; mv package node_modules/$name ;;
  *) name=${2%@*}; mkdir -p node_modules/$name; touch node_modules/$name/cli.mjs
    echo '{"name":"'$name'","version":"'${2##*@}'","bin":{"fork":"./cli.mjs"}}' > node_modules/$name/package.json ;;
esac
echo '{"packages":{"node_modules/'$name'":{"integrity":"sha512-of-it"}}}' > node_modules/.package-lock.json"#;

const FORK: &str = "npm:@scope/fork@1.2.3";

/// A tarball as npm makes it.
fn pack(path: &Path, files: &[(&str, &str)]) {
    let file = std::fs::File::create(path).unwrap();
    let packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    let mut archive = tar::Builder::new(packed);
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, name, text.as_bytes())
            .unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
}

const MANIFEST: &str =
    r#"{"name":"openclaw","version":"2026.9.6","bin":{"openclaw":"openclaw.mjs"}}"#;

fn names(bench: &Bench) -> Vec<String> {
    let cache = bench.context.cache.clone().unwrap();
    let entries = cache.entries();
    assert!(entries.iter().all(|entry| entry.is_gateway), "{entries:?}");
    entries.iter().map(Entry::name).collect()
}

/// It has an entry of its own, runs by its own command, and does not say which release it is.
#[rstest]
#[case(FORK, "@scope/fork")]
#[case::named_like_a_library_of_python("npm:python-x@1.2.3", "python-x")]
#[tokio::test]
async fn a_fork_is_installed_under_its_own_name(#[case] reference: &str, #[case] name: &str) {
    let bench = Bench::new(INSTALLS_ANY);
    let cancel = CancellationToken::new();
    let program = bench.resolve(reference, &cancel).await.unwrap();
    assert_eq!(program, bench.resolve(reference, &cancel).await.unwrap());
    assert_eq!(bench.calls(), 1);
    assert_eq!(program.version, None);
    assert_eq!(program.integrity.as_deref(), Some("sha512-of-it"));
    let entry = format!("cache/{name}/1.2.3/node_modules/{name}/./cli.mjs");
    assert_eq!(program.args, [bench.folder.path().join(entry)]);
    assert_eq!(names(&bench), [format!("{name}@1.2.3")]);
    let log = std::fs::read_to_string(bench.folder.path().join("npm.log")).unwrap();
    assert!(log.contains("--ignore-scripts"), "{log}");
}

/// What was changed since does not run, and what somebody needs no more goes with the other gateways.
#[tokio::test]
async fn a_fork_is_treated_as_a_release() {
    let bench = Bench::new(INSTALLS_ANY);
    let cancel = CancellationToken::new();
    let used = bench.resolve(FORK, &cancel).await.unwrap();
    let cache = bench.context.cache.clone().unwrap();
    assert_eq!(prunable(&cache.entries(), 0), [], "it is in use");
    drop(used);
    assert_eq!(prunable(&cache.entries(), 0).len(), 1);
    let cli = bench
        .folder
        .path()
        .join("cache/@scope/fork/1.2.3/node_modules/@scope/fork/cli.mjs");
    std::fs::write(cli, "changed").unwrap();
    let error = bench.resolve(FORK, &cancel).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("@scope/fork@1.2.3 is not as it was installed"),
        "{error}"
    );
    let reference = FORK.parse().unwrap();
    let again = install(&reference, false, &bench.context, &|_| {}, &cancel);
    assert!(again.await.unwrap().fresh);
    bench.resolve(FORK, &cancel).await.unwrap();
}

/// Its contents count, not its name or place.
#[tokio::test]
async fn a_tarball_is_installed_once_for_each_hash() {
    let bench = Bench::new(INSTALLS_ANY);
    let cancel = CancellationToken::new();
    let file = |name: &str| bench.folder.path().join(name);
    let (one, moved, two) = (file("a.tgz"), file("b.tar.gz"), file("c.tgz"));
    let manifest = ("package/package.json", MANIFEST);
    pack(&one, &[("package/openclaw.mjs", "one"), manifest]);
    std::fs::copy(&one, &moved).unwrap();
    pack(&two, &[("package/openclaw.mjs", "two"), manifest]);
    let mut integrities = Vec::new();
    for path in [&one, &moved, &two, &one] {
        let program = bench.resolve(path.to_str().unwrap(), &cancel).await;
        let program = program.unwrap();
        assert_eq!(program.version.unwrap().to_string(), "2026.9.6");
        integrities.push(program.integrity.unwrap());
    }
    assert_eq!(bench.calls(), 2);
    let hash = |path: &Path| base::files::sha256(&std::fs::read(path).unwrap());
    let hashes = [&one, &one, &two, &one].map(|path| format!("sha256:{}", hash(path)));
    assert_eq!(integrities, hashes);
    assert_eq!(names(&bench).len(), 2);
    let cache = bench.context.cache.clone().unwrap();
    let entry = &cache.entries()[0];
    assert_eq!(entry.notes, ["openclaw 2026.9.6"]);
    let folder = file("cache/tarball").join(&entry.version);
    assert!(!folder.join("archive.tgz").exists(), "the copy is not kept");
    assert!(cache.entry_point(entry).unwrap().is_file());
}

/// A tarball of a fork does not say which release it is.
#[tokio::test]
async fn a_tarball_of_a_fork_is_no_release() {
    let bench = Bench::new(INSTALLS_ANY);
    let path = bench.folder.path().join("fork.tgz");
    // One program under two names.
    let bin = r#"{"fork":"run.mjs","fork-gateway":"run.mjs"}"#;
    let manifest = format!(r#"{{"name":"@scope/fork","version":"2026.9.6","bin":{bin}}}"#);
    let files = [
        ("package/package.json", &*manifest),
        ("package/run.mjs", ""),
    ];
    pack(&path, &files);
    let cancel = CancellationToken::new();
    let program = bench.resolve(path.to_str().unwrap(), &cancel);
    let program = program.await.unwrap();
    assert_eq!(program.version, None);
    assert!(
        program.args[0]
            .to_str()
            .unwrap()
            .ends_with("node_modules/@scope/fork/run.mjs")
    );
}

#[rstest]
#[case::no_archive(None, "is no package of npm")]
#[case::no_manifest(Some(("manifest.json", "{}")), "there is no package.json in it")]
#[case::no_json(Some(("package/package.json", "{")), "there is no package.json in it that can be read")]
#[case::no_name(Some(("package/package.json", "{}")), "has no name and version")]
#[case::a_name_that_leads_out(
    Some(("package/package.json", r#"{"name":"../../x","version":"1.0.0"}"#)),
    "has no name and version"
)]
#[case::nothing_to_run(
    Some(("package/package.json", r#"{"name":"x","version":"1.0.0"}"#)),
    "names no command `openclaw`"
)]
#[case::several_programs(
    Some(("package/package.json", r#"{"name":"x","version":"1.0.0","bin":{"a":"a.js","b":"b.js"}}"#)),
    "names no command `openclaw`, and not exactly one other"
)]
#[case::a_command_that_leads_out(
    Some(("package/package.json", r#"{"name":"x","version":"1.0.0","bin":"../../../bin/sh"}"#)),
    "names no command `openclaw`"
)]
#[tokio::test]
async fn what_is_no_package_is_told(#[case] file: Option<(&str, &str)>, #[case] why: &str) {
    let bench = Bench::new(INSTALLS_ANY);
    let path = bench.folder.path().join("it.tgz");
    match file {
        Some(file) => pack(&path, &[file]),
        None => std::fs::write(&path, "no archive").unwrap(),
    }
    let cancel = CancellationToken::new();
    let error = bench.resolve(path.to_str().unwrap(), &cancel);
    let error = error.await.unwrap_err();
    assert!(error.to_string().contains(why), "{error}");
    let cache = bench.context.cache.clone().unwrap();
    assert_eq!(cache.entries(), [], "nothing half done is left");
}

#[tokio::test]
async fn a_checkout_runs_in_place_when_it_is_built() {
    let bench = Bench::new(INSTALLS);
    let folder = bench.folder.path().join("check out");
    std::fs::create_dir_all(folder.join("dist")).unwrap();
    let cancel = CancellationToken::new();
    let resolve = || bench.resolve(folder.to_str().unwrap(), &cancel);
    let error = resolve().await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is a folder, and no checkout of openclaw"),
        "{error}"
    );
    std::fs::write(folder.join("package.json"), MANIFEST).unwrap();
    std::fs::write(folder.join("openclaw.mjs"), "").unwrap();
    let error = resolve().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is a checkout that is not built"),
        "{error}"
    );
    let help = error.help().unwrap();
    assert!(
        help.ends_with("check out' && pnpm install && pnpm build"),
        "{help}"
    );
    std::fs::write(folder.join("dist/entry.js"), "").unwrap();
    let program = resolve().await.unwrap();
    assert_eq!(program.args, [folder.join("openclaw.mjs")]);
    assert_eq!(program.version.unwrap().to_string(), "2026.9.6");
    assert!(program.integrity.unwrap().starts_with("sha256:"));
    assert_eq!(bench.calls(), 0, "nothing is installed");
    // An installation is none, and the file in it can be named.
    let inside = folder.join("node_modules/openclaw");
    std::fs::create_dir_all(&inside).unwrap();
    std::fs::write(inside.join("openclaw.mjs"), "").unwrap();
    std::fs::remove_file(folder.join("package.json")).unwrap();
    let help = resolve().await.unwrap_err().help().unwrap();
    assert!(
        help.ends_with("node_modules/openclaw/openclaw.mjs"),
        "{help}"
    );
}
