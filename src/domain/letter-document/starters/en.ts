import {
  bold,
  button,
  centered,
  columns,
  divider,
  h,
  list,
  name,
  newLine,
  p,
  picture,
  quote,
  sender,
  title,
} from './build';

export const en = {
  news: {
    subject: 'What is new this month',
    preheader: 'Three short stories, two minutes to read.',
    doc: [
      picture('news', 'A newspaper and a cup of coffee'),
      h(1, 'What is new this month'),
      p('Hello ', name('dear reader'), ', here is what happened at our place, and what comes next.'),
      button('Read the main story'),
      divider,
      columns(
        [picture('plant', 'A plant in a pot'), h(3, 'A small story'), p('Say in two sentences what it is about.')],
        [
          picture('window', 'A window with a view of hills'),
          h(3, 'Another one'),
          p('Say in two sentences what it is about.'),
        ],
      ),
      divider,
      h(2, 'Dates to keep'),
      list([bold('12 May: '), 'open house, from ten o’clock'], [bold('20 May: '), 'we are closed']),
      p('Kind regards,', newLine, sender),
    ],
  },
  announcement: {
    subject: 'We have something new for you',
    preheader: 'It is here: see what it can do.',
    doc: [
      picture('announcement', 'A rocket that takes off at night'),
      title('It is here'),
      centered('Hello ', name('there'), '! For months we have worked on this, and today it begins.'),
      button('See what is new', 'center'),
      divider,
      columns(
        [h(3, 'Simple'), p('One sentence about the first thing that gets better.')],
        [h(3, 'Fast'), p('One sentence about the second thing that gets better.')],
        [h(3, 'Yours'), p('One sentence about the third thing that gets better.')],
      ),
      quote('What somebody who has tried it says about it.'),
      p('Questions? Simply answer this letter.'),
    ],
  },
  invitation: {
    subject: 'You are invited',
    preheader: 'Saturday, 14 June, from five o’clock.',
    doc: [
      picture('invitation', 'An envelope, garlands and balloons'),
      title('You are invited'),
      centered('Dear ', name('friend'), ', we are celebrating, and it would not be the same without you.'),
      divider,
      columns(
        [h(3, 'When'), p('Saturday, 14 June', newLine, 'from five o’clock')],
        [h(3, 'Where'), p('12 Garden Street', newLine, 'second floor')],
      ),
      button('I am coming', 'center'),
      centered('Please tell us by 1 June, so that there is a chair for everybody.'),
    ],
  },
  offer: {
    subject: 'A present for you: 20 % off until Sunday',
    preheader: 'For everything in the shop, with your code.',
    doc: [
      picture('offer', 'A present with a golden ribbon'),
      title('20 % off until Sunday'),
      centered('Hello ', name('dear customer'), ', thank you for being with us. This is for you.'),
      centered('Your code: ', bold('SPRING20')),
      button('Choose something nice', 'center'),
      divider,
      h(2, 'How it works'),
      list(
        ['Choose what you like.'],
        ['Enter the code at the end.'],
        ['The price is lower at once, until Sunday evening.'],
      ),
    ],
  },
  letter: {
    subject: 'A few words',
    preheader: '',
    doc: [
      p('Dear ', name('friend'), ','),
      p('begin with what this letter is about. One thought in each paragraph, as you would write to one person.'),
      p('Then say what you would like the reader to do: to answer, to come by, to have a look.'),
      p('Kind regards,', newLine, sender),
    ],
  },
};
