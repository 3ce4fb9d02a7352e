//! Runs over several machines: GitHub's matrix and Kubernetes' Indexed Jobs. GitLab's are in `gitlab.rs`.

use super::*;

/// Three jobs make a part each, one judges the whole; without one of the three it does not.
#[rstest]
#[case(&[], "", "success", "go")]
#[case(&["--misbehave", "ignores-scopes"], "", "failure", "no-go")]
#[case(&[], "clawgauge-shard-2", "failure", "could-not-tell")]
#[ignore = "needs the network"]
fn the_sharded_workflow_runs(
    #[case] flags: &[&str],
    #[case] lost: &str,
    #[case] result: &str,
    #[case] verdict: &str,
) {
    let sandbox = Sandbox::new();
    checkout(&sandbox, flags);
    let inputs = ["scenarios=chat-completions", "gateway=./openclaw.mjs"];
    let run = workflow_without(&sandbox, "sharded.yml", binary(), &inputs, lost);
    let shards = run["shard"].as_array().unwrap();
    assert_eq!(shards.len(), 3, "{run:#}");
    for (index, shard) in shards.iter().enumerate() {
        // A shard that finds something is as green as one that does not: the merge is what decides.
        assert_eq!(shard["result"], "success", "{shard:#}");
        let given = &step(shard, "OWNER/clawgauge/ci@")["with"];
        assert_eq!(given["shard"], format!("{}/3", index + 1));
    }
    let merge = &run["contract"][0];
    assert_eq!(merge["result"], result, "{run:#}");
    assert_eq!(
        step(merge, "OWNER/clawgauge/ci@")["outputs"]["verdict"],
        verdict
    );
    if lost.is_empty() {
        let reports = &step(merge, "actions/upload-artifact@")["with"]["path"];
        let record = Path::new(reports.as_str().unwrap()).join("results.json");
        let record: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
        assert_eq!(record["summary"]["selected"], 650);
        assert_eq!(record["run"]["shard"], Value::Null);
    }
    sandbox.assert_clean();
}

/// Runs the Jobs of a manifest with `clawgauge` on the PATH; the pod of one index may never come up.
fn kubernetes(
    sandbox: &Sandbox,
    manifest: &str,
    clawgauge: &str,
    variables: &[&str],
    lost: &str,
) -> assert_cmd::assert::Assert {
    let folder = sandbox.folder.path();
    executable(&folder.join("bin/clawgauge"), clawgauge);
    let claims = folder.join("claims");
    fs::create_dir_all(&claims).unwrap();
    command(sandbox, "node")
        .arg(tools().join("kubernetes.mjs"))
        .arg(repository().join("ci/kubernetes").join(manifest))
        .arg(&claims)
        .args(variables)
        .env("LOST_INDEX", lost)
        .assert()
}

/// The pods make a part each, the last Job judges the whole, and what it has judged does not stay to be taken for the next
/// run's. Without one of the pods it says which.
#[rstest]
#[case("", "", 0)]
#[case("--misbehave ignores-scopes", "", 1)]
#[case("", "1", 2)]
#[ignore = "needs the network"]
fn the_sharded_run_of_the_manifest(#[case] flags: &str, #[case] lost: &str, #[case] code: i32) {
    let sandbox = Sandbox::new();
    let gateway = sandbox.gateway("pod-gateway", flags);
    let ours = format!(
        "#!/bin/sh\nexec '{}' --root '{}' \"$@\"\n",
        binary().display(),
        sandbox.root().display()
    );
    let variables = [format!("GATEWAY={gateway}"), "PATIENCE=0".to_owned()];
    let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
    let run = kubernetes(&sandbox, "sharded-run.yaml", &ours, &variables, lost)
        .code(i32::from(code != 0))
        .stdout(contains("clawgauge-shards-0: exit code 0\n"))
        .stdout(contains("clawgauge-shards-2: exit code 0\n"))
        .stdout(contains(format!("clawgauge-merge: exit code {code}\n")))
        .stderr(contains(
            "shard 3/3, from JOB_COMPLETION_INDEX and CLAWGAUGE_SHARDS",
        ));
    let claim = sandbox.folder.path().join("claims/clawgauge-records");
    let left = fs::read_dir(&claim).unwrap();
    let mut left: Vec<String> = left
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    if lost.is_empty() {
        run.stderr(contains("650 selected"));
        assert_eq!(left, ["report.html", "results.json"]);
    } else {
        run.stderr(contains("shard 2 of 3 is missing ("));
        assert_eq!(left, ["shard-0.json", "shard-2.json"]);
    }
    sandbox.assert_clean();
}

/// Every release of the range is some pod's, a pod whose releases are done has nothing more to do, and the table is made of
/// all of them. `survey` is a stand-in that takes the shard as clawgauge does and writes a record a release.
#[test]
#[ignore = "needs the network"]
fn the_survey_of_the_manifest() {
    let sandbox = Sandbox::new();
    let stand_in = "#!/bin/sh
set -eu
[ \"$1\" = survey ]; shift
echo \"$*\" >>\"$HOME/calls\"
case \" $* \" in
    *' --from '*) [ \"$1 $3\" = '--from --html' ]; mkdir -p \"$4\"; ls \"$2\" >\"$4/index.html\"; exit ;;
esac
[ \"$1 $2 $4 $5 $6\" = '--quiet --releases --shard auto --json' ]
[ \"$3\" = '>=2026.3.24, <=2026.9.6' ] && [ -d \"$XDG_CACHE_HOME\" ]
for release in 0 1 2 3 4 5 6 7 8 9; do
    if [ $((release % CLAWGAUGE_SHARDS)) = \"$JOB_COMPLETION_INDEX\" ]; then echo >\"$7/$release.json\"; fi
done
exit \"$((JOB_COMPLETION_INDEX % 2))\"
";
    let run = kubernetes(&sandbox, "survey.yaml", stand_in, &[], "").code(0);
    run.stdout(contains("clawgauge-survey-3: exit code 0\n"))
        .stdout(contains("clawgauge-table: exit code 0\n"));
    let site = sandbox
        .folder
        .path()
        .join("claims/clawgauge-survey/site/index.html");
    assert_eq!(fs::read_to_string(site).unwrap().lines().count(), 10);
    let calls = fs::read_to_string(sandbox.folder.path().join("calls")).unwrap();
    assert_eq!(calls.lines().count(), 5, "{calls}");
}
