/** What can be done to many clients at once. */
export const bulkActions = ['tag', 'untag', 'delete', 'suppress'] as const;
export type BulkAction = (typeof bulkActions)[number];

export const bulkStatuses = ['running', 'done', 'stopped'] as const;
export type BulkStatus = (typeof bulkStatuses)[number];

/** Whether the action is about tags. */
export const takesTags = (action: BulkAction): boolean => action === 'tag' || action === 'untag';
