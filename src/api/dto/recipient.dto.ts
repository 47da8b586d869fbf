import { id, nullable, Shape, text } from '../openapi/shape';

/** Whom a delivery is for: the address as it was; the name of a client that is gone is null. */
export class RecipientAnswer extends Shape({ id, email: text, fullName: nullable(text) }) {}
