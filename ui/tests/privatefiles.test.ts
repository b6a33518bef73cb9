import { expect, test } from 'vitest';

import { MOST_BYTES, decoded, encoded, refusal } from '../src/privatefiles/content';

test('a file of one byte up to the bound is sent; others are refused with their size', () => {
  expect(refusal(1)).toBe('');
  expect(refusal(MOST_BYTES)).toBe('');
  expect(refusal(0)).toContain('empty');
  expect(refusal(MOST_BYTES * 2)).toContain('2.1 MB');
});

test('a content of any bytes and length comes back from base64 as it was', () => {
  for (const length of [1, 2, 3, 255, 0x8000, 0x8001, MOST_BYTES]) {
    const content = Uint8Array.from({ length }, (_, at) => (at * 31) % 256);
    expect(Buffer.from(encoded(content), 'base64').equals(content)).toBe(true);
    expect(Buffer.from(decoded(encoded(content))).equals(content)).toBe(true);
  }
});
