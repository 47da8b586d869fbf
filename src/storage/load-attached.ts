import { attach, type Attached } from '../domain/attached';
import type { Attachment } from '../domain/attachment';
import { DomainError } from '../domain/errors';
import { Semaphore } from '../domain/semaphore';
import { attachmentPart } from '../smtp/attachment-part';
import type { StoredObjects } from './stored-objects';

export interface StoredAttachment {
  name: string;
  type: string;
  key: string;
}

/** Encoding takes several times the memory of what it makes; many runs may begin at once. */
const oneRun = new Semaphore(1);

/**
 * Attachments, encoded; undefined if there are none. Why no letter can be made if one of them is gone: waiting would
 * not bring it back.
 * @throws DomainError STORAGE_UNAVAILABLE
 */
export async function loadAttached(
  objects: StoredObjects,
  stored: StoredAttachment[],
  boundary: string,
): Promise<Attached | DomainError | undefined> {
  if (stored.length === 0) return undefined;
  return oneRun.run(async () => {
    const loaded: Attachment[] = [];
    for (const { name, type, key } of stored) {
      const content = await objects.get(key);
      if (!content)
        return new DomainError('invalid', 'TEMPLATE_FAILED', `The attachment ${name} is not stored any more.`);
      loaded.push({ name, type, content });
    }
    return attach(boundary, loaded.map(attachmentPart));
  });
}
