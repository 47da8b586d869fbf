/** What a letter made of blocks may have. Server and browser share this file. */
export const ALIGNS = ['start', 'center', 'end'] as const;
export type Align = (typeof ALIGNS)[number];

export const PICTURE_WIDTH = { min: 10, max: 100 };
export const SPACER_HEIGHT = { min: 8, max: 120 };
export const SOCIAL_MAX = 10;
export const LIST_DEPTH = 3;
export const ALT_MAX = 500;
export const FALLBACK_MAX = 200;
/** How a variable may be called; whether it exists is checked when the letter is saved. */
export const VARIABLE_NAME = /^[a-zA-Z]\w*(?:\.[a-zA-Z]\w*)?$/;

/** Of a document as JSON, in characters; its HTML has a limit of its own. */
export const DOCUMENT_BYTES = 256 * 1024;
export const DOCUMENT_BLOCKS = 500;
/** Nodes within nodes. */
export const DOCUMENT_DEPTH = 12;
export const PREHEADER_MAX = 500;
