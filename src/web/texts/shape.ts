import type { en } from './en';
import type { Widened } from './widened';

/** The shape of the English catalogue: another language that lacks a text, or has one too many, does not compile. */
export type Texts = Widened<typeof en>;
