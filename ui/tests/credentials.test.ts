import { describe, expect, test } from 'vitest';

import {
  MOST_BYTES, NO_CONTENT, contentProblem, contentSent, isGiven, passwordSent, prefixProblem, replacedBy, type Credential,
} from '../src/credentials/credential';

function credential(more: Partial<Credential> = {}): Credential {
  return {
    prefix: 'https://git.example/team/', kind: 'PASSWORD', user: 'robot', knownHosts: false, at: '2026-01-01T10:00:00Z',
    by: 'ann', fingerprint: '0123456789abcdef', ...more,
  };
}

const plain = (base64: string): string => Buffer.from(base64, 'base64').toString();

describe('the addresses of a credential', () => {
  test.each([
    ['PASSWORD', ''], ['PASSWORD', 'https://git.example'], ['PASSWORD', ' HTTPS://git.example:8443/team/shop '],
    ['KEY', 'ssh://git@git.example/'], ['KEY', 'ssh://git@git.example:2222/team'],
  ] as const)('of the kind %s begin with %j', (kind, prefix) => {
    expect(prefixProblem(kind, prefix)).toBe('');
  });

  test.each([
    ['PASSWORD', 'http://git.example/', 'https://host/'], ['PASSWORD', 'https://robot:hunter2@git.example/', 'https://host/'],
    ['PASSWORD', 'ssh://git@git.example/', 'https://host/'], ['PASSWORD', 'https://', 'https://host/'],
    ['KEY', 'ssh://git.example/', 'ssh://user@host/'], ['KEY', 'git@git.example:team', 'ssh://user@host/'],
    ['KEY', 'https://git.example/', 'ssh://user@host/'],
  ] as const)('of the kind %s do not begin with %j, and the refusal does not repeat it', (kind, prefix, told) => {
    expect(prefixProblem(kind, prefix)).toContain(told);
    expect(prefixProblem(kind, prefix)).not.toContain('hunter2');
  });

  test('are those of a present one but for the case of the host and a slash at the end', () => {
    const kept = [credential(), credential({ prefix: 'ssh://git@git.example/', kind: 'KEY', user: '' })];
    expect(replacedBy('https://GIT.example/team', kept)).toBe(kept[0]);
    expect(replacedBy(' ssh://git@git.example', kept)).toBe(kept[1]);
    for (const other of ['', 'https://git.example/Team/', 'https://git.example/teams', 'https://git.example/']) {
      expect(replacedBy(other, kept)).toBeNull();
    }
  });
});

describe('what is sent', () => {
  test('a token goes as it was typed, in UTF-8', () => {
    expect(plain(passwordSent(' pä$$ '))).toBe(' pä$$ ');
  });

  test('a pasted key gets the line break that it lacks, and no second one', async () => {
    expect(plain(await contentSent({ text: 'KEY', file: null }))).toBe('KEY\n');
    expect(plain(await contentSent({ text: 'KEY\n', file: null }))).toBe('KEY\n');
  });

  test('a chosen file wins over what was pasted, and goes byte by byte', async () => {
    const file = new File([Uint8Array.of(0, 255, 10)], 'id_ed25519');
    expect([...Buffer.from(await contentSent({ text: 'KEY', file }), 'base64')]).toEqual([0, 255, 10]);
  });

  test('of what is left empty nothing is sent', async () => {
    expect(isGiven(NO_CONTENT)).toBe(false);
    expect(isGiven({ text: ' \n', file: null })).toBe(false);
    expect(await contentSent({ text: ' \n', file: null })).toBe('');
  });

  test('an empty file and what is over the bound are not sent', () => {
    const sized = (size: number) => contentProblem({ text: '', file: new File([new Uint8Array(size)], 'key') });
    expect(sized(0)).toContain('empty');
    expect(sized(MOST_BYTES)).toBe('');
    expect(sized(MOST_BYTES + 1)).toContain('66 kB');
    expect(contentProblem(NO_CONTENT)).toBe('');
    expect(contentProblem({ text: 'ä'.repeat(MOST_BYTES / 2 + 1), file: null })).toContain('at most');
  });
});
