//! Libraries of Python against a make-believe interpreter, and of Node against a make-believe npm.

use std::sync::Mutex;

use super::*;
use crate::install::Program;

/// `python3 -m venv .` leads to an interpreter that "installs" by making the metadata of the package; the log counts calls.
const PYTHON3: &str = r#"#!/bin/sh
echo "python3 $*" >> "LOG"
mkdir -p bin && cat > "MACHINE" <<'END'
#!/bin/sh
case $* in
  --version) echo "Python 3.12.4"; exit ;;
esac
echo "pip $*" >> "LOG"
FAIL
mkdir -p lib/python3.12/site-packages/some_lib-1.2.3.dist-info
touch lib/python3.12/site-packages/some_lib-1.2.3.dist-info/METADATA
echo '{"install":[{"metadata":{"name":"some-lib"},"download_info":{"archive_info":{"hashes":{"sha256":"abc"}}}}]}' > pip.json
END
chmod +x "MACHINE" && ln -s "MACHINE" bin/python
"#;

struct Bench {
    folder: tempfile::TempDir,
    context: InstallContext,
    notes: Mutex<Vec<String>>,
}

impl Bench {
    fn new(fail: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let script = PYTHON3
            .replace("LOG", log.to_str().unwrap())
            .replace("MACHINE", folder.path().join("machine").to_str().unwrap())
            .replace("FAIL", fail);
        let bench = Self {
            context: InstallContext {
                npm: folder.path().join("npm").into(),
                node: folder.path().join("node"),
                cache: Some(Cache::at(folder.path().join("cache"))),
                needs: Vec::new(),
                reference: Program::default(),
            },
            folder,
            notes: Mutex::default(),
        };
        bench.executable("python3", &script);
        bench
    }

    fn executable(&self, name: &str, script: &str) {
        crate::testing::executable(&self.folder.path().join(name), script);
    }

    async fn install(&self, cancel: &CancellationToken) -> Result<Library, InstallError> {
        let progress = |step: Progress| self.notes.lock().unwrap().push(step.to_string());
        let python = self.folder.path().join("python3");
        SOME.install(&python, &self.context, &progress, cancel)
            .await
    }

    async fn find(&self) -> Option<Library> {
        SOME.find(self.context.cache.as_ref().unwrap()).await
    }

    fn log(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// What there is in the folder of the package, without locks.
    fn entries(&self) -> Vec<String> {
        let folder = self.folder.path().join("cache/python-some-lib");
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.ends_with(".lock"))
            .collect();
        names.sort();
        names
    }
}

const SOME: PythonLibrary<'static> = PythonLibrary {
    package: "some-lib",
    version: "1.2.3",
    beside: &[],
};

#[tokio::test]
async fn it_is_installed_once_and_found_again_offline() {
    let bench = Bench::new("");
    assert_eq!(bench.find().await, None);
    let installed = bench.install(&CancellationToken::new()).await.unwrap();
    assert_eq!(installed.runtime, "Python 3.12.4");
    assert_eq!(installed.integrity.as_deref(), Some("sha256:abc"));
    let log = bench.log();
    assert_eq!(log[0], "python3 -I -m venv .");
    assert!(log[1].ends_with("some-lib==1.2.3"), "{log:?}");
    // Neither scripts of a package nor what nobody has named.
    assert!(log[1].contains("--no-deps --only-binary=:all:"), "{log:?}");
    assert_eq!(bench.find().await, Some(installed.clone()));
    let again = bench.install(&CancellationToken::new()).await.unwrap();
    assert_eq!((again, bench.log().len()), (installed, log.len()));
}

#[tokio::test]
async fn two_at_a_time_install_it_once() {
    let bench = Bench::new("sleep 0.5");
    let cancel = CancellationToken::new();
    let (one, other) = tokio::join!(bench.install(&cancel), bench.install(&cancel));
    assert_eq!(one.unwrap(), other.unwrap());
    assert_eq!(bench.log().len(), 2);
    let notes = bench.notes.lock().unwrap().join("\n");
    assert!(
        notes.contains("waiting for another clawgauge that installs python-some-lib@1.2.3"),
        "{notes}"
    );
}

