/** What stands around every page, and what one sees who has nothing yet. */
export const shellEn = {
  back: 'Back',
  stale: 'This page was open for too long, so nothing was done. It is up to date now: please try again.',
  queueBoard: 'See the jobs in the queues',
  queueBoardHint: 'Opens Bull Board, a separate program. Nothing can be changed there.',
  foreign: '(new tab)',
  firstSteps: {
    title: 'Three steps to your first mailing',
    done: '(done)',
    goOn: 'Check and send it',
    people: {
      name: 'Add your clients',
      hint: 'From Excel, CSV, an address book or another mailing service. Only e-mail addresses are needed.',
      button: 'Import from a file',
    },
    letter: {
      name: 'Write a letter',
      hint: 'It can greet everybody by name. Send yourself a test letter to see what it looks like.',
      button: 'Write a message',
    },
    mailing: {
      name: 'Make a mailing',
      hint: 'Choose who gets it and when: once, or every day, week or month. Nothing goes out until you schedule or send it.',
      button: 'Make a mailing',
    },
  },
  example: 'This is how it will look:',
  samples: {
    clients: [
      { name: 'anna@example.org', detail: 'Anna Smith', chip: 'gets mail' },
      { name: 'ben@example.org', detail: 'Ben Brown', chip: 'unsubscribed' },
    ],
    messages: [
      { name: 'News in spring', detail: 'changed yesterday', chip: 'in 1 mailing' },
      { name: 'Your invitation', detail: 'changed on Monday', chip: 'not used yet' },
    ],
    mailings: [
      { name: 'Newsletter', detail: 'every month, to all clients', chip: '291 of 296 sent' },
      { name: 'Invitation to the workshop', detail: 'once, to a segment', chip: 'goes out on Monday' },
    ],
    segments: [
      { name: 'From Athens', detail: 'City is Athens', chip: '42 clients' },
      { name: 'Quiet for a month', detail: 'got no letter in the last 30 days', chip: '17 clients' },
    ],
    forms: [
      { name: 'On our site', detail: 'News once a month', chip: '12 sign-ups' },
      { name: 'At the counter', detail: 'Invitations to readings', chip: '5 sign-ups' },
    ],
  },
  zoneHint: 'Type a city: Athens, New York, Moscow.',
  scheduleZone: "The schedule's time zone",
  inOwnZone: (own: string, schedule: string) =>
    `These times are in ${own}, your time zone. The schedule follows ${schedule}.`,
};

export const shellRu: typeof shellEn = {
  back: 'Назад',
  stale: 'Страница была открыта слишком долго, поэтому ничего не сделано. Теперь она обновлена: попробуйте ещё раз.',
  queueBoard: 'Посмотреть задания в очередях',
  queueBoardHint: 'Откроется Bull Board, отдельная программа. Изменить там ничего нельзя.',
  foreign: '(новая вкладка)',
  firstSteps: {
    title: 'Три шага до первой рассылки',
    done: '(готово)',
    goOn: 'Проверить и отправить',
    people: {
      name: 'Добавьте клиентов',
      hint: 'Из Excel, CSV, адресной книги или другого сервиса рассылок. Обязателен только адрес.',
      button: 'Импортировать из файла',
    },
    letter: {
      name: 'Напишите письмо',
      hint: 'Оно может обращаться к каждому по имени. Отправьте себе пробное письмо и посмотрите, как оно выглядит.',
      button: 'Написать сообщение',
    },
    mailing: {
      name: 'Создайте рассылку',
      hint: 'Выберите, кому и когда: один раз или каждый день, неделю, месяц. Пока вы её не запланируете и не отправите, ничего не уйдёт.',
      button: 'Создать рассылку',
    },
  },
  example: 'Вот как это будет выглядеть:',
  samples: {
    clients: [
      { name: 'anna@пример.рф', detail: 'Анна Смирнова', chip: 'получает письма' },
      { name: 'boris@пример.рф', detail: 'Борис Лугов', chip: 'отписался' },
    ],
    messages: [
      { name: 'Весенние новости', detail: 'изменено вчера', chip: 'в 1 рассылке' },
      { name: 'Приглашение', detail: 'изменено в понедельник', chip: 'ещё не использовано' },
    ],
    mailings: [
      { name: 'Новости', detail: 'каждый месяц, всем клиентам', chip: 'отправлено 291 из 296' },
      { name: 'Приглашение на мастер-класс', detail: 'один раз, сегменту', chip: 'уйдёт в понедельник' },
    ],
    segments: [
      { name: 'Из Самары', detail: 'Город: Самара', chip: '42 клиента' },
      { name: 'Месяц без писем', detail: 'ничего не получали последние 30 дней', chip: '17 клиентов' },
    ],
    forms: [
      { name: 'На сайте', detail: 'Новости раз в месяц', chip: '12 заявок' },
      { name: 'У кассы', detail: 'Приглашения на встречи', chip: '5 заявок' },
    ],
  },
  zoneHint: 'Начните с города по-английски: Moscow, Samara, Yekaterinburg.',
  scheduleZone: 'Часовой пояс расписания',
  inOwnZone: (own, schedule) => `Время указано в вашем поясе, ${own}. Расписание составлено по поясу ${schedule}.`,
};
