import type { en } from './en';

type Json = Record<string, unknown>;
type Inline = Json | string;

const node = (type: string, content: Inline[] | null, attrs?: Json): Json => ({
  type,
  ...(attrs && { attrs }),
  ...(content && { content: content.map((each) => (typeof each === 'string' ? { type: 'text', text: each } : each)) }),
});

const bold = (text: string): Json => ({ type: 'text', text, marks: [{ type: 'strong' }] });
const name = (fallback: string): Json => node('variable', null, { name: 'client.fullName', fallback });
const sender: Json = node('variable', null, { name: 'sender.name', fallback: '' });
const newLine: Json = node('hard_break', null);

const h = (level: 1 | 2 | 3, ...content: Inline[]): Json => node('heading', content, { level });
const p = (...content: Inline[]): Json => node('paragraph', content);
const centered = (...content: Inline[]): Json => node('paragraph', content, { align: 'center' });
const title = (...content: Inline[]): Json => node('heading', content, { level: 1, align: 'center' });
const list = (...items: Inline[][]): Json =>
  node(
    'bullet_list',
    items.map((item) => node('list_item', [p(...item)])),
  );
const picture = (starter: string, alt: string): Json =>
  node('picture', null, { src: `starter:${starter}`, alt, width: 100, align: 'center', href: null });
const button = (text: string, align: 'start' | 'center' = 'start'): Json =>
  node('button', [text], { href: 'https://example.com/', align });
const quote = (...content: Inline[]): Json => node('blockquote', [p(...content)]);
const divider: Json = node('divider', null);
const columns = (...each: Json[][]): Json =>
  node(
    'columns',
    each.map((content) => node('column', content)),
  );

const named = ([before = '', nobody = '', after = '']: string[]) => [before, name(nobody), after];
const story = (starter: string, [alt = '', head = '', text = '']: string[]) => [
  picture(starter, alt),
  h(3, head),
  p(text),
];

/** The blocks of the letters to begin with. */
export const letters = ({ regards, news, announcement, invitation, offer, letter }: typeof en) => ({
  news: [
    picture('news', news.picture),
    h(1, news.subject),
    p(...named(news.hello)),
    button(news.button),
    divider,
    columns(story('plant', news.plant), story('window', news.window)),
    divider,
    h(2, news.dates),
    list(...news.days.map(([day = '', what = '']) => [bold(day), what])),
    p(regards, newLine, sender),
  ],
  announcement: [
    picture('announcement', announcement.picture),
    title(announcement.title),
    centered(...named(announcement.hello)),
    button(announcement.button, 'center'),
    divider,
    columns(...announcement.columns.map(([head = '', text = '']) => [h(3, head), p(text)])),
    quote(announcement.quote),
    p(announcement.end),
  ],
  invitation: [
    picture('invitation', invitation.picture),
    title(invitation.title),
    centered(...named(invitation.hello)),
    divider,
    columns(
      ...invitation.columns.map(([head = '', first = '', second = '']) => [h(3, head), p(first, newLine, second)]),
    ),
    button(invitation.button, 'center'),
    centered(invitation.end),
  ],
  offer: [
    picture('offer', offer.picture),
    title(offer.title),
    centered(...named(offer.hello)),
    centered(offer.code[0] ?? '', bold(offer.code[1] ?? '')),
    button(offer.button, 'center'),
    divider,
    h(2, offer.how),
    list(...offer.steps.map((step) => [step])),
  ],
  letter: [p(...named(letter.hello)), ...letter.paragraphs.map((text) => p(text)), p(regards, newLine, sender)],
});
