// Writes every `run` of workflows and actions, and what containers of manifests execute, into a file of its own, for
// shellcheck: scripts.mjs FOLDER FILE...
//
// A value that is pasted into a script can be code, so an expression in one is an error: it belongs into `env`.
import fs from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';

const [folder, ...files] = process.argv.slice(2);
let count = 0;
for (const file of files) {
  const documents = parseAllDocuments(fs.readFileSync(file, 'utf8')).map((document) => document.toJS());
  const steps = documents.flatMap(({ jobs = {}, runs, spec }) => {
    const pod = (spec?.jobTemplate?.spec ?? spec)?.template?.spec;
    const scripts = (pod?.containers ?? []).map(({ command, args }) => ({ shell: command[0], run: args[0] }));
    return [...Object.values(jobs), runs ?? { steps: [] }].flatMap((job) => job.steps).concat(scripts);
  });
  for (const { run, shell } of steps) {
    if (run === undefined) continue;
    if (run.includes('${{')) {
      console.error(`${file}: an expression in a script: ${run}`);
      process.exitCode = 1;
    }
    count += 1;
    const name = `${path.basename(file).replace(/\.ya?ml$/, '')}-${count}.sh`;
    fs.writeFileSync(path.join(folder, name), `#!/bin/${shell ?? 'bash'}\n${run}\n`);
  }
}
