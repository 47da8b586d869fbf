/**
 * Writes demo/clients.csv: 1,000 people who do not exist, the same ones at every call. The first words of a local part
 * tell the demo's mail server what to do, see demo/smtp-server.mjs.
 */
import { writeFileSync } from 'node:fs';

const total = 1000;
const refused = ['refused.unknown', 'refused.full', 'refused.policy', 'refused.unknown', 'refused.full'].flatMap(
  (kind) => [kind, kind],
);
const greylisted = Array.from({ length: 15 }, (_, index) => (index % 3 === 2 ? 'greylisted.twice' : 'greylisted.once'));
const domains = ['example.com', 'example.org', 'example.net', 'mail.example', 'courier.example'];

/** Names as their owners write them, and as they stand in an address. */
const people = {
  russian: {
    first:
      'Анна/anna Борис/boris Вера/vera Галина/galina Дмитрий/dmitry Елена/elena Фёдор/fyodor Юлия/yulia Пётр/pyotr Ксения/ksenia',
    last: 'Шевчук/shevchuk Гончар/gonchar Коваленко/kovalenko Мельник/melnik Лебедь/lebed Жук/zhuk Щерба/shcherba Ткач/tkach Эйхе/eikhe Чайка/chaika',
  },
  latin: {
    first:
      'José/jose Zoë/zoe Łukasz/lukasz Đorđe/djordje Søren/soren Siân/sian Åsa/asa Françoise/francoise Jürgen/jurgen Nguyễn/nguyen',
    last: "O'Brien/o'brien D'Angelo/d'angelo Müller/muller Škvorecký/skvorecky Åkesson/akesson Núñez/nunez Þórsson/thorsson Öztürk/ozturk Çelik/celik Weiß/weiss",
  },
  greek: {
    first: 'Ελένη/eleni Γιώργος/giorgos Μαρία/maria Νίκος/nikos Σοφία/sofia Κώστας/kostas',
    last: 'Παπαδοπούλου/papadopoulou Νικολάου/nikolaou Αθανασίου/athanasiou Γεωργίου/georgiou',
  },
  chinese: {
    first: '伟/wei 芳/fang 娜/na 静/jing 丽/li 强/qiang 磊/lei 洋/yang',
    last: '王/wang 李/li 张/zhang 刘/liu 陈/chen',
  },
  arabic: {
    first: 'محمد/mohammed فاطمة/fatima أحمد/ahmed ليلى/layla يوسف/yusuf مريم/maryam',
    last: 'الحسن/alhasan منصور/mansour حداد/haddad نجار/najjar',
  },
};
const shares = ['russian', 'russian', 'russian', 'latin', 'latin', 'latin', 'greek', 'chinese', 'arabic'];
const titles = [', Jr.', ', Ph.D.', ' "Bob"', ' «Весна»', ', M.D., Ph.D.', " 'Ace'"];
const comments = [
  'Met at the fair, asked for the catalogue',
  'Просит писать по-русски',
  'Prefers short letters; "no pictures", she says',
  'Первая строка\nвторая строка',
  'Call first,\nthen write,\nthen call again',
  '常客',
  'Читает с телефона, вечером',
  "Doesn't eat meat",
];

// mulberry32: small, and the same on every machine.
let state = 20261123;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}
const pick = (list) => list[Math.floor(random() * list.length)];
const pickName = (names) => pick(names.split(' ')).split('/');

const taken = new Set();
function addressOf(prefix, first, last) {
  const shape = random();
  const upper = (name) => name[0].toUpperCase() + name.slice(1);
  let local = `${first}.${last}`;
  if (shape < 0.1) local = `${upper(first)}.${upper(last)}`;
  else if (shape < 0.2) local = `${first}+${last}`;
  else if (shape < 0.3) local = `${first[0]}_${last}`;
  const domain = pick(domains);
  for (let number = 1; ; number++) {
    const address = `${prefix ? `${prefix}.` : ''}${local}${number > 1 ? number : ''}@${domain}`;
    if (taken.has(address.toLowerCase())) continue;
    taken.add(address.toLowerCase());
    return address;
  }
}

const quoted = (field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);

const special = [...refused, ...greylisted];
const rows = Array.from({ length: total }, (_, index) => {
  const kind = pick(shares);
  const [first, firstInAddress] = pickName(people[kind].first);
  const [last, lastInAddress] = pickName(people[kind].last);
  const title = random() < 0.06 ? pick(titles) : '';
  const fullName = kind === 'chinese' ? `${last}${first}${title}` : `${first} ${last}${title}`;
  const prefix = index % 40 === 7 ? special.shift() : undefined;
  const comment = random() < 0.3 ? pick(comments) : '';
  return [addressOf(prefix, firstInAddress, lastInAddress), fullName, comment].map(quoted).join(',');
});
if (special.length) throw new Error('some scripted addresses found no row');
writeFileSync(new URL('clients.csv', import.meta.url), `email,full_name,comment\n${rows.join('\n')}\n`);
