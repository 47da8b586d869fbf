import { SaxesParser } from 'saxes';
import type { WorkbookFault } from './problems';

/** What the parser may hold of something that is not complete, in characters; a cell's text has at most 32,767. */
const UNFINISHED_MAX = 1024 * 1024;
const DEPTH_MAX = 1_000;

export type Attributes = Record<string, string>;

/** What reads XML, by the names without their prefixes. */
export interface XmlReader {
  opened(name: string, attributes: Attributes): void;
  closed?(name: string): void;
  text?(piece: string): void;
}

/** The workbook can't be read. */
export class WorkbookError extends Error {
  constructor(
    readonly fault: WorkbookFault,
    readonly max?: number,
  ) {
    super(fault);
  }
}

export const local = (name: string): string => name.slice(name.indexOf(':') + 1);

/** Reads XML that comes in pieces; memory is bounded whatever it holds. */
export class BoundedXml {
  private readonly xml: SaxesParser = new SaxesParser({ position: false });
  private unfinished = 0;
  private depth = 0;

  constructor(reader: XmlReader) {
    this.xml.on('opentag', ({ name, attributes }) => {
      this.unfinished = 0;
      if (++this.depth > DEPTH_MAX) throw new WorkbookError('broken');
      reader.opened(local(name), attributes);
    });
    this.xml.on('closetag', ({ name }) => {
      this.unfinished = 0;
      this.depth--;
      reader.closed?.(local(name));
    });
    this.xml.on('text', (piece) => {
      this.unfinished = 0;
      reader.text?.(piece);
    });
  }

  /** @throws WorkbookError */
  write(text: string): void {
    // The parser gathers texts, comments and attributes until their ends.
    this.unfinished += text.length;
    this.attempt(() => this.xml.write(text));
    if (this.unfinished > UNFINISHED_MAX) throw new WorkbookError('broken');
  }

  /** @throws WorkbookError */
  end(): void {
    this.attempt(() => this.xml.close());
  }

  private attempt(step: () => void): void {
    try {
      step();
    } catch (error) {
      throw error instanceof WorkbookError ? error : new WorkbookError('broken');
    }
  }
}
