// Runs a GitHub workflow here: jobs in the order of their needs, steps with `run`, and our own composite action.
//
// usage: workflow.mjs WORKFLOW ACTION-FOLDER SCRATCH-FOLDER [INPUT=VALUE]...
//
// The current folder is the workspace. Expressions are evaluated by GitHub's own library. Actions of others are not run,
// but what they would have been given is reported, and artifacts go from job to job, but for the one that $LOST_ARTIFACT
// names. INPUT=VALUE is an input of the workflow, if it has one of that name, or adds to what the workflow gives our action.
// The result is JSON on stdout; what the steps print goes to stderr.
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { Evaluator, Lexer, Parser, data } from '@actions/expressions';
import { parse } from 'yaml';

const [workflowFile, actionFolder, scratch, ...extra] = process.argv.slice(2);
const extraInputs = Object.fromEntries(extra.map((pair) => pair.split(/=(.*)/s).slice(0, 2)));
const workflow = parse(fs.readFileSync(workflowFile, 'utf8'));
const artifacts = path.join(scratch, 'artifacts');
let files = 0;

// What somebody who starts the workflow by hand gives it.
const dispatched = Object.fromEntries(
  Object.entries(workflow.on?.workflow_dispatch?.inputs ?? {}).map(([name, input]) => {
    const value = extraInputs[name] ?? input.default ?? '';
    delete extraInputs[name];
    return [name, value];
  }),
);

const github = {
  action_path: actionFolder,
  server_url: 'https://example.invalid',
  repository: 'owner/project',
  run_id: '1',
  token: 'token-of-the-job',
  workspace: process.cwd(),
};

function toData(value) {
  if (value === null || value === undefined) return new data.Null();
  if (typeof value === 'string') return new data.StringData(value);
  if (typeof value === 'number') return new data.NumberData(value);
  if (typeof value === 'boolean') return new data.BooleanData(value);
  if (Array.isArray(value)) return new data.Array(...value.map(toData));
  return new data.Dictionary(...Object.entries(value).map(([key, item]) => ({ key, value: toData(item) })));
}

function evaluate(text, context, failed) {
  const status = { success: !failed, failure: failed, always: true, cancelled: false };
  const functions = Object.entries(status).map(([name, is]) => ({
    name,
    description: '',
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(is),
  }));
  const { tokens } = new Lexer(text).lex();
  const tree = new Parser(tokens, Object.keys(context), functions).parse();
  const named = new Map(functions.map((definition) => [definition.name, definition]));
  return new Evaluator(tree, toData(context), named).evaluate();
}

const interpolate = (text, context, failed) =>
  String(text).replace(/\$\{\{(.*?)\}\}/gs, (_, inner) => evaluate(inner, context, failed).coerceString());

const mapped = (object, context, failed) =>
  Object.fromEntries(Object.entries(object ?? {}).map(([key, value]) => [key, interpolate(value, context, failed)]));

// A condition that names no status function means: and nothing has failed.
function wanted(step, context, failed) {
  if (step.if === undefined) return !failed;
  const text = String(step.if).replace(/^\$\{\{(.*)\}\}$/s, '$1');
  const own = /\b(always|failure|success|cancelled)\(\)/.test(text);
  const holds = evaluate(text, context, failed);
  return (own || !failed) && holds.coerceString() !== 'false' && holds.coerceString() !== '';
}

// NAME=VALUE and NAME<<END ... END, as a step writes them.
function readOutputs(file) {
  const outputs = {};
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  while (lines.length > 0) {
    const line = lines.shift();
    const heredoc = line.match(/^([^=]+)<<(.+)$/);
    if (heredoc) outputs[heredoc[1]] = lines.splice(0, lines.indexOf(heredoc[2]) + 1).slice(0, -1).join('\n');
    else if (line.includes('=')) [, outputs[line.split('=')[0]]] = line.split(/=(.*)/s);
    else if (line !== '') throw new Error(`GitHub refuses this line of an output: ${line}`);
  }
  return outputs;
}

// An artifact is uploaded, or all that fit a pattern are downloaded, each into a folder of its name.
function moveArtifacts(uses, given) {
  if (uses.startsWith('actions/upload-artifact@')) {
    const lost = given.name === process.env.LOST_ARTIFACT || !fs.existsSync(given.path);
    if (!lost) fs.cpSync(given.path, path.join(artifacts, given.name), { recursive: true });
  } else if (uses.startsWith('actions/download-artifact@')) {
    const fits = (name) => name.startsWith(given.pattern.replace(/\*$/, ''));
    fs.mkdirSync(given.path, { recursive: true });
    for (const name of fs.existsSync(artifacts) ? fs.readdirSync(artifacts) : []) {
      if (fits(name)) fs.cpSync(path.join(artifacts, name), path.join(given.path, name), { recursive: true });
    }
  }
}

