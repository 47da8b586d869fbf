import type { DeliverabilityLevel, ProviderCounts } from '../../domain/mail-providers';
import { countEn, countRu } from './plural';
import type { Widened } from './widened';

/** What the page says about how letters fare at the providers of mailboxes. */
export const deliverabilityEn = {
  title: 'Deliverability',
  about:
    'How the providers of mailboxes treat your letters. A provider goes by the mail servers of a domain: a company whose mail is at Google counts as Google.',
  presets: 'Time',
  lastDays: (n: number) => `Last ${n} days`,
  owner: 'Owner',
  counted: (time: string) => `Counted up to ${time}.`,
  notCounted: 'Nothing was counted yet. A worker counts about every half minute.',
  empty: 'Nothing was sent in this time. Once letters go out, this page shows how each provider takes them.',
  waiting: (n: number) =>
    `${countEn(n, 'domain was', 'domains were')} not looked up yet; letters to them count as “Other” until then.`,
  provider: 'Provider',
  /** All others have the same name in every language. */
  named: { yandex: 'Yandex', other: 'Other' },
  counts: {
    sent: 'Taken',
    refused: 'Refused',
    deferred: 'Deferred',
    bounced: 'Bounced',
    softBounced: 'Bounced this time',
    complained: 'Complaints',
  } satisfies Record<keyof ProviderCounts, string>,
  byProvider: 'By provider',
  byDay: 'Taken and refused by day',
  afterByDay: 'What came back, by day',
  day: 'Day',
  level: { good: 'Fine', watch: 'High', bad: 'Too high' } satisfies Record<DeliverabilityLevel, string>,
  notTold: 'not told',
  toDo: 'What needs attention',
  complaintsWatch: (provider: string, share: string) =>
    `${provider}: ${share} complained. From 0.1 % on providers begin to put letters into spam; write only to those who asked for it, and make it easy to leave.`,
  complaintsBad: (provider: string, share: string) =>
    `${provider}: ${share} complained. From 0.3 % on providers refuse senders. Stop, and leave out everybody who did not ask for these letters.`,
  bouncesWatch: (provider: string, share: string) =>
    `${provider}: ${share} bounced. More than 2 % look like a bought or an old list; see under Incoming what the reports say.`,
  refusedWatch: (provider: string, share: string) =>
    `${provider}: ${share} refused. If the answers speak of policy, reputation or block lists, the sender is the problem, not the addresses: see Attempts.`,
  google:
    'Google does not tell senders which letters people marked as spam. How many there are shows Google’s Postmaster Tools (postmaster.google.com), by the Feedback-ID that your letters carry.',
  notes:
    'Taken means that the next mail server took the letter; if yours passes letters on, it stands between you and the provider, and refuses in its name. What came back counts on the day on which it did. Letters that a provider took and put into spam are not seen here.',
};

export const deliverabilityRu: Widened<typeof deliverabilityEn> = {
  title: 'Доставляемость',
  about:
    'Как почтовые службы принимают ваши письма. Служба определяется по почтовым серверам домена: компания, чья почта у Google, считается как Google.',
  presets: 'Время',
  lastDays: (n: number) => `Последние ${countRu(n, 'день', 'дня', 'дней')}`,
  owner: 'Владелец',
  counted: (time: string) => `Учтено всё до ${time}.`,
  notCounted: 'Пока ничего не учтено. Подсчёт идёт примерно раз в полминуты.',
  empty:
    'За это время ничего не отправлялось. Когда письма пойдут, здесь будет видно, как их принимает каждая почтовая служба.',
  waiting: (n: number) =>
    `${countRu(n, 'домен ещё не проверен', 'домена ещё не проверены', 'доменов ещё не проверены')}; письма на них пока считаются как «Другие».`,
  provider: 'Почтовая служба',
  named: { yandex: 'Яндекс', other: 'Другие' },
  counts: {
    sent: 'Принято',
    refused: 'Отклонено',
    deferred: 'Отложено',
    bounced: 'Вернулось',
    softBounced: 'Вернулось в этот раз',
    complained: 'Жалобы',
  },
  byProvider: 'По почтовым службам',
  byDay: 'Принято и отклонено по дням',
  afterByDay: 'Что вернулось, по дням',
  day: 'День',
  level: { good: 'В порядке', watch: 'Много', bad: 'Слишком много' },
  notTold: 'не сообщает',
  toDo: 'На что обратить внимание',
  complaintsWatch: (provider: string, share: string) =>
    `${provider}: пожаловались ${share}. Начиная с 0,1 % службы начинают класть письма в спам; пишите только тем, кто об этом просил, и дайте легко отписаться.`,
  complaintsBad: (provider: string, share: string) =>
    `${provider}: пожаловались ${share}. Начиная с 0,3 % службы отклоняют отправителя. Остановитесь и исключите всех, кто не просил этих писем.`,
  bouncesWatch: (provider: string, share: string) =>
    `${provider}: вернулось ${share}. Больше 2 % похоже на купленный или старый список; что сказано в отчётах, смотрите во «Входящих».`,
  refusedWatch: (provider: string, share: string) =>
    `${provider}: отклонено ${share}. Если в ответах речь о правилах, репутации или чёрных списках, дело в отправителе, а не в адресах: смотрите «Попытки».`,
  google:
    'Google не сообщает отправителям, какие письма отметили как спам. Сколько их, показывает Google Postmaster Tools (postmaster.google.com) по Feedback-ID, который есть в ваших письмах.',
  notes:
    '«Принято» значит, что письмо принял следующий почтовый сервер; если между вами и службой стоит ваш релей, отказывает он. Что вернулось, считается в тот день, когда вернулось. Письма, которые служба приняла и положила в спам, здесь не видны.',
};
