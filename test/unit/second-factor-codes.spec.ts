import { generateSync } from 'otplib';
import { seal, unseal } from '../../src/config/sealed';
import {
  hashRecoveryCode,
  newRecoveryCodes,
  newTotpSecret,
  plainCode,
  totpStep,
  totpUri,
} from '../../src/features/users/second-factor-codes';

describe('codes of the authenticator app', () => {
  const secret = newTotpSecret();
  const at = 1_800_000_015;
  const step = at / 30 - 0.5;
  const code = (epoch: number) => generateSync({ secret, epoch });

  test('RFC 6238, appendix B: the last six of its eight digits', () => {
    // "12345678901234567890" in Base32.
    const known = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    expect([59, 1_111_111_109, 2_000_000_000].map((epoch) => generateSync({ secret: known, epoch }))).toEqual([
      '287082',
      '081804',
      '279037',
    ]);
    expect(totpStep(known, '081804', 1_111_111_109)).toBe(37_037_036);
  });

  test('of this step and the two beside it are taken, with the step they are of', () => {
    expect([-60, -30, 0, 30, 60].map((s) => totpStep(secret, code(at + s), at))).toEqual([
      null,
      step - 1,
      step,
      step + 1,
      null,
    ]);
  });

  test.each(['', '12345', '1234567', 'abcdef', '１２３４５６', ' ', '12 456', '-12345', '1e5123'])(
    '%j is none',
    (given) => {
      expect(totpStep(secret, given, at)).toBeNull();
    },
  );

  test('what the QR code says is what apps read', () => {
    const uri = new URL(totpUri('ABCDEFGH', 'anna+x@example.org'));
    expect([uri.protocol, uri.host, decodeURIComponent(uri.pathname)]).toEqual([
      'otpauth:',
      'totp',
      '/Gonets:anna+x@example.org',
    ]);
    expect(Object.fromEntries(uri.searchParams)).toMatchObject({ secret: 'ABCDEFGH', issuer: 'Gonets' });
  });
});

describe('recovery codes', () => {
  test('are ten of 120 bits, in groups', () => {
    const codes = newRecoveryCodes();
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) expect(code).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){5}[0-9a-hjkmnp-tv-z]{4}$/);
  });

  test('are the same however they are typed', () => {
    const hash = hashRecoveryCode('0a1b-2c3d');
    for (const typed of ['0a1b2c3d', ' 0A1B 2C3D ', 'oAlB–2C3D', 'OaIb-2c3d'])
      expect(hashRecoveryCode(typed)).toEqual(hash);
    expect(hashRecoveryCode('0a1b-2c3e')).not.toEqual(hash);
    expect(plainCode(' 123 456 ')).toBe('123456');
  });
});

describe('what is sealed', () => {
  const key = 'a-test-secret-key-of-forty-characters-00';
  const sealed = seal(key, 'second-factor', 'a secret', '7');

  test('opens again, and looks another way each time', () => {
    expect(unseal(key, 'second-factor', sealed, '7')).toBe('a secret');
    expect(seal(key, 'second-factor', 'a secret', '7')).not.toEqual(sealed);
    expect(sealed.includes('a secret')).toBe(false);
  });

  test('opens with nothing else', () => {
    expect(unseal(`${key}1`, 'second-factor', sealed, '7')).toBeNull();
    expect(unseal(key, 'oidc-sign-in', sealed, '7')).toBeNull();
    expect(unseal(key, 'second-factor', sealed, '8')).toBeNull();
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(unseal(key, 'second-factor', changed, '7')).toBeNull();
      expect(unseal(key, 'second-factor', sealed.subarray(0, at), '7')).toBeNull();
    }
  });
});
