// Runs GitLab jobs here, as `gitlab-ci-local --preview` prints them: includes and inputs resolved, schema checked.
//
// usage: gitlab.mjs PIPELINE PROJECT-FOLDER SCRATCH-FOLDER
//
// Each job starts from the project's files and the artifacts of the jobs that it needs, in a folder of its own: what it
// leaves elsewhere is lost, as with a runner. Ends with the exit code of the first job that fails.
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
  const folder = (folders[name] = path.join(scratch, name));
  fs.cpSync(project, folder, { recursive: true });
  for (const { job: needed } of job.needs ?? []) {
    for (const kept of jobs[needed].artifacts.paths) {
      fs.cpSync(path.join(folders[needed], kept), path.join(folder, kept), { recursive: true });
    }
  }
  const predefined = { CI: 'true', CI_PROJECT_DIR: folder, CI_SERVER_URL: 'https://example.invalid' };
  const expand = (text) => String(text).replace(/\$(\w+)/g, (_, variable) => predefined[variable] ?? '');
  const variables = Object.entries(job.variables).map(([key, value]) => [key, expand(value)]);
  const { status } = spawnSync('bash', ['-eo', 'pipefail', '-c', job.script.join('\n')], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...predefined, ...Object.fromEntries(variables) },
  });
  console.error(`${name}: exit code ${status}`);
  for (const kept of job.artifacts.paths) {
    if (!fs.existsSync(path.join(folder, kept))) throw new Error(`${name} leaves no ${kept}`);
  }
  if (status !== 0) process.exit(status ?? 99);
}
