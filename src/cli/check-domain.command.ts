import type { Command } from 'commander';
import { ConfigError, loadConfig } from '../config/config';
import { Dns, inTime } from '../dns/dns';
import { DomainError, type ToldFinding } from '../domain/errors';
import { parseEmailAddress } from '../domain/email-address';
import type { Asked } from '../domain/lookup';
import { byLevel, isBlocking } from '../domain/preflight';
import { LARGE, senderFindings } from '../domain/preflight-rules';
import { toldFinding } from '../domain/preflight-texts';
import { examineSender, type SenderFacts } from '../domain/sender-domain';
import { senderSetup } from '../features/scheduling/sender-check.service';
import { type Output, print } from './context';
import { findingLines } from './findings';

/** More patience than pages have: nobody waits for a page. */
const WAIT_MS = 15_000;

/** Needs neither Postgres nor Redis. */
export function checkDomainCommand(program: Command): void {
  program
    .command('check-domain')
    .argument('[domain]', 'the domain of the sender; without it, that of MAIL_FROM')
    .description(
      'Says what DNS has about a sender, and what to publish; exit code 1 if a large mailing would be blocked',
    )
    .option('--json', 'print one JSON object')
    .action(async (domain: string | undefined, options: Output) => {
      process.exit(await checkDomain(domain, options));
    });
}

async function checkDomain(given: string | undefined, options: Output): Promise<number> {
  try {
    const domain = given === undefined ? undefined : domainOf(given);
    const config = loadConfig(process.env);
    const facts = await examineSender(senderSetup(config, domain), inTime(new Dns(config.dnsServers), WAIT_MS));
    const findings = senderFindings(facts, 'strict', LARGE).sort(byLevel).map(toldFinding);
    const records = facts.asked.map(({ type, name, found }) => ({ type, name, found }));
    print(options, { domain: facts.setup.domain, records, findings }, report(facts, findings));
    return findings.some(isBlocking) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof DomainError || error instanceof ConfigError || error instanceof Error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
}

/** @throws Error if it is none */
function domainOf(text: string): string {
  const parsed = parseEmailAddress(`postmaster@${text}`);
  if (!parsed.ok) throw new Error(`"${text}" is not a domain name.`);
  return parsed.email.slice('postmaster@'.length);
}

function report({ asked, spf, setup }: SenderFacts, findings: ToldFinding[]) {
  const lookups = spf.records?.length
    ? [`The SPF record of ${setup.envelope} takes ${spf.lookups} DNS look-up(s).`]
    : [];
  return [
    `${setup.domain}:`,
    ...asked.map((one) => `  ${one.type === 'A' ? 'A, AAAA' : one.type} ${one.name}: ${answer(one)}`),
    ...lookups,
    ...(findings.length > 0 ? findingLines(findings) : ['Nothing is wrong.']),
  ].join('\n');
}

function answer({ found }: Asked): string {
  if (found === null) return 'not answered';
  return found.length === 0
    ? 'none'
    : found.map((text) => (text === '' ? '"." (takes no mail)' : `"${text}"`)).join(', ');
}
