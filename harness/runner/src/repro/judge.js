// Holds what was seen against what the rule asks for.
const fs = require('fs');
const [work, start, callsThen, calls, reached] = process.argv.slice(2);
const read = (name) => (fs.existsSync(`${work}/${name}`) ? fs.readFileSync(`${work}/${name}`, 'utf8') : '');
const expected = JSON.parse(read('expected.json'));

const json = (text) => {
  try {
    return JSON.parse(text);
  } catch (error) {
    return undefined;
  }
};
const follow = (value, pointer) =>
  pointer.split('/').slice(1).reduce((at, key) => {
    const name = key.replace(/~1/g, '/').replace(/~0/g, '~');
    return at !== null && typeof at === 'object' && Object.prototype.hasOwnProperty.call(at, name) ? at[name] : undefined;
  }, value);
const plural = (count) => `${count} ${Number(count) === 1 ? 'call' : 'calls'} to the model`;
const cut = (text) => (text.length > 300 ? `${text.slice(0, 300)}...` : text);

const seen = { start };
let told = start;
const text = start === 'asked' ? read('answer') : read('gateway.log');
if (start === 'asked') {
  const [status, type = ''] = read('answer.seen').split('\n');
  seen.status = Number(status);
  seen.type = type;
  seen.body = json(text);
  const error = (seen.body && seen.body.error) || {};
  if (typeof error.type === 'string') seen.errorType = error.type;
  if (typeof error.message === 'string') seen.message = cut(error.message);
  const parts = [seen.errorType, seen.message].filter((part) => part !== undefined).join(': ');
  const start = cut(text.trim().split('\n')[0]);
  told = `${status} ${parts || start || 'without a body'}; ${plural(calls)}`;
}

// Why the answer is not this outcome.
const unlike = (outcome) => {
  const why = [];
  const hold = (fits, what) => fits || why.push(what);
  if (outcome.start) {
    hold(outcome.start === start, start === 'up' ? 'it started' : 'it did not start');
    if (start === 'refused' && outcome.messageHas) hold(text.includes(outcome.messageHas), `it does not say "${outcome.messageHas}"`);
    return why;
  }
  hold(outcome.status === seen.status, `status ${seen.status} instead of ${outcome.status}`);
  hold(String(outcome.modelCalls) === calls, `${plural(calls)} instead of ${outcome.modelCalls}`);
  hold(calls === callsThen, 'the model was called after the answer');
  if (outcome.errorType) hold(outcome.errorType === seen.errorType, `error type ${seen.errorType || 'missing'} instead of ${outcome.errorType}`);
  if (outcome.message) hold(outcome.message === seen.message, `not the message "${outcome.message}"`);
  if (outcome.messageHas) hold((seen.message === undefined ? text : seen.message).includes(outcome.messageHas), `it does not say "${outcome.messageHas}"`);
  if (outcome.contentType) hold(seen.type.startsWith(outcome.contentType), `content type ${seen.type || 'missing'} instead of ${outcome.contentType}`);
  if (outcome.empty) hold(text === '', 'a body where there must be none');
  for (const pointer of outcome.without || []) hold(follow(seen.body, pointer) === undefined, `${pointer} is in the body and must not be`);
  for (const [pointer, value] of Object.entries(outcome.json || {})) {
    const found = follow(seen.body, pointer);
    hold(JSON.stringify(found) === JSON.stringify(value), `${pointer} is ${found === undefined ? 'missing' : JSON.stringify(found)} instead of ${JSON.stringify(value)}`);
  }
  return why;
};

if (start === 'up') told = 'the gateway starts';
if (start === 'refused') {
  const lines = text.split('\n');
  const words = [expected.messageHas].concat(expected.refusals || []).filter(Boolean);
  const line = words.map((word) => lines.find((each) => each.includes(word))).find(Boolean);
  told = `the gateway does not start: ${cut((line || lines.filter((each) => each.trim()).pop() || 'it says nothing').replace(/^[0-9-]+T[0-9:.+Z-]+ /, '').trim())}`;
}
const why = unlike(expected);
const isKnown = why.length > 0 && expected.known && unlike(expected.known).length === 0;
const fitting = why.length === 0 ? expected : isKnown ? expected.known : undefined;
if (fitting && start === 'asked' && !fitting.errorType) told = `${seen.status} ${fitting.title}; ${plural(calls)}`;
const say = (head, tail) => console.log(`${head.padEnd(9)} ${tail}`);
const error = [expected.errorType, expected.message || (expected.messageHas && `... ${expected.messageHas} ...`)].filter(Boolean).join(': ');
const what = expected.start
  ? `the gateway ${expected.start === 'up' ? 'starts' : `does not start: ... ${expected.messageHas || ''} ...`}`
  : `${expected.status} ${error || expected.title}; ${plural(expected.modelCalls)}`;
say('expected', what);
say('observed', told);
if (why.length === 0 && reached === 'no') {
  say('verdict', 'cannot tell: refused as it must be, but so was a caller who must be let in');
  process.exitCode = 125;
} else if (why.length === 0) {
  say('verdict', 'the contract holds');
} else {
  const known = isKnown ? ` (as ${expected.known.issue} says)` : '';
  say('verdict', `the contract does not hold${known}: ${why.join('; ')}`);
  process.exitCode = 1;
}
