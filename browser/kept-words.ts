/** The words of a form whose text is kept, from its page. */
export interface Texts {
  typing: string;
  kept: string;
  now: string;
  /** `here` and `late`: only this browser has it so far, without a connection, and with a service that is busy. */
  here: string;
  late: string;
  away: string;
  busy: string;
  over: string;
  signIn: string;
  other: string;
  held: string;
  unsent: string;
  useUnsent: string;
  dropUnsent: string;
}

/** Offers a text that only this browser has. */
export function unsentBar({ unsent, useUnsent, dropUnsent }: Texts, use: () => void, drop: () => void): HTMLElement {
  const bar = document.createElement('div');
  bar.className = 'kept-bar';
  bar.dataset.keptUnsent = '';
  bar.setAttribute('role', 'status');
  const said = document.createElement('p');
  said.textContent = unsent;
  const button = (text: string, press: () => void) => {
    const made = document.createElement('button');
    made.type = 'button';
    made.className = 'btn btn-sm btn-secondary';
    made.textContent = text;
    made.addEventListener('click', press);
    return made;
  };
  bar.append(said, button(useUnsent, use), button(dropUnsent, drop));
  return bar;
}

export function keptAgo({ kept, now }: Texts, keptAt: number, language: string | undefined): string {
  const seconds = Math.floor((Date.now() - keptAt) / 1_000);
  const units = new Intl.RelativeTimeFormat(language, { numeric: 'always' });
  const ago =
    seconds < 5
      ? now
      : seconds < 60
        ? units.format(-(Math.floor(seconds / 5) * 5), 'second')
        : units.format(-Math.floor(seconds / 60), 'minute');
  return kept.replace('{ago}', ago);
}
