// Runs GitLab jobs here, as `gitlab-ci-local --preview` prints them: includes and inputs resolved, schema checked.
//
// usage: gitlab.mjs PIPELINE PROJECT-FOLDER SCRATCH-FOLDER
//
// Each job starts from the project's files and the artifacts of the jobs that it needs, in a folder of its own: what it
// leaves elsewhere is lost, as with a runner. One with `parallel` is run so many times, and $LOST_NODE names the one whose
// artifacts get lost. Ends with the exit code of the first job that fails and may not.
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { parse } from 'yaml';

const [pipeline, project, scratch] = process.argv.slice(2);
const { stages, ...jobs } = parse(fs.readFileSync(pipeline, 'utf8'));
const order = Object.entries(jobs).sort((a, b) => stages.indexOf(a[1].stage) - stages.indexOf(b[1].stage));
const folders = {};

while (order.length > 0) {
  const next = order.findIndex(([, job]) => (job.needs ?? []).every(({ job: name }) => name in folders));
  const [[name, job]] = order.splice(next, 1);
  folders[name] = [];
  const total = job.parallel ?? 1;
  for (let node = 1; node <= total; node += 1) runNode(name, job, node, total);
}

function runNode(name, job, node, total) {
  const title = total > 1 ? `${name}-${node}` : name;
  const folder = path.join(scratch, title);
  folders[name].push(folder);
  fs.cpSync(project, folder, { recursive: true });
  for (const { job: needed } of job.needs ?? []) {
    for (const from of folders[needed]) {
      for (const kept of jobs[needed].artifacts.paths) {
        if (fs.existsSync(path.join(from, kept))) {
          fs.cpSync(path.join(from, kept), path.join(folder, kept), { recursive: true });
        }
      }
    }
  }
  const predefined = {
    CI: 'true',
    CI_PROJECT_DIR: folder,
    CI_SERVER_URL: 'https://example.invalid',
    CI_NODE_TOTAL: String(total),
    ...(job.parallel === undefined ? {} : { CI_NODE_INDEX: String(node) }),
  };
  const expand = (text) => String(text).replace(/\$(\w+)/g, (_, variable) => predefined[variable] ?? '');
  const variables = Object.entries(job.variables).map(([key, value]) => [key, expand(value)]);
  const { status } = spawnSync('bash', ['-eo', 'pipefail', '-c', job.script.join('\n')], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...predefined, ...Object.fromEntries(variables) },
  });
  console.error(`${title}: exit code ${status}`);
  for (const kept of job.artifacts.paths) {
    if (process.env.LOST_NODE === String(node) && total > 1) fs.rmSync(path.join(folder, kept), { recursive: true });
    else if (status === 0 && !fs.existsSync(path.join(folder, kept))) throw new Error(`${title} leaves no ${kept}`);
  }
  if (status !== 0 && job.allow_failure !== true) process.exit(status ?? 99);
}
