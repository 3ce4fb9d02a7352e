// Runs the Jobs of a Kubernetes manifest here: what their containers would execute, with the environment that they would have.
//
// usage: kubernetes.mjs MANIFEST FOLDER [NAME=VALUE]...
//
// A claim is a folder of that name in FOLDER, an emptyDir one of the pod's own. Paths below a mount in the environment are
// taken to be there. An Indexed Job runs its pods one after another, $LOST_INDEX not at all; NAME=VALUE replaces a
// variable of all containers. A pod that fails is tried again as often as the Job says. Of each Job stdout has a line with
// its name, index and exit code.
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';

const [manifest, folder, ...given] = process.argv.slice(2);
const replaced = Object.fromEntries(given.map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
const documents = parseAllDocuments(fs.readFileSync(manifest, 'utf8')).map((document) => document.toJS());
const claims = new Set(documents.filter(({ kind }) => kind === 'PersistentVolumeClaim').map(({ metadata }) => metadata.name));

function place(volume, pod) {
  const claim = volume.persistentVolumeClaim?.claimName;
  if (claim !== undefined && !claims.has(claim)) throw new Error(`there is no claim ${claim}`);
  const at = path.join(folder, claim ?? `${pod}-${volume.name}`);
  fs.mkdirSync(at, { recursive: true });
  return at;
}

function runPod(pod, spec, index) {
  const [container] = spec.containers;
  const volumes = new Map(spec.volumes.map((volume) => [volume.name, place(volume, pod)]));
  const mounts = container.volumeMounts.map(({ name, mountPath }) => {
    if (!volumes.has(name)) throw new Error(`${pod} mounts ${name}, which it does not have`);
    return [mountPath, volumes.get(name)];
  });
  const inside = (value) => {
    const mount = mounts.find(([at]) => value === at || value.startsWith(`${at}/`));
    return mount ? mount[1] + value.slice(mount[0].length) : value;
  };
  const env = Object.fromEntries(
    container.env.map(({ name, value }) => {
      if (typeof value !== 'string') throw new Error(`${name} is not a text`);
      return [name, inside(replaced[name] ?? value)];
    }),
  );
  const [command, ...args] = [...container.command, ...container.args];
  const own = index === undefined ? {} : { JOB_COMPLETION_INDEX: String(index) };
  const { status } = spawnSync(command, args, {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...own, ...env },
  });
  return status;
}

let failed = false;
for (const { kind, metadata, spec } of documents) {
  const job = kind === 'CronJob' ? spec.jobTemplate.spec : spec;
  if (!['Job', 'CronJob'].includes(kind)) continue;
  const indexed = job.completionMode === 'Indexed';
  const indices = indexed ? [...Array(job.completions).keys()] : [undefined];
  for (const index of indices) {
    if (index !== undefined && String(index) === process.env.LOST_INDEX) continue;
    const pod = index === undefined ? metadata.name : `${metadata.name}-${index}`;
    const retries = (indexed ? job.backoffLimitPerIndex : job.backoffLimit) ?? 6;
    let status;
    for (let attempt = 0; attempt <= retries && status !== 0; attempt += 1) {
      status = runPod(pod, job.template.spec, index);
    }
    console.log(`${pod}: exit code ${status}`);
    failed ||= status !== 0;
  }
}
process.exitCode = failed ? 1 : 0;
