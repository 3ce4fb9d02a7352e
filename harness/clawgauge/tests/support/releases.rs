//! A machine on which npm installs releases that are not real: what they run is the reference gateway.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::assert::Assert;
use clawgauge::studies::survey::{Folder, State};

use super::{Sandbox, executable};

/// A machine on which npm installs releases that are not real.
pub(crate) struct Machine {
    pub(crate) sandbox: Sandbox,
}

impl Machine {
    /// 2026.3.28 cannot be installed, 2026.4.1 does not start, 2026.5.28 answers nobody, 2026.8.2 lets everybody in; the
    /// others are sound. A release named in the file `slow` takes its time to start.
    pub(crate) fn new() -> Self {
        let machine = Self {
            sandbox: Sandbox::whole(),
        };
        let gauge = assert_cmd::cargo::cargo_bin!("clawgauge")
            .display()
            .to_string();
        let folder = machine.sandbox.folder.path().display().to_string();
        let npm = format!(
            r#"#!/bin/sh
echo "$@" >> '{folder}/npm.log'
if [ "$1" = view ]; then
  echo '{{"versions":["2026.3.24","2026.3.28","2026.4.1","2026.5.28","2026.8.2","2026.9.6"],"dist-tags":{{"latest":"2026.9.6"}},"time":{{}}}}'
  exit 0
fi
name=openclaw
version=${{2#openclaw@}}
case $2 in
  ./*) tar xzf "$2"; name=$(sed 's/.*"name":"\([^"]*\)".*/\1/' package/package.json); mkdir -p node_modules; mv package node_modules/$name; exit ;;
  openclaw@*) ;;
  *) name=${{2%@*}} version=${{2##*@}} ;;
esac
mkdir -p node_modules/$name
flags=
case $version in
  2026.3.28) echo 'npm error code EBROKEN: nothing to see in {folder}/x' >&2; exit 1 ;;
  2026.4.1) echo 'echo "Config invalid: it was never meant to start" >&2; exit 1' > node_modules/$name/openclaw.mjs ;;
  2026.5.28) flags='--misbehave refuses-everybody' ;;
  2026.8.2 | 6.6.6) flags='--misbehave ignores-scopes' ;;
esac
if [ ! -f node_modules/$name/openclaw.mjs ]; then
  cat > node_modules/$name/openclaw.mjs <<END
grep -q $version '{folder}/slow' 2>/dev/null && sleep 600
exec '{gauge}' reference-gateway $flags "\$@"
END
fi
echo '{{"name":"'$name'","version":"'$version'","engines":{{"node":">=22"}},"bin":{{"openclaw":"openclaw.mjs"}}}}' > node_modules/$name/package.json
echo '{{"packages":{{"node_modules/'$name'":{{"integrity":"sha512-of-'$version'"}}}}}}' > node_modules/.package-lock.json
"#
        );
        let node =
            "#!/bin/sh\n[ \"$1\" = --version ] && { echo v24.21.0; exit; }\nexec sh \"$@\"\n";
        executable(&machine.bin().join("npm"), &npm);
        executable(&machine.bin().join("node"), node);
        machine
    }

    pub(crate) fn bin(&self) -> PathBuf {
        self.sandbox.folder.path().join("bin")
    }

    pub(crate) fn path(&self) -> String {
        let rest = std::env::var("PATH").unwrap_or_default();
        format!("{}:{rest}", self.bin().display())
    }

    pub(crate) fn survey(&self, args: &[&str]) -> Assert {
        self.gauge(&[&["survey"], args].concat())
    }

    /// Runs a command whose npm and Node are these.
    pub(crate) fn gauge(&self, args: &[&str]) -> Assert {
        let mut command = self.sandbox.clawgauge();
        command.env("PATH", self.path()).args(args);
        command.assert()
    }

    /// Makes a built checkout of a package, and the tarball that npm would make of it.
    pub(crate) fn build(&self, manifest: &str, flags: &str) -> (PathBuf, PathBuf) {
        let gauge = assert_cmd::cargo::cargo_bin!("clawgauge");
        let parent = self.sandbox.folder.path();
        let checkout = parent.join("package");
        fs::create_dir_all(checkout.join("dist")).unwrap();
        fs::write(checkout.join("dist/entry.js"), "").unwrap();
        fs::write(checkout.join("package.json"), manifest).unwrap();
        let script = format!(
            "exec '{}' reference-gateway {flags} \"$@\"\n",
            gauge.display()
        );
        fs::write(checkout.join("openclaw.mjs"), script).unwrap();
        let tarball = parent.join("package.tgz");
        let packed = std::process::Command::new("tar")
            .args(["czf", "package.tgz", "package"])
            .current_dir(parent)
            .status();
        assert!(packed.unwrap().success());
        (checkout, tarball)
    }

    pub(crate) fn folder(&self) -> Folder {
        Folder::at(self.records())
    }

    pub(crate) fn records(&self) -> PathBuf {
        self.sandbox.folder.path().join("records")
    }

    pub(crate) fn state(&self, version: &str) -> State {
        let kept = self.folder().read(&version.parse().unwrap()).unwrap();
        State::of(&kept.unwrap().record)
    }

    pub(crate) fn installed(&self) -> Vec<String> {
        let cache = self.sandbox.folder.path().join(".cache/clawgauge/openclaw");
        names(&cache)
            .into_iter()
            .filter(|name| !name.starts_with('.'))
            .collect()
    }

    /// How often npm was asked to install a release.
    pub(crate) fn installs(&self, version: &str) -> usize {
        let log = fs::read_to_string(self.sandbox.folder.path().join("npm.log")).unwrap();
        let wanted = format!("install openclaw@{version} ");
        log.lines().filter(|line| line.starts_with(&wanted)).count()
    }
}

/// Names of what is in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What a command told on stderr.
pub(crate) fn stderr(assert: &Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}
