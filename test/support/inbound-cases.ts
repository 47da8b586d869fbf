import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What an example of an incoming letter is; see test/fixtures/inbound. */
export interface InboundCase {
  file: string;
  kind: string;
  address: string;
  enhanced: string | null;
  reason: string;
  blame: string | null;
  envelopeTo: string;
  envelopeFrom: string;
  matchBy: string | null;
  suppress: string | null;
}

interface Examples {
  standIns: Record<'rcpt' | 'verp' | 'unsub' | 'sender' | 'messageId' | 'fbl', string>;
  cases: InboundCase[];
}

const folder = join(__dirname, '../fixtures/inbound');

/** Examples of incoming letters, in whose places `standIns` stand for what a letter of a run carries. */
export const examples = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Examples;

export const exampleLetter = (file: string): Buffer => readFileSync(join(folder, file));
