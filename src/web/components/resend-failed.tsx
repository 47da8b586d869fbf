import { useReader } from '../reader';
import { Confirm } from './form';

interface Props {
  /** The run whose failures it sends to again. */
  runId: number;
  /** To how many people; null if they are too many to be counted. */
  people: number | null;
  sender: string;
}

/** The button that sends the letter again to those who failed. */
export function ResendFailed({ runId, people, sender }: Props) {
  const { t, format } = useReader();
  return (
    <Confirm
      id="resend"
      action={`/runs/${runId}/resend-failed`}
      text={people === null ? t.run.resendToFailed : t.run.resendFailed(format.number(people))}
      question={people === null ? t.run.resendToFailed : t.run.resendQuestion(people)}
      kind="btn-primary"
    >
      <p>{t.run.resendText(sender)}</p>
    </Confirm>
  );
}
