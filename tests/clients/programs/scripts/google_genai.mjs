// A chat whose streamed turns may call the tool.
import { appendFileSync, readFileSync } from 'node:fs';
import { GoogleGenAI } from '@google/genai';

const [made, asked] = process.argv.slice(2);
const append = {
  name: 'append',
  description: 'Append a line to the file and say what it holds.',
  parametersJsonSchema: { type: 'object', properties: { line: { type: 'string' } }, required: ['line'] },
};
const chat = new GoogleGenAI({}).chats.create({
  model: 'auto', config: { tools: [{ functionDeclarations: [append] }] },
});
let message = asked;
let said;
do {
  const calls = [];
  said = '';
  for await (const chunk of await chat.sendMessageStream({ message })) {
    calls.push(...(chunk.functionCalls ?? []));
    said += chunk.text ?? '';
  }
  message = calls.map(({ id, name, args }) => {
    appendFileSync(made, `${args.line}\n`);
    return { functionResponse: { id, name, response: { output: readFileSync(made, 'utf8') } } };
  });
} while (message.length);
console.log(said);
