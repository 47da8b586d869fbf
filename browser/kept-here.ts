/** A text in the browser's storage, and where. */
export interface Stored {
  place: string;
  text: string;
}

/** So long it takes windows at the most to tell that they are open. */
const ANSWER_MS = 300;
/** As long as the service keeps a draft that nobody touches. */
const OLD_MS = 30 * 86_400_000;
/** What the name of every form begins with. */
export const KEPT = 'gonets-draft:';

/**
 * The texts of one form that only this browser has. Each page that is open has a place of its own, so that none takes
 * the place of another window's text.
 */
export class KeptHere {
  private readonly place: string;
  private readonly windows: BroadcastChannel;
  /** The places of other windows that are open: they look after their texts themselves. */
  private readonly open = new Set<string>();

  /** @param name of the form and its user */
  constructor(private readonly name: string) {
    this.place = `${name}#${Date.now()}.${Math.random()}`;
    this.windows = new BroadcastChannel(`${name}#`);
    this.windows.addEventListener('message', ({ data }) => {
      if (data === '') this.windows.postMessage(this.place);
      else this.open.add(data as string);
    });
    // Those that were opened earlier may be about to offer, or to discard, what this one will have.
    this.windows.postMessage(this.place);
  }

  /** Finds out which other windows are open, if there is a text that may be theirs. */
  async askWindows(): Promise<void> {
    if (this.others().length === 0) return;
    this.windows.postMessage('');
    await new Promise((answered) => setTimeout(answered, ANSWER_MS));
  }

  /** What this page itself has put there. */
  mine(): Stored | null {
    return read(this.place);
  }

  /** Texts of earlier visits and of windows that are closed, that of this window first. */
  others(): Stored[] {
    const all = storage('localStorage', (texts) => Object.keys(texts)) ?? [];
    const last = storage('sessionStorage', (texts) => texts.getItem(this.name));
    return all
      .filter((place) => place.startsWith(`${this.name}#`) && place !== this.place && !this.open.has(place))
      .sort((a, b) => Number(b === last) - Number(a === last) || (a < b ? -1 : 1))
      .flatMap((place) => read(place) ?? []);
  }

  /** The first of them. */
  unsent(): Stored | null {
    return this.others()[0] ?? null;
  }

  /** Where there is no room for it, nothing older stays, which would pass for it. */
  store(text: string): void {
    storage('localStorage', (texts) => texts.removeItem(this.place));
    storage('localStorage', (texts) => texts.setItem(this.place, text));
    storage('sessionStorage', (texts) => texts.setItem(this.name, this.place));
  }

  /** Not what took its place since. */
  forget(what: Stored | null): void {
    if (what && read(what.place)?.text === what.text) storage('localStorage', (texts) => texts.removeItem(what.place));
  }
}

/** Texts of pages that were opened long ago, of whatever form: else they would fill the storage. */
export function forgetOld(): void {
  storage('localStorage', (texts) => {
    for (const place of Object.keys(texts)) {
      const openedAt = Number.parseInt(place.slice(place.lastIndexOf('#') + 1), 10);
      if (place.startsWith(KEPT) && openedAt < Date.now() - OLD_MS) texts.removeItem(place);
    }
  });
}

function read(place: string): Stored | null {
  const text = storage('localStorage', (texts) => texts.getItem(place)) ?? null;
  return text === null ? null : { place, text };
}

/** Browsers may have none, or no room in it. */
function storage<T>(of: 'localStorage' | 'sessionStorage', use: (texts: Storage) => T): T | undefined {
  try {
    return use(window[of]);
  } catch {
    return undefined;
  }
}
