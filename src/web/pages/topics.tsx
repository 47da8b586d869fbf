import type { FormState } from '../form-state';

interface TopicsProps {
  state: FormState;
  topics: readonly { id: number; name: string }[];
  legend: string;
}

/** Public tags with ticks; a ticked one is sent as `topic.ID`. */
export function Topics({ state, topics, legend }: TopicsProps) {
  if (topics.length === 0) return null;
  return (
    <fieldset class="field">
      <legend class="form-label">{legend}</legend>
      {topics.map(({ id, name }) => (
        <div class="form-check" key={id}>
          <input
            class="form-check-input"
            type="checkbox"
            name={`topic.${id}`}
            id={`f-topic-${id}`}
            value="on"
            checked={state.values[`topic.${id}`] !== undefined}
          />
          <label class="form-check-label text-break" for={`f-topic-${id}`}>
            {name}
          </label>
        </div>
      ))}
    </fieldset>
  );
}
