/** The page of a sign-up form: does the proof of work while the form is filled in. The form works without it, too. */
import { solveChallenge } from 'altcha-lib';

interface Challenge {
  algorithm: string;
  challenge: string;
  maxnumber: number;
  salt: string;
  signature: string;
}

async function prove(form: HTMLFormElement): Promise<void> {
  const field = form.elements.namedItem('altcha');
  const answer = await fetch(form.dataset.challenge ?? '', { credentials: 'omit' });
  if (!answer.ok || !(field instanceof HTMLInputElement)) return;
  const { maxnumber, ...challenge } = (await answer.json()) as Challenge;
  const solution = await solveChallenge(challenge.challenge, challenge.salt, challenge.algorithm, maxnumber).promise;
  if (solution) field.value = btoa(JSON.stringify({ ...challenge, number: solution.number }));
}

// Pages by plain HTTP have no `crypto.subtle`.
for (const form of document.querySelectorAll<HTMLFormElement>('form[data-challenge]'))
  if (window.isSecureContext) {
    let proof: Promise<void> | undefined;
    form.addEventListener('focusin', () => {
      proof ??= prove(form).catch(() => undefined);
    });
    // Whoever is faster than the proof waits for it, which takes less than a second.
    form.addEventListener('submit', (event) => {
      const field = form.elements.namedItem('altcha');
      if (!proof || !(field instanceof HTMLInputElement) || field.value !== '' || form.dataset.sent) return;
      event.preventDefault();
      form.dataset.sent = 'true';
      void proof.finally(() => form.submit());
    });
  }
window.addEventListener('pageshow', () => {
  for (const form of document.querySelectorAll<HTMLFormElement>('form[data-sent]')) delete form.dataset.sent;
});
