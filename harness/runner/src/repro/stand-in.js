// The model: answers everybody with "pong", and notes by which request of ours it was called.
const fs = require('fs');
const http = require('http');
const work = process.argv[2];

// The last canary in what the user says: a text, or a list of parts that hold texts.
const canary = (content) => {
  if (typeof content === 'string') return (content.match(/canary-[0-9a-f]{16}/g) || []).pop();
  if (Array.isArray(content)) return content.map(canary).filter(Boolean).pop();
  return content && typeof content === 'object' ? canary(content.text) : undefined;
};
const note = (word) => word && fs.appendFileSync(`${work}/model-calls`, `${word}\n`);

const embed = ({ input }) => {
  const inputs = Array.isArray(input) ? input : [input];
  inputs.map(canary).forEach(note);
  const data = inputs.map((_, index) => ({ object: 'embedding', index, embedding: [0.5, 0.25, 0.125] }));
  const usage = { prompt_tokens: 1, total_tokens: 1 };
  return [{ object: 'list', data, model: 'fake-embedding', usage }];
};

const chat = ({ stream, messages = [] }) => {
  const last = messages.filter((message) => message.role === 'user').pop();
  note(last && canary(last.content));
  const usage = { prompt_tokens: 7, completion_tokens: 1, total_tokens: 8 };
  const base = { id: 'chatcmpl-stand-in', created: 1, model: 'fake-model' };
  const pong = { role: 'assistant', content: 'pong' };
  if (!stream) {
    const choices = [{ index: 0, message: pong, finish_reason: 'stop' }];
    return [{ ...base, object: 'chat.completion', choices, usage }];
  }
  const chunk = (choices, counted) => ({ ...base, object: 'chat.completion.chunk', choices, usage: counted });
  const chunks = [
    chunk([{ index: 0, delta: pong, finish_reason: null }], null),
    chunk([{ index: 0, delta: {}, finish_reason: 'stop' }], null),
    chunk([], usage),
  ];
  return [chunks.map((each) => `data: ${JSON.stringify(each)}\n\n`).join('') + 'data: [DONE]\n\n', 'text/event-stream'];
};

const routes = { '/v1/chat/completions': chat, '/v1/embeddings': embed };
const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const route = request.method === 'POST' && routes[request.url];
    if (!route) return response.writeHead(404).end();
    try {
      const [body, type = 'application/json'] = route(JSON.parse(Buffer.concat(parts).toString()));
      response.writeHead(200, { 'content-type': type });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    } catch (error) {
      response.writeHead(400).end();
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  fs.writeFileSync(`${work}/model-port.new`, String(server.address().port));
  fs.renameSync(`${work}/model-port.new`, `${work}/model-port`);
});

// Never outlives the script.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 500);