function runScript(step, context, failed, env) {
  const number = ++files;
  const script = path.join(scratch, `step-${number}.sh`);
  const output = path.join(scratch, `output-${number}`);
  const summary = path.join(scratch, `summary-${number}`);
  fs.writeFileSync(script, interpolate(step.run, context, failed));
  fs.writeFileSync(output, '');
  fs.writeFileSync(summary, '');
  const shell = step.shell ?? 'bash';
  const flags = { sh: ['-e'], bash: step.shell ? ['--noprofile', '--norc', '-eo', 'pipefail'] : ['-e'] }[shell];
  if (!flags) throw new Error(`no such shell here: ${shell}`);
  const { status, signal } = spawnSync(shell, [...flags, script], {
    stdio: ['ignore', 2, 2],
    env: {
      ...process.env,
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_ACTION_PATH: actionFolder,
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: summary,
      ...env,
      ...mapped(step.env, context, failed),
    },
  });
  return { code: status ?? signal, outputs: readOutputs(output) };
}

// Runs steps one after another and says how each ended; `reported` gets every step, those of our action, too.
function runSteps(steps, outer, env, reported) {
  const context = { ...outer, steps: {} };
  let failed = false;
  for (const step of steps) {
    let outcome = 'skipped';
    let outputs = {};
    let report;
    if (wanted(step, context, failed)) {
      outcome = 'success';
      if (step.run !== undefined) {
        const { code, outputs: written } = runScript(step, context, failed, env);
        outputs = written;
        if (code !== 0) outcome = 'failure';
        report = { run: step.run, code, outputs };
      } else if (/^OWNER\/clawgauge\/ci@/.test(step.uses)) {
        const action = parse(fs.readFileSync(path.join(actionFolder, 'action.yml'), 'utf8'));
        const given = { ...mapped(step.with, context, failed), ...extraInputs };
        for (const name of Object.keys(given)) {
          if (!(name in action.inputs)) throw new Error(`the action has no input ${name}`);
        }
        const inputs = Object.fromEntries(
          Object.entries(action.inputs).map(([name, input]) => {
            if (input.required && !(name in given)) throw new Error(`the action needs the input ${name}`);
            return [name, given[name] ?? input.default ?? ''];
          }),
        );
        const inner = runSteps(action.runs.steps, { github, inputs, runner: context.runner }, env, reported);
        if (inner.failed) outcome = 'failure';
        outputs = mapped(
          Object.fromEntries(Object.entries(action.outputs).map(([name, output]) => [name, output.value])),
          inner.context,
          inner.failed,
        );
        report = { uses: step.uses, with: inputs, outputs };
      } else {
        const given = mapped(step.with, context, failed);
        // A cache that holds nothing yet.
        if (step.uses.startsWith('actions/cache/restore@')) {
          outputs = { 'cache-primary-key': given.key, 'cache-hit': 'false' };
        }
        moveArtifacts(step.uses, given);
        report = { uses: step.uses, with: given };
      }
    } else report = { run: step.run, uses: step.uses };
    reported.push({ ...report, outcome });
    if (step.id) context.steps[step.id] = { outputs, outcome };
    if (outcome === 'failure' && step['continue-on-error'] !== true) failed = true;
  }
  return { failed, context };
}

const results = {};
const needs = {};
const waiting = Object.entries(workflow.jobs);
while (waiting.length > 0) {
  const next = waiting.findIndex(([, job]) => [job.needs ?? []].flat().every((name) => name in results));
  if (next < 0) throw new Error('jobs that wait for each other, or for none that there is');
  const [[name, job]] = waiting.splice(next, 1);
  const base = { github, needs, inputs: dispatched, runner: { os: 'Linux', arch: 'X64' } };
  const broken = [job.needs ?? []].flat().some((needed) => needs[needed].result !== 'success');
  if (!wanted(job, base, broken)) {
    needs[name] = { result: 'skipped', outputs: {} };
    results[name] = [];
    continue;
  }
  let rows = [{}];
  for (const [axis, values] of Object.entries(job.strategy?.matrix ?? {})) {
    // Elsewhere an expression is pasted as text; here it is the list itself.
    const whole = String(values).replace(/^\$\{\{(.*)\}\}$/s, 'toJSON($1)');
    const list = Array.isArray(values) ? values : JSON.parse(evaluate(whole, base, false).coerceString());
    rows = rows.flatMap((row) => list.map((value) => ({ ...row, [axis]: value })));
  }
  let anyFailed = false;
  results[name] = rows.map((matrix, index) => {
    const steps = [];
    const strategy = { 'job-index': index, 'job-total': rows.length };
    const env = { ...mapped(workflow.env, base, false), ...mapped(job.env, base, false) };
    const { failed, context } = runSteps(job.steps, { ...base, matrix, strategy, env }, env, steps);
    anyFailed ||= failed;
    needs[name] = { result: anyFailed ? 'failure' : 'success', outputs: mapped(job.outputs, context, failed) };
    return { matrix, result: failed ? 'failure' : 'success', steps };
  });
}
console.log(JSON.stringify(results, null, 1));
