// A loop over streamed responses, each of which names the one before.
import { appendFileSync, readFileSync } from 'node:fs';
import OpenAI from 'openai';

const [made, asked] = process.argv.slice(2);
const append = {
  type: 'function',
  name: 'append',
  description: 'Append a line to the file and say what it holds.',
  strict: true,
  parameters: {
    type: 'object', properties: { line: { type: 'string' } }, required: ['line'], additionalProperties: false,
  },
};
const client = new OpenAI();
let input = [{ role: 'user', content: asked }];
let response;
do {
  const stream = client.responses.stream({
    model: 'auto', input, tools: [append], previous_response_id: response?.id, prompt_cache_key: 'a-session',
  });
  response = await stream.finalResponse();
  input = response.output.filter((item) => item.type === 'function_call').map(({ call_id, arguments: given }) => {
    appendFileSync(made, `${JSON.parse(given).line}\n`);
    return { type: 'function_call_output', call_id, output: readFileSync(made, 'utf8') };
  });
} while (input.length);
console.log(response.output_text);
