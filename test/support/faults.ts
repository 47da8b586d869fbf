import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const axe = readFileSync(createRequire(__filename).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

type Violation = { id: string; nodes: { html: string; failureSummary: string }[] };
type Axe = { run(context: Document, options: object): Promise<{ violations: Violation[] }> };

/** What keeps people out of a page as it stands: what axe-core finds, and that it is wider than its window. */
export async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async (values) => {
    const { axe: checker } = globalThis as unknown as { axe: Axe };
    // In the frames of letters no script may run.
    const options = { runOnly: { type: 'tag', values }, iframes: false };
    const { violations } = await checker.run(document, options);
    const found = violations.map(({ id, nodes }) =>
      `${id}: ${nodes.map((n) => `${n.html} ${n.failureSummary}`).join(' | ')}`.slice(0, 600),
    );
    const tooWide = document.documentElement.scrollWidth - innerWidth;
    return tooWide > 0 ? [...found, `${tooWide} px too wide`] : found;
  }, RULES);
}