#[tokio::test]
async fn what_is_not_whole_is_installed_again() {
    let bench = Bench::new("");
    let cancel = CancellationToken::new();
    // Whoever uses it keeps others from installing it again.
    let folder = bench.install(&cancel).await.unwrap().folder;
    for gone in [
        "lib/python3.12/site-packages/some_lib-1.2.3.dist-info/METADATA",
        "bin/python",
        "install.json",
    ] {
        std::fs::remove_file(folder.join(gone)).unwrap();
        assert_eq!(bench.find().await, None, "{gone}");
        bench.install(&cancel).await.unwrap();
    }
    // The machine's Python is another one now: what was installed for the old one is not seen by it.
    let python = bench.folder.path().join("machine");
    let script = std::fs::read_to_string(&python).unwrap();
    crate::testing::executable(&python, &script.replace("3.12.4", "3.13.0"));
    assert_eq!(bench.find().await, None);
}

/// What somebody changed is no longer what the registry gave.
#[tokio::test]
async fn what_was_changed_is_installed_again() {
    let bench = Bench::new("");
    let cancel = CancellationToken::new();
    let folder = bench.install(&cancel).await.unwrap().folder;
    let added = folder.join("lib/python3.12/site-packages/some_lib.py");
    std::fs::write(&added, "import os").unwrap();
    assert_eq!(bench.find().await, None);
    bench.install(&cancel).await.unwrap();
    assert!(!added.exists());
}

#[tokio::test]
async fn other_pins_are_another_installation() {
    let bench = Bench::new("");
    bench.install(&CancellationToken::new()).await.unwrap();
    let beside = ["other==2.0".to_owned()];
    let more = PythonLibrary {
        beside: &beside,
        ..SOME
    };
    assert_eq!(more.find(bench.context.cache.as_ref().unwrap()).await, None);
}

#[tokio::test]
async fn a_failure_says_what_to_do_and_leaves_nothing() {
    let bench =
        Bench::new("echo 'ERROR: No matching distribution found for some-lib==1.2.3' >&2; exit 1");
    let error = bench.install(&CancellationToken::new()).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("pip could not install some-lib 1.2.3 (exit code 1)"),
        "{text}"
    );
    assert!(text.contains("No matching distribution"), "{text}");
    assert!(
        error
            .help()
            .unwrap()
            .contains("the registry cannot be reached")
    );
    assert_eq!(bench.entries(), Vec::<String>::new());
}

#[tokio::test]
async fn without_python_it_says_how_to_get_it() {
    let bench = Bench::new("");
    std::fs::remove_file(bench.folder.path().join("python3")).unwrap();
    let error = bench.install(&CancellationToken::new()).await.unwrap_err();
    assert!(
        error.to_string().starts_with("python3 cannot be started"),
        "{error}"
    );
    assert!(error.help().unwrap().contains("python3-venv"));
}

#[tokio::test]
async fn an_interrupted_installation_leaves_nothing() {
    let bench = Bench::new("sleep 60");
    let cancel = CancellationToken::new();
    let (_, installed) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            cancel.cancel();
        },
        bench.install(&cancel)
    );
    assert!(
        matches!(installed, Err(InstallError::Cancelled)),
        "{installed:?}"
    );
    assert_eq!(bench.entries(), Vec::<String>::new());
}

/// Where the machine's Node fits, it serves; else one of the cache; and where there is none, the library is not ready.
#[tokio::test]
async fn a_node_that_fits_is_looked_for() {
    let bench = Bench::new("");
    let cache = bench.context.cache.as_ref().unwrap();
    let library = NodeLibrary {
        package: "openai",
        version: "7.0.0",
        engines: ">=22.0.0",
    };
    bench.executable(
        "npm",
        "#!/bin/sh\nname=${2%@*} version=${2##*@}\nmkdir -p node_modules/$name/bin && touch node_modules/$name/bin/node\n\
         echo \"{\\\"version\\\":\\\"$version\\\"}\" > node_modules/$name/package.json\n",
    );
    bench.executable("node", "#!/bin/sh\necho v20.1.0\n");
    let machine = bench.context.node.as_path();
    assert_eq!(library.find(machine, cache).await, None);
    let cancel = CancellationToken::new();
    let installed = library
        .install(&bench.context, &|_| {}, &cancel)
        .await
        .unwrap();
    assert_eq!(
        installed.runtime,
        format!("Node {}", contract::release::NODES[0])
    );
    assert_eq!(library.find(machine, cache).await, Some(installed.clone()));
    std::fs::remove_file(&installed.command).unwrap();
    assert_eq!(library.find(machine, cache).await, None);
    bench.executable("node", "#!/bin/sh\necho v22.9.0\n");
    let found = library.find(machine, cache).await.unwrap();
    assert_eq!(
        (found.runtime.as_str(), found.command.as_path()),
        ("Node 22.9.0", machine)
    );
}
