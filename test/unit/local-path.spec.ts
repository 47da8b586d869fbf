import { localPath } from '../../src/web/local-path';

test.each(['/', '/mailings', '/mailings/1?tab=runs', '/clients?search=%D0%B0', '/a//b'])('%s stays', (path) => {
  expect(localPath(path)).toBe(path);
});

test.each([
  undefined,
  '',
  'mailings',
  'https://evil.example',
  '//evil.example',
  '/\\evil.example',
  '/\t/evil.example',
  '/.//evil.example',
  '/%2e//evil.example',
  '/a/..//evil.example',
  '/./\\evil.example',
  '/javascript:alert(1)/..//evil.example',
  `/clients?${'a=b&'.repeat(1_000)}`,
])('%j leads nowhere else', (path) => {
  expect(localPath(path)).toBe('/');
});
