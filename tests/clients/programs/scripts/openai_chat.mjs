// The SDK's own runner calls the tool as often as it is asked to.
import { appendFileSync, readFileSync } from 'node:fs';
import OpenAI from 'openai';

const [made, asked] = process.argv.slice(2);
const append = {
  type: 'function',
  function: {
    name: 'append',
    description: 'Append a line to the file and say what it holds.',
    parameters: { type: 'object', properties: { line: { type: 'string' } }, required: ['line'] },
    parse: JSON.parse,
    function: ({ line }) => {
      appendFileSync(made, `${line}\n`);
      return readFileSync(made, 'utf8');
    },
  },
};
const client = new OpenAI();
const runner = client.chat.completions.runTools({
  model: 'auto', stream: true, prompt_cache_key: 'a-session', tools: [append], messages: [{ role: 'user', content: asked }],
});
console.log(await runner.finalContent());
