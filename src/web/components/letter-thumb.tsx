import { useReader } from '../reader';

/** A letter as it looks, small. It is only to be looked at: whoever uses a keyboard or a screen reader goes past it. */
export function LetterThumb({ src }: { src: string }) {
  const { t } = useReader();
  return (
    <span class="thumb-frame" inert aria-hidden="true">
      <iframe sandbox="" loading="lazy" scrolling="no" tabindex={-1} title={t.line.letter} src={src}></iframe>
    </span>
  );
}
