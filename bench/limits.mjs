/** `limits`: RATE_LIMIT_PER_SECOND over all workers, seen by the SMTP server: never too much in any second, never too slow. */
import { median, round, say, setStage, startApi } from './stage.mjs';
import { prepareClients, sendOnce } from './send.mjs';

export const options = {
  rates: { type: 'string', default: '50,500' },
  seconds: { type: 'string', default: '20' },
  workers: { type: 'string', default: '2' },
  runs: { type: 'string', default: '3' },
};

export async function run(args, { print }) {
  const rates = args.rates.split(',').map(Number);
  const [seconds, workers, runs] = ['seconds', 'workers', 'runs'].map((k) => Number(args[k]));
  const stage = await setStage();
  try {
    await print.head(stage, `${rates.join(' and ')} letters/s for ${seconds} s, ${workers} workers, median of ${runs}`);
    const rows = [['limit', 'mean letters/s', 'of the limit', 'most in any second', 'of the limit']];
    const results = [];
    for (const rate of rates) {
      const letters = rate * seconds;
      await stage.query('TRUNCATE clients CASCADE');
      const owner = await prepareClients(stage, letters, `owner-${rate}@example.org`);
      const api = await startApi(stage, owner.token);
      const found = [];
      for (let n = 1; n <= runs; n++) {
        await stage.sink.ask('reset');
        const label = `limit ${rate}, round ${n} of ${runs}`;
        await sendOnce(stage, api, owner, { letters, workers, env: { RATE_LIMIT_PER_SECOND: String(rate) }, label });
        found.push(judge((await stage.sink.ask('times')).times));
      }
      api.child.expected = true;
      api.child.kill();
      const mean = median(found.map((f) => f.mean));
      const most = Math.max(...found.map((f) => f.most));
      rows.push([
        `${rate}`,
        mean.toFixed(1),
        `${((100 * mean) / rate).toFixed(1)} %`,
        `${most}`,
        `${((100 * most) / rate).toFixed(0)} %`,
      ]);
      results.push(
        `${rate}/s: mean ${((100 * mean) / rate).toFixed(1)} %, most in a second ${((100 * most) / rate).toFixed(0)} %`,
      );
    }
    say('');
    print.table(rows);
    print.line(
      `goal: mean at least 95 %, most in any second at most 200 %; the worst second of all ${round(runs)} rounds`,
    );
    return results.join('; ');
  } finally {
    await stage.end();
  }
}

function judge(times) {
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to++) {
    while (times[to] - times[from] >= 1_000) from++;
    most = Math.max(most, to - from + 1);
  }
  return { most, mean: ((times.length - 1) * 1_000) / (times.at(-1) - times[0]) };
}
