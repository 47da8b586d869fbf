/** What a server said, as it is stored: Postgres can't hold NUL, and 4,000 characters are enough. */
export const storable = <Text extends string | null>(text: Text): Text =>
  text && (text.replaceAll('\0', '\uFFFD').slice(0, 4_000) as Text);
