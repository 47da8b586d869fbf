import type { DeliveryView } from '../../features/runs/deliveries.service';
import { useReader } from '../reader';

/** Leads to the letter of a delivery, if one went out, or may have, to somebody who is still known. */
export function LetterLink({ of: { id, status, fullName } }: { of: DeliveryView }) {
  const { t } = useReader();
  if (fullName === null || (status !== 'sent' && status !== 'unknown')) return null;
  return (
    <a class="letter-link" href={`/deliveries/${id}/letter`}>
      {t.line.letter}
    </a>
  );
}
