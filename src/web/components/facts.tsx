import type { ComponentChildren } from 'preact';

interface Props {
  of: readonly (readonly [name: string, value: ComponentChildren, look?: string])[];
  class?: string;
}

/** A list of names with their values. */
export const Facts = ({ of, class: look = 'card-box' }: Props) => (
  <dl class={`facts ${look}`.trim()}>
    {of.map(([name, value, style]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd class={style}>{value}</dd>
      </div>
    ))}
  </dl>
);
