import { createTransformer } from '../src/transform/transformer.js';
import { lakeObject } from './transform-objects.js';

// Transforms one object with the tables of the folder given, and tells how many rows and rejections it made.
const [dir, deadlineMs] = process.argv.slice(2) as [string, string];
process.stdin.resume().on('end', () => process.exit());
const transformer = createTransformer({ config: dir, dir }, { deadlineMs: Number(deadlineMs) });
const [outcome] = await transformer.transform(lakeObject([{ body: 1 }]));
console.log(
  `done ${outcome !== undefined && 'rows' in outcome ? JSON.stringify([outcome.rows?.lines, outcome.rejections?.lines ?? 0]) : 'failed'}`,
);
await transformer.close();
