import { id, nullable, Shape, text } from '../openapi/shape';

/** A delivery's recipient: the address as it was; the name is null if the client is deleted. */
export class RecipientAnswer extends Shape({ id, email: text, fullName: nullable(text) }) {}
