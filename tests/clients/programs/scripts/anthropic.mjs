// The SDK's own runner calls the tool as often as it is asked to.
import { appendFileSync, readFileSync } from 'node:fs';
import Anthropic from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';

const [made, asked] = process.argv.slice(2);
const append = betaTool({
  name: 'append',
  description: 'Append a line to the file and say what it holds.',
  inputSchema: { type: 'object', properties: { line: { type: 'string' } }, required: ['line'] },
  run: ({ line }) => {
    appendFileSync(made, `${line}\n`);
    return readFileSync(made, 'utf8');
  },
});
const client = new Anthropic();
const runner = client.beta.messages.toolRunner({
  model: 'auto', max_tokens: 1000, stream: true, tools: [append], messages: [{ role: 'user', content: asked }],
  metadata: { user_id: JSON.stringify({ session_id: 'a-session' }) },
});
let last;
for await (const stream of runner) last = await stream.finalMessage();
console.log(last.content.map((block) => block.text ?? '').join(''));
