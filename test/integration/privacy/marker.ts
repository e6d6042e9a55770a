/** What stands for personal data in the privacy test: it is planted wherever an event can hold something. */
export const marker = 'qzx7vkj9';
/** As a number, for columns of numbers. */
export const numberMarker = 7_382_917_465;

const bytes = Buffer.from(marker);
const codes = [...bytes];
/** Of base64, what does not depend on the bytes before and after, at each of the three places that it may begin at. */
const base64 = [0, 1, 2].map((skipped) => {
  const text = Buffer.concat([Buffer.alloc(skipped), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  return text.slice(skipped === 0 ? 0 : skipped + 1, -1);
});

/** Every form in which the marker could be written down; those of the second list in small or capital letters. */
const exact = [...base64, codes.join(','), codes.join(', '), Buffer.from(marker, 'utf16le').toString('latin1')];
const anyCase = [
  marker,
  String(numberMarker),
  bytes.toString('hex'),
  codes.map((code) => `\\u00${code.toString(16)}`).join(''),
  codes.map((code) => `\\x${code.toString(16)}`).join(''),
  codes.map((code) => `%${code.toString(16)}`).join(''),
];

/** Where the marker stands in the text, in whatever form, with what is around it. */
export function sightings(text: string): string[] {
  const lower = text.toLowerCase();
  const places = [
    ...exact.map((form) => text.indexOf(form)),
    ...anyCase.map((form) => lower.indexOf(form.toLowerCase())),
  ];
  return places.filter((at) => at >= 0).map((at) => text.slice(Math.max(0, at - 80), at + 80));
}

/** All texts within a value as Temporal's API gives it, its payloads decoded. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('latin1'), Buffer.from(value).toString('utf8')];
  if (typeof value === 'number' || typeof value === 'bigint') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...textsIn(inner)]);
}
