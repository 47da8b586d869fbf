import type { Attachment } from '../domain/attachment';
import { DomainError } from '../domain/errors';
import type { StoredObjects } from './stored-objects';

export interface StoredAttachment {
  name: string;
  type: string;
  key: string;
}

/** Why no letter can be made if one of them is gone: waiting would not bring it back. */
export async function loadAttachments(
  objects: StoredObjects,
  stored: StoredAttachment[],
): Promise<Attachment[] | DomainError> {
  const loaded: Attachment[] = [];
  for (const { name, type, key } of stored) {
    const content = await objects.get(key);
    if (!content)
      return new DomainError('invalid', 'TEMPLATE_FAILED', `The attachment ${name} is not stored any more.`);
    loaded.push({ name, type, content });
  }
  return loaded;
}
