import { CRC32C } from '@google-cloud/storage';
import fc from 'fast-check';

import { Crc32c } from '../../src/providers/gcp/crc32c.js';

test('is the CRC32C of RFC 3720, in Base64', () => {
  const sumOf = (bytes: Uint8Array): string =>
    Buffer.from(new Crc32c().update(bytes).digest(), 'base64').toString('hex');
  expect(sumOf(Buffer.from('123456789'))).toBe('e3069283');
  expect(sumOf(Buffer.alloc(32))).toBe('8a9136aa');
  expect(sumOf(Buffer.alloc(32, 255))).toBe('62a8ab43');
  expect(sumOf(Buffer.alloc(0))).toBe('00000000');
});

test("is that of Google's client, however the bytes come", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), (chunks) => {
      const ours = new Crc32c();
      const theirs = new CRC32C();
      for (const chunk of chunks) {
        ours.update(chunk);
        theirs.update(Buffer.from(chunk));
      }
      expect(ours.digest()).toBe(theirs.toString());
    }),
  );
});
