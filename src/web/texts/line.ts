import type { DeliveryStatus } from '../../domain/states';
import type { MailingStage } from '../../domain/mailing-stage';
import { countEn, countRu } from './plural';

const peopleEn = (n: number) => countEn(n, 'person', 'people');
const peopleRu = (n: number) => countRu(n, 'человек', 'человека', 'человек');

/** The way of a mailing from draft to sent, its outcome in one sentence, and the letter as it was sent. */
export const lineEn = {
  stage: {
    draft: 'Draft',
    scheduled: 'Scheduled',
    sending: 'Sending',
    onHold: 'Paused',
    sent: 'Sent',
    stopped: 'Stopped',
  } satisfies Record<MailingStage, string>,
  draft: 'Saved, not scheduled: nobody gets it yet.',
  held: 'Paused: nothing goes out until it is resumed.',
  notScheduled: 'not scheduled',
  next: (at: string) => `Goes out next on ${at}.`,
  schedule: (at: string) => `Schedule: first on ${at}`,
  scheduleQuestion: 'Schedule this mailing?',
  scheduleText: (letters: string, sender: string, at: string) => `${letters} from ${sender} will go out on ${at}.`,
  later: (at: string) => `Later sendings follow by its schedule; the next one is on ${at}.`,
  preparing: (n: string) => `Getting ready: ${n} prepared so far`,
  going: (sent: string, total: string, left: string | null) =>
    `Going out: ${sent} of ${total}${left === null ? '' : `, about ${left} left`}`,
  onHold: (sent: string, wait: string) => `Paused: ${sent} sent, ${wait} waiting`,
  all: (n: number, shown: string) => (n === 1 ? 'Sent to the one recipient' : `Sent to all ${shown}`),
  some: (sent: string, total: string) => `Sent to ${sent} of ${total}`,
  none: (n: number, total: string) => (n === 1 ? 'Not sent to the one recipient' : `Sent to none of ${total}`),
  nobody: 'There was nobody to send it to',
  rest: {
    failed: (n: string) => `${n} failed`,
    unknown: (n: string) => `${n} unknown`,
    skipped: (n: string) => `${n} skipped`,
    cancelled: (n: string) => `${n} not sent, because it was stopped`,
  },
  through: (share: string) => `${share} done`,
  repeated: 'Including those it was sent to again',
  /** Why people of the audience get nothing by a send now, by what became of their letter. */
  leftOut: {
    sent: (n: number) => `It was sent to ${peopleEn(n)} already; they will not get it twice.`,
    waits: (n: number) => `A letter to ${peopleEn(n)} is on its way already.`,
    failed: (n: number) => `It failed for ${peopleEn(n)}. “Resend to failed” sends it to them again.`,
    unknown: (n: number) =>
      `It is not known whether it reached ${peopleEn(n)}. “Resend to failed” sends it to them again.`,
    cancelled: (n: number) => `The letter to ${peopleEn(n)} was stopped.`,
  },
  seeLetter: 'See the letter as sent',
  letter: 'Letter',
  letterTitle: 'The letter as sent',
  letterTo: (to: string, at: string) => `As it was sent to ${to}, in the sending of ${at}.`,
  letterToday: 'The client’s data is filled in as it is today.',
  letterMadeUp: 'All clients of this sending have been deleted, so the letter is shown with a made-up person.',
  noLetter: 'The letter cannot be shown.',
  text: 'The letter as plain text',
  seeMessage: 'The letter',
};

/** The steps of a mailing's form. */
export const stepsEn = {
  letter: 'The letter',
  check: 'Check and schedule',
  checkHint:
    'Once scheduled, it goes out by itself, and you can still change or pause it until then. If you only save it, nobody gets it.',
  editHint: 'Changes count from the next sending.',
  schedule: 'Save and schedule',
  findMessage: 'Find a message by its subject',
  find: 'Find',
  untitled: (id: number) => `Message ${id}`,
  uncounted: 'It takes too long to count them.',
  first: (names: string, more: boolean) => `The first of those who get it: ${names}${more ? ' …' : '.'}`,
  unknown: (n: number) => `${countEn(n, 'address is', 'addresses are')} not among your clients.`,
  nothingFound:
    'No obstacle found in the letter, the recipients and the schedule. The sender’s domain and your daily limit are not checked here.',
  missing: {
    audience: 'Choose to whom it goes.',
    message: 'Choose a message.',
    segment: 'Choose a segment.',
    time: 'With this start and end it is never sent.',
  },
  look: (message: string) => `See the letter “${message}”`,
  lookAgain: 'Show the letter that is chosen now',
};

export type LineTexts = typeof lineEn;
export type StepTexts = typeof stepsEn;

