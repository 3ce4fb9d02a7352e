// Whether a version of Node is in the range that a package asks for: alternatives of >=, >, <, <= and = only.
const [range, version] = process.argv.slice(2);
const numbers = (text) => text.replace(/^v/, '').split('-')[0].split('.').concat(0, 0).slice(0, 3).map(Number);
const compare = (a, b) => a.map((part, index) => part - b[index]).find((part) => part !== 0) || 0;
const tests = { '>=': (d) => d >= 0, '>': (d) => d > 0, '<=': (d) => d <= 0, '<': (d) => d < 0, '=': (d) => d === 0, '': (d) => d === 0 };
const holds = (part) => {
  const [, sign, bound] = /^(>=|<=|>|<|=|)v?([0-9]+(?:\.[0-9]+){0,2})$/.exec(part) || [];
  return bound !== undefined && tests[sign](compare(numbers(version), numbers(bound)));
};
const alternative = (text) => text.replace(/([<>=]) +/g, '$1').split(' ').filter(Boolean).every(holds);
process.exitCode = ['', '*'].includes(range) || range.split('||').some(alternative) ? 0 : 1;
