/** What stands around every page, and what one sees who has nothing yet. */
export const shellEn = {
  back: 'Back',
  stale: 'This page had been open for too long, so nothing was done. It is up to date now: please try again.',
  queueBoard: 'Look at the jobs in the queues',
  queueBoardHint: 'Opens Bull Board, a tool of its own, in English only. Nothing can be changed there.',
  foreign: '(new tab)',
  zoneHint: 'Type a city: Athens, New York, Moscow.',
  scheduleZone: "The schedule's time zone",
  inOwnZone: (own: string, schedule: string) =>
    `These times are in ${own}, your time zone. The schedule follows ${schedule}.`,
};

export const shellRu: typeof shellEn = {
  back: 'Назад',
  stale: 'Страница была открыта слишком долго, поэтому ничего не сделано. Теперь она обновлена: попробуйте ещё раз.',
  queueBoard: 'Посмотреть задания в очередях',
  queueBoardHint: 'Откроется Bull Board, отдельная программа, только на английском. Изменить там ничего нельзя.',
  foreign: '(новая вкладка)',
  zoneHint: 'Начните с города по-английски: Moscow, Samara, Yekaterinburg.',
  scheduleZone: 'Часовой пояс расписания',
  inOwnZone: (own, schedule) => `Время указано в вашем поясе, ${own}. Расписание следует поясу ${schedule}.`,
};