export const lineRu: LineTexts = {
  stage: {
    draft: 'Черновик',
    scheduled: 'Запланирована',
    sending: 'Отправляется',
    onHold: 'Приостановлена',
    sent: 'Отправлена',
    stopped: 'Остановлена',
  },
  draft: 'Сохранена, но не запланирована: пока её никто не получит.',
  held: 'Приостановлена: пока её не продолжат, ничего не уходит.',
  notScheduled: 'не запланирована',
  next: (at) => `Следующая отправка: ${at}.`,
  schedule: (at) => `Запланировать: первая отправка ${at}`,
  scheduleQuestion: 'Запланировать эту рассылку?',
  scheduleText: (letters, sender, at) => `${letters} от ${sender} — отправка ${at}.`,
  later: (at) => `Дальше — по расписанию; следующая отправка: ${at}.`,
  preparing: (n) => `Готовится: пока готово ${n}`,
  going: (sent, total, left) => `Отправляется: ${sent} из ${total}${left === null ? '' : `, осталось около ${left}`}`,
  onHold: (sent, wait) => `Приостановлена: отправлено ${sent}, ждут ${wait}`,
  all: (n, shown) => (n === 1 ? 'Единственному получателю отправлено' : `Отправлено всем: ${shown}`),
  some: (sent, total) => `Отправлено ${sent} из ${total}`,
  none: (n, total) => (n === 1 ? 'Единственному получателю не отправлено' : `Не отправлено никому из ${total}`),
  nobody: 'Получателей не было',
  rest: {
    failed: (n) => `не отправлено: ${n}`,
    unknown: (n) => `неизвестно: ${n}`,
    skipped: (n) => `пропущено: ${n}`,
    cancelled: (n) => `отменено из-за остановки: ${n}`,
  },
  through: (share) => `готово ${share}`,
  repeated: 'С учётом повторных отправок',
  leftOut: {
    sent: (n) => `Уже отправлено, второй раз не отправится: ${peopleRu(n)}.`,
    waits: (n) => `Письмо уже в пути: ${peopleRu(n)}.`,
    failed: (n) => `Не отправлено: ${peopleRu(n)}. Отправить им ещё раз: «Повторить неудачные».`,
    unknown: (n) => `Неизвестно, дошло ли письмо: ${peopleRu(n)}. Отправить им ещё раз: «Повторить неудачные».`,
    cancelled: (n) => `Отправка остановлена: ${peopleRu(n)}.`,
  },
  seeLetter: 'Письмо, как оно ушло',
  letter: 'Письмо',
  letterTitle: 'Письмо, как оно ушло',
  letterTo: (to, at) => `Как оно ушло на ${to}, отправка ${at}.`,
  letterToday: 'Данные клиента подставлены сегодняшние.',
  letterMadeUp: 'Все клиенты этой отправки удалены, поэтому подставлен вымышленный человек.',
  noLetter: 'Письмо нельзя показать.',
  text: 'Письмо в виде простого текста',
  seeMessage: 'Письмо',
};

export const stepsRu: StepTexts = {
  letter: 'Письмо',
  check: 'Проверка и расписание',
  checkHint:
    'Запланированная рассылка уйдёт сама; до этого её можно изменить или приостановить. Если её только сохранить, никто ничего не получит.',
  editHint: 'Изменения действуют со следующей отправки.',
  schedule: 'Сохранить и запланировать',
  findMessage: 'Найти сообщение по теме',
  find: 'Найти',
  untitled: (id) => `Сообщение ${id}`,
  uncounted: 'Их слишком долго считать.',
  first: (names, more) => `Первые из тех, кто получит: ${names}${more ? ' …' : '.'}`,
  unknown: (n) => `Нет среди ваших клиентов: ${countRu(n, 'адрес', 'адреса', 'адресов')}.`,
  nothingFound:
    'В письме, получателях и расписании препятствий не найдено. Домен отправителя и дневной лимит здесь не проверяются.',
  missing: {
    audience: 'Выберите, кому отправить.',
    message: 'Выберите сообщение.',
    segment: 'Выберите сегмент.',
    time: 'С таким началом и концом рассылка ни разу не отправится.',
  },
  look: (message) => `Посмотреть письмо «${message}»`,
  lookAgain: 'Показать письмо, которое выбрано сейчас',
};

/** To which of the sentences about those who are left out each status belongs; those who are excluded are told apart. */
export const LEFT_OUT: Record<DeliveryStatus, keyof LineTexts['leftOut'] | null> = {
  sent: 'sent',
  pending: 'waits',
  sending: 'waits',
  deferred: 'waits',
  failed: 'failed',
  unknown: 'unknown',
  cancelled: 'cancelled',
  skipped: null,
};
