import { type NodeSpec, Schema } from 'prosemirror-model';
import { letterSchema } from './schema';

/**
 * The schema of letters that are being written: the same nodes with attributes that nobody has looked at yet, such as a
 * picture without an address. What is wrong is said when the letter is saved.
 */
const unchecked = <T extends Pick<NodeSpec, 'attrs'>>(spec: T): T => ({
  ...spec,
  ...(spec.attrs && {
    attrs: Object.fromEntries(
      Object.entries(spec.attrs).map(([name, { validate: _checked, ...attribute }]) => [name, attribute]),
    ),
  }),
});

const names = Object.keys(letterSchema.nodes);
const { nodes, marks } = letterSchema.spec;

export const draftSchema = new Schema({
  topNode: 'doc',
  nodes: Object.fromEntries(names.map((name) => [name, unchecked(nodes.get(name)!)])),
  marks: Object.fromEntries(Object.keys(letterSchema.marks).map((name) => [name, unchecked(marks.get(name)!)])),
});
