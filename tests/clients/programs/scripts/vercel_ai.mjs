// `model` is what `steelyard setup vercel-ai` prints, which stands above.
import { appendFileSync, readFileSync } from 'node:fs';
import { stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

const [made, asked] = process.argv.slice(2);
const append = tool({
  description: 'Append a line to the file and say what it holds.',
  inputSchema: z.object({ line: z.string() }),
  execute: async ({ line }) => {
    appendFileSync(made, `${line}\n`);
    return readFileSync(made, 'utf8');
  },
});
const result = streamText({ model, prompt: asked, tools: { append }, stopWhen: stepCountIs(5) });
console.log(await result.text);
